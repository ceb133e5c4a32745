"""Standards as values: class limits, the parameters judged by them, and the words and colours of the classes.

A standard is data (``data/standards``): a new edition is a new table, and every result names its edition.  This module
reads no files; ``layers.load_standard`` does.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

CLASSES = ("I", "II", "III", "IV", "V", ">V")
TO_MG_L = {
    **dict.fromkeys(("mg/l", "mgl", "毫克/升", "毫克/l", "ppm"), 1.0),
    **dict.fromkeys(("ug/l", "μg/l", "ugl", "μgl", "微克/升", "微克/l", "ppb", "mg/m3"), 1e-3),
    **dict.fromkeys(("ng/l", "ngl", "ug/m3", "μg/m3"), 1e-6),
    **dict.fromkeys(("g/l",), 1e3),
}
WORDS = re.compile(
    r"(月均浓度|月均值|平均值|监测值|实测值|检测值|测定值|浓度|含量|均值|月均|数值|结果|concentration|conc|mean|avg|value)$"
)
Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Parameter:
    """One quality parameter: its names, the decimals it is judged with, and the values it can take."""

    parameter: str
    name_zh: str
    name_en: str
    unit: str = "mg/L"
    item: bool = True
    decimals: int = 3
    detection_limit: float = math.nan
    detection_method: str = ""
    possible_min: float = 0.0
    possible_max: float = math.inf
    plausible_min: float = -math.inf
    plausible_max: float = math.inf
    multiple: bool = True
    first: bool = False
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grade:
    """A class in words and colours (环办[2011]22号 表1)."""

    code: str
    numeral_zh: str
    grade_zh: str
    grade_en: str
    colour: str


@dataclass(frozen=True)
class Limits:
    """The five limits of one parameter, best class first; ``sense``: at_most, at_least, from, to."""

    sense: str
    values: Floats

    def rank(self, rounded: Floats) -> Ranks:
        """0 = class I … 5 = worse than V; a value equal to a limit attains it."""
        over = self.sense in ("at_most", "to")
        beyond = rounded[..., None] > self.values if over else rounded[..., None] < self.values
        return np.asarray(beyond.sum(axis=-1), dtype=np.int8)


@dataclass(frozen=True)
class Standard:
    """One edition of the class limits, ready to judge by."""

    edition: str
    parameters: Mapping[str, Parameter]
    limits: Mapping[tuple[str, str], tuple[Limits, ...]]
    grades: Mapping[str, Grade]
    columns: Mapping[str, str] = field(repr=False, default_factory=dict)

    @cached_property
    def items(self) -> tuple[str, ...]:
        """The parameters that decide a class (the 21 of 环办[2011]22号), in the standard's order."""
        return tuple(name for name, parameter in self.parameters.items() if parameter.item)

    def limits_of(self, parameter: str, waterbody: str) -> tuple[Limits, ...]:
        """The limits for a kind of water; empty where the standard sets none (total nitrogen in rivers)."""
        return self.limits.get((parameter, waterbody), self.limits.get((parameter, "any"), ()))

    def limit(self, parameter: str, water_class: str, waterbody: str = "river") -> float:
        """The limit of one class: ``limit("TP", "III") == 0.2``; nan where there is none."""
        found = self.limits_of(parameter, waterbody)
        return float(found[-1].values[CLASSES.index(water_class)]) if found and water_class != ">V" else math.nan

    def rank(self, parameter: str, values: Any, waterbody: str = "river") -> Ranks:
        """Class rank of each value (0 = I … 5 = worse than V, -1 = no value), rounded as the method says."""
        raw = np.asarray(values, dtype=float)
        missing = np.isnan(raw)
        rounded = round_half_even(np.where(missing, 0.0, raw), self.parameters[parameter].decimals)
        found = [limits.rank(rounded) for limits in self.limits_of(parameter, waterbody)]
        worst = np.max(found, axis=0) if found else np.full(raw.shape, -1, dtype=np.int8)
        return np.where(missing, np.int8(-1), worst).astype(np.int8)

    def column(self, header: object) -> tuple[str, float] | None:
        """The parameter a column header names and the factor of its unit: ``"总磷(μg/L)"`` -> ``("TP", 0.001)``."""
        text = unicodedata.normalize("NFKC", str(header)).lower().replace("\u2212", "-")
        unit = re.search(r"(?<![a-z])(mg|ug|μg|ng|g)[/_ ·]?(l(?:-1)?|m3|升)(?![a-z])|毫克/升|微克/升|ppm|ppb", text)
        factor = 1.0
        if unit:
            factor = TO_MG_L.get(re.sub(r"[_ ·]", "/", unit.group(0)).replace("l-1", "l").replace("升", "l"), 1.0)
            factor = TO_MG_L.get(unit.group(0), factor)
            text = text[: unit.start()] + text[unit.end() :]
        for key in (text, re.sub(r"\([^)]*\)|\[[^\]]*\]", "", text)):
            name = self.columns.get(_key(key))
            if name:
                return name, factor
        words = re.findall(r"[\u4e00-\u9fff]+|[a-z0-9+]+", text)
        named = {self.columns.get(_key(word)) for word in words}
        if len(named) == 1 and (only := named.pop()):
            return only, factor
        return None


