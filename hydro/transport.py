"""Travel time, decay and splits: the one place they are written.

Along a river reach, plug flow: ``kept = exp(-k τ)`` with ``τ = L / (86 400 u)`` days.  A lake reach is a mixed reactor:
``kept = 1 / (1 + k τ)`` (Vollenweider 1975).  At a node everything that arrives is mixed and shared out by ``share``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hydro.errors import HydroError
from hydro.network import RiverNetwork
from hydro.observations import period
from hydro.stamps import local
from hydro.topology import Bool, Float, Topology

SECONDS_PER_DAY = 86_400.0
KG_D_PER_MG_L_M3_S = 86.4
VELOCITY_EXPONENT = 0.34
"""Velocity ~ discharge^0.34 at a station: Leopold & Maddock 1953, USGS Professional Paper 252."""
DECAY_THETA = 1.047
"""Decay ~ 1.047^(T - 20 °C): Bowie et al. 1985, EPA/600/3-85/040."""
REFERENCE_TEMP_C = 20.0


@dataclass(frozen=True)
class Conditions:
    """How the water runs: one value a reach, in the order of the ``reaches`` table. Made by :func:`conditions`."""

    time: str | None
    discharge_m3_s: Float
    velocity_m_s: Float
    decay_per_d: Float
    flow_factor: Float
    water_temp_c: float


@dataclass(frozen=True)
class Passage:
    """What a reach does to what passes it: ``share`` of the node above it, ``kept`` to its end, ``travel_time_d``."""

    share: Float
    kept: Float
    travel_time_d: Float
    lake: Bool


def conditions(
    network: RiverNetwork,
    time: str | None = None,
    *,
    flow_factor: float | Float = 1.0,
    decay_factor: float | Float = 1.0,
    water_temp_c: float | None = None,
) -> Conditions:
    """The water of the network at a time; without one, the tables' own discharge, velocity and decay at 20 °C.

    At a time, discharge is scaled by what the nearest section (along the network) measured, relative to the discharge
    of its reach; velocity follows discharge^0.34 and decay 1.047^(T-20). Nothing measured: factor 1; no weather: 20 °C.
    ``flow_factor`` and ``decay_factor`` (numbers or one a reach) come on top, for scenarios and ensembles.
    """
    topology = network.topology
    measured = np.ones(topology.reach_count) if time is None else measured_flow_factor(network, time)
    if water_temp_c is None:
        water_temp_c = REFERENCE_TEMP_C if time is None else water_temperature(network, time)
    factor = measured * flow_factor
    return Conditions(
        time=time,
        discharge_m3_s=topology.discharge_m3_s * factor,
        velocity_m_s=topology.velocity_m_s * np.power(factor, VELOCITY_EXPONENT),
        decay_per_d=topology.decay_per_d * decay_factor * DECAY_THETA ** (water_temp_c - REFERENCE_TEMP_C),
        flow_factor=factor,
        water_temp_c=water_temp_c,
    )


def with_decay(given: Conditions, factor: float | Float) -> Conditions:
    """The same water with its decay coefficient scaled."""
    return replace(given, decay_per_d=given.decay_per_d * factor)


def require_flow(network: RiverNetwork, given: Conditions) -> None:
    """Raise HydroError naming the reaches whose discharge or velocity is not known: loads cannot be told there."""
    blank = np.isnan(given.discharge_m3_s) | np.isnan(given.velocity_m_s)
    if blank.any():
        ids = [str(i) for i in network.reaches.index[blank]]
        raise HydroError(
            "no_discharge",
            "{count} 个河段没有流量或流速，无法计算负荷：{reaches}。请补上 discharge_m3_s 与 velocity_m_s，或补上 area_km2 以便估算",
            count=len(ids),
            reaches="、".join(ids[:20]) + ("…" if len(ids) > 20 else ""),
        )


def passage(topology: Topology, given: Conditions) -> Passage:
    """Travel time and kept part of every reach; a closed reach keeps nothing and takes nothing.

    ``travel_time_d`` is L / u; where the water stands still it is infinite and, with any decay, nothing arrives.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        travel_time_d = topology.length_m / (given.velocity_m_s * SECONDS_PER_DAY)
        exponent = np.where(given.decay_per_d > 0, given.decay_per_d * travel_time_d, 0.0)
        kept = np.where(topology.lake, 1 / (1 + exponent), np.exp(-exponent))
    return Passage(topology.share, np.where(topology.closed, 0.0, kept), travel_time_d, topology.lake)


def part_kept(passed: Passage, reach: NDArray[np.intp] | int, part: Float | float) -> Float:
    """What is kept along a part (0–1) of a reach; a lake is mixed, so any part of it keeps as much as the whole."""
    kept = passed.kept[reach]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(kept > 0, np.power(kept, part), 0.0)
    return np.asarray(np.where(passed.lake[reach], kept, along), np.float64)


