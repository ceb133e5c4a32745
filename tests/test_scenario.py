"""Measures: by hand, by law (a full forward run is the referee), and by refusal."""

import basins
import numpy as np
import pandas as pd
import plan_basins
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_optimise import small, works

import hydro
from hydro.planning.scenario import change

TP = "tp_after_mg_l"


def one_river(**columns: object) -> hydro.RiverNetwork:
    """10 m³/s, no decay, 150 kg/d from two outlets of 0.5 m³/s each."""
    tables = basins.line()
    tables["outlets"] = tables["outlets"].assign(permit_discharge_m3_d=43_200.0, **columns)
    return hydro.build_network(tables)


def test_sealing_by_hand() -> None:
    network = one_river()
    kept = hydro.compare(network, hydro.seal(network, ["O1"], water="keep")).iloc[0]
    assert kept["tp_before_mg_l"] == pytest.approx(150 / 864)
    assert kept[TP] == pytest.approx(50 / 864)
    removed = hydro.compare(network, hydro.seal(network, ["O1"])).iloc[0]
    assert removed["discharge_after_m3_s"] == pytest.approx(9.5)
    assert removed[TP] == pytest.approx(50 / (9.5 * 86.4))


def test_merging_by_hand() -> None:
    tables = works()
    network = hydro.build_network(tables)
    stand = hydro.situation(network)
    changed = change(stand, hydro.merge(network, ["O3"], into="W2").measures)
    load, water = changed.sources(len(stand.sources))
    plant, outlet = stand.position["W2"], stand.position["O3"]
    assert load[outlet] == pytest.approx(-4.0 * 2.5)  # 2500 m³/d at 4 mg/L
    assert load[plant] == pytest.approx(0.5 * 2.5)  # the plant gives its own 0.5 mg/L for it
    assert water[plant] == -water[outlet] == pytest.approx(2500 / 86_400)
    better = change(stand, hydro.upgrade(hydro.merge(network, ["O3"], into="W2"), ["W2"], to_mg_l=0.3).measures)
    assert better.sources(len(stand.sources))[0][plant] == pytest.approx(0.3 * 11.5 - 0.5 * 9.0)


def test_regulating_never_raises_a_load() -> None:
    network = hydro.build_network(works())
    stand = hydro.situation(network)
    loads = change(stand, hydro.regulate(network, ["O1", "O2"], to_mg_l=2.5).measures).sources(len(stand.sources))[0]
    assert loads[stand.position["O1"]] == pytest.approx((2.5 - 3.0) * 3.0)
    assert loads[stand.position["O2"]] == 0


def test_dredging_takes_no_more_than_there_is() -> None:
    tables = basins.confluence()
    network = hydro.build_network(tables)
    stand = hydro.situation(network)
    head = change(stand, hydro.dredge(network, "N", load_kg_d=1e9).measures).heads(len(stand.diffuse_kg_d))[0]
    assert head[network.reach_position["N"]] == -stand.diffuse_kg_d[network.reach_position["N"]]


def random_measures(network: hydro.RiverNetwork, rng: np.random.Generator) -> hydro.Scenario:
    """Some of everything that the network has."""
    scenario = hydro.Scenario(network, water=str(rng.choice(["keep", "remove"])))
    for outlet in network.outlets.index:
        action = rng.choice(["", "seal", "regulate", "merge"])
        if action == "seal":
            scenario = hydro.seal(scenario, [outlet])
        elif action == "regulate":
            scenario = hydro.regulate(scenario, [outlet], to_mg_l=float(rng.uniform(0.1, 1)))
        elif action == "merge" and len(network.plants) and network.plants["design_discharge_m3_d"].iloc[0] > 1e6:
            scenario = hydro.merge(scenario, [outlet], into=str(network.plants.index[0]))
    for gate in network.gates.index:
        scenario = hydro.dose(scenario, gate, discharge_m3_s=float(rng.uniform(0, 3)))
    for plant in network.plants.index:
        scenario = hydro.upgrade(scenario, [plant], to_mg_l=float(rng.uniform(0.2, 0.6)))
    for reach in network.reaches.index[:2]:
        scenario = hydro.dredge(scenario, reach, load_kg_d=float(rng.uniform(0, 5)))
    return scenario


