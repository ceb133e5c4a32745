"""The door: any bureau's files to checked tables of a project, with an account of every row.

``read_sources(paths)`` reads and checks and writes nothing; ``import_sources(paths, project)`` also writes, in one
transaction, and only if nothing was refused and no question is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from hydro.columns import text
from hydro.errors import HydroError
from hydro.schema import GEOMETRY, KEYS, attributes, check_table, row_names
from layers import columns, crs, reaches, stand
from layers.convert import Part, convert
from layers.place import Located, Word, locate
from layers.report import Proposal, Report
from layers.sources import Layer, open_layers

SNAP_M = 25.0
STANDING = ("sections", "outlets", "plants", "gates")


@dataclass(frozen=True)
class Options:
    """The user's word on an import: what the questions of a report are answered by."""

    crs: str = ""
    map: Path | None = None
    mouths: tuple[str, ...] = ()
    snap_m: float = SNAP_M
    point_snap_m: float = stand.POINT_SNAP_M
    swap_axes: bool = False
    datum: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Import:
    """The outcome of reading: tables as they would enter, the report, how layers were read, facts of the project."""

    tables: dict[str, pd.DataFrame]
    report: Report
    readings: dict[str, columns.Reading] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def mapping(self) -> dict[str, Any]:
        """The columns as they were read, in the form that ``--map`` takes."""
        return columns.saved(self.readings)


Progress = Callable[[str, float], None]


def _silent(_: str, __: float) -> None:
    """No progress shown."""


def read_sources(
    paths: Sequence[str | Path],
    options: Options | None = None,
    known: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress = _silent,
) -> Import:
    """Read files and folders into tables of CGCS2000, and account for every row. Writes nothing.

    ``known`` are the tables (with geometry) of the project that the rows would enter: points snap to its reaches, its
    nodes are joined to, its districts are evidence.  ``progress`` is told what is being done and the part that is done;
    it may raise to cancel.  Raises HydroError only for a wrong option; what is wrong with the input is in the report.
    """
    options, known = options or Options(), known or {}
    report = Report()
    word = Word(crs.parse_crs(options.crs) if options.crs else None, options.swap_axes, options.datum)
    said = columns.load_mapping(options.map) if options.map else columns.Mapping_()
    progress("读取文件", 0.0)
    layers, faults = open_layers(paths)
    for fault in faults:
        if fault.warning:
            report.warnings.append(fault)
        else:
            report.refuse("", None, fault.row, fault.message, **fault.params)
    outcome = Import({}, report)
    progress("识别列与数值", 0.3)
    parts = [part for layer in layers if (part := _part(layer, said, options, outcome))]
    if not parts and not report.refused and not report.asked:
        report.refuse(
            "", None, "", "没有读到任何数据。可用：shp、gpkg、geojson、kml、csv、xlsx、zip，或含这些文件的文件夹"
        )
    progress("核对坐标", 0.45)
    located = locate(parts, word, known, report)
    open_geometry = {id(part) for part in parts if part.coordinates} - {id(each.part) for each in located}
    gathered = {table: _gather(table, parts, report) for table in dict.fromkeys(part.table for part in parts)}
    progress("整理河网", 0.55)
    waiting = any(id(part) in open_geometry and part.table == "reaches" and len(part.frame) for part in parts)
    ground = _ground(gathered, located, parts, known, options, report, outcome, waiting)
    progress("挂接断面与排污口", 0.75)
    _stand(gathered, parts, open_geometry, ground, known, options, report, outcome, waiting)
    progress("检查", 0.9)
    _finish(outcome, known, report)
    progress("完成", 1.0)
    return outcome


