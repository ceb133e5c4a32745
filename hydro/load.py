"""Loads at their source: outlets, plants, inbound rivers, and what washes in along a reach."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.network import RiverNetwork
from hydro.observations import Observations, period
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S, SECONDS_PER_DAY, Conditions

MONITORED, PERMIT, ESTIMATED, UNKNOWN = "monitored", "permit", "estimated", "unknown"

COLUMNS = ("kind", "name", "reach_id", "chainage_m", "load_kg_d", "discharge_m3_s", "basis", "observed_on")


class Basis(NamedTuple):
    """A load (kg/d), where it comes from, and the date of the reading it stands on ("" for a permit)."""

    load_kg_d: float
    basis: str
    observed_on: str


def source_loads(network: RiverNetwork, time: str | None = None) -> pd.DataFrame:
    """Every point source with its load at a time: the newest on record where none is asked.

    Index source_id (outlet_id, plant_id, ``INBOUND:<boundary_id>``); columns kind (outlet, plant, inbound), name,
    reach_id, chainage_m, load_kg_d, discharge_m3_s, basis (monitored, permit, estimated, unknown), observed_on.
    Of TP_load and TP x discharge the newer one tells; where both are of the time asked, TP_load. An outlet that belongs
    to a plant is not a source of its own: its plant is, standing at the outlet. A load that
    nothing tells (basis ``unknown``) counts as zero and is named by its basis.
    """
    rows: dict[str, dict[str, Any]] = {}
    plant_of = text(network.outlets, "plant_id")
    for table, kind in (("outlets", "outlet"), ("plants", "plant")):
        frame = getattr(network, table)
        water = point_discharge_m3_s(frame, kind)
        names = text(frame, "name")
        permit = permit_load_kg_d(frame, water)
        of_plant = plant_of.isin(network.plants.index) if kind == "outlet" else np.zeros(len(frame), bool)
        columns = (frame.index, frame["reach_id"], frame["chainage_m"], names, water, permit, of_plant)
        for row_id, reach_id, chainage, name, flow, permitted, elsewhere in zip(*columns, strict=True):
            if elsewhere:
                continue
            known = point_load(network.observations, kind, str(row_id), permitted, time)
            rows[str(row_id)] = {
                "kind": kind,
                "name": name or str(row_id),
                "reach_id": reach_id,
                "chainage_m": chainage,
                "load_kg_d": known.load_kg_d,
                "discharge_m3_s": flow,
                "basis": known.basis,
                "observed_on": known.observed_on,
            }
    for boundary_id in network.boundaries.index:
        rows[f"INBOUND:{boundary_id}"] = _inbound(network, str(boundary_id), time)
    found = pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name="source_id"), columns=list(COLUMNS))
    return found.astype({"chainage_m": float, "load_kg_d": float, "discharge_m3_s": float})


def point_load(seen: Observations, kind: str, source_id: str, permit_kg_d: float, time: str | None) -> Basis:
    """The load of a point source: the newest that was measured, TP_load before TP x discharge; else its permit."""
    load = seen.newest(kind, source_id, "TP_load", time)
    concentration = seen.newest(kind, source_id, "TP", time)
    discharge = seen.newest(kind, source_id, "discharge", time)
    if concentration is not None and discharge is not None:
        read_on = min(concentration.time, discharge.time)
        if load is None or _outdated(load.time, read_on, time):
            value = concentration.value * max(discharge.value, 0.0) * KG_D_PER_MG_L_M3_S
            return Basis(value, MONITORED, read_on)
    if load is not None:
        return Basis(load.value, MONITORED, load.time)
    if np.isfinite(permit_kg_d):
        return Basis(permit_kg_d, PERMIT, "")
    return Basis(0.0, UNKNOWN, "")


def _outdated(load: str, read_on: str, asked: str | None) -> bool:
    """Whether a load is none of the time asked, and concentration and discharge were read after the span it stands for.

    What was read within the load's own month or day is no newer than it: there the load, measured as such, goes before.
    """
    of_its_time = asked is not None and period(load).start >= period(asked).start
    return bool(not of_its_time and period(read_on).start >= period(load).end)


def point_discharge_m3_s(frame: pd.DataFrame, kind: str) -> pd.Series[float]:
    """The water of outlets or plants in m³/s: actual, else permitted, else (plants) design; 0 where none is known."""
    water = number(frame, "actual_discharge_m3_d").fillna(number(frame, "permit_discharge_m3_d"))
    if kind == "plant":
        water = water.fillna(number(frame, "design_discharge_m3_d"))
    return water.fillna(0.0) / SECONDS_PER_DAY


def permit_load_kg_d(frame: pd.DataFrame, water_m3_s: pd.Series[float]) -> pd.Series[float]:
    """Permitted load, else permitted concentration x the source's water; NaN where neither is known."""
    by_water = number(frame, "permit_tp_mg_l") * water_m3_s.where(water_m3_s > 0) * KG_D_PER_MG_L_M3_S
    return number(frame, "permit_load_kg_d").fillna(by_water)


