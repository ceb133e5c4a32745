"""A network cut into parts that can be solved one after another, each for itself, on whatever machine.

Nodes are numbered in flow order, every basin's together and every tributary's together, so a cut is a number: what lies
below it in the numbering never sends water back.  Independent basins become parts that wait for none; a large basin is
cut below its sections, and the upper part sends its load down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hydro.order import Int
from hydro.topology import Topology

LARGEST_PART = 25_000
"""Reaches of a part, about: large enough that sending it costs little beside solving it a hundred times."""


@dataclass(frozen=True)
class Part:
    """The nodes ``first`` to ``end`` (left out) of a network, with the reaches that leave them.

    ``reaches`` are their positions in the whole network, ``slot`` where they begin in its flow order; in ``topology``
    nodes count from 0, and those further down, to which the part ``sends``, follow at the end. ``after`` are the parts
    that send to this one.
    """

    number: int
    first: int
    end: int
    slot: int
    reaches: Int
    topology: Topology
    sends: Int
    after: tuple[int, ...] = ()

    @cached_property
    def node_count(self) -> int:
        """Nodes of its own."""
        return self.end - self.first


def cut(topology: Topology, below: Sequence[int] = (), *, largest: int = LARGEST_PART) -> tuple[Part, ...]:
    """Cut a network into parts of about ``largest`` reaches: between basins, below the nodes given, else where it must be.

    ``below``: nodes at which it is good to cut (the lower ends of the reaches with sections).  The cuts depend on the
    network alone, never on who computes; parts come in an order in which each stands behind those it waits for.
    """
    count = topology.node_count
    mouths = np.diff(topology.first_leaving) == 0
    good = np.zeros(count + 1, bool)
    good[1:] = mouths
    good[np.asarray(below, np.int64)] = True  # everything above such a node is numbered before it
    cuts, reaches = [0], topology.first_leaving
    choices = np.flatnonzero(good)
    while reaches[count] - reaches[cuts[-1]] > largest:
        least, most = np.searchsorted(reaches, reaches[cuts[-1]] + np.array([largest // 2, largest]), side="right") - 1
        fitting = choices[(choices > max(least, cuts[-1])) & (choices <= most)]
        cuts.append(int(fitting[-1]) if len(fitting) else max(int(most), cuts[-1] + 1))
    return _waiting([_part(topology, n, a, b) for n, (a, b) in enumerate(zip(cuts, [*cuts[1:], count], strict=True))])


def _part(whole: Topology, number: int, first: int, end: int) -> Part:
    slot, last = int(whole.first_leaving[first]), int(whole.first_leaving[end])
    reaches = whole.order[slot:last]
    below = whole.to_node[reaches]
    sends = np.unique(below[below >= end])
    to_node = np.where(below < end, below - first, end - first + np.searchsorted(sends, below)).astype(np.int32)
    leaving = np.concatenate([whole.first_leaving[first : end + 1] - slot, np.full(len(sends), last - slot)])
    columns = ("share", "length_m", "discharge_m3_s", "velocity_m_s", "decay_per_d", "lake", "closed", "unknown")
    topology = Topology(
        from_node=(whole.from_node[reaches] - first).astype(np.int32),
        to_node=to_node,
        order=np.arange(len(reaches), dtype=np.int32),
        first_leaving=leaving.astype(np.int32),
        **{name: getattr(whole, name)[reaches] for name in columns},
    )
    return Part(number, first, end, slot, reaches, topology, sends)


def _waiting(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with whom each waits for: every earlier one that sends to one of its nodes."""
    ends = np.array([part.end for part in parts])
    after: list[set[int]] = [set() for _ in parts]
    for part in parts:
        for receiver in np.unique(np.searchsorted(ends, part.sends, side="right")).tolist():
            after[receiver].add(part.number)
    return tuple(
        Part(p.number, p.first, p.end, p.slot, p.reaches, p.topology, p.sends, tuple(sorted(after[p.number])))
        for p in parts
    )