def equipped(seed: int) -> hydro.RiverNetwork:
    """A random basin with a large plant and a gate; permits small enough that no section runs dry."""
    tables = small(seed)
    tables["outlets"]["permit_discharge_m3_d"] /= 50
    tables["plants"]["design_discharge_m3_d"] = 2e6
    tables["plants"]["actual_discharge_m3_d"] = 3000.0
    tables["gates"] = pd.DataFrame(
        {"gate_id": ["G"], "reach_id": ["R0"], "max_discharge_m3_s": [5.0], "source_tp_mg_l": [0.05]}
    )
    return hydro.build_network(tables)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_dot_products_equal_a_full_forward_run_also_when_the_water_changes(seed: int) -> None:
    network = equipped(seed)
    scenario = random_measures(network, np.random.default_rng(seed))
    condition = hydro.Condition("任意", flow_factor=1.5, decay_factor=0.7)
    stand = hydro.situation(network, condition)
    compared = hydro.compare(network, scenario, situations=[stand]).set_index("section_id")
    routed = hydro.route_scenario(scenario, condition=condition)  # its balance closes, or it raises
    np.testing.assert_allclose(compared["load_after_kg_d"], routed.section_load_kg_d, rtol=1e-9)
    reach = [network.reach_position[r] for r in network.sections["reach_id"]]
    below = [
        sum(
            w
            for i, w in zip(
                stand.sources.index,
                change(stand, scenario.measures, water=scenario.water).sources(len(stand.sources))[1],
                strict=True,
            )
            if stand.sources["reach_id"][i] == s.reach_id and stand.sources["chainage_m"][i] > s.chainage_m
        )
        for s in network.sections.itertuples()
    ]
    flow = routed.given.discharge_m3_s[reach] - np.array(below)
    np.testing.assert_allclose(compared["discharge_after_m3_s"], flow, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_no_measure_makes_a_section_worse_unless_it_moves_load(seed: int) -> None:
    network = equipped(seed)
    for scenario in (
        hydro.seal(network, list(network.outlets.index), water="keep"),
        hydro.regulate(network, list(network.outlets.index), to_mg_l=0.3),
        hydro.upgrade(network, ["W0"], to_mg_l=0.1),
        hydro.dredge(network, "R0", load_kg_d=1.0),
    ):
        assert (hydro.compare(network, scenario)["change_mg_l"] <= 1e-12).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 5.0))
def test_clean_water_never_raises_tp_at_any_section(seed: int, discharge: float) -> None:
    tables = small(seed)
    tables["gates"] = pd.DataFrame(
        {"gate_id": ["G"], "reach_id": ["R0"], "max_discharge_m3_s": [5.0], "source_tp_mg_l": [0.0]}
    )
    network = hydro.build_network(tables)
    compared = hydro.compare(network, hydro.dose(network, "G", discharge_m3_s=discharge))
    assert (compared["change_mg_l"].fillna(0) <= 1e-12).all()


def test_sealing_twice_changes_nothing_and_sealing_two_is_the_sum_of_each() -> None:
    network = one_river()
    once, twice = hydro.seal(network, ["O1"]), hydro.seal(hydro.seal(network, ["O1"]), ["O1", "O1"])
    assert once.measures == twice.measures
    stand = hydro.situation(network)
    both = stand.effect(change(stand, hydro.seal(network, ["O1", "O2"]).measures))
    each = [stand.effect(change(stand, hydro.seal(network, [o]).measures)) for o in ("O1", "O2")]
    np.testing.assert_allclose(both, np.sum(each, axis=0), rtol=1e-12)


def test_order_does_not_matter_and_the_network_is_left_alone() -> None:
    network = hydro.build_network(works())
    before = network.outlets.copy()
    one = hydro.compare(network, hydro.upgrade(hydro.merge(network, ["O3"], into="W2"), ["W2"], to_mg_l=0.3))
    other = hydro.compare(network, hydro.merge(hydro.upgrade(network, ["W2"], to_mg_l=0.3), ["O3"], into="W2"))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(network.outlets, before)


