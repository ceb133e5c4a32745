"""Clean files come in as they are, and coming in twice changes nothing."""

import json
from pathlib import Path

import pandas as pd
import pytest

from hydro.errors import fill
from i18n import text
from layers.headers import place_of
from layers.intake.imports import import_sources
from layers.intake.read import Options, read_sources
from layers.store.project import open_project

TOP = Path(__file__).parent.parent


def test_a_basin_of_mixed_files_comes_in_whole(oracles: Path) -> None:
    report = read_sources([oracles / "cases" / "easy_21"]).report
    assert report.sound
    assert report.accepted == {
        "reaches": 62, "outlets": 31, "plants": 3, "sections": 6, "observations": 1168, "weather": 36
    }  # fmt: skip
    shape = report.json()["network"]
    assert [shape[name] for name in ("reaches", "nodes", "mouths", "splits", "components")] == [62, 61, 1, 2, 1]
    assert shape["loops"] == []


def test_importing_twice_changes_nothing(oracles: Path, tmp_path: Path) -> None:
    project = tmp_path / "p.gpkg"
    import_sources([oracles / "cases" / "easy_21"], project)
    before = open_project(project).revision
    assert import_sources([oracles / "cases" / "easy_21"], project).report.sound
    assert open_project(project).revision == before


def csv_basin(folder: Path, lon: float = 113.95, outlet_lat: float = 35.301) -> Path:
    lines = [f"LINESTRING (113.9 35.3, {lon} 35.3)", f"LINESTRING ({lon} 35.3, 114.0 35.3)"]
    pd.DataFrame({"reach_id": ["R1", "R2"], "wkt": lines}).to_csv(folder / "reaches.csv", index=False)
    outlets = {"outlet_id": ["O1"], "经度": [113.92], "纬度": [outlet_lat]}
    pd.DataFrame(outlets).to_csv(folder / "outlets.csv", index=False, encoding="gb18030")
    return folder


def test_blank_nodes_lengths_and_places_come_from_the_drawing(tmp_path: Path) -> None:
    outcome = read_sources([csv_basin(tmp_path)])
    assert outcome.report.sound
    reaches, outlets = outcome.tables["reaches"], outcome.tables["outlets"]
    assert reaches["to_node"][0] == reaches["from_node"][1]
    assert reaches["length_m"].tolist() == pytest.approx([4547.7, 4547.7], abs=0.1)  # 0.05° × 90,954 m/° at 35.3° N
    assert outlets["reach_id"][0] == "R1"
    assert outlets["chainage_m"][0] == pytest.approx(1819.1, abs=1)
    assert outlets["snap_distance_m"][0] == pytest.approx(111, abs=1)


def test_measurements_come_onto_one_clock_and_backflow_is_named(tmp_path: Path) -> None:
    rows = {
        "station_kind": "outlet", "station_id": "O1", "parameter": ["TP", "TP", "discharge"],
        "time": ["2022-07-31T20:00:00Z", "2022-08-01 08:00+08:00", "2022-08-01"], "value": [0.2, 0.3, -1.5],
    }  # fmt: skip
    pd.DataFrame(rows).to_csv(csv_basin(tmp_path) / "observations.csv", index=False)
    outcome = read_sources([tmp_path])
    assert outcome.tables["observations"]["time"].tolist() == ["2022-08-01T04:00", "2022-08-01T08:00", "2022-08-01"]
    (clock,) = [one for one in outcome.report.json()["warnings"] if "北京时间" in str(one)]
    assert "2022-07-31T20:00:00Z 记为 2022-08-01T04:00" in str(clock)
    (warning,) = [one for one in outcome.report.json()["warnings"] if "倒流" in str(one)]
    assert "O1" in str(warning)


def test_an_outlet_far_from_every_reach_is_refused_with_the_nearest_and_nothing_is_written(tmp_path: Path) -> None:
    outcome = import_sources([csv_basin(tmp_path, outlet_lat=35.3072)], tmp_path / "p.gpkg")
    (entry,) = outcome.report.json()["refused"]
    assert (entry["table"], entry["id"], entry["row"]) == ("outlets", "O1", 2)
    assert entry["what"].startswith("距最近河段 R1（799 m）")
    assert not (tmp_path / "p.gpkg").exists()


