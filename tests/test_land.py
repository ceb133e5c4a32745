"""Zonal fractions, diffuse phosphorus and mean rain by hand; the verbs of the terminal; what is asked and refused."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasters
import shapely
from pyproj import Transformer
from rasterio import Affine
from rasters import CORNER, PLANE

import hydro
import layers
from hydro.errors import HydroError
from hydro.export import export_tp, lateral_tp_mg_l
from hydro.load import diffuse_loads
from hydro.transport import conditions
from layers.intake.streams import rivers_of_land
from layers.land.dem import Dem
from layers.land.landcover import class_tables, diffuse_of_land_use, keep_diffuse, lateral_rows
from layers.land.rainfall import keep_rain, rain_of_catchments, rain_of_reaches, stamp_in, weather_rows
from layers.standards import load_table

TOP = Path(__file__).parent.parent


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle in cells of 100 m from the north-west corner, in CGCS2000, straight in the plane."""
    to = Transformer.from_crs(PLANE, 4490, always_xy=True)
    shape = shapely.box(
        CORNER[0] + 100 * west, CORNER[1] - 100 * south, CORNER[0] + 100 * east, CORNER[1] - 100 * north
    )
    return shapely.transform(shape, lambda xy: np.column_stack(to.transform(xy[:, 0], xy[:, 1])))


def catchments() -> gpd.GeoDataFrame:
    """Two reaches' land side by side, the second ending in the middle of a cell, and a section's over both."""
    rows = pd.DataFrame(
        {
            "id": ["reach:R1", "reach:R2", "section:S1"],
            "kind": ["reach", "reach", "section"],
            "drains_to": ["R1", "R2", "R2"],
            "area_km2": [0.08, 0.06, 0.14],
        }
    )
    return gpd.GeoDataFrame(rows, geometry=[box(0, 4, 2, 0), box(2, 4, 3.5, 0), box(0, 4, 3.5, 0)], crs=4490)


def use() -> np.ndarray:
    """Left: half cropland, half forest; right: a column of town, a column half water, half unknown."""
    return np.array([[10, 20, 80, 60], [10, 20, 80, 60], [10, 20, 80, 0], [10, 20, 80, 0]], np.uint8)


@pytest.fixture
def landuse(tmp_path: Path) -> Path:
    return rasters.write(tmp_path / "use.tif", use(), nodata=0)


def test_diffuse_phosphorus_by_hand(landuse: Path) -> None:
    found = diffuse_of_land_use(landuse, catchments(), classes="globeland30")
    rows = found.table.set_index("id")
    # R1: 4 ha cropland at 0.5–1.6 and 4 ha forest at 0.05–0.15 kg/ha/a
    assert rows.loc["reach:R1", "tp_low_kg_a"] == pytest.approx(4 * 0.5 + 4 * 0.05, rel=1e-4)
    assert rows.loc["reach:R1", "tp_high_kg_a"] == pytest.approx(4 * 1.6 + 4 * 0.15, rel=1e-4)
    best = 4 * np.sqrt(0.5 * 1.6) + 4 * np.sqrt(0.05 * 0.15)
    assert rows.loc["reach:R1", "tp_kg_a"] == pytest.approx(best, rel=1e-4)
    assert rows.loc["reach:R1", "tp_kg_d"] == pytest.approx(best / 365.25, rel=1e-4)
    # R2: 4 ha town at 0.5–1.2; half of the last column is inside: 1 ha of water and 1 ha unknown give nothing
    assert rows.loc["reach:R2", "tp_high_kg_a"] == pytest.approx(4 * 1.2, rel=1e-4)
    assert rows.loc["reach:R2", "uncounted_km2"] == pytest.approx(0.01, rel=1e-3)
    assert rows.loc["reach:R2", "unknown_km2"] == pytest.approx(0.01, rel=1e-3)
    assert rows.loc["section:S1", "tp_kg_a"] == pytest.approx(rows["tp_kg_a"].iloc[:2].sum(), rel=1e-4)
    notes = [str(note) for note in found.notes]
    assert notes[0] == "下列用地类代码没有输出系数，不计负荷：60（0.0 km²）。如需计入，请在用地类表里指定 source_type"
    assert notes[1] == "use.tif 没有盖住 0.0 km² 汇水区（7%），这部分不计负荷"


