"""What the last step made of the plan at hand, what it replaced, and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import streamlit as st

from hydro.duties import DUTIES
from hydro.planning.measure import Measure
from ui import parts, state
from ui.state import say


def show() -> None:
    """The last step in one line, and the button that takes it back; nothing before the first."""
    before = state.marks_before()
    if before is None:
        return
    told, back = st.columns([6, 1], vertical_alignment="center")
    told.text(words(before, state.marks()))
    back.button(say("撤销这一步"), on_click=state.take_back, width="stretch", key="plan_take_back")


def words(before: Sequence[Measure], after: Sequence[Measure]) -> str:
    """What came, what it replaced at the same places, what went, and how many were changed: by kind, with their count."""
    old, new = {m.key: m for m in before}, {m.key: m for m in after}
    came = [m for m in after if m.key not in old]
    at = {m.source_id for m in came}
    gone = [m for m in before if m.key not in new]
    changed = sum(new[key] != one for key, one in old.items() if key in new)
    pieces = [
        (say("新增 {list}", list=_counted(came)), came),
        (
            say("取代了原来的 {list}", list=_counted(m for m in gone if m.source_id in at)),
            at & {m.source_id for m in gone},
        ),
        (say("去掉 {list}", list=_counted(m for m in gone if m.source_id not in at)), {m.source_id for m in gone} - at),
        (say("改了 {count} 项的数量、费用或安排", count=changed), changed),
    ]
    told = [piece for piece, there in pieces if there]
    return say("上一步：{steps}", steps=("；" if state.lang() == "zh" else "; ").join(told) or say("没有变化"))


def _counted(measures: Iterable[Measure]) -> str:
    kinds = Counter(measure.action for measure in measures)
    return parts.joined(f"{say(DUTIES[action].word)} {count}" for action, count in kinds.items())
