"""Who feeds a section: delivery, travel time, ranking, and what stays unexplained."""

from math import exp, log

import numpy as np
import pytest
from basins import confluence, gated, island, line, observed

import hydro
from hydro.errors import HydroError


def test_delivery_from_the_head_of_every_reach() -> None:
    k = 0.1
    delivery = hydro.delivery_ratios(hydro.build_network(line(k)), "S1").table().set_index("reach_id")
    assert delivery["delivery_ratio"].to_dict() == pytest.approx({"R1": exp(-2 * k), "R2": exp(-k)})
    assert delivery["travel_time_d"].to_dict() == pytest.approx({"R1": 2.0, "R2": 1.0})


def test_travel_time_over_two_ways_is_load_weighted_and_the_fastest_stands_beside_it() -> None:
    k = 0.2
    row = hydro.delivery_ratios(hydro.build_network(island(k)), "S1").table().set_index("reach_id").loc["R1"]
    short, long = 0.3 * exp(-3 * k), 0.7 * exp(-5 * k)  # 1+1+1 and 1+3+1 days
    assert row["delivery_ratio"] == pytest.approx(short + long)
    assert row["travel_time_d"] == pytest.approx((3 * short + 5 * long) / (short + long))
    assert row["fastest_d"] == pytest.approx(3.0)


def test_many_sections_stay_separate_columns() -> None:
    table = hydro.delivery_ratios(hydro.build_network(island())).table()
    by = table.pivot(index="reach_id", columns="section_id", values="delivery_ratio")
    assert by["S1"].to_dict() == pytest.approx({"R1": 1, "R2": 1, "R3": 1, "R4": 1})
    assert by["S2"].to_dict() == pytest.approx({"R1": 0.3, "R2": 1, "R3": 0, "R4": 0})


def test_an_outlet_below_the_section_on_its_own_reach_does_not_reach_it() -> None:
    tables = line()
    tables["sections"].loc[0, ["reach_id", "chainage_m"]] = ["R1", 20_000.0]
    trace = hydro.trace_sources(hydro.build_network(tables), "S1")
    assert set(trace.table["source_id"]) == {"O1", "DIFFUSE"}


def test_an_unknown_gate_gives_the_load_but_no_travel_time_and_says_so() -> None:
    delivery = hydro.delivery_ratios(hydro.build_network(gated("unknown")), "S1").table().set_index("reach_id")
    assert delivery.loc[["R1", "R2"], "crosses_unknown"].all()
    assert delivery.loc[["R1", "R2"], ["travel_time_d", "fastest_d"]].isna().all(axis=None)
    assert delivery["delivery_ratio"].tolist() == pytest.approx([1, 1, 1, 1])
    assert not delivery.loc[["R3", "R4"], "crosses_unknown"].any()
    trace = hydro.trace_sources(hydro.build_network(gated("unknown")), "S1").table.set_index("source_id")
    assert trace["crosses_unknown"].to_dict() == {"O1": True, "O2": False, "DIFFUSE": False}
    assert np.isnan(trace.at["O1", "travel_time_d"])


def test_a_closed_gate_takes_what_is_behind_it_off_the_list() -> None:
    delivery = hydro.delivery_ratios(hydro.build_network(gated("closed")), "S1").table().set_index("reach_id")
    assert delivery["delivery_ratio"].to_dict() == pytest.approx({"R1": 1, "R2": 0, "R3": 1, "R4": 1})
    assert hydro.upstream_set(hydro.build_network(gated("closed")), "S1") == ("R1", "R3", "R4")


def test_sources_are_ranked_by_what_arrives_and_add_up_to_the_section() -> None:
    tables = confluence()
    tables["observations"] = observed(
        ("section", "S1", "2022-07", "TP", 0.1), ("section", "S1", "2022-07", "discharge", 10.0)
    )
    network = hydro.build_network(tables)
    trace = hydro.trace_sources(network, "断面S1", time="2022-07")
    k, lake = 0.5, 1 / 1.5
    arrives = {
        "INBOUND:B1": 3 * 0.25 * 86.4 * exp(-2 * k) * lake,
        "DIFFUSE": (0.1 + 0.5) * 86.4 * exp(-2 * k) * lake + 0.2 * 86.4 * exp(-k) * lake,
        "O1": 20 * exp(-1.5 * k) * lake,
    }
    got = trace.table.set_index("source_id")
    assert got["delivered_kg_d"].to_dict() == pytest.approx(arrives)
    assert list(got.index) == sorted(arrives, key=arrives.get, reverse=True)
    assert got["rank"].tolist() == [1, 2, 3]
    assert got["delivered_kg_d"].sum() == pytest.approx(hydro.route(network, time="2022-07").section_load_kg_d["S1"])
    assert trace.measured_kg_d == pytest.approx(86.4)
    assert got["share"].to_dict() == pytest.approx({key: value / 86.4 for key, value in arrives.items()})
    assert trace.unexplained_kg_d == pytest.approx(86.4 - sum(arrives.values()))
    assert trace.margin_mg_l == pytest.approx(0.1)


def test_unmeasured_sections_share_the_modelled_load() -> None:
    trace = hydro.trace_sources(hydro.build_network(line()), "S1")
    assert trace.table["share"].sum() == pytest.approx(1)
    assert np.isnan(trace.unexplained_kg_d)


def test_the_path_follows_the_way_that_carries_most() -> None:
    trace = hydro.trace_sources(hydro.build_network(island(0.01)), "S1")
    assert trace.path("O1") == ("R1", "R3", "R4")
    fast_decay = hydro.trace_sources(hydro.build_network(island(1.0)), "S1")
    assert fast_decay.path("O1") == ("R1", "R2", "R4")
    assert trace.path("nobody") == ()
    inbound = hydro.trace_sources(hydro.build_network(confluence()), "S1")
    assert inbound.path("INBOUND:B1") == ("N", "L", "D")


def test_exceedances_are_judged_unrounded_and_equal_is_attained() -> None:
    tables = line()
    tables["observations"] = observed(
        ("section", "S1", "2022-05", "TP", 0.2),
        ("section", "S1", "2022-06", "TP", 0.2004),
        ("section", "S1", "2022-07", "TP", 0.1999),
    )
    found = hydro.exceedances(hydro.build_network(tables))
    assert found["time"].tolist() == ["2022-06"]


def test_a_month_off_the_record_is_refused_with_the_record() -> None:
    tables = line()
    tables["observations"] = observed(("section", "S1", "2022-05", "TP", 0.2))
    with pytest.raises(HydroError) as refused:
        hydro.trace_sources(hydro.build_network(tables), "S1", time="2031-01")
    assert str(refused.value) == "2031-01 没有任何断面的监测数据。本项目的数据从 2022-05 到 2022-05"


def test_half_life_as_a_check_of_units() -> None:
    network = hydro.build_network(line(log(2)))  # half is gone after each of two days
    assert hydro.delivery_ratios(network, "S1").ratio[0, 0] == pytest.approx(0.25)


def test_a_section_on_a_closed_reach_receives_nothing_and_nothing_warns() -> None:
    tables = line()
    tables["reaches"].loc[1, "control"] = "closed"
    found = hydro.delivery_ratios(hydro.build_network(tables))
    assert found.ratio[0, 0] == 0.0
    assert np.isnan(found.travel_time_d[0, 0])
