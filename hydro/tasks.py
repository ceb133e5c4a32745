"""Who does what by when: a task's states and allowed moves (a table), public listing, overdue lists, a day's sheet.

No clock is read: ``today`` is always given.  A task is a row of the ``tasks`` table; every function takes and returns
rows or tables and changes nothing in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hydro.columns import text
from hydro.duties import DUTIES
from hydro.errors import HydroError

STATES: Mapping[str, str] = {
    "draft": "待交办",
    "assigned": "已交办",
    "working": "办理中",
    "submitted": "待验收",
    "done": "已办结",
    "cancelled": "已撤销",
}
"""State -> its word on the screen; the order is that of the work."""

OPEN = ("draft", "assigned", "working", "submitted")


@dataclass(frozen=True)
class Move:
    """An allowed move: from which states to which, its word, the right it takes, and the columns it needs and stamps."""

    sources: tuple[str, ...]
    target: str
    word: str
    right: str
    needs: tuple[str, ...] = ()
    stamps: str = ""


MOVES: Mapping[str, Move] = {
    "assign": Move(("draft",), "assigned", "交办", "decide", ("department", "person", "due_on"), "assigned_on"),
    "accept": Move(("assigned",), "working", "签收", "write"),
    "submit": Move(("working",), "submitted", "报验", "write"),
    "approve": Move(("submitted",), "done", "验收通过", "approve", (), "done_on"),
    "reject": Move(("submitted",), "working", "退回整改", "approve"),
    "reopen": Move(("done",), "working", "重新办理", "approve"),
    "cancel": Move(("draft", "assigned", "working"), "cancelled", "撤销", "approve"),
}


def state_of(task: Mapping[Any, Any]) -> str:
    """A task's state; blank counts as draft, and a word on the screen as its state."""
    raw = _filled(task.get("state"))
    return {word: state for state, word in STATES.items()}.get(raw, raw) or "draft"


def allowed(task: Mapping[Any, Any]) -> tuple[str, ...]:
    """The moves open to a task now."""
    state = state_of(task)
    return tuple(name for name, move in MOVES.items() if state in move.sources)


def move(task: Mapping[Any, Any], name: str, *, today: str) -> dict[Any, Any]:
    """The task after a move.

    >>> move({"task_id": "T1", "state": "submitted"}, "approve", today="2022-08-01")["done_on"]
    '2022-08-01'

    Raises :class:`HydroError` where there is no such move, the state does not allow it, or a column it needs is blank.
    """
    if name not in MOVES:
        raise HydroError("no_move", "没有「{move}」这一操作，可用：{known}", move=name, known="、".join(MOVES))
    step, state = MOVES[name], state_of(task)
    title = _filled(task.get("title")) or _filled(task.get("task_id"))
    if state not in step.sources:
        params = {"task": title, "state": STATES.get(state, state), "move": step.word}
        raise HydroError("move_not_allowed", "任务「{task}」现为{state}，不能{move}", **params)
    missing = [column for column in step.needs if not _filled(task.get(column))]
    if missing:
        message = "任务「{task}」还不能{move}，请先填写：{missing}"
        raise HydroError("task_incomplete", message, task=title, move=step.word, missing="、".join(missing))
    after = dict(task) | {"state": step.target}
    if step.stamps:
        after[step.stamps] = today
    if name == "reopen":
        after["done_on"] = ""
    return after


def list_publicly(task: Mapping[Any, Any], *, today: str) -> dict[Any, Any]:
    """Put a task on the public list (挂牌督办): it must be open and not on it already."""
    title = _filled(task.get("title"))
    if state_of(task) not in OPEN:
        raise HydroError("not_open", "任务「{task}」已办结或撤销，不能挂牌", task=title)
    if listed(task):
        raise HydroError("listed_already", "任务「{task}」已于 {day} 挂牌", task=title, day=_filled(task["listed_on"]))
    return dict(task) | {"listed_on": today, "delisted_on": ""}


def delist(task: Mapping[Any, Any], *, today: str) -> dict[Any, Any]:
    """Take a task off the public list (摘牌): only what is done comes off, and not before it came on."""
    title = _filled(task.get("title"))
    if not listed(task):
        raise HydroError("not_listed", "任务「{task}」没有挂牌，无须摘牌", task=title)
    if state_of(task) != "done":
        raise HydroError("not_done", "任务「{task}」尚未办结，不能摘牌", task=title)
    if today < _filled(task["listed_on"])[:10]:
        message = "任务「{task}」{day} 才挂牌，摘牌日期不能更早"
        raise HydroError("delisted_before", message, task=title, day=_filled(task["listed_on"]))
    return dict(task) | {"delisted_on": today}


def listed(task: Mapping[Any, Any]) -> bool:
    """Whether a task is on the public list now."""
    return bool(_filled(task.get("listed_on"))) and not _filled(task.get("delisted_on"))


def with_status(tasks: pd.DataFrame, *, today: str) -> pd.DataFrame:
    """The tasks with what their dates say today.

    Adds ``state`` as a code, ``open``, ``days_left`` (below zero: overdue; NaN: no or unreadable due date),
    ``overdue``, ``late`` (done after its due date), ``listed``; what is most overdue first, what is closed last.
    """
    due, done, now = _days(tasks, "due_on"), _days(tasks, "done_on"), np.datetime64(today, "D")
    state = np.array([state_of(row) for row in tasks.to_dict("records")], dtype=str)
    is_open = np.isin(state, OPEN)
    left = np.where(np.isnat(due), np.nan, (due - now).astype(float))
    found = tasks.assign(
        state=state,
        open=is_open,
        days_left=left,
        overdue=is_open & (left < 0),
        late=~np.isnat(due) & ~np.isnat(done) & (done > due),
        listed=[listed(row) for row in tasks.to_dict("records")],
    )
    order = found.assign(closed=~is_open).sort_values(["closed", "days_left", "task_id"], na_position="last")
    return order.drop(columns="closed").reset_index(drop=True)


