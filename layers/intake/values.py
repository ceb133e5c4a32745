"""Cells as people write them, read as values: numbers with marks, dates of all kinds, degrees-minutes-seconds, words.

Whole columns at once; only cells that are not plain are looked at one by one, each distinct text once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.schema import Attribute
from hydro.stamps import TIME, local
from layers import units

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

NOTHING = frozenset(
    [
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "/",
        "//",
        "\\",
        "无",
        "空",
        "*",
        "null",
        "none",
        "n/a",
        "na",
        "#n/a",
        "<na>",
        "nat",
        "暂无",
        "不详",
    ]
)
GAP = frozenset(
    [
        "缺测",
        "停测",
        "断流",
        "未监测",
        "未测",
        "未采样",
        "缺数",
        "无数据",
        "干涸",
        "无水",
        "结冰",
        "仪器故障",
        "维护",
        "gap",
        "missing",
    ]
)
NOT_DETECTED = frozenset(
    ["未检出", "nd", "n.d.", "n.d", "未检", "低于检出限", "<dl", "<mdl", "bdl", "痕量", "notdetected"]
)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
MARKED = re.compile(
    r"^(?P<sign>[<>≤≥])?=?(?P<number>[+-]?(?:[\d,]+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?P<unit>[^\d\s*#!?↑↓]*?)(?P<low>l|\(l\))?(?P<mark>[*#!?↑↓]+)?$"
)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: values (nan where there is none), qualifiers, rows that hold no number although they hold
    something (``wrong``), and rows whose spelling was not plain (``mended``)."""

    value: Float
    qualifier: NDArray[np.object_]
    wrong: Bool
    mended: Bool


@dataclass(frozen=True)
class _Cell:
    value: float = np.nan
    qualifier: str = ""
    wrong: bool = False
    mended: bool = False


def numbers(column: pd.Series[str], target: str, unit: str = "") -> Numbers:
    """A column in ``unit`` (blank: the dictionary's) as numbers in ``target``; a unit inside a cell wins over both."""
    raw = column.to_numpy(object)
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, copy=True)
    plain = np.isfinite(values)
    scale = units.factor(unit, target) if unit else 1.0
    scale = 1.0 if scale is None else scale
    values = np.where(plain, values * scale, np.nan) if scale != 1.0 else np.where(plain, values, np.nan)
    qualifier = np.full(len(raw), "", dtype=object)
    wrong, mended = np.zeros(len(raw), bool), np.zeros(len(raw), bool)
    rest = np.flatnonzero(~plain)
    read: dict[object, _Cell] = {}
    for i in rest:
        text = raw[i]
        if text not in read:
            read[text] = _number(str(text), target, scale)
        cell = read[text]
        values[i], qualifier[i], wrong[i], mended[i] = cell.value, cell.qualifier, cell.wrong, cell.mended
    return Numbers(values, qualifier, wrong, mended)


def _number(raw: str, target: str, scale: float) -> _Cell:
    text = clean(raw).lower().replace(" ", "")
    if text in NOTHING:
        return _Cell()
    if text in NOT_DETECTED:
        return _Cell(qualifier="ND")
    if text in GAP:
        return _Cell(qualifier="gap")
    changed = text != raw.strip().lower()
    if NUMBER.fullmatch(text):
        return _finite(float(text) * scale, mended=changed)
    marked = MARKED.match(text.replace("，", ","))
    if not marked:
        return _Cell(wrong=True)
    digits, unit, low = marked["number"], marked["unit"] or "", marked["low"] or ""
    if "," in digits:
        if not re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", digits):
            return _Cell(wrong=True)
        digits = digits.replace(",", "")
    if not NUMBER.fullmatch(digits):
        return _Cell(wrong=True)
    factor = scale
    if unit:
        own = units.factor(unit + low, target) if low and "/" in unit else units.factor(unit, target)
        if own is None:
            return _Cell(wrong=True)
        factor, low = own, "" if low and "/" in unit else low
    sign = {"≤": "<", "≥": ">"}.get(marked["sign"] or "", marked["sign"] or "") or ("<" if low else "")
    return _finite(
        float(digits) * factor,
        sign,
        mended=bool(marked["mark"] or "," in marked["number"] or unit or changed) and not low,
    )


def _finite(value: float, qualifier: str = "", *, mended: bool = False) -> _Cell:
    return _Cell(value, qualifier, mended=mended) if np.isfinite(value) else _Cell(wrong=True)


