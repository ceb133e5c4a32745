"""A plan of the project as the pack tells it: its measures, its cost, and every section before and after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from hydro import Condition, Measure, RiverNetwork, Scenario, compare, from_measured, load_plan, situation
from hydro.columns import text
from hydro.planning.plan_rows import plan_id_of
from reports.printable import clean

UNITS = {"upgrade": "mg/L", "regulate": "mg/L", "dose": "m³/s", "dredge": "kg/d", "relocate": "kg/d"}

STATES = {"draft": "草稿", "submitted": "已提交", "approved": "已批准", "rejected": "已退回", "archived": "已归档"}


@dataclass(frozen=True)
class PlanLine:
    """One measure of a plan."""

    source_id: str
    name: str
    action: str
    amount: str
    cost: float


@dataclass(frozen=True)
class Effect:
    """One section before and after a plan, mg/L: from its reading of the month (``basis`` monitored), else as modelled."""

    before: float
    after: float
    basis: str
    modelled_before: float
    modelled_after: float


@dataclass(frozen=True)
class PlanReport:
    """A plan, how far it has come, and what it makes of every section (section id -> effect)."""

    name: str
    state: str
    cost: float
    lines: tuple[PlanLine, ...]
    effects: Mapping[str, Effect]


def plan_named(name: str, state: str, say: Callable[..., str]) -> str:
    """A plan as it is called wherever it is told or drawn: its name, and that it is a draft while it is one."""
    return say("{state}方案“{name}”", state=say(STATES[state]) if state in STATES else "", name=name).strip()


def planned(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], plan: str, month: str) -> PlanReport:
    """The plan of that id or name under the water of the month. Raises HydroError ``plan_unknown``.

    Its measures are the rows of ``measures`` and what ``decisions`` says of outlets; a sealed outlet's water leaves the
    river with it. A section measured that month starts from its reading (:mod:`hydro.planning.anchor`).
    """
    plan_id = plan_id_of(tables, plan)
    measures = load_plan(network, tables, plan_id).measures
    plans = tables["plans"].set_index(text(tables["plans"], "plan_id"))
    names, states = text(plans, "name"), text(plans, "state")
    stand = situation(network, Condition(month, month))
    table = compare(network, Scenario(network, measures, "remove"), situations=[stand])
    wanted = ["tp_before_mg_l", "tp_after_mg_l", "basis", "modelled_before_mg_l", "modelled_after_mg_l"]
    told = from_measured(table, [stand]).set_index("section_id")[wanted]
    return PlanReport(
        name=clean(names[plan_id]) or plan_id,
        state=str(states[plan_id]),
        cost=sum(m.cost for m in measures if not math.isnan(m.cost)),
        lines=tuple(_line(network, measure) for measure in measures),
        effects={str(row[0]): Effect(*row[1:]) for row in told.itertuples(name=None)},
    )


def amount_of(value: float) -> str:
    """The amount of a measure with three figures that matter, without exponents.

    >>> amount_of(0.0829786), amount_of(0.3), amount_of(1234.56), amount_of(0.00000621)
    ('0.083', '0.3', '1,235', '0.00000621')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.3g}').normalize():f}"


def _line(network: RiverNetwork, measure: Measure) -> PlanLine:
    frames = (network.outlets, network.plants, network.gates, network.reaches)
    name = next((text(f, "name")[measure.source_id] for f in frames if measure.source_id in f.index), "")
    amount = (
        "" if math.isnan(measure.amount) else f"{amount_of(measure.amount)} {UNITS.get(measure.action, '')}".strip()
    )
    return PlanLine(
        measure.source_id, clean(name) or measure.source_id, measure.action, amount or measure.to, measure.cost
    )
