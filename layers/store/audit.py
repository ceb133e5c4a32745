"""The book: who changed what, when and why; appended in the transaction of the change, never altered.

Each row carries the SHA-256 of the one before it, and the digest its table has after the change.  So a row altered,
removed or slipped in breaks the chain, and a change that has no row leaves a table that differs from its last digest.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

LOG = logging.getLogger("qingyuan")

AUDIT = sa.Table(
    "audit",
    sa.MetaData(),
    sa.Column("audit_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("when", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("row_id", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("audit_of_a_row", "table_name", "row_id", "audit_id"),
)


APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()",
    ],
}


def create(connection: sa.Connection) -> None:
    """Make the book, closed to all but additions."""
    AUDIT.create(connection)
    protect(connection)


def protect(connection: sa.Connection) -> None:
    """Put up the triggers that let nothing in the book be altered or removed."""
    for statement in APPEND_ONLY[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def now(*, ahead_s: float = 0.0) -> str:
    """The moment, or one that far ahead, as the project writes it: UTC, to the millisecond."""
    return (datetime.now(UTC) + timedelta(seconds=ahead_s)).isoformat(timespec="milliseconds")


def text(value: object) -> str:
    """JSON in one spelling: the same value gives the same text; geometry as hexadecimal WKB."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_spell)


def _spell(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value))


def seal(previous: str, row: Mapping[str, Any]) -> str:
    """Hash of an audit row that follows the row whose hash is ``previous``."""
    content = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(f"{previous}\n{text(content)}".encode()).hexdigest()


def append(
    connection: sa.Connection,
    *,
    revision: int,
    who: str,
    what: str,
    table: str,
    row: str = "",
    before: object = None,
    after: object = None,
    why: str = "",
    digest: int = 0,
) -> None:
    """Add one row to the book; the caller holds the write transaction, so no other row can come between.

    Rows are ordered by their number, not by the clock.  The time never runs backwards in the book: if the clock does,
    the row takes the time of the one before, the log says so, and :func:`layers.store.verify.verify` warns as long as it lasts.
    """
    last = connection.execute(
        sa.select(AUDIT.c.audit_id, AUDIT.c.when, AUDIT.c.hash).order_by(AUDIT.c.audit_id.desc()).limit(1)
    ).first()
    moment = now()
    if last and moment < last.when:
        LOG.warning("clock", extra={"event": "clock_behind", "revision": revision})
    entry = {
        "audit_id": (last.audit_id if last else 0) + 1,
        "revision": revision,
        "when": max(moment, last.when) if last else moment,
        "who": who,
        "what": what,
        "table_name": table,
        "row_id": row,
        "before": text(before),
        "after": text(after),
        "why": why,
        "digest": f"{digest:064x}",
    }
    connection.execute(sa.insert(AUDIT).values(entry | {"hash": seal(last.hash if last else "", entry)}))


def last_digest(connection: sa.Connection, table: str) -> int:
    """Digest of a table after its last change in the book; 0, that of an empty table, where it has none."""
    found = connection.execute(
        sa.select(AUDIT.c.digest).where(AUDIT.c.table_name == table).order_by(AUDIT.c.audit_id.desc()).limit(1)
    ).scalar()
    return int(found, 16) if found else 0
