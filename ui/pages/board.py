"""The board: one line a section, worst first; a click opens its file."""

from __future__ import annotations

import html
import math
from typing import Any

import pandas as pd
import streamlit as st

from hydro.assessment.board import Board
from hydro.assessment.registers import goal_progress
from hydro.columns import records, text
from hydro.tasks import OPEN, state_of
from reports.words import section_words
from ui import cache, margin_map, outlet_file, parts, rivers, section_file, state, table
from ui.state import say
from ui.today import as_of

TABLE = "board_table"
LEVELS = "国控 省控 市控"
FEW_NOTES = 6
"""Notes on the data that stand below the table; the others are a click away."""
FULL_MARGIN = 0.5
"""The margin bar is full at half the target."""
MARKS = {"over": "over", "equal": "equal", "holds": "holds"}
STATES = {
    "over": "超标",
    "equal": "持平",
    "holds": "达标",
    "partial": "数据不足",
    "no_data": "无数据",
    "no_target": "无目标",
}
TRENDS = {"rising": "↗ 变差", "falling": "↘ 好转", "none": "→ 平稳", "short": "不足三年"}


def render() -> None:
    """The board of the month, or the file of one section or outlet."""
    with parts.guard():
        url = cache.place()
        revision = cache.project(url).revision
        _look(url, revision)


@st.fragment
def _look(url: str, revision: int) -> None:
    with parts.guard():
        opened = state.file()
        network = cache.network(url, revision)
        if opened in network.sections.index:
            section_file.show(url, revision, opened)
        elif opened in network.outlets.index or opened in network.plants.index:
            outlet_file.show(url, revision, opened)
        else:
            found = cache.board(url, revision, state.month())
            _headline(found, demo=cache.project(url).demo)
            _views(found)
            if state.view() == "map":
                margin_map.show(found, url, revision)
            elif state.view() == "rivers":
                rivers.show(found)
            else:
                table.show(TABLE, _columns(), _rows(found, url, revision), _open)
            _below(found, url, revision)
        state.write_link()


def _views(found: Board) -> None:
    """All sections, those of one level, the map by margin, the rivers."""
    levels = found.rows["level"].value_counts()
    words = {"": say("全部 {count}", count=len(found.rows))}
    known = sorted((str(one) for one in levels.index if one), key=lambda one: (LEVELS.find(one), one))
    words |= {one: f"{say(one)} {levels[one]}" for one in known if len(levels) > 1}
    words |= {"map": say("余量图"), "rivers": say("河流与流域")}
    if state.view() not in words:
        state.show_view("")
    st.segmented_control(
        say("看什么"), list(words), default="", format_func=lambda one: words[one], key=state.VIEW, label_visibility="collapsed"
    )  # fmt: skip


def _open() -> None:
    state.open_file(state.clicked(TABLE))


def _headline(found: Board, *, demo: bool) -> None:
    """The month in one sentence, and the tightest section in plain words."""
    counts = found.rows["state"].value_counts()
    said = [
        say(
            "{month}：{all} 个断面，超标 {over}，持平 {equal}，达标有余量 {holds}",
            month=found.month,
            all=len(found.rows),
            **{name: int(counts.get(name, 0)) for name in ("over", "equal", "holds")},
        )
    ]
    if found.grade:
        said.append(say("全部断面水质：{grade}", grade=say(found.grade)))
    for row in records(found.attainment):
        if row["monitored"]:
            said.append(_rate(row))
    said.append(
        say("连续 {count} 个月全面达标", count=found.all_attained_months)
        if found.all_attained_months
        else say("本月未全面达标")
    )
    tight = found.rows[found.rows["state"].isin(["equal", "holds"])].head(2)
    words = [section_words(row, state.lang()) for row in records(tight)]
    label = f'<span class="demo">{html.escape(say("示例"))}</span>' if demo else ""
    st.html(
        f'<div class="board-head"><b>{html.escape(said[0])}</b>{label}<span>{html.escape(" · ".join(said[1:]))}</span>'
        f'<div class="note">{html.escape("　".join(words))}</div></div>'
    )


