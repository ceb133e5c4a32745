"""Who discharges: outlets of the four types with their registers, plants with their outlets, gates, boundaries, sections."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Point

from demo import places
from demo.drawing import CRS, Locator

OUTLETS = 145

# type, subtype -> code of type and subtype, how many in a hundred, m3/d (least, most), permitted TP mg/L, reports (share)
KINDS = {
    ("工业排污口", "工矿企业排污口"): ("GY-01", 20, (150, 2600), (0.5,), 0.8),
    ("工业排污口", "园区污水处理厂"): ("GY-03", 5, (1500, 6000), (0.5,), 1.0),
    ("工业排污口", "雨洪排口"): ("GY-02", 3, (60, 500), (0.5,), 0.0),
    ("农业排口", "规模化畜禽养殖"): ("NY-01", 8, (40, 400), (3.0, 5.0), 0.3),
    ("农业排口", "规模化水产"): ("NY-02", 5, (400, 3000), (0.4, 0.6), 0.0),
    ("农业排口", "灌区排口"): ("NY-03", 13, (800, 6000), (0.25, 0.35), 0.0),
    ("其他排口", "农村生活污水处理设施"): ("QT-02", 18, (60, 700), (1.0, 2.0), 0.1),
    ("其他排口", "农村散排口"): ("QT-03", 13, (30, 350), (3.0,), 0.0),
    ("其他排口", "规模以下养殖"): ("QT-01", 6, (20, 120), (5.0,), 0.0),
    ("其他排口", "城镇雨洪排口"): ("QT-04", 9, (150, 1800), (0.6, 1.0), 0.0),
}
TRADES = ["纸业", "化纤", "制药", "食品", "酿造", "皮革", "电池", "化工", "纺织", "淀粉"]
VILLAGES = ["河湾", "柳园", "桥北", "新庄", "东营", "石佛", "杨树", "青龙", "白马", "双井", "高台", "前岗"]
SUFFIX = {
    "工矿企业排污口": "厂排污口",
    "园区污水处理厂": "园区污水处理厂排污口",
    "雨洪排口": "厂雨洪排口",
    "规模化畜禽养殖": "养殖场排口",
    "规模化水产": "水产养殖排口",
    "灌区排口": "灌区退水口",
    "农村生活污水处理设施": "村污水处理站排口",
    "农村散排口": "村散排口",
    "规模以下养殖": "村养殖排口",
    "城镇雨洪排口": "镇雨洪排口",
}
SURVEY = ["found", "sampled", "traced", "signed"]
SEAL_COST = {"工业排污口": (25, 90), "农业排口": (6, 30), "其他排口": (4, 25), "城镇污水处理厂排污口": (900, 2500)}


def put_outlets(rng: np.random.Generator, locate: Locator) -> gpd.GeoDataFrame:
    """Every outlet: the plants' own first, then the others strewn along the rivers, more where people live."""
    rows = [_plant_outlet(rng, locate, plant) for plant in places.PLANTS]
    reaches = locate.reaches[(locate.reaches["waterbody"] == "river") & (locate.reaches["control"] != "closed")]
    crowd = reaches["length_m"] * np.where(reaches["river"].isin(["淇河", "人民胜利渠", "大功河"]), 0.4, 1.0)
    chosen = rng.choice(reaches.index, OUTLETS, p=crowd / crowd.sum())
    kinds = list(KINDS)
    share = np.array([KINDS[kind][1] for kind in kinds], float)
    rows += [
        _outlet(rng, locate, str(reach_id), kinds[rng.choice(len(kinds), p=share / share.sum())]) for reach_id in chosen
    ]
    outlets = gpd.GeoDataFrame(rows, geometry=[Point(row.pop("at")) for row in rows], crs=CRS)
    outlets.insert(0, "outlet_id", [f"O{i:03d}" for i in range(1, len(outlets) + 1)])
    serial = outlets.groupby("adcode").cumcount() + 1
    codes = [f"HA-{a}-{s:04d}-{k}" for a, s, k in zip(outlets["adcode"], serial, outlets["kind_code"], strict=True)]
    blank = np.zeros(len(outlets), bool)
    blank[len(places.PLANTS) :][rng.permutation(OUTLETS)[: round(len(outlets) / 3)]] = True
    outlets.insert(1, "code", np.where(blank, "", codes))
    outlets["grid_owner"] = outlets["county"] + "三级网格" + (serial % 12 + 1).astype(str).str.zfill(2)
    return outlets.drop(columns=["adcode", "kind_code"])


