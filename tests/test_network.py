"""The network is checked once, every fault named at once, and then never changed."""

import numpy as np
import pandas as pd
import pytest
from basins import confluence, gated, island, line, outlets, reaches, sections

import hydro
from hydro.errors import Fault, FaultsError, HydroError


def faults_of(tables: dict[str, pd.DataFrame]) -> list[Fault]:
    with pytest.raises(FaultsError) as refused:
        hydro.build_network(tables)
    return list(refused.value.faults)


def test_a_sound_network_is_compiled_in_flow_order() -> None:
    network = hydro.build_network(island())
    place = {reach: i for i, reach in enumerate(network.reaches.index[network.topology.order])}
    assert place["R1"] < min(place["R2"], place["R3"]) < max(place["R2"], place["R3"]) < place["R4"]
    assert network.topology.share.tolist() == [1.0, 0.3, 0.7, 1.0]


def test_the_network_cannot_be_changed_behind_its_back() -> None:
    network = hydro.build_network(line())
    with pytest.raises(ValueError, match="read-only"):
        network.topology.share[0] = 0.5
    with pytest.raises(AttributeError):
        network.reaches = None
    before = line()
    hydro.build_network(before)
    pd.testing.assert_frame_equal(before["reaches"], line()["reaches"])


def test_the_graph_view_agrees_with_the_arrays() -> None:
    network = hydro.build_network(island())
    edges = {
        key: (start, end, data["routed_share"]) for start, end, key, data in network.graph.edges(keys=True, data=True)
    }
    for i, reach in enumerate(network.reaches.index):
        start, end = network.topology.from_node[i], network.topology.to_node[i]
        assert edges[reach] == (network.nodes[start], network.nodes[end], network.topology.share[i])


def test_a_loop_is_named_reach_by_reach() -> None:
    tables = {"reaches": reaches(("R1", "A", "B", 1, 1, 1), ("R2", "B", "C", 1, 1, 1), ("R3", "C", "A", 1, 1, 1))}
    (fault,) = faults_of(tables)
    assert fault.code == "loop"
    assert str(fault) == "河段首尾相接成环：R1 → R2 → R3。请改正其中一段的方向，或断开该环"


def test_two_loops_are_two_faults() -> None:
    tables = {
        "reaches": reaches(
            ("R1", "A", "B", 1, 1, 1), ("R2", "B", "A", 1, 1, 1), ("R3", "X", "Y", 1, 1, 1), ("R4", "Y", "X", 1, 1, 1)
        )
    }
    assert [fault.code for fault in faults_of(tables)] == ["loop", "loop"]


def test_shares_that_do_not_sum_to_one_are_refused_with_their_sum() -> None:
    tables = island()
    tables["reaches"]["split"] = [1.0, 0.3, 0.6, 1.0]
    (fault,) = faults_of(tables)
    assert str(fault) == "节点 B 各出流河段的分流比之和为 0.9000，应为 1。请改正 split，或全部留空（按流量分配）"


def test_blank_splits_go_by_discharge() -> None:
    tables = island()
    tables["reaches"] = tables["reaches"].drop(columns="split")
    assert hydro.build_network(tables).topology.share == pytest.approx([1.0, 0.3, 0.7, 1.0])


def test_a_blank_split_takes_what_the_given_one_leaves() -> None:
    tables = island()
    tables["reaches"]["split"] = [np.nan, 0.25, np.nan, np.nan]
    assert hydro.build_network(tables).topology.share == pytest.approx([1.0, 0.25, 0.75, 1.0])


def test_all_faults_at_once() -> None:
    tables = line()
    tables["reaches"]["length_m"] = [-5.0, np.nan]
    tables["reaches"]["discharge_m3_s"] = [-1.0, np.inf]
    found = {(fault.code, fault.row, fault.column) for fault in faults_of(tables)}
    assert found == {
        ("length_negative", "R1", "length_m"),
        ("length_blank", "R2", "length_m"),
        ("negative", "R1", "discharge_m3_s"),
        ("not_a_number", "R2", "discharge_m3_s"),
    }


