"""Many rows into a table that may have them already: poured beside it, compared and carried over by the database; or,
where it has none of their stations and times, poured straight into it.

The rows come as Arrow columns and are held once; what the database finds different is fetched a part at a time.  So ten
million rows cost the memory of their own columns, and no row of the table is looked at in Python unless it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from layers.store import kept_months, prints
from layers.store.columnar import arrow
from layers.store.rows import MODULUS, Change, Row
from layers.store.sql import STORAGE
from layers.store.tables import Layout

if TYPE_CHECKING:
    import pyarrow as pa

    from layers.store.protocol import Store

PART = 50_000
"""Rows fetched at a time."""
TOLD = 10_000
"""Rows changed or removed that the book tells one by one; of more it tells how many."""
FEW_STATIONS = 500
"""Stations that a comparison names, so that the index finds them and nothing else is read."""
NUMBER = "#"
"""Column of the rows beside the table that numbers them; no column of a user's has this name."""


@dataclass
class Found:
    """What incoming rows mean for a table.

    ``new``: which of the incoming rows it lacks; ``changed``: rows before and after, ``removed``: rows that go, both as
    far as the book tells them; the counts are of all; ``shift``: by how much the digest of the table grows.
    """

    new: NDArray[np.bool_]
    changed: list[tuple[Row, Row]] = field(default_factory=list)
    removed: list[Row] = field(default_factory=list)
    changed_count: int = 0
    removed_count: int = 0
    shift: int = 0
    counties: set[str] = field(default_factory=set)
    cells: list[pd.DataFrame] = field(default_factory=list)

    @property
    def altered(self) -> pd.DataFrame:
        """Stations, parameters and months with a record changed or removed."""
        return pd.concat([kept_months.NONE, *self.cells], ignore_index=True)

    @property
    def added_count(self) -> int:
        """Rows to add."""
        return int(self.new.sum())

    @property
    def untold(self) -> dict[str, int]:
        """How many rows are changed or removed in all, where the book does not tell each."""
        counts: dict[str, tuple[int, Sized]] = {
            "changed": (self.changed_count, self.changed),
            "removed": (self.removed_count, self.removed),
        }
        return {f"{what}_in_all": count for what, (count, told) in counts.items() if count > len(told)}

    def __bool__(self) -> bool:
        return bool(self.added_count or self.changed_count or self.removed_count)


