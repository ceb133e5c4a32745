"""What a class means: main pollutants, exceedance multiples, the wording of a section, a river, a basin.

环办[2011]22号《地表水环境质量评价办法（试行）》.  Two multiples are told apart: a *pollutant's* multiple is over the
class III limit (what the national method prints), an *exceedance's* is over the section's own target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hydro.standards import CLASSES, Floats, Standard

RIVER_GRADES = ("优", "良好", "轻度污染", "中度污染", "重度污染")


def main_pollutants(
    values: Mapping[str, float], waterbody: str = "river", *, standard: Standard
) -> tuple[tuple[str, float], ...]:
    """Up to three parameters worse than class III, with their multiple over its limit, worst first.

    The worst class comes first, within a class the largest multiple; cyanide and heavy metals go before all others.
    pH and dissolved oxygen have no multiple (nan).

    >>> main_pollutants({}, standard=None)  # nothing measured, nothing to name
    ()
    """
    found = []
    for name, value in values.items():
        parameter = standard.parameters[name]
        rank = int(standard.rank(name, np.array(value), waterbody))
        if rank <= CLASSES.index("III") or not parameter.item:
            continue
        multiple = (
            exceedance_multiple(value, standard.limit(name, "III", waterbody)) if parameter.multiple else math.nan
        )
        found.append((not parameter.first, -rank, -np.nan_to_num(multiple), name, multiple))
    return tuple((name, multiple) for *_, name, multiple in sorted(found)[:3])


def exceedance_multiple(value: Any, target: Any) -> Any:
    """``(C - target) / target``; below zero where the target is held."""
    return (value - target) / target


def river_grade(ranks: Sequence[int] | Floats) -> str:
    """The grade of a river or basin with five sections or more, from the class ranks (0 = I … 5 = worse than V).

    优: I-III at least 90 %; 良好: at least 75 %; below 75 %: 轻度污染 while worse-than-V stays under 20 %, 中度污染
    under 40 %; 重度污染 from 40 % on (the table's "I-III below 60 %" then always holds).  A section without a class is
    not counted; fewer than five raise: their concentrations are averaged first (:func:`few_sections`).

    >>> river_grade([0, 1, 2, 2, 2, 2, 2, 2, 1, 3])
    '优'
    """
    found = np.asarray(ranks)
    found = found[found >= 0]
    if found.size < 5:
        raise ValueError("fewer than five sections: average their concentrations and judge the mean")
    good, worst = np.mean(found <= 2), np.mean(found == 5)
    if good >= 0.75:
        return RIVER_GRADES[0 if good >= 0.9 else 1]
    return RIVER_GRADES[2 + int(worst >= 0.2) + int(worst >= 0.4)]


def few_sections(values: pd.DataFrame, waterbody: str = "river", *, standard: Standard) -> int:
    """Class rank of a river with fewer than five sections: each parameter's mean over the sections, then the worst.

    ``values``: a row per section, a column per parameter (mg/L).  -1 where nothing can be judged.
    """
    means = values.mean()
    ranks = [
        int(standard.rank(str(name), np.array(mean), waterbody))
        for name, mean in means.items()
        if name in standard.items
    ]
    return max(ranks, default=-1)
