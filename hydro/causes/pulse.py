"""Sub-daily attribution: who released what, from when to when, given what automatic stations read every few hours.

Every place a release may come from (listed sources, inbound rivers, unlisted places along the river), the wash-off of
the land, and a fault of the sensor are weighed against each other: the response of each (``hydro.plume``) over windows
and over the ways a river may differ from its tables is held against the readings of all stations (``hydro.causes.likelihood``),
the ratios of NH3N and COD to TP against its fingerprint, its own reports against the release. What is left adds to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hydro.causes.places import UNLISTED
from hydro.causes.rivals import faults, wash_offs
from hydro.causes.scenarios import FINEST_H, best_of, narrow, neighbours, patch, propose, weigh, widen
from hydro.causes.scene import Detective, Scenarios, Scene, gather, join
from hydro.topology import Float

TEMPER = 0.1
"""Evidence between places is weighed at this power: the errors of the river's model are shared by all readings."""
ALARM_TEMPER = 0.35
"""The same between a release and a false alarm, which owes less to the river."""
WINDOW_TEMPER = 0.03
"""The same for the window of one source, where all errors of timing are shared."""
WANDER = 0.3
"""How far a source's own load strays from its usual course over hours, relative."""
HIDE = 0.5
"""How often a source that reports leaves its own event out of the report."""
CLIMBERS, FINISHERS = (24, 8, 2), (9, 3, 2)
"""How many listed suspects and unlisted places climb, each from how many rivers; and how many are left for small steps."""
CLIMB_H = (8.0, 4.0, 4.0, 2.0, 2.0, 1.0, 1.0, 0.5, 0.5)
PRUNED_H = 1.0
PATCH_H = 0.5
"""Steps of the climb, the first of those taken by the finishers only, and the width of the cells around each summit, hours."""
REPORT_LIMIT = 10.0
"""The most that a report may say for or against its source (ln)."""


@dataclass(frozen=True)
class Cause:
    """One candidate of one episode: how likely, and if so, what it released where, and what the readings say of it.

    ``ratio`` is NH3N and COD per TP of the best fit (NaN unmeasured), ``told_kg`` what its own report adds up to above
    its usual load while it would have released (NaN: it sends none).
    """

    source_id: str
    kind: str
    probability: float
    start_h: float = float("nan")
    end_h: float = float("nan")
    released_kg: float = float("nan")
    reach: int = -1
    chainage_m: float = float("nan")
    ratio: tuple[float, float] = (float("nan"), float("nan"))
    told_kg: float = float("nan")


@dataclass(frozen=True)
class Verdict:
    """What one reading of one section was answered: causes by probability, ``NONE`` last; they sum to one.

    ``alarm`` is the form of false alarm that is likeliest (spike, stuck, pulse, or quiet: nothing happened at all) and
    ``alarm_h`` the span of the readings it concerns; ``unlisted`` is reach -> probability of an unlisted outlet on it.
    """

    scene: Scene
    causes: tuple[Cause, ...]
    alarm: str
    alarm_h: tuple[float, float]
    unlisted: Mapping[str, float]


def solve_episode(detective: Detective, section: str, time: str) -> Verdict:
    """Weigh every cause of one reading of one section (id) against each other."""
    scene = gather(detective, section, time)
    scenarios, found = _point_scenarios(scene)
    score, mass, ratio = found.score, found.mass, found.ratio
    washed, washed_prior, first, last, washed_kg = wash_offs(scene)
    alarms, alarm_prior, spans = faults(scene)
    prior = np.concatenate([scenarios.log_prior + found.beside, washed_prior, list(alarm_prior.values())])
    evidence = np.concatenate([score, washed, list(alarms.values())]) - prior
    real = len(score) + len(washed)
    chance = _chance(evidence, prior, ALARM_TEMPER)
    false = float(chance[real:].sum())
    if real:
        chance[:real] = (1 - false) * _chance(evidence[:real], prior[:real], TEMPER)
    point, rain, none = np.split(chance, [len(score), len(score) + len(washed)])
    wide = np.exp(WINDOW_TEMPER * (score - scenarios.log_prior - score.max(initial=0.0)) + scenarios.log_prior)
    placed = detective.places
    causes = []
    ids = placed.source_id[scenarios.suspect]
    start, end = scenarios.start_h, scenarios.start_h + scenarios.length_h
    for source in pd.unique(ids):
        mine = np.flatnonzero(ids == source)
        best = mine[np.argmax(score[mine])]
        spot = int(scenarios.suspect[best])
        a, b, kg = likely_window(start[mine], end[mine], wide[mine], mass[mine])
        causes.append(
            Cause(
                str(source),
                str(placed.kind[spot]),
                float(point[mine].sum()),
                a,
                b,
                kg,
                int(placed.reach[spot]),
                float(placed.chainage_m[spot]),
                (float(ratio[best, 0]), float(ratio[best, 1])),
                _told(scene, source, a, b),
            )
        )
    if len(washed):
        a, b, kg = likely_window(first, last, rain, washed_kg)
        causes.append(Cause("DIFFUSE", "diffuse", float(rain.sum()), a, b, kg))
    causes.sort(key=lambda cause: (-cause.probability, cause.source_id))
    causes.append(Cause("NONE", "none", float(none.sum())))
    alarm = max(alarms, key=lambda form: alarms[form])
    return Verdict(scene, tuple(causes), alarm, spans[alarm], _unlisted(detective, scenarios, point))


