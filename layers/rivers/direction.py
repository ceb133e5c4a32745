"""Which way the water runs: to the mouths that the user names; asked for where the drawing cannot be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from layers.places import crs as systems
from layers.places.crs import STORED
from layers.places.place import Located
from layers.report import Proposal, Report
from layers.rivers import gaps, topology
from layers.rivers.drawing import is_drawn, is_given, lines_of, mend
from layers.rivers.junctions import cut
from layers.rivers.nodes import name_nodes, turn_drawings

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Objects = NDArray[np.object_]

MOUTH_WITHIN_M = 2000.0
MOUTHS_WEIGHED = 10
"""So many likely mouths are weighed exactly before the best are proposed."""


def face_mouths(
    rows: pd.DataFrame,
    known: pd.DataFrame | None,
    located: Sequence[Located],
    plane: CRS,
    snap_m: float,
    mouths: Sequence[str],
    report: Report,
) -> pd.DataFrame:
    """Turn whole reaches towards the mouths before any is cut, for only a reach that ends on another joins it.

    The network is rehearsed twice, starts and ends alike: first with what touches, then, for reaches that no mouth is
    joined to yet, with what lies within the tolerance.
    """
    if not len(rows) or not (is_drawn(rows) & ~is_given(rows)).any():
        return rows
    rows = rows.assign(__source=np.arange(len(rows)))
    length = np.nan_to_num(shapely.length(lines_of(rows)), nan=1.0)
    turn, open_ = np.zeros(len(rows), bool), np.ones(len(rows), bool)
    for reach_m in (min(topology.TOUCHING_M, snap_m), snap_m):
        if not open_.any():
            break
        aside = Report()
        trial = cut(rows, snap_m, {}, aside, starts_m=reach_m, ends_m=reach_m)
        trial = turn_drawings(name_nodes(trial, known, plane, snap_m, aside), aside)
        net = _Net.of(trial)
        at = _mouth_nodes(mouths, net, located, plane, Report())
        if not len(at):
            break
        at = np.r_[at, [node for node, _ in _gap_mouths(net, at)]].astype(np.int64)
        found = topology.orient(net.from_node, net.to_node, at, net.length, net.bridges())
        source = trial["__source"].to_numpy(np.int64)
        against = np.bincount(source[found.turned], weights=net.length[found.turned], minlength=len(rows))
        lost = np.bincount(source[found.aside], weights=net.length[found.aside], minlength=len(rows))
        settled = open_ & (lost < 0.5 * length)
        turn |= settled & (against > 0.5 * length)
        open_ &= ~settled
    turn &= is_drawn(rows) & ~is_given(rows)
    return turned(rows.drop(columns="__source"), turn, TURNED, report)


TURNED = "由出口推得方向相反，已掉转"
TURNED_BY_DISTANCE = "两个方向都能到出口，而此处河网的画向不可靠：按由远到近已掉转，请核对"


def turned(rows: pd.DataFrame, turn: Bool, message: str, report: Report) -> pd.DataFrame:
    """Rows with some reaches drawn the other way, their nodes exchanged; each is listed."""
    where = np.flatnonzero(turn)
    if not len(where):
        return rows
    for i in where.tolist():
        mend(report, rows, i, message)
    lines = lines_of(rows).copy()
    lines[where] = shapely.reverse(lines[where])
    start, end = rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)
    return rows.assign(
        __line=pd.Series(list(lines), index=rows.index, dtype=object),
        from_node=np.where(turn, end, start),
        to_node=np.where(turn, start, end),
    )


@dataclass(frozen=True)
class _Net:
    """Reaches as an array each of node numbers, lines and lengths."""

    nodes: Any
    from_node: NDArray[np.int64]
    to_node: NDArray[np.int64]
    lines: Objects
    length: Float

    @classmethod
    def of(cls, rows: pd.DataFrame) -> _Net:
        names = np.concatenate([rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)])
        codes, nodes = pd.factorize(names)
        n, lines = len(rows), lines_of(rows)
        length = np.nan_to_num(shapely.length(lines), nan=1.0)
        return cls(nodes, codes[:n].astype(np.int64), codes[n:].astype(np.int64), lines, length)

    def bridges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Node of every open end as drawn, and the nearest node of the reach that it stops short of."""
        drawn = np.flatnonzero(~shapely.is_missing(self.lines))
        if not len(drawn):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        start, end = self.from_node[drawn], self.to_node[drawn]
        found = gaps.open_ends(self.lines[drawn], start, end)
        first, last = topology.ends(self.lines[drawn])
        over = np.array([end[i] for i, _, _ in found], np.int64)
        upper = [np.hypot(*(last[i] - first[j])) < np.hypot(*(last[i] - last[j])) for i, _, j in found]
        to = [start[j] if up else end[j] for (_, _, j), up in zip(found, upper, strict=True)]
        return over, np.array(to, np.int64)


