"""Many draws on a real Dask cluster beside one process: ``python -m benchmarks.cluster [--reaches 100000] [--draws 1000] [--sections 20]``.

One thread of one process; all threads of one process; a ``dask scheduler`` with two ``dask worker`` processes of one thread
on loopback; the same with one worker killed half-way. Every run must give the same numbers to the last bit, else the
benchmark fails. ``speed_up`` is against one thread; ``overhead_s`` is what two workers take beyond half of its time:
on two cores the scheduler and this process share them with the workers. ``sent_mb``: the parts as they are sent, and the
results that come back; ``sent_between_mb``: the loads that parts send down.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import hydro
from benchmarks.interrupt import end_with_all
from benchmarks.synthetic import make_basin
from hydro.ensemble import Threads, ensemble, prepare
from layers.cluster import Cluster

sys.path[:0] = [str(Path(__file__).parent.parent / "tests")]

from dask_cluster import dask_cluster  # noqa: E402


def timed(**asked: Any) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    load = ensemble(**asked).load_kg_d
    return time.perf_counter() - start, load


def measure(reaches: int, draws: int, sections: int, runs: int) -> dict[str, Any]:
    network = hydro.build_network(make_basin(reaches, reaches // 20, sections))
    asked = {"network": network, "draws": draws, "seed": 1}
    ensemble(network, draws=2)  # compiled or cached
    seconds: dict[str, list[float]] = {}
    expected = None

    def note(name: str, **more: Any) -> None:
        nonlocal expected
        took, load = timed(**asked, **more)
        expected = load if expected is None else expected
        assert (load == expected).all(), f"{name} differs"
        seconds.setdefault(name, []).append(took)

    with tempfile.TemporaryDirectory(prefix="qy-dask-") as folder, dask_cluster(Path(folder), 2) as running:
        cluster = Cluster(running.address)
        try:
            for _ in range(runs):
                note("one_thread_s", runner=Threads(1))
                note("threads_s", runner=Threads())
                note("two_workers_s", runner=cluster)

            def kill(done: int, total: int) -> None:
                if done == total // 2:
                    running.workers[0].kill()

            note("one_worker_killed_s", runner=cluster, progress=kill)
        finally:
            cluster.close()
    stretches = prepare(network)
    best = {name: min(times) for name, times in seconds.items()}
    down = sum(len(stretch.part.sends) for stretch in stretches)
    return {
        "reaches": reaches, "draws": draws, "sections": sections, "parts": len(stretches),
        **best,
        **{f"{name.removesuffix('_s')}_median_s": median(times) for name, times in seconds.items() if len(times) > 1},
        "speed_up": best["one_thread_s"] / best["two_workers_s"],
        "overhead_s": best["two_workers_s"] - best["one_thread_s"] / 2,
        "sent_mb": (sum(len(pickle.dumps(stretch)) for stretch in stretches) + 8 * draws * sections) / 1e6,
        "sent_between_mb": 8 * draws * down / 1e6,
        "identical": True,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=100_000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--sections", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    given = parser.parse_args()
    end_with_all()
    found = measure(given.reaches, given.draws, given.sections, given.runs)
    if given.format == "json":
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:22s} {value:,.3f}" if isinstance(value, float) else f"{name:22s} {value}")


if __name__ == "__main__":
    main()
