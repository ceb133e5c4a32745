"""From older projects to this version's: each step once, in one transaction with its row in the book, after a backup.

A step never asks what the current program looks like; it says what it does to a project of the version before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hydro.errors import HydroError
from layers.store import attachments, audit, kept_months, partitions, sql, styles
from layers.store.tables import OWN, Layout

if TYPE_CHECKING:
    from layers.store.protocol import Store
    from layers.store.roles import User


@dataclass(frozen=True)
class Migration:
    """A step to ``version``; ``what`` says in the book what it did."""

    version: int
    what: str
    apply: Callable[[sa.Connection, Store], None]


def _attachments(connection: sa.Connection, store: Store) -> None:
    attachments.create(connection)
    store.register(connection, Layout("attachments", ("attachment_id",)))


def _styles(connection: sa.Connection, store: Store) -> None:
    styles.create(connection)
    styles.ship(connection, store)
    store.register(connection, Layout("layer_styles", ("id",)))


BY_SERIES = "station_kind, station_id, parameter, time"


def _series(connection: sa.Connection, store: Store) -> None:
    """Observations by station, parameter and time, and on PostGIS a year apart; every row keeps its number."""
    if present := store.columns(connection, "observations"):
        rebuilt = _rebuilt_in_a_file if connection.dialect.name == "sqlite" else _rebuilt_on_a_server
        for step in rebuilt(connection, present):
            connection.exec_driver_sql(step.replace("%", "%%"))


def _rebuilt_in_a_file(connection: sa.Connection, present: Mapping[str, str]) -> Iterator[str]:
    name = connection.dialect.identifier_preparer.quote
    listed = ", ".join(map(name, present))
    kinds = "".join(f", {name(column)} {kind}" for column, kind in present.items() if column not in OWN)
    yield (
        f"CREATE TABLE observations_new (fid INTEGER PRIMARY KEY AUTOINCREMENT{kinds}, "
        f"row_revision INTEGER NOT NULL DEFAULT 0, CONSTRAINT one_observations_of_a_key UNIQUE ({BY_SERIES}))"
    )
    yield f"INSERT INTO observations_new ({listed}) SELECT {listed} FROM observations ORDER BY fid"
    yield "DROP TABLE observations"
    yield "ALTER TABLE observations_new RENAME TO observations"


def _rebuilt_on_a_server(connection: sa.Connection, present: Mapping[str, str]) -> Iterator[str]:
    """Columns keep their types and the table its readers; a time must be told, since it says where a row lies."""
    name = connection.dialect.identifier_preparer.quote
    described = connection.exec_driver_sql(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = 'observations'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    ).all()
    readers = connection.exec_driver_sql(
        "SELECT privilege_type, CASE grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(grantee) END "
        "FROM information_schema.role_table_grants WHERE table_schema = current_schema() "
        "AND table_name = 'observations' AND grantee <> grantor"
    ).all()
    years = connection.exec_driver_sql("SELECT DISTINCT left(time, 4) FROM observations").scalars().all()
    kinds = dict.fromkeys(BY_SERIES.split(", "), 'text COLLATE "C"')
    kinds = {column: kinds.get(column, kind) for column, kind in described if column not in OWN}
    listed = "".join(f", {name(column)} {kind}" for column, kind in kinds.items())
    yield "ALTER TABLE observations RENAME TO observations_before"
    yield "ALTER TABLE observations_before DROP CONSTRAINT one_observations_of_a_key, DROP CONSTRAINT observations_pkey"
    yield "ALTER SEQUENCE observations_fid_seq OWNED BY NONE"
    yield (
        f"CREATE TABLE observations (fid bigint DEFAULT nextval('observations_fid_seq'){listed}, "
        "row_revision bigint NOT NULL DEFAULT 0, PRIMARY KEY (fid, time), "
        f"CONSTRAINT one_observations_of_a_key UNIQUE ({BY_SERIES})) PARTITION BY RANGE (time)"
    )
    yield "ALTER SEQUENCE observations_fid_seq OWNED BY observations.fid"
    partitions.create_other(connection, "observations")
    partitions.make(connection, "observations", [year or "" for year in years])
    names = ", ".join(map(name, present))
    values = ", ".join("coalesce(time, '')" if column == "time" else name(column) for column in present)
    yield f"INSERT INTO observations ({names}) SELECT {values} FROM observations_before ORDER BY fid"
    yield "DROP TABLE observations_before"
    for right, whom in readers:
        yield f"GRANT {right} ON observations TO {whom}"
    yield "ANALYZE observations"


def _months(connection: sa.Connection, store: Store) -> None:
    kept_months.create(connection, store)
    kept_months.rebuild(connection, store)


MIGRATIONS = (
    Migration(2, "attachments of decisions", _attachments),
    Migration(3, "styles that QGIS finds", _styles),
    Migration(4, "observations by station, parameter and time", _series),
    Migration(5, "monthly means beside the observations", _months),
)


def migrate(store: Store, user: User, found: int) -> None:
    """Bring a project up to date, having kept a copy beside it.

    Raises:
        HydroError: it cannot be written, or there is no room for the copy; the project is as it was.
    """
    from layers.store.backup import copy

    kept = store.beside(f"v{found}")
    try:
        copy(store, kept)
    except HydroError as problem:
        if problem.code != "exists":  # kept by an earlier attempt, or by somebody who migrates at this moment
            raise
    finally:
        kept.close()
    with store.begin() as connection:
        apply(connection, store, user.name)


def apply(connection: sa.Connection, store: Store, who: str) -> None:
    """Every step that is still to do, asked again inside the transaction: another process may have been first."""
    facts = sql.facts(connection)
    version, revision = int(facts["schema_version"]), int(facts["revision"])
    for step in MIGRATIONS:
        if step.version > version:
            revision += 1
            step.apply(connection, store)
            sql.set_fact(connection, "schema_version", str(step.version))
            sql.set_fact(connection, "revision", str(revision))
            audit.append(
                connection,
                revision=revision,
                who=who,
                what="migrate",
                table="project",
                row="schema_version",
                before=step.version - 1,
                after=step.version,
                why=step.what,
            )
