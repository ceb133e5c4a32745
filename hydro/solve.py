"""Forward and adjoint solves over the network, many columns at once.

With ``m`` the load at the nodes, ``m = P m + b`` where ``P[to, from]`` sums ``share x kept`` of the reaches between two
nodes and ``b`` is what enters at the nodes.  In flow order ``I - P`` is lower triangular, so one sparse LU without fill
serves forward runs (``I - P``), backward runs (its transpose), and any number of columns.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import coo_array, eye_array
from scipy.sparse.linalg import SuperLU, splu

from hydro.network import Float, Int, Topology
from hydro.transport import Passage


class Solver:
    """The network under one set of conditions, ready for any number of loads."""

    def __init__(self, topology: Topology, passed: Passage) -> None:
        self.topology = topology
        self.passed = passed
        self.through = passed.share * passed.kept

    @cached_property
    def _factor(self) -> SuperLU:
        topology = self.topology
        nodes = topology.node_count
        rank = self._rank
        flow = coo_array(
            (self.through, (rank[topology.to_node], rank[topology.from_node])), shape=(nodes, nodes)
        ).tocsc()
        options = {"SymmetricMode": True}
        return splu((eye_array(nodes, format="csc") - flow).tocsc(), "NATURAL", diag_pivot_thresh=0.0, options=options)

    @cached_property
    def _rank(self) -> Int:
        rank = np.empty_like(self.topology.node_order)
        rank[self.topology.node_order] = np.arange(self.topology.node_count, dtype=rank.dtype)
        return rank

    def forward(self, entering: Float) -> Float:
        """Load at every node from what enters at the nodes. (nodes,) or (nodes, columns), kg/d."""
        order = self.topology.node_order
        solved = np.empty_like(entering)
        solved[order] = self._factor.solve(np.ascontiguousarray(entering[order]))
        return solved

    def backward(self, seen: Float) -> Float:
        """What one unit at every node gives downstream, counted with weights ``seen`` at the nodes. Same shapes."""
        order = self.topology.node_order
        solved = np.empty_like(seen)
        transposed: Any = self._factor.solve  # the stubs leave out the second argument
        solved[order] = transposed(np.ascontiguousarray(seen[order]), "T")
        return solved
