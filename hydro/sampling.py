"""Where to take the next sample: the place that best halves what is not known about the cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hydro.trace import Trace
from hydro.upstream import upstream_of_reach

SURE = 0.9


class SamplePlace(NamedTuple):
    """A place on the river (``reach_id``, at its upstream end), or a source itself where ``reach_id`` is blank.

    ``above`` is the probability that the cause lies upstream of it; ``source_id`` the most probable source.
    """

    reach_id: str
    source_id: str
    above: float


def next_sample(trace: Trace, probability: Mapping[str, float]) -> SamplePlace | None:
    """Where a sample tells most, given who may have caused what a section shows.

    A sample on the river tells whether the cause lies above it or below. Among the reaches from the most probable
    source down to the section, the best is the one above which half of the probability stands: one bit, the most that
    a yes or no can tell (Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x). Where one source is nearly certain
    (0.9), its own outlet is sampled. ``None`` where no listed source is a candidate.
    """
    network = trace.network
    place = dict(zip(trace.table["source_id"], trace.table["reach_id"], strict=True))
    known = {str(s): p for s, p in probability.items() if p > 0 and str(place.get(s, "")) in network.reach_position}
    if not known:
        return None
    first = max(known, key=lambda s: known[s])
    way = trace.path(first)
    if known[first] >= SURE or len(way) < 2:
        return SamplePlace("", first, known[first])
    reach = np.array([network.reach_position[str(place[s])] for s in known])
    odds = np.array(list(known.values()))
    total = float(sum(probability.values()))
    best: SamplePlace | None = None
    for reach_id in way[1:]:
        here = network.reach_position[reach_id]
        above = upstream_of_reach(network, here)
        above[here] = False
        mass = float(odds[above[reach]].sum()) / total
        if best is None or abs(mass - 0.5) < abs(best.above - 0.5):
            best = SamplePlace(reach_id, first, mass)
    return best
