"""The three meanings of upstream: the set of reaches, what the splits route, and the main path. Never one for another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hydro.network import RiverNetwork
from hydro.order import COMPILED_FROM, Int, by_place
from hydro.solve import Solver
from hydro.topology import Float, Topology
from hydro.transport import Passage


def upstream_set(network: RiverNetwork, section: str) -> tuple[str, ...]:
    """Every reach from which water can come to a section, each once, its own reach included, in flow order.

    A set: a catchment counts once, however many ways lead down from it, and whatever share a split gives it. A closed
    reach lets nothing by, so what lies above it is upstream only if another way leads down.
    """
    reach, _ = network.position("sections", network.section_id(section))
    inside = upstream_of_reach(network, reach)
    return tuple(str(network.reaches.index[r]) for r in network.topology.order if inside[r])


def upstream_of_reach(network: RiverNetwork, reach: int) -> NDArray[np.bool_]:
    """Which reaches drain to the end of a reach by any way, itself included. (n,)"""
    inside = reaches_above(network.topology, int(network.topology.from_node[reach]), network.entering_by_node)
    inside[reach] = True
    return inside


def reaches_above(topology: Topology, node: int, entering: tuple[Int, Int] | None = None) -> NDArray[np.bool_]:
    """Which reaches drain to a node by any open way. (n,) ``entering``: reaches grouped by the node they end at."""
    first, by_node = entering or by_place(topology.to_node, topology.node_count)
    inside = np.zeros(topology.reach_count, bool)
    if topology.reach_count >= COMPILED_FROM:
        from hydro import kernels

        kernels.upstream(first, topology.from_node[by_node], by_node, topology.closed, node, inside)
        return inside
    waiting = [node]
    while waiting:
        here = waiting.pop()
        for above in by_node[first[here] : first[here + 1]].tolist():
            if not inside[above] and not topology.closed[above]:
                inside[above] = True
                waiting.append(int(topology.from_node[above]))
    return inside


def routed_total(network: RiverNetwork, own: Float) -> Float:
    """Sum of ``own`` (one value a reach) over everything upstream of each reach's end, passed on by the splits. (n,)

    Water, or a conservative load: nothing decays; what a split sends elsewhere does not count here.
    """
    topology = network.topology
    ones = np.where(topology.closed, 0.0, 1.0)
    solver = Solver(topology, Passage(topology.share, ones, np.zeros(topology.reach_count), topology.lake))
    entering = np.bincount(topology.to_node, weights=own * ones, minlength=topology.node_count).astype(np.float64)
    return np.asarray(own + topology.share * solver.forward(entering)[topology.from_node], np.float64)


def main_path(network: RiverNetwork, reach_id: str) -> tuple[str, ...]:
    """The way down to the mouth from a reach, itself included, taking the largest share at every split."""
    topology, way = network.topology, network.main_way
    reach = network.reach_position[reach_id]
    path = [reach]
    while (following := int(way[topology.to_node[path[-1]]])) >= 0:
        path.append(following)
    return tuple(str(network.reaches.index[r]) for r in path)


def path_length_m(network: RiverNetwork) -> Float:
    """Metres from the end of every reach to the mouth along its main path. (n,)"""
    topology, way = network.topology, network.main_way
    below = np.zeros(topology.reach_count)
    for reach in topology.order[::-1]:
        following = int(way[topology.to_node[reach]])
        if following >= 0:
            below[reach] = topology.length_m[following] + below[following]
    return below


def steps_to(network: RiverNetwork, weights: Float, start: int, ends: Sequence[int]) -> tuple[int, ...]:
    """The reaches from one reach down to any of ``ends``, following the largest weight at every node.

    ``weights`` (n,): the share of what passes a reach that is delivered; 0 closes a way.
    """
    topology = network.topology
    path, goals = [start], set(ends)
    while path[-1] not in goals:
        ways = [r for r in network.leaving(int(topology.to_node[path[-1]])) if weights[r] > 0]
        if not ways:
            return ()
        path.append(max(ways, key=lambda r: float(weights[r])))
    return tuple(path)