def _gap_mouths(net: _Net, mouths: NDArray[np.int64]) -> list[tuple[int, float]]:
    """Of every part that no mouth is joined to and whose drawing has not one mouth: the node nearest to the others.

    With the gap in metres; a part farther than ``DANGLING_M`` from all others is left as it is drawn.
    """
    part = gaps.parts(net.from_node, net.to_node)
    joined = np.isin(part[net.from_node], part[mouths])
    drawn = ~shapely.is_missing(net.lines)
    leaving = np.bincount(net.from_node, minlength=len(net.nodes))
    found = []
    for each in np.unique(part[net.from_node[~joined]]).tolist():
        own = (part[net.from_node] == each) & drawn
        sinks = np.unique(net.to_node[own][leaving[net.to_node[own]] == 0])
        if len(sinks) == 1 or not own.any() or not (drawn & ~own).any():
            continue
        first, last = topology.ends(net.lines[own])
        points, node = shapely.points(np.vstack([first, last])), np.r_[net.from_node[own], net.to_node[own]]
        tree = shapely.STRtree(net.lines[drawn & ~own])
        where, metres = tree.query_nearest(points, return_distance=True, all_matches=False)
        nearest = int(np.argmin(metres))
        if metres[nearest] <= gaps.DANGLING_M:
            found.append((int(node[where[0][nearest]]), float(metres[nearest])))
    return found


def orient(
    rows: pd.DataFrame, located: Sequence[Located], plane: CRS, mouths: Sequence[str], report: Report
) -> pd.DataFrame:
    """Turn reaches so that water runs to the mouths the user names; ask for them where the drawing cannot be right."""
    if not len(rows):
        return rows
    net = _Net.of(rows)
    if mouths:
        at = _mouth_nodes(mouths, net, located, plane, report)
        if not len(at):
            return rows
        across = _gap_mouths(net, at)
        for node, gap in across:
            message = "节点 {node} 一带的河段与所给出口不相连，画向又不一致：以离河网最近的断头（相距 {gap:.0f} m）为其出口定向，请核对"
            report.warn(
                "oriented_by_gap",
                message,
                table="reaches",
                row=str(net.nodes[node]),
                node=str(net.nodes[node]),
                gap=gap,
            )
        at = np.r_[at, [node for node, _ in across]].astype(np.int64)
        found = topology.orient(net.from_node, net.to_node, at, net.length, net.bridges())
        if found.aside.any():
            message = "{count} 条河段与所给出口不相连，方向保持原样"
            report.warn("not_reached", message, table="reaches", count=int(found.aside.sum()))
        rows = turned(rows, found.turned & ~found.by_distance, TURNED, report)
        return turned(rows, found.turned & found.by_distance, TURNED_BY_DISTANCE, report)
    if is_drawn(rows).all() and not rows["__given"].any():
        _ask_mouth(rows, net, located, plane, report)
    return rows


