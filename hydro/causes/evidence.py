"""Who did it: a probability over everybody who could have caused an exceedance, with what speaks for and against each.

The chronic loads are learned from the whole record (:mod:`hydro.causes.expected`); what one month leaves over is put to every
place where it could have entered (:mod:`hydro.causes.posterior`).  Two passes: months in which something happened are not
allowed to teach what is ordinary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from hydro.causes.findings import FieldFinding, Finding
from hydro.causes.judgement import Judgement, judge_sections
from hydro.causes.ranges import share_bands
from hydro.causes.reasons import reasons
from hydro.delivery import delivery_ratios
from hydro.load import ESTIMATED, diffuse_loads, source_loads
from hydro.network import RiverNetwork
from hydro.trace import COLUMNS, Trace, exceedances, source_delivery, trace_sources
from hydro.transport import conditions

TOGETHER = 16
"""So many sections are judged together."""
LEARNED = "learned"
INVENTORY = (
    "source_id", "kind", "name", "delivered_kg_d", "travel_time_d", "basis", "load_kg_d", "observed_on", "reach_id",
    "delivery_ratio", "crosses_unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Attribution:
    """A whole record, judged. Made by :func:`attribute`; ``parts`` holds the judgement of every part of the network."""

    network: RiverNetwork
    parts: tuple[Judgement, ...]

    @cached_property
    def by_section(self) -> dict[str, Judgement]:
        """Section -> the judgement it belongs to."""
        return {section: part for part in self.parts for section in part.record.sections}

    def explain(self, section: str, time: str | None = None) -> Trace:
        """The ranked causes of one section at a time; the inventory's own trace where the record says nothing of it."""
        trace = trace_sources(self.network, section, time=time)
        part = self.by_section.get(trace.section_id)
        if part is None or trace.time is None or part.at(trace.section_id, trace.time) is None:
            return _unjudged(trace)
        inventory = {name: trace.table[name].to_list() for name in INVENTORY}
        ranked = rank(part, inventory, trace.section_id, trace.time, trace.measured_kg_d, trace.exceeds)
        place, month = part.record.section_position[trace.section_id], part.record.month_position[trace.time[:7]]
        table = pd.DataFrame(ranked, columns=[*COLUMNS, "inventory_kg_d"])
        return replace(trace, table=table, unlisted=part.unlisted(month, place))

    def table(self) -> pd.DataFrame:
        """Every exceedance on record, one a section and month, its ranked causes one below the other."""
        found = exceedances(self.network)
        found = found.assign(time=found["time"].str[:7]).drop_duplicates(["section_id", "time"])
        ranked: dict[tuple[str, str], dict[str, list[Any]]] = {}
        for time, rows in found.groupby("time", sort=False):
            for section, inventory in inventories(self.network, list(rows["section_id"]), str(time)).items():
                part = self.by_section[section]
                place, month = part.record.section_position[section], part.record.month_position[str(time)]
                load = float(part.record.load_kg_d[place, month])
                ranked[section, str(time)] = rank(part, inventory, section, str(time), load, True)
        columns = [*COLUMNS, "inventory_kg_d"]
        joined: dict[str, list[Any]] = {name: [] for name in columns}
        for key in zip(found["section_id"], found["time"], strict=True):
            for name in columns:
                joined[name] += ranked[key][name]
        return pd.DataFrame(joined, columns=columns)


def attribute(network: RiverNetwork, found: Iterable[FieldFinding] = ()) -> Attribution:
    """Judge the whole record of a network: every month, every section, every candidate.

    ``found`` are field findings: who is known to have done it in a month, and who is known not to have.  Up to
    ``TOGETHER`` sections are judged together; a larger network is cut into neighbourhoods of that size, which no longer
    hear of each other (an event is then bracketed by the sections of its own neighbourhood).
    Cost: a handful of solves, then dense algebra over sections and months; about 20 ms an exceedance on 80 reaches.
    Raises HydroError where discharge or velocity is not known.
    """
    kept = tuple(found)
    groups = neighbourhoods(network) or [[]]
    return Attribution(network, tuple(judge_sections(network, group, kept) for group in groups))


def neighbourhoods(network: RiverNetwork) -> list[list[str]]:
    """The placed sections in groups of at most ``TOGETHER``, neighbours along the river together."""
    topology = network.topology
    steps = np.full(topology.node_count, -1)
    walk: list[int] = []
    for mouth in np.flatnonzero(network.main_way < 0).tolist():  # upstream from every mouth, one branch after the other
        heap = [mouth]
        while heap:
            node = heap.pop()
            if steps[node] < 0:
                steps[node] = len(walk)
                walk.append(node)
                heap += [int(topology.from_node[reach]) for reach in network.entering(node)]
    placed = [
        (int(steps[topology.to_node[network.reach_position[str(reach)]]]), -float(chainage), str(section))
        for section, reach, chainage in zip(
            network.sections.index, network.sections["reach_id"], network.sections["chainage_m"], strict=True
        )
        if reach != ""
    ]
    if len(placed) <= TOGETHER:
        return [
            [str(s) for s, reach in zip(network.sections.index, network.sections["reach_id"], strict=True) if reach]
        ]
    ordered = [section for _, _, section in sorted(placed)]
    return [ordered[i : i + TOGETHER] for i in range(0, len(ordered), TOGETHER)]


def rank(
    part: Judgement, inventory: dict[str, list[Any]], section: str, time: str, measured_kg_d: float, exceeds: bool
) -> dict[str, list[Any]]:
    """The columns of a ranked table from the inventory's (a list a column), causes added."""
    place, month = part.record.section_position[section], part.record.month_position[time[:7]]
    probability, delivered = part.probability(month, place), part.shares(month, place)
    total = float(sum(delivered.values()))
    whole = measured_kg_d if np.isfinite(measured_kg_d) else total
    said = reasons(part, month, place, probability)
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
    shares = [value / whole if whole > 0 else np.nan for value in arrives]
    bands = share_bands(part, month, place)
    table |= {
        "delivered_kg_d": arrives,
        "share": shares,
        "share_low": [min(bands[i][0], share) if i in bands else np.nan for i, share in zip(ids, shares, strict=True)],
        "share_high": [max(bands[i][1], share) if i in bands else np.nan for i, share in zip(ids, shares, strict=True)],
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
