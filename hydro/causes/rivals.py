"""What else may have raised a reading: the rain on the whole land, or the sensor alone.

Both are put on the footing of a release: a log likelihood of the same readings, comparable with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hydro.causes.alarm import repeated
from hydro.causes.fingerprint import Prints, wash_off
from hydro.causes.likelihood import Readings, falls_short, fit, occam
from hydro.causes.places import MIXING_WEIGHT
from hydro.causes.scene import Scene
from hydro.topology import Float

DIFFUSE_PRIOR = 0.14
FAULT_PRIOR = 0.20
QUIET_PRIOR = 0.03
"""How many of a hundred episodes are wash-off (on a day with heavy rain more), a fault of the sensor, nothing at all."""
DRAIN_H = (2.5, 4.5, 7.0)
"""How slowly the land gives the rain's load to the river: time constants tried, hours."""
HEAVY_MM = 24.0
PATCHY = 0.30
"""How much more or less than its share of area a sub-catchment sends, relative."""
FAULT_RANGE_MG_L = 0.8
"""A faulty sensor shows anything within this range."""
SAME_NATS = 6.0
"""What one more reading equal to the last to the last digit says for a stopped sensor."""
FORMS = {"spike": 0.45, "stuck": 0.25, "pulse": 0.30}
PULSE_LEAN = (0.65, 1.0, 1.5)
PULSE_H = (3.0, 5.0, 7.0, 9.0, 12.0, 16.0, 22.0)


