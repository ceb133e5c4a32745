"""In which coordinates a file speaks: what it says, what its numbers allow, and what to ask. Nothing is guessed.

Every candidate comes with its evidence.  Old datums (Beijing 54, Xi'an 80) cannot be told from CGCS2000 by numbers
alone; they are offered, with the accuracy of the way to CGCS2000 as PROJ states it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from hydro.errors import HydroError, Phrase
from layers.report import Proposal

Float = NDArray[np.float64]
Objects = NDArray[np.object_]

STORED = CRS.from_epsg(4490)
"""CGCS2000 geographic, in which a project is stored; longitude first."""

ELLIPSOID = Geod(ellps="GRS80")
"""CGCS2000's own ellipsoid differs from it by 0.1 mm in the semi-minor axis."""

CHINA = (72.0, 3.0, 136.0, 54.5)

DATUMS = (
    # name, geographic, first EPSG of: 3-degree zones 25-45, 3-degree meridians, 6-degree zones 13-23, 6-degree meridians
    ("CGCS2000", 4490, 4513, 4534, 4491, 4502),
    ("西安80", 4610, 2349, 2370, 2327, 2338),
    ("北京54", 4214, 2401, 2422, 21413, 21453),
)


@dataclass(frozen=True)
class Frame:
    """Where the data are expected: boxes and outlines (EPSG:4490) with a name, from the project, other files or the
    demo's districts."""

    name: str
    shape: Any


def parse_crs(text: str) -> CRS:
    """A CRS from ``4526``, ``EPSG:4526``, or WKT. Raises HydroError where it is none."""
    written = text.strip()
    try:
        return CRS.from_user_input(int(written) if re.fullmatch(r"\d{4,6}", written) else written)
    except (CRSError, ValueError, OverflowError) as wrong:
        raise HydroError(
            "crs_unknown",
            "不认识坐标系“{crs}”。请给 EPSG 代号，如 4490（CGCS2000 经纬度）、4547（3 度带 114°E）",
            crs=text,
        ) from wrong


@cache
def transformer(source: CRS, target: CRS = STORED) -> Transformer:
    """The best way between two systems, longitude or easting first."""
    return Transformer.from_crs(source, target, always_xy=True)


def accuracy_m(source: CRS) -> float | None:
    """Accuracy in metres of the way to CGCS2000 as PROJ states it; None where it knows none (a ballpark way)."""
    geodetic = source.geodetic_crs or source
    if geodetic.equals(STORED) or _is_wgs84(geodetic):
        return 0.0
    return _accuracy_m(geodetic)


@cache
def _accuracy_m(geodetic: CRS) -> float | None:
    ways = TransformerGroup(geodetic, STORED, always_xy=True).transformers
    stated = [way.accuracy for way in ways if way.accuracy >= 0]
    return min(stated) if stated else None


def _is_wgs84(geodetic: CRS) -> bool:
    datum = (geodetic.datum.name if geodetic.datum else "").lower()
    return any(name in datum for name in ("wgs 84", "wgs84", "world geodetic system 1984", "china geodetic", "2000"))


def project(shapes: Objects, source: CRS, target: CRS = STORED) -> Objects:
    """Shapes in another system; points beyond its reach become infinite."""
    if source == target or (source.is_geographic and _is_wgs84(source) and target == STORED):
        return shapes
    way = transformer(source, target)

    def move(xy: Float) -> Float:
        return np.column_stack(way.transform(xy[:, 0], xy[:, 1])) if len(xy) else xy

    return np.asarray(shapely.transform(shapes, move), dtype=object)


def plane_around(lonlat: Float) -> CRS:
    """A transverse Mercator plane in metres through the middle of the data."""
    middle = float(np.median(lonlat[:, 0])) if len(lonlat) else 114.0
    return CRS.from_proj4(f"+proj=tmerc +lat_0=0 +lon_0={middle:.4f} +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m")


