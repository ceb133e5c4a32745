"""The demo's story as trace tells it: each event found, and told in words."""

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import hydro
from hydro import EXCLUDED, FieldFinding
from hydro.causes.sampling import bracket
from reports.evidence import line, next_place

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
UNLISTED = "2021-12"


@pytest.fixture(scope="module")
def network() -> hydro.RiverNetwork:
    spatial = {path.stem: pd.DataFrame(gpd.read_file(path)).drop(columns="geometry") for path in DEMO.glob("*.geojson")}
    plain = {path.stem: pd.read_csv(path, dtype={"time": str}) for path in DEMO.glob("*.csv")}
    names = ("reaches", "boundaries", "sections", "outlets", "plants", "gates", "observations", "weather")
    return hydro.build_network({name: (spatial | plain)[name] for name in names})


@pytest.fixture(scope="module")
def judged(network: hydro.RiverNetwork) -> hydro.Attribution:
    return hydro.attribute(network)


def likeliest(trace: hydro.Trace) -> pd.Series:
    return trace.table.loc[trace.table["probability"].idxmax()]


def test_the_bypass_is_found_and_told(judged: hydro.Attribution) -> None:
    top = likeliest(judged.explain("皇甫", "2022-07"))
    assert (top["source_id"], top["probability"] > 0.9) == ("W01", True)
    said = line(top["evidence"])
    assert "其下游断面皇甫" in said
    assert "自报当月 139.0 kg/d，为平时自报 45.5 kg/d 的 3.1 倍" in said


def test_the_flood_is_wash_off_at_every_section_that_it_broke(judged: hydro.Attribution) -> None:
    for section in ("皇甫", "下马营", "秦庄", "渠村桥"):
        top = likeliest(judged.explain(section, "2021-07"))
        assert (top["source_id"], top["probability"] > 0.9) == ("DIFFUSE", True), section
    assert "当月降雨 612.0 mm（常年中位 24.1 mm）" in line(top["evidence"])
    assert "像全流域冲刷" in line(top["evidence"])
    assert next_place(judged.explain("皇甫", "2021-07")) == ""  # no place on the river is to blame


def test_a_plant_that_complies_is_named_without_being_accused(judged: hydro.Attribution) -> None:
    trace = judged.explain("秦庄", "2022-01")
    top = likeliest(trace)
    assert (top["source_id"], top["probability"] > 0.9) == ("NONE", True)
    plant = trace.table.set_index("source_id").loc["W03"]
    assert plant["share"] == trace.table["share"].max()
    assert "最大来源东区污水处理厂约占" in line(top["evidence"])
    assert "未超许可" in line(top["evidence"])


def test_the_unregistered_outlet_comes_first_in_each_of_its_months_with_its_kilometres(
    network: hydro.RiverNetwork, judged: hydro.Attribution
) -> None:
    """One month alone cannot tell it from the plant on the same stretch; four in a row can."""
    stretch = network.reaches.index[network.reaches["name"] == "西孟姜女河04"][0]
    for month in ("2021-11", UNLISTED, "2022-01", "2022-02"):
        top = likeliest(judged.explain("西孟姜女河口", month))
        assert top["source_id"] == "UNREGISTERED", month
        told = re.search(r"若为未登记排口，最可能在河段 (.+?)（约 ([\d.]+) km）", line(top["evidence"]))
        assert told is not None
        assert stretch in told[1].split("、")
        assert float(told[2]) < 22
        assert "相邻月份多半也是如此" in line(top["evidence"])


def test_the_unregistered_outlet_is_found_by_those_who_go_where_the_patrol_sends_them(
    network: hydro.RiverNetwork, judged: hydro.Attribution
) -> None:
    """What the months leave open, three visits to the listed sources of the stretch settle."""
    trace = judged.explain("西孟姜女河口", UNLISTED)
    stretch = network.reaches.index[network.reaches["name"] == "西孟姜女河04"][0]
    assert trace.odds["UNREGISTERED"] > 0.1
    assert set(network.reaches.loc[list(bracket(trace)), "river"]) == {"西孟姜女河"}
    assert "若为未登记排口，最可能在河段" in line(trace.table.set_index("source_id").at["UNREGISTERED", "evidence"])
    stops = hydro.patrol(trace)
    assert stretch in stops.loc[stops["source_id"] == "UNREGISTERED", "reach_id"].to_list()
    visited = [s for s in stops["source_id"] if s != "UNREGISTERED"][:3]
    found = [FieldFinding(source, UNLISTED, EXCLUDED, "无异常") for source in visited]
    after = hydro.inquire(network, found).explain("西孟姜女河口", UNLISTED)
    assert after.table["source_id"].iloc[0] == "UNREGISTERED"
    assert set(after.odds) - {s for s, p in after.odds.items() if p < 0.01} == {"UNREGISTERED", "NONE"}
