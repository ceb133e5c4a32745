"""Catchments, rivers and hillshade from DEMs of known shape, in every way a file may be written; and what is refused."""

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
from layers.intake.streams import found_project, rivers_of_land, write_land
from layers.land import raster
from layers.land.dem import Dem, Land
from layers.land.relief import shade
from layers.land.terrain import keep_land, land_of_rivers
from layers.store.pictures import RELIEF, kept

HA = 0.01
"""km² of a cell of 100 m."""


def valleys(rows: int = 40, columns: int = 60) -> np.ndarray:
    """Two valleys that fall south and meet a third, which falls east: a Y of known sides."""
    row, column = np.mgrid[0:rows, 0:columns].astype(float)
    north = np.minimum(np.abs(column - 15), np.abs(column - 45)) * 2 + (30 - row) * 0.5 + 40
    south = np.abs(row - 30) * 2 + (columns - column) * 0.2 + 20
    return np.where(row < 30, north, south).astype(np.float32)


def along(*cells: tuple[float, float]) -> shapely.LineString:
    """A line through the middles of cells (row, column), in CGCS2000."""
    to = Transformer.from_crs(PLANE, 4490, always_xy=True)
    x = [CORNER[0] + (c + 0.5) * 100 for _, c in cells]
    y = [CORNER[1] - (r + 0.5) * 100 for r, _ in cells]
    return shapely.LineString(np.column_stack(to.transform(x, y)))


def tables() -> dict[str, pd.DataFrame]:
    """The rivers of :func:`valleys`: A and B from the north, C below A, D below both; a section halfway down C."""
    lines = [along((0, 15), (30, 15)), along((0, 45), (30, 45)), along((30, 15), (30, 45)), along((30, 45), (30, 59))]
    reaches = pd.DataFrame(
        {
            "reach_id": list("ABCD"),
            "from_node": ["a", "b", "c", "d"],
            "to_node": ["c", "d", "d", "e"],
            "length_m": [3000.0, 3000.0, 3000.0, 1400.0],
        }
    )
    section = {"section_id": "S1", "name": "半路", "reach_id": "C", "chainage_m": 1500.0, "tp_target_mg_l": 0.2}
    return {"reaches": gpd.GeoDataFrame(reaches, geometry=lines, crs=4490), "sections": pd.DataFrame([section])}


def drawn(path: Path, **options: object) -> Land:
    given = tables()
    network = hydro.build_network(given)
    return land_of_rivers(Dem(path, **options), network, given["reaches"])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dem")


@pytest.fixture(scope="module")
def dem(folder: Path) -> Path:
    return rasters.write(folder / "dem.tif", valleys())


@pytest.fixture(scope="module")
def land(dem: Path) -> Land:
    return drawn(dem)


def areas(land: Land) -> dict[str, float]:
    return dict(zip(land.catchments["id"], land.catchments["area_km2"], strict=True))


def test_every_valley_gets_its_sides(land: Land) -> None:
    found = areas(land)
    # 29 rows drain sideways, 30 columns to each tributary; the 30th row drops south into the row of the main river.
    # A also takes that row's and the southern slope's columns 0…15, which meet the river in A's last cell; C and D take
    # the rest of both slopes (rows 29…39), B column 45 of the southern one.
    assert found["reach:A"] == pytest.approx((29 * 30 + 16 + 10 * 16) * HA, rel=1e-3)
    assert found["reach:B"] == pytest.approx((29 * 30 + 1 + 10) * HA, rel=1e-3)
    assert found["reach:C"] == pytest.approx(29 * 11 * HA, rel=1e-3)
    assert found["reach:D"] == pytest.approx(14 * 11 * HA, rel=1e-3)


