"""Measured values, compiled for look-up: what did this station read at that time, and when was that?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.errors import HydroError
from hydro.stamps import TIME, local

COLUMNS = ("station_kind", "station_id", "time", "parameter", "value", "qualifier", "unit", "source")
CODED = ("station_kind", "station_id", "parameter", "time", "qualifier")
BELOW_DETECTION = ("<", "ND")


class Period(NamedTuple):
    """A span of time, ``[start, end)``; a stamp with hours is the instant itself (``end`` is one second later)."""

    start: np.datetime64
    end: np.datetime64
    text: str


def period(time: str) -> Period:
    """Read an ISO 8601 time: ``2022`` and ``2022-07`` and ``2022-07-03`` are spans, ``2022-07-03T08:00`` an instant.

    An instant that names its offset is read on the clock of the records (:func:`hydro.stamps.local`).

    Raises HydroError ``time_unknown`` for any other text.
    """
    text = local(str(time).strip())
    try:
        if not TIME.fullmatch(text):
            raise ValueError
        start = np.datetime64(text.replace(" ", "T"))
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
    def compact(self) -> pd.DataFrame:
        """The table with its texts as categories (blank for missing): each distinct one is read once, not every record.

        Stamps are on one clock.
        """
        read = {"time": local}
        return self.table.assign(**{name: _distinct(self.table[name], read.get(name, str)) for name in CODED})

    @cached_property
    def _usable(self) -> pd.DataFrame:
        """The usable records, oldest first."""
        table = self.compact
        kind, station, parameter, text, qualifier = (table[name].array for name in CODED)
        below = np.isin(qualifier.categories, BELOW_DETECTION)[qualifier.codes]
        value = pd.to_numeric(table["value"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        stamps = pd.to_datetime(pd.Series(text.categories, dtype=str), format="ISO8601", errors="coerce", utc=True)
        start = stamps.dt.tz_localize(None).to_numpy("M8[s]")
        order = np.argsort(_small(np.unique(start, return_inverse=True)[1])[text.codes], kind="stable")
        keep = np.isfinite(value) & ~np.isin(qualifier.categories, ["gap"])[qualifier.codes]
        keep &= ~np.isnat(start)[text.codes]
        order = order[keep[order]]
        return pd.DataFrame(
            {
                "kind": kind[order],
                "id": station[order],
                "parameter": parameter[order],
                "start": start[text.codes[order]],
                "value": np.where(below, value / 2, value)[order],
                "below": below[order],
                "text": text[order],
            },
            copy=False,
        )

    @cached_property
    def _series(self) -> dict[tuple[str, str, str], _Series]:
        frame = self._usable
        if frame.empty:
            return {}
        keys = [frame[name].cat for name in ("kind", "id", "parameter")]
        sizes = [len(one.categories) for one in keys]
        code = np.ravel_multi_index([one.codes.to_numpy().astype(np.int64) for one in keys], sizes)
        which, groups = pd.factorize(code)
        rows = np.argsort(_small(which), kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(groups)))
        start, value, below = (frame[name].to_numpy()[rows] for name in ("start", "value", "below"))
        text = np.asarray(frame["text"].cat.categories, dtype=object)[frame["text"].cat.codes.to_numpy()[rows]]
        names = zip(
            *(one.categories[at] for one, at in zip(keys, np.unravel_index(groups, sizes), strict=True)), strict=True
        )
        return {
            (str(kind), str(station), str(parameter)): _Series(
                *(one[first:last] for one in (start, value, below, text))
            )
            for (kind, station, parameter), first, last in zip(names, [0, *ends[:-1]], ends, strict=True)
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
        rows = usable.loc[(usable["kind"] == kind) & (usable["parameter"] == parameter), ["text", "id", "value"]]
        rows = rows.assign(text=rows["text"].astype(object), id=rows["id"].astype(object))
        table: pd.DataFrame = rows.groupby(["text", "id"], sort=False)["value"].mean().unstack("id")
        ordered: pd.DataFrame = table.loc[rows["text"].drop_duplicates()]
        return ordered

    def times(self, kind: str = "section", parameter: str | None = None) -> list[str]:
        """The times on record of one kind of station, ascending."""
        usable = self._usable
        rows = usable[usable["kind"] == kind]
        if parameter is not None:
            rows = rows[rows["parameter"] == parameter]
        return [str(one) for one in rows["text"].unique()]

    @cached_property
    def sub_daily(self) -> bool:
        """Whether any section reports more often than once a day."""
        usable = self._usable
        return any(len(str(one)) > 10 for one in usable.loc[usable["kind"] == "section", "text"].unique())

    @staticmethod
    def _reading(series: _Series, first: int, last: int) -> Reading:
        rows = slice(first, last)
        return Reading(
            float(series.value[rows].mean()), str(series.text[last - 1]), last - first, bool(series.below[rows].all())
        )


def _distinct(column: pd.Series[Any], read: Callable[[str], str]) -> Any:
    """A column as codes into its distinct texts as read (blank for missing), in the order in which they come."""
    codes, texts = pd.factorize(column, use_na_sentinel=False)
    words = ["" if pd.isna(one) else read(str(one)) for one in texts]
    unique = list(dict.fromkeys(words))
    if len(unique) < len(words):
        place = {one: i for i, one in enumerate(unique)}
        codes = np.array([place[one] for one in words])[codes]
    return pd.Categorical.from_codes(codes, categories=pd.Index(unique, dtype=str))


def _small(ranks: NDArray[np.int64]) -> NDArray[Any]:
    """Ranks in 16 bits where they fit: those numpy sorts by radix, in time that grows with the rows alone."""
    return ranks.astype(np.uint16) if len(ranks) and ranks.max() < 1 << 16 else ranks
