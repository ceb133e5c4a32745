"""Sub-daily stations: what is ordinary at each, which episodes are above target, and when the sensor itself is at fault.

The ordinary level of a series is a running median over a week in the logarithm, with the hour-of-day pattern on top;
readings far above it are left out and the median is taken again, so that an event does not become its own norm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.assessment.attainment import exceeds
from hydro.network import RiverNetwork
from hydro.observations import BELOW_DETECTION
from hydro.stamps import local
from hydro.topology import Bool, Float

PARAMETERS = ("TP", "NH3N", "COD")
"""What is looked at beside TP: the ratios tell one kind of effluent from another."""
WEEK_H = 168.0
LEAST_SPREAD = 0.045
"""No station is taken to be better than this, as a standard deviation of the logarithm."""
BREAK_H = 12.0
"""An episode ends when the section has been back at its target for this long."""


@dataclass(frozen=True)
class Series:
    """One parameter at one section: ``time_h`` hours since 1970, ``base`` its ordinary level, ``spread`` around it (log).

    ``below`` marks readings below detection, which hold half their limit.
    """

    section_id: str
    parameter: str
    time_h: Float
    value: Float
    below: Bool
    base: Float
    spread: float

    @property
    def excess(self) -> Float:
        """Reading less ordinary level, mg/L."""
        return np.asarray(self.value - self.base, np.float64)

    @property
    def sigma(self) -> Float:
        """Standard deviation of a reading on an ordinary day, mg/L."""
        return np.asarray(np.hypot(self.spread * self.base, np.where(self.below, self.value, 0.0)), np.float64)

    @property
    def step_h(self) -> float:
        """The usual time between two readings, hours."""
        return float(np.median(np.diff(self.time_h))) if len(self.time_h) > 1 else 24.0

    def between(self, start_h: float, end_h: float) -> slice:
        """The readings of a span, both ends included."""
        first, last = np.searchsorted(self.time_h, [start_h, end_h + 1e-6])
        return slice(int(first), int(last))


@dataclass(frozen=True)
class Episode:
    """A run of readings above target at one section; ``peak`` is the highest of them."""

    section_id: str
    start: str
    peak: str
    end: str
    peak_mg_l: float
    readings: int


def hours(stamps: Iterable[str]) -> Float:
    """ISO stamps as hours since 1970, on the clock of the records."""
    read = pd.to_datetime([local(str(one)) for one in stamps], format="ISO8601", utc=True)
    return np.asarray(read.as_unit("s").asi8 / 3600.0, np.float64)


def stamp(time_h: float) -> str:
    """Hours since 1970 as an ISO stamp to the minute."""
    return str(np.datetime64(round(time_h * 60), "m"))


def sub_daily_series(network: RiverNetwork) -> dict[tuple[str, str], Series]:
    """Every sub-daily series of the sections with at least a day of readings, by section and parameter."""
    table = network.observations.table
    text = table["time"].astype(str)
    wanted = (
        (table["station_kind"].astype(str) == "section")
        & table["parameter"].isin(PARAMETERS)
        & (text.str.len() > 10)
        & table["station_id"].astype(str).isin(network.sections.index)
    )
    rows = table[wanted]
    qualifier = rows["qualifier"].astype(object).where(rows["qualifier"].notna(), "").astype(str)
    value = pd.to_numeric(rows["value"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    below = qualifier.isin(BELOW_DETECTION).to_numpy(bool)
    value = np.where(below, value / 2, value)
    usable = np.isfinite(value) & (value >= 0) & (qualifier != "gap").to_numpy()
    time = hours(rows["time"])
    keys = rows["station_id"].astype(str) + "\x00" + rows["parameter"].astype(str)
    found: dict[tuple[str, str], Series] = {}
    for key, at in keys[usable].groupby(keys[usable], sort=True).groups.items():
        inside = rows.index.get_indexer(at)
        inside = inside[np.argsort(time[inside], kind="stable")]
        section, parameter = str(key).split("\x00")
        if len(inside) >= 6:
            found[section, parameter] = _series(section, parameter, time[inside], value[inside], below[inside])
    return found


def report_series(network: RiverNetwork) -> dict[str, Series]:
    """Every source that reports its TP load more than once a day, with its ordinary level (kg/d)."""
    table = network.observations.table
    text = table["time"].astype(str)
    rows = table[
        table["station_kind"].isin(["outlet", "plant"]) & (table["parameter"] == "TP_load") & (text.str.len() > 10)
    ]
    value = pd.to_numeric(rows["value"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    usable = np.isfinite(value) & (value >= 0)
    rows, value = rows[usable], value[usable]
    time = hours(rows["time"])
    found = {}
    for source, inside in rows.groupby(rows["station_id"].astype(str), sort=True).indices.items():
        if len(inside) >= 6:
            at = inside[np.argsort(time[inside], kind="stable")]
            found[str(source)] = _series(str(source), "TP_load", time[at], value[at], np.zeros(len(at), bool))
    return found


def _series(section: str, parameter: str, time_h: Float, value: Float, below: Bool) -> Series:
    floor = max(float(value[value > 0].min(initial=1.0)) / 2, 1e-4)
    level = np.log(np.maximum(value, floor))
    step = max(float(np.median(np.diff(time_h))), 0.25)
    window = int(np.clip(round(WEEK_H / step), 3, max(3, len(value) // 2))) | 1
    hour = np.round(time_h % 24 / step).astype(np.int_) % max(1, round(24 / step))
    base, spread = _ordinary(level, window, hour)
    return Series(section, parameter, time_h, value, below, np.exp(base), spread)


def _ordinary(level: Float, window: int, hour: NDArray[np.int_]) -> tuple[Float, float]:
    """Running median with an hour-of-day pattern, and the spread (log) around it."""
    from scipy.ndimage import median_filter

    base = median_filter(level, window, mode="nearest")
    daily = np.zeros(int(hour.max()) + 1)
    spread = LEAST_SPREAD
    for _ in range(3):
        rest = level - base
        ordinary = np.abs(rest - daily[hour]) < 3 * max(spread, LEAST_SPREAD)
        if ordinary.sum() < 6:
            break
        for h in range(len(daily)):
            mine = rest[ordinary & (hour == h)]
            daily[h] = float(np.median(mine)) * len(mine) / (len(mine) + 4) if len(mine) else 0.0
        off = level - daily[hour]
        base = median_filter(np.where(ordinary, off, base), window, mode="nearest")
        rest = (off - base)[ordinary]
        spread = max(1.4826 * float(np.median(np.abs(rest - np.median(rest)))), LEAST_SPREAD)
    return base + daily[hour], min(spread, 0.6)


def episodes(network: RiverNetwork, series: dict[tuple[str, str], Series] | None = None) -> list[Episode]:
    """Every run of TP readings above target, by section and time; shorter breaks than ``BREAK_H`` do not end one."""
    series = sub_daily_series(network) if series is None else series
    found = []
    for section in map(str, network.sections.index):
        own = series.get((section, "TP"))
        if own is None:
            continue
        month, of = np.unique((own.time_h * 3600).astype("M8[s]").astype("M8[M]"), return_inverse=True)
        limit = network.targets.by_month([section], month)[0][of]
        high = np.flatnonzero(exceeds(own.value, limit) & ~own.below)
        if not len(high):
            continue
        gap = max(BREAK_H, 2.5 * own.step_h)
        for run in np.split(high, np.flatnonzero(np.diff(own.time_h[high]) > gap) + 1):
            peak = int(run[np.argmax(own.value[run])])
            start, top, end = (stamp(float(own.time_h[i])) for i in (run[0], peak, run[-1]))
            found.append(Episode(section, start, top, end, float(own.value[peak]), len(run)))
    return sorted(found, key=lambda e: (e.peak, e.section_id))


def peak_in(found: Iterable[Episode], section: str, month: str) -> str:
    """When the highest episode of a section in a month stood at its peak; blank where it had none."""
    mine = [one for one in found if one.section_id == section and one.peak[:7] == month]
    return max(mine, key=lambda one: one.peak_mg_l).peak if mine else ""


def repeated(values: Float) -> Bool:
    """Readings equal to the one before, in runs of three or more: a sensor that has stopped. (n,)"""
    same = np.concatenate([[False], np.diff(values) == 0])
    out = np.zeros(len(values), bool)
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or not same[i]:
            if i - start >= 3:
                out[start + 1 : i] = True
            start = i
    return out