def test_the_catchments_share_out_the_valid_area(land: Land) -> None:
    own = land.catchments[land.catchments["kind"] == "reach"]
    assert own["area_km2"].sum() == pytest.approx(40 * 60 * HA, rel=1e-3)
    assert land.facts["land_km2"] == pytest.approx(own["area_km2"].sum(), abs=1e-3)
    plane = gpd.GeoSeries(own.geometry, crs=4490).to_crs(PLANE)
    assert plane.union_all().area == pytest.approx(plane.area.sum(), rel=1e-9)  # nothing lies in two
    assert plane.area.sum() / 1e6 == pytest.approx(own["area_km2"].sum(), rel=0.01)


def test_a_section_has_all_land_above_it_cut_at_the_section(land: Land) -> None:
    found = areas(land)
    above = land.catchments.set_index("id").loc["section:S1"]
    assert above["drains_to"] == "C"
    assert above["name"] == "半路以上"
    assert above["area_km2"] == pytest.approx(found["reach:A"] + 15 * 11 * HA, rel=1e-3)  # C's columns 16…30
    assert above.geometry.covers(along((5, 15), (25, 15)).centroid)
    assert not above.geometry.intersects(along((5, 45), (25, 45)))


def test_nothing_upstream_is_counted_twice_where_a_split_joins_again(dem: Path) -> None:
    given = tables()
    loop = pd.DataFrame({"reach_id": ["E"], "from_node": ["c"], "to_node": ["d"], "length_m": [3400.0], "split": [0.5]})
    line = along((30, 15), (35, 30), (30, 45))
    reaches = pd.concat([given["reaches"].assign(split=[None, None, 0.5, None]), loop.assign(geometry=[line])])
    at_end = given["sections"].assign(reach_id="D", chainage_m=1400.0)
    whole = gpd.GeoDataFrame(reaches.reset_index(drop=True), geometry="geometry", crs=4490)
    found = areas(land_of_rivers(Dem(dem), hydro.build_network({"reaches": whole, "sections": at_end}), whole))
    assert found["section:S1"] == pytest.approx(sum(found[f"reach:{r}"] for r in "ABCDE"), abs=1e-3)


