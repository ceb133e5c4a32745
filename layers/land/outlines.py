"""Labelled cells to polygons that share their borders: traced on whole cells, smoothed together, then laid on the ground."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.land.raster import Place
from layers.places import crs as systems

Objects = NDArray[np.object_]

SMOOTH_CELLS = 1.0
"""Corners that cut off a triangle of less than this many cells squared are taken out."""


def outlines(labels: NDArray[np.int32], place: Place, count: int) -> Objects:
    """The outline of each label 1…count in CGCS2000 as one polygon or several; None for a label that has no cell.

    Neighbours keep the same border, so that nothing lies in two catchments or in none: borders are simplified once for
    both sides (coverage simplification, Visvalingam & Whyatt 1993), in cells, before they go to the ground.
    """
    from rasterio.features import shapes

    parts, owner = [], []
    for shape, value in shapes(labels, mask=labels > 0):
        rings = [np.asarray(ring) for ring in shape["coordinates"]]
        parts.append(shapely.Polygon(rings[0], rings[1:]))
        owner.append(int(value))
    found = np.full(count, None, object)
    if not parts:
        return found
    order = np.argsort(owner, kind="stable")
    which = np.asarray(owner)[order]
    noded = shapely.transform(shapely.segmentize(np.asarray(parts, object)[order], 1.0), np.rint)
    smooth = shapely.coverage_simplify(noded, SMOOTH_CELLS)
    west, north = place.origin
    width, depth = place.cell
    laid = shapely.transform(smooth, lambda xy: np.column_stack([west + xy[:, 0] * width, north - xy[:, 1] * depth]))
    laid = shapely.make_valid(systems.project(np.asarray(laid, object), place.crs))
    names, start = np.unique(which, return_index=True)
    for label, shapes_of in zip(names.tolist(), np.split(laid, start[1:]), strict=True):
        polygons = shapely.get_parts(shapes_of)
        polygons = polygons[shapely.get_dimensions(polygons) == 2]
        found[label - 1] = shapely.multipolygons(shapely.get_parts(polygons))
    return found
