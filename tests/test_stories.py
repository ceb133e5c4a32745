"""The story of a meeting: kept with the project in either store, in its order, with its entries in the book, or refused whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hydro import FaultsError, HydroError
from layers.store.project import create_project
from layers.store.roles import User
from layers.store.stories import Step, keep_story, steps_from, story_of
from layers.store.tables import LAYOUTS
from tests.offices import tables

Place = Callable[[str], str]
TOLD = [Step("situation", note="先看全局 <b>"), Step("trace", "S1"), Step("tasks")]


def test_a_story_is_kept_in_its_order_and_every_change_is_in_the_book(place: Place) -> None:
    project = create_project(place("office"), name="x", tables=tables())
    assert story_of(project, "2022-07") == ()
    keep_story(project, "2022-07", TOLD, why="例会")
    keep_story(project, "2022-08", TOLD[:1], why="例会")
    assert story_of(project, "2022-07") == tuple(TOLD)
    before = project.revision
    keep_story(project, "2022-07", TOLD, why="例会")
    assert project.revision == before
    turned = [TOLD[0], TOLD[2]]
    keep_story(project, "2022-07", turned, why="先说任务")
    assert story_of(project, "2022-07") == tuple(turned)
    assert story_of(project, "2022-08") == (TOLD[0],)
    book = project.book(table="stories")
    last = book[book["why"] == "先说任务"]
    assert list(last["row_id"]) == ["2022-07/2", "2022-07/3"]
    assert json.loads(last["before"].iloc[0])["kind"] == "trace"
    keep_story(project, "2022-07", [], why="恢复")
    assert story_of(project, "2022-07") == ()
    assert project.verify() == []


def test_what_cannot_be_told_is_refused_all_at_once_and_nothing_is_kept(place: Place) -> None:
    project = create_project(place("office"), name="x", tables=tables())
    sent = [
        {"kind": "situation"},
        {"kind": "dance"},
        {"kind": "trace", "section": "S9"},
        {"kind": "plan", "note": "字" * 501},
        7,
    ]
    with pytest.raises(FaultsError) as refused:
        keep_story(project, "2022-07", steps_from(sent), why="x")
    assert str(refused.value) == (
        "输入有 4 处错误\n"
        "第 2 步：没有“dance”这种画面。可用：situation、section、trace、causes、plan、tasks\n"
        "第 3 步：没有编号为“S9”的断面\n"
        "第 4 步：备注 501 字，最多 500 字\n"
        "第 5 步：没有“”这种画面。可用：situation、section、trace、causes、plan、tasks"
    )
    assert story_of(project, "2022-07") == ()
    assert steps_from("no list") == []
    with pytest.raises(FaultsError) as long:
        keep_story(project, "2022-07", [Step("tasks")] * 201, why="x")
    assert str(long.value).endswith("故事有 201 步，最多 200 步。请分成几次讲")


def test_who_may_only_look_keeps_no_story(place: Place) -> None:
    project = create_project(place("office"), name="x", tables=tables())
    with pytest.raises(HydroError) as refused:
        keep_story(project.as_(User("甲", "viewer")), "2022-07", TOLD, why="x")
    assert refused.value.code == "no_right"
    assert "stories" in LAYOUTS
