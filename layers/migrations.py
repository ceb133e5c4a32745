"""From older projects to this version's: each step once, in one transaction with its row in the book, after a backup.

A step never asks what the current program looks like; it says what it does to a project of the version before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hydro.errors import HydroError
from layers import attachments, audit, sql, styles
from layers.tables import Layout

if TYPE_CHECKING:
    from layers.protocol import Store
    from layers.roles import User


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


MIGRATIONS = (
    Migration(2, "attachments of decisions", _attachments),
    Migration(3, "styles that QGIS finds", _styles),
)


def migrate(store: Store, user: User, found: int) -> None:
    """Bring a project up to date, having kept a copy beside it.

    Raises:
        HydroError: it cannot be written, or there is no room for the copy; the project is as it was.
    """
    from layers.backup import copy

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
