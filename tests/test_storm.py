"""Storms: runoff by the handbook, a basin by hand, laws, and what a plan does to them."""

import basins
import numpy as np
import pandas as pd
import pytest

import hydro
from hydro.planning.storm import WashOff, rain_for_mm, runoff_mm

CALM = WashOff(event_mean_mg_l=1.0, event_mean_cv=0.0, runoff_cv=0.0, base_cv=0.0, drain_h=0.0)


def plain(area_km2: float = 86.4) -> dict[str, pd.DataFrame]:
    tables = basins.line()
    tables["reaches"] = tables["reaches"].assign(area_km2=[area_km2, 0.0])
    return tables


def test_runoff_of_the_handbook() -> None:
    # NEH 630 ch. 10, fig. 10-2: CN 80, 4 inches of rain give 2.04 inches of runoff
    assert runoff_mm(101.6, 80.0) / 25.4 == pytest.approx(2.04, abs=0.005)
    assert runoff_mm(12.0, 80.0) == 0.0
    rain = np.array([13.0, 20.0, 80.0, 300.0])
    np.testing.assert_allclose(rain_for_mm(runoff_mm(rain)), rain)


def test_a_storm_by_hand() -> None:
    network = hydro.build_network(plain())
    row = hydro.storm(network, 50.0, hours=24.0, wash_off=CALM).iloc[0]
    # runoff d mm on 86.4 km² in 24 h is d m³/s; at 1 mg/L it brings 86.4 d kg/d to 150 kg/d in 10 m³/s
    depth = float(runoff_mm(50.0))
    assert row["base_mg_l"] == pytest.approx(150 / 864)
    assert row["peak_mg_l"] == pytest.approx((150 + 86.4 * depth) / (86.4 * (10 + depth)), rel=1e-9)
    assert row["storm_factor"] == pytest.approx(0.2 / (150 / 864))
    assert row["breaks"]
    assert row["probability"] == 1.0


def test_the_breaking_rain_just_breaks_it() -> None:
    network = hydro.build_network(plain())
    least = hydro.storm(network, 50.0, wash_off=CALM).iloc[0]["breaking_rain_mm"]
    # velocity depends on the rain asked for, but without decay and with a rain longer than the way nothing else does
    below = hydro.storm(network, least * 0.999, hours=240.0, wash_off=CALM).iloc[0]
    long = hydro.storm(network, 50.0, hours=240.0, wash_off=CALM).iloc[0]["breaking_rain_mm"]
    assert not hydro.storm(network, long * 0.999, hours=240.0, wash_off=CALM).iloc[0]["breaks"]
    assert hydro.storm(network, long * 1.001, hours=240.0, wash_off=CALM).iloc[0]["breaks"]
    assert below["peak_mg_l"] < long


def test_clean_rain_dilutes_and_no_rain_changes_nothing() -> None:
    network = hydro.build_network(plain())
    clean = hydro.storm(network, 80.0, wash_off=WashOff(event_mean_mg_l=0.01, event_mean_cv=0, base_cv=0)).iloc[0]
    assert clean["peak_mg_l"] == pytest.approx(clean["base_mg_l"])
    assert np.isnan(clean["breaking_rain_mm"])
    dry = hydro.storm(network, 0.0, wash_off=CALM).iloc[0]
    assert dry["peak_mg_l"] == pytest.approx(dry["base_mg_l"])
    assert not dry["breaks"]


def test_more_rain_is_more_likely_to_break_and_a_plan_less() -> None:
    network = hydro.build_network(plain())
    chances = [hydro.storm(network, rain).iloc[0]["probability"] for rain in (5.0, 20.0, 40.0, 100.0)]
    assert chances == sorted(chances)
    assert chances[0] < chances[-1]
    sealed = hydro.seal(network, ["O1"], water="keep")
    assert hydro.storm(sealed, 40.0).iloc[0]["probability"] <= chances[2]
    assert hydro.storm(sealed, 40.0).iloc[0]["base_mg_l"] == pytest.approx(50 / 864)


def test_rain_by_reach_and_a_plant_that_spills() -> None:
    tables = plain()
    tables["plants"] = pd.DataFrame(
        {
            "plant_id": ["W"],
            "reach_id": ["R2"],
            "chainage_m": [10.0],
            "design_discharge_m3_d": [86_400.0],
            "actual_discharge_m3_d": [86_400.0],
            "permit_tp_mg_l": [0.5],
        }
    )
    network = hydro.build_network(tables)
    elsewhere = hydro.storm(network, pd.Series({"R1": 60.0, "R2": 0.0}), wash_off=CALM).iloc[0]
    everywhere = hydro.storm(network, 60.0, wash_off=CALM).iloc[0]
    assert everywhere["peak_mg_l"] > elsewhere["peak_mg_l"]  # R2 has no land: the plant's spill alone


def test_flood_season_intensity_by_hand() -> None:
    tables = plain()
    tables["observations"] = basins.observed(
        *[
            ("section", "S1", f"2021-{month:02d}", "TP", value)
            for month, value in [(5, 9.0), (6, 0.3), (7, 0.5), (8, 0.4), (9, 0.4)]
        ]
    )
    row = hydro.flood_intensity(hydro.build_network(tables)).iloc[0]
    assert (row["year"], row["parameter"], row["mean"], row["intensity"]) == (
        2021,
        "TP",
        pytest.approx(0.4),
        pytest.approx(2.0),
    )


def test_refused_in_clear_words() -> None:
    with pytest.raises(
        hydro.HydroError, match="河段没有集水面积（area_km2），无法推算降雨径流。请补上，或由地形划分汇水区"
    ):
        hydro.storm(hydro.build_network(basins.line()), 50.0)
    with pytest.raises(hydro.HydroError, match="雨量须为每个河段不小于 0 的毫米数"):
        hydro.storm(hydro.build_network(plain()), -1.0)
