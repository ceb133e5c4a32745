"""What a reader must know of a board's figures: odd records, targets that changed, sections that moved, lakes unnamed.

Nothing here changes a figure: each remark says what stands there and how it was counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydro.assessment.months import BELOW, CONFLICT, EXCLUDED, PARTIAL, Months
from hydro.assessment.standards import CLASSES, Floats, Standard
from hydro.columns import number, text
from hydro.errors import Fault
from hydro.network import RiverNetwork
from hydro.target import first_month

MARKED = {
    PARTIAL: ("partial", "{section} {month}：有数据的天数不足一半，不计入达标与均值"),
    CONFLICT: ("conflict", "{section} {month}：同月有两个不同的值，按较差者计，请核对"),
    EXCLUDED: ("excluded", "{section} {month}：有不可能出现的值，已剔除，请核对"),
    BELOW: ("below_detection", "{section} {month}：低于检出限，按检出限的一半计"),
}
LAKE_NAMES = ("湖", "水库", "库", "塘", "lake", "reservoir")


@dataclass(frozen=True)
class Place:
    """Where a section's record belongs: ``since`` its last move (NaT: never moved), and what it was moved from."""

    since: npt.NDArray[np.datetime64]
    words: Sequence[str]


def placed(moves: pd.DataFrame | None, sections: Sequence[str], month: str) -> Place:
    """The last move of each section up to ``month``; what was measured before it was measured somewhere else."""
    since = np.full(len(sections), "NaT", dtype="M8[M]")
    words = [""] * len(sections)
    if moves is None or moves.empty:
        return Place(since, words)
    at = {name: i for i, name in enumerate(sections)}
    rows = moves.assign(reach=text(moves, "from_reach_id"), chainage=number(moves, "from_chainage_m"))
    for row in rows.assign(start=first_month(moves)).sort_values("start").to_dict("records"):
        i = at.get(str(row["section_id"]), -1)
        start = np.datetime64(row["start"], "M")
        if i < 0 or np.isnat(start) or start > np.datetime64(month, "M"):
            continue
        chainage = "" if np.isnan(row["chainage"]) else f"{row['chainage']:.0f} m"
        since[i], words[i] = start, " ".join(filter(None, (row["reach"], chainage)))
    return Place(since, words)


def remarks(
    network: RiverNetwork,
    months: Months,
    month: str,
    *,
    standard: Standard,
    target: Floats,
    moved: Place,
    moves: pd.DataFrame | None,
) -> tuple[Fault, ...]:
    """Every remark on the year up to ``month``, section by section; ``target`` (sections, months) as it held."""
    sections = network.sections.reindex(list(months.sections))
    names = [name or one for name, one in zip(text(sections, "name"), months.sections, strict=True)]
    year = np.datetime64(month[:4], "Y").astype("M8[M]")
    here = (months.months >= year) & (months.months <= np.datetime64(month, "M"))
    at = min(max(months.at(month), 0), len(months.months) - 1)
    found: list[Fault] = []
    for i, (one, name) in enumerate(zip(months.sections, names, strict=True)):
        found += _of_values(one, name, months, here, i)
        found += _of_target(one, name, months.months[here], target[i, here], target[i, at])
        found += _of_place(one, name, str(moved.since[i]), moved.words[i], month)
        found += _of_dates(one, name, months)
    found += _of_water(network, sections, names, months, month, standard)
    found += _unread(network.targets.changes, "targets") + _unread(moves, "section_moves")
    return tuple(found)


def _of_values(section: str, name: str, months: Months, here: Any, i: int) -> Iterator[Fault]:
    if "TP" not in months.marks:
        return
    marks = months.marks["TP"][i]
    for mark, (code, message) in MARKED.items():
        odd = months.months[here & ((marks & mark) > 0)]
        if len(odd):
            said = {"section": name, "month": ", ".join(map(str, odd))}
            yield Fault(code, message, said, "observations", section, warning=True)


