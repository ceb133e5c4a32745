"""Plans kept in the project: save the one at hand, take one up again, compare side by side, approve into tasks."""

from __future__ import annotations

import datetime

import pandas as pd
import streamlit as st

import hydro
from hydro.columns import records, text
from ui import cache, signin, state
from ui.plan import ask
from ui.state import say

PLAN_TABLES = ("plans", "measures", "decisions")
OPEN = ("draft", "rejected", "submitted", "")


def save(url: str, plan: hydro.Scenario) -> None:
    """Keep the plan at hand as a draft, under a name."""
    cells = st.columns([4, 2], vertical_alignment="bottom")
    name = cells[0].text_input(
        say("方案名"), key=state.PLAN_NAME, placeholder=say("如：枯水期保七断面"), label_visibility="collapsed"
    )
    if cells[1].button(say("存为草稿"), disabled=not (name and plan.measures), width="stretch", key="plan_save"):
        signin.own_project(url).write(hydro.plan_rows(plan, name, name), why=say("存方案 {name}", name=name))
        state.leave_notice(say("已存为草稿：{name}，已列入下面的比较", name=name))
        state.compare_too(name)
        state.keep_study("named", plan.measures, name)
        st.rerun()


def compare(
    url: str, revision: int, plan: hydro.Scenario, stands: tuple[hydro.Situation, ...], scope: tuple[str, ...]
) -> None:
    """Plans side by side: cost, count, and every section under every condition."""
    plans = cache.table(url, revision, "plans")
    if plans.empty:
        st.caption(say("还没有存过方案。先在上面起个名字存下来，再来比较"))
        return
    tables = {name: cache.table(url, revision, name) for name in PLAN_TABLES}
    cells = st.columns([5, 2, 1], vertical_alignment="bottom")
    state.offer_compared(list(plans["name"]))
    names = cells[0].multiselect(say("与手头的方案比较"), list(plans["name"]), key=state.COMPARED)
    again = cells[1].selectbox(say("取出一个再改"), list(plans["name"]), index=None, key="plan_again", placeholder="")
    if cells[2].button(say("取出"), disabled=not again, key="plan_again_do", width="stretch"):
        taken = hydro.load_plan(plan.network, tables, str(again)).measures
        state.mark(taken)
        state.keep_study("named", taken, str(again))
        state.tell_plan(())
        st.rerun(scope="fragment")
    several = {say("手头的"): plan} | {name: hydro.load_plan(plan.network, tables, name) for name in names}
    st.dataframe(_side_by_side(several, stands, scope), height=300)
    _approve(url, plans, tables, plan.network)


def _side_by_side(
    several: dict[str, hydro.Scenario], stands: tuple[hydro.Situation, ...], scope: tuple[str, ...]
) -> pd.DataFrame:
    columns: dict[str, dict[str, str]] = {}
    waters = {
        flow.name: ask.called(flow) + ("" if flow.time else f" {say('模拟')}")
        for flow in (stand.condition for stand in stands)
    }
    for title, one in several.items():
        found = hydro.from_measured(hydro.compare(one.network, one, situations=stands), stands)
        found = found[found["section_id"].isin(scope) & found["target_mg_l"].notna()]
        cost = sum(m.cost for m in one.measures if m.cost == m.cost and not m.yearly)
        yearly = sum(m.cost for m in one.measures if m.cost == m.cost and m.yearly)
        rows = {
            say("万元（一次）"): f"{cost:,.0f}",
            say("万元/年"): f"{yearly:,.0f}",
            say("措施"): str(len(one.measures)),
            say("达到目标"): f"{int(found['holds_after'].sum())} / {len(found)}",
        }
        for row in records(found):
            label = f"{row['name'] or row['section_id']} · {waters[row['condition']]} ≤ {row['target_mg_l']:g}"
            rows[label] = f"{row['tp_after_mg_l']:.3f}" + ("" if row["holds_after"] else " ▲")
        columns[title] = rows
    return pd.DataFrame(columns)


def _approve(url: str, plans: pd.DataFrame, tables: dict[str, pd.DataFrame], network: hydro.RiverNetwork) -> None:
    """Approve a plan, and split it into tasks that are listed publicly from the day of approval."""
    open_plans = [row["name"] for row in records(plans) if row["state"] in OPEN]
    cells = st.columns([3, 2, 2, 1], vertical_alignment="bottom")
    chosen = cells[0].selectbox(say("批准并分解为任务"), open_plans, index=None, key="plan_approve", placeholder="")
    start = cells[1].date_input(say("从哪天起算"), datetime.date.today(), key="plan_start")
    listed = cells[2].checkbox(say("同日挂牌督办"), value=True, key="plan_listed")
    if cells[3].button(say("批准"), disabled=not chosen, key="plan_approve_do", width="stretch"):
        row = plans.loc[plans["name"] == chosen].iloc[0]
        tasks = hydro.task_rows(
            hydro.load_plan(network, tables, str(chosen)),
            str(row["plan_id"]),
            start=str(start),
            listed=bool(listed),
            people=_people(url, network),
        )
        project = signin.own_project(url)
        if row["state"] != "submitted":
            project.plans.submit(str(chosen))
        project.plans.approve(str(chosen))
        project.write({"tasks": tasks}, why=say("方案 {name} 分解为任务", name=chosen))
        st.toast(say("已批准，分解为 {count} 项任务", count=len(tasks)))
        st.rerun()


def _people(url: str, network: hydro.RiverNetwork) -> dict[str, str]:
    """Who has most of a department's tasks already: the person a new one goes to unless somebody decides otherwise."""
    tasks = cache.table(url, cache.project(url).revision, "tasks")
    if tasks.empty:
        return {}
    known = pd.DataFrame({"department": text(tasks, "department"), "person": text(tasks, "person")})
    known = known[(known["department"] != "") & (known["person"] != "")]
    return {str(d): str(p.mode().iloc[0]) for d, p in known.groupby("department")["person"]}
