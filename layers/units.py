"""Units as bureaus write them, and the one factor from each to the unit of the data dictionary."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

SECONDS_PER_DAY = 86400.0
DAYS_PER_YEAR = 365.0

_CUBIC = {
    "m3": 1.0,
    "立方米": 1.0,
    "方": 1.0,
    "t": 1.0,
    "吨": 1.0,
    "万m3": 1e4,
    "万立方米": 1e4,
    "万方": 1e4,
    "万t": 1e4,
    "万吨": 1e4,
    "l": 1e-3,
    "升": 1e-3,
    "亿m3": 1e8,
    "亿立方米": 1e8,
}
_MASS = {"kg": 1.0, "千克": 1.0, "公斤": 1.0, "t": 1e3, "吨": 1e3, "g": 1e-3, "克": 1e-3, "mg": 1e-6}
_PER_DAY = {
    "d": 1.0,
    "日": 1.0,
    "天": 1.0,
    "day": 1.0,
    "a": 1 / DAYS_PER_YEAR,
    "年": 1 / DAYS_PER_YEAR,
    "yr": 1 / DAYS_PER_YEAR,
    "h": 24.0,
    "小时": 24.0,
    "时": 24.0,
    "s": SECONDS_PER_DAY,
    "秒": SECONDS_PER_DAY,
    "min": 1440.0,
    "月": 12 / DAYS_PER_YEAR,
}


def _rates(amounts: Mapping[str, float], scale: float = 1.0) -> dict[str, float]:
    return {f"{a}/{t}": x * y * scale for a, x in amounts.items() for t, y in _PER_DAY.items()}


# A ton of water is a cubic metre, so that t/d is a discharge where a discharge is meant and a load where a load is.
FACTORS: Mapping[str, Mapping[str, float]] = {
    "mg/L": {
        "mg/l": 1.0,
        "毫克/升": 1.0,
        "毫克每升": 1.0,
        "ug/l": 1e-3,
        "微克/升": 1e-3,
        "g/m3": 1.0,
        "mg/m3": 1e-3,
        "ppm": 1.0,
        "ppb": 1e-3,
        "g/l": 1e3,
        "ng/l": 1e-6,
    },
    "m3/s": _rates(_CUBIC, 1 / SECONDS_PER_DAY) | {"cms": 1.0, "立方米每秒": 1.0, "个流量": 1.0},
    "m3/d": _rates(_CUBIC),
    "kg/d": _rates(_MASS),
    "kg/a": _rates(_MASS, DAYS_PER_YEAR),
    "m": {"m": 1.0, "米": 1.0, "km": 1e3, "公里": 1e3, "千米": 1e3, "cm": 0.01, "里": 500.0},
    "km2": {
        "km2": 1.0,
        "平方公里": 1.0,
        "平方千米": 1.0,
        "ha": 0.01,
        "公顷": 0.01,
        "hm2": 0.01,
        "m2": 1e-6,
        "平方米": 1e-6,
        "亩": 1 / 1500,
        "万亩": 20 / 3,
    },
    "m/s": {"m/s": 1.0, "米/秒": 1.0, "cm/s": 0.01, "km/h": 1 / 3.6},
    "1/d": {
        "1/d": 1.0,
        "/d": 1.0,
        "d-1": 1.0,
        "d^-1": 1.0,
        "每日": 1.0,
        "1/h": 24.0,
        "h-1": 24.0,
        "1/s": SECONDS_PER_DAY,
        "1/天": 1.0,
        "1/日": 1.0,
    },
    "mm": {"mm": 1.0, "毫米": 1.0, "cm": 10.0},
    "degC": {"degc": 1.0, "c": 1.0, "°c": 1.0, "摄氏度": 1.0, "度": 1.0},
    "1": {"1": 1.0, "%": 0.01, "‰": 0.001, "无量纲": 1.0},
    "10^4 CNY": {"万元": 1.0, "元": 1e-4, "亿元": 1e4, "万": 1.0},
    "10^4 CNY/a": {"万元/年": 1.0, "万元/a": 1.0, "元/年": 1e-4},
    "d": {"d": 1.0, "天": 1.0, "日": 1.0, "月": 30.0},
}

PARAMETER_UNIT = {"discharge": "m3/s", "TP_load": "kg/d", "water_temp": "degC", "pH": "1"}
"""Unit in which a parameter of the observations is kept; every other is a concentration in mg/L."""


def plain(unit: str) -> str:
    """A unit in one spelling: ``μg·L⁻¹`` and ``ug l-1-P`` become ``ug/l``."""
    text = unicodedata.normalize("NFKC", unit).lower().strip().strip("()[]【】")
    text = re.sub(
        r"\s+", " ", text.replace("μ", "u").replace("µ", "u").replace("㎎", "mg").replace("⁻", "-").replace("−", "-")
    )
    text = re.sub(r"[- ](as )?(p|n|nh4|no3|no2|si|c|o2)$", "", text)
    text = re.sub(r"[ .·*]?([a-z]+)\^?-1", r"/\1", text)
    text = re.sub(r"\^([23])", r"\1", text).replace("每", "/").replace(" ", "")
    text = re.sub(r"^以?p计[,，;；]?|[,，;；]?以?p计$", "", text)
    return re.sub(r"/+", "/", text)


def factor(unit: str, target: str) -> float | None:
    """What a value in ``unit`` is multiplied by to be in ``target`` (a unit of the dictionary); None if impossible."""
    return FACTORS.get(target, {}).get(plain(unit))


_ALL = {unit for table in FACTORS.values() for unit in table} | {"ph", "无量纲"}


def is_unit(text: object) -> bool:
    """Whether a cell holds a unit and nothing else."""
    cell = plain(str(text))
    return cell in _ALL and not cell.isdigit()


def is_number(cell: object) -> bool:
    """Whether a cell holds a plain number."""
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def split_header(header: str) -> tuple[str, str]:
    """A header without its unit, and the unit: ``总磷（以P计，mg/L）`` is ``总磷`` and ``mg/L``.

    >>> split_header("设计规模(万吨/日)"), split_header("TP_mg/L"), split_header("断面名称")
    (('设计规模', '万吨/日'), ('TP', 'mg/L'), ('断面名称', ''))
    """
    text = unicodedata.normalize("NFKC", header).strip()
    for inside in re.findall(r"[(\[【]([^()\[\]【】]*)[)\]】]", text):
        for part in re.split(r"[,，;；]", inside):
            if is_unit(part):
                return re.sub(r"[(\[【][^()\[\]【】]*[)\]】]", "", text).strip(), part.strip()
    tail = re.match(r"^(.*?)[\s_:：,，/]+(\S+)$", text)
    if tail and tail[1] and is_unit(tail[2]) and not re.fullmatch(r"[a-z]", tail[2], re.I):
        return tail[1].strip(), tail[2]
    return re.sub(r"[(\[【][^()\[\]【】]*[)\]】]", "", text).strip() or text, ""
