"""What may enter a project: one row an id, the dictionary kept, references that exist; the rest is refused by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro.columns import text
from hydro.schema import GEOMETRY, KEYS, attributes, check_table, row_names
from layers.intake.intake import Import
from layers.part import Part
from layers.places import crs
from layers.report import Report


def gather(table: str, parts: Sequence[Part], report: Report) -> pd.DataFrame:
    """All rows of a table; a row given twice alike is dropped and listed, given twice otherwise it is refused."""
    frames = [part.frame for part in parts if part.table == table and len(part.frame)]
    if not frames:
        return pd.DataFrame(columns=["__row", "__file"])
    rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)
    if "geometry" in rows:  # of two files one may have no drawing
        rows["geometry"] = rows["geometry"].astype(object).where(rows["geometry"].notna(), None)
    for column in KEYS[table]:
        if column not in rows:
            if column in ("place", "station_kind"):
                rows[column] = ""
            else:
                return rows
    return rows if table == "observations" else unique(table, rows, report)


def unique(table: str, rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Rows without those that repeat an id: alike they are dropped and listed, different they are refused."""
    keys = pd.DataFrame({column: text(rows, column) for column in KEYS[table]})
    filled = (keys[KEYS[table][0]] != "").to_numpy(bool)
    again = (keys.duplicated(keep="first") & filled).to_numpy(bool)
    if not again.any():
        return rows
    bare = rows.drop(columns=["__row", "__file", "__words", "__river"], errors="ignore")
    if "geometry" in bare:
        bare = bare.assign(geometry=shapely.to_wkb(np.asarray(bare["geometry"], dtype=object), hex=True))
    alike = bare.astype(str).duplicated(keep="first").to_numpy(bool)
    names = row_names(table, rows)
    for i in np.flatnonzero(again).tolist():
        row, name = int(rows["__row"].iloc[i]), str(names.iloc[i])
        if alike[i]:
            report.mend(table, row, name, "与前面的一行完全相同，已略去")
        else:
            report.refuse(table, row, name, "编号与前面的一行重复而内容不同。请给每行唯一编号，或删去多余的行")
    return rows[~again].reset_index(drop=True)


def sound_rows(table: str, rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Rows that keep to the dictionary; each of the others is refused with what would be right."""
    keep = sound(table, rows, report)
    return rows if keep.all() else rows[keep].reset_index(drop=True)


def sound(table: str, rows: pd.DataFrame, report: Report) -> NDArray[np.bool_]:
    """Which rows keep to the dictionary; each of the others is refused with what would be right."""
    faults = check_table(table, rows, shown=len(rows) + 1)
    if not faults:
        return np.ones(len(rows), bool)
    names = row_names(table, rows)
    positions = pd.Series(np.arange(len(names)), index=names.to_numpy(object))
    bad: set[int] = set()
    for fault in faults:
        if fault.warning:
            report.warnings.append(fault)
        elif fault.code == "column_missing":
            report.refuse(table, None, "", fault.message, **fault.params)
            bad |= set(range(len(rows)))
        else:
            found = positions[[fault.row]].to_numpy() if fault.row in positions.index else np.empty(0, int)
            for i in found[:1]:
                bad.add(int(i))
                report.refuse(table, int(rows["__row"].iloc[int(i)]), fault.row, fault.message, **fault.params)
    keep = np.ones(len(rows), bool)
    keep[list(bad)] = False
    return keep


def finish(outcome: Import, known: Mapping[str, pd.DataFrame], report: Report) -> None:
    """References between tables, defaults left blank, columns in the order of the dictionary; counts."""
    from hydro.schema import check_tables

    joined = {
        table: pd.concat([known[table], outcome.tables[table]], ignore_index=True).drop_duplicates(
            list(KEYS[table]), keep="last"
        )
        if table in known
        and table in outcome.tables
        and len(known[table])
        and set(KEYS[table]) <= set(outcome.tables[table])
        else outcome.tables.get(table, known.get(table))
        for table in {**known, **outcome.tables}
    }
    for fault in check_tables(
        {name: rows for name, rows in joined.items() if rows is not None and name != "reaches"}
        | {name: rows for name, rows in joined.items() if rows is not None and name == "reaches"}
    ):
        if fault.code in ("station_unknown", "backflow"):
            report.warnings.append(fault)
        elif fault.code == "reference_unknown" and fault.table in outcome.tables and not report.asked:
            _refuse_reference(outcome, fault, report)
    loops = {reach for loop in report.network.loops for reach in loop}
    accepted: Counter[str] = Counter()
    for table, rows in list(outcome.tables.items()):
        tidy = rows.drop(columns=["__row", "__file", "__words", "__river", "__given"], errors="ignore")
        order = [name for name in attributes(table) if name in tidy]
        extra = ["geometry"] if "geometry" in tidy and table in GEOMETRY else []
        outcome.tables[table] = _typed(table, tidy[order + extra].reset_index(drop=True))
        accepted[table] = len(tidy) - (
            int(text(tidy, "reach_id").isin(loops).sum()) if table == "reaches" and loops else 0
        )
    report.accepted = accepted


def _refuse_reference(outcome: Import, fault: Any, report: Report) -> None:
    rows = outcome.tables[fault.table]
    hit = np.flatnonzero((row_names(fault.table, rows) == fault.row).to_numpy(bool))
    if not len(hit):
        return
    row = rows["__row"].iloc[int(hit[0])]
    report.refuse(fault.table, None if pd.isna(row) else int(row), fault.row, fault.message, **fault.params)
    outcome.tables[fault.table] = rows.drop(index=rows.index[hit])


def _typed(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Columns of the types of the dictionary; a spatial table as a GeoDataFrame."""
    for name, attribute in attributes(table).items():
        if name in rows and attribute.type == "number":
            rows[name] = pd.to_numeric(rows[name], errors="coerce").astype(np.float64)
        elif name in rows and attribute.type == "integer":
            rows[name] = pd.to_numeric(rows[name], errors="coerce").astype("Int64")
    if "geometry" in rows:
        import geopandas

        return geopandas.GeoDataFrame(rows, geometry="geometry", crs=crs.STORED)  # type: ignore[no-any-return]
    return rows
