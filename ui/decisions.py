"""Deciding on outlets in a plan: choose, decide, done; what others decide meanwhile is seen, and never overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from hydro import HydroError
from hydro.columns import records, text
from layers import Project
from layers.store.plans import OPEN, ConflictError
from reports import phrases
from reports.planned import STATES
from ui import cache, parts, signin, state
from ui.state import say

LabelVisibility = Literal["visible", "hidden", "collapsed"]
DECISIONS = phrases.DECISION
STEPS = {"submit": "提交", "approve": "批准", "reject": "退回", "archive": "归档"}
REFRESH_S = 4
COLUMNS = ("outlet_id", "name", "river", "county", "decision", "merge_to", "decided_by", "decided_on", "reason")


def render() -> None:
    """Choose a plan, decide outlet by outlet, hand it on; several people at once."""
    project = signin.own_project(cache.place())
    outlets = project.table("outlets")
    outlets["river"] = outlets["reach_id"].map(text(project.table("reaches").set_index("reach_id"), "river"))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        plan = choose_plan(project, project.plans.list())
        settle(project)
        if plan:
            decide(project, plan, outlets)
    with right:
        if plan:
            standing(project, plan, outlets)
            advance(project, plan)
            differences(project, plan)


def at_hand(plans: pd.DataFrame) -> str:
    """Id of the plan at hand: the one chosen before, else the newest that is still open; blank where there is none."""
    if state.plan() in set(plans["plan_id"]):
        return state.plan()
    still_open = plans[plans["state"].isin(OPEN)]
    return str(still_open["plan_id"].iloc[-1]) if len(still_open) else ""


def choose_plan(project: Project, plans: pd.DataFrame, label: LabelVisibility = "visible") -> str:
    """The plan at hand: one of the list, or a new one."""
    names = {str(one["plan_id"]): one for one in records(plans)}
    if state.plan() not in names:
        state.hold_plan(at_hand(plans) or next(iter(names), None))
    pick, new = st.columns([3, 2], vertical_alignment="bottom")
    pick.selectbox(
        say("方案"),
        list(names),
        format_func=lambda i: (
            " · ".join((str(names[i]["name"]), say(STATES[names[i]["state"]]), str(names[i]["decisions"])))
            if i in names
            else i
        ),
        key=state.PLAN,
        placeholder=say("还没有方案"),
        label_visibility=label,
    )
    with new.popover(say("新建方案"), disabled=not _may(project, "decide")):
        name = st.text_input(say("方案名称"), key=state.NEW_PLAN, max_chars=60)
        copied = st.checkbox(say("复制当前方案的决定"), disabled=not state.plan())
        if st.button(say("建立"), disabled=not name.strip()):
            with parts.guard():
                made = project.plans.create(name.strip(), base=state.plan() if copied else None)
                state.hold_plan(made)
                st.rerun()
    return state.plan()


def decide(project: Project, plan: str, outlets: pd.DataFrame) -> None:
    """Outlets by filter, one decision for all of them, and why."""
    if not _may(project, "decide"):
        st.caption(say("您的角色只能查看。"))
        return
    ids = _filtered(outlets)
    labels = dict(zip(outlets["outlet_id"], text(outlets, "name"), strict=True))
    chosen = st.multiselect(
        say("排污口"), ids, format_func=lambda i: f"{i} {labels.get(i, '')}".strip(), key=state.PICK_OUTLETS,
        placeholder=say("选择一个或多个，可先用上面的条件筛选"),
    )  # fmt: skip
    st.button(say("选中筛出的全部 {count} 个", count=len(ids)), type="tertiary", on_click=_take, args=(ids,))
    decision = st.segmented_control(
        say("处置"), list(DECISIONS), format_func=lambda key: say(DECISIONS[key]), key=state.PICK_DECISION
    )
    plant = ""
    if decision == "merge":
        plants = project.table("plants")
        plant = st.selectbox(say("接入污水处理厂"), plants["plant_id"].tolist(), key=state.PICK_PLANT) or ""
    why = st.text_input(say("理由"), key=state.WHY, max_chars=300)
    act, undo = st.columns(2)
    if act.button(say("决定"), type="primary", disabled=not (chosen and decision), width="stretch"):
        with parts.guard():
            attempt(project, plan, chosen, str(decision), plant, why, state.shown(plan))
            st.rerun()
    if undo.button(say("撤销我的上一步"), width="stretch"):
        with parts.guard():
            state.leave_notice(say("已撤销：{outlets}", outlets="、".join(project.plans.undo(plan))))
            st.rerun()


def _filtered(outlets: pd.DataFrame) -> list[str]:
    kept = outlets
    for column, box, label in zip(("river", "county", "type"), st.columns(3), ("河流", "县区", "类型"), strict=True):
        values = sorted(set(text(outlets, column)) - {""})
        picked = box.multiselect(say(label), values, key=f"filter_{column}", placeholder="")
        kept = kept[text(kept, column).isin(picked)] if picked else kept
    return [str(i) for i in kept["outlet_id"]]


def _take(ids: Sequence[str]) -> None:
    state.preset(state.PICK_OUTLETS, list(ids))


def attempt(
    project: Project, plan: str, outlets: Sequence[str], decision: str, plant: str, why: str, seen: dict[str, int]
) -> bool:
    """Write a decision; False where somebody was faster: the conflict then waits for a choice, and nothing is lost."""
    try:
        project.plans.decide(plan, outlets, decision, merge_to=plant, seen=seen, why=why)
    except ConflictError as found:
        state.hold_conflict((plan, list(outlets), decision, plant, why, found))
        return False
    state.hold_conflict(None)
    state.leave_notice(say("已保存 {count} 个排污口的决定", count=len(outlets)))
    return True


def settle(project: Project) -> None:
    """Both versions side by side, and the choice between them; the user's own is not lost until it is made."""
    held = state.conflict()
    if not held:
        return
    plan, outlets, decision, plant, why, found = held
    with st.container(border=True, key="conflict"):
        st.text(say(found.message, **found.params))
        versions = pd.DataFrame(
            {
                say("排污口"): outlet,
                say("对方的决定"): say(DECISIONS[theirs["decision"]]) if theirs else "–",
                say("对方"): theirs.get("decided_by", ""),
                say("对方的理由"): theirs.get("reason", ""),
                say("我的决定"): say(DECISIONS[decision]),
            }
            for outlet, theirs in found.theirs.items()
        )
        st.dataframe(versions, hide_index=True)
        keep, mine = st.columns(2)
        if keep.button(say("保留对方的"), width="stretch"):
            state.hold_conflict(None)
            rest = [outlet for outlet in outlets if outlet not in found.theirs]
            with parts.guard():
                if rest:
                    attempt(project, plan, rest, decision, plant, why, state.shown(plan))
                st.rerun()
        if mine.button(say("改用我的"), width="stretch"):
            seen = state.shown(plan) | {o: int(theirs.get("row_revision", 0)) for o, theirs in found.theirs.items()}
            with parts.guard():
                attempt(project, plan, outlets, decision, plant, why, seen)
                st.rerun()


