"""The rivers in a few strokes and where the sections stand: for a small map beside figures."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

TOLERANCE = 0.001
"""Degrees within which a drawn line may leave the surveyed one: about 100 m, under a pixel of a small map."""


def outlines(
    reaches: Any, sections: Any, most: int = 600
) -> tuple[list[dict[str, Any]], dict[str, tuple[float, float]]]:
    """The largest reaches as simplified GeoJSON features with a width, and where each section is (longitude, latitude)."""
    size = pd.to_numeric(reaches["discharge_m3_s"], errors="coerce").fillna(0.0)
    large = reaches.assign(size=size).nlargest(most, "size").dropna(subset=["geometry"])
    lines = large.geometry.simplify(TOLERANCE)
    features = [
        {"type": "Feature", "geometry": line.__geo_interface__, "properties": {"width": 0.8 + min(math.sqrt(flow), 6) / 1.6}}
        for line, flow in zip(lines, large["size"], strict=True)
    ]  # fmt: skip
    there = sections.dropna(subset=["geometry"])
    places = {str(one): (point.x, point.y) for one, point in zip(there["section_id"], there.geometry, strict=True)}
    return features, places
