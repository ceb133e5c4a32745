"""From the drawing to the tables that say what lies where: reaches cut at every junction, and the points upon them."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod
from shapely.geometry import LineString, MultiPoint

from demo import places
from demo.places import Point, River

GEOD = Geod(ellps="GRS80")
CRS = "EPSG:4490"
LONGEST_M = 6500.0
METRES_PER_DEGREE = 111_200.0


def all_rivers() -> list[tuple[str, River]]:
    """Every line with the name of its reaches; a branch is named apart from the river it belongs to."""
    return [(river.name, river) for river in places.RIVERS] + places.BRANCHES


def metres(line: list[Point]) -> float:
    """Length on the ellipsoid, m."""
    return float(GEOD.line_length(*zip(*line, strict=True)))


def along(line: list[Point], at_m: float) -> Point:
    """The point ``at_m`` metres from the head of a line."""
    for a, b in itertools.pairwise(line):
        step = metres([a, b])
        if at_m <= step:
            share = at_m / step
            return (round(a[0] + share * (b[0] - a[0]), 6), round(a[1] + share * (b[1] - a[1]), 6))
        at_m -= step
    return line[-1]


def cut(line: list[Point], starts_m: list[float]) -> list[list[Point]]:
    """Cut a line at the given distances from its head (ascending, inside it)."""
    pieces, piece, walked, waiting = [], [line[0]], 0.0, list(starts_m)
    for a, b in itertools.pairwise(line):
        step = metres([a, b])
        while waiting and waiting[0] < walked + step - 1:
            here = along([a, b], waiting.pop(0) - walked)
            pieces.append([*piece, here])
            piece = [here]
        piece.append(b)
        walked += step
    return [*pieces, piece]


def split_at(line: list[Point], corners: set[Point]) -> list[list[Point]]:
    """Cut a line at those of its inner corners that are in ``corners``."""
    pieces, piece = [], [line[0]]
    for point in line[1:]:
        piece.append(point)
        if point in corners and point != line[-1]:
            pieces.append(piece)
            piece = [point]
    return [*pieces, piece]


def draw_reaches() -> gpd.GeoDataFrame:
    """Every reach: cut at every junction and division, and so that none is longer than 6.5 km."""
    rivers = all_rivers()
    seen = Counter(point for _, river in rivers for point in set(river.line))
    junctions = {point for point, count in seen.items() if count > 1} | {places.XIAOHEKOU_GATE}
    nodes: dict[Point, str] = {}
    rows, number = [], 0
    for label, river in rivers:
        serial = 0
        for span in split_at(river.line, junctions):
            length = metres(span)
            parts = math.ceil(length / LONGEST_M)
            for piece in cut(span, [length * i / parts for i in range(1, parts)]):
                number, serial = number + 1, serial + 1
                ends = [nodes.setdefault(point, f"N{len(nodes) + 1:03d}") for point in (piece[0], piece[-1])]
                rows.append(
                    {
                        "reach_id": f"R{number:03d}",
                        "name": f"{label}{serial:02d}",
                        "river": river.name,
                        "label": label,
                        "from_node": ends[0],
                        "to_node": ends[1],
                        "length_m": round(metres(piece), 1),
                        "split": places.SPLITS.get(piece[0], {}).get(label, 1.0),
                        "kind": river.kind,
                        "control": "open",
                        "waterbody": "river",
                        "runoff": river.runoff_l_s_km2,
                        "lateral_tp_mg_l": river.diffuse_tp_mg_l,
                        "speed": river.velocity,
                        "geometry": LineString(piece),
                    }
                )
    reaches = gpd.GeoDataFrame(rows, crs=CRS).set_index("reach_id", drop=False)
    reaches.attrs["nodes"] = dict(nodes)
    reaches.loc[reaches["label"] == "东三干渠", "control"] = "closed"
    reaches.loc[reaches["name"] == "淇河南支02", "control"] = "unknown"
    reaches.loc[reaches["name"] == "石门河01", "waterbody"] = "lake"
    reaches.loc[reaches["name"].isin(["东三干渠02", "长虹渠01"]), "kind"] = "culvert"
    return reaches


def draw_catchments(reaches: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Land nearest to each river, within 9 km of it: (one polygon a river, km² of every reach)."""
    dots, owner = [], []
    for reach_id, line in reaches.geometry.items():
        for dot in shapely.segmentize(line, 0.015).coords[1:-1] or [line.interpolate(0.5, normalized=True).coords[0]]:
            dots.append(dot)
            owner.append(reach_id)
    basin = reaches.union_all().buffer(0.085).simplify(0.01)
    cells = gpd.GeoSeries(shapely.voronoi_polygons(MultiPoint(dots), extend_to=basin, ordered=True).geoms, crs=CRS)
    land = gpd.GeoDataFrame({"reach_id": owner}, geometry=cells.intersection(basin), crs=CRS)
    own = land.dissolve("reach_id").geometry
    area = own.map(lambda shape: abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e6).reindex(reaches.index).round(2)
    land["river"] = land["reach_id"].map(reaches["river"])
    shapes = land.dissolve("river").geometry.reindex(list(dict.fromkeys(reaches["river"])))
    simple = shapely.set_precision(shapely.coverage_simplify(shapes.to_numpy(), 0.006), 1e-4)
    last = reaches[reaches["label"] == reaches["river"]].groupby("river")["reach_id"].last()
    catchments = gpd.GeoDataFrame(
        {
            "id": [f"C{i:02d}" for i in range(1, len(shapes) + 1)],
            "name": [f"{name}汇水区" for name in shapes.index],
            "drains_to": [last[name] for name in shapes.index],
        },
        geometry=simple,
        crs=CRS,
    )
    return catchments, area


