"""GCJ-02 and BD-09, the shifted coordinates of web maps: back to the true ones, and how a shift is recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Float = NDArray[np.float64]
Objects = NDArray[np.object_]

SHIFTED = ("gcj02", "bd09")

CLEAR_GAIN = 3.0
"""A shift is suspected when undoing it brings the data so many times nearer to what is known."""

LEAST_SHIFT_M = 60.0
"""Data nearer than this to what is known are taken as unshifted."""


@dataclass(frozen=True)
class Suspicion:
    """A shift that data seem to carry: its name, and how far (median, metres) they lie from what is known with and
    without it."""

    name: str
    before_m: float
    after_m: float


def unshift(shapes: Objects, datum: str) -> Objects:
    """Shapes drawn in GCJ-02 or BD-09 in true longitude and latitude (iterated until below a centimetre)."""
    return np.asarray(shapely.transform(shapes, lambda xy: true_coordinates(xy, datum)), dtype=object)


def true_coordinates(xy: Float, datum: str) -> Float:
    """Longitude and latitude of shifted points; the library undoes the shift, this only passes arrays.

    Many points in a small area are interpolated (cubic) on a grid of 0.01 degrees: the shift's shortest wave is 0.1
    degrees and 13 m high, so the error stays below 2 cm.
    """
    unique, inverse = np.unique(xy, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    low, high = np.floor(unique.min(axis=0) * 100 - 3) / 100, np.ceil(unique.max(axis=0) * 100 + 3) / 100
    lon, lat = (np.arange(a, b + GRID / 2, GRID) for a, b in zip(low, high, strict=True))
    if len(lon) * len(lat) >= len(unique):
        return _undo(unique, datum)[inverse]
    from scipy.interpolate import RectBivariateSpline

    nodes = np.column_stack([axis.ravel() for axis in np.meshgrid(lon, lat, indexing="ij")])
    shift = (_undo(nodes, datum) - nodes).reshape(len(lon), len(lat), 2)
    moved = [RectBivariateSpline(lon, lat, shift[..., i]).ev(unique[:, 0], unique[:, 1]) for i in (0, 1)]
    return np.asarray((unique + np.column_stack(moved))[inverse], np.float64)


GRID = 0.01
"""Spacing of the interpolation grid, degrees."""


def _undo(points: Float, datum: str) -> Float:
    import geocoordinates_ffi as geo

    undo: dict[str, Callable[[float, float], Any]] = {
        "gcj02": lambda lon, lat: geo.gcj02_to_wgs84_refined(geo.Gcj02(lat=lat, lon=lon)),
        "bd09": lambda lon, lat: geo.bd09_to_wgs84_refined(geo.Bd09(lat=lat, lon=lon)),
    }
    true = [undo[datum](lon, lat) for lon, lat in points.tolist()]
    return np.array([(place.lon, place.lat) for place in true], np.float64).reshape(-1, 2)


def suspected(shapes: Objects, away_m: Callable[[Objects], Float]) -> Suspicion | None:
    """The shift that the shapes seem to carry against what is known, None where there is none.

    ``away_m`` gives the distance of shapes from the known ones.  A shift is named only if the data lie clearly away as
    they are and undoing it brings them clearly nearer; of two that do, the better one.
    """
    sample = shapes[:: max(1, len(shapes) // 200)]
    before = float(np.median(away_m(sample)))
    if not before > LEAST_SHIFT_M:
        return None
    after = {datum: float(np.median(away_m(unshift(sample, datum)))) for datum in SHIFTED}
    best = min(after, key=lambda datum: after[datum])
    return Suspicion(best, before, after[best]) if after[best] * CLEAR_GAIN < before else None
