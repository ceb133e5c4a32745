"""Who did it: a probability over everybody who could have caused an exceedance, with what speaks for and against each.

The chronic loads are learned from the whole record (:mod:`hydro.expected`); what one month leaves over is put to every
place where it could have entered (:mod:`hydro.posterior`).  Two passes: months in which something happened are not
allowed to teach what is ordinary.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from hydro.columns import text
from hydro.delivery import delivery_ratios
from hydro.expected import DIFFUSE_CHANGE, SOURCE_CHANGE, Expected, learn
from hydro.findings import Finding
from hydro.load import ESTIMATED, diffuse_loads, source_loads
from hydro.network import RiverNetwork
from hydro.pathways import Segments, find_pathways
from hydro.posterior import MonthPosterior, judge
from hydro.reasons import reasons
from hydro.record import Record, compile_record
from hydro.suspects import History, Suspects, list_suspects
from hydro.topology import Float
from hydro.trace import COLUMNS, Trace, exceedances, source_delivery, trace_sources
from hydro.transport import conditions

LEARNED = "learned"
INVENTORY = (
    "source_id", "kind", "name", "delivered_kg_d", "travel_time_d", "basis", "load_kg_d", "observed_on", "reach_id",
    "delivery_ratio", "crosses_unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Attribution:
    """A whole record, judged. Made by :func:`attribute`.

    ``months`` holds the posterior of every month of the record.
    """

    network: RiverNetwork
    record: Record
    expected: Expected
    suspects: Suspects
    months: list[MonthPosterior]
    history: History
    _by_month: dict[int, Float] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def source_ids(self) -> list[str]:
        """Ids of the record's sources, in their order."""
        return [str(source) for source in self.record.sources.index]

    @cached_property
    def section_names(self) -> list[str]:
        """Names of the record's sections, their ids where they have none."""
        names = text(self.network.sections, "name")
        return [names[section] or section for section in self.record.sections]

    @property
    def pathways_segments(self) -> Segments:
        """The river cut at its sections."""
        return self.expected.pathways.segments

    def explain(self, section: str, time: str | None = None) -> Trace:
        """The ranked causes of one section at a time; the inventory's own trace where the record says nothing of it."""
        trace = trace_sources(self.network, section, time=time)
        month = self.record.month_position.get((trace.time or "")[:7])
        place = self.record.section_position.get(trace.section_id)
        if month is None or place is None:
            return _unjudged(trace)
        inventory = {name: trace.table[name].to_list() for name in INVENTORY}
        ranked = self._rank(inventory, trace.section_id, trace.time or "", trace.measured_kg_d, trace.margin_mg_l < 0)
        return replace(trace, table=pd.DataFrame(ranked, columns=[*COLUMNS, "inventory_kg_d"]))

    def table(self) -> pd.DataFrame:
        """Every exceedance on record, one a section and month, its ranked causes one below the other."""
        found = exceedances(self.network)
        found = found.assign(time=found["time"].str[:7]).drop_duplicates(["section_id", "time"])
        ranked: dict[tuple[str, str], dict[str, list[Any]]] = {}
        for time, rows in found.groupby("time", sort=False):
            for section, inventory in inventories(self.network, list(rows["section_id"]), str(time)).items():
                load = float(self.record.load_kg_d[self._at(section, str(time))])
                ranked[section, str(time)] = self._rank(inventory, section, str(time), load, True)
        columns = [*COLUMNS, "inventory_kg_d"]
        joined: dict[str, list[Any]] = {name: [] for name in columns}
        for key in zip(found["section_id"], found["time"], strict=True):
            for name in columns:
                joined[name] += ranked[key][name]
        return pd.DataFrame(joined, columns=columns)

    def _at(self, section: str, time: str) -> tuple[int, int]:
        return self.record.section_position[section], self.record.month_position[time]

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
        event = np.einsum("ce,ces->cs", judged.joint, judged.added_kg_d)
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

    def probability(self, month: int, place: int) -> dict[str, float]:
        """Probability of every candidate to have caused what a section shows in a month; ``NONE`` included, sum one."""
        cause = self.months[month].cause(place)
        values = dict(zip(self.source_ids, cause[self.suspects.point].tolist(), strict=True))
        values["UNREGISTERED"] = float(cause[self.suspects.unlisted].sum())
        values["DIFFUSE"] = float(cause[-1])
        values["NONE"] = max(1.0 - sum(values.values()), 0.0)
        total = sum(values.values())
        return {source: value / total for source, value in values.items()}

    def _rank(
        self, inventory: dict[str, list[Any]], section: str, time: str, measured_kg_d: float, exceeds: bool
    ) -> dict[str, list[Any]]:
        """The columns of a ranked table from the inventory's (a list a column), causes added."""
        place, month = self._at(section, time[:7])
        probability, delivered = self.probability(month, place), self.shares(month, place)
        total = float(sum(delivered.values()))
        whole = measured_kg_d if np.isfinite(measured_kg_d) else total
        said = reasons(self, month, place, probability)
        table = {name: list(values) for name, values in inventory.items()}
        table["inventory_kg_d"] = table["delivered_kg_d"]
        for source, kind, basis in (("UNREGISTERED", "unregistered", LEARNED), ("NONE", "none", "")):
            for name, values in table.items():
                values.append("" if name in ("reach_id", "observed_on") else np.nan)
            for name, value in (("source_id", source), ("kind", kind), ("name", source), ("basis", basis)):
                table[name][-1] = value
            table["crosses_unknown"][-1] = False
        ids: list[str] = table["source_id"]
        arrives = [delivered.get(i, np.nan) * (whole / total if total > 0 else 1.0) for i in ids]
        odds = [probability.get(i, 0.0) for i in ids]
        table |= {
            "delivered_kg_d": arrives,
            "share": [value / whole if whole > 0 else np.nan for value in arrives],
            "probability": odds,
            "evidence": [said.get(i, ()) for i in ids],
        }
        first, second = (odds, arrives) if exceeds else (arrives, odds)
        order = sorted(range(len(ids)), key=lambda i: (ids[i] == "NONE", -first[i], -second[i]))
        table = {name: [values[i] for i in order] for name, values in table.items()}
        blank = [np.nan] * len(ids)
        table |= {name: list(blank) for name in ("release_from", "release_to", "released_kg")}
        table |= {"section_id": [section] * len(ids), "time": [time] * len(ids), "rank": list(range(1, len(ids) + 1))}
        return table


