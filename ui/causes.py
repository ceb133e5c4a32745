"""Who did it, how sure, and why; then where to take the next sample."""

from __future__ import annotations

import html
import math
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import numpy as np
import streamlit as st

import hydro
from hydro.causes.findings import CONFIRMED, EXCLUDED
from hydro.causes.sampling import bracket
from hydro.columns import records, text
from layers.maps.packing import map_numbers
from layers.store.findings import field_findings, record_finding, withdraw_finding
from reports.evidence import MARK, has_a_place, next_place, told
from reports.patrol import patrol_sheet
from ui import cache, parts, signin, state
from ui.parts import percent
from ui.state import say

HERE = Path(__file__).parent / "browser"
NAMED = 3
WORTH_NAMING = 0.02
OTHERS = {"UNREGISTERED": "未登记的排口", "DIFFUSE": "面源（雨水冲刷）", "NONE": "没有单一原因（平时负荷）"}
AUTOMATIC_REACHES = 5000
"""Larger projects are judged when asked: it takes minutes."""


def show(url: str, revision: int, trace: hydro.Trace | None) -> None:
    """The causes of what the section shows this month, once they have been worked out; None where nobody is to be accused.

    The fragment is called also then: what a fragment drew stays on the page until it is called again.
    """
    asked, waiting = "", False
    if trace is not None:
        parts.heading(say("可能是谁"))
        if _on_demand(trace.network):
            st.button(say("推断成因"), on_click=state.want_causes, key="want_causes")
        else:
            asked = trace.section_id
            peak = cache.episode(url, revision, asked, state.month())
            waiting = not peak and not cache.judged(url, revision).done()
    st.fragment(_answer, run_every="1s" if waiting else None)(url, revision, asked, waiting)


def best(url: str, revision: int, trace: hydro.Trace, waiting: bool) -> hydro.Trace | None:
    """What is best known of whose phosphorus it is; None while the record is still being judged, or cannot be."""
    if waiting or _on_demand(trace.network):
        return None
    with parts.quiet():
        return cache.causes(url, revision, trace.section_id, state.month())
    return None


def waiting(url: str, revision: int, network: hydro.RiverNetwork) -> bool:
    """Whether the record is still being judged; asked once a run, so that what is drawn and what follows agree."""
    return not _on_demand(network) and not cache.judged(url, revision).done()


def follow(url: str, revision: int) -> None:
    """While the record is being judged: wait, and draw what is best known in the place of what the registers say."""
    st.fragment(_follow, run_every="1s")(url, revision)


def _on_demand(network: hydro.RiverNetwork) -> bool:
    return len(network.reaches) > AUTOMATIC_REACHES and not state.wants_causes()


def _follow(url: str, revision: int) -> None:
    if cache.judged(url, revision).done():
        st.rerun()


KEPT = {CONFIRMED: "已确认", EXCLUDED: "已排除"}


_bracket = st.components.v2.component(
    "qingyuan_bracket",
    html="<span></span>",
    js="".join((HERE / name).read_text(encoding="utf-8") for name in ("beside.js", "bracket.js")),
)


def _stretch(trace: hydro.Trace) -> None:
    """The stretch on the map and in words, with the load that the register does not explain."""
    topology, position = trace.network.topology, trace.network.reach_position
    found = bracket(trace) if has_a_place(trace) else ()
    suspect = np.array([position[reach] for reach in found], int)
    reaches = map_numbers(topology)[suspect].tolist()
    _bracket(key="bracket", data={"section": trace.section_id, "reaches": reaches})
    if reaches:
        length_m = topology.length_m[suspect].sum()
        said = say(
            "图上橙色河段（约 {km} km）：若由单一来源造成，九成可能在其中入河。清单不能说明 {load} kg/d。",
            km=parts.figure(length_m / 1000),
            load=parts.figure(trace.unexplained_kg_d),
        )
        st.html(f'<div class="note">{html.escape(said)}</div>')


def _answer(url: str, revision: int, section: str, waiting: bool) -> None:
    if not section:
        return
    now = cache.project(url).revision
    if cache.revision_of(url, now, cache.JUDGED) > cache.revision_of(url, revision, cache.JUDGED):
        st.rerun(scope="app")  # somebody found something: the causes are judged anew
    peak = cache.episode(url, revision, section, state.month())
    if not peak and not cache.judged(url, revision).done():
        st.html(f'<div class="note working">{html.escape(say("正在比对全部月份的监测记录……"))}</div>')
        return
    if waiting:
        st.rerun()
    with parts.guard():
        with st.spinner(say("正在比对自动站的读数……")) if peak else nullcontext():
            trace = cache.causes(url, revision, section, state.month())
        if peak:
            _episode(trace)
        ranked = trace.table.dropna(subset=["probability"]).sort_values("probability", ascending=False)
        for row in records(ranked.head(NAMED)):
            if row["probability"] >= WORTH_NAMING:
                _cause(row)
        _stretch(trace)
        _sample(trace)
        _field(url, trace)
        _patrol(url, trace)