def test_the_way_a_raster_is_laid_out_changes_no_share(landuse: Path, tmp_path: Path) -> None:
    first = diffuse_of_land_use(landuse, catchments(), classes="globeland30").table
    upside = Affine(100, 0, CORNER[0], 0, 100, CORNER[1] - 400)
    for name, path in {
        "upside": rasters.write(tmp_path / "upside.tif", use()[::-1], transform=upside, nodata=0),
        "unsaid": rasters.write(tmp_path / "unsaid.tif", use()),
        "nowhere": rasters.write(tmp_path / "nowhere.tif", use(), nodata=0, crs=None),
    }.items():
        said = {"unsaid": {"nodata": 0.0}, "nowhere": {"crs": "4547"}}.get(name, {})
        found = diffuse_of_land_use(path, catchments(), classes="globeland30", **said).table  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(found, first, rtol=1e-9)


def test_in_degrees_a_cell_counts_by_its_area(tmp_path: Path) -> None:
    # two rows ten degrees apart in latitude: the southern cell is larger
    path = rasters.write(
        tmp_path / "degrees.tif", np.array([[20], [10]], np.uint8), 10.0, crs=4490, corner=(110.0, 50.0)
    )
    shape = gpd.GeoDataFrame(
        {"id": ["C"], "kind": [""], "drains_to": [""]}, geometry=[shapely.box(111, 31, 112, 49)], crs=4490
    )
    uses = diffuse_of_land_use(path, shape, classes="globeland30").uses
    north, south = np.sin(np.radians(49)) - np.sin(np.radians(40)), np.sin(np.radians(40)) - np.sin(np.radians(31))
    assert uses.loc["C", "10"] / uses.loc["C", "20"] == pytest.approx(south / north, rel=0.02)
    assert south / north > 1.1


def test_shares_add_to_one_and_load_is_linear_in_the_coefficients() -> None:
    area = pd.DataFrame({"10": [1.0, 2.0], "60": [0.5, 0.0]}, index=["a", "b"])
    table = load_table("export-coefficients")
    found = export_tp(area, {"10": "cropland", "60": ""}, table)
    assert (found["counted_km2"] + found["uncounted_km2"]).tolist() == area.sum(axis=1).tolist()
    assert (found["tp_low_kg_a"] < found["tp_kg_a"]).all()
    doubled = table.assign(low=table["low"].astype(float) * 2, high=table["high"].astype(float) * 2)
    pd.testing.assert_series_equal(export_tp(area, {"10": "cropland"}, doubled)["tp_kg_a"], 2 * found["tp_kg_a"])
    delivered = table.assign(delivered_low="0.1", delivered_high="0.1")
    pd.testing.assert_series_equal(
        export_tp(area, {"10": "cropland"}, delivered)["tp_high_kg_a"], 0.1 * found["tp_high_kg_a"]
    )


def test_a_class_without_a_coefficient_of_an_area_is_refused() -> None:
    with pytest.raises(HydroError) as wrong:
        export_tp(pd.DataFrame({"1": [1.0], "2": [1.0]}), {"1": "pig", "2": "lawn"}, load_table("export-coefficients"))
    assert str(wrong.value) == (
        "输入有 2 处错误\n用地类 1 对应的 pig 不在输出系数表里，或其单位不是 kg/ha/a。请改正用地类表或补上系数\n"
        "用地类 2 对应的 lawn 不在输出系数表里，或其单位不是 kg/ha/a。请改正用地类表或补上系数"
    )


def test_every_shipped_class_leads_to_a_coefficient_or_to_none() -> None:
    for name, table in class_tables().items():
        codes = pd.DataFrame(1.0, index=[name], columns=table["code"].tolist())
        found = export_tp(
            codes, dict(zip(table["code"], table["source_type"], strict=True)), load_table("export-coefficients")
        )
        assert found["tp_kg_a"].iloc[0] > 0, name
        assert table["code"].is_unique, name


def reaches() -> dict[str, pd.DataFrame]:
    to = Transformer.from_crs(PLANE, 4490, always_xy=True)
    x, y = to.transform(
        [CORNER[0] + 50, CORNER[0] + 200, CORNER[0] + 340], [CORNER[1] - 50, CORNER[1] - 200, CORNER[1] - 300]
    )
    lines = [shapely.LineString([(x[i], y[i]), (x[i + 1], y[i + 1])]) for i in range(2)]
    rows = pd.DataFrame(
        {
            "reach_id": ["R1", "R2"], "from_node": ["a", "b"], "to_node": ["b", "c"], "length_m": [212.0, 172.0],
            "discharge_m3_s": [2.0, 2.0], "velocity_m_s": [0.5, 0.5],
        }
    )  # fmt: skip
    return {"reaches": gpd.GeoDataFrame(rows, geometry=lines, crs=4490)}


