"""The counties side by side: the league with its arithmetic, the water-quality index, and what each pays and receives."""

from __future__ import annotations

import html
import math

import pandas as pd
import streamlit as st

from hydro.assessment.compensation import county_statement
from hydro.assessment.registers import league
from hydro.columns import records
from ui import cache, parts, state, table
from ui.state import say

LEAGUE, INDEX, PAID = "league_list", "index_list", "paid_list"
PARTS = ("attainment", "tasks", "on_time", "survey")


def show_league(url: str, revision: int, tasks: pd.DataFrame, today: str) -> None:
    """Points by county, each with its arithmetic."""
    found = league(
        cache.board(url, revision, state.month()).rows, tasks, cache.table(url, revision, "outlets"), today=today
    )
    column = table.Column
    columns = [
        column("rank", say("名次"), "number", 46), column("county", say("县区"), "text", 90),
        column("points", say("得分"), "number", 60), column("attainment", say("断面达标 40"), "number", 90),
        column("tasks", say("任务办结 30"), "number", 90), column("on_time", say("不逾期 20"), "number", 90),
        column("survey", say("排口溯源 10"), "number", 90), column("arithmetic", say("算式"), "text", 360),
    ]  # fmt: skip
    rows = []
    for one in records(found):
        parts_of = {
            name: f"{one[f'{name}_held']:g}/{one[f'{name}_of']:g}" if one[f"{name}_of"] else "–" for name in PARTS
        }
        cells = {"rank": str(one["rank"]), "county": one["county"], "points": parts.fixed(one["points"], 1), **parts_of,
                 "arithmetic": one["arithmetic"]}  # fmt: skip
        sort = {name: one[f"{name}_held"] / one[f"{name}_of"] if one[f"{name}_of"] else math.nan for name in parts_of}
        rows.append(table.row("", cells, {"rank": one["rank"], "points": one["points"], **sort}))
    table.show(LEAGUE, columns, rows, lambda: None)
    st.html(f'<div class="note">{html.escape(say("没有可比项目的县区，按余下项目的权重折算；权重可改。"))}</div>')


def show_index(url: str, revision: int) -> None:
    """CWQI of the year so far: lower is better, and a change below zero is an improvement."""
    found = cache.counties_ranked(url, revision, state.month())
    parts.heading(say("水质指数排名（CWQI，越小越好）"))
    column = table.Column
    columns = [
        column("rank", say("名次"), "number", 46), column("county", say("县区"), "text", 90),
        column("cwqi", say("今年指数"), "number", 80), column("last", say("去年同期"), "number", 80),
        column("change", say("同比"), "number", 70, say("负数为改善")), column("sections", say("断面"), "number", 56),
        column("largest", say("占比最大的指标"), "text", 420),
    ]  # fmt: skip
    rows = []
    between = "、" if state.lang() == "zh" else ", "
    for one in records(found):
        known = not math.isnan(one["cwqi"])
        largest = between.join(f"{item(name)} {part:.2f}" for name, part in one["largest"])
        cells = {"rank": f"{one['rank']:.0f}" if known else "–", "county": one["county"], "cwqi": parts.fixed(one["cwqi"], 2),
                 "last": parts.fixed(one["last_year"], 2), "change": parts.change(one["change_share"]),
                 "sections": str(one["sections"]), "largest": largest}  # fmt: skip
        sort = {"rank": one["rank"], "cwqi": one["cwqi"], "last": one["last_year"], "change": one["change_share"],
                "sections": one["sections"]}  # fmt: skip
        rows.append(table.row("", cells, sort))
    table.show(INDEX, columns, rows, lambda: None)
    used = found["items"].max() if len(found) else ""
    note = say(
        "{edition}：各指标年内均值与Ⅲ类限值之比相加，溶解氧取倒数；只计各县区都监测的 {count} 项：{items}。规定凭记忆录入，请核对原文。",
        edition=found["edition"].iloc[0] if len(found) else "", count=len(used.split(";")) if used else 0,
        items=between.join(item(name) for name in used.split(";") if name),
    )  # fmt: skip
    st.html(f'<div class="note">{html.escape(note)}</div>')


def item(name: str) -> str:
    """An item in the reader's language."""
    parameter = cache.standard().parameters[name]
    return parameter.name_zh if state.lang() == "zh" else parameter.name_en


def show_paid(url: str, revision: int) -> None:
    """What each county pays and receives this year so far, month by month priced by the rules shipped as a sample."""
    known = [
        month for month in cache.months(url, revision) if month[:4] == state.month()[:4] and month <= state.month()
    ]
    priced = pd.concat([cache.settled(url, revision, month) for month in known])
    column = table.Column
    columns = [
        column("county", say("县区"), "text", 120), column("months", say("断面月"), "number", 80),
        column("exceeding", say("扣缴断面月"), "number", 90), column("unknown", say("无法计算"), "number", 80),
        column("pay", say("扣缴 万元"), "number", 100), column("reward", say("奖励 万元"), "number", 100),
        column("net", say("净额 万元"), "number", 100),
    ]  # fmt: skip
    rows = []
    for one in records(county_statement(priced)):
        figures = {"pay": one["pay_wan"], "reward": one["reward_wan"], "net": one["net_wan"]}
        counts = {"months": one["section_months"], "exceeding": one["exceeding"], "unknown": one["unknown"]}
        cells = {"county": one["county"] or say("未填县区"), **{name: str(int(value)) for name, value in counts.items()},
                 **{name: f"{value:.1f}" for name, value in figures.items()}}  # fmt: skip
        cells["net"] = f"{one['net_wan']:+.1f}" if round(one["net_wan"], 1) else "0.0"
        rows.append(table.row("", cells, counts | figures))
    table.show(PAID, columns, rows, lambda: None)
    rules = parts.listed(priced["rules"].iloc[0])
    note = say("规则：{rules}。已按输移比扣除入境超标部分；改规则：导入 compensation_rules 表。", rules=rules)
    st.html(f'<div class="note">{html.escape(note)}</div>')