def _of_target(section: str, name: str, months: Any, held: Floats, now: float) -> Iterator[Fault]:
    where: dict[str, Any] = {"section": name}
    if np.isnan(now) and np.isnan(held).all():
        yield Fault(
            "no_target", "{section}：没有总磷目标值，无法判断达标，请补填", where, "sections", section, warning=True
        )
        return
    blank = months[np.isnan(held)]
    if len(blank):
        message = "{section}：{first} 至 {last} 没有目标值，这几个月不判断达标"
        said = where | {"first": str(blank[0]), "last": str(blank[-1])}
        yield Fault("no_target_then", message, said, "targets", section, warning=True)
    for before, after, at in zip(held[:-1], held[1:], months[1:], strict=True):
        if not np.isnan(before + after) and before != after:
            message = "{section}：目标值自 {month} 由 {before:g} 调整为 {after:g}，各月按当时的目标评价"
            said = where | {"month": str(at), "before": float(before), "after": float(after)}
            yield Fault("target_changed", message, said, "targets", section, warning=True)


def _of_place(section: str, name: str, since: str, before: str, month: str) -> Iterator[Fault]:
    if since == "NaT":
        return
    said: dict[str, Any] = {"section": name, "month": since, "before": before or "—"}
    message = "{section}：断面自 {month} 移位（原在 {before}），此前的数据不与现在相比：趋势、同比、反弹和展望只用移位后的月份"
    if since[:4] == month[:4] and not since.endswith("-01"):
        message = "{section}：断面自 {month} 移位（原在 {before}），趋势、同比、反弹和展望只用移位后的月份；年内均值仍含移位前的月份"
    yield Fault("moved", message, said, "section_moves", section, warning=True)


def _of_dates(section: str, name: str, months: Months) -> Iterator[Fault]:
    if section in months.astray:
        count, example = months.astray[section]
        message = "{section}：{count} 条记录的时间不可能（如 {time}），未计入，请核对"
        told: dict[str, Any] = {"section": name, "count": count, "time": example}
        yield Fault("astray", message, told, "observations", section, "time", warning=True)


def waterbodies(network: RiverNetwork, sections: pd.DataFrame) -> list[str]:
    """River or lake of each section: its own word, else its reach's, else "" (judged as a river, and said)."""
    reach = text(network.reaches, "waterbody")
    own, on = text(sections, "waterbody"), text(sections, "reach_id")
    return [mine or str(reach.get(at, "")) for mine, at in zip(own, on, strict=True)]


def _of_water(
    network: RiverNetwork, sections: pd.DataFrame, names: Sequence[str], months: Months, month: str, standard: Standard
) -> list[Fault]:
    """Sections judged as rivers whose name says lake, with both classes; and how many have no kind of water told."""
    kinds = waterbodies(network, sections)
    at = months.at(month)
    now = months.values["TP"][:, at] if 0 <= at < len(months.months) else np.full(len(names), np.nan)
    found = []
    for i, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if kind == "lake" or not name.lower().endswith(LAKE_NAMES) or np.isnan(now[i]):
            continue
        river, lake = (CLASSES[int(standard.rank("TP", now[i], body))] for body in ("river", "lake"))
        message = "{section}：未注明是湖库，总磷按河流评价为 {river}；若为湖库则为 {lake}，请补填水体类型"
        said = {"section": name, "river": river, "lake": lake}
        found.append(Fault("lake_untold", message, said, "sections", months.sections[i], "waterbody", warning=True))
    blank = [name for name, kind in zip(names, kinds, strict=True) if not kind]
    if blank:
        message = "{count} 个断面没有注明河流或湖库，按河流评价：{sections}"
        count: dict[str, Any] = {
            "count": len(blank),
            "sections": ", ".join(blank[:5]) + ("…" if len(blank) > 5 else ""),
        }
        found.append(Fault("waterbody_blank", message, count, "sections", column="waterbody", warning=True))
    return found


def _unread(rows: pd.DataFrame | None, table: str) -> list[Fault]:
    """Rows whose month cannot be read: not taken, and said."""
    if rows is None or rows.empty:
        return []
    lost = rows[np.isnat(first_month(rows))]
    message = "{table} {section}：起始月份「{since}」无法识别，未采用，应写成 2022-07"
    return [
        Fault(
            "bad_since", message, {"table": table, "section": str(one), "since": since}, table, str(one), "since", True
        )
        for one, since in zip(lost["section_id"], text(lost, "since"), strict=True)
    ]
