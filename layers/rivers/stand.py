"""What stands on the reaches: outlets, sections, plants, gates, inbound waters, and the stations of measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from hydro.columns import number, text
from hydro.errors import Phrase
from hydro.schema import KEYS
from layers.places import crs as systems
from layers.places import snap
from layers.places.crs import STORED
from layers.report import Proposal, Report
from layers.rivers.junctions import resolve

Float = NDArray[np.float64]
Objects = NDArray[np.object_]

POINT_SNAP_M = 200.0
"""Farther from every reach than this a point is refused."""

MUST_STAND = ("sections", "outlets", "plants")


@dataclass
class Ground:
    """The reaches on which things stand: the table, lines on the plane, pieces of reaches that were cut."""

    table: pd.DataFrame
    lines: Objects
    plane: CRS
    pieces: Mapping[str, list[tuple[str, float, float]]]

    @property
    def drawn(self) -> NDArray[np.int64]:
        """Positions of the reaches that have a line."""
        return np.flatnonzero(~shapely.is_missing(self.lines))


def stand(
    table: str,
    rows: pd.DataFrame,
    ground: Ground,
    assigned: Mapping[str, str],
    report: Report,
    *,
    limit_m: float = POINT_SNAP_M,
    plants_with_outlet: frozenset[str] = frozenset(),
) -> pd.DataFrame:
    """Give every row its reach, chainage and snap distance; refuse what is too far, ask where two reaches tie."""
    rows = rows.copy()
    key = KEYS[table][0]
    shapes = np.asarray(rows["geometry"], dtype=object) if "geometry" in rows else np.full(len(rows), None)
    wrong_shape = ~shapely.is_missing(shapes) & (shapely.get_type_id(shapes) != 0)
    shapes = np.where(wrong_shape, shapely.centroid(shapes), shapes)
    here = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    points = systems.project(shapes, STORED, ground.plane)
    reach = text(rows, "reach_id").to_numpy(object, copy=True)
    chainage = np.array(number(rows, "chainage_m"), np.float64)
    offset = np.array(number(rows, "snap_distance_m"), np.float64)
    for i, row_id in enumerate(text(rows, key)):
        if str(row_id) in assigned:
            reach[i], chainage[i] = assigned[str(row_id)], np.nan
        elif reach[i] in ground.pieces and not here[i] and np.isfinite(chainage[i]):
            reach[i], chainage[i] = resolve(reach[i], float(chainage[i]), ground.pieces)
        elif reach[i] in ground.pieces and here[i]:
            reach[i], chainage[i] = "", np.nan
    length = np.array(number(ground.table, "length_m"), np.float64)
    position = {name: i for i, name in enumerate(text(ground.table, "reach_id"))}
    refused = _given(table, rows, key, reach, chainage, offset, points, here, ground, position, length, limit_m, report)
    free = np.flatnonzero(here & (reach == "") & ~refused)
    if len(free) and len(ground.drawn):
        placed = _free(table, rows.iloc[free], key, points[free], ground, limit_m, plants_with_outlet, report)
        ok = placed.reach >= 0
        at = ground.drawn[placed.reach[ok]]
        reach[free[ok]] = text(ground.table, "reach_id").to_numpy(object)[at]
        chainage[free[ok]] = np.round(placed.fraction[ok] * length[at], 2)
        offset[free[ok]] = np.round(placed.distance_m[ok], 2)
        refused[free[~ok & np.isfinite(placed.distance_m)]] = True
    lost = ~refused & (reach == "") & ~here
    if table in MUST_STAND:
        plant = text(rows, "plant_id").to_numpy(object) if table == "outlets" else np.full(len(rows), "", dtype=object)
        excused = (plant != "") | np.isin(text(rows, key).to_numpy(object), list(plants_with_outlet))
        for i in np.flatnonzero(lost & ~excused).tolist():
            refuse(report, table, rows, key, i, "既没有坐标也没有所在河段，无法定位。请补上坐标，或所在河段与里程")
        refused |= lost & ~excused
    rows["reach_id"], rows["chainage_m"], rows["snap_distance_m"] = reach, chainage, offset
    rows["geometry"] = pd.Series(
        list(_drawn_at(shapes, reach, chainage, ground, position, length)), index=rows.index, dtype=object
    )
    standing = ~((reach == "") & here & np.isin(table, MUST_STAND) & _unexcused(rows, key, plants_with_outlet))
    kept: pd.DataFrame = rows[~refused & standing]
    return kept


def _unexcused(rows: pd.DataFrame, key: str, plants_with_outlet: frozenset[str]) -> NDArray[np.bool_]:
    excused = np.isin(text(rows, key).to_numpy(object), list(plants_with_outlet))
    return np.asarray(~(excused | (text(rows, "plant_id").to_numpy(object) != "")), np.bool_)


def refuse(report: Report, table: str, rows: pd.DataFrame, key: str, i: int, message: str, **params: Any) -> None:
    """List a row that cannot stand anywhere."""
    report.refuse(table, int(rows["__row"].iloc[i]), str(rows[key].iloc[i]), message, **params)


def _given(
    table: str,
    rows: pd.DataFrame,
    key: str,
    reach: Objects,
    chainage: Float,
    offset: Float,
    points: Objects,
    here: NDArray[np.bool_],
    ground: Ground,
    position: Mapping[str, int],
    length: Float,
    limit_m: float,
    report: Report,
) -> NDArray[np.bool_]:
    """Rows that name their reach: the name decides; coordinates fill the chainage, and must not contradict it."""
    refused = np.zeros(len(rows), bool)
    at = np.array([position.get(name, -1) for name in reach])
    unknown = (reach != "") & (at < 0)
    for i in np.flatnonzero(unknown).tolist():
        refuse(
            report,
            table,
            rows,
            key,
            i,
            "所在河段“{reach}”不在河段表里。请改正所在河段，或留空由坐标就近挂接",
            reach=str(reach[i]),
        )
    refused |= unknown
    check = np.flatnonzero(here & (at >= 0))
    check = check[~shapely.is_missing(ground.lines[at[check]])]
    if len(check):
        line = ground.lines[at[check]]
        metres = shapely.distance(line, points[check])
        along = shapely.line_locate_point(line, points[check]) / np.maximum(shapely.length(line), 1e-9)
        blank = np.isnan(chainage[check])
        chainage[check[blank]] = np.round(along[blank] * length[at[check[blank]]], 2)
        blank = np.isnan(offset[check])
        offset[check[blank]] = np.round(metres[blank], 2)
        far = check[metres > limit_m]
        for i, gap in zip(far, metres[metres > limit_m], strict=True):
            params = {"reach": str(reach[i]), "gap": float(gap), "limit": limit_m}
            if table == "plants":
                message = "{table} {id} 的坐标距其河段 {reach} {gap:.0f} m；以给定河段为准"
                report.warn(
                    "far_from_reach",
                    message,
                    table=table,
                    row=str(rows[key].iloc[i]),
                    id=str(rows[key].iloc[i]),
                    **params,
                )
            else:
                message = "坐标距所填河段 {reach} {gap:.0f} m，超过 {limit:.0f} m 限值。最近的河段：{nearest}。请核对坐标或所在河段"
                refuse(report, table, rows, key, int(i), message, nearest=_nearest(points[i], ground), **params)
                refused[i] = True
    named = np.flatnonzero((at >= 0) & np.isfinite(chainage))
    outside = named[(chainage[named] < -1) | (chainage[named] > length[at[named]] + 1)]
    for i in outside:
        message = "里程 {chainage:.0f} m 超出河段 {reach} 的长度 {length:.0f} m。请改正里程，或留空由坐标推出"
        refuse(
            report,
            table,
            rows,
            key,
            int(i),
            message,
            chainage=float(chainage[i]),
            reach=str(reach[i]),
            length=float(length[at[i]]),
        )
        refused[i] = True
    nowhere = (at >= 0) & np.isnan(chainage) & np.isin(table, MUST_STAND)
    for i in np.flatnonzero(nowhere & ~refused).tolist():
        refuse(
            report,
            table,
            rows,
            key,
            int(i),
            "填了河段 {reach} 却没有里程也没有坐标。请补上里程或坐标",
            reach=str(reach[i]),
        )
    return refused | nowhere


def _nearest(point: Any, ground: Ground) -> str:
    names = text(ground.table, "reach_id").to_numpy(object)[ground.drawn]
    found = snap.nearest(point, ground.lines[ground.drawn])
    return "、".join(f"{names[i]}（{gap:.0f} m）" for i, gap in found)


def _free(
    table: str,
    rows: pd.DataFrame,
    key: str,
    points: Objects,
    ground: Ground,
    limit_m: float,
    plants_with_outlet: frozenset[str],
    report: Report,
) -> snap.Snapped:
    lines = ground.lines[ground.drawn]
    rivers = text(ground.table, "river").to_numpy(object)[ground.drawn]
    said = text(rows, "river" if "river" in rows else "__river")
    placed = snap.snap(points, lines, rivers, said.to_numpy(object))
    names = text(ground.table, "reach_id").to_numpy(object)[ground.drawn]
    far = np.flatnonzero(placed.distance_m > limit_m)
    for i in far.tolist():
        placed.reach[i] = -1
        if table == "plants" and str(rows[key].iloc[i]) in plants_with_outlet:
            placed.distance_m[i] = np.inf
            continue
        message = "距最近河段 {nearest}，超过 {limit:.0f} m 限值。请移动该点、填写所在河段，或用 --point-snap 放宽限值"
        if table in MUST_STAND:
            refuse(report, table, rows, key, int(i), message, nearest=_nearest(points[i], ground), limit=limit_m)
        else:
            placed.distance_m[i] = np.inf
            told = "{table} {id} 距最近河段 {nearest}，未挂接到河段"
            report.warn(
                "not_on_a_reach",
                told,
                table=table,
                row=str(rows[key].iloc[i]),
                id=str(rows[key].iloc[i]),
                nearest=_nearest(points[i], ground),
            )
    for i, tied in placed.ties.items():
        if placed.distance_m[i] > limit_m:
            continue
        chain = _one_after_another(tied, ground)
        if chain is not None:
            placed.reach[i] = chain
            line = lines[chain]
            placed.fraction[i] = shapely.line_locate_point(line, points[i]) / max(shapely.length(line), 1e-9)
            continue
        row_id = str(rows[key].iloc[i])
        offered = [
            Proposal(
                f"--place {row_id}={names[j]}",
                "{river}河段 {reach}，{end}",
                {
                    "river": str(rivers[j]),
                    "reach": str(names[j]),
                    "end": Phrase("在其上端") if _at_start(points[i], lines[j]) else Phrase("在其下端"),
                },
            )
            for j in tied
        ]
        message = "{table} {id} 在汇流处，离 {count} 条河段一样近。它在哪条河段上？"
        report.ask(str(rows["__file"].iloc[i]), message, offered, table=table, id=row_id, count=len(tied))
    return placed


def _at_start(point: Any, line: Any) -> bool:
    return bool(shapely.line_locate_point(line, point, normalized=True) < 0.5)


def _one_after_another(tied: NDArray[np.int64], ground: Ground) -> int | None:
    """The upper of two reaches of which the second continues the first and nothing else joins there; else None."""
    if len(tied) != 2:
        return None
    table = ground.table.iloc[ground.drawn]
    start, end = text(table, "from_node").to_numpy(object), text(table, "to_node").to_numpy(object)
    for upper, lower in ((tied[0], tied[1]), (tied[1], tied[0])):
        if end[upper] == start[lower] and int((start == end[upper]).sum() + (end == end[upper]).sum()) == 2:
            return int(upper)
    return None


def _drawn_at(
    shapes: Objects, reach: Objects, chainage: Float, ground: Ground, position: Mapping[str, int], length: Float
) -> Objects:
    """A point for rows without coordinates, at their chainage on the line of their reach."""
    drawn = np.array(shapes, dtype=object)
    for i in np.flatnonzero(shapely.is_missing(drawn) & (reach != "") & np.isfinite(chainage)).tolist():
        at = position.get(reach[i], -1)
        if at >= 0 and ground.lines[at] is not None and length[at] > 0:
            on_plane = shapely.line_interpolate_point(ground.lines[at], chainage[i] / length[at], normalized=True)
            drawn[i] = systems.project(np.array([on_plane], dtype=object), ground.plane, STORED)[0]
    return drawn
