"""The printed map: rivers, sections and sources of a month on a matplotlib axes, in metres, with names that do not collide.

Drawn in the 3-degree Gauss-Krüger zone of the basin (a transverse Mercator elsewhere), so that the scale bar is right all
over the sheet and north is up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Polygon
from matplotlib.textpath import TextToPath
from shapely.ops import substring

from hydro.columns import text
from layers.style import BLUE, GREY, INK, PATH
from reports.content import Content, SectionReport
from reports.fonts import Typeface
from reports.labels import Placed, Placer, line_boxes
from reports.phrases import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STORED = "EPSG:4490"
MARK = {"over": "^", "at": "D", "holds": "o", "none": "o"}
RIVER, PAPER, LAND, BORDER = "#7fa3c4", "#f3f5f6", "#ffffff", "#b6bfc6"
POINTS = {"outlets": "outlet_id", "plants": "plant_id", "gates": "gate_id", "boundaries": "boundary_id"}
Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Atlas:
    """The shapes of a project in metres, made once for all its sheets."""

    crs: pyproj.CRS
    rivers: gpd.GeoSeries
    districts: gpd.GeoDataFrame
    points: Mapping[str, gpd.GeoSeries]
    sections: gpd.GeoSeries
    to_degrees: pyproj.Transformer

    @property
    def extent(self) -> Extent:
        """Where there are rivers, with a little room."""
        return roomy(tuple(self.rivers.total_bounds), 0.03)

    def around(self, reaches: frozenset[str]) -> Extent:
        """Where some of the reaches are."""
        chosen = self.rivers[self.rivers.index.isin(reaches)]
        return roomy(tuple((chosen if len(chosen) else self.rivers).total_bounds), 0.08)


def roomy(bounds: Any, share: float) -> Extent:
    """Bounds with a margin."""
    x0, y0, x1, y1 = bounds
    pad = share * max(x1 - x0, y1 - y0, 1000.0)
    return (x0 - pad, y0 - pad, x1 + pad, y1 + pad)


def make_atlas(content: Content) -> Atlas:
    """Project the shapes of a content; rows without a geometry are left out, and so are tables that are absent."""
    reaches = _shapes(content.shapes.get("reaches"), "reach_id")
    middle = reaches.total_bounds
    crs = zone((middle[0] + middle[2]) / 2)
    sections = _shapes(content.shapes.get("sections"), "section_id")
    districts = content.shapes.get("districts")
    land = (
        gpd.GeoDataFrame({"name": text(districts, "name")}, geometry=districts["geometry"].to_numpy(), crs=STORED)
        if districts is not None and len(districts) and "geometry" in districts
        else gpd.GeoDataFrame({"name": []}, geometry=[], crs=STORED)
    )
    return Atlas(
        crs=crs,
        rivers=reaches.to_crs(crs),
        districts=land.to_crs(crs),
        points={name: _shapes(content.shapes.get(name), key).to_crs(crs) for name, key in POINTS.items()},
        sections=sections.to_crs(crs),
        to_degrees=pyproj.Transformer.from_crs(crs, STORED, always_xy=True),
    )


def zone(longitude: float) -> pyproj.CRS:
    """The CGCS2000 3-degree Gauss-Krüger zone of a longitude; outside China the same projection on its own meridian.

    >>> zone(114.2).to_epsg()
    4547
    """
    meridian = round(longitude / 3) * 3
    if 75 <= meridian <= 135:
        return pyproj.CRS.from_epsg(4534 + (meridian - 75) // 3)
    return pyproj.CRS.from_proj4(f"+proj=tmerc +lon_0={meridian} +x_0=500000 +ellps=GRS80 +units=m")


def _shapes(table: pd.DataFrame | None, key: str) -> gpd.GeoSeries:
    if table is None or "geometry" not in table:
        return gpd.GeoSeries([], crs=STORED)
    shapes = gpd.GeoSeries(list(table["geometry"]), index=text(table, key).to_numpy(), crs=STORED)
    return shapes[~(shapes.is_empty | shapes.isna())]


class MapDrawing:
    """One map on one axes. ``size`` is the type size in points; marks and lines follow it."""

    def __init__(
        self, axes: Axes, atlas: Atlas, content: Content, face: Typeface, *, extent: Extent, size: float
    ) -> None:
        self.axes, self.atlas, self.content, self.face, self.size = axes, atlas, content, face, size
        self.extent = fitted(extent, axes)
        axes.set_xlim(self.extent[0], self.extent[2])
        axes.set_ylim(self.extent[1], self.extent[3])
        axes.set_facecolor(PAPER)
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set(color=INK, linewidth=0.8)
        box = axes.get_window_extent()
        self.per_point = axes.figure.dpi / 72
        self.placer = Placer((0, 0, box.width / self.per_point, box.height / self.per_point))
        self.left_out: list[str] = []

    def draw(self, focus: SectionReport | None = None) -> None:
        """Ground, rivers, points, sections, then every name that finds a place."""
        self._ground()
        self._rivers(focus)
        self._sources(focus)
        self._sections(focus)
        self._names(focus)

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
        line = shapely.LineString(_line(self.atlas.rivers[reach_id]))
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
            sized = self._mark_size(base, part) ** 2 * (1.0 if focus else 0.8)
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

    def _mark_size(self, base: float, part: Any) -> Any:
        """Width of a source's mark in points: its area grows with what it delivers (``part`` of the largest)."""
        return self.size * (base + 1.1 * np.sqrt(part))

    def _sections(self, focus: SectionReport | None) -> None:
        for one in self._placed():
            point = self.atlas.sections[one.section_id]
            grade = self.content.standard.grades.get(one.water_class)
            loud = focus is None or focus.section_id == one.section_id
            self.axes.scatter(
                [point.x], [point.y], s=(self.size * (1.15 if loud else 0.8)) ** 2, marker=MARK[one.status],
                color=grade.colour if grade else "white", edgecolors=INK, linewidths=(0.12 if loud else 0.07) * self.size,
                linestyle="solid" if one.sure else (0, (1.2, 0.8)), zorder=8 if loud else 7,
            )  # fmt: skip

    def _placed(self) -> list[SectionReport]:
        return [one for one in self.content.sections if one.section_id in self.atlas.sections.index]

    def _names(self, focus: SectionReport | None) -> None:
        half = 0.75 * self.size
        marks = {one.section_id: self._at(self.atlas.sections[one.section_id]) for one in self._placed()}
        self.placer.block((x - half, y - half, x + half, y + half) for x, y in marks.values())
        for table in ("plants", "boundaries"):
            spots = [self._at(point) for point in self.atlas.points[table]]
            self.placer.block((x - half / 2, y - half / 2, x + half / 2, y + half / 2) for x, y in spots)
        sections = self._placed()
        if focus:
            sections.sort(key=lambda one: one.section_id != focus.section_id)
        for one in sections:
            known = one.measured.known
            words = f"{one.name} {one.measured.value:.3f}" if known else one.name
            bold = one.status in ("over", "at") and (focus is None or focus is one)
            self._beside(words, marks[one.section_id], 1.0 if focus in (None, one) else 0.85, bold=bold)
        if focus:
            self._source_names(focus)
        self._river_names()
        for name, shape in zip(self.atlas.districts["name"], self.atlas.districts.geometry, strict=True):
            seen = shape.intersection(shapely.box(*self.extent))
            if not seen.is_empty:
                self._area(name, self._at(seen.representative_point()))

    def _source_names(self, focus: SectionReport) -> None:
        most = max((s.delivered.value for s in focus.sources), default=1.0) or 1.0
        named = []
        for source in focus.sources[:6]:
            table = {"plant": "plants", "inbound": "boundaries", "outlet": "outlets"}.get(source.kind)
            key = source.source_id.removeprefix("INBOUND:")
            if table and key in self.atlas.points[table].index:
                x, y = self._at(self.atlas.points[table][key])
                base = {"plants": 0.75, "outlets": 0.35}.get(table, 0.0)
                half = self._mark_size(base, source.delivered.value / most) / 2 if base else 0.5 * self.size
                self.placer.block([(x - half, y - half, x + half, y + half)])
                named.append((f"{source.name} {percent(source.share)}", (x, y), half + 0.35 * self.size))
        for words, at, gap in named:
            self._beside(words, at, 0.85, colour="#8a4b00", gap=gap)

    def _river_names(self) -> None:
        reaches = self.content.network.reaches
        lines = {str(r): self._line(self.atlas.rivers[r]) for r in self.atlas.rivers.index}
        half = 0.12 * self.size
        rivers = text(reaches, "river").reindex(self.atlas.rivers.index)
        named = [(name, [str(i) for i in own.index]) for name, own in rivers.groupby(rivers, sort=False) if name]
        wanted = []
        for name, own in named:
            whole = shapely.line_merge(shapely.union_all([shapely.LineString(lines[i]) for i in own]))
            parts = sorted(getattr(whole, "geoms", [whole]), key=lambda part: -part.length)
            wanted.append((name, np.asarray(parts[0].coords), float(parts[0].length)))
        wanted.sort(key=lambda one: -one[2])
        spots: list[tuple[str, Placed]] = []
        for name, line, _ in wanted:
            width, height = self.measure(name, 0.85)
            if (place := self.placer.along(line, width, height)) is not None:
                spots.append((name, place))
            elif self._inside(line):
                self.left_out.append(name)
        for name, place in spots:
            self._write(name, place, 0.85, colour="#2f5f8a", turn=place.turn)
        for line in lines.values():
            self.placer.block(line_boxes(line, 3 * half + 2, half))

    def _inside(self, line: np.ndarray) -> bool:
        x0, y0, x1, y1 = self.placer.frame
        return bool(np.any((line[:, 0] > x0) & (line[:, 0] < x1) & (line[:, 1] > y0) & (line[:, 1] < y1)))

    def _beside(
        self,
        words: str,
        at: tuple[float, float],
        scale: float,
        *,
        bold: bool = False,
        colour: str = INK,
        gap: float = 0.0,
    ) -> None:
        width, height = self.measure(words, scale, bold=bold)
        x0, y0, x1, y1 = self.placer.frame
        if not (x0 <= at[0] <= x1 and y0 <= at[1] <= y1):
            return
        place = self.placer.beside(*at, width, height, gap or 0.8 * self.size)
        if place is None:
            self.left_out.append(words)
            return
        if place.led:
            ends = [self.data(*at), self.data(place.x, place.y)]
            self.axes.plot(*zip(*ends, strict=True), color=GREY, linewidth=0.06 * self.size, zorder=6)
        self._write(words, place, scale, bold=bold, colour=colour)

    def _area(self, name: str, at: tuple[float, float]) -> None:
        width, height = self.measure(name, 1.05)
        if (place := self.placer.at(*at, width, height, 1.4 * self.size)) is not None:
            self._write(name, place, 1.05, colour="#8b959d")

    def _write(
        self, words: str, place: Placed, scale: float, *, bold: bool = False, colour: str = INK, turn: float = 0.0
    ) -> None:
        import matplotlib.patheffects as effects

        written = self.axes.text(
            *self.data(place.x, place.y), self.face.of(words), fontproperties=self.face.bold if bold else self.face.regular,
            fontsize=scale * self.size, color=colour, ha="center", va="center", rotation=turn, rotation_mode="anchor",
            zorder=10, parse_math=False,
        )  # fmt: skip
        written.set_path_effects([effects.withStroke(linewidth=0.22 * self.size, foreground="white")])

    def measure(self, words: str, scale: float, *, bold: bool = False) -> tuple[float, float]:
        """Width and height of words in points, with a little air."""
        face = (self.face.bold if bold else self.face.regular).copy()
        face.set_size(scale * self.size)
        width, height, _ = _RULER.get_text_width_height_descent(self.face.of(words), face, ismath=False)
        return width * 1.04 + 1, max(height, scale * self.size) * 1.25

    def _at(self, point: Any) -> tuple[float, float]:
        return self.at_data((point.x, point.y))

    def at_data(self, place: tuple[float, float]) -> tuple[float, float]:
        """A place in metres as points from the lower left corner of the frame."""
        x0, y0, x1, y1 = self.extent
        wide, high = self.placer.frame[2:]
        return (place[0] - x0) / (x1 - x0) * wide, (place[1] - y0) / (y1 - y0) * high

    def _line(self, line: Any) -> np.ndarray:
        x0, y0, x1, y1 = self.extent
        share = (np.asarray(_line(line)) - (x0, y0)) / (x1 - x0, y1 - y0)
        return share * (self.placer.frame[2], self.placer.frame[3])

    def data(self, x: float, y: float) -> tuple[float, float]:
        """Points from the lower left corner of the frame as a place in metres."""
        x0, y0, x1, y1 = self.extent
        return x0 + x / self.placer.frame[2] * (x1 - x0), y0 + y / self.placer.frame[3] * (y1 - y0)


_RULER = TextToPath()


def _line(shape: Any) -> list[tuple[float, float]]:
    parts = getattr(shape, "geoms", None)
    longest = max(parts, key=lambda part: part.length) if parts is not None else shape
    return [point[:2] for point in longest.coords]


def fitted(extent: Extent, axes: Axes) -> Extent:
    """The extent widened to the shape of the axes, so that a metre is as long up as across."""
    box = axes.get_window_extent()
    x0, y0, x1, y1 = extent
    width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    scale = max(width / box.width, height / box.height)
    dx, dy = scale * box.width - width, scale * box.height - height
    return (x0 - dx / 2, y0 - dy / 2, x1 + dx / 2, y1 + dy / 2)


def bar_length_m(width_m: float) -> float:
    """A round length (1, 2 or 5 times a power of ten) of about a fifth of the map.

    >>> bar_length_m(130_000)
    20000.0
    """
    rough = width_m / 5
    power = 10 ** math.floor(math.log10(rough))
    return float(max(n * power for n in (1, 2, 5) if n * power <= rough))
