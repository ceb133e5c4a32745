"""Monthly means as rows, to be kept beside the records: a board then asks for a few thousand rows, not for ten million.

``Months`` made of the rows are the ``Months`` made of the records, to the last bit; ``tests/test_month_rows.py`` holds that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydro.assessment.months import Months, Read, Tally, cannot_be, coded, cube, tally
from hydro.assessment.standards import Standard

KEY = ("station_kind", "station_id", "parameter", "month")
COLUMNS = (*KEY, "value", "marks", "days", "monthly", "records", "latest")


def month_rows(observations: pd.DataFrame, standard: Standard) -> pd.DataFrame:
    """One row for each station, parameter and month with a usable record; the records of a month must all be given.

    Columns: ``KEY``; value (NaN where every record was impossible), marks (all but PARTIAL, which is told by the other
    months), days with stamped records, monthly (1: a monthly record decides), records, latest (text of the latest time).
    """
    read = Read.of(observations)
    kind, kinds = coded(observations["station_kind"])
    station, stations = coded(observations["station_id"])
    rows = np.flatnonzero(read.usable)
    if not len(rows):
        return pd.DataFrame(columns=list(COLUMNS))
    month = read.month[read.stamp[rows]]
    first = month.min()
    since = (month - first).astype(np.int64)
    sizes = (len(kinds), len(stations), len(read.names), int(since.max()) + 1)
    code = np.ravel_multi_index((kind[rows], station[rows], read.name[rows], since), sizes)
    cell, cells = pd.factorize(code)
    parts = np.unravel_index(cells, sizes)
    sums = tally(read.records(rows, cell), np.asarray(parts[2]), read.names, standard)
    latest = np.full(len(cells), -1)
    order = np.argsort(np.array(read.texts, dtype=object))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    np.maximum.at(latest, cell, rank[read.stamp[rows]])
    return pd.DataFrame(
        {
            "station_kind": np.array(kinds, dtype=object)[parts[0]],
            "station_id": np.array(stations, dtype=object)[parts[1]],
            "parameter": np.array(read.names, dtype=object)[parts[2]],
            "month": (first + parts[3]).astype(str),
            "value": sums.value,
            "marks": sums.marks.astype(np.int64),
            "days": sums.days.astype(np.int64),
            "monthly": sums.monthly.astype(np.int64),
            "records": np.bincount(cell, minlength=len(cells)),
            "latest": np.array(read.texts, dtype=object)[order[latest]],
        }
    )


def months_of(rows: pd.DataFrame, sections: Sequence[str], *, kind: str = "section", until: str = "") -> Months:
    """What :func:`hydro.assessment.months.monthly_means` makes of the records, from their rows."""
    place, stations = coded(rows["station_id"], sections)
    mine = (place >= 0) & (rows["station_kind"] == kind).to_numpy(bool)
    month = rows["month"].to_numpy(str).astype("M8[M]")
    lost = mine & cannot_be(month, until)
    left_out = _left_out(rows[lost], place[lost], stations)
    at = np.flatnonzero(mine & ~lost)
    if not len(at):
        return Months(tuple(stations), np.array([], dtype="M8[M]"), {}, {}, left_out)
    months = np.arange(month[at].min(), month[at].max() + 1, dtype="M8[M]")
    name, names = coded(rows["parameter"].iloc[at])
    cell = (name * len(stations) + place[at]) * len(months) + (month[at] - months[0]).astype(np.int64)
    size = len(names) * len(stations) * len(months)
    sums = Tally(np.full(size, np.nan), np.zeros(size, np.uint8), np.zeros(size, np.uint8), np.zeros(size, bool))
    arrays: tuple[npt.NDArray[Any], ...] = (sums.value, sums.marks, sums.days, sums.monthly)
    for array, column in zip(arrays, ("value", "marks", "days", "monthly"), strict=True):
        array[cell] = rows[column].to_numpy()[at]
    return cube(sums, names, stations, months, left_out)


def _left_out(rows: pd.DataFrame, place: npt.NDArray[np.int64], stations: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Count and latest date of each station's records that cannot be of their date."""
    return {
        stations[one]: (int(rows["records"][place == one].sum()), str(rows["latest"][place == one].max()))
        for one in np.unique(place).tolist()
    }
