"""Tiny rasters with a known answer, written as any bureau may write them."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio import Affine

PLANE = 4547
"""CGCS2000, three-degree zone of 114°E: a metre is a metre on its meridian."""
CORNER = (500_000.0, 3_900_000.0)


def write(
    path: Path, values: Any, cell: float = 100.0, *, crs: Any = PLANE, corner: Any = CORNER, **options: Any
) -> Path:
    """A GeoTIFF of one band (rows, columns) or several (bands, rows, columns), north up."""
    bands = np.asarray(values)
    bands = bands[None] if bands.ndim == 2 else bands
    count, rows, columns = bands.shape
    transform = options.pop("transform", Affine(cell, 0, corner[0], 0, -cell, corner[1]))
    names = options.pop("names", ())
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=columns, count=count, dtype=bands.dtype, crs=crs,
        transform=transform, **options,
    ) as file:  # fmt: skip
        file.write(bands)
        for band, name in enumerate(names, 1):
            file.set_band_description(band, name)
    return path