def test_what_is_written_to_reaches_is_the_load_that_the_model_then_has(landuse: Path, tmp_path: Path) -> None:
    project = layers.create_project(tmp_path / "p.gpkg", name="P", tables={**reaches(), "catchments": catchments()})
    found = diffuse_of_land_use(landuse, project.table("catchments", geometry=True), classes="globeland30")
    (dry,) = keep_diffuse(project, found, "use.tif")
    assert str(dry) == ("1 条河段没有旁侧入流（流量不大于来水），面源负荷 3 kg/a 没有水携带，未写入：R2")
    network = project.network()
    load = diffuse_loads(network, conditions(network))
    assert load[0] == pytest.approx(found.table["tp_kg_d"].iloc[0], rel=1e-3)
    assert load[1] == 0
    stored = project.table("catchments").set_index("id")
    assert stored.loc["section:S1", "tp_kg_a"] == pytest.approx(found.table["tp_kg_a"].iloc[2], abs=1e-3)
    assert project.book(table="reaches")["why"].iloc[-1] == "landuse use.tif globeland30"
    assert project.verify() == []
    assert lateral_tp_mg_l(np.array([365.25 * 86.4]), np.array([2.0])).tolist() == [0.5]


def test_without_reaches_own_catchments_nothing_is_guessed(landuse: Path) -> None:
    found = diffuse_of_land_use(landuse, catchments().assign(kind=""), classes="globeland30")
    with pytest.raises(HydroError, match="没有河段自身的汇水区，不能把面源写到河段。请先用 terrain"):
        lateral_rows(hydro.build_network(reaches()), found.table)


def refused(path: Path, **options: str) -> str:
    with pytest.raises(HydroError) as wrong:
        diffuse_of_land_use(path, catchments(), **options)
    return str(wrong.value)


def test_which_list_of_classes_is_asked_with_those_that_fit(landuse: Path, tmp_path: Path) -> None:
    assert refused(landuse) == (
        "use.tif 的用地类代码是哪一套？请用 --classes 指明；代码全都在内的有：globeland30、worldcover"
        "（可用：clcd、gbt21010、globeland30、worldcover，或自己的 csv）"
    )
    told = refused(landuse, classes="clcd")
    assert told.endswith("不在 clcd 里。请换一套代码（--classes），或在自己的 csv 里补上这些代码")
    assert all(code in told for code in ("10", "20", "60", "80"))
    assert refused(landuse, classes="自己的") == (
        "没有用地类表 自己的。可用：clcd、gbt21010、globeland30、worldcover，或给一个 csv 文件（列 code、name_zh、name_en、source_type）"
    )
    own = tmp_path / "own.csv"
    own.write_text("code,name_zh\n10,耕地\n", encoding="utf-8")
    assert refused(landuse, classes=str(own)).endswith("缺少列 source_type。应有 code、name_zh、name_en、source_type")
    own.write_text("code,source_type\n10,cropland\n20,cropland\n60,\n80,urban\n", encoding="utf-8")
    assert diffuse_of_land_use(landuse, catchments(), classes=str(own)).table["tp_low_kg_a"].iloc[0] == pytest.approx(
        4.0
    )


