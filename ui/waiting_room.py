"""What the meeting page shows while the causes are worked out: the month in one sentence, the worst sections, how far it is."""

from __future__ import annotations

import html
import time

import streamlit as st

from hydro.columns import records
from reports import phrases
from ui import cache, parts, state
from ui.state import say

SHOWN = 6
JUDGING, LAYING_OUT = 2, 3
"""Steps that take long, by their place in the list."""
SIGN = {"over": "▲", "equal": "◆", "holds": "●"}


def show(url: str, revision: int) -> None:
    """Drawn anew every second; the show itself takes its place when the causes are known."""
    if cache.judged(url, revision).done():
        st.rerun()
    st.html(drawn(url, revision, JUDGING))


def drawn(url: str, revision: int, doing: int) -> str:
    """The month in a sentence, its worst sections, and the steps, of which number ``doing`` is under way."""
    rows = cache.board(url, revision, state.month()).rows
    rows = rows[rows["state"].isin(list(SIGN))]
    demo = f"<mark>{html.escape(say('示例'))}</mark>" if cache.project(url).demo else ""
    told = "".join(
        f"<tr><td>{SIGN[row['state']]} {html.escape(str(row['name'] or row['section_id']))}</td>"
        f"<td>{row['target_mg_l']:.2f}</td><td>{parts.fixed(row['value_mg_l'])}</td></tr>"
        for row in records(rows.head(SHOWN))
    )
    heads = "".join(f"<th>{html.escape(word)}</th>" for word in (say("断面"), say("目标"), f"{say('总磷')} mg/L"))
    kinds = ["done" if i < doing else "doing" if i == doing else "" for i in range(4)]
    steps = "".join(
        f'<li class="{kind}">{html.escape(words)}</li>'
        for kind, words in zip(kinds, _steps(url, revision), strict=True)
    )
    return (
        f'<div class="waiting-room"><h1>{html.escape(_lead(rows["state"]))}{demo}</h1>'
        f'<div><table><tr>{heads}</tr>{told}</table><ol>{steps}</ol></div><div class="bar"></div></div>'
    )


def _lead(states: object) -> str:
    count = {name: int((states == name).sum()) for name in SIGN}  # type: ignore[attr-defined]
    return say(
        "{month}监测 {n} 个断面：达标 {holds} 个，持平 {at} 个，超标 {over} 个",
        month=phrases.spoken_month(state.month(), state.lang()),
        n=sum(count.values()),
        holds=count["holds"],
        at=count["equal"],
        over=count["over"],
    )


def _steps(url: str, revision: int) -> list[str]:
    """What is done in turn; ``JUDGING`` and ``LAYING_OUT`` are places in it."""
    sections, months = len(cache.network(url, revision).sections), len(cache.months(url, revision))
    seconds = round(time.time() - cache.judged_since(url, revision))
    judging = say("比对 {sections} 个断面 {months} 个月的监测记录，推断成因", sections=sections, months=months)
    if not cache.judged(url, revision).done():
        judging += say("（已用 {seconds} 秒）", seconds=seconds)
    return [say("读取河网与监测记录"), say("评价各断面"), judging, say("排出会议画面与月报")]