def test_places_must_stand_on_a_reach_that_exists_and_inside_it() -> None:
    tables = line()
    tables["outlets"] = outlets(("O1", "R9", 0.0, 1.0), ("O2", "R1", 90_000.0, 1.0), ("O3", "R1", np.nan, 1.0))
    tables["sections"] = sections(("S1", "", 0.0, 0.2))
    found = {fault.row: fault.code for fault in faults_of(tables)}
    assert found == {"O1": "reach_unknown", "O2": "chainage_range", "O3": "chainage_blank", "S1": "reach_unknown"}


def test_unknown_boundary_node() -> None:
    tables = confluence()
    tables["boundaries"]["node"] = ["nowhere"]
    (fault,) = faults_of(tables)
    assert str(fault) == "入境 B1 的节点 nowhere 不在河网里。请改用已有节点"


def test_ids_twice() -> None:
    tables = line()
    tables["outlets"]["outlet_id"] = ["O1", "O1"]
    (fault,) = faults_of(tables)
    assert (fault.code, fault.table, fault.row) == ("id_twice", "outlets", "O1")


def test_ids_twice_of_a_plant_and_its_outlet() -> None:
    tables = line()
    tables["outlets"] = tables["outlets"].assign(outlet_id="O1", plant_id="W1")
    tables["plants"] = pd.DataFrame({"plant_id": ["W1", "W1"], "reach_id": ["R1", "R2"], "chainage_m": [0.0, 0.0]})
    assert {(fault.code, fault.table, fault.row) for fault in faults_of(tables)} == {
        ("id_twice", "outlets", "O1"),
        ("id_twice", "plants", "W1"),
    }


@pytest.mark.parametrize("tables", [{}, {"reaches": reaches()}])
def test_an_empty_project_says_what_to_do(tables: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(HydroError) as refused:
        hydro.build_network(tables)
    assert str(refused.value) == "项目里没有河段。请先导入河段表（reaches）"


def test_several_components_are_a_network() -> None:
    tables = {"reaches": reaches(("R1", "A", "B", 1, 1, 1), ("R2", "X", "Y", 1, 1, 1))}
    assert hydro.build_network(tables).topology.node_count == 4


def test_a_closed_gate_leaves_its_share_to_the_open_way() -> None:
    assert hydro.build_network(gated("closed")).topology.share.tolist() == [1.0, 0.0, 1.0, 1.0]


def test_discharge_is_estimated_from_area_and_flagged() -> None:
    tables = line()
    tables["reaches"]["discharge_m3_s"] = np.nan
    tables["reaches"]["velocity_m_s"] = np.nan
    tables["reaches"]["area_km2"] = [100.0, 50.0]
    network = hydro.build_network(tables, runoff_l_s_km2=4.0)
    assert network.topology.discharge_m3_s == pytest.approx([0.4, 0.6])
    assert network.topology.velocity_m_s == pytest.approx([0.35 * 0.4**0.1, 0.35 * 0.6**0.1])
    assert network.estimated == {"R1", "R2"}


def test_without_discharge_or_area_who_is_upstream_is_answered_and_loads_are_refused() -> None:
    tables = line()
    tables["reaches"].loc[0, "discharge_m3_s"] = np.nan
    network = hydro.build_network(tables)
    assert hydro.upstream_set(network, "S1") == ("R1", "R2")
    with pytest.raises(HydroError, match="1 个河段没有流量或流速，无法计算负荷：R1"):
        hydro.trace_sources(network, "S1")


def test_a_plant_stands_at_its_outlet() -> None:
    tables = line()
    tables["plants"] = pd.DataFrame({"plant_id": ["W1"], "design_discharge_m3_d": [86_400.0], "permit_tp_mg_l": [0.5]})
    tables["outlets"]["plant_id"] = ["", "W1"]
    network = hydro.build_network(tables)
    assert network.position("plants", "W1") == (0, 43_200.0)
    sources = hydro.source_loads(network)
    assert list(sources.index) == ["O1", "W1"]
    assert sources.at["W1", "load_kg_d"] == pytest.approx(0.5 * 1.0 * 86.4)


def test_sections_are_found_by_id_or_by_name_and_unknown_ones_are_listed() -> None:
    network = hydro.build_network(line())
    assert network.section_id("S1") == network.section_id("断面S1") == "S1"
    with pytest.raises(HydroError, match="没有断面“皇甫”。本项目的断面：断面S1"):
        network.section_id("皇甫")
