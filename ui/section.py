"""A section in the order people ask: is it over, by how much, since when, and whose phosphorus it is."""

from __future__ import annotations

import html
import math
from typing import Any

import pandas as pd
import streamlit as st

from hydro import RiverNetwork, Trace
from hydro.assessment.attainment import exceeds
from hydro.assessment.standards import CLASSES
from hydro.columns import text
from hydro.observations import Reading
from layers.maps.style import BLUE, GREY, INK, status
from ui import cache, parts, state
from ui.state import say

MONTHS_SHOWN = 36
STATUS = {"over": "▲ 超标", "at": "◆ 持平（零余量）", "holds": "● 达标", "none": "○ 无监测值"}


def headline(network: RiverNetwork, trace: Trace) -> None:
    """Name, value, status by shape, class by colour, margin and streak."""
    section = trace.section_id
    words = [say(text(network.sections, column)[section]) for column in ("river", "level", "county")] + [state.month()]
    lines = [
        _span("place", text(network.sections, "name")[section] or section),
        _span("kind", " · ".join(filter(None, words))),
        _span("rule"),
    ]
    if trace.measured is None:
        lines.append(_span("kind", say("{month} 没有总磷监测值，下列贡献按模型负荷计", month=state.month())))
    else:
        value, target = trace.measured_mg_l, trace.target_mg_l
        how = status(value, target)
        waterbody = text(network.sections, "waterbody")[section] or "river"
        grade = cache.standard().grades[CLASSES[int(cache.standard().rank("TP", value, waterbody))]]
        said = [
            say("总磷 {grade}类", grade=grade.numeral_zh),
            say("目标 {target} mg/L", target=f"{target:g}"),
            margin(value, target),
            say("低于检出限，按检出限的一半计") if trace.measured.below_detection else "",
            streak(series(network, section)),
        ]
        lines += [
            f'<span class="value">{html.escape(reading(trace.measured))} <small>mg/L</small></span>',
            _span(f"status {how}", say(STATUS[how])),
            _span("rule"),
            f'<span class="kind"><i class="swatch" style="background:{grade.colour}"></i>{html.escape(" · ".join(filter(None, said)))}</span>',
        ]
    st.html(f'<div class="headline">{"".join(lines)}</div>')


def _span(kind: str, words: str = "") -> str:
    return f'<span class="{kind}">{html.escape(words)}</span>'


def reading(measured: Reading) -> str:
    """A concentration as a laboratory would write it: below detection is less than the limit, not a figure.

    >>> reading(Reading(0.312, "2022-07", 1, False)), reading(Reading(0.005, "2022-07", 1, True))
    ('0.312', '<0.010')
    """
    return f"<{2 * measured.value:.3f}" if measured.below_detection else f"{measured.value:.3f}"


def margin(value: float, target: float) -> str:
    """How far from the target, in words."""
    if exceeds(value, target):
        return say("超标 {times} 倍", times=f"{(value - target) / target:.2f}")
    return say("余量 {margin} mg/L", margin=f"{target - value:.3f}")


def streak(months: pd.DataFrame) -> str:
    """For how many months in a row it has been over its target, or has held it."""
    over = months["over"].to_numpy()[::-1]
    if not len(over):
        return ""
    count = int((over != over[0]).argmax()) or len(over)
    return say("连续 {count} 个月超标", count=count) if over[0] else say("连续 {count} 个月达标", count=count)


def series(network: RiverNetwork, section: str) -> pd.DataFrame:
    """Monthly means of a section's TP up to the month shown: time, value, target, over."""
    frame = network.observations.frame("section", "TP")
    values = frame[section].dropna() if section in frame else pd.Series(dtype=float)
    monthly = values.groupby(values.index.astype(str).str[:7]).mean()
    months = monthly.rename_axis("time").rename("value").reset_index()
    months = months[months["time"] <= state.month()]
    target = network.targets.by_month([section], list(months["time"]))[0]
    return months.assign(target=target, over=exceeds(months["value"], target))


def history(network: RiverNetwork, section: str) -> None:
    """The last 36 months against the target; months over it are triangles."""
    months = series(network, section).tail(MONTHS_SHOWN)
    if months.empty:
        return
    months = months.assign(now=months["time"] == state.month())
    st.vega_lite_chart(months, _chart(list(months["time"])), width="stretch", key=f"history_{section}")


def _chart(times: list[str]) -> dict[str, Any]:
    """The drawing as Vega-Lite reads it; altair would check it against its schema for 0.2 s on every click."""
    quiet = {"title": None, "ticks": False}
    years = [time for time in times if time.endswith("-01")]
    x = {
        "field": "time",
        "type": "ordinal",
        "axis": {
            **quiet,
            "labelAngle": 0,
            "values": years,
            "labelExpr": "substring(datum.value, 0, 4)",
            "domainColor": "#c9d0d6",
        },
    }
    y = {"field": "value", "type": "quantitative", "axis": {**quiet, "tickCount": 3, "grid": False, "domain": False}}
    told = [
        {"field": "time", "type": "ordinal", "title": say("月份")},
        {"field": "value", "type": "quantitative", "title": "mg/L", "format": ".3f"},
    ]
    shape = {
        "field": "over",
        "type": "nominal",
        "scale": {"domain": [False, True], "range": ["circle", "triangle-up"]},
        "legend": None,
    }
    size = {"condition": {"test": "datum.now", "value": 110}, "value": 22}
    colour = {"condition": {"test": "datum.now", "value": BLUE}, "value": INK}
    return {
        "height": 84,
        "padding": {"left": 0, "right": 4, "top": 4, "bottom": 0},
        "config": {"view": {"stroke": None}},
        "layer": [
            {"mark": {"type": "line", "color": GREY, "strokeWidth": 1.5}, "encoding": {"x": x, "y": y}},
            {
                "mark": {"type": "line", "color": INK, "strokeDash": [4, 3], "strokeWidth": 1, "interpolate": "step"},
                "encoding": {"x": x, "y": y | {"field": "target"}},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1},
                "encoding": {"x": x, "y": y, "shape": shape, "size": size, "color": colour, "tooltip": told},
            },
        ],
    }


def balance(trace: Trace, *, judged: bool) -> None:
    """What was measured, what the registers explain of it, the water both stand on, and how the shares were found."""
    said = (
        [] if math.isnan(trace.measured_kg_d) else [say("实测负荷 {load} kg/d", load=parts.figure(trace.measured_kg_d))]
    )
    said.append(say("清单说明 {load} kg/d", load=parts.figure(trace.explained_kg_d)))
    said.append(say("流量 {flow} m³/s", flow=parts.figure(trace.discharge_m3_s)))
    st.html(f'<div class="note">{html.escape(" · ".join(said))}</div>')
    shares_note(judged=judged)


def shares_note(*, judged: bool) -> None:
    """What the shares beside stand on."""
    how = say("贡献率为最佳估计，由清单与全部监测记录一并推断") if judged else say("贡献率暂按清单推算")
    st.html(f'<div class="note shares" data-judged="{int(judged)}">{html.escape(how)}</div>')
