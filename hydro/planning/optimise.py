"""The cheapest set of measures that brings every section to target under all conditions, proven; or that none does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hydro.columns import text
from hydro.errors import Fault, HydroError
from hydro.network import RiverNetwork
from hydro.planning.cautions import dry_sections, moved_loads
from hydro.planning.effect import BASELINE, Condition, concentration, holds
from hydro.planning.measure import UNITS, Measure
from hydro.planning.milp import Progress, Solution, solve
from hydro.planning.model import UNLIMITED, Limits, Model, build_model
from hydro.planning.obstacle import Obstacle, find_obstacle
from hydro.planning.options import DEFAULT_PRICES, Prices
from hydro.planning.scenario import Scenario
from hydro.topology import Float

DEFAULT_ALLOW = ("seal", "regulate", "merge", "dose")


@dataclass(frozen=True)
class Plan:
    """The answer of :func:`plan_measures`.

    ``status``: optimal (proven to the gap asked for), infeasible (proven; ``obstacle`` tells why), or stopped (the best
    so far with its ``gap``; without ``measures`` where nothing was found yet). ``cost`` is in ``unit`` (万元, or the
    count of measures where costs are missing), NaN when infeasible. ``sections`` has a row a section and condition:
    condition, section_id, name, target_mg_l, limit_mg_l, tp_before_mg_l, tp_after_mg_l, tp_floor_mg_l (the lowest that
    any plan of these measures could bring; only when infeasible), holds. ``x`` are the choices as the model numbers them.
    """

    model: Model
    status: str
    cost: float
    bound: float
    unit: str
    measures: tuple[Measure, ...]
    sections: pd.DataFrame
    notes: tuple[Fault, ...]
    margin: float
    obstacle: Obstacle | None = None
    x: Float | None = None

    @property
    def gap(self) -> float:
        """(cost − bound) / cost: 0 when proven."""
        return max(self.cost - self.bound, 0.0) / max(abs(self.cost), 1e-12)

    @property
    def scenario(self) -> Scenario:
        """The network with the plan's measures on it."""
        return Scenario(self.model.network, self.measures, self.model.water_rule)

    @property
    def table(self) -> pd.DataFrame:
        """The measures, a row each: source_id, action, amount, unit, to, season, cost, yearly, county, name."""
        network = self.model.network
        first = self.model.stands[0]
        rows = [
            {
                "source_id": m.source_id,
                "action": m.action,
                "amount": m.amount if np.isfinite(m.amount) else float(first.load_kg_d[first.position[m.source_id]]),
                "unit": UNITS[m.action],
                "to": m.to,
                "season": m.season,
                "volume_10k_m3": m.volume_10k_m3 if m.action == "dose" else np.nan,
                "cost": m.cost if self.unit != "count" else np.nan,
                "yearly": m.yearly,
                **_place(network, m.source_id),
            }
            for m in self.measures
        ]
        columns = [
            "source_id",
            "action",
            "amount",
            "unit",
            "to",
            "season",
            "volume_10k_m3",
            "cost",
            "yearly",
            "name",
            "county",
            "basis",
        ]
        table = pd.DataFrame(rows, columns=columns)
        basis = first.sources["basis"]
        return table.assign(basis=[str(basis.get(i, "")) for i in table["source_id"]])


