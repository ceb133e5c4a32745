"""The import of large shapefiles beside a plain read, join and write, each in a process of its own.

``python -m benchmarks.imports --reaches 100000 --outlets 30000 --format table|json``.  The files are made first: reaches
without nodes or lengths, outlets without a reach, Chinese columns in GBK, coordinates in a 3-degree zone.  ``ours`` brings
them into a fresh project with every check; ``geopandas`` reads both, joins every outlet to the nearest reach and writes a
GeoPackage, with no check, no node, no account of rows.
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
from typing import Any

import numpy as np
import shapely

from benchmarks.interrupt import end_with_all
from benchmarks.synthetic import make_basin

ZONE = "EPSG:4547"  # CGCS2000, 3-degree Gauss-Kruger, central meridian 114° E
WIDEST_M = 240_000.0
"""What the zone holds at this latitude: larger basins are drawn closer together."""

SEARCH_M = 200.0
SNAP_M = 1.0
"""The made-up junctions lie as close as a few metres: 25 m would join what is apart."""


def make_files(folder: Path, reaches: int, outlets: int) -> None:
    basin = make_basin(reaches, outlets)
    lines = basin["reaches"][["reach_id", "river", "geometry"]].to_crs(ZONE)
    lines["geometry"] = drawn_plainly(lines.geometry.to_numpy())
    lines.columns = ["河段编码", "河流名称", "geometry"]
    lines.to_file(folder / "河段.shp", encoding="GBK")
    points = basin["outlets"][["outlet_id", "name", "type", "geometry"]].to_crs(ZONE)
    points["geometry"] = beside(lines.geometry.to_numpy(), len(points))
    points.columns = ["排口编号", "排口名称", "排口类型", "geometry"]
    points.to_file(folder / "排污口.shp", encoding="GBK")


def drawn_plainly(lines: Any) -> Any:
    """The lines within the zone and with gentler windings, so that hardly any two cross: a river layer, not a tangle."""
    xy = shapely.get_coordinates(lines).reshape(len(lines), -1, 2)
    along = np.linspace(0.0, 1.0, xy.shape[1])[None, :, None]
    xy = 0.7 * (xy[:, :1] * (1 - along) + xy[:, -1:] * along) + 0.3 * xy
    low, high = xy.min(axis=(0, 1)), xy.max(axis=(0, 1))
    shrunk = min(1.0, WIDEST_M / float((high - low).max()))
    return shapely.linestrings(np.array([500_000.0, low[1]]) + (xy - (low + high) / 2) * shrunk)


def beside(lines: Any, count: int) -> Any:
    """Points some metres beside the middle of reaches, none of them as near to a second reach."""
    rng = np.random.default_rng(1)
    where = rng.permutation(len(lines))[: min(2 * count, len(lines))]
    middle = shapely.line_interpolate_point(lines[where], rng.uniform(0.3, 0.7, len(where)), normalized=True)
    points = shapely.transform(middle, lambda xy: xy + rng.uniform(-20, 20, xy.shape))
    _, gap = shapely.STRtree(lines).query_nearest(points, all_matches=False, return_distance=True)
    near, _ = shapely.STRtree(lines).query(points, predicate="dwithin", distance=gap + 5.0)
    clear = points[np.bincount(near, minlength=len(points)) == 1]
    return clear[rng.integers(0, len(clear), count)]


def ours(folder: Path, into: Path) -> dict[str, Any]:
    from layers.intake.imports import import_sources
    from layers.intake.read import Options

    outcome = import_sources([folder], into, Options(snap_m=SNAP_M))
    if not outcome.report.sound:
        raise SystemExit(json.dumps(outcome.report.json(), ensure_ascii=False)[:2000])
    return {"rows": dict(outcome.report.accepted), "network": outcome.report.network.reaches}


def with_geopandas(folder: Path, into: Path) -> dict[str, Any]:
    import geopandas

    lines = geopandas.read_file(folder / "河段.shp", encoding="GBK")
    points = geopandas.read_file(folder / "排污口.shp", encoding="GBK")
    joined = points.sjoin_nearest(
        lines[["河段编码", "geometry"]], max_distance=SEARCH_M, distance_col="snap_distance_m"
    )
    lines.to_crs("EPSG:4490").to_file(into, layer="reaches")
    joined.drop(columns="index_right").to_crs("EPSG:4490").to_file(into, layer="outlets")
    return {"rows": {"reaches": len(lines), "outlets": len(joined)}}


WAYS = {"geopandas": with_geopandas, "ours": ours}


def measure(way: str, folder: Path) -> dict[str, Any]:
    """One import in a fresh process; its start and its imports of modules are part of the time."""
    with tempfile.TemporaryDirectory(prefix="qingyuan-bench-") as place:
        into = Path(place, "project.gpkg")
        began = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "benchmarks.imports",
            "--way",
            way,
            "--folder",
            str(folder),
            "--into",
            str(into),
        ]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - began
        return {"seconds": seconds, **json.loads(answer.stdout), "file_mb": into.stat().st_size / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reaches", type=int, default=100_000)
    parser.add_argument("--outlets", type=int, default=30_000)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    end_with_all()
    if said.way:
        told = WAYS[said.way](said.folder, said.into)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**told, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory(prefix="qingyuan-bench-") as place:
        make_files(Path(place), said.reaches, said.outlets)
        found = {way: measure(way, Path(place)) for way in WAYS}
    found["ratio"] = {
        name: found["ours"][name] / found["geopandas"][name] for name in ("seconds", "peak_mb", "file_mb")
    }
    if said.format == "json":
        print(json.dumps(found, indent=1))
        return
    print(f"{said.reaches} reaches, {said.outlets} outlets\n{'':12}{'seconds':>10}{'peak MB':>10}{'file MB':>10}")
    for way, row in found.items():
        print(f"{way:12}{row['seconds']:>10.1f}{row['peak_mb']:>10.0f}{row['file_mb']:>10.1f}")


if __name__ == "__main__":
    main()
