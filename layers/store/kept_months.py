"""Monthly means kept beside the records, in the transaction that writes them: a board reads these, not ten million rows.

They are rows of :mod:`hydro.assessment.month_rows`, so that what is made of them is what the records would give.  A mark in the
project's facts says of which state of the records they are; where it does not hold (another program wrote, another
edition of the standard bounds what is possible) they are not believed, and the next write makes them anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from hydro.assessment.month_rows import COLUMNS, KEY, month_rows
from layers.standards import load_standard
from layers.store import prints, sql
from layers.store.columnar import arrow, frame_of
from layers.store.rows import MODULUS
from layers.store.tables import KEPT_MONTHS, LAYOUTS, REVISION_OF

if TYPE_CHECKING:
    import pyarrow as pa

    from layers.store.protocol import Store

FACT = "months kept"
"""The fact that says of which records, and by which bounds, the means are."""
LAYOUT = 1
"""Version of what the rows hold."""
READ = ("station_kind", "station_id", "parameter", "time", "value", "qualifier")
PART = 1_000_000
"""Records in memory together."""
FETCHED = 50_000
"""Rows fetched at a time."""

MONTHS = sa.Table(
    KEPT_MONTHS,
    sa.MetaData(),
    *(sa.Column(name, sql.SORTED, primary_key=True) for name in KEY),
    sa.Column("value", sql.STORAGE["REAL"]),
    *(sa.Column(name, sql.STORAGE["INTEGER"], nullable=False) for name in ("marks", "days", "monthly", "records")),
    sa.Column("latest", sa.Text, nullable=False),
)
NONE = pd.DataFrame({**dict.fromkeys(KEY, pd.Series([], dtype="str")), "records": pd.Series([], dtype="int64")})
"""No month of any station."""
KINDS = {column.name: sql.kind(column) for column in MONTHS.columns}


def mark(connection: sa.Connection, store: Store) -> str:
    """What the means are kept under: the last change of the records, by whatever program, and what bounds them."""
    facts = sql.facts(connection)
    bounds = {name: one.possible_max for name, one in sorted(load_standard().parameters.items())}
    told = [LAYOUT, facts.get(f"{REVISION_OF}observations", "0"), store.changed(connection, "observations"), bounds]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def hold(connection: sa.Connection, store: Store) -> bool:
    """Whether the means are those of the records as they are."""
    return sql.facts(connection).get(FACT) == mark(connection, store)


def read(store: Store) -> pd.DataFrame | None:
    """The rows of every station; None where they do not hold."""
    with store.connect() as connection:
        if not hold(connection, store):
            return None
        before = mark(connection, store)
    rows = store.frames([KEPT_MONTHS])[KEPT_MONTHS]
    with store.connect() as connection:
        return rows if hold(connection, store) and mark(connection, store) == before else None


def rebuild(connection: sa.Connection, store: Store) -> None:
    """Make all of them anew, some stations at a time."""
    connection.execute(sa.delete(MONTHS))
    for rows in _anew(connection, store):
        store.pour(connection, MONTHS, rows)
    seal(connection, store)


def differ(connection: sa.Connection, store: Store) -> bool:
    """Whether means that are said to hold are not what the records give: somebody wrote them by hand."""
    if not store.columns(connection, KEPT_MONTHS) or not hold(connection, store):
        return False
    with connection.execute(sa.select(MONTHS), execution_options={"yield_per": FETCHED}) as result:
        kept = sum(prints.digest(arrow([tuple(row) for row in part], KINDS)) for part in result.partitions())
    return (kept - sum(map(prints.digest, _anew(connection, store)))) % MODULUS != 0


def _anew(connection: sa.Connection, store: Store) -> Iterator[pa.Table]:
    table = sql.reflect(connection, store, "observations")
    if table is None:
        return
    place = (table.c.station_kind, table.c.station_id)
    each = connection.execute(sa.select(*place, sa.func.count()).group_by(*place)).all()
    for stations in _batches(each):
        yield from _rows(_records(connection, table, sa.tuple_(*place).in_(stations)))


def follow(connection: sa.Connection, store: Store, added: pa.Table, altered: pd.DataFrame) -> None:
    """Carry the means along with a write, before which they held.

    ``added``: the new records; ``altered``: ``KEY`` of every month with a record changed or removed.  Stations that had
    none yet are summed up from what was given; of the others the months concerned are read again.
    """
    table = sql.reflect(connection, store, "observations")
    assert table is not None
    stations = sa.select(MONTHS.c.station_kind, MONTHS.c.station_id).distinct()
    known = {(str(kind), str(station)) for kind, station in connection.execute(stations)}
    known |= set(zip(altered["station_kind"], altered["station_id"], strict=True))
    new: list[tuple[str, str, int]] = []
    cells = pd.concat([touched(added), altered], ignore_index=True)
    for (kind, station), concerned in cells.groupby(["station_kind", "station_id"], sort=False):
        place = (str(kind), str(station))
        if place in known:
            _renew(connection, store, table, *place, concerned)
        else:
            new.append((*place, int(concerned["records"].sum())))
    for batch in _batches(new):
        for rows in _rows(_of(added, batch)):
            store.pour(connection, MONTHS, rows)
    seal(connection, store)


def seal(connection: sa.Connection, store: Store) -> None:
    """Say that the means are those of the records as they are now."""
    sql.set_fact(connection, FACT, mark(connection, store))


def touched(rows: pa.Table) -> pd.DataFrame:
    """``KEY`` of the months of some records, with how many records each has."""
    import pyarrow.compute as pc

    month = pc.utf8_slice_codeunits(rows["time"], 0, 7)
    keys = rows.select(["station_kind", "station_id", "parameter"]).append_column("month", month)
    counted = (
        keys.append_column("records", month).group_by(list(KEY), use_threads=False).aggregate([("records", "count")])
    )
    return frame_of(counted.rename_columns([*KEY, "records"]))


def _renew(
    connection: sa.Connection, store: Store, table: sa.Table, kind: str, station: str, cells: pd.DataFrame
) -> None:
    """The months of one station between the first and the last concerned, from its records as they are now."""
    first, last = cells["month"].min(), cells["month"].max()
    wanted = sorted(set(cells["parameter"]))
    kept = MONTHS.c
    connection.execute(
        sa.delete(MONTHS).where(
            kept.station_kind == kind,
            kept.station_id == station,
            kept.parameter.in_(wanted),
            kept.month >= first,
            kept.month < f"{last}~",
        )
    )
    here = (table.c.station_kind == kind, table.c.station_id == station, table.c.parameter.in_(wanted))
    for rows in _rows(_records(connection, table, *here, table.c.time >= first, table.c.time < f"{last}~")):
        store.pour(connection, MONTHS, rows)


def _records(connection: sa.Connection, table: sa.Table, *wanted: sa.ColumnElement[bool]) -> pd.DataFrame:
    """Records in the order in which they are stored, which is the order in which they are summed."""
    import pyarrow as pa

    types = {name: sql.kind(table.c[name]) for name in READ}
    chosen = sa.select(*(table.c[name] for name in READ)).where(*wanted).order_by(table.c.fid)
    with connection.execute(chosen, execution_options={"yield_per": FETCHED}) as result:
        parts = [arrow([tuple(row) for row in part], types) for part in result.partitions()]
    return frame_of(pa.concat_tables(parts) if parts else arrow([], types))


def _of(added: pa.Table, stations: list[tuple[str, str]]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.compute as pc

    given = added.select([name for name in READ if name in added.column_names])
    mine = pa.concat_tables(
        given.filter(pc.and_(pc.equal(given["station_kind"], kind), pc.is_in(given["station_id"], pa.array(names))))
        for kind, names in _by_kind(stations)
    )
    return frame_of(mine)


def _by_kind(stations: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for kind in dict.fromkeys(kind for kind, _ in stations):
        yield kind, [station for one, station in stations if one == kind]


def _batches(stations: Iterable[Any]) -> Iterator[list[tuple[str, str]]]:
    """Stations by their numbers of records, so many together as fit in memory."""
    batch: list[tuple[str, str]] = []
    size = 0
    for kind, station, count in stations:
        if batch and size + count > PART:
            yield batch
            batch, size = [], 0
        batch.append((kind, station))
        size += count
    if batch:
        yield batch


def _rows(records: pd.DataFrame) -> Iterator[pa.Table]:
    """The means of some records as they are kept."""
    if "value" in records:
        rows = month_rows(records, load_standard())
        yield arrow(list(zip(*(_plain(rows[name]) for name in COLUMNS), strict=True)), KINDS)


def _plain(column: pd.Series[Any]) -> list[Any]:
    return [None if pd.isna(value) else value for value in column.tolist()]


def create(connection: sa.Connection, store: Store) -> None:
    """Make the table, and let the database tell when another program has changed the records."""
    MONTHS.create(connection)
    store.watch(connection, LAYOUTS["observations"], FACT)