def test_projected_coordinates_without_a_system_are_asked_and_answered(tmp_path: Path) -> None:
    pd.DataFrame(
        {"reach_id": ["R1"], "wkt": ["LINESTRING (38490914 3907824, 38495457 3907812)"]}
    ).to_csv(tmp_path / "reaches.csv", index=False)  # fmt: skip
    asked = read_sources([tmp_path]).report
    assert not asked.sound
    assert any(proposal.startswith("--crs 4526") for proposal in asked.json()["asked"][0]["proposals"])
    answered = read_sources([tmp_path], Options(crs="4526"))
    assert answered.report.sound
    assert answered.tables["reaches"].total_bounds[0] == pytest.approx(113.9, abs=1e-3)


def test_a_loop_is_named_reach_by_reach(tmp_path: Path) -> None:
    rows = {
        "reach_id": ["A", "B", "C"],
        "from_node": ["1", "2", "3"],
        "to_node": ["2", "3", "1"],
        "length_m": [1, 2, 3],
    }
    pd.DataFrame(rows).to_csv(tmp_path / "reaches.csv", index=False)
    report = read_sources([tmp_path]).report
    assert [sorted(loop) for loop in report.json()["network"]["loops"]] == [["A", "B", "C"]]
    assert {entry.id for entry in report.refused} == {"A", "B", "C"}


def test_the_report_is_json_with_the_keys_of_the_contract(tmp_path: Path) -> None:
    told = json.loads(json.dumps(read_sources([csv_basin(tmp_path)]).report.json()))
    assert set(told) == {"accepted", "mended", "refused", "asked", "warnings", "network"}


@pytest.mark.parametrize(
    ("name", "content"),
    [("fake.xlsx", b"\x89PNG\r\n\x1a\n" + b"x" * 100), ("broken.zip", b"PK\x03\x04 nothing"), ("empty.csv", b"")],
)
def test_files_that_are_not_what_they_say_are_refused_with_a_message(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    report = read_sources([tmp_path / name]).report
    assert not report.sound
    assert name in str(report.json()["refused"])


def test_a_row_given_twice_alike_is_dropped_and_listed(tmp_path: Path) -> None:
    csv_basin(tmp_path)
    rows = pd.read_csv(tmp_path / "reaches.csv")
    pd.concat([rows, rows.iloc[:1]]).to_csv(tmp_path / "reaches.csv", index=False)
    report = read_sources([tmp_path]).report
    assert report.sound
    assert [(entry.id, entry.message) for entry in report.mended if entry.table == "reaches"] == [
        ("R1", "与前面的一行完全相同，已略去")
    ]


def test_reaches_without_nodes_give_the_network_that_their_drawing_shows(oracles: Path, tmp_path: Path) -> None:
    import geopandas

    reaches = geopandas.read_file(oracles / "cases" / "easy_21" / "network.gpkg", layer="reaches")
    reaches[["reach_id", "geometry"]].to_file(tmp_path / "reaches.shp")
    shape = read_sources([tmp_path]).report.network
    assert (shape.reaches, shape.nodes, shape.mouths, shape.splits, shape.components) == (62, 61, 1, 2, 1)


def test_rows_of_a_table_that_the_user_names_get_ids_from_their_names(tmp_path: Path) -> None:
    lines = "名目,lon,lat\n城东口,113.94,35.301\n城西口,113.96,35.301\n"
    (tmp_path / "甲乙丙.csv").write_text(lines, encoding="utf-8")
    csv_basin(tmp_path)
    (tmp_path / "words.json").write_text('{"outlets": {"名目": "name"}}', encoding="utf-8")
    (tmp_path / "outlets.csv").unlink(missing_ok=True)
    files = sorted(tmp_path.glob("*.csv"))
    told = read_sources(files, Options(tables={"甲乙丙": "outlets"}, map=tmp_path / "words.json"))
    assert told.report.sound, told.report.lines()
    assert list(told.tables["outlets"]["outlet_id"]) == ["城东口", "城西口"]
    assert "ids_made" in {warning.code for warning in told.report.warnings}


def test_a_layer_that_names_a_table_itself_without_its_ids_is_asked_for_them(tmp_path: Path) -> None:
    csv_basin(tmp_path)
    (tmp_path / "outlets.csv").write_text("排口,name,lon,lat\nK1,城东口,113.94,35.301\n", encoding="utf-8")
    told = read_sources(sorted(tmp_path.glob("*.csv"))).report
    assert not told.sound


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("排放口经度", "排放口纬度"),
        ("排口经度", "排口纬度"),
        ("监测点位经度", "监测点位纬度"),
        ("经度(E)", "纬度(N)"),
        ("Longitude_WGS84", "Latitude_WGS84"),
        ("OutletLon", "OutletLat"),
    ],
)
def test_a_header_that_ends_with_a_coordinate_is_one_whatever_stands_before_it(
    tmp_path: Path, lon: str, lat: str
) -> None:
    csv_basin(tmp_path)
    rows = {"排放口编号": ["O1"], "坐标来源": ["手持 GPS"], lon: [113.92], lat: [35.301]}
    pd.DataFrame(rows).to_csv(tmp_path / "outlets.csv", index=False)
    outcome = read_sources([tmp_path])
    assert outcome.report.sound, outcome.report.json()
    (outlet,) = outcome.tables["outlets"].to_dict("records")
    assert (outlet["reach_id"], outlet["geometry"].x, outlet["geometry"].y) == ("R1", 113.92, 35.301)


