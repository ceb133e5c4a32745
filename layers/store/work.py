"""One transaction on a project: the rows it reads, the rows it puts, and the book in which each change is entered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from hydro.errors import Fault, FaultsError, HydroError
from hydro.schema import attributes
from layers.store import audit, columnar, kept_months, prints, sql
from layers.store.rows import MODULUS, Change, Row, clean, compare, key_of, types
from layers.store.staging import staged
from layers.store.tables import LAYOUTS, OWN, REVISION_OF, Layout

if TYPE_CHECKING:
    import pyarrow as pa

    from layers.store.protocol import Store
    from layers.store.roles import User


def bare(row: Row) -> Row:
    """What a row tells: its filled columns, without the store's own."""
    return {name: value for name, value in row.items() if value is not None and name not in OWN}


class Work:
    """A transaction in progress; the first change takes the next revision, and all share it."""

    def __init__(self, connection: sa.Connection, store: Store, user: User) -> None:
        self.connection, self.store, self.user = connection, store, user
        self.revision = int(sql.facts(connection)["revision"])
        self.touched: set[str] = set()
        self._open = False
        self._known: dict[str, sa.Table | None] = {}

    def rows(self, name: str, /, **equal: str | Sequence[str]) -> list[Row]:
        """Rows of a table whose columns equal the values given, or one of a list of them."""
        table = self._table(name)
        if table is None:
            return []
        wanted = [
            table.c[column].in_(values) if not isinstance(values, str) else table.c[column] == values
            for column, values in equal.items()
        ]
        return sql.select(self.connection, table, *wanted)

    def plan(self, name_or_id: str) -> Row:
        """A plan by its id or its name."""
        found = self.rows("plans", plan_id=name_or_id) or self.rows("plans", name=name_or_id)
        if not found:
            raise HydroError("no_plan", "没有名为 {plan} 的方案。请先新建，或核对名称。", plan=name_or_id)
        return found[0]

    def open_plan(self, name_or_id: str) -> Row:
        """A plan whose decisions may still change."""
        row = self.plan(name_or_id)
        if row["state"] not in ("draft", "rejected"):
            raise HydroError(
                "plan_closed",
                "方案 {plan} 已是“{state}”，不能再改。请另建方案，或请审批人退回。",
                plan=name_or_id,
                state=attributes("plans")["state"].word(row["state"]),
            )
        return row

    def entries(self, table: str, who: str) -> Sequence[sa.Row[Any]]:
        """What somebody has entered in the book about a table, oldest first."""
        book = audit.AUDIT
        chosen = sa.select(book).where(book.c.table_name == table, book.c.who == who).order_by(book.c.audit_id)
        return self.connection.execute(chosen).all()

    def put(self, name: str, old: Row | None, new: Row | None, what: str, why: str) -> None:
        """Add a row (``old`` None), change it, or remove it (``new`` None), with its entry in the book."""
        layout = LAYOUTS[name]
        table = self._table(name)
        if table is None:
            table = self._known[name] = sql.ensure(self.connection, self.store, layout, {})
        change = Change()
        if old is None and new is not None:
            change.added.append(new)
        elif old is not None and new is not None:
            missing = dict.fromkeys(old.keys() - new.keys() - set(OWN))
            change.changed.append((old, new | missing))
        elif old is not None:
            change.removed.append(old)
        told = (bare(old) if old else None, bare(new) if new else None)
        self._record(table, layout, change, told, what, why)

    def write(self, tables: Mapping[str, pd.DataFrame], *, why: str, replace: bool | Collection[str]) -> None:
        """Merge or replace whole tables; see :meth:`layers.store.project.Project.write`.

        Raises:
            FaultsError: every row of every table that cannot be stored.
        """
        if unknown := [name for name in tables if name not in LAYOUTS]:
            raise HydroError(
                "unknown_table",
                "没有名为 {table} 的表。可用的表：{known}。",
                table="、".join(unknown),
                known="、".join(LAYOUTS),
            )
        for name, (kinds, rows) in self._cleaned(tables).items():
            layout = LAYOUTS[name]
            table = self._known[name] = sql.ensure(self.connection, self.store, layout, kinds)
            whole = replace if isinstance(replace, bool) else name in replace
            if not isinstance(rows, list):
                self._merge(table, layout, rows, why, replace=whole)
                continue
            change = compare(sql.select(self.connection, table), rows, layout, replace=whole)
            if change:
                self._stay_in_county(change, layout)
                self._record(table, layout, change, _summary(change, layout), "write", why)

    def _merge(self, table: sa.Table, layout: Layout, rows: pa.Table, why: str, *, replace: bool) -> None:
        """Merge or replace a table of series: by columns, compared in the database."""
        with staged(self.connection, self.store, layout, table, rows) as staging:
            if found := staging.find(replace=replace):
                self.user.must("write", found.counties)
                held = kept_months.hold(self.connection, self.store)
                staging.apply(found, self.turn())
                self.stamp(layout)
                if held:
                    kept_months.follow(self.connection, self.store, staging.added(found), found.altered)
                else:
                    kept_months.rebuild(self.connection, self.store)
                change = staging.change(found)
                before, after = _summary(change, layout)
                after |= found.untold | ({} if change.added else {"added": found.added_count})
                touched = found.added_count + found.changed_count + found.removed_count
                self._enter(
                    layout, "write", why, (before, after), found.shift, _only(change, layout) if touched == 1 else ""
                )

    def _cleaned(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, tuple[dict[str, str], list[Row] | pa.Table]]:
        faults: list[Fault] = []
        cleaned = {}
        for name, frame in tables.items():
            layout = LAYOUTS[name]
            kinds = types(frame, layout)
            kinds |= {
                column: kind for column, kind in self.store.columns(self.connection, name).items() if column in kinds
            }
            try:
                cleaned[name] = (kinds, (columnar.clean if layout.series else clean)(frame, layout, kinds))
            except FaultsError as problem:
                faults += problem.faults
        if faults:
            raise FaultsError(faults)
        return cleaned

    def _stay_in_county(self, change: Change, layout: Layout) -> None:
        """Hold somebody of one county to its rows, as they were and as they become; rivers belong to none."""
        if self.user.county:
            rows = [*change.added, *change.removed, *(row for pair in change.changed for row in pair)]
            self.user.must("write", (row.get("county") or "" for row in rows))

    def _table(self, name: str) -> sa.Table | None:
        """A table as it stands, looked up once: asking a database for its columns costs more than asking for rows."""
        if name not in self._known:
            self._known[name] = sql.reflect(self.connection, self.store, name)
        return self._known[name]

    def turn(self) -> int:
        """The revision of this transaction's changes, taken when the first is made."""
        if not self._open:
            self._open = True
            self.revision += 1
            sql.set_fact(self.connection, "revision", str(self.revision))
        return self.revision

    def stamp(self, layout: Layout) -> None:
        """Remember that a table changed in this revision, and let other programs know."""
        if layout.name not in self.touched:
            self.touched.add(layout.name)
            sql.set_fact(self.connection, f"{REVISION_OF}{layout.name}", str(self.revision))
        self.store.touch(self.connection, layout)

    def adopt(self, why: str) -> list[str]:
        """Enter in the book what another program has changed (QGIS, say), and return the tables concerned."""
        adopted = []
        for name in LAYOUTS:
            table = sql.reflect(self.connection, self.store, name)
            if table is None:
                continue
            found, told = prints.stored(self.connection, table), audit.last_digest(self.connection, name)
            if found != told:
                adopted.append(name)
                self.turn()
                self.stamp(LAYOUTS[name])
                audit.append(
                    self.connection,
                    revision=self.turn(),
                    who=self.user.name,
                    what="adopt",
                    table=name,
                    before=f"{told:064x}",
                    after=f"{found:064x}",
                    why=why,
                    digest=found,
                )
        if "observations" in adopted or kept_months.differ(self.connection, self.store):
            kept_months.rebuild(self.connection, self.store)
        return adopted

    def _record(
        self, table: sa.Table, layout: Layout, change: Change, told: tuple[Any, Any], what: str, why: str
    ) -> None:
        """Carry out a change of one table and enter it in the book: the two stand and fall together."""
        sql.apply(self.connection, table, change, self.turn())
        self.stamp(layout)
        self._enter(layout, what, why, told, change.digest(0), _only(change, layout))

    def _enter(self, layout: Layout, what: str, why: str, told: tuple[Any, Any], shift: int, row: str) -> None:
        """One row in the book; ``shift``: by how much the digest of the table grows."""
        audit.append(
            self.connection,
            revision=self.revision,
            who=self.user.name,
            what=what,
            table=layout.name,
            row=row,
            before=told[0],
            after=told[1],
            why=why,
            digest=(audit.last_digest(self.connection, layout.name) + shift) % MODULUS,
        )


def _only(change: Change, layout: Layout) -> str:
    """Identifier of the row that was touched; blank where it was not one."""
    touched = [*change.added, *(new for _, new in change.changed), *change.removed]
    return "/".join(map(str, key_of(touched[0], layout))) if len(touched) == 1 else ""


def _summary(change: Change, layout: Layout) -> tuple[Any, Any]:
    """Before and after of a whole table: rows removed as they were, rows changed in what changed, rows added by id.

    A single added row is kept whole; of many only the identifiers are, and of series without one only their number.
    """

    def identity(row: Row) -> Row:
        return {name: row.get(name) for name in layout.key}

    before: dict[str, Any] = {"removed": [bare(row) for row in change.removed], "changed": []}
    after: dict[str, Any] = {"added": len(change.added), "changed": []}
    if len(layout.key) == 1:
        after["added"] = [key_of(row, layout)[0] for row in change.added]
    if len(change.added) == 1:
        after["added"] = [bare(change.added[0])]
    for old, new in change.changed:
        altered = [name for name in new if name not in OWN and old.get(name) != new[name]]
        before["changed"].append(identity(old) | {name: old.get(name) for name in altered})
        after["changed"].append(identity(new) | {name: new[name] for name in altered})
    return before, after
