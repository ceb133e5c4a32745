"""Why no plan holds: the smallest set of targets that cannot be met together, and the load that stands in the way.

The smallest unsatisfiable set is found exactly by duality with hitting sets (Ignatiev et al. 2015,
doi:10.1007/978-3-319-23219-5_13): guess the fewest targets that touch every known way out; if these cannot be met
together they are the answer, else the targets left over when as many as possible are met are one more way out to touch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from hydro.columns import text
from hydro.planning.effect import HOLDS_WITHIN, concentration
from hydro.planning.milp import Program, solve
from hydro.planning.model import Model
from hydro.planning.scenario import change
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S

SEARCH_S = 20.0
"""Longest time spent on the smallest set; afterwards an irreducible one is named, which may not be the smallest."""
MOST_GUESSES = 60
MOST_RATIO_STEPS = 6
ALL_FLOORS = 100
"""So many sections times conditions have their lowest reachable concentration told, also those not in the way."""


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way. Made by :func:`find_obstacle`.

    ``sections`` cannot be met together, but with any one of them left out they can (``smallest``: no smaller set exists).
    ``alone`` are all sections that cannot be met even alone.
    ``only_budget``: without the budget there is a plan, for ``cost_needed``. ``only_limits``: what is forced and bounded
    contradicts itself before any target is asked for; then no section is named. ``loads`` has a row a source for each of
    these sections, under its worst condition, after the measures that help that section most: section_id, condition,
    source_id, kind, name, delivered_kg_d, allowed_kg_d, inbound; largest first. ``floor_mg_l`` (conditions, sections) is
    the lowest that any plan could bring to a section taken alone.
    """

    sections: tuple[str, ...]
    smallest: bool
    alone: tuple[str, ...]
    only_budget: bool
    cost_needed: float
    only_limits: bool
    loads: pd.DataFrame
    floor_mg_l: Float

    @property
    def inbound(self) -> bool:
        """Whether the largest load in the way of some named section comes from upstream of the project (入境)."""
        if self.loads.empty:
            return False
        return bool(self.loads.groupby("section_id", sort=False)["inbound"].first().any())

    def as_dict(self) -> dict[str, Any]:
        """Plain values for json."""
        return {
            "sections": list(self.sections),
            "smallest": self.smallest,
            "alone": list(self.alone),
            "only_budget": self.only_budget,
            "cost_needed": self.cost_needed,
            "only_limits": self.only_limits,
            "inbound": self.inbound,
            "loads": self.loads.to_dict("records"),
        }


Stop = Callable[[], bool] | None


class _StoppedError(Exception):
    """The user has asked for an end."""


def find_obstacle(model: Model, limit_mg_l: Float, *, stop: Stop = None) -> Obstacle | None:
    """Explain an infeasible model; None where ``stop()`` asked for an end before the explanation was found."""
    try:
        return _explain(model, limit_mg_l, stop)
    except _StoppedError:
        return None


def _explain(model: Model, limit_mg_l: Float, stop: Stop) -> Obstacle:
    if not _possible(model, limit_mg_l, [], stop):
        return _contradiction(model, limit_mg_l)
    only_budget, needed = False, float("nan")
    if model.limits.budget is not None:
        freed = solve(model.program(limit_mg_l, budget=False), seconds=SEARCH_S, stop=stop)
        only_budget, needed = freed.x is not None, freed.cost if freed.x is not None else float("nan")
    targets = [int(s) for s in np.flatnonzero(np.isfinite(limit_mg_l))]
    alone = [s for s in targets if not _possible(model, limit_mg_l, [s], stop)]
    sections, smallest = ([], True) if alone else smallest_set(model, limit_mg_l, stop)
    every = model.base_load.size <= ALL_FLOORS
    floor, best = _floors(model, limit_mg_l, targets if every else alone or sections, stop)
    alone.sort(key=lambda s: -float(np.nanmax(floor[:, s] / limit_mg_l[s], initial=0.0)))
    sections = sections or alone[:1]
    loads = [_loads(model, s, best[s], limit_mg_l[s]) for s in alone or sections if s in best]
    return Obstacle(
        sections=tuple(model.sections[s] for s in sections),
        smallest=smallest,
        alone=tuple(model.sections[s] for s in alone),
        only_budget=only_budget,
        cost_needed=needed,
        only_limits=False,
        loads=pd.concat(loads, ignore_index=True) if loads else pd.DataFrame(columns=["section_id", "inbound"]),
        floor_mg_l=floor,
    )


def _contradiction(model: Model, limit_mg_l: Float) -> Obstacle:
    """What is forced and bounded cannot be met whatever the targets; with the budget lifted it may be."""
    freed = solve(model.program(limit_mg_l, budget=False), seconds=SEARCH_S)
    nothing = pd.DataFrame(columns=["section_id", "inbound"])
    floor = np.full(model.base_load.shape, np.nan)
    return Obstacle((), True, (), freed.x is not None, freed.cost, freed.x is None, nothing, floor)


def smallest_set(model: Model, limit_mg_l: Float, stop: Stop = None) -> tuple[list[int], bool]:
    """The smallest set of sections whose targets cannot be met together, and whether it is proven smallest.

    A question that takes too long counts as possible; where all of them do, no way out is left to find, and nothing is proven.
    """
    targets = [int(s) for s in np.flatnonzero(np.isfinite(limit_mg_l))]
    ways_out: list[list[int]] = []
    for _ in range(MOST_GUESSES):
        guess = _fewest(ways_out, targets)
        if not _possible(model, limit_mg_l, guess, stop):
            return guess, True
        way_out = _left_over(model, limit_mg_l, guess, targets, stop)
        if not way_out:
            break
        ways_out.append(way_out)
    core = targets
    for s in targets:
        rest = [t for t in core if t != s]
        if not _possible(model, limit_mg_l, rest, stop):
            core = rest
    return core, False


