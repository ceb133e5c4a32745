"""Which table a layer is, and which of its columns is which attribute: proposed from the data dictionary, with confidence.

The user's own mapping (``--map``) wins.  What is not sure is told; what is not known is left out and told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

from hydro.errors import HydroError
from hydro.schema import GEOMETRY, KEYS, attributes
from layers import units
from layers.headers import COORDINATES, HELD, NAMED, RIVER, normal, place_of

IMPORTED = tuple(table for table in KEYS if table != "audit")

CLOCK = ("采样时刻", "时刻", "采样时间点", "samplingtime", "timeofday", "hhmm")
"""A column that holds only the time of day."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "reaches": ("reaches", "reach", "河段", "河网", "河流", "河道", "水系", "river", "stream", "flowline", "渠"),
    "boundaries": ("boundaries", "boundary", "入境", "边界", "inflow"),
    "sections": ("sections", "section", "断面", "考核点位"),
    "outlets": ("outlets", "outlet", "排污口", "排放口", "排口", "入河排"),
    "plants": ("plants", "plant", "污水厂", "污水处理", "wwtp"),
    "gates": ("gates", "gate", "闸", "口门"),
    "catchments": ("catchments", "catchment", "汇水", "流域分区", "子流域"),
    "districts": ("districts", "district", "counties", "county", "行政区", "区县", "县界", "区划"),
    "observations": ("observations", "observation", "监测数据", "水质", "监测结果", "waterquality", "samples"),
    "weather": ("weather", "气象", "降雨", "雨量", "降水", "rain"),
    "plans": ("plans", "方案"),
    "decisions": ("decisions", "处置决定", "决定"),
    "measures": ("measures", "措施"),
    "tasks": ("tasks", "任务"),
    "targets": ("targets", "历年目标", "目标值"),
    "goals": ("goals", "限期目标"),
    "registers": ("registers", "整治台账", "台账"),
    "findings": ("findings", "现场核查"),
    "stories": ("stories", "会议故事"),
}
"""Words in a file's or layer's name that say which table it is."""

SURE = 0.9
ENOUGH = 0.62
LEAST_FIT = 0.5


@dataclass(frozen=True)
class Match:
    """One column of a source read as one attribute; ``unit`` is what its header says."""

    source: str
    attribute: str
    confidence: float
    unit: str = ""


@dataclass(frozen=True)
class Reading:
    """A layer read as a table: its columns, those that are parameters of observations, and those left out."""

    table: str
    columns: tuple[Match, ...]
    parameters: tuple[Match, ...] = ()
    unread: tuple[str, ...] = ()
    confidence: float = 1.0

    def source(self, attribute: str) -> str | None:
        """The source column of an attribute."""
        return next((match.source for match in self.columns if match.attribute == attribute), None)


@dataclass(frozen=True)
class Mapping_:
    """What the user has said about columns: by layer (blank: any layer), source column -> attribute; and tables."""

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)

    def of(self, *names: str) -> dict[str, str]:
        """The user's words for a layer that goes by any of the names."""
        found: dict[str, str] = dict(self.columns.get("", {}))
        for name in names:
            found.update(self.columns.get(name, {}))
        return found


def recalled(said: Mapping_, remembered: Mapping[str, str]) -> Mapping_:
    """What the user says now, and behind it what was said of columns before."""
    return Mapping_({**said.columns, "": {**remembered, **said.columns.get("", {})}}, said.tables)


def learned(said: Mapping_, units_said: Mapping[str, str], readings: Mapping[str, Reading]) -> dict[str, str]:
    """What is worth remembering of an import: columns named and units told, unless two files differ on one."""
    found: dict[str, set[str]] = {}
    for words in said.columns.values():
        for source, attribute in words.items():
            found.setdefault(source, set()).add(attribute)
    for reading in readings.values():
        for column in (*reading.columns, *reading.parameters):
            if column.source in units_said:
                found[column.source] = {f"{column.attribute}({units_said[column.source]})"}
    return {source: next(iter(meant)) for source, meant in found.items() if len(meant) == 1}