def _outlet(rng: np.random.Generator, locate: Locator, reach_id: str, kind: tuple[str, str]) -> dict[str, object]:
    code, _, (least, most), permitted, reporting = KINDS[kind]
    chainage = round(float(rng.uniform(0.04, 0.96)) * locate.reaches.at[reach_id, "length_m"], 1)
    offset = round(float(rng.uniform(6, 110)), 1)
    at = locate.beside(reach_id, chainage, offset if rng.random() < 0.5 else -offset)
    county, adcode = locate.county(at)
    water = round(float(np.exp(rng.uniform(np.log(least), np.log(most)))), -1)
    tp = float(rng.choice(permitted))
    village = str(rng.choice(VILLAGES))
    stem = f"{village}{rng.choice(TRADES)}" if kind[0] == "工业排污口" and "园区" not in kind[1] else village
    works = kind[0] == "工业排污口" or "规模化" in kind[1]
    return {
        "name": stem + SUFFIX[kind[1]],
        "type": kind[0],
        "subtype": kind[1],
        "reach_id": reach_id,
        "chainage_m": chainage,
        "snap_distance_m": offset,
        "permit_discharge_m3_d": water,
        "permit_tp_mg_l": tp,
        "permit_load_kg_d": round(water * tp / 1000, 4),
        "reports": int(rng.random() < reporting),
        "plant_id": "",
        "owner": f"示例{stem}" + ("有限公司" if kind[0] == "工业排污口" else "合作社") if works else "",
        "county": county,
        "town": f"{rng.choice(VILLAGES)}镇",
        "survey": SURVEY[rng.choice(4, p=[0.25, 0.2, 0.25, 0.3])],
        "decision": str(rng.choice(["undecided", "regulate", "merge", "seal"], p=[0.72, 0.14, 0.05, 0.09])),
        "merge_to": "",
        "seal_cost": _cost(rng, kind[0]),
        "adcode": adcode,
        "kind_code": code,
        "at": at,
    }


def _plant_outlet(rng: np.random.Generator, locate: Locator, plant: tuple) -> dict[str, object]:
    plant_id, name, river, near, design, _, _, _, permit, _ = plant
    reach_id, chainage = locate.snap(river, near)
    offset = round(float(rng.uniform(10, 60)), 1)
    at = locate.beside(reach_id, chainage, -offset)
    county, adcode = locate.county(at)
    return {
        "name": f"{name}排污口",
        "type": "城镇污水处理厂排污口",
        "subtype": "城镇污水处理厂排污口",
        "reach_id": reach_id,
        "chainage_m": chainage,
        "snap_distance_m": offset,
        "permit_discharge_m3_d": float(design),
        "permit_tp_mg_l": permit,
        "permit_load_kg_d": round(design * permit / 1000, 4),
        "reports": 1,
        "plant_id": plant_id,
        "owner": name,
        "county": county,
        "town": "",
        "survey": "signed",
        "decision": "undecided",
        "merge_to": "",
        "seal_cost": _cost(rng, "城镇污水处理厂排污口"),
        "adcode": adcode,
        "kind_code": "SH-01",
        "at": at,
    }


def _cost(rng: np.random.Generator, kind: str) -> float:
    return round(float(rng.uniform(*SEAL_COST[kind])), 1)


