"""Draw rasters over the demo basin 示例流域, all made up: ``python tools/draw_land.py FOLDER [--cell 200]``.

``dem.tif`` (m), ``landuse.tif`` (codes of GlobeLand30) and ``rain.tif`` (mm, July and August 2022), to try the verbs
terrain, landuse and rainfall on.  The same seed gives the same cells.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio import Affine
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
PLANE = 4547
"""CGCS2000, three-degree zone of 114°E."""
SEED = 20220731
RIM_M = 6000.0


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cell", type=float, default=200.0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    draw(asked.folder, asked.cell)


def draw(folder: Path, cell_m: float = 200.0) -> None:
    """Write the three rasters."""
    rng = np.random.default_rng(SEED)
    rivers = gpd.read_file(DEMO / "reaches.geojson").to_crs(PLANE)
    west, south, east, north = rivers.total_bounds + np.array([-RIM_M, -RIM_M, RIM_M, RIM_M])
    shape = int((north - south) // cell_m), int((east - west) // cell_m)
    x = west + (np.arange(shape[1]) + 0.5) * cell_m
    y = north - (np.arange(shape[0]) + 0.5) * cell_m
    place = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    points = shapely.get_coordinates(shapely.segmentize(np.asarray(rivers.geometry, object), cell_m))
    away_m = cKDTree(points).query(place)[0].reshape(shape)
    gx, gy = (place[:, i].reshape(shape) for i in (0, 1))
    hills_m = np.maximum(0.0, (gy - south) - 0.9 * (gx - west) - 45_000) / 1000
    smooth = gaussian_filter(rng.normal(size=shape), 3000 / cell_m)
    height = 58 + (north - gy + east - gx) / 1000 * 0.12 + away_m / 1000 * 0.6 + 1.5 * smooth / smooth.std()
    height += 14 * hills_m * (1 + 0.5 * gaussian_filter(rng.normal(size=shape), 1500 / cell_m) * 1500 / cell_m)
    use = np.full(shape, 10, np.uint8)
    use[hills_m > 2] = 20
    towns = gaussian_filter(rng.normal(size=shape), 1200 / cell_m)
    use[(towns > np.quantile(towns, 0.9)) & (hills_m < 3)] = 80
    use[away_m < 0.6 * cell_m] = 60
    rain = np.stack([90 + 3 * hills_m + 25 * smooth / smooth.std(), 60 + hills_m - 10 * smooth / smooth.std()])
    write(folder / "dem.tif", height[None].astype(np.float32), (west, north), cell_m, nodata=-9999.0)
    write(folder / "landuse.tif", use[None], (west, north), cell_m, nodata=0)
    write(folder / "rain.tif", rain.clip(0).astype(np.float32), (west, north), cell_m, names=("2022-07", "2022-08"))


def write(path: Path, bands: Any, corner: tuple[float, float], cell_m: float, names: Any = (), **kind: Any) -> None:
    """One GeoTIFF, marked as made up."""
    count, rows, columns = bands.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=count, dtype=bands.dtype, compress="deflate",
        crs=PLANE, transform=Affine(cell_m, 0, corner[0], 0, -cell_m, corner[1]), **kind,
    ) as file:  # fmt: skip
        file.write(bands)
        file.update_tags(DESCRIPTION="示例（模拟数据）")
        for band, name in enumerate(names, 1):
            file.set_band_description(band, name)


if __name__ == "__main__":
    main()
