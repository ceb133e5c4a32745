"""How sure the loads at the sections are: the same routing over many draws of decay, water and loads.

A draw is told by its number and the seed alone (a counter-based generator: Salmon et al. 2011, "Parallel random numbers:
as easy as 1, 2, 3", https://doi.org/10.1145/2063384.2063405), and the network is cut in the same places whoever computes.
So one process, threads and a cluster give the same numbers to the last bit, in whatever order they finish.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.errors import HydroError
from hydro.load import diffuse_loads, source_loads
from hydro.network import RiverNetwork
from hydro.parts import LARGEST_PART, Part, cut
from hydro.route import Placed, forward, place_loads
from hydro.solve import Solver
from hydro.spread import DEFAULT_SPREAD, Spread
from hydro.topology import Float
from hydro.transport import (
    KG_D_PER_MG_L_M3_S,
    VELOCITY_EXPONENT,
    Conditions,
    conditions,
    part_kept,
    passage,
    require_flow,
)

REACH_DECAY = 0.2
"""How much the decay of single reaches differs from the common one: standard deviation of its logarithm."""
BATCH = 50
"""Draws of one task."""
ALONG, COMMON, SOURCES = 0, 1, 2
"""Streams of random numbers of a draw: one a reach, a few for all, one a source."""
BYTES_A_REACH = 400
"""What solving one draw of a part holds for each of its reaches, at its height."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Stretch:
    """One part of the network with all that it needs to be solved: its loads, its water, the sections in it.

    ``inside`` and ``at_node`` are its sources by their number among all; a section stands at ``section_part`` of
    ``section_reach`` (positions in the part).
    """

    part: Part
    given: Conditions
    placed: Placed
    inside: NDArray[np.int_]
    node_source: NDArray[np.int_]
    node_at: NDArray[np.int_]
    node_load_kg_d: Float
    sections: NDArray[np.int_]
    section_reach: NDArray[np.int_]
    section_part: Float


@dataclass(frozen=True)
class Draws:
    """Which draws to make, and how wide they spread."""

    seed: int
    first: int
    end: int
    spread: Spread
    reach_decay: float


class Passed(NamedTuple):
    """What one part gives for a batch of draws: load at its sections (draws × sections), and what it sends down."""

    section_load_kg_d: Float
    sends: NDArray[np.int32]
    sent_kg_d: Float


Results = Generator[tuple[int, int, Passed], None, None]
"""Part, first draw, and what it gave."""


class Runner(Protocol):
    """Whoever computes: gives (part, first draw, what it gave) in whatever order they finish, each once."""

    def run(self, stretches: Sequence[Stretch], batches: Sequence[Draws]) -> Results:
        """Solve every part for every batch, a part after those that send to it."""


@dataclass(frozen=True)
class Ensemble:
    """Loads and water at the sections over all draws. Made by :func:`ensemble`. (draws × sections)"""

    network: RiverNetwork
    sections: tuple[str, ...]
    load_kg_d: Float
    discharge_m3_s: Float
    time: str | None = None

    @property
    def tp_mg_l(self) -> Float:
        """C = W / (86.4 Q); NaN where no water flows. (draws × sections)"""
        water = np.where(self.discharge_m3_s > 0, self.discharge_m3_s, np.nan)
        return np.asarray(self.load_kg_d / (KG_D_PER_MG_L_M3_S * water), np.float64)

    def table(self) -> pd.DataFrame:
        """section_id, load (kg/d) and TP (mg/L) at 5, 50 and 95 %, the target, the share of draws above it."""
        tp, aim = self.tp_mg_l, self.network.targets.of_sections(self.sections, self.time)
        above = np.where(np.isfinite(aim), (tp > aim).mean(axis=0), np.nan)
        columns: dict[str, object] = {"section_id": list(self.sections)}
        for name, values in (("load", self.load_kg_d), ("tp", tp)):
            unit = "kg_d" if name == "load" else "mg_l"
            for level, row in zip((5, 50, 95), np.quantile(values, (0.05, 0.5, 0.95), axis=0), strict=True):
                columns[f"{name}_p{level:02d}_{unit}"] = row
        return pd.DataFrame({**columns, "tp_target_mg_l": aim, "probability": above})


