"""Made-up basins with monthly records and the truth beside them, to measure attribution on more cases than anyone can keep.

What is told differs from what is true, as it does in a bureau: permits are not loads, half of the reporting culprits
leave their event out, some outlets are on no list, decay and velocity are known to a few per cent, lab and gauges err.
The true transport is computed here reach by reach, independently of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Float = NDArray[np.float64]
KG_D = 86.4
SUBTYPES = ("industrial", "municipal", "rural", "storm", "aquaculture")
MONTHS = [f"{year}-{month:02d}" for year in (2022, 2023, 2024) for month in range(1, 13)]
SEASON = np.array([0.55, 0.55, 0.65, 0.8, 1.0, 1.2, 1.5, 1.6, 1.3, 1.0, 0.75, 0.65])
CELSIUS = np.array([7, 7, 10, 14, 19, 24, 27, 27, 23, 17, 12, 8], np.float64)
CAUSE_PART = 0.25


@dataclass(frozen=True)
class Basin:
    """The tables of a project, and the truth: ``queries`` (one an exceedance), ``shares`` {query: {source: share}}, ``events``."""

    tables: dict[str, pd.DataFrame]
    queries: pd.DataFrame
    shares: dict[str, dict[str, float]]
    events: pd.DataFrame


@dataclass(frozen=True)
class River:
    """A tree with a few splits, mouth at node 0; reach i leaves node ``start[i]`` and ends at ``end[i]``."""

    start: NDArray[np.int_]
    end: NDArray[np.int_]
    length_m: Float
    area_km2: Float
    split: Float
    lateral_m3_s: Float

    @property
    def count(self) -> int:
        """Number of reaches."""
        return len(self.start)

    def order(self) -> list[int]:
        """Reaches, upstream before downstream: nodes are numbered from the mouth up."""
        return sorted(range(self.count), key=lambda i: -int(self.start[i]))

    def route(self, entering: Float, kept: Float) -> Float:
        """What leaves every reach when ``entering`` is what enters at its head."""
        node, out = np.zeros(int(self.start.max()) + 1), np.zeros(self.count)
        for i in self.order():
            out[i] = (node[self.start[i]] * self.split[i] + entering[i]) * kept[i]
            node[self.end[i]] += out[i]
        return out

    def deliver(self, reach: int, part: float, to: list[tuple[int, float]], exponent: Float) -> Float:
        """Fraction of what enters ``reach`` at ``part`` of its way that passes every place of ``to``."""
        node, out = np.zeros(int(self.start.max()) + 1), np.zeros(len(to))
        for s, (own, end) in enumerate(to):
            if own == reach and end >= part:
                out[s] = np.exp(-exponent[reach] * (end - part))
        node[self.end[reach]] = np.exp(-exponent[reach] * (1 - part))
        for i in self.order():
            passing = node[self.start[i]] * self.split[i]
            if passing:
                node[self.end[i]] += passing * np.exp(-exponent[i])
                for s, (own, end) in enumerate(to):
                    if own == i:
                        out[s] += passing * np.exp(-exponent[i] * end)
        return out


def make_river(draw: np.random.Generator, reaches: int, splits: int = 2) -> River:
    """A random river: every node drains to a lower one that has room, and ``splits`` nodes have a second way out."""
    end, room = [], {0: 2}
    for node in range(1, reaches - splits + 1):
        free = sorted(room)
        weight = np.array([1.0 + 2.0 * (n / node) for n in free])
        below = int(draw.choice(free, p=weight / weight.sum()))
        room[below] -= 1
        if room[below] == 0:
            del room[below]
        room[node] = 2
        end.append(below)
    start = list(range(1, len(end) + 1))
    split = [1.0] * len(end)
    forks = draw.choice(np.arange(reaches // 5, reaches // 2), splits, replace=False)
    for fork in forks:
        part = draw.uniform(0.25, 0.5)
        split[fork - 1] = 1 - part
        start.append(int(fork))
        end.append(int(draw.integers(0, max(end[fork - 1], 1))))
        split.append(part)
    length = draw.uniform(2500, 11500, len(start))
    length[reaches - splits :] *= 1.8
    area = draw.lognormal(np.log(45), 0.65, len(start))
    return River(np.array(start), np.array(end), length, area, np.array(split), area * draw.uniform(0.004, 0.006))


def make_basin(
    seed: int,
    *,
    reaches: int = 82,
    outlets: int = 41,
    plants: int = 4,
    hidden: int = 5,
    sections: int = 9,
    events: int = 12,
    washoffs: int = 3,
) -> Basin:
    """A basin with its record and the truth; the same seed, the same basin."""
    draw = np.random.default_rng(seed)
    river = make_river(draw, reaches)
    count = outlets + plants + hidden
    kind = np.array(["outlet"] * outlets + ["plant"] * plants + ["hidden"] * hidden)
    ids = [f"O{i + 1:03d}" for i in range(outlets)] + [f"W{i + 1:03d}" for i in range(plants)]
    ids += [f"H{i + 1:03d}" for i in range(hidden)]
    reach = draw.integers(0, river.count, count)
    part = draw.uniform(0.05, 0.95, count)
    permit_mg_l = np.where(kind == "plant", 0.5, draw.choice([0.5, 1.0, 1.5, 3.0, 5.0], count))
    water_m3_d = draw.lognormal(7.3, 1.5, count) * np.where(kind == "plant", 4.0, 1.0)
    own = np.zeros(river.count)
    np.add.at(own, reach[kind != "hidden"], water_m3_d[kind != "hidden"] / 86_400)
    discharge = river.route(river.lateral_m3_s + own, np.ones(river.count))
    velocity = 0.3 * discharge**0.34 * draw.lognormal(0, 0.1, river.count)
    decay = draw.uniform(0.06, 0.3)
    true_decay = decay * draw.lognormal(0, 0.05) * draw.lognormal(0, 0.1, river.count)
    true_velocity = velocity * draw.lognormal(0, 0.04, river.count)

    growth = SEASON[np.arange(len(MONTHS)) % 12] * draw.lognormal(-0.08, 0.35, len(MONTHS))
    rain = 105 * growth**1.3
    celsius = CELSIUS[np.arange(len(MONTHS)) % 12] + draw.normal(0, 0.7, len(MONTHS))
    places = _sections(draw, river, discharge, sections)
    lateral_mg_l = draw.uniform(0.04, 0.065)
    use = np.where(kind == "hidden", 1.0, draw.lognormal(-0.3, 0.37, count))
    permit = permit_mg_l * water_m3_d / 1000
    base = np.where(kind == "hidden", draw.lognormal(np.log(2.6), 1.5, count), permit) * use

    days = river.length_m / true_velocity / 86_400
    exponent = np.array([true_decay * 1.047 ** (t - 20) * days / f**0.34 for t, f in zip(celsius, growth, strict=True)])
    delivered = np.array(
        [[river.deliver(int(r), float(p), places, e) for r, p in zip(reach, part, strict=True)] for e in exponent]
    )
    washing = draw.lognormal(0, 0.05, river.count) * river.lateral_m3_s * lateral_mg_l * KG_D
    power = draw.uniform(1.6, 1.85)
    diffuse = np.array([_diffuse(river, places, washing * f**power, e) for f, e in zip(growth, exponent, strict=True)])
    water = np.array([discharge[r] for r, _ in places])[None, :] * growth[:, None]
    target = 0.2
    aim = draw.uniform(0.45, 0.65) * target
    scale = _scale(np.einsum("mjs,j->ms", delivered, base), diffuse, water, aim)
    base, permit, water_m3_d = base * scale, permit * scale, water_m3_d * scale

    monthly = base * draw.lognormal(0, 0.145, (len(MONTHS), count))
    added, washed, told = np.zeros_like(monthly), np.zeros(len(MONTHS)), np.zeros_like(monthly, bool)
    happened = _happen(
        draw, kind, base, delivered, diffuse, monthly, water, target, added, washed, told, events, washoffs
    )

    reports = np.where(kind == "plant", True, draw.uniform(size=count) < 0.6) & (kind != "hidden")
    told &= reports
    loads = np.einsum("mjs,mj->ms", delivered, monthly + added) + diffuse * (1 + washed[:, None])
    seen_tp = loads / water / KG_D * draw.lognormal(0, 0.07, loads.shape)
    seen_water = water * draw.lognormal(0, 0.06, loads.shape)
    said = (monthly + np.where(told, added, 0.0)) * draw.lognormal(0, 0.12, monthly.shape)
    said[draw.uniform(size=said.shape) < 0.055] = np.nan
    seen_water[draw.uniform(size=seen_water.shape) < 0.05] = np.nan

    names = [f"S{i + 1:02d}" for i in range(len(places))]
    tables = {
        "reaches": pd.DataFrame(
            {
                "reach_id": [f"R{i + 1:04d}" for i in range(river.count)],
                "from_node": [f"N{i:04d}" for i in river.start],
                "to_node": [f"N{i:04d}" for i in river.end],
                "length_m": river.length_m,
                "discharge_m3_s": discharge,
                "velocity_m_s": velocity,
                "split": river.split,
                "decay_per_d": decay,
                "lateral_tp_mg_l": lateral_mg_l,
                "area_km2": river.area_km2,
            }
        ),
        "sections": pd.DataFrame(
            {
                "section_id": names,
                "name": names,
                "reach_id": [f"R{r + 1:04d}" for r, _ in places],
                "chainage_m": [p * river.length_m[r] for r, p in places],
                "tp_target_mg_l": target,
            }
        ),
        "outlets": _stand("outlet", ids, kind, river, reach, part, permit, permit_mg_l, water_m3_d, reports).assign(
            subtype=draw.choice(SUBTYPES, outlets)
        ),
        "plants": _stand("plant", ids, kind, river, reach, part, permit, permit_mg_l, water_m3_d, reports),
        "observations": _observations(names, seen_tp, seen_water, ids, kind, reports, said),
        "weather": pd.DataFrame(
            {"time": MONTHS, "place": "", "rain_mm": rain.round(1), "water_temp_c": celsius.round(1)}
        ),
    }
    parts = np.concatenate(
        [delivered * (monthly + added)[:, :, None], (diffuse * (1 + washed[:, None]))[:, None, :]], axis=1
    )
    extra = np.concatenate([delivered * added[:, :, None], (diffuse * washed[:, None])[:, None, :]], axis=1)
    queries, shares = _truth(names, seen_tp, target, [*ids, "DIFFUSE"], [*kind, "diffuse"], parts, extra, told)
    return Basin(
        tables, queries, shares, happened.assign(source_id=[([*ids, "DIFFUSE"])[i] for i in happened["source"]])
    )


def _sections(draw: np.random.Generator, river: River, discharge: Float, count: int) -> list[tuple[int, float]]:
    """Sections spread over the basin, the larger rivers first; one always near the mouth."""
    trunk = int(np.argmax(discharge))
    weight = discharge**0.6
    weight[trunk] = 0
    others = draw.choice(river.count, count - 1, replace=False, p=weight / weight.sum())
    return [(trunk, 0.95)] + [(int(r), float(draw.uniform(0.7, 0.97))) for r in others]


def _diffuse(river: River, places: list[tuple[int, float]], washing: Float, exponent: Float) -> Float:
    node = np.zeros(int(river.start.max()) + 1)
    out = np.zeros(len(places))
    for i in river.order():
        head = node[river.start[i]] * river.split[i] + washing[i]
        for s, (own, end) in enumerate(places):
            if own == i:
                out[s] = head * np.exp(-exponent[i] * end)
        node[river.end[i]] += head * np.exp(-exponent[i])
    return out


def _scale(point: Float, diffuse: Float, water: Float, aim: float) -> float:
    """Factor on the point loads that puts the median section on ``aim`` mg/L in the median month."""
    factors = np.geomspace(0.05, 20, 200)
    level = [float(np.median((f * point + diffuse) / water / KG_D)) for f in factors]
    return float(factors[int(np.argmin(np.abs(np.array(level) - aim)))])


def _happen(
    draw: np.random.Generator,
    kind: NDArray[Any],
    base: Float,
    delivered: Float,
    diffuse: Float,
    monthly: Float,
    water: Float,
    target: float,
    added: Float,
    washed: Float,
    told: NDArray[np.bool_],
    events: int,
    washoffs: int,
) -> pd.DataFrame:
    """Point events and wash-offs, each in a month of its own; fills ``added``, ``washed``, ``told``."""
    months = draw.permutation(np.arange(3, len(MONTHS)))
    rows: list[dict[str, Any]] = []
    weight = base**0.15 * np.select([kind == "plant", kind == "hidden"], [2.4, 2.0], 1.0)
    weight[delivered.max(axis=(0, 2)) == 0] = 0
    for month in months:
        if len(rows) == events:
            break
        for _ in range(50):
            source = int(draw.choice(len(base), p=weight / weight.sum()))
            capacity = target * water[month] * KG_D
            first = int(np.argmax(delivered[month, source] / capacity))
            ordinary = float((delivered[month, :, first] * monthly[month]).sum() + diffuse[month, first])
            wanted = draw.uniform(1.3, 3.0) * capacity[first] - ordinary
            extra = wanted / max(delivered[month, source, first], 1e-9)
            if 0 < extra < 200 * base[source]:
                added[month, source] = extra
                told[month, source] = bool(draw.uniform() < 0.5)
                rows.append({"month": MONTHS[month], "source": source, "extra_kg_d": extra})
                break
    free = [m for m in months if MONTHS[m] not in {row["month"] for row in rows}]
    for month in free[:washoffs]:
        washed[month] = draw.uniform(1.0, 3.3)
        rows.append({"month": MONTHS[month], "source": len(base), "extra_kg_d": float(washed[month])})
    return pd.DataFrame(rows)


def _stand(
    which: str,
    ids: list[str],
    kind: NDArray[Any],
    river: River,
    reach: NDArray[np.int_],
    part: Float,
    permit: Float,
    permit_mg_l: Float,
    water_m3_d: Float,
    reports: NDArray[np.bool_],
) -> pd.DataFrame:
    rows = np.flatnonzero(kind == which)
    water = "permit_discharge_m3_d" if which == "outlet" else "design_discharge_m3_d"
    return pd.DataFrame(
        {
            f"{which}_id": [ids[i] for i in rows],
            "reach_id": [f"R{reach[i] + 1:04d}" for i in rows],
            "chainage_m": part[rows] * river.length_m[reach[rows]],
            water: water_m3_d[rows],
            "permit_tp_mg_l": permit_mg_l[rows],
            "permit_load_kg_d": permit[rows],
            "reports": reports[rows].astype(int),
        }
    )


def _observations(
    names: list[str],
    tp: Float,
    water: Float,
    ids: list[str],
    kind: NDArray[Any],
    reports: NDArray[np.bool_],
    said: Float,
) -> pd.DataFrame:
    rows: list[tuple[str, str, str, str, float, str, str]] = []
    for m, month in enumerate(MONTHS):
        for s, name in enumerate(names):
            rows.append((name, "section", month, "TP", round(float(tp[m, s]), 3), "", "mg/L"))
            if np.isfinite(water[m, s]):
                rows.append((name, "section", month, "discharge", round(float(water[m, s]), 4), "", "m3/s"))
        for j in np.flatnonzero(reports):
            if np.isfinite(said[m, j]):
                rows.append((ids[j], str(kind[j]), month, "TP_load", round(float(said[m, j]), 5), "", "kg/d"))
    return pd.DataFrame(rows, columns=["station_id", "station_kind", "time", "parameter", "value", "qualifier", "unit"])


def _truth(
    names: list[str],
    tp: Float,
    target: float,
    ids: list[str],
    kind: list[str],
    parts: Float,
    extra: Float,
    told: NDArray[np.bool_],
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    rows, shares = [], {}
    for m, month in enumerate(MONTHS):
        for s, name in enumerate(names):
            if round(float(tp[m, s]), 3) <= target:
                continue
            query, total = f"{name}@{month}", float(parts[m, :, s].sum())
            j = int(np.argmax(extra[m, :, s]))
            part = float(extra[m, j, s]) / total
            caused = part >= CAUSE_PART
            share = parts[m, :, s] / total
            shares[query] = {ids[i]: float(share[i]) for i in np.flatnonzero(share > 0)}
            rows.append(
                {
                    "query_id": query,
                    "culprit": ids[j] if caused else "",
                    "culprit_kind": kind[j] if caused else "",
                    "excess_share": part,
                    "reported": bool(caused and j < told.shape[1] and told[m, j]),
                    "top_contributor": ids[int(np.argmax(share))],
                }
            )
    columns = ["query_id", "culprit", "culprit_kind", "excess_share", "reported", "top_contributor"]
    return pd.DataFrame(rows, columns=columns), shares