def _chance(evidence: Float, prior: Float, temper: float) -> Float:
    """Posterior of alternatives from their ln likelihoods, weighed at a power, and their ln priors."""
    log = temper * (evidence - evidence.max()) + prior
    odds = np.exp(log - log.max())
    return np.asarray(odds / odds.sum(), np.float64)


def _unlisted(detective: Detective, scenarios: Scenarios, chance: Float) -> dict[str, float]:
    placed = detective.places
    mine = placed.source_id[scenarios.suspect] == UNLISTED
    reach = placed.reach[scenarios.suspect[mine]]
    names = detective.network.reaches.index
    by_reach = {int(r): float(chance[mine][reach == r].sum()) for r in np.unique(reach)}
    return {str(names[r]): p for r, p in by_reach.items() if p > 1e-4}


def _point_scenarios(scene: Scene) -> tuple[Scenarios, Weights]:
    """Scenarios of a release, and what the readings say of each.

    The leading suspects' best scenarios are moved uphill step by step, and the windows around each summit weighed: a
    release of a day has a likelihood far narrower than any affordable grid, and without the climb the culprit's own best
    window is missed while somebody else's near miss looks better.
    """
    scenarios = propose(scene)
    if not len(scenarios.suspect):
        return scenarios, Weights(np.zeros(0), np.zeros(0), np.zeros((0, 2)), np.zeros(0))
    scenarios = widen(scene, narrow(scenarios, _weighed(scene, scenarios).score))
    found = _weighed(scene, scenarios)
    top = best_of(scene, scenarios, found.score, *CLIMBERS)
    seeds = replace(scenarios.take(top), mass=found.mass[top], cell_h=np.full(len(top), FINEST_H))
    height = found.score[top]
    for step in CLIMB_H:
        if step <= PRUNED_H:
            left = best_of(scene, seeds, height, *FINISHERS)
            seeds, height = seeds.take(left), height[left]
        tried, origin = neighbours(scene, seeds, step)
        reached = _weighed(scene, tried)
        order = np.argsort(-reached.score, kind="stable")
        winner = order[np.unique(origin[order], return_index=True)[1]]
        winner = winner[reached.score[winner] > height[origin[winner]]]
        at = origin[winner]
        columns = {name: getattr(seeds, name).copy() for name in ("mixing", "start_h", "length_h", "mass")}
        for name, column in columns.items():
            column[at] = (reached.mass if name == "mass" else getattr(tried, name))[winner]
        seeds, height = replace(seeds, **columns), height.copy()
        height[at] = reached.score[winner]
    fine = patch(scene, seeds, PATCH_H)
    finer = _weighed(scene, fine)
    both = Weights(*(np.concatenate([getattr(w, n) for w in (found, finer)]) for n in Weights.__dataclass_fields__))
    return join(scenarios, fine), both


@dataclass(frozen=True)
class Weights:
    """What the readings say of each scenario: ln posterior, TP mass (kg), ratios of NH3N and COD to TP.

    ``beside`` is the part of the score that comes from fingerprint and reports: it owes nothing to the errors of the
    river's model, and so is not tempered with the rest.
    """

    score: Float
    mass: Float
    ratio: Float
    beside: Float


