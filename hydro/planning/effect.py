"""What a change of loads and water does to every section: one adjoint a condition, then dot products.

Under one condition the load at section s is ``L_s = Σ_i d_is w_i``: ``w_i`` the load of source i (kg/d) and ``d_is`` its
delivery ratio, the adjoint of the transport.  The water is ``Q_s = Q0_s + Σ_i f_is Δq_i``, with ``f`` the same adjoint
without decay.  So any number of measures is a change ``(Δw, Δq)`` and answers by a dot product.

**What is held.** Splits, velocity and decay stay those of the condition when measures change the water; only the water
itself (the dilution) changes.  That keeps ``C_s = L_s / (86.4 Q_s)`` a ratio of two linear forms, so that ``C_s ≤ T`` is
the linear constraint ``L_s − 86.4 T Q_s ≤ 0``.  :meth:`Situation.settled` tells how far velocity that follows the water
(u ~ Q^0.34) would move the answer.  Lateral inflow is that of the condition without measures and is never recomputed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.delivery import Delivery, delivery_ratios
from hydro.load import diffuse_loads, source_loads
from hydro.network import RiverNetwork
from hydro.route import Placed, forward, source_nodes
from hydro.topology import Bool, Float
from hydro.trace import source_delivery
from hydro.transport import KG_D_PER_MG_L_M3_S, VELOCITY_EXPONENT, Conditions, conditions

HOLDS_WITHIN = 1e-9
"""A section holds when its load is at most what its target allows, to this relative tolerance of floating arithmetic."""


@dataclass(frozen=True)
class Condition:
    """One way the water may run. Without a time: the tables' own discharge, velocity, and decay at 20 °C.

    ``season`` groups conditions that one cannot tell apart when operating (low and high decay of the same dry month):
    water is dosed by season. ``days`` is how long the season lasts in a year, for volumes and costs of dosing.
    """

    name: str = "baseline"
    time: str | None = None
    flow_factor: float = 1.0
    decay_factor: float = 1.0
    season: str = ""
    days: float = 365.0

    @property
    def operated_as(self) -> str:
        """The season by which gates are operated; the condition's own name where it has none."""
        return self.season or self.name


BASELINE = Condition()


@dataclass(frozen=True)
class Change:
    """Load (kg/d) and water (m³/s) added, or taken where negative: by row of the sources, and at the head of reaches."""

    at_source: dict[int, tuple[float, float]] = field(default_factory=dict)
    at_head: dict[int, tuple[float, float]] = field(default_factory=dict)

    def sources(self, count: int) -> tuple[Float, Float]:
        """Load and water as arrays, one value a source."""
        return _spread(self.at_source, count)

    def heads(self, count: int) -> tuple[Float, Float]:
        """Load and water as arrays, one value a reach."""
        return _spread(self.at_head, count)


def _spread(entries: dict[int, tuple[float, float]], count: int) -> tuple[Float, Float]:
    values = np.zeros((2, count))
    if entries:
        values[:, list(entries)] = np.array(list(entries.values())).T
    return values[0], values[1]


