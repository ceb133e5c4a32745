"""What leaves as files comes in again as the same rows; what a format cannot hold is told; nothing is half-written."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import shapely

import layers
from hydro.errors import HydroError
from layers.intake.imports import import_sources
from layers.store.export import FORMATS, export
from layers.store.tables import LAYOUTS, OWN

DEMO = Path(__file__).parent.parent / "data" / "demo"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> layers.Project:
    path = tmp_path_factory.mktemp("export") / "demo.gpkg"
    assert import_sources([DEMO], path).report.sound
    return layers.open_project(path)


def same(one: pd.DataFrame, other: pd.DataFrame, key: tuple[str, ...]) -> None:
    one, other = (
        t.drop(columns=[c for c in OWN if c in t]).sort_values(list(key), ignore_index=True) for t in (one, other)
    )
    assert set(one.columns) == set(other.columns)
    if "geometry" in one:
        metres = shapely.hausdorff_distance(one["geometry"].to_numpy(), other["geometry"].to_numpy()) * 111_000
        assert float(pd.Series(metres).max()) < 0.01
    columns = [name for name in one.columns if name != "geometry"]
    blank = {column: "" for column in columns if not pd.api.types.is_numeric_dtype(one[column])}
    one, other = pd.DataFrame(one[columns]).fillna(blank), pd.DataFrame(other[columns]).fillna(blank)
    pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-9)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_export_comes_in_again_as_the_same_project(demo: layers.Project, tmp_path: Path, suffix: str) -> None:
    files, notes = export(demo, tmp_path / "out" / f"basin{suffix}")
    assert files
    assert not notes
    again = import_sources(files if suffix != ".shp" else [tmp_path / "out"], tmp_path / "again.gpkg")
    assert again.report.sound, again.report.json()["refused"][:3] + again.report.json()["asked"]
    back = layers.open_project(tmp_path / "again.gpkg")
    assert (back.name, back.demo) == (demo.name, demo.demo)
    before, after = demo.tables(geometry=True), back.tables(geometry=True)
    for name, layout in LAYOUTS.items():
        assert len(before[name]) == len(after[name]), name
        if len(before[name]):
            same(before[name], after[name], layout.key)


def test_observations_leave_as_parquet_and_come_in_again(demo: layers.Project, tmp_path: Path) -> None:
    files, _ = export(demo, tmp_path / "obs.parquet")
    assert len(pd.read_parquet(files[0])) == len(demo.table("observations"))
    whole = {name: demo.table(name, geometry=True) for name in LAYOUTS if name != "observations"}
    whole = {name: table for name, table in whole.items() if len(table)}
    again = layers.create_project(tmp_path / "again.gpkg", name="again", tables=whole)
    report = import_sources(files, tmp_path / "again.gpkg").report
    assert report.sound, report.json()
    same(demo.table("observations"), again.table("observations"), LAYOUTS["observations"].key)


def test_a_parquet_file_of_another_program_comes_in(demo: layers.Project, tmp_path: Path) -> None:
    table = demo.table("observations").query("station_kind == 'section' and parameter == 'TP'").head(3)
    table = table.assign(time=pd.to_datetime(["2023-01-05 08:00", "2023-01-06 08:00", "2023-01-07 08:00"]))
    table.to_parquet(tmp_path / "observations.parquet")
    into = layers.create_project(
        tmp_path / "p.gpkg", name="p", tables={"sections": demo.table("sections", geometry=True)}
    )
    assert import_sources([tmp_path / "observations.parquet"], tmp_path / "p.gpkg").report.sound
    assert set(into.table("observations")["time"].str.slice(0, 16)) == {f"2023-01-0{day}T08:00" for day in (5, 6, 7)}


def test_parquet_with_many_values_in_a_cell_or_nothing_to_hold_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"station_id": ["S1"], "value": [[0.1, 0.2]]}).to_parquet(tmp_path / "nested.parquet")
    (told,) = import_sources([tmp_path / "nested.parquet"], tmp_path / "p.gpkg", dry_run=True).report.json()["refused"]
    assert told["what"] == "nested.parquet 的列 value 一格里有多个值。请展开成一格一个值再导入"
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + b"\x00" * 20)
    assert not import_sources([tmp_path / "cut.parquet"], tmp_path / "p.gpkg", dry_run=True).report.sound
    empty = layers.create_project(tmp_path / "empty.gpkg", name="空")
    with pytest.raises(HydroError, match="没有监测数据"):
        export(empty, tmp_path / "obs.parquet")
    assert not list(tmp_path.glob("obs*"))


def test_a_name_like_a_formula_stays_a_name_in_a_workbook(demo: layers.Project, tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "evil.gpkg"
    outlet = demo.table("outlets", geometry=True).head(1).assign(name='=HYPERLINK("http://x","y")')
    tables = {"reaches": demo.table("reaches", geometry=True), "outlets": outlet}
    files, _ = export(layers.create_project(path, name="=1+1", tables=tables), tmp_path / "evil.xlsx")
    book = openpyxl.load_workbook(files[0])
    cells = {cell.value: cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert cells['=HYPERLINK("http://x","y")'] == "s"
    assert "f" not in cells.values()


def test_a_text_too_long_for_a_shapefile_is_told(demo: layers.Project, tmp_path: Path) -> None:
    outlet = demo.table("outlets", geometry=True).head(1).assign(owner="很" * 100)  # 300 bytes
    tables = {"reaches": demo.table("reaches", geometry=True), "outlets": outlet}
    project = layers.create_project(tmp_path / "long.gpkg", name="长", tables=tables)
    _, (note,) = export(project, tmp_path / "long.zip")
    assert str(note) == "outlets 的 owner 有 1 格长于 shapefile 能存的 254 字节，已截断；要完整请用 .gpkg"


def test_another_ending_is_refused(demo: layers.Project, tmp_path: Path) -> None:
    with pytest.raises(HydroError) as told:
        export(demo, tmp_path / "basin.dwg")
    assert str(told.value) == "不能导出为 basin.dwg。可用的后缀：.gpkg、.geojson、.shp、.zip、.xlsx、.parquet"


def test_a_file_that_is_there_is_not_overwritten_unasked(demo: layers.Project, tmp_path: Path) -> None:
    file = tmp_path / "basin.geojson"
    file.write_text("mine")
    with pytest.raises(HydroError) as told:
        export(demo, file)
    assert str(told.value) == "basin.geojson 已经存在，未导出。请换一个文件名，或加 --overwrite 覆盖"
    assert file.read_text() == "mine"
    assert os.listdir(tmp_path) == ["basin.geojson"]
    export(demo, file, overwrite=True)
    assert json.loads(file.read_text(encoding="utf-8"))["type"] == "FeatureCollection"


def test_a_place_that_cannot_be_written_is_told(demo: layers.Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HydroError) as told:
        export(demo, tmp_path / "file" / "basin.gpkg")
    assert "请换一个可写的文件夹" in str(told.value)