class Locator:
    """Finds the place of a point on the reaches of a named river, and the county it lies in."""

    def __init__(self, reaches: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> None:
        self.reaches = reaches
        self.districts = districts

    def snap(self, river: str, point: Point) -> tuple[str, float]:
        """(reach_id, chainage in m) of the place on that river nearest to the point."""
        own = self.reaches[self.reaches["label"] == river]
        nearest = own.iloc[int(shapely.distance(own.geometry.to_numpy(), shapely.Point(point)).argmin())]
        line = nearest.geometry
        share = line.project(shapely.Point(point), normalized=True)
        return str(nearest["reach_id"]), round(min(max(share, 0.02), 0.98) * nearest["length_m"], 1)

    def beside(self, reach_id: str, chainage_m: float, offset_m: float) -> Point:
        """The point ``offset_m`` to the left (negative: right) of a place on a reach."""
        reach = self.reaches.loc[reach_id]
        line = list(reach.geometry.coords)
        a, b = along(line, max(chainage_m - 20, 0)), along(line, min(chainage_m + 20, reach["length_m"]))
        here = along(line, chainage_m)
        shrink = math.cos(math.radians(here[1]))
        east, north = (b[0] - a[0]) * shrink, b[1] - a[1]
        size = math.hypot(east, north) * METRES_PER_DEGREE / offset_m
        return (round(here[0] - north / size / shrink, 6), round(here[1] + east / size, 6))

    def county(self, point: Point) -> tuple[str, str]:
        """(name, adcode) of the district a point lies in, else of the nearest."""
        nearest = shapely.distance(self.districts.geometry.to_numpy(), shapely.Point(point)).argmin()
        row = self.districts.iloc[int(nearest)]
        return str(row["name"]), str(row["adcode"])


def read_districts(path: str) -> gpd.GeoDataFrame:
    """Outlines and adcodes, lightly simplified so that neighbours keep one common line."""
    raw = gpd.read_file(path).to_crs(CRS)
    if "adcode" in raw:
        return raw[["id", "name", "adcode", "geometry"]]
    shapes = shapely.set_precision(shapely.coverage_simplify(raw.geometry.to_numpy(), 0.004), 1e-4)
    code = next(c for c in raw.columns if c.endswith("adcode") and not c.startswith(("province", "city")))
    name = next(c for c in raw.columns if c.endswith("name") and not c.startswith(("province", "city", "short")))
    return gpd.GeoDataFrame(
        {"id": [f"D{i:02d}" for i in range(1, len(raw) + 1)], "name": raw[name], "adcode": raw[code].astype(str)},
        geometry=shapes,
        crs=CRS,
    )


def put_water(reaches: gpd.GeoDataFrame, point_m3_s: pd.Series, inbound: pd.DataFrame) -> None:
    """Mean discharge, width, depth and velocity of every reach; what arrives, its laterals and its points add up."""
    lateral = np.maximum(reaches["area_km2"] * reaches["runoff"] / 1000, 0.001)
    arriving = inbound.groupby("node")["discharge_m3_s"].sum().to_dict()
    flows = {}
    for reach_id, upper, lower, share in downstream(reaches):
        here = arriving.get(upper, 0.0) * share + lateral[reach_id] + point_m3_s[reach_id]
        flows[reach_id] = math.ceil(here * 1e4) / 1e4
        arriving[lower] = arriving.get(lower, 0.0) + flows[reach_id]
    reaches["discharge_m3_s"] = flow = pd.Series(flows).reindex(reaches.index)
    reaches["width_m"] = (7.5 * flow**0.45).clip(lower=2).round(1)
    reaches["depth_m"] = (0.55 * flow**0.35).clip(lower=0.2).round(2)
    reaches["velocity_m_s"] = (0.24 * reaches["speed"] * flow.clip(lower=0.05) ** 0.2).round(3)
    reaches.loc[reaches["waterbody"] == "lake", ["width_m", "depth_m", "velocity_m_s"]] = [180.0, 9.0, 0.02]


def downstream(reaches: pd.DataFrame) -> list[tuple[str, str, str, float]]:
    """(reach_id, from_node, to_node, split) so that every reach comes after all that flow into it."""
    waiting = Counter(reaches["to_node"])
    leaving: dict[str, list[tuple[str, str, str, float]]] = {}
    for row in zip(reaches.index, reaches["from_node"], reaches["to_node"], reaches["split"], strict=True):
        leaving.setdefault(row[1], []).append(row)
    ready = [node for node in dict.fromkeys(reaches["from_node"]) if not waiting[node]]
    order = []
    for node in ready:  # grows while it is walked
        for row in leaving.get(node, []):
            order.append(row)
            waiting[row[2]] -= 1
            if not waiting[row[2]]:
                ready.append(row[2])
    return order
