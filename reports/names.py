"""The names on a printed map, most important first: sections with their value, the chief sources, rivers, districts."""

from __future__ import annotations

import numpy as np
import shapely

from hydro.columns import text
from layers.style import GREY, INK
from reports.atlas import Atlas
from reports.content import Content, SectionReport
from reports.frame import Frame
from reports.labels import Placed, line_boxes
from reports.phrases import percent
from reports.symbols import placed, source_size


class Names:
    """Writes the names of one map into its frame; what found no place is in ``frame.left_out``."""

    def __init__(self, frame: Frame, atlas: Atlas, content: Content) -> None:
        self.frame, self.atlas, self.content = frame, atlas, content
        self.placer, self.size = frame.placer, frame.size

    def write(self, focus: SectionReport | None) -> None:
        """Every name that finds a place."""
        half = 0.75 * self.size
        marks = {
            one.section_id: self.frame.at(self.atlas.sections[one.section_id])
            for one in placed(self.content, self.atlas)
        }
        self.placer.block((x - half, y - half, x + half, y + half) for x, y in marks.values())
        for table in ("plants", "boundaries"):
            spots = [self.frame.at(point) for point in self.atlas.points[table]]
            self.placer.block((x - half / 2, y - half / 2, x + half / 2, y + half / 2) for x, y in spots)
        sections = placed(self.content, self.atlas)
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
            seen = shape.intersection(shapely.box(*self.frame.extent))
            if not seen.is_empty:
                self._area(name, self.frame.at(seen.representative_point()))

    def _source_names(self, focus: SectionReport) -> None:
        most = max((s.delivered.value for s in focus.sources), default=1.0) or 1.0
        named = []
        for source in focus.sources[:6]:
            table = {"plant": "plants", "inbound": "boundaries", "outlet": "outlets"}.get(source.kind)
            key = source.source_id.removeprefix("INBOUND:")
            if table and key in self.atlas.points[table].index:
                x, y = self.frame.at(self.atlas.points[table][key])
                base = {"plants": 0.75, "outlets": 0.35}.get(table, 0.0)
                half = source_size(self.size, base, source.delivered.value / most) / 2 if base else 0.5 * self.size
                self.placer.block([(x - half, y - half, x + half, y + half)])
                named.append((f"{source.name} {percent(source.share)}", (x, y), half + 0.35 * self.size))
        for words, at, gap in named:
            self._beside(words, at, 0.85, colour="#8a4b00", gap=gap)

    def _river_names(self) -> None:
        reaches = self.content.network.reaches
        lines = {str(r): self.frame.line(self.atlas.rivers[r]) for r in self.atlas.rivers.index}
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
            width, height = self.frame.measure(name, 0.85)
            if (place := self.placer.along(line, width, height)) is not None:
                spots.append((name, place))
            elif self._inside(line):
                self.frame.left_out.append(name)
        for name, place in spots:
            self.frame.write(name, place, 0.85, colour="#2f5f8a", turn=place.turn)
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
        width, height = self.frame.measure(words, scale, bold=bold)
        x0, y0, x1, y1 = self.placer.frame
        if not (x0 <= at[0] <= x1 and y0 <= at[1] <= y1):
            return
        place = self.placer.beside(*at, width, height, gap or 0.8 * self.size)
        if place is None:
            self.frame.left_out.append(words)
            return
        if place.led:
            ends = [self.frame.data(*at), self.frame.data(place.x, place.y)]
            self.frame.axes.plot(*zip(*ends, strict=True), color=GREY, linewidth=0.06 * self.size, zorder=6)
        self.frame.write(words, place, scale, bold=bold, colour=colour)

    def _area(self, name: str, at: tuple[float, float]) -> None:
        width, height = self.frame.measure(name, 1.05)
        if (place := self.placer.at(*at, width, height, 1.4 * self.size)) is not None:
            self.frame.write(name, place, 1.05, colour="#8b959d")
