"""A large network in a real browser: it asks for what is seen and for nothing else, and traces across every border."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Page, Request, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

import hydro
import layers
from benchmarks.synthetic import make_basin
from hydro.upstream import upstream_of_reach
from layers.maps import chunks, marks
from layers.maps.assets import Shelf
from layers.maps.map import SPATIAL, live_map, network_file, source_of
from layers.maps.packing import PER_DEGREE
from tests.browser.conftest import PATIENCE_MS, Visit
from tests.test_map_pieces import unpack

REACHES = 900
LOOK = """async ([lat, lng, zoom]) => {
  const { map } = qingyuan.app;
  map.setView([lat, lng], zoom, { animate: false });
  await qingyuan.app.fetching;
  const seen = map.getBounds();
  return [seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()];
}"""
LIT = """() => {
  const { rivers, trace, map, sheets } = qingyuan.app;
  const parts = rivers.seen(qingyuan.view(map, sheets.rivers._bounds));
  const lit = parts.flatMap((part) => [...part.reach].filter((reach) => trace.mask[reach]));
  return [parts.reduce((sum, part) => sum + part.reach.length, 0), lit];
}"""


@dataclass
class Large:
    """A network in pieces, served as files; which pieces a page has asked for, in turn."""

    network: hydro.RiverNetwork
    address: str
    boxes: np.ndarray[Any, Any]
    starts: list[int]
    levels: list[dict[str, int]]
    asked: list[int] = field(default_factory=list)

    def hear(self, request: Request) -> None:
        found = re.match(r"bytes=(\d+)-", request.headers.get("range", ""))
        if found and int(found[1]) in self.starts:  # else the words of points, which stand behind the pieces
            self.asked.append(self.starts.index(int(found[1])))

    def touching(self, level: int, bounds: list[float], margin: float) -> set[int]:
        """Pieces of a level that touch bounds widened by a share of themselves."""
        west, south, east, north = bounds
        wide, high = margin * (east - west), margin * (north - south)
        view = np.array([west - wide, south - high, east + wide, north + high]) * PER_DEGREE
        first = sum(one["pieces"] for one in self.levels[:level])
        of_level = range(first, first + self.levels[level]["pieces"])
        box = self.boxes
        return {
            i
            for i in of_level
            if box[i, 0] < view[2] and box[i, 2] > view[0] and box[i, 1] < view[3] and box[i, 3] > view[1]
        }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    folder = tmp_path_factory.mktemp("large")
    tables = make_basin(REACHES, 400, 6, seed=7)
    tables["reaches"].loc[tables["reaches"].index[::37], "control"] = "closed"
    project = layers.create_project(folder / "basin.gpkg", name="示例", demo=True, tables=tables)
    network = project.network()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "PER_PIECE", 40)
        patch.setattr(marks, "PER_PIECE", 30)
        packed = network_file(network, project.tables(SPATIAL, geometry=True), whole=0)
    shelf = Shelf(folder / "static", ".")
    source = source_of(packed, lambda stem, data: {"url": shelf.put(stem, data, "gz")})
    live_map(shelf.library(), source, project="large").save(folder / "static" / "index.html")
    app = Starlette(routes=[Mount("/", StaticFiles(directory=folder / "static", html=True))])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    head = unpack(packed.head)
    starts = [int(at) for at in head["pieceAt"]][:-1]
    boxes = head["pieceBox"].reshape(-1, 4)
    yield Large(network, f"http://127.0.0.1:{port}/", boxes, starts, head["levels"])
    server.should_exit = True
    thread.join()


@pytest.fixture
def large(files: Large, visit: Visit) -> Large:
    """The map of it on a page that is listened to, drawn as it first appears."""
    files.asked.clear()
    visit.page.on("request", files.hear)
    visit.page.goto(files.address)
    visit.page.locator("[data-ready]").wait_for(timeout=PATIENCE_MS)
    return files


def centre(box: np.ndarray[Any, Any]) -> tuple[float, float]:
    return float(box[1] + box[3]) / 2 / PER_DEGREE, float(box[0] + box[2]) / 2 / PER_DEGREE


def test_only_what_is_seen_is_asked_for_and_moving_asks_for_more(large: Large, visit: Visit) -> None:
    page = visit.page
    assert sorted(large.asked) == list(range(large.levels[0]["pieces"])), "the first level, each piece once"
    last = len(large.levels) - 1
    order = np.argsort(large.boxes[large.levels[0]["pieces"] :, 0]) + large.levels[0]["pieces"]
    large.asked.clear()
    before: set[int] = set()
    for piece in (order[0], order[-1]):
        bounds = page.evaluate(LOOK, [*centre(large.boxes[piece]), 14])
        fresh, _ = set(large.asked), large.asked.clear()
        assert large.touching(last, bounds, 0.0) <= fresh | before
        assert fresh <= large.touching(last, bounds, 0.3)
        assert fresh
        assert fresh.isdisjoint(before)
        before |= fresh
    assert len(before) < large.levels[last]["pieces"] / 2
    page.evaluate(LOOK, [*centre(large.boxes[order[0]]), 14])
    assert large.asked == [], "what was seen before is kept"


def test_a_trace_in_pieces_is_the_set_that_python_tells(large: Large, visit: Visit) -> None:
    network, page = large.network, visit.page
    flow = network.topology.order
    reached = page.evaluate(
        "(all) => all.map((r) => [...qingyuan.app.topology.upstream(r).reaches])", list(range(0, REACHES, 7))
    )
    for number, found in zip(range(0, REACHES, 7), reached, strict=True):
        assert sorted(flow[found]) == np.flatnonzero(upstream_of_reach(network, flow[number])).tolist()
    for section in map(str, network.sections.index):
        page.evaluate("(section) => qingyuan.app.choose({ section }, 'python')", section)
        count, lit = walk(page, large)
        reach, _ = network.position("sections", section)
        assert count == REACHES
        assert sorted(flow[lit]) == np.flatnonzero(upstream_of_reach(network, reach)).tolist()


def walk(page: Page, large: Large) -> tuple[int, list[int]]:
    """All pieces of the last level on the screen, whatever the zoom: how many reaches, and which are lit."""
    west, south = large.boxes[:, :2].min(axis=0) / PER_DEGREE
    east, north = large.boxes[:, 2:].max(axis=0) / PER_DEGREE
    page.evaluate(
        """async ([west, south, east, north]) => {
          const { rivers, map } = qingyuan.app;
          const [a, b] = [[west, north], [east, south]].map(([x, y]) => qingyuan.world(x * 1e5, y * 1e5, map.qyCentre));
          const all = { west: a[0] - 1, north: a[1] - 1, east: b[0] + 1, south: b[1] + 1, zoom: 17 };
          await rivers.fetch(all);
          rivers.seen = () => rivers.archive.seen(all);
        }""",
        [west, south, east, north],
    )
    count, lit = page.evaluate(LIT)
    return count, lit


def test_a_point_is_named_once_it_is_pointed_at(large: Large, visit: Visit) -> None:
    outlets = large.network.outlets
    said = visit.page.evaluate(
        """async (id) => {
          const { points } = qingyuan.app;
          const i = points.find("outlet", id);
          const known = points.knows(i);
          if (!known) await points.learn(i);
          return [known, points.list.name[i], points.list.code[i], points.list.river[i]];
        }""",
        str(outlets.index[70]),
    )
    row = outlets.iloc[70]
    assert said == [False, row["name"], row["code"], large.network.reaches.at[row["reach_id"], "river"]]


def test_crowds_are_counted_and_a_click_goes_in(large: Large, visit: Visit) -> None:
    page = visit.page
    crowds, apart = page.evaluate(
        """() => {
          qingyuan.Points.CROWD = 20;
          const { points, sheets } = qingyuan.app;
          sheets.points.redraw();
          const counted = (i) => qingyuan.COUNTED.has(points.kind[i]);
          return [points.crowds.map(({ members }) => members.length), points.shown.filter(({ i }) => counted(i)).length];
        }"""
    )
    assert min(crowds) > 2
    assert sum(crowds) + apart == len(large.network.outlets) + len(large.network.plants)
    zoom = "() => qingyuan.app.map.getZoom()"
    before = page.evaluate(zoom)
    place = page.evaluate(
        """() => {
          const { map, points } = qingyuan.app;
          const { x, y } = map.layerPointToContainerPoint(points.crowds[0]);
          return { x, y };
        }"""
    )
    page.locator(".leaflet-container").click(position=place)
    page.wait_for_function("(before) => qingyuan.app.map.getZoom() > before", arg=before)
    expect(page.locator(".leaflet-container")).to_have_attribute("data-ready", "1")
