"""Measures as values, a network with measures on it, and what they change.

``hydro.seal(network, ["O17"])`` gives a :class:`Scenario`; the verbs chain and never change their input.  Doing the same
measure twice changes nothing.  The order of measures does not matter: outlets first, then plants, then reaches and gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.effect import BASELINE, Change, Condition, Situation, concentration, holds, section_targets, situation
from hydro.errors import Fault, FaultsError
from hydro.network import RiverNetwork
from hydro.route import Routing, route
from hydro.transport import KG_D_PER_MG_L_M3_S, SECONDS_PER_DAY

ACTIONS = ("seal", "regulate", "merge", "upgrade", "dredge", "relocate", "dose")
ON_OUTLET = ("seal", "regulate", "merge")
WATER = ("remove", "keep")
CLEAN_PLANT_MG_L = 0.5
"""Effluent TP of a plant of which nothing is known: GB 18918-2002 class 1A, plants built from 2006 on."""
STANDARD_TP_MG_L = {"1A": 0.5, "1B": 1.0, "2": 3.0, "3": 5.0, "quasi-IV": 0.3}


@dataclass(frozen=True)
class Measure:
    """One thing done to one outlet, plant, reach or gate (``source_id``).

    ``amount`` by action: regulate and upgrade, the TP limit in mg/L; dredge and relocate on a reach, the load taken in
    kg/d; dose, water in m³/s. seal, merge and relocate of an outlet need none. ``to`` is the plant of a merge;
    ``season`` restricts dosing to the conditions operated so; ``days`` is how long it runs in a year. ``cost`` is in 万元
    (NaN: unknown).
    """

    action: str
    source_id: str
    amount: float = float("nan")
    to: str = ""
    season: str = ""
    days: float = float("nan")
    cost: float = float("nan")
    department: str = ""
    lead_days: float = float("nan")
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two measures the same one."""
        return self.action, self.source_id, self.season

    @property
    def volume_10k_m3(self) -> float:
        """Water of a dose over its days, in 万 m³."""
        return self.amount * SECONDS_PER_DAY * self.days / 1e4


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
    """Add a dose: water at the head of the gate's reach, with the load of its source."""
    reach = network.reach_position[str(network.gates.at[measure.source_id, "reach_id"])]
    load, water = result.at_head.get(reach, (0.0, 0.0))
    source_mg_l = float(number(network.gates, "source_tp_mg_l")[measure.source_id])
    brought = measure.amount * source_mg_l * KG_D_PER_MG_L_M3_S
    result.at_head[reach] = (load + brought, water + measure.amount)


