"""Forward routing: the load and concentration everywhere, with a mass balance that closes on every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.errors import BalanceError
from hydro.load import diffuse_loads, source_loads
from hydro.network import RiverNetwork
from hydro.solve import Solver
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S, Conditions, conditions, part_kept, passage, require_flow

BALANCE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Balance:
    """Where the load went, kg/d: ``entered = left + decayed + diverted``; diverted is what closed gates hold back."""

    entered_kg_d: float
    left_kg_d: float
    decayed_kg_d: float
    diverted_kg_d: float

    @property
    def residual_kg_d(self) -> float:
        """What the balance fails to close by, kg/d."""
        return self.entered_kg_d - self.left_kg_d - self.decayed_kg_d - self.diverted_kg_d

    def close(self) -> None:
        """Raise BalanceError unless the balance closes to 1e-9 of what entered."""
        if not abs(self.residual_kg_d) <= BALANCE_TOLERANCE * max(self.entered_kg_d, 1.0):
            raise BalanceError(
                "balance", "负荷收支不平衡，相差 {residual:.3g} kg/d。这是程序缺陷，请报告", residual=self.residual_kg_d
            )


@dataclass(frozen=True)
class Routing:
    """Loads everywhere under one set of conditions. Made by :func:`route`.

    ``reach_load_kg_d`` (n,) at the downstream end of every reach, ``section_load_kg_d`` at every section.
    """

    network: RiverNetwork
    given: Conditions
    sources: pd.DataFrame
    node_load_kg_d: Float
    reach_load_kg_d: Float
    section_load_kg_d: pd.Series[float]
    balance: Balance

    @property
    def table(self) -> pd.DataFrame:
        """kind (reach, section), id, load_kg_d, concentration_mg_l, discharge_m3_s; the reach's at its downstream end."""
        reach = pd.DataFrame(
            {
                "kind": "reach",
                "id": self.network.reaches.index.to_numpy(),
                "load_kg_d": self.reach_load_kg_d,
                "discharge_m3_s": self.given.discharge_m3_s,
            }
        )
        positions = [self.network.position("sections", s)[0] for s in self.section_load_kg_d.index]
        section = pd.DataFrame(
            {
                "kind": "section",
                "id": self.section_load_kg_d.index.to_numpy(),
                "load_kg_d": self.section_load_kg_d.to_numpy(),
                "discharge_m3_s": self.given.discharge_m3_s[np.array(positions, np.int_)],
            }
        )
        table = pd.concat([reach, section], ignore_index=True)
        table["concentration_mg_l"] = concentration_mg_l(table["load_kg_d"], table["discharge_m3_s"])
        table["basis"] = "modelled"
        return table[["kind", "id", "load_kg_d", "concentration_mg_l", "discharge_m3_s", "basis"]]

    @property
    def table_with_balance(self) -> pd.DataFrame:
        """The table, and the mass balance as rows of kind ``balance``: in, out, decayed, diverted (load_kg_d)."""
        balance = self.balance
        parts = {
            "in": balance.entered_kg_d,
            "out": balance.left_kg_d,
            "decayed": balance.decayed_kg_d,
            "diverted": balance.diverted_kg_d,
        }
        rows = pd.DataFrame(
            {"kind": "balance", "id": list(parts), "load_kg_d": list(parts.values()), "basis": "modelled"}
        )
        return pd.concat([self.table, rows], ignore_index=True)


@dataclass(frozen=True)
class Placed:
    """Loads put where they enter: at nodes, at the head of reaches, or inside them. All kg/d, any number of columns."""

    at_node: Float
    at_head: Float
    reach: NDArray[np.int_]
    part: Float
    inside: Float


def route(
    network: RiverNetwork,
    *,
    time: str | None = None,
    given: Conditions | None = None,
    sources: pd.DataFrame | None = None,
    diffuse_kg_d: Float | None = None,
    solver: Solver | None = None,
) -> Routing:
    """Route every load down the network. Raises BalanceError if mass is lost, HydroError where flow is not known.

    ``sources`` (as :func:`hydro.source_loads` returns them) and ``diffuse_kg_d`` (at the head of every reach) replace the
    inventory, for scenarios.
    """
    given = given or conditions(network, time)
    require_flow(network, given)
    solver = solver or Solver(network.topology, passage(network.topology, given))
    sources = source_loads(network, given.time) if sources is None else sources
    diffuse_kg_d = diffuse_loads(network, given) if diffuse_kg_d is None else diffuse_kg_d
    placed = place_loads(network, sources, diffuse_kg_d)
    nodes, heads, ends = forward(solver, placed)
    sections = section_loads(network, solver, heads, placed)
    balance = _balance(solver, placed, nodes, heads, ends)
    balance.close()
    _check_adjoint(network, solver, placed, float(sections.sum()))
    return Routing(network, given, sources, nodes, ends, sections, balance)


