"""双达标: every key source, concentration against its limit and load against its permit."""

from __future__ import annotations

import html
import math

import pandas as pd
import streamlit as st

from hydro.assessment.permits import VERDICTS, coverage
from hydro.columns import records
from ui import cache, parts, state, table
from ui.state import say

DOUBLE, COVERAGE = "double_list", "coverage_list"
BAD = ("load_over", "concentration_over", "both_over")


def show(url: str, revision: int) -> None:
    """Every key source, concentration and load against its permit, the fullest first; a click opens its file."""
    tested = cache.double_test(url, revision, state.month())
    counts = tested["verdict"].value_counts()
    seen = coverage(tested)
    said = say(
        "{all} 个源：总量或浓度超 {over}，没有数据 {none}；自动监测安装 {installed} 个，应报 {expected} 源月，实报 {sent}",
        all=len(tested), over=int(sum(counts.get(name, 0) for name in BAD)),
        none=int(counts.get("no_data", 0)), installed=int(seen["installed"].sum()), expected=int(seen["expected"].sum()),
        sent=int(seen["sent"].sum()),
    )  # fmt: skip
    st.html(f'<div class="plainly">{html.escape(said)}</div>')
    column = table.Column
    columns = [
        column("name", say("源"), "text", 190), column("county", say("县区"), "text", 70),
        column("used", say("累计/同期许可"), "share", 110), column("load", say("累计 kg"), "number", 76),
        column("rate", say("全年推算 kg"), "number", 90), column("year", say("全年许可 kg"), "number", 90),
        column("month", say("最新 kg/d"), "number", 76), column("over", say("超许可月"), "number", 66),
        column("gaps", say("缺测月"), "number", 56), column("verdict", say("结论"), "mark", 250),
    ]  # fmt: skip
    rows = []
    for one in records(tested[tested["verdict"] != "no_data"]):
        used = one["load_kg"] / one["permit_kg"] if one["permit_kg"] else math.nan
        bad = one["verdict"] in BAD
        cells = {
            "name": one["name"] or one["source_id"], "county": one["county"],
            "used": {"share": table.known(used), "text": parts.percent(used)}, "load": parts.figure(one["load_kg"]),
            "rate": parts.figure(one["run_rate_kg"]), "year": parts.figure(one["year_permit_kg"]),
            "month": parts.figure(one["newest_kg_d"]), "over": str(one["load_over_months"] or ""), "gaps": str(one["gaps"] or ""),
            "verdict": {"kind": "over" if bad else "holds" if one["verdict"] == "both" else "none", "text": say(VERDICTS[one["verdict"]])},
        }  # fmt: skip
        sort = {"used": used, "load": one["load_kg"], "rate": one["run_rate_kg"], "year": one["year_permit_kg"],
                "month": one["newest_kg_d"], "over": one["load_over_months"], "gaps": one["gaps"], "verdict": one["verdict"]}  # fmt: skip
        rows.append(table.row(str(one["source_id"]), cells, sort))
    table.show(DOUBLE, columns, rows, _open)
    _coverage(seen)


def _open() -> None:
    state.open_file(state.clicked(DOUBLE))


def _coverage(seen: pd.DataFrame) -> None:
    """By county: how many sources have a monitor, and how much of what they should send did arrive."""
    parts.heading(say("自动监测安装与数据到报，按县区"))
    column = table.Column
    columns = [
        column("county", say("县区"), "text", 120), column("sources", say("源"), "number", 70),
        column("installed", say("已安装"), "number", 70), column("share", say("安装率"), "share", 180),
        column("expected", say("应报源月"), "number", 80), column("sent", say("实报"), "number", 70),
        column("arrived", say("到报率"), "share", 180),
    ]  # fmt: skip
    rows = []
    for one in records(seen):
        counts = {name: one[name] for name in ("sources", "installed", "expected", "sent")}
        shares = {"share": one["installed_share"], "arrived": one["sent_share"]}
        cells = {"county": one["county"] or say("未填县区"), **{name: str(int(count)) for name, count in counts.items()},
                 **{name: {"share": table.known(value), "text": parts.percent(value)} for name, value in shares.items()}}  # fmt: skip
        rows.append(table.row("", cells, counts | shares))
    table.show(COVERAGE, columns, rows, lambda: None)
