"""Sub-daily attribution: the plume by hand and by law, the stations' alarms, one whole made-up basin, and refusals."""

import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from basins import island, reaches, sections

import hydro
from benchmarks.basins_hourly import make_basin
from hydro.causes.alarm import repeated
from hydro.plume import Clock, Mixing, one_release, replies

LENGTH_M, SPEED, WIDE, DEEP_M3_S = 20_000.0, 0.4, 80.0, 5.0


def river(decay_per_d: float = 0.0, pieces: int = 1) -> hydro.RiverNetwork:
    """One straight river of 20 km cut into equal pieces, with a section at its end."""
    count = range(pieces)
    reaches = pd.DataFrame(
        {
            "reach_id": [f"R{i}" for i in count],
            "from_node": [f"N{i}" for i in count],
            "to_node": [f"N{i + 1}" for i in count],
            "length_m": LENGTH_M / pieces,
            "discharge_m3_s": DEEP_M3_S,
            "velocity_m_s": SPEED,
            "decay_per_d": decay_per_d,
        }
    )
    end = {"section_id": ["S"], "name": ["S"], "reach_id": [f"R{pieces - 1}"], "chainage_m": [LENGTH_M / pieces]}
    outlets = {"outlet_id": ["O"], "name": ["O"], "reach_id": ["R0"], "chainage_m": [0.0], "permit_load_kg_d": [1.0]}
    sections = pd.DataFrame({**end, "tp_target_mg_l": [0.2]})
    return hydro.build_network({"reaches": reaches, "sections": sections, "outlets": pd.DataFrame(outlets)})


def passing(network: hydro.RiverNetwork, mixing: Mixing, clock: Clock | None = None) -> np.ndarray:
    clock = clock or Clock(0.25, 512)
    return replies(network, ["S"], mixing=mixing, clock=clock).fraction(np.array([0]), np.array([0.0]))[0, 0]


def test_a_slug_passes_as_the_advection_dispersion_equation_has_it() -> None:
    """Ogata & Banks by way of the inverse Gaussian: x / √(4πDt³) exp(−(x − ut)² / 4Dt), D = 80 m × 0.4 m/s = 32 m²/s."""
    share = passing(river(), Mixing(dispersivity_m=WIDE), Clock(0.05, 2048))
    t = (np.arange(len(share)) + 0.5) * 180.0
    spread = WIDE * SPEED
    exact = (
        LENGTH_M / np.sqrt(4 * np.pi * spread * t**3) * np.exp(-((LENGTH_M - SPEED * t) ** 2) / (4 * spread * t)) * 180
    )
    assert abs(share - exact).max() < 0.02 * exact.max()


def test_the_mean_time_is_length_over_velocity_dead_zones_or_not() -> None:
    hours = (np.arange(1024) + 0.5) * 0.25
    for mixing in (Mixing(), Mixing(storage_ratio=0.4, return_per_h=0.4)):
        share = passing(river(), mixing, Clock(0.25, 1024))
        assert share @ hours / share.sum() == pytest.approx(LENGTH_M / SPEED / 3600, rel=0.01)


def test_nothing_is_lost_without_decay_and_as_much_as_plug_flow_with_a_little() -> None:
    assert passing(river(), Mixing(storage_ratio=0.2)).sum() == pytest.approx(1.0, abs=2e-3)
    days = LENGTH_M / SPEED / 86_400
    assert passing(river(0.2), Mixing(dispersivity_m=20.0)).sum() == pytest.approx(np.exp(-0.2 * days), rel=3e-3)


def test_cutting_the_river_anywhere_changes_nothing() -> None:
    whole, cut = (passing(river(0.1, pieces), Mixing(storage_ratio=0.2)) for pieces in (1, 7))
    assert np.allclose(whole, cut, atol=1e-9)


def test_a_lake_takes_as_long_as_its_plume_says_wherever_one_enters() -> None:
    """τ 10 d, k 0.1 per day: half is kept, and what is kept was 10 / (1 + 0.1 x 10) = 5 d in the lake."""
    tables = {
        "reaches": pd.DataFrame(
            {
                "reach_id": ["A", "L", "B"], "from_node": ["N0", "N1", "N2"], "to_node": ["N1", "N2", "N3"],
                "length_m": [8_640.0, 8_640.0, 8_640.0], "velocity_m_s": [0.1, 0.01, 0.1], "discharge_m3_s": 5.0,
                "decay_per_d": [0.0, 0.1, 0.0], "waterbody": ["river", "lake", "river"],
            }
        ),
        "sections": pd.DataFrame(
            {
                "section_id": ["S", "M"], "name": ["S", "M"], "reach_id": ["B", "L"], "chainage_m": [4_320.0, 864.0],
                "tp_target_mg_l": [0.2, 0.2],
            }
        ),
    }  # fmt: skip
    network = hydro.build_network(tables)
    reach, chainage = np.array([0, 1, 1, 1]), np.array([0.0, 0.0, 4_320.0, 7_776.0])
    delivery = hydro.delivery_ratios(network, ["S", "M"])
    ratio, days, _ = delivery.from_places(reach, chainage)
    assert ratio[:, 0] == pytest.approx([0.5] * 4)
    assert days[:, 0] == pytest.approx([1 + 5 + 0.5, 5.5, 5.5, 5.5])  # the river's day before it, half a day below
    assert (delivery.travel_time_d[0], delivery.fastest_d[1, 0]) == (pytest.approx([6.5, 6.0]), pytest.approx(5.5))
    clock = Clock(1.0, 4096)
    passed = replies(network, ["S", "M"], mixing=Mixing(dispersivity_m=1.0), clock=clock).fraction(reach, chainage)
    mean_d = passed @ (np.arange(clock.steps) + 0.5) / 24 / np.maximum(passed.sum(axis=-1), 1e-12)
    assert passed.sum(axis=-1) == pytest.approx(ratio, abs=5e-3)
    there = ratio > 0
    assert mean_d[there] == pytest.approx(days[there], rel=0.01)