SAME = {
    "tiled": {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"},
    "striped": {"tiled": False, "compress": "lzw"},
    "nodata": {"nodata": -9999.0},
}


@pytest.mark.parametrize("how", SAME)
def test_the_way_a_file_is_laid_out_changes_nothing(folder: Path, land: Land, how: str) -> None:
    other = rasters.write(folder / f"{how}.tif", valleys(), **SAME[how])
    assert areas(drawn(other)) == areas(land)


def test_rows_that_run_north_change_nothing(folder: Path, land: Land) -> None:
    upside = Affine(100, 0, CORNER[0], 0, 100, CORNER[1] - 4000)
    other = rasters.write(folder / "upside.tif", valleys()[::-1], transform=upside)
    assert areas(drawn(other)) == areas(land)
    mirrored = Affine(-100, 0, CORNER[0] + 6000, 0, -100, CORNER[1])
    other = rasters.write(folder / "mirrored.tif", valleys()[:, ::-1], transform=mirrored)
    assert areas(drawn(other)) == areas(land)


def test_whole_decimetres_in_int16_are_read_as_metres(folder: Path, land: Land) -> None:
    from rasterio import open as opened

    path = rasters.write(folder / "short.tif", np.rint(valleys() * 10).astype(np.int16), nodata=-32768)
    with opened(path, "r+") as file:
        file.scales = (0.1,)
    assert areas(drawn(path)) == pytest.approx(areas(land))


@pytest.mark.parametrize("window", [1, 60, 7 * 60, 10**6])
def test_windows_of_any_size_read_the_same(dem: Path, window: int) -> None:
    with raster.opened(dem) as source:
        place = raster.place_of(source, raster.system_of(source, "", np.empty(0, object)))
        grid = raster.read_grid(source, place, window_cells=window)
    np.testing.assert_array_equal(grid.values, valleys())


def test_a_void_is_no_land_however_it_is_told(folder: Path) -> None:
    holes = valleys()
    holes[:, :5] = np.nan
    by_nan = rasters.write(folder / "nan.tif", holes)
    by_value = rasters.write(folder / "value.tif", np.nan_to_num(holes, nan=-9999.0), nodata=-9999)
    import rasterio

    by_mask = rasters.write(folder / "mask.tif", np.nan_to_num(holes, nan=0.0))
    with rasterio.open(by_mask, "r+") as file:
        file.write_mask(np.where(np.isnan(holes), 0, 255).astype(np.uint8))
    told = rasters.write(folder / "told.tif", np.nan_to_num(holes, nan=-9999.0))
    first = areas(drawn(by_nan))
    assert first["reach:A"] == pytest.approx((29 * 25 + 11 + 10 * 11) * HA, rel=1e-3)
    assert areas(drawn(by_value)) == areas(drawn(by_mask)) == areas(drawn(told, nodata=-9999.0)) == first


def test_coarser_cells_are_means_of_the_file_s(folder: Path, dem: Path, land: Land) -> None:
    with raster.opened(dem) as source:
        place = raster.place_of(source, raster.system_of(source, "", np.empty(0, object)), 4)
        grid = raster.read_grid(source, place, window_cells=100)
    assert grid.values.shape == (10, 15)
    np.testing.assert_allclose(grid.values, valleys().reshape(10, 4, 15, 4).mean(axis=(1, 3)), rtol=1e-5)
    assert areas(drawn(dem, coarsen=2))["reach:A"] == pytest.approx(areas(land)["reach:A"], rel=0.1)


def test_cells_in_degrees_have_their_area_on_the_ellipsoid() -> None:
    place = raster.Place((3, 4), (114.0, 36.0), (0.01, 0.01), raster.systems.STORED)
    box = shapely.box(114.0, 35.98, 114.01, 35.99)
    by_hand, _ = raster.systems.ELLIPSOID.geometry_area_perimeter(box)
    assert place.row_area_m2[1] == pytest.approx(abs(by_hand), rel=1e-9)
    width, depth = place.sides_m
    assert (width, depth) == pytest.approx((901.5, 1109.7), rel=5e-3)  # 0.01° at 36°N
    mercator = raster.Place((2, 2), (12_690_000.0, 4_300_000.0), (100.0, 100.0), raster.systems.parse_crs("3857"))
    assert mercator.row_area_m2[0] == pytest.approx(1e4 * np.cos(np.radians(36.0)) ** 2, rel=0.02)


def test_an_old_datum_is_used_and_its_accuracy_told(folder: Path) -> None:
    # Xi'an 80 in the same zone: the very numbers, some tens of metres elsewhere
    found = drawn(rasters.write(folder / "xian.tif", valleys(), crs=2383))
    assert any(note.code == "accuracy" for note in found.notes)
    assert areas(found)["reach:A"] == pytest.approx(10.46, rel=0.1)


def test_the_edge_and_what_lies_beyond_it_are_told(land: Land, folder: Path) -> None:
    codes = {note.code for note in land.notes}
    assert "cut_off" in codes
    small = drawn(rasters.write(folder / "small.tif", valleys()[:25]))
    told = {note.code: str(note) for note in small.notes}
    assert told["no_land"].startswith("2 条河段没有得到汇水区")
    assert "C、D" in told["no_land"]
    assert told["partly_outside"].startswith("2 条河段有一部分在 DEM 之外，其汇水面积偏小：A、B")


def test_a_gap_that_land_encloses_is_told_and_one_at_the_rim_is_not(folder: Path) -> None:
    gap = valleys()
    gap[10:12, 20:23] = np.nan
    gap[:5, :5] = np.nan
    found = drawn(rasters.write(folder / "gap.tif", gap))
    (note,) = [note for note in found.notes if note.code == "voids"]
    assert str(note) == (
        "gap.tif 内部有 6 个像元没有高程（0.3%，空洞或挖去的湖面），水流到那里为止，下游的汇水面积会偏小。请先填补"
    )
    gap[10:12, 20:23] = 50
    assert not [n for n in drawn(rasters.write(folder / "rim.tif", gap)).notes if n.code == "voids"]


def test_a_plain_says_that_it_is_one(folder: Path) -> None:
    found = drawn(rasters.write(folder / "flat.tif", np.full((40, 60), 70, np.int16)))
    (note,) = [note for note in found.notes if note.code == "level_ground"]
    assert "以刻入的河道为准" in str(note)
    assert areas(found)["reach:A"] > 1  # and the rivers share it out all the same


# -- rivers where there are none ---------------------------------------------------------------------------------------


def test_rivers_are_found_where_enough_land_drains_together(dem: Path) -> None:
    land = rivers_of_land(Dem(dem), threshold_km2=1.0)
    assert len(land.reaches) == len(land.catchments)
    assert land.reaches["area_km2"].sum() <= 40 * 60 * HA * 1.0001
    plane = land.reaches.to_crs(PLANE)
    down = [line.coords[-1] for line in plane.geometry]
    height = valleys()

    def at(xy: tuple[float, ...]) -> float:
        return float(height[int((CORNER[1] - xy[1]) // 100), int((xy[0] - CORNER[0]) // 100)])

    assert all(at(line.coords[-1]) < at(line.coords[0]) for line in plane.geometry)  # drawn downstream
    assert any(abs(x - (CORNER[0] + 5950)) < 60 for x, _ in down)  # the mouth at the eastern rim


def test_a_project_is_founded_from_a_dem_alone(dem: Path, tmp_path: Path) -> None:
    land = rivers_of_land(Dem(dem), threshold_km2=1.0)
    place = str(tmp_path / "new.gpkg")
    outcome = found_project(place, land)
    assert outcome.report.sound, list(outcome.report.lines())
    opened = layers.open_project(place)
    network = opened.network()
    assert len(network.reaches) == len(land.reaches)
    assert set(opened.table("catchments")["drains_to"]) == set(land.reaches["reach_id"])
    assert outcome.report.network.mouths < outcome.report.network.nodes
    assert kept(opened, RELIEF) is not None
    assert opened.verify() == []


def test_a_threshold_that_nothing_reaches_is_refused(dem: Path) -> None:
    with pytest.raises(HydroError, match="没有达到阈值 500 km² 的河流。请减小 --threshold"):
        rivers_of_land(Dem(dem), threshold_km2=500.0)
    with pytest.raises(HydroError, match="须大于 0 km²，给的是 0"):
        rivers_of_land(Dem(dem), threshold_km2=0.0)


# -- in the project ----------------------------------------------------------------------------------------------------


def test_what_is_kept_is_in_the_book_and_the_user_s_own_catchments_stay(dem: Path, land: Land, tmp_path: Path) -> None:
    own = gpd.GeoDataFrame({"id": ["我的"], "name": ["自绘"]}, geometry=[shapely.box(114, 35, 114.1, 35.1)], crs=4490)
    place = tmp_path / "y.gpkg"
    project = layers.create_project(place, name="Y", tables={**tables(), "catchments": own})
    keep_land(project, land)
    keep_land(project, land)
    found = project.table("catchments")
    assert set(found["id"]) == {"我的", *(f"reach:{r}" for r in "ABCD"), "section:S1"}
    by_reach = project.table("reaches").set_index("reach_id")["area_km2"]
    assert by_reach["A"] == areas(land)["reach:A"]
    book = project.book()
    assert book[book["why"] == "terrain dem.tif"]["table_name"].tolist() == ["reaches", "catchments", "pictures"]
    assert project.verify() == []
    copy = tmp_path / "copy.gpkg"
    from layers.store.backup import backup

    backup(project, str(copy))
    assert kept(layers.open_project(copy), RELIEF) == land.relief


def test_a_picture_lives_in_either_store_and_tampering_shows(land: Land, place) -> None:  # type: ignore[no-untyped-def]
    import sqlalchemy as sa

    from layers.store.pictures import PICTURES, keep

    project = layers.create_project(place("picture"), name="Y", tables=tables())
    assert kept(project, RELIEF) is None
    keep(project, RELIEF, land.relief, why="看")
    assert kept(project, RELIEF) == land.relief
    assert project.verify() == []
    with project.store.begin() as connection:
        connection.execute(sa.update(PICTURES).values(png=b"other"))
    assert [fault.table for fault in project.verify()] == ["pictures"]
    project.close()


def test_the_file_beside_holds_both_layers(dem: Path, tmp_path: Path) -> None:
    land = rivers_of_land(Dem(dem), threshold_km2=1.0)
    write_land(land, tmp_path / "out.gpkg")
    assert len(gpd.read_file(tmp_path / "out.gpkg", layer="reaches")) == len(land.reaches)
    with pytest.raises(HydroError, match="已经存在"):
        write_land(land, tmp_path / "out.gpkg")
    with pytest.raises(HydroError, match=r"须以 \.gpkg 结尾"):
        write_land(land, tmp_path / "out.shp")


# -- hillshade ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("east", "north"), [(0.0, 0.0), (0.3, 0.0), (0.0, -0.2), (-0.1, 0.25)])
def test_the_shade_of_a_plane_is_the_formula(east: float, north: float) -> None:
    row, column = np.mgrid[0:6, 0:7]
    light = shade(east * 10.0 * column - north * 20.0 * row, 10.0, 20.0)
    slope = np.arctan(np.hypot(east, north))
    aspect = np.arctan2(-east, -north)  # downhill, clockwise from north
    zenith, azimuth = np.radians([45.0, 315.0])
    expected = np.cos(zenith) * np.cos(slope) + np.sin(zenith) * np.sin(slope) * np.cos(azimuth - aspect)
    np.testing.assert_allclose(light, max(expected, 0.0), rtol=1e-12)


def test_the_hillshade_is_a_picture_of_the_dem_s_extent(land: Land) -> None:
    import io

    from PIL import Image

    picture = land.relief
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)))
    assert pixels.shape[2] == 2
    west, south, east, north = picture.bounds
    line = along((0, 0), (39, 59))
    assert (west, south, east, north) == pytest.approx(
        (line.bounds[0], line.bounds[1], line.bounds[2], line.bounds[3]), abs=0.002
    )
    assert pixels[..., 1].mean() > 200
    assert np.ptp(pixels[..., 0].astype(int)[pixels[..., 1] > 0]) > 40


# -- refused -----------------------------------------------------------------------------------------------------------


def refused(path: Path, **options: object) -> str:
    with pytest.raises(HydroError) as wrong:
        drawn(path, **options)
    return str(wrong.value)


def test_a_raster_elsewhere_is_refused_with_both_extents(folder: Path) -> None:
    path = rasters.write(folder / "elsewhere.tif", valleys(), corner=(600_000.0, 3_900_000.0))
    assert refused(path) == (
        "elsewhere.tif 与河网不在一处：栅格 115.0979～115.1643°E 35.1874～35.2240°N，"
        "河网 114.0170～114.0653°E 35.2015～35.2286°N。请检查坐标系（--crs）或换一个文件"
    )


def test_without_a_system_it_is_asked_with_the_reaches_that_lie_inside(folder: Path) -> None:
    path = rasters.write(folder / "nowhere.tif", valleys(), crs=None)
    told = refused(path)
    assert told.startswith(
        "nowhere.tif 没有说明坐标系。请用 --crs 指明；可能是（括号内为落在栅格内的河段数）：--crs 4547（4/4）"
    )
    assert areas(drawn(path, crs="4547"))["reach:A"] == pytest.approx(10.46, rel=1e-3)


def test_without_a_system_and_without_rivers_the_numbers_propose(folder: Path) -> None:
    path = rasters.write(folder / "unsaid.tif", valleys(), crs=None)
    with pytest.raises(HydroError, match="请用 --crs 指明；按坐标的数值可能是：--crs 4534"):
        rivers_of_land(Dem(path))


def test_a_system_that_leads_nowhere_and_places_beyond_it_are_refused(folder: Path) -> None:
    local = 'LOCAL_CS["工地",UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]'
    told = refused(rasters.write(folder / "local.tif", valleys(), crs=local))
    assert told == "local.tif 的坐标系换算不到经纬度（不是大地坐标，或已损坏）。请用 --crs 指明"
    far = refused(rasters.write(folder / "far.tif", valleys(), crs=4490))
    assert (
        far
        == "far.tif 的坐标（500000, 3.9e+06）不在坐标系 China Geodetic Coordinate System 2000 的范围内。请检查坐标系（--crs）"
    )


def test_a_rotated_raster_is_refused(folder: Path) -> None:
    path = rasters.write(folder / "turned.tif", valleys(), transform=Affine(100, 5, CORNER[0], 5, -100, CORNER[1]))
    assert refused(path) == "turned.tif 是旋转的栅格（行列不与坐标轴平行），不能使用。请先用 gdalwarp 重采样为正北向"


def test_an_undeclared_nodata_value_is_asked_not_used(folder: Path) -> None:
    holes = valleys()
    holes[0, 0] = -32768
    path = rasters.write(folder / "undeclared.tif", holes)
    assert refused(path) == (
        "undeclared.tif 里有 -32768，超出可能的范围 -500～9000，像是没有声明的无值。若是，请加 --nodata -32768；若单位不对，请先换算"
    )


def test_nothing_valid_no_file_no_raster_no_place(folder: Path) -> None:
    empty = rasters.write(folder / "empty.tif", np.full((40, 60), -1.0), nodata=-1)
    assert refused(empty) == "empty.tif 里没有一个有效的像元。请检查文件与无值（nodata）设置"
    assert refused(folder / "none.tif") == f"找不到栅格文件 {folder / 'none.tif'}。请检查路径"
    text = folder / "text.tif"
    text.write_text("不是栅格")
    assert refused(text) == "text.tif 不是可读的栅格（应为 GeoTIFF 等），或文件已损坏。请重新导出后再试"
    whole = rasters.write(folder / "whole.tif", np.tile(valleys(), (10, 10))).read_bytes()
    half = folder / "half.tif"
    half.write_bytes(whole[: len(whole) // 2])
    assert "half.tif" in refused(half)


def test_what_the_machine_has_no_memory_for_is_refused_before_it_begins() -> None:
    with pytest.raises(HydroError) as wrong:
        raster.must_fit(10**9, 18, "huge.tif", free=4 << 30)
    assert str(wrong.value) == (
        "huge.tif 有 1,000,000,000 个像元，约需内存 17.2 GB，本机现可用 4.0 GB。"
        "请关闭其他程序，或用 --coarsen 3 把每 3×3 个像元并作一个"
    )
    raster.must_fit(10**8 // 9, 18, "huge.tif", free=4 << 30)


def test_a_map_alone_carries_its_hillshade_and_asks_nobody(dem: Path, land: Land, tmp_path: Path) -> None:
    project = layers.create_project(tmp_path / "y.gpkg", name="Y", tables=tables())
    bare = layers.draw(project.network()).get_root().render()
    assert "data:image/png" not in bare
    keep_land(project, land)
    page = layers.draw(project.network()).get_root().render()
    assert page.count("data:image/png;base64,") == 1
    west, south, east, north = land.relief.bounds
    assert f'"bounds": [[{south}, {west}], [{north}, {east}]]' in page