def test_a_broken_raster_is_refused_without_a_traceback(tmp_path: Path) -> None:
    whole = rasters.write(tmp_path / "whole.tif", np.tile(use(), (50, 50)), 2.0, compress="deflate").read_bytes()
    rng = np.random.default_rng(1)
    said: list[str] = []
    for i in range(8):
        bent = bytearray(whole[: len(whole) // 2] if i == 0 else whole)
        for at in rng.integers(0, len(bent) if i % 2 else 400, 4 * (i > 0)):
            bent[at] = rng.integers(0, 256)
        path = tmp_path / f"bent{i}.tif"
        path.write_bytes(bytes(bent))
        for answer in (
            lambda path=path: diffuse_of_land_use(path, catchments(), classes="globeland30"),
            lambda path=path: rain_of_catchments([path], catchments(), start="2022-07", step="month"),
            lambda path=path: rivers_of_land(Dem(path), threshold_km2=1e-4),
        ):
            try:
                answer()
            except HydroError as told:
                said.append(str(told))
    assert len(said) > 3
    assert all(".tif" in line for line in said)


def test_a_raster_dropped_on_the_import_is_sent_to_its_verb(tmp_path: Path) -> None:
    from layers.intake.imports import preview

    (told,) = preview([rasters.write(tmp_path / "dem.tif", use())]).report.json()["refused"]
    assert told["what"] == "dem.tif 是栅格，不能导入为表。高程请用 terrain，土地利用请用 landuse，雨量请用 rainfall"


# -- rain --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def rain(tmp_path: Path) -> Path:
    july = np.array([[10, 20, 30, 40]] * 4, np.float32)
    return rasters.write(tmp_path / "rain.tif", np.stack([july, july / 2]), names=("2022年7月", "2022-08"))


def test_mean_rain_by_hand(rain: Path) -> None:
    found = rain_of_catchments([rain], catchments())
    july = found[found["time"] == "2022-07"].set_index("id")["rain_mm"]
    assert july["reach:R1"] == pytest.approx(15.0)
    assert july["reach:R2"] == pytest.approx((30 + 0.5 * 40) / 1.5, abs=1e-2)
    assert found["time"].unique().tolist() == ["2022-07", "2022-08"]
    assert found[found["time"] == "2022-08"]["rain_mm"].tolist() == pytest.approx((july / 2).tolist(), abs=1e-3)
    basin = weather_rows(found, catchments(), "面平均")
    by_hand = (0.08 * july["reach:R1"] + 0.06 * july["reach:R2"]) / 0.14  # the section's land is not counted again
    assert basin["rain_mm"].tolist() == pytest.approx([by_hand, by_hand / 2], abs=0.01)


def test_rain_by_reach_feeds_a_storm(rain: Path) -> None:
    found = rain_of_catchments([rain], catchments())
    tables = reaches()
    july = rain_of_reaches(found[found["time"] == "2022-07"], catchments(), tables["reaches"])
    assert july.to_dict() == pytest.approx({"R1": 15.0, "R2": 33.333}, abs=1e-3)
    plain = catchments().assign(kind="", drains_to="")  # drawn by hand: a reach has the rain of the land it lies in
    by_place = rain_of_reaches(rain_of_catchments([rain], plain).query("time == '2022-07'"), plain, tables["reaches"])
    assert by_place.iloc[0] == pytest.approx(15.0)
    section = {"section_id": "S1", "reach_id": "R2", "chainage_m": 172.0, "tp_target_mg_l": 0.2}
    wet = tables["reaches"].assign(area_km2=[0.08, 0.06])
    network = hydro.build_network({"reaches": wet, "sections": pd.DataFrame([section])})
    assert hydro.storm(network, july * 3)["peak_mg_l"].iloc[0] > hydro.storm(network, july)["peak_mg_l"].iloc[0]


def test_rain_is_kept_in_weather(rain: Path, tmp_path: Path) -> None:
    project = layers.create_project(tmp_path / "p.gpkg", name="P", tables={**reaches(), "catchments": catchments()})
    found = rain_of_catchments([rain], catchments())
    for _ in range(2):
        keep_rain(project, found, catchments(), "面平均", why="rainfall rain.tif")
    weather = project.table("weather")
    assert weather["time"].tolist() == ["2022-07", "2022-08"]
    with pytest.raises(HydroError, match="雨量没有时间，不能存入 weather 表"):
        keep_rain(project, found.assign(time=""), catchments(), "面平均", why="")


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("pre_202207", "2022-07"), ("CHIRPS-v2.0.2022.07.03", "2022-07-03"), ("2022年7月", "2022-07"), ("rain 2022", "2022"),
        ("2022070308", "2022-07-03T08:00"), ("2022-07-03T08:00", "2022-07-03T08:00"), ("雨量", ""), ("202207_202208", ""), ("2022-13", ""),
        ("band 1", ""), ("123456789", ""), ("20221332", ""),
    ],
)  # fmt: skip
def test_a_time_is_read_only_where_there_is_one(words: str, time: str) -> None:
    assert stamp_in(words) == time


def test_times_are_told_counted_or_asked(tmp_path: Path) -> None:
    def times(*names: str, **said: str) -> list[str]:
        paths = [tmp_path / f"{name}.tif" for name in names]
        return rain_of_catchments(paths, catchments(), **said)["time"].unique().tolist()  # type: ignore[arg-type]

    flat = np.full((4, 4), 5, np.int16)
    for name in ("p_202208", "p_202207", "q_202207", "plain"):
        rasters.write(tmp_path / f"{name}.tif", flat)
    rasters.write(tmp_path / "year.tif", np.stack([flat] * 3))
    assert times("p_202208", "p_202207") == ["2022-07", "2022-08"]
    assert times("plain") == [""]
    assert times("year", start="2022-11", step="month") == ["2022-11", "2022-12", "2023-01"]
    assert times("year", start="2022-07-03T23:00", step="hour") == [
        "2022-07-03T23:00",
        "2022-07-04T00:00",
        "2022-07-04T01:00",
    ]
    for names, said, message in (
        (["year"], {}, "year.tif 的波段没有说明时间。请用 --start 2022-01 --step month 说明"),
        (["p_202207", "q_202207"], {}, "时间 2022-07 的雨量不止一份。请每个时间只给一个波段"),
        (["year"], {"start": "2022"}, "--start 与 --step 须一起给出，step 为 hour、day、month、year 之一"),
        (["year"], {"start": "去年", "step": "month"}, "--start 去年 不是时间"),
    ):
        with pytest.raises(HydroError) as wrong:
            times(*names, **said)
        assert message in str(wrong.value)


