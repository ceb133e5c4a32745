"""Rivers and the basin: grade by shares of classes, and the main pollutants (环办[2011]22号)."""

from __future__ import annotations

import html
import math
from typing import Any

import streamlit as st

from hydro.assessment.board import Board
from hydro.columns import records
from ui import parts, state, table
from ui.counties import item
from ui.state import say

RIVERS = "river_grades"
METHODS = {"shares": "按断面类别比例", "mean": "不足五个断面，先求均值", "": "没有数据"}


def show(found: Board) -> None:
    """One line a river, all sections together first."""
    column = table.Column
    columns = [
        column("river", say("河流"), "text", 100), column("sections", say("断面"), "number", 60),
        column("good", say("Ⅰ–Ⅲ类"), "share", 96), column("worst", say("劣Ⅴ类"), "share", 96),
        column("grade", say("水质状况"), "text", 130), column("pollutants", say("主要污染指标"), "text", 520),
        column("method", say("方法"), "text", 150),
    ]  # fmt: skip
    rows = [_row(one) for one in records(found.rivers)]
    table.show(RIVERS, columns, rows, lambda: None)
    note = say(
        "主要污染指标：五个断面以上为断面超标率，不足五个为均值超Ⅲ类的倍数；优和良好不列。评价标准 {edition}。",
        edition=found.edition,
    )
    st.html(f'<div class="note">{html.escape(note)}</div>')


def _row(one: dict[Any, Any]) -> dict[str, Any]:
    shares = one["method"] == "shares"
    named = ("、" if state.lang() == "zh" else ", ").join(
        f"{item(name)}({parts.percent(value) if shares else '–' if math.isnan(value) else f'{value:.1f}'})"
        for name, value in one["pollutants"]
    )
    cells = {
        "river": say("全部断面") if one["river"] == "*" else one["river"], "sections": f"{one['judged']}/{one['sections']}",
        "good": {"share": table.known(one["good_share"]), "text": parts.percent(one["good_share"])},
        "worst": {"share": table.known(one["worst_share"]), "text": parts.percent(one["worst_share"])},
        "grade": say(one["grade"]) if one["grade"] else "–", "pollutants": named, "method": say(METHODS[one["method"]]),
    }  # fmt: skip
    sort = {"sections": one["sections"], "good": one["good_share"], "worst": one["worst_share"]}
    return table.row("", cells, sort)
