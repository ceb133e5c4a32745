"""The printed map: ground, rivers, sections and sources of a month, drawn into a frame, in metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Polygon
from shapely.ops import substring

from hydro.columns import text
from layers.land.relief import laid_on
from layers.maps.style import BLUE, INK, PATH
from layers.store.pictures import Picture
from reports.atlas import Atlas
from reports.content import Content, SectionReport
from reports.frame import PAPER, Frame
from reports.labels import line_boxes, spread
from reports.symbols import (
    BORDER,
    CANAL,
    LAND,
    LIT,
    MARK,
    OUTLET,
    PALE_MARK,
    PALE_RIVER,
    PLANT,
    QUIET,
    RIVER,
    UNSURE,
    outlines,
    placed,
    source_size,
)

RELIEF_PIXELS, RELIEF_STRENGTH = 900, 0.42


@dataclass(frozen=True)
class Stress:
    """What a map brings forward: the trace of a section, or a river's reaches, or a district; the rest is paler."""

    focus: SectionReport | None = None
    reaches: frozenset[str] = frozenset()
    district: str = ""


class MapDrawing:
    """Draws a month of an atlas into a frame."""

    def __init__(self, frame: Frame, atlas: Atlas, content: Content, stress: Stress = Stress()) -> None:
        self.frame, self.atlas, self.content, self.stress = frame, atlas, content, stress
        self.axes, self.size, self.focus = frame.axes, frame.size, stress.focus
        flow = pd.Series(content.network.topology.discharge_m3_s, index=content.network.reaches.index).fillna(0)
        width = (0.06 + 0.26 * np.sqrt(flow.to_numpy() / max(float(flow.max()), 1e-9))) * self.size
        self.width = dict(zip(flow.index, width, strict=True))
        self.lines = {name: frame.line(atlas.lines[name]) for name in atlas.within(frame.extent)}
        self.spots = self._spots()

    def draw(self) -> Mapping[str, tuple[float, float]]:
        """Ground, rivers, points, sections; returns where the sections' marks stand, in points."""
        self._ground()
        self._rivers()
        self._flow()
        self._sources()
        self._sections()
        return self.spots

    def _ground(self) -> None:
        own = self.atlas.districts["name"] == self.stress.district
        rest = PAPER if own.any() else LAND
        for chosen, face, edge, weight in ((~own, rest, BORDER, 0.07), (own, LAND, QUIET, 0.13)):
            self.axes.add_collection(
                PatchCollection(
                    outlines(self.atlas.districts.geometry[chosen]), facecolor=face, edgecolor=edge,
                    linewidth=weight * self.size, zorder=1,
                )
            )  # fmt: skip
        if self.content.relief is not None:
            self._relief(self.content.relief)

    def _relief(self, picture: Picture) -> None:
        """The shadows of a hillshade over the ground, as black of a strength."""
        light = laid_on(picture, self.atlas.crs, self.frame.extent, RELIEF_PIXELS)
        shadow = np.zeros((*light.shape, 4), np.uint8)
        shadow[..., 3] = np.rint(255 * RELIEF_STRENGTH * np.nan_to_num(1 - light, nan=0.0))
        x0, y0, x1, y1 = self.frame.extent
        self.axes.imshow(shadow, extent=(x0, x1, y0, y1), interpolation="bilinear", aspect="auto", zorder=1.5)

    def _rivers(self) -> None:
        kind = text(self.content.network.reaches, "kind").to_dict()
        way = self._way()
        for canal in (False, True):
            here = [r for r in self.lines if (kind[r] in ("canal", "culvert")) == canal]
            drawn = [(r, line, part) for r in here for line, part in self._parts(r)]
            self.axes.add_collection(
                LineCollection(
                    [line for _, line, _ in drawn],
                    linewidths=[self.width[r] * (1.5 if r in way and above else 1.0) for r, _, above in drawn],
                    colors=[self._river_colour(r, above, r in way) for r, _, above in drawn],
                    linestyles=CANAL if canal else "solid",
                    capstyle="butt" if canal else "round",
                    zorder=3,
                )
            )
        half = 0.12 * self.size
        borders = [part for border in self.atlas.districts.boundary for part in getattr(border, "geoms", [border])]
        boxes = [line_boxes(line, 3 * half + 2, half) for line in self.lines.values()]
        boxes += [line_boxes(self.frame.line(np.asarray(b.coords)[:, :2]), 8 * half, half / 2) for b in borders]
        self.frame.placer.avoid(np.vstack(boxes) if boxes else np.empty((0, 4)))

    def _way(self) -> set[str]:
        """The reaches that most of the chief point source's load takes."""
        ways = (self.focus.way(source.source_id) for source in self.focus.sources[:4]) if self.focus else ()
        return set(next(filter(None, ways), ()))

    def _parts(self, reach_id: str) -> list[tuple[np.ndarray, bool]]:
        """The lines of a reach, each with whether it lies upstream of the section: its own reach is cut there."""
        focus, places = self.focus, self.atlas.lines[reach_id]
        if focus is None or reach_id not in focus.upstream:
            return [(places, False)]
        if reach_id != focus.reach_id or focus.section_id not in self.atlas.sections.index:
            return [(places, True)]
        line = shapely.LineString(places)
        cut = line.project(self.atlas.sections[focus.section_id])
        parts = ((substring(line, 0, cut), True), (substring(line, cut, line.length), False))
        return [(np.asarray(part.coords), above) for part, above in parts if part.geom_type == "LineString"]

    def _river_colour(self, reach_id: str, above: bool, on_the_way: bool) -> str:
        if self.focus is not None:
            return PALE_RIVER if not above else PATH if on_the_way else BLUE
        return BLUE if reach_id in self.stress.reaches else RIVER

    def _flow(self) -> None:
        """Small arrow heads that say which way the water runs, at equal distances along every river."""
        heads = []
        rivers = text(self.content.network.reaches, "river").to_dict()
        named: dict[str, list[str]] = {}
        for reach_id in self.lines:
            named.setdefault(rivers[reach_id] or reach_id, []).append(reach_id)
        for own in named.values():
            whole = shapely.line_merge(shapely.MultiLineString([self.lines[r] for r in own]), directed=True)
            width = float(np.mean([self.width[r] for r in own]))
            for line in getattr(whole, "geoms", [whole]):
                count = int(line.length // (9 * self.size))
                heads += [self._head(line, (i + 0.5) / count * line.length, width) for i in range(count)]
        colour = PATH if self.focus is None else QUIET
        self.axes.add_collection(PatchCollection(heads, facecolor=colour, edgecolor="none", zorder=3.5))

    def _head(self, line: shapely.LineString, at_pt: float, width: float) -> Polygon:
        """An arrow head on a line, so many points from its start."""
        tail, at, tip = (np.array(line.interpolate(at_pt + d * self.size).coords[0]) for d in (-0.3, 0, 0.3))
        along = (tip - tail) / max(np.hypot(*(tip - tail)), 1e-9)
        long = (0.3 * self.size + 0.5 * width) * along
        aside = (0.19 * self.size + 0.45 * width) * np.array([-along[1], along[0]])
        corners = (at + long, at - long + aside, at - 0.5 * long, at - long - aside)
        return Polygon([self.frame.data(*corner) for corner in corners], closed=True)

    def _sources(self) -> None:
        focus = self.focus
        delivered = {s.source_id: s.delivered.value for s in focus.sources} if focus else {}
        most = max(delivered.values(), default=1.0) or 1.0
        for table, mark, base in (("outlets", "o", OUTLET), ("plants", "s", PLANT)):
            shapes = self.atlas.points[table]
            if not len(shapes):
                continue
            if table == "outlets":
                own = text(self.content.outlets, "plant_id")
                shapes = shapes[[own.get(i, "") == "" for i in shapes.index]]
            part = np.array([delivered.get(str(i), 0.0) / most for i in shapes.index])
            sized = source_size(self.size, base, part) ** 2 * (1.0 if focus else 0.8)
            lit = np.array([str(i) in delivered for i in shapes.index], dtype=bool)
            self._avoid(shapes, np.sqrt(sized) / 2)
            for chosen, face, edge in ((~lit, PALE_MARK if focus else QUIET, "white"), (lit, LIT, INK)):
                order = np.argsort(-sized[chosen], kind="stable")
                self.axes.scatter(
                    shapes.x[chosen].iloc[order], shapes.y[chosen].iloc[order], s=sized[chosen][order], marker=mark,
                    color=face, edgecolors=edge, linewidths=0.04 * self.size, zorder=4,
                )  # fmt: skip
        for table, mark, width, colour, rim, weight in (
            ("gates", "|", 0.8, INK, None, 0.2), ("boundaries", "v", 0.95, BLUE, "white", 0.07),
        ):  # fmt: skip
            points = self.atlas.points[table]
            if len(points):
                self._avoid(points, np.full(len(points), width * self.size / 2))
                self.axes.scatter(
                    points.x, points.y, s=(width * self.size) ** 2, marker=mark, color=colour, edgecolors=rim,
                    linewidths=weight * self.size, zorder=5,
                )  # fmt: skip

    def _avoid(self, points: gpd.GeoSeries, half: np.ndarray) -> None:
        """Keep names off some marks, so many points to each side, where they can."""
        middle = self.frame.line(np.column_stack([points.x, points.y]))
        self.frame.placer.avoid(np.hstack([middle - half[:, None], middle + half[:, None]]))

    def _spots(self) -> dict[str, tuple[float, float]]:
        """Where the marks of the sections stand in points: apart from one another, and whole or not on the sheet."""
        own = [one.section_id for one in placed(self.content, self.atlas)]
        spots = np.array([self.frame.at(self.atlas.sections[i]) for i in own]).reshape(-1, 2)
        moved = spread(spots, 1.05 * self.size, 0.9 * self.size)
        return {
            i: (float(x), float(y))
            for i, (x, y) in zip(own, moved, strict=True)
            if self.frame.shows((x, y), 0.7 * self.size)
        }

    def _sections(self) -> None:
        """Every section's mark, the worst on top; one that had to be moved keeps a fine line to its place."""
        for one in reversed(placed(self.content, self.atlas)):
            if one.section_id not in self.spots:
                continue
            point, spot = self.atlas.sections[one.section_id], self.frame.data(*self.spots[one.section_id])
            grade = self.content.standard.grades.get(one.water_class)
            loud = self.focus is None or self.focus.section_id == one.section_id
            if np.hypot(spot[0] - point.x, spot[1] - point.y) > 0.2 * self.size * self.frame.metres:
                self.axes.plot(
                    [point.x, spot[0]], [point.y, spot[1]], color=INK, linewidth=0.07 * self.size, marker="o",
                    markersize=0.22 * self.size, markevery=[0], zorder=6,
                )  # fmt: skip
            self.axes.scatter(
                *spot, s=(self.size * (1.1 if loud else 0.85)) ** 2, marker=MARK[one.status],
                color=grade.colour if grade else "white", edgecolors=INK, linewidths=(0.12 if loud else 0.07) * self.size,
                linestyle="solid" if one.sure else UNSURE, zorder=8 if loud else 7,
            )  # fmt: skip
