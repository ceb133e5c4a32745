"""Records by the thousand and the million out of a SQLite file, as columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

import pandas as pd

from layers.columnar import arrow, arrow_type, frame_of

PART = 50_000
"""Rows fetched at a time: only the columns made of them stay in memory."""


def table(connection: sqlite3.Connection, asked: str, types: Mapping[str, str]) -> pd.DataFrame:
    """Every row that a query gives."""
    import pyarrow as pa

    rows = connection.execute(asked)
    parts = [arrow(part, types) for part in iter(lambda: rows.fetchmany(PART), [])]
    return frame_of(pa.concat_tables(parts) if parts else arrow([], types))


def station(connection: sqlite3.Connection, types: Mapping[str, str], equal: Mapping[str, str]) -> pd.DataFrame:
    """Records of one station and parameter by time.

    What a record says as the first one does (its unit, its source …) comes as nothing and is put in here: most of the
    time that a record takes goes into making texts of it.
    """
    import pyarrow as pa

    where = "FROM observations WHERE " + " AND ".join(f"{quoted(name)} = ?" for name in equal) + " ORDER BY time"
    given = tuple(equal.values())
    own = [name for name, kind in types.items() if name == "time" or kind != "TEXT"]
    alike = [name for name in types if name not in own]
    told = ", ".join(map(quoted, alike))
    first = connection.execute(f"SELECT {told} {where} LIMIT 1", given).fetchone() if alike else ()
    if first is None:
        return frame_of(arrow([], types))
    same = " AND ".join(f"{quoted(name)} IS ?" for name in alike) or "1"
    other = f"CASE WHEN {same} THEN NULL ELSE json_array({told}) END"
    listed = ", ".join([*map(quoted, own), other])
    rows = connection.execute(f"SELECT {listed} {where}", (*first, *given)).fetchall()
    *columns, others = zip(*rows, strict=True) if rows else [()] * (len(own) + 1)
    made: dict[str, Any] = {
        name: pa.array(column, arrow_type(types[name])) for name, column in zip(own, columns, strict=True)
    }
    for place, name in enumerate(alike):
        made[name] = pa.repeat(pa.scalar(first[place], pa.large_string()), len(rows))
    unlike = {at: json.loads(text) for at, text in enumerate(others) if text is not None}
    if unlike:
        for place, name in enumerate(alike):
            texts = made[name].to_pylist()
            for at, values in unlike.items():
                texts[at] = values[place]
            made[name] = pa.array(texts, pa.large_string())
    return frame_of(pa.table({name: made[name] for name in types}))


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
