"""Rows into and out of PostgreSQL as columns: no object is made for a row.

Many rows by COPY, in CSV as both sides write it: a value that is missing is nothing at all, an empty text is a pair of quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from layers.store.columnar import arrow, arrow_type, frame_of
from layers.store.series import FEW, joined, split

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from psycopg import Connection

PART = 50_000
"""Rows written or read at a time."""


def pour(connection: Connection, table: str, rows: pa.Table) -> None:
    """Add rows to a table."""
    import pyarrow as pa
    from psycopg import sql
    from pyarrow import csv

    names = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    asked = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(asked) as copy:
        for batch in rows.to_batches(max_chunksize=PART):
            sink = pa.BufferOutputStream()
            csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
            copy.write(memoryview(sink.getvalue()))


def fetch(connection: Connection, table: str, types: Mapping[str, str], *, order: str = "") -> pa.Table:
    """Columns of every row of a table, in the order of one of its columns where one is named."""
    import pyarrow as pa
    from psycopg import sql

    listed = sql.SQL(", ").join(map(sql.Identifier, types))
    asked = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT (FORMAT csv)").format(
        listed,
        sql.Identifier(table),
        sql.SQL(" ORDER BY {}").format(sql.Identifier(order)) if order else sql.SQL(""),
    )
    with connection.cursor() as cursor, cursor.copy(asked) as copy:
        rows = iter(copy)  # the server sends a row at a time, so that some of them are whole
        some = iter(lambda: b"".join(islice(rows, FEW)), b"")
        parts = [_parsed(part, types) for part in iter(lambda: b"".join(islice(some, PART // FEW)), b"")]
    return pa.concat_tables(parts) if parts else arrow([], types)


def station(connection: Connection, types: Mapping[str, str], equal: Mapping[str, str]) -> pd.DataFrame:
    """Records of one station and parameter by time, a column in one piece each: the server makes no row of them."""
    from psycopg import sql

    own, alike = split(types)
    names = {name: sql.Identifier(name) for name in (*types, *equal)}
    comma, both = sql.SQL(", "), sql.SQL(" AND ")
    where = sql.SQL("FROM observations WHERE {} ORDER BY time").format(
        both.join(sql.SQL("{} = {}").format(names[name], sql.Literal(value)) for name, value in equal.items())
    )
    told = comma.join(names[name] for name in alike)
    with connection.cursor(binary=True) as cursor:
        first = cursor.execute(sql.SQL("SELECT {} {} LIMIT 1").format(told, where)).fetchone()
        if first is None:
            return frame_of(arrow([], types))
        same = both.join(
            sql.SQL("{} IS NOT DISTINCT FROM {}::text").format(names[name], sql.Literal(value))
            for name, value in zip(alike, first, strict=True)
        )
        other = sql.SQL("CASE WHEN {} THEN NULL ELSE json_build_array({})::text END").format(same, told)
        asked = sql.SQL("SELECT {}, array_agg(other) FROM (SELECT {}, {} AS other {}) AS series").format(
            comma.join(sql.SQL("array_agg({})").format(names[name]) for name in own),
            comma.join(names[name] for name in own),
            other,
            where,
        )
        *columns, others = cursor.execute(asked).fetchone() or ()
    return joined(types, columns, first, others)


def _parsed(text: bytes, types: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    return csv.read_csv(
        pa.py_buffer(text),
        csv.ReadOptions(column_names=list(types), block_size=len(text) + 1, use_threads=False),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types={name: arrow_type(kind) for name, kind in types.items()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
