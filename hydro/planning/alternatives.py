"""What else could be done: cost against margin, the next-best different plans, and what a target's last bit costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from hydro.planning.milp import Program, solve
from hydro.planning.model import Model
from hydro.planning.optimise import Plan, plan_of
from hydro.planning.options import Option

LAST_MG_L = 0.01


def cost_curve(
    model: Model, margins: Sequence[float] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3), *, gap: float = 0.0
) -> pd.DataFrame:
    """The least cost for each margin (the Pareto front of cost and margin): margin, cost, measures, status.

    A margin above one that is infeasible is infeasible too and is not solved again.
    """
    rows = []
    impossible = False
    for margin in sorted(margins):
        found = None if impossible else solve(model.program(model.target_mg_l * (1 - margin)), gap=gap)
        impossible = found is None or found.status == "infeasible"
        held = found is not None and found.x is not None
        rows.append(
            {
                "margin": margin,
                "cost": found.cost if found and held else np.nan,
                "measures": int((found.x > 1e-9).sum()) if found and found.x is not None else 0,
                "status": "infeasible" if found is None else found.status,
            }
        )
    return pd.DataFrame(rows)


def next_best(model: Model, first: Plan, *, count: int = 3, gap: float = 0.0) -> Iterator[Plan]:
    """The cheapest plans that differ: each leaves out at least one measure of every plan before it.

    So a plan is never an earlier one with something added. Ends when no other plan holds. Amounts of dosing alone do not
    make plans different.
    """
    program, found = model.program(model.target_mg_l * (1 - first.margin)), first
    for _ in range(count):
        taken = _taken(model, found)
        if not program.whole[taken].any():
            return
        program = _without_one_of(program, taken)
        solution = solve(program, gap=gap)
        if solution.x is None:
            return
        found = plan_of(model, solution, margin=first.margin)
        yield found


def last_bit_costs(model: Model, plan: Plan, *, mg_l: float = LAST_MG_L, gap: float = 0.0) -> pd.DataFrame:
    """What the last ``mg_l`` of every section's target costs: what would be saved if it were that much looser.

    Columns section_id, limit_mg_l, saved (in the plan's unit); exact, by solving again, largest first.
    """
    limit = model.target_mg_l * (1 - plan.margin)
    rows = []
    for s, section in enumerate(model.sections):
        if np.isfinite(limit[s]) and plan.status == "optimal":
            looser = limit.copy()
            looser[s] += mg_l
            saved = plan.cost - solve(model.program(looser), gap=gap).cost
            rows.append({"section_id": section, "limit_mg_l": limit[s], "saved": max(saved, 0.0)})
    table = pd.DataFrame(rows, columns=["section_id", "limit_mg_l", "saved"])
    return table.sort_values("saved", ascending=False, kind="stable", ignore_index=True)


def _taken(model: Model, plan: Plan) -> NDArray[np.intp]:
    keys = {measure.key for measure in plan.measures}
    taken = [j for j, option in enumerate(model.options) if option.measure.key in keys and _same(option, plan)]
    return np.array(taken, np.intp)


def _same(option: Option, plan: Plan) -> bool:
    """Whether a plan takes just this option; an upgrade has several levels and a merge several companions."""
    improved = {m.source_id: m.amount for m in plan.measures if m.action == "upgrade"}
    if option.measure.action == "merge":
        return improved.get(option.measure.to) == (option.beside.amount if option.beside else None)
    return option.measure.action != "upgrade" or improved.get(option.measure.source_id) == option.measure.amount


def _without_one_of(program: Program, taken: NDArray[np.intp]) -> Program:
    """Add the row that forbids taking all of these again; a divisible amount counts as taken when nothing else is."""
    whole = taken[program.whole[taken]]
    row = np.zeros(len(program.cost))
    row[whole] = 1.0
    return replace(
        program,
        side=vstack([program.side, csr_array(row[None, :])], format="csr"),
        side_low=np.append(program.side_low, -np.inf),
        side_high=np.append(program.side_high, len(whole) - 1.0),
    )
