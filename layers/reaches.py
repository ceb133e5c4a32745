"""Drawn reaches to a network of named nodes: every repair listed, every loop named, what is given decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import cKDTree

from hydro.checks import find_loops
from hydro.columns import number, text
from layers import crs as systems
from layers import topology
from layers.crs import STORED
from layers.place import Located
from layers.report import NetworkFigures, Proposal, Report

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Objects = NDArray[np.object_]

LENGTH_DOUBT = 0.2
"""A given length that differs more than this from the drawing is a warning."""

MOUTH_WITHIN_M = 2000.0
STRAY_M = 200.0
"""A given node whose reaches end farther apart than this is told."""


@dataclass
class Built:
    """The reaches of an import on a plane: the table, its lines in metres, the plane, and what cut reaches became."""

    table: pd.DataFrame
    lines: Objects
    plane: CRS
    pieces: dict[str, list[tuple[str, float, float]]] = field(default_factory=dict)
    """Id in the source -> (id, start, end) of its pieces, in metres along it, where it was cut."""


def build(
    rows: pd.DataFrame,
    located: Sequence[Located],
    known: pd.DataFrame | None,
    *,
    snap_m: float,
    mouths: Sequence[str],
    foreign_nodes: bool,
    report: Report,
) -> Built:
    """Join, cut, snap and orient the reaches of an import; ``rows`` hold ``geometry`` in CGCS2000 where drawn.

    ``known`` are the reaches of the project that stay as they are; their nodes are joined to.  ``foreign_nodes`` tells
    that the node columns are another program's: they are used only if they agree with the drawing.
    """
    rows = rows.copy()
    for column in ("from_node", "to_node"):
        rows[column] = text(rows, column).to_numpy(object)
    if "geometry" not in rows:
        rows["geometry"] = None
    shapes = np.asarray(rows["geometry"], dtype=object)
    drawn = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    lonlat = shapely.get_coordinates(shapes[drawn])
    if not len(lonlat) and known is not None and "geometry" in known:
        lonlat = shapely.get_coordinates(np.asarray(known["geometry"], dtype=object))
    plane = systems.plane_around(lonlat)
    rows["__line"] = pd.Series(list(systems.project(shapes, STORED, plane)), index=rows.index, dtype=object)
    given = (rows["from_node"] != "") & (rows["to_node"] != "")
    unplaced = ~drawn & ~given.to_numpy(bool)
    for i in np.flatnonzero(unplaced).tolist():
        _refuse(report, rows, i, "既没有图形也没有端点节点，无法接入河网。请补上图形，或 from_node 与 to_node")
    rows = rows[~unplaced]
    rows = _single_lines(rows, snap_m, report)
    rows = _without_copies(rows, report)
    if foreign_nodes:
        rows = _trust_nodes(rows, snap_m, report)
    pieces: dict[str, list[tuple[str, float, float]]] = {}
    rows = _cut(rows, snap_m, pieces, report)
    rows = _name_nodes(rows, known, plane, snap_m, report)
    rows = _turn_drawings(rows, report)
    rows = _orient(rows, located, plane, mouths, report)
    rows = _lengths(rows, plane, report)
    lines = np.asarray(rows.pop("__line"), dtype=object) if len(rows) else np.empty(0, dtype=object)
    rows = rows.drop(columns="__line", errors="ignore")
    return Built(rows, lines, plane, pieces)


def _refuse(report: Report, rows: pd.DataFrame, i: int, message: str, **params: Any) -> None:
    report.refuse("reaches", int(rows["__row"].iloc[i]), str(rows["reach_id"].iloc[i]), message, **params)


def _mend(report: Report, rows: pd.DataFrame, i: int, message: str, **params: Any) -> None:
    report.mend("reaches", int(rows["__row"].iloc[i]), str(rows["reach_id"].iloc[i]), message, **params)


def _lines(rows: pd.DataFrame) -> Objects:
    return np.asarray(rows["__line"], dtype=object)


def _drawn(rows: pd.DataFrame) -> Bool:
    return np.asarray(~shapely.is_missing(_lines(rows)))


def _given(rows: pd.DataFrame) -> Bool:
    return np.asarray((rows["from_node"] != "") & (rows["to_node"] != ""), dtype=bool)


def _single_lines(rows: pd.DataFrame, snap_m: float, report: Report) -> pd.DataFrame:
    """One line a row: rings set aside, lines without length refused, multiparts joined head to tail or exploded."""
    lines, drawn = _lines(rows), _drawn(rows)
    keep = np.ones(len(rows), bool)
    odd = drawn & (shapely.get_dimensions(lines) != 1)
    for i in np.flatnonzero(odd).tolist():
        _refuse(report, rows, i, "不是线。河段应是沿水流方向画的线")
    short = drawn & ~odd & ~(shapely.length(lines) > 1e-3)
    for i in np.flatnonzero(short).tolist():
        _refuse(report, rows, i, "线长为零。请重新画出，或删去该行")
    single = shapely.get_num_geometries(lines) == 1
    first = np.where(single, shapely.get_geometry(lines, 0), None)
    rings = drawn & ~odd & ~short & single & shapely.is_closed(first) & ~_given(rows)
    for i in np.flatnonzero(rings).tolist():
        _mend(report, rows, i, "是闭合的环（像岸线或面的边界），不是河道中心线，已放在一边，未导入")
    keep &= ~(odd | short | rings)
    rows = rows[keep]
    lines, drawn = _lines(rows), _drawn(rows)
    where = np.flatnonzero(drawn)
    single_lines, source, counts = topology.join_parts(lines[where], snap_m)
    single_lines = np.asarray(shapely.remove_repeated_points(single_lines), dtype=object)
    long = shapely.length(single_lines) > 1e-3
    single_lines, source = single_lines[long], source[long]
    made = np.bincount(source, minlength=len(where))
    for i in np.flatnonzero((counts > 1) & (made == 1)).tolist():
        _mend(report, rows, where[i], "由 {count} 段首尾相接合并为一条线", count=int(counts[i]))
    for i in np.flatnonzero(made > 1).tolist():
        _mend(report, rows, where[i], "由不相接的 {count} 段组成，已拆为 {count} 条河段", count=int(made[i]))
    order = np.concatenate([np.flatnonzero(~drawn), where[source]])
    parts = np.concatenate([np.zeros((~drawn).sum(), np.int64), _nth(source)])
    exploded = np.concatenate([np.zeros((~drawn).sum(), bool), made[source] > 1])
    rows = rows.iloc[order].copy()
    rows["__line"] = pd.Series([*[None] * int((~drawn).sum()), *single_lines], index=rows.index, dtype=object)
    _rename_pieces(rows, exploded, parts)
    rows["__order"] = order * 1000.0 + parts
    return rows.sort_values("__order", kind="stable").drop(columns="__order")


def _nth(source: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of every element within its run of equal values."""
    starts = np.r_[0, np.flatnonzero(np.diff(source)) + 1] if len(source) else np.empty(0, int)
    return np.asarray(np.arange(len(source)) - np.repeat(starts, np.diff(np.r_[starts, len(source)])), np.int64)


