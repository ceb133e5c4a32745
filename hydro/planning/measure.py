"""Measures as values: what is done to what, at which price, by whom, in how long; and whether it can be done at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.duties import DUTIES
from hydro.errors import Fault, Phrase
from hydro.network import RiverNetwork
from hydro.schema import attributes
from hydro.transport import SECONDS_PER_DAY

ACTIONS = ("seal", "regulate", "merge", "upgrade", "dredge", "relocate", "dose")
ON_OUTLET = ("seal", "regulate", "merge")
WATER = ("remove", "keep")
UNITS = {
    "seal": "kg/d",
    "merge": "kg/d",
    "relocate": "kg/d",
    "dredge": "kg/d",
    "regulate": "mg/L",
    "upgrade": "mg/L",
    "dose": "m3/s",
}


@dataclass(frozen=True)
class Measure:
    """One thing done to one outlet, plant, reach or gate (``source_id``).

    ``amount`` by action: regulate and upgrade, the TP limit in mg/L; dredge and relocate on a reach, the load taken in
    kg/d; dose, water in m³/s. seal, merge and relocate of an outlet need none. ``to`` is the plant of a merge;
    ``season`` restricts dosing to the conditions operated so; ``days`` is how long it runs in a year. ``cost`` is in 万元
    (NaN: unknown), paid once, or every year where it is ``yearly``.
    """

    action: str
    source_id: str
    amount: float = float("nan")
    to: str = ""
    season: str = ""
    days: float = float("nan")
    cost: float = float("nan")
    yearly: bool = False
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


def with_duty(measure: Measure) -> Measure:
    """The measure with its customary department and time where it names none."""
    duty = DUTIES[measure.action]
    days = measure.lead_days if np.isfinite(measure.lead_days) else float(duty.days)
    return replace(measure, department=measure.department or duty.department, lead_days=days)


def spare_m3_d(plants: pd.DataFrame) -> pd.Series[float]:
    """Capacity left at every plant, m³/d: design less actual; NaN where the design is unknown. May be negative."""
    return number(plants, "design_discharge_m3_d") - number(plants, "actual_discharge_m3_d").fillna(0.0)


def outlet_water_m3_d(outlets: pd.DataFrame) -> pd.Series[float]:
    """What every outlet would bring to a plant, m³/d: its actual discharge, else its permit.

    Where neither is known it counts as none: to refuse the merge would stop the survey.
    """
    permit = number(outlets, "permit_discharge_m3_d")
    return number(outlets, "actual_discharge_m3_d").fillna(permit).fillna(0.0)


def check_measures(network: RiverNetwork, measures: Sequence[Measure]) -> list[Fault]:
    """Every reason why measures cannot be done as asked: unknown places, contradictions, capacity, missing amounts."""
    faults: list[Fault] = []
    done: dict[str, str] = {}
    plants = network.plants.index
    of_plant = {outlet for outlet, plant in text(network.outlets, "plant_id").items() if plant in plants}
    for measure in measures:
        faults += _check_one(network, measure, of_plant)
        if measure.action in (*ON_OUTLET, "relocate") and measure.source_id in network.outlets.index:
            other = done.setdefault(measure.source_id, measure.action)
            if other != measure.action:
                faults.append(
                    _fault(
                        "measure_conflict",
                        "排污口 {id} 同时安排了两种措施：{first} 与 {second}。请只保留一种",
                        measure,
                        first=_word(other),
                        second=_word(measure.action),
                    )
                )
    return faults + _over_capacity(network, measures)


def _check_one(network: RiverNetwork, measure: Measure, of_plant: Collection[object]) -> list[Fault]:
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
        return [_fault("measure_place", "措施“{action}”的对象 {id} 不存在。请核对编号", measure)]
    faults = []
    if home == "outlets" and measure.source_id in of_plant:
        faults.append(
            _fault("measure_plant_outlet", "排污口 {id} 是污水处理厂的尾水口，不能{action}。请改为对该厂提标", measure)
        )
    needs_amount = measure.action in ("regulate", "upgrade", "dredge", "dose") or home == "reaches"
    if needs_amount and not (np.isfinite(measure.amount) and measure.amount >= 0):
        faults.append(_fault("measure_amount", "措施“{action}”（{id}）缺少数量，或数量为负。请填写 amount", measure))
    if measure.action == "merge" and not measure.to:
        faults.append(_fault("merge_nowhere", "排污口 {id} 没有指明并入哪座污水处理厂。请指明一座", measure))
    elif measure.action == "merge" and measure.to not in network.plants.index:
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
    spare, outlets = spare_m3_d(network.plants), network.outlets
    water = outlet_water_m3_d(outlets)
    faults = []
    for plant in dict.fromkeys(m.to for m in measures if m.action == "merge" and m.to in network.plants.index):
        merged = [m for m in measures if m.action == "merge" and m.to == plant and m.source_id in outlets.index]
        led, left = sum(float(water[m.source_id]) for m in merged), float(spare[plant])
        if np.isfinite(left) and led > left * (1 + 1e-9) + 1e-9:
            message = "污水处理厂 {to} 余量 {left:.0f} m³/d，装不下并入的 {led:.0f} m³/d。请减少并入的排污口，或先扩建"
            faults.append(_fault("plant_full", message, merged[0], to=plant, left=left, led=led))
    return faults


def _word(action: str) -> Phrase:
    """A measure as a reader calls it; one that is none stands as it was written."""
    return attributes("measures")["action"].word(action)


def _fault(code: str, message: str, measure: Measure, **more: object) -> Fault:
    params = {"action": _word(measure.action), "id": measure.source_id, "amount": measure.amount, **more}
    return Fault(code, message, params, table="measures", row=measure.source_id)