def plan_measures(
    network: RiverNetwork,
    *,
    allow: Collection[str] = DEFAULT_ALLOW,
    margin: float = 0.1,
    targets: Mapping[str, float] | None = None,
    sections: Sequence[str] | None = None,
    water: str = "remove",
    time: str | None = None,
    conditions: Sequence[Condition] | None = None,
    limits: Limits = UNLIMITED,
    prices: Prices = DEFAULT_PRICES,
    extra: Sequence[Measure] = (),
    missing_cost: float | None = None,
    sewer_km: Mapping[str, float] | None = None,
    gap: float = 0.0,
    seconds: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Plan:
    """Find the cheapest measures with which every section holds target × (1 − margin) under every condition.

    Without ``time`` and ``conditions``: the tables' own discharge, velocity, and decay at 20 °C; permits where nothing is
    observed. ``sections`` (ids or names) restricts the plan to some. ``water`` tells whether sealing an outlet takes its
    water out of the river. ``gap`` is how far from proven the answer may be (0: proven). Infeasible is an answer, not an
    error. See :class:`Plan`, and :func:`hydro.planning.model.build_model` for what raises.
    """
    if not 0 <= margin < 1:
        raise HydroError("margin_range", "余量 {margin} 无效，应在 0 与 1 之间（0.1 即比目标低 10 %）", margin=margin)
    model = build_model(
        network,
        allow=allow,
        conditions=conditions or (replace(BASELINE, time=time),),
        targets=targets,
        sections=sections,
        water=water,
        limits=limits,
        prices=prices,
        extra=extra,
        missing_cost=missing_cost,
        sewer_km=sewer_km,
    )
    return solve_plan(model, margin=margin, gap=gap, seconds=seconds, progress=progress, stop=stop)


def solve_plan(
    model: Model,
    *,
    margin: float = 0.1,
    gap: float = 0.0,
    seconds: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Plan:
    """:func:`plan_measures` on a model that is already built: asking again with another margin costs only the solve."""
    limit = model.target_mg_l * (1 - margin)
    solution = solve(model.program(limit), gap=gap, seconds=seconds, progress=progress, stop=stop)
    return plan_of(model, solution, margin=margin, stop=stop)


def plan_of(model: Model, solution: Solution, *, margin: float, stop: Callable[[], bool] | None = None) -> Plan:
    """What a solution of the model's program means; ``stop`` ends the search for what stands in its way."""
    limit = model.target_mg_l * (1 - margin)
    x = solution.x if solution.x is None else without_idle(model, solution.x, limit)
    obstacle = find_obstacle(model, limit, stop=stop) if solution.status == "infeasible" else None
    return Plan(
        model=model,
        status=solution.status,
        cost=_cost(model, solution, x),
        bound=solution.bound,
        unit=model.choice.unit,
        measures=() if x is None else model.measures(x),
        sections=section_table(model, x, limit, obstacle),
        notes=(*model.choice.notes, *_cautions(model, x)),
        margin=margin,
        obstacle=obstacle,
        x=x,
    )


def as_asked(plan: Plan, model: Model) -> Plan:
    """The same choices told against the targets of another model of the same options (those that were asked for)."""
    if plan.model is model or plan.x is None:
        return plan
    limit = model.target_mg_l * (1 - plan.margin)
    return replace(plan, model=model, sections=section_table(model, plan.x, limit))


def without_idle(model: Model, x: Float, limit_mg_l: Float) -> Float:
    """Drop measures that cost nothing and are not needed: a plan never lists work that no section asks for."""
    program = model.program(limit_mg_l)
    kept = x.copy()
    for j in np.flatnonzero((x > 0) & (model.cost <= 0)):
        trial = kept.copy()
        trial[j] = 0.0
        enough = np.all(program.gain @ trial >= program.need - 1e-9 * program.scale)
        side = program.side @ trial
        if enough and np.all(side >= program.side_low - 1e-9) and np.all(side <= program.side_high + 1e-9):
            kept = trial
    return kept


def section_table(model: Model, x: Float | None, limit_mg_l: Float, obstacle: Obstacle | None = None) -> pd.DataFrame:
    """Every section with a target, before and after the choices ``x``, a row a section and condition."""
    before = concentration(model.base_load, model.base_water)
    load, water = model.after(np.zeros(len(model.options)) if x is None else x)
    after, held = concentration(load, water), holds(load, water, limit_mg_l)
    names = text(model.network.sections, "name")
    rows = [
        {
            "condition": stand.condition.name,
            "section_id": section,
            "name": names[section],
            "target_mg_l": model.target_mg_l[s],
            "limit_mg_l": limit_mg_l[s],
            "tp_before_mg_l": before[c, s],
            "tp_after_mg_l": after[c, s],
            "tp_floor_mg_l": np.nan if obstacle is None else obstacle.floor_mg_l[c, s],
            "holds": bool(held[c, s]),
        }
        for c, stand in enumerate(model.stands)
        for s, section in enumerate(model.sections)
        if np.isfinite(limit_mg_l[s])
    ]
    return pd.DataFrame(rows)


def as_dict(plan: Plan) -> dict[str, Any]:
    """The plan as plain values, in the words of the command line's json; numbers that do not exist are ``None``."""
    measures = plan.table.to_dict("records")
    found: dict[str, Any] = {
        "status": plan.status,
        "cost": plan.cost,
        "cost_unit": plan.unit,
        "bound": plan.bound,
        "gap": plan.gap if plan.measures or plan.status == "optimal" else None,
        "margin": plan.margin,
        "measures": measures,
        "sections": plan.sections.to_dict("records"),
    }
    if plan.obstacle is not None:
        found["obstacle"] = plan.obstacle.as_dict()
    cleaned = _plain(found)
    assert isinstance(cleaned, dict)
    return cleaned


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def _cost(model: Model, solution: Solution, x: Float | None) -> float:
    return float("nan") if x is None else float(model.cost @ x)


def _cautions(model: Model, x: Float | None) -> list[Fault]:
    dry = model.base_water <= 0
    if x is not None:
        dry |= model.after(x)[1] <= 0
    ids = [section for s, section in enumerate(model.sections) if np.isfinite(model.target_mg_l[s]) and dry[:, s].any()]
    return dry_sections(ids) + ([] if x is None else moved_loads(model.stands[0], model.measures(x)))


def _place(network: RiverNetwork, source_id: str) -> dict[str, str]:
    for table in (network.outlets, network.plants, network.gates, network.reaches):
        if source_id in table.index:
            return {"name": text(table, "name")[source_id], "county": text(table, "county")[source_id]}
    return {"name": "", "county": ""}