def _mouth_nodes(
    mouths: Sequence[str], net: _Net, located: Sequence[Located], plane: CRS, report: Report
) -> NDArray[np.int64]:
    """Nodes that the user calls mouths, by name or by coordinates of the source."""
    found: list[int] = []
    names = {str(name): i for i, name in enumerate(net.nodes)}
    drawn = np.flatnonzero(~shapely.is_missing(net.lines))
    first, last = topology.ends(net.lines[drawn])
    tips = np.vstack([first, last])
    node = np.r_[net.from_node[drawn], net.to_node[drawn]]
    for said in mouths:
        parts = said.replace("，", ",").split(",")
        if said in names:
            found.append(names[said])
            continue
        try:
            x, y = (float(part) for part in parts)
        except ValueError:
            message = "--mouth {said} 既不是节点编号，也不是 x,y 坐标"
            report.refuse("reaches", None, said, message, said=said)
            continue
        gap, nearest = np.inf, 0
        for source in located:
            lonlat = source.to_stored(np.array([[x, y]]))
            here = np.column_stack(systems.transformer(STORED, plane).transform(lonlat[:, 0], lonlat[:, 1]))
            if len(tips) and np.isfinite(here).all():
                off = np.hypot(*(tips - here).T)
                if off.min() < gap:
                    gap, nearest = float(off.min()), int(off.argmin())
        if gap > MOUTH_WITHIN_M:
            message = "--mouth {said} 附近 {limit:g} m 内没有河段端点。请用源文件自己的坐标"
            report.refuse("reaches", None, said, message, said=said, limit=MOUTH_WITHIN_M)
            continue
        found.append(int(node[nearest]))
    return np.array(found, np.int64)


def _ask_mouth(rows: pd.DataFrame, net: _Net, located: Sequence[Located], plane: CRS, report: Report) -> None:
    """Ask where the water leaves if some nodes only receive or only give although their part has other mouths."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from_node, to_node, nodes = net.from_node, net.to_node, net.nodes
    n = len(nodes)
    links = coo_array((np.ones(len(rows), bool), (from_node, to_node)), shape=(n, n))
    _, part = connected_components(links, directed=False)
    leaving, entering = np.bincount(from_node, minlength=n), np.bincount(to_node, minlength=n)
    gapped = {i for i, _ in gaps.dangling(lines_of(rows), from_node, to_node, 1.0)}
    near_gap = np.zeros(n, bool)
    if gapped:
        ends = np.array(sorted(gapped))
        near_gap[to_node[ends]] = near_gap[from_node[ends]] = True
    sinks = np.bincount(part[(leaving == 0) & ~near_gap], minlength=part.max() + 1)
    odd = [node for node in gaps.odd_nodes(from_node, to_node) if sinks[part[node]] > 1 and not near_gap[node]]
    if not odd:
        return
    doubtful = part[odd[0]]
    tips = np.flatnonzero((leaving + entering == 1) & (part == doubtful))
    guessed = topology.turns(from_node, to_node, net.length, int(tips[0]))[tips] if len(tips) else tips
    counted = []
    for tip in tips[np.argsort(guessed, kind="stable")][:MOUTHS_WEIGHED].tolist():
        turned = topology.orient(from_node, to_node, np.array([tip]), net.length).turned
        counted.append((int(turned.sum()), tip))
    counted.sort()
    offered = []
    first, last = topology.ends(lines_of(rows))
    for turns, tip in counted[:5]:
        starts = np.flatnonzero(from_node == tip)
        here = first[starts[0]] if len(starts) else last[np.flatnonzero(to_node == tip)[0]]
        lonlat = np.column_stack(systems.transformer(plane, STORED).transform(here[:1], here[1:]))
        xy = located[0].to_source(lonlat)[0] if located else lonlat[0]
        digits = 6 if np.abs(xy).max() <= 360 else 1
        evidence = "以此为出口需掉转 {turns} 条河段"
        offered.append(Proposal(f"--mouth {xy[0]:.{digits}f},{xy[1]:.{digits}f}", evidence, {"turns": turns}))
    message = "{count} 个节点只进不出或只出不进（如 {nodes}），有河段画反了。流域出口在哪里？"
    file = located[0].part.layer.label if located else ""
    report.ask(file, message, offered, count=len(odd), nodes="、".join(str(nodes[node]) for node in odd[:5]))
