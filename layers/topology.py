"""From drawn lines to a network: parts joined or exploded, ends snapped, junctions cut, everything listed.

Works in metres on a plane; the caller projects.  Nothing here looks at more than geometry and node names, and nothing
is repaired without an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Objects = NDArray[np.object_]

DANGLING_M = 1000.0
"""An end that nothing continues is listed when another reach lies within so many metres."""


TOUCHING_M = 1.0
"""A start so near to a line lies on it."""


@dataclass(frozen=True)
class Cuts:
    """Lines after cutting: for each new line its source row, and the part of that row's length it covers."""

    lines: Objects
    source: Int
    start: Float
    end: Float


def join_parts(lines: Objects, tolerance_m: float) -> tuple[Objects, Int, Int]:
    """Multipart lines joined head to tail where they can be, else exploded.

    Returns the single lines, the source row of each, and for every source row how many parts it was drawn in.  Parts
    are joined only end to start in drawn direction (a part never turns round), whatever their order in the file.
    """
    parts, source = shapely.get_parts(lines, return_index=True)
    counts = np.bincount(source, minlength=len(lines))
    if (counts <= 1).all():
        return parts, source, counts
    kept: list[Any] = []
    rows: list[int] = []
    first = np.searchsorted(source, np.arange(len(lines) + 1))
    for row in range(len(lines)):
        pieces = list(parts[first[row] : first[row + 1]])
        if len(pieces) > 1:
            pieces = _chain(pieces, tolerance_m)
        kept += pieces
        rows += [row] * len(pieces)
    return np.array(kept, dtype=object), np.array(rows, dtype=np.int64), counts


def _chain(pieces: list[Any], tolerance_m: float) -> list[Any]:
    """One line if the pieces form a single chain head to tail; otherwise the pieces as they are."""
    heads = np.array([shapely.get_coordinates(piece)[0] for piece in pieces])
    tails = np.array([shapely.get_coordinates(piece)[-1] for piece in pieces])
    follows = np.hypot(*(tails[:, None] - heads[None]).transpose(2, 0, 1)) <= tolerance_m
    np.fill_diagonal(follows, False)
    if (follows.sum(axis=0) > 1).any() or (follows.sum(axis=1) > 1).any():
        return pieces
    starts = np.flatnonzero(~follows.any(axis=0))
    if len(starts) != 1:
        return pieces
    order = [int(starts[0])]
    while follows[order[-1]].any():
        order.append(int(np.argmax(follows[order[-1]])))
    if len(order) != len(pieces):
        return pieces
    points = np.vstack([shapely.get_coordinates(pieces[i]) for i in order])
    keep = np.r_[True, np.any(np.diff(points, axis=0) != 0, axis=1)]
    return [shapely.linestrings(points[keep])]


def ends(lines: Objects) -> tuple[Float, Float]:
    """First and last point of every line, (n, 2) each."""
    first = shapely.get_coordinates(shapely.get_point(lines, 0))
    last = shapely.get_coordinates(shapely.get_point(lines, -1))
    return first, last


def cut_at_junctions(lines: Objects, tolerance_m: float, *, may_cut: NDArray[np.bool_]) -> Cuts:
    """Cut every line where the end of another touches its inside within the tolerance.

    A tributary that ends near a river flows into it; a spring that begins near one need not leave it, so a start cuts
    only where it lies on the line itself (within ``TOUCHING_M``).
    An end that has another line's end within the tolerance is joined there and cuts nothing.
    """
    n = len(lines)
    first, last = ends(lines)
    points = np.vstack([first, last])
    owner = np.r_[np.arange(n), np.arange(n)]
    free = _lonely(points, owner, tolerance_m)
    free_index = np.flatnonzero(free)
    tree = shapely.STRtree(lines)
    at = shapely.points(points[free])
    which, target = tree.query(at, predicate="dwithin", distance=tolerance_m) if len(at) else (np.empty(0, int),) * 2
    point, mover = at[which], owner[free][which]
    along = shapely.line_locate_point(lines[target], point)
    length = shapely.length(lines[target])
    touching = (free_index[which] >= n) | (shapely.distance(lines[target], point) <= TOUCHING_M)
    inside = touching & (target != mover) & (along > tolerance_m) & (along < length - tolerance_m) & may_cut[target]
    target, along, length = target[inside], along[inside], length[inside]
    order = np.lexsort((along, target))
    target, along, length = target[order], along[order], length[order]
    if len(target):
        fresh = np.r_[True, (np.diff(target) != 0) | (np.diff(along) > tolerance_m)]
        target, along, length = target[fresh], along[fresh], length[fresh]
    fraction = along / np.where(length > 0, length, 1)
    pieces = np.bincount(target, minlength=n) + 1
    source = np.repeat(np.arange(n), pieces)
    start, end = np.zeros(len(source)), np.ones(len(source))
    slot = target + np.arange(len(target))
    start[slot + 1], end[slot] = fraction, fraction
    cut = np.array(lines, dtype=object)[source]
    for i in np.flatnonzero(pieces[source] > 1):
        cut[i] = shapely.ops.substring(lines[source[i]], start[i], end[i], normalized=True)
    return Cuts(cut, source, start, end)


