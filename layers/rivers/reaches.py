"""Drawn reaches to a network of named nodes: every repair listed, every loop named, what is given decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from hydro.checks import find_loops
from hydro.columns import number, text
from layers.places import crs as systems
from layers.places.crs import STORED
from layers.places.place import Located
from layers.report import NetworkFigures, Report
from layers.rivers import gaps, topology
from layers.rivers.direction import face_mouths, orient
from layers.rivers.downhill import face_downhill
from layers.rivers.drawing import lines_of, refuse, single_lines, without_copies
from layers.rivers.junctions import Pieces, cut
from layers.rivers.nodes import name_nodes, trust_nodes, turn_drawings

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Objects = NDArray[np.object_]

LENGTH_DOUBT = 0.2
"""A given length that differs more than this from the drawing is a warning."""


@dataclass
class Built:
    """The reaches of an import on a plane: the table, its lines in metres, the plane, and what cut reaches became."""

    table: pd.DataFrame
    lines: Objects
    plane: CRS
    pieces: Pieces = field(default_factory=dict)


def build(
    rows: pd.DataFrame,
    located: Sequence[Located],
    known: pd.DataFrame | None,
    *,
    snap_m: float,
    mouths: Sequence[str],
    foreign_nodes: bool,
    dem: Path | None = None,
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
        refuse(report, rows, i, "既没有图形也没有端点节点，无法接入河网。请补上图形，或起点节点与终点节点")
    rows = rows[~unplaced]
    rows = single_lines(rows, snap_m, report)
    rows = without_copies(rows, report)
    if foreign_nodes:
        rows = trust_nodes(rows, snap_m, report)
    if dem:
        rows = face_downhill(rows, plane, dem, report)
    if mouths:
        rows = face_mouths(rows, known, located, plane, snap_m, mouths, report)
    pieces: Pieces = {}
    rows = cut(rows, snap_m, pieces, report, starts_m=topology.TOUCHING_M, ends_m=snap_m)
    rows = name_nodes(rows, known, plane, snap_m, report)
    rows = turn_drawings(rows, report)
    rows = orient(rows, located, plane, mouths, report)
    rows = _lengths(rows, plane, report)
    lines = np.asarray(rows.pop("__line"), dtype=object) if len(rows) else np.empty(0, dtype=object)
    rows = rows.drop(columns="__line", errors="ignore")
    return Built(rows, lines, plane, pieces)


def _lengths(rows: pd.DataFrame, plane: CRS, report: Report) -> pd.DataFrame:
    """Geometry back in CGCS2000; blank lengths from the drawing, on the ellipsoid; doubtful ones told."""
    rows = rows.copy()
    lines = lines_of(rows)
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
    crossing = gaps.crossings(shape, a, b, snap_m) if len(drawn) else []
    hanging = gaps.dangling(shape, a, b, snap_m) if len(drawn) else []
    return NetworkFigures(
        reaches=n,
        nodes=len(nodes),
        mouths=int((leaving == 0).sum()),
        splits=int((leaving > 1).sum()),
        components=gaps.components(from_node, to_node),
        loops=(*selfish, *(tuple(loop) for loop in loops)),
        dangling=tuple((ids[drawn[i]], gap) for i, gap in hanging),
        crossings=tuple((ids[drawn[i]], ids[drawn[j]]) for i, j in crossing),
    )