@pytest.mark.parametrize(
    "header", ["坐标系", "坐标来源", "经纬度来源", "Shape_Length", "long term mean", "x向流速", "Y2000"]
)
def test_a_header_that_only_speaks_of_coordinates_is_none(header: str) -> None:
    assert place_of(header) == ("", 0.0)


def test_all_that_is_wrong_with_outlets_is_told_at_once_in_the_words_of_an_office(tmp_path: Path) -> None:
    csv_basin(tmp_path)
    rows = [
        ("O1", "113.92", "35.301", 10.0),
        ("O2", "113.93", "35.301", -5.0),
        ("O3", "35.301", "113.94", 10.0),
        ("O4", "113°57.0′", "35°18.06′", 10.0),
        ("O5", "桥东", "35.301", 10.0),
        ("O6", "", "", -6.0),
    ]
    named = ["排放口编号", "排放口经度", "排放口纬度", "许可排水量"]
    pd.DataFrame(rows, columns=named).to_csv(tmp_path / "outlets.csv", index=False)
    report = read_sources([tmp_path]).report
    told = [(entry.id, fill(entry.message, entry.params)) for entry in report.refused]
    assert sorted(told) == [
        ("O2", "outlets 表 O2 的 permit_discharge_m3_d 为“-5.0”，应为：不小于 0"),
        ("O5", "outlets.csv 的 排放口经度 为“桥东”，不是坐标。应为度（113.92）、度分秒（113°55′12″）或米"),
        ("O6", "outlets 表 O6 的 permit_discharge_m3_d 为“-6.0”，应为：不小于 0"),
        ("O6", "既没有坐标也没有所在河段，无法定位。请补上坐标，或所在河段与里程"),
    ]
    mended = [fill(entry.message, entry.params) for entry in report.mended]
    assert "坐标只有对调 x 与 y 才读得通，已对调为 113.94, 35.301" in mended
    assert "排放口经度 写作“113°57.0′”，读作 113.950000°" in mended
    assert report.accepted["outlets"] == 3
    similar = next(fault for fault in report.warnings if fault.code == "unsure_columns")
    assert "排放口经度→经度（85%）" in str(similar)
    assert "排放口经度 → Longitude (85%)" in text(similar.message, "en", **similar.params)
