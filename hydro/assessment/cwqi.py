"""The city water-quality index by which cities and counties are ranked (城市水质指数 CWQI): lower is better.

《城市地表水环境质量排名技术规定（试行）》（环办监测〔2017〕51号).  The items and the form of each are a table
(``data/standards/cwqi-2017-51.csv``), written down from memory and marked so: another edition is another table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hydro.assessment.months import Months
from hydro.assessment.standards import Floats, Standard
from hydro.columns import number, text

RATIO, INVERSE, DISTANCE = "ratio", "inverse", "distance"


def item_index(value: Any, parameter: str, waterbody: str, *, standard: Standard, form: Mapping[Any, Any]) -> Any:
    """One item's part of the index: 1 where the mean is just at its class III limit.

    ``ratio`` C / Cs; ``inverse`` Cs / C (dissolved oxygen); ``distance`` |C - n| / |Cs - n| from the neutral value n,
    with the limit on the same side of it (pH).  By hand: TP 0.30 in a river, Cs 0.20: 1.5; oxygen 4, Cs 5: 1.25;
    pH 8.0: (8 - 7) / (9 - 7) = 0.5.
    """
    limits = standard.limits_of(parameter, waterbody)
    c = np.asarray(value, dtype=float)
    if not limits:
        return c * np.nan
    third = standard.limit(parameter, str(form["class"]), waterbody)
    if form["form"] == INVERSE:
        return third / np.where(c > 0, c, np.nan)
    if form["form"] == DISTANCE:
        low, high = (float(one.values[2]) for one in limits)
        middle = float(form["neutral"])
        return np.where(c < middle, (middle - c) / (middle - low), (c - middle) / (high - middle))
    return c / third


def county_index(
    months: Months,
    sections: pd.DataFrame,
    bodies: Sequence[str],
    month: str,
    *,
    standard: Standard,
    forms: pd.DataFrame,
) -> pd.DataFrame:
    """The index of each county from January to ``month``, beside the same months of last year.

    Of each item, the mean over the county's section-months of rivers; of lakes apart; the two sums weighed by their
    numbers of sections: ``(CWQI_river M + CWQI_lake N) / (M + N)``.  Only items that every county measured are summed, in
    both years: a county does not rank better by measuring less.  ``sections`` (county) in the order of ``months``.

    Columns: rank (1 = lowest, best), county, sections, items (names, joined by ;), cwqi, last_year, change_share
    (below zero: better), largest (the three items that add most, with their parts), edition.  NaN: nothing measured.
    """
    county = text(sections, "county").to_numpy(object)
    lake = np.asarray([one == "lake" for one in bodies])
    names = [one for one in forms["parameter"] if one in months.values and one in standard.parameters]
    rules = forms.set_index("parameter")
    spans = [_span(months, month, back) for back in (0, 12)]
    counties = sorted({one for one in county if one})
    tables = [[_parts(months, county == one, lake, span, names, standard, rules) for one in counties] for span in spans]
    shared = [name for name in names if all(name in one for one in tables[0] if one)]
    before = [name for name in shared if all(name in one for one in tables[1] if one)]
    rows = []
    for i, one in enumerate(counties):
        now, then = tables[0][i], tables[1][i]
        both = before if then else shared
        index = _sum(now, shared)
        change = _sum(now, both) / _sum(then, both) - 1 if then and both else np.nan
        largest = sorted(((name, now[name]) for name in shared if name in now), key=lambda pair: -pair[1])[:3]
        rows.append(
            {"county": one, "sections": int((county == one).sum()), "items": ";".join(shared) if now else "",
             "cwqi": index, "last_year": _sum(then, both) if then and both else np.nan, "change_share": change,
             "largest": tuple(largest), "edition": str(forms["edition"].iloc[0])}
        )  # fmt: skip
    columns = ["county", "sections", "items", "cwqi", "last_year", "change_share", "largest", "edition"]
    found = pd.DataFrame(rows, columns=columns).sort_values(["cwqi", "county"], na_position="last", ignore_index=True)
    found.insert(0, "rank", number(found, "cwqi").rank(method="min"))
    return found


def _span(months: Months, month: str, back: int) -> Any:
    last = np.datetime64(month, "M") - back
    return (months.months >= last.astype("M8[Y]").astype("M8[M]")) & (months.months <= last)


def _parts(
    months: Months, own: Any, lake: Any, span: Any, names: Sequence[str], standard: Standard, rules: pd.DataFrame
) -> dict[str, float]:
    """Each item's part for one county: river and lake parts weighed by their numbers of sections."""
    found = {}
    for name in names:
        values: Floats = months.counted(name)[:, span]
        parts, weights = [], []
        for body, here in (("river", own & ~lake), ("lake", own & lake)):
            inside = values[here]
            known = inside[~np.isnan(inside)]
            if len(known):
                form = rules.loc[name].to_dict()
                parts.append(float(item_index(known.mean(), name, body, standard=standard, form=form)))
                weights.append(int(here.sum()))
        if parts and not np.isnan(parts).any():
            found[name] = float(np.average(parts, weights=weights))
    return found


def _sum(parts: Mapping[str, float], names: Sequence[str]) -> float:
    return float(sum(parts[name] for name in names)) if parts and names else np.nan
