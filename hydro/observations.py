"""Measured values, compiled for look-up: what did this station read at that time, and when was that?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.errors import HydroError

COLUMNS = ("station_kind", "station_id", "time", "parameter", "value", "qualifier", "unit", "source")
BELOW_DETECTION = ("<", "ND")

_TIME = re.compile(r"(\d{4})(-\d{2}(-\d{2}([T ]\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?)?)?)?(Z)?")


class Period(NamedTuple):
    """A span of time, ``[start, end)``; a stamp with hours is the instant itself (``end`` is one second later)."""

    start: np.datetime64
    end: np.datetime64
    text: str


def period(time: str) -> Period:
    """Read an ISO 8601 time: ``2022`` and ``2022-07`` and ``2022-07-03`` are spans, ``2022-07-03T08:00`` an instant.

    Raises HydroError ``time_unknown`` for any other text.
    """
    text = str(time).strip()
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        start = np.datetime64(text.rstrip("Z").replace(" ", "T"))
    except ValueError:
        raise HydroError(
            "time_unknown", "时间“{time}”无法识别，请写成 2022-07 或 2022-07-03T08:00", time=text
        ) from None
    span = start.astype({4: "M8[Y]", 7: "M8[M]", 10: "M8[D]"}.get(len(text), "M8[s]"))
    return Period(span.astype("M8[s]"), (span + 1).astype("M8[s]"), text)


class Reading(NamedTuple):
    """A value with its date: the mean of ``records`` usable records, the newest of them stamped ``time``."""

    value: float
    time: str
    records: int
    below_detection: bool


@dataclass(frozen=True)
class _Series:
    start: NDArray[np.datetime64]
    value: NDArray[np.float64]
    below: NDArray[np.bool_]
    text: NDArray[np.object_]


class Observations:
    """The ``observations`` table behind look-ups by station, parameter and time.

    A record below detection counts as half its limit (环办[2011]22号); a gap, or a record without a number, is no reading.
    """

    def __init__(self, table: pd.DataFrame | None = None) -> None:
        frame = pd.DataFrame(columns=list(COLUMNS)) if table is None else table
        self.table = frame.reindex(columns=list(COLUMNS)).reset_index(drop=True)

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def _usable(self) -> pd.DataFrame:
        table = self.table
        qualifier = table["qualifier"].astype("object").where(table["qualifier"].notna(), "").astype(str)
        below = qualifier.isin(BELOW_DETECTION).to_numpy(bool)
        value = pd.to_numeric(table["value"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        text = table["time"].astype(str)
        start = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
        frame = pd.DataFrame(
            {
                "kind": table["station_kind"].astype(str),
                "id": table["station_id"].astype(str),
                "parameter": table["parameter"].astype(str),
                "start": start.astype("datetime64[s]"),
                "value": np.where(below, value / 2, value),
                "below": below,
                "text": text,
            }
        )
        keep = np.isfinite(frame["value"].to_numpy()) & (qualifier != "gap").to_numpy() & frame["start"].notna()
        usable: pd.DataFrame = frame[keep].sort_values("start", kind="stable")
        return usable

    @cached_property
    def _series(self) -> dict[tuple[str, str, str], _Series]:
        frame = self._usable
        columns = {name: frame[name].to_numpy() for name in ("value", "below")}
        start = frame["start"].to_numpy("M8[s]")
        text = frame["text"].to_numpy(object)
        groups: dict[Any, Any] = dict(frame.groupby(["kind", "id", "parameter"], sort=False).indices)
        return {
            key: _Series(start[rows], columns["value"][rows], columns["below"][rows], text[rows])
            for key, rows in groups.items()
        }

    def at(self, kind: str, station_id: str, parameter: str, time: str) -> Reading | None:
        """What the station read in that span (the mean of its usable records), or the record that covers an instant.

        A monthly mean covers every instant of its month, a daily mean of its day; ``None`` where nothing was read.
        """
        series = self._series.get((kind, station_id, parameter))
        if series is None:
            return None
        asked = period(time)
        first, last = np.searchsorted(series.start, [asked.start, asked.end])
        if first == last and first > 0 and period(series.text[first - 1]).end > asked.start:
            first -= 1
        return self._reading(series, int(first), int(last)) if last > first else None

    def newest(self, kind: str, station_id: str, parameter: str, time: str | None = None) -> Reading | None:
        """The newest reading not later than the time asked; of all on record where no time is asked."""
        series = self._series.get((kind, station_id, parameter))
        if series is None:
            return None
        if time is None:
            return self._reading(series, len(series.start) - 1, len(series.start))
        asked = period(time)
        first, last = (int(i) for i in np.searchsorted(series.start, [asked.start, asked.end]))
        if first == last:
            first = last - 1
        return self._reading(series, first, last) if last > 0 else None

    def has(self, kind: str, station_id: str, parameter: str) -> bool:
        """Whether the station has any usable reading of the parameter."""
        return (kind, station_id, parameter) in self._series

    def frame(self, kind: str, parameter: str) -> pd.DataFrame:
        """All usable values of one parameter as a table: times (text, ascending) × station ids, NaN where unread."""
        usable = self._usable
        rows = usable[(usable["kind"] == kind) & (usable["parameter"] == parameter)]
        table: pd.DataFrame = rows.groupby(["text", "id"], sort=False)["value"].mean().unstack("id")
        ordered: pd.DataFrame = table.loc[rows["text"].drop_duplicates()]
        return ordered

    def times(self, kind: str = "section", parameter: str | None = None) -> list[str]:
        """The times on record of one kind of station, ascending."""
        usable = self._usable
        rows = usable[usable["kind"] == kind]
        if parameter is not None:
            rows = rows[rows["parameter"] == parameter]
        return list(rows.drop_duplicates("text")["text"])

    @cached_property
    def sub_daily(self) -> bool:
        """Whether any section reports more often than once a day."""
        usable = self._usable
        return bool((usable.loc[usable["kind"] == "section", "text"].str.len() > 10).any())

    @staticmethod
    def _reading(series: _Series, first: int, last: int) -> Reading:
        rows = slice(first, last)
        return Reading(
            float(series.value[rows].mean()), str(series.text[last - 1]), last - first, bool(series.below[rows].all())
        )
