"""What happened in the demo basin, 2019-08 to 2022-07: a simulation of the whole river, month by month, and what was measured.

The truth is routed exactly as the tool assumes (first-order decay, splits, mixing at nodes); what is written to the tables
is what a bureau would have seen of it: sections with a little noise, reports of those who report, and permits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demo import places
from demo.drawing import downstream

MONTHS = [str(month) for month in pd.period_range("2019-08", "2022-07", freq="M")]
NEWEST = MONTHS[-1]
KG_D = 86.4
Way = tuple[str, str, str, float]  # reach_id, from_node, to_node, split
PARAMETERS = ("TP", "NH3N", "COD")
DECAY_RATIO = {"TP": 1.0, "NH3N": 1.8, "COD": 1.2}

# Rain of an ordinary year, mm a month, and water temperature, degrees.
RAIN = [5, 8, 18, 28, 45, 65, 150, 110, 65, 30, 17, 6]
TEMPERATURE = [3.5, 5.5, 10.5, 16.5, 21.5, 25.5, 27.5, 26.5, 22.0, 16.0, 9.5, 4.8]
STORMS = {"2020-08": 165, "2021-07": 612, "2021-08": 168, "2021-09": 205, "2022-06": 52, "2022-07": 148}

# mg of the other parameters for each mg of TP, by kind of source.
RATIO = {
    "plant": {"NH3N": 3.2, "COD": 70.0},
    "outlet": {"NH3N": 2.8, "COD": 55.0},
    "inbound": {"NH3N": 2.6, "COD": 75.0},
    "diffuse": {"NH3N": 2.4, "COD": 90.0},
}

# The events of the story: what is added, kg of TP a day, and whether the one who did it reports it.
BYPASS = {"source": "W01", "month": "2022-07", "factor": 3.2}
UNREGISTERED = {"reach": "西孟姜女河04", "months": ["2021-11", "2021-12", "2022-01", "2022-02"], "kg_d": 9.0}
HIDDEN = {"river": "石门河", "month": "2021-03", "kg_d": 26.0}

# In the newest month three sections stand where the story wants them; the story was tuned until the simulated
# river is within a few per cent of these, and the sampler reads exactly these.
TOLD = {"S02": 0.300, "S03": 0.290, "S06": 0.180}


@dataclass
class Truth:
    """Everything that was simulated: months by place."""

    discharge: pd.DataFrame  # month x reach, m3/s
    load: dict[str, pd.DataFrame]  # parameter -> month x source, kg/d
    section: dict[str, pd.DataFrame]  # parameter -> month x section, mg/L
    weather: pd.DataFrame
    boundary_discharge: pd.DataFrame
    culprit: str


def weather(rng: np.random.Generator) -> pd.DataFrame:
    """Rain and water temperature of every month."""
    rows = []
    for month in MONTHS:
        ordinary = RAIN[int(month[5:]) - 1] * float(rng.lognormal(0, 0.28))
        warm = TEMPERATURE[int(month[5:]) - 1] + float(rng.normal(0, 0.6))
        rows.append(
            {
                "time": month,
                "place": "新乡",
                "rain_mm": round(STORMS.get(month, ordinary), 1),
                "water_temp_c": round(warm, 1),
            }
        )
    return pd.DataFrame(rows)


def simulate(
    rng: np.random.Generator,
    reaches: pd.DataFrame,
    sections: pd.DataFrame,
    outlets: pd.DataFrame,
    plants: pd.DataFrame,
    boundaries: pd.DataFrame,
) -> Truth:
    """Route 36 months of water and loads through the network."""
    sky = weather(rng)
    rain = sky.set_index("time")["rain_mm"]
    before = rain.shift(1, fill_value=60.0)
    wet = (0.6 * rain + 0.4 * before) / 46.0  # 1 in a mean month
    runoff = 0.45 + 0.55 * wet**0.85
    washed = 1 + 0.0052 * (rain - 90).clip(lower=0)  # what a storm washes off, times the ordinary concentration
    progress = pd.Series(np.linspace(1.16, 0.93, len(MONTHS)), index=MONTHS)

    free = outlets[outlets["plant_id"] == ""].set_index("outlet_id", drop=False)
    works = plants.set_index("plant_id", drop=False)
    effluent = {plant[0]: plant[9] for plant in places.PLANTS}
    habit = pd.Series(rng.lognormal(-0.12, 0.25, len(free)), index=free.index)
    culprit = _culprit(free, reaches)
    order = downstream(reaches)
    shore = reaches["decay_per_d"]
    lateral = np.maximum(reaches["area_km2"] * reaches["runoff"] / 1000, 0.001)
    mood = rng.lognormal(0, 0.07, (len(MONTHS), len(reaches)))
    dirt = rng.lognormal(0, 0.13, len(MONTHS))

    flows, inbound = {}, {}
    loads: dict[str, dict[str, pd.Series]] = {p: {} for p in PARAMETERS}
    seen: dict[str, dict[str, pd.Series]] = {p: {} for p in PARAMETERS}
    for i, month in enumerate(MONTHS):
        season = int(month[5:])
        water_in = boundaries["discharge_m3_s"].to_numpy() * np.where(
            boundaries["origin"] == "黄河", 1.5 if season in (3, 4, 5, 6) else 0.85, runoff[month] ** 0.8
        )
        inbound[month] = pd.Series(water_in, index=boundaries["boundary_id"])
        side = lateral * runoff[month] * mood[i]
        outlet_water = free["permit_discharge_m3_d"] * _busy(free, season, rain[month]) / 86_400
        plant_water = works["actual_discharge_m3_d"] * float(0.93 + 0.1 * min(rain[month] / 150, 1.5)) / 86_400
        points = (
            outlet_water.groupby(free["reach_id"]).sum().add(plant_water.groupby(works["reach_id"]).sum(), fill_value=0)
        )
        flow = _flow(reaches, order, side, points, boundaries, water_in)
        flows[month] = flow
        velocity = reaches["velocity_m_s"] * (flow / reaches["discharge_m3_s"]) ** 0.34
        warmth = 1.047 ** (sky["water_temp_c"].iloc[i] - 20)

        tp = {
            "diffuse": side * reaches["lateral_tp_mg_l"] * washed[month] * progress[month] * dirt[i] * KG_D,
            "inbound": pd.Series(
                water_in * _inbound_tp(boundaries, progress[month], rain[month], rng) * KG_D,
                index=boundaries["boundary_id"],
            ),
            "outlet": outlet_water * free["permit_tp_mg_l"] * habit * rng.lognormal(0, 0.12, len(free)) * KG_D,
            "plant": plant_water * works.index.map(effluent).to_numpy() * rng.lognormal(0, 0.06, len(works)) * KG_D,
        }
        if month == BYPASS["month"]:
            tp["plant"][BYPASS["source"]] *= BYPASS["factor"]
        extra = pd.Series(0.0, index=reaches.index)
        if month in UNREGISTERED["months"]:
            extra[reaches.index[reaches["name"] == UNREGISTERED["reach"]][0]] = UNREGISTERED["kg_d"]
        if month == HIDDEN["month"]:
            tp["outlet"][culprit] += HIDDEN["kg_d"]
        cold = 1.35 if season in (12, 1, 2, 3) else 1.0
        for parameter in PARAMETERS:
            other = {kind: 1.0 if parameter == "TP" else RATIO[kind][parameter] for kind in tp}
            if parameter == "NH3N":
                other = {kind: ratio * cold for kind, ratio in other.items()}
            own = {kind: tp[kind] * other[kind] for kind in tp}
            loads[parameter][month] = pd.concat([own["outlet"], own["plant"], own["inbound"]])
            at = _Stretch(reaches, shore * DECAY_RATIO[parameter] * warmth, velocity)
            inside = [(free, own["outlet"]), (works, own["plant"])]
            seen[parameter][month] = _concentrations(
                at, order, flow, own["diffuse"], own["inbound"], boundaries, inside, extra * other["outlet"], sections
            )
    return Truth(
        discharge=pd.DataFrame(flows).T,
        load={p: pd.DataFrame(table).T for p, table in loads.items()},
        section={p: pd.DataFrame(table).T for p, table in seen.items()},
        weather=sky,
        boundary_discharge=pd.DataFrame(inbound).T,
        culprit=culprit,
    )


def _culprit(free: pd.DataFrame, reaches: pd.DataFrame) -> str:
    """The works on 石门河 above 占城 that had a bad month: the largest registered industrial outlet there that reports."""
    river = reaches.loc[free["reach_id"], "river"].to_numpy()
    there = free[(river == HIDDEN["river"]) & (free["type"] == "工业排污口")]
    return str(there["permit_load_kg_d"].idxmax())


def _busy(free: pd.DataFrame, season: int, rain_mm: float) -> pd.Series:
    """How much of its permitted water each outlet lets go: irrigation in summer, storm drains with rain."""
    busy = pd.Series(0.85, index=free.index)
    busy[free["subtype"] == "灌区排口"] = 1.2 if season in (5, 6, 7, 8, 9) else 0.3
    busy[free["subtype"].str.contains("雨洪")] = min(0.15 + rain_mm / 120, 3.0)
    return busy


def _inbound_tp(boundaries: pd.DataFrame, progress: float, rain_mm: float, rng: np.random.Generator) -> np.ndarray:
    river = np.where(boundaries["origin"] == "黄河", 1.0, progress * (1 + 0.0016 * max(rain_mm - 90, 0)))
    return boundaries["tp_mg_l"].to_numpy() * river * rng.lognormal(0, 0.1, len(boundaries))


def _flow(
    reaches: pd.DataFrame,
    order: list[Way],
    side: pd.Series,
    points: pd.Series,
    boundaries: pd.DataFrame,
    water_in: np.ndarray,
) -> pd.Series:
    at_node = dict(zip(boundaries["node"], water_in, strict=True))
    own = side.add(points, fill_value=0).to_dict()
    flow = {}
    for reach_id, upper, lower, share in order:
        flow[reach_id] = at_node.get(upper, 0.0) * share + own[reach_id]
        at_node[lower] = at_node.get(lower, 0.0) + flow[reach_id]
    return pd.Series(flow).reindex(reaches.index)


class _Stretch:
    """What is kept along a part of a reach under given decay and velocity."""

    def __init__(self, reaches: pd.DataFrame, decay_per_d: pd.Series, velocity: pd.Series) -> None:
        self.reaches = reaches
        self.per_m = (decay_per_d / velocity / 86_400).to_dict()
        self.length = reaches["length_m"].to_dict()
        self.lake = (reaches["waterbody"] == "lake").to_dict()

    def kept(self, reach_id: str, metres: float) -> float:
        if self.lake[reach_id]:
            return 1 / (1 + self.per_m[reach_id] * self.length[reach_id])
        return math.exp(-self.per_m[reach_id] * metres)


def _concentrations(
    at: _Stretch,
    order: list[Way],
    flow: pd.Series,
    diffuse: pd.Series,
    inbound: pd.Series,
    boundaries: pd.DataFrame,
    inside: list[tuple[pd.DataFrame, pd.Series]],
    unlisted: pd.Series,
    sections: pd.DataFrame,
) -> pd.Series:
    """Concentration at every section, mg/L: loads enter at their chainage and decay from there."""
    entries: dict[str, list[tuple[float, float]]] = {reach_id: [] for reach_id, *_ in order}
    washed_in, closed = diffuse.to_dict(), set(at.reaches.index[at.reaches["control"] == "closed"])
    for table, loads in inside:
        for source, reach_id, chainage in zip(table.index, table["reach_id"], table["chainage_m"], strict=True):
            entries[reach_id].append((chainage, loads[source]))
    for reach_id, load in unlisted[unlisted > 0].items():
        entries[str(reach_id)].append((at.length[str(reach_id)] / 2, load))
    at_node = {node: inbound[key] for node, key in zip(boundaries["node"], boundaries["boundary_id"], strict=True)}
    gauges: dict[str, list[tuple[str, float]]] = {}
    for section in sections.itertuples():
        gauges.setdefault(section.reach_id, []).append((section.section_id, section.chainage_m))
    found = {}
    for reach_id, upper, lower, share in order:
        head = at_node.get(upper, 0.0) * share + washed_in[reach_id]

        def load_at(chainage: float, head: float = head, reach_id: str = reach_id) -> float:
            above = [(place, load) for place, load in entries[reach_id] if place <= chainage]
            return head * at.kept(reach_id, chainage) + sum(
                load * at.kept(reach_id, chainage - place) for place, load in above
            )

        for section_id, chainage in gauges.get(reach_id, []):
            found[section_id] = load_at(chainage) / (KG_D * flow[reach_id])
        if reach_id not in closed:
            at_node[lower] = at_node.get(lower, 0.0) + load_at(at.length[reach_id])
    return pd.Series(found)
