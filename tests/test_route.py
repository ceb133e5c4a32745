"""Loads by hand: decay, splits, lakes, inbound rivers, diffuse inflow, gates, and a balance that closes."""

from math import exp

import numpy as np
import pytest
from basins import confluence, gated, island, line, observed, sections

import hydro
from hydro.causes.alarm import hours
from hydro.causes.record import compile_record
from hydro.errors import HydroError


def loads(tables: dict) -> dict[str, float]:
    table = hydro.route(hydro.build_network(tables)).table
    return dict(zip(table["id"], table["load_kg_d"], strict=True))


def test_two_outlets_on_a_line_without_decay() -> None:
    assert loads(line()) == pytest.approx({"R1": 150, "R2": 150, "S1": 150})


def test_decay_by_hand() -> None:
    k = 0.1  # O1 runs 2 days to the end, O2 half a day less
    assert loads(line(k))["R1"] == pytest.approx(100 * exp(-k) + 50 * exp(-k / 2))
    assert loads(line(k))["S1"] == pytest.approx(100 * exp(-2 * k) + 50 * exp(-1.5 * k))


def test_concentration_is_load_over_water() -> None:
    table = hydro.route(hydro.build_network(line())).table.set_index("id")
    assert table.at["S1", "concentration_mg_l"] == pytest.approx(150 / (86.4 * 10))


def test_a_split_and_its_rejoining() -> None:
    k = 0.2  # arms of 1 and 3 days
    got = loads(island(k))
    head = 100 * exp(-k)
    assert got["R2"] == pytest.approx(0.3 * head * exp(-k))
    assert got["R3"] == pytest.approx((0.7 * head + 10) * exp(-3 * k))
    assert got["R4"] == pytest.approx((got["R2"] + got["R3"]) * exp(-k))
    assert got["S2"] == pytest.approx(0.3 * head * exp(-k / 2))


def test_inbound_diffuse_and_lake_by_hand() -> None:
    got = loads(confluence())
    k = 0.5  # every reach takes one day
    north = (3.0 * 0.25 + (4.0 - 3.0) * 0.1) * 86.4  # inbound 3 m³/s, lateral 1 m³/s
    east = 5.0 * 0.1 * 86.4
    assert got["N"] == pytest.approx(north * exp(-k))
    assert got["E"] == pytest.approx(east * exp(-k) + 20 * exp(-k / 2))
    lake = got["N"] + got["E"] + (10.0 - 9.0) * 0.2 * 86.4
    assert got["L"] == pytest.approx(lake / (1 + k * 1.0))
    assert got["D"] == pytest.approx(got["L"] * exp(-k))


def test_a_closed_gate_lets_nothing_by() -> None:
    got = loads(gated("closed"))
    assert got["R2"] == 0
    assert got["R4"] == pytest.approx(110)


def test_what_a_closed_gate_holds_back_is_diverted() -> None:
    tables = line()
    tables["reaches"]["control"] = ["", "closed"]
    balance = hydro.route(hydro.build_network(tables)).balance
    assert (balance.entered_kg_d, balance.left_kg_d, balance.diverted_kg_d) == pytest.approx((150, 0, 150))


def test_the_balance_closes_and_is_part_of_the_answer() -> None:
    routing = hydro.route(hydro.build_network(island(0.3)))
    table = routing.table_with_balance.set_index(["kind", "id"])["load_kg_d"]
    assert table["balance", "in"] == pytest.approx(110)
    assert table["balance", "in"] == pytest.approx(table["balance", "out"] + table["balance", "decayed"])


def test_standing_water_decays_all_and_breaks_nothing() -> None:
    tables = line(0.1)
    tables["reaches"]["velocity_m_s"] = [0.0, 1.0]
    routing = hydro.route(hydro.build_network(tables))
    assert routing.section_load_kg_d["S1"] == 0
    assert routing.balance.decayed_kg_d == pytest.approx(150)


def test_no_water_no_concentration() -> None:
    tables = line()
    tables["reaches"]["discharge_m3_s"] = 0.0
    assert hydro.route(hydro.build_network(tables)).table["concentration_mg_l"].isna().all()


