"""Whether files belong to a project: how many of the things that they name stand there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hydro.columns import text
from hydro.schema import GEOMETRY, KEYS, STATIONS
from layers.part import Part


@dataclass(frozen=True)
class Acquaintance:
    """Of ``named`` things in the files ``known`` stand in the project by their id or name; ``own_rivers``: the files bring others."""

    named: int = 0
    known: int = 0
    own_rivers: bool = False

    @property
    def belongs(self) -> bool:
        """Whether the project is where the files most probably go: most is known there, or without its rivers they hang in the air."""
        return not self.own_rivers or 2 * self.known > self.named


def acquaintance(parts: Sequence[Part], project: Mapping[str, pd.DataFrame]) -> Acquaintance:
    """How much of what the parts name a project knows."""
    there = {table: _called(table, rows) for table, rows in project.items() if table in GEOMETRY}
    stations = frozenset[str]().union(*(there.get(table, frozenset()) for table in STATIONS.values()))
    named = known = 0
    for part in parts:
        if part.table == "observations":
            words = set(text(part.frame, "station_id")) - {""}
            named, known = named + len(words), known + len(words & stations)
        elif part.table in GEOMETRY and len(part.frame):
            cells = pd.DataFrame({name: text(part.frame, name) for name in (KEYS[part.table][0], "name")})
            found = cells.isin(there.get(part.table, frozenset())).any(axis=1)
            named, known = named + len(found), known + int(found.sum())
    rivers = any(part.table == "reaches" and len(part.frame) for part in parts) and bool(there.get("reaches"))
    return Acquaintance(named, known, rivers)


def _called(table: str, rows: pd.DataFrame) -> frozenset[str]:
    """Every id, name and code of a table."""
    return frozenset[str]().union(*(text(rows, name) for name in (KEYS[table][0], "name", "code"))) - {""}
