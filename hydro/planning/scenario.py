"""A network with measures on it, and what they change.

``hydro.seal(network, ["O17"])`` gives a :class:`Scenario`; the verbs chain and never change their input.  Doing the same
measure twice changes nothing.  The order of measures does not matter: outlets first, then plants, then reaches and gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.errors import FaultsError
from hydro.network import RiverNetwork
from hydro.planning.effect import BASELINE, Change, Condition, Situation, concentration, holds, situation
from hydro.planning.measure import Measure, check_measures
from hydro.route import Routing, route
from hydro.transport import KG_D_PER_MG_L_M3_S

CLEAN_PLANT_MG_L = 0.5
"""Effluent TP of a plant of which nothing is known: GB 18918-2002 class 1A, plants built from 2006 on."""
STANDARD_TP_MG_L = {"1A": 0.5, "1B": 1.0, "2": 3.0, "3": 5.0, "QUASI-IV": 0.3, "准IV类": 0.3, "准Ⅳ类": 0.3}


@dataclass(frozen=True)
class Scenario:
    """A network with measures on it. ``water`` tells whether sealing takes the outlet's water out of the river."""

    network: RiverNetwork
    measures: tuple[Measure, ...] = ()
    water: str = "remove"
    name: str = ""

    def with_measures(self, measures: Iterable[Measure]) -> Scenario:
        """The scenario with these measures too; one done before is replaced by its newer form. Raises FaultsError."""
        merged = {measure.key: measure for measure in (*self.measures, *measures)}
        faults = check_measures(self.network, tuple(merged.values()))
        if faults:
            raise FaultsError(faults)
        return replace(self, measures=tuple(merged.values()))


def seal(base: RiverNetwork | Scenario, outlets: Sequence[str], *, water: str | None = None) -> Scenario:
    """Close outlets for good: their load is gone, and with ``water="remove"`` (the default) their water too."""
    found = scenario(base)
    found = found if water is None else replace(found, water=water)
    return found.with_measures(Measure("seal", outlet) for outlet in _many(outlets))


def regulate(base: RiverNetwork | Scenario, outlets: Sequence[str], *, to_mg_l: float) -> Scenario:
    """Hold outlets to a concentration: load falls to limit × water where it is above; the water stays."""
    return scenario(base).with_measures(Measure("regulate", outlet, to_mg_l) for outlet in _many(outlets))


def merge(base: RiverNetwork | Scenario, outlets: Sequence[str], *, into: str) -> Scenario:
    """Lead outlets into a plant: load and water leave the outlet; the plant gives its own concentration for the water."""
    return scenario(base).with_measures(Measure("merge", outlet, to=into) for outlet in _many(outlets))


def upgrade(base: RiverNetwork | Scenario, plants: Sequence[str], *, to_mg_l: float) -> Scenario:
    """Improve plants to an effluent TP (0.5: class 1A; 0.3: quasi-IV), for what is led into them as well."""
    return scenario(base).with_measures(Measure("upgrade", plant, to_mg_l) for plant in _many(plants))


def dredge(base: RiverNetwork | Scenario, reach: str, *, load_kg_d: float) -> Scenario:
    """Take internal load out of a reach, at most what washes into it; the bed's load is part of the diffuse load."""
    return scenario(base).with_measures([Measure("dredge", reach, load_kg_d)])


def relocate(base: RiverNetwork | Scenario, source: str, *, load_kg_d: float = float("nan")) -> Scenario:
    """Move away farms or close small polluters: an outlet as a whole, or a load of a reach's diffuse sources."""
    return scenario(base).with_measures([Measure("relocate", source, load_kg_d)])


def dose(
    base: RiverNetwork | Scenario, gate: str, *, discharge_m3_s: float, days: float = 365.0, season: str = ""
) -> Scenario:
    """Bring water through a gate at its source's own TP, at the head of the gate's reach. Dilution, not reduction."""
    return scenario(base).with_measures([Measure("dose", gate, discharge_m3_s, season=season, days=days)])


def scenario(base: RiverNetwork | Scenario) -> Scenario:
    """A network as a scenario without measures; a scenario as it is."""
    return base if isinstance(base, Scenario) else Scenario(base)


def change(stand: Situation, measures: Iterable[Measure], *, water: str = "remove") -> Change:
    """What measures change under one condition. They must have passed :func:`check_measures`."""
    result, measures = Change(), list(measures)
    load, flow = stand.load_kg_d, stand.water_m3_s
    led: dict[str, float] = {}
    for measure in measures:
        i = stand.position.get(measure.source_id, -1)
        if measure.action == "merge":
            result.at_source[i] = (-load[i], -flow[i])
            led[measure.to] = led.get(measure.to, 0.0) + flow[i]
        elif measure.action in ("seal", "relocate") and i >= 0:
            result.at_source[i] = (-load[i], -flow[i] if water == "remove" else 0.0)
        elif measure.action == "regulate":
            result.at_source[i] = (min(0.0, measure.amount * flow[i] * KG_D_PER_MG_L_M3_S - load[i]), 0.0)
        elif measure.action in ("dredge", "relocate"):
            reach = stand.network.reach_position[measure.source_id]
            before = result.at_head.get(reach, (0.0, 0.0))
            result.at_head[reach] = (max(before[0] - measure.amount, -stand.diffuse_kg_d[reach]), before[1])
    improved = {measure.source_id: measure.amount for measure in measures if measure.action == "upgrade"}
    for plant in {**improved, **led}:
        i = stand.position[plant]
        before_mg_l = plant_tp_mg_l(stand, plant)
        after_mg_l = min(before_mg_l, improved.get(plant, before_mg_l))
        own = load[i] * (after_mg_l / before_mg_l) if before_mg_l > 0 else load[i]
        joined = led.get(plant, 0.0)
        result.at_source[i] = (own - load[i] + after_mg_l * joined * KG_D_PER_MG_L_M3_S, joined)
    for measure in measures:
        if measure.action == "dose" and measure.season in ("", stand.condition.operated_as):
            _bring(stand.network, measure, result)
    return result


