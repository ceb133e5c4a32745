"""How sure a plan is: the share of draws of decay, water and loads in which every section holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hydro.planning.effect import BASELINE, Condition, concentration, holds, situation
from hydro.planning.optimise import Plan, as_asked, solve_plan
from hydro.planning.scenario import Scenario, change
from hydro.spread import DEFAULT_SPREAD, Spread
from hydro.topology import Bool, Float

HALVINGS = 4


@dataclass(frozen=True)
class Reliability:
    """``share`` of draws in which every section holds; ``sections``: section_id, probability, tp_median, tp_p90 (mg/L)."""

    share: float
    sections: pd.DataFrame
    draws: int
    tp_mg_l: Float
    held: Bool


def reliability(
    plan: Scenario,
    *,
    sections: Sequence[str] | None = None,
    condition: Condition = BASELINE,
    draws: int = 200,
    spread: Spread = DEFAULT_SPREAD,
    seed: int = 0,
    target_mg_l: Float | None = None,
) -> Reliability:
    """Run a scenario over draws of decay, water and loads; each draw is a full solve of the network.

    A section holds in a draw when its concentration is at most its target (not the margin: the margin is what buys the
    probability); ``target_mg_l`` replaces the tables' targets. The same seed gives the same draws, so that two plans are compared on the same ones.
    """
    rng = np.random.default_rng(seed)
    sections = list(sections if sections is not None else plan.network.sections.index)
    target = plan.network.targets.of_sections(sections, condition.time) if target_mg_l is None else target_mg_l
    tp, held = np.empty((draws, len(sections))), np.empty((draws, len(sections)), bool)
    middle = situation(plan.network, condition, sections=sections)
    for draw in range(draws):
        decay, flow = np.exp(rng.normal(0, [spread.decay, spread.flow]))
        stand = middle.varied(decay=float(decay), flow=float(flow))
        factor = np.exp(rng.normal(0, spread.load, len(stand.sources)))
        stand = replace(
            stand,
            sources=stand.sources.assign(load_kg_d=stand.load_kg_d * factor),
            diffuse_kg_d=stand.diffuse_kg_d * np.exp(rng.normal(0, spread.diffuse)),
        )
        load, water = stand.at_sections(change(stand, plan.measures, water=plan.water))
        tp[draw], held[draw] = concentration(load, water), holds(load, water, target)
    table = pd.DataFrame(
        {
            "section_id": sections,
            "target_mg_l": target,
            "probability": held.mean(axis=0),
            "tp_median": np.median(tp, axis=0),
            "tp_p90": np.quantile(tp, 0.9, axis=0),
        }
    )
    has_target = np.isfinite(target)
    return Reliability(
        float(held[:, has_target].all(axis=1).mean()), table[has_target].reset_index(drop=True), draws, tp, held
    )


def robust_plan(
    plan: Plan,
    *,
    share: float = 0.9,
    draws: int = 200,
    spread: Spread = DEFAULT_SPREAD,
    seed: int = 0,
    most_rounds: int = 6,
) -> tuple[Plan, Reliability]:
    """The cheapest plan found that holds in this share of the draws, by tightening the targets of the sections that fail.

    Each round sets a failing section's limit down by what its quantile is over the target, until the share is reached;
    then the tightening is halved a few times to come down to it. Every plan on the way is proven cheapest for its
    limits; that no cheaper plan reaches the share is not proven: its
    ``bound`` is that of the plan it came from. Gives the last plan when no tighter one is feasible,
    with what it reaches.
    """
    model, margin, least = plan.model, plan.margin, plan.bound
    first, sections = model.stands[0].condition, list(dict.fromkeys(plan.sections["section_id"]))
    columns = [model.sections.index(section) for section in sections]
    goal = model.target_mg_l[columns]

    def ask(asked: Plan) -> Reliability:
        return reliability(
            asked.scenario, sections=sections, condition=first, draws=draws, spread=spread, seed=seed, target_mg_l=goal
        )

    def within(limit_mg_l: Float) -> Plan:
        return solve_plan(replace(model, target_mg_l=limit_mg_l), margin=margin)

    sure, loose, tight = ask(plan), model.target_mg_l, model.target_mg_l
    for _ in range(most_rounds):
        if sure.share >= share or plan.status != "optimal":
            break
        quantile = np.quantile(sure.tp_mg_l, (1 + share) / 2, axis=0)
        loose, tight = tight, tight.copy()
        tight[columns] /= np.maximum(quantile / goal, 1.0)
        tighter = within(tight)
        if tighter.status != "optimal":
            break
        plan, sure = tighter, ask(tighter)
    if sure.share >= share and loose is not tight:
        for _ in range(HALVINGS):
            middle = np.sqrt(loose * tight)
            found = within(middle)
            surer = ask(found)
            if surer.share >= share:
                plan, sure, tight = found, surer, middle
            else:
                loose = middle
    return replace(as_asked(plan, model), bound=least), sure
