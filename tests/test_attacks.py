"""What somebody with bad intentions types, calls and uploads; the browser's part is in ``browser/test_hostile_names.py``."""

import ast
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from offices import EVIL, tables

import layers
from hydro.causes.findings import FieldFinding
from hydro.errors import FaultsError, HydroError
from layers.intake import entering
from layers.intake.intake import Import
from layers.intake.taking_back import take_last_back
from layers.report import Report
from layers.store import attachments, findings, pictures, stories, tasks
from layers.store.accounts import Accounts
from layers.store.backup import backup
from layers.store.export import export
from layers.store.roles import User
from layers.store.tables import LAYOUTS, declared
from reports.terminal import as_csv

LAYERS = Path(layers.__file__).parent
HOSTILE = (
    EVIL,
    "'; DROP TABLE audit; --",
    '"; DELETE FROM outlets WHERE "1"="1',
    "Robert'); UPDATE project SET value = '0'; --",
    "%(x)s :name ? $1 {0} {name} \\ \\x00 \u202e",
    "=cmd|'/c calc'!A1",
)
VIEWER = User("观者", "viewer")
ELSEWHERE = User("卫辉人", "approver", county="卫辉市")


@pytest.fixture
def url(place: Callable[[str], str]) -> Iterator[str]:
    made = layers.create_project(place("attacked"), name=EVIL, tables=tables())
    made.plans.create("一期")
    made.plans.decide("一期", ["O3"], "seal", seen={})
    made.write(
        {
            "tasks": pd.DataFrame(
                {"task_id": ["T1", "T3"], "title": "x", "state": ["assigned", "draft"], "county": "辉县市"}
            )
        },
        why="x",
    )
    findings.record_finding(made, FieldFinding("O3", "2022-06", "excluded"), found_on="2022-07-01")
    yield place("attacked")
    made.close()


def writers() -> set[str]:
    """Every function of the room that begins a transaction that writes."""
    found = set()
    for path in LAYERS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            calls = (
                (n.func for n in ast.walk(node) if isinstance(n, ast.Call)) if isinstance(node, ast.FunctionDef) else ()
            )
            if any(isinstance(call, ast.Attribute) and call.attr in ("change", "begin", "founding") for call in calls):
                found.add(f"{path.stem}.{node.name}")  # type: ignore[attr-defined]
    return found


NOT_BY_A_USER = {
    "accounts.add", "accounts.remove", "accounts.sign_in", "accounts._admit",  # the server's own table, by command line
    "store.begin", "store.founding", "postgis.begin", "postgis.founding",  # the transactions themselves
    "desk.change", "backup.copy", "migrations.migrate", "work._merge",  # begun by those below
}  # fmt: skip


def writes(project: layers.Project, tmp_path: Path) -> dict[str, Callable[[], object]]:
    """A call of every function that begins a transaction, on what belongs to 辉县市 or to the whole city."""
    outlet = tables()["outlets"].iloc[2:3].assign(owner="x")
    read = Import({"outlets": outlet}, Report())
    entered = entering.Entered(project.url, "x", project.revision, False, {}, (), before={"outlets": outlet})
    return {
        "desk.write": lambda: project.write({"outlets": outlet}, why="x"),
        "project.adopt": lambda: project.adopt(why="x"),
        "project.create_project": lambda: layers.create_project(tmp_path / "new.gpkg", name="x", user=project.user),
        "plans.create": lambda: project.plans.create("二期", base="一期"),
        "plans.decide": lambda: project.plans.decide("一期", ["O3"], "merge", seen=project.plans.seen("一期")),
        "plans.undo": lambda: project.plans.undo("一期"),
        "plans.step": lambda: project.plans.submit("一期"),
        "attachments.attach": lambda: attachments.attach(project, "一期", "O3", "a.pdf", b"%PDF-1.7"),
        "tasks.move_task": lambda: tasks.move_task(project, "T1", "list", today="2026-01-01"),
        "tasks.draft_tasks": lambda: tasks.draft_tasks(
            project, pd.DataFrame({"task_id": ["T2"], "title": ["x"]}), why="x"
        ),
        "tasks.fill_task": lambda: tasks.fill_task(
            project, "T3", department="x", person="x", due_on="2026-01-01", why="x"
        ),
        "findings.record_finding": lambda: findings.record_finding(
            project, FieldFinding("O3", "2022-07", "confirmed"), found_on="2022-08-01"
        ),
        "findings.withdraw_finding": lambda: findings.withdraw_finding(project, "O3", "2022-06"),
        "stories.keep_story": lambda: stories.keep_story(project, "2022-07", [stories.Step("situation")], why="x"),
        "entering.remember": lambda: entering.remember(project, {"排口": "name"}),
        "pictures.keep": lambda: pictures.keep(project, "relief", pictures.Picture(b"x", (0, 0, 1, 1)), why="x"),
        "entering.enter": lambda: entering.enter(read, project.raw, files=["x"], user=project.user),  # type: ignore[attr-defined]
        "entering.take_back": lambda: entering.take_back(entered, project.user),
        "taking_back.take_last_back": lambda: take_last_back(project, project.revision),
        "backup.backup": lambda: backup(project, str(tmp_path / "copy.gpkg")),
    }


def attempt(url: str, user: User, tmp_path: Path) -> dict[str, str]:
    """Code of the refusal of every write; blank where it was not refused."""
    project = layers.open_project(url, user=user)
    project.raw = url  # type: ignore[attr-defined]
    told = {}
    for name, call in writes(project, tmp_path).items():
        try:
            call()
            told[name] = ""
        except HydroError as refusal:
            told[name] = refusal.code
    return told


