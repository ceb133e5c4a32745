"""Plans: against all subsets, against laws, and what is said where none holds."""

import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import basins
import numpy as np
import pandas as pd
import plan_basins
import pytest

import hydro
from hydro.planning.milp import Program, solve
from hydro.planning.obstacle import smallest_set
from hydro.planning.optimise import as_dict

TOP = Path(__file__).parent.parent


def sealed(tables: dict[str, pd.DataFrame], **options: object) -> hydro.Plan:
    return hydro.plan_measures(
        hydro.build_network(tables), **{"allow": ["seal"], "margin": 0.0, "water": "keep", **options}
    )


def small(seed: int) -> dict[str, pd.DataFrame]:
    return plan_basins.random_tables(seed, outlets=3 + seed % 8, reaches=7 + seed % 9, sections=1 + seed % 5)


@pytest.mark.parametrize("block", range(7))
def test_210_random_basins_cost_what_the_cheapest_of_all_subsets_costs(block: int) -> None:
    verdicts = []
    for seed in range(block * 30, block * 30 + 30):
        tables = small(seed)
        plan, wanted = sealed(tables), plan_basins.cheapest_by_all_subsets(tables)
        verdicts.append(plan.status)
        assert plan.status == ("optimal" if math.isfinite(wanted) else "infeasible"), seed
        if plan.status == "optimal":
            assert plan.cost == pytest.approx(wanted, abs=1e-9), seed
            assert plan.sections["holds"].all(), seed
    assert set(verdicts) == {"optimal", "infeasible"}


@pytest.mark.parametrize("seed", [1000, 1003, 1004, 1008])
def test_18_outlets_against_262144_subsets(seed: int) -> None:
    tables = plan_basins.random_tables(seed, outlets=18, reaches=20, sections=5)
    plan, wanted = sealed(tables), plan_basins.cheapest_by_all_subsets(tables)
    assert (plan.cost if plan.status == "optimal" else math.inf) == pytest.approx(wanted, abs=1e-9)


def test_sections_before_and_after_are_those_of_plain_loops() -> None:
    for seed in range(20):
        tables = small(seed)
        plan = sealed(tables)
        ids, before, delivered, per_mg = plan_basins.referee_loads(tables)
        taken = np.isin(ids, [measure.source_id for measure in plan.measures])
        np.testing.assert_allclose(plan.sections["tp_before_mg_l"], before / per_mg, rtol=1e-10)
        np.testing.assert_allclose(plan.sections["tp_after_mg_l"], (before - taken @ delivered) / per_mg, rtol=1e-9)


def test_greedy_never_beats_the_plan() -> None:
    spent = [(plan_basins.greedy_cost(t), sealed(t).cost) for t in map(small, range(24))]
    spent = [(greedy, plan) for greedy, plan in spent if math.isfinite(plan)]
    assert all(greedy >= plan - 1e-9 for greedy, plan in spent)
    assert any(greedy > plan * 1.05 for greedy, plan in spent)


def program(gain: list[list[float]], need: list[float], cost: list[float]) -> Program:
    from scipy.sparse import csr_array

    n = len(cost)
    return Program(
        cost=np.array(cost),
        gain=csr_array(np.array(gain)),
        need=np.array(need),
        scale=np.abs(np.array(need)),
        floor=np.zeros(n),
        top=np.ones(n),
        whole=np.ones(n, bool),
        side=csr_array((0, n)),
        side_low=np.zeros(0),
        side_high=np.zeros(0),
    )


def test_a_target_missed_by_less_than_the_solver_sees_is_missed() -> None:
    # 1 + 2 misses 3.0000001 by 3e-8 of it, far inside HiGHS's tolerance of 1e-6; only 5 is enough
    found = solve(program([[1.0, 2.0, 5.0]], [3.0000001], [1.0, 1.0, 10.0]))
    assert (found.status, found.cost, list(found.x)) == ("optimal", 10.0, [0.0, 0.0, 1.0])


def test_a_target_met_exactly_is_met() -> None:
    found = solve(program([[0.1, 0.2, 5.0]], [0.3 + 1e-16], [1.0, 1.0, 10.0]))
    assert (found.status, found.cost) == ("optimal", 2.0)


def test_a_harmful_choice_is_cut_off_too() -> None:
    found = solve(program([[1.0, -1e-8, 1.0], [0.0, 1.0, 0.0]], [1.0, 1.0], [1.0, 1.0, 5.0]))
    assert list(found.x) == [1.0, 1.0, 1.0]


