"""What is kept between reruns is asked for by the tables it is made of, and reads no others: the database itself tells."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from offices import tables

import hydro
import layers
from layers.assess import load_table
from layers.judging import judge
from layers.store.pictures import RELIEF, Picture, keep
from layers.store.tables import LAYOUTS
from ui import cache

MONTH = "2022-06"
KEPT_TABLES = {*LAYOUTS, "pictures"}
ASKED: dict[str, tuple[Any, ...]] = {
    "network": (), "relief": (), "trace": ("S1", MONTH), "section_months": (), "terms": (),
    "board": (MONTH,), "settled": (MONTH,), "counties_ranked": (MONTH,), "outlines": (), "months": (),
    "_episodes": (), "_stations": (), "situations": ((hydro.Condition(),),), "intensity": (), "sewers": (),
}  # fmt: skip
"""Every cache with a key of tables, and what it is asked here."""
ELSEWHERE = {"causes", "judged_since"}
"""Those that a process of its own answers, tried below by what that process does, and a clock."""


@pytest.fixture
def project(tmp_path: Path) -> layers.Project:
    path = tmp_path / "keys.gpkg"
    more = {
        "targets": pd.DataFrame({"section_id": ["S1"], "since": ["2022-05"], "tp_target_mg_l": [0.2]}),
        "compensation_rules": load_table("compensation-sample").drop(columns=["edition", "mark"]).assign(
            rule_id=lambda rows: [f"K{i}" for i in range(len(rows))]
        ),
        "weather": pd.DataFrame({"time": ["2022-06"], "place": ["城"], "rain_mm": [80.0]}),
    }  # fmt: skip
    made = layers.create_project(path, name="键", tables=tables() | more)
    keep(made, RELIEF, Picture(b"\x89PNG", (113.0, 35.0, 114.0, 36.0)), why="底图")
    cache.forget()
    return made


@contextmanager
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The project's tables that SQLite was asked to read."""
    read: set[str] = set()
    connect = sqlite3.connect

    def watched(*args: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(*args, **more)

        def allow(action: int, table: str | None, *_: object) -> int:
            if action == sqlite3.SQLITE_READ and table in KEPT_TABLES:
                read.add(str(table))
            return sqlite3.SQLITE_OK

        connection.set_authorizer(allow)
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", watched)
        patch.setattr(sqlite3.dbapi2, "connect", watched)
        yield read


def test_every_key_is_tried() -> None:
    assert set(cache.KEYS) == set(ASKED) | ELSEWHERE


@pytest.mark.parametrize("name", ASKED)
def test_a_cache_reads_no_table_that_its_key_lacks(
    project: layers.Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with reads(monkeypatch) as read:
        getattr(cache, name)(project.url, project.revision, *ASKED[name])
    assert read
    assert read <= set(cache.KEYS[name])


def test_causes_and_documents_read_no_table_that_their_keys_lack(
    project: layers.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reads(monkeypatch) as read:
        assert isinstance(judge(project.url), hydro.Attribution)
    assert read <= set(cache.JUDGED)
    cache.judged(project.url, project.revision).result()
    with reads(monkeypatch) as read:
        cache.content(project.url, project.revision, MONTH, "zh")
    assert read <= {*cache.TOLD, "stories"}  # the story is read anew every time


def test_rules_that_are_imported_price_the_board_at_once(project: layers.Project) -> None:
    observed = pd.DataFrame({"station_id": ["S1"], "station_kind": ["section"], "time": ["2022-07"],
                             "parameter": ["TP"], "value": [0.5], "qualifier": [""]})  # fmt: skip
    project.write({"observations": observed}, why="监测")
    before = cache.board(project.url, project.revision, "2022-07").rows["pay_wan"].sum()
    rules = project.table("compensation_rules")
    dear = rules.assign(base_wan=rules["base_wan"] * 100, per_multiple_wan=rules["per_multiple_wan"] * 100)
    project.write({"compensation_rules": dear}, why="新规则")
    assert before > 0
    for asked in (
        cache.board(project.url, project.revision, "2022-07").rows,
        cache.settled(project.url, project.revision, "2022-07"),
    ):
        assert asked["pay_wan"].sum() == pytest.approx(100 * before)


def test_a_new_target_stands_on_the_map_at_once_and_a_new_reading_draws_no_river_anew(project: layers.Project) -> None:
    before = cache.network_source(project.url, project.revision)
    read = pd.DataFrame({"station_id": ["S1"], "station_kind": ["section"], "time": ["2022-08"], "parameter": ["TP"],
                         "value": [0.4], "qualifier": [""]})  # fmt: skip
    project.write({"observations": read}, why="监测")
    assert cache.network_source(project.url, project.revision) == before
    stricter = pd.DataFrame({"section_id": ["S1"], "since": ["2022-08"], "tp_target_mg_l": [0.1]})
    project.write({"targets": stricter}, why="新目标")
    assert cache.network_source(project.url, project.revision) != before


def test_a_new_hillshade_lies_under_the_map_at_once(project: layers.Project) -> None:
    before = cache.relief(project.url, project.revision)
    keep(project, RELIEF, Picture(b"\x89PNG new", (113.0, 35.0, 114.5, 36.0)), why="新底图")
    assert before is not None
    assert cache.relief(project.url, project.revision) != before


def test_documents_are_dated_with_the_day_and_the_room_tells_what_it_holds(
    project: layers.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (project.url, project.revision, MONTH)
    cache.judged(project.url, project.revision).result()
    monkeypatch.setattr(cache, "today", lambda: "2022-07-01")
    assert not cache.content_made(*asked, "zh")
    first = cache.content(*asked, "zh")
    assert (first.made_on, cache.content_made(*asked, "zh")) == ("2022-07-01", True)
    monkeypatch.setattr(cache, "today", lambda: "2022-07-02")
    assert not cache.content_made(*asked, "zh")
    assert cache.content(*asked, "zh").made_on == "2022-07-02"
    for n in range(8):  # eight are kept: the first is pushed out by as many others
        cache.content_made(project.url, project.revision, MONTH, f"{n}")
    assert not cache.content_made(*asked, "zh")


def test_a_judge_that_was_killed_is_asked_again_by_the_next_visit(
    project: layers.Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python, dead = sys.executable, tmp_path / "dead"
    dead.write_text("#!/bin/sh\nkill -9 $$\n")
    dead.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dead))
    with pytest.raises(hydro.HydroError, match="成因推断没有完成"):
        cache.causes(project.url, project.revision, "S1", MONTH)
    monkeypatch.setattr(sys, "executable", python)
    assert cache.causes(project.url, project.revision, "S1", MONTH).section_id == "S1"
