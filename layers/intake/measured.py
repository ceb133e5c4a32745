"""Measurements one a row, whether a file has a column a parameter or a row a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers import units
from layers.columns import Match, Reading, parameter_of
from layers.formats.sources import Layer
from layers.headers import normal
from layers.intake import values
from layers.intake.cells import list_mended, text
from layers.intake.doubts import MOST_MG_L, ask_concentration
from layers.part import Part
from layers.report import Proposal, Report


def measured(
    part: Part,
    frame: pd.DataFrame,
    reading: Reading,
    layer: Layer,
    report: Report,
    said_units: Mapping[str, str],
    bad: NDArray[np.bool_],
) -> Part:
    """Observations one a row, whether the source has a column a parameter or a row a value."""
    station = reading.source("station_id") or ""
    part.station_words = normal(station)
    pieces = []
    if reading.source("value") and reading.source("parameter"):
        pieces.append(_long(part.frame[~bad], reading, layer, report, said_units))
    for match in reading.parameters:
        unit = said_units.get(match.source) or match.unit or layer.units.get(match.source, "")
        pieces.append(
            _wide(part.frame[~bad], frame[match.source][~bad], match, unit, layer, report, match.source in said_units)
        )
    part.frame = pd.concat(pieces) if pieces else part.frame[~bad]
    part.shapes, part.xy, part.coordinates = None, None, ""
    return part


def _long(
    rows: pd.DataFrame, reading: Reading, layer: Layer, report: Report, said_units: Mapping[str, str]
) -> pd.DataFrame:
    rows = rows.copy()
    written = rows["parameter"].astype(str)
    meant = {word: parameter_of(word) or word for word in written.unique()}
    rows["parameter"] = written.map(meant)
    source = reading.source("value") or ""
    header = said_units.get(source) or next((m.unit for m in reading.columns if m.attribute == "value"), "")
    unit = rows["unit"].astype(str) if "unit" in rows else pd.Series("", index=rows.index, dtype=object)
    unit = unit.where((unit != "") & (source not in said_units), header)
    given = rows["qualifier"].astype(str) if "qualifier" in rows else pd.Series("", index=rows.index, dtype=object)
    value, qualifier = np.full(len(rows), np.nan), given.to_numpy(object).copy()
    wrong = np.zeros(len(rows), bool)
    kept_unit = np.full(len(rows), "", dtype=object)
    cells = rows["value"].to_numpy(object)
    groups: Any = rows.groupby([rows["parameter"], unit], sort=False).indices
    for (parameter, each), where in groups.items():
        target = units.PARAMETER_UNIT.get(str(parameter), "mg/L")
        known = not each or units.factor(str(each), target) is not None
        read = values.numbers(pd.Series(cells[where], dtype=object), target, str(each) if known else "")
        value[where], wrong[where] = read.value, read.wrong
        kept_unit[where] = target if known else str(each)
        qualifier[where] = np.where(read.qualifier != "", read.qualifier, qualifier[where])
        list_mended(
            layer,
            "observations",
            rows.index[where[read.mended]],
            rows["value"],
            Match(source, "value", 1),
            report,
            "{:g}".format,
            read.value[read.mended],
        ) if rows.index.is_unique else None
        if not known and parameter in (*MOST_MG_L, *units.PARAMETER_UNIT):
            report.warn(
                "unit_unknown",
                "{file}：{parameter} 的单位“{unit}”未识别，按原值保存",
                file=layer.label,
                parameter=str(parameter),
                unit=str(each),
            )
        if source not in said_units and known:
            ask_concentration(read.value, str(parameter), source, str(each), layer, report)
    _refuse_cells(rows, wrong, cells, source, layer, report)
    rows["value"], rows["qualifier"], rows["unit"] = value, qualifier, kept_unit
    return rows[~wrong]


def _refuse_cells(rows: pd.DataFrame, wrong: Any, cells: Any, source: str, layer: Layer, report: Report) -> None:
    for i in np.flatnonzero(wrong).tolist():
        message = "{file} 的 {column} 为“{cell}”，应为：数、<检出限、未检出"
        identity = str(rows["station_id"].iloc[i]) if "station_id" in rows else ""
        params = {"file": layer.label, "column": source, "cell": str(cells[i])[:60]}
        report.refuse("observations", int(rows.index[i]), identity, message, **params)


def _wide(
    rows: pd.DataFrame, column: pd.Series[Any], match: Match, unit: str, layer: Layer, report: Report, said: bool
) -> pd.DataFrame:
    target = units.PARAMETER_UNIT.get(match.attribute, "mg/L")
    if unit and units.factor(unit, target) is None:
        message = "{file}：列“{column}”的单位“{unit}”不能换算为 {target}"
        proposal = Proposal(f"--unit {match.source}={target}", "按 {unit} 读取", {"unit": target})
        report.ask(layer.label, message, [proposal], file=layer.label, column=match.source, unit=unit, target=target)
        unit = ""
    cells = text(column)
    read = values.numbers(cells, target, unit)
    if not said:
        ask_concentration(read.value, match.attribute, match.source, unit, layer, report)
    _refuse_cells(rows, read.wrong, cells.to_numpy(object), match.source, layer, report)
    list_mended(
        layer, "observations", rows.index[read.mended], cells, match, report, "{:g}".format, read.value[read.mended]
    )
    found = rows.drop(columns=["value", "qualifier", "unit"], errors="ignore").assign(
        parameter=match.attribute, value=read.value, qualifier=read.qualifier, unit=target
    )
    kept: pd.DataFrame = found[~read.wrong & (~np.isnan(read.value) | (read.qualifier != ""))]
    return kept
