"""Where every section stands this month, and what December will look like: one row a section, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hydro.assessment.attainment import (
    NO_DATA,
    OVER,
    PARTIAL_DATA,
    all_attained_streak,
    attained,
    headroom_kg_d,
    rates,
    states,
    streak,
)
from hydro.assessment.compensation import compensation, inbound_mg_l
from hydro.assessment.ledger import down_to, ledger, outlook
from hydro.assessment.months import Months
from hydro.assessment.quality import class_ranks, exceedance_multiple, river_grades
from hydro.assessment.remarks import placed, remarks, waterbodies
from hydro.assessment.standards import CLASSES, Floats, Standard
from hydro.assessment.trend import seasonal_kendall
from hydro.columns import number, text
from hydro.errors import Fault, HydroError
from hydro.network import RiverNetwork
from hydro.planning.effect import Condition
from hydro.planning.storm import storm

SPARK = 36


@dataclass(frozen=True)
class Board:
    """``rows``: one a section, worst first; ``attainment``: rates by level; ``rivers``: grade and main pollutants of
    each river and, under ``*``, of all; ``notes``: what is odd about the data."""

    month: str
    rows: pd.DataFrame
    attainment: pd.DataFrame
    all_attained_months: int
    notes: tuple[Fault, ...]
    edition: str
    grade: str
    rivers: pd.DataFrame


def board(
    network: RiverNetwork,
    months: Months,
    month: str,
    *,
    standard: Standard,
    moves: pd.DataFrame | None = None,
    draws: int = 500,
    seed: int = 0,
) -> Board:
    """Assemble the board of one month from the monthly means of the sections.

    Columns of ``rows``: section_id, name, river, level, county; target_mg_l, value_mg_l, state, margin_mg_l,
    margin_share (of the target), multiple, discharge_m3_s, discharge_basis, headroom_kg_d, storm_factor (target /
    value: how much the concentration may rise); class, deciding, class_attained (against the target class); streak,
    last_year_mg_l, change_share; trend, slope_per_year, trend_p; the ledger: mean_mg_l, months_measured, gaps, need_mg_l,
    rebound_mg_l, need_before_rebound_mg_l, october_mg_l; the outlook: chance, year_low_mg_l, year_middle_mg_l,
    year_high_mg_l; attained_months, monitored_months (this year), spark (the newest 36 months, oldest first), moved_since
    (month of the section's last move, blank: never), rank.

    Data after ``month`` is not looked at, nor is what a moved section measured at its old place compared with its new
    one.  A month of too few days is shown with its value and enters no class, mean, trend, outlook or payment.

    Raises :class:`HydroError` where no section has any value up to ``month``.
    """
    last = months.at(month)
    if last < 0 or "TP" not in months.values:
        raise HydroError("no_months", "{month} 及以前没有断面的总磷数据，请换一个月份", month=month)
    upto = min(last, len(months.months) - 1) + 1
    there = last < len(months.months)
    sections = network.sections.reindex(list(months.sections))
    tp, marks = months.values["TP"][:, :upto], months.marks["TP"][:, :upto]
    blank = np.full(len(sections), np.nan)
    now = tp[:, -1] if there else blank
    target = network.targets.by_month(months.sections, months.months)
    target_now = target[:, min(last, target.shape[1] - 1)]
    state = states(tp, target[:, :upto], marks)
    result = attained(state)
    own = state[:, -1] if there else states(blank, target_now)
    moved = placed(moves, months.sections, month)
    at = last if there else -1
    values = {name: months.counted(name)[:, at] if there else blank for name in standard.items if name in months.values}
    bodies = ["lake" if one == "lake" else "river" for one in waterbodies(network, sections)]
    water, basis = _discharge(network, sections, months, upto - 1 if there else -1)
    year = int(month[:4])
    in_year = months.months[:upto].astype("M8[Y]") == np.datetime64(str(year), "Y")
    rows = pd.DataFrame(
        {
            "section_id": list(months.sections),
            **{name: text(sections, name).to_numpy() for name in ("name", "river", "level", "county")},
            "waterbody": bodies,
            **{name: text(sections, name).to_numpy() for name in ("function_class", "target_class")},
            "month": month,
            "target_mg_l": target_now,
            "value_mg_l": now,
            "state": own,
            "margin_mg_l": target_now - now,
            "margin_share": (target_now - now) / target_now,
            "multiple": exceedance_multiple(now, target_now),
            "discharge_m3_s": water,
            "discharge_basis": basis,
            "headroom_kg_d": headroom_kg_d(target_now, now, water),
            "storm_factor": target_now / np.where(now > 0, now, np.nan),
            "streak": streak(result) if there else 0,
            "attained_months": np.nansum(result[:, in_year], axis=1),
            "monitored_months": (~np.isnan(result[:, in_year])).sum(axis=1),
            "spark": list(_newest(tp, SPARK)),
            "moved_since": ["" if np.isnat(one) else str(one) for one in moved.since],
        }
    )
    rows = rows.assign(
        **_classes(sections, values, bodies, standard),
        **_history(months, month, now, moved.since),
        **_year(months, month, target_now, draws, seed, moved.since),
    )
    # A moved or mistaken target is not averaged away either: the ledger above is against the target of now.
    attainment = pd.concat(
        [rates(result[:, in_year], ["*"] * len(rows)), rates(result[:, in_year], rows["level"])], ignore_index=True
    )
    notes = remarks(network, months, month, standard=standard, target=target, moved=moved, moves=moves)
    graded = river_grades(rows["river"], pd.DataFrame(values), bodies, standard=standard)
    grade = str(graded.loc[graded["river"] == "*", "grade"].iloc[0])
    streak_of_all = all_attained_streak(result) if there else 0
    return Board(month, _ranked(rows), attainment, streak_of_all, notes, standard.edition, grade, graded)


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Worst first: over by the largest multiple, then by the smallest margin; without a result last."""
    order = rows.assign(known=rows["multiple"].isna(), worse=-rows["multiple"])
    found = order.sort_values(["known", "worse", "section_id"], kind="stable").drop(columns=["known", "worse"])
    return found.assign(rank=np.arange(1, len(found) + 1)).reset_index(drop=True)


def _discharge(network: RiverNetwork, sections: pd.DataFrame, months: Months, at: int) -> tuple[Floats, list[str]]:
    """Discharge of the month where it was measured, else the reach's own."""
    reach = text(sections, "reach_id")
    tabled = number(network.reaches, "discharge_m3_s").reindex(reach.to_numpy()).to_numpy(float)
    measured = months.values["discharge"][:, at] if "discharge" in months.values and at >= 0 else tabled * np.nan
    basis = np.where(~np.isnan(measured), "measured", np.where(~np.isnan(tabled), "table", "none"))
    return np.where(np.isnan(measured), tabled, measured), [str(one) for one in basis]


def _classes(
    sections: pd.DataFrame, values: Mapping[str, Floats], bodies: Sequence[str], standard: Standard
) -> dict[str, Any]:
    """Class by all items measured this month, the deciding ones, and whether the target class is met."""
    ranks = class_ranks(values, bodies, standard=standard)
    worst = ranks.max(axis=0, initial=-1)
    wanted = text(sections, "target_class").map({one: i for i, one in enumerate(CLASSES)}).to_numpy(float)
    met = np.where((worst < 0) | np.isnan(wanted), np.nan, (worst <= wanted).astype(float))
    return {
        "class": [CLASSES[rank] if rank >= 0 else "NA" for rank in worst],
        "deciding": [";".join(n for n, r in zip(values, ranks[:, j], strict=True) if r == worst[j] >= 0)
                     for j in range(len(sections))],
        "class_attained": met,
    }  # fmt: skip


def _history(months: Months, month: str, now: Floats, since: Any) -> dict[str, Any]:
    """The same month last year, and the trend over all years on record, at the place where the section stands now."""
    before = np.datetime64(month, "M") - 12
    at = months.at(str(before))
    known = 0 <= at < len(months.months)
    last_year = months.counted("TP")[:, at] if known else np.full(len(now), np.nan)
    last_year = np.where(since > before, np.nan, last_year)
    test = seasonal_kendall(_since(months.years("TP", month), month, since))
    return {
        "last_year_mg_l": last_year,
        "change_share": (now - last_year) / last_year,
        "trend": test.direction(),
        "slope_per_year": test.slope_per_year,
        "trend_p": test.p,
    }


def _since(years: Floats, month: str, since: Any) -> Floats:
    """(sections, years, 12) without what was measured before each section's last move."""
    first = np.datetime64(month[:4], "Y").astype("M8[M]") - 12 * (years.shape[1] - 1)
    when = first + np.arange(years.shape[1] * 12)
    gone = (when[None, :] < since[:, None]).reshape(years.shape)
    return np.asarray(np.where(gone, np.nan, years))


def _year(months: Months, month: str, target: Floats, draws: int, seed: int, since: Any) -> dict[str, Any]:
    """The ledger and the outlook of the year; the year's own mean keeps every month, wherever it was measured."""
    history = months.years("TP", month)
    here = _since(history, month, since)
    number_of_month = int(month[5:7])
    last_year = here[:, -2] if here.shape[1] > 1 else np.full(here[:, -1].shape, np.nan)
    books = ledger(history[:, -1], last_year, target, number_of_month)
    played = np.concatenate([here[:, :-1], history[:, -1:]], axis=1)
    ahead = outlook(played, target, number_of_month, draws=draws, seed=seed)
    return {
        "mean_mg_l": books.mean,
        "months_measured": books.months,
        "gaps": books.gaps,
        "need_mg_l": books.need,
        "rebound_mg_l": books.rebound,
        "need_before_rebound_mg_l": books.need_before_rebound,
        "october_mg_l": down_to(last_year, target, 10) if number_of_month < 10 else np.full(len(target), np.nan),
        "chance": ahead.chance,
        "year_low_mg_l": ahead.low,
        "year_middle_mg_l": ahead.middle,
        "year_high_mg_l": ahead.high,
        "month_chances": list(ahead.months),
    }


def _newest(values: Floats, count: int) -> Floats:
    short = max(count - values.shape[1], 0)
    return np.pad(values[:, -count:], ((0, 0), (short, 0)), constant_values=np.nan)


def settle(found: Board, network: RiverNetwork, rules: pd.DataFrame) -> Board:
    """The board with each section's compensation of the month: inbound_mg_l, own_mg_l, rule, rules, pay_wan, reward_wan.

    ``rules`` names the table it was priced by (its ``label``).

    Where the network cannot route (no discharge), nothing is deducted and a note says so.
    """
    short = found.rows["state"] == PARTIAL_DATA
    rows = found.rows.assign(parameter="TP", value_mg_l=found.rows["value_mg_l"].mask(short))
    notes = list(found.notes)
    try:
        inbound = inbound_mg_l(network, rows, found.month)
    except HydroError as error:
        message = "入境部分未能扣减：{why}"
        notes.append(Fault("no_inbound", message, {"why": str(error)}, "boundaries", warning=True))
        inbound = np.zeros(len(rows))
    priced = compensation(rows.assign(inbound_mg_l=inbound), rules)
    names = ["inbound_mg_l", "own_mg_l", "rule", "pay_wan", "reward_wan"]
    label = "；".join(dict.fromkeys(one for one in text(rules, "label") if one))
    return replace(found, rows=found.rows.join(priced[names]).assign(rules=label), notes=tuple(notes))


def under_storm(found: Board, network: RiverNetwork, *, rain_mm: float = 50.0, hours: float = 24.0) -> Board:
    """The board with what a rain would do to each section: storm_mm, storm_probability, breaking_rain_mm.

    ``storm_probability`` is that of exceeding the target at the peak of ``rain_mm`` in ``hours`` upon the water of the
    month; ``breaking_rain_mm`` the rain that would just break it (0: broken already; NaN: none would).  Where the
    network cannot be rained on (no catchment areas), both are NaN and a note says why.
    """
    rows = found.rows.set_index("section_id")
    whole = rows.loc[~rows["state"].isin([PARTIAL_DATA, NO_DATA]), "value_mg_l"]
    measured, target = ({str(one): float(x) for one, x in held.items()} for held in (whole, rows["target_mg_l"]))
    month = Condition("month", time=found.month)
    try:
        told = storm(
            network, rain_mm, hours=hours, condition=month, draws=200, measured_mg_l=measured, target_mg_l=target
        )
    except HydroError as error:
        note = Fault("no_storm", "暴雨试算未能进行：{why}", {"why": str(error)}, "reaches", warning=True)
        rows = found.rows.assign(storm_mm=rain_mm, storm_probability=np.nan, breaking_rain_mm=np.nan)
        return replace(found, rows=rows, notes=(*found.notes, note))
    by = told.set_index("section_id").reindex(found.rows["section_id"])
    rows = found.rows.assign(
        storm_mm=rain_mm,
        storm_probability=by["probability"].to_numpy(),
        breaking_rain_mm=by["breaking_rain_mm"].to_numpy(),
    )
    return replace(found, rows=rows)


def exceeding(rows: pd.DataFrame) -> pd.DataFrame:
    """The sections over their target, worst first."""
    return rows[rows["state"] == OVER]
