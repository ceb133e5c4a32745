"""Columns of a table as the science wants them: text without blanks' many spellings, numbers as float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def text(table: pd.DataFrame, name: str) -> pd.Series[str]:
    """The column as text, blank ("") where missing or where the table has no such column."""
    if name not in table:
        return pd.Series([""] * len(table), index=table.index, dtype=object)
    column = table[name]
    if pd.api.types.infer_dtype(column, skipna=True) == "string":  # each distinct text is read once
        codes, distinct = pd.factorize(column)
        words = np.array([*(str(one).strip() for one in distinct), ""], dtype=object)
        return pd.Series(words[codes], index=table.index, dtype=object)
    loose = column.astype(object)
    return loose.where(loose.notna(), "").astype(str).str.strip().astype(object)


def number(table: pd.DataFrame, name: str) -> pd.Series[float]:
    """The column as float64, NaN where missing, not a number, or where the table has no such column."""
    if name not in table:
        return pd.Series(np.full(len(table), np.nan), index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(np.float64)


def numbers(table: pd.DataFrame, name: str, blank: float = np.nan) -> NDArray[np.float64]:
    """The column as a float64 array, ``blank`` where :func:`number` is NaN."""
    return np.asarray(number(table, name).fillna(blank), np.float64)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, each by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def record(table: pd.DataFrame, key: str) -> dict[str, Any]:
    """The row under a key of the index, the first where there are several."""
    return records(table.loc[[key]])[0]
