"""一口一档: everything about one outlet or plant on one page."""

from __future__ import annotations

import html
import math
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from hydro import Trace
from hydro.assessment.permits import VERDICTS
from hydro.columns import record, records, text
from layers.maps.style import BLUE, GREY, INK
from reports import phrases
from ui import cache, causes, parts, section, state, table
from ui.section_file import facts, head, task_rows
from ui.state import say

REACHED = "file_reached"


def show(url: str, revision: int, row_id: str) -> None:
    """Head, then left what it is and lets go, right whom it reaches and who is at work on it."""
    network = cache.network(url, revision)
    plant_id = row_id if row_id in network.plants.index else ""
    outlets = network.outlets
    if plant_id:
        own = outlets.index[text(outlets, "plant_id") == plant_id]
    else:
        own = pd.Index([row_id])
        plant_id = str(text(outlets, "plant_id")[row_id])
        plant_id = plant_id if plant_id in network.plants.index else ""
    kind, source = ("plant", plant_id) if plant_id else ("outlet", row_id)
    row = record(outlets.fillna(""), str(own[0])) if len(own) else record(network.plants.fillna(""), plant_id)
    plant = record(network.plants.fillna(""), plant_id) if plant_id else {}
    head(
        url, str(plant.get("name") or row.get("name") or row_id), [str(row.get("type", "")), str(row.get("county", ""))]
    )
    tested = cache.double_test(url, revision, state.month()).set_index("source_id")
    test = record(tested, source) if source in tested.index else {}
    if test:
        st.html(f'<div class="plainly">{html.escape(_verdict(test))}</div>')
    left, right = st.columns([1, 1], gap="medium")
    with left:
        parts.heading(say("档案"))
        facts(_record(row, plant, str(own[0]) if len(own) else row_id))
        parts.heading(say("双达标：浓度与总量"))
        facts(_double(test) if test else [(say("结论"), say("没有许可，也没有监测数据"))])
    with right:
        parts.heading(say("近 36 个月负荷"))
        _history(network, kind, source, test)
        parts.heading(say("影响哪些断面"))
        with parts.guard():
            _reached(url, revision, source)
        parts.heading(say("相关任务"))
        task_rows(url, revision, source, *map(str, own))


def _verdict(test: dict[str, Any]) -> str:
    return say(
        "{year} 年至今：{verdict}；缺 {gaps} 个月数据",
        year=state.month()[:4],
        verdict=say(VERDICTS[test["verdict"]]),
        gaps=int(test["gaps"]),
    )


def _record(row: dict[str, Any], plant: dict[str, Any], outlet_id: str) -> list[tuple[str, str]]:
    def said(name: str, words: dict[str, str]) -> str:
        value = str(row.get(name, ""))
        return say(words.get(value, value)) if value else say("未记录")

    pairs = [
        (say("编号"), outlet_id),
        (say("统一编码"), str(row.get("code", "")) or say("空白（可后补）")),
        (say("类型"), " · ".join(dict.fromkeys(say(str(row[one])) for one in ("type", "subtype") if row.get(one)))),
        (say("责任单位"), str(row.get("owner", ""))),
        (say("网格长"), str(row.get("grid_owner", ""))),
        (say("位置"), " ".join(filter(None, (str(row.get("county", "")), str(row.get("town", "")))))
         + f" · {row.get('reach_id', '')} · {_amount(row.get('chainage_m'), 'm', 0)}"),
        (say("查测溯治"), said("survey", phrases.SURVEY)),
        (say("处置意见"), said("decision", phrases.DECISION)),
        (say("许可"), " · ".join(filter(None, (_amount(row.get("permit_discharge_m3_d"), "m³/d", 0),
                                            _amount(row.get("permit_tp_mg_l"), "mg/L", 2),
                                            _amount(row.get("permit_load_kg_d"), "kg/d", 1)))) or say("没有许可")),
        (say("封堵费用"), _amount(row.get("seal_cost"), say("万元"), 1)),
    ]  # fmt: skip
    if plant:
        design, actual = (float(plant.get(f"{name}_discharge_m3_d") or math.nan) for name in ("design", "actual"))
        pairs.append(
            (say("处理规模"),
             say("设计 {design}，实际 {actual} m³/d，负荷率 {share}；标准 {standard}", design=_whole(design), actual=_whole(actual),
                 share=parts.percent(actual / design), standard=plant.get("standard") or "–"))
        )  # fmt: skip
    return pairs


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else _amount(value, "", 0).strip()


def _amount(value: Any, unit: str, places: int) -> str:
    try:
        return f"{float(value):,.{places}f} {unit}".replace(",", " ")
    except (TypeError, ValueError):
        return ""


def _double(test: dict[str, Any]) -> list[tuple[str, str]]:
    kg = parts.figure
    measured = not math.isnan(test["concentration_mg_l"])
    said = say(
        "最近 {value} mg/L，限值 {limit}，超限 {count} 个月", value=parts.figure(test["concentration_mg_l"]),
        limit=parts.figure(test["limit_mg_l"]), count=int(test["over_months"]),
    )  # fmt: skip
    without = say("没有浓度监测，限值 {limit} mg/L", limit=parts.figure(test["limit_mg_l"]))
    pairs = [
        (say("浓度"), said if measured else without),
        (say("最新一月"), _month(test)),
        (say("累计排放"), say("{load} kg，同期许可 {permit} kg", load=kg(test["load_kg"]), permit=kg(test["permit_kg"]))),
        (say("全年推算"), say("{rate} kg，全年许可 {permit} kg", rate=kg(test["run_rate_kg"]), permit=kg(test["year_permit_kg"]))),
        (say("数据"), say("{sent} 个月有数据，缺 {gaps} 个月；{reports}", sent=int(test["months_with_data"]), gaps=int(test["gaps"]),
                        reports=say("已联网") if test["reports"] else say("未联网"))),
    ]  # fmt: skip
    return pairs