def route_scenario(
    base: RiverNetwork | Scenario, *, condition: Condition = BASELINE, stand: Situation | None = None
) -> Routing:
    """Route a scenario down the whole network: loads and water after the measures, with the balance that closes.

    Velocity, splits and lateral inflow stay those of the condition, as everywhere in :mod:`hydro.effect`. On a section's
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


def spare_m3_s(network: RiverNetwork) -> pd.Series[float]:
    """Capacity left at every plant, m³/s: design less actual; NaN where the design is unknown. May be negative."""
    design = number(network.plants, "design_discharge_m3_d")
    actual = number(network.plants, "actual_discharge_m3_d").fillna(0.0)
    return (design - actual) / SECONDS_PER_DAY


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
    target = section_targets(stand.network, sections)
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


def check_measures(network: RiverNetwork, measures: Sequence[Measure]) -> list[Fault]:
    """Every reason why measures cannot be done as asked: unknown places, contradictions, capacity, missing amounts."""
    faults: list[Fault] = []
    done: dict[str, str] = {}
    for measure in measures:
        faults += _check_one(network, measure)
        if measure.action in (*ON_OUTLET, "relocate") and measure.source_id in network.outlets.index:
            other = done.setdefault(measure.source_id, measure.action)
            if other != measure.action:
                faults.append(
                    _fault(
                        "measure_conflict",
                        "排污口 {id} 同时安排了两种措施：{first} 与 {second}。请只保留一种",
                        measure,
                        first=other,
                        second=measure.action,
                    )
                )
    return faults + _over_capacity(network, measures)


def _check_one(network: RiverNetwork, measure: Measure) -> list[Fault]:
    homes = {
        **dict.fromkeys(ON_OUTLET, ("outlets",)),
        "relocate": ("outlets", "reaches"),
        "upgrade": ("plants",),
        "dredge": ("reaches",),
        "dose": ("gates",),
    }
    if measure.action not in homes:
        known = "、".join(ACTIONS)
        return [_fault("measure_unknown", "没有措施“{action}”。可用的措施：{known}", measure, known=known)]
    home = next((table for table in homes[measure.action] if measure.source_id in getattr(network, table).index), "")
    if not home:
        return [_fault("measure_place", "措施 {action} 的对象 {id} 不存在。请核对编号", measure)]
    faults = []
    if home == "outlets" and text(network.outlets, "plant_id")[measure.source_id] in network.plants.index:
        faults.append(
            _fault("measure_plant_outlet", "排污口 {id} 是污水处理厂的尾水口，不能 {action}。请改为对该厂提标", measure)
        )
    needs_amount = measure.action in ("regulate", "upgrade", "dredge", "dose") or home == "reaches"
    if needs_amount and not (np.isfinite(measure.amount) and measure.amount >= 0):
        faults.append(_fault("measure_amount", "措施 {action}（{id}）缺少数量，或数量为负。请填写 amount", measure))
    if measure.action == "merge" and measure.to not in network.plants.index:
        faults.append(
            _fault("merge_plant", "排污口 {id} 要并入的污水处理厂“{to}”不存在。请核对 merge_to", measure, to=measure.to)
        )
    if measure.action == "dose":
        faults += _check_gate(network, measure)
    return faults


def _check_gate(network: RiverNetwork, measure: Measure) -> list[Fault]:
    row = network.gates.loc[[measure.source_id]]
    capacity, source = (float(number(row, name).iloc[0]) for name in ("max_discharge_m3_s", "source_tp_mg_l"))
    faults = []
    if str(row["reach_id"].iloc[0]) not in network.reach_position:
        faults.append(_fault("gate_reach", "闸 {id} 没有落在河段上（reach_id），无法引水。请补上", measure))
    if not np.isfinite(source):
        faults.append(_fault("gate_tp", "闸 {id} 没有水源总磷（source_tp_mg_l），无法计算引水效果。请补上", measure))
    if not np.isfinite(capacity):
        faults.append(
            _fault("gate_capacity", "闸 {id} 没有过流能力（max_discharge_m3_s），无法安排引水。请补上", measure)
        )
    elif measure.amount > capacity * (1 + 1e-9):
        message = "闸 {id} 引水 {amount:g} m³/s 超过其过流能力 {capacity:g} m³/s。请减小流量"
        faults.append(_fault("gate_over", message, measure, capacity=capacity))
    return faults


def _over_capacity(network: RiverNetwork, measures: Sequence[Measure]) -> list[Fault]:
    spare = spare_m3_s(network)
    outlets = network.outlets
    water = number(outlets, "actual_discharge_m3_d").fillna(number(outlets, "permit_discharge_m3_d")).fillna(0.0)
    faults = []
    for plant in dict.fromkeys(m.to for m in measures if m.action == "merge" and m.to in network.plants.index):
        merged = [m for m in measures if m.action == "merge" and m.to == plant and m.source_id in outlets.index]
        led, left = sum(float(water[m.source_id]) for m in merged), float(spare[plant]) * SECONDS_PER_DAY
        if np.isfinite(left) and led > left * (1 + 1e-9) + 1e-9:
            message = "污水处理厂 {to} 余量 {left:.0f} m³/d，装不下并入的 {led:.0f} m³/d。请减少并入的排污口，或先扩建"
            faults.append(_fault("plant_full", message, merged[0], to=plant, left=left, led=led))
    return faults


def _fault(code: str, message: str, measure: Measure, **more: object) -> Fault:
    params = {"action": measure.action, "id": measure.source_id, "amount": measure.amount, **more}
    return Fault(code, message, params, table="measures", row=measure.source_id)


def _many(ids: Sequence[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else [str(i) for i in ids]
