"""Who did it, how sure, and why; then where to take the next sample."""

from __future__ import annotations

import html

import streamlit as st

import hydro
from hydro.columns import text
from hydro.sampling import SamplePlace, next_sample
from reports.evidence import line
from ui import cache, parts, state
from ui.parts import percent
from ui.state import say

NAMED = 3
WORTH_NAMING = 0.02
OTHERS = {"UNREGISTERED": "未登记的排口", "DIFFUSE": "面源（雨水冲刷）", "NONE": "没有单一原因（平时负荷）"}
AUTOMATIC_REACHES = 5000
"""Larger projects are judged when asked: it takes minutes."""


def show(url: str, revision: int, trace: hydro.Trace) -> None:
    """The causes of what the section shows this month, once they have been worked out."""
    parts.heading(say("可能是谁"))
    if len(trace.network.reaches) > AUTOMATIC_REACHES and not state.wants_causes():
        st.button(say("推断成因"), on_click=state.want_causes, key="want_causes")
        return
    waiting = not cache.judged(url, revision).done()
    st.fragment(_answer, run_every="1s" if waiting else None)(url, revision, trace.section_id, waiting)


def _answer(url: str, revision: int, section: str, waiting: bool) -> None:
    future = cache.judged(url, revision)
    if not future.done():
        st.html(f'<div class="note working">{html.escape(say("正在比对全部月份的监测记录……"))}</div>')
        return
    if waiting:
        st.rerun()
    with parts.guard():
        trace = cache.causes(url, revision, section, state.month())
        ranked = trace.table.dropna(subset=["probability"]).sort_values("probability", ascending=False)
        for row in ranked.head(NAMED).to_dict("records"):
            if row["probability"] >= WORTH_NAMING:
                _cause(row)
        _sample(trace)


def _cause(row: dict[str, object]) -> None:
    source, odds = str(row["source_id"]), float(str(row["probability"]))
    name = say(OTHERS[source]) if source in OTHERS else str(row["name"])
    findings = row["evidence"] if isinstance(row["evidence"], tuple) else ()
    said = html.escape(line(findings, state.lang()))
    st.html(
        f'<div class="cause"><b>{html.escape(name)}</b><i><u style="width:{100 * odds:.0f}%"></u></i><b>{percent(odds)}</b></div>'
        f'<div class="why">{said}</div>'
    )


def _sample(trace: hydro.Trace) -> None:
    odds = trace.table.set_index("source_id")["probability"].dropna().to_dict()
    place = next_sample(trace, odds)
    if place is not None:
        st.html(f'<div class="next"><b>{say("下一个采样点")}</b> {html.escape(_where(trace, place))}</div>')


def _where(trace: hydro.Trace, place: SamplePlace) -> str:
    names = trace.table.set_index("source_id")["name"]
    if not place.reach_id:
        return say("{name} 的排口", name=names[place.source_id])
    reaches = trace.network.reaches
    river = text(reaches, "river")[place.reach_id] or text(reaches, "name")[place.reach_id]
    return say(
        "{river}，河段 {reach} 的上端：{share} 的可能在其上游",
        river=river,
        reach=place.reach_id,
        share=percent(place.above),
    )