def works() -> dict[str, pd.DataFrame]:
    """One river of 1 m³/s: two plants, three outlets, a gate; sections between and below."""
    tables = basins.line(decay_per_d=0.1)
    tables["reaches"]["discharge_m3_s"] = [1.0, 1.5]
    tables["sections"] = basins.sections(("S1", "R1", 80_000.0, 0.2), ("S2", "R2", 80_000.0, 0.25))
    tables["outlets"] = pd.DataFrame(
        {
            "outlet_id": ["O1", "O2", "O3"],
            "reach_id": ["R1", "R1", "R2"],
            "chainage_m": [0.0, 40_000.0, 100.0],
            "permit_tp_mg_l": [3.0, 2.0, 4.0],
            "permit_discharge_m3_d": [3000.0, 4000.0, 2500.0],
            "merge_to": ["W1", "W2", "W2"],
            "county": ["甲县", "甲县", "乙县"],
            "seal_cost": [90.0, 80.0, 70.0],
        }
    )
    tables["plants"] = pd.DataFrame(
        {
            "plant_id": ["W1", "W2"],
            "reach_id": ["R1", "R2"],
            "chainage_m": [20_000.0, 5_000.0],
            "design_discharge_m3_d": [12_000.0, 15_000.0],
            "actual_discharge_m3_d": [10_000.0, 9_000.0],
            "permit_tp_mg_l": [0.8, 0.5],
        }
    )
    tables["gates"] = pd.DataFrame(
        {"gate_id": ["G1"], "reach_id": ["R1"], "max_discharge_m3_s": [1.0], "source_tp_mg_l": [0.05]}
    )
    return tables


@pytest.mark.parametrize("water", ["keep", "remove"])
@pytest.mark.parametrize("margin", [0.0, 0.1, 0.3])
def test_all_kinds_of_measures_cost_what_the_cheapest_of_all_combinations_costs(water: str, margin: float) -> None:
    network = hydro.build_network(works())
    plan = hydro.plan_measures(network, allow=["seal", "regulate", "merge", "upgrade"], margin=margin, water=water)
    options = [o for o in plan.model.options if o.beside is None]
    by_source = {}
    for option in options:
        by_source.setdefault(option.measure.source_id, [None]).append(option)
    wanted = math.inf
    for combination in itertools.product(*by_source.values()):
        taken = [option for option in combination if option]
        measures = [option.measure for option in taken]
        if hydro.planning.measure.check_measures(network, measures):
            continue
        after = hydro.compare(network, hydro.Scenario(network, tuple(measures), water), situations=plan.model.stands)
        if (after["tp_after_mg_l"] <= after["target_mg_l"] * (1 - margin) * (1 + 1e-9)).all():
            wanted = min(wanted, sum(option.cost for option in taken))
    assert (plan.cost if plan.status == "optimal" else math.inf) == pytest.approx(wanted)
    if plan.status == "optimal":
        assert hydro.planning.measure.check_measures(network, plan.measures) == []


def test_a_plan_holds_under_every_condition_at_once() -> None:
    network = hydro.build_network(works())
    conditions = [
        hydro.Condition("枯水", flow_factor=0.5, decay_factor=0.5),
        hydro.Condition("平水"),
        hydro.Condition("丰水", flow_factor=2.0),
    ]
    plan = hydro.plan_measures(network, allow=["seal", "upgrade", "dose"], margin=0.0, conditions=conditions)
    assert plan.status == "optimal"
    assert plan.sections["holds"].all()
    assert len(plan.sections) == 6
    alone = [
        hydro.plan_measures(network, allow=["seal", "upgrade", "dose"], margin=0.0, conditions=[c]).cost
        for c in conditions
    ]
    assert plan.cost >= max(alone) - 1e-9


def test_dosing_by_hand() -> None:
    # 1 m³/s at 0.4 mg/L, no decay, target 0.2; water of 0.1 mg/L: (0.4 + 0.1 q) / (1 + q) = 0.2 at q = 2
    tables = basins.line()
    tables["reaches"]["discharge_m3_s"] = 1.0
    tables["outlets"] = basins.outlets(("O1", "R1", 0.0, 0.4 * 86.4))
    tables["gates"] = pd.DataFrame(
        {"gate_id": ["G1"], "reach_id": ["R1"], "max_discharge_m3_s": [5.0], "source_tp_mg_l": [0.1]}
    )
    plan = hydro.plan_measures(hydro.build_network(tables), allow=["dose"], margin=0.0)
    (measure,) = plan.measures
    assert measure.amount == pytest.approx(2.0, rel=1e-6)
    assert measure.volume_10k_m3 == pytest.approx(2.0 * 8.64 * 365, rel=1e-6)
    assert plan.cost == pytest.approx(0.15 * measure.volume_10k_m3)
    limited = hydro.plan_measures(
        hydro.build_network(tables), allow=["dose"], margin=0.0, limits=hydro.Limits(volume_10k_m3=6000.0)
    )
    assert limited.status == "infeasible"