def _weighed(scene: Scene, scenarios: Scenarios) -> Weights:
    score, fitted, prints = weigh(scene, scenarios)
    mass = fitted.mass[:, 0]
    ratio = np.full((len(mass), 2), np.nan)
    others = fitted.mass.shape[1] - 1
    known = fitted.precision[:, 1:] > 0
    ratio[:, :others] = np.where(known, fitted.mass[:, 1:] / mass[:, None], np.nan)
    told = _reports(scene, scenarios, mass)
    return Weights(score + told, mass, ratio, prints + told)


def _told(scene: Scene, source: str, start_h: float, end_h: float) -> float:
    """What a source's own report adds up to above its usual load in a window, kg; NaN where it says nothing."""
    report = scene.detective.reports.get(source)
    if report is None:
        return float("nan")
    span = report.between(start_h - report.step_h + 0.25, end_h - 0.25)
    return float(report.excess[span].sum() * report.step_h / 24) if span.stop > span.start else float("nan")


def likely_window(start: Float, end: Float, chance: Float, mass: Float) -> tuple[float, float, float]:
    """The window that overlaps best with what is likely (expected intersection over union), and the median mass."""
    total = chance.sum()
    if total <= 0:
        chance, total = np.ones_like(chance), float(len(chance))
    top = np.argsort(-chance, kind="stable")[:300]
    a, b, w = start[top], end[top], chance[top] / total
    level = np.array([0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98])
    try_a, try_b = (grid.ravel() for grid in np.meshgrid(_quantiles(a, w, level), _quantiles(b, w, level)))
    try_a, try_b = np.append(try_a, a[:20]), np.append(try_b, b[:20])
    both = np.minimum(try_b[:, None], b) - np.maximum(try_a[:, None], a)
    either = np.maximum(try_b[:, None], b) - np.minimum(try_a[:, None], a)
    gain = (np.maximum(both, 0) / np.maximum(either, 1e-9)) @ w
    best = int(np.argmax(np.where(try_b > try_a, gain, -1.0)))
    order = np.argsort(mass)
    median = mass[order][np.searchsorted(np.cumsum(chance[order]) / total, 0.5)]
    return float(try_a[best]), float(try_b[best]), float(median)


def _quantiles(values: Float, weight: Float, level: Float) -> Float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weight[order]) / weight.sum()
    return np.asarray(values[order][np.minimum(np.searchsorted(passed, level), len(values) - 1)], np.float64)


def _reports(scene: Scene, scenarios: Scenarios, mass: Float) -> Float:
    """What a source's own report says for (ln > 0) or against each scenario."""
    out = np.zeros(len(mass))
    placed = scene.detective.places
    for c in np.unique(scenarios.suspect).tolist():
        report = scene.detective.reports.get(str(placed.source_id[c]))
        if report is None:
            continue
        rows = np.flatnonzero(scenarios.suspect == c)
        step = report.step_h
        span = report.between(scene.peak_h - 100, scene.peak_h + 8)
        time = report.time_h[span]
        if len(time) < 2:
            continue
        kg = report.excess[span] * step / 24
        usual_kg = report.base[span] * step / 24
        total, usual = (np.concatenate([[0.0], np.cumsum(x)]) for x in (kg, usual_kg))
        a = np.searchsorted(time + step, scenarios.start_h[rows] + 0.25, side="right")
        b = np.searchsorted(time, scenarios.start_h[rows] + scenarios.length_h[rows] - 0.25)
        b = np.maximum(b, a)
        inside, outside = total[b] - total[a], total[-1] - total[b] + total[a]
        noise_in, noise_out = WANDER * (usual[b] - usual[a]), WANDER * (usual[-1] - usual[b] + usual[a]) / 2
        var_in, var_out = noise_in**2 + 1e-9, noise_out**2 + 1e-9
        kilos = mass[rows]
        told = _normal(inside - kilos, var_in + (0.35 * kilos) ** 2) + _normal(outside, var_out + (0.15 * kilos) ** 2)
        nothing = _normal(inside, var_in) + _normal(outside, var_out)
        ratio = np.logaddexp(np.log(1 - HIDE) + told - nothing, np.log(HIDE))
        out[rows] = np.where(b > a, np.clip(ratio, -REPORT_LIMIT, REPORT_LIMIT), 0.0)
    return out


def _normal(off: Float, variance: Float) -> Float:
    return np.asarray(-0.5 * off**2 / variance - 0.5 * np.log(variance), np.float64)
