"""What an import is told by the user, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from layers import columns
from layers.formats.sources import Layer
from layers.part import Part
from layers.places.place import Located
from layers.report import Report
from layers.rivers import stand

SNAP_M = 25.0


@dataclass(frozen=True)
class Options:
    """The user's word on an import: what the questions of a report are answered by."""

    crs: str = ""
    map: Path | None = None
    mouths: tuple[str, ...] = ()
    snap_m: float = SNAP_M
    point_snap_m: float = stand.POINT_SNAP_M
    swap_axes: bool = False
    datum: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    dem: Path | None = None
    """A DEM by which reaches are turned downhill, before the mouths are asked for."""
    remembered: Mapping[str, str] = field(default_factory=dict)
    """Columns as the project's users have named them before; ``map`` goes before them."""


@dataclass
class Import:
    """The outcome of reading: tables as they would enter, the report, how layers were read, facts of the project."""

    tables: dict[str, pd.DataFrame]
    report: Report
    readings: dict[str, columns.Reading] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    located: list[Located] = field(default_factory=list)
    """What a preview shows: the layers as their files hold them, as rows of a table, and where on earth they lie."""

    @property
    def mapping(self) -> dict[str, Any]:
        """The columns as they were read, in the form that ``--map`` takes."""
        return columns.saved(self.readings)