def test_budget_alone_in_the_way_is_said_with_what_it_would_take() -> None:
    network = hydro.build_network(works())
    free = hydro.plan_measures(network, allow=["seal"], margin=0.0)
    plan = hydro.plan_measures(network, allow=["seal"], margin=0.0, limits=hydro.Limits(budget=free.cost - 0.01))
    assert plan.status == "infeasible"
    assert plan.obstacle.only_budget
    assert plan.obstacle.cost_needed == pytest.approx(free.cost)
    enough = hydro.plan_measures(network, allow=["seal"], margin=0.0, limits=hydro.Limits(budget=free.cost))
    assert enough.cost == pytest.approx(free.cost)


def test_counties_forced_and_forbidden() -> None:
    network = hydro.build_network(works())
    one = hydro.plan_measures(network, allow=["seal", "upgrade"], margin=0.0, limits=hydro.Limits(per_county=1))
    assert sum(m.source_id in ("O1", "O2") for m in one.measures) <= 1
    forced = hydro.plan_measures(network, allow=["seal"], margin=0.0, limits=hydro.Limits(force=("O3",)))
    assert "O3" in [m.source_id for m in forced.measures]
    forbidden = hydro.plan_measures(network, allow=["seal", "upgrade"], margin=0.0, limits=hydro.Limits(forbid=("O1",)))
    assert "O1" not in [m.source_id for m in forbidden.measures]


def test_who_stops_the_search_is_told_that_no_plan_holds_but_not_why() -> None:
    tables = basins.line()
    tables["boundaries"] = pd.DataFrame(
        {"boundary_id": ["B"], "name": ["大沙河"], "node": ["A"], "discharge_m3_s": [5.0], "tp_mg_l": [0.9]}
    )
    network = hydro.build_network(tables)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return True

    plan = hydro.plan_measures(network, allow=["seal"], margin=0.0, stop=stop)
    assert (plan.status, plan.obstacle, asked > 0) == ("infeasible", None, True)


def test_the_time_given_holds_for_all_rounds_together() -> None:
    model = hydro.build_model(hydro.build_network(works()), allow=["seal", "upgrade"])
    assert hydro.solve_plan(model, margin=0.0, seconds=0.0).status in ("stopped", "optimal")


def test_inbound_load_alone_in_the_way_is_named() -> None:
    tables = basins.line()
    tables["boundaries"] = pd.DataFrame(
        {"boundary_id": ["B"], "name": ["大沙河"], "node": ["A"], "discharge_m3_s": [5.0], "tp_mg_l": [0.9]}
    )
    plan = sealed(tables)
    assert plan.status == "infeasible"
    assert np.isnan(plan.cost)
    assert plan.obstacle.sections == plan.obstacle.alone == ("S1",)
    assert plan.obstacle.inbound
    row = plan.obstacle.loads.iloc[0]
    assert (row["source_id"], row["delivered_kg_d"], row["allowed_kg_d"]) == (
        "INBOUND:B",
        pytest.approx(388.8),
        pytest.approx(172.8),
    )
    told = as_dict(plan)
    assert told["cost"] is None
    assert told["measures"] == []
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_smallest_set_that_cannot_be_met_is_smallest() -> None:
    """Removing water makes sections compete, and a budget makes sets of targets clash: against all subsets of targets."""
    found = 0
    for seed in range(30):
        tables = small(seed)
        network = hydro.build_network(tables)
        free = sealed(tables)
        if free.status != "optimal" or free.cost <= 0:
            continue
        model = sealed(tables, limits=hydro.Limits(budget=0.8 * free.cost)).model
        limit = model.target_mg_l

        def possible(sections: tuple[int, ...], model=model, limit=limit) -> bool:
            return solve(model.program(limit, list(sections))).status == "optimal"

        every = range(len(limit))
        wanted = next(n for n in range(1, len(limit) + 1) if not all(map(possible, itertools.combinations(every, n))))
        sections, smallest = smallest_set(model, limit)
        assert smallest
        assert len(sections) == wanted
        assert not possible(tuple(sections))
        found += wanted > 1
        assert network is not None
    assert found >= 3


