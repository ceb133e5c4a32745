"""Which table a layer is, and ids for rows that have none: told, asked, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from hydro.columns import text
from hydro.errors import HydroError, Phrase
from hydro.schema import KEYS, attributes
from layers import columns
from layers.formats.sources import Layer
from layers.intake.convert import convert
from layers.intake.intake import Import, Options
from layers.intake.templates import ABOUT
from layers.part import Part
from layers.report import Proposal, Report

EXPLAINS = frozenset(title for title, _ in ABOUT.values())
"""Sheets of a template that only say how to fill it in."""


def recognise(layer: Layer, said: columns.Mapping_, options: Options, outcome: Import) -> Part | None:
    """A layer as rows of a table; None where it holds none, with a note or a question."""
    report = outcome.report
    headers = [str(name) for name in layer.frame.columns]
    layer.frame.columns = pd.Index(headers, dtype=object)
    stem = Path(layer.file).stem
    if layer.name.split("_")[-1] == "project" and {"name", "demo"} <= set(headers) and len(layer.frame) == 1:
        outcome.facts = {str(key): str(value) for key, value in layer.frame.iloc[0].items()}
        return None
    if layer.name in EXPLAINS:
        return None
    names = (layer.label, layer.file, Path(layer.file).name, stem, layer.name)
    words = said.of(*names)
    asked = next((options.tables[name] for name in names if name in options.tables), "") or next(
        (said.tables[name] for name in names if name in said.tables), ""
    )
    if asked and asked not in KEYS:
        raise HydroError(
            "table_unknown", "没有名为 {table} 的表。可用：{known}", table=asked, known="、".join(columns.IMPORTED)
        )
    shape = _shape(layer)
    readings = (
        [columns.match(asked, headers, words | said.of(asked))] if asked else _infer(layer, headers, shape, said, words)
    )
    if not readings:
        _unread(layer, headers, shape, report)
        return None
    best = readings[0]
    rivals = [r for r in readings[1:3] if r.confidence > 0.85 * best.confidence and best.confidence < 1.2]
    if rivals and len(layer.frame):
        offered = [
            Proposal(f"--table {stem}={r.table}", "按 {table} 表读取", {"table": r.table}) for r in (best, *rivals)
        ]
        report.ask(layer.label, "{file} 是哪一张表？", offered, file=layer.label)
        return None
    outcome.readings[layer.label] = best
    report.read_as.append(
        {
            "file": layer.file,
            "layer": layer.name,
            "table": best.table,
            "rows": len(layer.frame),
            "crs": layer.crs.name if layer.crs else "",
            "columns": {m.source: [m.attribute, m.unit, m.confidence] for m in (*best.columns, *best.parameters)},
            "unread": list(best.unread),
        }
    )
    of_schema = layer.name in KEYS
    part = convert(layer, best, report, options.units, options.dates)
    part.facts["foreign"] = (best.source("from_node") or "from_node").lower() != "from_node"
    _identify(part, best, of_schema, report)
    part.frame = part.frame.assign(
        __row=part.frame.index.to_numpy(),
        __file=layer.label,
        **({"__words": part.station_words} if best.table == "observations" else {}),
        **({"__river": part.rivers[part.frame.index]} if part.rivers is not None else {}),
    )
    return part


def _shape(layer: Layer) -> str:
    if layer.geometry is None:
        return ""
    dimension = shapely.get_dimensions(layer.geometry)
    dimension = dimension[dimension >= 0]
    return ("point", "line", "polygon")[int(dimension[0])] if len(dimension) else ""


def _infer(
    layer: Layer, headers: Sequence[str], shape: str, said: columns.Mapping_, words: Mapping[str, str]
) -> list[columns.Reading]:
    names = [layer.name] if layer.name in columns.IMPORTED else [f"{Path(layer.file).stem} {layer.name}"]
    return columns.infer(names[0], headers, shape, {**words, **said.of(layer.name)})


def _unread(layer: Layer, headers: Sequence[str], shape: str, report: Report) -> None:
    kind = {"point": Phrase("点"), "line": Phrase("线"), "polygon": Phrase("面"), "": Phrase("表")}[shape]
    message = (
        "{file}（{kind}，列：{columns}）认不出是哪张表，未读取。如需读取，请用 --table {stem}=表名，或用 --map 指定列"
    )
    report.warn(
        "unread_layer",
        message,
        file=layer.label,
        kind=kind,
        columns="、".join(headers[:12]),
        stem=Path(layer.file).stem,
    )


def _identify(part: Part, reading: columns.Reading, of_schema: bool, report: Report) -> None:
    """Ids for rows of a layer that has none: code, else name, else file and row; told, and the same every time."""
    key = KEYS[part.table][0]
    if len(KEYS[part.table]) > 1 or not len(part.frame):
        return
    has = key in part.frame
    if not has and of_schema:
        if reading.unread:
            message = "{file} 缺少必填列 {column}（{meaning}）。是哪一列？"
            meaning = attributes(part.table)[key].meaning
            offered = [
                Proposal(
                    "--map FILE", '在 FILE（JSON）中写 {{"{source}": "{column}"}}', {"source": source, "column": key}
                )
                for source in reading.unread[:5]
            ]
            params = {"file": part.layer.label, "table": part.table, "column": key, "meaning": meaning}
            report.ask(part.layer.label, message, offered, **params)
        return
    ids = text(part.frame, key) if has else pd.Series("", index=part.frame.index, dtype=object)
    blank = (ids == "").to_numpy(bool)
    if not blank.any() or (has and of_schema):
        return
    stem = Path(part.layer.file).stem
    made = ids.to_numpy(object).copy()
    numbered = np.array([f"{stem}-{row}" for row in part.frame.index], dtype=object)
    for column in ("code", "name"):
        if column in part.frame and part.table != "reaches":
            candidate = text(part.frame, column)
            unique = ~candidate.duplicated(keep=False) & (candidate != "") & ~candidate.isin(set(ids))
            use = blank & unique.to_numpy(bool) & (made == "")
            made[use] = candidate.to_numpy(object)[use]
    made[made == ""] = numbered[made == ""]
    part.frame = part.frame.assign(**{key: made})
    message = "{file} 有 {count} 行没有编号（{column}），已由编码、名称或行号生成，如 {example}"
    report.warn(
        "ids_made",
        message,
        table=part.table,
        column=key,
        file=part.layer.label,
        count=int(blank.sum()),
        example=str(made[blank][0]),
    )
