"""A plan of the project as the pack tells it: its measures, its cost, and every section before and after it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from hydro import Condition, HydroError, Measure, RiverNetwork, Scenario, compare
from hydro.columns import number, text
from reports.printable import clean

REGULATED_MG_L = 0.5
"""What an outlet to be regulated is brought to where the plan says nothing else: class 1A of GB 18918-2002."""
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
    plans = tables["plans"]
    names = dict(zip(text(plans, "plan_id"), text(plans, "name"), strict=True))
    chosen = next((key for key, name in names.items() if plan in (key, name)), None)
    if chosen is None:
        known = "、".join(name or key for key, name in names.items()) or "—"
        raise HydroError("plan_unknown", "没有方案“{plan}”。本项目的方案：{known}", plan=plan, known=known)
    measures = plan_measures(network, tables, chosen)
    effect = compare(network, Scenario(network, measures, "remove"), conditions=[Condition(month, month)])
    return PlanReport(
        name=clean(names[chosen]) or chosen,
        cost=sum(m.cost for m in measures if not math.isnan(m.cost)),
        lines=tuple(_line(network, measure) for measure in measures),
        before=dict(zip(effect["section_id"].astype(str), effect["tp_before_mg_l"], strict=True)),
        after=dict(zip(effect["section_id"].astype(str), effect["tp_after_mg_l"], strict=True)),
        status="",
    )


def plan_measures(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], plan_id: str) -> tuple[Measure, ...]:
    """The measures of a plan as the science knows them."""
    rows = tables["measures"]
    rows = rows[text(rows, "plan_id") == plan_id]
    made = [
        Measure(action, source, float(amount), cost=float(cost), department=department)
        for action, source, amount, cost, department in zip(
            text(rows, "action"), text(rows, "source_id"), number(rows, "amount"), number(rows, "cost"),
            text(rows, "department"), strict=True,
        )
    ]  # fmt: skip
    decided = tables["decisions"]
    decided = decided[text(decided, "plan_id") == plan_id]
    price = number(network.outlets, "seal_cost")
    for outlet, decision, to in zip(
        text(decided, "outlet_id"), text(decided, "decision"), text(decided, "merge_to"), strict=True
    ):
        if decision == "seal":
            made.append(Measure("seal", outlet, cost=float(price.get(outlet, math.nan))))
        elif decision == "regulate":
            made.append(Measure("regulate", outlet, REGULATED_MG_L))
        elif decision == "merge":
            made.append(Measure("merge", outlet, to=to))
    return tuple(made)


def _line(network: RiverNetwork, measure: Measure) -> PlanLine:
    frames = (network.outlets, network.plants, network.gates, network.reaches)
    name = next((text(f, "name")[measure.source_id] for f in frames if measure.source_id in f.index), "")
    amount = "" if math.isnan(measure.amount) else f"{measure.amount:g} {UNITS.get(measure.action, '')}".strip()
    return PlanLine(
        measure.source_id, clean(name) or measure.source_id, measure.action, amount or measure.to, measure.cost
    )
