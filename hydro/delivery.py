"""Who reaches a section, how much of it arrives, and when: the adjoint of the transport."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.network import RiverNetwork
from hydro.room import must_fit
from hydro.solve import Solver
from hydro.topology import Bool, Float
from hydro.transport import Conditions, conditions, part_kept, part_time_d, passage, require_flow

BYTES_A_PLACE = 90
"""What a delivery holds at its height for one reach and one section (81 measured on 100,000 reaches × 50 sections)."""


@dataclass(frozen=True)
class Delivery:
    """Delivery to one or many sections, each a column of its own. Made by :func:`delivery_ratios`.

    ``node_ratio`` (nodes × sections) is what arrives of one unit at a node, ``node_travel_d`` its load-weighted travel
    time over all ways and ``node_fastest_d`` the quickest way; ``ratio``, ``travel_time_d`` and ``fastest_d`` (reaches ×
    sections) are the same from the upstream end of every reach.  A ratio is 0, and its times NaN, where a reach does
    not drain to the section; times are NaN too where a way crosses a gate of unknown state (``crosses_unknown``).
    """

    network: RiverNetwork
    given: Conditions
    solver: Solver
    sections: tuple[str, ...]
    section_reach: NDArray[np.int_]
    section_part: Float
    node_ratio: Float
    node_moment: Float
    node_fastest_d: Float
    node_unknown: Bool
    ratio: Float
    travel_time_d: Float
    fastest_d: Float
    crosses_unknown: Bool

    def from_places(self, reach: NDArray[np.int_], chainage_m: Float) -> tuple[Float, Float, Bool]:
        """Delivery ratio, load-weighted travel time (d), and unknown-gate flag of places inside reaches.

        Shapes (places,) in, (places × sections) out. A place below the section on its own reach does not reach it.
        """
        topology, passed = self.network.topology, self.solver.passed
        part = np.clip(chainage_m / topology.length_m[reach], 0.0, 1.0)
        to = topology.to_node[reach]
        ratio, moment = _stretch(part_kept(passed, reach, 1 - part), part_time_d(passed, reach, 1 - part))
        below_ratio, below_moment = self.node_ratio[to], self.node_moment[to]
        total = ratio[:, None] * below_ratio
        weighted = ratio[:, None] * below_moment + moment[:, None] * below_ratio
        unknown = (self.node_unknown[to] & (total > 0)) | ((total > 0) & topology.unknown[reach][:, None])
        for s, (own, end) in enumerate(zip(self.section_reach, self.section_part, strict=True)):
            here = np.flatnonzero((reach == own) & (part <= end + 1e-12))
            if len(here):
                span = np.clip(end - part[here], 0.0, 1.0)
                kept = part_kept(passed, reach[here], span)
                r, w = _stretch(kept, part_time_d(passed, reach[here], span))
                total[here, s] += r
                weighted[here, s] += w
                unknown[here, s] |= topology.unknown[own] & (r > 0)
        return total, _mean_time(total, weighted, unknown), unknown

    def table(self) -> pd.DataFrame:
        """One row a section and reach: section_id, reach_id, delivery_ratio, travel_time_d, fastest_d, crosses_unknown."""
        ids = self.network.reaches.index.to_numpy()
        frames = [
            pd.DataFrame(
                {
                    "section_id": section,
                    "reach_id": ids,
                    "delivery_ratio": self.ratio[:, s],
                    "travel_time_d": self.travel_time_d[:, s],
                    "fastest_d": self.fastest_d[:, s],
                    "crosses_unknown": self.crosses_unknown[:, s],
                }
            )
            for s, section in enumerate(self.sections)
        ]
        return pd.concat(frames, ignore_index=True)


def delivery_ratios(
    network: RiverNetwork,
    sections: str | Sequence[str] | None = None,
    *,
    time: str | None = None,
    given: Conditions | None = None,
    solver: Solver | None = None,
) -> Delivery:
    """The fraction of one unit entering at the upstream end of every reach that reaches each section, and when.

    Convention: the whole source reach counts (a unit enters at its upstream end), and on the section's own reach only
    the part above the section. Sections by id or name; all of them where none is named.  USGS SPARROW's "delivery
    fraction" (Schwarz et al. 2006, TM 6-B3) is the same quantity at the reach's downstream end.  Raises HydroError
    with the size needed where so many sections at once do not fit into memory.
    """
    if sections is None:
        wanted = tuple(map(str, network.sections.index))
    else:
        wanted = tuple(network.section_id(s) for s in ([sections] if isinstance(sections, str) else sections))
    topology = network.topology
    must_fit(
        BYTES_A_PLACE * topology.reach_count * len(wanted),
        "本机内存不够：{reaches} 个河段 × {sections} 个断面的输移比需要 {needed} GB，可用 {left} GB。请分几次，每次少选几个断面",
        reaches=topology.reach_count,
        sections=len(wanted),
    )
    given = given or conditions(network, time)
    require_flow(network, given)
    solver = solver or Solver(topology, passage(topology, given))
    places = [network.position("sections", s) for s in wanted]
    reach = np.array([place for place, _ in places], np.int_)
    part = np.clip(np.array([m for _, m in places], np.float64) / topology.length_m[reach], 0.0, 1.0)
    return _deliver(network, given, solver, wanted, reach, part)


def _deliver(
    network: RiverNetwork,
    given: Conditions,
    solver: Solver,
    wanted: tuple[str, ...],
    reach: NDArray[np.int_],
    part: Float,
) -> Delivery:
    topology, passed = network.topology, solver.passed
    columns = np.arange(len(wanted))
    own_kept = part_kept(passed, reach, part)
    own_time = np.where(own_kept > 0, part_time_d(passed, reach, part), 0.0)
    seed = np.zeros((topology.node_count, len(wanted)))
    np.add.at(seed, (topology.from_node[reach], columns), passed.share[reach] * own_kept)
    node_ratio = solver.backward(seed)

    through = np.where(solver.through > 0, solver.through, 0.0)
    whole_time = part_time_d(passed, slice(None), 1.0)
    reach_time = np.where(through > 0, whole_time, 0.0)
    late = np.zeros_like(seed)
    np.add.at(late, topology.from_node, (through * reach_time)[:, None] * node_ratio[topology.to_node])
    own_moment = own_kept * own_time
    np.add.at(late, (topology.from_node[reach], columns), passed.share[reach] * own_moment)
    node_moment = solver.backward(late, out=late)

    node_fastest, node_unknown = _walk(solver, reach, np.where(own_kept > 0, own_time, np.inf))
    kept, moment = _stretch(passed.kept, whole_time)
    to = topology.to_node
    ratio = kept[:, None] * node_ratio[to]
    weighted = kept[:, None] * node_moment[to] + moment[:, None] * node_ratio[to]
    fastest = np.where(ratio > 0, whole_time[:, None] + node_fastest[to], np.inf)
    unknown = (ratio > 0) & (node_unknown[to] | topology.unknown[:, None])
    ratio[reach, columns] += own_kept
    weighted[reach, columns] += own_moment
    fastest[reach, columns] = np.minimum(fastest[reach, columns], np.where(own_kept > 0, own_time, np.inf))
    unknown[reach, columns] |= topology.unknown[reach]
    return Delivery(
        network=network,
        given=given,
        solver=solver,
        sections=wanted,
        section_reach=reach,
        section_part=part,
        node_ratio=node_ratio,
        node_moment=node_moment,
        node_fastest_d=node_fastest,
        node_unknown=node_unknown,
        ratio=ratio,
        travel_time_d=_mean_time(ratio, weighted, unknown),
        fastest_d=np.where((ratio > 0) & ~unknown, fastest, np.nan),
        crosses_unknown=unknown,
    )


def _walk(solver: Solver, section_reach: NDArray[np.int_], own_time: Float) -> tuple[Float, Bool]:
    """Quickest way (d) and unknown-gate flag from every node to every section, reaches taken against the flow."""
    topology, passed = solver.topology, solver.passed
    sections = len(section_reach)
    fastest = np.full((topology.node_count, sections), np.inf)
    unknown = np.zeros((topology.node_count, sections), bool)
    fastest[topology.from_node[section_reach], np.arange(sections)] = own_time
    unknown[topology.from_node[section_reach], np.arange(sections)] = topology.unknown[section_reach]
    time, open_way = part_time_d(passed, slice(None), 1.0), solver.through > 0
    if solver.engine == "compiled":
        from hydro import kernels

        order = topology.order
        kernels.quickest(
            topology.first_leaving,
            topology.to_node[order],
            time[order],
            topology.unknown[order],
            open_way[order],
            fastest,
            unknown,
        )
        return fastest, unknown
    any_gate = bool(topology.unknown.any())
    from_node, to_node = topology.from_node.tolist(), topology.to_node.tolist()
    for reach in topology.order[::-1][open_way[topology.order[::-1]]].tolist():
        node, below = from_node[reach], fastest[to_node[reach]]
        np.minimum(fastest[node], below + time[reach], out=fastest[node])
        if any_gate:
            unknown[node] |= (unknown[to_node[reach]] | topology.unknown[reach]) & np.isfinite(below)
    return fastest, unknown


def _stretch(kept: Float, time_d: Float) -> tuple[Float, Float]:
    """Kept part and kept part x time of a stretch of a reach; no time is counted where nothing passes."""
    with np.errstate(invalid="ignore"):
        return kept, np.asarray(np.where(kept > 0, kept * time_d, 0.0), np.float64)


def _mean_time(ratio: Float, weighted: Float, unknown: Bool) -> Float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where((ratio > 0) & ~unknown, weighted / ratio, np.nan), np.float64)
