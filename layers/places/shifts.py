"""GCJ-02 and BD-09 found by the offset of a file from its neighbours, undone only on the user's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.places import datum
from layers.places.frames import shipped_districts
from layers.places.place import Located, Word
from layers.report import Proposal, Report

Float = NDArray[np.float64]
Objects = NDArray[np.object_]

ON_RIVERS = ("sections", "outlets", "gates", "boundaries", "plants")


def undo_shifts(found: Sequence[Located], word: Word, known: Mapping[str, pd.DataFrame], report: Report) -> None:
    """Undo a shift of web maps where the user says so; ask where one is seen."""
    suspects = _suspects(found, known) if word.datum != "none" else {}
    for located in found:
        seen = suspects.get(id(located))
        shift = seen.name if seen else ""
        named = word.datum in datum.SHIFTED
        if named and (shift or not suspects) and located.crs.is_geographic:
            frame, located.shift = located.part.frame, word.datum
            moved = datum.unshift(np.asarray(frame["geometry"], dtype=object), word.datum)
            located.part.frame = frame.assign(geometry=pd.Series(list(moved), index=frame.index, dtype=object))
            message = "{file} 已由 {datum} 改正为真实坐标"
            report.warn(
                "datum_corrected", message, table=located.part.table, file=located.part.layer.label, datum=word.datum
            )
        elif seen:
            message = "{file} 相对已知数据有整体偏移，像是 {shift}（网络地图的偏移坐标）。要改正吗？"
            offered = [
                Proposal(
                    f"--datum {shift}",
                    "改正后离已知数据（中位数）由 {before:.0f} m 减到 {after:.0f} m",
                    {"before": seen.before_m, "after": seen.after_m},
                ),
                Proposal("--datum none", "不改正，坐标保持原样"),
            ]
            report.ask(located.part.layer.label, message, offered, file=located.part.layer.label, shift=shift.upper())


def _suspects(found: Sequence[Located], known: Mapping[str, pd.DataFrame]) -> dict[int, datum.Suspicion]:
    """Which parts seem shifted against the others or against the project, and how."""
    suspects: dict[int, datum.Suspicion] = {}
    lines = [each for each in found if each.part.table == "reaches" and each.crs.is_geographic]
    points = [each for each in found if each.part.table in ON_RIVERS and each.crs.is_geographic]
    rivers = _shapes([each.part.frame for each in found if each.part.table == "reaches"]) or _shapes(
        [known.get("reaches")]
    )
    if rivers:
        for each in points:
            shift = _suspect(each, _away_from(np.concatenate(rivers)))
            if shift:
                suspects[id(each)] = shift
    standing = _shapes([each.part.frame for each in found if each.part.table in ON_RIVERS and id(each) not in suspects])
    if not standing and not points:
        standing = _shapes([known.get(table) for table in ("sections", "outlets")])
    if standing and not suspects:
        there = np.concatenate(standing)
        for each in lines:
            shift = _suspect_lines(each, there)
            if shift:
                suspects[id(each)] = shift
    areas = [each for each in found if each.part.table == "districts" and each.crs.is_geographic]
    for each in areas:
        others = [other.part.frame for other in areas if other is not each]
        outlines = _shapes([*others, known.get("districts")]) or _shapes([shipped_districts()])
        if outlines:
            shift = _suspect_outlines(each, np.concatenate(outlines))
            if shift:
                suspects[id(each)] = shift
    return suspects


def _shapes(frames: Sequence[pd.DataFrame | None]) -> list[Objects]:
    shapes = [np.asarray(f["geometry"], dtype=object) for f in frames if f is not None and "geometry" in f and len(f)]
    return [each[~shapely.is_missing(each)] for each in shapes if not shapely.is_missing(each).all()]


def _metres(shapes: Objects, lat: float) -> Objects:
    """Degrees as metres on a local plane, good enough to compare distances of hundreds of metres."""
    scale = np.array([111320.0 * np.cos(np.radians(lat)), 110950.0])
    return np.asarray(shapely.transform(shapes, lambda xy: xy * scale), dtype=object)


def _away_from(there: Objects) -> Any:
    lat = float(np.median(shapely.get_coordinates(there)[:, 1]))
    tree = shapely.STRtree(_metres(there, lat))

    def away(shapes: Objects) -> Float:
        return np.asarray(tree.query_nearest(_metres(shapes, lat), return_distance=True, all_matches=False)[1])

    return away


def _suspect(each: Located, away: Any) -> datum.Suspicion | None:
    shapes = np.asarray(each.part.frame["geometry"], dtype=object)
    shapes = shapes[~shapely.is_missing(shapes)]
    return datum.suspected(shapes, away) if len(shapes) >= 3 else None


def _suspect_lines(each: Located, there: Objects) -> datum.Suspicion | None:
    """Whether the rivers, not the points on them, are shifted: undoing it must bring the points nearer."""
    lines = np.asarray(each.part.frame["geometry"], dtype=object)
    lines = lines[~shapely.is_missing(lines)]
    sample = there[:: max(1, len(there) // 200)]
    if len(sample) < 3 or not len(lines):
        return None
    before = float(np.median(_away_from(lines)(sample)))
    if not before > datum.LEAST_SHIFT_M:
        return None
    xy = shapely.get_coordinates(lines)
    middle = np.median(xy, axis=0)[None]
    after = {
        name: float(np.median(_away_from(lines)(shapely.transform(sample, lambda p, s=shift: p + s))))
        for name in datum.SHIFTED
        for shift in [middle - datum.true_coordinates(middle, name)]
    }
    best = min(after, key=lambda name: after[name])
    return datum.Suspicion(best, before, after[best]) if after[best] * datum.CLEAR_GAIN < before else None


def _suspect_outlines(each: Located, outlines: Objects) -> datum.Suspicion | None:
    shapes = np.asarray(each.part.frame["geometry"], dtype=object)
    corners = shapely.get_coordinates(shapes[~shapely.is_missing(shapes)])
    box = shapely.box(*shapely.total_bounds(outlines)).buffer(0.05)
    corners = corners[:: max(1, len(corners) // 300)]
    inside = shapely.points(corners)[shapely.contains(box, shapely.points(corners))]
    return datum.suspected(inside, _away_from(shapely.boundary(outlines))) if len(inside) >= 20 else None
