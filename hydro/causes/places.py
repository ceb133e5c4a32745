"""Who could have released it: the places from which a release reaches a section, with what is known before looking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydro.causes.fingerprint import Fingerprint, Prints, fingerprints, unlisted
from hydro.columns import number
from hydro.delivery import delivery_ratios
from hydro.network import RiverNetwork
from hydro.plume import Clock, Mixing, Reply, replies
from hydro.topology import Float
from hydro.transport import Conditions, with_decay

SPACING_M = 2500.0
"""How close together unlisted outlets are looked for along a reach."""
UNLISTED = "UNREGISTERED"

MIXINGS = tuple(
    Mixing(velocity_factor=f, storage_ratio=b, return_per_h=r)
    for f in (0.80, 0.90, 1.0, 1.11, 1.24)
    for b, r in ((0.0, 0.4), (0.12, 0.5), (0.35, 0.45))
)
"""The ways in which a river may differ from its tables, and"""
MIXING_WEIGHT = np.array([w * v for w in (0.08, 0.24, 0.36, 0.24, 0.08) for v in (0.4, 0.3, 0.3)])
"""how likely each is before looking."""


@dataclass(frozen=True)
class Places:
    """Places a release may come from, one a row: listed sources, then inbound rivers, then unlisted places."""

    source_id: NDArray[np.object_]
    kind: NDArray[np.object_]
    reach: NDArray[np.int_]
    chainage_m: Float
    prior: Float
    reports: NDArray[np.bool_]
    prints: Prints

    def __len__(self) -> int:
        return len(self.reach)


def release_places(network: RiverNetwork) -> Places:
    """Every place in the network from which a release may come, with its prior (per event, before any reading).

    Listed sources share a part by permitted load to a small power (a large source has more to lose, a small one is
    watched less); unlisted outlets share theirs by length of river.
    """
    known = fingerprints(network)
    ids: list[str] = []
    kinds: list[str] = []
    reach: list[int] = []
    metres: list[float] = []
    prints: list[Fingerprint] = []
    reports: list[bool] = []
    weight: list[float] = []
    for table, kind in (("outlets", "outlet"), ("plants", "plant")):
        frame = getattr(network, table)
        placed = frame[frame["reach_id"].isin(network.reach_position)] if len(frame) else frame
        if kind == "outlet" and "plant_id" in placed:
            placed = placed[~placed["plant_id"].fillna("").astype(str).isin(network.plants.index)]
        permit = number(placed, "permit_load_kg_d").to_numpy(np.float64)
        told = number(placed, "reports").fillna(0).to_numpy(np.float64) > 0
        for i, source in enumerate(map(str, placed.index)):
            position, chainage = network.position(table, source)
            if not np.isfinite(chainage):
                continue
            ids.append(source)
            kinds.append(kind)
            reach.append(position)
            metres.append(chainage)
            prints.append(known[source])
            reports.append(bool(told[i]))
            weight.append(float(np.nan_to_num(permit[i], nan=1.0)))
    size = np.maximum(np.array(weight, np.float64), 1e-3) ** SIZE_POWER
    prior = list(LISTED * size / size.sum()) if len(size) else []
    listed = LISTED if len(size) else 0.0
    total_m = float(np.nansum(network.topology.length_m))
    blank = unlisted()
    for position, length in enumerate(network.topology.length_m.tolist()):
        if not np.isfinite(length) or network.topology.closed[position]:
            continue
        pieces = max(1, round(length / SPACING_M))
        for piece in range(pieces):
            ids.append(UNLISTED)
            kinds.append("unregistered")
            reach.append(position)
            metres.append((piece + 0.5) / pieces * length)
            prints.append(blank)
            reports.append(False)
            prior.append((UNLISTED_PART if listed else 0.6) * length / pieces / total_m)
    for boundary in map(str, network.boundaries.index):
        starts = _boundary_reach(network, boundary)
        for position, part in starts:
            ids.append(f"INBOUND:{boundary}")
            kinds.append("inbound")
            reach.append(position)
            metres.append(0.0)
            prints.append(blank)
            reports.append(False)
            prior.append(INBOUND_PART / max(len(network.boundaries), 1) * part)
    return Places(
        np.array(ids, object),
        np.array(kinds, object),
        np.array(reach, np.int_),
        np.array(metres, np.float64),
        np.array(prior, np.float64),
        np.array(reports, bool),
        Prints(prints),
    )


LISTED = 0.46
UNLISTED_PART = 0.20
INBOUND_PART = 0.08
"""How many of a hundred episodes are caused by a listed source, an unlisted outlet, an inbound river."""
SIZE_POWER = 0.1


def _boundary_reach(network: RiverNetwork, boundary: str) -> list[tuple[int, float]]:
    row = network.boundaries.loc[boundary]
    at = str(row.get("reach_id") or "")
    if at in network.reach_position:
        return [(network.reach_position[at], 1.0)]
    node = str(row.get("node") or "")
    if node not in network.nodes:
        return []
    ways = network.leaving(list(network.nodes).index(node))
    return [(way, float(network.topology.share[way])) for way in ways]


@dataclass(frozen=True)
class Passing:
    """How a unit released at each suspect's place passes each section, for every mixing.

    ``passed`` is the part that has passed by the end of each step (mixings × suspects × sections × steps + 1);
    ``land`` the same for the wash-off of the whole catchment, by reach area; ``to_mg_l`` turns kg an hour into mg/L; ``upstream`` is the part of the
    land that drains to each section.
    """

    sections: tuple[str, ...]
    clock: Clock
    passed: NDArray[np.float32]
    land: Float
    mean_h: Float
    to_mg_l: Float
    upstream: Float

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.passed.shape[-1]) - 1


def rising(passed: Float) -> Float:
    """What has passed, with the ripples of the transform taken out: it never falls."""
    return np.asarray(np.maximum.accumulate(np.maximum(passed, 0.0), axis=-1), np.float64)


def passing(
    network: RiverNetwork,
    given: Conditions,
    placed: Places,
    sections: Sequence[str],
    mixings: Sequence[Mixing] = MIXINGS,
    clock: Clock | None = None,
) -> Passing:
    """Compute :class:`Passing` for all suspects and sections at once."""
    clock = clock or Clock(0.25, 640)
    area = number(network.reaches, "area_km2").to_numpy(np.float64)
    area = np.where(np.isfinite(area) & (area > 0), area, np.nan_to_num(network.topology.length_m) / 1000)
    every = np.arange(network.topology.reach_count)
    middle = network.topology.length_m / 2
    shape = (len(mixings), len(placed), len(sections), clock.steps + 1)
    passed = np.zeros(shape, np.float32)
    land = np.zeros((len(mixings), len(sections), clock.steps + 1))
    for m, mixing in enumerate(mixings):
        reply: Reply = replies(network, sections, given=given, mixing=mixing, clock=clock)
        passed[m, :, :, 1:] = rising(np.cumsum(reply.fraction(placed.reach, placed.chainage_m), axis=-1))
        whole = np.einsum("r,rsf->sf", area / area.sum(), reply.at(every, middle))
        land[m, :, 1:] = rising(np.cumsum(clock.invert(whole), axis=-1))
    reach = np.array([network.position("sections", s)[0] for s in sections], np.int_)
    with np.errstate(divide="ignore"):
        to_mg_l = 1000 / 3600 / given.discharge_m3_s[reach]
    part = np.diff(passed[len(mixings) // 2], axis=-1)
    total = part.sum(axis=-1)
    mid = (np.arange(clock.steps) + 0.5) * clock.step_h
    mean_h = np.where(total > 1e-4, (part @ mid) / np.maximum(total, 1e-4), np.nan)
    water = delivery_ratios(network, list(sections), given=with_decay(given, 0.0)).ratio
    upstream = np.clip(area / area.sum() @ water, 1e-6, 1.0)
    return Passing(tuple(sections), clock, passed, land, mean_h, to_mg_l, upstream)
