"""Reaches cut where others join them, and where a place on a reach that was cut is now."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely

from hydro.columns import number
from layers.report import Report
from layers.rivers import topology
from layers.rivers.drawing import is_drawn, is_given, lines_of, mend, nth, rename_pieces

Pieces = dict[str, list[tuple[str, float, float]]]
"""Id of a reach that was cut -> (id, start, end) of its pieces, in metres along it."""


def cut(
    rows: pd.DataFrame, snap_m: float, pieces: Pieces, report: Report, *, starts_m: float, ends_m: float
) -> pd.DataFrame:
    """Cut reaches where an end (within ``ends_m``) or a start (within ``starts_m``) of another lies on them.

    Reaches with given nodes are never cut; ``pieces`` is filled with what the others became.
    """
    given, drawn = is_given(rows), is_drawn(rows)
    where = np.flatnonzero(drawn & ~given)
    if not len(where):
        return rows
    lines = lines_of(rows)
    cuts = topology.cut_at_junctions(lines[where], snap_m, starts_m=starts_m, ends_m=ends_m)
    made = np.bincount(cuts.source, minlength=len(where))
    if (made <= 1).all():
        return rows
    several = made[cuts.source] > 1
    part = nth(cuts.source)
    rest = np.flatnonzero(~(drawn & ~given))
    order = np.concatenate([rest, where[cuts.source]])
    share = np.concatenate([np.ones(len(rest)), cuts.end - cuts.start])
    source_ids = rows["reach_id"].to_numpy(object, copy=True)
    given_length = number(rows, "length_m").to_numpy(np.float64) if "length_m" in rows else np.full(len(rows), np.nan)
    whole = np.where(np.isnan(given_length), shapely.length(lines), given_length)
    for i in np.flatnonzero(made > 1).tolist():
        mend(
            report,
            rows,
            where[i],
            "在 {count} 处汇入点断开，成为 {parts} 条河段",
            count=int(made[i] - 1),
            parts=int(made[i]),
        )
    table = rows.iloc[order].copy()
    table["__line"] = pd.Series([*lines[rest], *cuts.lines], index=table.index, dtype=object)
    for column in ("area_km2",):
        if column in table:
            table[column] = table[column] * share
    lengths = given_length[order] * share
    rename_pieces(
        table,
        np.concatenate([np.zeros(len(rest), bool), several]),
        np.concatenate([np.zeros(len(rest), np.int64), part]),
    )
    if "length_m" in table:
        table["length_m"] = lengths
    new_ids = table["reach_id"].to_numpy(object)[len(rest) :]
    for j in np.flatnonzero(several).tolist():
        row = where[cuts.source[j]]
        entry = (str(new_ids[j]), float(cuts.start[j] * whole[row]), float(cuts.end[j] * whole[row]))
        pieces.setdefault(str(source_ids[row]), []).append(entry)
    table["__order"] = order * 1e5 + np.concatenate([np.zeros(len(rest)), part])
    return table.sort_values("__order", kind="stable").drop(columns="__order")


def resolve(
    reach_id: str, chainage_m: float, pieces: Mapping[str, list[tuple[str, float, float]]]
) -> tuple[str, float]:
    """Where a place on a reach that was cut is now."""
    for name, start, end in pieces.get(reach_id, ()):
        if chainage_m <= end:
            return name, max(0.0, chainage_m - start)
    return reach_id, chainage_m
