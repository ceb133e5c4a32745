"""Copies of a project: to a file to keep, back from it, or from one kind of store to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from hydro.errors import FaultsError
from layers.store import attachments, audit, kept_months, pictures, sql, styles
from layers.store.store import GeoPackage
from layers.store.tables import KEPT_MONTHS, LAYOUTS, Layout

if TYPE_CHECKING:
    from layers.store.desk import Desk
    from layers.store.protocol import Store

BATCH = 5000
KEPT_WHOLE = (sql.FACTS, audit.AUDIT, attachments.ATTACHMENTS, pictures.PICTURES, styles.STYLES)


def backup(project: Desk, to: str) -> None:
    """Copy a project, as it is at this moment, to a new project file, and verify the copy.

    Raises:
        HydroError: there is a file of that name, or no room for it.
        FaultsError: the project itself is not whole; the copy is kept, and should be kept apart.
    """
    project.user.must("administer")
    kept = GeoPackage(to)
    copy(project.store, kept)
    _verified(kept)


def restore(source: str, to: Store) -> None:
    """Make a project again from a backup, in a place where there is none.

    Raises:
        FaultsError: the backup is not whole; nothing is restored.
        HydroError: there is a project at that place already.
    """
    kept = GeoPackage(source)
    kept.facts()
    _verified(kept)
    copy(kept, to)


def _verified(store: GeoPackage) -> None:
    from layers.store.verify import verify

    faults = verify(store)
    if any(not fault.warning for fault in faults):
        raise FaultsError(faults)


def copy(source: Store, target: Store) -> None:
    """Copy everything of a project, its book and its numbers included; file to file, byte for byte in effect."""
    if isinstance(source, GeoPackage) and isinstance(target, GeoPackage):
        source.copy_file(target)
        return
    with source.connect() as old, target.founding() as new:
        for kept in KEPT_WHOLE:
            if source.columns(old, kept.name):
                kept.create(new)
                target.register(new, Layout(kept.name, ()))
                _pour(old, new, sa.select(kept), kept)
        audit.protect(new)
        for layout in LAYOUTS.values():
            columns = source.columns(old, layout.name)
            if columns:
                table = sql.describe(target, layout, columns)
                table.create(new)
                target.register(new, layout)
                if layout.series:
                    year = sa.func.substr(sa.column(layout.series[-1]), 1, 4)
                    target.make_room(
                        new, layout, old.scalars(sa.select(year).distinct().select_from(sa.table(layout.name)))
                    )
                _pour(old, new, sa.select(sql.describe(source, layout, columns)).order_by("fid"), table)
                target.touch(new, layout)
        target.renumber(new)
        if source.columns(old, KEPT_MONTHS):
            kept_months.create(new, target)
            kept_months.rebuild(new, target)


def _pour(old: sa.Connection, new: sa.Connection, chosen: sa.Select[tuple[object, ...]], table: sa.Table) -> None:
    rows = old.execution_options(yield_per=BATCH).execute(chosen)
    for batch in rows.mappings().partitions():
        new.execute(sa.insert(table), [dict(row) for row in batch])