def test_no_write_is_forgotten_here(url: str, tmp_path: Path) -> None:
    known = set(writes(layers.open_project(url), tmp_path)) - {"backup.backup"} | NOT_BY_A_USER
    assert writers() == known


def test_a_viewer_is_refused_every_write(url: str, tmp_path: Path) -> None:
    before = layers.open_project(url).revision
    assert set(attempt(url, VIEWER, tmp_path).values()) == {"no_right"}
    assert layers.open_project(url).revision == before
    with pytest.raises(HydroError) as caught, layers.open_project(url, user=VIEWER).change():
        pytest.fail("a viewer began a change")
    assert caught.value.code == "no_right"
    assert not list(tmp_path.glob("new.gpkg")) + list(tmp_path.glob("copy.gpkg"))


def test_a_county_is_refused_every_write_to_another(url: str, tmp_path: Path) -> None:
    before = layers.open_project(url).revision
    told = attempt(url, ELSEWHERE, tmp_path)
    assert layers.open_project(url).revision == before
    assert {name: code for name, code in told.items() if code not in ("other_county", "no_right")} == {
        "plans.undo": "nothing_to_undo",  # it has decided nothing there
        "taking_back.take_last_back": "not_the_last",  # nor imported anything
        "entering.remember": "",  # what a column is called belongs to no county
    }


def test_nothing_that_is_typed_is_obeyed(url: str) -> None:
    project = layers.open_project(url)
    for number, name in enumerate(LAYOUTS):
        columns = [column for column, kind in declared(name).items() if kind == "TEXT"]
        rows = [dict.fromkeys(columns, f"{text}{n}") for n, text in enumerate(HOSTILE)]
        wrote = pd.DataFrame(rows).assign(
            **{key: [f"{text}{n}" for n, text in enumerate(HOSTILE)] for key in LAYOUTS[name].key if key in columns},
            **{key: range(len(HOSTILE)) for key in LAYOUTS[name].key if key not in columns},
        )
        project.write({name: wrote}, why=HOSTILE[number % len(HOSTILE)])
        found = project.table(name).tail(len(HOSTILE))
        for column in wrote:
            assert found[column].tolist() == wrote[column].tolist(), (name, column)
    assert project.verify() == []
    for words in HOSTILE:
        assert len(project.book(row=f"{words}0")) == len(project.book(row=f"{words}0", who=project.user.name))
        with pytest.raises(HydroError):
            project.plans.decide("一期", [words], "seal", seen={})
        for call in (
            project.plans.decisions,
            project.plans.attachments,
            lambda words: project.plans.diff("一期", words),
        ):
            with pytest.raises(HydroError, match="没有名为"):
                call(words)
        with pytest.raises(HydroError):
            project.table(words)


def test_plans_and_people_may_have_any_name(url: str, tmp_path: Path) -> None:
    accounts = Accounts(str(tmp_path / "accounts.sqlite"))
    for words in HOSTILE:
        accounts.add(words, "清水绿岸-鱼翔浅底-2026", role="planner", county=words)
        assert accounts.sign_in(words, "清水绿岸-鱼翔浅底-2026").county == words.strip()
        with pytest.raises(HydroError):
            accounts.sign_in(f"{words}' OR '1'='1", "' OR '1'='1")
    assert len(accounts) == len(HOSTILE)


@pytest.mark.parametrize("schema", ["public; DROP SCHEMA x", "a'b", 'a"b', "A", "../x", "", "pg_catalog\x00"])
def test_a_schema_that_is_no_name_is_refused(schema: str) -> None:
    with pytest.raises(HydroError) as caught:
        layers.open_project(f"postgresql://u:secret@127.0.0.1:1/x?schema={schema}")
    assert caught.value.code in ("bad_schema", "bad_url", "server_down")
    assert "secret" not in str(caught.value)


def test_a_csv_runs_no_formula(tmp_path: Path) -> None:
    evil = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1＋1"]
    rows = list(
        csv.DictReader(io.StringIO(as_csv([{"name": name, "value": -1.5} for name in evil], ["name", "value"])))
    )
    assert [row["name"] for row in rows] == [f"'{name}" for name in evil]
    assert {row["value"] for row in rows} == {"-1.5"}
    weather = pd.DataFrame({"time": ["2022-07"] * len(evil), "place": evil, "rain_mm": -1.0})
    project = layers.create_project(tmp_path / "evil.gpkg", name="=1", tables=tables() | {"weather": weather})
    written, _ = export(project, tmp_path / "out.shp")
    (sheet,) = [path for path in written if path.name.endswith("weather.csv")]
    cells = list(csv.DictReader(sheet.open(encoding="utf-8-sig")))
    assert sorted(row["place"] for row in cells) == sorted(f"'{name}" for name in evil)


def test_too_large_a_file_is_refused_before_it_is_kept(url: str) -> None:
    plans = layers.open_project(url).plans
    with pytest.raises(HydroError) as caught:
        plans.attach("一期", "O3", "a.pdf", b"%PDF-" + bytes(attachments.LIMIT_BYTES))
    assert caught.value.code == "too_large"
    assert plans.attachments("一期").empty


def test_every_fault_of_hostile_rows_is_told_without_obeying_them(url: str) -> None:
    with pytest.raises(FaultsError) as caught:
        layers.open_project(url).write(
            {"outlets": pd.DataFrame({"outlet_id": [EVIL, EVIL], "chainage_m": [EVIL, 1]})}, why="x"
        )
    assert [fault.code for fault in caught.value.faults] == ["number", "repeated_id"]
    assert EVIL in str(caught.value.faults[0])
