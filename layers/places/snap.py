"""Points onto reaches: which reach, how far along it, how far off; ties at a confluence are never broken by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Objects = NDArray[np.object_]

TIE_M = 1.0
"""Two reaches whose distances to a point differ by less are equally near."""


@dataclass(frozen=True)
class Snapped:
    """For every point: nearest reach (-1 none), fraction of its length from its start, distance in metres, and the
    other reaches as near as it (``ties``, by point)."""

    reach: Int
    fraction: Float
    distance_m: Float
    ties: dict[int, Int]


def snap(points: Objects, lines: Objects, reach_river: Objects | None = None, river: Objects | None = None) -> Snapped:
    """Snap points to the nearest line. Among equally near lines the river's own name decides.

    ``reach_river`` (lines) and ``river`` (points) are names, blank where unknown.  Coordinates are metres on a plane.
    """
    n = len(points)
    reach = np.full(n, -1, np.int64)
    fraction, distance = np.full(n, np.nan), np.full(n, np.inf)
    ties: dict[int, Int] = {}
    if not n or not len(lines):
        return Snapped(reach, fraction, distance, ties)
    tree = shapely.STRtree(lines)
    (which, nearest), metres = tree.query_nearest(points, return_distance=True, all_matches=False)
    reach[which], distance[which] = nearest, metres
    at, near = tree.query(points, predicate="dwithin", distance=distance + TIE_M)
    several = np.bincount(at, minlength=n) > 1
    for point in np.flatnonzero(several).tolist():
        rivals = np.sort(near[at == point]) if n < 1000 else np.sort(near[_slice(at, point)])
        named = rivals
        if river is not None and reach_river is not None and river[point]:
            named = rivals[reach_river[rivals] == river[point]]
        if len(named):
            gaps = shapely.distance(points[point], lines[named])
            reach[point] = named[int(np.argmin(gaps))]
            distance[point] = float(gaps.min())
        if len(named) != 1:
            ties[int(point)] = named if len(named) else rivals
    known = reach >= 0
    length = shapely.length(lines[reach[known]])
    along = shapely.line_locate_point(lines[reach[known]], points[known])
    fraction[known] = np.clip(along / np.where(length > 0, length, 1), 0, 1)
    return Snapped(reach, fraction, distance, ties)


def _slice(sorted_values: Int, value: int) -> slice:
    """Where ``value`` stands in ascending values."""
    return slice(*np.searchsorted(sorted_values, [value, value + 1]))


def nearest(point: shapely.Point, lines: Objects, count: int = 3) -> list[tuple[int, float]]:
    """The nearest lines to a point and their distances, for a message."""
    gaps = shapely.distance(point, lines)
    return [(int(i), float(gaps[i])) for i in np.argsort(gaps, kind="stable")[:count]]