def lengths_m(lines: Objects) -> Float:
    """Length of every line (longitude, latitude) on the ellipsoid."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    if len(xy) < 2:
        return np.zeros(len(lines))
    _, _, step = ELLIPSOID.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    same = owner[:-1] == owner[1:]
    sums = np.bincount(owner[1:][same], weights=np.asarray(step)[same], minlength=len(lines))
    return np.asarray(sums, np.float64)


def fits(xy: Float, crs: CRS) -> NDArray[np.bool_]:
    """Which coordinates can be meant in the system: inside the globe, or inside its area of use with a wide margin."""
    if crs.is_geographic:
        return np.asarray((np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90))
    lon, lat = transformer(crs).transform(xy[:, 0], xy[:, 1])
    area = crs.area_of_use
    west, south, east, north = (-180, -90, 180, 90) if area is None else (area.west, area.south, area.east, area.north)
    if west > east:
        west, east = -180, 180
    inside = (lon >= west - 3) & (lon <= east + 3) & (lat >= south - 3) & (lat <= north + 3)
    return np.asarray(np.isfinite(lon) & inside)


def swapped(xy: Float) -> Float:
    """Coordinates with the axes exchanged."""
    return xy[:, ::-1]


def candidates(xy: Float) -> list[tuple[str, CRS]]:
    """Chinese systems that the numbers allow, named, CGCS2000 first; nothing for numbers that fit none."""
    x, y = np.nanmedian(xy, axis=0)
    west, south, east, north = CHINA
    if np.all(np.abs(xy[:, 0]) <= 180) and np.all(np.abs(xy[:, 1]) <= 90):
        geographic = [(name, code) for name, code, *_ in DATUMS]
        geographic.insert(1, ("WGS 84", 4326))
        return [(Phrase("{datum} 经纬度", datum=_datum(name)), CRS.from_epsg(code)) for name, code in geographic]
    if not 3e5 <= y <= 6.2e6:
        return []
    found: list[tuple[str, CRS]] = []
    zone = int(x // 1e6)
    for name, _, zone3, meridian3, zone6, meridian6 in DATUMS:
        if 25 <= zone <= 45:
            found.append(
                (Phrase("{datum} 3 度带 {zone} 带", datum=_datum(name), zone=zone), CRS.from_epsg(zone3 + zone - 25))
            )
        elif 13 <= zone <= 23:
            found.append(
                (Phrase("{datum} 6 度带 {zone} 带", datum=_datum(name), zone=zone), CRS.from_epsg(zone6 + zone - 13))
            )
        elif zone == 0 and 1e5 <= x <= 9e5:
            for wide, first, count in ((3, meridian3, 21), (6, meridian6, 11)):
                found += [
                    (
                        Phrase(
                            "{datum} {wide} 度带 中央经线 {meridian}°E（无带号）",
                            datum=_datum(name),
                            wide=wide,
                            meridian=75 + wide * i,
                        ),
                        CRS.from_epsg(first + i),
                    )
                    for i in range(count)
                ]
    return [(name, crs) for name, crs in found if _lands(xy, crs, (west, south, east, north))]


def _datum(name: str) -> str:
    return {"西安80": Phrase("西安80"), "北京54": Phrase("北京54")}.get(name, name)


def _lands(xy: Float, crs: CRS, box: tuple[float, float, float, float]) -> bool:
    lon, lat = transformer(crs).transform(*np.nanmedian(xy, axis=0))
    return bool(box[0] <= lon <= box[2] and box[1] <= lat <= box[3])


def proposals(
    xy: Float, count: int, frames: Sequence[Frame], *, option: str = "--crs", prefix: str = "", limit: int = 12
) -> list[Proposal]:
    """Every system that fits the numbers as a proposal with its evidence, those that land in a known place first."""
    ranked = []
    for order, (name, crs) in enumerate(candidates(xy)):
        lonlat = np.column_stack(transformer(crs).transform(xy[:, 0], xy[:, 1]))
        place, inside = _place(lonlat, frames)
        accuracy = accuracy_m(crs)
        told = "" if accuracy == 0 else Phrase("；转到 CGCS2000 的精度未知，可差百米")
        if accuracy:
            told = Phrase("；转到 CGCS2000 的精度约 {metres:g} m", metres=accuracy)
        lon, lat = np.nanmedian(lonlat, axis=0)
        if place and inside:
            evidence = "{name}，{count} 个要素中 {inside:.0%} 落在{place}{accuracy}"
        else:
            evidence = "{name}，落在 {lon:.2f}°E {lat:.2f}°N 一带{accuracy}"
        params = {
            "name": name,
            "count": count,
            "inside": inside,
            "place": place,
            "accuracy": told,
            "lon": float(lon),
            "lat": float(lat),
        }
        ranked.append((-inside, order, Proposal(f"{prefix}{option} {crs.to_epsg()}", evidence, params)))
    ranked.sort(key=lambda entry: entry[:2])
    if ranked and -ranked[0][0] > 0.5:
        ranked = [entry for entry in ranked if -entry[0] > 0.1]
    return [proposal for _, _, proposal in ranked[:limit]]


def _place(lonlat: Float, frames: Sequence[Frame]) -> tuple[str, float]:
    """The first known place that holds the most of the points, and the share it holds."""
    points = shapely.points(lonlat[np.isfinite(lonlat).all(axis=1)])
    best = ("", 0.0)
    for frame in frames:
        shapely.prepare(frame.shape)
        inside = float(np.mean(shapely.contains(frame.shape, points))) if len(points) else 0.0
        if inside > best[1] + 1e-9:
            best = (frame.name, inside)
    return best