def wash_offs(scene: Scene) -> tuple[Float, Float, Float, Float, Float]:
    """Log posterior, log prior, start and end (hours since 1970) and mass (kg) of every way the rain may have done it.

    Each storm of the last days, drained slowly or fast, under every mixing; a sub-catchment may send more or less than
    its share. No storm on record: nothing is returned where there is a weather record, one faint guess where not.
    """
    storms = _storms(scene)
    rows: list[tuple[Float, float, float, float]] = []
    for first, last, total, wet_h, share in storms:
        odds = np.log(DIFFUSE_PRIOR) + np.clip((total - HEAVY_MM) / 4.0, -7.0, 2.5)
        for drain in DRAIN_H:
            rows += [
                (_drained(scene, mixing, wet_h, share, drain), first, last + 3.0 * drain,
                 odds + np.log(MIXING_WEIGHT[mixing] / len(DRAIN_H)))
                for mixing in range(len(MIXING_WEIGHT))
            ]  # fmt: skip
    if not rows:
        return np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)
    seen = scene.readings
    unit = np.array([row[0] for row in rows])[:, scene.twin]
    rain = Prints([wash_off()])
    tp = seen.parameter == 0
    weight = 1 / (seen.sigma[tp] ** 2 + (0.3 * np.maximum(seen.excess[tp], 0)) ** 2)
    guess = np.maximum((unit[:, tp] @ (weight * seen.excess[tp])) / ((unit[:, tp] ** 2) @ weight + 1e-30), 1e-6)
    fitted = fit(seen, unit, 0.15 * unit, guess[:, None] * np.r_[1.0, rain.ratio[0]], PATCHY)
    score = fitted.log_likelihood + occam(fitted) + np.array([row[3] for row in rows])
    score += falls_short(fitted, np.array([row[0][scene.peak] for row in rows]), scene.peak_excess)
    return (
        score + rain.of_fit(np.zeros(len(rows), np.int_), fitted.mass, fitted.precision),
        np.array([row[3] for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        fitted.mass[:, 0] * scene.passing.upstream[scene.section],
    )


def _storms(scene: Scene) -> list[tuple[float, float, float, Float, Float]]:
    """Storms of the days before: first and last hour, total (mm), and the hourly record as shares."""
    time, mm = scene.detective.rain
    inside = (time > scene.peak_h - 84) & (time <= scene.peak_h)
    time, mm = time[inside], mm[inside]
    if not len(time):
        return []
    found = []
    for run in np.split(np.arange(len(time)), np.flatnonzero(np.diff(time) > 7) + 1):
        total = float(mm[run].sum())
        if total >= 3.0:
            found.append((float(time[run[0]]), float(time[run[-1]]) + 1.0, total, time[run], mm[run] / total))
    return found


def _drained(scene: Scene, mixing: int, wet_h: Float, share: Float, drain_h: float) -> Float:
    """TP (mg/L) of 1 kg washed off at every TP reading: rain, a linear store, then the river. (readings,)"""
    clock, land = scene.passing.clock, scene.passing.land[mixing]
    grid = np.arange(0, wet_h[-1] - wet_h[0] + 1 + 4 * drain_h, 1.0)
    rain = np.zeros(len(grid))
    at = np.clip(np.rint(wet_h - wet_h[0]).astype(np.int_), 0, len(grid) - 1)
    np.add.at(rain, at, share)
    sent = np.convolve(rain, np.exp(-grid / drain_h) / np.exp(-grid / drain_h).sum())[: len(grid)]
    out = np.zeros(len(scene.tp_h))
    for j, span in scene.spans:
        since = (scene.tp_h[span][:, None] - wet_h[0] - grid[None, :]) / clock.step_h
        last = land.shape[-1] - 1
        hour = round(1 / clock.step_h)
        rise = land[j][np.clip(np.rint(since).astype(np.int_), 0, last)]
        fall = land[j][np.clip(np.rint(since).astype(np.int_) - hour, 0, last)]
        out[span] = (rise - fall) @ sent * scene.passing.to_mg_l[j]
    return out


def faults(scene: Scene) -> tuple[dict[str, float], dict[str, float], dict[str, tuple[float, float]]]:
    """Log posterior and log prior of each form of false alarm and of nothing having happened; the readings concerned."""
    seen = scene.readings
    own = np.flatnonzero((seen.section == scene.section) & (seen.parameter == 0))
    peak = int(np.argmin(np.abs(seen.time_h[own] - scene.peak_h)))
    value = seen.excess[own] + seen.base[own]
    frozen = repeated(value)
    quiet = _without(seen, np.zeros(0, np.int_))
    score = {"quiet": quiet + np.log(QUIET_PRIOR)}
    where = {"quiet": (scene.peak_h, scene.peak_h)}
    at_peak = np.log(FAULT_PRIOR * scene.own.step_h / 72.0)

    best = -np.inf
    for count in (1, 2, 3):
        for first in range(max(0, peak - count + 1), min(peak, len(own) - count) + 1):
            rows = own[first : first + count]
            chance = (
                _without(seen, rows) - count * np.log(FAULT_RANGE_MG_L) + np.log((0.5, 0.35, 0.15)[count - 1] / count)
            )
            if chance > best:
                best, where["spike"] = chance, (float(seen.time_h[rows[0]]), float(seen.time_h[rows[-1]]))
    score["spike"] = best + at_peak + np.log(FORMS["spike"])

    first, last = peak, peak
    while first > 0 and frozen[first]:
        first -= 1
    while last + 1 < len(own) and frozen[last + 1]:
        last += 1
    if last - first >= 2:
        rows = own[first : last + 1]
        same = _without(seen, rows) - np.log(FAULT_RANGE_MG_L) + SAME_NATS * (last - first)
        score["stuck"] = same + at_peak + np.log(FORMS["stuck"])
        where["stuck"] = (float(seen.time_h[rows[0]]), float(seen.time_h[rows[-1]]))

    units, spans = [], []
    tp = own
    for width in PULSE_H:
        if width < 2 * scene.own.step_h:
            continue
        for start in np.arange(scene.peak_h - 0.85 * width, scene.peak_h - 0.15 * width, max(width / 8, 0.5)):
            phase = np.clip((seen.time_h[tp] - start) / width, 0, 1)
            for lean in PULSE_LEAN:
                unit = np.zeros(len(seen.time_h))
                unit[tp] = np.sin(np.pi * phase**lean) ** 1.3
                units.append(unit)
                spans.append((start, start + width))
    if units:
        unit = np.array(units)
        height = np.maximum(unit[:, tp] @ seen.excess[tp] / (unit[:, tp] ** 2).sum(axis=1), 1e-4)
        fitted = fit(seen, unit, np.zeros_like(unit), np.repeat(height[:, None], 3, axis=1))
        each = (
            fitted.log_likelihood
            + occam(fitted)
            + np.log(FAULT_PRIOR * FORMS["pulse"] * 0.5 / 72 / len(PULSE_H) / len(PULSE_LEAN))
        )
        score["pulse"] = float(np.logaddexp.reduce(each))
        where["pulse"] = spans[int(np.argmax(each))]
    prior = {form: float(at_peak + np.log(FORMS[form])) for form in score if form in FORMS}
    return score, {"quiet": float(np.log(QUIET_PRIOR)), **prior}, where


def _without(seen: Readings, rows: NDArray[np.int_]) -> float:
    """Log likelihood of the readings if nothing happened, with some of them left out."""
    keep = np.ones(len(seen.time_h), bool)
    keep[rows] = False
    group = seen.group[keep]
    left = Readings(
        seen.time_h[keep], seen.excess[keep], seen.sigma[keep], seen.base[keep], seen.section[keep],
        seen.parameter[keep], group, np.flatnonzero(np.diff(group, prepend=-1)), seen.freedom[keep], seen.close[keep],
    )  # fmt: skip
    nothing = np.zeros((1, len(left.time_h)))
    return float(fit(left, nothing, nothing, np.ones((1, 3))).log_likelihood[0])