def clean(text: str) -> str:
    """Text in half width, without invisible characters and outer blanks."""
    return re.sub(r"[\u200b\u200c\u200d\ufeff\u00ad]", "", unicodedata.normalize("NFKC", text)).strip()


@dataclass(frozen=True)
class Times:
    """A column of times in ISO 8601, the rows that are no time, and whether day and month cannot be told apart."""

    iso: NDArray[np.object_]
    wrong: Bool
    ambiguous: bool
    mended: Bool


def times(column: pd.Series[str], order: str = "") -> Times:
    """Dates and times as ISO 8601; ``order`` (``dmy`` or ``mdy``) says how 03/04/2022 is meant.

    A month stays a month (``2022-07``); 上旬, 中旬, 下旬 are stamped with the day they begin.
    """
    codes, texts = pd.factorize(np.array([str(text) for text in column.to_numpy(object)], dtype=object))
    distinct = [str(text) for text in texts]
    order = order or _order(distinct)
    read = [_time(text, order) for text in distinct]
    ambiguous = order == "?" and any(SLASHED.match(clean(text)) for text in distinct)
    iso = np.array([one for one, _ in read], dtype=object)[codes]
    wrong = np.array([bad for _, bad in read], dtype=bool)[codes]
    mended = np.array([one != text.strip() for (one, _), text in zip(read, distinct, strict=True)], dtype=bool)[codes]
    return Times(iso, wrong, ambiguous, mended)


ZONED = re.compile(r".*:\d{2}(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})")
"""A time of day with its offset from Greenwich."""
SLASHED = re.compile(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
DATED = re.compile(
    r"^(?P<year>\d{4})\s*[年\-/.]\s*(?P<month>\d{1,2})\s*(?:[月\-/.]\s*(?:(?P<day>\d{1,2})\s*[日号]?|(?P<third>[上中下])旬)?)?"
    r"(?:\s*T?\s*(?P<hour>\d{1,2})\s*[:时点](?:\s*(?P<minute>\d{1,2})\s*分?)?(?:\s*:\s*(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?$"
)
PACKED = re.compile(
    r"^(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])?(?:(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d))?$"
)
EXCEL_DAY_0 = datetime(1899, 12, 30)


def _order(distinct: list[str]) -> str:
    """How the slashed dates of a column are meant: one with a day above 12 tells it for all; ``?`` where none does."""
    pairs = [(int(m[1]), int(m[2])) for m in map(SLASHED.match, map(clean, distinct)) if m]
    dmy, mdy = any(a > 12 for a, _ in pairs), any(b > 12 for _, b in pairs)
    return "dmy" if dmy and not mdy else "mdy" if mdy and not dmy else "?"


def _time(raw: str, order: str) -> tuple[str, bool]:
    text = clean(raw)
    if text.lower() in NOTHING:
        return "", False
    if re.fullmatch(TIME, text):
        return local(text.replace(" ", "T")), not _real(text)
    dated = DATED.match(text) or PACKED.match(text)
    if dated:
        parts = dated.groupdict()
        day = {"上": "1", "中": "11", "下": "21"}.get(parts.get("third") or "", parts["day"])
        return _iso(
            parts["year"], parts["month"], day, parts["hour"], parts["minute"], parts.get("second"), parts.get("zone")
        )
    if re.fullmatch(r"(19|20)\d{2}年", text):
        return text[:4], False
    slashed = SLASHED.match(text)
    if slashed and order in ("dmy", "mdy"):
        day, month = (slashed[1], slashed[2]) if order == "dmy" else (slashed[2], slashed[1])
        return _iso(slashed[3], month, day, slashed[4], slashed[5], slashed[6], None)
    if re.fullmatch(r"\d{5}(\.\d+)?", text) and 20000 <= float(text) < 80000:
        moment = EXCEL_DAY_0 + timedelta(seconds=round(float(text) * 86400))
        return (
            moment.date().isoformat() if moment.time() == moment.min.time() else moment.isoformat(timespec="minutes")
        ), False
    return text, True


def _iso(
    year: str, month: str, day: str | None, hour: str | None, minute: str | None, second: str | None, zone: str | None
) -> tuple[str, bool]:
    text = f"{year}-{int(month):02d}"
    if day:
        text += f"-{int(day):02d}"
    if hour:
        if not day:
            return text, True
        moment = f"{int(hour):02d}:{int(minute or 0):02d}" + (f":{int(second):02d}" if second and int(second) else "")
        if moment.startswith("24:00"):
            text = (datetime.fromisoformat(text) + timedelta(days=1)).date().isoformat() if _real(text) else text
            moment = "00:00"
        text += f"T{moment}{zone or ''}"
    return local(text), not _real(text)


def _real(text: str) -> bool:
    """Whether the day exists."""
    if not re.fullmatch(TIME, text):
        return False
    if len(text) < 10:
        return True
    try:
        datetime.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


DMS = re.compile(
    r"^(?P<before>[NSEW北南东西]|东经|西经|北纬|南纬)?\s*(?P<d>\d{1,3}(?:\.\d+)?)\s*(?:[°度d:]|\s)\s*(?:(?P<m>\d{1,2}(?:\.\d+)?)\s*(?:['′’分:m]|\s|$)\s*(?:(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒s]|''|′′)?)?)?\s*(?P<after>[NSEW北南东西])?$",
    re.I,
)


def degrees(column: pd.Series[str]) -> Numbers:
    """Longitudes or latitudes as decimal degrees: ``113°55′12″``, ``E113 55 12.5``, ``113度55分12秒``, ``113.92``."""
    raw = column.to_numpy(object)
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, copy=True)
    wrong, mended = np.zeros(len(raw), bool), np.zeros(len(raw), bool)
    values[~np.isfinite(values)] = np.nan
    for i in np.flatnonzero(np.isnan(values)):
        text = clean(str(raw[i]))
        if text.lower() in NOTHING:
            continue
        values[i] = dms(text)
        wrong[i], mended[i] = np.isnan(values[i]), not np.isnan(values[i])
    return Numbers(values, np.full(len(raw), "", dtype=object), wrong, mended)


