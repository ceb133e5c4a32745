"""Rows on their way between a table in memory and a database: cleaned, compared, and summed up in a digest.

A row is a plain dict of column -> None, str, int, float, or (``geom``) the geometry as ISO WKB bytes; one that comes
from a store also has the store's own columns (``fid``, ``row_revision``).  The same values come back from every store,
so that the digest of a table does not depend on where it is kept.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hydro.errors import Fault, FaultsError
from layers.store.tables import OWN, Layout, declared

Row = dict[str, Any]
MODULUS = 1 << 256
WRITTEN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
"""The text that a row is fingerprinted by."""


@dataclass
class Change:
    """What a write does to one table: rows added, rows changed (before, after), rows removed."""

    added: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, Row]] = field(default_factory=list)
    removed: list[Row] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def digest(self, before: int) -> int:
        """Digest of the table after the change, from the one before; see :func:`digest`."""
        gone = sum(fingerprint(row) for row in self.removed) + sum(fingerprint(old) for old, _ in self.changed)
        come = sum(fingerprint(row) for row in self.added) + sum(fingerprint(new) for _, new in self.changed)
        return (before - gone + come) % MODULUS


def types(frame: pd.DataFrame, layout: Layout) -> dict[str, str]:
    """Column -> storage type of a frame: as the dictionary declares it, else as its values are."""
    known = declared(layout.name)
    return {
        str(name): known.get(str(name)) or _type_of(frame[name])
        for name in frame.columns
        if name not in ("geometry", "geom")
    }


def _type_of(column: pd.Series[Any]) -> str:
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
        return "INTEGER"
    return "REAL" if pd.api.types.is_float_dtype(column) and bool(column.notna().any()) else "TEXT"


def clean(frame: pd.DataFrame, layout: Layout, stored: Mapping[str, str]) -> list[Row]:
    """Rows of a frame as the store holds them, in the types ``stored`` of its columns.

    Raises:
        FaultsError: every value that its column cannot hold, every blank and every repeated identifier.
    """
    faults: list[Fault] = []
    names = [name for name in map(str, frame.columns) if name not in ("geometry", "geom")]
    columns: dict[str, list[Any]] = {}
    for name in names:
        at_once = _at_once(frame[name], stored[name])
        columns[name] = _one_by_one(frame, name, stored[name], layout, faults) if at_once is None else at_once
    if layout.geometry and "geometry" in frame.columns:
        columns["geom"] = _wkb(frame["geometry"], layout)
    for name in layout.key:
        columns[name] = ["" if value is None else value for value in columns.get(name, [None] * len(frame))]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    faults += _identity(rows, layout)
    if faults:
        raise FaultsError(faults)
    return rows


def _at_once(column: pd.Series[Any], kind: str) -> list[Any] | None:
    """A whole column as :func:`stored_value` makes it, where every value is of its kind already; None where one may not be."""
    numeric = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"
    if kind == "INTEGER" and numeric and column.dtype.kind != "f":
        return list(column.tolist())
    if kind == "REAL" and numeric:
        values: list[Any] = (column.to_numpy(np.float64) + 0.0).tolist()
    elif kind == "TEXT" and pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        values = column.astype(object).tolist()
    else:
        return None
    missing = column.isna().to_numpy()
    for i in np.flatnonzero(missing).tolist():
        values[i] = None
    if kind == "TEXT":
        values = [None if value is None else str(value) for value in values]
        whole = "".join(value for value in values if value is not None)
        if "\x00" in whole or not _encodes(whole):
            return None
    return values


def _one_by_one(frame: pd.DataFrame, name: str, kind: str, layout: Layout, faults: list[Fault]) -> list[Any]:
    """A column of which some values may not be what it holds, with a fault for each that is not."""
    return [
        stored_value(raw, kind, Place(layout.name, label, name), faults)
        for raw, label in zip(frame[name].astype(object), _labels(frame, layout), strict=True)
    ]


class Place(NamedTuple):
    """Where a value stands, for the fault that it may be."""

    table: str
    row: str
    column: str


def _labels(frame: pd.DataFrame, layout: Layout) -> list[str]:
    known = [name for name in layout.key if name in frame.columns]
    if not known:
        return [str(n) for n in range(1, len(frame) + 1)]
    return ["/".join(map(str, values)) for values in zip(*(frame[name] for name in known), strict=True)]


def stored_value(raw: Any, kind: str, place: Place, faults: list[Fault]) -> Any:
    """A value as a column of storage type ``kind`` holds it; what it cannot hold becomes a fault and None."""
    if _missing(raw) or (kind in ("REAL", "INTEGER") and isinstance(raw, str) and not raw.strip()):
        return None
    if kind not in ("REAL", "INTEGER"):
        text = raw.isoformat() if isinstance(raw, date) else str(raw)
        if "\x00" not in text and _encodes(text):
            return text
        faults.append(
            Fault("text", "表 {table} 的 {row} 行 {column} 含有无法保存的字符。请删除后重试。", place._asdict(), *place)
        )
        return None
    try:
        number = float(raw)
        if kind == "REAL":
            return number + 0.0  # -0.0 and 0.0 are one value
        if number.is_integer():
            return int(number) if isinstance(raw, (str, float)) else int(raw)
    except (TypeError, ValueError):
        pass
    told = place._asdict() | {"value": raw}
    faults.append(
        Fault("number", "表 {table} 的 {row} 行 {column} 应为数字，给出的是“{value}”。请改正或留空。", told, *place)
        if kind == "REAL"
        else Fault(
            "integer", "表 {table} 的 {row} 行 {column} 应为整数，给出的是“{value}”。请改正或留空。", told, *place
        )
    )
    return None


def _missing(raw: Any) -> bool:
    return raw is None or raw is pd.NA or raw is pd.NaT or (isinstance(raw, float) and math.isnan(raw))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wkb(geometry: pd.Series[Any], layout: Layout) -> list[bytes | None]:
    import shapely

    shapes = shapely.force_2d(np.asarray(geometry, dtype=object))
    if layout.geometry.startswith("MULTI"):
        single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        shapes[single] = shapely.multipolygons(shapes[single][:, None]) if single.any() else shapes[single]
    return list(shapely.to_wkb(shapes, byte_order=1, flavor="iso"))


def key_of(row: Mapping[str, Any], layout: Layout) -> tuple[Any, ...]:
    """What identifies a row; blank parts are empty text, so that two blanks are the same."""
    return tuple("" if row.get(name) is None else row[name] for name in layout.key)


def _identity(rows: Iterable[Row], layout: Layout) -> Iterator[Fault]:
    seen: set[tuple[Any, ...]] = set()
    for number, row in enumerate(rows, 1):
        key = key_of(row, layout)
        if key[0] == "":
            yield blank_id(number, layout)
        elif key in seen:
            yield repeated_id("/".join(map(str, key)), layout)
        seen.add(key)


def blank_id(number: int, layout: Layout) -> Fault:
    """Row ``number`` (from 1) has no identifier."""
    return Fault(
        "blank_id",
        "表 {table} 第 {row} 行缺少 {column}。请填写后重试。",
        {"table": layout.name, "row": number, "column": layout.key[0]},
        layout.name,
        str(number),
        layout.key[0],
    )


def repeated_id(label: str, layout: Layout) -> Fault:
    """Two rows have the same identifier."""
    return Fault(
        "repeated_id",
        "表 {table} 里 {row} 出现了不止一次。请只保留一行。",
        {"table": layout.name, "row": label},
        layout.name,
        label,
        layout.key[0],
    )


def compare(before: Iterable[Row], incoming: Iterable[Row], layout: Layout, *, replace: bool) -> Change:
    """What turns ``before`` into the incoming rows: same identifiers are updated in the columns given, others added.

    With ``replace`` the rows that do not come in are removed; columns that do not come in keep their values.
    """
    old = {key_of(row, layout): row for row in before}
    change = Change()
    for row in incoming:
        known = old.pop(key_of(row, layout), None)
        if known is None:
            change.added.append(row)
        elif any(known.get(name) != value for name, value in row.items()):
            change.changed.append((known, known | row))
    if replace:
        change.removed.extend(old.values())
    return change


def fingerprint(row: Mapping[str, Any]) -> int:
    """SHA-256 of a row as a number; the order of its columns, empty ones and the store's own do not count."""
    filled = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None and name not in OWN
    }
    text = WRITTEN(filled)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def digest(rows: Iterable[Mapping[str, Any]]) -> int:
    """Digest of a table: the sum of its rows' fingerprints, modulo 2^256.

    A sum knows no order and can be carried along: a change of one row costs one row, not the table (Bellare and
    Micciancio 1997, https://doi.org/10.1007/3-540-69053-0_13, "AdHash").
    """
    return sum(map(fingerprint, rows)) % MODULUS
