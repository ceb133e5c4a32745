"""What a raster holds within polygons: shares of classes and means, cells cut by a border counted by the part inside.

exactextract does the counting, window by window; polygons go to the raster's system and not the other way, so that no
class is ever resampled.  In degrees a cell counts by its area on the ground, not as one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from hydro.columns import number
from hydro.errors import HydroError
from layers.land import raster
from layers.places import crs as systems

MOST_CELLS = 4_000_000
"""So many cells are in memory at once."""


@dataclass(frozen=True)
class Zones:
    """Polygons by id, laid out in the system of the raster that is open as ``source``."""

    source: Any
    frame: gpd.GeoDataFrame
    geographic: bool

    @classmethod
    @contextmanager
    def over(
        cls, path: Path, catchments: pd.DataFrame, *, crs: str = "", nodata: float | None = None
    ) -> Iterator[Zones]:
        """The rows of a spatial table with an ``id`` over a raster file; rows without a shape are left out.

        Raises HydroError for a raster that cannot be used, that does not tell its system, or that lies elsewhere.
        """
        shapes = np.asarray(catchments["geometry"], object) if "geometry" in catchments else np.empty(0, object)
        here = ~shapely.is_missing(shapes)
        if not here.any():
            message = "项目里没有汇水区。请先用 terrain 由 DEM 划分（加 --save），或导入 catchments"
            raise HydroError("no_catchments", message)
        with raster.opened(path) as file:
            system = raster.system_of(file, crs, shapes[here])
            raster.must_cover(raster.place_of(file, system), shapes[here], path.name)
            laid = systems.project(shapes[here], systems.STORED, system)
            ids = catchments["id"].astype(str).to_numpy()[here]
            with raster.upright(file, system, nodata) as source:
                yield cls(
                    source, gpd.GeoDataFrame({"zone": ids}, geometry=laid, crs=system), bool(system.is_geographic)
                )

    def shares(self) -> pd.DataFrame:
        """Share of each class (columns, as whole numbers in words) of the known cells of each zone."""
        found = self._extract(1, [f"unique({self._weight})", f"frac({self._weight})"])
        rows = {
            zone: {_code(code): float(part) for code, part in zip(classes, parts, strict=True)}
            for zone, classes, parts in zip(found["zone"], found["unique"], found["frac"], strict=True)
        }
        return pd.DataFrame.from_dict(rows, orient="index").fillna(0.0).reindex(self.frame["zone"])

    def means(self, band: int) -> pd.DataFrame:
        """Columns mean, least, most of a band's known cells in each zone; NaN where there is none. Scaled as the file says."""
        found = self._extract(band, [f"mean({self._weight})", "min", "max"]).set_index("zone")
        scale, offset = self.source.scales[band - 1], self.source.offsets[band - 1]
        table = found.astype(np.float64).to_numpy() * scale + offset
        return pd.DataFrame(table, index=found.index, columns=["mean", "least", "most"])

    def known(self, band: int = 1) -> pd.Series[float]:
        """Which part of each zone has known cells."""
        found = self._extract(band, ["count(coverage_weight=fraction)"]).set_index("zone").iloc[:, 0]
        cell = abs(self.source.transform.a * self.source.transform.e)
        whole = shapely.area(np.asarray(self.frame.geometry, object)) / cell
        part = found.to_numpy(np.float64) / np.where(whole > 0, whole, np.nan)
        return pd.Series(np.clip(np.nan_to_num(part), 0.0, 1.0), index=found.index)

    @property
    def _weight(self) -> str:
        return f"coverage_weight={'area_spherical_m2' if self.geographic else 'fraction'}"

    def _extract(self, band: int, operations: list[str]) -> pd.DataFrame:
        from exactextract import exact_extract
        from exactextract.raster import RasterioRasterSource

        cells = RasterioRasterSource(self.source, band_idx=band, name="v")
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message="Spatial reference system"
            )  # the polygons have been laid out here
            try:
                found = exact_extract(
                    cells,
                    self.frame,
                    operations,
                    include_cols=["zone"],
                    output="pandas",
                    max_cells_in_memory=MOST_CELLS,
                )
            except RuntimeError as wrong:  # what the file's reader said, passed through exactextract
                raise raster.broken_off(self.source.name) from wrong
        return pd.DataFrame(found)


def _code(value: Any) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() else f"{number:g}"


def drawn_km2(rows: pd.DataFrame) -> pd.Series[float]:
    """Area of catchments: as told, else by their shape on the ellipsoid."""
    told = number(rows, "area_km2")
    drawn = [abs(systems.ELLIPSOID.geometry_area_perimeter(shape)[0]) / 1e6 for shape in rows["geometry"]]
    return told.fillna(pd.Series(drawn, index=rows.index))


def each_once(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that share out the land without counting any twice: catchments of reaches, else all but those of sections."""
    kind = rows["kind"] if "kind" in rows else pd.Series("", index=rows.index)
    own = rows[kind == "reach"]
    return own if len(own) else rows[kind != "section"]