def load_mapping(path: Path) -> Mapping_:
    """The file of ``--map``: json, ``{"排口名": "name"}`` for all files or ``{"file or table": {"排口名": "name"}}``.

    ``"table"`` as a key of an inner object names the table.  Raises HydroError where the file is no such thing.
    """
    try:
        parsed = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as wrong:
        message = '列对应文件 {file} 读不出（{why}）。应为 JSON：{{"源列名": "属性名"}}'
        raise HydroError("map_broken", message, file=path.name, why=str(wrong)[:120]) from wrong
    if not isinstance(parsed, dict):
        raise HydroError("map_broken", '列对应文件 {file} 应为 JSON 对象：{{"源列名": "属性名"}}', file=path.name)
    columns: dict[str, dict[str, str]] = {"": {}}
    tables: dict[str, str] = {}
    for key, value in parsed.items():
        if isinstance(value, dict):
            inner = value.get("columns", value)
            columns[key] = {
                str(a): str(b) for a, b in inner.items() if isinstance(b, str) and a not in ("table", "columns")
            }
            if isinstance(value.get("table"), str):
                tables[key] = value["table"]
        elif value is None or isinstance(value, str):
            columns[""][str(key)] = value or ""
    return Mapping_(columns, tables)


@cache
def _words(table: str) -> dict[str, tuple[str, float]]:
    """Normalised header -> (attribute, confidence) of a table."""
    words: dict[str, tuple[str, float]] = {}
    for attribute in attributes(table).values():
        for word in attribute.synonyms:
            words.setdefault(normal(word), (attribute.name, 0.95))
    for attribute in attributes(table).values():
        words[normal(attribute.name)] = (attribute.name, 1.0)
    return words


@cache
def _rivers() -> frozenset[str]:
    return frozenset(map(normal, (RIVER, *attributes("reaches")[RIVER].synonyms)))


@cache
def _parameters() -> dict[str, str]:
    """Normalised name -> parameter of the observations."""
    known = attributes("observations")["parameter"].value_synonyms
    words = {normal(word): parameter for parameter, synonyms in known.items() for word in synonyms}
    return words | {normal(parameter): parameter for parameter in known}


def parameter_of(text: str) -> str:
    """The parameter a word means, blank if none."""
    return _parameters().get(normal(text), "")


@cache
def known(header: str) -> float:
    """How surely a cell is the name of some column of some table."""
    word = normal(header)
    if not word or units.is_number(header):
        return 0.0
    if place_of(header)[1] >= HELD or word in _parameters() or any(word in _words(table) for table in IMPORTED):
        return 1.0
    return (
        0.6
        if any(len(each) >= 2 and each in word for table in IMPORTED for each in _words(table)) and len(word) <= 14
        else 0.0
    )


def match(table: str, headers: Sequence[str], said: Mapping[str, str], *, dbf: bool = False) -> Reading:
    """The columns of a layer as attributes of a table; every attribute at most once, the surest first."""
    found: list[Match] = []
    parameters: list[Match] = []
    taken: set[str] = set()
    used: set[str] = set()
    own = set(attributes(table)) | set(COORDINATES) | ({RIVER} if GEOMETRY.get(table) == "point" else set())
    for source, target in said.items():
        pair = (source, target) if source in headers else (target, source) if target in headers else None
        if pair is None:
            continue
        used.add(pair[0])
        name, unit = units.split_header(pair[1])
        if name in own:
            found.append(Match(pair[0], name, 1.0, unit or units.split_header(pair[0])[1]))
            taken.add(name)
        elif table == "observations" and parameter_of(name):
            parameters.append(Match(pair[0], parameter_of(name), 1.0, unit or units.split_header(pair[0])[1]))
    scored = sorted(
        ((score, -i, header, name) for i, header in enumerate(headers) for name, score in _scores(table, header, dbf)),
        reverse=True,
    )
    for score, _, header, name in scored:
        if score >= ENOUGH and header not in used and name not in taken:
            used.add(header)
            taken.add(name)
            found.append(Match(header, name, score, units.split_header(header)[1]))
    if table == "observations":
        for header in headers:
            parameter = parameter_of(header)
            loose = [m for m in found if m.source == header and m.confidence < SURE]
            if parameter and (header not in used or loose):
                found = [m for m in found if m not in loose]
                parameters.append(Match(header, parameter, 0.95, units.split_header(header)[1]))
                used.add(header)
    unread = tuple(header for header in headers if header not in used)
    return Reading(table, tuple(found), tuple(parameters), unread)


