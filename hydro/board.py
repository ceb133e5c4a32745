"""Where every section stands this month, and what December will look like: one row a section, worst first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hydro.attainment import (
    NO_TARGET,
    OVER,
    all_attained_streak,
    attained,
    headroom_kg_d,
    rates,
    states,
    streak,
    target_months,
)
from hydro.columns import number, text
from hydro.compensation import compensation, inbound_mg_l
from hydro.effect import Condition
from hydro.errors import Fault, HydroError
from hydro.ledger import down_to, ledger, outlook
from hydro.months import BELOW, CONFLICT, EXCLUDED, PARTIAL, Months
from hydro.network import RiverNetwork
from hydro.quality import exceedance_multiple, few_sections, river_grade
from hydro.standards import CLASSES, Floats, Standard
from hydro.storm import storm
from hydro.trend import seasonal_kendall

SPARK = 36
NOTES = {
    PARTIAL: ("partial", "{section} {month}：有数据的天数不足一半，不计入达标"),
    CONFLICT: ("conflict", "{section} {month}：同月有两个不同的值，按较差者计，请核对"),
    EXCLUDED: ("excluded", "{section} {month}：有不可能出现的值，已剔除，请核对"),
    BELOW: ("below_detection", "{section} {month}：低于检出限，按检出限的一半计"),
}


@dataclass(frozen=True)
class Board:
    """``rows``: one a section, worst first; ``attainment``: rates by level; ``notes``: what is odd about the data."""

    month: str
    rows: pd.DataFrame
    attainment: pd.DataFrame
    all_attained_months: int
    notes: tuple[Fault, ...]
    edition: str
    grade: str


def board(
    network: RiverNetwork,
    months: Months,
    month: str,
    *,
    standard: Standard,
    targets: pd.DataFrame | None = None,
    draws: int = 500,
    seed: int = 0,
) -> Board:
    """Assemble the board of one month from the monthly means of the sections.

    Columns of ``rows``: section_id, name, river, level, county; target_mg_l, value_mg_l, state, margin_mg_l,
    margin_share (of the target), multiple, discharge_m3_s, discharge_basis, headroom_kg_d, storm_factor (target /
    value: how much the concentration may rise); class, deciding, class_attained (against the target class); streak,
    last_year_mg_l, change_share; trend, slope_per_year, trend_p; the ledger: mean_mg_l, months_measured, gaps, need_mg_l,
    rebound_mg_l, need_before_rebound_mg_l, october_mg_l; the outlook: chance, year_low_mg_l, year_middle_mg_l,
    year_high_mg_l; attained_months, monitored_months (this year), spark (the newest 36 months, oldest first), rank.

    Data after ``month`` is not looked at.  Raises :class:`HydroError` where no section has any value up to ``month``.
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
    target = target_months(sections, months, targets)
    target_now = target[:, min(last, target.shape[1] - 1)]
    state = states(tp, target[:, :upto], marks)
    result = attained(state)
    own = state[:, -1] if there else states(blank, target_now)
    water, basis = _discharge(network, sections, months, upto - 1 if there else -1)
    year = int(month[:4])
    in_year = months.months[:upto].astype("M8[Y]") == np.datetime64(str(year), "Y")
    rows = pd.DataFrame(
        {
            "section_id": list(months.sections),
            **{name: text(sections, name).to_numpy() for name in ("name", "river", "level", "county", "waterbody")},
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
        }
    )
    rows = rows.assign(
        **_classes(sections, months, last if there else -1, standard),
        **_history(months, month, now),
        **_year(months, month, target_now, draws, seed),
    )
    # A moved or mistaken target is not averaged away either: the ledger above is against the target of now.
    attainment = pd.concat(
        [rates(result[:, in_year], ["*"] * len(rows)), rates(result[:, in_year], rows["level"])], ignore_index=True
    )
    return Board(
        month, _ranked(rows), attainment, all_attained_streak(result) if there else 0,
        tuple(_notes(rows, marks[:, -1] if there else None, target, in_year, upto)), standard.edition,
        basin_grade(rows, months, last if there else -1, standard),
    )  # fmt: skip


def basin_grade(rows: pd.DataFrame, months: Months, at: int, standard: Standard) -> str:
    """The grade of all sections together (环办[2011]22号): by shares of classes from five sections on, else of the mean."""
    ranks = np.array([CLASSES.index(one) if one in CLASSES else -1 for one in rows["class"]])
    if (ranks >= 0).sum() >= 5:
        return river_grade(ranks)
    if at < 0:
        return ""
    means = pd.DataFrame({name: values[:, at] for name, values in months.values.items() if name in standard.items})
    rank = few_sections(means, standard=standard)
    return standard.grades[CLASSES[rank]].grade_zh if rank >= 0 else ""


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


