"""Delivery to every section as a function of one number, so that a whole record costs a handful of solves.

With one flow factor and one temperature for a basin in a month, every reach's exponent ``k τ`` is its tabled one times
the same ``x = θ(T) κ f^-0.34`` (κ: how far the true decay is from the tabled one).  Delivery is a smooth function of
``x`` alone: solved at a few Chebyshev points, read off in between by barycentric interpolation (Berrut & Trefethen
2004, doi:10.1137/S0036144502417715).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hydro.causes.record import Record
from hydro.delivery import delivery_ratios
from hydro.load import diffuse_loads
from hydro.network import RiverNetwork
from hydro.topology import Float
from hydro.trace import source_delivery
from hydro.transport import DECAY_THETA, REFERENCE_TEMP_C, VELOCITY_EXPONENT, conditions

NODES = 7
DECAY_SPREAD = 1.35
"""How far the true decay may be from the tabled one; the interpolation covers this factor either way."""

LATERAL_TP_MG_L = 0.05
"""Diffuse concentration where a project gives none at all; the record then decides how much it is worth."""


@dataclass(frozen=True)
class Segments:
    """The river cut at its sections: where an unlisted outlet could stand. One value a segment."""

    reach: NDArray[np.int_]
    from_m: Float
    to_m: Float
    stretch: NDArray[np.int_]

    @property
    def length_m(self) -> Float:
        """Length of the segments."""
        return self.to_m - self.from_m


@dataclass(frozen=True)
class Pathways:
    """Delivery ratios at a few values of ``x``; arrays (points × places × sections)."""

    points: Float
    weights: Float
    source: Float
    segment: Float
    diffuse: Float
    segments: Segments

    def at(self, table: Float, x: Float) -> Float:
        """A table (points × …) read off at many ``x``: (len(x) × …)."""
        coefficients = _barycentric(self.points, self.weights, np.clip(x, self.points.min(), self.points.max()))
        return np.asarray(np.tensordot(coefficients, table, axes=1), np.float64)


def decay_number(record: Record) -> Float:
    """``x`` of every month at κ = 1. (months,)"""
    warm = DECAY_THETA ** (record.water_temp_c - REFERENCE_TEMP_C)
    return np.asarray(warm / record.basin_factor**VELOCITY_EXPONENT, np.float64)


def find_pathways(record: Record) -> tuple[Record, Pathways]:
    """Solve the delivery to every section at a few decay numbers that span the record.

    The record comes back with the sources that reach one of its sections; so do the segments.
    """
    network = record.network
    x = decay_number(record) if record.months else np.ones(1)
    low, high = float(x.min()) / DECAY_SPREAD, float(x.max()) * DECAY_SPREAD
    turn = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
    points = (low + high) / 2 + (high - low) / 2 * np.cos(turn)
    weights = (-1.0) ** np.arange(NODES) * np.sin(turn)
    reach, from_m, to_m = _cut(network, record.sections)
    washed = _diffuse(network)
    source, segment, diffuse = [], [], []
    for point in points:
        given = conditions(network, None, decay_factor=float(point))
        delivery = delivery_ratios(network, record.sections, given=given)
        source.append(source_delivery(network, delivery, record.sources)[0])
        segment.append(delivery.from_places(reach, (from_m + to_m) / 2)[0])
        diffuse.append(washed @ delivery.ratio)
    near = np.flatnonzero((source[0] > 0).any(axis=1))
    wet = np.flatnonzero((segment[0] > 0).any(axis=1))
    seen = replace(record, sources=record.sources.iloc[near], reported_kg_d=record.reported_kg_d[near])
    segment_table = np.array(segment)[:, wet]
    stretch = np.unique(segment_table[0] > 0, axis=0, return_inverse=True)[1].reshape(-1)
    return seen, Pathways(
        points,
        np.asarray(weights, np.float64),
        np.array(source)[:, near],
        segment_table,
        np.array(diffuse),
        Segments(reach[wet], from_m[wet], to_m[wet], stretch),
    )


def _diffuse(network: RiverNetwork) -> Float:
    washed = diffuse_loads(network, conditions(network, None))
    if washed.any():
        return washed
    assumed = network.reaches.assign(lateral_tp_mg_l=LATERAL_TP_MG_L)
    return diffuse_loads(replace(network, reaches=assumed), conditions(network, None))


def _cut(network: RiverNetwork, sections: tuple[str, ...]) -> tuple[NDArray[np.int_], Float, Float]:
    """Segments (reach, from, to) of every reach that is not closed, cut at the sections on it."""
    length = network.topology.length_m
    cuts: dict[int, list[float]] = {}
    for section in sections:
        reach, chainage = network.position("sections", section)
        cuts.setdefault(reach, []).append(min(max(chainage, 0.0), float(length[reach])))
    rows = []
    for reach in range(network.topology.reach_count):
        ends = [0.0, *sorted(cuts.get(reach, [])), float(length[reach])]
        rows += [(reach, a, b) for a, b in pairwise(ends) if b - a > 1.0 or len(ends) == 2]
    table = np.array(rows, np.float64).reshape(-1, 3)
    return table[:, 0].astype(np.int_), table[:, 1], table[:, 2]


def _barycentric(points: Float, weights: Float, x: Float) -> Float:
    """Rows of interpolation coefficients, one a value of ``x``."""
    gap = x[:, None] - points[None, :]
    exact = np.abs(gap) < 1e-14
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = weights / gap
        rows = terms / terms.sum(axis=1, keepdims=True)
    return np.asarray(np.where(exact.any(axis=1, keepdims=True), exact, rows), np.float64)
