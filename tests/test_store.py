"""A project file: what goes in comes out, whole or not at all, and QGIS finds its way in it."""

import sqlite3
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from offices import tables

import layers
from hydro.errors import HydroError
from layers.store import shares
from layers.store.shares import share


@pytest.fixture
def project(tmp_path: Path) -> layers.Project:
    return layers.create_project(tmp_path / "basin.gpkg", name="示例流域", demo=True, tables=tables())


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


def test_other_programs_read_and_edit_it(project: layers.Project) -> None:
    project.close()
    kinds = dict(pyogrio.list_layers(project.url))
    assert kinds["reaches"] == "LineString"
    assert kinds["observations"] is None
    inside = geopandas.read_file(project.url, layer="reaches", bbox=(113.915, 35.2, 114, 35.4))
    assert inside["reach_id"].tolist() == ["R2"]
    edited = geopandas.read_file(project.url, layer="outlets")
    edited = edited.iloc[:2].assign(outlet_id=["O7", "O8"])
    edited.to_file(project.url, layer="outlets", mode="a")
    assert project.table("outlets", geometry=True)["outlet_id"].tolist() == ["O1", "O2", "O3", "O4", "O7", "O8"]


def test_the_spatial_index_follows_every_change(project: layers.Project) -> None:
    moved = tables()["outlets"].set_geometry([shapely.Point(114.5, 35.9)] * 4, crs=4490)
    project.write({"outlets": moved}, why="moved")
    project.close()
    assert len(geopandas.read_file(project.url, layer="outlets", bbox=(114.4, 35.8, 114.6, 36.0))) == 4
    with sqlite3.connect(project.url) as file:
        box = file.execute("SELECT min_x, max_y FROM gpkg_contents WHERE table_name = 'outlets'").fetchone()
    assert box == pytest.approx((114.5, 35.9), abs=1e-4)


def test_what_is_no_project_says_so(project: layers.Project, tmp_path: Path) -> None:
    plain = tmp_path / "plain.gpkg"
    tables()["reaches"].to_file(plain, layer="reaches")
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
    tables()["reaches"].to_file(plain, layer="reaches")
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


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_project_on_a_network_share_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    local, far = tmp_path / "a.gpkg", tmp_path / "公 享"
    far.mkdir()
    layers.create_project(local, name="x", tables=tables()).close()
    (far / "a.gpkg").write_bytes(local.read_bytes())
    point = str(far).replace(" ", "\\040")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
        f"90 22 0:41 / {point} rw shared:9 - {kind} server:/export rw,vers=4.2\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("layers.store.shares.MOUNTS", mounts)
    for attempt in (layers.open_project, lambda path: layers.create_project(path, name="y")):
        with pytest.raises(HydroError) as caught:
            attempt(far / "a.gpkg")
        assert str(caught.value) == (
            f"项目 {far / 'a.gpkg'} 在网络共享（{kind}）上，那里的文件锁不可靠，多人同时写会损坏项目。"
            "请移到本机磁盘；多人共用请改用 PostGIS。"
        )
    assert layers.open_project(local).verify() == []


def test_of_nested_mounts_the_deepest_last_one_counts(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 0:1 / / rw - nfs4 root:/ rw\n2 1 0:2 / /data rw - ext4 /dev/sdb rw\n3 2 0:3 / /data/far rw - ext4 /dev/sdc rw\n"
        "4 3 0:4 / /data/far rw - cifs //nas/x rw\n"
    )
    assert [share(Path(path), mounts) for path in ("/data/a.gpkg", "/data/far/a.gpkg", "/home/a.gpkg")] == [
        "",
        "cifs",
        "nfs4",
    ]


@pytest.mark.parametrize(("path", "kind"), [(r"\\nas\水质\a.gpkg", "UNC"), ("//nas/x/a.gpkg", "UNC")])
def test_a_share_of_windows_is_known_by_its_name(path: str, kind: str) -> None:
    assert shares._windows(path) == kind
