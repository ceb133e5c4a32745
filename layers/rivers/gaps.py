"""What a drawing leaves open: ends that stop short of a neighbour, crossings without a node, separate parts.

Listed with what was measured, never repaired.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from layers.rivers.topology import ends

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Objects = NDArray[np.object_]

DANGLING_M = 1000.0
"""An end that nothing continues is listed when another reach lies within so many metres."""

PARTED_M = 200.0
"""A part of the network that comes so near to another only with a spring is told."""

DETOUR = 3.0
"""The way round must be so many times as long as the gap; else what is near is only the same river a little further."""


@dataclass(frozen=True)
class _Web:
    """Nodes and the reaches at each, for walking a little way along the network."""

    at: list[list[tuple[int, float]]]

    @classmethod
    def of(cls, from_node: Int, to_node: Int, length: Float) -> _Web:
        n = int(max(from_node.max(), to_node.max())) + 1
        at: list[list[tuple[int, float]]] = [[] for _ in range(n)]
        for a, b, metres in zip(from_node.tolist(), to_node.tolist(), length.tolist(), strict=True):
            at[a].append((b, metres))
            at[b].append((a, metres))
        return cls(at)

    def within(self, node: int, limit_m: float) -> dict[int, float]:
        """Nodes within so many metres along the network, and how far they are."""
        far, queue = {node: 0.0}, [(0.0, node)]
        while queue:
            so_far, here = heapq.heappop(queue)
            if so_far > far[here]:
                continue
            for there, metres in self.at[here]:
                if so_far + metres < min(limit_m, far.get(there, np.inf)):
                    far[there] = so_far + metres
                    heapq.heappush(queue, (so_far + metres, there))
        return far


def open_ends(lines: Objects, from_node: Int, to_node: Int) -> list[tuple[int, float, int]]:
    """Reaches whose end nothing continues although another is near: the reach, the gap in metres, the other."""
    leaving = np.bincount(from_node, minlength=int(max(from_node.max(), to_node.max())) + 1)
    sinks = np.flatnonzero(leaving[to_node] == 0)
    return list(_near(sinks, ends(lines)[1], to_node, lines, from_node, to_node, DANGLING_M))


def dangling(lines: Objects, from_node: Int, to_node: Int, tolerance_m: float) -> list[tuple[int, float]]:
    """Reaches that stop short of a neighbour, with the gap in metres.

    An end counts where nothing leaves its node and another reach is near.  A start counts where it faces such an end,
    or where it is the nearest that a part of the network without such an end comes to another (``PARTED_M``): any other
    start is a spring.
    """
    entering = np.bincount(to_node, minlength=int(max(from_node.max(), to_node.max())) + 1)
    springs = np.flatnonzero(entering[from_node] == 0)
    first, last = ends(lines)
    part = parts(from_node, to_node)
    gaps: dict[int, float] = {}
    met: set[int] = set()
    for reach, metres, other in open_ends(lines, from_node, to_node):
        gaps[reach] = metres
        met |= {int(part[to_node[reach]]), int(part[to_node[other]])}
    ended = np.array(list(gaps), np.int64)
    if len(ended) and len(springs):
        found: Any = cKDTree(last[ended]).query(first[springs], distance_upper_bound=DANGLING_M)
        for reach, metres, i in zip(springs.tolist(), found[0].tolist(), found[1].tolist(), strict=True):
            if np.isfinite(metres) and ended[i] != reach and metres <= gaps[int(ended[i])] + tolerance_m:
                gaps.setdefault(reach, metres)
    several = len(np.unique(part[from_node])) > 1
    lone = springs[~np.isin(part[from_node[springs]], list(met))] if several else springs[:0]
    nearest: dict[int, tuple[float, int]] = {}
    for reach, metres, other in _near(lone, first, from_node, lines, from_node, to_node, PARTED_M):
        home, there = int(part[from_node[reach]]), int(part[from_node[other]])
        if home != there:
            nearest[home] = min((metres, reach), nearest.get(home, (np.inf, -1)))
    for metres, reach in nearest.values():
        gaps.setdefault(reach, metres)
    return sorted((reach, metres) for reach, metres in gaps.items() if metres > 0)


def _near(
    which: Int, place: Float, node: Int, lines: Objects, from_node: Int, to_node: Int, within_m: float
) -> Iterator[tuple[int, float, int]]:
    """Of some reaches' tips (``place``, at ``node``) those with a gap to another reach: reach, metres, the other."""
    if not len(which):
        return
    at, other = shapely.STRtree(lines).query(shapely.points(place[which]), predicate="dwithin", distance=within_m)
    incident = (from_node[other] == node[which[at]]) | (to_node[other] == node[which[at]])
    at, other = at[~incident], other[~incident]
    web = _Web.of(from_node, to_node, shapely.length(lines)) if len(at) else _Web([])
    order = np.argsort(at, kind="stable")
    for i, near in zip(*_grouped(at[order], other[order]), strict=True):
        reach = int(which[i])
        found = _gap(place[reach], int(node[reach]), near, lines, from_node, to_node, web)
        if found:
            yield reach, *found


