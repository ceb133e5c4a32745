"""The year's account: what is on the books, and what the months that are left may have.

A target holds for the year when the mean of its months does.  ``T`` target, ``n`` months measured so far, ``sum`` their
sum; all in mg/L, sections along the first axis, months January … December along the second, NaN = not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hydro.assessment.standards import Floats

YEAR = 12
YEARS_DIFFER = 0.15
"""The levels of two years are taken to differ by at least this (log scale), however alike the few on record are."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class Ledger:
    """What each section's year looks like after month ``month`` (1 … 12).

    ``need``: mean that every month still to come may have; ``rebound``: how much higher last year's same months were
    than those before; ``need_before_rebound``: what the level must be now if that rebound comes again.  Below zero:
    cannot be attained this year.  ``gaps``: months up to now without a value (they do not count as attained).
    """

    month: int
    target: Floats
    mean: Floats
    months: Floats
    gaps: Floats
    need: Floats
    rebound: Floats
    need_before_rebound: Floats

    @property
    def lost(self) -> Floats:
        """1 where the target cannot be attained any more, whatever the months to come."""
        return np.asarray(self.need < 0, dtype=float)


def ledger(this_year: Any, last_year: Any, target: Any, month: int) -> Ledger:
    """Close the books after ``month``.

    ``need = (12 T - sum) / (12 - n)``.  By hand: T = 0.30, six months summing to 1.92 (mean 0.32): need = (3.60 - 1.92)
    / 6 = 0.28.  Last year's first half 0.28, second 0.31: rebound 0.03, so the level must be down to 0.25.  A gap before
    now is no month of the year's mean: eleven months then share the target.  December over: need is NaN.

    >>> books = ledger([[0.32] * 6 + [np.nan] * 6], [[0.28] * 6 + [0.31] * 6], [0.30], 6)
    >>> [round(float(x[0]), 9) for x in (books.mean, books.need, books.rebound, books.need_before_rebound)]
    [0.32, 0.28, 0.03, 0.25]
    """
    x = _until(this_year, month)
    last = np.asarray(last_year, dtype=float)
    t = np.asarray(target, dtype=float)
    n = (~np.isnan(x)).sum(axis=1).astype(float)
    left = YEAR - month
    need = ((n + left) * t - np.nansum(x, axis=1)) / left if left else np.full(len(t), np.nan)
    rebound = np.maximum(_mean(last[:, month:]) - _mean(last[:, :month]), 0.0) if month < YEAR else np.zeros(len(t))
    return Ledger(month, t, _mean(x), n, month - n, need, rebound, need - rebound)


def down_to(last_year: Any, target: Any, by: int) -> Floats:
    """What the mean of January … ``by`` must be down to, if the rest of the year rebounds as last year's did.

    ``T - (mean of last year - mean of last year's first months)``: the source text's "如果按照这个反弹量，今年10月底需降到…".
    By hand: T = 0.30; last year January–October averaged 0.290, the whole year 0.304: down to 0.286.  A year that
    fell after ``by`` gives no credit.  NaN without last year's record on both sides of ``by``.

    >>> down_to([[0.29] * 10 + [0.374] * 2], [0.30], 10).round(6).tolist()
    [0.286]
    """
    last = np.asarray(last_year, dtype=float)
    after = np.where(np.isnan(last[:, by:]).all(axis=1), np.nan, 0.0) if by < YEAR else 0.0
    rise = np.maximum(_mean(last) - _mean(last[:, :by]), 0.0) + after
    return np.asarray(np.asarray(target, dtype=float) - rise)


@dataclass(frozen=True)
class Outlook:
    """What the rest of the year may look like, from the section's own history.

    ``chance``: probability that the year's mean attains; ``low``, ``middle``, ``high``: 10, 50, 90 % of the year's
    mean; ``months``: probability that each single month attains (1 or 0 where it is already measured).
    """

    chance: Floats
    low: Floats
    middle: Floats
    high: Floats
    months: Floats