def _bring(network: RiverNetwork, measure: Measure, result: Change) -> None:
    """Add a dose: water at the head of the gate's reach, with the load of its source.

    A gate that stands closed is opened for it. Its reach carries nothing else, so what is let through enters below it.
    """
    topology = network.topology
    reach = network.reach_position[str(network.gates.at[measure.source_id, "reach_id"])]
    source_mg_l = float(number(network.gates, "source_tp_mg_l")[measure.source_id])
    heads = [(reach, 1.0)]
    if topology.closed[reach]:
        below = int(topology.to_node[reach])
        heads = [(int(next_one), float(topology.share[next_one])) for next_one in network.leaving(below)]
    for head, share in heads:
        load, water = result.at_head.get(head, (0.0, 0.0))
        brought = measure.amount * share
        result.at_head[head] = (load + brought * source_mg_l * KG_D_PER_MG_L_M3_S, water + brought)


def route_scenario(
    base: RiverNetwork | Scenario, *, condition: Condition = BASELINE, stand: Situation | None = None
) -> Routing:
    """Route a scenario down the whole network: loads and water after the measures, with the balance that closes.

    Velocity, splits and lateral inflow stay those of the condition, as everywhere in :mod:`hydro.planning.effect`. On a section's
    reach the table's discharge is that of the whole reach; sources below a section on its own reach do not count for the
    section in :func:`compare`.
    """
    found = scenario(base)
    stand = stand or situation(found.network, condition)
    changed = change(stand, found.measures, water=found.water)
    source_load, source_water = changed.sources(len(stand.sources))
    head_load, _ = changed.heads(len(stand.diffuse_kg_d))
    water = {
        "load_kg_d": stand.load_kg_d + source_load,
        "discharge_m3_s": stand.water_m3_s + source_water,
    }
    return route(
        found.network,
        given=replace(stand.given, discharge_m3_s=stand.on_reaches(changed)[1]),
        sources=stand.sources.assign(**water),
        diffuse_kg_d=stand.diffuse_kg_d + head_load,
        solver=stand.delivery.solver,
    )


def plant_tp_mg_l(stand: Situation, plant: str) -> float:
    """Effluent TP of a plant: its load over its water, else its permit, else what its standard allows."""
    i = stand.position[plant]
    load, water = stand.load_kg_d[i], stand.water_m3_s[i]
    if load > 0 and water > 0:
        return float(load / (water * KG_D_PER_MG_L_M3_S))
    permit = float(number(stand.network.plants, "permit_tp_mg_l")[plant])
    standard = STANDARD_TP_MG_L.get(text(stand.network.plants, "standard")[plant].upper(), CLEAN_PLANT_MG_L)
    return permit if np.isfinite(permit) else standard


def compare(
    before: RiverNetwork | Scenario,
    after: RiverNetwork | Scenario,
    *,
    conditions: Sequence[Condition] = (BASELINE,),
    situations: Sequence[Situation] | None = None,
) -> pd.DataFrame:
    """Every section before and after, a row a section and condition.

    Columns condition, section_id, name, target_mg_l, tp_before_mg_l, tp_after_mg_l, change_mg_l, load_before_kg_d,
    load_after_kg_d, discharge_before_m3_s, discharge_after_m3_s, holds_before, holds_after. ``situations`` (of the same
    network) saves solving them again.
    """
    first, second = scenario(before), scenario(after)
    stands = situations or [situation(second.network, condition) for condition in conditions]
    tables = [_compared(stand, first, second) for stand in stands]
    return pd.concat(tables, ignore_index=True)


def _compared(stand: Situation, first: Scenario, second: Scenario) -> pd.DataFrame:
    sections = list(stand.delivery.sections)
    target = stand.network.targets.of_sections(sections, stand.condition.time)
    load_1, water_1 = stand.at_sections(change(stand, first.measures, water=first.water))
    load_2, water_2 = stand.at_sections(change(stand, second.measures, water=second.water))
    tp_1, tp_2 = concentration(load_1, water_1), concentration(load_2, water_2)
    return pd.DataFrame(
        {
            "condition": stand.condition.name,
            "section_id": sections,
            "name": text(stand.network.sections, "name").reindex(sections).to_numpy(),
            "target_mg_l": target,
            "tp_before_mg_l": tp_1,
            "tp_after_mg_l": tp_2,
            "change_mg_l": tp_2 - tp_1,
            "load_before_kg_d": load_1,
            "load_after_kg_d": load_2,
            "discharge_before_m3_s": water_1,
            "discharge_after_m3_s": water_2,
            "holds_before": holds(load_1, water_1, target),
            "holds_after": holds(load_2, water_2, target),
        }
    )


def _many(ids: Sequence[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else [str(i) for i in ids]