@st.fragment(run_every=REFRESH_S)
def standing(project: Project, plan: str, outlets: pd.DataFrame) -> None:
    """What is decided, by whom; others' decisions appear by themselves."""
    with parts.guard():
        decisions = project.plans.decisions(plan)
        state.show_decisions(plan, {str(o): int(r) for o, r in decisions["revision"].items()})
        named = decisions.reset_index().merge(outlets[["outlet_id", "name", "river", "county"]], how="left")
        named["decision"] = named["decision"].map(DECISIONS).map(say)
        titles = ("编号", "名称", "河流", "县区", "处置", "接入", "决定人", "时间", "理由")
        table = named.reindex(columns=COLUMNS).fillna("").set_axis([say(title) for title in titles], axis=1)
        st.dataframe(table, hide_index=True, height=420, key="standing")


def advance(project: Project, plan: str) -> None:
    """The next steps of a plan that this user may take."""
    plans = project.plans
    row = plans.list().set_index("plan_id").loc[plan]
    steps = [verb for verb in plans.steps(str(row["state"])) if project.user.may(plans.right(verb))]
    why = st.text_input(say("意见"), key="opinion", max_chars=300) if steps else ""
    for verb, box in zip(steps, st.columns(max(len(steps), 1)), strict=False):
        if box.button(say(STEPS[verb]), key=f"step_{verb}", width="stretch"):
            with parts.guard():
                plans.step(plan, verb, why=why)
                st.rerun()


def differences(project: Project, plan: str) -> None:
    """Outlets on which the plan at hand and another differ, and who decided so."""
    plans = project.plans.list().set_index("plan_id")["name"].drop(plan)
    other = st.selectbox(
        say("与哪个方案对照"), list(plans.index), index=None, format_func=lambda i: plans.get(i, i), key=state.OTHER_PLAN,
        placeholder=say("选另一个方案"),
    ) if len(plans) else None  # fmt: skip
    if not other:
        return
    found = project.plans.diff(plan, other)
    if found.empty:
        st.caption(say("两个方案的决定相同。"))
        return
    for side in ("decision_a", "decision_b"):
        found[side] = found[side].map(DECISIONS).map(say)
    here, there = say("本方案"), plans[other]
    titles = [f"{side} · {say(title)}" for side in (here, there) for title in ("处置", "接入", "决定人")]
    st.dataframe(found.set_axis([say("编号"), *titles], axis=1), hide_index=True, key="differences")


def _may(project: Project, right: str) -> bool:
    try:
        project.user.must(right)
    except HydroError:
        return False
    return True
