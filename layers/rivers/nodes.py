"""Nodes of drawn reaches: what is given decides, ends that meet are one node, every end that moved is listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import cKDTree

from hydro.columns import text
from layers.places import crs as systems
from layers.places.crs import STORED
from layers.report import Report
from layers.rivers import topology
from layers.rivers.drawing import is_drawn, is_given, lines_of, mend

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Objects = NDArray[np.object_]

STRAY_M = 200.0
"""A given node whose reaches end farther apart than this is told."""


def trust_nodes(rows: pd.DataFrame, snap_m: float, report: Report) -> pd.DataFrame:
    """Another program's node columns are kept only if ends of one node meet in the drawing, for every node."""
    where = np.flatnonzero(is_drawn(rows) & is_given(rows))
    agrees = len(where) == len(rows)
    if agrees:
        first, last = topology.ends(lines_of(rows)[where])
        names = np.concatenate([rows["from_node"].to_numpy(object)[where], rows["to_node"].to_numpy(object)[where]])
        agrees = bool((_scatter(names, np.vstack([first, last])) <= 2 * snap_m).all())
        codes = pd.factorize(names)[0]
        place = topology.cluster(np.vstack([first, last]), snap_m)
        agrees &= len(np.unique(codes)) == len(np.unique(place))
    if not agrees:
        message = "起止节点列与图形不一致，未采用，改由图形推出节点"
        report.warn("foreign_nodes", message, table="reaches", column="from_node")
        rows = rows.assign(from_node="", to_node="")
    return rows


def _scatter(names: NDArray[np.object_], points: Float) -> Float:
    """How far the ends of every node lie from the node's middle, at most; one value a node."""
    codes, _ = pd.factorize(names)
    frame = pd.DataFrame({"code": codes, "x": points[:, 0], "y": points[:, 1]})
    middle = frame.groupby("code")[["x", "y"]].transform("median")
    frame["off"] = np.hypot(frame["x"] - middle["x"], frame["y"] - middle["y"])
    return frame.groupby("code")["off"].max().to_numpy(np.float64)


def name_nodes(
    rows: pd.DataFrame, known: pd.DataFrame | None, plane: CRS, snap_m: float, report: Report
) -> pd.DataFrame:
    """Node names for ends that have none: a named end within the tolerance gives its name, else a new one."""
    rows = rows.copy()
    drawn = is_drawn(rows)
    names = np.concatenate([rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)])
    n = len(rows)
    points = np.full((2 * n, 2), np.nan)
    where = np.flatnonzero(drawn)
    points[where], points[where + n] = topology.ends(lines_of(rows)[where])
    anchor_names, anchor_points = _anchors(known, set(rows["reach_id"]), plane)
    named = (names != "") & np.isfinite(points[:, 0])
    anchor_names = np.concatenate([anchor_names, names[named]])
    anchor_points = np.vstack([anchor_points, points[named]])
    open_ends = np.flatnonzero(names == "")
    if len(anchor_names) and len(open_ends):
        found: Any = cKDTree(anchor_points).query(points[open_ends], distance_upper_bound=snap_m)
        gap, nearest = found
        near = np.isfinite(gap)
        names[open_ends[near]] = anchor_names[nearest[near]]
        _snapped(report, rows, open_ends[near] % n, gap[near])
        open_ends = open_ends[~near]
    if len(open_ends):
        node = topology.cluster(points[open_ends], snap_m, open_ends % n)
        first = np.unique(node, return_index=True)[1]
        taken = set(names) | set(anchor_names)
        width = max(4, len(str(len(first))))
        fresh = _fresh(len(first), taken, width)
        names[open_ends] = fresh[node]
        home = points[open_ends][first][node]
        gap = np.hypot(*(points[open_ends] - home).T)
        moved = gap > 0.01
        _snapped(report, rows, open_ends[moved] % n, gap[moved])
        rows["__line"] = _moved(lines_of(rows), open_ends[moved], home[moved])
    rows["from_node"], rows["to_node"] = names[:n], names[n:]
    _report_strays(rows, points, report)
    return rows


