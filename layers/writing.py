"""Changes to a project, inside the one transaction that carries them and their rows in the book."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from hydro.errors import Fault, FaultsError, HydroError
from layers import audit, sql
from layers.rows import OWN, Change, Row, clean, compare, key_of, types
from layers.tables import LAYOUTS, Layout, declared

if TYPE_CHECKING:
    from layers.project import Store


def found(connection: sa.Connection, store: Store, *, name: str, demo: bool, version: int) -> None:
    """Lay out an empty project: facts, book, and every table whose columns the dictionary declares."""
    store.create(connection)
    sql.FACTS.create(connection)
    audit.create(connection)
    for layout in (Layout("project", ("key",)), Layout("audit", ("audit_id",))):
        store.register(connection, layout)
    for layout in LAYOUTS.values():
        if declared(layout.name):
            sql.ensure(connection, store, layout, {})
    told = {"name": name, "demo": str(int(demo)), "schema_version": str(version), "revision": "0"}
    for key, value in (told | {"created": datetime.now(UTC).isoformat(timespec="seconds")}).items():
        sql.set_fact(connection, key, value)


def write(
    connection: sa.Connection,
    store: Store,
    tables: Mapping[str, pd.DataFrame],
    *,
    who: str,
    why: str,
    replace: bool | Collection[str],
) -> int:
    """Merge or replace whole tables; see :meth:`layers.project.Project.write`.

    Raises:
        FaultsError: every row of every table that cannot be stored.
    """
    if unknown := [name for name in tables if name not in LAYOUTS]:
        raise HydroError(
            "unknown_table",
            "没有名为 {table} 的表。可用的表：{known}。",
            table="、".join(unknown),
            known="、".join(LAYOUTS),
        )
    incoming = _cleaned(connection, store, tables)
    revision = int(sql.facts(connection)["revision"])
    changed = False
    for name, (kinds, rows) in incoming.items():
        layout = LAYOUTS[name]
        table = sql.ensure(connection, store, layout, kinds)
        whole = replace if isinstance(replace, bool) else name in replace
        change = compare(sql.select(connection, table), rows, layout, replace=whole)
        if change:
            record(connection, store, table, change, revision + 1, who=who, what="write", why=why)
            changed = True
    if changed:
        revision += 1
        sql.set_fact(connection, "revision", str(revision))
    return revision


def _cleaned(
    connection: sa.Connection, store: Store, tables: Mapping[str, pd.DataFrame]
) -> dict[str, tuple[dict[str, str], list[Row]]]:
    faults: list[Fault] = []
    cleaned = {}
    for name, frame in tables.items():
        layout = LAYOUTS[name]
        kinds = types(frame, layout)
        kinds |= {
            column: kind for column, kind in store.columns(connection, name).items() if column in kinds and kind != ""
        }
        try:
            cleaned[name] = (kinds, clean(frame, layout, kinds))
        except FaultsError as problem:
            faults += problem.faults
    if faults:
        raise FaultsError(faults)
    return cleaned


def record(
    connection: sa.Connection,
    store: Store,
    table: sa.Table,
    change: Change,
    revision: int,
    *,
    who: str,
    what: str,
    why: str,
) -> None:
    """Carry out a change of one table and enter it in the book: the two stand and fall together."""
    layout = LAYOUTS[table.name]
    sql.apply(connection, table, change, revision)
    store.touch(connection, layout)
    before, after = _told(change, layout)
    audit.append(
        connection,
        revision=revision,
        who=who,
        what=what,
        table=table.name,
        row=_single(change, layout),
        before=before,
        after=after,
        why=why,
        digest=change.digest(audit.last_digest(connection, table.name)),
    )


def _single(change: Change, layout: Layout) -> str:
    rows = [*change.added, *(new for _, new in change.changed), *change.removed]
    return "/".join(map(str, key_of(rows[0], layout))) if len(rows) == 1 else ""


def _told(change: Change, layout: Layout) -> tuple[Any, Any]:
    """Before and after as the book keeps them: rows removed whole, rows changed in what changed, rows added by id.

    A single added row is kept whole; of many only the identifiers are, and of series without one only their number.
    """

    def bare(row: Row) -> Row:
        return {name: value for name, value in row.items() if value is not None and name not in OWN}

    def identity(row: Row) -> Row:
        return {name: row.get(name) for name in layout.key}

    before: dict[str, Any] = {"removed": [bare(row) for row in change.removed], "changed": []}
    after: dict[str, Any] = {"added": len(change.added), "changed": []}
    if len(layout.key) == 1:
        after["added"] = [key_of(row, layout)[0] for row in change.added]
    if len(change.added) == 1:
        after["added"] = [bare(change.added[0])]
    for old, new in change.changed:
        altered = [name for name in new if name not in OWN and old.get(name) != new[name]]
        before["changed"].append(identity(old) | {name: old.get(name) for name in altered})
        after["changed"].append(identity(new) | {name: new[name] for name in altered})
    return before, after