def _lonely(points: Float, owner: Int, tolerance_m: float) -> NDArray[np.bool_]:
    """Points without a point of another owner within the tolerance."""
    pairs = cKDTree(points).query_pairs(tolerance_m, output_type="ndarray")
    pairs = pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]]
    lonely = np.ones(len(points), bool)
    lonely[pairs.ravel()] = False
    return lonely


def cluster(points: Float, tolerance_m: float) -> Int:
    """Node number of every point: points within the tolerance of one another are one node.

    Numbers follow first appearance, so that the same file always gives the same nodes.
    """
    pairs = cKDTree(points).query_pairs(tolerance_m, output_type="ndarray")
    n = len(points)
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, label = connected_components(links, directed=False)
    _, index, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(index), np.int64)
    rank[np.argsort(index)] = np.arange(len(index))
    return np.asarray(rank[inverse], np.int64)


def orient(from_node: Int, to_node: Int, mouths: Int, length: Float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which reaches must be turned round so that all water reaches a mouth, and which no mouth is joined to.

    As few are turned as possible: the way of every node to the mouth costs nothing along the drawing and the length
    against it, and only what lies against it on these ways is turned.  Loops that remain are opened by turning their
    other reaches from far to near.
    """
    n = int(max(from_node.max(), to_node.max())) + 1
    against = np.maximum(length, 1.0) * 1e6  # a turn outweighs any detour
    ends, starts = np.r_[to_node, from_node], np.r_[from_node, to_node]  # searched from the mouth upwards
    cost, edge = np.r_[np.maximum(length, 1.0), against], np.tile(np.arange(len(length)), 2)
    against_drawing = np.r_[np.zeros(len(length), bool), np.ones(len(length), bool)]
    far, way = _ways(n, ends, starts, cost, mouths)
    turned = np.zeros(len(length), bool)
    used = way[way >= 0]
    turned[edge[used[against_drawing[used]]]] = True
    start, end = np.where(turned, to_node, from_node), np.where(turned, from_node, to_node)
    links = coo_array((np.ones(len(length), bool), (start, end)), shape=(n, n))
    _, ring = connected_components(links, directed=True, connection="strong")
    looping = (ring[start] == ring[end]) & (far[start] < far[end])
    turned ^= looping
    return turned, np.asarray(~np.isfinite(far[from_node]))


def _ways(n: int, ends: Int, starts: Int, cost: Float, mouths: Int) -> tuple[Float, Int]:
    """Cost from every node down to the nearest mouth, and the edge it leaves by (-1 at a mouth or beyond reach)."""
    import heapq

    order = np.argsort(ends, kind="stable")
    first = np.searchsorted(ends[order], np.arange(n + 1)).tolist()
    by_end, upper, weight = order.tolist(), starts.tolist(), cost.tolist()
    far, way = [np.inf] * n, [-1] * n
    queue = [(0.0, int(mouth)) for mouth in mouths]
    for _, mouth in queue:
        far[mouth] = 0.0
    heapq.heapify(queue)
    while queue:
        so_far, node = heapq.heappop(queue)
        if so_far > far[node]:
            continue
        for i in range(first[node], first[node + 1]):
            each = by_end[i]
            further = so_far + weight[each]
            if further < far[upper[each]]:
                far[upper[each]], way[upper[each]] = further, each
                heapq.heappush(queue, (further, upper[each]))
    return np.array(far), np.array(way, np.int64)


def turns(from_node: Int, to_node: Int, length: Float, mouth: int) -> Int:
    """For every node, how many reaches must be turned for it to be the mouth: exact on a tree, near it elsewhere.

    On the ways of all nodes to one mouth only the way between the two changes sides when another node takes its place,
    so that one search answers for every node; -1 where no way leads.
    """
    m = len(length)
    n = int(max(from_node.max(), to_node.max())) + 1
    ends, starts = np.r_[to_node, from_node], np.r_[from_node, to_node]
    cost = np.r_[np.maximum(length, 1.0), np.maximum(length, 1.0) * 1e6]
    far, way = _ways(n, ends, starts, cost, np.array([mouth]))
    against = way >= m
    count = np.where(np.isfinite(far), int(against.sum()), -1)
    order = np.argsort(far, kind="stable")
    for node in order[np.isfinite(far[order])].tolist():
        if way[node] >= 0:
            count[node] = count[ends[way[node]]] + (-1 if against[node] else 1)
    return np.asarray(count, np.int64)


def odd_nodes(from_node: Int, to_node: Int) -> Int:
    """Nodes that water only enters, or only leaves, by two or more reaches: a sign that something is drawn upstream."""
    n = int(max(from_node.max(), to_node.max())) + 1
    leaving, entering = np.bincount(from_node, minlength=n), np.bincount(to_node, minlength=n)
    return np.flatnonzero(((leaving == 0) & (entering > 1)) | ((entering == 0) & (leaving > 1)))


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


def dangling(lines: Objects, from_node: Int, to_node: Int, tolerance_m: float) -> list[tuple[int, float]]:
    """Reaches that end in nothing although another reach lies near, with the gap in metres.

    An end counts where nothing leaves its node; a start counts where it faces such an end.
    """
    n = int(max(from_node.max(), to_node.max())) + 1
    leaving, entering = np.bincount(from_node, minlength=n), np.bincount(to_node, minlength=n)
    sinks, springs = np.flatnonzero(leaving[to_node] == 0), np.flatnonzero(entering[from_node] == 0)
    first, last = ends(lines)
    tree = shapely.STRtree(lines)
    gaps: dict[int, float] = {}
    at, other = tree.query(shapely.points(last[sinks]), predicate="dwithin", distance=DANGLING_M)
    reach = sinks[at]
    apart = (
        (to_node[other] != to_node[reach])
        & (from_node[other] != from_node[reach])
        & (to_node[other] != from_node[reach])
    )
    apart &= from_node[other] != to_node[reach]
    gap = shapely.distance(shapely.points(last[reach[apart]]), lines[other[apart]])
    for one, width in zip(reach[apart].tolist(), gap.tolist(), strict=True):
        gaps[one] = min(width, gaps.get(one, np.inf))
    if gaps and len(springs):
        ended = np.array(sorted(gaps))
        found: Any = cKDTree(last[ended]).query(first[springs], distance_upper_bound=DANGLING_M)
        width, nearest = found
        for one, metres, i in zip(springs.tolist(), width.tolist(), nearest.tolist(), strict=True):
            if np.isfinite(metres) and ended[i] != one and abs(metres - gaps[int(ended[i])]) <= tolerance_m:
                gaps.setdefault(one, metres)
    return sorted((one, width) for one, width in gaps.items() if width > 0)


def components(from_node: Int, to_node: Int) -> int:
    """Number of parts that no reach connects."""
    nodes, codes = np.unique(np.r_[from_node, to_node], return_inverse=True)
    m = len(from_node)
    links = coo_array((np.ones(m, bool), (codes[:m], codes[m:])), shape=(len(nodes), len(nodes)))
    return int(connected_components(links, directed=False)[0])


def equal_lines(lines: Objects) -> Int:
    """For every line the first line that is the same drawing (in either direction), itself where there is none."""
    points = shapely.normalize(lines)
    seen: dict[bytes, int] = {}
    key: Callable[[Any], bytes] = shapely.to_wkb
    return np.array([seen.setdefault(bytes(wkb), i) for i, wkb in enumerate(key(points))], dtype=np.int64)