def _rename_pieces(rows: pd.DataFrame, several: Bool, part: NDArray[np.int64]) -> None:
    """Pieces of one reach are numbered; what holds for the whole is shared out or left out."""
    if not several.any():
        return
    ids = rows["reach_id"].to_numpy(object, copy=True)
    ids[several] = [f"{name}-{n + 1}" for name, n in zip(ids[several], part[several], strict=True)]
    rows["reach_id"] = ids
    for column in ("from_node", "to_node"):
        rows.loc[several, column] = ""
    for column in ("length_m",):
        if column in rows:
            rows.loc[several, column] = np.nan
    if "split" in rows:
        rows.loc[several & (part > 0), "split"] = np.nan


def _without_copies(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Drop the second of two reaches that are the same drawing between the same given nodes; list it."""
    drawn = np.flatnonzero(_drawn(rows))
    if not len(drawn):
        return rows
    same = topology.equal_lines(_lines(rows)[drawn])
    ends = rows["from_node"].to_numpy(object) + "\0" + rows["to_node"].to_numpy(object)
    drop = np.zeros(len(rows), bool)
    for i in np.flatnonzero(same != np.arange(len(same))).tolist():
        one, other = drawn[i], drawn[same[i]]
        if ends[one] == ends[other]:
            drop[one] = True
            _mend(report, rows, one, "与 {other} 图形相同，是重复的线，已略去", other=str(rows["reach_id"].iloc[other]))
    return rows[~drop]


def _trust_nodes(rows: pd.DataFrame, snap_m: float, report: Report) -> pd.DataFrame:
    """Another program's node columns are kept only if ends of one node meet in the drawing, for every node."""
    where = np.flatnonzero(_drawn(rows) & _given(rows))
    agrees = len(where) == len(rows)
    if agrees:
        first, last = topology.ends(_lines(rows)[where])
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


def _cut(
    rows: pd.DataFrame, snap_m: float, pieces: dict[str, list[tuple[str, float, float]]], report: Report
) -> pd.DataFrame:
    """Cut reaches where others join them; reaches with given nodes are never cut."""
    given, drawn = _given(rows), _drawn(rows)
    where = np.flatnonzero(drawn & ~given)
    if not len(where):
        return rows
    lines = _lines(rows)
    cuts = topology.cut_at_junctions(lines[where], snap_m, may_cut=np.ones(len(where), bool))
    made = np.bincount(cuts.source, minlength=len(where))
    if (made <= 1).all():
        return rows
    several = made[cuts.source] > 1
    part = _nth(cuts.source)
    rest = np.flatnonzero(~(drawn & ~given))
    order = np.concatenate([rest, where[cuts.source]])
    share = np.concatenate([np.ones(len(rest)), cuts.end - cuts.start])
    source_ids = rows["reach_id"].to_numpy(object, copy=True)
    given_length = number(rows, "length_m").to_numpy(np.float64) if "length_m" in rows else np.full(len(rows), np.nan)
    whole = np.where(np.isnan(given_length), shapely.length(lines), given_length)
    for i in np.flatnonzero(made > 1).tolist():
        _mend(
            report,
            rows,
            where[i],
            "在 {count} 处汇入点断开，成为 {parts} 条河段",
            count=int(made[i] - 1),
            parts=int(made[i]),
        )
    cut = rows.iloc[order].copy()
    cut["__line"] = pd.Series([*lines[rest], *cuts.lines], index=cut.index, dtype=object)
    for column in ("area_km2",):
        if column in cut:
            cut[column] = cut[column] * share
    lengths = given_length[order] * share
    _rename_pieces(
        cut, np.concatenate([np.zeros(len(rest), bool), several]), np.concatenate([np.zeros(len(rest), np.int64), part])
    )
    if "length_m" in cut:
        cut["length_m"] = lengths
    new_ids = cut["reach_id"].to_numpy(object)[len(rest) :]
    for j in np.flatnonzero(several).tolist():
        row = where[cuts.source[j]]
        entry = (str(new_ids[j]), float(cuts.start[j] * whole[row]), float(cuts.end[j] * whole[row]))
        pieces.setdefault(str(source_ids[row]), []).append(entry)
    cut["__order"] = order * 1e5 + np.concatenate([np.zeros(len(rest)), part])
    return cut.sort_values("__order", kind="stable").drop(columns="__order")


def _name_nodes(
    rows: pd.DataFrame, known: pd.DataFrame | None, plane: CRS, snap_m: float, report: Report
) -> pd.DataFrame:
    """Node names for ends that have none: a named end within the tolerance gives its name, else a new one."""
    rows = rows.copy()
    drawn = _drawn(rows)
    names = np.concatenate([rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)])
    n = len(rows)
    points = np.full((2 * n, 2), np.nan)
    where = np.flatnonzero(drawn)
    points[where], points[where + n] = topology.ends(_lines(rows)[where])
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
        node = topology.cluster(points[open_ends], snap_m)
        first = np.unique(node, return_index=True)[1]
        taken = set(names) | set(anchor_names)
        width = max(4, len(str(len(first))))
        fresh = _fresh(len(first), taken, width)
        names[open_ends] = fresh[node]
        home = points[open_ends][first][node]
        gap = np.hypot(*(points[open_ends] - home).T)
        moved = gap > 0.01
        _snapped(report, rows, open_ends[moved] % n, gap[moved])
        rows["__line"] = _moved(_lines(rows), open_ends[moved], home[moved])
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
            _mend(report, rows, int(i), "端点移动 {gap:.2f} m，接到相邻河段", gap=float(gap))


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
    codes, distinct = pd.factorize(names[here])
    off = _scatter(names[here], points[here])
    del codes
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


