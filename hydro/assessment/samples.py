"""The class of every row of a table of samples, with the deciding parameter and every doubt.

Single factor: the worst item decides (环办[2011]22号).  A doubt never changes a result in silence; what a row cannot
tell (no kind of water, an unreadable cell) is said beside the class it leads to.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hydro.assessment.cells import Cell, doubt, read_value
from hydro.assessment.occasions import occasion_doubts
from hydro.assessment.quality import main_pollutants
from hydro.assessment.standards import CLASSES, Ranks, Standard
from hydro.errors import Fault, FaultsError

# fmt: off
WATERBODY_COLUMNS = frozenset([
    "waterbody", "watertype", "waterbodytype", "typeofwater", "type", "kind", "body", "water", "水体", "水体类型",
    "水体类别", "水域类型", "水域", "水体性质", "类型", "河湖类型", "河湖", "河流湖库", "断面类型", "点位类型", "湖库",
    "河流或湖库",
])
RIVER = frozenset([
    "river", "rivers", "stream", "canal", "creek", "channel", "r", "河", "河流", "江", "江河", "溪", "渠", "渠道",
    "运河", "沟", "干渠", "河道", "河渠", "江河渠", "河流型",
])
LAKE = frozenset([
    "lake", "lakes", "reservoir", "reservoirs", "pond", "lakereservoir", "lakeorreservoir", "lakesandreservoirs", "l",
    "湖", "湖泊", "水库", "库", "湖库", "塘", "湖泊水库", "湖泊型", "水库型", "湖库型", "湖或库", "湖泊或水库",
])
# fmt: on


def classify(table: pd.DataFrame, *, standard: Standard, today: str = "") -> pd.DataFrame:
    """Judge each row of ``table`` (any column names the standard knows, in any order) by ``standard``.

    Returns one row per row, index kept: ``class`` (I … V, ``>V``, ``NA``), ``deciding`` (parameters of the worst
    class, largest exceedance first, joined by ``;``), ``pollutants`` (tuple of (parameter, multiple of the class III
    limit)), ``doubts`` (tuple of :class:`Fault`) and ``edition``.

    Where the kind of water is not told, the class is that of a river, and the doubt says what a lake would be.  Two rows
    of one section and time are both judged and told of each other; a date after ``today`` (blank: no clock) is told.

    Raises :class:`FaultsError` where no column names a parameter, or two name the same one.
    """
    columns, waterbody_column = _columns(table, standard)
    bodies = [_waterbody(cell) for cell in table[waterbody_column]] if waterbody_column is not None else None
    kinds = np.array([kind for kind, _ in bodies]) if bodies else np.full(len(table), "", dtype="<U5")
    readings = {
        name: [read_value(cell, standard.parameters[name], factor=factor) for cell in table[column].tolist()]
        for name, (column, factor) in columns.items()
    }
    ranks = {body: _ranks(readings, body, standard) for body in ("river", "lake")}
    judged = [name for name in readings if standard.parameters[name].item]
    occasions = occasion_doubts(table, today=today)
    rows = []
    for i in range(len(table)):
        here = "lake" if kinds[i] == "lake" else "river"
        row = {name: int(ranks[here][name][i]) for name in judged}
        values = {name: readings[name][i].value for name in judged if row[name] >= 0}
        worst = max(row.values(), default=-1)
        doubts = list(bodies[i][1]) if bodies else []
        if not kinds[i]:
            doubts += _undecided(i, worst, ranks, judged, told=bool(doubts))
        for name in readings:
            doubts += readings[name][i].doubts
            doubts += _on_the_edge(name, readings[name][i], here, standard)
        doubts += occasions[i]
        if worst < 0:
            doubts.append(doubt("nothing_to_judge", "没有可评价的数据"))
        rows.append(
            {
                "class": CLASSES[worst] if worst >= 0 else "NA",
                "deciding": ";".join(_deciding(row, values, worst, here, standard)),
                "pollutants": main_pollutants(values, here, standard=standard),
                "doubts": tuple(doubts),
                "edition": standard.edition,
            }
        )
    names = ["class", "deciding", "pollutants", "doubts", "edition"]
    return pd.DataFrame(rows, index=table.index, columns=names)


def _columns(table: pd.DataFrame, standard: Standard) -> tuple[dict[str, tuple[object, float]], object | None]:
    found: dict[str, tuple[object, float]] = {}
    faults, waterbody = [], None
    for position, column in enumerate(table.columns):
        header = unicodedata.normalize("NFKC", str(column)).lower()
        keys = {re.sub(r"\W|_", "", text) for text in (header, re.sub(r"\([^)]*\)|\[[^\]]*\]", "", header))}
        if keys & WATERBODY_COLUMNS:
            waterbody = column if waterbody is None else waterbody
            continue
        named = standard.column(column)
        if named is None:
            continue
        name, factor = named
        if name in found:
            params = {"first": str(found[name][0]), "second": str(column), "parameter": name}
            message = "列「{first}」与「{second}」都是 {parameter}，请只留一列"
            faults.append(Fault("two_columns", message, params, row=str(position), column=str(column)))
        else:
            found[name] = (column, factor)
    if not found:
        message = "没有认出任何水质参数列，列名应如 tp、nh3n、codmn、do、ph 或 总磷、氨氮；现有列：{columns}"
        faults.append(Fault("no_parameter", message, {"columns": "、".join(map(str, table.columns)) or "（无）"}))
    if faults:
        raise FaultsError(faults)
    return found, waterbody


def _ranks(readings: dict[str, list[Cell]], body: str, standard: Standard) -> dict[str, Ranks]:
    found = {}
    for name, column in readings.items():
        step = 10.0 ** -standard.parameters[name].decimals
        values = [one.value + step if one.above else one.value for one in column]
        found[name] = standard.rank(name, np.array(values, dtype=float), body)
    return found


def _deciding(
    row: dict[str, int], values: dict[str, float], worst: int, body: str, standard: Standard
) -> Sequence[str]:
    """The parameters of the worst class, the one furthest over its class III limit first."""
    names = [name for name, rank in row.items() if rank == worst >= 0]
    limits = {name: standard.limit(name, "III", body) for name in names}
    return sorted(names, key=lambda name: -values[name] / limits[name] if standard.parameters[name].multiple else 0.0)


def _waterbody(cell: Any) -> tuple[str, tuple[Fault, ...]]:
    raw = "" if pd.isna(cell) else str(cell).strip()
    key = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", raw).lower())
    if key in RIVER or key in LAKE:
        return ("river" if key in RIVER else "lake"), ()
    if not key or key in {"nan", "none", "null", "na", "无", "不详", "未知", "unknown"}:
        return "", ()
    for ending, kind in (("河", "river"), ("江", "river"), ("渠", "river"), ("水库", "lake"), ("湖", "lake")):
        if key.endswith(ending):
            word = {"river": "河流", "lake": "湖库"}[kind]
            return kind, (
                doubt("waterbody_by_name", "水体类型「{raw}」按名称作{word}评价，请核对", raw=raw, word=word),
            )
    return "", (doubt("waterbody_unknown", "无法识别水体类型「{raw}」", raw=raw),)


def _undecided(i: int, worst: int, ranks: dict[str, dict[str, Ranks]], judged: list[str], *, told: bool) -> list[Fault]:
    found = [] if told else [doubt("waterbody_blank", "水体类型空白")]
    lake = max((int(ranks["lake"][name][i]) for name in judged), default=-1)
    if worst < 0:
        return found
    if lake == worst:
        return [*found, doubt("same_either_way", "按河流或湖库评价结果相同")]
    params = {"river": CLASSES[worst], "lake": CLASSES[lake]}
    return [*found, doubt("river_assumed", "暂按河流评价为 {river}；若为湖库则为 {lake}，请补填", **params)]


def _on_the_edge(name: str, reading: Cell, body: str, standard: Standard) -> list[Fault]:
    """Doubts about the class itself: rounding decided it, or the detection limit is too coarse to tell."""
    found: list[Fault] = []
    limits = standard.limits_of(name, body)
    if not limits or not reading.usable:
        return found
    raw = np.array(reading.value)
    exact = max(int(one.rank(raw)) for one in limits)
    rounded = int(standard.rank(name, raw, body))
    if exact != rounded and not reading.above:
        params = {"parameter": name, "raw": reading.raw.strip(), "exact": CLASSES[exact], "rounded": CLASSES[rounded]}
        found.append(doubt("rounded", "{parameter}：{raw} 修约后为 {rounded}，不修约为 {exact}", **params))
    if not np.isnan(reading.limit):
        limit = int(standard.rank(name, np.array(reading.limit), body))
        if limit > rounded:
            message = "{parameter}：{raw} 的检出限偏高，实际可能差至 {limit}"
            found.append(doubt("coarse_limit", message, parameter=name, raw=reading.raw.strip(), limit=CLASSES[limit]))
    return found