def outlook(history: Any, target: Any, month: int, *, draws: int = 1000, seed: int = 0, min_years: int = 2) -> Outlook:
    """Play the rest of the year ``draws`` times from the section's own record (a seasonal bootstrap).

    ``history`` (sections, years, 12), the last year being this one.  On the log scale a month is the year's level + its
    season + a residual.  The season is the mean departure of that calendar month over the years before.  This year's
    level is what its months so far say once their season is taken off, drawn towards the mean of the years before by
    the usual weight ``w = τ² / (τ² + σ²/n)`` (τ: between years, σ: between months, n months seen).  Residuals are
    resampled with replacement, inflated for the means they lost, on top of the uncertainty of level and season.

    NaN where less than three quarters of ``min_years`` is on record, or nothing yet this year: no history, no chance.
    """
    x = np.asarray(history, dtype=float)
    t = np.asarray(target, dtype=float)
    logs = np.log(np.where(x > 0, x, np.nan))
    before, now = logs[:, :-1], np.where(np.arange(YEAR) < month, logs[:, -1], np.nan)
    season, residual, years = _season(before)
    sigma = np.sqrt(np.nan_to_num(_mean((residual**2).reshape(len(x), -1))))
    seen = (~np.isnan(now)).sum(axis=1)
    level, spread = _level(before, now - season, sigma, seen)
    usable = (~np.isnan(before)).sum(axis=(1, 2)) >= YEAR * min_years * 0.75
    usable &= (seen > 0) & ~np.isnan(season).any(axis=1)
    random = np.random.default_rng(seed)
    drawn = _draw(residual.reshape(len(x), -1), (draws, YEAR), random)
    doubt = random.standard_normal((len(x), draws, YEAR)) * (sigma[:, None] / np.sqrt(np.maximum(years, 1)))[:, None, :]
    shift = random.standard_normal((len(x), draws, 1)) * spread[:, None, None]
    future = np.exp(season[:, None, :] + level[:, None, None] + shift + doubt + drawn)
    measured = np.where(np.arange(YEAR) < month, x[:, -1], np.nan)[:, None, :]
    year = np.where(np.isnan(measured), future, measured)
    means = year.mean(axis=2)
    chance = np.where(usable, (means <= t[:, None] + ROUNDING).mean(axis=1), np.nan)
    single = np.where(usable[:, None], (year <= t[:, None, None] + ROUNDING).mean(axis=1), np.nan)
    low, middle, high = (np.where(usable, q, np.nan) for q in _quantiles(means, usable))
    return Outlook(np.where(np.isnan(t), np.nan, chance), low, middle, high, single)


def _level(before: Floats, now: Floats, sigma: Floats, seen: Any) -> tuple[Floats, Floats]:
    """This year's level on the log scale and how sure it is; ``now``: its months with the season taken off."""
    levels = _mean(before)
    earlier = _mean(levels)
    apart = _mean((levels - earlier[:, None]) ** 2)
    tau2 = np.maximum(np.nan_to_num(apart) - sigma**2 / YEAR, YEARS_DIFFER**2)
    noise2 = sigma**2 / np.maximum(seen, 1)
    weight = tau2 / (tau2 + noise2)
    own = _mean(now)
    return np.where(np.isnan(earlier), own, weight * own + (1 - weight) * earlier), np.sqrt(weight * noise2)


def _season(before: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean departure of each calendar month from its year's mean, the residuals left, and the years behind each.

    The residuals have lost a mean a year and a mean a month: they are inflated by ``sqrt(Y / (Y - 1) x 12 / 11)``.
    """
    level = _mean(before.reshape(-1, YEAR)).reshape(before.shape[:2])
    departure = before - level[:, :, None]
    count = (~np.isnan(departure)).sum(axis=1).astype(float)
    season = np.where(count > 0, np.nansum(departure, axis=1) / np.maximum(count, 1), np.nan)
    inflated = np.sqrt(np.maximum(count, 2) / np.maximum(count - 1, 1) * YEAR / (YEAR - 1))
    return season, (departure - season[:, None, :]) * inflated[:, None, :], count


def _draw(pool: Floats, shape: tuple[int, int], random: np.random.Generator) -> Floats:
    """Draw from each row's values (its NaN left out); zeros where a row has none."""
    if not pool.shape[1]:
        return np.zeros((len(pool), *shape))
    ordered = np.sort(pool, axis=1)
    count = (~np.isnan(pool)).sum(axis=1)
    picks = (random.random((len(pool), *shape)) * np.maximum(count, 1)[:, None, None]).astype(np.int64)
    drawn = np.take_along_axis(ordered, picks.reshape(len(pool), -1), axis=1).reshape(len(pool), *shape)
    return np.asarray(np.where(np.isnan(drawn), 0.0, drawn))


def _quantiles(means: Floats, usable: Any) -> Floats:
    safe = np.where(usable[:, None], means, 0.0)
    return np.asarray(np.quantile(safe, [0.1, 0.5, 0.9], axis=1))


def _until(year: Any, month: int) -> Floats:
    return np.where(np.arange(YEAR) < month, np.asarray(year, dtype=float), np.nan)


def _mean(x: Floats) -> Floats:
    """Mean along the last axis without NaN; NaN where nothing is there."""
    count = (~np.isnan(x)).sum(axis=-1)
    return np.asarray(np.where(count > 0, np.nansum(x, axis=-1) / np.maximum(count, 1), np.nan))
