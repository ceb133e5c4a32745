"""Does a section hold its target, by how much, and since when: states, margins, streaks, rates.

Exceedance is the raw value above the target.  Equal (持平) is a state of its own: it attains, with zero margin.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydro.assessment.months import PARTIAL
from hydro.assessment.standards import Floats, round_half_even

OVER, EQUAL, HOLDS, PARTIAL_DATA, NO_DATA, NO_TARGET = "over", "equal", "holds", "partial", "no_data", "no_target"
DECIMALS = 3
"""Decimals of TP as reported; values that agree in them are equal."""

ROUNDING = 1e-12
"""A mean of equal values may miss them by a rounding error of the arithmetic, mg/L: no exceedance."""

States = npt.NDArray[np.str_]


def exceeds(values: Any, targets: Any) -> npt.NDArray[np.bool_]:
    """Whether each value is above its target: the raw value, not rounded; False where either is NaN.

    >>> exceeds([0.3001, 0.3, np.mean([0.2, 0.2, 0.2]), np.nan], [0.3, 0.3, 0.2, 0.3]).tolist()
    [True, False, False, False]
    """
    return np.asarray(np.asarray(values, dtype=float) > np.asarray(targets, dtype=float) + ROUNDING)


def states(values: Any, targets: Any, marks: Any = 0) -> States:
    """State of each value against its target: over, equal, holds, partial (too few days), no_data, no_target.

    ``over`` takes the raw value; ``equal`` is a value not over that reads as the target in the reported decimals:
    0.2996 prints as 0.300 and is equal, 0.3001 is over.

    >>> states([0.3001, 0.3, 0.2996, 0.29, np.nan], 0.3).tolist()
    ['over', 'equal', 'equal', 'holds', 'no_data']
    """
    c, t = np.broadcast_arrays(np.asarray(values, dtype=float), np.asarray(targets, dtype=float))
    partial = (np.broadcast_to(np.asarray(marks, dtype=np.uint8), c.shape) & PARTIAL) > 0
    over = exceeds(c, t)
    equal = round_half_even(np.nan_to_num(c), DECIMALS) == round_half_even(np.nan_to_num(t), DECIMALS)
    found = np.where(over, OVER, np.where(equal, EQUAL, HOLDS))
    found = np.where(partial, PARTIAL_DATA, found)
    found = np.where(np.isnan(t), NO_TARGET, found)
    return np.asarray(np.where(np.isnan(c), NO_DATA, found))


def attained(state: States) -> Floats:
    """1 attained, 0 exceeded, NaN where the month does not count (no data, no target, too few days)."""
    counts = np.isin(state, [OVER, EQUAL, HOLDS])
    return np.asarray(np.where(counts, (state != OVER).astype(float), np.nan))


def streak(attained_months: Any) -> npt.NDArray[np.int64]:
    """Months in a row up to the last column: positive attained, negative exceeded; a month without a result ends it.

    >>> streak([[1, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, np.nan], [1, np.nan, 1, 1]]).tolist()
    [2, -2, 0, 2]
    """
    a = np.atleast_2d(np.asarray(attained_months, dtype=float))
    if a.shape[1] == 0:
        return np.zeros(len(a), dtype=np.int64)
    last = a[:, -1]
    same = a[:, ::-1] == last[:, None]
    run = np.cumprod(same, axis=1).sum(axis=1)
    return np.asarray(np.where(np.isnan(last), 0, np.where(last == 1, run, -run)), dtype=np.int64)


def all_attained_streak(attained_months: Any) -> int:
    """Months in a row in which every section with a result attained (连续 N 个月全面达标); a month without any ends it."""
    a = np.atleast_2d(np.asarray(attained_months, dtype=float))
    full = ((a == 1) | np.isnan(a)).all(axis=0) & ~np.isnan(a).all(axis=0)
    return int(np.cumprod(full[::-1]).sum())


def headroom_kg_d(target_mg_l: Any, value_mg_l: Any, discharge_m3_s: Any) -> Any:
    """Load that may still be added before the section exceeds: ``(T - C) Q 86.4``.

    By hand: 0.010 mg/L under the target at 4.745 m³/s: 0.010 x 4.745 x 86.4 = 4.1 kg/d.

    >>> round(headroom_kg_d(0.30, 0.29, 4.745), 2)
    4.1
    """
    return (target_mg_l - value_mg_l) * discharge_m3_s * 86.4


def rates(attained_months: Any, groups: Any) -> pd.DataFrame:
    """Attained and monitored section-months by group, their rate, and the average of the sections' own rates.

    ``attained_months`` (sections, months).  The two rates differ when sections have different numbers of months: the
    first weighs months, the second sections (平均达标率).
    """
    a = np.atleast_2d(np.asarray(attained_months, dtype=float))
    monitored = (~np.isnan(a)).sum(axis=1)
    held = np.nansum(a, axis=1)
    own = np.where(monitored > 0, held / np.maximum(monitored, 1), np.nan)
    frame = pd.DataFrame({"group": list(groups), "attained": held, "monitored": monitored, "own": own})
    found = frame.groupby("group", sort=False).agg(
        sections=("own", "size"), attained=("attained", "sum"), monitored=("monitored", "sum"), average=("own", "mean")
    )
    return found.assign(rate=found["attained"] / found["monitored"].where(found["monitored"] > 0)).reset_index()
