"""Cells of a table as text, and the entries for cells that were not plain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.schema import KEYS, Attribute
from layers.columns import Match, Reading
from layers.formats.sources import Layer
from layers.report import Report


def text(column: pd.Series[Any]) -> pd.Series[str]:
    """A column as text; missing cells blank, whole floats without ``.0``, times in ISO 8601."""
    if pd.api.types.is_datetime64_any_dtype(column):
        stamped = column.dt.strftime("%Y-%m-%dT%H:%M:%S").str.replace(r"T00:00:00$", "", regex=True)
        dates: pd.Series[str] = stamped.fillna("").astype(object)
        return dates
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna()
        if len(whole) and bool((whole % 1 == 0).all()) and bool((whole.abs() < 1e15).all()):
            column = column.astype("Int64")
    as_text = column.astype(object)
    return as_text.where(as_text.notna(), "").astype(str).str.strip().astype(object)


def list_mended(
    layer: Layer,
    table: str,
    rows: Any,
    column: pd.Series[Any],
    match: Match,
    report: Report,
    shown: Any,
    read: Any = None,
) -> None:
    """List cells whose spelling was understood although it is not the dictionary's, unless it only is another word."""
    if read is None:
        return
    for row, value in zip(rows, read, strict=True):
        message = "{column} 写作“{cell}”，读作 {value}"
        report.mend(table, int(row), "", message, column=match.source, cell=str(column.loc[row]), value=shown(value))


def refuse_wrong(
    layer: Layer, reading: Reading, frame: pd.DataFrame, match: Match, attribute: Attribute, wrong: Any, report: Report
) -> NDArray[np.bool_]:
    """Refuse the rows whose cell cannot be read, with what would be right; returns which they are."""
    wrong = np.asarray(wrong, bool)
    key = reading.source(KEYS[reading.table][0])
    for i in np.flatnonzero(wrong).tolist():
        row = frame.index[i]
        report.refuse(
            reading.table,
            int(row),
            str(frame[key].iloc[i]) if key else "",
            "{file} 的 {column} 为“{cell}”，应为：{right}",
            file=layer.label,
            column=match.source,
            cell=str(frame[match.source].iloc[i])[:60],
            right=attribute.right,
        )
    return np.asarray(wrong, np.bool_)
