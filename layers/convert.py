"""A raw layer and its reading to rows of the data dictionary: cells become values, and every doubt is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.schema import KEYS, Attribute, attributes
from layers import sheets, units, values
from layers.columns import CLOCK, COORDINATES, SURE, Match, Reading, normal, parameter_of
from layers.report import Proposal, Report
from layers.sources import Layer

MOST_MG_L: Mapping[str, float] = {"TP": 20.0, "NH3N": 500.0, "COD": 5000.0, "CODMn": 500.0, "DO": 30.0, "TN": 500.0}
"""A concentration above this is more likely in another unit than real; it is asked, never converted."""

LEAST_PLANT_M3_D = 200.0
"""A plant's capacity below this in a column without a unit is more likely in 万吨/日."""


@dataclass
class Part:
    """Rows of one table out of one layer; the index is the row in the source.

    ``place`` holds the raw coordinates: shapes, or columns x and y; ``coordinates`` says of what kind they are
    (``shape``, ``lonlat``, ``xy`` or blank).
    """

    table: str
    layer: Layer
    frame: pd.DataFrame
    coordinates: str = ""
    shapes: NDArray[np.object_] | None = None
    xy: NDArray[np.float64] | None = None
    station_words: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def text(column: pd.Series[Any]) -> pd.Series[str]:
    """A column as text; missing cells blank, whole floats without ``.0``, times in ISO 8601."""
    if pd.api.types.is_datetime64_any_dtype(column):
        stamped = column.dt.strftime("%Y-%m-%dT%H:%M:%S").str.replace(r"T00:00:00$", "", regex=True)
        dates: pd.Series[str] = stamped.fillna("").astype(object)
        return dates
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna()
        if len(whole) and bool((whole % 1 == 0).all()) and bool((whole.abs() < 1e15).all()):
            column = column.astype("Int64")
    as_text = column.astype(object)
    return as_text.where(as_text.notna(), "").astype(str).str.strip().astype(object)


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
                _ask_magnitude(rows[match.attribute], match, attribute, unit, layer, report)
        elif attribute.choices:
            said, wrong, mended = values.words(text(column), attribute)
            rows[match.attribute] = _flag(said) if attribute.type == "integer" else said
            _mended(layer, table, frame.index[mended & ~wrong], column, match, report, str)
        else:
            rows[match.attribute] = text(column).map(values.clean) if column.dtype == object else text(column)
            continue
        bad |= _refused(layer, reading, frame, match, attribute, wrong, report)
    _places(part, frame, reading, layer, report)
    if table == "observations":
        part = _measured(part, frame, reading, layer, report, said_units, bad)
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
        pairs = "、".join(f"{m.source}→{m.attribute}（{m.confidence:.0%}）" for m in unsure)
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
    _mended(
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


def _mended(
    layer: Layer,
    table: str,
    rows: Any,
    column: pd.Series[Any],
    match: Match,
    report: Report,
    shown: Any,
    read: Any = None,
) -> None:
    """List cells whose spelling was understood although it is not the dictionary's, unless it only is another word."""
    if read is None:
        return
    for row, value in zip(rows, read, strict=True):
        message = "{column} 写作“{cell}”，读作 {value}"
        report.mend(table, int(row), "", message, column=match.source, cell=str(column.loc[row]), value=shown(value))


def _flag(said: NDArray[np.object_]) -> pd.array:  # type: ignore[valid-type]
    return pd.array(pd.to_numeric(pd.Series(said), errors="coerce").to_numpy(), dtype="Float64").astype("Int64")


def _refused(
    layer: Layer, reading: Reading, frame: pd.DataFrame, match: Match, attribute: Attribute, wrong: Any, report: Report
) -> NDArray[np.bool_]:
    wrong = np.asarray(wrong, bool)
    key = reading.source(KEYS[reading.table][0])
    for i in np.flatnonzero(wrong).tolist():
        row = frame.index[i]
        report.refuse(
            reading.table,
            int(row),
            str(frame[key].iloc[i]) if key else "",
            "{file} 的 {column} 为“{cell}”，应为：{right}",
            file=layer.label,
            column=match.source,
            cell=str(frame[match.source].iloc[i])[:60],
            right=attribute.right,
        )
    return np.asarray(wrong, np.bool_)


def _ask_magnitude(
    column: pd.Series[float], match: Match, attribute: Attribute, unit: str, layer: Layer, report: Report
) -> None:
    if attribute.unit == "mg/L" and "tp" in attribute.name:
        _ask_concentration(np.asarray(column, np.float64), "TP", match.source, unit, layer, report)
    capacity = attribute.name in ("design_discharge_m3_d", "actual_discharge_m3_d") and not unit
    if capacity and match.source.lower() != attribute.name:
        most = float(np.nanmax(column)) if column.notna().any() else np.nan
        if 0 < most < LEAST_PLANT_M3_D:
            report.ask(
                layer.label,
                "列“{column}”没有写单位，最大值只有 {value:g}：是 m3/d 吗？",
                [
                    Proposal(f"--unit {match.source}=万吨/日", "按万吨/日，最大 {most:g} m3/d", {"most": most * 1e4}),
                    Proposal(f"--unit {match.source}=m3/d", "按 m3/d，最大 {most:g} m3/d", {"most": most}),
                ],
                column=match.source,
                value=most,
            )


def _ask_concentration(
    found: NDArray[np.float64], parameter: str, source: str, unit: str, layer: Layer, report: Report
) -> None:
    most = MOST_MG_L.get(parameter)
    if most is None or not (found > most).any():
        return
    high = float(np.nanmax(found))
    report.ask(
        layer.label,
        "列“{column}”的 {parameter} 有 {count} 个值高于 {most:g} mg/L（最高 {high:g} mg/L）：单位对吗？",
        [
            Proposal(
                f"--unit {source}=ug/L",
                "按 μg/L，最高 {value:g} mg/L",
                {"value": high / (1000 if units.plain(unit) != "ug/l" else 1)},
            ),
            Proposal(f"--unit {source}=mg/L", "确认为 mg/L，保留原值"),
        ],
        column=source,
        parameter=parameter,
        count=int((found > most).sum()),
        most=most,
        high=high,
    )


def _places(part: Part, frame: pd.DataFrame, reading: Reading, layer: Layer, report: Report) -> None:
    """Raw coordinates of the rows: the layer's shapes, a WKT column, or two columns."""
    source = {name: reading.source(name) for name in COORDINATES}
    if layer.geometry is not None:
        part.shapes, part.coordinates = layer.geometry, "shape"
    elif source["wkt"]:
        import shapely

        cells = text(frame[source["wkt"]]).to_numpy(object)
        part.shapes = np.asarray(
            shapely.force_2d(shapely.from_wkt([cell or None for cell in cells], on_invalid="ignore")), dtype=np.object_
        )
        part.coordinates = "shape"
        x = shapely.get_coordinates(part.shapes)
        if len(x) and bool((np.abs(x) <= 180).all()):
            part.coordinates = "lonlat"
    elif source["lonlat"] and not (source["lon"] and source["lat"]):
        halves = text(frame[source["lonlat"]]).str.split(r"[,，;；\s]+", n=1, expand=True, regex=True)
        if halves.shape[1] == 2:
            part.xy = np.column_stack([values.degrees(halves[i].fillna("").astype(object)).value for i in (0, 1)])
            part.coordinates = "lonlat"
    else:
        x, y = source["lon"] or source["x"], source["lat"] or source["y"]
        if x and y:
            part.xy = np.column_stack([_angle(part, frame, column, reading, layer, report) for column in (x, y)])
            plain = not (source["lon"] and source["lat"])
            within = np.nanmax(np.abs(part.xy), initial=0.0) <= 180
            part.coordinates = "lonlat" if within or not plain else "xy"
            if within and plain:
                part.coordinates = "lonlat"


def _angle(
    part: Part, frame: pd.DataFrame, column: str, reading: Reading, layer: Layer, report: Report
) -> NDArray[np.float64]:
    read = values.degrees(text(frame[column]))
    for i in np.flatnonzero(read.wrong).tolist():
        message = "{file} 的 {column} 为“{cell}”，不是坐标。应为度（113.92）、度分秒（113°55′12″）或米"
        key = reading.source(KEYS[reading.table][0])
        identity = str(frame[key].iloc[i]) if key else ""
        params = {"file": layer.label, "column": column, "cell": str(frame[column].iloc[i])[:60]}
        report.refuse(reading.table, int(frame.index[i]), identity, message, **params)
    for i in np.flatnonzero(read.mended).tolist():
        message = "{column} 写作“{cell}”，读作 {value:.6f}°"
        seen, degrees = str(frame[column].iloc[i]), float(read.value[i])
        report.mend(reading.table, int(frame.index[i]), "", message, column=column, cell=seen, value=degrees)
    part.facts.setdefault("bad", np.zeros(len(frame), bool))
    part.facts["bad"] |= read.wrong
    return read.value


def _measured(
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
    rows["parameter"] = [parameter_of(word) or word for word in written]
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
        _mended(
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
            _ask_concentration(read.value, str(parameter), source, str(each), layer, report)
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
        _ask_concentration(read.value, match.attribute, match.source, unit, layer, report)
    _refuse_cells(rows, read.wrong, cells.to_numpy(object), match.source, layer, report)
    _mended(
        layer, "observations", rows.index[read.mended], cells, match, report, "{:g}".format, read.value[read.mended]
    )
    found = rows.drop(columns=["value", "qualifier", "unit"], errors="ignore").assign(
        parameter=match.attribute, value=read.value, qualifier=read.qualifier, unit=target
    )
    kept: pd.DataFrame = found[~read.wrong & (~np.isnan(read.value) | (read.qualifier != ""))]
    return kept