def diffuse_loads(network: RiverNetwork, given: Conditions) -> Float:
    """Load that washes into every reach at its upstream end, kg/d. (n,)

    A reach's own lateral inflow is its discharge less what arrives at its head and takes it, less the water of the point
    sources on it, never below zero; times ``lateral_tp_mg_l`` (blank: none).
    """
    lateral = lateral_inflow_m3_s(network, given)
    concentration = number(network.reaches, "lateral_tp_mg_l").fillna(0.0).to_numpy()
    return np.asarray(lateral * concentration * KG_D_PER_MG_L_M3_S, np.float64)


def lateral_inflow_m3_s(network: RiverNetwork, given: Conditions) -> Float:
    """Water that joins every reach along its way (m³/s, ≥ 0): see :func:`diffuse_loads`. (n,)"""
    topology = network.topology
    arriving = np.bincount(topology.to_node, weights=given.discharge_m3_s, minlength=topology.node_count)
    own = np.zeros(topology.reach_count)
    position = network.node_position
    boundaries = network.boundaries
    flow = _boundary_discharge(network, given.time)
    for node, reach_id, value in zip(text(boundaries, "node"), boundaries["reach_id"], flow, strict=True):
        if node:
            arriving[position[node]] += value
        else:
            own[network.reach_position[reach_id]] += value
    plant_of = text(network.outlets, "plant_id")
    for frame, kind in ((network.outlets, "outlet"), (network.plants, "plant")):
        for row_id, reach_id, value in zip(
            frame.index, frame["reach_id"], point_discharge_m3_s(frame, kind), strict=True
        ):
            if reach_id and not (kind == "outlet" and plant_of[row_id] in network.plants.index):
                own[network.reach_position[reach_id]] += value
    inflow = given.discharge_m3_s - arriving[topology.from_node] * topology.share - own
    return np.asarray(np.maximum(inflow, 0.0), np.float64)


def _boundary_discharge(network: RiverNetwork, time: str | None) -> pd.Series[float]:
    tabled = number(network.boundaries, "discharge_m3_s").fillna(0.0)
    if time is None:
        return tabled
    readings = {i: network.observations.newest("boundary", str(i), "discharge", time) for i in tabled.index}
    return pd.Series({i: tabled[i] if r is None else max(r.value, 0.0) for i, r in readings.items()}, dtype=float)


def _inbound(network: RiverNetwork, boundary_id: str, time: str | None) -> dict[str, Any]:
    row = network.boundaries.loc[boundary_id]
    seen = network.observations
    load = seen.newest("boundary", boundary_id, "TP_load", time)
    concentration = seen.newest("boundary", boundary_id, "TP", time)
    discharge = seen.newest("boundary", boundary_id, "discharge", time)
    own_tp = float(number(network.boundaries, "tp_mg_l")[boundary_id])
    own_q = float(number(network.boundaries, "discharge_m3_s")[boundary_id])
    water = own_q if discharge is None else max(discharge.value, 0.0)  # what flows back brings nothing in
    if (
        concentration is not None
        and np.isfinite(water)
        and (load is None or _outdated(load.time, concentration.time, time))
    ):
        value = concentration.value * water * KG_D_PER_MG_L_M3_S
        known = Basis(value, MONITORED, concentration.time)
    elif load is not None:
        known = Basis(load.value, MONITORED, load.time)
    elif np.isfinite(own_tp * water):
        known = Basis(own_tp * water * KG_D_PER_MG_L_M3_S, ESTIMATED, "")
    else:
        known = Basis(0.0, UNKNOWN, "")
    name = row.get("name")
    return {
        "kind": "inbound",
        "name": str(name) if isinstance(name, str) and name else boundary_id,
        "reach_id": row["reach_id"],
        "chainage_m": 0.0,
        "load_kg_d": known.load_kg_d,
        "discharge_m3_s": water,
        "basis": known.basis,
        "observed_on": known.observed_on,
    }