def attribute(network: RiverNetwork) -> Attribution:
    """Judge the whole record of a network: every month, every section, every candidate.

    Cost: a handful of solves, then dense algebra over sections and months; about 20 ms an exceedance on 80 reaches.
    """
    record = compile_record(network)
    pathways = find_pathways(record)
    expected = learn(record, pathways)
    suspects = list_suspects(expected)
    months, history = judge(expected, suspects, rounds=1)
    if record.months:
        calm = 1 - np.array([month.touched() for month in months]).T
        expected = learn(record, pathways, calm)
        suspects = list_suspects(expected)
        months, history = judge(expected, suspects, rounds=2)
    return Attribution(network, record, expected, suspects, months, history)


def inventories(network: RiverNetwork, sections: list[str], time: str) -> dict[str, dict[str, list[Any]]]:
    """What :func:`hydro.trace_sources` tells of the sources of many sections at one time: a list a column, unranked."""
    given = conditions(network, time)
    delivery = delivery_ratios(network, sections, given=given)
    sources = source_loads(network, time)
    ratio, days, unknown = source_delivery(network, delivery, sources)
    washed = diffuse_loads(network, given)
    plain = {
        name: sources[name].to_list() for name in ("kind", "name", "basis", "load_kg_d", "observed_on", "reach_id")
    }
    plain["source_id"] = list(map(str, sources.index))
    found = {}
    for s, section in enumerate(sections):
        kept = np.flatnonzero(ratio[:, s] > 0).tolist()
        table = {name: [values[i] for i in kept] for name, values in plain.items()}
        table |= {
            "delivery_ratio": ratio[kept, s].tolist(),
            "travel_time_d": days[kept, s].tolist(),
            "crosses_unknown": unknown[kept, s].tolist(),
            "delivered_kg_d": [plain["load_kg_d"][i] * ratio[i, s] for i in kept],
        }
        arrives = washed * delivery.ratio[:, s]
        total, entered = float(arrives.sum()), float(washed[delivery.ratio[:, s] > 0].sum())
        timed = (arrives > 0) & np.isfinite(delivery.travel_time_d[:, s])
        diffuse: dict[str, Any] = {
            "source_id": "DIFFUSE",
            "kind": "diffuse",
            "name": "DIFFUSE",
            "basis": ESTIMATED,
            "load_kg_d": entered,
            "observed_on": "",
            "reach_id": "",
            "delivery_ratio": total / entered if entered > 0 else np.nan,
            "travel_time_d": float(np.average(delivery.travel_time_d[timed, s], weights=arrives[timed]))
            if timed.any()
            else np.nan,
            "crosses_unknown": bool((delivery.crosses_unknown[:, s] & (arrives > 0)).any()),
            "delivered_kg_d": total,
        }
        found[section] = {name: [*table[name], diffuse[name]] for name in INVENTORY}
    return found


def _unjudged(trace: Trace) -> Trace:
    """The inventory's trace with the one thing that can be said: nothing was measured, so nobody is accused."""
    why = Finding("该月没有监测记录，无法判断成因；以下只按名录负荷排序")
    said = pd.Series([(why,)] * len(trace.table), index=trace.table.index, dtype=object)
    return replace(trace, table=trace.table.assign(evidence=said, inventory_kg_d=trace.table["delivered_kg_d"]))