def dms(text: str) -> float:
    """One angle in degrees, nan where the text is none."""
    found = DMS.match(clean(text).replace("″", '"').replace("′", "'").replace("''", '"'))
    if not found:
        try:
            return float(clean(text).rstrip("°度"))
        except ValueError:
            return np.nan
    minutes, seconds = float(found["m"] or 0), float(found["s"] or 0)
    if minutes >= 60 or seconds >= 60:
        return np.nan
    side = (found["before"] or found["after"] or "").upper()
    angle = float(found["d"]) + minutes / 60 + seconds / 3600
    return -angle if side in ("S", "W", "南", "西", "西经", "南纬") else angle


def words(column: pd.Series[str], attribute: Attribute) -> tuple[NDArray[np.object_], Bool, Bool]:
    """A column of choices in the dictionary's words; which rows are none of them, and which were said otherwise."""
    meant: dict[str, str] = {}
    for choice in attribute.choices:
        meant[_word(choice)] = choice
        for synonym in attribute.value_synonyms.get(choice, ()):
            meant.setdefault(_word(synonym), choice)
    return _each(column, lambda text: _choice(text, meant, attribute))


def _word(text: str) -> str:
    return re.sub(r"\s+", "", clean(text)).lower()


def _choice(raw: str, meant: dict[str, str], attribute: Attribute) -> tuple[str, bool]:
    text = clean(raw)
    word = _word(raw)
    if word in meant:
        return meant[word], False
    if word in NOTHING:
        return "", False
    if "V" in attribute.choices:
        roman = re.sub(r"[类级水质]+$", "", text).strip().upper().replace("劣", ">")
        roman = {
            "1": "I",
            "2": "II",
            "3": "III",
            "4": "IV",
            "5": "V",
            "一": "I",
            "二": "II",
            "三": "III",
            "四": "IV",
            "五": "V",
        }.get(roman, roman)
        return (roman, False) if roman in attribute.choices else (text, True)
    if attribute.type == "integer" and NUMBER.fullmatch(word):
        return (str(int(float(word))), False) if float(word).is_integer() else (text, True)
    return text, not attribute.open


def _each(column: pd.Series[str], read: Callable[[str], tuple[str, bool]]) -> tuple[NDArray[np.object_], Bool, Bool]:
    codes, distinct = pd.factorize(column.astype(str))
    pairs = [read(str(text)) for text in distinct]
    said = np.array([str(text).strip() for text in distinct] or [""], dtype=object)
    values = np.array([value for value, _ in pairs] or [""], dtype=object)
    wrong = np.array([bad for _, bad in pairs] or [False], dtype=bool)
    return values[codes], wrong[codes], np.asarray(values != said, dtype=bool)[codes]
