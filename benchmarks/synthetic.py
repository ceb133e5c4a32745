"""Made-up basins of any size in the project's own schema, for benchmarks and tests that need many reaches.

``make_basin(20_000, 3_000, 60)`` gives the tables of a project.  The drawing looks like a river because it is grown like
one: random junctions, Delaunay neighbours, and the cheapest way from each junction to the mouth over random ground (a
shortest-path tree is dendritic, as an optimal channel network is).  About one reach in a hundred is a second way out of
its node.  Everything follows from ``seed``.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay

CRS = "EPSG:4490"
CENTRE = (114.0, 35.3)
REACH_KM = 2.0
"""Mean spacing of junctions, as in a 1:250 000 river layer."""
RUNOFF_M3_S_KM2 = 0.004
SPLITS = 0.01
MONTHS = tuple(f"{year}-{month:02d}" for year in (2020, 2021, 2022) for month in range(1, 13))
OUTLET_TYPES = ("工业排污口", "城镇污水处理厂排污口", "农业排口", "其他排口")
SYLLABLES = "清沙沧汶洹漳沁滏淇浊白青玉石柳杨龙凤金银南北东西大小新古长永安平"

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Tables = dict[str, pd.DataFrame]


def make_basin(reaches: int = 1000, outlets: int = 200, sections: int = 12, seed: int = 0) -> Tables:
    """Tables of one connected basin: reaches, boundaries, sections, outlets, plants, gates, observations, weather.

    ``reaches`` is exact. Spatial tables are GeoDataFrames (EPSG:4490); ids are ``R0…``, ``O0…``, ``S0…``, ``W0…``.
    """
    if reaches < 3:
        raise ValueError("a basin needs at least three reaches")
    rng = np.random.default_rng(seed)
    xy_km, start, end, order = _grow(reaches, rng)
    area, share = _drain(start, end, order, rng)
    lonlat = _lonlat(xy_km)
    lines, length_m = _draw(xy_km, lonlat, start, end, rng)
    river = _name_rivers(start, end, area, order)
    discharge = np.maximum(area * RUNOFF_M3_S_KM2, 0.002)
    reach_ids = np.array([f"R{i}" for i in range(reaches)], dtype=object)
    table = gpd.GeoDataFrame(
        {
            "reach_id": reach_ids,
            "name": river,
            "river": river,
            "from_node": [f"N{i}" for i in start],
            "to_node": [f"N{i}" for i in end],
            "length_m": length_m,
            "discharge_m3_s": discharge,
            "velocity_m_s": 0.35 * discharge**0.1,
            "split": np.where(share < 1, share, np.nan),
            "area_km2": area,
            "lateral_tp_mg_l": 0.08,
            "kind": np.where(rng.random(reaches) < 0.03, "canal", "natural"),
            "control": "none",
            "waterbody": "river",
        },
        geometry=lines,
        crs=CRS,
    )
    tables: Tables = {"reaches": table}
    tables["boundaries"] = _boundaries(table, lonlat, start, end, rng)
    tables["outlets"], tables["plants"] = _sources(table, outlets, rng)
    tables["sections"] = _sections(table, area, sections, rng)
    tables["gates"] = _gates(table, share)
    tables["observations"] = _observations(tables, rng)
    season = np.array([0.2, 0.3, 0.6, 0.8, 1.2, 1.6, 3.0, 2.4, 1.4, 0.8, 0.4, 0.2])
    warmth = np.array([3, 5, 10, 16, 21, 26, 28, 27, 22, 16, 10, 5], float)
    tables["weather"] = pd.DataFrame(
        {"time": MONTHS, "place": "示例", "rain_mm": 50 * np.tile(season, 3), "water_temp_c": np.tile(warmth, 3)}
    )
    return tables


def _grow(reaches: int, rng: np.random.Generator) -> tuple[Float, Int, Int, Int]:
    """Junctions (km), reaches between them (a shortest-path tree to the mouth, and some second ways), and flow order."""
    extra = int(reaches * SPLITS)
    nodes = reaches - extra + 1
    side = REACH_KM * np.sqrt(nodes)
    xy = rng.uniform(0, side, (nodes, 2)) * [1.25, 0.8]
    mouth = int(np.argmax(xy[:, 0] - np.abs(xy[:, 1] - 0.4 * side)))
    corners = Delaunay(xy).simplices
    pairs = np.unique(
        np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=1), axis=0
    )
    gap = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    cost = gap * rng.lognormal(0, 0.9, len(pairs))
    ground = coo_array((cost, (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes)).tocsr()
    far, parent = dijkstra(ground, directed=False, indices=mouth, return_predecessors=True)
    start = np.delete(np.arange(nodes), mouth)
    end = parent[start].astype(np.int64)
    down = np.where((far[pairs[:, 0]] > far[pairs[:, 1]])[:, None], pairs, pairs[:, ::-1])
    spare = down[(parent[down[:, 0]] != down[:, 1]) & (gap < 3 * REACH_KM)]
    spare = spare[rng.permutation(len(spare))]
    _, one_each = np.unique(spare[:, 0], return_index=True)
    spare = spare[np.sort(one_each)[:extra]]
    missing = extra - len(spare)
    if missing:  # a very small basin may lack second ways: hang headwaters on it instead
        heads = xy[:missing] + rng.uniform(0.5, 1.5, (missing, 2))
        start, end = np.append(start, nodes + np.arange(missing)), np.append(end, np.arange(missing))
        xy, far = np.concatenate([xy, heads]), np.append(far, np.full(missing, np.inf))
    start, end = np.append(start, spare[:, 0]), np.append(end, spare[:, 1])
    return xy, start, end, np.argsort(-far[start], kind="stable")


def _drain(start: Int, end: Int, order: Int, rng: np.random.Generator) -> tuple[Float, Float]:
    """Drained area (km2) of every reach, and its share of its upstream node."""
    leaving = np.bincount(start, minlength=int(max(start.max(), end.max())) + 1)
    share = np.ones(len(start))
    twice = np.flatnonzero(leaving[start] > 1)
    first = twice[np.unique(start[twice], return_index=True)[1]]
    part = np.round(rng.uniform(0.55, 0.9, len(first)), 2)
    by_node = np.zeros(len(leaving))
    by_node[start[first]] = part
    share[twice] = 1 - by_node[start[twice]]
    share[first] = part
    own = REACH_KM**2 * rng.uniform(0.5, 1.5, len(start))
    at_node, area = [0.0] * len(leaving), own.tolist()
    ends, starts, shares = end.tolist(), start.tolist(), share.tolist()
    for i in order.tolist():
        area[i] += shares[i] * at_node[starts[i]]
        at_node[ends[i]] += area[i]
    return np.array(area), np.round(share, 2)


def _lonlat(xy_km: Float) -> Float:
    middle = (xy_km.max(0) + xy_km.min(0)) / 2
    lat = CENTRE[1] + (xy_km[:, 1] - middle[1]) / 111.0
    lon = CENTRE[0] + (xy_km[:, 0] - middle[0]) / (111.32 * np.cos(np.radians(CENTRE[1])))
    return np.column_stack([lon, lat])


def _draw(
    xy: Float, lonlat: Float, start: Int, end: Int, rng: np.random.Generator
) -> tuple[NDArray[np.object_], Float]:
    """A winding line of nine vertices for each reach (midpoint displacement), and its length with the windings."""
    a, b = lonlat[start], lonlat[end]
    points = np.stack([a, b], axis=1)
    for roughness in (0.16, 0.13, 0.11):
        step = np.diff(points, axis=1)
        across = np.stack([-step[..., 1], step[..., 0]], axis=-1)
        middle = (points[:, :-1] + points[:, 1:]) / 2 + across * rng.normal(0, roughness, (*step.shape[:2], 1))
        woven = np.empty((len(points), points.shape[1] * 2 - 1, 2))
        woven[:, ::2], woven[:, 1::2] = points, middle
        points = woven
    per_degree = np.array([111_320 * np.cos(np.radians(CENTRE[1])), 111_000])
    length_m = np.hypot(*np.moveaxis(np.diff(points, axis=1) * per_degree, -1, 0)).sum(axis=1)
    return shapely.linestrings(np.round(points, 6)), np.maximum(np.round(length_m, 1), 1.0)


def _name_rivers(start: Int, end: Int, area: Float, order: Int) -> NDArray[np.object_]:
    """A river keeps its name along its largest branch; brooks (under 60 km2) have none."""
    biggest: dict[int, int] = {}
    for i in order[np.argsort(area[order], kind="stable")].tolist():
        biggest[int(end[i])] = i
    names = np.full(len(start), "", dtype=object)
    count = 0
    leaving: dict[int, list[int]] = {}
    for i, node in enumerate(start.tolist()):
        leaving.setdefault(node, []).append(i)
    for i in order[::-1].tolist():
        below = [j for j in leaving.get(int(end[i]), []) if names[j]]
        if area[i] < 60 and count:
            continue
        if below and biggest[int(end[i])] == i:
            names[i] = names[below[0]]
        else:
            names[i] = _river_name(count)
            count += 1
    return names


def _river_name(number: int) -> str:
    first, second = divmod(number, len(SYLLABLES))
    syllables = SYLLABLES[second] if not first else SYLLABLES[(first - 1) % len(SYLLABLES)] + SYLLABLES[second]
    generation = first // (len(SYLLABLES) + 1)
    return f"{syllables}河{generation or ''}"


def _boundaries(
    reaches: gpd.GeoDataFrame, lonlat: Float, start: Int, end: Int, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    heads = np.setdiff1d(start, end)
    nodes = np.sort(rng.choice(heads, min(3, len(heads)), replace=False))
    return gpd.GeoDataFrame(
        {
            "boundary_id": [f"B{i}" for i in range(len(nodes))],
            "name": [f"入境{i + 1}" for i in range(len(nodes))],
            "node": [f"N{node}" for node in nodes],
            "reach_id": "",
            "origin": "邻市",
            "discharge_m3_s": np.round(rng.uniform(0.2, 2, len(nodes)), 2),
            "tp_mg_l": np.round(rng.uniform(0.1, 0.3, len(nodes)), 3),
        },
        geometry=shapely.points(lonlat[nodes[nodes < len(lonlat)]]),
        crs=CRS,
    )


def _along(reaches: gpd.GeoDataFrame, where: Int, part: Float) -> tuple[NDArray[np.object_], Float]:
    lines = reaches.geometry.to_numpy()[where]
    chainage = np.round(part * reaches["length_m"].to_numpy()[where], 1)
    return shapely.line_interpolate_point(lines, part, normalized=True), chainage


def _sources(
    reaches: gpd.GeoDataFrame, outlets: int, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    where = rng.integers(0, len(reaches), outlets)
    points, chainage = _along(reaches, where, rng.uniform(0.05, 0.95, outlets))
    kind = rng.choice(4, outlets, p=[0.3, 0.15, 0.3, 0.25])
    flow = np.round(rng.lognormal(5.5, 1.0, outlets))
    blank = rng.random(outlets) < 1 / 3
    adcode = rng.integers(410702, 410784, outlets)
    table = gpd.GeoDataFrame(
        {
            "outlet_id": [f"O{i}" for i in range(outlets)],
            "code": [
                "" if b else f"XX-{a}-{i % 10000:04d}-{k + 1:02d}-01"
                for i, (a, k, b) in enumerate(zip(adcode, kind, blank, strict=True))
            ],
            "name": [f"{OUTLET_TYPES[k][:2]}排口{i}" for i, k in enumerate(kind)],
            "type": [OUTLET_TYPES[k] for k in kind],
            "reach_id": reaches["reach_id"].to_numpy()[where],
            "chainage_m": chainage,
            "snap_distance_m": np.round(rng.exponential(20, outlets), 1),
            "permit_discharge_m3_d": flow,
            "permit_tp_mg_l": rng.choice([0.5, 1.0, 2.0, 3.0], outlets),
            "reports": (rng.random(outlets) < 0.4).astype(int),
            "county": "示例县",
            "survey": "found",
            "decision": "undecided",
        },
        geometry=points,
        crs=CRS,
    )
    count = max(1, outlets // 15)
    where = rng.integers(0, len(reaches), count)
    points, chainage = _along(reaches, where, rng.uniform(0.05, 0.95, count))
    design = np.round(rng.uniform(0.5, 8, count)) * 10_000
    plants = gpd.GeoDataFrame(
        {
            "plant_id": [f"W{i}" for i in range(count)],
            "name": [f"第{i + 1}污水处理厂" for i in range(count)],
            "design_discharge_m3_d": design,
            "actual_discharge_m3_d": np.round(design * rng.uniform(0.5, 1.05, count)),
            "standard": "1A",
            "permit_tp_mg_l": 0.5,
            "reports": 1,
            "reach_id": reaches["reach_id"].to_numpy()[where],
            "chainage_m": chainage,
            "county": "示例县",
        },
        geometry=points,
        crs=CRS,
    )
    return table, plants


def _sections(reaches: gpd.GeoDataFrame, area: Float, sections: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    large = np.argsort(area)[::-1][: max(sections * 8, 8)]
    where = np.sort(np.append(large[:1], rng.choice(large[1:], min(sections - 1, len(large) - 1), replace=False)))
    points, chainage = _along(reaches, where, np.full(len(where), 0.9))
    level = rng.choice(["国控", "省控", "市控"], len(where))
    target = rng.choice([0.2, 0.3, 0.4], len(where))
    return gpd.GeoDataFrame(
        {
            "section_id": [f"S{i}" for i in range(len(where))],
            "name": [f"断面{i + 1}" for i in range(len(where))],
            "river": reaches["river"].to_numpy()[where],
            "level": level,
            "reach_id": reaches["reach_id"].to_numpy()[where],
            "chainage_m": chainage,
            "waterbody": "river",
            "target_class": pd.Series(target).map({0.2: "III", 0.3: "IV", 0.4: "V"}).to_numpy(),
            "tp_target_mg_l": target,
            "county": "示例县",
        },
        geometry=points,
        crs=CRS,
    )


def _gates(reaches: gpd.GeoDataFrame, share: Float) -> gpd.GeoDataFrame:
    where = np.flatnonzero(share < 0.5)[:8]
    points, _ = _along(reaches, where, np.full(len(where), 0.1))
    return gpd.GeoDataFrame(
        {
            "gate_id": [f"G{i}" for i in range(len(where))],
            "name": [f"{i + 1}号节制闸" for i in range(len(where))],
            "reach_id": reaches["reach_id"].to_numpy()[where],
            "max_discharge_m3_s": 5.0,
            "source_tp_mg_l": 0.05,
            "state": "运行",
        },
        geometry=points,
        crs=CRS,
    )


def _observations(tables: Tables, rng: np.random.Generator) -> pd.DataFrame:
    """36 months of TP and discharge at sections, TP at plants and at the outlets that report."""
    flow = tables["reaches"].set_index("reach_id")["discharge_m3_s"]
    reporting = tables["outlets"][tables["outlets"]["reports"] == 1]
    sections, plants = tables["sections"], tables["plants"]
    series = [
        (
            "section",
            sections["section_id"],
            "TP",
            sections["tp_target_mg_l"] * rng.uniform(0.5, 1.1, len(sections)),
            0.15,
        ),
        ("section", sections["section_id"], "discharge", sections["reach_id"].map(flow), 0.3),
        ("plant", plants["plant_id"], "TP", plants["permit_tp_mg_l"] * 0.8, 0.2),
        ("outlet", reporting["outlet_id"], "TP", reporting["permit_tp_mg_l"] * 0.9, 0.3),
    ]
    frames = []
    for kind, ids, parameter, mean, spread in series:
        value = np.asarray(mean, float)[:, None] * rng.lognormal(0, spread, (len(ids), len(MONTHS)))
        frames.append(
            pd.DataFrame(
                {
                    "station_kind": kind,
                    "station_id": np.repeat(np.asarray(ids, object), len(MONTHS)),
                    "time": np.tile(MONTHS, len(ids)),
                    "parameter": parameter,
                    "value": np.round(value.ravel(), 3),
                    "qualifier": "",
                    "unit": "m3/s" if parameter == "discharge" else "mg/L",
                    "source": "示例",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
