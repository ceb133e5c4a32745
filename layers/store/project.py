"""A project: where the tables of a basin live, whichever store keeps them.

``open_project("basin.gpkg")`` or ``open_project("postgresql://…")``; everything else is the same for both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

import hydro
from hydro.errors import Fault, HydroError
from layers.store.desk import Desk, named
from layers.store.protocol import Store
from layers.store.roles import User, local_user
from layers.store.tables import NETWORK, REVISION_OF, SCHEMA_VERSION

if TYPE_CHECKING:
    from layers.store.plans import Plans


class Project(Desk):
    """A handle on a project, with all that can be done with one; it holds no data, so what it tells is stored now."""

    def __init__(self, store: Store, user: User | None = None) -> None:
        super().__init__(store, user or local_user())
        self._facts = store.facts()
        found = int(self._facts.get("schema_version", 0))
        if found < SCHEMA_VERSION:
            from layers.store.migrations import migrate

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

    def as_(self, user: User) -> Project:
        """The same project in somebody else's hands, over the same connections."""
        return Project(self.store, user)

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

    def revision_of(self, names: Iterable[str]) -> int:
        """Revision of the last change of any of these tables: what is made of them alone holds until it grows."""
        facts = self.store.facts()
        return max(int(facts.get(f"{REVISION_OF}{name}", 0)) for name in names)

    def network(self) -> Any:
        """The river network, built from the attributes alone; a large one is kept until a table of it changes.

        Raises:
            HydroError: the project has no reaches yet, or its tables do not make a network.
        """
        from layers.store import kept

        key = kept.stamp(self.store)
        if compiled := kept.load(key):
            tables = self.tables([name for name in NETWORK if name != "reaches"])
            if kept.stamp(self.store) == key:  # nobody wrote in between
                compiled.reaches.attrs["project"] = self.url
                return hydro.join_network(compiled, tables)
        tables = self.tables(NETWORK)
        if tables["reaches"].empty:
            raise HydroError(
                "empty_project", "项目 {name} 里还没有河段。请先用 import 导入河网。", name=self.name or self.url
            )
        tables["reaches"].attrs["project"] = self.url  # where the drawing is, for who wants it
        network = hydro.build_network(tables)
        if len(network.reaches) >= kept.KEPT_FROM and kept.stamp(self.store) == key:
            kept.keep(key, network)
        return network

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
        from layers.store.verify import verify

        return verify(self.store)

    def adopt(self, *, why: str) -> list[str]:
        """Enter in the book what another program has changed (QGIS, say), and return the tables concerned."""
        self.user.must("administer")
        with self.change() as work:
            return work.adopt(why)

    @property
    def plans(self) -> Plans:
        """Plans and the decisions in them."""
        from layers.store.plans import Plans

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
    from layers.store.founding import found
    from layers.store.work import Work

    user = user or local_user()
    user.must("administer")
    store = store_at(path_or_url)
    with store.founding() as connection:
        found(connection, store, name=name, demo=demo)
        if tables:
            Work(connection, store, named(user, who)).write(tables, why=why, replace=False)
    return Project(store, user)


def store_at(path_or_url: str | os.PathLike[str]) -> Store:
    """The store at a path or URL, whether or not there is a project in it."""
    place = os.fspath(path_or_url)
    if place.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        from layers.store.postgis import PostGIS

        return PostGIS(place)
    if "://" in place:
        raise HydroError(
            "unknown_url",
            "不认识的地址 {url}。项目是一个 .gpkg 文件，或 postgresql:// 地址。",
            url=place.split("@")[-1],
        )
    from layers.store.store import GeoPackage

    return GeoPackage(place)