def _rate(row: dict[str, Any]) -> str:
    group = say("全部") if row["group"] == "*" else say(str(row["group"]) or "未分级")
    return say(
        "{group}今年达标率 {rate}（{held}/{of} 断面月）",
        group=group,
        rate=parts.percent(row["rate"]),
        held=int(row["attained"]),
        of=int(row["monitored"]),
    )


def _columns() -> list[table.Column]:
    column = table.Column
    return [
        column("rank", "", "number", 32, say("名次：最差为 1")),
        column("name", say("断面"), "two", 118),
        column("state", say("状态"), "mark", 96),
        column("class", say("类别"), "class", 58, say("21 项单因子评价（GB 3838-2002）")),
        column("value", say("总磷 mg/L"), "number", 58),
        column("target", say("目标"), "number", 42),
        column("margin", say("余量 mg/L"), "margin", 112, say("中线为目标：右侧为余量，左侧为超出")),
        column("percent", say("余量 %"), "number", 54, say("余量占目标")),
        column("headroom", say("容量 kg/d"), "number", 58, say("再多多少负荷就超标；负数为须削减")),
        column("months", say("近 36 个月"), "months", 88, say("虚线为目标，三角为超标月")),
        column("storm", say("暴雨系数"), "number", 50, say("目标 ÷ 现状：浓度升到几倍就超标")),
        column("rain", say("破线雨 mm"), "number", 54, say("24 小时下多少雨就超标（估算；– 为再大也不破）")),
        column(
            "need",
            say("后续须 ≤"),
            "number",
            60,
            say("年均达标，剩余各月平均不得高于此值；不可达：即使后续为零，年均仍超目标"),
        ),
        column("chance", say("12 月展望"), "share", 88, say("按本断面历史重抽样：全年均值达标的概率")),
        column("year", say("同比"), "number", 52, say("比去年同月")),
        column("trend", say("趋势"), "text", 70, say("季节性肯德尔检验，0.05")),
        column("streak", say("连续"), "text", 90),
        column("tasks", say("任务"), "number", 34),
    ]


def _rows(found: Board, url: str, revision: int) -> list[dict[str, Any]]:
    tasks = cache.table(url, revision, "tasks")
    waiting = [state_of(one) in OPEN for one in records(tasks)]
    count = text(tasks[waiting], "subject").value_counts() if len(tasks) else pd.Series(dtype=int)
    shown = found.rows[found.rows["level"] == state.view()] if state.view() else found.rows
    return [_row(row, int(count.get(row["section_id"], 0))) for row in records(shown)]


def _row(row: dict[str, Any], tasks: int) -> dict[str, Any]:
    margin, chance, target = row["margin_mg_l"], row["chance"], row["target_mg_l"]
    spark = [table.known(float(one)) for one in row["spark"]]
    cells = {
        "rank": str(row["rank"]),
        "name": [row["name"] or row["section_id"], " ".join(filter(None, (row["river"], say(row["level"]))))],
        "state": {"kind": MARKS.get(row["state"], "none"), "text": say(STATES[row["state"]])},
        "class": table.swatch(row["class"]),
        "value": parts.fixed(row["value_mg_l"]),
        "target": parts.fixed(target, 2),
        "margin": {
            "share": table.known(row["margin_share"]),
            "full": FULL_MARGIN,
            "text": "–" if math.isnan(margin) else f"{margin:+.3f}" if round(margin, 3) else "0.000",
        },
        "percent": parts.change(row["margin_share"]),
        "headroom": parts.fixed(row["headroom_kg_d"], 1),
        "months": {"values": spark, "target": table.known(target)},
        "storm": parts.fixed(row["storm_factor"], 2),
        "rain": parts.fixed(row["breaking_rain_mm"], 0),
        "need": say("不可达") if row["need_mg_l"] < 0 else parts.fixed(row["need_mg_l"]),
        "chance": {"share": table.known(chance), "text": parts.chance(chance)},
        "year": parts.change(row["change_share"]),
        "trend": say(TRENDS[row["trend"]]),
        "streak": _streak(row["streak"]),
        "tasks": str(tasks) if tasks else "",
    }
    sort = {
        "rank": row["rank"], "percent": row["margin_share"], "year": row["change_share"],
        "name": row["name"], "state": row["rank"], "class": row["class"].replace(">", "X"), "value": row["value_mg_l"],
        "target": target, "margin": margin, "headroom": row["headroom_kg_d"], "months": row["value_mg_l"],
        "storm": row["storm_factor"], "rain": row["breaking_rain_mm"], "need": row["need_mg_l"], "chance": chance, "trend": row["slope_per_year"],
        "streak": row["streak"], "tasks": tasks,
    }  # fmt: skip
    return table.row(str(row["section_id"]), cells, sort, section_words(row, state.lang()))


