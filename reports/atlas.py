"""The shapes of a project as its printed maps use them: in metres, in the 3-degree Gauss-Krüger zone of the basin (a transverse
Mercator elsewhere), so that the scale bar is right all over a sheet and north is up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from hydro.columns import text
from reports.content import Content

STORED = "EPSG:4490"
POINTS = {"outlets": "outlet_id", "plants": "plant_id", "gates": "gate_id", "boundaries": "boundary_id"}
Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Atlas:
    """The shapes of a project in metres, made once for all its sheets."""

    crs: pyproj.CRS
    rivers: gpd.GeoSeries
    districts: gpd.GeoDataFrame
    points: Mapping[str, gpd.GeoSeries]
    sections: gpd.GeoSeries
    to_degrees: pyproj.Transformer

    @property
    def extent(self) -> Extent:
        """Where there are rivers, with a little room."""
        return roomy(tuple(self.rivers.total_bounds), 0.03)

    @cached_property
    def lines(self) -> dict[str, np.ndarray]:
        """The places (n x 2) along every river, or along its longest part."""
        return {str(name): longest(shape) for name, shape in self.rivers.items()}

    def within(self, extent: Extent) -> list[str]:
        """The rivers that an extent may show."""
        x0, y0, x1, y1 = self._bounds.T
        seen = (x1 >= extent[0]) & (x0 <= extent[2]) & (y1 >= extent[1]) & (y0 <= extent[3])
        return [name for name, shown in zip(self.lines, seen, strict=True) if shown]

    @cached_property
    def _bounds(self) -> np.ndarray:
        return np.asarray(self.rivers.bounds)

    @property
    def whole(self) -> Extent:
        """Where there are rivers or districts: all that an inset shows."""
        land = [self.districts.total_bounds] if len(self.districts) else []
        return roomy(around(self.rivers.total_bounds, *land), 0.03)

    @property
    def meridian(self) -> float:
        """The central meridian of the projection, in degrees."""
        operation = self.crs.coordinate_operation
        known = {} if operation is None else {one.name: one.value for one in operation.params}
        return float(known["Longitude of natural origin"])

    def around(self, reaches: frozenset[str], sections: Sequence[str] = (), district: str = "") -> Extent:
        """Where some of the reaches are, with some sections and a district."""
        shapes = [
            self.rivers[self.rivers.index.isin(reaches)],
            self.sections[self.sections.index.isin(sections)],
            self.districts.geometry[self.districts["name"] == district] if district else self.districts.geometry[:0],
        ]
        found = [one.total_bounds for one in shapes if len(one)]
        return roomy(around(*(found or [self.rivers.total_bounds])), 0.06)


def around(*bounds: Any) -> Extent:
    """Bounds around several."""
    all_bounds = np.array(bounds)
    return (*all_bounds[:, :2].min(axis=0), *all_bounds[:, 2:].max(axis=0))


def longest(shape: Any) -> np.ndarray:
    """The places (n x 2) of a line, or of the longest part of several."""
    parts = getattr(shape, "geoms", None)
    one = max(parts, key=lambda part: part.length) if parts is not None else shape
    return np.asarray(one.coords)[:, :2]


def roomy(bounds: Any, share: float) -> Extent:
    """Bounds with a margin."""
    x0, y0, x1, y1 = bounds
    pad = share * max(x1 - x0, y1 - y0, 1000.0)
    return (x0 - pad, y0 - pad, x1 + pad, y1 + pad)


def make_atlas(content: Content) -> Atlas:
    """Project the shapes of a content; rows without a geometry are left out, and so are tables that are absent."""
    reaches = _shapes(content.shapes.get("reaches"), "reach_id")
    middle = reaches.total_bounds
    crs = zone((middle[0] + middle[2]) / 2)
    sections = _shapes(content.shapes.get("sections"), "section_id")
    districts = content.shapes.get("districts")
    land = (
        gpd.GeoDataFrame({"name": text(districts, "name")}, geometry=districts["geometry"].to_numpy(), crs=STORED)
        if districts is not None and len(districts) and "geometry" in districts
        else gpd.GeoDataFrame({"name": []}, geometry=[], crs=STORED)
    )
    return Atlas(
        crs=crs,
        rivers=reaches.to_crs(crs),
        districts=land.to_crs(crs),
        points={name: _shapes(content.shapes.get(name), key).to_crs(crs) for name, key in POINTS.items()},
        sections=sections.to_crs(crs),
        to_degrees=pyproj.Transformer.from_crs(crs, STORED, always_xy=True),
    )


def zone(longitude: float) -> pyproj.CRS:
    """The CGCS2000 3-degree Gauss-Krüger zone of a longitude; outside China the same projection on its own meridian.

    >>> zone(114.2).to_epsg()
    4547
    """
    meridian = round(longitude / 3) * 3
    if 75 <= meridian <= 135:
        return pyproj.CRS.from_epsg(4534 + (meridian - 75) // 3)
    return pyproj.CRS.from_proj4(f"+proj=tmerc +lon_0={meridian} +x_0=500000 +ellps=GRS80 +units=m")


def _shapes(table: pd.DataFrame | None, key: str) -> gpd.GeoSeries:
    if table is None or "geometry" not in table:
        return gpd.GeoSeries([], crs=STORED)
    shapes = gpd.GeoSeries(list(table["geometry"]), index=text(table, key).to_numpy(), crs=STORED)
    return shapes[~(shapes.is_empty | shapes.isna())]