def _episode(trace: hydro.Trace) -> None:
    """Which reading of the automatic station the causes are those of."""
    said = say(
        "按自动站本月最高读数推断：{time}，{value} mg/L（目标 {target} mg/L）",
        time=str(trace.time).replace("T", " "),
        value=f"{trace.measured_mg_l:.3f}",
        target=f"{trace.target_mg_l:g}",
    )
    st.html(f'<div class="note">{html.escape(said)}</div>')


def _field(url: str, trace: hydro.Trace) -> None:
    """What was found on the spot about this section and month (or reading), and a form to add to it."""
    project = signin.own_project(url)
    asked_of = str(trace.time)
    names = trace.table.set_index("source_id")["name"].astype(str)
    for one in field_findings(project):
        if one.time != asked_of or one.source_id not in names:
            continue
        left, right = st.columns([4, 1], vertical_alignment="center")
        kept = say(
            "现场核查 · {verdict}：{name} {note}",
            verdict=say(KEPT[one.verdict]),
            name=_named(one.source_id, names[one.source_id]),
            note=one.note,
        )
        left.text(kept)
        if project.user.may("write"):
            right.button(
                say("撤回"), key=f"withdraw_{one.source_id}", on_click=_withdraw, args=(url, one.source_id, asked_of)
            )
    if not project.user.may("write"):
        return
    asked = [s for s, p in sorted(trace.odds.items(), key=lambda item: -item[1]) if s != "NONE"]
    with st.popover(say("记录现场核查")), st.form("field_finding", border=False):
        st.selectbox(say("查了谁"), asked, format_func=lambda s: _named(s, names[s]), key=state.FOUND_SOURCE)
        st.text_input(say("查到了什么"), key=state.FOUND_NOTE, max_chars=200)
        st.form_submit_button(say("确认是它"), on_click=_keep, args=(url, CONFIRMED, asked_of))
        st.form_submit_button(say("排除"), on_click=_keep, args=(url, EXCLUDED, asked_of))


def _named(source: str, name: str) -> str:
    return say(OTHERS[source]) if source in OTHERS else name or source


def _keep(url: str, verdict: str, time: str) -> None:
    source, note = state.found()
    with parts.guard():
        one = hydro.FieldFinding(source, time, verdict, note)
        record_finding(signin.own_project(url), one, found_on=date.today().isoformat())


def _withdraw(url: str, source: str, time: str) -> None:
    with parts.guard():
        withdraw_finding(signin.own_project(url), source, time)


def _patrol(url: str, trace: hydro.Trace) -> None:
    """The outlets to visit, as a sheet to print."""
    stops = hydro.patrol(trace)
    if stops.empty:
        return
    name = text(trace.network.sections, "name")[trace.section_id] or trace.section_id
    project = cache.project(url)
    sheet = patrol_sheet(
        stops, section=name, time=state.month(), project=project.name, demo=project.demo, made_on=date.today().isoformat(),
        lang=state.lang(),
    )  # fmt: skip
    st.download_button(
        say("巡查清单（{count} 处，可打印）", count=len(stops)), sheet, file_name=f"{trace.section_id}-{state.month()}.xlsx",
        key="patrol", on_click="ignore",
    )  # fmt: skip


def _cause(row: dict[str, object]) -> None:
    source, odds = str(row["source_id"]), float(str(row["probability"]))
    name = say(OTHERS[source]) if source in OTHERS else str(row["name"])
    findings = row["evidence"] if isinstance(row["evidence"], tuple) else ()
    said = []
    if isinstance(row["share"], float) and math.isfinite(row["share"]):
        low, high = (percent(float(str(row[name]))) for name in ("share_low", "share_high"))
        part = say("约占断面负荷 {share}（{low}–{high}）", share=percent(row["share"]), low=low, high=high)
        said.append(part)
    if isinstance(row["release_from"], str) and row["release_from"]:
        since, until = (str(row[name])[5:].replace("T", " ") for name in ("release_from", "release_to"))
        load = parts.figure(float(str(row["released_kg"])))
        said.append(say("约 {since} 至 {until} 排放 {load} kg", since=since, until=until, load=load))
    lines = [
        f'<li data-mark="{MARK.get(one.speaks, "·")}">{html.escape(words)}</li>'
        for one, words in zip(findings, told(findings, state.lang()), strict=True)
    ]
    st.html(
        f'<div class="cause"><b>{html.escape(name)}</b><i><u style="width:{100 * odds:.0f}%"></u></i><b>{percent(odds)}</b></div>'
        f'<div class="why">{"".join(f"<b>{html.escape(one)}</b> " for one in said)}<ul>{"".join(lines)}</ul></div>'
    )


def _sample(trace: hydro.Trace) -> None:
    place = next_place(trace, state.lang())
    if place:
        st.html(f'<div class="next"><b>{say("下一个采样点")}</b> {html.escape(place)}</div>')