def test_flow_at_a_time_follows_the_nearest_section_and_velocity_its_power() -> None:
    tables = line(0.1)
    tables["observations"] = observed(("section", "S1", "2022-07", "discharge", 20.0))
    tables["weather"] = hydro.build_network(line()).weather.reindex([0]).assign(time="2022-07", water_temp_c=28.0)
    given = hydro.conditions(hydro.build_network(tables), "2022-07")
    assert given.discharge_m3_s == pytest.approx([20.0, 20.0])
    assert given.velocity_m_s == pytest.approx([2**0.34] * 2)
    assert given.decay_per_d == pytest.approx([0.1 * 1.047**8] * 2)


def test_a_stamp_with_an_offset_is_read_on_the_clock_of_the_others() -> None:
    tables = line()
    tables["observations"] = observed(
        ("section", "S1", "2022-07-31T20:00:00Z", "TP", 0.5),  # 04:00 of the first of August here
        ("section", "S1", "2022-08-01T08:00", "TP", 0.3),
        ("section", "S1", "2022-08-01T12:00+08:00", "TP", 0.1),
    )
    network = hydro.build_network(tables)
    seen = network.observations
    assert seen.times("section", "TP") == ["2022-08-01T04:00", "2022-08-01T08:00", "2022-08-01T12:00"]
    assert seen.at("section", "S1", "TP", "2022-07") is None
    assert seen.at("section", "S1", "TP", "2022-08-01T00:00Z").value == 0.3
    assert hydro.trace_sources(network, "S1").time == "2022-08-01T12:00"
    assert np.ptp(hours(["2022-08-01T00:00Z", "2022-08-01T08:00+0800", "2022-08-01T08:00"])) == 0


def test_the_mean_of_a_year_is_no_month_of_the_record() -> None:
    tables = line()
    tables["observations"] = observed(("section", "S1", "2022", "TP", 0.5), ("section", "S1", "2022-07", "TP", 0.3))
    record = compile_record(hydro.build_network(tables), ["S1"])
    assert record.months == ("2022-07",)


def test_backflow_at_one_gauge_leaves_the_month_its_answers() -> None:
    tables = line(0.1)
    tables["sections"] = sections(("S0", "R1", 43_200.0, 0.2), ("S1", "R2", 86_400.0, 0.2))
    tables["observations"] = observed(
        ("section", "S1", "2022-07", "discharge", -1.5),
        ("section", "S1", "2022-07", "TP", 0.3),
        ("section", "S0", "2022-07", "discharge", 20.0),
        ("outlet", "O1", "2022-07", "TP", 2.0),
        ("outlet", "O1", "2022-07", "discharge", -0.1),
    )
    network = hydro.build_network(tables)
    assert hydro.conditions(network, "2022-07").flow_factor.tolist() == [2.0, 2.0]
    trace = hydro.trace_sources(network, "S1", time="2022-07")
    assert trace.measured_kg_d == pytest.approx(0.3 * 20.0 * 86.4)
    assert trace.table.set_index("source_id").at["O1", "load_kg_d"] == 0
    assert trace.table["share"].notna().any()


def test_an_unconnected_river_keeps_its_own_flow() -> None:
    tables = island()
    extra = tables["reaches"].iloc[[0]].assign(reach_id="X", from_node="X0", to_node="X1")
    tables["reaches"] = __import__("pandas").concat([tables["reaches"], extra], ignore_index=True)
    tables["observations"] = observed(("section", "S1", "2022-07", "discharge", 5.0))
    given = hydro.conditions(hydro.build_network(tables), "2022-07")
    assert given.flow_factor.tolist() == [0.5, 0.5, 0.5, 0.5, 1.0]


