"""Scenarios of an episode: which place, which window, which river; proposed coarsely, screened, then weighed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.causes.likelihood import Fit, falls_short, fit, occam
from hydro.causes.places import MIXING_WEIGHT, MIXINGS, UNLISTED
from hydro.causes.scene import Scenarios, Scene
from hydro.topology import Float
from hydro.transport import DECAY_THETA, REFERENCE_TEMP_C

DURATIONS_H = (1.0, 2.5, 6.0, 11.0, 18.0, 26.0, 36.0, 47.0)
DURATION_WEIGHT = np.array([0.45, 0.06, 0.10, 0.10, 0.09, 0.08, 0.07, 0.05])
"""Releases tried, and how likely each is before looking: half of them slugs, the rest evenly in the logarithm."""
DECAY_PER_D = (0.0, 0.36, 0.13)
"""Decay of NH3N and COD at 20 °C; TP's is the reach's own."""
STORAGES = 3
CENTRE = 7
"""The mixing that is tried first: the tabled velocity, a weak dead zone."""
KEEP = 260
KEEP_CLOSE = 80
KEEP_NATS = 12.0
CLOSE_NATS = 25.0
SCREEN_POWER = 0.25
FINEST_H = 0.25
TIMING = 0.07
TIMING_H = 0.3
"""Error of the travel time between two sections: relative, and absolute (hours)."""


def propose(scene: Scene) -> Scenarios:
    """Scenarios worth a closer look: every suspect and window whose plume is at the section at the time asked."""
    placed, passed = scene.detective.places, scene.passing
    reachable = np.flatnonzero(passed.passed[0, :, scene.section, -1] > 1e-3)
    step = passed.clock.step_h
    rows: list[tuple[Float, ...]] = []
    for mixing in (CENTRE,):
        curve = passed.passed[mixing, :, scene.section, :]
        for c in reachable.tolist():
            early, late = np.searchsorted(curve[c], np.array([0.04, 0.97]) * curve[c, -1]) * step
            for d, weight in zip(DURATIONS_H, DURATION_WEIGHT, strict=True):
                grid = max(1.0, d / 4)
                count = int((late + d - early) // grid) + 1
                start = np.round((scene.peak_h - late - d + grid * (np.arange(count) + 0.5)) * 4) / 4
                keep = start <= scene.peak_h - early + grid
                start = start[keep]
                prior = np.log(placed.prior[c] * weight * grid)
                rows.append((np.full(len(start), c), np.full(len(start), mixing), start,
                             np.full(len(start), d), np.full(len(start), prior), np.full(len(start), grid)))  # fmt: skip
    if not rows:
        none, never = np.zeros(0, np.int_), np.zeros(0)
        return Scenarios(none, none, never, never, never, never, never)
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    who, mixing_of = columns[0].astype(np.int_), columns[1].astype(np.int_)
    return _screen(scene, Scenarios(who, mixing_of, columns[2], columns[3], columns[4], np.zeros(len(who)), columns[5]))


def _screen(scene: Scene, scenarios: Scenarios) -> Scenarios:
    """Keep the scenarios that a quick least-squares fit of TP does not rule out, every suspect with its best few."""
    seen = scene.readings
    tp = np.flatnonzero(seen.parameter == 0)[scene.coarse]
    excess = seen.excess[tp]
    weight = (1 / (seen.sigma[tp] ** 2 + (0.25 * np.maximum(excess, 0)) ** 2)).astype(np.float32)
    weighted = (weight * excess).astype(np.float32)
    score, mass = np.empty(len(scenarios.suspect)), np.empty(len(scenarios.suspect))
    for start in range(0, len(score), 4000):
        rows = np.arange(start, min(start + 4000, len(score)))
        unit = scene.unit(scenarios.take(rows), coarse=True)
        a, b = unit**2 @ weight, unit @ weighted
        mass[rows] = np.maximum(b, 0) / np.maximum(a, 1e-30)
        score[rows] = np.where(b > 0, b * b / np.maximum(2 * a, 1e-30), 0.0)
    score = SCREEN_POWER * score + scenarios.log_prior
    order = np.argsort(-score, kind="stable")
    rank = pd.Series(scenarios.suspect[order]).groupby(scenarios.suspect[order]).cumcount().to_numpy()
    keep = order[(rank < 2) | ((rank < 24) & (score[order] > score[order[0]] - KEEP_NATS))]
    keep = keep[mass[keep] > 0][:KEEP]
    chosen = scenarios.take(keep)
    return replace(chosen, mass=mass[keep])


def narrow(scenarios: Scenarios, score: Float) -> Scenarios:
    """The scenarios that stand after a first weighing: the best of all, and the best one of every suspect."""
    order = np.argsort(-score, kind="stable")
    rank = pd.Series(scenarios.suspect[order]).groupby(scenarios.suspect[order]).cumcount().to_numpy()
    keep = order[(rank < 1) | ((rank < 5) & (score[order] > score[order[0]] - CLOSE_NATS))]
    return scenarios.take(keep[:KEEP_CLOSE])


def widen(scene: Scene, scenarios: Scenarios) -> Scenarios:
    """Every scenario under every mixing: the window moves with it, so that the plume still arrives as it was seen."""
    mean = scene.passing.mean_h[scenarios.suspect, scene.section]
    parts = []
    for mixing, river in enumerate(MIXINGS):
        shift = mean * (1 - 1 / river.velocity_factor)
        parts.append((scenarios.suspect, np.full(len(mean), mixing), scenarios.start_h + np.round(shift * 4) / 4,
                      scenarios.length_h, scenarios.log_prior + np.log(MIXING_WEIGHT[mixing]), scenarios.mass,
                      scenarios.cell_h))  # fmt: skip
    return Scenarios(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def neighbours(scene: Scene, seeds: Scenarios, step_h: float) -> tuple[Scenarios, NDArray[np.int_]]:
    """Every scenario moved one step: its start, its end, both; the river one notch faster, slower, stiller or more mixed.

    A faster river lets go later, so that the plume still arrives as it was seen. Also which seed each row came from.
    """
    mean = np.nan_to_num(scene.passing.mean_h[seeds.suspect, scene.section])
    speed, storage = np.divmod(seeds.mixing, STORAGES)
    speeds = len(MIXINGS) // STORAGES
    factor = np.array([river.velocity_factor for river in MIXINGS[::STORAGES]])
    rows = np.arange(len(seeds.suspect))
    parts = []
    for front, back in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1)):
        length = seeds.length_h + (back - front) * step_h
        parts.append((rows, seeds.start_h + front * step_h, np.maximum(length, 0.5), seeds.mixing))
    for quicker, deeper in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        fast = np.clip(speed + quicker, 0, speeds - 1)
        later = mean * (1 / factor[speed] - 1 / factor[fast])
        mixing = fast * STORAGES + np.clip(storage + deeper, 0, STORAGES - 1)
        moved = mixing != seeds.mixing
        start = seeds.start_h + np.round(later / FINEST_H) * FINEST_H
        parts.append((rows[moved], start[moved], seeds.length_h[moved], mixing[moved]))
    origin, start, length, mixing = (np.concatenate(column) for column in zip(*parts, strict=True))
    return settle(scene, seeds.suspect[origin], mixing, start, length, seeds.mass[origin], seeds.cell_h[origin]), origin


def settle(
    scene: Scene,
    suspect: NDArray[np.int_],
    mixing: NDArray[np.int_],
    start: Float,
    length: Float,
    mass: Float,
    cell: Float,
) -> Scenarios:
    """Scenarios with the prior of their cells: of the place, of the river, of a release of that length."""
    grid = np.maximum(1.0, np.array(DURATIONS_H) / 4)
    density = np.interp(np.log(length), np.log(DURATIONS_H), np.log(DURATION_WEIGHT / grid))
    placed = scene.detective.places.prior
    log_prior = np.log(placed[suspect]) + np.log(MIXING_WEIGHT[mixing]) + density + 2 * np.log(cell)
    return Scenarios(suspect, mixing, start, length, log_prior, mass, cell)


def best_of(
    scene: Scene, scenarios: Scenarios, score: Float, listed: int, unlisted: int, each: int
) -> NDArray[np.int_]:
    """Rows of the ``each`` best scenarios, one a river, of the best listed suspects and of the best unlisted places.

    Counted apart: unlisted places stand every few kilometres, and would leave no room for the listed ones.
    """
    order = np.argsort(-score, kind="stable")
    table = pd.DataFrame({"who": scenarios.suspect[order], "river": scenarios.mixing[order] // STORAGES})
    kept = order[~table.duplicated().to_numpy()]
    who = pd.Series(scenarios.suspect[kept])
    leading = who.drop_duplicates().to_numpy()
    nameless = scene.detective.places.source_id[leading] == UNLISTED
    chosen = np.concatenate([leading[~nameless][:listed], leading[nameless][:unlisted]])
    rank = who.groupby(who).cumcount().to_numpy()
    return np.asarray(kept[(rank < each) & who.isin(chosen).to_numpy()], np.int_)


def patch(scene: Scene, seeds: Scenarios, cell_h: float) -> Scenarios:
    """A grid of 5 × 5 windows around every seed."""
    move = np.array([(a, b) for a in range(-2, 3) for b in range(-2, 3)]) * cell_h
    rows = np.repeat(np.arange(len(seeds.suspect)), len(move))
    front, back = np.tile(move.T, len(seeds.suspect))
    length = seeds.length_h[rows] + back - front
    there = length >= 0.5
    rows, front, length = rows[there], front[there], length[there]
    start, cell = seeds.start_h[rows] + front, np.full(len(rows), cell_h)
    return settle(scene, seeds.suspect[rows], seeds.mixing[rows], start, length, seeds.mass[rows], cell)


def weigh(scene: Scene, scenarios: Scenarios) -> tuple[Float, Fit, Float]:
    """ln posterior (up to a constant) of every scenario, the fit behind it, and what the fingerprint adds to it."""
    placed, seen = scene.detective.places, scene.readings
    mean = np.nan_to_num(scene.passing.mean_h)
    between = np.abs(mean[scenarios.suspect] - mean[scenarios.suspect, scene.section][:, None])
    late = TIMING * between + TIMING_H + (scenarios.cell_h[:, None] - FINEST_H) / 3
    slope = (scene.unit(scenarios, late) - scene.unit(scenarios, -late)) / 2
    faster = _other_decay(scene, scenarios)
    tp = scene.unit(scenarios)
    unit, slope = tp[:, scene.twin] * faster, slope[:, scene.twin] * faster
    ratio = np.column_stack([np.ones(len(scenarios.suspect)), placed.prints.ratio[scenarios.suspect]])
    fitted = fit(seen, unit, slope, scenarios.mass[:, None] * ratio)
    score = fitted.log_likelihood + occam(fitted) + scenarios.log_prior
    score += falls_short(fitted, tp[:, scene.peak], scene.peak_excess)
    prints = placed.prints.of_fit(scenarios.suspect, fitted.mass, fitted.precision)
    return score + prints, fitted, prints


def _other_decay(scene: Scene, scenarios: Scenarios) -> Float:
    """How much less of NH3N and COD than of TP is left at every reading."""
    warm = DECAY_THETA ** (scene.detective.water_temp_c - REFERENCE_TEMP_C)
    own = float(np.nanmedian(scene.detective.network.topology.decay_per_d))
    rate = np.array([0.0, (DECAY_PER_D[1] - own) * warm, (DECAY_PER_D[2] - own) * warm])
    days = np.nan_to_num(scene.passing.mean_h)[scenarios.suspect] / 24
    of_group = scene.readings.group_parameter, scene.readings.section[scene.readings.first]
    left = np.exp(-rate[of_group[0]][None, :] * days[:, of_group[1]])
    return np.asarray(left[:, scene.readings.group], np.float64)