def _scores(table: str, header: str, dbf: bool) -> list[tuple[str, float]]:
    word = normal(header)
    if not word:
        return []
    words = _words(table)
    if word in words:
        return [words[word]]
    place, sure = place_of(header)
    if sure >= NAMED:
        return [(place, sure)]
    if GEOMETRY.get(table) == "point" and word in _rivers():
        return [(RIVER, 0.95)]
    if normal(header) in {normal(w) for w in CLOCK}:
        return []
    if len(header) == 10:  # a shapefile cuts names after ten characters
        cut = [name for name in attributes(table) if name[:10] == header.lower()]
        if cut:
            return [(cut[0], SURE)]
    whole = GEOMETRY.get(table) in ("line", "polygon")  # 起点经度 is no place of a whole river
    scores = {place: sure} if place and not whole else {}
    for known_word, (name, _) in words.items():
        if len(known_word) < 2 or (known_word.isascii() and len(known_word) < 4):
            continue
        if known_word in word or (word in known_word and len(word) >= 2 and not word.isascii()):
            score = 0.5 + 0.4 * min(len(known_word), len(word)) / max(len(known_word), len(word))
        elif known_word.isascii() == word.isascii():
            most = 2 * min(len(known_word), len(word)) / (len(known_word) + len(word))  # what the ratio can be at best
            ratio = SequenceMatcher(None, known_word, word).ratio() if most >= 0.85 else 0.0
            score = 0.8 * ratio if ratio >= 0.85 else 0.0
        else:
            continue
        scores[name] = max(score, scores.get(name, 0.0))
    return list(scores.items())


def infer(name: str, headers: Sequence[str], shape: str, said: Mapping[str, str]) -> list[Reading]:
    """Readings of a layer as tables, best first; a name that is a table's own leaves no choice.

    ``shape`` is ``point``, ``line``, ``polygon`` or blank.
    """
    plainly = re.sub(r"（[点线面]）$", "", name).strip().lower()
    if plainly in IMPORTED:
        return [match(plainly, headers, said)]
    readings = []
    for table in IMPORTED:
        if shape and GEOMETRY.get(table, "") != shape:
            continue
        reading = match(table, headers, said)
        score = _fit(table, reading, headers, name, shape)
        readings.append(Reading(table, reading.columns, reading.parameters, reading.unread, score))
    return sorted((r for r in readings if r.confidence >= LEAST_FIT), key=lambda r: -r.confidence)


def _fit(table: str, reading: Reading, headers: Sequence[str], name: str, shape: str) -> float:
    """How well a layer fits a table: named so, its id and required columns there, its columns known."""
    own = attributes(table)
    matched = {m.attribute: m.confidence for m in reading.columns if m.attribute in own}
    placed = {m.attribute for m in reading.columns if m.attribute in COORDINATES}
    special = sum(c for m, c in matched.items() if _telling(table, m, reading.source(m) or ""))
    score = 0.5 * sum(matched.values()) / max(len(headers), 1) + 0.35 * special
    lowered = name.lower()
    if any(word in lowered for word in NAMES.get(table, (table,))):
        score += 1.0
    if shape == "line" and table == "reaches":
        score += 1.0
    if table == "observations":
        readable = "time" in matched and "station_id" in matched
        measured = bool(reading.parameters) or {"parameter", "value"} <= set(matched)
        return score + 1.2 + 0.1 * len(reading.parameters) if readable and measured else 0.0
    if table == "weather":
        return score + 0.6 if "time" in matched and {"rain_mm", "water_temp_c"} & set(matched) else 0.0
    if table in GEOMETRY and not shape and table not in ("reaches", "catchments", "districts"):
        score += 0.1 if placed or "reach_id" in matched else -0.3
    sure = [m for m, c in matched.items() if c >= SURE]
    if not shape and len(sure) < (2 if table in GEOMETRY else 3) and not (sure and score >= 1.0):
        return 0.0
    missing = [a.name for a in own.values() if a.required and a.name not in matched]
    return score - 0.15 * len(missing) if matched else 0.0


@cache
def _common() -> dict[str, int]:
    """How many tables know a word."""
    counts: dict[str, int] = {}
    for table in IMPORTED:
        for word in _words(table):
            counts[word] = counts.get(word, 0) + 1
    return counts


def _telling(table: str, attribute: str, source: str) -> bool:
    """Whether a column tells this table from others: its header is a word of no other table."""
    word = normal(source)
    return word in _words(table) and _common()[word] == 1


def saved(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """A mapping file of what was read, to be used again with ``--map``."""
    return {
        label: {
            "table": r.table,
            "columns": {m.source: m.attribute + (f"({m.unit})" if m.unit else "") for m in (*r.columns, *r.parameters)},
        }
        for label, r in readings.items()
    }
