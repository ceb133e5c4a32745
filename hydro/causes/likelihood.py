"""How well a release explains what the stations read: a robust likelihood with the model's own errors in it.

For a scenario (place, mixing, window) the unit response g is given at every reading. With mass M the reading less its
ordinary level is

    y = M_s g + z M δ + offset + error,   error ~ Student-t(5), scale² = σ² + (η M g)² + (b M δ)²

``M_s`` is the mass as one section sees it (its tabled discharge may be off: M_s ~ N(M, κ² M²)), ``offset`` the slow
wandering of the ordinary level, δ the change of g within the error of the arrival time: the whole plume comes early or
late at a section by z ~ N(0, 1) of it, and a part b of it is not one shift. Mass, section masses, shifts and offsets are
integrated by Laplace's method; TP, NH3N and COD have a mass each, tied together by the fingerprint of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from hydro.topology import Float

FREEDOM, FREEDOM_OWN = 5.0, 1000.0
"""Degrees of freedom of a reading's error; the very readings asked about may not be waved away as outliers."""
SHAPE_ERROR = 0.12
SECTION_ERROR = 0.16
OFFSET = 0.05
BENT = 0.35
"""Part of a section's error of timing that is not one shift of the whole plume."""
ALIKE_H = 3.0
EXPLAIN, EXPLAIN_WITHIN = 0.6, 0.08
"""A cause explains at least this part of the excess asked about; what falls short of it is held against it."""
TURNS = 2
MASS_RANGE = 7.0
"""ln of the range over which a mass is equally likely."""


@dataclass(frozen=True)
class Readings:
    """The readings of an episode, sorted into groups of one section and parameter each.

    ``first`` is the position of every group's first reading; ``group`` the group of every reading.
    """

    time_h: Float
    excess: Float
    sigma: Float
    base: Float
    section: NDArray[np.int_]
    parameter: NDArray[np.int_]
    group: NDArray[np.int_]
    first: NDArray[np.int_]
    freedom: Float
    close: Float
    """How much a reading shares the model's error with its neighbours: a root of the readings in ``ALIKE_H`` hours."""

    @property
    def group_parameter(self) -> NDArray[np.int_]:
        """The parameter of every group."""
        return self.parameter[self.first]


@dataclass(frozen=True)
class Fit:
    """One row a scenario: log likelihood (without fingerprint); mass of every parameter, and one over its variance."""

    log_likelihood: Float
    mass: Float
    precision: Float


def student_constant(nu: Float) -> Float:
    """ln of the normalising constant of Student's t with ``nu`` degrees of freedom."""
    return np.asarray(gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi), np.float64)


def fit(readings: Readings, unit: Float, slope: Float, mass: Float, section_error: float = SECTION_ERROR) -> Fit:
    """Fit scenarios to readings.

    ``unit`` (scenarios × readings) is the concentration for 1 kg of the reading's own parameter, ``slope`` its change
    within the error of the arrival time, ``mass`` (scenarios × 3) a first guess for TP, NH3N and COD (kg).
    """
    y, first, group = readings.excess.astype(np.float32), readings.first, readings.group
    of_group, of_reading = readings.group_parameter, readings.parameter
    parameters = int(of_group.max(initial=0)) + 1
    mass = np.maximum(mass[:, :parameters], 1e-9)
    count = np.diff(np.append(first, len(y)))
    width = OFFSET * np.add.reduceat(readings.base, first) / count
    one_hot = (of_group[:, None] == np.arange(parameters)).astype(np.float64)
    unit, slope = unit.astype(np.float32), slope.astype(np.float32)
    has = np.maximum.reduceat(unit, first, axis=1) > 0
    sigma2, close = (readings.sigma**2).astype(np.float32), readings.close.astype(np.float32)
    wrong = close**2 * ((SHAPE_ERROR * unit) ** 2 + (BENT * slope) ** 2)
    nu = readings.freedom.astype(np.float32)
    robust: Any = 1.0
    for turn in range(TURNS):
        scale2 = sigma2 + (mass**2).astype(np.float32)[:, of_reading] * wrong
        weight = robust / scale2
        wu, wh = weight * unit, weight * slope
        gg, gh, hh, gy, hy, g1, h1, y1, w1 = (
            np.add.reduceat(x, first, axis=1).astype(np.float64)
            for x in (wu * unit, wu * slope, wh * slope, wu * y, wh * y, wu, wh, weight * y, weight)
        )
        kilos = mass[:, of_group]
        one, late = w1 + 1 / width**2, hh + 1 / kilos**2
        det = one * late - h1**2
        c1, ch = (late * g1 - h1 * gh) / det, (one * gh - h1 * g1) / det
        d1, dh = (late * y1 - h1 * hy) / det, (one * hy - h1 * y1) / det
        a = np.maximum(gg - g1 * c1 - gh * ch, 1e-30)
        b = gy - g1 * d1 - gh * dh
        spread = (section_error * kilos) ** 2
        q = np.where(has, 1 / (1 / a + spread), 0.0)
        precision = q @ one_hot
        best = (q * b / a) @ one_hot / np.maximum(precision, 1e-30)
        mass = np.where(precision > 0, np.clip(best, 0.02 * mass, 50 * mass), mass)
        spread = (section_error * mass[:, of_group]) ** 2
        own = np.where(has, (b + mass[:, of_group] / spread) / (a + 1 / spread), 0.0)
        offset, shift = d1 - own * c1, dh - own * ch
        fitted = own.astype(np.float32)[:, group] * unit + shift.astype(np.float32)[:, group] * slope
        off2 = (y - fitted - offset.astype(np.float32)[:, group]) ** 2 / scale2
        if turn < TURNS - 1:
            robust = (nu + 1) / (nu + off2)
    point = -(nu + 1) / 2 * np.log1p(off2 / nu) - 0.5 * np.log(scale2)
    penalty = np.where(has, ((own - mass[:, of_group]) ** 2 / spread + np.log1p(a * spread)), 0.0)
    penalty = penalty + (offset / width) ** 2 + (shift / kilos) ** 2 + np.log(det * (width * kilos) ** 2)
    total = point.sum(axis=1, dtype=np.float64) + student_constant(readings.freedom).sum() - 0.5 * penalty.sum(axis=1)
    return Fit(total, mass, precision)


def occam(fitted: Fit) -> Float:
    """ln of the part of its prior range that the TP mass keeps. (scenarios,)"""
    relative = 1 / np.sqrt(np.maximum(fitted.precision[:, 0], 1e-30)) / fitted.mass[:, 0]
    return np.asarray(np.log(np.minimum(np.sqrt(2 * np.pi) * relative, MASS_RANGE) / MASS_RANGE), np.float64)


def falls_short(fitted: Fit, unit_at_peak: Float | NDArray[np.float32], excess: float) -> Float:
    """What is held against a scenario that leaves most of the excess asked about unexplained (ln). (scenarios,)"""
    if excess <= 0:
        return np.zeros(len(fitted.mass))
    missing = np.maximum(EXPLAIN - fitted.mass[:, 0] * unit_at_peak / excess, 0.0)
    return np.asarray(-0.5 * (missing / EXPLAIN_WITHIN) ** 2, np.float64)
