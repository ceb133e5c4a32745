"""The last import taken back from the book alone: the book tells what stood before, so it needs no memory of whoever wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import shapely

from hydro.errors import HydroError
from layers.store.project import Project
from layers.store.rows import Row
from layers.store.tables import LAYOUTS

GEOM = "geom"
"""What the store, and so the book, calls the drawing of a row."""
IMPORTED = "导入 "
"""How the reason of an import begins in the book."""


@dataclass(frozen=True)
class LastImport:
    """The newest change of a project where it is an import: its revision, when, its reason, and the tables it touched."""

    revision: int
    when: str
    why: str
    tables: tuple[str, ...]


def last_import(project: Project) -> LastImport | None:
    """The import that whoever holds the project may take back: their own, the last change of all, and told row by row.

    None where anything was changed since, where somebody else wrote, where the project was made by it, or where it
    changed more rows than the book tells one by one.
    """
    newest = project.revision
    book = project.table("audit")
    book = book[book["revision"] == newest]
    own = (book["who"] == project.user.name) & (book["what"] == "write") & book["why"].str.startswith(IMPORTED)
    if newest <= 1 or not len(book) or not own.all() or not project.user.may("write"):
        return None
    told = [
        (json.loads(before), json.loads(after)) for before, after in zip(book["before"], book["after"], strict=True)
    ]
    if any("changed_in_all" in after or before["removed"] for before, after in told):
        return None
    first = book.iloc[0]
    return LastImport(newest, str(first["when"]), str(first["why"]), tuple(map(str, book["table_name"])))


def take_last_back(project: Project, revision: int) -> int:
    """Undo the import of a revision, as a change of its own, and return the revision after it.

    Raises HydroError where it is no longer the last change, is not this user's, or the user may not write.
    """
    project.user.must("write")
    found = last_import(project)
    if found is None or found.revision != revision:
        message = "第 {revision} 版的导入不能撤销：之后又有改动，或不是您的导入。请由备份恢复，或改正后再导入。"
        raise HydroError("not_the_last", message, revision=revision)
    book = project.table("audit")
    entries = book[book["revision"] == revision].set_index("table_name")
    frames = project.tables(found.tables, geometry=True)
    with project.change() as work:
        if work.revision != revision:
            message = "导入之后项目又有改动（第 {then} 版，现为第 {now} 版），不能整体撤销。请改正个别行后再导入，或由备份恢复。"
            raise HydroError("changed_since", message, then=revision, now=work.revision)
        before = {
            name: _before(name, frames[name], work.rows(name), json.loads(str(entries.loc[name, "before"])), revision)
            for name in found.tables
        }
        work.write(before, why=f"撤销{found.why}", replace=True)
        return work.revision


def _before(name: str, frame: pd.DataFrame, rows: list[Row], told: dict[str, Any], revision: int) -> pd.DataFrame:
    """A table as it stood: without the rows that carry the revision and are not told as changed, those told put back."""
    key = list(LAYOUTS[name].key)
    changed = {_identity(old, key): old for old in told["changed"]}
    stamped = {_identity(row, key) for row in rows if row["row_revision"] == revision}
    identities = [_identity(row, key) for row in frame[key].to_dict("records")]
    stays = [one not in stamped or one in changed for one in identities]
    made = frame.reset_index(drop=True)
    for at, one in enumerate(identities):
        for column, value in changed.get(one, {}).items():
            if column not in key:
                drawn = column == GEOM
                made.at[at, "geometry" if drawn else column] = _shape(value) if drawn else value
    kept: pd.DataFrame = made[stays].reset_index(drop=True)
    return kept


def _identity(row: Mapping[Any, Any], key: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if pd.isna(row[column]) else str(row[column]) for column in key)


def _shape(value: str | None) -> Any:
    return None if value is None else shapely.from_wkb(bytes.fromhex(value))
