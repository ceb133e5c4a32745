"""Whether a project is whole: the database, the book, and whether the tables are what the book says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from hydro.errors import Fault
from layers.store import attachments, audit, kept_months, pictures, prints, sql
from layers.store.rows import MODULUS, fingerprint
from layers.store.tables import KEPT_MONTHS, LAYOUTS

if TYPE_CHECKING:
    from layers.store.protocol import Store


CLOCK_MAY_DIFFER_S = 60.0
"""Machines that share a project need not agree to the second."""


def verify(store: Store) -> list[Fault]:
    """Every sign of damage, tampering or loss in a project; an empty list where it is whole."""
    with store.connect() as connection:
        told = store.integrity(connection)
        faults = [Fault("damaged", "数据库已损坏：{what}。请从备份恢复。", {"what": what}) for what in told]
        return faults or [*_book(connection), *_tables(connection, store), *_orphans(connection, store)]


def _book(connection: sa.Connection) -> Iterator[Fault]:
    """Breaks of the chain, gaps in the numbers, and a revision that the book does not account for."""
    previous, revision, newest = "", 0, ""
    entries = connection.execute(sa.select(audit.AUDIT).order_by(audit.AUDIT.c.audit_id)).mappings()
    for number, entry in enumerate(entries, 1):
        if entry["audit_id"] != number or entry["hash"] != audit.seal(previous, dict(entry)):
            yield Fault(
                "broken_chain",
                "账册第 {row} 行与前一行对不上：有记录被改动、删除或插入。请与备份核对。",
                {"row": entry["audit_id"]},
                "audit",
                str(entry["audit_id"]),
                "hash",
            )
            return
        if entry["revision"] - revision not in (0, 1):
            yield Fault(
                "lost_revision",
                "账册里缺少修订 {revision} 的记录。请与备份核对。",
                {"revision": revision + 1},
                "audit",
                str(number),
                "revision",
            )
        previous, revision = entry["hash"], entry["revision"]
        newest = entry["when"]
    if newest > audit.now(ahead_s=CLOCK_MAY_DIFFER_S):
        yield Fault(
            "clock",
            "本机时钟比账册最后一笔（{when}）还早：请校准时钟。账册按序号排列，次序不受影响。",
            {"when": newest},
            "audit",
            warning=True,
        )
    stated = int(sql.facts(connection)["revision"])
    if stated != revision:
        yield Fault(
            "lost_entries",
            "项目的修订是 {stated}，账册只记到 {revision}：末尾的记录丢失。请与备份核对。",
            {"stated": stated, "revision": revision},
            "audit",
        )


def _tables(connection: sa.Connection, store: Store) -> Iterator[Fault]:
    """Tables that are not what the book says they became."""
    for name in LAYOUTS:
        table = sql.reflect(connection, store, name)
        if table is not None and prints.stored(connection, table) != audit.last_digest(connection, name):
            yield _altered(name)
    if kept_months.differ(connection, store):
        yield _altered(KEPT_MONTHS)
    if store.columns(connection, "attachments"):
        total = 0
        for row in connection.execute(sa.select(attachments.ATTACHMENTS)).mappings():
            told = {name: value for name, value in row.items() if name != "content"}
            total = (total + fingerprint(told)) % MODULUS
            if not attachments.matches(told, row["content"]):
                yield _altered("attachments", str(told["attachment_id"]))
        if total != audit.last_digest(connection, "attachments"):
            yield _altered("attachments")
    if store.columns(connection, "pictures") and pictures.altered(connection):
        yield _altered("pictures")


def _altered(table: str, row: str = "") -> Fault:
    return Fault(
        "altered",
        "表 {table} 与账册不符：有改动没有经过本程序。若是在 QGIS 中编辑的，请用 adopt 记入账册；否则请与备份核对。",
        {"table": table},
        table,
        row,
    )


def _orphans(connection: sa.Connection, store: Store) -> Iterator[Fault]:
    """Decisions, measures and tasks of plans that are gone, and decisions on outlets that are."""
    known = {
        "plan_id": _ids(connection, store, "plans", "plan_id"),
        "outlet_id": _ids(connection, store, "outlets", "outlet_id"),
    }
    for name, columns in {
        "decisions": ("plan_id", "outlet_id"),
        "measures": ("plan_id",),
        "tasks": ("plan_id",),
    }.items():
        table = sql.reflect(connection, store, name)
        for row in [] if table is None else sql.select(connection, table):
            for column in columns:
                if row.get(column) and row[column] not in known[column]:
                    yield Fault(
                        "orphan",
                        "表 {table} 的一行指向不存在的 {column} {id}。请删除该行，或补上所指的行。",
                        {"table": name, "column": column, "id": row[column]},
                        name,
                        str(row[column]),
                        column,
                    )


def _ids(connection: sa.Connection, store: Store, name: str, column: str) -> set[Any]:
    table = sql.reflect(connection, store, name)
    return set() if table is None else set(connection.execute(sa.select(table.c[column])).scalars())
