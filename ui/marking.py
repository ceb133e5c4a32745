"""The decision on the outlet chosen on the map: click, choose, done; what others decide appears by itself."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from hydro.columns import number, records, text
from layers import Project
from layers.store.attachments import KINDS, LIMIT_BYTES
from layers.store.plans import OPEN
from reports.planned import plan_named
from ui import cache, decisions, parts, signin, state
from ui.state import say

HERE = Path(__file__).parent / "browser"
POLL_S = 2.0
"""How often a screen asks whether anything was decided: one number read, a few hundred bytes where nothing was."""

_live = st.components.v2.component(
    "qingyuan_live",
    html="<span></span>",
    js="".join((HERE / name).read_text(encoding="utf-8") for name in ("beside.js", "live.js")),
)


@st.fragment(run_every=POLL_S)
def follow(url: str, revision: int) -> None:
    """Everybody's decisions onto the map as they are made; ``revision`` is what the page shows.

    Only what is drawn from decisions follows quietly.  Where rivers or readings have changed, or the outlet whose card is
    open, the page runs again: that keeps the zoom and what is being typed.
    """
    with parts.guard():
        now = cache.project(url).revision
        if cache.revision_of(url, now, cache.SCENE) != cache.revision_of(url, revision, cache.SCENE):
            st.rerun(scope="app")
        made = _show("live", url, now)
        standing = made["revision"].get(state.source(), 0)
        if standing != state.shown(state.plan()).get(state.source(), 0):
            st.rerun(scope="app")


def _show(key: str, url: str, now: int) -> pd.DataFrame:
    """Put the decisions of the plan at hand on the map, and return them."""
    plans = cache.plans(url, now)
    plan = decisions.at_hand(plans)
    made = cache.decisions(url, now, plan) if plan else pd.DataFrame(columns=["decision", "revision"])
    told = state.told_map(f"{plan} {made['revision'].max()} {len(made)}", time.time())
    decided = made["decision"][made["decision"] != "undecided"].to_dict()
    rows = plans.set_index("plan_id")
    named = plan_named(str(rows["name"][plan]), str(rows["state"][plan]), say) if decided else ""
    _live(key=key, data={"told": told, "decided": decided, "plan": named})
    return made


@st.fragment
def card(url: str, revision: int) -> None:
    """What is decided on the outlet chosen in the plan at hand, and the buttons that decide; nothing where none is chosen."""
    outlets = cache.network(url, revision).outlets
    if state.source() not in outlets.index:
        return
    with st.container(border=True, key="marking"), parts.guard():
        now, outlet = cache.project(url).revision, outlets.loc[state.source()]
        project, outlet_id, plans = signin.own_project(url), state.source(), cache.plans(url, now)
        parts.heading(say("处置：{outlet}", outlet=str(outlet.get("name") or "") or outlet_id))
        plan = decisions.choose_plan(project, plans, "collapsed")
        decisions.settle(project)
        if not plan:
            return
        made = _show("live_card", url, now)
        state.show_decisions(plan, {str(o): int(r) for o, r in made["revision"].items()})
        st.text(_standing(made.loc[outlet_id]) if outlet_id in made.index else say("尚未决定"))
        row = plans.set_index("plan_id").loc[plan]
        if row["state"] not in OPEN:
            st.caption(say("方案已提交或批准，不能再改。"))
        elif not project.user.may("decide"):
            st.caption(say("您的角色只能查看。"))
        else:
            _choices(url, now, plan, outlet_id)
        with st.container(horizontal=True, gap="small"):
            st.button(say("撤销我的上一步"), key="mark_undo", type="tertiary", on_click=_undo, args=(url, plan))
            if outlet_id in made.index:
                _attached(url, project, plan, outlet_id)


def _standing(decision: Any) -> str:
    when = decision["decided_on"]
    told = [
        say(decisions.DECISIONS[decision["decision"]]),
        decision["merge_to"],
        decision["decided_by"],
        None
        if pd.isna(when)
        else pd.Timestamp(when).tz_convert(datetime.now().astimezone().tzinfo).strftime("%Y-%m-%d %H:%M"),
        decision["reason"],
    ]
    return " · ".join(str(part) for part in told if part and not pd.isna(part))


def _choices(url: str, now: int, plan: str, outlet: str) -> None:
    st.text_input(say("理由"), key=state.WHY, max_chars=300, placeholder=say("理由"), label_visibility="collapsed")
    with st.container(horizontal=True, gap="small"):
        for decision in ("regulate", "seal", "undecided"):
            st.button(
                say(decisions.DECISIONS[decision]), key=f"mark_{decision}", on_click=_decide, args=(url, plan, outlet, decision),
                type="primary" if decision == "seal" else "secondary",
            )  # fmt: skip
        with st.popover(say(decisions.DECISIONS["merge"])):
            plants = cache.table(url, now, "plants")
            spare = number(plants, "design_discharge_m3_d") - number(plants, "actual_discharge_m3_d")
            room = dict(zip(plants["plant_id"], spare, strict=True))
            names = dict(zip(plants["plant_id"], text(plants, "name"), strict=True))
            into = st.selectbox(
                say("接入污水处理厂"), sorted(room, key=lambda i: -room[i] if room[i] == room[i] else 0.0), key=state.PICK_PLANT,
                format_func=lambda i: say("{plant}（余量 {spare} m³/d）", plant=names.get(i) or i, spare=parts.figure(room.get(i, 0.0))),
            )  # fmt: skip
            st.button(
                say("接入这座厂"), key="mark_merge", on_click=_decide, args=(url, plan, outlet, "merge", into or "")
            )


def _decide(url: str, plan: str, outlet: str, decision: str, plant: str = "") -> None:
    signin.here()
    with parts.told():
        project = signin.own_project(url)
        if decisions.attempt(project, plan, [outlet], decision, plant, state.why(), state.shown(plan)):
            state.forget_why()


def _undo(url: str, plan: str) -> None:
    signin.here()
    with parts.told():
        undone = signin.own_project(url).plans.undo(plan)
        state.leave_notice(say("已撤销：{outlets}", outlets="、".join(undone)))


def _attached(url: str, project: Project, plan: str, outlet: str) -> None:
    """Photos and documents that speak for the decision: listed, fetched when asked for, and added."""
    listed = records(project.plans.attachments(plan).query("outlet_id == @outlet"))
    with st.popover(say("附件（{count}）", count=len(listed)), type="tertiary"):
        for one in listed:
            st.download_button(
                parts.plain(f"{one['name']} · {one['size'] / 1000:.0f} kB"), key=f"file_{one['attachment_id']}",
                file_name=one["name"], data=partial(cache.project(url).plans.attachment, one["attachment_id"]), on_click="ignore",
            )  # fmt: skip
        if project.user.may("decide"):
            st.file_uploader(
                say("照片或文件"), type=[suffix[1:] for suffix in KINDS], key=f"{state.ATTACHED}_{plan}_{outlet}",
                max_upload_size=LIMIT_BYTES // 1_000_000, on_change=_attach, args=(url, plan, outlet),
            )  # fmt: skip


def _attach(url: str, plan: str, outlet: str) -> None:
    file = state.widget(f"{state.ATTACHED}_{plan}_{outlet}")
    if file is None:
        return
    signin.here()
    with parts.told():
        signin.own_project(url).plans.attach(plan, outlet, file.name, file.getvalue())
        state.leave_notice(say("已附上 {name}", name=file.name))
