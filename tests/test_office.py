"""An office at work: many writers at once, the verbs that keep it running, what a watcher and a log may tell."""

import io
import json
import logging
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from offices import EVIL, tables

import layers
from hydro.errors import HydroError
from layers.store import health
from layers.store.backup import backup

TOP = Path(__file__).parent.parent


def run(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOP / "cli.py"), *map(str, words)]
    return subprocess.run(command, input=given, cwd=TOP, capture_output=True, text=True, check=False)


def test_many_writers_lose_nothing(place: Callable[[str], str]) -> None:
    done = subprocess.run(
        [sys.executable, str(TOP / "tests" / "writers.py"), place("writers"), "6", "12", "5"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["decided"] + told["let be"] == 72
    assert told["conflicts"] > 0


def test_the_verbs_of_an_office(tmp_path: Path) -> None:
    path, kept, again = tmp_path / "a.gpkg", tmp_path / "b.gpkg", tmp_path / "c.gpkg"
    layers.create_project(path, name="流域", tables=tables()).close()
    assert run("backup", path, "--to", kept).returncode == 0
    assert run("restore", kept, "--into", again).returncode == 0
    second = run("restore", kept, "--into", again)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.strip() == f"{again} 已经存在。请换一个名字，或用 import 写入已有项目。"
    entries = json.loads(run("book", again, "--table", "outlets", "--format", "json").stdout)
    assert [entry["what"] for entry in entries] == ["write"]
    assert json.loads(run("health", again).stdout)["ok"] is True
    absent = run("health", tmp_path / "none.gpkg")
    assert (absent.returncode, json.loads(absent.stdout)["code"]) == (1, "missing_project")


def test_check_deep_tells_an_edit_made_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    project = layers.create_project(path, name="流域", tables=tables())
    with project.store.begin() as connection:
        connection.exec_driver_sql("UPDATE plants SET name = 'x'")
    found = run("check", path, "--deep", "--lang", "en", "--format", "json")
    assert found.returncode == 1
    assert [row["message"] for row in json.loads(found.stdout) if row["code"] == "altered"] == [
        "Table plants is not what the book says: something was changed outside this program. If it was edited in QGIS, "
        "enter it in the book with adopt; otherwise compare it with a backup."
    ]
    assert run("check", path, "--format", "json").returncode == 0
    assert run("adopt", path, "--why", "QGIS").stdout.split() == ["plants"]
    assert run("check", path, "--deep").returncode == 0


def test_accounts_are_made_on_the_command_line(tmp_path: Path) -> None:
    where = ("--accounts", tmp_path / "accounts.sqlite")
    weak = run("user", "add", "li", "--role", "administrator", *where, given="admin\n")
    assert (weak.returncode, weak.stderr.strip()) == (1, "密码至少 10 个字符，不能含账号名，也不能多是重复字符。")
    assert run("user", "add", "li", "--role", "king", *where, given="清水绿岸鱼翔浅底二〇二六\n").returncode == 1
    assert (
        run("user", "add", "li", "--role", "administrator", *where, given="清水绿岸鱼翔浅底二〇二六\n").returncode == 0
    )
    assert [row["name"] for row in json.loads(run("user", "list", *where, "--format", "json").stdout)] == ["li"]
    assert run("user", "remove", "li", *where).returncode == 0


@pytest.mark.parametrize("evil", ["../../etc/passwd", "a\x00b", "x;rm -rf /", "$(id).gpkg"])
def test_a_backup_is_written_where_it_is_told_and_nowhere_else(tmp_path: Path, evil: str) -> None:
    project = layers.create_project(tmp_path / "a.gpkg", name=EVIL, tables=tables())
    target = tmp_path / "kept" / evil
    with pytest.raises((HydroError, ValueError)):
        backup(project, str(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gpkg"]


def test_the_health_endpoint_answers_and_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    layers.create_project(path, name="卫河机密", tables=tables()).close()
    server = health.serve(str(path), port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with urllib.request.urlopen(f"{address}/health") as answer:
        told = json.loads(answer.read())
    assert told["ok"] is True
    assert told["revision"] == 1
    assert set(told) == {"ok", "revision", "schema_version", "free_mb", "ms"}
    path.unlink()
    for way, status in (("/health", 503), ("/../../etc/passwd", 404)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address}{way}")
        assert caught.value.code == status
    server.shutdown()


def test_the_log_tells_what_happened_and_names_nobody(tmp_path: Path) -> None:
    kept, stream = list(logging.getLogger("qingyuan").handlers), io.StringIO()
    health.log_to(stream)
    try:
        project = layers.create_project(tmp_path / "a.gpkg", name="流域", tables=tables())
        project.write({"outlets": tables()["outlets"].assign(owner="张三")}, why="李四说的", who="王五")
    finally:
        logging.getLogger("qingyuan").handlers[:] = kept
    line = json.loads(stream.getvalue())
    assert {name: line[name] for name in ("event", "revision", "tables", "role")} == {
        "event": "change", "revision": 2, "tables": ["outlets"], "role": "administrator",
    }  # fmt: skip
    assert not any(name in stream.getvalue() for name in ("张三", "李四", "王五", "流域"))
