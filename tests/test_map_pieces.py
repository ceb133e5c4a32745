"""A large network on its way to the browser: nothing is lost between the pieces, and low zooms get little."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

import hydro
import layers
from benchmarks.synthetic import make_basin
from hydro.errors import HydroError
from layers.maps import chunks, marks
from layers.maps.courses import SPACING_PX, draw_courses, least_sizes, reach_lines, world
from layers.maps.map import SPATIAL, network_file, project_file
from layers.maps.pack import Packed
from layers.maps.packing import DTYPES, map_numbers, narrow
from layers.store import kept

TYPES = {short: np.dtype(name) for name, short in DTYPES.items()}
Pack = dict[str, Any]


def unpack(data: bytes) -> Pack:
    """What the browser reads: the head, and the arrays by name."""
    raw = gzip.decompress(data)
    size = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + size])
    arrays = {
        name: np.frombuffer(raw, TYPES[kind], length, 4 + size + offset)
        for name, (kind, offset, length) in head["arrays"].items()
    }
    return {**head, **arrays}


def pieces_of(packed: Packed) -> list[list[Pack]]:
    """The pieces of every level."""
    head = unpack(packed.head)
    at, found, first = head["pieceAt"], [], 0
    for level in head["levels"]:
        numbers = range(first, first + level["pieces"])
        found.append([unpack(packed.pieces[at[i] : at[i + 1]]) for i in numbers])
        first += level["pieces"]
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> layers.Project:
    tables = make_basin(1500, 120, 6, seed=4)
    place = tmp_path_factory.mktemp("large") / "basin.gpkg"
    return layers.create_project(place, name="示例", demo=True, tables=tables)


@pytest.fixture
def packed(project: layers.Project, monkeypatch: pytest.MonkeyPatch) -> Packed:
    monkeypatch.setattr(chunks, "PER_PIECE", 50)
    monkeypatch.setattr(chunks, "LEVELS", (6, 12))
    monkeypatch.setattr(chunks, "SCREEN_PX", 40)  # as if this were a nation: at first all of it is as wide as a thumb
    monkeypatch.setattr(marks, "PER_PIECE", 50)
    return network_file(project.network(), project.tables(SPATIAL, geometry=True), whole=0)


def test_every_reach_is_in_one_piece_of_the_last_level_and_larger_ones_in_each(packed: Packed) -> None:
    levels = pieces_of(packed)
    reaches = [np.sort(np.concatenate([np.cumsum(piece["reach"]) for piece in level])) for level in levels]
    assert reaches[-1].tolist() == list(range(1500))
    assert len(levels) > 2
    assert len(levels[-1]) == 30
    for coarse, fine in pairwise(reaches):
        assert len(coarse) == len(np.unique(coarse)) > 0
        assert np.isin(coarse, fine).all()
    assert len(reaches[0]) < 1500 / 3


def test_reaches_that_meet_still_meet_in_every_level(packed: Packed, project: layers.Project) -> None:
    topology = project.network().topology
    flow = topology.order
    for level in pieces_of(packed):
        at_node: dict[int, set[tuple[int, int]]] = {}
        for piece in level:
            x = np.cumsum(piece["lineX"].astype(int)) + piece["lineStart"][0]
            y = np.cumsum(piece["lineY"].astype(int)) + piece["lineStart"][1]
            last = np.cumsum(piece["lineSize"].astype(int))
            first = last - piece["lineSize"]
            for k, number in enumerate(np.cumsum(piece["reach"])):
                for node, v in ((topology.from_node, first[k]), (topology.to_node, last[k] - 1)):
                    at_node.setdefault(int(node[flow[number]]), set()).add((int(x[v]), int(y[v])))
        assert all(len(places) == 1 for places in at_node.values())


def test_a_piece_lies_in_the_box_that_is_told_of_it(packed: Packed) -> None:
    boxes = unpack(packed.head)["pieceBox"].reshape(-1, 4)
    for box, piece in zip(boxes, [piece for level in pieces_of(packed) for piece in level], strict=True):
        x = (np.cumsum(piece["lineX"].astype(int)) + piece["lineStart"][0]) * piece["unit"]
        y = (np.cumsum(piece["lineY"].astype(int)) + piece["lineStart"][1]) * piece["unit"]
        slack = piece["unit"]
        assert box[0] - slack <= x.min() <= x.max() <= box[2] + slack
        assert box[1] - slack <= y.min() <= y.max() <= box[3] + slack


def test_the_topology_comes_back_from_its_bytes(packed: Packed, project: layers.Project) -> None:
    topology, head = project.network().topology, unpack(packed.head)
    start = np.repeat(np.arange(len(head["leaving"])), head["leaving"])
    leap = head["near"].astype(int)
    leap[leap == 255] = head["far"]
    assert start.tolist() == topology.from_node[topology.order].tolist()
    assert (start + leap).tolist() == topology.to_node[topology.order].tolist()
    assert map_numbers(topology)[topology.order].tolist() == list(range(1500))


def test_the_words_of_points_come_apart_and_their_places_at_once(packed: Packed, project: layers.Project) -> None:
    head, outlets = unpack(packed.head), project.network().outlets
    assert set(head["points"]) == {"id"}
    words = unpack(packed.pieces[head["wordAt"][1] : head["wordAt"][2]])
    assert head["points"]["id"][50:100] == list(outlets.index[50:100])
    assert words["name"] == list(outlets["name"][50:100])
    numbers = map_numbers(project.network().topology)
    assert head["pointReach"][50] == numbers[project.network().reach_position[outlets["reach_id"].iloc[50]]]


def test_a_page_that_stands_alone_holds_the_words_of_all_points(project: layers.Project) -> None:
    packed = network_file(project.network(), project.tables(SPATIAL, geometry=True), whole=0, words=True)
    head = unpack(packed.head)
    assert packed.pieces
    assert "words" not in head
    assert len(head["points"]["name"]) == len(head["points"]["id"]) > 0


def test_a_small_network_is_one_file(project: layers.Project) -> None:
    network = project.network()
    packed = network_file(network, project.tables(SPATIAL, geometry=True))
    head = unpack(packed.head)
    assert packed.pieces == b""
    assert np.cumsum(head["reach"]).tolist() == list(range(1500))
    assert set(head["points"]) == {"id", "name", "code", "type", "river"}


def test_rivers_keep_their_distance_at_every_zoom(project: layers.Project) -> None:
    network = project.network()
    courses = draw_courses(network, reach_lines(network, project.table("reaches", geometry=True)))
    least = least_sizes(courses)
    assert least == sorted(least, reverse=True)
    assert least[-1] == 1 < least[0]
    flat = shapely.transform(courses.lines, world)
    area = shapely.convex_hull(shapely.geometrycollections(flat)).area
    for zoom, smallest in enumerate(least):
        if smallest < least[0]:
            drawn = shapely.length(flat[courses.size >= smallest]).sum() * 2.0 ** (zoom + 0.5)
            assert area * 4.0 ** (zoom + 0.5) / drawn > SPACING_PX / 2


def test_a_single_river_is_no_crowd() -> None:
    tables = make_basin(60, 3, 2, seed=1)
    reaches = tables["reaches"]
    reaches["from_node"] = [f"N{i}" for i in range(60)]
    reaches["to_node"] = [f"N{i + 1}" for i in range(60)]
    reaches["split"] = np.nan
    reaches["geometry"] = [shapely.LineString([(114 + i / 100, 35), (114 + (i + 1) / 100, 35)]) for i in range(60)]
    network = hydro.build_network({"reaches": reaches})
    assert set(least_sizes(draw_courses(network, reach_lines(network, reaches)))) == {1}


def test_a_large_drawing_is_kept_until_something_on_it_changes(
    project: layers.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QINGYUAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "KEPT_FROM", 1)
    made: list[Packed] = []
    monkeypatch.setattr("layers.maps.map.network_file", lambda *given: made.append(network_file(*given)) or made[-1])
    network = project.network()
    first = project_file(project, network)
    assert project_file(project, network) == first == made[0]
    districts = project.table("districts", geometry=True)
    districts.loc[0, ["id", "name"]] = ["D1", "甲县"]
    project.write({"districts": districts}, why="test")
    project_file(project, network)
    assert len(made) == 2


def test_narrow_holds_what_it_is_given() -> None:
    for values, kind in [([0, 255], "uint8"), ([0, 256], "uint16"), ([-1, 127], "int8"), ([-1, 40_000], "int32")]:
        found = narrow(np.array(values, np.int64))
        assert found.tolist() == values
        assert found.dtype == kind


def test_rivers_without_a_drawing_are_told_and_some_without_one_are_left_out(tmp_path: Path) -> None:
    tables = make_basin(30, 6, 2, seed=2)
    reaches = tables["reaches"].copy()
    reaches.loc[reaches.index[:5], "geometry"] = None
    some = layers.create_project(tmp_path / "some.gpkg", name="示例", demo=True, tables={**tables, "reaches": reaches})
    assert network_file(some.network(), some.tables(SPATIAL, geometry=True))
    none = {**tables, "reaches": reaches.assign(geometry=None)}
    bare = layers.create_project(tmp_path / "none.gpkg", name="示例", demo=True, tables=none)
    with pytest.raises(HydroError, match="河段没有图形，画不出地图"):
        network_file(bare.network(), bare.tables(SPATIAL, geometry=True))
