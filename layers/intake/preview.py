"""What an import has understood, small enough to be looked at: columns, first rows, a drawing, and what became of rows.

The tables themselves stay with whoever read them; this is what travels to a screen or into an account sent back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from hydro.schema import KEYS
from layers.columns import IMPORTED
from layers.formats.sources import Layer
from layers.intake.acquaintance import Acquaintance, acquaintance
from layers.intake.answers import answered, open_ended
from layers.intake.cells import text
from layers.intake.intake import Import
from layers.part import Part
from layers.places import crs as systems
from layers.places.crs import STORED
from layers.report import Entry, Report

HEAD_ROWS = 8
"""How many rows of a layer are shown."""
MOST_VERTICES = 24_000
"""How many vertices all drawings together may have; long rivers go first, the rest is left out and told."""
FINENESS = 1500
"""A drawing is simplified to its extent over this: finer would not be seen."""
CELLS_SHOWN = 14
MOST_ROWS_TOLD = 5_000
"""How many rows of the source are copied beside what is wrong with them."""


@dataclass(frozen=True)
class ReadColumn:
    """A column of the source, what it was read as (blank: left out), how surely, and a value of it."""

    source: str
    attribute: str = ""
    unit: str = ""
    confidence: float = 0.0
    sample: str = ""
    parameter: bool = False
    """Whether it is a measured parameter, each value an observation of its own."""


@dataclass(frozen=True)
class Drawing:
    """Shapes of one layer, the largest of ``count``: GeoJSON geometries, their names, and whether they lie on earth."""

    kind: str = ""
    shapes: tuple[dict[str, Any], ...] = ()
    names: tuple[str, ...] = ()
    count: int = 0
    on_earth: bool = False
    supposed: bool = False
    """Drawn by the first proposal for its coordinate system, until the user has chosen."""


@dataclass(frozen=True)
class ReadLayer:
    """One layer as it was understood; ``table`` is blank where it was not."""

    label: str
    table: str
    rows: int
    columns: tuple[ReadColumn, ...]
    head: pd.DataFrame
    drawing: Drawing = field(default_factory=Drawing)
    system: CRS | None = None
    swapped: bool = False

    def source_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """A place on earth as the coordinates that this layer would write."""
        xy = np.column_stack(systems.transformer(STORED, self.system or STORED).transform([lon], [lat]))
        x, y = (systems.swapped(xy) if self.swapped else xy)[0]
        return float(x), float(y)

    def lonlat(self, x: float, y: float) -> tuple[float, float]:
        """Coordinates of this layer as a place on earth."""
        xy = np.array([[x, y]])
        xy = systems.swapped(xy) if self.swapped else xy
        lon, lat = systems.transformer(self.system or STORED).transform(xy[:, 0], xy[:, 1])
        return float(lon[0]), float(lat[0])


@dataclass(frozen=True)
class Preview:
    """The whole of an import as it is shown: its layers, its report, its name, and the source's cells of rows at fault."""

    layers: tuple[ReadLayer, ...]
    report: Report
    facts: Mapping[str, str]
    cells: Mapping[str, Mapping[int, tuple[str, ...]]]
    heads: Mapping[str, tuple[str, ...]]
    revision: int | None = None
    """Revision of the project that it was read against; None for a new project."""
    acquaintance: Acquaintance = field(default_factory=Acquaintance)
    """How much of it that project knows already."""

    def file_of(self, entry: Entry) -> str:
        """The layer that an entry of the report is about, blank where that cannot be told."""
        said = entry.file or str(entry.params.get("file", ""))
        labels = [layer.label for layer in self.layers]
        if said in labels:
            return said
        own = [layer.label for layer in self.layers if entry.table and layer.table == entry.table]
        return own[0] if len(own) == 1 else said

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of everything that lies on earth."""
        shapes = [
            shapely.geometry.shape(shape)
            for layer in self.layers
            if layer.drawing.on_earth
            for shape in layer.drawing.shapes
        ]
        bounds = shapely.total_bounds(np.array(shapes, object)) if shapes else np.array([np.nan])
        return tuple(map(float, bounds)) if np.isfinite(bounds).all() else None  # type: ignore[return-value]


def preview(outcome: Import, revision: int | None = None, known: Mapping[str, pd.DataFrame] | None = None) -> Preview:
    """What is to be shown of an import into a project of the tables ``known``."""
    parts = {id(part.layer): part for part in outcome.parts}
    located = {id(each.part): each for each in outcome.located}
    supposed = _supposed(outcome.report)
    room = MOST_VERTICES
    layers = []
    for layer in outcome.layers:
        part = parts.get(id(layer))
        place = located.get(id(part)) if part is not None else None
        drawing = _drawing(layer, part, place is not None, room, supposed.get(layer.label))
        room -= sum(shapely.count_coordinates(shapely.geometry.shape(shape)) for shape in drawing.shapes)
        reading = outcome.readings.get(layer.label)
        layers.append(
            ReadLayer(
                layer.label,
                part.table if part is not None else "",
                len(layer.frame),
                _columns(layer, reading),
                _head(part) if part is not None else _shown(layer.frame),
                drawing,
                place.crs if place else None,
                place.swapped if place else False,
            )
        )
    layers.sort(key=lambda layer: IMPORTED.index(layer.table) if layer.table else len(IMPORTED))
    made = Preview(tuple(layers), outcome.report, outcome.facts, {}, {}, revision)
    cells, heads = _cells(made, outcome.layers)
    return replace(made, cells=cells, heads=heads, acquaintance=acquaintance(outcome.parts, known or {}))


def _columns(layer: Layer, reading: Any) -> tuple[ReadColumn, ...]:
    """Every column in the order of the source."""
    matches = {m.source: (m, False) for m in reading.columns} if reading else {}
    matches |= {m.source: (m, True) for m in reading.parameters} if reading else {}
    columns = []
    for name in map(str, layer.frame.columns):
        sample = next((value for value in text(layer.frame[name].head(40)) if value), "")[:40]
        if name in matches:
            match, parameter = matches[name]
            unit = match.unit or layer.units.get(name, "")
            columns.append(ReadColumn(name, match.attribute, unit, match.confidence, sample, parameter))
        else:
            columns.append(ReadColumn(name, sample=sample))
    return tuple(columns)


def _head(part: Part) -> pd.DataFrame:
    return _shown(part.frame[[name for name in part.frame if not str(name).startswith("__") and name != "geometry"]])


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    first = frame.head(HEAD_ROWS)
    return pd.DataFrame({str(name): text(first[name]) for name in first}, index=first.index)


def _supposed(report: Report) -> dict[str, tuple[CRS, bool]]:
    """The first proposal for each open coordinate system, and whether it has the axes swapped."""
    found: dict[str, tuple[CRS, bool]] = {}
    for question in report.asked:
        first = question.proposals[0] if question.proposals else None
        if first is not None and "--crs" in first.option and not open_ended(first):
            said = answered([first.option])
            found.setdefault(question.file, (systems.parse_crs(said.crs), said.swap_axes))
    return found


def _drawing(
    layer: Layer, part: Part | None, located: bool, room: int, supposed: tuple[CRS, bool] | None = None
) -> Drawing:
    shapes, names = _shapes(layer, part, located)
    if supposed and not located:
        system, swap = supposed
        shapes = shapely.transform(shapes, systems.swapped) if swap else shapes
        shapes = systems.project(shapes, system, STORED)
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    shapes, names = shapes[there], names[there]
    if not len(shapes) or not np.isfinite(bounds := shapely.total_bounds(shapes)).all():
        return Drawing()
    dimension = int(shapely.get_dimensions(shapes).max())
    fine = max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / FINENESS
    seen = shapely.force_2d(shapely.simplify(shapes, fine) if dimension else shapes)
    order = np.argsort(-shapely.length(seen), kind="stable") if dimension else np.arange(len(seen))
    within = np.cumsum(shapely.get_num_coordinates(seen[order])) <= room
    kept = seen[order[within]]
    called = tuple(map(str, names[order[within]]))
    return Drawing(
        ("point", "line", "polygon")[dimension],
        tuple(shapely.geometry.mapping(shape) for shape in kept),
        called,
        len(shapes),
        located or supposed is not None,
        supposed is not None and not located,
    )


def _shapes(layer: Layer, part: Part | None, on_earth: bool) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Shapes and what each is called."""
    if part is None:
        raw = layer.geometry if layer.geometry is not None else np.empty(0, object)
        return np.asarray(raw, dtype=object), np.full(len(raw), "", object)
    column = next((name for name in ("name", "river", KEYS[part.table][0]) if name in part.frame), None)
    names = text(part.frame[column]).to_numpy(object) if column else np.full(len(part.frame), "", object)
    if on_earth:
        return np.asarray(part.frame["geometry"], dtype=object), names
    if part.xy is not None:
        shapes = np.asarray(shapely.points(part.xy), dtype=object)
        shapes[~np.isfinite(part.xy).all(axis=1)] = None
        return shapes, names
    raw = part.shapes if part.shapes is not None else np.full(len(part.frame), None, object)
    return np.asarray(raw, dtype=object), names


def _cells(
    made: Preview, layers: Sequence[Layer]
) -> tuple[dict[str, dict[int, tuple[str, ...]]], dict[str, tuple[str, ...]]]:
    """The source's own cells of every row that was refused or mended."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in [*made.report.refused, *made.report.mended][:MOST_ROWS_TOLD]:
        if entry.row is not None:
            wanted[made.file_of(entry)].add(entry.row)
    cells, heads = {}, {}
    for layer in layers:
        frame = layer.frame.iloc[:, :CELLS_SHOWN]
        rows = frame[frame.index.isin(sorted(wanted.get(layer.label, set())))]
        written = [text(rows[name]).to_numpy(object) for name in rows]
        cells[layer.label] = {int(row): tuple(str(column[i]) for column in written) for i, row in enumerate(rows.index)}
        heads[layer.label] = tuple(map(str, frame.columns))
    return cells, heads