@dataclass(frozen=True)
class Situation:
    """The network under one condition, with what one unit put anywhere adds at every section. See :func:`situation`.

    ``source_ratio`` and ``source_share`` are (sources × sections): the delivered part of a load, and of water.
    """

    network: RiverNetwork
    condition: Condition
    given: Conditions
    delivery: Delivery
    water: Delivery
    sources: pd.DataFrame
    source_ratio: Float
    source_share: Float
    diffuse_kg_d: Float

    @cached_property
    def position(self) -> dict[str, int]:
        """Source id -> row of ``sources``."""
        return {str(source): i for i, source in enumerate(self.sources.index)}

    @cached_property
    def load_kg_d(self) -> Float:
        """Load of every source. (sources,)"""
        return self.sources["load_kg_d"].to_numpy(np.float64)

    @cached_property
    def water_m3_s(self) -> Float:
        """Water of every source, 0 where unknown. (sources,)"""
        return np.asarray(self.sources["discharge_m3_s"].fillna(0.0), np.float64)

    @cached_property
    def section_load_kg_d(self) -> Float:
        """Load at every section without measures. (sections,)"""
        return np.asarray(self.load_kg_d @ self.source_ratio + self.diffuse_kg_d @ self.delivery.ratio, np.float64)

    @cached_property
    def section_discharge_m3_s(self) -> Float:
        """Water at every section without measures: its reach's discharge. (sections,)"""
        return np.asarray(self.given.discharge_m3_s[self.delivery.section_reach], np.float64)

    def effect(self, change: Change) -> tuple[Float, Float]:
        """Load (kg/d) and water (m³/s) that a change adds at every section: dot products only. (sections,) each"""
        load, water = np.zeros((2, len(self.delivery.sections)))
        for entries, ratio, share in (
            (change.at_source, self.source_ratio, self.source_share),
            (change.at_head, self.delivery.ratio, self.water.ratio),
        ):
            if entries:
                rows, values = list(entries), np.array(list(entries.values()))
                load += values[:, 0] @ ratio[rows]
                water += values[:, 1] @ share[rows]
        return load, water

    def at_sections(self, change: Change) -> tuple[Float, Float]:
        """Load (kg/d) and water (m³/s) at every section after a change."""
        load, water = self.effect(change)
        return self.section_load_kg_d + load, np.maximum(self.section_discharge_m3_s + water, 0.0)

    def on_reaches(self, change: Change) -> tuple[Float, Float]:
        """Load (kg/d) and water (m³/s) at the end of every reach after a change: a forward run of both."""
        placed_load, placed_water = self.placed(change)
        load = forward(self.delivery.solver, placed_load)[2]
        water = forward(self.water.solver, placed_water)[2]
        return load, np.maximum(self.given.discharge_m3_s + water, 0.0)

    def settled(self, change: Change) -> tuple[Float, Float]:
        """As :meth:`at_sections`, with velocity following the changed water (u ~ Q^0.34): what holding it leaves out."""
        _, water = self.on_reaches(change)
        before = self.given.discharge_m3_s
        factor = np.divide(water, before, out=np.ones_like(water), where=before > 0)
        moved = replace(self.given, velocity_m_s=self.given.velocity_m_s * np.power(factor, VELOCITY_EXPONENT))
        delivery = delivery_ratios(self.network, list(self.delivery.sections), given=moved)
        ratio = source_delivery(self.network, delivery, self.sources)[0]
        source, _ = change.sources(len(self.sources))
        head, _ = change.heads(len(self.diffuse_kg_d))
        load = (self.load_kg_d + source) @ ratio + (self.diffuse_kg_d + head) @ delivery.ratio
        return np.asarray(load, np.float64), self.at_sections(change)[1]

    def varied(self, *, decay: float, flow: float) -> Situation:
        """The same condition with decay and water scaled: one adjoint; sources and shares of water are kept.

        Splits do not depend on either, so what one m³/s brings to a section stays as it is.
        """
        given = replace(
            self.given,
            discharge_m3_s=self.given.discharge_m3_s * flow,
            velocity_m_s=self.given.velocity_m_s * flow**VELOCITY_EXPONENT,
            decay_per_d=self.given.decay_per_d * decay,
            flow_factor=self.given.flow_factor * flow,
        )
        delivery = delivery_ratios(self.network, list(self.delivery.sections), given=given)
        return replace(
            self,
            given=given,
            delivery=delivery,
            source_ratio=source_delivery(self.network, delivery, self.sources)[0],
            diffuse_kg_d=diffuse_loads(self.network, given),
        )

    def placed(self, change: Change) -> tuple[Placed, Placed]:
        """All loads after a change, and the water it adds, put where they enter the network."""
        source_load, source_water = change.sources(len(self.sources))
        head_load, head_water = change.heads(len(self.diffuse_kg_d))
        load = self._put(self.load_kg_d + source_load, self.diffuse_kg_d + head_load)
        return load, self._put(source_water, head_water)

    def _put(self, at_source: Float, at_head: Float) -> Placed:
        node, reach, part = self._places
        by_node = node >= 0
        at_node = np.bincount(node[by_node], weights=at_source[by_node], minlength=self.network.topology.node_count)
        return Placed(at_node.astype(np.float64), at_head, reach, part, at_source[~by_node])

    @cached_property
    def _places(self) -> tuple[NDArray[np.int_], NDArray[np.int_], Float]:
        node = source_nodes(self.network, self.sources)
        inside = self.sources[node < 0]
        reach = np.array([self.network.reach_position[r] for r in inside["reach_id"]], np.int_)
        length = self.network.topology.length_m[reach]
        return node, reach, np.clip(inside["chainage_m"].to_numpy(np.float64) / length, 0.0, 1.0)


def situation(
    network: RiverNetwork, condition: Condition = BASELINE, *, sections: Sequence[str] | None = None
) -> Situation:
    """Solve the adjoint of one condition for the sections (all where none is named). Raises as ``delivery_ratios``."""
    given = conditions(network, condition.time, flow_factor=condition.flow_factor, decay_factor=condition.decay_factor)
    delivery = delivery_ratios(network, sections, given=given)
    without_decay = replace(given, decay_per_d=np.zeros_like(given.decay_per_d))
    water = delivery_ratios(network, sections, given=without_decay)
    sources = source_loads(network, condition.time)
    return Situation(
        network=network,
        condition=condition,
        given=given,
        delivery=delivery,
        water=water,
        sources=sources,
        source_ratio=source_delivery(network, delivery, sources)[0],
        source_share=source_delivery(network, water, sources)[0],
        diffuse_kg_d=diffuse_loads(network, given),
    )


def concentration(load_kg_d: Float, discharge_m3_s: Float) -> Float:
    """C = L / (86.4 Q) in mg/L; NaN where no water flows."""
    water = np.where(discharge_m3_s > 0, discharge_m3_s, np.nan)
    return np.asarray(load_kg_d / (KG_D_PER_MG_L_M3_S * water), np.float64)


def holds(load_kg_d: Float, discharge_m3_s: Float, limit_mg_l: Float) -> Bool:
    """Whether the load is at most what the limit allows, exactly equal included; without a limit (NaN) always."""
    allowed = limit_mg_l * KG_D_PER_MG_L_M3_S * discharge_m3_s
    return np.asarray(np.isnan(limit_mg_l) | (load_kg_d <= allowed + HOLDS_WITHIN * np.maximum(allowed, 1e-9)))
