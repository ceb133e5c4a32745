"""A sketch of what an import has understood, as a map: rivers, points by kind, numbered places to choose from.

Shapes whose coordinate system is still open are drawn as the file has them, fitted into a small square on the equator:
their form is right, their place is none.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import folium
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from folium.template import Template

from layers.intake.preview import Preview, ReadLayer
from layers.maps.map import OfflineMap

MARKS: Mapping[str, tuple[str, str]] = {
    "sections": ("◆", "#0b2f57"),
    "outlets": ("●", "#5c6973"),
    "plants": ("■", "#5c6973"),
    "gates": ("▮", "#5c6973"),
    "boundaries": ("▶", "#1667b7"),
}
"""Mark and colour of the points of a table; the legend says the same."""
RIVER, GROUND, OTHER = "#1667b7", "#b9c2c9", "#c98a2b"
HALO = "text-shadow:0 0 2px #fff,0 0 2px #fff"
FEW = 300
"""More points than this are drawn small, or they would hide the rivers."""
PAPER = 0.5
"""Half the side, in degrees, of the square that shapes without a place are drawn in."""


def sketch(
    library: Mapping[str, str],
    preview: Preview,
    *,
    known: Mapping[str, pd.DataFrame] | None = None,
    numbered: Sequence[tuple[float, float]] = (),
) -> folium.Map:
    """The map; ``known`` are tables of the project that is imported into, drawn beneath; ``numbered`` places to click."""
    on_earth = any(layer.drawing.on_earth and layer.drawing.shapes for layer in preview.layers)
    made = OfflineMap(library, attribution_control=False)
    if on_earth:
        made.add_child(_Kilometres())  # type: ignore[no-untyped-call]
    box = _Box()
    if on_earth:
        _beneath(made, known or {}, box)
    for layer in sorted(preview.layers, key=_order):
        if layer.drawing.shapes and layer.drawing.on_earth == on_earth:
            shapes = list(layer.drawing.shapes) if on_earth else _on_paper(preview, layer)
            _draw(made, layer, shapes, box)
    for number, (lon, lat) in enumerate(numbered, 1):
        box.add([[lon, lat]])
        sign = (
            '<div style="background:#1f2a33;color:#fff;border:2px solid #fff;border-radius:50%;width:24px;height:24px;'
            f'line-height:20px;text-align:center;font-weight:700;box-sizing:border-box">{number}</div>'
        )
        icon = folium.DivIcon(html=sign, icon_size=(24, 24), icon_anchor=(12, 12), class_name="number")
        made.add_child(folium.Marker((lat, lon), icon=icon))
    made.fit_bounds(box.corners(), padding=(30, 30))
    return made


def legend(preview: Preview) -> list[tuple[str, str, str, int]]:
    """Mark, colour, table and count of everything that the sketch shows."""
    counts: dict[str, int] = {}
    supposed = {layer.table for layer in preview.layers if layer.drawing.supposed}
    for layer in preview.layers:
        if layer.drawing.count:
            counts[layer.table] = counts.get(layer.table, 0) + layer.drawing.count
    marks: dict[str, tuple[str, str]] = {
        "reaches": ("━", RIVER),
        "catchments": ("▭", GROUND),
        "districts": ("▭", GROUND),
        **MARKS,
    }
    marks |= {table: (marks.get(table, ("╍", ""))[0].replace("━", "╍"), OTHER) for table in supposed}
    return [(*marks.get(table, ("●", OTHER)), table, count) for table, count in counts.items()]


class _Kilometres(MacroElement):
    """A scale in kilometres alone."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        L.control.scale({imperial: false}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )


class _Box:
    """The extent of what was drawn."""

    def __init__(self) -> None:
        self.low, self.high = np.full(2, np.inf), np.full(2, -np.inf)

    def add(self, xy: Any) -> None:
        found = np.asarray(xy, float).reshape(-1, 2)
        if len(found):
            self.low, self.high = np.minimum(self.low, found.min(0)), np.maximum(self.high, found.max(0))

    def corners(self) -> list[list[float]]:
        """South-west and north-east; a single point is given some ground around it."""
        if not np.isfinite(self.low).all():
            return [[30.0, 105.0], [40.0, 120.0]]
        grow = np.where(self.high - self.low < 1e-4, 5e-3, 0.0)
        (west, south), (east, north) = self.low - grow, self.high + grow
        return [[south, west], [north, east]]


