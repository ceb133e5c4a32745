"""The rivers as they are drawn: one line a reach in flow order, its size class, and how much of that a scale bears."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro import RiverNetwork, routed_total
from hydro.columns import text
from hydro.order import Int
from layers.maps.packing import Arrays, Lines, narrow, steps

FINE = 5e-5
COARSE = 3e-4
"""Generalisation in degrees: about 5 m, or 30 m where there are many vertices."""
MANY_VERTICES = 60_000
SPACING_PX = 12.0
"""Rivers stand at least this far apart on the screen, on the average of the whole drawing."""
ALWAYS = 3
"""The largest size classes are drawn at any scale."""
ZOOMS = 18
TILE_PX = 256


@dataclass(frozen=True)
class Courses:
    """The reaches that have a drawing, in flow order: number, line, size class (1 for a brook), canal, name of the river."""

    number: Int
    lines: Lines
    size: NDArray[np.uint8]
    canal: NDArray[np.uint8]
    river: NDArray[np.str_]

    @property
    def orders(self) -> int:
        """The largest size class."""
        return int(self.size.max(initial=1))

    def some(self, chosen: NDArray[Any]) -> Courses:
        """Some of them."""
        return Courses(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def packed(self, unit: int = 1) -> tuple[dict[str, Any], Arrays]:
        """What a browser draws them from: head and arrays."""
        names, river = np.unique(self.river, return_inverse=True)
        arrays = {
            "reach": narrow(np.diff(self.number, prepend=0)),
            "order": self.size,
            "canal": self.canal,
            "river": narrow(river),
            **steps("line", self.lines, unit),
        }
        return {"rivers": names.tolist(), "unit": unit}, arrays


def draw_courses(network: RiverNetwork, lines: Lines) -> Courses:
    """The drawn reaches of a network; ``lines`` as :func:`reach_lines` gives them."""
    flow = network.topology.order
    courses = Courses(
        np.arange(len(flow), dtype=np.int32),
        lines[flow],
        size_class(network)[flow],
        text(network.reaches, "kind").isin(["canal", "culvert"]).to_numpy()[flow].astype(np.uint8),
        river_names(network)[flow],
    )
    return courses.some(~shapely.is_empty(courses.lines) & ~shapely.is_missing(courses.lines))


def simplified(courses: Courses, tolerance: float | None = None) -> Courses:
    """The same in straighter lines (Douglas and Peucker 1973, https://doi.org/10.3138/FM57-6770-U75U-7727); degrees."""
    if tolerance is None:
        many = int(shapely.get_num_coordinates(courses.lines).sum()) > MANY_VERTICES
        tolerance = COARSE if many else FINE
    return replace(
        courses, lines=np.asarray(shapely.simplify(courses.lines, tolerance, preserve_topology=False), object)
    )


def least_sizes(courses: Courses) -> list[int]:
    """The smallest size class drawn at each zoom: all that leave SPACING_PX between the lines on the average.

    Spacing is the ground of the drawing over the length of what is drawn; a margin round the ground keeps a single
    river from being taken for a crowd.
    """
    flat = shapely.transform(courses.lines, world)
    length = np.bincount(courses.size, weights=shapely.length(flat), minlength=courses.orders + 1)
    drawn = np.maximum(length[::-1].cumsum()[::-1][1:], 1e-12)  # from each class up
    hull = shapely.convex_hull(shapely.geometrycollections(flat))
    found = []
    for zoom in range(ZOOMS):
        scale = 2.0 ** (zoom + 0.5)
        spacing = (hull.area * scale + hull.length * SPACING_PX) / drawn
        wide = int(np.argmax(spacing >= SPACING_PX)) if (spacing >= SPACING_PX).any() else len(drawn)
        found.append(min(wide + 1, max(courses.orders - ALWAYS + 1, 1)))
    return found


def world(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Web-Mercator pixels at zoom 0 of lon/lat. (n, 2)"""
    lat = np.radians(lonlat[:, 1])
    y = 0.5 - np.log(np.tan(np.pi / 4 + lat / 2)) / (2 * np.pi)
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, y]) * TILE_PX


def size_class(network: RiverNetwork) -> NDArray[np.uint8]:
    """Size of each reach, from 1 for a brook: how many times four its drained river length is the usual reach. (n,)

    A stand-in for stream order that islands and splits do not inflate (Strahler's order counts an island's two arms as
    a confluence of equals); what a split sends elsewhere does not count.
    """
    length = network.topology.length_m
    drained = routed_total(network, length)
    steps = np.log(np.maximum(drained, 1e-9) / max(float(np.median(length)), 1e-9)) / np.log(4)
    _, dense = np.unique(np.clip(np.floor(steps), 0, None), return_inverse=True)
    return (dense + 1).astype(np.uint8)


def reach_lines(network: RiverNetwork, reaches: pd.DataFrame) -> Lines:
    """The drawing of every reach in the network's order; an empty line where a reach is not drawn."""
    given = pd.Series(np.asarray(reaches["geometry"], object), index=text(reaches, "reach_id").to_numpy())
    lines = given.reindex(network.reaches.index).to_numpy(object).copy()
    lines[pd.isna(lines)] = shapely.LineString()
    several = np.flatnonzero(shapely.get_type_id(lines) == shapely.GeometryType.MULTILINESTRING)
    for i in several:
        lines[i] = max(lines[i].geoms, key=lambda part: part.length)
    return lines


def river_names(network: RiverNetwork) -> NDArray[np.str_]:
    """Name of the river that each reach is a part of, or its own; blank for most brooks. (n,)"""
    river = text(network.reaches, "river")
    return river.where(river != "", text(network.reaches, "name")).to_numpy(str)
