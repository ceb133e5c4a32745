"""The tables a project holds: what identifies a row, what is drawn, and of which type each column is.

The columns themselves are the data dictionary (``hydro/tables/<table>.csv``); what the store adds to it is only what
a database must know beyond it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pandas as pd

import hydro

SCHEMA_VERSION = 5
"""Version of the layout of a project; ``layers.store.migrations`` holds the steps that lead to it."""

SRID = 4490
"""CGCS2000 geographic: the coordinates in which a project is stored."""

DICTIONARY = Path(hydro.__file__).parent / "tables"
STORED_AS = {"integer": "INTEGER", "boolean": "INTEGER", "number": "REAL", "float": "REAL", "real": "REAL"}

REVISION_OF = "revision of "
"""Before a table's name: the key of the fact that tells its last change; a table without one was not changed yet."""

OWN = ("fid", "row_revision")
"""Columns of the store itself, which are no part of the project's tables."""


@dataclass(frozen=True)
class Layout:
    """How one table is kept: the columns that identify a row, and the kind of geometry (blank: none).

    ``series``: where there are rows by the million, the key in the order of its index, time last: those are compared in
    the database and read as series, and PostgreSQL keeps each year apart.
    """

    name: str
    key: tuple[str, ...]
    geometry: str = ""
    series: tuple[str, ...] = ()


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("reaches", ("reach_id",), "LINESTRING"),
        Layout("boundaries", ("boundary_id",), "POINT"),
        Layout("sections", ("section_id",), "POINT"),
        Layout("outlets", ("outlet_id",), "POINT"),
        Layout("plants", ("plant_id",), "POINT"),
        Layout("gates", ("gate_id",), "POINT"),
        Layout("catchments", ("id",), "MULTIPOLYGON"),
        Layout("districts", ("id",), "MULTIPOLYGON"),
        Layout(
            "observations",
            ("station_kind", "station_id", "time", "parameter"),
            series=("station_kind", "station_id", "parameter", "time"),
        ),
        Layout("weather", ("time", "place")),
        Layout("plans", ("plan_id",)),
        Layout("decisions", ("plan_id", "outlet_id")),
        Layout("tasks", ("task_id",)),
        Layout("measures", ("measure_id",)),
        Layout("targets", ("section_id", "since")),
        Layout("section_moves", ("section_id", "since")),
        Layout("compensation_rules", ("rule_id",)),
        Layout("goals", ("goal_id",)),
        Layout("registers", ("register_id",)),
        Layout("findings", ("time", "source_id")),
        Layout("stories", ("month", "step")),
    )
}
NETWORK = ("reaches", "boundaries", "sections", "outlets", "plants", "gates", "targets", "observations", "weather")
"""What a river network is built from."""


KEPT_MONTHS = "observation_months"
"""Table of the monthly means kept beside the observations: made of them, and no part of the project's tables."""


def by_columns(name: str) -> bool:
    """Whether a table may have rows by the hundred thousand, and is read as columns."""
    return name == KEPT_MONTHS or (name in LAYOUTS and bool(LAYOUTS[name].series))


@cache
def declared(table: str) -> Mapping[str, str]:
    """Column -> storage type (TEXT, REAL, INTEGER) of a table, as the data dictionary declares it, in its order."""
    path = DICTIONARY / f"{table}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["attribute"]: STORED_AS.get(row["type"], "TEXT")
            for row in csv.DictReader(file)
            if row["attribute"] != "geometry" and row["type"] != "geometry"
        }


def frame(rows: Sequence[Any], types: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a database as a table of the types that its columns have there; ``geom`` (WKB) becomes ``geometry``."""
    made = pd.DataFrame.from_records(rows, columns=list(types))
    for name, kind in types.items():
        if name == "geom":
            continue
        if kind == "TEXT":
            made[name] = made[name].astype("str")
        elif made[name].dtype == object:
            made[name] = pd.to_numeric(made[name])
    if "geom" not in types:
        return made
    import geopandas
    import shapely

    shapes = shapely.from_wkb(list(made.pop("geom")))
    return cast(pd.DataFrame, geopandas.GeoDataFrame(made, geometry=shapes, crs=SRID))