def _month(test: dict[str, Any]) -> str:
    """The newest month against the permit: a year that holds can hide a month that did not."""
    params = {"load": parts.figure(test["newest_kg_d"]), "permit": parts.figure(test["permit_kg_d"]),
              "count": int(test["load_over_months"])}  # fmt: skip
    if test["newest_kg_d"] > test["permit_kg_d"]:
        return say("{load} kg/d，超过许可 {permit} kg/d；今年 {count} 个月超许可", **params)
    return say("{load} kg/d，许可 {permit} kg/d；今年 {count} 个月超许可", **params)


def _history(network: Any, kind: str, source: str, test: dict[str, Any]) -> None:
    """Monthly load against the permit; a month without data is a gap in the line."""
    frame = network.observations.frame(kind, "TP_load")
    if source not in frame:
        st.html(f'<div class="note">{html.escape(say("没有负荷监测数据；按许可计"))}</div>')
        return
    series = frame[source].groupby(frame.index.astype(str).str[:7]).mean()
    end = pd.Period(state.month(), "M")
    span = pd.period_range(end - 35, end, freq="M").astype(str)
    months = pd.DataFrame({"time": span, "value": series.reindex(span).to_numpy()})
    days = pd.Timestamp(f"{state.month()[:4]}-12-31").dayofyear
    permit = float(test.get("year_permit_kg", np.nan)) / days if test else np.nan
    across = alt.Axis(title=None, labelAngle=0, values=[t for t in span if t.endswith("-01")], ticks=False,
                      labelExpr="substring(datum.value, 0, 4)")  # fmt: skip
    base = alt.Chart(months).encode(
        x=alt.X("time:O", axis=across),
        y=alt.Y("value:Q", axis=alt.Axis(title="kg/d", tickCount=3, grid=False, domain=False, ticks=False)),
        tooltip=[alt.Tooltip("time:O", title=say("月份")), alt.Tooltip("value:Q", title="kg/d", format=".1f")],
    )
    chart = base.mark_line(color=GREY) + base.mark_point(filled=True, size=22, color=BLUE, opacity=1)
    if not math.isnan(permit):
        rule = alt.Chart(pd.DataFrame({"permit": [permit]})).mark_rule(color=INK, strokeDash=[4, 3])
        chart = chart + rule.encode(y="permit:Q")
    st.altair_chart(chart.properties(height=130).configure_view(stroke=None), width="stretch", key="file_history")
    if not math.isnan(permit):
        st.html(f'<div class="note">{html.escape(say("虚线为许可 {permit} kg/d", permit=parts.figure(permit)))}</div>')


def _reached(url: str, revision: int, source: str) -> None:
    """Every section downstream: what arrives of a kilogram, when, and the source's share there."""
    network = cache.network(url, revision)
    names = text(network.sections, "name")
    waiting, judged = causes.waiting(url, revision, network), False
    rows = []
    for section_id in map(str, network.sections.index):
        trace = cache.trace(url, revision, section_id, state.month())
        if not _part(trace, source)["delivered_kg_d"] > 0:
            continue
        best = causes.best(url, revision, trace, waiting)
        judged |= best is not None
        one = _part(best or trace, source)
        cells = {
            "name": names[section_id] or section_id, "ratio": parts.percent(one["delivery_ratio"]),
            "load": parts.figure(one["delivered_kg_d"]), "time": parts.duration(one["travel_time_d"]),
            "share": {"share": table.known(float(one["share"])), "text": parts.percent(one["share"])},
        }  # fmt: skip
        sort = {
            "ratio": one["delivery_ratio"], "load": one["delivered_kg_d"], "time": one["travel_time_d"], "share": one["share"],
        }  # fmt: skip
        rows.append((-float(one["delivered_kg_d"]), table.row(section_id, cells, sort)))
    if not rows:
        st.html(f'<div class="note">{html.escape(say("下游没有断面，或本月没有负荷"))}</div>')
        return
    column = table.Column
    columns = [
        column("name", say("断面"), "text", 110), column("load", "kg/d", "number", 60, say("送达断面的负荷")),
        column("share", say("贡献率"), "share", 120), column("ratio", say("输移比"), "number", 60),
        column("time", say("历时"), "number", 60),
    ]  # fmt: skip
    table.show(REACHED, columns, [one for _, one in sorted(rows, key=lambda pair: pair[0])], _open_section)
    section.shares_note(judged=judged)
    if waiting:
        causes.follow(url, revision)


def _part(trace: Trace, source: str) -> dict[str, Any]:
    """A source's row in a trace; one of no load where it has none."""
    own = records(trace.table[trace.table["source_id"] == source])
    return own[0] if own else {"delivered_kg_d": 0.0}


def _open_section() -> None:
    state.open_file(state.clicked(REACHED))
