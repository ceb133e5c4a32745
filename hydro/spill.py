"""Accident mode: a known release on its way down, and when it reaches the sections below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hydro.errors import HydroError
from hydro.network import RiverNetwork
from hydro.observations import period
from hydro.plume import Clock, Mixing, one_release
from hydro.topology import Float
from hydro.transport import Conditions, conditions, require_flow


@dataclass(frozen=True)
class Plume:
    """A release on its way: ``arrivals`` has a row a section or intake, ``series`` the concentration over time (mg/L).

    ``arrivals``: section_id, first_at (5 % of what arrives has passed), peak_at, last_at (95 %), peak_mg_l (above what
    is there already), delivered_kg, travel_time_d (mean); earliest_at and latest_at bound ``first_at`` over the mixing
    and velocities that the tables leave open.
    """

    arrivals: pd.DataFrame
    series: pd.DataFrame


MIXINGS = tuple(
    Mixing(velocity_factor=f, storage_ratio=b, return_per_h=r)
    for f in (1.0, 0.85, 1.18)
    for b, r in ((0.0, 0.4), (0.15, 0.5), (0.4, 0.4))
)
"""The first is the central one; the rest are the ways a plain river may differ from its tables."""


def forward_plume(
    network: RiverNetwork,
    source: str | None = None,
    *,
    reach: str | None = None,
    chainage_m: float = 0.0,
    mass_kg: float,
    start: str,
    end: str | None = None,
    time: str | None = None,
    mixings: Sequence[Mixing] = MIXINGS,
) -> Plume:
    """Where a release goes: arrival, peak and passing of its plume at every section downstream (accident mode).

    ``source`` is an outlet or plant id, or give ``reach`` and ``chainage_m``. ``mass_kg`` is released evenly from
    ``start`` to ``end`` (at once where blank). The first of ``mixings`` is the answer, all of them its bounds.
    Raises HydroError for an unknown place, a mass that is not positive, or an end before its start.
    """
    position, metres = release_place(network, source, reach, chainage_m)
    begins, ends = _window(mass_kg, start, end)
    given = conditions(network, time)
    require_flow(network, given)
    sections = [str(s) for s in network.sections.index]
    step_h = 0.25
    hours = max((ends - begins) / np.timedelta64(3600, "s"), step_h)
    clock = Clock(step_h, _steps_for(network, given, position, hours, step_h))
    runs, units = [], []
    for mixing in mixings:
        columns, passing = one_release(network, position, metres, sections, given=given, mixing=mixing, clock=clock)
        units.append(passing)
        runs.append(np.clip(_spread_release(passing, hours / step_h), 0.0, None))
    passed = [sections[column] for column in columns]
    table = [
        _arrival(network, given, clock, begins, section, mass_kg, [run[j] for run in runs], units[0][j])
        for j, section in enumerate(passed)
    ]
    arrivals = pd.DataFrame([row for row in table if row], columns=list(ARRIVAL_COLUMNS))
    arrivals = arrivals.sort_values(["first_at", "section_id"], kind="stable").reset_index(drop=True)
    series = _series(network, given, clock, begins, mass_kg, runs[0], passed)
    return Plume(arrivals, series[["time", *arrivals["section_id"]]])


ARRIVAL_COLUMNS = (
    "section_id",
    "first_at",
    "peak_at",
    "last_at",
    "earliest_at",
    "latest_at",
    "peak_mg_l",
    "delivered_kg",
    "travel_time_d",
)


def release_place(network: RiverNetwork, source: str | None, reach: str | None, chainage_m: float) -> tuple[int, float]:
    """Reach position and chainage of a release named by source or by place. Raises HydroError for an unknown one."""
    if source is not None:
        for table in ("outlets", "plants"):
            if source in getattr(network, table).index:
                return network.position(table, source)
        raise HydroError(
            "source_unknown", "没有排污口或污水处理厂“{source}”。请改用其编号，或给出河段与里程", source=source
        )
    if reach is None or reach not in network.reach_position:
        raise HydroError("reach_unknown", "没有河段“{reach}”。请给出本项目的河段编号", reach=reach or "")
    position = network.reach_position[reach]
    return position, float(np.clip(chainage_m, 0.0, network.topology.length_m[position]))


def _window(mass_kg: float, start: str, end: str | None) -> tuple[np.datetime64, np.datetime64]:
    if not mass_kg > 0:
        raise HydroError("mass_not_positive", "泄漏量 {mass} kg 应大于 0", mass=mass_kg)
    begins = period(start).start
    ends = begins if end is None else period(end).start
    if ends < begins:
        raise HydroError("release_backwards", "泄漏结束时刻 {end} 早于开始时刻 {start}", start=start, end=end)
    return begins, ends


def _steps_for(network: RiverNetwork, given: Conditions, place: int, hours: float, step_h: float) -> int:
    """A power of two that holds the release and three times the longest way from its reach to any mouth."""
    topology = network.topology
    with np.errstate(divide="ignore"):
        own = np.where(topology.closed, 0.0, topology.length_m / (given.velocity_m_s * 3600))
    own = np.where(np.isfinite(own), own, 0.0)
    longest = np.zeros(topology.node_count)
    for reach in topology.order[::-1].tolist():
        above, below = topology.from_node[reach], topology.to_node[reach]
        longest[above] = max(longest[above], own[reach] + longest[below])
    wanted = (3 * float(own[place] + longest[topology.to_node[place]]) + hours + 24) / step_h
    return int(2 ** np.ceil(np.log2(np.clip(wanted, 256, 65536))))


def _spread_release(passing: Float, steps: float) -> Float:
    """A unit released evenly over ``steps`` steps instead of at once; the last axis is time."""
    total = np.concatenate([np.zeros((*passing.shape[:-1], 1)), np.cumsum(passing, axis=-1)], axis=-1)
    length = passing.shape[-1]
    at = np.arange(length + 1, dtype=np.float64) - max(steps, 1.0)
    low = np.clip(np.floor(at).astype(np.int_), 0, length)
    part = np.where(at < 0, 0.0, at - np.floor(at))
    earlier = total[..., low] * (1 - part) + total[..., np.minimum(low + 1, length)] * part
    within = total - np.where(at < 0, 0.0, earlier)
    return np.asarray(within[..., 1:] / max(steps, 1.0), np.float64)


def _arrival(
    network: RiverNetwork,
    given: Conditions,
    clock: Clock,
    begins: np.datetime64,
    section: str,
    mass_kg: float,
    runs: Sequence[Float],
    unit: Float,
) -> dict[str, object] | None:
    total = float(runs[0].sum())
    if total < 1e-6:
        return None
    reach, _ = network.position("sections", section)
    step_s = clock.step_h * 3600

    def stamp(steps: float) -> str:
        minutes = np.timedelta64(round(steps * step_s / 60), "m")
        return str((begins.astype("M8[m]") + minutes).astype("M8[m]"))

    def passed(run: Float, part: float) -> float:
        return float(np.searchsorted(np.cumsum(run), part * run.sum())) + 0.5

    firsts = [passed(run, 0.05) for run in runs if run.sum() > 1e-6]
    water = float(given.discharge_m3_s[reach])
    return {
        "section_id": section,
        "first_at": stamp(passed(runs[0], 0.05)),
        "peak_at": stamp(float(np.argmax(runs[0])) + 0.5),
        "last_at": stamp(passed(runs[0], 0.95)),
        "earliest_at": stamp(min(firsts)),
        "latest_at": stamp(max(firsts)),
        "peak_mg_l": float(runs[0].max()) / step_s * mass_kg * 1000 / water if water > 0 else float("nan"),
        "delivered_kg": total * mass_kg,
        "travel_time_d": float(unit @ (np.arange(len(unit)) + 0.5)) / float(unit.sum()) * clock.step_h / 24,
    }


def _series(
    network: RiverNetwork,
    given: Conditions,
    clock: Clock,
    begins: np.datetime64,
    mass_kg: float,
    run: Float,
    sections: Sequence[str],
) -> pd.DataFrame:
    reach = np.array([network.position("sections", section)[0] for section in sections], np.int_)
    with np.errstate(divide="ignore", invalid="ignore"):
        mg_l = run / (clock.step_h * 3600) * mass_kg * 1000 / given.discharge_m3_s[reach][:, None]
    minutes = (np.arange(clock.steps) * clock.step_h * 60).astype("m8[m]")
    frame = pd.DataFrame(mg_l.T, columns=pd.Index(sections))
    frame.insert(0, "time", [str(t) for t in begins.astype("M8[m]") + minutes])
    last = int(np.max(np.flatnonzero(run.max(axis=0, initial=0.0) > 1e-9), initial=0)) + 1
    return frame.loc[: last - 1]