def _streak(months: int) -> str:
    if not months:
        return "–"
    return say("达标 {count} 月", count=months) if months > 0 else say("超标 {count} 月", count=-months)


def _below(found: Board, url: str, revision: int) -> None:
    """Dated goals of rivers, and what is odd about the month's data."""
    lines = []
    goals = cache.table(url, revision, "goals")
    if len(goals):
        lines += [_goal(row) for row in records(goal_progress(goals, _values(found, url, revision), month=found.month))]
    notes = [say(note.message, **note.params) for note in found.notes]
    lines += notes[:FEW_NOTES]
    lines.append(
        say("评价标准 {edition}，环办[2011]22号；暴雨系数 = 目标/现状；展望为重抽样 500 次；数据截至 {day}。",
            edition=found.edition, day=as_of(found.month))
    )  # fmt: skip
    if cache.project(url).demo:
        lines.append(say("示例：全部水质数据均为虚构。"))
    _say(lines)
    if notes[FEW_NOTES:]:
        with st.expander(say("数据上还有 {count} 条说明", count=len(notes) - FEW_NOTES)):
            _say(notes[FEW_NOTES:])


def _say(lines: list[str]) -> None:
    st.html("".join(f'<div class="note">{html.escape(line)}</div>' for line in lines))


def _values(found: Board, url: str, revision: int) -> pd.DataFrame:
    """Section-months with the river of each section."""
    months = cache.section_months(url, revision)
    river = text(cache.network(url, revision).sections, "river")
    wide = pd.DataFrame(months.counted("TP"), index=list(months.sections), columns=months.months.astype(str))
    long = (
        wide.rename_axis("section_id")
        .reset_index()
        .melt("section_id", var_name="month", value_name="value_mg_l")
        .dropna()
    )
    return long.assign(river=long["section_id"].map(river))


def _goal(row: dict[str, Any]) -> str:
    params = {
        "goal": row["title"] or row["river"], "owner": row["owner"], "due": str(row["due_on"])[:7],
        "mean": row["mean_mg_l"], "wanted": float(row["tp_goal_mg_l"]), "distance": abs(row["distance_mg_l"]),
        "needed": row["needed_per_month"], "change": row["year_change_mg_l"],
    }  # fmt: skip
    if math.isnan(row["mean_mg_l"]):
        return say("{goal}（{owner}，{due}）：近一年没有数据", **params)
    if row["distance_mg_l"] <= 0:
        return say(
            "{goal}（{owner}，{due}）：近一年均值 {mean:.3f}，已达到 {wanted:g} 且低 {distance:.3f} mg/L；同比 {change:+.3f}",
            **params,
        )
    return say(
        "{goal}（{owner}，{due}）：近一年均值 {mean:.3f}，距 {wanted:g} 还差 {distance:.3f} mg/L，每月须降 {needed:.4f}；同比 {change:+.3f}",
        **params,
    )
