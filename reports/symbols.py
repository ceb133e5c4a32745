"""The signs of the printed maps, shared by the map and its legend."""

from __future__ import annotations

from typing import Any

import numpy as np

from reports.atlas import Atlas
from reports.content import Content, SectionReport

MARK = {"over": "^", "at": "D", "holds": "o", "none": "o"}
RIVER, LAND, BORDER = "#7fa3c4", "#ffffff", "#b6bfc6"


def source_size(size: float, base: float, part: Any) -> Any:
    """Width of a source's mark in points: its area grows with what it delivers (``part`` of the largest)."""
    return size * (base + 1.1 * np.sqrt(part))


def placed(content: Content, atlas: Atlas) -> list[SectionReport]:
    """The sections that stand on the map."""
    return [one for one in content.sections if one.section_id in atlas.sections.index]
