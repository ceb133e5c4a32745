"""What the cheapest plan is asked with: measures, sections, flow conditions and bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

import hydro
from hydro.columns import text
from hydro.duties import DUTIES
from hydro.planning.measure import ACTIONS
from hydro.planning.seasons import NORMAL, seasons
from ui import state
from ui.state import say

PROVINCIAL, EVERY = "省控", "全部"
USUAL = ("seal", "regulate", "merge", "upgrade", "dredge", "relocate")
WATER = {"remove": "随之离开河道", "keep": "仍入河"}


@dataclass(frozen=True)
class Question:
    """Everything that a proposal depends on besides the project; a key of caches."""

    allow: tuple[str, ...]
    margin: float
    sections: tuple[str, ...]
    flows: tuple[hydro.Condition, ...]
    limits: hydro.Limits
    water: str


def ask(network: hydro.RiverNetwork) -> Question:
    """Margin, sections and water at hand; the rest behind one button."""
    flows = seasons(network) | _this_month(network)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        scope = _scope(network)
        names = st.pills(
            say("水情（可多选）"),
            list(flows),
            default=[NORMAL],
            selection_mode="multi",
            format_func=lambda name: called(flows[name]),
            key=state.PLAN_FLOWS,
            help="；".join(_told(flow) for flow in flows.values()),
        )
    cells = st.columns([4, 3], vertical_alignment="bottom", gap="small")
    margin = cells[0].slider(say("余量（比目标低 %）"), 0, 30, 10, 5, key=state.PLAN_MARGIN)
    with cells[1].popover(say("措施与限制"), width="stretch"):
        allow, limits, water = _bounds(network)
    return Question(tuple(allow), margin / 100, scope, tuple(flows[name] for name in names or [NORMAL]), limits, water)


def _scope(network: hydro.RiverNetwork) -> tuple[str, ...]:
    provincial = text(network.sections, "level") == PROVINCIAL
    scopes = [PROVINCIAL, EVERY] if provincial.any() else [EVERY]
    chosen = st.segmented_control(say("断面"), scopes, default=scopes[0], format_func=say, key=state.PLAN_SCOPE)
    wanted = provincial if (chosen or scopes[0]) == PROVINCIAL else provincial | True
    return tuple(map(str, network.sections.index[wanted]))


def _this_month(network: hydro.RiverNetwork) -> dict[str, hydro.Condition]:
    """The month at hand as a condition, where a section was measured in it: a plan then starts at the readings."""
    month, sections = state.month(), list(map(str, network.sections.index))
    known = np.isfinite(hydro.measured_tp(network, sections, month or None)).any()
    return {month: hydro.Condition(month, month)} if known else {}


def called(flow: hydro.Condition) -> str:
    """Water as a planner calls it: a month as measured, or a season."""
    return say("{month} 实况", month=flow.name) if flow.time else say(flow.name)


def _told(flow: hydro.Condition) -> str:
    if flow.time:
        return say("{month} 实况：当月的流量、水温与排放，断面从当月实测值起算", month=flow.name)
    return say(
        "{name}：流量 ×{flow:.2f}，降解 ×{decay:g}", name=say(flow.name), flow=flow.flow_factor, decay=flow.decay_factor
    )


def _bounds(network: hydro.RiverNetwork) -> tuple[tuple[str, ...], hydro.Limits, str]:
    allow = st.pills(
        say("允许的措施"),
        ACTIONS,
        default=list(USUAL),
        selection_mode="multi",
        format_func=lambda action: say(DUTIES[action].word),
        key=state.PLAN_ALLOW,
    )
    water = st.segmented_control(
        say("封堵后原排水"), list(WATER), default="remove", format_func=lambda key: say(WATER[key]), key="plan_water"
    )
    left, right = st.columns(2)
    budget = left.number_input(say("预算（万元，空为不限）"), 0.0, None, None, 100.0, key="plan_budget")
    county = right.number_input(say("每县最多几处（空为不限）"), 0, None, None, key="plan_county")
    volume = left.number_input(say("一年最多引水（万m³，空为不限）"), 0.0, None, None, 100.0, key="plan_volume")
    days = right.number_input(say("须在几天内完成（空为不限）"), 0, None, None, 30, key="plan_days")
    places = [*map(str, network.outlets.index), *map(str, network.plants.index), *map(str, network.gates.index)]
    names = {i: n for t in (network.outlets, network.plants, network.gates) for i, n in text(t, "name").items()}
    force, forbid = (
        st.multiselect(say(label), places, format_func=lambda i: f"{i} {names.get(i, '')}".strip(), key=key,
                       placeholder="")
        for label, key in (("必须做", "plan_force"), ("不许做", "plan_forbid"))
    )  # fmt: skip
    limits = hydro.Limits(
        budget=budget,
        per_county=None if county is None else int(county),
        volume_10k_m3=volume,
        force=tuple(force),
        forbid=tuple(forbid),
        ready_in_days=days,
    )
    return tuple(allow or ()), limits, water or "remove"