def daily_sheet(tasks: pd.DataFrame, person: str, *, today: str, ahead_d: int = 7) -> pd.DataFrame:
    """What one person has to do today: overdue, due today, due within ``ahead_d`` days, and open without a date.

    Adds ``when``: overdue, today, soon, undated.  Later tasks are left for later sheets.
    """
    mine = with_status(tasks[text(tasks, "person") == person], today=today)
    left = mine["days_left"].to_numpy(float)
    when = np.select(
        [left < 0, left == 0, left <= ahead_d, np.isnan(left)], ["overdue", "today", "soon", "undated"], "later"
    )
    found = mine.assign(when=when)
    return found[found["open"].to_numpy(bool) & (found["when"] != "later").to_numpy(bool)].reset_index(drop=True)


def load_of(tasks: pd.DataFrame, by: str, *, today: str) -> pd.DataFrame:
    """Open, overdue, listed and done tasks by ``by`` (department, person, county), most overdue first."""
    found = with_status(tasks, today=today).assign(group=lambda rows: text(rows, by))
    counted = found.groupby("group", sort=False).agg(
        tasks=("open", "size"), open=("open", "sum"), overdue=("overdue", "sum"), listed=("listed", "sum"),
        done=("state", lambda state: int((state == "done").sum())),
    )  # fmt: skip
    return counted.reset_index().sort_values(["overdue", "open"], ascending=False).reset_index(drop=True)


def from_exceedances(rows: pd.DataFrame, owners: Mapping[str, Mapping[str, str]], *, today: str, days: int = 3) -> Any:
    """Draft a task for every section over its target: find the source and sample, due in ``days`` days.

    ``rows``: rows of the board; ``owners``: section_id -> what the trace says of its first-ranked source (``name``,
    ``owner``, ``grid_owner``, ``town``).  The id is made of section and month, so drafting twice adds nothing.
    """
    due = str(np.datetime64(today, "D") + days)
    drafted = []
    for row in rows[rows["state"] == "over"].to_dict("records"):
        source = owners.get(str(row["section_id"]), {})
        drafted.append(
            {
                "task_id": f"EX-{row['month']}-{row['section_id']}",
                "subject": str(row["section_id"]),
                "title": f"{row['name']}断面超标溯源排查（{row['month']}）",
                "department": "生态环境局",
                "person": source.get("grid_owner", ""),
                "county": row["county"],
                "due_on": due,
                "state": "draft",
                "note": f"首要来源：{source['name']}" if source.get("name") else "",
            }
        )
    columns = ["task_id", "subject", "title", "department", "person", "county", "due_on", "state", "note"]
    return pd.DataFrame(drafted, columns=columns)


def from_plan(
    plan: Mapping[Any, Any], decisions: pd.DataFrame, measures: pd.DataFrame, outlets: pd.DataFrame, *, due_on: str
) -> pd.DataFrame:
    """Draft a task for every decision and measure of a plan: whose outlet, which grid owner, by when.

    ``decisions`` (outlet_id, decision) and ``measures`` (measure_id, name, action, source_id, department, due_on), rows
    of other plans left out; ``outlets`` indexed by id (name, county, grid_owner).  What has no date of its own is due on
    ``due_on``.  The id is made of the plan and the row, so drafting twice adds nothing.
    """
    plan_id = str(plan["plan_id"])
    place = {name: text(outlets, name) for name in ("name", "county", "grid_owner")}
    drafted = []
    for row in decisions[text(decisions, "plan_id") == plan_id].to_dict("records"):
        outlet, decision = str(row["outlet_id"]), str(row["decision"])
        if decision not in DUTIES:
            continue
        duty = DUTIES[decision]
        name, county, grid = (str(place[column].get(outlet, "")) for column in ("name", "county", "grid_owner"))
        drafted.append(
            (f"PL-{plan_id}-{outlet}", outlet, f"{name or outlet}{duty.word}", duty.department, grid, county, due_on)
        )
    for row in measures[text(measures, "plan_id") == plan_id].to_dict("records"):
        action = str(row["action"])
        word, department = (DUTIES[action].word, DUTIES[action].department) if action in DUTIES else (action, "")
        source = _filled(row.get("source_id"))
        title = _filled(row.get("name")) or f"{source}{word}"
        named = _filled(row.get("department")) or department
        due = _filled(row.get("due_on"))[:10] or due_on
        county = str(place["county"].get(source, ""))
        drafted.append((f"PL-{plan_id}-{row['measure_id']}", source, title, named, "", county, due))
    columns = ["task_id", "subject", "title", "department", "person", "county", "due_on"]
    note = f"方案：{_filled(plan.get('name')) or plan_id}"
    return pd.DataFrame(drafted, columns=columns).assign(plan_id=plan_id, state="draft", note=note)


def _days(table: pd.DataFrame, name: str) -> Any:
    """A date column as days, NaT where blank or no date; a month means its last day."""
    raw = text(table, name).str.slice(0, 10)
    month = raw.str.fullmatch(r"\d{4}-\d{2}").fillna(False)
    days = pd.to_datetime(raw.where(~month, raw + "-01"), format="%Y-%m-%d", errors="coerce")
    days = days.where(~month, days + pd.offsets.MonthEnd(0))
    return days.to_numpy().astype("M8[D]")


def _filled(value: Any) -> str:
    return (
        "" if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else str(value).strip()
    )
