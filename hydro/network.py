"""The river network: reaches between nodes, and what stands on them, checked once and then never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.checks import check_places, check_reaches, find_loops
from hydro.columns import number, numbers, text
from hydro.errors import Fault, FaultsError, HydroError
from hydro.observations import Observations
from hydro.order import Int, LoopError, by_place, number_nodes
from hydro.room import must_fit
from hydro.target import Targets
from hydro.topology import Float, Topology, arrange, split_sums

if TYPE_CHECKING:
    import networkx as nx

DECAY_PER_D = 0.06
"""Default TP decay of a plain river at 20 °C; common values are 0.03–0.10 per day. Editable project data."""

RUNOFF_L_S_KM2 = 3.0
"""Default runoff for a reach without a discharge but with a catchment area; editable project data."""

BYTES_A_REACH = 1500
"""What building holds at its height for each reach, most of it text (1,430 measured on 100,000 reaches)."""

TABLES = ("sections", "outlets", "plants", "boundaries", "gates")
ID_COLUMN = {
    "reaches": "reach_id",
    "sections": "section_id",
    "outlets": "outlet_id",
    "plants": "plant_id",
    "boundaries": "boundary_id",
    "gates": "gate_id",
}


@dataclass(frozen=True)
class RiverNetwork:
    """A checked river network with everything that stands on it. Made by :func:`build_network`; never changed.

    The tables are indexed by id and hold the columns of the data dictionary; ``targets`` is what a section is judged by
    at a time; ``warnings`` are the faults that did not stop the build.
    """

    reaches: pd.DataFrame
    nodes: pd.Index
    topology: Topology
    sections: pd.DataFrame
    outlets: pd.DataFrame
    plants: pd.DataFrame
    boundaries: pd.DataFrame
    gates: pd.DataFrame
    targets: Targets
    observations: Observations
    weather: pd.DataFrame
    warnings: tuple[Fault, ...] = ()
    estimated: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def reach_position(self) -> dict[str, int]:
        """Reach id -> position in the arrays of ``topology``."""
        return {reach_id: i for i, reach_id in enumerate(self.reaches.index)}

    @cached_property
    def node_position(self) -> dict[str, int]:
        """Node -> its number in the arrays of ``topology``."""
        return {str(node): i for i, node in enumerate(self.nodes)}

    @cached_property
    def graph(self) -> nx.MultiDiGraph[str]:
        """The network as people draw it: nodes, and one edge a reach keyed by its id. A copy, free to edit."""
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        graph.add_nodes_from(self.nodes)
        rows: list[dict[Any, Any]] = self.reaches.drop(columns=["geometry", "reach_id"], errors="ignore").to_dict(
            "records"
        )
        for key, row, share in zip(self.reaches.index, rows, self.topology.share.tolist(), strict=True):
            graph.add_edge(row["from_node"], row["to_node"], str(key), **row, routed_share=share)
        return graph

    @cached_property
    def main_way(self) -> Int:
        """The leaving reach with the largest share of every node; -1 at a mouth. (nodes,)"""
        topology = self.topology
        way = np.full(topology.node_count, -1, np.int32)
        order = np.lexsort((np.arange(topology.reach_count)[::-1], topology.share))
        order = order[~topology.closed[order]]
        way[topology.from_node[order]] = order
        return way

    def leaving(self, node: int) -> list[int]:
        """Positions of the reaches that leave a node."""
        first = self.topology.first_leaving
        return [int(reach) for reach in self.topology.order[first[node] : first[node + 1]]]

    def entering(self, node: int) -> list[int]:
        """Positions of the reaches that end at a node."""
        first, by_node = self.entering_by_node
        return [int(reach) for reach in by_node[first[node] : first[node + 1]]]

    @cached_property
    def entering_by_node(self) -> tuple[Int, Int]:
        """Reaches grouped by the node they end at: first slot of every node, and reach positions."""
        return by_place(self.topology.to_node, self.topology.node_count)

    def section_id(self, section: str) -> str:
        """The id of a section given by id or by name. Raises HydroError for an unknown or ambiguous one."""
        if section in self.sections.index:
            return section
        if "name" in self.sections:
            named = self.sections.index[self.sections["name"].astype(str) == section]
            if len(named) == 1:
                return str(named[0])
            if len(named) > 1:
                raise HydroError(
                    "section_ambiguous",
                    "断面名“{section}”对应多个断面：{ids}。请改用断面编号",
                    section=section,
                    ids="、".join(map(str, named)),
                )
        names = [str(name) or str(key) for key, name in zip(self.sections.index, self._names("sections"), strict=True)]
        raise HydroError(
            "section_unknown",
            "没有断面“{section}”。本项目的断面：{known}",
            section=section,
            known="、".join(names[:20]) or "（无）",
        )

    def _names(self, table: str) -> list[str]:
        frame: pd.DataFrame = getattr(self, table)
        return list(text(frame, "name"))

    def position(self, table: str, row_id: str) -> tuple[int, float]:
        """Reach position and chainage (m from the reach's upstream end) of a section, outlet or plant."""
        reach_id, chainage_m = self._places[table][row_id]
        return self.reach_position[reach_id], chainage_m

    @cached_property
    def _places(self) -> Mapping[str, Mapping[str, tuple[str, float]]]:
        """Reach id and chainage of every row that stands on a reach, by table: a look-up, not a row of a table."""
        found = {}
        for name in ("sections", "outlets", "plants"):
            table: pd.DataFrame = getattr(self, name)
            where = zip(text(table, "reach_id"), number(table, "chainage_m"), strict=True)
            found[name] = dict(zip(map(str, table.index), ((str(r), float(m)) for r, m in where), strict=True))
        return found


@dataclass(frozen=True)
class Compiled:
    """What building a network finds out of its reaches, to be kept for the next time. See :func:`join_network`."""

    reaches: pd.DataFrame
    nodes: pd.Index
    topology: Topology
    warnings: tuple[Fault, ...]
    estimated: frozenset[str]


def join_network(compiled: Compiled, tables: Mapping[str, pd.DataFrame]) -> RiverNetwork:
    """The network of tables that were checked before: ``compiled`` is what that check found, the rest stands on it."""
    placed = {name: indexed(tables.get(name), ID_COLUMN[name]) for name in TABLES}
    _stand_together(placed["plants"], placed["outlets"])
    return RiverNetwork(
        reaches=compiled.reaches,
        nodes=compiled.nodes,
        topology=compiled.topology,
        targets=Targets.of(placed["sections"], tables.get("targets")),
        observations=Observations(tables.get("observations")),
        weather=tables.get("weather", pd.DataFrame(columns=["time", "place", "rain_mm", "water_temp_c"])),
        warnings=compiled.warnings,
        estimated=compiled.estimated,
        **placed,
    )


def build_network(tables: Mapping[str, pd.DataFrame], *, runoff_l_s_km2: float = RUNOFF_L_S_KM2) -> RiverNetwork:
    """Check the tables of a project and join them into a network.

    ``tables`` are named and shaped as in the data dictionary; only ``reaches`` must be there. Ends must be named
    (``from_node``, ``to_node``): the import derives them from the drawing. Raises FaultsError with every fault at once;
    loops are named reach by reach.  A network that does not fit into memory is refused with the size it needs.
    """
    if "reaches" not in tables or tables["reaches"].empty:
        raise HydroError("no_reaches", "项目里没有河段。请先导入河段表（reaches）")
    raw = tables["reaches"]
    must_fit(
        BYTES_A_REACH * len(raw),
        "本机内存不够：{reaches} 个河段的河网需要 {needed} GB，可用 {left} GB。请按流域分成几个项目，或换内存更大的机器",
        reaches=len(raw),
    )
    faults = check_reaches(raw)
    if any(not fault.warning for fault in faults):
        raise FaultsError(faults)

    reaches = raw.copy()
    reaches.index = pd.Index(text(raw, "reach_id"), name="reach_id")
    reaches["from_node"], reaches["to_node"] = text(raw, "from_node").to_numpy(), text(raw, "to_node").to_numpy()
    codes, nodes = pd.factorize(np.concatenate([reaches["from_node"].to_numpy(), reaches["to_node"].to_numpy()]))
    from_node, to_node = codes[: len(raw)].astype(np.int32), codes[len(raw) :].astype(np.int32)
    try:
        rank, from_node, to_node = number_nodes(from_node, to_node, len(nodes))
    except LoopError:
        loops = find_loops(from_node, to_node, list(reaches.index))
        message = "河段首尾相接成环：{reaches}。请改正其中一段的方向，或断开该环"
        faults += [Fault("loop", message, {"reaches": " → ".join(loop)}, "reaches", loop[0]) for loop in loops]
        raise FaultsError(faults) from None
    found, nodes = np.asarray(nodes), np.empty(len(nodes), object)
    nodes[rank] = found

    placed = {name: indexed(tables.get(name), ID_COLUMN[name]) for name in TABLES}
    _stand_together(placed["plants"], placed["outlets"])
    faults += check_places(reaches, placed, set(nodes))
    water = placed["boundaries"], runoff_l_s_km2
    topology, estimated, split_faults = _compile(reaches, from_node, to_node, nodes, water)
    faults += split_faults
    if any(not fault.warning for fault in faults):
        raise FaultsError(faults)
    compiled = Compiled(reaches, pd.Index(nodes, name="node"), topology, tuple(faults), frozenset(estimated))
    return join_network(compiled, tables)


def indexed(table: pd.DataFrame | None, key: str) -> pd.DataFrame:
    """The table indexed by its id as text; an empty one where the project has none."""
    if table is None or key not in table:
        return pd.DataFrame(columns=["name", "reach_id", "chainage_m"], index=pd.Index([], name=key, dtype=object))
    frame = table.copy()
    frame.index = pd.Index(text(table, key), name=key)
    frame["reach_id"] = text(table, "reach_id").to_numpy()
    frame["chainage_m"] = numbers(table, "chainage_m")
    return frame


def _stand_together(plants: pd.DataFrame, outlets: pd.DataFrame) -> None:
    """A plant stands where its outlet does: whichever of the two has a place gives it to the other.

    An id that stands twice is left to the checks that follow: it names no one place.
    """
    plant_of = text(outlets, "plant_id")[~outlets.index.duplicated(keep=False)]
    once = plants.index[~plants.index.duplicated(keep=False)]
    named = plant_of[plant_of.isin(once)]
    for outlet, plant in zip(named.index, named, strict=True):
        own, its = outlets.at[outlet, "reach_id"], plants.at[plant, "reach_id"]
        giver, taker, row, other = (outlets, plants, plant, outlet) if own else (plants, outlets, outlet, plant)
        if own or its:
            place: Any = giver.loc[other, ["reach_id", "chainage_m"]]
            taker.at[row, "reach_id"], taker.at[row, "chainage_m"] = place["reach_id"], place["chainage_m"]


def _compile(
    reaches: pd.DataFrame, from_node: Int, to_node: Int, nodes: NDArray[Any], water: tuple[pd.DataFrame, float]
) -> tuple[Topology, set[str], list[Fault]]:
    """Compile checked tables; blanks are estimated and named. ``water``: the boundaries, and runoff in L/s/km²."""
    control = text(reaches, "control").str.lower()
    discharge, velocity = numbers(reaches, "discharge_m3_s"), numbers(reaches, "velocity_m_s")
    split = numbers(reaches, "split")
    total, wrong = split_sums(split, from_node, len(nodes))
    faults = [
        Fault(
            "split_sum",
            "节点 {node} 各出流河段的分流比之和为 {total:.4f}，应为 1。请改正 split，或全部留空（按流量分配）",
            {"node": str(nodes[i]), "total": float(total[i])},
            table="reaches",
            row=str(nodes[i]),
            column="split",
        )
        for i in wrong
    ]
    topology = arrange(
        from_node,
        to_node,
        len(nodes),
        length_m=numbers(reaches, "length_m"),
        discharge_m3_s=discharge,
        velocity_m_s=velocity,
        decay_per_d=numbers(reaches, "decay_per_d", DECAY_PER_D),
        split=split,
        lake=(text(reaches, "waterbody").str.lower() == "lake").to_numpy(bool),
        closed=(control == "closed").to_numpy(bool),
        unknown=(control == "unknown").to_numpy(bool),
    )
    estimated: set[str] = set()
    blank = np.isnan(discharge)
    area = numbers(reaches, "area_km2")
    if blank.any() and not np.isnan(area[blank]).any():
        own, entering = area * water[1] / 1000, _boundary_water(water[0], reaches, nodes)
        discharge = _accumulate(topology, discharge, own, entering)
        estimated |= set(reaches.index[blank])
    slow = np.isnan(velocity) & ~np.isnan(discharge)
    if slow.any():
        velocity = np.where(slow, _velocity(reaches, discharge), velocity)
        estimated |= set(reaches.index[slow])
    return replace(topology, discharge_m3_s=discharge, velocity_m_s=velocity), estimated, faults


def _accumulate(topology: Topology, discharge: Float, own: Float, entering: Float) -> Float:
    """Discharge where it is known, elsewhere what the splits bring down and the reach's own area adds."""
    water, node = discharge.copy(), entering.copy()
    for reach in topology.order:
        if np.isnan(water[reach]):
            water[reach] = topology.share[reach] * node[topology.from_node[reach]] + own[reach]
        node[topology.to_node[reach]] += water[reach]
    return water


def _boundary_water(boundaries: pd.DataFrame, reaches: pd.DataFrame, nodes: NDArray[Any]) -> Float:
    water = np.zeros(len(nodes))
    position = {str(node): i for i, node in enumerate(nodes)}
    flow = number(boundaries, "discharge_m3_s").fillna(0.0)
    for node, reach_id, value in zip(text(boundaries, "node"), text(boundaries, "reach_id"), flow, strict=True):
        at = node or (str(reaches.at[reach_id, "from_node"]) if reach_id in reaches.index else "")
        if at in position:
            water[position[at]] += value
    return water


def _velocity(reaches: pd.DataFrame, discharge: Float) -> Float:
    """Q / (width x depth) where the channel is known, else 0.35 Q^0.1 (downstream geometry, Leopold & Maddock 1953)."""
    section = numbers(reaches, "width_m") * numbers(reaches, "depth_m")
    with np.errstate(divide="ignore", invalid="ignore"):
        channel = discharge / section
        regional = 0.35 * np.power(discharge, 0.1)
    return np.asarray(np.where(np.isfinite(channel) & (section > 0), channel, regional), np.float64)