def build_standard(limits: pd.DataFrame, parameters: pd.DataFrame, grades: pd.DataFrame) -> Standard:
    """Join the three tables of one edition (columns as in ``data/standards``) to a :class:`Standard`."""
    known = {row["parameter"]: _parameter(row) for row in parameters.to_dict("records")}
    found: dict[tuple[str, str], list[Limits]] = {}
    for row in limits.to_dict("records"):
        values = np.array([float(row[name]) for name in CLASSES[:5]])
        found.setdefault((row["parameter"], row["waterbody"]), []).append(Limits(row["sense"], values))
    words = {
        row["class"]: Grade(
            row["class"], row["numeral_zh"], row["grade_zh"], row["grade_en"],
            f"#{int(row['red']):02x}{int(row['green']):02x}{int(row['blue']):02x}",
        )
        for row in grades.to_dict("records")
    }  # fmt: skip
    columns = {_key(alias.lower()): name for name, one in known.items() for alias in (*one.aliases, one.name_zh, name)}
    edition = str(limits["edition"].iloc[0])
    return Standard(edition, known, {key: tuple(value) for key, value in found.items()}, words, columns)


def round_half_even(values: Any, decimals: int) -> Floats:
    """Round as GB/T 8170 does (half to even on the *written* decimals); a positive value never becomes zero.

    0.2005 is stored as 0.20050000000000001: the tie is the one that was written, so the value is first taken to nine
    more digits.  What would round to zero keeps one significant digit (总站水字〔2018〕87号).

    >>> round_half_even([0.2005, 0.2015, 0.0004], 3).tolist()
    [0.2, 0.202, 0.0004]
    """
    raw = np.asarray(values, dtype=float)
    scale = 10.0**decimals
    rounded = np.rint(np.round(raw * scale, 9)) / scale
    lost = (rounded == 0) & (raw > 1e-12)  # what is smaller is a trace of arithmetic, not a value
    if not lost.any():
        return np.asarray(rounded, dtype=float)
    digits = 10.0 ** -np.floor(np.log10(np.where(lost, raw, 1.0)))
    return np.asarray(np.where(lost, np.rint(raw * digits) / digits, rounded), dtype=float)


def _parameter(row: Mapping[Any, Any]) -> Parameter:
    def number(name: str, otherwise: float) -> float:
        value = float(row[name]) if row[name] not in ("", None) else math.nan
        return otherwise if math.isnan(value) else value

    return Parameter(
        row["parameter"], row["name_zh"], row["name_en"], row["unit"],
        item=bool(int(row["item"])), decimals=int(row["decimals"]),
        detection_limit=number("detection_limit", math.nan), detection_method=row["detection_method"],
        possible_min=number("possible_min", -math.inf), possible_max=number("possible_max", math.inf),
        plausible_min=number("plausible_min", -math.inf), plausible_max=number("plausible_max", math.inf),
        multiple=bool(int(row["multiple"])), first=bool(int(row["first"])),
        aliases=frozenset(row["aliases"].split("|")),
    )  # fmt: skip


def _key(text: str) -> str:
    """A header as it is looked up: letters, digits and Chinese only, without words such as 浓度 or mean."""
    key = re.sub(r"[^\w\u4e00-\u9fff+]|_", "", text)
    return WORDS.sub("", key)
