"""The sections on their rivers, coloured by margin: orange over the target, blue under it, shape as well as colour."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import streamlit as st

from hydro.assessment.board import Board
from hydro.columns import records
from layers.maps.style import GREY, INK
from ui import cache, state
from ui.state import say

HEIGHT = 560
FULL = 0.25
"""The colour is full at a quarter of the target."""
COLOURS = ["#b35806", "#f2f2f2", "#2166ac"]
"""Orange to blue through grey: told apart by every kind of colour vision; never the class colours."""
ACROSS = 1150
SIDES = {
    "above": (0, -16, "center"),
    "below": (0, 17, "center"),
    "right": (13, 0, "left"),
    "left": (-13, 0, "right"),
}
SHAPES = {"over": "triangle-up", "equal": "diamond", "holds": "circle"}


def show(found: Board, url: str, revision: int) -> None:
    """Draw the map; a click on a section opens its file."""
    rivers, places = cache.outlines(url, revision)
    shown = found.rows[found.rows["section_id"].isin(list(places))]
    at = [places[one] for one in shown["section_id"]]
    labels = [_label(row) for row in records(shown)]
    shown = shown.assign(
        lon=[lon for lon, _ in at], lat=[lat for _, lat in at], label=labels, side=sides(at, labels),
        mark=shown["state"].where(shown["state"].isin(list(SHAPES)), "unknown"),
    )  # fmt: skip
    columns = ["section_id", "name", "river", "lon", "lat", "label", "side", "mark", "margin_share", "margin_mg_l"]
    points = alt.Chart(shown[columns]).encode(longitude="lon:Q", latitude="lat:Q")
    codes, words = [*SHAPES, "unknown"], [say("超标"), say("持平"), say("达标"), say("其他")]
    marks = points.mark_point(filled=True, size=170, stroke=INK, strokeWidth=1, opacity=1).encode(
        shape=alt.Shape("mark:N", scale=alt.Scale(domain=codes, range=[*SHAPES.values(), "cross"]),
                        legend=alt.Legend(title=None, orient="right", labelExpr=_named(codes, words), labelFontSize=12)),
        color=alt.Color("margin_share:Q", scale=alt.Scale(domain=[-FULL, 0, FULL], range=COLOURS, clamp=True),
                        legend=alt.Legend(title=say("余量占目标"), orient="right", format="+.0%", labelFontSize=12)),
        tooltip=[alt.Tooltip("name:N", title=say("断面")), alt.Tooltip("river:N", title=say("河流")),
                 alt.Tooltip("margin_mg_l:Q", title=say("余量 mg/L"), format="+.3f"),
                 alt.Tooltip("margin_share:Q", title=say("余量占目标"), format="+.0%")],
    ).add_params(alt.selection_point(name="pick", fields=["section_id"]))  # fmt: skip
    lines = alt.Chart(alt.InlineData(values=rivers)).mark_geoshape(filled=False, stroke=GREY).encode(
        strokeWidth=alt.StrokeWidth("properties.width:Q", scale=None)
    )  # fmt: skip
    layers = [lines, *(_names(points, side) for side in SIDES), marks]
    chart = alt.layer(*layers).project("mercator").properties(height=HEIGHT).configure_view(stroke=None)
    st.altair_chart(chart, width="stretch", key=state.POINT, on_select=_open, selection_mode="pick")


def _names(points: alt.Chart, side: str) -> Any:
    """Names on one side of their marks, on a white ground so that a river does not run through them."""
    dx, dy, align = SIDES[side]
    own = points.transform_filter(alt.datum.side == side).encode(text="label:N")
    text: dict[str, Any] = {"dx": dx, "dy": dy, "align": align, "baseline": "middle", "fontSize": 12, "fontWeight": 600}
    return own.mark_text(stroke="white", strokeWidth=4, **text) + own.mark_text(color=INK, **text)


def sides(places: list[tuple[float, float]], labels: list[str]) -> list[str]:
    """On which side of its mark each name stands so that it covers least of the names and marks around it.

    One after the other, each takes the first side with the least overlap; a grid of about the size of the map on an office
    screen stands for the pixels.
    """
    if not places:
        return []
    lon, lat = ([place[i] for place in places] for i in (0, 1))
    squeeze = math.cos(math.radians(sum(lat) / len(lat)))
    wide, high = max((max(lon) - min(lon)) * squeeze, 1e-6), max(max(lat) - min(lat), 1e-6)
    scale = min(ACROSS / wide, (HEIGHT - 80) / high)
    spots = [((x - min(lon)) * squeeze * scale, -(y - min(lat)) * scale) for x, y in places]
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in spots]
    chosen = []
    for (x, y), label in zip(spots, labels, strict=True):
        boxes = {side: _box(x, y, side, label) for side in SIDES}
        best = min(boxes, key=lambda side: sum(_overlap(boxes[side], one) for one in taken))
        taken.append(boxes[best])
        chosen.append(best)
    return chosen


def _box(x: float, y: float, side: str, label: str) -> tuple[float, float, float, float]:
    width = sum(13 if ord(letter) > 0x2E80 else 7 for letter in label)
    dx, dy, align = SIDES[side]
    left = x + dx - {"center": width / 2, "left": 0, "right": width}[align]
    return left, y + dy - 8, left + width, y + dy + 8


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _label(row: dict[Any, Any]) -> str:
    name = row["name"] or row["section_id"]
    margin = row["margin_mg_l"]
    return name if math.isnan(margin) else f"{name} {margin:+.3f}".replace("+0.000", "0.000").replace("-0.000", "0.000")


def _named(codes: list[str], words: list[str]) -> str:
    """A Vega expression that gives each code its word."""
    pairs = ", ".join(f"'{code}': '{word}'" for code, word in zip(codes, words, strict=True))
    return f"{{{pairs}}}[datum.label]"


def _open() -> None:
    if state.point_clicked():
        state.open_file(state.point_clicked())
