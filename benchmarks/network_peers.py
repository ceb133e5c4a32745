"""The peers of the network benchmark, each given the same rivers; what one cannot do is left out and said.

``PEERS`` names them. earthkit-hydro and pynhd are not among what the program needs: ``benchmarks/requirements.txt``
brings them; without them the table says that they are not installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.rivers import Rivers

PATIENCE_S = 60.0
"""A work that takes long is not repeated for longer than this, whatever number of runs was asked for."""


def timed(work: Callable[[], Any], runs: int) -> dict[str, float]:
    seconds: list[float] = []
    while len(seconds) < runs and sum(seconds) < PATIENCE_S:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return {"best": min(seconds), "median": median(seconds), "runs": len(seconds)}


def through(rivers: Rivers) -> np.ndarray:
    """Share of the upper node times what is kept along the reach, splits by discharge."""
    total = np.bincount(rivers.from_node, weights=rivers.discharge_m3_s, minlength=rivers.node_count)
    share = rivers.discharge_m3_s / total[rivers.from_node]
    return share * np.exp(-rivers.decay_per_d * rivers.length_m / (rivers.velocity_m_s * 86_400))


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
        "build_s": timed(build, runs),
        "forward_s": timed(forward, runs),
        "upstream_set_s": timed(lambda: nx.ancestors(graph, mouth), runs),
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
        "build_s": timed(build, runs),
        "forward_s": timed(forward, runs),
        "upstream_set_s": timed(lambda: rx.ancestors(graph, mouth), runs),
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
        "build_s": timed(build, runs),
        "forward_s": timed(lambda: factor.solve(load), runs),
        "adjoint_s": timed(lambda: factor.solve(load, "T"), runs),
        "columns32_s": timed(lambda: factor.solve(many), runs),
        "checksum": float(factor.solve(load).max()),
    }


def with_pyflwdir(rivers: Rivers, runs: int) -> dict[str, Any]:
    """pyflwdir walks trees only and does not decay: its accumulation of a conservative load, the second arms left out."""
    import pyflwdir

    first = as_tree(rivers)
    below = np.arange(rivers.node_count, dtype=np.intp)
    below[rivers.from_node[first]] = rivers.to_node[first]

    def build() -> Any:
        tree = pyflwdir.Flwdir(idxs_ds=below.copy())
        tree.order_cells()
        return tree

    tree = build()
    load = np.ones(rivers.node_count)
    tree.accuflux(load)
    return {"build_s": timed(build, runs), "forward_s": timed(lambda: tree.accuflux(load), runs)}


def as_tree(rivers: Rivers) -> np.ndarray:
    """Positions of the first reach that leaves every node: what is left of a network for those who know trees only."""
    return np.unique(rivers.from_node, return_index=True)[1]


def with_earthkit(rivers: Rivers, runs: int) -> dict[str, Any]:
    """earthkit-hydro on a tree with decay, its second arms left out: its reader of braided networks walks them once for
    every length of way, which took more than a minute for 10,000 reaches of these rivers. Reading of files is not counted."""
    from earthkit.hydro import upstream
    from earthkit.hydro._readers._core import create_network
    from earthkit.hydro.data_structures import RiverNetwork

    first = as_tree(rivers)
    start, end = rivers.from_node[first].astype(np.int64), rivers.to_node[first].astype(np.int64)
    everywhere = np.ones(rivers.node_count, bool)

    def build() -> Any:
        return RiverNetwork(create_network(start, end, everywhere, (1, rivers.node_count)))

    network = build()
    load, part = np.ones(rivers.node_count), through(rivers)[first]

    def forward() -> np.ndarray:
        return np.asarray(upstream.array.sum(network, load, edge_weights=part, return_type="masked"))

    return {"build_s": timed(build, runs), "forward_s": timed(forward, runs)}


def with_pynhd(rivers: Rivers, runs: int) -> dict[str, Any]:
    """pynhd's ``vector_accumulation``, a tree without second arms; it builds its graph anew on every call."""
    import pandas as pd
    from pynhd import vector_accumulation

    first = as_tree(rivers)
    below = dict(zip(rivers.from_node[first].tolist(), (first + 1).tolist(), strict=True))
    lines = pd.DataFrame({"comid": first + 1, "tocomid": [below.get(n, 0) for n in rivers.to_node[first].tolist()]})
    lines["load"], lines["through"] = 1.0, through(rivers)[first]

    def whole() -> Any:
        return vector_accumulation(
            lines, lambda arriving, own, part: (arriving + own) * part, "load", ["load", "through"]
        )

    return {"forward_s": timed(whole, runs)}


PEERS: dict[str, Callable[[Rivers, int], dict[str, Any]]] = {
    "networkx": with_networkx,
    "rustworkx": with_rustworkx,
    "scipy": with_scipy,
    "pyflwdir": with_pyflwdir,
    "earthkit": with_earthkit,
    "pynhd": with_pynhd,
}