def ensemble(
    network: RiverNetwork,
    *,
    draws: int = 1000,
    seed: int = 0,
    time: str | None = None,
    spread: Spread = DEFAULT_SPREAD,
    reach_decay: float = REACH_DECAY,
    runner: Runner | None = None,
    progress: Progress | None = None,
    largest: int = LARGEST_PART,
) -> Ensemble:
    """Route all loads of the network over many draws, on threads or whatever ``runner`` computes with.

    In a draw, log-normal about 1: decay (one factor for all, and one a reach), water (velocity follows it by Q^0.34),
    every source's load by itself, the diffuse load as a whole; see :class:`hydro.spread.Spread`.  Splits stay.
    ``progress`` is told how many of how many tasks are done; what it raises ends the run.  Raises HydroError where flow
    is not known, or the numbers asked for make no sense.
    """
    if draws < 1 or seed < 0:
        raise HydroError("bad_draws", "抽样次数 {draws} 应不小于 1，种子 {seed} 应不小于 0", draws=draws, seed=seed)
    stretches = prepare(network, time, largest=largest)
    batches = [Draws(seed, n, min(n + BATCH, draws), spread, reach_decay) for n in range(0, draws, BATCH)]
    load = np.empty((draws, len(network.sections)))
    total = len(stretches) * len(batches)
    with closing((runner or Threads()).run(stretches, batches)) as results:  # stopped half-way, it drops the rest
        for done, (part, first, passed) in enumerate(results, 1):
            load[first : first + len(passed.section_load_kg_d), stretches[part].sections] = passed.section_load_kg_d
            if progress:
                progress(done, total)
    water = np.empty_like(load)
    for stretch in stretches:
        base = stretch.given.discharge_m3_s[stretch.section_reach]
        for batch in batches:
            factors = np.array([_flow(batch, draw) for draw in range(batch.first, batch.end)])
            water[batch.first : batch.end, stretch.sections] = factors[:, None] * base
    return Ensemble(network, tuple(map(str, network.sections.index)), load, water, time)


def needed_bytes(network: RiverNetwork, draws: int, *, at_once: int, largest: int = LARGEST_PART) -> tuple[int, int]:
    """Memory that an ensemble takes where it is asked for (results and network), and in each of ``at_once`` workers."""
    reaches = network.topology.reach_count
    results = 3 * 8 * draws * max(len(network.sections), 1)
    working = BYTES_A_REACH * min(largest, reaches)
    return results + 150 * reaches + working * at_once, 150 * reaches + working


def prepare(network: RiverNetwork, time: str | None = None, *, largest: int = LARGEST_PART) -> tuple[Stretch, ...]:
    """Cut the network below its sections, each part with its own loads, water and sections."""
    topology, given = network.topology, conditions(network, time)
    require_flow(network, given)
    sources = source_loads(network, time)
    placed = place_loads(network, sources, diffuse_loads(network, given))
    places = [network.position("sections", str(section)) for section in network.sections.index]
    reach = np.array([position for position, _ in places], np.int_)
    metres = np.array([chainage_m for _, chainage_m in places], np.float64)
    end = np.clip(metres / topology.length_m[reach], 0.0, 1.0)
    parts = cut(topology, topology.to_node[reach].tolist(), largest=largest)
    slot = np.empty(topology.reach_count, np.int64)
    slot[topology.order] = np.arange(topology.reach_count)
    at_node = np.flatnonzero(placed.at_node)
    return tuple(_stretch(part, given, placed, slot, at_node, reach, end) for part in parts)


def _stretch(
    part: Part,
    given: Conditions,
    placed: Placed,
    slot: NDArray[np.int64],
    at_node: NDArray[np.int_],
    section_reach: NDArray[np.int_],
    section_part: Float,
) -> Stretch:
    last = part.slot + len(part.reaches)
    own = np.flatnonzero((slot[placed.reach] >= part.slot) & (slot[placed.reach] < last))
    nodes = np.flatnonzero((at_node >= part.first) & (at_node < part.end))
    sections = np.flatnonzero((slot[section_reach] >= part.slot) & (slot[section_reach] < last))
    columns = ("discharge_m3_s", "velocity_m_s", "decay_per_d", "flow_factor")
    return Stretch(
        part=part,
        given=replace(given, **{name: getattr(given, name)[part.reaches] for name in columns}),
        placed=Placed(
            at_node=np.zeros(part.topology.node_count),
            at_head=placed.at_head[part.reaches],
            reach=slot[placed.reach[own]] - part.slot,
            part=placed.part[own],
            inside=placed.inside[own],
        ),
        inside=own,
        node_source=len(placed.inside) + nodes,
        node_at=at_node[nodes] - part.first,
        node_load_kg_d=placed.at_node[at_node[nodes]],
        sections=sections,
        section_reach=slot[section_reach[sections]] - part.slot,
        section_part=section_part[sections],
    )


