"""Rivers and catchments from a large DEM, beside pyflwdir as its own examples use it, whole in memory.

``python -m benchmarks.terrain --side 10000 --format table|json``.  A rough plain that falls gently is made first (not
measured). Each way runs in a process of its own, whose peak memory is asked of the system: *ours* from the file to
reaches, catchment outlines and areas (``layers.intake.streams.rivers_of_land``), hillshade included; *ours, rivers given* the same
for the extracted rivers as a project's own (``layers.land.terrain.land_of_rivers``); *pyflwdir* reads the file whole, then
``from_dem``, ``upstream_area``, ``streams`` and ``basins`` of the same threshold, without outlines. ``--no-peer`` leaves it out
(at 10,000 × 10,000 cells it takes 3.95 GB against our 1.62 GB).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.interrupt import end_with_all

WAYS = ("ours", "ours, rivers given", "pyflwdir")
CELL_M = 30.0
THRESHOLD_KM2 = 50.0


def make(path: Path, side: int) -> None:
    """A DEM of ``side`` × ``side`` cells, tiled, written row by row: swells of a kilometre on a slope of 1 in 3000."""
    import rasterio
    from rasterio import Affine
    from rasterio.windows import Window

    rng = np.random.default_rng(1)
    coarse = rng.normal(size=(side // 40 + 2, side // 40 + 2)) * 4
    column = np.arange(side) / 40
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="float32", crs=4547, tiled=True,
        transform=Affine(CELL_M, 0, 400_000.0, 0, -CELL_M, 4_100_000.0), nodata=-9999.0,
    ) as file:  # fmt: skip
        for top in range(0, side, 256):
            rows = np.arange(top, min(side, top + 256))
            above, part = rows // 40, (rows % 40 / 40)[:, None]
            low = np.array([np.interp(column, np.arange(len(line)), line) for line in coarse[above]])
            high = np.array([np.interp(column, np.arange(len(line)), line) for line in coarse[above + 1]])
            swell = low * (1 - part) + high * part
            slope = 200 - (rows[:, None] + 0.5 * np.arange(side)) * CELL_M / 3000
            file.write((swell + slope + 0.2 * rng.normal(size=swell.shape)).astype(np.float32), 1,
                       window=Window(0, top, side, len(rows)))  # fmt: skip


def ours(dem: Path, out: Path) -> int:
    from layers.intake.streams import rivers_of_land, write_land
    from layers.land.dem import Dem

    land = rivers_of_land(Dem(dem), threshold_km2=THRESHOLD_KM2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_land(land, out)
    print(f"peak before writing {peak / 2**20:.2f} GB", file=sys.stderr)
    return len(land.reaches)


def ours_given(dem: Path, out: Path) -> int:
    import geopandas as gpd
    import shapely

    import hydro
    from layers.land.dem import Dem
    from layers.land.terrain import land_of_rivers

    reaches = gpd.read_file(out, layer="reaches").assign(length_m=1000.0)
    ends = shapely.get_coordinates(shapely.get_point(reaches.geometry, [[0], [-1]]))
    _, node = np.unique(np.round(ends, 7), axis=0, return_inverse=True)
    names = np.array([f"N{i}" for i in node.reshape(-1)])
    reaches = reaches.assign(from_node=names[: len(reaches)], to_node=names[len(reaches) :])
    land = land_of_rivers(Dem(dem), hydro.build_network({"reaches": reaches}), reaches)
    return int((land.catchments["kind"] == "reach").sum())


def pyflwdir_plain(dem: Path, _: Path) -> int:
    import pyflwdir
    import rasterio

    with rasterio.open(dem) as file:
        height, transform = file.read(1), file.transform
    flow = pyflwdir.from_dem(height, nodata=-9999.0, transform=transform)
    mask = flow.upstream_area(unit="km2") >= THRESHOLD_KM2
    found = flow.streams(mask=mask, min_sto=1)
    flow.basins()
    return len(found)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--side", type=int, default=10_000)
    options.add_argument("--format", choices=["table", "json"], default="table")
    options.add_argument("--no-peer", action="store_true")
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = options.parse_args()
    end_with_all()
    if asked.way:
        one(asked.way, asked.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder, "dem.tif"), asked.side)
        rows = [measured(way, folder) for way in WAYS if not (asked.no_peer and way == "pyflwdir")]
    for row in rows:
        row["times_ours_s"] = round(row["seconds"] / rows[0]["seconds"], 2)
        row["times_ours_gb"] = round(row["peak_gb"] / rows[0]["peak_gb"], 2)
    if asked.format == "json":
        print(json.dumps({"side": asked.side, "rows": rows}, ensure_ascii=False))
        return
    print(f"{asked.side:,} × {asked.side:,} cells")
    print("way                  reaches  seconds  peak GB  × ours s  × ours GB")
    for row in rows:
        print(
            f"{row['way']:<20} {row['reaches']:>7,} {row['seconds']:>8.1f} {row['peak_gb']:>8.2f}"
            f" {row['times_ours_s']:>9.2f} {row['times_ours_gb']:>10.2f}"
        )


def measured(way: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.terrain", "--way", way, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return {"way": way, **json.loads(done.stdout)}


def one(way: str, folder: Path) -> None:
    run = {"ours": ours, "ours, rivers given": ours_given, "pyflwdir": pyflwdir_plain}[way]
    began = time.perf_counter()
    reaches = run(folder / "dem.tif", folder / "out.gpkg")
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"reaches": reaches, "seconds": round(seconds, 1), "peak_gb": round(peak, 3)}))


if __name__ == "__main__":
    main()
