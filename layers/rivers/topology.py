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

TOUCHING_M = 0.3
"""A start so near to a line lies on it."""

NEAR_NODE = 4.0
"""An end may head for a node this many tolerances away rather than for a line beside it."""


AGAINST_DRAWING = 1.2
"""Metres that a metre against the drawing counts where the drawing is in doubt."""


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


def cut_at_junctions(lines: Objects, tolerance_m: float, *, starts_m: float, ends_m: float) -> Cuts:
    """Cut every line where the end of another touches its inside.

    An end cuts within ``ends_m``, a start within ``starts_m``: a tributary that ends near a river flows into it; a
    spring that begins near one need not leave it.  An end that has another line's end within the tolerance is joined
    there and cuts nothing.
    """
    n = len(lines)
    first, last = ends(lines)
    points = np.vstack([first, last])
    owner = np.r_[np.arange(n), np.arange(n)]
    free = np.flatnonzero(_lonely(points, owner, tolerance_m))
    tree = shapely.STRtree(lines)
    at = shapely.points(points[free])
    reach = np.where(free < n, starts_m, ends_m)
    which, target = tree.query(at, predicate="dwithin", distance=reach) if len(at) else (np.empty(0, int),) * 2
    point, mover = at[which], owner[free][which]
    along = shapely.line_locate_point(lines[target], point)
    length = shapely.length(lines[target])
    inside = (target != mover) & (along > tolerance_m) & (along < length - tolerance_m)
    which, point, mover = which[inside], point[inside], mover[inside]
    target, along, length = target[inside], along[inside], length[inside]
    inside = ~_heads_for_node(lines[mover], free[which] < n, point, lines[target], along, tolerance_m)
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


def _heads_for_node(
    own: Objects, at_start: NDArray[np.bool_], point: Objects, target: Objects, along: Float, snap_m: float
) -> NDArray[np.bool_]:
    """Which ends stop short of an end of the line beside them rather than of the line itself.

    Where two rivers meet at a sharp angle, an end that falls short of their node lies beside the other river: what
    tells it from a junction there is that it points to the node.
    """
    if not len(own):
        return np.zeros(0, bool)
    here = shapely.get_coordinates(point)
    reach = shapely.length(own)
    back_m = np.minimum(2 * snap_m, reach / 2)
    back = shapely.get_coordinates(shapely.line_interpolate_point(own, np.where(at_start, back_m, reach - back_m)))
    foot = shapely.get_coordinates(shapely.line_interpolate_point(target, along))
    first, last = ends(target)
    nearer = np.hypot(*(first - here).T) < np.hypot(*(last - here).T)
    node = np.where(nearer[:, None], first, last)
    off = np.hypot(*(foot - here).T)
    close = np.hypot(*(node - here).T) <= NEAR_NODE * snap_m
    return np.asarray(close & (off > 1.0) & (_cosine(here - back, node - here) > _cosine(here - back, foot - here)))


def _cosine(a: Float, b: Float) -> Float:
    return np.asarray((a * b).sum(axis=1) / np.maximum(np.hypot(*a.T) * np.hypot(*b.T), 1e-12))


def _lonely(points: Float, owner: Int, tolerance_m: float) -> NDArray[np.bool_]:
    """Points without a point of another owner within the tolerance."""
    pairs = cKDTree(points).query_pairs(tolerance_m, output_type="ndarray")
    pairs = pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]]
    lonely = np.ones(len(points), bool)
    lonely[pairs.ravel()] = False
    return lonely


def cluster(points: Float, tolerance_m: float, apart: Int | None = None) -> Int:
    """Node number of every point: points within the tolerance of one another are one node.

    ``apart`` gives every point its reach: the two ends of a reach shorter than the tolerance stay two nodes, nearer
    points are joined first.  Numbers follow first appearance, so that the same file always gives the same nodes.
    """
    pairs = cKDTree(points).query_pairs(tolerance_m, output_type="ndarray")
    label = _joined(pairs, len(points))
    if apart is not None:
        label = _kept_apart(points, pairs, label, apart)
    _, index, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(index), np.int64)
    rank[np.argsort(index)] = np.arange(len(index))
    return np.asarray(rank[inverse], np.int64)


