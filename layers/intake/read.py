"""The door: any bureau's files to checked tables of a project, with an account of every row.

``read_sources(paths)`` reads and checks and writes nothing; ``import_sources(paths, project)`` also writes, in one
transaction, and only if nothing was refused and no question is open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from hydro.columns import text
from hydro.schema import GEOMETRY, KEYS
from layers import columns
from layers.formats.sources import open_layers
from layers.intake.admit import finish, gather, sound, sound_rows, unique
from layers.intake.intake import Import, Options
from layers.intake.recognise import recognise
from layers.intake.stations import stations
from layers.part import Part
from layers.places import crs
from layers.places.place import Located, Word, locate
from layers.places.shifts import undo_shifts
from layers.report import Report
from layers.rivers import reaches, stand
from layers.rivers.inbound import enter

STANDING = ("sections", "outlets", "plants", "gates")


Progress = Callable[[str, float], None]


def silent(_: str, __: float) -> None:
    """No progress shown."""


def read_sources(
    paths: Sequence[str | Path],
    options: Options | None = None,
    known: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress = silent,
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
    said = columns.recalled(said, options.remembered)
    progress("读取文件", 0.0)
    layers, faults = open_layers(paths)
    for fault in faults:
        if fault.warning:
            report.warnings.append(fault)
        else:
            report.refuse("", None, fault.row, fault.message, **fault.params)
    outcome = Import({}, report)
    progress("识别列与数值", 0.3)
    parts = [part for layer in layers if (part := recognise(layer, said, options, outcome))]
    if not parts and not report.refused and not report.asked:
        report.refuse(
            "",
            None,
            "",
            "没有读到任何数据。可用：shp、gpkg、geojson、kml、csv、xlsx、parquet、zip，或含这些文件的文件夹",
        )
    progress("核对坐标", 0.45)
    located = locate(parts, word, known, report)
    undo_shifts(located, word, known, report)
    outcome.layers, outcome.parts, outcome.located = layers, parts, located
    open_geometry = {id(part) for part in parts if part.coordinates} - {id(each.part) for each in located}
    gathered = {table: gather(table, parts, report) for table in dict.fromkeys(part.table for part in parts)}
    progress("整理河网", 0.55)
    waiting = any(id(part) in open_geometry and part.table == "reaches" and len(part.frame) for part in parts)
    ground = _ground(gathered, located, parts, known, options, report, outcome, waiting)
    progress("挂接断面与排污口", 0.75)
    _stand(gathered, parts, open_geometry, ground, known, options, report, outcome, waiting)
    progress("检查", 0.9)
    finish(outcome, known, report)
    progress("完成", 1.0)
    return outcome


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
        rows = sound_rows("reaches", rows, report)
        rows["__given"] = (text(rows, "from_node") != "") & (text(rows, "to_node") != "")
        foreign = any(part.facts.get("foreign") for part in parts if part.table == "reaches")
        own = [each for each in located if each.part.table == "reaches"]
        built = reaches.build(
            rows,
            own,
            old,
            snap_m=options.snap_m,
            mouths=options.mouths,
            foreign_nodes=foreign,
            dem=options.dem,
            report=report,
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
        kept = given.index[sound(table, given, report)]  # a row that stands nowhere is told its other faults too
        if table in (*STANDING, "boundaries") and not held and KEYS[table][0] in rows:
            if ground is None or not len(ground.table):
                if table in stand.MUST_STAND:
                    message = "{table} 表没有河段可挂接。请先导入河段，或与河段一起导入"
                    report.refuse(table, None, "", message, table=table)
                    continue
            elif table == "boundaries":
                rows = enter(rows, ground, report, limit_m=options.point_snap_m)
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
        outcome.tables[table] = rows[rows.index.isin(kept)].reset_index(drop=True)
    if "observations" in gathered and len(gathered["observations"]):
        together = {
            name: pd.concat(
                [known.get(name, pd.DataFrame()), outcome.tables.get(name, pd.DataFrame())], ignore_index=True
            )
            for name in ("sections", "outlets", "plants", "boundaries", "gates")
        }
        rows = stations(gathered["observations"], together, {}, report)
        rows = unique("observations", rows, report)
        outcome.tables["observations"] = sound_rows("observations", rows, report)
