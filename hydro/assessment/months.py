"""Monthly means as a cube: sections × months, one array a parameter, with what is odd about each value beside it.

A month's value is its monthly record where there is one, else the mean of its stamped records (pH by its hydrogen ions).
What cannot be averaged is not: two different monthly records, or a few days of a station that reports daily, are marked,
never smoothed away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydro.assessment.standards import Floats, Standard

PARTIAL, CONFLICT, BELOW, EXCLUDED = 1, 2, 4, 8
"""Marks of a month: too few days; two different monthly records (the worse one stands); all below detection; a value
that cannot occur was left out."""

MIN_COVERAGE = 0.5
"""Share of a month's days that a station which reports daily must have for the month to count (editable)."""

WHOLE_YEAR = 9
"""Months that a year must have to stand for a year."""

DAILY = 10
"""A station that reports on this many days a month or more is one that reports daily, from then on."""

SILENT_MONTHS = 12
"""So many months after its last daily one a station counts as daily still; later it is sampled by hand again."""

EARLIEST = np.datetime64("1950-01", "M")
"""What is dated before this is a slip of a calendar (a spreadsheet's 1900-01-00), not a record."""


@dataclass(frozen=True)
class Months:
    """``values[parameter]`` and ``marks[parameter]`` are (sections, months); months are consecutive, oldest first.

    ``astray``: section -> how many of its records were left out for a date that cannot be, and one such date.
    """

    sections: tuple[str, ...]
    months: npt.NDArray[np.datetime64]
    values: Mapping[str, Floats]
    marks: Mapping[str, npt.NDArray[np.uint8]]
    astray: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def counted(self, parameter: str) -> Floats:
        """``values`` without the months that do not count: three days of a daily station are no month."""
        return np.asarray(np.where(self.marks[parameter] & PARTIAL, np.nan, self.values[parameter]))

    def at(self, month: str) -> int:
        """Position of a month (``2022-07``); -1 where it is before the record, the number of months where after."""
        position = int((np.datetime64(month, "M") - self.months[0]).astype(int)) if len(self.months) else -1
        return min(max(position, -1), len(self.months))

    def annual_means(self, parameter: str, month: str) -> pd.DataFrame:
        """Mean of each year up to ``month`` (rows) of each section (columns); a year of under nine months has none."""
        means = _whole(self.years(parameter, month))
        last = int(month[:4])
        return pd.DataFrame(means.T, index=range(last - means.shape[1] + 1, last + 1), columns=list(self.sections))

    def years(self, parameter: str, month: str) -> Floats:
        """(sections, years, 12) up to and with ``month``'s year; NaN after ``month`` and where no month counts."""
        values = self.counted(parameter)
        last = np.datetime64(month, "M")
        first_year = self.months[0].astype("M8[Y]") if len(self.months) else last.astype("M8[Y]")
        count = int((last.astype("M8[Y]") - first_year).astype(int)) + 1
        found = np.full((len(self.sections), max(count, 1) * 12), np.nan)
        if len(self.months):
            start = int((self.months[0] - first_year.astype("M8[M]")).astype(int))
            stop = min(int((last - first_year.astype("M8[M]")).astype(int)) + 1, start + len(self.months))
            found[:, start:stop] = values[:, : max(stop - start, 0)]
        return found.reshape(len(self.sections), -1, 12)


def _whole(years: Floats) -> Floats:
    """Mean of each year with at least nine of its months, NaN otherwise."""
    count = (~np.isnan(years)).sum(axis=2)
    return np.asarray(np.where(count >= WHOLE_YEAR, np.nansum(years, axis=2) / np.maximum(count, 1), np.nan))


def monthly_means(
    observations: pd.DataFrame,
    sections: Sequence[str],
    *,
    standard: Standard | None,
    kind: str = "section",
    until: str = "",
) -> Months:
    """Monthly values of every section and parameter in an ``observations`` table (the newest month of data is the last).

    ``discharge`` is kept beside the quality parameters.  Records of other stations, without a month or a number, are
    left out; negative ones (and pH outside 0–14) too, with the mark EXCLUDED.  Those dated after the month ``until``
    (blank: no such bound) or before 1950 are left out and told in ``astray``: one slip of a year must not become "the
    newest month", nor lay out a cube of eight thousand years.  Without a ``standard`` nothing is too high to be.
    """
    read = Read.of(observations)
    place, stations = coded(observations["station_id"], sections)
    keep = read.usable & (place >= 0)
    if "station_kind" in observations:
        code, kinds = coded(observations["station_kind"])
        keep &= np.isin(kinds, [kind])[code]
    astray = cannot_be(read.month, until)
    lost = keep & astray[read.stamp] if astray.any() else np.zeros(0, dtype=bool)
    left_out = _astray(place[lost], read.stamp[lost], stations, read.texts) if lost.any() else {}
    if left_out:
        keep &= ~lost
    if not keep.any():
        return Months(tuple(stations), np.array([], dtype="M8[M]"), {}, {}, left_out)
    rows = np.flatnonzero(keep)
    month = read.month[read.stamp[rows]]
    months = np.arange(month.min(), month.max() + 1, dtype="M8[M]")
    name = read.name[rows].astype(np.int64)
    cell = (name * len(stations) + place[rows]) * len(months) + (month - months[0]).astype(np.int64)
    of_cell = np.repeat(np.arange(len(read.names)), len(stations) * len(months))
    sums = tally(read.records(rows, cell), of_cell, read.names, standard)
    return cube(sums, read.names, stations, months, left_out)