def _joined(pairs: Int, n: int) -> Int:
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _kept_apart(points: Float, pairs: Int, label: Int, apart: Int) -> Int:
    """The labels where clusters that hold both ends of a reach are joined anew, pair by pair, without doing so."""
    both = np.unique(np.column_stack([label, apart]), axis=0, return_counts=True)
    crowded = np.isin(label, both[0][both[1] > 1][:, 0])
    if not crowded.any():
        return label
    label = label.copy()
    label[crowded] = label.max() + 1 + np.arange(int(crowded.sum()))
    members = {int(label[i]): {int(apart[i])} for i in np.flatnonzero(crowded)}
    of = {int(i): int(label[i]) for i in np.flatnonzero(crowded)}
    inside: dict[int, list[int]] = {name: [point] for point, name in of.items()}
    near = pairs[crowded[pairs[:, 0]]]
    gap = np.hypot(*(points[near[:, 0]] - points[near[:, 1]]).T)
    for a, b in near[np.argsort(gap, kind="stable")].tolist():
        one, other = of[a], of[b]
        if one == other or members[one] & members[other]:
            continue
        members[one] |= members.pop(other)
        moved = inside.pop(other)
        inside[one] += moved
        of.update(dict.fromkeys(moved, one))
    for point, name in of.items():
        label[point] = name
    return label


@dataclass(frozen=True)
class Orientation:
    """Which reaches must be turned, which of them only because they should run from far to near, and which no mouth is
    joined to."""

    turned: NDArray[np.bool_]
    by_distance: NDArray[np.bool_]
    aside: NDArray[np.bool_]


def orient(
    from_node: Int, to_node: Int, mouths: Int, length: Float, bridges: tuple[Int, Int] | None = None
) -> Orientation:
    """How reaches must be turned so that all water reaches a mouth.

    The drawing is believed in every part of the network where it brings all water to a mouth.  Elsewhere it has been
    shown unreliable, and each reach runs from the node farther from the mouths to the nearer, measured along the
    network; a metre against the drawing counts ``AGAINST_DRAWING`` metres, so that ties go to the drawing.
    ``bridges`` are gaps (from node, to node) that water is believed to cross before a drawing is doubted.
    """
    n = int(max(from_node.max(), to_node.max())) + 1
    metres = np.maximum(length, 1.0)
    ends, starts = np.r_[to_node, from_node], np.r_[from_node, to_node]  # searched from the mouth upwards
    needed = np.zeros(len(length), bool)  # to be turned even if as few as possible are
    over, to = bridges or (np.empty(0, np.int64), np.empty(0, np.int64))
    cost = np.r_[metres, metres * 1e6, np.ones(len(over))]
    _, way = _ways(n, np.r_[ends, to], np.r_[starts, over], cost, mouths)
    used = way[(way >= len(length)) & (way < 2 * len(length))]
    needed[used - len(length)] = True
    links = coo_array((np.ones(len(length), bool), (from_node, to_node)), shape=(n, n))
    ring = connected_components(links, connection="strong")[1]
    part = connected_components(links, directed=False)[1]
    doubted = np.zeros(n, bool)
    doubted[part[from_node[needed | (ring[from_node] == ring[to_node])]]] = True
    far, _ = _ways(n, ends, starts, np.r_[metres, metres * AGAINST_DRAWING], mouths)
    joined = np.isfinite(far[from_node])
    turned = joined & doubted[part[from_node]] & (far[from_node] < far[to_node])
    return Orientation(turned, turned & ~needed, ~joined)


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


def equal_lines(lines: Objects) -> Int:
    """For every line the first line that is the same drawing (in either direction), itself where there is none."""
    points = shapely.normalize(lines)
    seen: dict[bytes, int] = {}
    key: Callable[[Any], bytes] = shapely.to_wkb
    return np.array([seen.setdefault(bytes(wkb), i) for i, wkb in enumerate(key(points))], dtype=np.int64)
