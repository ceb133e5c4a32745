"""A project in one file: a GeoPackage that QGIS opens as it is.

Reading is plain ``sqlite3`` (a trace on the command line has no time to load more); writing goes through SQLAlchemy,
in one immediate transaction on a write-ahead log, so that a process that dies leaves the old project or the new one.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hydro.errors import HydroError
from layers.store import series
from layers.store.series import quoted
from layers.store.shares import share
from layers.store.sqlite import BUSY_S, begin_to_read, begin_to_write, engine, opened_to_found, opened_to_write
from layers.store.tables import OWN, by_columns, frame

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

    from layers.store.tables import Layout


class GeoPackage:
    """A project file; implements :class:`layers.store.protocol.Store`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.url = str(path)
        self.described: dict[Any, Any] = {}

    # -- reading -------------------------------------------------------------------------------------------------

    def facts(self) -> dict[str, str]:
        """Name, revision, schema version … of the project.

        Raises:
            HydroError: there is no such file, it is no GeoPackage, it is damaged, not a project, or on a network share.
        """
        if not self.path.exists():
            raise HydroError(
                "missing_project", "找不到项目文件 {path}。请检查路径，或先用 import 建立项目。", path=self.url
            )
        self._on_a_local_disk()
        if not self.path.is_file():
            raise HydroError("not_a_file", "{path} 不是文件。项目是一个 .gpkg 文件，请给出它的路径。", path=self.url)
        with self._read() as connection:
            known = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "project" not in known or "audit" not in known:
                raise HydroError(
                    "not_a_project",
                    "{path} 不是清源项目，而是一般的数据文件。请先导入：import {path} --into 项目.gpkg",
                    path=self.url,
                )
            return dict(connection.execute("SELECT key, value FROM project"))

    def written(self, names: Iterable[str]) -> list[str]:
        """When any program last wrote these tables, as ``gpkg_contents`` tells."""
        with self._read() as connection:
            told = dict(connection.execute("SELECT table_name, last_change FROM gpkg_contents"))
        return [str(told.get(name, "")) for name in names]

    def series(self, columns: Sequence[str], **equal: str) -> pd.DataFrame:
        """These columns of the observations whose others equal the values given, by time; the key's index finds them."""
        with self._read() as connection:
            types = _columns(connection.execute("PRAGMA table_info(observations)").fetchall())
            return series.station(connection, {name: types[name] for name in columns}, equal)

    def frames(self, names: Iterable[str], *, geometry: bool = False) -> dict[str, pd.DataFrame]:
        """Tables by plain SQL, all of one state of the project; those that it does not have are left out."""
        found = {}
        with self._read() as connection:
            for name in names:
                described = _columns(connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall())
                types = {
                    column: kind
                    for column, kind in described.items()
                    if column not in OWN and (geometry or column != "geom")
                }
                if types:
                    listed = ", ".join(map(quoted, types))
                    asked = f"SELECT {listed} FROM {quoted(name)} ORDER BY rowid"
                    if by_columns(name):
                        found[name] = series.table(connection, asked, types)
                        continue
                    found[name] = frame(_bare(connection.execute(asked).fetchall(), list(types)), types)
        return found

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self.spoken():
            connection = self._opened_to_read()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def _opened_to_read(self) -> sqlite3.Connection:
        # Who may write opens to write, so that the last to leave can fold the log into the file and remove it.
        place = self.path.resolve().as_uri()
        mode = "rw" if _writable(self.path) else "ro"
        connection = sqlite3.connect(f"{place}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if os.access(self.path.parent, os.W_OK) or self._log().exists():
                raise
            # A log cannot be opened in a folder that cannot be written; nor can anyone be writing there.
            connection = sqlite3.connect(f"{place}?mode=ro&immutable=1", uri=True, isolation_level=None)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def _on_a_local_disk(self) -> None:
        if kind := share(self.path):
            raise HydroError(
                "network_share",
                "项目 {path} 在网络共享（{kind}）上，那里的文件锁不可靠，多人同时写会损坏项目。请移到本机磁盘；多人共用请改用 PostGIS。",
                path=self.url,
                kind=kind,
            )

    def _log(self) -> Path:
        return self.path.with_name(self.path.name + "-wal")

    # -- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One write transaction, alone: committed at the end, or as if it had never been."""
        if not _writable(self.path):
            raise HydroError("read_only", "项目 {path} 是只读的，不能保存。请复制到可写的文件夹再改。", path=self.url)
        with self.spoken(), self._writing.begin() as connection:
            yield connection

    @cached_property
    def _writing(self) -> sa.Engine:
        return engine(lambda: opened_to_write(self.path), begin_to_write)

    @cached_property
    def _reading(self) -> sa.Engine:
        return engine(self._opened_to_read, begin_to_read)

    @contextmanager
    def founding(self) -> Iterator[sa.Connection]:
        """The transaction in which a project comes to be: its file appears whole at the end, or not at all."""
        from layers.store.geopackage import create_core

        self._on_a_local_disk()
        with self.appearing() as growing, self.spoken():
            with engine(lambda: opened_to_found(growing), begin_to_write).begin() as connection:
                create_core(connection)
                yield connection
            opened_to_write(growing).close()  # from here on with a log
            with growing.open("rb+") as file:
                os.fsync(file)

    @contextmanager
    def appearing(self) -> Iterator[Path]:
        """A file to fill, which takes the place of this one at the end unless something is there."""
        if not self.path.parent.is_dir() or not os.access(self.path.parent, os.W_OK):
            raise HydroError(
                "no_folder", "文件夹 {path} 不存在或不可写。请先建立它，或换一个位置。", path=str(self.path.parent)
            )
        growing = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}.new")
        try:
            if self.path.exists():
                raise FileExistsError(self.path)
            with self.spoken():
                yield growing
            os.link(growing, self.path)  # unlike a rename, refuses to overwrite what has come there meanwhile
        except FileExistsError:
            raise HydroError(
                "exists", "{path} 已经存在。请换一个名字，或用 import 写入已有项目。", path=self.url
            ) from None
        finally:
            for left in self.path.parent.glob(f"{growing.name}*"):
                left.unlink(missing_ok=True)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection to read by; it sees one state of the project throughout."""
        with self.spoken(), self._reading.connect() as connection:
            yield connection

    @property
    def serial(self) -> Any:
        """Type of a column that numbers rows."""
        import sqlalchemy as sa

        return sa.Integer

    def geometry(self, kind: str) -> Any:
        """Type of a geometry column."""
        from layers.store.geopackage import Geometry

        return Geometry(kind)

    partitioned = False
    """Whether a table of series is kept a year apart."""

    def pour(self, connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
        """Add rows to a table, some at a time."""
        driver = connection.connection.driver_connection
        assert driver is not None
        listed, marks = ", ".join(map(quoted, rows.column_names)), ", ".join("?" * rows.num_columns)
        adding = f"INSERT INTO {quoted(table.name)} ({listed}) VALUES ({marks})"
        for part in rows.to_batches(max_chunksize=series.PART):
            driver.executemany(adding, zip(*(column.to_pylist() for column in part.columns), strict=True))

    def changed(self, connection: sa.Connection, table: str) -> str:
        """When any program last wrote a table, as ``gpkg_contents`` tells."""
        told = connection.exec_driver_sql("SELECT last_change FROM gpkg_contents WHERE table_name = ?", (table,))
        return str(told.scalar())

    def watch(self, connection: sa.Connection, layout: Layout, fact: str) -> None:
        """Nothing to do: who writes a GeoPackage notes it in ``gpkg_contents``."""

    def make_room(self, connection: sa.Connection, layout: Layout, years: Iterable[str]) -> None:
        """Nothing to do: a file keeps all years together."""

    def settle(self, connection: sa.Connection, table: str) -> None:
        """Let SQLite sample how the rows of a table are spread, for whoever asks otherwise than by the key."""
        connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
        connection.exec_driver_sql(f"ANALYZE {table}")

    def columns(self, connection: sa.Connection, table: str) -> dict[str, str]:
        """Column -> type of a table as it is in the file; empty where there is none."""
        return _columns(connection.exec_driver_sql(f"PRAGMA table_info({quoted(table)})").fetchall())

    def register(self, connection: sa.Connection, layout: Layout) -> None:
        """Make a new table known to other programs."""
        from layers.store.geopackage import register

        register(connection, layout)

    def touch(self, connection: sa.Connection, layout: Layout) -> None:
        """Tell other programs that a table has changed."""
        from layers.store.geopackage import touch

        touch(connection, layout)

    catalog, schema = "", ""
    """Where QGIS looks for the styles of the layers: a file has no such places."""

    def beside(self, label: str) -> GeoPackage:
        """The file beside this one that carries a label in its name."""
        return GeoPackage(self.path.with_name(f"{self.path.stem}.{label}{self.path.suffix}"))

    def renumber(self, connection: sa.Connection) -> None:
        """Nothing to do: SQLite remembers the highest number of a table by itself."""

    def integrity(self, connection: sa.Connection) -> list[str]:
        """What SQLite itself finds wrong with the file, and rows that its spatial index lacks or invents."""
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
        broken = [f"{row[0]} → {row[2]}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
        return ([] if found == ["ok"] else found) + broken

    def copy_file(self, target: GeoPackage) -> None:
        """Copy the file as it is at this moment, while others may write, to one that appears whole or not at all."""
        with self._read() as source, target.appearing() as growing:
            copied = sqlite3.connect(growing)
            try:
                source.backup(copied)
            finally:
                copied.close()

    def close(self) -> None:
        """Nothing is held open between calls: the log is folded into the file as soon as nobody reads or writes."""

    @contextmanager
    def spoken(self) -> Iterator[None]:
        """Say what the database says in the reader's words."""
        try:
            yield
        except Exception as problem:
            cause = getattr(problem, "orig", problem)
            if isinstance(cause, sqlite3.Error):
                raise _told(cause, self.url) from problem
            raise


