"""A project file: what goes in comes out, whole or not at all, and QGIS finds its way in it."""

import os
import sqlite3
from pathlib import Path

import geopandas
import pandas as pd
import pyogrio
import pytest
import shapely

import layers
from hydro.errors import FaultsError, HydroError


def basin() -> dict[str, pd.DataFrame]:
    """Two reaches one after the other, an outlet on the first, a section on the second, two months of samples."""
    return {
        "reaches": geopandas.GeoDataFrame(
            {
                "reach_id": ["R1", "R2"],
                "from_node": ["a", "b"],
                "to_node": ["b", "c"],
                "length_m": [1000.0, 2000.0],
                "discharge_m3_s": [2.0, 2.5],
                "velocity_m_s": [0.3, 0.3],
            },
            geometry=[
                shapely.LineString([(113.9, 35.3), (113.91, 35.3)]),
                shapely.LineString([(113.91, 35.3), (113.93, 35.31)]),
            ],
            crs=4490,
        ),
        "outlets": geopandas.GeoDataFrame(
            {
                "outlet_id": ["O1"],
                "name": ["城东'; DROP TABLE outlets; --"],
                "reach_id": ["R1"],
                "chainage_m": [400.0],
                "permit_load_kg_d": [1.5],
                "reports": [1],
            },
            geometry=[shapely.Point(113.905, 35.3)],
            crs=4490,
        ),
        "sections": geopandas.GeoDataFrame(
            {
                "section_id": ["S1"],
                "name": ["桥"],
                "reach_id": ["R2"],
                "chainage_m": [1500.0],
                "tp_target_mg_l": [0.3],
            },
            geometry=[shapely.Point(113.92, 35.305)],
            crs=4490,
        ),
        "observations": pd.DataFrame(
            {
                "station_id": ["S1", "S1"],
                "station_kind": ["section", "section"],
                "time": ["2022-06", "2022-07"],
                "parameter": ["TP", "TP"],
                "value": [0.21, None],
                "qualifier": ["", "ND"],
            }
        ),
    }


@pytest.fixture
def project(tmp_path: Path) -> layers.Project:
    return layers.create_project(tmp_path / "basin.gpkg", name="示例流域", demo=True, tables=basin())


def test_what_goes_in_comes_out(project: layers.Project) -> None:
    found = project.tables(geometry=True)
    assert (project.name, project.demo, project.revision) == ("示例流域", True, 1)
    for name, given in basin().items():
        pd.testing.assert_frame_equal(
            pd.DataFrame(found[name])[list(given.columns)], pd.DataFrame(given), check_dtype=False
        )
    assert found["reaches"].crs.to_epsg() == 4490


def test_attributes_are_read_without_the_geographic_libraries(project: layers.Project) -> None:
    code = f"""
import sys, layers
layers.open_project({project.url!r}).tables()
assert not {{"geopandas", "sqlalchemy", "pyproj"}} & set(sys.modules), set(sys.modules)
"""
    top = Path(__file__).parent.parent
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", code], check=True, cwd=top)


def test_writing_the_same_again_changes_nothing(project: layers.Project) -> None:
    assert project.write(basin(), why="again") == 1
    assert project.revision == 1
    assert len(project.table("audit")) == 4


def test_merging_updates_the_columns_given_and_adds_the_rest(project: layers.Project) -> None:
    given = pd.DataFrame({"outlet_id": ["O1", "O2"], "chainage_m": [450.0, 10.0], "owner": ["甲厂", "乙厂"]})
    assert project.write({"outlets": given}, why="survey") == 2
    outlets = project.table("outlets").set_index("outlet_id")
    assert outlets.loc["O1", ["chainage_m", "owner", "permit_load_kg_d"]].tolist() == [450.0, "甲厂", 1.5]
    assert outlets.loc["O2", "chainage_m"] == 10.0


def test_replacing_removes_the_rows_not_given(project: layers.Project) -> None:
    project.write({"reaches": basin()["reaches"].iloc[:1]}, why="cut", replace=True)
    assert project.table("reaches")["reach_id"].tolist() == ["R1"]
    last = project.table("audit").iloc[-1]
    assert (last["what"], last["table_name"], last["row_id"], last["why"]) == ("write", "reaches", "R2", "cut")
    assert '"length_m":2000.0' in last["before"]


