"""A project: where the tables of a basin live, whichever store keeps them.

``open_project("basin.gpkg")`` or ``open_project("postgresql://…")``; everything else is the same for both.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

import hydro
from hydro.errors import Fault, HydroError
from layers.roles import User, local_user
from layers.tables import LAYOUTS, NETWORK, Layout, declared

if TYPE_CHECKING:
    import sqlalchemy as sa

    from layers.plans import Plans
    from layers.work import Work

LOG = logging.getLogger("qingyuan")
SCHEMA_VERSION = 3
"""That of ``layers.migrations.MIGRATIONS``, known here without loading them."""


class Store(Protocol):
    """What a project asks of the database that keeps it."""

    url: str
    schema: str

    @property
    def catalog(self) -> str:
        """Name of the database, where a store has one."""

    def facts(self) -> dict[str, str]:
        """Name, revision, schema version … of the project; raises where there is none."""

    def frames(self, names: Iterable[str], *, geometry: bool = False) -> dict[str, pd.DataFrame]:
        """Tables, all of one state of the project; those that it does not have are left out."""

    def begin(self) -> AbstractContextManager[sa.Connection]:
        """One write transaction, alone."""

    def connect(self) -> AbstractContextManager[sa.Connection]:
        """A connection to read by."""

    @property
    def serial(self) -> Any:
        """SQL type of a column that numbers rows."""

    def geometry(self, kind: str) -> Any:
        """SQL type of a geometry column, WKB on this side."""

    def columns(self, connection: sa.Connection, table: str) -> dict[str, str]:
        """Column -> TEXT, REAL, INTEGER … of a table; empty where there is none."""

    def founding(self) -> AbstractContextManager[sa.Connection]:
        """The transaction in which a project comes to be, where there is none yet."""

    def register(self, connection: sa.Connection, layout: Layout) -> None:
        """Make a new table known to other programs."""

    def touch(self, connection: sa.Connection, layout: Layout) -> None:
        """Tell other programs that a table has changed."""

    def beside(self, label: str) -> Store:
        """The place beside this one that carries a label in its name."""

    def renumber(self, connection: sa.Connection) -> None:
        """Let new rows be numbered after those that came in with their numbers."""

    def integrity(self, connection: sa.Connection) -> list[str]:
        """What the database itself finds wrong."""

    def close(self) -> None:
        """Give back what is held open."""


class Project:
    """A handle on a project; it holds no data, so what it tells is what is stored now."""

    def __init__(self, store: Store, user: User | None = None) -> None:
        self.store = store
        self.user = user or local_user()
        self._facts = store.facts()
        found = int(self._facts.get("schema_version", 0))
        if found < SCHEMA_VERSION:
            from layers.migrations import migrate

            migrate(store, self.user, found)
            self._facts = store.facts()
        if found > SCHEMA_VERSION:
            raise HydroError(
                "newer_project",
                "项目 {path} 由更新的版本写成（结构 {found}，本程序识得 {known}）。请升级程序后再打开。",
                path=store.url,
                found=found,
                known=SCHEMA_VERSION,
            )

    @property
    def url(self) -> str:
        """Path or URL by which the project was opened."""
        return self.store.url

    @property
    def name(self) -> str:
        """Name of the project, as people call it."""
        return self._facts.get("name", "")

    @property
    def demo(self) -> bool:
        """Whether its figures are made up, and 示例 must stand wherever they are shown."""
        return self._facts.get("demo") == "1"

    @property
    def revision(self) -> int:
        """Number of changes so far: the key by which a cache knows whether it is still right."""
        return int(self.store.facts()["revision"])

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

    def network(self) -> Any:
        """The river network, built from the attributes alone.

        Raises:
            HydroError: the project has no reaches yet, or its tables do not make a network.
        """
        tables = self.tables(NETWORK)
        if tables["reaches"].empty:
            raise HydroError(
                "empty_project", "项目 {name} 里还没有河段。请先用 import 导入河网。", name=self.name or self.url
            )
        tables["reaches"].attrs["project"] = self.url  # where the drawing is, for who wants it
        return hydro.build_network(tables)

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
        """One write transaction, alone; all of it happens, or nothing."""
        from layers.work import Work

        began, user = time.perf_counter(), _named(self.user, who)
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
        from layers.work import Work

        with self.store.connect() as connection:
            yield Work(connection, self.store, self.user)

    def book(self, *, table: str = "", row: str = "", who: str = "", since: str = "") -> pd.DataFrame:
        """The audit, oldest first: of one table, of rows whose id holds ``row``, of one person, from a time on."""
        found = self.table("audit")
        for column, wanted in (("table_name", table), ("who", who)):
            found = found[found[column] == wanted] if wanted else found
        if row:
            told = found["row_id"] + "\n" + found["before"] + "\n" + found["after"]
            found = found[told.str.contains(row, regex=False)]
        return found[found["when"] >= since] if since else found

    def verify(self) -> list[Fault]:
        """Every sign of damage, tampering or loss; an empty list where the project is whole."""
        from layers.verify import verify

        return verify(self.store)

    def adopt(self, *, why: str) -> list[str]:
        """Enter in the book what another program has changed (QGIS, say), and return the tables concerned."""
        self.user.must("administer")
        with self.change() as work:
            return work.adopt(why)

    @property
    def plans(self) -> Plans:
        """Plans and the decisions in them."""
        from layers.plans import Plans

        return Plans(self)

    def close(self) -> None:
        """Give back what the store holds open; the handle still works afterwards."""
        self.store.close()


def open_project(path_or_url: str | os.PathLike[str], *, user: User | None = None) -> Project:
    """Open a project file or a PostGIS schema, as somebody; by default as whoever sits at this machine.

    Raises:
        HydroError: it is not there, not a project, damaged, or of a newer version.
    """
    return Project(store_at(path_or_url), user)


def create_project(
    path_or_url: str | os.PathLike[str],
    *,
    name: str,
    demo: bool = False,
    tables: Mapping[str, pd.DataFrame] | None = None,
    user: User | None = None,
    who: str | None = None,
    why: str = "建立项目",
) -> Project:
    """Make a new project, with its first tables where given: it is there whole, or not at all.

    Raises:
        HydroError: there is something at that place already, or it cannot be written.
        FaultsError: the tables hold rows that cannot be stored.
    """
    from layers.founding import found
    from layers.work import Work

    user = user or local_user()
    user.must("administer")
    store = store_at(path_or_url)
    with store.founding() as connection:
        found(connection, store, name=name, demo=demo)
        if tables:
            Work(connection, store, _named(user, who)).write(tables, why=why, replace=False)
    return Project(store, user)


def _named(user: User, who: str | None) -> User:
    if who is None or who == user.name:
        return user
    user.must("administer")
    return replace(user, name=who)


def store_at(path_or_url: str | os.PathLike[str]) -> Store:
    """The store at a path or URL, whether or not there is a project in it."""
    place = os.fspath(path_or_url)
    if place.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        from layers.postgis import PostGIS

        return PostGIS(place)
    if "://" in place:
        raise HydroError(
            "unknown_url",
            "不认识的地址 {url}。项目是一个 .gpkg 文件，或 postgresql:// 地址。",
            url=place.split("@")[-1],
        )
    from layers.store import GeoPackage

    return GeoPackage(place)
