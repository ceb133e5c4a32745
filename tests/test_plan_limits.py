"""What bounds a plan besides its targets: choices forced and forbidden, time, yearly cost, gates, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
from test_optimise import sealed, works

import hydro
from hydro.planning.measure import with_duty
from hydro.planning.plan_rows import offered


def refusal(limits: hydro.Limits) -> list[str]:
    with pytest.raises(hydro.HydroError) as refused:
        sealed(works(), limits=limits, allow=["seal", "regulate", "merge", "upgrade"])
    return str(refused.value).splitlines()


def test_one_measure_on_a_source_can_be_forced_or_forbidden() -> None:
    network = hydro.build_network(works())
    kinds = ["seal", "regulate", "merge", "upgrade"]
    forced = hydro.plan_measures(network, allow=kinds, margin=0.0, limits=hydro.Limits(force=("O3=merge",)))
    assert ("merge", "O3") in [(m.action, m.source_id) for m in forced.measures]
    forbidden = hydro.plan_measures(network, allow=kinds, margin=0.0, limits=hydro.Limits(forbid=("O3=merge",)))
    assert ("merge", "O3") not in [(m.action, m.source_id) for m in forbidden.measures]


def test_every_contradiction_among_forced_choices_is_named_at_once() -> None:
    limits = hydro.Limits(force=("O1=seal", "O1=merge", "O2", "O9", "W1=upgrade"), forbid=("O2",), ready_in_days=60)
    assert refusal(limits) == [
        "输入有 4 处错误",
        "O2 既要求必做又要求不做，互相矛盾。请只保留一种",
        "要求 O1 同时做 seal、merge，只能做一种。请只保留一种",
        "要求必做的 O9 没有可选的措施。请核对编号与允许的措施",
        "要求必做的 O1=merge、W1=upgrade 在 60 天内完不成。请放宽期限，或不再要求必做",
    ]


def test_measures_that_take_too_long_are_left_out() -> None:
    network = hydro.build_network(works())
    kinds = ["seal", "regulate", "merge", "upgrade"]
    plan = hydro.plan_measures(network, allow=kinds, margin=0.0, limits=hydro.Limits(ready_in_days=30))
    assert {option.measure.action for option in plan.model.options} == {"seal"}
    assert all(with_duty(measure).lead_days <= 30 for measure in plan.measures)


def test_bounds_that_contradict_each_other_are_told_apart_from_targets() -> None:
    network = hydro.build_network(works())
    limits = hydro.Limits(force=("O1", "O2"), per_county=1)
    plan = hydro.plan_measures(network, allow=["seal"], margin=0.0, limits=limits)
    assert plan.status == "infeasible"
    assert plan.obstacle.only_limits
    assert plan.obstacle.sections == ()
    dear = hydro.Limits(force=("O1", "O2"), budget=100.0)  # 90 + 80
    plan = hydro.plan_measures(network, allow=["seal"], margin=0.0, targets={"S1": 9.0, "S2": 9.0}, limits=dear)
    assert (plan.obstacle.only_budget, plan.obstacle.cost_needed) == (True, pytest.approx(170.0))


def test_water_is_paid_every_year_and_works_once() -> None:
    network = hydro.build_network(works())
    once = hydro.plan_measures(network, allow=["upgrade", "dose"], margin=0.0)
    dose = [m for m in once.measures if m.action == "dose"]
    assert [m.yearly for m in once.measures] == [m.action == "dose" for m in once.measures]
    long = hydro.plan_measures(network, allow=["upgrade", "dose"], margin=0.0, prices=hydro.Prices(years=10.0))
    assert dose
    assert long.cost == pytest.approx(sum(m.cost * (10 if m.yearly else 1) for m in long.measures))
    assert long.cost > once.cost


def test_a_sewer_costs_by_its_length() -> None:
    network = hydro.build_network(works())
    near, far = (
        hydro.plan_measures(network, allow=["merge"], margin=0.0, targets={"S1": 9.0, "S2": 9.0}, sewer_km=km,
                            limits=hydro.Limits(force=("O3",)))
        for km in ({}, {"O3": 2.5})
    )  # fmt: skip
    assert far.cost - near.cost == pytest.approx(2.5 * hydro.Prices().merge_per_km)


def test_water_through_a_closed_gate_enters_below_it() -> None:
    tables = works()
    tables["reaches"] = pd.concat(
        [
            tables["reaches"],
            pd.DataFrame(
                {
                    "reach_id": ["C"], "from_node": ["Z"], "to_node": [tables["reaches"]["from_node"].iloc[1]],
                    "length_m": [100.0], "discharge_m3_s": [0.0], "velocity_m_s": [0.3], "control": ["closed"],
                }
            ),
        ],
        ignore_index=True,
    )  # fmt: skip
    tables["gates"]["reach_id"] = "C"
    network = hydro.build_network(tables)
    after = hydro.compare(network, hydro.dose(network, "G1", discharge_m3_s=1.0)).set_index("section_id")
    assert after.loc["S2", "discharge_after_m3_s"] - after.loc["S2", "discharge_before_m3_s"] == pytest.approx(1.0)
    assert after.loc["S2", "tp_after_mg_l"] < after.loc["S2", "tp_before_mg_l"]
    assert after.loc["S1", "change_mg_l"] == 0
    routed = hydro.route_scenario(hydro.dose(network, "G1", discharge_m3_s=1.0))
    assert routed.section_load_kg_d["S2"] == pytest.approx(after.loc["S2", "load_after_kg_d"], rel=1e-12)


def test_a_merge_into_a_plant_below_the_section_says_what_it_moves() -> None:
    tables = works()
    tables["outlets"]["merge_to"] = ["W2", "W2", "W2"]
    plan = hydro.plan_measures(
        hydro.build_network(tables), allow=["merge"], margin=0.0, targets={"S1": 9.0, "S2": 9.0},
        limits=hydro.Limits(force=("O1",)),
    )  # fmt: skip
    assert [str(note) for note in plan.notes] == [
        "排污口 O1 并入的污水处理厂 W2 不经过断面 断面S1：该断面少了这份负荷，也少了这份水量"
    ]


def test_a_dose_of_one_season_comes_back_from_its_rows() -> None:
    network = hydro.build_network(works())
    conditions = [hydro.Condition("枯水", flow_factor=0.5, days=120), hydro.Condition("平水", days=245)]
    kinds = ["upgrade", "merge", "dose"]
    plan = hydro.plan_measures(network, allow=kinds, margin=0.0, conditions=conditions)
    assert any(measure.season for measure in plan.measures)
    back = hydro.load_plan(network, hydro.plan_rows(plan.scenario, "P1", "甲案"), "甲案")
    assert [(m.key, m.days, m.yearly) for m in back.measures] == [
        (m.key, pytest.approx(m.days, nan_ok=True), m.yearly) for m in plan.measures
    ]
    one, other = (hydro.compare(network, s, conditions=conditions) for s in (plan.scenario, back))
    pd.testing.assert_frame_equal(one, other)


def test_measures_on_offer_are_the_rows_without_a_plan() -> None:
    network = hydro.build_network(works())
    rows = pd.DataFrame(
        {
            "measure_id": ["M1", "M2"], "plan_id": ["", "P1"], "action": ["dredge", "seal"], "source_id": ["R1", "O1"],
            "amount": [2.0, np.nan], "cost": [35.0, np.nan],
        }
    )  # fmt: skip
    (measure,) = offered(network, {"measures": rows})
    assert (measure.action, measure.source_id, measure.amount, measure.cost) == ("dredge", "R1", 2.0, 35.0)
    plan = hydro.plan_measures(network, allow=["dredge"], margin=0.0, extra=[measure])
    assert [option.measure.source_id for option in plan.model.options] == ["R1"]


def test_what_cannot_be_worked_out_is_said_in_whole_sentences() -> None:
    tables = works()
    tables["gates"]["max_discharge_m3_s"] = np.nan
    tables["plants"]["actual_discharge_m3_d"] = [13_000.0, 9_000.0]
    tables["reaches"]["discharge_m3_s"] = [0.0, 1.5]
    plan = hydro.plan_measures(hydro.build_network(tables), allow=["merge", "dose"], margin=0.0)
    assert [str(note) for note in plan.notes] == [
        "污水处理厂 W1 的实际水量已超过设计规模 1000 m³/d，没有余量，不能再并入",
        "闸 G1 没有所在河段、过流能力或水源总磷，不当作引水措施。能引水的请补上 reach_id、max_discharge_m3_s 与 source_tp_mg_l",
        "断面 S1 没有流量（断流），算不出浓度；只有不再有负荷到达时才算达标",
    ]
    assert plan.status == "infeasible"


def test_without_a_single_choice_the_answer_is_what_is() -> None:
    tables = works()
    del tables["outlets"]
    network = hydro.build_network(tables)
    holds = hydro.plan_measures(network, allow=["seal"], margin=0.0, targets={"S1": 9.0, "S2": 9.0})
    assert (holds.status, holds.cost, holds.measures) == ("optimal", 0.0, ())
    fails = hydro.plan_measures(network, allow=["seal"], margin=0.0, targets={"S1": 1e-6, "S2": 9.0})
    assert (fails.status, fails.obstacle.alone) == ("infeasible", ("S1",))
    assert fails.obstacle.loads["source_id"].iloc[0] == "W1"
