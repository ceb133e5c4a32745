"""Random basins for plans, and a referee that shares no code with the program: plain loops, all subsets."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd


def random_tables(
    seed: int, *, outlets: int = 10, reaches: int = 12, sections: int = 3, plant: bool = True
) -> dict[str, pd.DataFrame]:
    """A random river with splits, a lake, inbound water, diffuse load and nested sections; targets near what sealing can reach.

    Every fourth basin repeats loads and costs (ties), every third puts a target exactly on what one subset gives.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(reaches):  # reach i starts at node i; it ends at a later node, so that there is no loop
        to = reaches if i == reaches - 1 else int(rng.integers(i + 1, min(i + 4, reaches) + 1))
        rows.append((f"R{i}", f"N{i}", f"N{to}"))
        if i < reaches - 2 and rng.random() < 0.15:
            rows.append((f"R{i}b", f"N{i}", f"N{min(to + 1, reaches)}"))
    table = pd.DataFrame(rows, columns=["reach_id", "from_node", "to_node"])
    n = len(table)
    table["length_m"] = rng.uniform(500, 20_000, n).round(1)
    table["discharge_m3_s"] = rng.uniform(0.5, 20, n).round(4)
    table["velocity_m_s"] = rng.uniform(0.1, 0.9, n).round(4)
    table["decay_per_d"] = rng.choice([0.02, 0.06, 0.15], n)
    table["lateral_tp_mg_l"] = rng.choice([0.0, 0.03, 0.1], n)
    table["waterbody"] = rng.choice(["river", "river", "river", "lake"], n)
    tie = seed % 4 == 0
    load = rng.choice([2.0, 5.0], outlets) if tie else rng.lognormal(1, 1, outlets).round(4)
    tables = {
        "reaches": table,
        "outlets": pd.DataFrame(
            {
                "outlet_id": [f"O{i}" for i in range(outlets)],
                "reach_id": rng.choice(table["reach_id"], outlets),
                "permit_load_kg_d": load,
                "permit_discharge_m3_d": rng.uniform(100, 20_000, outlets).round(0),
                "seal_cost": rng.choice([10.0, 20.0], outlets) if tie else rng.uniform(1, 60, outlets).round(2),
            }
        ),
        "boundaries": pd.DataFrame(
            {"boundary_id": ["B0"], "node": ["N0"], "discharge_m3_s": [0.4], "tp_mg_l": [float(rng.choice([0.1, 0.3]))]}
        ),
    }
    for name in ("outlets",):
        length = table.set_index("reach_id")["length_m"]
        tables[name]["chainage_m"] = (rng.random(outlets) * length[tables[name]["reach_id"]].to_numpy()).round(1)
    if plant:
        tables["plants"] = pd.DataFrame(
            {
                "plant_id": ["W0"],
                "reach_id": ["R1"],
                "chainage_m": [10.0],
                "design_discharge_m3_d": [9000.0],
                "permit_tp_mg_l": [0.5],
            }
        )
    at = rng.choice(n, min(sections, n), replace=False)
    tables["sections"] = pd.DataFrame(
        {
            "section_id": [f"S{i}" for i in range(len(at))],
            "name": [f"断面{i}" for i in range(len(at))],
            "reach_id": table["reach_id"].iloc[at].to_numpy(),
            "chainage_m": (table["length_m"].iloc[at].to_numpy() * rng.random(len(at))).round(1),
            "tp_target_mg_l": 1.0,
        }
    )
    _, before, delivered, allowed_per_mg = referee_loads(tables)
    wanted = rng.uniform(0.05, 1.1, len(at)) if seed % 5 else rng.uniform(0.6, 1.3, len(at))
    exact = rng.random(outlets) < 0.5
    left = before - delivered[exact].sum(axis=0) if seed % 3 == 0 else before - wanted * delivered.sum(axis=0)
    target = np.where(allowed_per_mg > 0, left / allowed_per_mg, 1.0)
    tables["sections"]["tp_target_mg_l"] = np.where(target > 1e-6, target, 0.01)
    return tables


