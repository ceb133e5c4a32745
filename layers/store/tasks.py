"""Tasks of a project, moved one at a time: read, checked and written in one transaction, with its row in the book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from hydro import tasks
from hydro.errors import HydroError

if TYPE_CHECKING:
    from layers.store.desk import Desk

LISTING = {"list": ("挂牌", "decide"), "delist": ("摘牌", "approve")}
"""Putting a task on the public list and taking it off: the word, and the right it takes."""


def moves(task: dict[Any, Any]) -> list[tuple[str, str]]:
    """What may be done with a task now: name and word of each move, listing included."""
    found = [(name, tasks.MOVES[name].word) for name in tasks.allowed(task)]
    if tasks.listed(task):
        if tasks.state_of(task) == "done":
            found.append(("delist", LISTING["delist"][0]))
    elif tasks.state_of(task) in tasks.OPEN:
        found.append(("list", LISTING["list"][0]))
    return found


def move_task(project: Desk, task_id: str, name: str, *, today: str, why: str = "") -> int:
    """Make one move with a task as it is stored now, and return the project's revision.

    Raises :class:`HydroError` where there is no such task, the move is not allowed now, or the user may not make it.
    """
    word, right = LISTING.get(name) or _known(name)
    project.user.must(right)
    with project.change() as work:
        found = work.rows("tasks", task_id=task_id)
        if not found:
            raise HydroError("no_task", "没有编号为 {task} 的任务，可能已被删除，请刷新", task=task_id)
        before = dict(found[0])
        if name == "list":
            after = tasks.list_publicly(before, today=today)
        elif name == "delist":
            after = tasks.delist(before, today=today)
        else:
            after = tasks.move(before, name, today=today)
        changed = {key: value for key, value in after.items() if before.get(key) != value} | {"task_id": task_id}
        work.write({"tasks": pd.DataFrame([changed])}, why=why or word, replace=False)
    return work.revision


def fill_task(project: Desk, task_id: str, *, department: str, person: str, due_on: str, why: str) -> int:
    """Say who does a drafted task by when, and return the project's revision.

    Raises :class:`HydroError` where there is no such task, it is assigned already, or the day is none.
    """
    project.user.must("decide")
    try:
        day = str(pd.Timestamp(due_on).date()) if due_on else ""
    except ValueError:
        raise HydroError("bad_day", "日期「{day}」无法识别，请写成 2022-07-03", day=due_on) from None
    with project.change() as work:
        found = work.rows("tasks", task_id=task_id)
        if not found:
            raise HydroError("no_task", "没有编号为 {task} 的任务，可能已被删除，请刷新", task=task_id)
        if tasks.state_of(found[0]) != "draft":
            raise HydroError(
                "assigned_already", "任务「{task}」已交办，不能再改责任人与期限", task=str(found[0]["title"])
            )
        said = {"task_id": task_id, "department": department.strip(), "person": person.strip(), "due_on": day}
        work.write({"tasks": pd.DataFrame([said])}, why=why, replace=False)
    return work.revision


def draft_tasks(project: Desk, drafted: pd.DataFrame, *, why: str) -> int:
    """Add drafted tasks that are not there yet, and return how many; a task already at work is left alone."""
    project.user.must("decide")
    with project.change() as work:
        there = {str(row["task_id"]) for row in work.rows("tasks")}
        new = drafted[~drafted["task_id"].isin(there)]
        if len(new):
            work.write({"tasks": new}, why=why, replace=False)
    return len(new)


def _known(name: str) -> tuple[str, str]:
    if name not in tasks.MOVES:
        raise HydroError("no_move", "没有「{move}」这一操作，可用：{known}", move=name, known="、".join(tasks.MOVES))
    return tasks.MOVES[name].word, tasks.MOVES[name].right