def cube(
    sums: Tally,
    names: Sequence[str],
    stations: Sequence[str],
    months: npt.NDArray[np.datetime64],
    astray: Mapping[str, tuple[int, str]],
) -> Months:
    """Months from the sums of their cells, laid out by parameter, station and month; parameters without any are left out."""
    shape = (len(names), len(stations), len(months))
    values = sums.value.reshape(shape)
    marks = (sums.marks | _partial(sums.days.reshape(shape), sums.monthly.reshape(shape), months).ravel()).reshape(
        shape
    )
    kept = {str(one): i for i, one in enumerate(names) if np.isfinite(values[i]).any() or marks[i].any()}
    return Months(
        tuple(stations), months, {one: values[i] for one, i in kept.items()},
        {one: marks[i] for one, i in kept.items()}, astray,
    )  # fmt: skip


def cannot_be(month: npt.NDArray[np.datetime64], until: str) -> npt.NDArray[np.bool_]:
    """Which months are before any record there can be, or after the month ``until``."""
    return np.asarray((month < EARLIEST) | (month > np.datetime64(until[:7] or "9999-12", "M")))


@dataclass(frozen=True)
class Read:
    """An ``observations`` table by codes: usable at all, parameter, time; ``month`` and ``day`` of each distinct text."""

    usable: npt.NDArray[np.bool_]
    name: npt.NDArray[np.int64]
    names: list[str]
    stamp: npt.NDArray[np.int64]
    texts: list[str]
    month: npt.NDArray[np.datetime64]
    day: npt.NDArray[np.int64]
    value: Floats
    below: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, observations: pd.DataFrame) -> Read:
        """The codes of a table."""
        name, names = coded(observations["parameter"])
        stamp, texts = coded(observations["time"])
        month, day = _stamps(pd.Series(texts, dtype=str))
        qualifier, marks_of = coded(observations["qualifier"]) if "qualifier" in observations else (name * 0, [""])
        value = pd.to_numeric(observations["value"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        below = np.isin(marks_of, ["<", "ND"])[qualifier]
        usable = np.isfinite(value) & ~np.isin(marks_of, ["gap"])[qualifier] & ~np.isnat(month)[stamp]
        return cls(usable, name, names, stamp, texts, month, day, value, below)

    def records(self, rows: npt.NDArray[np.int64], cell: npt.NDArray[np.int64]) -> Records:
        """Some of its rows, each in its cell."""
        value, below = self.value[rows], self.below[rows]
        name = self.name[rows].astype(np.int64)
        return Records(cell, name, np.where(below, value / 2, value), self.day[self.stamp[rows]], below)


def _astray(
    place: npt.NDArray[np.int64], stamp: npt.NDArray[np.int64], stations: Sequence[str], texts: Sequence[str]
) -> dict[str, tuple[int, str]]:
    """Count and latest date of each station's records that cannot be of their date."""
    return {
        stations[one]: (int((place == one).sum()), max(texts[at] for at in np.unique(stamp[place == one])))
        for one in np.unique(place)
    }


@dataclass(frozen=True)
class Records:
    """The usable records: cell (parameter × section × month), parameter, value, day of the month (0 = monthly)."""

    cell: npt.NDArray[np.int64]
    name: npt.NDArray[np.int64]
    value: Floats
    day: npt.NDArray[np.int64]
    below: npt.NDArray[np.bool_]

    def where(self, these: Any) -> Records:
        """Some of the records."""
        return Records(*(getattr(self, one)[these] for one in ("cell", "name", "value", "day", "below")))


@dataclass(frozen=True)
class Tally:
    """What the records of each cell come to: value, marks (all but PARTIAL), days with stamped records, and whether a
    monthly record decides."""

    value: Floats
    marks: npt.NDArray[np.uint8]
    days: npt.NDArray[np.uint8]
    monthly: npt.NDArray[np.bool_]


def tally(records: Records, of_cell: npt.NDArray[np.int64], names: Sequence[str], standard: Standard | None) -> Tally:
    """Sum up the records of each cell; ``of_cell``: the position of its parameter in ``names``."""
    size = len(of_cell)
    known = [standard.parameters.get(str(name)) if standard else None for name in names]
    most = np.array([np.inf if one is None else one.possible_max for one in known])
    acid = np.array([str(name) == "pH" for name in names])
    impossible = (
        (records.value < 0) | (records.value > most[records.name]) | (acid[records.name] & (records.value == 0))
    )
    marks = np.zeros(size, dtype=np.uint8)
    if impossible.any():
        marks[records.cell[impossible]] |= EXCLUDED
        records = records.where(~impossible)
    below = np.bincount(records.cell, records.below, size)
    marks[(below > 0) & (below == np.bincount(records.cell, minlength=size))] |= BELOW
    monthly = records.day == 0
    stamped = records.where(~monthly) if monthly.any() else records
    values = _stamped_means(stamped, acid, acid[of_cell])
    seen = np.zeros(size * 32, dtype=bool)
    seen[stamped.cell * 32 + stamped.day] = True
    days = seen.reshape(size, 32).sum(axis=-1, dtype=np.uint8)
    there = np.zeros(size, dtype=bool)
    records = records.where(monthly)
    if len(records.cell):
        sign = np.where([str(name) == "DO" for name in names], -1.0, 1.0)
        worst, best = np.full(size, -np.inf), np.full(size, np.inf)
        np.maximum.at(worst, records.cell, records.value * sign[records.name])
        np.minimum.at(best, records.cell, records.value * sign[records.name])
        there = np.isfinite(worst)
        values = np.where(there, worst * sign[of_cell], values)
        marks[there & (worst != best)] |= CONFLICT
    return Tally(values, marks, days, there)


def _stamped_means(records: Records, acid: npt.NDArray[np.bool_], sour: npt.NDArray[np.bool_]) -> Floats:
    """Means by cell; ``sour``: cells of pH, which is averaged by its hydrogen ions."""
    weights = records.value
    ions = acid[records.name]
    if ions.any():
        weights = weights.copy()
        weights[ions] = 10.0 ** -weights[ions]
    count = np.bincount(records.cell, minlength=len(sour))
    total = np.bincount(records.cell, weights, len(sour))
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    mean[sour] = -np.log10(mean[sour])
    return np.asarray(mean)


def _partial(
    days: npt.NDArray[np.uint8], monthly: npt.NDArray[np.bool_], months: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.uint8]:
    """Mark the months in which a station that reports daily by then has less than half of the days, and no monthly record.

    What was sampled by hand before the station reported daily is no outage of it.
    """
    length = ((months + 1).astype("M8[D]") - months.astype("M8[D]")).astype(int)
    at = np.arange(len(months), dtype=np.int32)
    last = np.maximum.accumulate(np.where(days >= DAILY, at, np.int32(-SILENT_MONTHS - 1)), axis=-1)
    short = (at - last <= SILENT_MONTHS) & (days > 0) & (days < MIN_COVERAGE * length) & ~monthly
    return np.where(short, np.uint8(PARTIAL), np.uint8(0)).astype(np.uint8)


def coded(column: pd.Series[Any], wanted: Sequence[str] | None = None) -> tuple[npt.NDArray[np.int64], list[str]]:
    """A column as integer codes into its distinct texts (blank for missing), or into ``wanted`` (-1 elsewhere)."""
    codes, texts = pd.factorize(column, use_na_sentinel=False)
    found = ["" if pd.isna(one) else str(one) for one in texts]
    if wanted is None:
        return np.asarray(codes), found
    listed = [str(one) for one in wanted]
    where = {one: i for i, one in enumerate(listed)}
    return np.array([where.get(one, -1) for one in found] or [-1])[codes], listed


def _stamps(texts: pd.Series[str]) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.int64]]:
    """Month and day of each distinct time text; day 0 for a monthly record, NaT where it is no time."""
    shape = texts.str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])(-\d{2}.*)?").fillna(False).to_numpy(bool)
    month = np.where(shape, texts.str.slice(0, 7), "NaT").astype("M8[M]")
    day = pd.to_numeric(texts.where(shape).str.slice(8, 10), errors="coerce").fillna(0).to_numpy().astype(np.int64)
    return month, np.clip(day, 0, 31)