def referee_loads(tables: dict[str, pd.DataFrame]) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """By plain forward loops: outlet ids, load at the sections, each outlet's part of it, and kg/d allowed per mg/L."""
    reaches = tables["reaches"].to_dict("records")
    leaving: dict[str, list[dict]] = {}
    for reach in reaches:
        leaving.setdefault(reach["from_node"], []).append(reach)
        tau = reach["length_m"] / (reach["velocity_m_s"] * 86_400)
        reach["kt"] = reach["decay_per_d"] * tau
    for ways in leaving.values():
        whole = sum(way["discharge_m3_s"] for way in ways)
        for way in ways:
            way["share"] = way["discharge_m3_s"] / whole

    def kept(reach: dict, part: float) -> float:
        return 1 / (1 + reach["kt"]) if reach["waterbody"] == "lake" else math.exp(-reach["kt"] * part)

    sections = list(tables["sections"].itertuples())
    ordered = sorted(reaches, key=lambda r: int(r["from_node"][1:]))

    def run(at_node: dict[str, float], inside: list[tuple[str, float, float]]) -> list[float]:
        at = dict(at_node)
        seen = [0.0] * len(sections)
        for reach in ordered:
            head = reach["share"] * at.get(reach["from_node"], 0.0)
            own = [(m / reach["length_m"], w) for r, m, w in inside if r == reach["reach_id"]]
            for s, section in enumerate(sections):
                if section.reach_id == reach["reach_id"]:
                    end = section.chainage_m / reach["length_m"]
                    seen[s] = head * kept(reach, end) + sum(w * kept(reach, end - p) for p, w in own if p <= end)
            out = head * kept(reach, 1.0) + sum(w * kept(reach, 1 - p) for p, w in own)
            at[reach["to_node"]] = at.get(reach["to_node"], 0.0) + out
        return seen

    arriving: dict[str, float] = {}
    for reach in reaches:
        arriving[reach["to_node"]] = arriving.get(reach["to_node"], 0.0) + reach["discharge_m3_s"]
    boundary = tables["boundaries"].iloc[0]
    arriving[boundary["node"]] = arriving.get(boundary["node"], 0.0) + boundary["discharge_m3_s"]
    inside = [(o.reach_id, o.chainage_m, o.permit_load_kg_d) for o in tables["outlets"].itertuples()]
    water = {r["reach_id"]: 0.0 for r in reaches}
    for o in tables["outlets"].itertuples():
        water[o.reach_id] += o.permit_discharge_m3_d / 86_400
    fixed = []
    for w in tables.get("plants", pd.DataFrame()).itertuples():
        fixed.append((w.reach_id, w.chainage_m, w.permit_tp_mg_l * w.design_discharge_m3_d / 1000))
        water[w.reach_id] += w.design_discharge_m3_d / 86_400
    for reach in reaches:
        lateral = (
            reach["discharge_m3_s"] - arriving.get(reach["from_node"], 0.0) * reach["share"] - water[reach["reach_id"]]
        )
        fixed.append((reach["reach_id"], 0.0, max(lateral, 0.0) * reach["lateral_tp_mg_l"] * 86.4))
    inbound = {boundary["node"]: boundary["discharge_m3_s"] * boundary["tp_mg_l"] * 86.4}
    before = np.array(run(inbound, fixed + inside))
    delivered = np.array([run({}, [one]) for one in inside])
    flow = tables["reaches"].set_index("reach_id")["discharge_m3_s"][tables["sections"]["reach_id"]].to_numpy()
    return list(tables["outlets"]["outlet_id"]), before, delivered, flow * 86.4


def cheapest_by_all_subsets(tables: dict[str, pd.DataFrame], margin: float = 0.0) -> float:
    """The least cost over all subsets of sealed outlets, water kept; inf where no subset holds every target."""
    _, before, delivered, per_mg = referee_loads(tables)
    count = len(delivered)
    subsets = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(np.float64)
    allowed = tables["sections"]["tp_target_mg_l"].to_numpy() * (1 - margin) * per_mg
    held = (before - subsets @ delivered <= allowed * (1 + 1e-9)).all(axis=1)
    cost = subsets @ tables["outlets"]["seal_cost"].to_numpy()
    return float(cost[held].min()) if held.any() else math.inf


def greedy_cost(tables: dict[str, pd.DataFrame], margin: float = 0.0) -> float:
    """Seal by most relief per cost until every target holds; inf where it never does."""
    _, before, delivered, per_mg = referee_loads(tables)
    need = before - tables["sections"]["tp_target_mg_l"].to_numpy() * (1 - margin) * per_mg
    cost = tables["outlets"]["seal_cost"].to_numpy()
    left, spent = set(range(len(cost))), 0.0
    while (need > 1e-9 * per_mg).any():
        useful = {j: np.minimum(delivered[j], np.maximum(need, 0)).sum() / cost[j] for j in left}
        if not useful or max(useful.values()) <= 0:
            return math.inf
        best = max(useful, key=lambda j: useful[j])
        left.discard(best)
        need = need - delivered[best]
        spent += cost[best]
    return float(spent)