def solve_part(stretch: Stretch, draws: Draws, above: Sequence[Passed]) -> Passed:
    """One part over a batch of draws; ``above``: what the parts it waits for gave for the same draws, in their order."""
    part, count = stretch.part, draws.end - draws.first
    arriving = np.zeros((count, part.topology.node_count))
    for passed in above:
        mine = (passed.sends >= part.first) & (passed.sends < part.end)
        arriving[:, passed.sends[mine] - part.first] += passed.sent_kg_d[:, mine]
    at_sections, sent = np.empty((count, len(stretch.sections))), np.empty((count, len(part.sends)))
    for row in range(count):
        solver, placed = _drawn(stretch, draws, draws.first + row, arriving[row])
        nodes, heads, _ = forward(solver, placed)
        at_sections[row] = _at_sections(stretch, solver, heads, placed)
        sent[row] = nodes[part.node_count :]
    return Passed(at_sections, part.sends, sent)


def _drawn(stretch: Stretch, draws: Draws, draw: int, arriving: Float) -> tuple[Solver, Placed]:
    """The part as it is in one draw: its transport, and the loads that enter it."""
    given, spread, part = stretch.given, draws.spread, stretch.part
    decay, _, diffuse = _normal(draws.seed, draw, COMMON, 0, 3)
    along = _normal(draws.seed, draw, ALONG, part.slot, len(part.reaches))
    flow = _flow(draws, draw)
    water = replace(
        given,
        discharge_m3_s=given.discharge_m3_s * flow,
        velocity_m_s=given.velocity_m_s * flow**VELOCITY_EXPONENT,
        decay_per_d=given.decay_per_d * np.exp(spread.decay * decay + draws.reach_decay * along),
    )
    own = np.concatenate([stretch.inside, stretch.node_source])
    span = _normal(draws.seed, draw, SOURCES, 0, int(own.max(initial=-1)) + 1)
    factor = np.exp(spread.load * span)
    at_node = arriving.copy()
    np.add.at(at_node, stretch.node_at, stretch.node_load_kg_d * factor[stretch.node_source])
    placed = replace(
        stretch.placed,
        at_node=at_node,
        at_head=stretch.placed.at_head * np.exp(spread.diffuse * diffuse),
        inside=stretch.placed.inside * factor[stretch.inside],
    )
    return Solver(part.topology, passage(part.topology, water), engine="compiled"), placed


def _flow(draws: Draws, draw: int) -> float:
    return float(np.exp(draws.spread.flow * _normal(draws.seed, draw, COMMON, 0, 3)[1]))


def _normal(seed: int, draw: int, stream: int, first: int, count: int) -> Float:
    """Standard normal numbers ``first`` … of one stream of a draw, whatever was asked for before. (count,)"""
    from scipy.special import ndtri

    block, skip = divmod(first, 4)  # the generator counts in blocks of four
    counter = np.array([block, 0, 0, stream], np.uint64)
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, draw], np.uint64), counter=counter))
    return np.asarray(ndtri(generator.random(skip + count)[skip:] + 2.0**-54), np.float64)


def _at_sections(stretch: Stretch, solver: Solver, heads: Float, placed: Placed) -> Float:
    """Load at the sections of a part, kg/d; as :func:`hydro.route.section_loads`. (sections,)"""
    passed = solver.passed
    load = part_kept(passed, stretch.section_reach, stretch.section_part) * heads[stretch.section_reach]
    for s, (reach, end) in enumerate(zip(stretch.section_reach, stretch.section_part, strict=True)):
        above = np.flatnonzero((placed.reach == reach) & (placed.part <= end + 1e-12))
        span = np.clip(end - placed.part[above], 0.0, 1.0)
        load[s] += part_kept(passed, placed.reach[above], span) @ placed.inside[above]
    return np.asarray(load, np.float64)


class Threads:
    """Threads of this process: a batch of draws each, its parts one after another."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or os.cpu_count() or 1

    def run(self, stretches: Sequence[Stretch], batches: Sequence[Draws]) -> Results:
        """Solve every part for every batch; what has not begun is dropped when the caller stops asking."""

        def batch_of(draws: Draws) -> list[tuple[int, int, Passed]]:
            given: list[Passed] = []
            for stretch in stretches:
                given.append(solve_part(stretch, draws, [given[n] for n in stretch.part.after]))
            return [(n, draws.first, passed) for n, passed in enumerate(given)]

        pool = ThreadPoolExecutor(self.count)
        try:
            for done in as_completed([pool.submit(batch_of, draws) for draws in batches]):
                yield from done.result()
        finally:
            pool.shutdown(cancel_futures=True)