def test_what_is_no_rain_is_asked(tmp_path: Path) -> None:
    path = rasters.write(tmp_path / "r_202207.tif", np.array([[10, 20], [-9999, 30]], np.float32), 200.0)
    with pytest.raises(HydroError) as wrong:
        rain_of_catchments([path], catchments())
    assert str(wrong.value) == (
        "r_202207.tif 里有 -9999 mm 的雨量，不可能（应在 0～5000 之间）。若是无值，请加 --nodata -9999；"
        "若单位不是毫米，请用 --scale 换算（如 0.1 毫米：--scale 0.1）"
    )
    found = rain_of_catchments([path], catchments(), nodata=-9999.0).set_index("id")
    assert found.loc["reach:R1", "rain_mm"] == pytest.approx(10.0)
    assert found.loc["reach:R1", "known"] == pytest.approx(0.5)
    tenths = rasters.write(tmp_path / "t_202207.tif", np.array([[1000, 2000], [500, 30]], np.int16), 200.0)
    assert rain_of_catchments([tenths], catchments(), scale=0.1)["rain_mm"].iloc[0] == pytest.approx(75.0)


# -- the terminal ------------------------------------------------------------------------------------------------------


def run(*words: object, lang: str = "zh") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "cli.py", *map(str, words), "--lang", lang]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=120, check=False)


def test_from_a_dem_to_a_project_with_diffuse_load_and_rain(tmp_path: Path) -> None:
    row, column = np.mgrid[0:40, 0:60].astype(np.float32)
    dem = rasters.write(tmp_path / "dem.tif", np.abs(row - 20) * 2 + 60 - column * 0.5)
    use_ = rasters.write(tmp_path / "use.tif", np.full((40, 60), 1, np.uint8))
    rain_ = rasters.write(tmp_path / "r_202207.tif", np.full((40, 60), 50, np.float32))
    project = tmp_path / "new.gpkg"
    looked = run("terrain", project, "--dem", dem, "--threshold", 2, "--format", "json")
    assert looked.returncode == 0, looked.stderr
    assert not project.exists()
    assert json.loads(looked.stdout)["rows"] == 40
    done = run("terrain", project, "--dem", dem, "--threshold", 2, "--save", "--out", tmp_path / "out.gpkg", lang="en")
    assert done.returncode == 0, done.stderr
    assert "dem.tif: 40×60 cells of 100×100 m" in done.stderr
    assert (tmp_path / "out.gpkg").exists()
    used = run("landuse", project, "--raster", use_, "--classes", "gbt21010", "--format", "json")
    assert json.loads(used.stdout)[0]["tp_kg_a"] > 0
    assert "没有写入项目；如需写入，请加 --save" in used.stderr
    fallen = run("rainfall", project, "--raster", rain_, "--save", "--by-reach", "--format", "csv")
    assert fallen.stdout.splitlines()[1] == "2022-07,R0001,50.0"
    assert layers.open_project(project).table("weather")["rain_mm"].tolist() == [50.0]


def test_messages_are_in_the_reader_s_language_and_nothing_is_half_written(tmp_path: Path) -> None:
    project = tmp_path / "p.gpkg"
    layers.create_project(project, name="P", tables=reaches()).close()
    for lang, message in (
        ("zh", "项目里没有汇水区。请先用 terrain 由 DEM 划分（加 --save），或导入 catchments"),
        ("en", "The project has no catchments; draw them from a DEM first (terrain --save), or import catchments"),
    ):
        done = run("landuse", project, "--raster", rasters.write(tmp_path / "use.tif", use()), lang=lang)
        assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", message)
    missing = run("terrain", tmp_path / "no.gpkg", "--dem", tmp_path / "no.tif", "--save", lang="en")
    assert (missing.returncode, missing.stderr.strip()) == (
        1,
        f"There is no raster file {tmp_path / 'no.tif'}; check the path",
    )
    assert not (tmp_path / "no.gpkg").exists()
