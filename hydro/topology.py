"""The compiled network: arrays of one value a reach, checked by whoever builds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydro.order import Int, by_place

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

ROUNDING = 1e-3
"""Splits of a node may sum to 1 within this: they were written down with a few decimals."""


@dataclass(frozen=True)
class Topology:
    """The compiled network: one value a reach, in the order of the ``reaches`` table.

    Nodes are numbered in flow order (everything upstream has a lower number); ``order`` lists reach positions so that
    every reach comes after all reaches upstream of it, those that leave one node together: the ones at
    ``first_leaving[node] : first_leaving[node + 1]`` of it. ``share`` is the part of what arrives at ``from_node`` that
    takes the reach: the given split, or by discharge; a closed reach takes nothing and the others take its part.
    """

    from_node: Int
    to_node: Int
    order: Int
    first_leaving: Int
    share: Float
    length_m: Float
    discharge_m3_s: Float
    velocity_m_s: Float
    decay_per_d: Float
    lake: Bool
    closed: Bool
    unknown: Bool

    @property
    def reach_count(self) -> int:
        """Number of reaches."""
        return len(self.from_node)

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.first_leaving) - 1


def arrange(
    from_node: Int,
    to_node: Int,
    node_count: int,
    *,
    length_m: Float,
    discharge_m3_s: Float,
    velocity_m_s: Float,
    decay_per_d: Float,
    split: Float | None = None,
    lake: Bool | None = None,
    closed: Bool | None = None,
    unknown: Bool | None = None,
) -> Topology:
    """Join columns of reaches into a topology; nodes must be numbered in flow order. Blank splits go by discharge."""
    no = np.zeros(len(from_node), bool)
    closed = no if closed is None else closed
    first, order = by_place(from_node, node_count)
    share = _shares(np.full(len(from_node), np.nan) if split is None else split, discharge_m3_s, from_node, first)
    topology = Topology(
        from_node=from_node,
        to_node=to_node,
        order=order,
        first_leaving=first,
        share=_opened(share, discharge_m3_s, closed, from_node, node_count),
        length_m=length_m,
        discharge_m3_s=discharge_m3_s,
        velocity_m_s=velocity_m_s,
        decay_per_d=decay_per_d,
        lake=no if lake is None else lake,
        closed=closed,
        unknown=no if unknown is None else unknown,
    )
    for array in vars(topology).values():
        array.setflags(write=False)
    return topology


def split_sums(split: Float, from_node: Int, node_count: int) -> tuple[Float, Int]:
    """Sum of the given splits at every node, and the nodes where it is not 1 (or, some being blank, above 1)."""
    count = np.bincount(from_node, minlength=node_count)
    given = np.bincount(from_node, weights=~np.isnan(split), minlength=node_count)
    total = np.bincount(from_node, weights=np.nan_to_num(split), minlength=node_count)
    whole = (given == count) & (count > 0)
    wrong = (whole & (np.abs(total - 1) > ROUNDING)) | (~whole & (total > 1 + ROUNDING))
    return total.astype(np.float64), np.flatnonzero(wrong).astype(np.int32)


def _shares(split: Float, discharge: Float, from_node: Int, first_leaving: Int) -> Float:
    """The share of every reach, blanks filled; only the few that leave their node together need be weighed."""
    share = np.where(np.isnan(split) | (np.abs(split - 1) <= ROUNDING), 1.0, split)
    together = np.flatnonzero((np.diff(first_leaving) > 1)[from_node])
    if len(together):
        nodes, inverse = np.unique(from_node[together], return_inverse=True)
        node = inverse.astype(np.int32)
        rounded = _rounded(split[together], node, len(nodes))
        share[together] = _filled(rounded, discharge[together], node, len(nodes))
    return np.asarray(share, np.float64)


def _rounded(split: Float, from_node: Int, node_count: int) -> Float:
    """Given splits with their rounding taken out, so that a node passes on all that arrives."""
    blank = np.bincount(from_node, weights=np.isnan(split), minlength=node_count) > 0
    total = np.bincount(from_node, weights=np.nan_to_num(split), minlength=node_count)
    scale = np.where(~blank & (np.abs(total - 1) <= ROUNDING), total, 1.0)
    return np.asarray(split / scale[from_node], np.float64)


def _filled(split: Float, discharge: Float, from_node: Int, node_count: int) -> Float:
    """Blank splits take what the given ones leave, by discharge; equally where no discharge is known."""
    blank = np.isnan(split)
    left = 1 - np.bincount(from_node, weights=np.nan_to_num(split), minlength=node_count)
    weight = np.where(blank, np.nan_to_num(discharge), 0.0)
    known = np.bincount(from_node, weights=weight, minlength=node_count)
    weight = np.where(blank & (known[from_node] <= 0), 1.0, weight)
    total = np.bincount(from_node, weights=weight, minlength=node_count)
    filled = np.clip(left, 0, 1)[from_node] * weight / np.where(total > 0, total, 1)[from_node]
    return np.asarray(np.where(blank, filled, split), np.float64)


def _opened(share: Float, discharge: Float, closed: Bool, from_node: Int, node_count: int) -> Float:
    """A closed reach takes nothing; the open ways of its node take its part in proportion."""
    if not closed.any():
        return share
    open_share = np.where(closed, 0.0, share)
    total = np.bincount(from_node, weights=open_share, minlength=node_count)
    starved = np.bincount(from_node, weights=closed, minlength=node_count).astype(bool) & (total == 0)
    by_flow = np.where(closed | ~starved[from_node], 0.0, np.nan_to_num(discharge))
    open_share = open_share + by_flow
    total = np.bincount(from_node, weights=open_share, minlength=node_count)
    touched = np.bincount(from_node, weights=closed, minlength=node_count).astype(bool)
    scale = np.where(touched & (total > 0), total, 1.0)
    return np.asarray(open_share / scale[from_node], np.float64)
