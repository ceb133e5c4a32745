"""The network as one file for the browser: a JSON head and typed arrays, gzipped (``browser/pack.js`` reads it).

Written once for each drawing and served as a static file, so that a click, a month or a language sends none of it
again.  Coordinates are steps of 1e-5 degree (about a metre) from one vertex to the next: they compress to a twentieth
of GeoJSON.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro import RiverNetwork, routed_total
from hydro.columns import number, text
from layers.basemap import Ground

PER_DEGREE = 100_000
FINE = 5e-5
COARSE = 3e-4
"""Generalisation in degrees: about 5 m, or 30 m where there are many vertices."""
MANY_VERTICES = 60_000
POINTS = {"outlets": "outlet", "plants": "plant", "gates": "gate", "boundaries": "inbound"}
DTYPES = {"int32": "i4", "uint32": "u4", "uint16": "u2", "uint8": "u1", "float32": "f4"}

Lines = NDArray[np.object_]


def network_pack(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], ground: Ground) -> bytes:
    """Everything of a project that the map draws and that no month changes.

    ``tables`` are the project's spatial tables (GeoDataFrames in EPSG:4490); points without a geometry are put where
    their chainage says.
    """
    lines = reach_lines(network, tables["reaches"])
    drawn = np.flatnonzero(~shapely.is_empty(lines) & ~shapely.is_missing(lines))
    simple = _generalise(lines[drawn])
    names, river = np.unique(_river_names(network), return_inverse=True)
    points = [_points(network, table, kind, tables, lines) for table, kind in POINTS.items()]
    places = pd.concat(points, ignore_index=True)
    topology = network.topology
    head: dict[str, Any] = {
        "bounds": [round(float(side), 5) for side in shapely.total_bounds(simple)],
        "orders": int(size_class(network).max(initial=1)),
        "rivers": names.tolist(),
        "sections": _sections(network, tables, lines),
        "points": {name: places[name].tolist() for name in ("kind", "id", "name", "code", "type")},
        "districts": ground.names(),
    }
    line, size = _steps(simple)
    ground_line, ground_size = _steps(ground.outlines)
    at, _ = _steps(shapely.points(places[["x", "y"]].to_numpy(np.float64).reshape(-1, 2)))
    return pack(
        head,
        {
            "from": topology.from_node,
            "to": topology.to_node,
            "closed": topology.closed.astype(np.uint8),
            "canal": text(network.reaches, "kind").isin(["canal", "culvert"]).to_numpy(np.uint8),
            "order": size_class(network),
            "river": river.astype(np.int32),
            "reach": drawn.astype(np.int32),
            "size": size,
            "line": line,
            "pointReach": places["reach"].to_numpy(np.int32),
            "pointPart": places["part"].to_numpy(np.float32),
            "pointTurn": places["turn"].to_numpy(np.float32),
            "pointAt": at,
            "groundLine": ground_line,
            "groundSize": ground_size,
        },
    )


def pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Head and arrays as gzipped bytes, the same for the same input: length of the head, the head, the arrays."""
    where, body, offset = {}, [], 0
    for name, array in arrays.items():
        where[name] = [DTYPES[array.dtype.name], offset, len(array)]
        raw = array.tobytes()
        body += [raw, b"\0" * (-len(raw) % 4)]
        offset += len(raw) + len(body[-1])
    top = json.dumps({**head, "arrays": where}, ensure_ascii=False, separators=(",", ":")).encode()
    top += b" " * (-len(top) % 4)
    return gzip.compress(np.uint32(len(top)).tobytes() + top + b"".join(body), compresslevel=6, mtime=0)


def size_class(network: RiverNetwork) -> NDArray[np.uint8]:
    """Size of each reach, from 1 for a brook: how many times four its drained river length is the usual reach. (n,)

    A stand-in for stream order that islands and splits do not inflate (Strahler's order counts an island's two arms as
    a confluence of equals); what a split sends elsewhere does not count.
    """
    length = network.topology.length_m
    drained = routed_total(network, length)
    steps = np.log(np.maximum(drained, 1e-9) / max(float(np.median(length)), 1e-9)) / np.log(4)
    _, dense = np.unique(np.clip(np.floor(steps), 0, None), return_inverse=True)
    return (dense + 1).astype(np.uint8)


def reach_lines(network: RiverNetwork, reaches: pd.DataFrame) -> Lines:
    """The drawing of every reach in the network's order; an empty line where a reach is not drawn."""
    given = pd.Series(np.asarray(reaches["geometry"], object), index=text(reaches, "reach_id").to_numpy())
    lines = given.reindex(network.reaches.index).to_numpy(object).copy()
    lines[pd.isna(lines)] = shapely.LineString()
    several = np.flatnonzero(shapely.get_type_id(lines) == shapely.GeometryType.MULTILINESTRING)
    for i in several:
        lines[i] = max(lines[i].geoms, key=lambda part: part.length)
    return lines