def test_the_newest_report_then_the_permit() -> None:
    tables = line()
    tables["observations"] = observed(
        ("outlet", "O1", "2022-05", "TP_load", 7.0),
        ("outlet", "O1", "2022-09", "TP_load", 9.0),
        ("outlet", "O2", "2022-05", "TP", 2.0),
        ("outlet", "O2", "2022-05", "discharge", 0.5),
        ("section", "S1", "2022-07", "TP", 0.1),
    )
    network = hydro.build_network(tables)
    at = hydro.source_loads(network, "2022-07")
    assert at[["load_kg_d", "basis", "observed_on"]].to_numpy().tolist() == [
        [7.0, "monitored", "2022-05"],
        [2.0 * 0.5 * 86.4, "monitored", "2022-05"],
    ]
    assert hydro.source_loads(network).at["O1", "load_kg_d"] == 9.0
    assert hydro.source_loads(network, "2022-01")["basis"].tolist() == ["permit", "permit"]


def test_an_old_load_gives_way_to_what_was_read_since() -> None:
    tables = confluence()
    tables["observations"] = observed(
        ("outlet", "O1", "2019-01", "TP_load", 50.0),
        ("outlet", "O1", "2022-06", "TP_load", 3.0),
        ("outlet", "O1", "2022-06-20", "TP", 2.0),
        ("outlet", "O1", "2022-06-20", "discharge", 0.02),
        ("outlet", "O1", "2022-07", "TP", 1.0),
        ("outlet", "O1", "2022-07", "discharge", 0.01),
        ("boundary", "B1", "2019-01", "TP_load", 500.0),
        ("boundary", "B1", "2022-07", "TP", 0.2),
    )
    network = hydro.build_network(tables)

    def at(time: str | None) -> list[list[object]]:
        return hydro.source_loads(network, time)[["load_kg_d", "observed_on"]].to_numpy().tolist()

    # 1.0 mg/L x 0.01 m³/s x 86.4; the boundary's own 3 m³/s stand in for a reading
    assert at("2022-07") == [[pytest.approx(0.864), "2022-07"], [pytest.approx(0.2 * 3.0 * 86.4), "2022-07"]]
    assert at(None) == at("2022-07")
    assert at("2022-06") == [[3.0, "2022-06"], [500.0, "2019-01"]]  # of its month, the load as such
    assert at("2022-06-25")[0] == [3.0, "2022-06"]
    assert at("2019-05") == [[50.0, "2019-01"], [500.0, "2019-01"]]


def test_below_detection_counts_as_half_and_gaps_not_at_all() -> None:
    table = observed(("section", "S1", "2022-07", "TP", 0.02), ("section", "S1", "2022-08", "TP", 0.3))
    table["qualifier"] = ["<", "gap"]
    seen = hydro.Observations(table)
    assert seen.at("section", "S1", "TP", "2022-07").value == 0.01
    assert seen.at("section", "S1", "TP", "2022-08") is None


def test_a_monthly_mean_covers_its_instants_and_hours_are_averaged_over_a_day() -> None:
    seen = hydro.Observations(
        observed(
            ("section", "S1", "2022-07", "TP", 0.2),
            ("section", "S2", "2022-07-03T08:00", "TP", 0.1),
            ("section", "S2", "2022-07-03T12:00", "TP", 0.3),
        )
    )
    assert seen.at("section", "S1", "TP", "2022-07-15T08:00").value == 0.2
    assert seen.at("section", "S1", "TP", "2022-08") is None
    assert seen.at("section", "S2", "TP", "2022-07-03").value == pytest.approx(0.2)
    assert seen.at("section", "S2", "TP", "2022-07-03T08:00").value == 0.1


@pytest.mark.parametrize("time", ["七月", "2022-13", "22-07", "2022-07-40", ""])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with pytest.raises(HydroError, match="无法识别，请写成 2022-07"):
        hydro.period(time)


def test_discharge_that_is_not_a_number_is_a_fault_of_its_reach() -> None:
    tables = line()
    tables["reaches"]["discharge_m3_s"] = ["十", 10.0]
    with pytest.raises(hydro.FaultsError, match="河段 R1 的 discharge_m3_s 为 十，应是一个数"):
        hydro.build_network(tables)
    assert np.isfinite(hydro.route(hydro.build_network(line())).reach_load_kg_d).all()
