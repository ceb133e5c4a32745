"""A table of series in PostgreSQL: one partition a year, by the text of its time, and one for whatever is of no year.

ISO 8601 sorts by time where it sorts byte by byte, so ``2022-07``, ``2022-07-03`` and ``2022-07-03T08:00`` lie in the
partition from ``2022`` to ``2023``.  A partition is made in the transaction that needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import sqlalchemy as sa

YEAR = re.compile(r"(19|20)\d\d")
"""Years that a partition is made for; a slip of the pen (``0022``, ``9999``) must not make a table of its own."""


def other(table: str) -> str:
    """Name of the partition for times of no year of their own."""
    return f"{table}_other"


def of_year(table: str, year: str) -> str:
    """Name of the partition of a year."""
    return f"{table}_{year}"


def create_other(connection: sa.Connection, table: str) -> None:
    """Make the partition for what belongs to none."""
    connection.exec_driver_sql(f"CREATE TABLE {other(table)} PARTITION OF {table} DEFAULT")


def make(connection: sa.Connection, table: str, years: Iterable[str]) -> None:
    """Make the partitions of these years that are missing, and move into them what waits in the one for the rest.

    Rows wait there when another program has added them: it knows nothing of partitions.
    """
    for year in sorted({year for year in years if YEAR.fullmatch(year)} - set(made(connection, table))):
        first, end = year, str(int(year) + 1)
        waiting = f"{other(table)} WHERE time >= '{first}' AND time < '{end}'"
        some = connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {waiting})").scalar()
        if some:
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE moving ON COMMIT DROP AS SELECT * FROM {waiting}")
            connection.exec_driver_sql(f"DELETE FROM {waiting}")
        connection.exec_driver_sql(
            f"CREATE TABLE {of_year(table, year)} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{end}')"
        )
        if _watched(connection, table):
            _tell(connection, table, of_year(table, year))
        if some:
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM moving")
            connection.exec_driver_sql("DROP TABLE moving")


def made(connection: sa.Connection, table: str) -> list[str]:
    """Years that have a partition, oldest first."""
    found = connection.execute(
        sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name)"),
        {"name": table},
    ).scalars()
    return sorted(name[-4:] for name in found if YEAR.fullmatch(name[-4:]))


def watch(connection: sa.Connection, table: str, schema: str, fact: str) -> None:
    """Take a fact of the project away whenever the table, or one of its partitions, is written.

    By the rights of who made the project: who may write observations need not be able to write its facts.
    """
    connection.exec_driver_sql(
        f"CREATE FUNCTION {table}_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema} AS "
        f"$$ BEGIN DELETE FROM project WHERE key = '{fact}'; RETURN NULL; END $$"
    )
    for name in (table, other(table), *(of_year(table, year) for year in made(connection, table))):
        _tell(connection, table, name)


def _tell(connection: sa.Connection, table: str, part: str) -> None:
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_written AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {part} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_written()"
    )


def _watched(connection: sa.Connection, table: str) -> bool:
    asked = "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND tgname = :name)"
    return bool(connection.scalar(sa.text(asked), {"table": table, "name": f"{table}_written"}))
