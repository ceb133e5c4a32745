"""What the page of plans rests on: the map's message, the conditions read from the record, sewers, sentences, tasks."""

import basins
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point
from test_optimise import works

import hydro
from hydro.planning.seasons import DRY, DRY_SLOW, FLOOD, NORMAL, seasons
from layers.maps.plan_map import plan_message
from layers.rivers.sewers import DETOUR, sewer_km
from layers.standards import load_standard
from reports.plan import last_bits, tell


def test_the_map_is_told_a_class_a_reach_and_side() -> None:
    network = hydro.build_network(works())
    stand = hydro.situation(network)
    plan = hydro.seal(network, ["O1", "O2"])
    told = plan_message(stand, plan, load_standard(), caught=["O3"])
    assert len(told["before"]) == len(told["after"]) == len(network.reaches)
    compared = hydro.compare(network, plan).set_index("section_id")
    rank = load_standard().rank("TP", compared["tp_after_mg_l"].to_numpy())
    for section, grade in zip(compared.index, rank, strict=True):
        before, after = told["sections"][section]
        assert after["class"] == hydro.assessment.standards.CLASSES[grade]
        assert before["text"] == f"{compared.at[section, 'tp_before_mg_l']:.3f}"
        assert (after["status"] == "over") == (not compared.at[section, "holds_after"])
    assert told["marks"] == {"O1": "seal", "O2": "seal"}
    assert told["caught"] == ["O3"]
    assert told["before"] > told["after"]  # V falls to a better class somewhere, and rises nowhere


def test_conditions_come_from_what_was_measured() -> None:
    tables = basins.line()
    flow = [("section", "S1", f"{year}-{month:02d}", "discharge", 10.0 * (2.0 if month in (6, 7, 8, 9) else 1.0 if month != 1 else 0.4))
            for year in (2020, 2021) for month in range(1, 13)]  # fmt: skip
    tables["observations"] = basins.observed(*flow)
    found = seasons(hydro.build_network(tables))
    assert found[NORMAL].flow_factor == 1.0
    assert found[FLOOD].flow_factor == pytest.approx(2.0)
    assert found[DRY].flow_factor == pytest.approx(np.quantile([f[4] / 10 for f in flow], 0.1))
    assert (found[DRY_SLOW].decay_factor, found[DRY_SLOW].operated_as) == (0.5, DRY)
    short = basins.line()
    short["observations"] = basins.observed(*flow[:5])
    assert seasons(hydro.build_network(short))[FLOOD].flow_factor == 2.0


def test_a_sewer_is_as_long_as_the_way_with_its_detour() -> None:
    outlets = gpd.GeoDataFrame(
        {"outlet_id": ["O1", "O2", "O3"], "merge_to": ["W1", "", "W9"]},
        geometry=[Point(114.0, 35.0)] * 3, crs=4490,
    )  # fmt: skip
    plants = gpd.GeoDataFrame({"plant_id": ["W1"]}, geometry=[Point(114.0, 35.1)], crs=4490)
    found = sewer_km({"outlets": outlets, "plants": plants})
    assert found == {"O1": pytest.approx(DETOUR * 11.095, rel=1e-3)}  # a tenth of a degree of latitude
    assert sewer_km({"outlets": pd.DataFrame(outlets.drop(columns="geometry")), "plants": plants}) == {}


def test_what_the_last_bit_costs_in_words() -> None:
    network = hydro.build_network(works())
    plan = hydro.plan_measures(network, allow=["seal", "upgrade"], margin=0.0)
    lines = last_bits(plan, pd.DataFrame({"section_id": ["S1", "S2"], "saved": [120.0, 0.0]}))
    assert lines == ["断面S1的最后 0.01 mg/L 要花 120.0 万元", "断面S2放宽 0.01 mg/L 也省不下钱"]
    assert last_bits(plan, pd.DataFrame({"section_id": ["S1"], "saved": [120.0]}), "en") == [
        "The last 0.01 mg/L at 断面S1 costs 120.0 × 10,000 yuan"
    ]


def test_water_is_always_told_as_dilution_with_its_season_and_volume() -> None:
    network = hydro.build_network(works())
    flows = [hydro.Condition("枯水", flow_factor=0.5, days=120)]
    plan = hydro.plan_measures(
        network, allow=["dose", "upgrade"], margin=0.0, conditions=[*flows, hydro.Condition("平水", days=245)]
    )
    doses = [m for m in plan.measures if m.action == "dose" and m.season == "枯水"]
    (line,) = [line for line in tell(plan) if "枯水引水" in line]
    assert f"共 {doses[0].volume_10k_m3:.0f} 万m³：这是稀释，不是减排" in line


def test_approved_measures_are_listed_from_that_day() -> None:
    network = hydro.build_network(works())
    tasks = hydro.task_rows(
        hydro.seal(network, ["O1"]), "P1", start="2022-08-01", listed=True, people={"生态环境局": "李工"}
    )
    row = tasks.iloc[0]
    assert (row["person"], row["assigned_on"], row["due_on"], row["listed_on"]) == (
        "李工", "2022-08-01", "2022-08-31", "2022-08-01",
    )  # fmt: skip
    assert hydro.task_rows(hydro.seal(network, ["O1"]), "P1", start="2022-08-01").iloc[0]["listed_on"] == ""