def _grouped(keys: Int, values: Int) -> tuple[list[int], list[Int]]:
    """Ascending keys once each, and the values of each."""
    distinct, first = np.unique(keys, return_index=True)
    return distinct.tolist(), np.split(values, first[1:]) if len(distinct) else []


def _gap(
    place: Float,
    node: int,
    near: Int,
    lines: Objects,
    from_node: Int,
    to_node: Int,
    web: _Web,
) -> tuple[float, int] | None:
    """The gap from an open end to the nearest of the reaches near it that is not just further along the same river.

    Measured to that reach's nearest end, or to its line where that is much nearer; with that reach.
    """
    point = shapely.points(place)
    to_line = shapely.distance(point, lines[near])
    order = np.argsort(to_line, kind="stable")
    known = web.within(node, DETOUR * float(to_line.max()) + float(shapely.length(lines[near]).max()))
    best: tuple[float, int] | None = None
    for other, metres in zip(near[order].tolist(), to_line[order].tolist(), strict=True):
        if best is not None and metres >= best[0]:
            break
        along = float(shapely.line_locate_point(lines[other], point))
        length = float(lines[other].length)
        round_m = min(
            known.get(int(from_node[other]), np.inf) + along, known.get(int(to_node[other]), np.inf) + length - along
        )
        if round_m <= DETOUR * metres:
            continue
        tips = shapely.get_coordinates(lines[other])[[0, -1]]
        to_end = float(np.hypot(*(tips - place).T).min())
        gap = to_end if to_end <= min(DETOUR * metres, DANGLING_M) else metres
        if best is None or gap < best[0]:
            best = (gap, other)
    return best


def crossings(lines: Objects, from_node: Int, to_node: Int, tolerance_m: float) -> list[tuple[int, int]]:
    """Pairs of lines that cross away from a common node."""
    tree = shapely.STRtree(lines)
    a, b = tree.query(lines, predicate="intersects")
    once = a < b
    a, b = a[once], b[once]
    if not len(a):
        return []
    meeting = shapely.intersection(lines[a], lines[b])
    first, last = ends(lines)
    points, pair = shapely.get_coordinates(meeting, return_index=True)
    nearest = np.full(len(points), np.inf)
    for end in (first[a], first[b], last[a], last[b]):
        nearest = np.minimum(nearest, np.hypot(*(points - end[pair]).T))
    away = np.bincount(pair[nearest > tolerance_m], minlength=len(a)) > 0
    return list(zip(a[away].tolist(), b[away].tolist(), strict=True))


def parts(from_node: Int, to_node: Int) -> Int:
    """Number of the connected part of every node."""
    n = int(max(from_node.max(), to_node.max())) + 1
    links = coo_array((np.ones(len(from_node), bool), (from_node, to_node)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def components(from_node: Int, to_node: Int) -> int:
    """Number of parts that no reach connects."""
    return len(np.unique(parts(from_node, to_node)[np.r_[from_node, to_node]]))


def odd_nodes(from_node: Int, to_node: Int) -> Int:
    """Nodes that water only enters, or only leaves, by two or more reaches: a sign that something is drawn upstream."""
    n = int(max(from_node.max(), to_node.max())) + 1
    leaving, entering = np.bincount(from_node, minlength=n), np.bincount(to_node, minlength=n)
    return np.flatnonzero(((leaving == 0) & (entering > 1)) | ((entering == 0) & (leaving > 1)))