def merge_where_near(outlets: gpd.GeoDataFrame) -> None:
    """An outlet to be merged goes to the plant of its county; where there is none it stays undecided."""
    plant_in = outlets[outlets["plant_id"] != ""].drop_duplicates("county").set_index("county")["plant_id"]
    merge = outlets["decision"] == "merge"
    outlets.loc[merge, "merge_to"] = outlets.loc[merge, "county"].map(plant_in).fillna("")
    outlets.loc[merge & (outlets["merge_to"] == ""), "decision"] = "undecided"


def put_plants(outlets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Every plant, standing on its outlet's place in the network."""
    rows = []
    for plant_id, name, _, _, design, actual, standard, built, permit, _ in places.PLANTS:
        outlet = outlets[outlets["plant_id"] == plant_id].iloc[0]
        rows.append(
            {
                "plant_id": plant_id,
                "name": name,
                "design_discharge_m3_d": design,
                "actual_discharge_m3_d": actual,
                "standard": standard,
                "built_on": built,
                "permit_tp_mg_l": permit,
                "permit_load_kg_d": round(design * permit / 1000, 2),
                "reports": 1,
                "reach_id": outlet["reach_id"],
                "chainage_m": outlet["chainage_m"],
                "county": outlet["county"],
                "geometry": Point(outlet.geometry.x + 0.001, outlet.geometry.y - 0.0008),
            }
        )
    return gpd.GeoDataFrame(rows, crs=CRS)


def put_sections(locate: Locator) -> gpd.GeoDataFrame:
    """Every section, snapped to its river."""
    rows = []
    for section_id, name, river, level, at, grade, target, county, confidence in places.SECTIONS:
        reach_id, chainage = locate.snap(river, at)
        rows.append(
            {
                "section_id": section_id,
                "name": name,
                "river": river,
                "level": level,
                "reach_id": reach_id,
                "chainage_m": chainage,
                "waterbody": "river",
                "function_class": grade,
                "target_class": grade,
                "tp_target_mg_l": target,
                "county": county,
                "position_confidence": confidence,
                "geometry": Point(at),
            }
        )
    return gpd.GeoDataFrame(rows, crs=CRS)


def put_gates(locate: Locator) -> gpd.GeoDataFrame:
    """Every gate; its state is the control of the reach it stands on."""
    rows = []
    for gate_id, name, river, at, most, tp, state, starts, due in places.GATES:
        rows.append(
            {
                "gate_id": gate_id,
                "name": name,
                "reach_id": locate.snap(river, at)[0],
                "max_discharge_m3_s": most,
                "source_tp_mg_l": tp,
                "state": state,
                "starts_on": starts,
                "due_on": due,
                "geometry": Point(at),
            }
        )
    return gpd.GeoDataFrame(rows, crs=CRS)


def put_boundaries(locate: Locator) -> gpd.GeoDataFrame:
    """Every inbound river at the node where it enters."""
    nodes = locate.reaches.attrs["nodes"]
    rows = [
        {
            "boundary_id": boundary_id,
            "name": name,
            "node": nodes[at],
            "reach_id": "",
            "origin": origin,
            "discharge_m3_s": discharge,
            "tp_mg_l": tp,
            "geometry": Point(at),
        }
        for boundary_id, name, at, origin, discharge, tp in places.BOUNDARIES
    ]
    return gpd.GeoDataFrame(rows, crs=CRS)


def water_of_points(reaches: pd.DataFrame, outlets: pd.DataFrame, plants: pd.DataFrame) -> pd.Series:
    """Water of the point sources on every reach, m3/s; a plant's outlet is counted once, as its plant."""
    own = outlets[outlets["plant_id"] == ""].groupby("reach_id")["permit_discharge_m3_d"].sum()
    theirs = plants.groupby("reach_id")["actual_discharge_m3_d"].sum()
    return own.add(theirs, fill_value=0).reindex(reaches.index).fillna(0) / 86_400