def place_loads(network: RiverNetwork, sources: pd.DataFrame, diffuse_kg_d: Float) -> Placed:
    """Put point sources and diffuse loads where they enter the network."""
    topology = network.topology
    at_node, at_head = np.zeros(topology.node_count), diffuse_kg_d.astype(np.float64).copy()
    node_of = source_nodes(network, sources)
    load = sources["load_kg_d"].to_numpy(np.float64)
    by_node = node_of >= 0
    np.add.at(at_node, node_of[by_node], load[by_node])
    inside = sources[~by_node]
    reach = np.array([network.reach_position[r] for r in inside["reach_id"]], np.int_)
    part = np.clip(inside["chainage_m"].to_numpy(np.float64) / topology.length_m[reach], 0.0, 1.0)
    return Placed(at_node, at_head, reach, part, load[~by_node])


def source_nodes(network: RiverNetwork, sources: pd.DataFrame) -> NDArray[np.int_]:
    """The node at which each source enters, -1 for one that enters inside a reach. (sources,)"""
    position = network.node_position
    nodes = network.boundaries["node"] if "node" in network.boundaries else pd.Series(dtype=object)
    at = {f"INBOUND:{key}": position.get(str(node), -1) for key, node in nodes.items()}
    return np.array([at.get(str(source), -1) for source in sources.index], np.int_)


def forward(solver: Solver, placed: Placed) -> tuple[Float, Float, Float]:
    """Load at every node, at the head and at the end of every reach, kg/d."""
    topology, passed = solver.topology, solver.passed
    own_end = passed.kept * placed.at_head
    np.add.at(own_end, placed.reach, part_kept(passed, placed.reach, 1 - placed.part) * placed.inside)
    entering = placed.at_node + np.bincount(topology.to_node, weights=own_end, minlength=topology.node_count)
    nodes = solver.forward(entering)
    heads = passed.share * nodes[topology.from_node] + placed.at_head
    ends = solver.through * nodes[topology.from_node] + own_end
    return nodes, heads, ends


def section_loads(network: RiverNetwork, solver: Solver, heads: Float, placed: Placed) -> pd.Series[float]:
    """Load at every section, kg/d: what comes down from the head of its reach and from the sources above it there."""
    passed, topology = solver.passed, network.topology
    loads = {}
    for section in network.sections.index:
        reach, metres = network.position("sections", section)
        end = min(max(metres / topology.length_m[reach], 0.0), 1.0)
        above = np.flatnonzero((placed.reach == reach) & (placed.part <= end + 1e-12))
        span = np.clip(end - placed.part[above], 0.0, 1.0)
        own = part_kept(passed, placed.reach[above], span) @ placed.inside[above]
        loads[section] = float(part_kept(passed, reach, end) * heads[reach] + own)
    return pd.Series(loads, dtype=float, name="load_kg_d")


def concentration_mg_l(load_kg_d: pd.Series[float], discharge_m3_s: pd.Series[float]) -> pd.Series[float]:
    """C = W / (86.4 Q); NaN where no water flows."""
    return load_kg_d / (KG_D_PER_MG_L_M3_S * discharge_m3_s.where(discharge_m3_s > 0))


def _balance(solver: Solver, placed: Placed, nodes: Float, heads: Float, ends: Float) -> Balance:
    topology = solver.topology
    leaving = np.bincount(topology.from_node, minlength=topology.node_count) > 0
    taken = np.bincount(topology.from_node, weights=topology.share, minlength=topology.node_count)
    held_at_nodes = nodes[leaving] @ (1 - taken[leaving])
    into = heads + np.bincount(placed.reach, weights=placed.inside, minlength=topology.reach_count)
    return Balance(
        entered_kg_d=float(placed.at_node.sum() + placed.at_head.sum() + placed.inside.sum()),
        left_kg_d=float(nodes[~leaving].sum()),
        decayed_kg_d=float((into - ends)[~topology.closed].sum()),
        diverted_kg_d=float(held_at_nodes + into[topology.closed].sum()),
    )


def _check_adjoint(network: RiverNetwork, solver: Solver, placed: Placed, routed_kg_d: float) -> None:
    """The loads delivered to all sections together, by the adjoint, must equal the loads routed to them."""
    topology, passed = network.topology, solver.passed
    seed, head, inside = np.zeros(topology.node_count), np.zeros(topology.reach_count), np.zeros(len(placed.reach))
    for section in network.sections.index:
        reach, metres = network.position("sections", section)
        end = min(max(metres / topology.length_m[reach], 0.0), 1.0)
        kept = float(part_kept(passed, reach, end))
        seed[topology.from_node[reach]] += passed.share[reach] * kept
        head[reach] += kept
        above = np.flatnonzero((placed.reach == reach) & (placed.part <= end + 1e-12))
        inside[above] += part_kept(passed, placed.reach[above], np.clip(end - placed.part[above], 0.0, 1.0))
    node = solver.backward(seed)
    head += passed.kept * node[topology.to_node]
    inside += part_kept(passed, placed.reach, 1 - placed.part) * node[topology.to_node[placed.reach]]
    delivered = placed.at_node @ node + placed.at_head @ head + placed.inside @ inside
    if not abs(delivered - routed_kg_d) <= BALANCE_TOLERANCE * max(abs(routed_kg_d), 1.0):
        raise BalanceError(
            "adjoint",
            "各来源到达断面的负荷之和与断面负荷相差 {residual:.3g} kg/d。这是程序缺陷，请报告",
            residual=delivered - routed_kg_d,
        )