def _generalise(lines: Lines) -> Lines:
    many = int(shapely.get_num_coordinates(lines).sum()) > MANY_VERTICES
    return np.asarray(shapely.simplify(lines, COARSE if many else FINE, preserve_topology=False), object)


def _steps(shapes: Lines) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
    """Vertices of all shapes as steps (x, y, x, y, …) from the one before, and how many each shape has."""
    whole = np.rint(shapely.get_coordinates(shapes) * PER_DEGREE).astype(np.int32)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int32))
    return steps.ravel(), shapely.get_num_coordinates(shapes).astype(np.uint16)


def _river_names(network: RiverNetwork) -> NDArray[np.str_]:
    river = text(network.reaches, "river")
    return river.where(river != "", text(network.reaches, "name")).to_numpy(str)


def _place(
    network: RiverNetwork, frame: pd.DataFrame, drawing: pd.DataFrame | None, key: str, lines: Lines
) -> pd.DataFrame:
    """Reach position, share of its length and lon/lat of rows; the reach's own upstream end where only a node is told."""
    reach_id = frame["reach_id"].astype(str)
    if "node" in frame:
        first = {
            str(n): str(r) for r, n in zip(network.reaches.index[::-1], network.reaches["from_node"][::-1], strict=True)
        }
        reach_id = reach_id.where(reach_id != "", frame["node"].astype(str).map(first).fillna(""))
    reach = reach_id.map(network.reach_position).fillna(-1).to_numpy(np.int32)
    chainage = number(frame, "chainage_m").fillna(0.0).to_numpy()
    part = np.where(reach >= 0, chainage / network.topology.length_m[reach], 0.0).clip(0.0, 1.0)
    along = lines[reach]
    at = shapely.line_interpolate_point(along, part, normalized=True)
    ahead = shapely.line_interpolate_point(along, np.minimum(part + 0.02, 1.0), normalized=True)
    behind = shapely.line_interpolate_point(along, np.maximum(part - 0.02, 0.0), normalized=True)
    if drawing is not None and "geometry" in drawing:
        given = pd.Series(np.asarray(drawing["geometry"], object), index=text(drawing, key).to_numpy())
        own = given.reindex(frame.index).to_numpy(object)
        at = np.where(pd.isna(own) | shapely.is_empty(own), at, own)
    with np.errstate(invalid="ignore"):
        dx, dy = shapely.get_x(ahead) - shapely.get_x(behind), shapely.get_y(ahead) - shapely.get_y(behind)
        turn = np.nan_to_num(np.arctan2(-dy, dx * np.cos(np.radians(shapely.get_y(behind)))))
    seen = pd.DataFrame({"reach": reach, "part": part, "turn": turn, "x": shapely.get_x(at), "y": shapely.get_y(at)})
    return seen.set_axis(frame.index)


def _points(
    network: RiverNetwork, table: str, kind: str, tables: Mapping[str, pd.DataFrame], lines: Lines
) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(network, table)
    placed = _place(network, frame, tables.get(table), str(frame.index.name), lines)
    placed = placed.assign(
        kind=kind,
        id=frame.index.astype(str),
        name=text(frame, "name"),
        code=text(frame, "code"),
        type=text(frame, "type"),
    )
    return placed[placed["x"].notna()]


def _sections(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], lines: Lines) -> list[dict[str, Any]]:
    frame = network.sections
    placed = _place(network, frame, tables.get("sections"), str(frame.index.name), lines)
    told = pd.DataFrame({name: text(frame, name) for name in ("name", "river", "level", "county")})
    told["sure"] = ~text(frame, "position_confidence").isin(["low", "unresolved"])
    told["target"] = number(frame, "tp_target_mg_l")
    placed = placed.join(told)[(placed["reach"] >= 0) & placed["x"].notna()]
    return [
        {
            "id": str(key),
            "name": row["name"] or str(key),
            "river": row["river"],
            "level": row["level"],
            "county": row["county"],
            "sure": bool(row["sure"]),
            "target": None if np.isnan(row["target"]) else float(row["target"]),
            "reach": int(row["reach"]),
            "part": round(float(row["part"]), 6),
            "x": round(float(row["x"]) * PER_DEGREE),
            "y": round(float(row["y"]) * PER_DEGREE),
        }
        for key, row in zip(placed.index, placed.to_dict("records"), strict=True)
    ]