class Staging:
    """Incoming rows beside the table that they are for, in the transaction of the write."""

    def __init__(
        self, connection: sa.Connection, store: Store, layout: Layout, table: sa.Table, rows: pa.Table
    ) -> None:
        self.connection, self.store, self.layout, self.table, self.rows = connection, store, layout, table, rows
        self.given = [name for name in rows.column_names if name not in layout.key]
        self.types = store.columns(connection, layout.name)
        self.beside = sa.Table(
            f"incoming_{layout.name}",
            sa.MetaData(),
            sa.Column(NUMBER, STORAGE["INTEGER"], primary_key=True, autoincrement=False),
            *(sa.Column(name, table.c[name].type) for name in rows.column_names),
            prefixes=["TEMPORARY"],
        )
        self.laid = False

    def find(self, *, replace: bool) -> Found:
        """Compare: rows of the same key that differ in a column given, rows that are new, and rows that do not come in."""
        found = Found(np.ones(len(self.rows), dtype=bool))
        if replace or self._any_nearby():
            self._lay_beside()
            self._find_known(found, replace=replace)
        added = self.added(found)
        found.shift = (found.shift + prints.digest(added)) % MODULUS
        found.counties |= _counties(added)
        return found

    def _lay_beside(self) -> None:
        self.laid = True
        self.beside.create(self.connection)
        numbers = np.arange(len(self.rows))
        self.store.pour(self.connection, self.beside, self.rows.append_column(NUMBER, [numbers]))
        self.store.settle(self.connection, self.beside.name)

    def _find_known(self, found: Found, *, replace: bool) -> None:
        known = sa.select(self.beside.c[NUMBER]).where(self._same_key(), *self._nearby())
        for part in self._fetched(known):
            found.new[[row[0] for row in part]] = False
        if not found.new.all():
            self._find_changed(found)
        if replace:
            sa.Index(f"of_{self.beside.name}", *(self.beside.c[name] for name in self.layout.key)).create(
                self.connection
            )
            self._find_removed(found)

    def apply(self, found: Found, revision: int) -> None:
        """Carry out what was found; every row added or changed is stamped with the revision."""
        stamp = {"row_revision": revision}
        if found.changed_count:
            values = {name: self.beside.c[name] for name in self.given}
            self.connection.execute(
                sa.update(self.table).where(self._same_key(), self._differs(), *self._nearby()).values(values | stamp)
            )
        if found.removed_count:
            self.connection.execute(sa.delete(self.table).where(self._absent()))
        if added := found.added_count:
            self.store.make_room(self.connection, self.layout, self._years())
            if self.laid:
                self._carry_over(whole=added == len(self.rows), stamp=revision)
            else:
                stamps = np.full(added, revision)
                self.store.pour(self.connection, self.table, self.rows.append_column("row_revision", [stamps]))
            newest = self.connection.scalar(sa.select(sa.func.max(self.table.c.fid))) or 0
            if newest.bit_length() > (newest - added).bit_length():  # as often as the table has doubled
                self.store.settle(self.connection, self.layout.name)

    def _carry_over(self, *, whole: bool, stamp: int) -> None:
        names = self.rows.column_names
        chosen = sa.select(*(self.beside.c[name] for name in names), sa.literal(stamp))
        if not whole:
            chosen = chosen.where(~sa.exists().where(self._same_key(), *self._nearby()).select_from(self.table))
        ordered = chosen.order_by(self.beside.c[NUMBER])
        self.connection.execute(sa.insert(self.table).from_select([*names, "row_revision"], ordered))

    def added(self, found: Found) -> pa.Table:
        """The rows that the table lacks."""
        return self.rows if found.new.all() else self.rows.filter(found.new)

    def change(self, found: Found) -> Change:
        """What was found, as far as the book tells it row by row; an added row is told where it is the only one."""
        alone = self.rows.filter(found.new).to_pylist() if found.added_count == 1 else []
        return Change(alone, found.changed, found.removed)

    def _find_changed(self, found: Found) -> None:
        names = [name for name in self.types if name != "geom"]
        chosen = sa.select(self.beside.c[NUMBER], *(self.table.c[name] for name in names)).where(
            self._same_key(), self._differs(), *self._nearby()
        )
        for part in self._fetched(chosen.order_by(self.beside.c[NUMBER])):
            old = arrow([row[1:] for row in part], {name: self.types[name] for name in names})
            new, incoming = old, self.rows.take([row[0] for row in part])
            for name in self.given:
                new = new.set_column(new.schema.get_field_index(name), name, incoming[name])
            found.changed_count += len(part)
            found.shift += prints.digest(new) - prints.digest(old)
            found.counties |= _counties(old) | _counties(new)
            found.cells.append(kept_months.touched(new))
            room = max(TOLD - len(found.changed), 0)
            found.changed += zip(old.slice(0, room).to_pylist(), new.slice(0, room).to_pylist(), strict=True)

    def _find_removed(self, found: Found) -> None:
        names = [name for name in self.types if name != "geom"]
        chosen = sa.select(*(self.table.c[name] for name in names)).where(self._absent()).order_by(self.table.c.fid)
        for part in self._fetched(chosen):
            old = arrow(part, {name: self.types[name] for name in names})
            found.removed_count += len(part)
            found.shift -= prints.digest(old)
            found.counties |= _counties(old)
            found.cells.append(kept_months.touched(old))
            found.removed += old.slice(0, max(TOLD - len(found.removed), 0)).to_pylist()

    def _fetched(self, chosen: sa.Select[Any]) -> Iterator[list[Any]]:
        with self.connection.execute(chosen, execution_options={"yield_per": PART}) as result:
            for part in result.partitions():
                yield [tuple(row) for row in part]

    def _same_key(self) -> sa.ColumnElement[bool]:
        return sa.and_(*(self.table.c[name] == self.beside.c[name] for name in self.layout.key))

    def _absent(self) -> sa.ColumnElement[bool]:
        return ~sa.exists().where(self._same_key()).select_from(self.beside)

    def _differs(self) -> sa.ColumnElement[bool]:
        pairs = ((self.table.c[name], self.beside.c[name]) for name in self.given)
        return sa.or_(sa.false(), *(kept.is_distinct_from(comes) for kept, comes in pairs))

    def _nearby(self) -> list[sa.ColumnElement[bool]]:
        """What the rows of the same keys have in common, so that the database need not look at all the others."""
        import pyarrow.compute as pc

        kind, station, _, time = self.layout.series
        span = pc.min_max(self.rows[time]).as_py()
        near = [self.table.c[time] >= span["min"], self.table.c[time] <= span["max"]]
        stations = pc.unique(self.rows[station]).to_pylist()
        if len(stations) > FEW_STATIONS:
            return near
        kinds = pc.unique(self.rows[kind]).to_pylist()
        return [self.table.c[kind].in_(kinds), self.table.c[station].in_(stations), *near]

    def _any_nearby(self) -> bool:
        """Whether there may be anything to compare with; of many stations only whether there is anything at all."""
        near = self._nearby()
        asked = sa.select(sa.exists().where(*(near if len(near) > 2 else ())).select_from(self.table))
        return bool(self.connection.scalar(asked))

    def _years(self) -> list[str]:
        import pyarrow.compute as pc

        years: list[str] = pc.unique(pc.utf8_slice_codeunits(self.rows[self.layout.series[-1]], 0, 4)).to_pylist()
        return years


@contextmanager
def staged(
    connection: sa.Connection, store: Store, layout: Layout, table: sa.Table, rows: pa.Table
) -> Iterator[Staging]:
    """The rows beside the table for as long as they are needed."""
    staging = Staging(connection, store, layout, table, rows)
    yield staging
    if staging.laid:
        staging.beside.drop(connection)


def _counties(rows: pa.Table) -> set[str]:
    if not len(rows):
        return set()
    return {county or "" for county in rows["county"].unique().to_pylist()} if "county" in rows.column_names else {""}