def _part(layer: Layer, said: columns.Mapping_, options: Options, outcome: Import) -> Part | None:
    """A layer as rows of a table; None where it holds none, with a note or a question."""
    report = outcome.report
    headers = [str(name) for name in layer.frame.columns]
    layer.frame.columns = pd.Index(headers, dtype=object)
    stem = Path(layer.file).stem
    if layer.name == "project" and {"name"} <= set(headers) and len(layer.frame) == 1:
        outcome.facts = {str(key): str(value) for key, value in layer.frame.iloc[0].items()}
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
    schema_named = bool(asked) or (
        columns.infer(layer.name, headers, shape, {})[0].confidence == 1.0 and layer.name in KEYS
    )
    part = convert(layer, best, report, options.units, options.dates)
    part.facts["foreign"] = (best.source("from_node") or "from_node").lower() != "from_node"
    _identify(part, best, schema_named, report)
    part.frame = part.frame.assign(
        __row=part.frame.index.to_numpy(),
        __file=layer.label,
        **({"__words": part.station_words} if best.table == "observations" else {}),
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
    kind = {"point": "点", "line": "线", "polygon": "面", "": "表"}[shape]
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


def _identify(part: Part, reading: columns.Reading, schema_named: bool, report: Report) -> None:
    """Ids for rows of a layer that has none: code, else name, else file and row; told, and the same every time."""
    key = KEYS[part.table][0]
    if len(KEYS[part.table]) > 1 or not len(part.frame):
        return
    has = key in part.frame
    if not has and schema_named:
        if reading.unread:
            message = "{file} 缺少必填列 {column}（{meaning}）。是哪一列？"
            meaning = attributes(part.table)[key].description_zh
            offered = [
                Proposal(
                    "--map FILE", '在 FILE（JSON）中写 {{"{source}": "{column}"}}', {"source": source, "column": key}
                )
                for source in reading.unread[:5]
            ]
            report.ask(part.layer.label, message, offered, file=part.layer.label, column=key, meaning=meaning)
        return
    ids = text(part.frame, key) if has else pd.Series("", index=part.frame.index, dtype=object)
    blank = (ids == "").to_numpy(bool)
    if not blank.any() or (has and schema_named):
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


def _gather(table: str, parts: Sequence[Part], report: Report) -> pd.DataFrame:
    """All rows of a table; a row given twice alike is dropped and listed, given twice otherwise it is refused."""
    frames = [part.frame for part in parts if part.table == table and len(part.frame)]
    if not frames:
        return pd.DataFrame(columns=["__row", "__file"])
    rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)
    for column in KEYS[table]:
        if column not in rows:
            if column in ("place", "station_kind"):
                rows[column] = ""
            else:
                return rows
    return rows if table == "observations" else _unique(table, rows, report)