def test_every_fault_at_once_in_whole_sentences() -> None:
    tables = works()
    tables["outlets"]["plant_id"] = ["", "", "W2"]
    tables["gates"]["max_discharge_m3_s"] = [np.nan]
    network = hydro.build_network(tables)
    measures = [
        hydro.Measure("seal", "O9"),
        hydro.Measure("seal", "O3"),
        hydro.Measure("seal", "O1"),
        hydro.Measure("regulate", "O1", 0.5),
        hydro.Measure("merge", "O2", to="W9"),
        hydro.Measure("dose", "G1", 1.0),
        hydro.Measure("dredge", "R1"),
        hydro.Measure("bless", "O1"),
    ]
    with pytest.raises(hydro.FaultsError) as refused:
        hydro.Scenario(network).with_measures(measures)
    assert str(refused.value).splitlines()[1:] == [
        "措施“封堵”的对象 O9 不存在。请核对编号",
        "排污口 O3 是污水处理厂的尾水口，不能封堵。请改为对该厂提标",
        "排污口 O1 同时安排了两种措施：封堵 与 规范整治。请只保留一种",
        "排污口 O2 要并入的污水处理厂“W9”不存在。请核对 merge_to",
        "闸 G1 没有过流能力（max_discharge_m3_s），无法安排引水。请补上",
        "措施“清淤”（R1）缺少数量，或数量为负。请填写 amount",
        "没有措施“bless”。可用的措施：seal、regulate、merge、upgrade、dredge、relocate、dose",
    ]


def test_a_plant_takes_no_more_than_it_has_room_for() -> None:
    network = hydro.build_network(works())
    with pytest.raises(
        hydro.FaultsError, match=r"污水处理厂 W1 余量 2000 m³/d，装不下并入的 3000 m³/d。请减少并入的排污口，或先扩建"
    ):
        hydro.merge(network, ["O1"], into="W1")


def test_velocity_that_follows_the_water_is_told_apart() -> None:
    tables = works()
    network = hydro.build_network(tables)
    stand = hydro.situation(network)
    changed = change(stand, hydro.dose(network, "G1", discharge_m3_s=1.0).measures)
    held, _ = stand.at_sections(changed)
    settled, _ = stand.settled(changed)
    assert (settled > held).all()  # faster water keeps more
    assert (settled < held * 1.1).all()
    np.testing.assert_allclose(stand.settled(change(stand, ()))[0], stand.section_load_kg_d, rtol=1e-12)


def test_a_plan_comes_back_from_its_rows_as_it_was() -> None:
    network = hydro.build_network(works())
    plan = hydro.plan_measures(network, allow=["seal", "regulate", "merge", "upgrade", "dose"], margin=0.1)
    rows = hydro.plan_rows(plan.scenario, "P1", "甲案")
    back = hydro.load_plan(network, rows, "甲案")
    one, other = hydro.compare(network, plan.scenario), hydro.compare(network, back)
    pd.testing.assert_frame_equal(one, other)
    tasks = hydro.task_rows(plan.scenario, "P1", start="2022-08-01")
    assert len(tasks) == len(plan.measures)
    assert (tasks["due_on"] > "2022-08-01").all()
    with pytest.raises(hydro.HydroError, match="没有方案“乙案”。本项目的方案：甲案"):
        hydro.load_plan(network, rows, "乙案")


def test_referee_and_program_agree_on_loads() -> None:
    for seed in range(30):
        tables = small(seed)
        stand = hydro.situation(hydro.build_network(tables))
        _, before, delivered, _ = plan_basins.referee_loads(tables)
        np.testing.assert_allclose(stand.section_load_kg_d, before, rtol=1e-10)
        np.testing.assert_allclose(
            stand.source_ratio[: len(delivered)] * stand.load_kg_d[: len(delivered), None],
            delivered,
            rtol=1e-9,
            atol=1e-15,
        )
