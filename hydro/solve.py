"""Forward and adjoint solves over the network, many columns at once.

With ``m`` the load at the nodes, ``m = P m + b`` where ``P[to, from]`` sums ``share x kept`` of the reaches between two
nodes and ``b`` is what enters at the nodes.  In flow order ``I - P`` is lower triangular, so one sparse LU without fill
serves forward runs (``I - P``), backward runs (its transpose), and any number of columns.  Large networks are walked
by compiled loops instead; both give the same numbers.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from hydro.order import COMPILED_FROM, Int, by_place
from hydro.room import must_fit
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

    def forward(self, entering: Float, *, out: Float | None = None) -> Float:
        """Load at every node from what enters at the nodes. (nodes,) or (nodes, columns), kg/d.

        ``out``: where the answer goes (same shape, float64, row by row); it may be ``entering`` itself.
        """
        if self.engine == "sparse":
            return self._solved(entering, "N", out)
        from hydro import kernels

        given, solved = _pair(entering, out)
        if given.ndim == 1:
            np.copyto(solved, given)
            kernels.forward(*self._leaving, solved)
        elif given.shape[1] <= COLUMN_BLOCK:  # waking other threads would take longer than it saves
            kernels.forward_block(*self._entering, given, solved, 0, given.shape[1])
        else:
            kernels.forward_blocks(*self._entering, given, solved, COLUMN_BLOCK)
        return solved

    def backward(self, seen: Float, *, out: Float | None = None) -> Float:
        """What one unit at every node gives downstream, counted with weights ``seen`` at the nodes. Same shapes."""
        if self.engine == "sparse":
            return self._solved(seen, "T", out)
        from hydro import kernels

        given, solved = _pair(seen, out)
        if given.ndim == 1:
            kernels.backward(*self._leaving, given, solved)
        elif given.shape[1] <= COLUMN_BLOCK:
            kernels.backward_block(*self._leaving, given, solved, 0, given.shape[1])
        else:
            kernels.backward_blocks(*self._leaving, given, solved, COLUMN_BLOCK)
        return solved

    def ready(self) -> None:
        """Factorise or arrange now what the first question would otherwise wait for."""
        _ = self._leaving if self.engine == "compiled" else self._factor

    def _solved(self, given: Float, direction: str, out: Float | None) -> Float:
        _foresee(np.shape(given), 3)  # column by column, and back
        solved = np.asarray(self._factor.solve(np.asarray(given, np.float64, order="F"), direction), np.float64)
        if out is None:
            return solved
        out[...] = solved
        return out

    @cached_property
    def _leaving(self) -> tuple[Int, Int, Float]:
        """First reach that leaves every node, then of every reach in that order its lower node and the part that passes."""
        topology = self.topology
        return topology.first_leaving, topology.to_node[topology.order], self.through[topology.order]

    @cached_property
    def _entering(self) -> tuple[Int, Int, Float]:
        """First reach that enters every node, then of every reach in that order its upper node and the part that passes.

        Reaches that enter one node stand in flow order, so that sums run as in ``_leaving``.
        """
        topology = self.topology
        first, slots = by_place(topology.to_node[topology.order], topology.node_count)
        reaches = topology.order[slots]
        return first, topology.from_node[reaches], self.through[reaches]

    @cached_property
    def _factor(self) -> Any:
        from scipy.sparse import coo_array, eye_array
        from scipy.sparse.linalg import splu

        topology = self.topology
        nodes = topology.node_count
        flow = coo_array((self.through, (topology.to_node, topology.from_node)), shape=(nodes, nodes)).tocsc()
        return splu((eye_array(nodes, format="csc") - flow).tocsc(), "NATURAL", diag_pivot_thresh=0.0)


def _pair(given: Float, out: Float | None) -> tuple[Float, Float]:
    """What is given and where the answer goes, both as the compiled loops take them: float64, row by row."""
    _foresee(np.shape(given), (out is None) + (not np.asarray(given).flags.c_contiguous))
    given = np.ascontiguousarray(given, np.float64)
    if out is None:
        return given, np.empty_like(given)
    if out.shape != given.shape or out.dtype != np.float64 or not out.flags.c_contiguous:
        raise ValueError(f"out must be float64, contiguous and of shape {given.shape}, not {out.dtype} {out.shape}")
    return given, out


def _foresee(shape: tuple[int, ...], copies: int) -> None:
    """Refuse loads of which so many copies do not fit beside what is there."""
    must_fit(
        8 * math.prod(shape) * copies,
        "本机内存不够：{nodes} 个节点 × {columns} 列需要 {needed} GB，可用 {left} GB。请分几次，每次少算几列",
        nodes=shape[0],
        columns=math.prod(shape[1:]),
    )
