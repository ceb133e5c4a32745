"""What lies under the rivers, offline: district outlines with their names. Online tiles only where a user asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro.columns import text

OUTLINE_DEGREES = 2e-4


@dataclass(frozen=True)
class Ground:
    """Outlines (rings in lon/lat) and the places of the names."""

    outlines: NDArray[np.object_]
    name: tuple[str, ...]
    at: NDArray[np.float64]

    def names(self) -> list[dict[str, Any]]:
        """Names with their place in 1e-5 degree, as the browser reads them."""
        places = np.rint(self.at * 100_000).astype(int).tolist()
        return [{"name": name, "x": x, "y": y} for name, (x, y) in zip(self.name, places, strict=True)]


def ground(tables: Mapping[str, pd.DataFrame]) -> Ground:
    """The ground of a project: its ``districts``; nothing where it has none."""
    frame = tables.get("districts")
    if frame is None or frame.empty or "geometry" not in frame:
        return Ground(np.empty(0, object), (), np.empty((0, 2)))
    frame = frame[frame["geometry"].notna()]
    shapes = np.asarray(frame["geometry"], object)
    simple = shapely.simplify(shapes, OUTLINE_DEGREES)
    rings = shapely.get_rings(shapely.get_parts(simple))
    inside = shapely.point_on_surface(shapes)
    return Ground(np.asarray(rings, object), tuple(text(frame, "name")), shapely.get_coordinates(inside))
