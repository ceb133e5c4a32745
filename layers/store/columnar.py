"""Rows by the million on their way to a database, as Arrow columns: cleaned, and refused, as :mod:`layers.store.rows` does.

What a value becomes is decided there, once for each distinct one; here it is carried to every row that has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.errors import Fault, FaultsError
from layers.store.rows import Place, blank_id, repeated_id, stored_value
from layers.store.tables import Layout

if TYPE_CHECKING:
    import pyarrow as pa


def clean(frame: pd.DataFrame, layout: Layout, stored: Mapping[str, str]) -> pa.Table:
    """Columns of a frame as the store holds them, in the types ``stored``.

    Raises:
        FaultsError: every value that its column cannot hold, every blank and every repeated identifier.
    """
    import pyarrow as pa

    faults: list[Fault] = []
    names = [name for name in map(str, frame.columns) if name not in ("geometry", "geom")]
    columns = {name: _column(frame, name, layout, stored[name], faults) for name in names}
    for name in layout.key:
        blank = pa.repeat(pa.scalar("", pa.large_string()), 0 if name in columns else len(frame))
        columns[name] = columns[name].fill_null("") if name in columns else blank
    table = pa.table(columns)
    faults += _identity(table, layout)
    if faults:
        raise FaultsError(faults)
    return table


def arrow_type(kind: str) -> Any:
    """The Arrow type of a storage type (TEXT, REAL, INTEGER)."""
    import pyarrow as pa

    return {"REAL": pa.float64(), "INTEGER": pa.int64()}.get(kind, pa.large_string())


def arrow(rows: Sequence[Any], types: Mapping[str, str]) -> pa.Table:
    """Rows of a database as columns."""
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(types)
    made = [pa.array(column, arrow_type(kind)) for column, kind in zip(columns, types.values(), strict=True)]
    return pa.table(dict(zip(types, made, strict=True)))


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Columns as a table of pandas: texts keep their place in memory, numbers without a value are NaN."""
    return pd.DataFrame({name: _series(table[name]) for name in table.column_names}, copy=False)


def _series(column: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_large_string(column.type):
        return pd.array(column, dtype="str")
    return column.to_numpy() if len(column) else np.array([], column.type.to_pandas_dtype())


def _column(frame: pd.DataFrame, name: str, layout: Layout, kind: str, faults: list[Fault]) -> Any:
    import pyarrow as pa

    column = frame[name]
    if kind == "REAL" and pd.api.types.is_numeric_dtype(column):
        return pa.array(column.to_numpy(np.float64, na_value=np.nan) + 0.0, from_pandas=True)  # -0.0 and 0.0 are one
    if _told_apart(column):
        codes, distinct = pd.factorize(column)
        raws = list(pd.Series(distinct).astype(object))
    else:
        raws = list(column.astype(object))
        codes = np.arange(len(raws))
    wrong: list[Fault] = []
    values: list[Any] = []
    refused: list[int] = []
    for code, raw in enumerate(raws):
        values.append(stored_value(raw, kind, Place(layout.name, "", name), wrong))
        if len(wrong) > len(refused):
            refused.append(code)
    for at in np.flatnonzero(np.isin(codes, refused)) if refused else ():
        stored_value(raws[codes[at]], kind, Place(layout.name, _label(frame, int(at), layout), name), faults)
    return pa.array(values, arrow_type(kind)).take(pa.array(codes, mask=codes < 0))


def _told_apart(column: pd.Series[Any]) -> bool:
    """Whether equal values are the same text: among loose objects 1, 1.0 and True are one, and their texts are not."""
    return column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) == "string"


def _label(frame: pd.DataFrame, at: int, layout: Layout) -> str:
    known = [str(frame[name].iloc[at]) for name in layout.key if name in frame.columns]
    return "/".join(known) if known else str(at + 1)


def _identity(table: pa.Table, layout: Layout) -> Iterator[Fault]:
    keys = frame_of(table.select(list(layout.key)))
    blank: NDArray[np.bool_] = (keys[layout.key[0]] == "").to_numpy(bool)
    again: NDArray[np.bool_] = keys.duplicated().to_numpy(bool)
    for at in np.flatnonzero(blank | again):
        if blank[at]:
            yield blank_id(int(at) + 1, layout)
        else:
            yield repeated_id("/".join(map(str, keys.iloc[at])), layout)
