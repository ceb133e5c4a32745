"""Records by the thousand and the million out of a database, as columns: what SQLite gives, and what both stores share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from layers.store.columnar import arrow, arrow_type, frame_of

PART = 50_000
"""Rows fetched at a time: only the columns made of them stay in memory."""
FEW = 500
"""Rows that are there as such together: of more Python would look which are garbage, again and again."""


def table(connection: sqlite3.Connection, asked: str, types: Mapping[str, str]) -> pd.DataFrame:
    """Every row that a query gives."""
    import pyarrow as pa

    rows = connection.execute(asked)
    parts = [arrow(part, types) for part in iter(lambda: rows.fetchmany(PART), [])]
    return frame_of(pa.concat_tables(parts) if parts else arrow([], types))


def station(connection: sqlite3.Connection, types: Mapping[str, str], equal: Mapping[str, str]) -> pd.DataFrame:
    """Records of one station and parameter by time."""
    own, alike = split(types)
    where = "FROM observations WHERE " + " AND ".join(f"{quoted(name)} = ?" for name in equal) + " ORDER BY time"
    given, told = tuple(equal.values()), ", ".join(map(quoted, alike))
    first = connection.execute(f"SELECT {told} {where} LIMIT 1", given).fetchone()
    if first is None:
        return frame_of(arrow([], types))
    same = " AND ".join(f"{quoted(name)} IS ?" for name in alike)
    listed = ", ".join([*map(quoted, own), f"CASE WHEN {same} THEN NULL ELSE json_array({told}) END"])
    rows = connection.execute(f"SELECT {listed} {where}", (*first, *given))
    columns: list[list[Any]] = [[] for _ in range(len(own) + 1)]
    for few in iter(lambda: rows.fetchmany(FEW), []):
        for column, values in zip(columns, zip(*few, strict=True), strict=True):
            column.extend(values)
    return joined(types, columns[:-1], first, columns[-1])


def split(types: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Columns in which each record says something of its own, and those in which most say the same: source, unit …

    What a record says as the first one does comes as nothing and is put in here: most of the time that a record takes
    goes into making texts of it.
    """
    own = [name for name, kind in types.items() if name == "time" or kind != "TEXT"]
    return own, [name for name in types if name not in own]


def joined(
    types: Mapping[str, str],
    columns: Sequence[Sequence[Any]],
    first: Sequence[str | None],
    others: Sequence[str | None],
) -> pd.DataFrame:
    """A table of the columns that :func:`split` tells apart.

    ``others``: for each record nothing, where it says the same as the ``first`` one, else what it says as JSON.
    """
    import pyarrow as pa

    own, alike = split(types)
    made: dict[str, Any] = {
        name: pa.array(column, arrow_type(types[name])) for name, column in zip(own, columns, strict=True)
    }
    unlike = {at: json.loads(text) for at, text in enumerate(others) if text is not None}
    for place, name in enumerate(alike):
        made[name] = pa.repeat(pa.scalar(first[place], pa.large_string()), len(others))
        if unlike:
            texts = made[name].to_pylist()
            for at, values in unlike.items():
                texts[at] = values[place]
            made[name] = pa.array(texts, pa.large_string())
    return frame_of(pa.table({name: made[name] for name in types}))


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
