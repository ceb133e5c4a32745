"""Fingerprints of many rows at once: the same sum as :func:`layers.store.rows.digest`, made of columns.

Each distinct value is spelled once and the texts of the rows are joined column by column, so that what is left to do for
a row is its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from layers.store import rows, sql
from layers.store.columnar import arrow
from layers.store.tables import LAYOUTS, OWN

if TYPE_CHECKING:
    import pyarrow as pa

SLICE = 100_000
"""Rows whose texts are in memory together: some 20 MB."""


def digest(table: pa.Table) -> int:
    """Digest of the rows of an Arrow table: the sum of their fingerprints, modulo 2^256."""
    names = sorted(name for name in table.column_names if name not in OWN)
    told = table.select(names)
    return sum(_digest(told.slice(first, SLICE)) for first in range(0, len(told), SLICE)) % rows.MODULUS


def _digest(table: pa.Table) -> int:
    """Sum of the fingerprints of a few rows, by 32-bit limbs: of under 2^32 rows their sums fit in 64 bits."""
    hashed = b"".join([hashlib.sha256(text).digest() for text in _texts(table)])
    limbs = np.frombuffer(hashed, ">u4").reshape(-1, 8).sum(axis=0, dtype=np.uint64)
    return sum(int(limb) << 32 * (7 - place) for place, limb in enumerate(limbs))


def _texts(table: pa.Table) -> list[bytes]:
    """The JSON of each row as :func:`layers.store.rows.fingerprint` spells it: empty columns are not mentioned."""
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = [name for name in table.column_names if table[name].null_count < len(table)]
    if not filled:
        return [b"{}"] * len(table)
    parts = [_spelled(name, table[name].combine_chunks()) for name in filled]
    comma, opening, closing, nothing = (pa.scalar(text, pa.large_string()) for text in (",", "{", "}", ""))
    inside = pc.binary_join_element_wise(*parts, comma, null_handling="skip")
    whole = pc.binary_join_element_wise(opening, inside, closing, nothing)
    found: list[bytes] = whole.cast(pa.large_binary()).to_pylist()
    return found


def _spelled(name: str, column: Any) -> Any:
    """``"name":value`` of each row, spelled once for each distinct value; null where there is none."""
    import pyarrow as pa

    coded = column.dictionary_encode()
    words = [_json(name) + ":" + _json(value) for value in coded.dictionary.to_pylist()]
    return pa.array(words, pa.large_string()).take(coded.indices)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def stored(connection: sa.Connection, table: sa.Table) -> int:
    """Digest of a table as it stands in the database; one of series is read a part at a time."""
    layout = LAYOUTS[table.name]
    if not layout.series:
        return rows.digest(sql.select(connection, table))
    types = {column.name: sql.kind(column) for column in table.columns if column.name not in OWN}
    chosen = sa.select(*(table.c[name] for name in types))
    with connection.execute(chosen, execution_options={"yield_per": SLICE}) as result:
        return sum(digest(arrow([tuple(row) for row in part], types)) for part in result.partitions()) % rows.MODULUS
