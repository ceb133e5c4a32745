"""How a project begins: its facts, its book, and every table that the data dictionary declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers import audit, sql
from layers.tables import LAYOUTS, Layout
from layers.work import now

if TYPE_CHECKING:
    import sqlalchemy as sa

    from layers.project import Store


def found(connection: sa.Connection, store: Store, *, name: str, demo: bool, version: int) -> None:
    """Lay out an empty project in a database that has none."""
    sql.FACTS.create(connection)
    audit.create(connection)
    for layout in (Layout("project", ("key",)), Layout("audit", ("audit_id",))):
        store.register(connection, layout)
    for layout in LAYOUTS.values():
        sql.ensure(connection, store, layout, {})
    told = {"name": name, "demo": str(int(demo)), "schema_version": str(version), "revision": "0", "created": now()}
    for key, value in told.items():
        sql.set_fact(connection, key, value)
