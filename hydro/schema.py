"""The data dictionary, and the check of tables against it: every fault at once, each with what would be right.

The dictionary is data: one CSV a table in ``hydro/tables``.  Validation, import, templates, documents and tooltips all
read it from here.  ``allowed`` is a list ``a|b|c`` (``*`` at the end: others are possible, with a warning) or a range
``>0``, ``>=0``, ``0..1``; ``references`` names the table whose ids the column holds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.errors import Fault, Phrase
from hydro.stamps import TIME

KEYS: Mapping[str, tuple[str, ...]] = {
    "reaches": ("reach_id",),
    "boundaries": ("boundary_id",),
    "sections": ("section_id",),
    "outlets": ("outlet_id",),
    "plants": ("plant_id",),
    "gates": ("gate_id",),
    "catchments": ("id",),
    "districts": ("id",),
    "observations": ("station_kind", "station_id", "time", "parameter"),
    "weather": ("time", "place"),
    "plans": ("plan_id",),
    "decisions": ("plan_id", "outlet_id"),
    "measures": ("measure_id",),
    "tasks": ("task_id",),
    "targets": ("section_id", "since"),
    "section_moves": ("section_id", "since"),
    "compensation_rules": ("rule_id",),
    "goals": ("goal_id",),
    "registers": ("register_id",),
    "findings": ("time", "source_id"),
    "stories": ("month", "step"),
    "audit": ("audit_id",),
}
"""Every table of a project and the columns that identify a row of it."""

GEOMETRY: Mapping[str, str] = {
    "reaches": "line",
    "boundaries": "point",
    "sections": "point",
    "outlets": "point",
    "plants": "point",
    "gates": "point",
    "catchments": "polygon",
    "districts": "polygon",
}
"""What the rows of a spatial table are drawn as."""

STATIONS: Mapping[str, str] = {
    "section": "sections",
    "outlet": "outlets",
    "plant": "plants",
    "boundary": "boundaries",
    "gate": "gates",
}
"""``station_kind`` of an observation -> the table its ``station_id`` is found in."""

SHOWN = 50
"""At most so many rows are named for one kind of fault in one column; the count of the others is told."""


@dataclass(frozen=True)
class Attribute:
    """One column of one table, as the dictionary describes it."""

    table: str
    name: str
    type: str
    unit: str
    required: bool
    default: str
    choices: tuple[str, ...]
    open: bool
    low: float
    high: float
    above: bool
    references: str
    synonyms: tuple[str, ...]
    value_synonyms: Mapping[str, tuple[str, ...]]
    description_zh: str
    description_en: str

    @property
    def meaning(self) -> Phrase:
        """What the column means, in either language."""
        return Phrase.named(self.description_zh, en=self.description_en)

    @property
    def heading(self) -> Phrase:
        """What heads such a column in an office's table: the first Chinese word for it; in English its description, cut short."""
        word = next((word for word in self.synonyms if not word.isascii()), self.description_zh)
        return Phrase.named(word, en=re.split(r",|;| \(|:", self.description_en)[0])

    def word(self, *values: str) -> Phrase:
        """Values of the column as an office says them: the dictionary's first word for each; in English the values themselves."""
        words = (self.value_synonyms.get(value, (value,))[0] for value in values)
        return Phrase.named("、".join(words), en=", ".join(values))

    @property
    def right(self) -> str:
        """What would be right, as a phrase of the source language."""
        if self.choices:
            return self.word(*self.choices)
        if np.isfinite(self.high):
            return f"{self.low:g}～{self.high:g}"
        if np.isfinite(self.low):
            return Phrase("大于 {low:g}", low=self.low) if self.above else Phrase("不小于 {low:g}", low=self.low)
        return {
            "number": Phrase("数"),
            "integer": Phrase("整数"),
            "time": Phrase("时间，如 2022-07 或 2022-07-03T08:00"),
        }.get(self.type, Phrase("文字"))


def tables() -> tuple[str, ...]:
    """Names of all tables of a project."""
    return tuple(KEYS)


@cache
def attributes(table: str) -> Mapping[str, Attribute]:
    """The columns of a table by name, in the order of the dictionary. Raises KeyError for an unknown table."""
    if table not in KEYS:
        raise KeyError(table)
    lines = resources.files("hydro").joinpath("tables", f"{table}.csv").read_text(encoding="utf-8").splitlines()
    return {row["attribute"]: _attribute(table, row) for row in csv.DictReader(lines)}


