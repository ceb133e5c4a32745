"""What a project asks of the database that keeps it; ``layers.store.store`` and ``layers.store.postgis`` answer alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from layers.store.tables import Layout

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa


class Store(Protocol):
    """What a project asks of the database that keeps it."""

    url: str
    schema: str
    described: dict[Any, Any]
    """Tables as they were described before, by layout and columns: the same object is compiled to SQL once."""

    @property
    def catalog(self) -> str:
        """Name of the database, where a store has one."""

    def facts(self) -> dict[str, str]:
        """Name, revision, schema version … of the project; raises where there is none."""

    def written(self, names: Iterable[str]) -> list[str]:
        """What tells that any program has written these tables: when it was, or what they hold."""

    def series(self, columns: Sequence[str], **equal: str) -> pd.DataFrame:
        """These columns of the observations whose others equal the values given, by time."""

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

    partitioned: bool
    """Whether a table of series is kept a year apart."""

    def pour(self, connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
        """Add rows to a table by the quickest way that the driver has."""

    def changed(self, connection: sa.Connection, table: str) -> str:
        """When any program last wrote a table, where the database tells nobody by itself."""

    def watch(self, connection: sa.Connection, layout: Layout, fact: str) -> None:
        """See to it that a fact of the project does not outlive the next write of a table by another program."""

    def make_room(self, connection: sa.Connection, layout: Layout, years: Iterable[str]) -> None:
        """Prepare a table of series for rows of these years."""

    def settle(self, connection: sa.Connection, table: str) -> None:
        """After many rows: let the database learn how they are spread."""

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
