"""Somebody at work on a store: where everything that reads or writes a project begins.

A desk knows nothing of plans, attachments or migrations; those are written on top of it, and a
:class:`layers.store.project.Project` is a desk with all of them at hand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from hydro.errors import HydroError
from layers.store.protocol import Store
from layers.store.roles import User
from layers.store.tables import LAYOUTS, declared

if TYPE_CHECKING:
    from layers.store.work import Work

LOG = logging.getLogger("qingyuan")


class Desk:
    """A store and whoever works on it; it holds no data, so what it tells is what is stored now."""

    def __init__(self, store: Store, user: User) -> None:
        self.store, self.user = store, user

    def table(self, name: str, *, geometry: bool = False) -> pd.DataFrame:
        """One table; with ``geometry`` a spatial one comes as a GeoDataFrame in EPSG:4490."""
        return self.tables([name], geometry=geometry)[name]

    def tables(self, names: Iterable[str] = tuple(LAYOUTS), *, geometry: bool = False) -> dict[str, pd.DataFrame]:
        """Several tables, all of one revision; by default every one that SCHEMA.md lists but the audit."""
        names = list(names)
        for name in names:
            if name not in LAYOUTS and name != "audit":
                raise HydroError(
                    "unknown_table", "没有名为 {table} 的表。可用的表：{known}。", table=name, known="、".join(LAYOUTS)
                )
        found = self.store.frames(names, geometry=geometry)
        return {name: found.get(name, pd.DataFrame(columns=list(declared(name)))) for name in names}

    def series(self, kind: str, station_id: str, parameter: str) -> pd.DataFrame:
        """What one station measured of one parameter, oldest first: time, value, qualifier, unit, source.

        By the index of the key, so that a look at one section does not read the records of all.
        """
        columns = ("time", "value", "qualifier", "unit", "source")
        return self.store.series(columns, station_kind=kind, station_id=station_id, parameter=parameter)

    def write(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        why: str,
        who: str | None = None,
        replace: bool | Collection[str] = False,
    ) -> int:
        """Write tables in one transaction, with their rows in the book, and return the revision after it.

        Rows of the same identifier are updated in the columns given, the others added; a table named in ``replace``
        (or every one, with ``True``) also loses the rows that are not given.  What changes nothing leaves no trace.
        ``who`` enters the change under another name than the user's own, which only an administrator may.

        Raises:
            FaultsError: every row of every table that cannot be stored.
            HydroError: the user's role or county does not allow it, or the store cannot be written.
        """
        self.user.must("write")
        with self.change(who) as work:
            work.write(tables, why=why, replace=replace)
        return work.revision

    @contextmanager
    def change(self, who: str | None = None) -> Iterator[Work]:
        """One write transaction, alone; all of it happens, or nothing.

        Whatever writes begins here, so that no verb can forget to ask: who may only look cannot begin a change.
        """
        from layers.store.work import Work

        self.user.must("write")
        began, user = time.perf_counter(), named(self.user, who)
        with self.store.begin() as connection:
            work = Work(connection, self.store, user)
            yield work
        LOG.info(
            "change",
            extra={
                "event": "change",
                "revision": work.revision,
                "tables": sorted(work.touched),
                "role": user.role,
                "ms": round((time.perf_counter() - began) * 1000, 1),
            },
        )

    @contextmanager
    def look(self) -> Iterator[Work]:
        """Reading by rows, from one state of the project."""
        from layers.store.work import Work

        with self.store.connect() as connection:
            yield Work(connection, self.store, self.user)


def named(user: User, who: str | None) -> User:
    """The user under another name, which only an administrator may use."""
    if who is None or who == user.name:
        return user
    user.must("administer")
    return replace(user, name=who)
