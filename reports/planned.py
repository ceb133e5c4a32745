"""A plan of the project as the pack tells it: its measures, its cost, and every section before and after it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from hydro import Condition, Measure, RiverNetwork, Scenario, compare, load_plan
from hydro.columns import text
from hydro.plan_rows import plan_id_of
from reports.printable import clean

UNITS = {"upgrade": "mg/L", "regulate": "mg/L", "dose": "m³/s", "dredge": "kg/d", "relocate": "kg/d"}


@dataclass(frozen=True)
class PlanLine:
    """One measure of a plan."""

    source_id: str
    name: str
    action: str
    amount: str
    cost: float


@dataclass(frozen=True)
class PlanReport:
    """A plan, and every section before and after it (section id -> mg/L)."""

    name: str
    cost: float
    lines: tuple[PlanLine, ...]
    before: Mapping[str, float]
    after: Mapping[str, float]
    status: str = "optimal"
    note: str = ""


def planned(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], plan: str, month: str) -> PlanReport:
    """The plan of that id or name under the water of the month. Raises HydroError ``plan_unknown``.

    Its measures are the rows of ``measures`` and what ``decisions`` says of outlets; a sealed outlet's water leaves the
    river with it.
    """
    plan_id = plan_id_of(tables, plan)
    measures = load_plan(network, tables, plan_id).measures
    names = dict(zip(text(tables["plans"], "plan_id"), text(tables["plans"], "name"), strict=True))
    effect = compare(network, Scenario(network, measures, "remove"), conditions=[Condition(month, month)])
    return PlanReport(
        name=clean(names[plan_id]) or plan_id,
        cost=sum(m.cost for m in measures if not math.isnan(m.cost)),
        lines=tuple(_line(network, measure) for measure in measures),
        before=dict(zip(effect["section_id"].astype(str), effect["tp_before_mg_l"], strict=True)),
        after=dict(zip(effect["section_id"].astype(str), effect["tp_after_mg_l"], strict=True)),
        status="",
    )


def _line(network: RiverNetwork, measure: Measure) -> PlanLine:
    frames = (network.outlets, network.plants, network.gates, network.reaches)
    name = next((text(f, "name")[measure.source_id] for f in frames if measure.source_id in f.index), "")
    amount = "" if math.isnan(measure.amount) else f"{measure.amount:g} {UNITS.get(measure.action, '')}".strip()
    return PlanLine(
        measure.source_id, clean(name) or measure.source_id, measure.action, amount or measure.to, measure.cost
    )