def test_faults_are_told_all_at_once_and_nothing_is_written(project: layers.Project) -> None:
    bad = {
        "outlets": pd.DataFrame({"outlet_id": ["O1", "O1", None], "chainage_m": ["x", 1, 2]}),
        "reaches": pd.DataFrame({"reach_id": ["R9"], "name": ["a\x00b"]}),
    }
    with pytest.raises(FaultsError) as caught:
        project.write(bad, why="bad")
    assert [str(fault) for fault in caught.value.faults] == [
        "表 outlets 的 O1 行 chainage_m 应为数字，给出的是“x”。请改正或留空。",
        "表 outlets 里 O1 出现了不止一次。请只保留一行。",
        "表 outlets 第 3 行缺少 outlet_id。请填写后重试。",
        "表 reaches 的 R9 行 name 含有无法保存的字符。请删除后重试。",
    ]
    assert project.revision == 1


def test_other_programs_read_and_edit_it(project: layers.Project) -> None:
    project.close()
    kinds = dict(pyogrio.list_layers(project.url))
    assert kinds["reaches"] == "LineString"
    assert kinds["observations"] is None
    inside = geopandas.read_file(project.url, layer="reaches", bbox=(113.915, 35.2, 114, 35.4))
    assert inside["reach_id"].tolist() == ["R2"]
    edited = geopandas.read_file(project.url, layer="outlets")
    edited["outlet_id"] = "O7"
    edited.to_file(project.url, layer="outlets", mode="a")
    assert project.table("outlets", geometry=True)["outlet_id"].tolist() == ["O1", "O7"]


def test_the_spatial_index_follows_every_change(project: layers.Project) -> None:
    moved = basin()["outlets"].set_geometry([shapely.Point(114.5, 35.9)], crs=4490)
    project.write({"outlets": moved}, why="moved")
    project.close()
    assert len(geopandas.read_file(project.url, layer="outlets", bbox=(114.4, 35.8, 114.6, 36.0))) == 1
    with sqlite3.connect(project.url) as file:
        box = file.execute("SELECT min_x, max_y FROM gpkg_contents WHERE table_name = 'outlets'").fetchone()
    assert box == pytest.approx((114.5, 35.9), abs=1e-4)


def test_a_read_only_project_is_read_and_not_written(project: layers.Project) -> None:
    project.close()
    if os.geteuid() == 0:
        pytest.skip("root may write everything; the contract suite runs this as another user")
    os.chmod(project.url, 0o400)
    assert len(layers.open_project(project.url).table("reaches")) == 2
    with pytest.raises(HydroError) as caught:
        project.write({"reaches": pd.DataFrame({"reach_id": ["R9"]})}, why="no")
    assert caught.value.code == "read_only"


def test_what_is_no_project_says_so(project: layers.Project, tmp_path: Path) -> None:
    plain = tmp_path / "plain.gpkg"
    basin()["reaches"].to_file(plain, layer="reaches")
    text = tmp_path / "text.gpkg"
    text.write_text("not a database at all, but long enough to be read as a header" * 40)
    cut = tmp_path / "cut.gpkg"
    project.close()
    cut.write_bytes(Path(project.url).read_bytes()[:20000])
    told = {}
    for path in (plain, text, cut, tmp_path / "none.gpkg", tmp_path):
        with pytest.raises(HydroError) as caught:
            layers.open_project(path).tables()
        told[path.name] = caught.value.code
    assert told == {
        "plain.gpkg": "not_a_project",
        "text.gpkg": "broken_project",
        "cut.gpkg": "broken_project",
        "none.gpkg": "missing_project",
        tmp_path.name: "not_a_file",
    }


def test_a_plain_geopackage_is_pointed_to_import(tmp_path: Path) -> None:
    plain = tmp_path / "plain.gpkg"
    basin()["reaches"].to_file(plain, layer="reaches")
    with pytest.raises(
        HydroError, match=r"不是清源项目，而是一般的数据文件。请先导入：import .*plain.gpkg --into 项目.gpkg"
    ):
        layers.open_project(plain)


def test_a_newer_project_is_refused(project: layers.Project) -> None:
    with sqlite3.connect(project.url) as file:
        file.execute("UPDATE project SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(HydroError, match=r"由更新的版本写成（结构 99，"):
        layers.open_project(project.url)


def test_a_project_without_reaches_asks_for_an_import(tmp_path: Path) -> None:
    with pytest.raises(HydroError, match="项目 空 里还没有河段。请先用 import 导入河网。"):
        layers.create_project(tmp_path / "empty.gpkg", name="空").network()


def test_a_project_is_never_made_over_another(project: layers.Project, tmp_path: Path) -> None:
    with pytest.raises(HydroError) as caught:
        layers.create_project(project.url, name="x")
    assert caught.value.code == "exists"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".new"] == []


def test_the_book_cannot_be_altered(project: layers.Project) -> None:
    with sqlite3.connect(project.url) as file:
        for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                file.execute(statement)
