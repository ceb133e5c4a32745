"""How a project begins: its facts, its book, and every table that the data dictionary declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.store import attachments, audit, kept_months, sql, styles
from layers.store.audit import now
from layers.store.migrations import MIGRATIONS
from layers.store.tables import LAYOUTS, Layout

if TYPE_CHECKING:
    import sqlalchemy as sa

    from layers.store.protocol import Store


def found(connection: sa.Connection, store: Store, *, name: str, demo: bool) -> None:
    """Lay out an empty project in a database that has none."""
    sql.FACTS.create(connection)
    audit.create(connection)
    for layout in (Layout("project", ("key",)), Layout("audit", ("audit_id",))):
        store.register(connection, layout)
    for layout in LAYOUTS.values():
        sql.ensure(connection, store, layout, {})
    kept_months.create(connection, store)
    attachments.create(connection)
    store.register(connection, Layout("attachments", ("attachment_id",)))
    styles.create(connection)
    styles.ship(connection, store)
    store.register(connection, Layout("layer_styles", ("id",)))
    version = MIGRATIONS[-1].version
    told = {"name": name, "demo": str(int(demo)), "schema_version": str(version), "revision": "0", "created": now()}
    for key, value in told.items():
        sql.set_fact(connection, key, value)
    kept_months.seal(connection, store)