def _told(problem: sqlite3.Error, path: str) -> HydroError:
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return HydroError("busy", "项目 {path} 正被别人写入，等待超时。请稍后再试，您的改动尚未保存。", path=path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return HydroError("read_only", "项目 {path} 是只读的，不能保存。请复制到可写的文件夹再改。", path=path)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return HydroError(
            "disk", "项目 {path} 没有写成，磁盘已满或出错；项目仍是原来的样子。请腾出空间后重试。", path=path
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN):
        return HydroError("broken_project", "{path} 打不开：不是 GeoPackage，或文件已损坏。请从备份恢复。", path=path)
    return HydroError(
        "database",
        "项目 {path} 出错：{problem}。项目没有改动，请重试或运行 check --deep。",
        path=path,
        problem=str(problem),
    )


def _columns(described: Any) -> dict[str, str]:
    """Column -> TEXT, REAL or INTEGER by SQLite's rules of affinity (https://www.sqlite.org/datatype3.html, 3.1)."""
    return {str(row[1]): _affinity(str(row[2]).upper()) for row in described}


def _affinity(declared: str) -> str:
    if "INT" in declared and declared != "POINT":
        return "INTEGER"
    return "REAL" if any(part in declared for part in ("REAL", "FLOA", "DOUB")) else "TEXT"


def _bare(rows: list[Any], names: list[str]) -> list[Any]:
    """Rows with their geometry as WKB."""
    if "geom" not in names:
        return rows
    from layers.store.geopackage import to_wkb

    here = names.index("geom")
    return [(*row[:here], None if row[here] is None else to_wkb(row[here]), *row[here + 1 :]) for row in rows]


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
