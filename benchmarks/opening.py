"""Opening a large project: built and kept, taken as kept, and a plain read beside them, each in a process of its own.

``python -m benchmarks.opening --reaches 100000 --format table|json``.  The project is made first, in a temporary folder,
with a cache of its own.  ``first`` opens it, builds and checks its network and keeps it; ``kept`` opens it again and takes
the kept one; ``plain`` reads the same table with geopandas, without shapes, and makes a networkx graph of it, with no check.
``seconds`` goes from after the imports to a network that can be asked; ``process_s`` is the whole process; ``peak_mb`` its
height.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.interrupt import end_with_all
from benchmarks.synthetic import make_basin

WAYS = ("first", "kept", "plain")


def opened(project: str) -> int:
    import layers

    network = layers.open_project(project).network()
    return int(network.topology.reach_count)


def plain(project: str) -> int:
    import geopandas as gpd
    import networkx as nx

    table = gpd.read_file(project, layer="reaches", ignore_geometry=True)
    graph = nx.from_pandas_edgelist(table, "from_node", "to_node", edge_attr=True, create_using=nx.MultiDiGraph)
    return len(list(nx.topological_sort(graph))) and graph.number_of_edges()


def child(way: str, project: str) -> None:
    import geopandas
    import networkx

    import layers

    assert geopandas, networkx
    assert layers.open_project
    start = time.perf_counter()
    reaches = (plain if way == "plain" else opened)(project)
    took = time.perf_counter() - start
    print(json.dumps({"seconds": took, "peak_mb": peak_mb(), "reaches": reaches}))


def peak_mb() -> float:
    """The height of this process alone; what getrusage tells begins with the height of the one that started it."""
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.split("VmHWM:")[1].split()[0]) / 1024


def measured(way: str, project: Path, cache: Path) -> dict[str, float]:
    if way == "first":
        for file in cache.glob("*"):
            file.unlink()
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.opening", "--child", way, "--project", str(project)],
        capture_output=True, text=True, check=True, env={**os.environ, "QINGYUAN_CACHE": str(cache)},
    )  # fmt: skip
    return {**json.loads(done.stdout.splitlines()[-1]), "process_s": time.perf_counter() - start}


def compare(reaches: int, runs: int) -> dict[str, Any]:
    import layers

    with tempfile.TemporaryDirectory(prefix="qy-open-") as folder:
        project, cache = Path(folder) / "large.gpkg", Path(folder) / "cache"
        cache.mkdir()
        start = time.perf_counter()
        layers.create_project(str(project), name="large", tables=make_basin(reaches, reaches // 50, 20)).close()
        result: dict[str, Any] = {"reaches": reaches, "made_s": time.perf_counter() - start}
        for way in WAYS:
            rows = [measured(way, project, cache) for _ in range(runs)]
            assert all(row["reaches"] == reaches for row in rows)
            result[way] = {
                "seconds": min(row["seconds"] for row in rows),
                "median_s": median(row["seconds"] for row in rows),
                "process_s": min(row["process_s"] for row in rows),
                "peak_mb": max(row["peak_mb"] for row in rows),
            }
        result["project_mb"] = project.stat().st_size / 1e6
        result["kept_mb"] = sum(file.stat().st_size for file in cache.iterdir()) / 1e6
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--project", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    end_with_all()
    if asked.child:
        child(asked.child, asked.project)
        return
    result = compare(asked.reaches, asked.runs)
    if asked.format == "json":
        print(json.dumps(result))
        return
    print(f"{asked.reaches:,} reaches; project {result['project_mb']:.0f} MB, kept {result['kept_mb']:.0f} MB")
    for way in WAYS:
        row = result[way]
        print(
            f"{way:6} {row['seconds']:8.2f} s (median {row['median_s']:.2f}), whole process {row['process_s']:8.2f} s, "
            f"at the height {row['peak_mb']:.0f} MB"
        )


if __name__ == "__main__":
    main()
