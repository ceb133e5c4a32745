"""Rows into and out of a database, in the SQL that every store speaks (SQLAlchemy Core)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from layers.store.rows import Change, Row
from layers.store.tables import LAYOUTS, OWN, Layout, declared

if TYPE_CHECKING:
    from layers.store.protocol import Store

FACTS = sa.Table(
    "project", sa.MetaData(), sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False)
)
STORAGE: dict[str, sa.types.TypeEngine[Any]] = {
    "TEXT": sa.Text(),
    "REAL": sa.Double().with_variant(sa.REAL(), "sqlite"),
    "INTEGER": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
}

SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that sorts byte by byte, whatever the language of the database: so ISO 8601 sorts by time."""


def set_fact(connection: sa.Connection, key: str, value: str) -> None:
    """Write one fact of the project (its name, revision, schema version …)."""
    if not connection.execute(sa.update(FACTS).where(FACTS.c.key == key).values(value=value)).rowcount:
        connection.execute(sa.insert(FACTS).values(key=key, value=value))


def facts(connection: sa.Connection) -> dict[str, str]:
    """Every fact of the project."""
    return {str(row.key): str(row.value) for row in connection.execute(sa.select(FACTS))}


def ensure(connection: sa.Connection, store: Store, layout: Layout, wanted: Mapping[str, str]) -> sa.Table:
    """The table of a layout with at least the columns wanted, made or widened where it lacks them."""
    present = store.columns(connection, layout.name)
    if not present:
        columns = {**dict.fromkeys(layout.key, "TEXT"), **declared(layout.name), **wanted}
        made = describe(store, layout, columns)
        made.create(connection)
        store.register(connection, layout)
        return made
    for name in wanted.keys() - present.keys():
        column = sa.Column(name, STORAGE[wanted[name]])
        spelled = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
        prepared = connection.dialect.identifier_preparer.quote(layout.name)
        connection.exec_driver_sql(f"ALTER TABLE {prepared} ADD COLUMN {spelled}".replace("%", "%%"))
    return describe(store, layout, present | {name: wanted[name] for name in wanted.keys() - present.keys()})


def describe(store: Store, layout: Layout, columns: Mapping[str, str]) -> sa.Table:
    """The table of a layout as SQLAlchemy knows it; with the same columns the same object, so that it compiles once."""
    told = (layout, tuple(columns.items()))
    if told not in store.described:
        store.described[told] = _describe(store, layout, columns)
    return cast(sa.Table, store.described[told])


def _describe(store: Store, layout: Layout, columns: Mapping[str, str]) -> sa.Table:
    geometry = [sa.Column("geom", store.geometry(layout.geometry))] if layout.geometry else []
    apart = layout.series[-1] if layout.series and store.partitioned else ""
    return sa.Table(
        layout.name,
        sa.MetaData(),
        sa.Column("fid", store.serial, primary_key=True, autoincrement=True),
        *geometry,
        *(
            sa.Column(name, SORTED if name in layout.series else STORAGE[kind], primary_key=name == apart)
            for name, kind in columns.items()
            if name not in ("geom", *OWN)
        ),
        sa.Column("row_revision", STORAGE["INTEGER"], nullable=False, server_default="0"),
        sa.UniqueConstraint(*(layout.series or layout.key), name=f"one_{layout.name}_of_a_key"),
        sqlite_autoincrement=True,
        postgresql_partition_by=f"RANGE ({apart})" if apart else None,
    )


def kind(column: sa.Column[Any]) -> str:
    """Storage type (TEXT, REAL, INTEGER) of a column."""
    if isinstance(column.type, sa.Integer):
        return "INTEGER"
    return "REAL" if isinstance(column.type, sa.Float) else "TEXT"


def reflect(connection: sa.Connection, store: Store, table: str) -> sa.Table | None:
    """The table as it stands in the store; None where it does not exist."""
    present = store.columns(connection, table)
    return describe(store, LAYOUTS[table], present) if present else None


def select(connection: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Row]:
    """Rows of a table, in the order in which they were added."""
    return [dict(row._mapping) for row in connection.execute(sa.select(table).where(*conditions).order_by("fid"))]


def apply(connection: sa.Connection, table: sa.Table, change: Change, revision: int) -> None:
    """Carry out a change of a table; each row added or changed is stamped with the revision."""
    stamp = {"row_revision": revision}
    for rows in _alike(row | stamp for row in change.added):
        connection.execute(sa.insert(table), rows)
    here = table.c.fid == sa.bindparam("here")
    for rows in _alike(new | stamp | {"here": old["fid"]} for old, new in change.changed):
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in rows[0] if name not in ("here", "fid")}
        renamed = [{name if name == "here" else f"new_{name}": value for name, value in row.items()} for row in rows]
        connection.execute(sa.update(table).where(here).values(values), renamed)
    if change.removed:
        connection.execute(sa.delete(table).where(here), [{"here": row["fid"]} for row in change.removed])


def _alike(rows: Iterable[Row]) -> Iterable[list[Row]]:
    """Rows by the columns that they fill, so that each group is one prepared statement."""
    groups: dict[frozenset[str], list[Row]] = {}
    for row in rows:
        groups.setdefault(frozenset(row), []).append(row)
    return groups.values()
