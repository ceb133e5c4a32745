"""Forward and adjoint solves over the network, many columns at once.

With ``m`` the load at the nodes, ``m = P m + b`` where ``P[to, from]`` sums ``share x kept`` of the reaches between two
nodes and ``b`` is what enters at the nodes.  In flow order ``I - P`` is lower triangular, so one sparse LU without fill
serves forward runs (``I - P``), backward runs (its transpose), and any number of columns.  Large networks are walked
by compiled loops instead; both give the same numbers.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from hydro.order import COMPILED_FROM, Int
from hydro.topology import Float, Topology
from hydro.transport import Passage

COLUMN_BLOCK = 32
"""Columns walked together by the compiled loops: wide enough for vector instructions, narrow enough for the cache."""


class Solver:
    """The network under one set of conditions, ready for any number of loads.

    ``engine`` is ``"sparse"`` or ``"compiled"``; by default whichever is quicker at this size.
    """

    def __init__(self, topology: Topology, passed: Passage, *, engine: str | None = None) -> None:
        self.topology = topology
        self.passed = passed
        self.through: Float = passed.share * passed.kept
        self.engine = engine or ("compiled" if topology.reach_count >= COMPILED_FROM else "sparse")

    def forward(self, entering: Float) -> Float:
        """Load at every node from what enters at the nodes. (nodes,) or (nodes, columns), kg/d."""
        if self.engine == "compiled":
            return self._walk("forward", entering)
        return np.asarray(self._factor.solve(np.asarray(entering, np.float64, order="F")), np.float64)

    def backward(self, seen: Float) -> Float:
        """What one unit at every node gives downstream, counted with weights ``seen`` at the nodes. Same shapes."""
        if self.engine == "compiled":
            return self._walk("backward", seen)
        return np.asarray(self._factor.solve(np.asarray(seen, np.float64, order="F"), "T"), np.float64)

    def ready(self) -> None:
        """Factorise or arrange now what the first question would otherwise wait for."""
        _ = self._compiled if self.engine == "compiled" else self._factor

    def _walk(self, direction: str, given: Float) -> Float:
        from hydro import kernels

        given = np.ascontiguousarray(given, np.float64)
        if given.ndim == 1:
            solved = np.empty_like(given)
            getattr(kernels, direction)(*self._compiled, given, solved)
        else:
            solved = np.zeros_like(given)
            getattr(kernels, f"{direction}_columns")(*self._compiled, given, solved, COLUMN_BLOCK)
        return solved

    @cached_property
    def _compiled(self) -> tuple[Int, Int, Float]:
        """First reach of every node, then of every reach in that order its lower node and the part that passes."""
        topology = self.topology
        return topology.first_leaving, topology.to_node[topology.order], self.through[topology.order]

    @cached_property
    def _factor(self) -> Any:
        from scipy.sparse import coo_array, eye_array
        from scipy.sparse.linalg import splu

        topology = self.topology
        nodes = topology.node_count
        flow = coo_array((self.through, (topology.to_node, topology.from_node)), shape=(nodes, nodes)).tocsc()
        return splu((eye_array(nodes, format="csc") - flow).tocsc(), "NATURAL", diag_pivot_thresh=0.0)