def _order(layer: ReadLayer) -> int:
    """Grounds first, then rivers, then points: nothing is hidden."""
    return {"polygon": 0, "line": 1, "point": 2}.get(layer.drawing.kind, 3)


def _beneath(made: folium.Map, known: Mapping[str, pd.DataFrame], box: _Box) -> None:
    for table, colour, weight in (("districts", "#c9d0d6", 1.0), ("reaches", GROUND, 1.5)):
        rows = known.get(table)
        if rows is None or rows.empty or "geometry" not in rows:
            continue
        shapes = np.asarray(rows["geometry"], object)
        shapes = shapely.simplify(shapes[~shapely.is_missing(shapes)], 5e-4)
        drawn = [shapely.geometry.mapping(shape) for shape in shapes[:3000]]
        style = {"color": colour, "weight": weight, "fill": False}
        _add(made, drawn, style)
        if table == "reaches":
            box.add(shapely.get_coordinates(shapes))


def _draw(made: folium.Map, layer: ReadLayer, shapes: list[dict[str, Any]], box: _Box) -> None:
    box.add(shapely.get_coordinates(np.array([shapely.geometry.shape(shape) for shape in shapes], object)))
    names = layer.drawing.names
    if layer.drawing.kind != "point":
        line = layer.drawing.kind == "line"
        style = {"color": RIVER if line else GROUND, "weight": 2.4 if line else 1.2, "fill": False}
        style |= {"color": OTHER, "dashArray": "6 5"} if layer.drawing.supposed else {}
        _add(made, shapes, style, names)
        return
    mark, colour = MARKS.get(layer.table, ("●", OTHER))
    colour = OTHER if layer.drawing.supposed else colour
    if mark == "●":
        few = len(shapes) <= FEW
        marker: Any = folium.CircleMarker(
            radius=4.5 if few else 2, weight=1 if few else 0, color="#fff", fill=True, fill_color=colour, fill_opacity=1
        )
    else:
        sign = f'<div style="color:{colour};font-size:16px;line-height:16px;text-align:center;{HALO}">{mark}</div>'
        icon = folium.DivIcon(html=sign, icon_size=(16, 16), icon_anchor=(8, 8), class_name="mark")
        marker = folium.Marker(icon=icon)
    _add(made, shapes, {}, names, marker)


def _add(
    made: folium.Map,
    shapes: list[dict[str, Any]],
    style: Mapping[str, Any],
    names: Sequence[str] = (),
    marker: Any = None,
) -> None:
    if not shapes:
        return
    told = names if len(names) == len(shapes) else [""] * len(shapes)
    features = [
        {"type": "Feature", "properties": {"name": html.escape(name)}, "geometry": shape}
        for name, shape in zip(told, shapes, strict=True)
    ]
    kept = dict(style)
    tip = folium.GeoJsonTooltip(["name"], labels=False, sticky=True) if any(told) else None
    look: dict[str, Any] = {"marker": marker} if marker is not None else {"style_function": lambda _: kept}
    made.add_child(folium.GeoJson({"type": "FeatureCollection", "features": features}, tooltip=tip, **look))


def _on_paper(preview: Preview, layer: ReadLayer) -> list[dict[str, Any]]:
    """Shapes of the file's own coordinates, all layers without a place fitted into one square."""
    every = [
        shapely.geometry.shape(shape)
        for each in preview.layers
        if not each.drawing.on_earth
        for shape in each.drawing.shapes
    ]
    west, south, east, north = shapely.total_bounds(np.array(every, object))
    scale = 2 * PAPER / max(east - west, north - south, math.ulp(1.0))
    middle = np.array([(west + east) / 2, (south + north) / 2])
    moved = shapely.transform(
        np.array([shapely.geometry.shape(shape) for shape in layer.drawing.shapes], object),
        lambda xy: (xy - middle) * scale,
    )
    return [shapely.geometry.mapping(shape) for shape in moved]
