"""Rows into and out of PostgreSQL by COPY, as Arrow columns: no object is made for a row.

In CSV as both sides write it: a value that is missing is nothing at all, an empty text is a pair of quotes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layers.columnar import arrow_type

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg import Connection

PART = 50_000
"""Rows written at a time."""
BLOCK = 8 << 20
"""Bytes read at a time."""


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


def fetch(
    connection: Connection,
    table: str,
    types: Mapping[str, str],
    *,
    order: str,
    equal: Mapping[str, str] | None = None,
) -> pa.Table:
    """Columns of the rows of a table that equal the values given, in the order of one of its columns."""
    from psycopg import sql
    from pyarrow import csv

    wanted = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in (equal or {}).items()
    ]
    asked = sql.SQL("COPY (SELECT {} FROM {}{} ORDER BY {}) TO STDOUT (FORMAT csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, types)),
        sql.Identifier(table),
        sql.SQL(" WHERE ") + sql.SQL(" AND ").join(wanted) if wanted else sql.SQL(""),
        sql.Identifier(order),
    )
    with connection.cursor() as cursor, cursor.copy(asked) as copy:
        pulled = _Pulled(iter(copy))
        if not pulled.peek():
            return empty(list(types), types)
        read = csv.open_csv(
            pulled,
            csv.ReadOptions(column_names=list(types), block_size=BLOCK),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(
                column_types={name: arrow_type(kind) for name, kind in types.items()},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return read.read_all()


def empty(names: Sequence[str], types: Mapping[str, str]) -> pa.Table:
    """No rows of these columns."""
    import pyarrow as pa

    return pa.schema([(name, arrow_type(types[name])) for name in names]).empty_table()


class _Pulled(io.RawIOBase):
    """What the server sends, read as a file is."""

    def __init__(self, blocks: Iterator[Any]) -> None:
        self._blocks, self._left = blocks, b""

    def peek(self) -> bytes:
        """The next bytes, which are still to be read; none at the end."""
        if not self._left:
            self._left = bytes(next(self._blocks, b""))
        return self._left

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes: the server sends a row at a time, and few of them make no block."""
        parts, length = [], 0
        while (size < 0 or length < size) and self.peek():
            room = None if size < 0 else size - length
            parts.append(self._left[:room])
            length += len(parts[-1])
            self._left = b"" if room is None else self._left[room:]
        return b"".join(parts)