def part_time_d(passed: Passage, reach: NDArray[np.intp] | slice, part: Float | float) -> Float:
    """How long what is kept was on its way along a part (0–1) of a reach, on the mean, days.

    Plug flow: τ x part.  In a mixed lake ``τ / (1 + k τ)`` wherever it entered: what stays longer decays on the way, so
    that the survivors are the quick ones (the mean of 1 / (1 + (s + k) τ), as :mod:`hydro.plume` spreads it).
    """
    with np.errstate(invalid="ignore"):
        along = passed.travel_time_d[reach] * np.where(passed.lake[reach], passed.kept[reach], part)
        along = np.where(passed.kept[reach] > 0, along, np.inf)  # nothing that is closed lets anything through
        return np.asarray(np.where(passed.lake[reach] | (np.asarray(part) > 0), along, 0.0), np.float64)


def measured_flow_factor(network: RiverNetwork, time: str) -> Float:
    """Measured over tabled discharge at the nearest gauged section of every reach; 1 where none is connected. (n,)

    A gauge that read backflow tells nothing of how much came down: the next nearest stands in for it.
    """
    topology = network.topology
    reach, chainage, factor = [], [], []
    for section_id in network.sections.index:
        reading = network.observations.at("section", section_id, "discharge", time)
        position, metres = network.position("sections", section_id)
        tabled = topology.discharge_m3_s[position]
        if reading is not None and reading.value >= 0 and tabled > 0:
            reach.append(position)
            chainage.append(metres)
            factor.append(reading.value / tabled)
    if not factor:
        return np.ones(topology.reach_count)
    nearest = nearest_place(topology, np.array(reach), np.array(chainage))
    return np.asarray(np.where(nearest < 0, 1.0, np.array(factor)[nearest]), np.float64)


def nearest_place(topology: Topology, reach: NDArray[np.int_], chainage_m: Float) -> NDArray[np.int_]:
    """For the middle of every reach, which of the given places is nearest along the network (either way); -1: none. (n,)

    A reach that holds a place itself takes the nearest of its own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    places, nodes = len(reach), topology.node_count
    start = np.arange(places) + nodes
    above, below = topology.from_node[reach], topology.to_node[reach]
    a = np.concatenate([topology.from_node, start, start])
    b = np.concatenate([topology.to_node, above, below])
    metres = np.concatenate([topology.length_m, chainage_m, topology.length_m[reach] - chainage_m])
    a, b = np.minimum(a, b), np.maximum(a, b)
    shortest = np.lexsort((metres, b, a))
    a, b, metres = a[shortest], b[shortest], np.maximum(metres[shortest], 1e-6)
    first = np.concatenate([[True], (np.diff(a) != 0) | (np.diff(b) != 0)])
    graph = coo_array((metres[first], (a[first], b[first])), shape=(nodes + places, nodes + places)).tocsr()
    distance, _, source = dijkstra(graph, directed=False, indices=start, min_only=True, return_predecessors=True)
    closer_end = np.where(
        distance[topology.from_node] <= distance[topology.to_node], topology.from_node, topology.to_node
    )
    nearest = np.where(np.isfinite(distance[closer_end]), source[closer_end] - nodes, -1)
    middle = np.abs(chainage_m - topology.length_m[reach] / 2)
    for place in np.argsort(-middle, kind="stable"):
        nearest[reach[place]] = place
    return np.asarray(nearest, np.int_)


def water_temperature(network: RiverNetwork, time: str) -> float:
    """Mean water temperature on record in that span (°C); 20 where the weather table has none."""
    weather = network.weather
    if "water_temp_c" not in weather or weather.empty:
        return REFERENCE_TEMP_C
    asked = period(time)
    start, celsius = _weather_start(network), weather["water_temp_c"].to_numpy(np.float64, na_value=np.nan)
    inside = (start >= asked.start) & (start < asked.end) & np.isfinite(celsius)
    if not inside.any():
        before = np.flatnonzero((start <= asked.start) & np.isfinite(celsius))
        covering = [i for i in before[-1:] if period(str(weather["time"].iloc[i])).end > asked.start]
        inside = np.isin(np.arange(len(weather)), covering)
    return float(celsius[inside].mean()) if inside.any() else REFERENCE_TEMP_C


def _weather_start(network: RiverNetwork) -> NDArray[np.datetime64]:
    import pandas as pd

    start = pd.to_datetime(network.weather["time"].astype(str).map(local), format="ISO8601", errors="coerce")
    return start.to_numpy("M8[s]")
