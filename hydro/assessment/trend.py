"""Is it getting better?  Seasonal Mann-Kendall with Sen's slope for months, Spearman's rank correlation for years.

Many sections at once: the first axis of every array is the section.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydro.assessment.standards import Floats

MIN_YEARS = 3

SPEARMAN_CRITICAL = {
    4: 1.0, 5: 0.9, 6: 0.829, 7: 0.714, 8: 0.643, 9: 0.6, 10: 0.564, 12: 0.506, 14: 0.456, 16: 0.425, 18: 0.399, 20: 0.377,
    22: 0.359, 24: 0.343, 26: 0.329, 28: 0.317, 30: 0.306,
}  # fmt: skip
"""Critical rank correlation at 0.05 one-sided by number of years (table of the national report method; M)."""


@dataclass(frozen=True)
class SeasonalKendall:
    """A seasonal Mann-Kendall test of each section: statistic, variance, z, two-sided p, tau, Sen slope per year."""

    s: Floats
    variance: Floats
    z: Floats
    p: Floats
    tau: Floats
    slope_per_year: Floats
    years: Floats

    def direction(self, alpha: float = 0.05) -> list[str]:
        """``rising``, ``falling``, ``none``, or ``short`` where the record has fewer than three years."""
        word = np.where(self.p > alpha, "none", np.where(self.s > 0, "rising", "falling"))
        return [str(one) for one in np.where(self.years < MIN_YEARS, "short", word)]


def seasonal_kendall(values: Any) -> SeasonalKendall:
    """Test ``values`` (sections, years, seasons; NaN = not measured) for a monotonic trend.

    Each season is compared with itself over the years; ``S = sum over seasons of sum_{i<j} sign(x_j - x_i)``; its
    variance is corrected for ties; z is continuity-corrected; the slope is the median of all within-season slopes.
    The seasons count as independent: serial correlation makes p too small, the slope stays right.

    Hirsch, Slack & Smith (1982), Water Resources Research 18(1), 107-121, doi:10.1029/WR018i001p00107.

    A section with fewer than two values in every season has S = 0, p = 1 and slope NaN.
    """
    x = np.asarray(values, dtype=float)
    first, second = np.triu_indices(x.shape[1], 1)
    difference = x[:, second] - x[:, first]  # (sections, pairs, seasons)
    s = np.nansum(np.sign(difference), axis=(1, 2))
    n = (~np.isnan(x)).sum(axis=1).astype(float)  # (sections, seasons)
    pairs = (n * (n - 1) / 2).sum(axis=1)
    tied = _ties(x)
    variance = ((n * (n - 1) * (2 * n + 5) - tied) / 18).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(variance > 0, (s - np.sign(s)) / np.sqrt(variance), 0.0)
        tau = np.where(pairs > 0, s / pairs, np.nan)
    slopes = (difference / (second - first)[None, :, None]).reshape(len(x), -1)
    years = (~np.isnan(x)).any(axis=2).sum(axis=1).astype(float)
    p = np.array([math.erfc(abs(one) / math.sqrt(2)) for one in z.tolist()])  # 2 (1 - Phi(|z|))
    return SeasonalKendall(s, variance, z, p, tau, _row_median(slopes), years)


def spearman(values: Any) -> tuple[Floats, list[str]]:
    """Rank correlation of annual means with the year, and what it means against the critical value at 0.05.

    ``values`` (sections, years), NaN = no year.  ``r = 1 - 6 sum d^2 / (n^3 - n)``, ties by mean rank.  Words:
    ``rising``, ``falling``, ``none``; ``short`` below four years.
    """
    from scipy.stats import rankdata

    x = np.asarray(values, dtype=float)
    r = np.full(len(x), np.nan)
    words = []
    for i, row in enumerate(x):
        there = np.flatnonzero(~np.isnan(row))
        n = len(there)
        if n < min(SPEARMAN_CRITICAL):
            words.append("short")
            continue
        d = rankdata(row[there]) - np.arange(1, n + 1)
        r[i] = 1 - 6 * float(d @ d) / (n**3 - n)
        critical = SPEARMAN_CRITICAL[max(k for k in SPEARMAN_CRITICAL if k <= n)]
        words.append("none" if abs(r[i]) < critical else "rising" if r[i] > 0 else "falling")
    return r, words


def _ties(x: Floats) -> Floats:
    """``sum over tied groups of t (t - 1) (2 t + 5)`` a section and season; a value in a group of t counts 1/t of it."""
    same = (x[:, :, None, :] == x[:, None, :, :]).sum(axis=2).astype(float)
    return np.asarray(np.where(same > 1, (same - 1) * (2 * same + 5), 0.0).sum(axis=1))


def _row_median(rows: Floats) -> Floats:
    """Median of each row without its NaN; NaN (and no warning) where a row holds nothing."""
    ordered = np.sort(rows, axis=1)
    count = (~np.isnan(rows)).sum(axis=1)
    at = np.maximum(count - 1, 0)
    index = np.arange(len(rows))
    if rows.shape[1] == 0:
        return np.full(len(rows), np.nan)
    middle = (ordered[index, at // 2] + ordered[index, (at + 1) // 2]) / 2
    return np.asarray(np.where(count > 0, middle, np.nan))
