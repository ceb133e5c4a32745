"""The signs of the printed maps, shared by the map and its legend; status and kind are told by shape, never by colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from matplotlib.patches import Polygon

from reports.atlas import Atlas
from reports.content import Content, SectionReport

MARK = {"over": "^", "at": "D", "holds": "o", "none": "o"}
RIVER, LAND, BORDER = "#7fa3c4", "#ffffff", "#b6bfc6"
PALE_RIVER, PALE_MARK = "#ccd8e2", "#c3ccd3"
LIT, RED = "#e08214", "#b3261e"
UNSURE = (0, (1.2, 0.8))
"""The dashed rim of a section whose place is not sure."""
CANAL = (0, (4, 1.2))
OUTLET, PLANT = 0.35, 0.75
"""Least width of an outlet's and a plant's mark, in sizes of type."""
QUIET = "#5d6872"


def source_size(size: float, base: float, part: Any) -> Any:
    """Width of a source's mark in points: it grows with the root of what it delivers (``part`` of the largest)."""
    return size * (base + 1.1 * np.sqrt(part))


def outlines(shapes: Iterable[shapely.Geometry]) -> list[Polygon]:
    """The parts of some areas as patches."""
    parts = (part for shape in shapes for part in getattr(shape, "geoms", [shape]))
    return [Polygon(np.asarray(part.exterior.coords)[:, :2], closed=True) for part in parts]


def placed(content: Content, atlas: Atlas) -> list[SectionReport]:
    """The sections that stand on the map."""
    return [one for one in content.sections if one.section_id in atlas.sections.index]