def _unique(table: str, rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    keys = pd.DataFrame({column: text(rows, column) for column in KEYS[table]})
    filled = (keys[KEYS[table][0]] != "").to_numpy(bool)
    again = (keys.duplicated(keep="first") & filled).to_numpy(bool)
    if not again.any():
        return rows
    bare = rows.drop(columns=["__row", "__file", "__words"], errors="ignore")
    if "geometry" in bare:
        bare = bare.assign(geometry=shapely.to_wkb(np.asarray(bare["geometry"], dtype=object), hex=True))
    alike = bare.astype(str).duplicated(keep="first").to_numpy(bool)
    names = row_names(table, rows)
    for i in np.flatnonzero(again).tolist():
        row, name = int(rows["__row"].iloc[i]), str(names.iloc[i])
        if alike[i]:
            report.mend(table, row, name, "与前面的一行完全相同，已略去")
        else:
            report.refuse(table, row, name, "编号与前面的一行重复而内容不同。请给每行唯一编号，或删去多余的行")
    return rows[~again].reset_index(drop=True)


def _ground(
    gathered: Mapping[str, pd.DataFrame],
    located: Sequence[Located],
    parts: Sequence[Part],
    known: Mapping[str, pd.DataFrame],
    options: Options,
    report: Report,
    outcome: Import,
    waiting: bool,
) -> stand.Ground | None:
    """The reaches of the import joined to those of the project, and the shape of the whole."""
    rows = gathered.get("reaches")
    old = known.get("reaches")
    if waiting or ((rows is None or not len(rows)) and (old is None or not len(old))):
        return None
    if rows is not None and len(rows) and "reach_id" in rows:
        rows = _sound("reaches", rows, report)
        rows["__given"] = (text(rows, "from_node") != "") & (text(rows, "to_node") != "")
        foreign = any(part.facts.get("foreign") for part in parts if part.table == "reaches")
        own = [each for each in located if each.part.table == "reaches"]
        built = reaches.build(
            rows, own, old, snap_m=options.snap_m, mouths=options.mouths, foreign_nodes=foreign, report=report
        )
        outcome.tables["reaches"] = built.table.drop(columns=["__given"])
        table, lines, plane, pieces = built.table, built.lines, built.plane, built.pieces
    elif rows is not None and len(rows):
        return None
    else:
        table, lines, pieces = pd.DataFrame({"reach_id": pd.Series(dtype=object)}), np.empty(0, dtype=object), {}
        plane = (
            crs.plane_around(shapely.get_coordinates(np.asarray(old["geometry"], dtype=object)))
            if old is not None and "geometry" in old
            else crs.plane_around(np.empty((0, 2)))
        )
    if old is not None and len(old):
        stays = old[~text(old, "reach_id").isin(set(text(table, "reach_id")))]
        shapes = np.asarray(stays["geometry"], dtype=object) if "geometry" in stays else np.full(len(stays), None)
        table = pd.concat([table, pd.DataFrame(stays)], ignore_index=True)
        lines = np.concatenate([lines, crs.project(shapes, crs.STORED, plane)])
    report.network = reaches.figures(table, lines, options.snap_m)
    incoming = (
        {str(i): int(row) for i, row in zip(text(table, "reach_id"), table["__row"].fillna(0), strict=True)}
        if "__row" in table
        else {}
    )
    for loop in report.network.loops:
        for reach in loop:
            message = "在环中：{loop}。水不会流成环，请改正其中一段的方向，或用 --mouth 指明流域出口"
            report.refuse("reaches", incoming.get(reach), reach, message, loop=" → ".join((*loop, loop[0])))
    _warn_of_shape(report)
    return stand.Ground(table, lines, plane, pieces)


def _warn_of_shape(report: Report) -> None:
    shape = report.network
    for reach, gap in shape.dangling:
        message = "河段 {reach} 的末端距邻近河段 {gap:.0f} m，没有接上（限值 --snap）"
        report.warn("dangling", message, table="reaches", row=reach, reach=reach, gap=gap)
    for one, other in shape.crossings:
        message = "河段 {one} 与 {other} 交叉而没有节点，按立体交叉处理"
        report.warn("crossing", message, table="reaches", row=one, one=one, other=other)
    if shape.components > 1:
        message = "河网分成互不相连的 {count} 部分"
        report.warn("components", message, table="reaches", count=shape.components)


def _stand(
    gathered: Mapping[str, pd.DataFrame],
    parts: Sequence[Part],
    open_geometry: set[int],
    ground: stand.Ground | None,
    known: Mapping[str, pd.DataFrame],
    options: Options,
    report: Report,
    outcome: Import,
    waiting: bool,
) -> None:
    unplaced = {part.table for part in parts if id(part) in open_geometry and len(part.frame)}
    with_outlet: frozenset[str] = frozenset()
    outlets = gathered.get("outlets")
    if outlets is not None and "plant_id" in outlets:
        with_outlet = frozenset(text(outlets, "plant_id")) - {""}
    for table, given in gathered.items():
        rows = given
        if table in ("reaches", "observations") or not len(rows):
            continue
        held = (table in unplaced or waiting) and table in GEOMETRY and bool(report.asked)
        if table in (*STANDING, "boundaries") and not held and KEYS[table][0] in rows:
            if ground is None or not len(ground.table):
                if table in stand.MUST_STAND:
                    message = "{table} 表没有河段可挂接。请先导入河段，或与河段一起导入"
                    report.refuse(table, None, "", message, table=table)
                    continue
            elif table == "boundaries":
                rows = stand.enter(rows, ground, report, limit_m=options.point_snap_m)
            else:
                rows = stand.stand(
                    table,
                    rows,
                    ground,
                    options.places,
                    report,
                    limit_m=options.point_snap_m,
                    plants_with_outlet=with_outlet,
                )
        outcome.tables[table] = _sound(table, rows, report)
    if "observations" in gathered and len(gathered["observations"]):
        together = {
            name: pd.concat(
                [known.get(name, pd.DataFrame()), outcome.tables.get(name, pd.DataFrame())], ignore_index=True
            )
            for name in ("sections", "outlets", "plants", "boundaries", "gates")
        }
        rows = stand.stations(gathered["observations"], together, {}, report)
        rows = _unique("observations", rows, report)
        outcome.tables["observations"] = _sound("observations", rows, report)


def _sound(table: str, rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Rows that keep to the dictionary; each of the others is refused with what would be right."""
    faults = check_table(table, rows, shown=len(rows) + 1)
    if not faults:
        return rows
    names = row_names(table, rows)
    positions = pd.Series(np.arange(len(names)), index=names.to_numpy(object))
    bad: set[int] = set()
    for fault in faults:
        if fault.warning:
            report.warnings.append(fault)
        elif fault.code == "column_missing":
            report.refuse(table, None, "", fault.message, **fault.params)
            bad |= set(range(len(rows)))
        else:
            found = positions[[fault.row]].to_numpy() if fault.row in positions.index else np.empty(0, int)
            for i in found[:1]:
                bad.add(int(i))
                report.refuse(table, int(rows["__row"].iloc[int(i)]), fault.row, fault.message, **fault.params)
    keep = np.ones(len(rows), bool)
    keep[list(bad)] = False
    return rows[keep].reset_index(drop=True)


def _finish(outcome: Import, known: Mapping[str, pd.DataFrame], report: Report) -> None:
    """References between tables, defaults left blank, columns in the order of the dictionary; counts."""
    from hydro.schema import check_tables

    joined = {
        table: pd.concat([known[table], outcome.tables[table]], ignore_index=True).drop_duplicates(
            list(KEYS[table]), keep="last"
        )
        if table in known
        and table in outcome.tables
        and len(known[table])
        and set(KEYS[table]) <= set(outcome.tables[table])
        else outcome.tables.get(table, known.get(table))
        for table in {**known, **outcome.tables}
    }
    for fault in check_tables(
        {name: rows for name, rows in joined.items() if rows is not None and name != "reaches"}
        | {name: rows for name, rows in joined.items() if rows is not None and name == "reaches"}
    ):
        if fault.code == "station_unknown":
            report.warnings.append(fault)
        elif fault.code == "reference_unknown" and fault.table in outcome.tables and not report.asked:
            _refuse_reference(outcome, fault, report)
    loops = {reach for loop in report.network.loops for reach in loop}
    accepted: Counter[str] = Counter()
    for table, rows in list(outcome.tables.items()):
        tidy = rows.drop(columns=["__row", "__file", "__words", "__given"], errors="ignore")
        order = [name for name in attributes(table) if name in tidy]
        extra = ["geometry"] if "geometry" in tidy and table in GEOMETRY else []
        outcome.tables[table] = _typed(table, tidy[order + extra].reset_index(drop=True))
        accepted[table] = len(tidy) - (
            int(text(tidy, "reach_id").isin(loops).sum()) if table == "reaches" and loops else 0
        )
    report.accepted = accepted


def _refuse_reference(outcome: Import, fault: Any, report: Report) -> None:
    rows = outcome.tables[fault.table]
    hit = np.flatnonzero((row_names(fault.table, rows) == fault.row).to_numpy(bool))
    if not len(hit):
        return
    row = rows["__row"].iloc[int(hit[0])]
    report.refuse(fault.table, None if pd.isna(row) else int(row), fault.row, fault.message, **fault.params)
    outcome.tables[fault.table] = rows.drop(index=rows.index[hit])


def _typed(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Columns of the types of the dictionary; a spatial table as a GeoDataFrame."""
    for name, attribute in attributes(table).items():
        if name in rows and attribute.type == "number":
            rows[name] = pd.to_numeric(rows[name], errors="coerce").astype(np.float64)
        elif name in rows and attribute.type == "integer":
            rows[name] = pd.to_numeric(rows[name], errors="coerce").astype("Int64")
    if "geometry" in rows:
        import geopandas

        return geopandas.GeoDataFrame(rows, geometry="geometry", crs=crs.STORED)  # type: ignore[no-any-return]
    return rows
