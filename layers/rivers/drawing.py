"""Reaches as one drawn line a row: parts joined or exploded, rings and copies set aside, each listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.report import Report
from layers.rivers import topology

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Objects = NDArray[np.object_]


def refuse(report: Report, rows: pd.DataFrame, i: int, message: str, **params: Any) -> None:
    """List a reach that cannot enter."""
    report.refuse("reaches", int(rows["__row"].iloc[i]), str(rows["reach_id"].iloc[i]), message, **params)


def mend(report: Report, rows: pd.DataFrame, i: int, message: str, **params: Any) -> None:
    """List a reach that was changed."""
    report.mend("reaches", int(rows["__row"].iloc[i]), str(rows["reach_id"].iloc[i]), message, **params)


def lines_of(rows: pd.DataFrame) -> Objects:
    """The lines of the reaches on the plane, None where not drawn."""
    return np.asarray(rows["__line"], dtype=object)


def is_drawn(rows: pd.DataFrame) -> Bool:
    """Which reaches have a line."""
    return np.asarray(~shapely.is_missing(lines_of(rows)))


def is_given(rows: pd.DataFrame) -> Bool:
    """Which reaches name both their nodes."""
    return np.asarray((rows["from_node"] != "") & (rows["to_node"] != ""), dtype=bool)


def single_lines(rows: pd.DataFrame, snap_m: float, report: Report) -> pd.DataFrame:
    """One line a row: rings set aside, lines without length refused, multiparts joined head to tail or exploded."""
    lines, drawn = lines_of(rows), is_drawn(rows)
    keep = np.ones(len(rows), bool)
    odd = drawn & (shapely.get_dimensions(lines) != 1)
    for i in np.flatnonzero(odd).tolist():
        refuse(report, rows, i, "不是线。河段应是沿水流方向画的线")
    short = drawn & ~odd & ~(shapely.length(lines) > 1e-3)
    for i in np.flatnonzero(short).tolist():
        refuse(report, rows, i, "线长为零。请重新画出，或删去该行")
    single = shapely.get_num_geometries(lines) == 1
    first = np.where(single, shapely.get_geometry(lines, 0), None)
    rings = drawn & ~odd & ~short & single & shapely.is_closed(first) & ~is_given(rows)
    for i in np.flatnonzero(rings).tolist():
        mend(report, rows, i, "是闭合的环（像岸线或面的边界），不是河道中心线，已放在一边，未导入")
    keep &= ~(odd | short | rings)
    rows = rows[keep]
    lines, drawn = lines_of(rows), is_drawn(rows)
    where = np.flatnonzero(drawn)
    single_lines, source, counts = topology.join_parts(lines[where], snap_m)
    single_lines = np.asarray(shapely.remove_repeated_points(single_lines), dtype=object)
    long = shapely.length(single_lines) > 1e-3
    single_lines, source = single_lines[long], source[long]
    made = np.bincount(source, minlength=len(where))
    for i in np.flatnonzero((counts > 1) & (made == 1)).tolist():
        mend(report, rows, where[i], "由 {count} 段首尾相接合并为一条线", count=int(counts[i]))
    for i in np.flatnonzero(made > 1).tolist():
        mend(report, rows, where[i], "由不相接的 {count} 段组成，已拆为 {count} 条河段", count=int(made[i]))
    order = np.concatenate([np.flatnonzero(~drawn), where[source]])
    parts = np.concatenate([np.zeros((~drawn).sum(), np.int64), nth(source)])
    exploded = np.concatenate([np.zeros((~drawn).sum(), bool), made[source] > 1])
    rows = rows.iloc[order].copy()
    rows["__line"] = pd.Series([*[None] * int((~drawn).sum()), *single_lines], index=rows.index, dtype=object)
    rename_pieces(rows, exploded, parts)
    rows["__order"] = order * 1000.0 + parts
    return rows.sort_values("__order", kind="stable").drop(columns="__order")


def nth(source: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of every element within its run of equal values."""
    starts = np.r_[0, np.flatnonzero(np.diff(source)) + 1] if len(source) else np.empty(0, int)
    return np.asarray(np.arange(len(source)) - np.repeat(starts, np.diff(np.r_[starts, len(source)])), np.int64)


def rename_pieces(rows: pd.DataFrame, several: Bool, part: NDArray[np.int64]) -> None:
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


def without_copies(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Drop the second of two reaches that are the same drawing between the same given nodes; list it."""
    drawn = np.flatnonzero(is_drawn(rows))
    if not len(drawn):
        return rows
    same = topology.equal_lines(lines_of(rows)[drawn])
    ends = rows["from_node"].to_numpy(object) + "\0" + rows["to_node"].to_numpy(object)
    drop = np.zeros(len(rows), bool)
    for i in np.flatnonzero(same != np.arange(len(same))).tolist():
        one, other = drawn[i], drawn[same[i]]
        if ends[one] == ends[other]:
            drop[one] = True
            mend(report, rows, one, "与 {other} 图形相同，是重复的线，已略去", other=str(rows["reach_id"].iloc[other]))
    return rows[~drop]
