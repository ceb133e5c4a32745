"""The names on a printed map, most important first: sections with value and class, the chief sources, rivers, districts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely

from hydro.columns import text
from layers.maps.style import GREY, INK
from reports import phrases
from reports.atlas import Atlas
from reports.content import Content, SectionReport
from reports.frame import Frame
from reports.labels import Placed
from reports.symbols import OUTLET, PLANT, placed, source_size

Spot = tuple[float, float]
NEAR = 2
"""A name that is not what the map is about stands in so many rings around its mark, or is left out."""
WATER, SOURCE, LAND = "#2f5f8a", "#8a4b00", "#77828b"


class Names:
    """Writes the names of one map into its frame; what found no place is in ``frame.left_out``."""

    def __init__(self, frame: Frame, atlas: Atlas, content: Content) -> None:
        self.frame, self.atlas, self.content = frame, atlas, content
        self.placer, self.size = frame.placer, frame.size

    def write(self, focus: SectionReport | None, spots: Mapping[str, Spot]) -> None:
        """Every name that finds a place; ``spots``: where the sections' marks stand, in points."""
        half = 0.62 * self.size
        self.placer.block((x - half, y - half, x + half, y + half) for x, y in spots.values())
        for table in ("plants", "boundaries"):
            points = [self.frame.at(point) for point in self.atlas.points[table]]
            self.placer.block((x - half / 2, y - half / 2, x + half / 2, y + half / 2) for x, y in points)
        sections = [one for one in placed(self.content, self.atlas) if one.section_id in spots]
        if focus:
            sections.sort(key=lambda one: one.section_id != focus.section_id)
        for one in sections[: 1 if focus else None]:
            self._section(one, spots[one.section_id], loud=True)
        if focus:
            self._source_names(focus)
            for one in sections[1:]:
                self._section(one, spots[one.section_id], loud=False)
        self._river_names()
        for name, shape in zip(self.atlas.districts["name"], self.atlas.districts.geometry, strict=True):
            self._district(name, shape)

    def _section(self, one: SectionReport, at: Spot, *, loud: bool) -> None:
        figures = (phrases.number(one.measured.value), phrases.NUMERAL.get(one.water_class, one.water_class))
        words = " ".join((one.name, *figures)) if one.measured.known else one.name
        if loud:
            self._beside(words, at, 1.0, bold=one.status in ("over", "at"))
        else:
            self._beside(words, at, 0.85, rings=NEAR)

    def _source_names(self, focus: SectionReport) -> None:
        most = max((s.delivered.value for s in focus.sources), default=1.0) or 1.0
        named = []
        for source in focus.sources[:6]:
            table = {"plant": "plants", "inbound": "boundaries", "outlet": "outlets"}.get(source.kind)
            key = source.source_id.removeprefix("INBOUND:")
            if table and key in self.atlas.points[table].index:
                x, y = self.frame.at(self.atlas.points[table][key])
                base = {"plants": PLANT, "outlets": OUTLET}.get(table, 0.0)
                half = source_size(self.size, base, source.delivered.value / most) / 2 if base else 0.5 * self.size
                self.placer.block([(x - half, y - half, x + half, y + half)])
                named.append((f"{source.name} {phrases.percent(source.share)}", (x, y), half + 0.35 * self.size))
        for words, at, gap in named:
            self._beside(words, at, 0.85, colour=SOURCE, gap=gap)

    def _river_names(self) -> None:
        rivers = text(self.content.network.reaches, "river").to_dict()
        lines: dict[str, list[np.ndarray]] = {}
        for reach_id in self.atlas.within(self.frame.extent):
            lines.setdefault(rivers[reach_id], []).append(self.frame.line(self.atlas.lines[reach_id]))
        named = []
        for name, own in lines.items():
            whole = shapely.line_merge(shapely.union_all([shapely.LineString(line) for line in own])) if name else None
            seen = shapely.clip_by_rect(whole, *self.placer.frame)
            parts = [part for part in getattr(seen, "geoms", [seen]) if part is not None and part.length > 0]
            if parts:
                named.append((name, sorted(parts, key=lambda part: -part.length)))
        named.sort(key=lambda one: -one[1][0].length)
        for name, parts in named:
            if (found := self._along(name, [np.asarray(part.coords) for part in parts])) is None:
                self.frame.left_out.append(name)
            else:
                place, scale = found
                self.frame.write(name, place, scale, colour=WATER, turn=place.turn)

    def _along(self, name: str, lines: list[np.ndarray]) -> tuple[Placed, float] | None:
        """The first place along the parts of a river, the longest first; in smaller type where there is none."""
        for scale in (0.85, 0.72):
            width, height = self.frame.measure(name, scale)
            for line in lines[:6]:
                if (place := self.placer.along(line, width, height)) is not None:
                    return place, scale
        return None

    def _beside(
        self,
        words: str,
        at: Spot,
        scale: float,
        *,
        bold: bool = False,
        colour: str = INK,
        gap: float = 0.0,
        rings: int = 4,
    ) -> None:
        if not self.frame.shows(at):
            return
        words = self.frame.folded(words, scale, bold=bold)
        width, height = self.frame.measure(words, scale, bold=bold)
        place = self.placer.beside(*at, width, height, gap or 0.8 * self.size, rings)
        if place is None:
            self.frame.left_out.append(words.replace("\n", ""))
            return
        if place.led:
            ends = [self.frame.data(*at), self.frame.data(place.x, place.y)]
            self.frame.axes.plot(*zip(*ends, strict=True), color=GREY, linewidth=0.06 * self.size, zorder=6)
        self.frame.write(words, place, scale, bold=bold, colour=colour)

    def _district(self, name: str, shape: shapely.Geometry) -> None:
        """The name of an area where it lies in the area, as near as may be to its middle."""
        seen = shapely.clip_by_rect(shape, *self.frame.extent)
        if seen.is_empty:
            return
        x0, y0, x1, y1 = seen.bounds
        grid = np.stack(np.meshgrid(np.linspace(x0, x1, 15), np.linspace(y0, y1, 15)), axis=-1).reshape(-1, 2)
        middle = seen.representative_point()
        grid = np.vstack([[middle.x, middle.y], grid])
        name = self.frame.folded(name, 1.05)
        width, height = self.frame.measure(name, 1.05)
        across, up = 0.5 * width * self.frame.metres, 0.35 * height * self.frame.metres
        marks = [(dx, dy) for dx in (-across, 0, across) for dy in (-up, up)]
        within = np.all([shapely.contains_xy(seen, *(grid + mark).T) for mark in marks], axis=0)
        if not within.any():
            return
        centres = np.array([self.frame.at_data((x, y)) for x, y in grid[within]])
        away = np.hypot(*(centres - self.frame.at(middle)).T) / (4 * self.size)
        if (place := self.placer.among(centres, width, height, away)) is not None:
            self.frame.write(name, place, 1.05, colour=LAND)
