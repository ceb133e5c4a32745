"""The printed map: ground, rivers, sections and sources of a month, drawn into a frame, in metres."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Polygon
from shapely.ops import substring

from hydro.columns import text
from layers.style import BLUE, GREY, INK, PATH
from reports.atlas import Atlas
from reports.content import Content, SectionReport
from reports.frame import Frame, longest
from reports.names import Names
from reports.symbols import BORDER, LAND, MARK, RIVER, placed, source_size


class MapDrawing:
    """Draws a month of an atlas into a frame."""

    def __init__(self, frame: Frame, atlas: Atlas, content: Content) -> None:
        self.frame, self.atlas, self.content = frame, atlas, content
        self.axes, self.size = frame.axes, frame.size

    def draw(self, focus: SectionReport | None = None) -> None:
        """Ground, rivers, points, sections, then every name that finds a place."""
        self._ground()
        self._rivers(focus)
        self._sources(focus)
        self._sections(focus)
        Names(self.frame, self.atlas, self.content).write(focus)

    def _ground(self) -> None:
        patches = [
            Polygon(np.asarray(part.exterior.coords), closed=True)
            for shape in self.atlas.districts.geometry
            for part in getattr(shape, "geoms", [shape])
        ]
        self.axes.add_collection(
            PatchCollection(patches, facecolor=LAND, edgecolor=BORDER, linewidth=0.07 * self.size, zorder=1)
        )

    def _rivers(self, focus: SectionReport | None) -> None:
        network = self.content.network
        flow = pd.Series(network.topology.discharge_m3_s, index=network.reaches.index).fillna(0)
        width = (0.06 + 0.26 * np.sqrt(flow / max(flow.max(), 1e-9))) * self.size
        kind = text(network.reaches, "kind")
        way = set(focus.way(focus.sources[0].source_id)) if focus and focus.sources else set()
        if focus and not way:
            way = set(next((w for s in focus.sources[:4] if (w := focus.way(s.source_id))), ()))
        for canal in (False, True):
            here = [r for r in self.atlas.rivers.index if (kind[r] in ("canal", "culvert")) == canal]
            drawn = [(r, line, part) for r in here for line, part in self._parts(r, focus)]
            self.axes.add_collection(
                LineCollection(
                    [line for _, line, _ in drawn],
                    linewidths=[width[r] * (1.25 if r in way and above else 1.0) for r, _, above in drawn],
                    colors=[self._river_colour(focus, above, r in way) for r, _, above in drawn],
                    linestyles=(0, (4, 1.2)) if canal else "solid",
                    capstyle="butt" if canal else "round",
                    zorder=3,
                )
            )

    def _parts(self, reach_id: str, focus: SectionReport | None) -> list[tuple[np.ndarray, bool]]:
        """The lines of a reach, each with whether it lies upstream of the section: its own reach is cut there."""
        line = shapely.LineString(longest(self.atlas.rivers[reach_id]))
        if focus is None or reach_id not in focus.upstream:
            return [(np.asarray(line.coords), False)]
        if reach_id != focus.reach_id or focus.section_id not in self.atlas.sections.index:
            return [(np.asarray(line.coords), True)]
        cut = line.project(self.atlas.sections[focus.section_id])
        parts = ((substring(line, 0, cut), True), (substring(line, cut, line.length), False))
        return [(np.asarray(part.coords), above) for part, above in parts if part.geom_type == "LineString"]

    @staticmethod
    def _river_colour(focus: SectionReport | None, above: bool, on_the_way: bool) -> str:
        if focus is None:
            return RIVER
        return "#ccd8e2" if not above else PATH if on_the_way else BLUE

    def _sources(self, focus: SectionReport | None) -> None:
        delivered = {s.source_id: s.delivered.value for s in focus.sources} if focus else {}
        most = max(delivered.values(), default=1.0) or 1.0
        for table, mark, base in (("outlets", "o", 0.35), ("plants", "s", 0.75)):
            shapes = self.atlas.points[table]
            if not len(shapes):
                continue
            if table == "outlets":
                own = text(self.content.outlets, "plant_id")
                shapes = shapes[[own.get(i, "") == "" for i in shapes.index]]
            part = np.array([delivered.get(str(i), 0.0) / most for i in shapes.index])
            sized = source_size(self.size, base, part) ** 2 * (1.0 if focus else 0.8)
            lit = np.array([str(i) in delivered for i in shapes.index])
            for chosen, face in ((~lit, "#c3ccd3" if focus else GREY), (lit, "#e08214")):
                self.axes.scatter(
                    shapes.x[chosen], shapes.y[chosen], s=sized[chosen], marker=mark, color=face,
                    edgecolors="white", linewidths=0.05 * self.size, zorder=4,
                )  # fmt: skip
        gates = self.atlas.points["gates"]
        if len(gates):
            self.axes.scatter(
                gates.x, gates.y, s=(0.8 * self.size) ** 2, marker="|", color=INK, linewidths=0.2 * self.size, zorder=4
            )
        inbound = self.atlas.points["boundaries"]
        if len(inbound):
            self.axes.scatter(
                inbound.x, inbound.y, s=(0.9 * self.size) ** 2, marker="v", color=BLUE, edgecolors="white",
                linewidths=0.07 * self.size, zorder=5,
            )  # fmt: skip

    def _sections(self, focus: SectionReport | None) -> None:
        for one in placed(self.content, self.atlas):
            point = self.atlas.sections[one.section_id]
            grade = self.content.standard.grades.get(one.water_class)
            loud = focus is None or focus.section_id == one.section_id
            self.axes.scatter(
                [point.x], [point.y], s=(self.size * (1.15 if loud else 0.8)) ** 2, marker=MARK[one.status],
                color=grade.colour if grade else "white", edgecolors=INK, linewidths=(0.12 if loud else 0.07) * self.size,
                linestyle="solid" if one.sure else (0, (1.2, 0.8)), zorder=8 if loud else 7,
            )  # fmt: skip