def test_a_spill_arrives_when_the_water_does() -> None:
    """20 km at 0.4 m/s is 13.9 h; 10 kg spread over some hours of 5 m3/s."""
    found = hydro.forward_plume(river(), "O", mass_kg=10.0, start="2022-07-01T00:00").arrivals.iloc[0]
    assert found["travel_time_d"] * 24 == pytest.approx(13.9, abs=0.3)
    assert found["delivered_kg"] == pytest.approx(10.0, rel=5e-3)
    assert found["earliest_at"] <= found["first_at"] <= found["peak_at"] <= found["last_at"]
    assert found["peak_at"][:13] in ("2022-07-01T13", "2022-07-01T14")


@pytest.mark.parametrize("waterbody", ["river", "lake"])
def test_one_release_walked_down_is_what_the_whole_network_answers(waterbody: str) -> None:
    tables = island(0.2)
    tables["reaches"] = tables["reaches"].assign(waterbody=["river", "river", waterbody, "river"])
    network = hydro.build_network(tables)
    mixing, clock, given = Mixing(storage_ratio=0.2), Clock(0.5, 1024), hydro.conditions(network)
    every = replies(network, ["S1", "S2"], given=given, mixing=mixing, clock=clock)
    for reach, metres in ((0, 0.0), (0, 5_000.0), (1, 0.0), (1, 6_000.0), (2, 9_000.0), (3, 8_640.0)):
        expected = every.fraction(np.array([reach]), np.array([metres]))[0]
        columns, found = one_release(network, reach, metres, ["S1", "S2"], given=given, mixing=mixing, clock=clock)
        assert columns == [j for j in (0, 1) if expected[j].sum() > 1e-6]
        assert found == pytest.approx(expected[columns], abs=1e-12)


def test_a_spill_costs_what_lies_below_it_not_what_the_network_holds() -> None:
    """2,000 reaches and 200 sections above the last five: the answer is that of the five alone, in little memory."""

    def river_of(first: int) -> hydro.RiverNetwork:
        count = range(first, 2_000)
        tables = {
            "reaches": reaches(*((f"R{i}", f"N{i}", f"N{i + 1}", 5_000.0, 5.0, 0.4) for i in count)),
            "sections": sections(*((f"S{i}", f"R{i}", 5_000.0, 0.2) for i in count if i % 10 == 0 or i == 1_999)),
        }
        return hydro.build_network(tables)

    large, small = river_of(0), river_of(1_995)
    asked = {"reach": "R1995", "chainage_m": 1_000.0, "mass_kg": 10.0, "start": "2022-07-01T00:00"}
    tracemalloc.start()
    found = hydro.forward_plume(large, **asked)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pd.testing.assert_frame_equal(found.arrivals, hydro.forward_plume(small, **asked).arrivals)
    assert found.arrivals["section_id"].to_list() == ["S1999"]
    assert peak < 50e6


def test_a_spill_that_reaches_no_section_says_so_by_an_empty_answer() -> None:
    tables = island()
    tables["sections"] = sections(("S2", "R2", 4_320.0, 0.2))
    found = hydro.forward_plume(hydro.build_network(tables), "O2", mass_kg=1.0, start="2022-07-01T00:00")
    assert found.arrivals.empty
    assert list(found.series) == ["time"]


def test_a_spill_that_cannot_be_is_refused() -> None:
    with pytest.raises(hydro.HydroError, match=re.escape("泄漏量 0.0 kg 应大于 0")):
        hydro.forward_plume(river(), "O", mass_kg=0.0, start="2022-07-01T00:00")
    with pytest.raises(hydro.HydroError, match="早于开始时刻"):
        hydro.forward_plume(river(), "O", mass_kg=1.0, start="2022-07-02T00:00", end="2022-07-01T00:00")
    with pytest.raises(hydro.HydroError, match="没有排污口或污水处理厂“X”"):
        hydro.forward_plume(river(), "X", mass_kg=1.0, start="2022-07-01T00:00")


def test_a_stopped_sensor_is_three_equal_readings_in_a_row() -> None:
    seen = repeated(np.array([0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.1]))
    assert seen.tolist() == [False, False, False, False, False, True, True, False]


@pytest.fixture(scope="module")
def judged() -> tuple:
    basin = make_basin(1)
    return basin, hydro.inquire(basin.network()).table()


def test_every_episode_has_one_answer_whose_odds_sum_to_one(judged: tuple) -> None:
    _, table = judged
    assert len(table)
    for _, rows in table.groupby(["section_id", "time"]):
        assert rows["probability"].sum() == pytest.approx(1.0)
        assert rows["source_id"].iloc[-1] == "NONE"
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert rows["probability"].iloc[:-1].is_monotonic_decreasing


def test_a_reported_release_is_found_with_its_window(judged: tuple) -> None:
    basin, table = judged
    event = basin.events[(basin.events["reported"] == 1)].iloc[0]
    asked = basin.queries[(basin.queries["event_id"] == event["event_id"]) & (basin.queries["first"] == 1)].iloc[0]
    row = table[(table["section_id"] == asked["section_id"]) & (table["time"] == asked["time"])].iloc[0]
    assert row["source_id"] == event["culprit"]
    start, end = max(row["release_from"], event["release_from"]), min(row["release_to"], event["release_to"])
    assert start < end
    assert row["released_kg"] == pytest.approx(event["released_kg"], rel=0.6)
