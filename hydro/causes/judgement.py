"""One basin's record, judged: odds and best-estimate loads of every section and month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from hydro.causes.expected import DIFFUSE_CHANGE, SOURCE_CHANGE, Expected, learn
from hydro.causes.findings import FieldFinding
from hydro.causes.pathways import Segments, find_pathways
from hydro.causes.posterior import MonthPosterior, judge
from hydro.causes.record import Record, compile_record
from hydro.causes.rulings import rule
from hydro.causes.suspects import History, Suspects, list_suspects
from hydro.columns import text
from hydro.delivery import delivery_ratios
from hydro.network import RiverNetwork
from hydro.topology import Float


@dataclass(frozen=True)
class Judgement:
    """The sections of one basin (or of one part of a large one), judged. Made by :func:`judge_sections`.

    ``months`` holds the posterior of every month of the record; ``bands`` what :func:`hydro.causes.ranges.share_bands` has drawn.
    """

    network: RiverNetwork
    record: Record
    expected: Expected
    suspects: Suspects
    months: list[MonthPosterior]
    history: History
    found: tuple[FieldFinding, ...] = ()
    _by_month: dict[int, Float] = field(default_factory=dict, repr=False, compare=False)
    bands: dict[int, Float] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def source_ids(self) -> list[str]:
        """Ids of the record's sources, in their order."""
        return [str(source) for source in self.record.sources.index]

    @cached_property
    def section_names(self) -> list[str]:
        """Names of the record's sections, their ids where they have none."""
        names = text(self.network.sections, "name")
        return [names[section] or section for section in self.record.sections]

    @cached_property
    def between(self) -> Float:
        """What part of the load at one section comes to another, by the tables. (from × to)"""
        places = [self.network.position("sections", section) for section in self.record.sections]
        reach, metres = np.array([at for at, _ in places], np.int_), np.array([m for _, m in places], np.float64)
        ratio = delivery_ratios(self.network, list(self.record.sections)).from_places(reach, metres)[0]
        return np.asarray(ratio, np.float64)

    @property
    def segments(self) -> Segments:
        """The river cut at its sections."""
        return self.expected.pathways.segments

    def at(self, section: str, time: str) -> tuple[int, int] | None:
        """Row and column of a section and the month of a time in the record; None where the record has no such month."""
        month = self.record.month_position.get(time[:7])
        return None if month is None else (self.record.section_position[section], month)

    def shares(self, month: int, place: int) -> dict[str, float]:
        """Best estimate of what every source delivers to a section, kg/d: ordinary load, and its part of any event.

        Adds up to the measured load of the section (what the lab and the gauge said is shared out in proportion);
        to the expected one where nothing was measured.
        """
        values = self._delivered(month)[:, place].tolist()
        names = [*self.source_ids, "UNREGISTERED", "DIFFUSE"]
        measured, total = float(self.record.load_kg_d[place, month]), sum(values)
        scale = measured / total if np.isfinite(measured) and total > 0 else 1.0
        return {name: value * scale for name, value in zip(names, values, strict=True)}

    def _delivered(self, month: int) -> Float:
        """Delivered load of every source, of unlisted outlets and of the land, (sources + 2) × sections.

        The expectation, the event's part by its odds, then moved by what the sections read in that very month: each
        load gives way as far as it is uncertain (a conditional mean of logs; kriging by another name).
        """
        if month not in self._by_month:
            self._by_month[month] = self._settle(month)
        return self._by_month[month]

    def _settle(self, month: int) -> Float:
        expected, judged, suspects = self.expected, self.months[month], self.suspects
        ordinary = np.vstack(
            [
                expected.source_kg_d[:, month, None] * expected.delivered[month],
                expected.chronic_kg_d @ expected.along_stretch[month],
                expected.diffuse_kg_d[:, month],
            ]
        )
        event = judged.added()
        added = np.vstack([event[suspects.point], event[suspects.unlisted].sum(axis=0), event[-1]])
        seen = np.flatnonzero(np.isfinite(self.record.load_kg_d[:, month]))
        total = ordinary.sum(axis=0) + added.sum(axis=0)
        if len(seen) == 0 or (total[seen] <= 0).any():
            return np.asarray(ordinary + added, np.float64)
        variance = np.append(expected.change[:, month], [SOURCE_CHANGE**2, DIFFUSE_CHANGE**2])
        part = (ordinary / np.maximum(total, 1e-12))[:, seen]
        gap = np.log(self.record.load_kg_d[seen, month] / total[seen])
        covariance = part.T @ (variance[:, None] * part) + np.diag(expected.reading_error[seen, month] ** 2)
        move = variance * (part @ np.linalg.solve(covariance, np.clip(gap, -0.5, 0.5)))
        return np.asarray(ordinary * np.exp(move)[:, None] + added, np.float64)

    def unlisted(self, month: int, place: int) -> dict[str, float]:
        """Reach -> probability that an unlisted outlet on it caused what a section shows in a month."""
        cause = self.months[month].cause(place)[self.suspects.unlisted]
        names = self.network.reaches.index[self.segments.reach].astype(str)
        found: dict[str, float] = {}
        for reach, odds in zip(names, cause.tolist(), strict=True):
            if odds > 1e-4:
                found[reach] = found.get(reach, 0.0) + odds
        return found

    def probability(self, month: int, place: int) -> dict[str, float]:
        """Probability of every candidate to have caused what a section shows in a month; ``NONE`` included, sum one."""
        cause = self.months[month].cause(place)
        values = dict(zip(self.source_ids, cause[self.suspects.point].tolist(), strict=True))
        values["UNREGISTERED"] = float(cause[self.suspects.unlisted].sum())
        values["DIFFUSE"] = float(cause[-1])
        values["NONE"] = max(1.0 - sum(values.values()), 0.0)
        total = sum(values.values())
        return {source: value / total for source, value in values.items()}


def judge_sections(network: RiverNetwork, sections: Sequence[str], found: Iterable[FieldFinding] = ()) -> Judgement:
    """Judge the whole record of some sections: every month and every candidate above them.

    Two passes: months in which something happened are not allowed to teach what is ordinary.
    """
    record, pathways = find_pathways(compile_record(network, sections))
    expected = learn(record, pathways)
    suspects = list_suspects(expected)
    found = tuple(found)
    rulings = rule(record, suspects, found)
    months, history = judge(expected, suspects, rulings, rounds=1)
    if record.months:
        calm = 1 - np.array([month.touched() for month in months]).T
        expected = learn(record, pathways, calm)
        suspects = list_suspects(expected)
        months, history = judge(expected, suspects, rulings, rounds=2)
    return Judgement(network, record, expected, suspects, months, history, found)