def _possible(model: Model, limit_mg_l: Float, sections: list[int], stop: Stop) -> bool:
    program = model.program(limit_mg_l, sections)
    if sections:  # whether, not at what price
        program = replace(program, cost=np.zeros(len(model.options)))
    found = solve(program, seconds=SEARCH_S if sections else None, stop=stop)
    if stop is not None and stop():
        raise _StoppedError
    return found.status != "infeasible" if sections else found.x is not None


def _fewest(ways_out: list[list[int]], targets: list[int]) -> list[int]:
    """A minimum hitting set: the fewest targets with at least one in every way out."""
    if not ways_out:
        return []
    position = {s: i for i, s in enumerate(targets)}
    rows = np.zeros((len(ways_out), len(targets)))
    for row, way in zip(rows, ways_out, strict=True):
        row[[position[s] for s in way]] = 1.0
    count = len(targets)
    program = Program(
        cost=np.ones(count),
        gain=csr_array(rows),
        need=np.ones(len(ways_out)),
        scale=np.ones(len(ways_out)),
        floor=np.zeros(count),
        top=np.ones(count),
        whole=np.ones(count, bool),
        side=csr_array((0, count)),
        side_low=np.zeros(0),
        side_high=np.zeros(0),
    )
    return [targets[i] for i in np.flatnonzero(np.asarray(solve(program).x) > 0.5)]


def _left_over(model: Model, limit_mg_l: Float, start: list[int], targets: list[int], stop: Stop) -> list[int]:
    """Grow a set that can be met as far as it goes; what is left over cannot be added: a way out is to give it up."""
    met = list(start)
    for s in targets:
        if s not in met and _possible(model, limit_mg_l, [*met, s], stop):
            met.append(s)
    return [s for s in targets if s not in met]


def _floors(
    model: Model, limit_mg_l: Float, sections: list[int], stop: Stop
) -> tuple[Float, dict[int, tuple[int, Float]]]:
    """Lowest reachable concentration of each section alone, and for each its worst condition with the choices taken."""
    floor = np.full(model.base_load.shape, np.nan)
    best: dict[int, tuple[int, Float]] = {}
    for s in sections:
        if stop is not None and stop():
            raise _StoppedError
        worst = -np.inf
        for c in range(len(model.stands)):
            x = _cleanest(model, c, int(s))
            load, water = model.after(x)
            floor[c, s] = concentration(load[c, s : s + 1], water[c, s : s + 1])[0]
            over = load[c, s] - KG_D_PER_MG_L_M3_S * limit_mg_l[s] * water[c, s]
            if over > worst:
                worst, best[int(s)] = over, (c, x)
    return floor, best


def _cleanest(model: Model, c: int, s: int) -> Float:
    """The choices that bring a section lowest under a condition.

    A ratio of linear forms is least where ``min L − λ Q`` is 0 (Dinkelbach 1967, doi:10.1287/mnsc.13.7.492): start from
    what is, and take the ratio found as the next λ. Where measures leave the water alone the first step is the answer.
    """
    x = np.zeros(len(model.options))
    if not len(x):
        return x
    nothing = model.program(np.full(len(model.sections), np.nan))
    ratio = np.inf
    for _ in range(MOST_RATIO_STEPS):
        load, water = (values[c, s] for values in model.after(x))
        if water <= 0 or load / water >= ratio * (1 - HOLDS_WITHIN):
            break
        ratio = load / water
        relief = ratio * model.water[c, :, s] - model.load[c, :, s]
        found = solve(replace(nothing, cost=-relief), gap=1e-6, seconds=SEARCH_S).x
        if found is None:
            break
        x = found
    return x


def _loads(model: Model, s: int, best: tuple[int, Float], limit_mg_l: float) -> pd.DataFrame:
    """What still arrives at a section after the measures that help it most, source by source."""
    c, x = best
    stand = model.stands[c]
    after = change(stand, model.measures(x), water=model.water_rule)
    added, _ = after.sources(len(stand.sources))
    head, _ = after.heads(len(stand.diffuse_kg_d))
    arriving = (stand.load_kg_d + added) * stand.source_ratio[:, s]
    water = model.after(x)[1][c, s]
    table = pd.DataFrame(
        {
            "source_id": stand.sources.index.astype(str),
            "kind": stand.sources["kind"].to_numpy(),
            "name": text(stand.sources, "name").to_numpy(),
            "delivered_kg_d": arriving,
        }
    )
    diffuse = float(stand.diffuse_kg_d @ stand.delivery.ratio[:, s])
    brought = float(head @ stand.delivery.ratio[:, s])
    rows = [("DIFFUSE", "diffuse", "", diffuse + min(brought, 0.0)), ("DOSE", "dose", "", max(brought, 0.0))]
    table = pd.concat([table, pd.DataFrame(rows, columns=table.columns)], ignore_index=True)
    table = table[table["delivered_kg_d"] > 1e-12].sort_values("delivered_kg_d", ascending=False, kind="stable")
    table.insert(0, "section_id", model.sections[s])
    table.insert(1, "condition", stand.condition.name)
    allowed = KG_D_PER_MG_L_M3_S * limit_mg_l * water
    return table.assign(allowed_kg_d=allowed, inbound=table["kind"] == "inbound")
