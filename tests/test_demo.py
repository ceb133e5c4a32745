"""The demo basin: what it must hold, whose water reaches which section, and that its story can be seen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from layers.intake.demo import Founding, demo_file

TOP = Path(__file__).resolve().parents[1]
DEMO = TOP / "data" / "demo"
TARGET = {
    "皇甫": 0.30,
    "下马营": 0.30,
    "小河口": 0.30,
    "渠村桥": 0.20,
    "秦庄": 0.30,
    "占城": 0.20,
    "西孟姜女河口": 0.40,
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    spatial = {path.stem: gpd.read_file(path) for path in sorted(DEMO.glob("*.geojson"))}
    return spatial | {path.stem: pd.read_csv(path, dtype={"time": str}) for path in sorted(DEMO.glob("*.csv"))}


@pytest.fixture(scope="module")
def tp(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """TP by month and section name, mg/L."""
    seen = tables["observations"].query("station_kind == 'section' and parameter == 'TP'")
    name = tables["sections"].set_index("section_id")["name"]
    return seen.assign(name=seen["station_id"].map(name)).pivot(index="time", columns="name", values="value")


def rivers_above(tables: dict[str, pd.DataFrame], section: str) -> set[str]:
    reaches = tables["reaches"]
    graph = nx.MultiDiGraph()
    for reach in reaches.itertuples():
        graph.add_edge(reach.from_node, reach.to_node, river=reach.river)
    reach_id = tables["sections"].set_index("name").at[section, "reach_id"]
    here = reaches.set_index("reach_id").loc[reach_id]
    nodes = nx.ancestors(graph, here["from_node"]) | {here["from_node"]}
    return {data["river"] for _, end, data in graph.edges(data=True) if end in nodes} | {here["river"]}


def test_it_holds_what_was_promised(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["reaches"]["river"].nunique() >= 20
    assert len(tables["reaches"]) >= 120
    assert len(tables["sections"]) >= 14
    assert (tables["sections"]["level"] == "省控").sum() == 7
    assert len(tables["outlets"]) >= 150
    assert tables["outlets"]["type"].nunique() == 4
    assert len(tables["plants"]) == 15
    assert len(tables["gates"]) == 9
    assert len(tables["districts"]) == 12
    assert set(tables["plants"]["plant_id"]) == set(tables["outlets"]["plant_id"]) - {""}
    months = pd.period_range("2019-08", "2022-07", freq="M").astype(str)
    seen = tables["observations"]
    for parameter in ("TP", "NH3N", "COD", "discharge"):
        counts = (
            seen[(seen["station_kind"] == "section") & (seen["parameter"] == parameter)].groupby("station_id").size()
        )
        assert set(counts.index) == set(tables["sections"]["section_id"])
        assert (counts == 36).all()
    assert list(tables["weather"]["time"]) == list(months)
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 3_000_000


def test_it_is_labelled_as_made_up(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["project"].to_dict("records") == [{"name": "示例流域", "demo": 1}]
    assert (tables["observations"]["source"].str.contains("示例")).all()


def test_upstream_of_huangfu_is_what_the_map_of_the_rivers_says(tables: dict[str, pd.DataFrame]) -> None:
    feeders = {"大沙河", "共渠上段", "石门河", "峪河", "西孟姜女河", "东孟姜女河", "人民胜利渠"}
    assert rivers_above(tables, "皇甫") == feeders | {"卫河", "共产主义渠"}


def test_upstream_of_xiamaying_is_what_the_map_of_the_rivers_says(tables: dict[str, pd.DataFrame]) -> None:
    rivers = rivers_above(tables, "下马营")
    assert rivers >= {"沧河", "香泉河", "百泉河", "大沙河", "共渠上段", "石门河", "峪河"}
    assert not rivers & {"西孟姜女河", "东孟姜女河", "思德河", "淇河", "卫河", "人民胜利渠"}


def test_the_yellow_river_side_stands_apart(tables: dict[str, pd.DataFrame]) -> None:
    assert rivers_above(tables, "渠村桥") == {"天然文岩渠", "天然渠", "文岩渠", "文明渠"}
    reaches = tables["reaches"]
    graph = nx.Graph(list(zip(reaches["from_node"], reaches["to_node"], strict=True)))
    assert nx.number_connected_components(graph) == 3
    assert nx.is_directed_acyclic_graph(nx.DiGraph(list(zip(reaches["from_node"], reaches["to_node"], strict=True))))


def test_lines_meet_only_at_their_ends_and_run_as_the_nodes_say(tables: dict[str, pd.DataFrame]) -> None:
    reaches = tables["reaches"]
    place: dict[str, tuple[float, float]] = {}
    for reach in reaches.itertuples():
        for node, point in ((reach.from_node, reach.geometry.coords[0]), (reach.to_node, reach.geometry.coords[-1])):
            assert place.setdefault(node, point) == point
    assert len(set(place.values())) == len(place)
    first, second = reaches.sindex.query(reaches.geometry, predicate="intersects")
    ends = set(place.values())
    for i, j in zip(first, second, strict=True):
        if i < j:
            common = reaches.geometry.iloc[i].intersection(reaches.geometry.iloc[j])
            assert (common.geom_type, common.coords[0] in ends) == ("Point", True), reaches.iloc[[i, j]][
                "name"
            ].tolist()


def test_shares_sum_to_one_and_gates_have_states(tables: dict[str, pd.DataFrame]) -> None:
    reaches = tables["reaches"]
    assert np.allclose(reaches.groupby("from_node")["split"].sum(), 1.0)
    assert (reaches.groupby("from_node").size() > 1).sum() == 3
    control = reaches.set_index("reach_id")["control"]
    assert set(control) == {"open", "closed", "unknown"}
    gates = tables["gates"].set_index("name")
    assert (gates["reach_id"].map(control) == gates["state"]).all()
    assert gates.at["小河口闸", "state"] == "unknown"
    assert tables["sections"].set_index("name").at["小河口", "position_confidence"] == "low"


def test_water_adds_up_with_no_lateral_below_zero(tables: dict[str, pd.DataFrame]) -> None:
    reaches = tables["reaches"].set_index("reach_id")
    arriving = reaches.groupby("to_node")["discharge_m3_s"].sum()
    arriving = arriving.add(tables["boundaries"].groupby("node")["discharge_m3_s"].sum(), fill_value=0)
    outlets = tables["outlets"].query("plant_id == ''").groupby("reach_id")["permit_discharge_m3_d"].sum()
    plants = tables["plants"].groupby("reach_id")["actual_discharge_m3_d"].sum()
    points = outlets.add(plants, fill_value=0).reindex(reaches.index).fillna(0) / 86_400
    through = reaches["from_node"].map(arriving).fillna(0) * reaches["split"]
    assert (reaches["discharge_m3_s"] - through - points).min() >= 0


def test_everything_stands_where_it_says(tables: dict[str, pd.DataFrame]) -> None:
    reaches = tables["reaches"].set_index("reach_id").to_crs(4547)
    for name, reach_of in (("outlets", "snap_distance_m"), ("sections", None)):
        table = tables[name].to_crs(4547)
        line = reaches.geometry.reindex(table["reach_id"]).reset_index(drop=True)
        distance = table.geometry.distance(line)
        assert ((table["chainage_m"] >= 0) & (table["chainage_m"] <= table["reach_id"].map(reaches["length_m"]))).all()
        if reach_of:
            assert distance.le(table[reach_of] + 1).all()
        else:
            assert distance.max() < 250


def test_a_third_of_the_codes_are_blank_and_the_rest_follow_the_pattern(tables: dict[str, pd.DataFrame]) -> None:
    codes = tables["outlets"]["code"]
    filled = codes[codes != ""]
    assert 0.30 <= 1 - len(filled) / len(codes) <= 0.36
    assert filled.is_unique
    assert filled.map(lambda code: bool(re.fullmatch(r"[A-Z]{2}-\d{6}-\d{4}-[A-Z]{2}-\d{2}", code))).all()
    assert {code.split("-")[1] for code in filled} <= set(tables["districts"]["adcode"])


def test_three_provincial_sections_stand_at_or_under_their_target(tp: pd.DataFrame) -> None:
    newest = tp.loc["2022-07"]
    assert newest["下马营"] == 0.300
    assert round(TARGET["小河口"] - newest["小河口"], 3) == 0.010
    assert round(TARGET["渠村桥"] - newest["渠村桥"], 3) == 0.020
    assert newest["皇甫"] > TARGET["皇甫"]


def test_the_story_can_be_seen(tables: dict[str, pd.DataFrame], tp: pd.DataFrame) -> None:
    rain = tables["weather"].set_index("time")["rain_mm"]
    assert rain.idxmax() == "2021-07"
    target = tables["sections"].set_index("name")["tp_target_mg_l"]
    assert (tp.loc["2021-07"] > target.reindex(tp.columns)).sum() == 15
    assert tp["占城"].drop(index="2021-07").idxmax() == "2021-03"
    unlisted = tp.loc["2021-11":"2022-02", "西孟姜女河口"]
    assert unlisted.min() > 1.25 * TARGET["西孟姜女河口"]
    assert tp.loc["2022-03":"2022-06", "西孟姜女河口"].max() < TARGET["西孟姜女河口"]
    load = tables["observations"].query("station_id == 'W01' and parameter == 'TP_load'").set_index("time")["value"]
    assert load["2022-07"] > 2.5 * load.drop("2022-07").max()


def test_a_compliant_plant_breaks_a_river_with_little_water(tables: dict[str, pd.DataFrame], tp: pd.DataFrame) -> None:
    plant = tables["plants"].set_index("plant_id").loc["W03"]
    load = tables["observations"].query("station_id == 'W03' and parameter == 'TP_load'")["value"]
    effluent = load / (plant["actual_discharge_m3_d"] / 1000)
    assert effluent.mean() < plant["permit_tp_mg_l"] == 0.5
    dry = [month for month in tp.index if month[5:] in ("11", "12", "01", "02", "03", "04")]
    assert (tp.loc[dry, "秦庄"] > TARGET["秦庄"]).mean() > 0.9


def test_the_generator_draws_the_same_bytes_and_stays_near_what_was_told(tmp_path: Path) -> None:
    script = (
        "import json, sys; sys.path.insert(0, 'tools'); import draw_demo; from pathlib import Path;"
        f"truth = draw_demo.draw(Path({str(tmp_path)!r}), draw_demo.HOME / 'districts.geojson');"
        "print(json.dumps(truth.section['TP'].loc['2022-07'].to_dict()))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=TOP, capture_output=True, text=True, check=True)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (DEMO / path.name).read_bytes(), path.name
    assert {path.name for path in tmp_path.iterdir()} | {"README.md"} == {path.name for path in DEMO.iterdir()}
    simulated = json.loads(run.stdout)
    for section, told in {"S02": 0.300, "S03": 0.290, "S06": 0.180}.items():
        assert simulated[section] == pytest.approx(told, rel=0.06)


def test_whoever_waits_for_the_demo_sees_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float]] = []
    monkeypatch.setattr(Founding, "_tell", lambda self, what, part: told.append((what, part)))
    assert Founding(tmp_path / "demo.gpkg").made.result(60) == tmp_path / "demo.gpkg"
    parts = [part for _, part in told]
    assert parts == sorted(parts)
    assert len(set(parts)) > 3
    assert Founding(tmp_path / "demo.gpkg").made.done()  # at once, where it was made before


def test_another_edition_of_the_demo_is_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DEMO, tmp_path / "data")
    first = demo_file(tmp_path)
    monkeypatch.setattr("layers.intake.demo.SOURCE", tmp_path / "data")
    assert demo_file(tmp_path) == first
    with (tmp_path / "data" / "weather.csv").open("a") as file:
        file.write("\n")
    assert demo_file(tmp_path) != first