def _turn_drawings(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """A line drawn against its given nodes is turned; the nodes decide."""
    where = np.flatnonzero(_drawn(rows))
    if not len(where):
        return rows
    lines = _lines(rows)
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
            _mend(report, rows, int(i), "线画反了（与 from_node、to_node 不符），已按节点掉转图形")
        rows = rows.assign(__line=pd.Series(list(lines), index=rows.index, dtype=object))
    return rows


def _orient(
    rows: pd.DataFrame, located: Sequence[Located], plane: CRS, mouths: Sequence[str], report: Report
) -> pd.DataFrame:
    """Turn reaches so that water runs to the mouths the user names; ask for them where the drawing cannot be right."""
    if not len(rows):
        return rows
    codes, nodes = pd.factorize(np.concatenate([rows["from_node"].to_numpy(object), rows["to_node"].to_numpy(object)]))
    n = len(rows)
    from_node, to_node = codes[:n].astype(np.int64), codes[n:].astype(np.int64)
    lines = _lines(rows)
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
            _mend(report, rows, int(i), "由出口推得方向相反，已掉转")
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
    if _drawn(rows).all() and not rows["__given"].any():
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
    gapped = {i for i, _ in topology.dangling(_lines(rows), from_node, to_node, 1.0)}
    near_gap = np.zeros(n, bool)
    if gapped:
        ends = np.array(sorted(gapped))
        near_gap[to_node[ends]] = near_gap[from_node[ends]] = True
    odd = [node for node in topology.odd_nodes(from_node, to_node) if sinks[part[node]] > 1 and not near_gap[node]]
    if not odd:
        return
    doubtful = part[odd[0]]
    tips = [node for node in np.flatnonzero(leaving + entering == 1) if part[node] == doubtful]
    counted = []
    for tip in tips[:200]:
        turn, _ = topology.orient(from_node, to_node, np.array([tip]), length)
        counted.append((int(turn.sum()), tip))
    counted.sort()
    offered = []
    first, last = topology.ends(_lines(rows))
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


def _lengths(rows: pd.DataFrame, plane: CRS, report: Report) -> pd.DataFrame:
    """Geometry back in CGCS2000; blank lengths from the drawing, on the ellipsoid; doubtful ones told."""
    rows = rows.copy()
    lines = _lines(rows)
    stored = systems.project(lines, plane, STORED)
    rows["geometry"] = pd.Series(list(stored), index=rows.index, dtype=object)
    drawn = ~shapely.is_missing(stored)
    measured = np.full(len(rows), np.nan)
    measured[drawn] = systems.lengths_m(stored[drawn])
    given = number(rows, "length_m").to_numpy(np.float64)
    rows["length_m"] = np.where(np.isnan(given), np.round(measured, 2), given)
    off = np.abs(given / np.where(measured > 0, measured, np.nan) - 1) > LENGTH_DOUBT
    for i in np.flatnonzero(off).tolist():
        message = "河段 {reach} 给定长度 {given:.0f} m，图上量得 {drawn:.0f} m，相差超过 20 %；计算用给定长度"
        reach = str(rows["reach_id"].iloc[i])
        report.warn(
            "length_doubt",
            message,
            table="reaches",
            row=reach,
            column="length_m",
            reach=reach,
            given=float(given[i]),
            drawn=float(measured[i]),
        )
    return rows


def figures(table: pd.DataFrame, lines: Objects, snap_m: float) -> NetworkFigures:
    """The shape of a network: counts, loops, dangling ends, crossings."""
    if not len(table):
        return NetworkFigures()
    n = len(table)
    codes, nodes = pd.factorize(np.concatenate([text(table, "from_node"), text(table, "to_node")]))
    from_node, to_node = codes[:n].astype(np.int64), codes[n:].astype(np.int64)
    leaving = np.bincount(from_node, minlength=len(nodes))
    ids = list(text(table, "reach_id"))
    selfish = [(ids[i],) for i in np.flatnonzero(from_node == to_node)]
    plain = from_node != to_node
    kept = [name for name, keep in zip(ids, plain, strict=True) if keep]
    loops = find_loops(from_node[plain].astype(np.int32), to_node[plain].astype(np.int32), kept)
    drawn = np.flatnonzero(~shapely.is_missing(lines))
    shape, a, b = lines[drawn], from_node[drawn], to_node[drawn]
    crossing = topology.crossings(shape, a, b, snap_m) if len(drawn) else []
    hanging = topology.dangling(shape, a, b, snap_m) if len(drawn) else []
    return NetworkFigures(
        reaches=n,
        nodes=len(nodes),
        mouths=int((leaving == 0).sum()),
        splits=int((leaving > 1).sum()),
        components=topology.components(from_node, to_node),
        loops=(*selfish, *(tuple(loop) for loop in loops)),
        dangling=tuple((ids[drawn[i]], gap) for i, gap in hanging),
        crossings=tuple((ids[drawn[i]], ids[drawn[j]]) for i, j in crossing),
    )


def resolve(
    reach_id: str, chainage_m: float, pieces: Mapping[str, list[tuple[str, float, float]]]
) -> tuple[str, float]:
    """Where a place on a reach that was cut is now."""
    for name, start, end in pieces.get(reach_id, ()):
        if chainage_m <= end:
            return name, max(0.0, chainage_m - start)
    return reach_id, chainage_m
