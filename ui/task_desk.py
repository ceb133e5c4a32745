"""What may be done with a task now, filling in what it still lacks, and drafting tasks from exceedances and plans."""

from __future__ import annotations

import datetime
import html
from typing import Any

import pandas as pd
import streamlit as st

from hydro.columns import records, text
from hydro.tasks import from_exceedances, from_plan, state_of
from layers.store.tasks import draft_tasks, fill_task, move_task, moves
from ui import cache, parts, signin, state
from ui.state import say

MONTHS_3 = datetime.timedelta(days=90)


def show(url: str, revision: int, tasks: pd.DataFrame, today: str) -> None:
    """What may be done now: moves of the task chosen, and drafts for the sections over their target."""
    own = tasks[tasks["task_id"] == state.task()] if len(tasks) else tasks
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="desk"):
        if len(own):
            one = records(own)[0]
            st.html(f"<b>{html.escape(str(one['title']))}</b>", width="content")
            if state_of(one) == "draft":
                _blanks(url, one)
            for name, word in moves(one):
                st.button(say(word), key=f"move_{name}", on_click=_move, args=(url, str(one["task_id"]), name, today))
            st.text_input(
                say("办理说明"),
                key=state.TASK_WHY,
                placeholder=say("办理说明（记入台账）"),
                label_visibility="collapsed",
                width=260,
            )
        else:
            st.html(f'<span class="note">{html.escape(say("点选任务办理"))}</span>', width="content")
        st.space("stretch")
        over = cache.board(url, revision, state.month()).rows["state"].eq("over").sum()
        if over:
            said = say("为 {count} 个超标断面起草任务", count=int(over))
            st.button(said, key="draft", on_click=_draft, args=(url, revision, today))
        plans = cache.table(url, revision, "plans")
        if len(plans):
            names = dict(zip(plans["plan_id"], text(plans, "name"), strict=True))
            with st.popover(say("由方案起草任务")):
                st.selectbox(say("方案"), list(names), format_func=lambda one: names[one] or one, key=state.TASK_PLAN)
                due = st.date_input(say("没有期限的，限期"), value=datetime.date.fromisoformat(today) + MONTHS_3)
                st.button(say("起草"), key="draft_plan", on_click=_draft_plan, args=(url, revision, str(due)))


def _blanks(url: str, task: dict[str, Any]) -> None:
    """Who does it by when: what a drafted task must say before it is assigned."""
    st.text_input(say("责任部门"), value=str(task["department"] or ""), key=state.TASK_DEPARTMENT, width=140)
    st.text_input(say("责任人"), value=str(task["person"] or ""), key=state.TASK_PERSON, width=110)
    due = pd.to_datetime(str(task["due_on"] or ""), errors="coerce")
    st.date_input(say("期限"), value=None if pd.isna(due) else due.date(), key=state.TASK_DUE, width=140)
    st.button(say("填写"), key="fill", on_click=_fill, args=(url, str(task["task_id"])))


def _fill(url: str, task_id: str) -> None:
    with parts.told():
        department, person, due_on = state.task_words()
        why = say("落实责任人与期限")
        fill_task(signin.own_project(url), task_id, department=department, person=person, due_on=due_on, why=why)
        st.toast(say("已记录"))


def _draft_plan(url: str, revision: int, due_on: str) -> None:
    """One draft for every decision and measure of the plan picked."""
    with parts.told():
        plans, decisions, measures = (cache.table(url, revision, name) for name in ("plans", "decisions", "measures"))
        plan = plans[plans["plan_id"] == state.task_plan()].iloc[0].to_dict()
        drafted = from_plan(plan, decisions, measures, cache.network(url, revision).outlets, due_on=due_on)
        _tell(draft_tasks(signin.own_project(url), drafted, why=say("方案落实")), len(drafted))


def _tell(count: int, all_: int) -> None:
    st.toast(say("已起草 {count} 项，{there} 项此前已有", count=count, there=all_ - count))


def _move(url: str, task_id: str, name: str, today: str) -> None:
    with parts.told():
        move_task(signin.own_project(url), task_id, name, today=today, why=state.task_why())
        st.toast(say("已记录"))


def _draft(url: str, revision: int, today: str) -> None:
    """One draft a section over its target, for the grid owner of its first-ranked source."""
    with parts.told():
        network, rows = cache.network(url, revision), cache.board(url, revision, state.month()).rows
        owners = {}
        for section_id in rows.loc[rows["state"] == "over", "section_id"]:
            ranked = cache.trace(url, revision, str(section_id), state.month()).table
            points = ranked[ranked["kind"].isin(["outlet", "plant"])]
            if len(points):
                owners[str(section_id)] = _owner(network, records(points)[0])
        drafted = from_exceedances(rows, owners, today=today)
        _tell(draft_tasks(signin.own_project(url), drafted, why=say("断面超标")), len(drafted))


def _owner(network: Any, source: dict[str, Any]) -> dict[str, str]:
    """Name and grid owner of a source; a plant's are those of its outlet."""
    outlets, source_id = network.outlets, str(source["source_id"])
    own = outlets.index[(outlets.index == source_id) | (text(outlets, "plant_id") == source_id)]
    grid = text(outlets, "grid_owner")[own[0]] if len(own) else ""
    return {"name": str(source["name"]), "grid_owner": grid}
