"""A project is whole or says what is not: tampering, copies, migrations, sudden ends; the same on both stores."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from dying import backdate
from offices import tables
from postgres import Cluster

import layers
from hydro.errors import HydroError
from layers.store.backup import backup, restore
from layers.store.migrations import MIGRATIONS
from layers.store.roles import User
from layers.store.rows import digest
from layers.store.tables import SCHEMA_VERSION

HERE = Path(__file__).parent


@pytest.fixture
def project(place: Callable[[str], str]) -> Iterator[layers.Project]:
    url = place("whole")
    made = layers.create_project(url, name="流域", tables=tables())
    made.plans.create("一期")
    made.plans.decide("一期", ["O1"], "seal", seen={}, why="直排")
    made.plans.attach("一期", "O1", "现场.pdf", b"%PDF-1.7")
    made.raw_url = url  # type: ignore[attr-defined]
    assert made.verify() == []
    yield made
    made.close()


def behind(project: layers.Project, *statements: str) -> None:
    """Change a project as somebody would who goes round the program."""
    with project.store.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def unlock(project: layers.Project) -> list[str]:
    """Statements by which the owner of the database would silence the triggers of the book."""
    if project.url.startswith("postgresql"):
        return ["DROP TRIGGER audit_append_only ON audit"]
    return ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_the_book_refuses_to_be_altered(project: layers.Project, statement: str) -> None:
    with pytest.raises(HydroError, match="the audit is append-only"):
        behind(project, statement)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE audit SET who = 'x' WHERE audit_id = 3",
            "账册第 3 行与前一行对不上：有记录被改动、删除或插入。请与备份核对。",
        ),
        ("DELETE FROM audit WHERE audit_id = 4", "账册第 5 行与前一行对不上：有记录被改动、删除或插入。请与备份核对。"),
        (
            "DELETE FROM audit WHERE audit_id = (SELECT max(audit_id) FROM audit)",
            "项目的修订是 4，账册只记到 3：末尾的记录丢失。请与备份核对。",
        ),
    ],
)
def test_tampering_with_the_book_shows(project: layers.Project, statement: str, told: str) -> None:
    behind(project, *unlock(project), statement)
    assert told in [str(fault) for fault in project.verify()]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET decision = 'regulate'",
        "UPDATE outlets SET geom = NULL WHERE outlet_id = 'O2'",
        "UPDATE observations SET value = value + 1e-12 WHERE value IS NOT NULL",
        "DELETE FROM weather WHERE 1 = 1",
        "INSERT INTO tasks (task_id, title) VALUES ('T1', 'x')",
        "UPDATE attachments SET added_by = 'x'",
    ],
)
def test_a_change_without_its_entry_shows(project: layers.Project, statement: str) -> None:
    project.write({"weather": pd.DataFrame({"time": ["2022-07"], "place": [""], "rain_mm": [1.0]})}, why="rain")
    behind(project, statement)
    assert {fault.code for fault in project.verify()} == {"altered"}


def test_what_was_edited_elsewhere_can_be_taken_into_the_book(project: layers.Project) -> None:
    behind(project, "UPDATE outlets SET owner = '甲厂' WHERE outlet_id = 'O1'")
    revision = project.revision
    assert project.adopt(why="QGIS") == ["outlets"]
    assert (project.verify(), project.revision) == ([], revision + 1)


def test_a_decision_on_an_outlet_that_is_gone_shows(project: layers.Project) -> None:
    project.write({"outlets": tables()["outlets"].iloc[1:]}, why="gone", replace=True)
    assert [str(fault) for fault in project.verify()] == [
        "表 decisions 的一行指向不存在的 outlet_id O1。请删除该行，或补上所指的行。"
    ]


def test_a_copy_is_the_project_in_any_store(project: layers.Project, tmp_path: Path, postgres: Cluster) -> None:
    kept = tmp_path / "backup.gpkg"
    backup(project, str(kept))
    targets = [str(tmp_path / "again.gpkg"), postgres.url(f"again_{project.url[0].strip('/') or 'file'}")]
    for url in targets:
        restore(str(kept), layers.store.project.store_at(url))
        again = layers.open_project(url)
        assert again.verify() == []
        pd.testing.assert_frame_equal(again.table("audit"), project.table("audit"))
        for name, table in project.tables(geometry=True).items():
            assert digest(rows(again, name)) == digest(rows(project, name)), name
            assert len(again.table(name)) == len(table)
        assert again.plans.attachment(again.plans.attachments("一期")["attachment_id"][0]) == b"%PDF-1.7"
        again.plans.decide("一期", ["O2"], "seal", seen={})
        assert again.verify() == []
        with pytest.raises(HydroError) as caught:
            restore(str(kept), layers.store.project.store_at(url))
        assert caught.value.code == "exists"
        again.close()


def rows(project: layers.Project, name: str) -> list[dict[str, object]]:
    with project.look() as work:
        return work.rows(name)


def test_only_an_administrator_copies_everything(project: layers.Project, tmp_path: Path) -> None:
    project.user = User("李工", "approver")
    with pytest.raises(HydroError) as caught:
        backup(project, str(tmp_path / "b.gpkg"))
    assert caught.value.code == "no_right"


def test_an_older_project_opens_after_a_copy_is_kept(project: layers.Project) -> None:
    behind(project, *unlock(project), "DELETE FROM audit WHERE what = 'attach'")
    behind(project, "UPDATE project SET value = '3' WHERE key = 'revision'")
    backdate(project)
    with ThreadPoolExecutor(2) as pool:  # two at once: each step is done once all the same
        opened = list(pool.map(layers.open_project, [project.raw_url] * 2))  # type: ignore[attr-defined]
    assert opened[0].verify() == []
    assert opened[0].book()["what"].tolist()[-4:] == ["migrate"] * 4
    assert opened[0].book()["what"].tolist().count("migrate") == 4
    kept = opened[0].store.beside("v1")
    assert kept.facts()["schema_version"] == "1"
    assert kept.facts()["revision"] == "3"


def test_the_steps_lead_to_the_version_that_the_program_knows() -> None:
    assert [step.version for step in MIGRATIONS] == list(range(2, SCHEMA_VERSION + 1))


def test_a_writer_killed_at_any_moment_leaves_the_old_project_or_the_new(place: Callable[[str], str]) -> None:
    url = place("dying")
    layers.create_project(url, name="流域", tables=tables()).plans.create("一期")
    done = subprocess.run(
        [sys.executable, str(HERE / "dying.py"), url, "6", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "advanced" in done.stdout


def test_a_server_that_goes_down_loses_nothing(postgres: Cluster) -> None:
    url = postgres.url("down")
    project = layers.create_project(url, name="流域", tables=tables())
    assert project.revision == 1
    postgres.stop("immediate")
    try:
        with pytest.raises(HydroError) as caught:
            project.write({"outlets": tables()["outlets"].assign(owner="x")}, why="x")
        assert str(caught.value) == (f"数据库 {project.url} 连不上或中途断开；未提交的改动没有保存。请稍后重试。")
    finally:
        postgres.start()
    assert project.write({"outlets": tables()["outlets"].assign(owner="x")}, why="x") == 2
    assert project.verify() == []


def decide_while(project: layers.Project, accident: Callable[[], None]) -> None:
    """Two decisions of one transaction, and what happens between them."""
    with project.change() as work:
        row = {"plan_id": work.plan("一期")["plan_id"], "outlet_id": "O1", "decision": "seal"}
        work.put("decisions", None, row, "decide", "")
        accident()
        work.put("decisions", None, row | {"outlet_id": "O2"}, "decide", "")


def test_a_server_that_dies_in_the_middle_of_a_decision_keeps_the_plan_as_it_was(postgres: Cluster) -> None:
    project = layers.create_project(postgres.url("middle"), name="流域", tables=tables())
    project.plans.create("一期")
    try:
        with pytest.raises(HydroError) as caught:
            decide_while(project, lambda: postgres.stop("immediate"))
        assert caught.value.code == "server_down"
    finally:
        postgres.start()
    assert project.plans.decisions("一期").empty
    assert project.plans.decide("一期", ["O1", "O2"], "seal", seen={}) == project.revision  # tried again, it is done
    assert project.verify() == []


def test_a_full_disk_is_told_and_the_project_stays_whole(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path[:0] = [{str(HERE.parent)!r}, {str(HERE)!r}]
import pandas as pd
import layers
from hydro.errors import HydroError
from offices import tables
project = layers.create_project({str(tmp_path / "room" / "full.gpkg")!r}, name="x", tables=tables())
many = pd.DataFrame({{"time": [str(n) for n in range(100000)], "place": "x" * 50, "rain_mm": 1.0}})
try:
    project.write({{"outlets": tables()["outlets"].assign(owner="x"), "weather": many}}, why="too much")
except HydroError as problem:
    assert project.verify() == [], project.verify()
    assert project.revision == 1 and project.table("outlets")["owner"].isna().all()
    print(problem.code)
"""
    (tmp_path / "room").mkdir()
    mounted = f'mount -t tmpfs -o size=3m tmpfs {tmp_path / "room"} && exec {sys.executable} -c "$SCRIPT"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mounted],
        env=os.environ | {"SCRIPT": script}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "mount" in done.stderr and "Traceback" not in done.stderr and not os.environ.get("CI"):
        pytest.skip("no small disk can be mounted here")
    assert (done.stdout.strip(), done.stderr) == ("disk", "")


def test_a_read_only_project_is_read_and_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    layers.create_project(folder / "a.gpkg", name="x", tables=tables()).close()
    for path in [folder / "a.gpkg", folder]:
        path.chmod(0o555)
    script = f"""
import os, sys
sys.path[:0] = [{str(HERE.parent)!r}, {str(HERE)!r}]
import layers
from hydro.errors import HydroError
from offices import tables

def attempt(path):
    project = layers.open_project(path)
    assert len(project.table("reaches")) == 2 and project.verify() == []
    project.write({{"outlets": tables()["outlets"].assign(owner="x")}}, why="x")

layers.create_project({str(tmp_path / "warm.gpkg")!r}, name="x", tables=tables())
attempt({str(tmp_path / "warm.gpkg")!r})  # loads everything, as a user without a home could not
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    attempt({str(folder / "a.gpkg")!r})
except HydroError as problem:
    print(problem.code)
"""
    for above in (tmp_path, *tmp_path.parents[:3]):
        above.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    folder.chmod(0o755)
    assert (done.stdout.strip(), done.stderr) == ("read_only", "")
