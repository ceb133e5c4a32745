"""A plan as rows of the project's tables, and back: ``plans``, ``measures``, ``decisions``, ``tasks``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.duties import DUTIES
from hydro.errors import HydroError
from hydro.network import RiverNetwork
from hydro.planning.measure import ON_OUTLET, UNITS, Measure, with_duty
from hydro.planning.options import DEFAULT_PRICES
from hydro.planning.scenario import Scenario


def load_plan(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], plan: str) -> Scenario:
    """The scenario of a stored plan, by id or name. Raises HydroError for an unknown one, FaultsError for bad measures.

    A plan is its rows in ``measures``, then its ``decisions`` on outlets that have no row there. Where a merge goes
    stands in the row, else in the decision, else in the outlet's ``merge_to``; a regulated outlet without an amount goes
    to 0.5 mg/L, and an outlet to be sealed without a cost costs its ``seal_cost``.
    """
    plan_id = plan_id_of(tables, plan)
    decided = _of_plan(tables, "decisions", plan_id)
    into = {str(outlet): str(plant) for outlet, plant in text(network.outlets, "merge_to").items()}
    for outlet, plant in zip(text(decided, "outlet_id"), text(decided, "merge_to"), strict=True):
        into[outlet] = plant or into.get(outlet, "")
    measures = _measures(network, _of_plan(tables, "measures", plan_id), into)
    known = {measure.source_id for measure in measures}
    outlets = [
        {"action": decision, "source_id": outlet}
        for outlet, decision in zip(text(decided, "outlet_id"), text(decided, "decision"), strict=True)
        if decision in ON_OUTLET and outlet not in known
    ]
    return Scenario(network, name=plan).with_measures(measures + _measures(network, pd.DataFrame(outlets), into))


def offered(network: RiverNetwork, tables: Mapping[str, pd.DataFrame]) -> list[Measure]:
    """The measures on offer: rows of ``measures`` that belong to no plan (a survey's dredging, farms to be moved)."""
    into = {str(outlet): str(plant) for outlet, plant in text(network.outlets, "merge_to").items()}
    return _measures(network, _of_plan(tables, "measures", ""), into)


def _measures(network: RiverNetwork, rows: pd.DataFrame, into: Mapping[str, str]) -> list[Measure]:
    words = {name: text(rows, name) for name in ("action", "source_id", "unit", "merge_to", "season", "department")}
    figures = {name: number(rows, name) for name in ("amount", "days", "cost", "cost_per_year", "lead_time_d")}
    seal_cost = number(network.outlets, "seal_cost")
    made = []
    for i in range(len(rows)):
        word = {name: str(column.iloc[i]) for name, column in words.items()}
        figure = {name: float(column.iloc[i]) for name, column in figures.items()}
        action, source, amount, days = word["action"], word["source_id"], figure["amount"], figure["days"]
        if action in ("regulate", "upgrade") and (word["unit"] not in ("", "mg/L") or np.isnan(amount)):
            amount = DEFAULT_PRICES.regulate_to_mg_l
        if action == "dose" and np.isnan(days):
            days = 365.0
        yearly = np.isnan(figure["cost"]) and np.isfinite(figure["cost_per_year"])
        cost = figure["cost_per_year"] if yearly else figure["cost"]
        if action == "seal" and np.isnan(cost):
            cost = float(seal_cost.get(source, np.nan))
        made.append(
            Measure(
                action,
                source,
                amount,
                to=(word["merge_to"] or into.get(source, "")) if action == "merge" else "",
                season=word["season"],
                days=days if action == "dose" else float("nan"),
                cost=cost,
                yearly=bool(yearly),
                department=word["department"],
                lead_days=figure["lead_time_d"],
            )
        )
    return made


def plan_rows(scenario: Scenario, plan_id: str, name: str, *, description: str = "") -> dict[str, pd.DataFrame]:
    """The rows that keep a plan: one of ``plans``, one a measure, one a decision on an outlet."""
    measures = [with_duty(measure) for measure in scenario.measures]
    rows = pd.DataFrame(
        {
            "measure_id": [f"{plan_id}-{i:03d}" for i in range(1, len(measures) + 1)],
            "plan_id": plan_id,
            "name": [f"{DUTIES[m.action].word} {place_name(scenario.network, m.source_id)}" for m in measures],
            "action": [m.action for m in measures],
            "source_id": [m.source_id for m in measures],
            "amount": [m.amount for m in measures],
            "unit": [UNITS[m.action] for m in measures],
            "merge_to": [m.to for m in measures],
            "season": [m.season for m in measures],
            "days": [m.days for m in measures],
            "cost": [float("nan") if m.yearly else m.cost for m in measures],
            "cost_per_year": [m.cost if m.yearly else float("nan") for m in measures],
            "department": [m.department for m in measures],
            "lead_time_d": [m.lead_days for m in measures],
        }
    )
    outlets = [m for m in measures if m.action in ON_OUTLET]
    decisions = pd.DataFrame(
        {
            "plan_id": plan_id,
            "outlet_id": [m.source_id for m in outlets],
            "decision": [m.action for m in outlets],
            "merge_to": [m.to for m in outlets],
            "reason": [m.note for m in outlets],
        }
    )
    plans = pd.DataFrame({"plan_id": [plan_id], "name": [name], "description": [description], "state": ["draft"]})
    return {"plans": plans, "measures": rows, "decisions": decisions}


def task_rows(
    scenario: Scenario, plan_id: str, *, start: str, people: Mapping[str, str] | None = None, listed: bool = False
) -> pd.DataFrame:
    """A task a measure: department, person and the day it is due, counted from ``start`` (an ISO date).

    ``listed`` puts them on the public list (挂牌督办) that day; they come off (摘牌) when they are done.

    ``people`` names the person of a department; the outlet's own grid owner comes first.
    """
    day = pd.Timestamp(start)
    owner, county = text(scenario.network.outlets, "grid_owner"), text(scenario.network.outlets, "county")
    rows = []
    for i, measure in enumerate(map(with_duty, scenario.measures), start=1):
        due = day + pd.Timedelta(days=measure.lead_days)
        rows.append(
            {
                "task_id": f"{plan_id}-T{i:03d}",
                "plan_id": plan_id,
                "subject": measure.source_id,
                "title": f"{DUTIES[measure.action].word} {place_name(scenario.network, measure.source_id)}",
                "department": measure.department,
                "person": str(owner.get(measure.source_id, "")) or (people or {}).get(measure.department, ""),
                "county": str(county.get(measure.source_id, "")),
                "assigned_on": day.date().isoformat(),
                "due_on": due.date().isoformat(),
                "state": "assigned",
                "listed_on": day.date().isoformat() if listed else "",
            }
        )
    return pd.DataFrame(rows)


def folded(words: str) -> str:
    """Words without what an input method adds: wide letters and brackets are narrow ones, spaces around are gone."""
    return unicodedata.normalize("NFKC", words).strip()


def plan_id_of(tables: Mapping[str, pd.DataFrame], plan: str) -> str:
    """The id of a plan given by id or name, wide brackets as good as narrow ones. Raises HydroError for one that is unknown or not the only one."""
    plans = tables.get("plans", pd.DataFrame(columns=["plan_id", "name"]))
    ids, names = text(plans, "plan_id"), text(plans, "name")
    found = [i for i, name in zip(ids, names, strict=True) if plan in (i, name)]
    found = found or [i for i, name in zip(ids, names, strict=True) if folded(plan) == folded(name)]
    if len(found) == 1:
        return str(found[0])
    if found:
        message = "方案名“{plan}”对应多个方案：{ids}。请改用方案编号"
        raise HydroError("plan_ambiguous", message, plan=plan, ids="、".join(found))
    known = "、".join(dict.fromkeys(name or i for i, name in zip(ids, names, strict=True))) or "（无）"
    raise HydroError("plan_unknown", "没有方案“{plan}”。本项目的方案：{known}", plan=plan, known=known)


def _of_plan(tables: Mapping[str, pd.DataFrame], name: str, plan_id: str) -> pd.DataFrame:
    table = tables.get(name)
    if table is None or table.empty:
        return pd.DataFrame()
    return pd.DataFrame(table.loc[text(table, "plan_id") == plan_id])


def place_name(network: RiverNetwork, source_id: str) -> str:
    """What a person calls the place of a measure; its id where it has no name."""
    for table in (network.outlets, network.plants, network.gates, network.reaches):
        if source_id in table.index:
            return str(text(table, "name")[source_id]) or source_id
    return source_id
