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

from hydro.assessment.standards import CLASSES, Floats, Ranks, Standard

MANY = 5
"""From this many sections on a river is graded by the shares of their classes."""

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


def class_ranks(values: Mapping[str, Floats], bodies: Sequence[str], *, standard: Standard) -> Ranks:
    """Class rank of every item (rows) at every section (columns), each by the limits of its own kind of water."""
    lake = np.asarray([one == "lake" for one in bodies])
    ranks = np.full((len(values), len(lake)), -1, dtype=np.int8)
    for i, (name, value) in enumerate(values.items()):
        ranks[i] = np.where(lake, standard.rank(name, value, "lake"), standard.rank(name, value, "river"))
    return ranks


def river_grades(
    rivers: Sequence[str] | pd.Series[str], values: pd.DataFrame, bodies: Sequence[str], *, standard: Standard
) -> pd.DataFrame:
    """Grade and main pollutants of every river, and of all sections together (river ``*``, first).

    ``values``: a row per section, a column per parameter; ``bodies``: river or lake of each.  Columns: river, sections,
    judged (sections with a class), good_share (I–III), worst_share (worse than V), method (shares: five sections or
    more; mean: fewer), grade ("" where nothing was measured), pollutants: up to three of (parameter, number).  By shares,
    that number is the share of sections over class III, largest first (断面超标率); by mean, the multiple of the mean
    over its class III limit.  A river that is 优 or 良好 has none.
    """
    ranks = class_ranks({str(name): values[name].to_numpy(float) for name in values}, bodies, standard=standard)
    where = np.asarray([str(one) for one in rivers], dtype=object)
    lake = np.asarray([one == "lake" for one in bodies])
    rows = []
    for river in ["*", *sorted({one for one in where if one})]:
        own = np.ones(len(where), bool) if river == "*" else where == river
        rows.append({"river": river} | _graded(ranks[:, own], values[own], lake[own], standard))
    names = ["river", "sections", "judged", "good_share", "worst_share", "method", "grade", "pollutants"]
    return pd.DataFrame(rows, columns=names)


def _graded(ranks: Ranks, values: pd.DataFrame, lake: Any, standard: Standard) -> dict[str, Any]:
    worst = ranks.max(axis=0, initial=-1)
    judged = worst[worst >= 0]
    third = CLASSES.index("III")
    row: dict[str, Any] = {
        "sections": ranks.shape[1], "judged": len(judged), "grade": "", "pollutants": (), "method": "",
        "good_share": float((judged <= third).mean()) if len(judged) else math.nan,
        "worst_share": float((judged > third + 2).mean()) if len(judged) else math.nan,
    }  # fmt: skip
    if not len(judged):
        return row
    if len(judged) >= MANY:
        grade = river_grade(judged)
        over = {str(name): float((rank > third).sum() / len(judged)) for name, rank in zip(values, ranks, strict=True)}
        found = tuple(sorted(((n, s) for n, s in over.items() if s > 0), key=lambda one: -one[1])[:3])
        method = "shares"
    else:
        body = "lake" if lake.all() else "river"
        rank = few_sections(values, body, standard=standard)
        grade = standard.grades[CLASSES[rank]].grade_zh
        means = {str(name): float(mean) for name, mean in values.mean().dropna().items()}
        found, method = main_pollutants(means, body, standard=standard), "mean"
    clean = grade in RIVER_GRADES[:2]
    return row | {"grade": grade, "pollutants": () if clean else found, "method": method}


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