def _attribute(table: str, row: Mapping[str, str]) -> Attribute:
    allowed = row["allowed"]
    span = re.fullmatch(r"(-?[\d.]+)\.\.(-?[\d.]+)", allowed)
    least = re.fullmatch(r"(>=?)(-?[\d.]+)", allowed)
    choices = () if span or least or not allowed else tuple(allowed.split("|"))
    return Attribute(
        table=table,
        name=row["attribute"],
        type=row["type"],
        unit=row["unit"],
        required=row["required"] == "1",
        default=row["default"],
        choices=tuple(choice for choice in choices if choice != "*"),
        open="*" in choices,
        low=float(span[1]) if span else float(least[2]) if least else -np.inf,
        high=float(span[2]) if span else np.inf,
        above=bool(least and least[1] == ">"),
        references=row["references"],
        synonyms=tuple(filter(None, row["synonyms"].split("|"))),
        value_synonyms=_value_synonyms(row["value_synonyms"]),
        description_zh=row["description_zh"],
        description_en=row["description_en"],
    )


def _value_synonyms(entry: str) -> Mapping[str, tuple[str, ...]]:
    pairs = (part.split(":", 1) for part in entry.split("|") if part)
    return {value: tuple(words.split(",")) for value, words in pairs}


def empty(table: str) -> pd.DataFrame:
    """A table with all its columns and no rows."""
    kinds = {"number": "float64", "integer": "Int64"}
    return pd.DataFrame({a.name: pd.Series(dtype=kinds.get(a.type, "object")) for a in attributes(table).values()})


