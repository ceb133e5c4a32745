"""The scene of an episode: stations, suspects, rain, and the responses that tie them, gathered for one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.causes.alarm import PARAMETERS, Series, hours, report_series, sub_daily_series
from hydro.causes.likelihood import ALIKE_H, FREEDOM, FREEDOM_OWN, Readings
from hydro.causes.places import Passing, Places, passing, release_places
from hydro.columns import text
from hydro.network import RiverNetwork
from hydro.topology import Float
from hydro.transport import REFERENCE_TEMP_C, conditions

BEFORE_H, AFTER_H = 60.0, 60.0


@dataclass(frozen=True)
class Scenarios:
    """Ways in which it may have happened, one a row.

    A scenario stands for a cell of windows, ``cell_h`` wide in its start and in its end; ``log_prior`` is the cell's.
    """

    suspect: NDArray[np.int_]
    mixing: NDArray[np.int_]
    start_h: Float
    length_h: Float
    log_prior: Float
    mass: Float
    cell_h: Float

    def take(self, rows: NDArray[np.int_]) -> Scenarios:
        """Some of the rows."""
        return Scenarios(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def join(*several: Scenarios) -> Scenarios:
    """Scenarios one after the other."""
    return Scenarios(*(np.concatenate([getattr(s, n) for s in several]) for n in Scenarios.__dataclass_fields__))


class Detective:
    """A network with its stations read once, for any number of questions."""

    def __init__(self, network: RiverNetwork) -> None:
        self.network = network
        self.series = sub_daily_series(network)
        self._passing: dict[bytes, Passing] = {}

    @cached_property
    def reports(self) -> dict[str, Series]:
        """What the sources themselves report: TP load (kg/d) several times a day, by source."""
        return report_series(self.network)

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """The sections with a sub-daily TP series, in the order of the table."""
        return tuple(s for s in map(str, self.network.sections.index) if (s, "TP") in self.series)

    @cached_property
    def section_names(self) -> dict[str, str]:
        """Names of the sections, their ids where they have none."""
        names = text(self.network.sections, "name")
        return {section: names[section] or section for section in map(str, self.network.sections.index)}

    @cached_property
    def places(self) -> Places:
        """All places a release may come from."""
        return release_places(self.network)

    @cached_property
    def water_temp_c(self) -> float:
        """Mean water temperature on record."""
        weather = self.network.weather
        if "water_temp_c" not in weather or weather.empty:
            return REFERENCE_TEMP_C
        mean = float(pd.to_numeric(weather["water_temp_c"], errors="coerce").mean())
        return mean if np.isfinite(mean) else REFERENCE_TEMP_C

    @cached_property
    def rain(self) -> tuple[Float, Float]:
        """Hours since 1970 and rain (mm) of every wet record, the mean over places."""
        weather = self.network.weather
        if "rain_mm" not in weather or weather.empty:
            return np.zeros(0), np.zeros(0)
        mm = pd.to_numeric(weather["rain_mm"], errors="coerce").fillna(0.0)
        mean = mm.groupby(weather["time"].astype(str)).mean()
        mean = mean[(mean > 0) & (mean.index.str.len() > 7)]
        return hours(mean.index), mean.to_numpy(np.float64)

    def passing(self, time: str) -> Passing:
        """The responses under the water of that day."""
        given = conditions(self.network, time[:10], water_temp_c=self.water_temp_c)
        key = given.discharge_m3_s.tobytes()
        if key not in self._passing:
            self._passing[key] = passing(self.network, given, self.places, self.sections)
        return self._passing[key]

    def readings(self, start_h: float, end_h: float, own: str, parameters: Sequence[str] = PARAMETERS) -> Readings:
        """All readings of all stations in a span; TP of the section ``own`` is what is asked about."""
        parts: list[tuple[Float, ...]] = []
        for j, section in enumerate(self.sections):
            for p, parameter in enumerate(parameters):
                one = self.series.get((section, parameter))
                if one is None:
                    continue
                span = one.between(start_h, end_h)
                count = span.stop - span.start
                freedom = FREEDOM_OWN if (section, p) == (own, 0) else FREEDOM
                if count:
                    parts.append(
                        (one.time_h[span], one.excess[span], one.sigma[span], one.base[span], np.full(count, j),
                         np.full(count, p), np.full(count, len(parts)), np.full(count, freedom),
                         np.full(count, np.sqrt(max(1.0, ALIKE_H / one.step_h))))
                    )  # fmt: skip
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        group = columns[6].astype(np.int_)
        return Readings(
            columns[0], columns[1], columns[2], columns[3], columns[4].astype(np.int_), columns[5].astype(np.int_),
            group, np.flatnonzero(np.diff(group, prepend=-1)), columns[7], columns[8],
        )  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One question: this section, this reading; with everything that is held against it."""

    detective: Detective
    section: int
    peak_h: float
    passing: Passing
    readings: Readings

    @property
    def own(self) -> Series:
        """The TP series of the section asked about."""
        return self.detective.series[self.detective.sections[self.section], "TP"]

    def unit(self, scenarios: Scenarios, late_h: Float | None = None, *, coarse: bool = False) -> NDArray[np.float32]:
        """TP (mg/L) of 1 kg at every TP reading; ``late_h`` (scenarios × sections) shifts the arrival. (rows × readings)

        ``coarse``: only at the readings of :attr:`coarse`.
        """
        step, steps = self.passing.clock.step_h, self.passing.steps
        flat = self.passing.passed.reshape(-1)
        sections = len(self.passing.sections)
        row = ((scenarios.mixing * self.passing.passed.shape[1] + scenarios.suspect) * sections).astype(np.int32)
        time = self.tp_h[self.coarse] if coarse else self.tp_h
        out = np.empty((len(row), len(time)), np.float32)
        for j, span in self.coarse_spans if coarse else self.spans:
            start = scenarios.start_h if late_h is None else scenarios.start_h + late_h[:, j]
            base = ((row + j) * np.int32(steps + 1))[:, None]
            since = np.rint((time[span][None, :] - start[:, None]) / step).astype(np.int32)
            rise = flat[np.minimum(np.maximum(since, 0), steps) + base]
            since -= np.rint(scenarios.length_h / step).astype(np.int32)[:, None]
            rise -= flat[np.minimum(np.maximum(since, 0), steps) + base]
            out[:, span] = rise * (self.passing.to_mg_l[j] / scenarios.length_h)[:, None].astype(np.float32)
        return out

    @cached_property
    def tp_h(self) -> Float:
        """Times of the TP readings."""
        return np.asarray(self.readings.time_h[self.readings.parameter == 0], np.float64)

    @cached_property
    def peak(self) -> int:
        """Position of the reading asked about among the TP readings (the nearest in time)."""
        span = dict(self.spans)[self.section]
        return int(span.start) + int(np.argmin(np.abs(self.tp_h[span] - self.peak_h)))

    @cached_property
    def peak_excess(self) -> float:
        """The excess asked about, mg/L."""
        return float(self.readings.excess[self.readings.parameter == 0][self.peak])

    @cached_property
    def coarse(self) -> NDArray[np.int_]:
        """A thinner choice of the TP readings for the first look: one every three hours, and all around the peak."""
        near = np.abs(self.tp_h - self.peak_h) < 6
        keep = near & (self.readings.section[self.readings.parameter == 0] == self.section)
        for _, span in self.spans:
            own = self.tp_h[span]
            keep[span] |= np.diff(np.floor(own / 3), prepend=-1) != 0
        return np.flatnonzero(keep)

    @cached_property
    def coarse_spans(self) -> list[tuple[int, slice]]:
        """Where the coarse readings of every section are among the coarse readings."""
        out = []
        for j, span in self.spans:
            a, b = np.searchsorted(self.coarse, [span.start, span.stop])
            out.append((j, slice(int(a), int(b))))
        return out

    @cached_property
    def spans(self) -> list[tuple[int, slice]]:
        """Where the TP readings of every section are among all TP readings."""
        section = self.readings.section[self.readings.parameter == 0]
        edges = np.searchsorted(section, np.arange(len(self.passing.sections) + 1))
        return [(j, slice(int(a), int(b))) for j, (a, b) in enumerate(pairwise(edges)) if b > a]

    @cached_property
    def twin(self) -> NDArray[np.int_]:
        """For every reading the TP reading of the same section nearest in time: it has the same response. (readings,)"""
        seen = self.readings
        out = np.zeros(len(seen.time_h), np.int_)
        for j, span in self.spans:
            mine = seen.section == j
            own = self.tp_h[span]
            right = np.clip(np.searchsorted(own, seen.time_h[mine]), 0, len(own) - 1)
            left = np.maximum(right - 1, 0)
            nearer = np.abs(own[left] - seen.time_h[mine]) < np.abs(own[right] - seen.time_h[mine])
            out[mine] = span.start + np.where(nearer, left, right)
        return out


def gather(detective: Detective, section: str, time: str) -> Scene:
    """What bears on one reading of one section."""
    peak_h = float(hours([time])[0])
    seen = detective.readings(peak_h - BEFORE_H, peak_h + AFTER_H, section)
    return Scene(detective, detective.sections.index(section), peak_h, detective.passing(time), seen)
