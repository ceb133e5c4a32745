"""Which way the water runs: to the mouths that the user names; asked for where the drawing cannot be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import cKDTree

from layers import crs as systems
from layers import topology
from layers.crs import STORED
from layers.drawing import is_drawn, lines_of, mend
from layers.place import Located
from layers.report import Proposal, Report

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Objects = NDArray[np.object_]

MOUTH_WITHIN_M = 2000.0
MOUTHS_WEIGHED = 10
"""So many likely mouths are weighed exactly before the best are proposed."""


def orient(
    rows: pd.DataFrame, located: Sequence[Located], plane: CRS, mouths: Sequence[str], report: Report
) -> pd.DataFrame:
    """Turn reaches so that water runs to the mouths the user names; ask for them where the drawing cannot be right."""
    if not len(rows):
        return rows
    codes, nodes = pd.factorize(np.concatenate([rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)]))
    n = len(rows)
    from_node, to_node = codes[:n].astype(np.int64), codes[n:].astype(np.int64)
    lines = lines_of(rows)
    length = np.nan_to_num(shapely.length(lines), nan=1.0)
    if mouths:
        at = _mouth_nodes(mouths, nodes, from_node, to_node, lines, located, plane, report)
        if not len(at):
            return rows
        turn, aside = topology.orient(from_node, to_node, at, length)
        if aside.any():
            message = "{count} 条河段与所给出口不相连，方向保持原样"
            report.warn("not_reached", message, table="reaches", count=int(aside.sum()))
        where = np.flatnonzero(turn)
        for i in where:
            mend(report, rows, int(i), "由出口推得方向相反，已掉转")
        if len(where):
            lines = lines.copy()
            lines[where] = shapely.reverse(lines[where])
            start, end = rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)
            rows = rows.assign(
                __line=pd.Series(list(lines), index=rows.index, dtype=object),
                from_node=np.where(turn, end, start),
                to_node=np.where(turn, start, end),
            )
        return rows
    if is_drawn(rows).all() and not rows["__given"].any():
        _ask_mouth(rows, from_node, to_node, nodes, length, located, plane, report)
    return rows


def _mouth_nodes(
    mouths: Sequence[str],
    nodes: Any,
    from_node: NDArray[np.int64],
    to_node: NDArray[np.int64],
    lines: Objects,
    located: Sequence[Located],
    plane: CRS,
    report: Report,
) -> NDArray[np.int64]:
    """Nodes that the user calls mouths, by name or by coordinates of the source."""
    found: list[int] = []
    names = {str(name): i for i, name in enumerate(nodes)}
    drawn = np.flatnonzero(~shapely.is_missing(lines))
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
        first, last = topology.ends(lines[drawn])
        xy = np.array([[x, y]])
        lonlat = located[0].to_stored(xy) if located else xy
        here = np.column_stack(systems.transformer(STORED, plane).transform(lonlat[:, 0], lonlat[:, 1]))
        nowhere = np.array([np.inf]), np.array([0])
        hit: Any = cKDTree(np.vstack([first, last])).query(here) if np.isfinite(here).all() else nowhere
        gap, nearest = hit
        if gap[0] > MOUTH_WITHIN_M:
            message = "--mouth {said} 附近 {limit:g} m 内没有河段端点。请用源文件自己的坐标"
            report.refuse("reaches", None, said, message, said=said, limit=MOUTH_WITHIN_M)
            continue
        end = int(nearest[0])
        found.append(int((from_node[drawn] if end < len(drawn) else to_node[drawn])[end % len(drawn)]))
    return np.array(found, np.int64)


def _ask_mouth(
    rows: pd.DataFrame,
    from_node: NDArray[np.int64],
    to_node: NDArray[np.int64],
    nodes: Any,
    length: Float,
    located: Sequence[Located],
    plane: CRS,
    report: Report,
) -> None:
    """Ask where the water leaves if some nodes only receive or only give although their part has other mouths."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(nodes)
    links = coo_array((np.ones(len(rows), bool), (from_node, to_node)), shape=(n, n))
    _, part = connected_components(links, directed=False)
    leaving, entering = np.bincount(from_node, minlength=n), np.bincount(to_node, minlength=n)
    sinks = np.bincount(part[leaving == 0], minlength=part.max() + 1)
    gapped = {i for i, _ in topology.dangling(lines_of(rows), from_node, to_node, 1.0)}
    near_gap = np.zeros(n, bool)
    if gapped:
        ends = np.array(sorted(gapped))
        near_gap[to_node[ends]] = near_gap[from_node[ends]] = True
    odd = [node for node in topology.odd_nodes(from_node, to_node) if sinks[part[node]] > 1 and not near_gap[node]]
    if not odd:
        return
    doubtful = part[odd[0]]
    tips = np.flatnonzero((leaving + entering == 1) & (part == doubtful))
    guessed = topology.turns(from_node, to_node, length, int(tips[0]))[tips] if len(tips) else tips
    counted = []
    for tip in tips[np.argsort(guessed, kind="stable")][:MOUTHS_WEIGHED].tolist():
        turn, _ = topology.orient(from_node, to_node, np.array([tip]), length)
        counted.append((int(turn.sum()), tip))
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
