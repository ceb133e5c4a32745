"""Building, routing and tracing a river network, beside its peers, each in a process of its own.

``python -m benchmarks.network --reaches 1000000 --format table|json``.  Every figure is the best of ``--runs`` (the
median stands beside it in json); what takes long is repeated for a minute, and a peer that is not done in ``--limit``
seconds is cut off and said to be.  ``build_s`` goes from columns of numbers to a network ready to solve;
``forward_s`` routes one load everywhere; ``adjoint_s`` asks what every node gives to one place; ``columns32_s`` routes 32
loads at once.  ``memory_bound_s`` is the time the machine needs to move the bytes of one forward run (32 a reach): the
best of many copies of arrays of just that size, in the same process, so that what fits a cache is held against that cache.
``columns32_bound_s`` is the same for what 32 loads must move: 256 bytes read and 256 written a node, and the network once.
``rss_grown_mb``: what the built network, one forward and one adjoint run added to the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from typing import Any

import numpy as np

from benchmarks.interrupt import end_with_all
from benchmarks.network_peers import PEERS, timed
from benchmarks.rivers import Rivers, make_rivers
from hydro.order import COMPILED_FROM

BYTES_A_REACH = 32  # first slot 4, other node 4, through 8, load read 8 and written 8
BYTES_A_REACH_32 = 16 + 2 * 8 * 32
LIMIT_S = 900.0
NOT_INSTALLED = " (pip install -r benchmarks/requirements.txt)"


def built(rivers: Rivers) -> tuple[Any, Any]:
    """From columns of numbers to a solver at work: the number of every node, and the solver."""
    from hydro.network import number_nodes
    from hydro.solve import Solver
    from hydro.topology import arrange
    from hydro.transport import Conditions, passage

    rank, start, end = number_nodes(rivers.from_node, rivers.to_node, rivers.node_count)
    columns = {name: getattr(rivers, name) for name in ("length_m", "discharge_m3_s", "velocity_m_s", "decay_per_d")}
    topology = arrange(start, end, rivers.node_count, **{key: value.copy() for key, value in columns.items()})
    water = topology.discharge_m3_s, topology.velocity_m_s, topology.decay_per_d
    solver = Solver(topology, passage(topology, Conditions(None, *water, np.ones(topology.reach_count), 20.0)))
    solver.ready()
    return rank, solver


def warm(rivers: Rivers) -> None:
    _, solver = built(rivers)
    solver.forward(np.ones(rivers.node_count)), solver.backward(np.ones(rivers.node_count))
    solver.forward(np.ones((rivers.node_count, 2)))


def ours(rivers: Rivers, runs: int) -> dict[str, Any]:
    from hydro.upstream import reaches_above

    if len(rivers.from_node) >= COMPILED_FROM:  # the compiled loops and their library are no part of the network
        warm(make_rivers(COMPILED_FROM))
    load = np.random.default_rng(0).random(rivers.node_count)
    before = current_rss_mb()
    rank, solver = built(rivers)
    held = solver.forward(load), solver.backward(load)
    grown = current_rss_mb() - before
    del held
    many = np.random.default_rng(0).random((rivers.node_count, 32))
    solved = solver.forward(many)  # whoever asks again and again keeps the place of the answer

    mouth = int(np.argmax(rank == rank.max()))
    result = {
        "engine": solver.engine,
        "build_s": timed(lambda: built(rivers), runs),
        "forward_s": timed(lambda: solver.forward(load), runs),
        "adjoint_s": timed(lambda: solver.backward(load), runs),
        "columns32_s": timed(lambda: solver.forward(many, out=solved), runs),
        "upstream_set_s": timed(lambda: reaches_above(solver.topology, int(rank[mouth])), runs),
        "rss_mb": current_rss_mb(),
        "rss_grown_mb": grown,
        "memory_bound_s": moved_s(BYTES_A_REACH * len(rivers.from_node)),
        "columns32_bound_s": moved_s(BYTES_A_REACH_32 * len(rivers.from_node), runs),
        "checksum": float(solver.forward(np.ones(rivers.node_count))[rank[mouth]]),
    }
    return result


def current_rss_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def moved_s(moved: int, runs: int = 100) -> float:
    """Seconds in which one core moves so many bytes, half of them read and half written: the best of many copies."""
    source, target = np.ones(moved // 16), np.ones(moved // 16)
    return timed(lambda: np.copyto(target, source), runs)["best"]


def measure(name: str, asked: argparse.Namespace, runs: int) -> dict[str, Any]:
    """One implementation in a fresh process; its figures, or why it has none."""
    words = ["--reaches", str(asked.reaches), "--shape", asked.shape, "--runs", str(runs), "--child", name]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.network", *words],
            capture_output=True, text=True, check=False, timeout=asked.limit,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"failed": f"not done in {asked.limit:.0f} s"}
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
        return {"failed": why + (NOT_INSTALLED if why.startswith("ModuleNotFoundError") else "")}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def flat(figures: dict[str, Any]) -> dict[str, Any]:
    """Best times under the plain name, medians beside them."""
    row: dict[str, Any] = {}
    for key, value in figures.items():
        if isinstance(value, dict):
            stem = key.removesuffix("_s")
            row[key], row[f"{stem}_median_s"], row[f"{stem}_runs"] = value["best"], value["median"], value["runs"]
        else:
            row[key] = value
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=100_000)
    parser.add_argument("--shape", choices=("basin", "chain", "star"), default="basin")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--peers", default=",".join(PEERS), help="comma separated; empty for none")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds after which a peer is cut off")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    end_with_all()
    try:
        show(asked)
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was kept")


def show(asked: argparse.Namespace) -> None:
    if asked.child:
        rivers = make_rivers(asked.reaches, shape=asked.shape)
        print(json.dumps({"ours": ours, **PEERS}[asked.child](rivers, asked.runs)))
        return
    peers = [name for name in asked.peers.split(",") if name]
    if unknown := set(peers) - set(PEERS):
        sys.exit(f"unknown peers: {', '.join(sorted(unknown))}; known are {', '.join(PEERS)}")
    measure("ours", asked, 1)  # compiles and caches the kernels
    result = {"reaches": asked.reaches, "shape": asked.shape, **flat(measure("ours", asked, asked.runs))}
    if "failed" in result:
        sys.exit(result["failed"])
    result["peers"] = {name: flat(measure(name, asked, asked.runs)) for name in peers}
    if asked.format == "json":
        print(json.dumps(result))
        return
    columns = ("build_s", "forward_s", "adjoint_s", "columns32_s", "upstream_set_s")
    print(
        f"{asked.reaches:,} reaches ({asked.shape}); memory bound of a forward run {1e3 * result['memory_bound_s']:.2f} ms, "
        f"of 32 columns {1e3 * result['columns32_bound_s']:.2f} ms"
    )
    print(f"{'':12}" + "".join(f"{name[:-2] + ' ms':>18}" for name in columns))
    for name, row in {"qingyuan": result, **result["peers"]}.items():
        cells = "".join(f"{1e3 * row[key]:18.2f}" if key in row else f"{'—':>18}" for key in columns)
        print(f"{name:12}{cells}  {row.get('failed', '')}")
    print(
        f"resident {result['rss_mb']:.0f} MB, of which the network {1e6 * result['rss_grown_mb'] / asked.reaches:.0f} B a reach"
    )


if __name__ == "__main__":
    main()
