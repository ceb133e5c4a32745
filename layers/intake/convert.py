"""A raw layer and its reading to rows of the data dictionary: cells become values, and every doubt is reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.errors import Phrase
from hydro.schema import Attribute, attributes
from layers import units
from layers.columns import CLOCK, SURE, Match, Reading
from layers.formats import sheets
from layers.formats.sources import Layer
from layers.headers import COORDINATES, called, normal
from layers.intake import values
from layers.intake.cells import list_mended, refuse_wrong, text
from layers.intake.coordinates import places
from layers.intake.doubts import ask_magnitude
from layers.intake.measured import measured
from layers.part import Part
from layers.report import Proposal, Report


def convert(layer: Layer, reading: Reading, report: Report, said_units: Mapping[str, str], date_order: str) -> Part:
    """The layer as rows of its table; what a cell could not be read as is refused by row, with what would be right."""
    table = reading.table
    frame = layer.frame
    if not len(frame):
        return Part(table, layer, pd.DataFrame(index=frame.index))
    if layer.geometry is None:
        frame = _without_summaries(layer, frame, table, report)
    _tell(layer, reading, report)
    rows = pd.DataFrame(index=frame.index)
    part = Part(table, layer, rows)
    bad = np.zeros(len(frame), bool)
    for match in reading.columns:
        if match.attribute in COORDINATES:
            continue
        if match.attribute not in attributes(table):  # the river's name in a table that does not keep it
            part.rivers = text(frame[match.source])
            continue
        attribute = attributes(table)[match.attribute]
        unit = said_units.get(match.source) or match.unit or layer.units.get(match.source, "")
        column = frame[match.source]
        if attribute.type == "time":
            rows[match.attribute], wrong = _times(frame, match, reading, layer, report, date_order)
        elif table == "observations" and attribute.name == "value":
            rows["value"] = text(column)
            continue
        elif attribute.type == "number" or (attribute.type == "integer" and not attribute.choices):
            rows[match.attribute], wrong = _numbers(column, attribute, unit, layer, report)
            if match.source not in said_units:
                ask_magnitude(rows[match.attribute], match, attribute, unit, layer, report)
        elif attribute.choices:
            said, wrong, mended = values.words(text(column), attribute)
            rows[match.attribute] = _flag(said) if attribute.type == "integer" else said
            list_mended(layer, table, frame.index[mended & ~wrong], column, match, report, str)
        else:
            rows[match.attribute] = text(column).map(values.clean) if column.dtype == object else text(column)
            continue
        bad |= refuse_wrong(layer, reading, frame, match, attribute, wrong, report)
    places(part, frame, reading, layer, report)
    if table == "observations":
        part = measured(part, frame, reading, layer, report, said_units, bad)
        return part
    return _keep(part, ~bad)


def _keep(part: Part, keep: NDArray[np.bool_]) -> Part:
    part.frame = part.frame[keep]
    part.shapes = None if part.shapes is None else part.shapes[keep]
    part.xy = None if part.xy is None else part.xy[keep]
    return part


def _without_summaries(layer: Layer, frame: pd.DataFrame, table: str, report: Report) -> pd.DataFrame:
    """The frame without rows that sum up or explain; each is listed."""
    if len(frame) > 200_000:
        return frame
    summing = sheets.summary_rows(frame)
    for row in frame.index[summing.to_numpy(bool)]:
        told = "、".join(cell for cell in frame.loc[row].astype(str) if cell)[:60]
        report.mend(
            table, int(row), "", "{file} 的汇总或说明行，不是数据，未导入：{cells}", file=layer.label, cells=told
        )
    return frame[~summing.to_numpy(bool)]


def _tell(layer: Layer, reading: Reading, report: Report) -> None:
    unsure = [m for m in reading.columns if m.confidence < SURE]
    if unsure:
        read = [(m.source, called(reading.table, m.attribute), f"{m.confidence:.0%}") for m in unsure]
        pairs = Phrase.named(
            "、".join(f"{source}→{word}（{sure}）" for source, word, sure in read),
            en=", ".join(f"{source} → {word.said.get('en', word)} ({sure})" for source, word, sure in read),
        )
        message = "{file}：这些列按相近的名称读取：{pairs}。如有不对，请用 --map 指定"
        report.warn("unsure_columns", message, table=reading.table, file=layer.label, pairs=pairs)
    unread = [name for name in reading.unread if normal(name) not in {normal(word) for word in CLOCK}]
    if unread:
        message = "{file}：这些列没有对应的属性，未读取：{columns}。如需读取，请用 --map 指定"
        report.warn(
            "unread_columns", message, table=reading.table, file=layer.label, columns="、".join(map(str, unread))
        )


def _times(
    frame: pd.DataFrame, match: Match, reading: Reading, layer: Layer, report: Report, order: str
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    header = normal(match.source) + match.source.lower()
    order = order or ("dmy" if "dd/mm" in header else "mdy" if "mm/dd" in header else "")
    stamped = text(frame[match.source])
    clock = [name for name in reading.unread if any(normal(name).startswith(normal(word)) for word in CLOCK)]
    if clock:
        of_day = text(frame[clock[0]])
        stamped = stamped.where(of_day == "", stamped + " " + of_day).astype(object)
    read = values.times(stamped, order)
    if read.ambiguous:
        example = next(cell for cell in stamped if values.SLASHED.match(values.clean(cell)))
        report.ask(
            layer.label,
            "列“{column}”的日期如 {example}，日与月无法分辨",
            [
                Proposal("--dates dmy", "先日后月"),
                Proposal("--dates mdy", "先月后日"),
            ],
            column=match.source,
            example=example,
        )
        return read.iso, np.zeros(len(frame), bool)
    zoned = np.flatnonzero(stamped.str.strip().str.fullmatch(values.ZONED).to_numpy(bool) & ~read.wrong)
    if len(zoned):
        report.warn(
            "zoned", "{file}：列“{column}”有 {count} 个时刻带时区，已换算为北京时间，如 {example} 记为 {local}",
            table=reading.table, file=layer.label, column=match.source, count=len(zoned),
            example=str(stamped.iloc[zoned[0]]), local=str(read.iso[zoned[0]]),
        )  # fmt: skip
    return read.iso, read.wrong


def _numbers(
    column: pd.Series[Any], attribute: Attribute, unit: str, layer: Layer, report: Report
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if unit and units.factor(unit, attribute.unit) is None:
        message = "{file}：列“{column}”的单位“{unit}”不能换算为 {target}"
        proposal = Proposal(f"--unit {column.name}={attribute.unit}", "按 {unit} 读取", {"unit": attribute.unit})
        report.ask(
            layer.label, message, [proposal], file=layer.label, column=column.name, unit=unit, target=attribute.unit
        )
        unit = ""
    if pd.api.types.is_numeric_dtype(column):
        found = column.to_numpy(np.float64, na_value=np.nan) * (
            units.factor(unit, attribute.unit) or 1.0 if unit else 1.0
        )
        return found, np.isinf(found)
    read = values.numbers(text(column), attribute.unit, unit)
    list_mended(
        layer,
        attribute.table,
        column.index[read.mended],
        column,
        Match(str(column.name), attribute.name, 1),
        report,
        "{:g}".format,
        read.value[read.mended],
    )
    return read.value, read.wrong | ((read.qualifier != "") & np.isnan(read.value) & (read.qualifier != "gap"))


def _flag(said: NDArray[np.object_]) -> pd.array:  # type: ignore[valid-type]
    return pd.array(pd.to_numeric(pd.Series(said), errors="coerce").to_numpy(), dtype="Float64").astype("Int64")