def _classes(sections: pd.DataFrame, months: Months, at: int, standard: Standard) -> dict[str, Any]:
    """Class by all items measured this month, the deciding ones, and whether the target class is met."""
    names = [name for name in standard.items if name in months.values]
    lake = (text(sections, "waterbody") == "lake").to_numpy()
    ranks = np.full((len(names), len(sections)), -1, dtype=int)
    for i, name in enumerate(names):
        values = months.values[name][:, at] if at >= 0 else np.full(len(sections), np.nan)
        ranks[i] = np.where(lake, standard.rank(name, values, "lake"), standard.rank(name, values, "river"))
    worst = ranks.max(axis=0, initial=-1)
    wanted = text(sections, "target_class").map({one: i for i, one in enumerate(CLASSES)}).to_numpy(float)
    met = np.where((worst < 0) | np.isnan(wanted), np.nan, (worst <= wanted).astype(float))
    return {
        "class": [CLASSES[rank] if rank >= 0 else "NA" for rank in worst],
        "deciding": [";".join(n for n, r in zip(names, ranks[:, j], strict=True) if r == worst[j] >= 0)
                     for j in range(len(sections))],
        "class_attained": met,
    }  # fmt: skip


def _history(months: Months, month: str, now: Floats) -> dict[str, Any]:
    """The same month last year, and the trend over all years on record."""
    before = months.at(str(np.datetime64(month, "M") - 12))
    known = 0 <= before < len(months.months)
    last_year = months.values["TP"][:, before] if known else np.full(len(now), np.nan)
    test = seasonal_kendall(months.years("TP", month))
    return {
        "last_year_mg_l": last_year,
        "change_share": (now - last_year) / last_year,
        "trend": test.direction(),
        "slope_per_year": test.slope_per_year,
        "trend_p": test.p,
    }


def _year(months: Months, month: str, target: Floats, draws: int, seed: int) -> dict[str, Any]:
    """The ledger and the outlook of the year."""
    history = months.years("TP", month)
    number_of_month = int(month[5:7])
    last_year = history[:, -2] if history.shape[1] > 1 else np.full(history[:, -1].shape, np.nan)
    books = ledger(history[:, -1], last_year, target, number_of_month)
    ahead = outlook(history, target, number_of_month, draws=draws, seed=seed)
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


def _notes(rows: pd.DataFrame, marks: Any, target: Floats, in_year: Any, upto: int) -> list[Fault]:
    """What a reader must know of this month's figures: odd data, no or changed targets, a section without its water."""
    found = []
    for i, (name, month, state) in enumerate(zip(rows["name"], rows["month"], rows["state"], strict=True)):
        where = {"section": name or rows["section_id"].iloc[i], "month": month}
        for mark, (code, message) in NOTES.items():
            if marks is not None and marks[i] & mark:
                found.append(Fault(code, message, where, "observations", str(rows["section_id"].iloc[i]), warning=True))
        if state == NO_TARGET:
            message = "{section}：没有总磷目标值，无法判断达标，请补填"
            found.append(Fault("no_target", message, where, "sections", str(rows["section_id"].iloc[i]), warning=True))
        held = target[i, :upto][in_year]
        if len(held) and not np.isnan(held).any() and held.min() != held.max():
            message = "{section}：目标值年内由 {before:g} 调整为 {after:g}，各月按当时的目标评价"
            params = where | {"before": float(held[0]), "after": float(held[-1])}
            row = str(rows["section_id"].iloc[i])
            found.append(Fault("target_changed", message, params, "targets", row, warning=True))
    return found


def settle(found: Board, network: RiverNetwork, rules: pd.DataFrame) -> Board:
    """The board with each section's compensation of the month: inbound_mg_l, own_mg_l, rule, pay_wan, reward_wan.

    Where the network cannot route (no discharge), nothing is deducted and a note says so.
    """
    rows = found.rows.assign(parameter="TP")
    notes = list(found.notes)
    try:
        inbound = inbound_mg_l(network, rows, found.month)
    except HydroError as error:
        message = "入境部分未能扣减：{why}"
        notes.append(Fault("no_inbound", message, {"why": str(error)}, "boundaries", warning=True))
        inbound = np.zeros(len(rows))
    priced = compensation(rows.assign(inbound_mg_l=inbound), rules)
    names = ["inbound_mg_l", "own_mg_l", "rule", "pay_wan", "reward_wan"]
    return replace(found, rows=found.rows.join(priced[names]), notes=tuple(notes))


def under_storm(found: Board, network: RiverNetwork, *, rain_mm: float = 50.0, hours: float = 24.0) -> Board:
    """The board with what a rain would do to each section: storm_mm, storm_probability, breaking_rain_mm.

    ``storm_probability`` is that of exceeding the target at the peak of ``rain_mm`` in ``hours`` upon the water of the
    month; ``breaking_rain_mm`` the rain that would just break it (0: broken already; NaN: none would).  Where the
    network cannot be rained on (no catchment areas), both are NaN and a note says why.
    """
    try:
        told = storm(network, rain_mm, hours=hours, condition=Condition("month", time=found.month), draws=200)
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