def _fresh(count: int, taken: set[str], width: int) -> NDArray[np.object_]:
    names: list[str] = []
    i = 0
    while len(names) < count:
        i += 1
        name = f"N{i:0{width}d}"
        if name not in taken:
            names.append(name)
    return np.array(names, dtype=object)


def _snapped(report: Report, rows: pd.DataFrame, which: NDArray[np.int64], gaps: Float) -> None:
    for i, gap in zip(which, gaps, strict=True):
        if gap > 0.01:
            mend(report, rows, int(i), "端点移动 {gap:.2f} m，接到相邻河段", gap=float(gap))


def _moved(lines: Objects, which: NDArray[np.int64], to: Float) -> list[Any]:
    """Lines with some of their ends at new places; ``which`` counts starts first, then ends."""
    moved = list(lines)
    n = len(lines)
    for end, place in zip(which.tolist(), to, strict=True):
        line = end % n
        xy = shapely.get_coordinates(moved[line])
        xy[0 if end < n else -1] = place
        moved[line] = shapely.linestrings(xy)
    return moved


def _anchors(known: pd.DataFrame | None, incoming: set[str], plane: CRS) -> tuple[NDArray[np.object_], Float]:
    """Ends of the project's reaches that are not imported anew."""
    nothing: tuple[NDArray[np.object_], Float] = (np.empty(0, dtype=object), np.empty((0, 2)))
    if known is None or not len(known) or "geometry" not in known:
        return nothing
    stays = known[~text(known, "reach_id").isin(incoming)]
    shapes = np.asarray(stays["geometry"], dtype=object)
    here = ~shapely.is_missing(shapes)
    if not here.any():
        return nothing
    first, last = topology.ends(systems.project(shapes[here], STORED, plane))
    names = np.concatenate([text(stays, end).to_numpy(object)[here] for end in ("from_node", "to_node")])
    return names, np.vstack([first, last])


def _report_strays(rows: pd.DataFrame, points: Float, report: Report) -> None:
    names = np.concatenate([rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)])
    here = np.isfinite(points[:, 0])
    if not here.any():
        return
    distinct = pd.unique(names[here])
    off = _scatter(names[here], points[here])
    far = np.flatnonzero(off > STRAY_M)
    if len(far):
        message = "{count} 个给定节点处，各河段的端点在图上相距 {most:.0f} m 之多（如 {nodes}）。以给定节点为准"
        report.warn(
            "nodes_apart",
            message,
            table="reaches",
            column="from_node",
            count=len(far),
            most=float(off.max()),
            nodes="、".join(map(str, distinct[far][:5])),
        )


def turn_drawings(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """A line drawn against its given nodes is turned; the nodes decide."""
    where = np.flatnonzero(is_drawn(rows))
    if not len(where):
        return rows
    lines = lines_of(rows)
    first, last = topology.ends(lines[where])
    names = np.concatenate([rows["from_node"].to_numpy(object)[where], rows["to_node"].to_numpy(object)[where]])
    codes, _ = pd.factorize(names)
    ends = pd.DataFrame(np.vstack([first, last]))
    place = ends.groupby(codes).transform("median").to_numpy(np.float64)
    m = len(where)
    as_drawn = np.hypot(*(first - place[:m]).T) + np.hypot(*(last - place[m:]).T)
    turned = np.hypot(*(first - place[m:]).T) + np.hypot(*(last - place[:m]).T)
    back = where[turned < 0.5 * as_drawn]
    if len(back):
        lines = lines.copy()
        lines[back] = shapely.reverse(lines[back])
        for i in back:
            mend(report, rows, int(i), "线画反了（与起点节点、终点节点不符），已按节点掉转图形")
        rows = rows.assign(__line=pd.Series(list(lines), index=rows.index, dtype=object))
    return rows
