"""A project in a schema of a PostgreSQL database with PostGIS: for many people, and several app processes at once.

``postgresql://user:password@host/database?schema=xinxiang``; the schema is ``qingyuan`` where none is named.  Writers
take turns by an advisory lock of the schema, held to the end of the transaction; readers never wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
import psycopg
import sqlalchemy as sa

from hydro.errors import HydroError
from layers.store import copying, partitions
from layers.store.columnar import frame_of
from layers.store.tables import LAYOUTS, OWN, SRID, Layout, by_columns, frame

if TYPE_CHECKING:
    import pyarrow as pa

BUSY_S = 30
STORED_AS = {"double precision": "REAL", "real": "REAL", "numeric": "REAL"}
STORED_AS |= dict.fromkeys(("bigint", "integer", "smallint"), "INTEGER")


class Geometry(sa.types.UserDefinedType[bytes]):
    """A geometry column of PostGIS, which the program sees as ISO WKB."""

    cache_ok = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def get_col_spec(self, **_: Any) -> str:
        """Type of the column in DDL."""
        return f"geometry({self.kind}, {SRID})"

    def bind_expression(self, bindvalue: sa.BindParameter[bytes]) -> sa.ColumnElement[bytes]:
        """From WKB."""
        return sa.func.ST_GeomFromWKB(sa.type_coerce(bindvalue, sa.LargeBinary), SRID, type_=self)

    def column_expression(self, column: sa.ColumnElement[bytes]) -> sa.ColumnElement[bytes]:
        """To WKB, little-endian whatever the server is."""
        return sa.func.ST_AsBinary(column, "NDR", type_=sa.LargeBinary)


class PostGIS:
    """A project in a schema; implements :class:`layers.store.protocol.Store`."""

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
        except (sa.exc.ArgumentError, ValueError):
            raise HydroError(
                "bad_url", "数据库地址写得不对。写法：postgresql://用户:密码@主机/库名?schema=项目"
            ) from None
        schema = parsed.query.get("schema", "qingyuan")
        self.schema = schema if isinstance(schema, str) else schema[-1]
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", self.schema):
            raise HydroError(
                "bad_schema", "schema 名 {schema} 只能用小写字母、数字和下划线，且以字母开头。", schema=self.schema
            )
        self._found = False
        self.described: dict[Any, Any] = {}
        self.url = parsed.render_as_string(hide_password=True)
        self.engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg").difference_update_query(["schema"]),
            pool_pre_ping=True,
            connect_args={"options": f"-csearch_path={self.schema},public", "connect_timeout": 10},
        )

    # -- reading -------------------------------------------------------------------------------------------------

    def facts(self) -> dict[str, str]:
        """Name, revision, schema version … of the project.

        Raises:
            HydroError: the server cannot be reached, or the schema holds no project.
        """
        with self.connect() as connection:
            if not self._found and not all(self.columns(connection, name) for name in ("project", "audit")):
                raise HydroError(
                    "missing_project", "找不到项目文件 {path}。请检查路径，或先用 import 建立项目。", path=self.url
                )
            self._found = True  # asked once: looking into the catalogue takes longer than the answer itself
            return {row.key: row.value for row in connection.execute(sa.text("SELECT key, value FROM project"))}

    def written(self, names: Iterable[str]) -> list[str]:
        """A sum over all rows of each table as they are now: other programs tell nobody what they wrote, or when."""
        with self.connect() as connection:
            sums = [
                sa.text(f"SELECT sum(hashtextextended({name}::text, 0)) FROM {name}")
                for name in names
                if self.columns(connection, name)
            ]
            return [str(connection.execute(asked).scalar()) for asked in sums]

    def series(self, columns: Sequence[str], **equal: str) -> pd.DataFrame:
        """These columns of the observations whose others equal the values given, by time; the key's index finds them."""
        with self.connect() as connection:
            types = self.columns(connection, "observations")
            return copying.station(_driver(connection), {name: types[name] for name in columns}, equal)

    def frames(self, names: Iterable[str], *, geometry: bool = False) -> dict[str, pd.DataFrame]:
        """Tables, all of one state of the project; those that it does not have are left out."""
        found = {}
        with self.connect() as connection:
            for name in names:
                described = self.columns(connection, name)
                types = {
                    column: kind
                    for column, kind in described.items()
                    if column not in OWN and (geometry or column != "geom")
                }
                if types and by_columns(name):
                    found[name] = frame_of(
                        copying.fetch(_driver(connection), name, types, order="fid" if "fid" in described else "")
                    )
                elif types:
                    listed = [
                        sa.column(column, Geometry("")) if column == "geom" else sa.column(column) for column in types
                    ]
                    order = "fid" if "fid" in described else "audit_id"
                    statement = sa.select(*listed).select_from(sa.table(name)).order_by(sa.column(order))
                    found[name] = frame([tuple(row) for row in connection.execute(statement)], types)
        return found

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection to read by; it sees one state of the project throughout."""
        with self.spoken(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    # -- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One write transaction, alone: committed at the end, or as if it had never been."""
        with self.spoken(), self.engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_S}s'")
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": self.schema})
            yield connection

    @contextmanager
    def founding(self) -> Iterator[sa.Connection]:
        """The transaction in which a project comes to be, in a schema that has none yet."""
        with self.begin() as connection:
            if self.columns(connection, "project"):
                raise HydroError("exists", "{path} 已经存在。请换一个名字，或用 import 写入已有项目。", path=self.url)
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public")
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {self.schema}")
            yield connection

    @property
    def serial(self) -> Any:
        """Type of a column that numbers rows."""
        return sa.BigInteger

    partitioned = True
    """Whether a table of series is kept a year apart."""

    def pour(self, connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
        """Add rows to a table by COPY."""
        copying.pour(_driver(connection), table.name, rows)

    def changed(self, connection: sa.Connection, table: str) -> str:
        """Nothing: a trigger takes the fact away that no longer holds."""
        return ""

    def watch(self, connection: sa.Connection, layout: Layout, fact: str) -> None:
        """Take a fact of the project away as soon as any program writes a table."""
        partitions.watch(connection, layout.name, self.schema, fact)

    def make_room(self, connection: sa.Connection, layout: Layout, years: Iterable[str]) -> None:
        """Make the partitions of these years that are missing."""
        partitions.make(connection, layout.name, years)

    def settle(self, connection: sa.Connection, table: str) -> None:
        """Let the server count how the rows of a table are spread."""
        connection.exec_driver_sql(f"ANALYZE {table}")

    def geometry(self, kind: str) -> Any:
        """Type of a geometry column."""
        return Geometry(kind)

    def columns(self, connection: sa.Connection, table: str) -> dict[str, str]:
        """Column -> type of a table as it is in the schema; empty where there is none."""
        # From the catalogue itself: the views of information_schema take ten times as long, with the write lock held.
        described = connection.execute(
            sa.text(
                "SELECT attname, format_type(atttypid, NULL) AS kind FROM pg_catalog.pg_attribute "
                "WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            ),
            {"name": f'"{self.schema}"."{table}"'},
        )
        return {str(row.attname): STORED_AS.get(row.kind, "TEXT") for row in described}

    def register(self, connection: sa.Connection, layout: Layout) -> None:
        """Make a new table quick to search by place, and open for every time; PostGIS lists it by itself."""
        if layout.series:
            partitions.create_other(connection, layout.name)
        if layout.geometry:
            connection.exec_driver_sql(f"CREATE INDEX ON {layout.name} USING gist (geom)")

    def touch(self, connection: sa.Connection, layout: Layout) -> None:
        """Nothing to tell: PostGIS keeps its own catalogue."""

    @property
    def catalog(self) -> str:
        """Name of the database, by which QGIS looks for the styles of the layers."""
        return self.engine.url.database or ""

    def beside(self, label: str) -> PostGIS:
        """The schema beside this one that carries a label in its name."""
        url = self.engine.url.set(drivername="postgresql").update_query_dict({"schema": f"{self.schema}_{label}"})
        return PostGIS(url.render_as_string(hide_password=False))

    def renumber(self, connection: sa.Connection) -> None:
        """Let new rows be numbered after those that came in with their numbers."""
        for name in LAYOUTS:
            if self.columns(connection, name):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{self.schema}.{name}', 'fid'), max(fid)) FROM {name}"
                )

    def integrity(self, connection: sa.Connection) -> list[str]:
        """Nothing that the server would not have refused: its pages are guarded by its own checksums and log."""
        return []

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def spoken(self) -> Iterator[None]:
        """Say what the server says in the reader's words."""
        try:
            yield
        except sa.exc.DBAPIError as problem:
            raise self._told(problem.orig, lost=problem.connection_invalidated) from problem
        except psycopg.Error as problem:  # of COPY, which SQLAlchemy does not know
            raise self._told(problem, lost=False) from problem

    def _told(self, problem: BaseException | None, *, lost: bool) -> HydroError:
        state = getattr(problem, "sqlstate", None) or ""
        if lost or state[:2] in ("08", "57") or not state:
            return HydroError(
                "server_down", "数据库 {path} 连不上或中途断开；未提交的改动没有保存。请稍后重试。", path=self.url
            )
        if state in ("55P03", "40001", "40P01"):
            return HydroError(
                "busy", "项目 {path} 正被别人写入，等待超时。请稍后再试，您的改动尚未保存。", path=self.url
            )
        if state in ("25006", "42501"):
            return HydroError("read_only", "项目 {path} 是只读的，不能保存。请复制到可写的文件夹再改。", path=self.url)
        if state[:2] in ("53", "58"):
            return HydroError(
                "disk", "项目 {path} 没有写成，磁盘已满或出错；项目仍是原来的样子。请腾出空间后重试。", path=self.url
            )
        return HydroError(
            "database",
            "项目 {path} 出错：{problem}。项目没有改动，请重试或运行 check --deep。",
            path=self.url,
            problem=str(problem).splitlines()[0],
        )


def _driver(connection: sa.Connection) -> Any:
    """The driver's own connection, in the same transaction."""
    return connection.connection.driver_connection