def test_without_costs_the_plan_goes_by_count_and_says_so() -> None:
    tables = works()
    tables["outlets"].loc[1, "seal_cost"] = np.nan
    plan = hydro.plan_measures(hydro.build_network(tables), allow=["seal"], margin=0.0)
    assert plan.unit == "count"
    assert plan.cost == len(plan.measures)
    assert [str(note) for note in plan.notes] == [
        "1 项措施没有费用（O2），本方案按措施数量最少计算，不是费用。请补上 seal_cost，或给出缺省费用"
    ]
    priced = hydro.plan_measures(hydro.build_network(tables), allow=["seal"], margin=0.0, missing_cost=50.0)
    assert priced.unit == "万元"


def test_a_stop_gives_what_is_known_so_far() -> None:
    rng = np.random.default_rng(0)
    hard = program(
        (rng.lognormal(0, 1, (60, 400)) * (rng.random((60, 400)) < 0.2)).tolist(),
        [20.0] * 60,
        rng.lognormal(2, 1, 400).tolist(),
    )
    seen = []
    found = solve(hard, progress=seen.append, stop=lambda: len(seen) > 3)
    assert found.status == "stopped"
    assert seen
    assert found.x is None or found.bound <= found.cost


REFUSED = {
    "no sections": ({"sections": None}, {}, "项目里没有断面，无法制定方案。请先导入断面表（sections）"),
    "no targets": (
        {"target": np.nan},
        {},
        "所有断面都没有总磷目标值（tp_target_mg_l），无法制定方案。请补上，或用 --target 给出",
    ),
    "contradiction": (
        {},
        {"limits": hydro.Limits(force=("O1",), forbid=("O1", "O2"))},
        "O1 既要求必做又要求不做，互相矛盾。请只保留一种",
    ),
    "forced nothing": (
        {},
        {"limits": hydro.Limits(force=("O9",))},
        "要求必做的 O9 没有可选的措施。请核对编号与允许的措施",
    ),
    "budget": (
        {"seal_cost": np.nan},
        {"limits": hydro.Limits(budget=5.0)},
        "部分措施没有费用，无法按预算制定方案。请补上 seal_cost，或给出缺省费用",
    ),
    "negative": ({"seal_cost": -1.0}, {}, "seal（O1）的费用 -1 万元为负。请改正 seal_cost"),
    "margin": ({}, {"margin": 1.0}, "余量 1.0 无效，应在 0 与 1 之间（0.1 即比目标低 10 %）"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_clear_words(case: str) -> None:
    change, options, message = REFUSED[case]
    tables = works()
    if "sections" in change:
        del tables["sections"]
    if "target" in change:
        tables["sections"]["tp_target_mg_l"] = change["target"]
    if "seal_cost" in change:
        tables["outlets"]["seal_cost"] = change["seal_cost"]
    with pytest.raises(hydro.HydroError) as refused:
        sealed(tables, **options)
    assert message in str(refused.value).splitlines()


def test_a_dry_section_is_named_and_not_divided_by() -> None:
    tables = works()
    tables["reaches"]["discharge_m3_s"] = [0.0, 1.5]
    plan = sealed(tables)
    assert any(note.code == "dry_section" for note in plan.notes)


def test_plants_without_room_take_nothing_and_are_named() -> None:
    tables = works()
    tables["plants"]["actual_discharge_m3_d"] = [13_000.0, 9_000.0]
    plan = hydro.plan_measures(hydro.build_network(tables), allow=["merge", "upgrade"], margin=0.0)
    assert any(str(n).startswith("污水处理厂 W1 的实际水量已超过设计规模 1000 m³/d") for n in plan.notes)
    assert not any(m.to == "W1" for m in plan.measures)


def test_nothing_but_the_json_on_stdout(tmp_path: Path) -> None:
    import layers

    file = tmp_path / "p.gpkg"
    tables = small(7)
    layers.create_project(file, name="t", tables=tables)
    command = [
        sys.executable,
        "cli.py",
        "plan",
        str(file),
        "--allow",
        "seal",
        "--margin",
        "0",
        "--water",
        "keep",
        "--format",
        "json",
    ]
    done = subprocess.run(
        command, cwd=TOP, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, check=True
    )
    told = json.loads(done.stdout)
    assert told["cost"] == pytest.approx(plan_basins.cheapest_by_all_subsets(tables))
    assert {"source_id", "action", "amount"} <= set(told["measures"][0])
    assert {"section_id", "target_mg_l", "tp_before_mg_l", "tp_after_mg_l"} <= set(told["sections"][0])
