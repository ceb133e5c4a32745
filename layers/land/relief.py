"""The lie of the land as a picture under the map: a hillshade of a DEM, made once, kept in the project, shown offline.

Lambert's law on the surface's normal (Horn 1981, doi:10.1109/PROC.1981.11918): ``shade = n·l`` with
``n = (−p, −q, 1) / √(1 + p² + q²)``, p and q the slopes eastward and northward, l towards the light in the north-west,
45° high. A plain shows nothing as it is: heights are exaggerated until its steeper slopes can be seen, and how much is told.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from hydro.errors import HydroError
from layers.store.pictures import Picture

MERCATOR = CRS.from_epsg(3857)
"""What web maps are drawn in; an image laid over one must be drawn in it too."""
LONGER_SIDE = 1100
STEEP = 0.35
"""The slope that the steeper places (the 95th percentile) shall seem to have."""
MOST_EXAGGERATION = 200.0
AZIMUTH, ALTITUDE = 315.0, 45.0
UNKNOWN = -32768.0

Float = NDArray[np.float64]


def shade(height_m: Float, width_m: Float | float, depth_m: Float | float, exaggeration: float = 1.0) -> Float:
    """Light on every cell, 0 dark … 1 facing the light; NaN where no height is known. Rows run southward.

    ``width_m`` and ``depth_m`` are the sides of a cell, one number or a column of one a row.
    """
    southward, eastward = np.gradient(height_m)
    p, q = exaggeration * eastward / width_m, -exaggeration * southward / depth_m
    azimuth, altitude = np.radians([AZIMUTH, ALTITUDE])
    light = np.cos(altitude) * (-p * np.sin(azimuth) - q * np.cos(azimuth)) + np.sin(altitude)
    return np.asarray(np.maximum(light / np.sqrt(1 + p**2 + q**2), 0.0), np.float64)


def hillshade(source: Any, crs: CRS, *, nodata: float | None = None, file: str = "") -> tuple[Picture, float]:
    """A hillshade of an open DEM as a picture for the map, and how many times its heights are exaggerated.

    Read in parts and averaged down by GDAL: memory does not grow with the file.
    """
    from rasterio import Affine
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT
    from rasterio.warp import transform_bounds

    own = crs.to_wkt()
    west, south, east, north = transform_bounds(own, MERCATOR.to_wkt(), *_upright(source), densify_pts=21)
    scale = LONGER_SIDE / max(east - west, north - south)
    finest = max(source.width, source.height) / max(east - west, north - south)
    scale = min(scale, finest)
    width, height = max(2, round((east - west) * scale)), max(2, round((north - south) * scale))
    known = source.nodata if nodata is None else nodata
    options: dict[str, Any] = {} if known is None else {"src_nodata": known}
    with WarpedVRT(
        source, src_crs=own, crs=MERCATOR.to_wkt(), resampling=Resampling.average, nodata=UNKNOWN, dtype="float32",
        width=width, height=height, transform=Affine((east - west) / width, 0.0, west, 0.0, (south - north) / height, north), **options,
    ) as warped:  # fmt: skip
        heights = np.ma.filled(warped.read(1, masked=True).astype(np.float64), np.nan)
    left, bottom, right, top = transform_bounds(MERCATOR.to_wkt(), "EPSG:4326", west, south, east, north)
    northing = north - (np.arange(height) + 0.5) / scale
    ground = (1 / scale) / np.cosh(northing / 6378137.0)  # the cosine of the latitude of each row
    southward, eastward = np.gradient(heights)
    slope = np.hypot(southward, eastward) / ground[:, None]
    if not np.isfinite(slope).any():
        raise HydroError("raster_empty", "{file} 里没有一个有效的像元。请检查文件与无值（nodata）设置", file=file)
    steep = float(np.nanpercentile(slope, 95))
    exaggeration = float(np.clip(STEEP / steep if steep > 0 else 1.0, 1.0, MOST_EXAGGERATION))
    light = shade(heights, ground[:, None], ground[:, None], exaggeration)
    return Picture(png(light), (left, bottom, right, top), file), exaggeration


def _upright(source: Any) -> tuple[float, float, float, float]:
    (west, east), (south, north) = (
        sorted((source.bounds.left, source.bounds.right)),
        sorted((source.bounds.bottom, source.bounds.top)),
    )
    return west, south, east, north


def png(light: Float) -> bytes:
    """Grey with transparency, even ground almost white so that rivers and names stay readable."""
    from PIL import Image

    known = np.isfinite(light)
    grey = np.where(known, 255 * np.clip(0.95 + 0.8 * (light - np.sin(np.radians(ALTITUDE))), 0, 1), 0)
    pixels = np.stack([np.rint(grey), np.where(known, 255, 0)], axis=-1).astype(np.uint8)
    kept = io.BytesIO()
    Image.fromarray(pixels, "LA").save(kept, "PNG", optimize=True)
    return kept.getvalue()


def laid_on(picture: Picture, crs: CRS, extent: tuple[float, float, float, float], longer_side: int) -> Float:
    """The picture on a grid of another projection: brightness 0 … 1 on ``extent`` (metres), rows southward; NaN beyond it."""
    from PIL import Image
    from rasterio.enums import Resampling
    from rasterio.transform import from_bounds
    from rasterio.warp import reproject, transform_bounds

    grey, known = np.moveaxis(np.asarray(Image.open(io.BytesIO(picture.png)).convert("LA"), np.float32), -1, 0)
    height, width = grey.shape
    west, south, east, north = transform_bounds("EPSG:4326", MERCATOR.to_wkt(), *picture.bounds)
    step = max(extent[2] - extent[0], extent[3] - extent[1]) / longer_side
    columns, rows = (max(2, round((extent[i + 2] - extent[i]) / step)) for i in (0, 1))
    laid = np.full((rows, columns), np.nan, np.float32)
    reproject(
        np.where(known > 0, grey / 255, np.nan).astype(np.float32), laid, resampling=Resampling.bilinear,
        src_transform=from_bounds(west, south, east, north, width, height), src_crs=MERCATOR.to_wkt(), src_nodata=np.nan,
        dst_transform=from_bounds(*extent, columns, rows), dst_crs=crs.to_wkt(), dst_nodata=np.nan,
    )  # fmt: skip
    return laid.astype(np.float64)