def check_tables(given: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Every fault of a project's tables against the dictionary, and of the references between them."""
    faults = [fault for table in KEYS if table in given for fault in check_table(table, given[table])]
    return faults + list(_dangling_references(given))


Names = Callable[[], "pd.Series[str]"]
"""What the rows of a table are called in messages; asked for only where there is one."""


def check_table(table: str, rows: pd.DataFrame, *, shown: int = SHOWN) -> list[Fault]:
    """Every fault of one table by itself: missing columns, blanks, types, ranges, choices, ids given twice.

    Of equal faults of a column at most ``shown`` are named, the rest counted.
    """
    if rows.empty:
        return []
    faults: list[Fault] = []
    names = cache(lambda: row_names(table, rows))  # only a fault needs them
    for attribute in attributes(table).values():
        if attribute.name in rows:
            faults += _check_column(rows, names, attribute, shown)
        elif attribute.required:
            message = "{table} 表缺少必填列 {column}（{meaning}）。请补上该列"
            params = {"table": table, "column": attribute.name, "meaning": attribute.meaning}
            faults.append(Fault("column_missing", message, params, table, "", attribute.name))
    return faults + list(_double_keys(table, rows, names, shown))


def row_names(table: str, rows: pd.DataFrame) -> pd.Series[str]:
    """How a row is called in a message: its id (parts joined by ``/``), or its number where it has none."""
    parts = [text(rows, column) for column in KEYS[table]]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "/" + part
    numbered = pd.Series([f"第{i}行" for i in range(1, len(rows) + 1)], index=rows.index, dtype=object)
    return joined.where(joined.str.strip("/") != "", numbered)


def _check_column(rows: pd.DataFrame, names: Names, attribute: Attribute, shown: int) -> Iterator[Fault]:
    written = text(rows, attribute.name)
    distinct = pd.Series(written.unique(), dtype=object)
    blank = written.isin(distinct[distinct.str.lower().isin(("", "nan", "nat", "none", "<na>"))])
    if attribute.required:
        message = "{table} 表 {row} 的 {column} 空白，必须填写（{meaning}）"
        yield from _say("blank", message, blank, written, names, attribute, shown)
    if attribute.type in ("number", "integer"):
        yield from _check_numbers(number(rows, attribute.name), written, blank, names, attribute, shown)
    elif attribute.type == "time":
        wrong = ~blank & ~written.isin(distinct[distinct.str.fullmatch(TIME)])
        yield from _say("not_a_time", WRONG, wrong, written, names, attribute, shown)
    elif attribute.choices:
        wrong = ~blank & ~written.isin(attribute.choices)
        yield from _say("not_allowed", WRONG, wrong, written, names, attribute, shown, warning=attribute.open)


WRONG = "{table} 表 {row} 的 {column} 为“{value}”，应为：{right}"


def _check_numbers(
    values: pd.Series[float],
    written: pd.Series[str],
    blank: pd.Series[bool],
    names: Names,
    attribute: Attribute,
    shown: int,
) -> Iterator[Fault]:
    unreadable = ~blank & (values.isna() | values.isin((np.inf, -np.inf)))
    yield from _say("not_a_number", WRONG, unreadable, written, names, attribute, shown)
    low = (values <= attribute.low) if attribute.above else (values < attribute.low)
    outside = ~unreadable & (low | (values > attribute.high))
    if attribute.type == "integer":
        outside |= ~unreadable & (values % 1 != 0) & values.notna()
        if attribute.choices:
            outside |= ~unreadable & values.notna() & ~values.isin([float(choice) for choice in attribute.choices])
    yield from _say("out_of_range", WRONG, outside, written, names, attribute, shown)


def _say(
    code: str,
    message: str,
    wrong: pd.Series[bool],
    written: pd.Series[str],
    names: Names,
    attribute: Attribute,
    shown: int,
    *,
    warning: bool = False,
) -> Iterator[Fault]:
    where = np.flatnonzero(wrong.to_numpy(bool))
    common = {"table": attribute.table, "column": attribute.name}
    for i in where[:shown]:
        row = str(names().iloc[i])
        params = {
            **common,
            "row": row,
            "value": str(written.iloc[i]),
            "right": attribute.right,
            "meaning": attribute.meaning,
        }
        yield Fault(code, message, params, attribute.table, row, attribute.name, warning)
    if len(where) > shown:
        rest: dict[str, object] = {**common, "count": len(where) - shown, "right": attribute.right}
        message = "{table} 表的 {column} 还有 {count} 行有同样的问题，应为：{right}"
        yield Fault(code, message, rest, attribute.table, "", attribute.name, warning)


def _double_keys(table: str, rows: pd.DataFrame, names: Names, shown: int) -> Iterator[Fault]:
    keys = pd.DataFrame({column: text(rows, column) for column in KEYS[table]})
    known = (keys != "").any(axis=1)
    twice = keys.duplicated(keep="first") & known
    message = "{table} 表的 {row} 出现不止一次。请给每行唯一的 {column}，或删去多余的行"
    where = np.flatnonzero(twice.to_numpy(bool))
    for i in where[:shown]:
        row = str(names().iloc[i])
        column = "、".join(KEYS[table])
        yield Fault("id_twice", message, {"table": table, "row": row, "column": column}, table, row, KEYS[table][0])
    if len(where) > shown:
        message = "{table} 表还有 {count} 行的编号重复"
        yield Fault("id_twice", message, {"table": table, "count": len(where) - shown}, table, "", KEYS[table][0])


def _dangling_references(given: Mapping[str, pd.DataFrame]) -> Iterator[Fault]:
    known = {table: set(text(given[table], keys[0])) for table, keys in KEYS.items() if table in given}
    if "reaches" in given:
        known["nodes"] = set(text(given["reaches"], "from_node")) | set(text(given["reaches"], "to_node"))
    for table in (name for name in KEYS if name in given and not given[name].empty):
        for attribute in attributes(table).values():
            if attribute.references and attribute.name in given[table]:
                yield from _check_reference(given[table], attribute, known.get(attribute.references, set()))
    if "observations" in given:
        yield from _unknown_stations(given["observations"], known)
        yield from _backflow(given["observations"])


def _check_reference(rows: pd.DataFrame, attribute: Attribute, known: set[str]) -> Iterator[Fault]:
    written = text(rows, attribute.name)
    wrong = (written != "") & ~written.isin(known)
    message = "{table} 表 {row} 的 {column} 为“{value}”，{target} 表里没有它。请改正，或先导入 {target} 表"
    for i in np.flatnonzero(wrong.to_numpy(bool))[:SHOWN]:
        row = str(row_names(attribute.table, rows.iloc[[i]]).iloc[0])
        params = {
            "table": attribute.table,
            "row": row,
            "column": attribute.name,
            "value": str(written.iloc[i]),
            "target": attribute.references,
        }
        yield Fault("reference_unknown", message, params, attribute.table, row, attribute.name)


def _unknown_stations(observations: pd.DataFrame, known: Mapping[str, set[str]]) -> Iterator[Fault]:
    """A warning a station: what was measured somewhere unknown is kept, and takes no part in any answer."""
    if observations.empty:
        return
    pairs = pd.DataFrame({"kind": text(observations, "station_kind"), "id": text(observations, "station_id")})
    counts = pairs.value_counts(sort=False)
    message = "{count} 条监测数据的测点“{station}”（{kind}）不在 {target} 表里，不参与计算。请补上该测点或改正编号"
    for kind, station in counts.index:
        table = STATIONS.get(kind or "section", "")
        if table and station not in known.get(table, set()):
            word = attributes("observations")["station_kind"].word(kind or "section")
            params = {"count": int(counts[kind, station]), "station": station, "kind": word, "target": table}
            yield Fault("station_unknown", message, params, "observations", station, "station_id", warning=True)


def _backflow(observations: pd.DataFrame) -> Iterator[Fault]:
    """A warning a station whose discharge was below zero: backflow happens on a plain, and so do slips of the pen."""
    if observations.empty:
        return
    value = number(observations, "value")
    below = observations[(value < 0) & (text(observations, "parameter") == "discharge")]
    message = "测点“{station}”有 {count} 条流量为负（最低 {least:g} m³/s），当作倒流：断面的不用来推算水量，来源的按 0 计。请核对"
    for station, own in value[below.index].groupby(text(below, "station_id")):
        params = {"station": str(station), "count": len(own), "least": float(own.min())}
        yield Fault("backflow", message, params, "observations", str(station), "value", warning=True)
