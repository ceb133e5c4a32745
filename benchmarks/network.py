"""Building, routing and tracing a river network, beside its peers, each in a process of its own.

``python -m benchmarks.network --reaches 1000000 --format table|json``.  Every figure is the best of ``--runs`` (the
median stands beside it in json).  ``build_s`` goes from columns of numbers to a network ready to solve;
``forward_s`` routes one load everywhere; ``adjoint_s`` asks what every node gives to one place; ``columns32_s`` routes 32
loads at once.  ``memory_bound_s`` is the time the machine needs to move the bytes of one forward run (32 a reach): the
best of many copies of arrays of just that size, in the same process, so that what fits a cache is held against that cache.
``rss_grown_mb``: what the built network, one forward and one adjoint run added to the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.rivers import Rivers, make_rivers
from hydro.order import COMPILED_FROM

PEERS = ("networkx", "rustworkx", "scipy", "pyflwdir")
BYTES_A_REACH = 32  # first slot 4, other node 4, through 8, load read 8 and written 8


def timed(work: Callable[[], Any], runs: int) -> dict[str, float]:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return {"best": min(seconds), "median": median(seconds)}


def through(rivers: Rivers) -> np.ndarray:
    """Share of the upper node times what is kept along the reach, splits by discharge."""
    total = np.bincount(rivers.from_node, weights=rivers.discharge_m3_s, minlength=rivers.node_count)
    share = rivers.discharge_m3_s / total[rivers.from_node]
    return share * np.exp(-rivers.decay_per_d * rivers.length_m / (rivers.velocity_m_s * 86_400))


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
    solver.forward(many[:, :2].copy())

    mouth = int(np.argmax(rank == rank.max()))
    result = {
        "engine": solver.engine,
        "build_s": timed(lambda: built(rivers), runs),
        "forward_s": timed(lambda: solver.forward(load), runs),
        "adjoint_s": timed(lambda: solver.backward(load), runs),
        "columns32_s": timed(lambda: solver.forward(many), max(runs // 2, 3)),
        "upstream_set_s": timed(lambda: reaches_above(solver.topology, int(rank[mouth])), runs),
        "rss_mb": current_rss_mb(),
        "rss_grown_mb": grown,
        "memory_bound_s": moved_s(BYTES_A_REACH * len(rivers.from_node)),
        "checksum": float(solver.forward(np.ones(rivers.node_count))[rank[mouth]]),
    }
    return result


def current_rss_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def moved_s(moved: int) -> float:
    """Seconds in which one core moves so many bytes, half of them read and half written: the best of a hundred copies."""
    source, target = np.ones(moved // 16), np.ones(moved // 16)
    return timed(lambda: np.copyto(target, source), 100)["best"]


def with_networkx(rivers: Rivers, runs: int) -> dict[str, Any]:
    import networkx as nx

    weight = through(rivers).tolist()
    start, end = rivers.from_node.tolist(), rivers.to_node.tolist()

    def build() -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph()
        graph.add_edges_from((a, b, {"through": w}) for a, b, w in zip(start, end, weight, strict=True))
        return graph

    graph = build()
    order = list(nx.topological_sort(graph))

    def forward() -> dict[int, float]:
        load = dict.fromkeys(order, 1.0)
        for node in nx.topological_sort(graph):
            for _, below, data in graph.out_edges(node, data=True):
                load[below] += data["through"] * load[node]
        return load

    mouth = order[-1]
    return {
        "build_s": timed(build, 1),
        "forward_s": timed(forward, 1 if len(start) > 200_000 else 3),
        "upstream_set_s": timed(lambda: nx.ancestors(graph, mouth), 1),
        "checksum": max(forward()[node] for node in order if graph.out_degree(node) == 0),
    }


def with_rustworkx(rivers: Rivers, runs: int) -> dict[str, Any]:
    import rustworkx as rx

    weight = through(rivers).tolist()
    edges = list(zip(rivers.from_node.tolist(), rivers.to_node.tolist(), weight, strict=True))

    def build() -> rx.PyDiGraph:
        graph = rx.PyDiGraph()
        graph.add_nodes_from(range(rivers.node_count))
        graph.add_edges_from(edges)
        return graph

    graph = build()

    def forward() -> list[float]:
        load = [1.0] * rivers.node_count
        for node in rx.topological_sort(graph):
            for _, below, part in graph.out_edges(node):
                load[below] += part * load[node]
        return load

    mouth = next(node for node in graph.node_indices() if graph.out_degree(node) == 0)
    return {
        "build_s": timed(build, 3),
        "forward_s": timed(forward, 1 if len(edges) > 200_000 else 3),
        "upstream_set_s": timed(lambda: rx.ancestors(graph, mouth), 3),
        "checksum": forward()[mouth],
    }


def with_scipy(rivers: Rivers, runs: int) -> dict[str, Any]:
    """splu in its natural order; the flow order is given to it, as scipy has no topological sort."""
    from scipy.sparse import coo_array, eye_array
    from scipy.sparse.linalg import splu

    from hydro.network import number_nodes

    _, start, end = number_nodes(rivers.from_node, rivers.to_node, rivers.node_count)
    weight = through(rivers)
    nodes = rivers.node_count

    def build() -> Any:
        flow = coo_array((weight, (end, start)), shape=(nodes, nodes)).tocsc()
        return splu((eye_array(nodes, format="csc") - flow).tocsc(), "NATURAL", diag_pivot_thresh=0.0)

    factor = build()
    load = np.ones(nodes)
    many = np.ones((nodes, 32), order="F")
    return {
        "build_s": timed(build, 3),
        "forward_s": timed(lambda: factor.solve(load), runs),
        "adjoint_s": timed(lambda: factor.solve(load, "T"), runs),
        "columns32_s": timed(lambda: factor.solve(many), 3),
        "checksum": float(factor.solve(load).max()),
    }


def with_pyflwdir(rivers: Rivers, runs: int) -> dict[str, Any]:
    """pyflwdir walks trees only and does not decay: its accumulation of a conservative load, the second arms left out."""
    import pyflwdir

    _, first = np.unique(rivers.from_node, return_index=True)
    below = np.arange(rivers.node_count, dtype=np.intp)
    below[rivers.from_node[first]] = rivers.to_node[first]

    def build() -> Any:
        tree = pyflwdir.Flwdir(idxs_ds=below.copy())
        tree.order_cells()
        return tree

    tree = build()
    load = np.ones(rivers.node_count)
    tree.accuflux(load)
    return {"build_s": timed(build, 3), "forward_s": timed(lambda: tree.accuflux(load), runs)}


def measure(name: str, reaches: int, shape: str, runs: int) -> dict[str, Any]:
    """One implementation in a fresh process; its figures, or why it has none."""
    command = [sys.executable, "-m", "benchmarks.network", "--child", name, "--reaches", str(reaches)]
    done = subprocess.run(
        [*command, "--shape", shape, "--runs", str(runs)], capture_output=True, text=True, timeout=1800, check=False
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def flat(figures: dict[str, Any]) -> dict[str, Any]:
    """Best times under the plain name, medians beside them."""
    row: dict[str, Any] = {}
    for key, value in figures.items():
        if isinstance(value, dict):
            row[key], row[f"{key.removesuffix('_s')}_median_s"] = value["best"], value["median"]
        else:
            row[key] = value
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=100_000)
    parser.add_argument("--shape", choices=("basin", "chain", "star"), default="basin")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--peers", default=",".join(PEERS), help="comma separated; empty for none")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        rivers = make_rivers(asked.reaches, shape=asked.shape)
        work = {"ours": ours, "networkx": with_networkx, "rustworkx": with_rustworkx, "scipy": with_scipy}
        print(json.dumps({**work, "pyflwdir": with_pyflwdir}[asked.child](rivers, asked.runs)))
        return
    measure("ours", asked.reaches, asked.shape, 1)  # compiles and caches the kernels
    result = {"reaches": asked.reaches, "shape": asked.shape}
    result |= flat(measure("ours", asked.reaches, asked.shape, asked.runs))
    peers = [name for name in asked.peers.split(",") if name]
    result["peers"] = {name: flat(measure(name, asked.reaches, asked.shape, asked.runs)) for name in peers}
    if asked.format == "json":
        print(json.dumps(result))
        return
    columns = ("build_s", "forward_s", "adjoint_s", "columns32_s", "upstream_set_s")
    print(
        f"{asked.reaches:,} reaches ({asked.shape}); memory bound of a forward run {1e3 * result['memory_bound_s']:.2f} ms"
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
