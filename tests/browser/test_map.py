"""The map in a real browser: what a click does, what a link opens, and that nobody else is asked for anything."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import hydro
import layers
from benchmarks.synthetic import make_basin
from hydro.upstream import upstream_of_reach
from layers.land.relief import png, shade
from layers.store.pictures import RELIEF, Picture, keep
from tests.browser.conftest import Visit
from ui.parts import figure

Serve = Callable[[str], str]
UPSTREAM = """(reaches) => reaches.map((reach) => [...qingyuan.app.topology.upstream(reach).reaches])"""


@pytest.fixture(scope="session")
def basin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project of 300 reaches with splits, closed gates, and names that would like to be markup."""
    tables = make_basin(300, 60, 6, seed=3)
    reaches = tables["reaches"]
    reaches.loc[reaches.index[::37], "control"] = "closed"
    tables["sections"].loc[0, "name"] = "<img src=x onerror=alert(1)>"
    tables["outlets"]["name"] = "<b>O</b> & '\" ${1}"
    path = tmp_path_factory.mktemp("project") / "basin.gpkg"
    layers.create_project(path, name="示例", demo=True, tables=tables).close()
    return str(path)


# A long answer scrolls beside the map: it does not push the map away.
OWN_SCROLL = """() => {
  const [main, panel] = ['[data-testid=stMain]', '.st-key-panel'].map((one) => document.querySelector(one));
  return main.scrollHeight <= main.clientHeight && panel.scrollHeight > panel.clientHeight;
}"""

JUDGED_MS = 90_000
"""The causes are worked out in a process that gives way to everything else."""


def test_upstream_in_the_browser_is_upstream_in_python(visit: Visit, serve: Serve, basin: str) -> None:
    network = layers.open_project(basin).network()
    visit.open(serve(basin))
    flow = network.topology.order
    for number, drawn in enumerate(visit.ask_map(UPSTREAM, list(range(len(flow))))):
        assert sorted(flow[drawn]) == np.flatnonzero(upstream_of_reach(network, flow[number])).tolist()


def test_a_click_lights_the_upstream_then_names_the_sources(visit: Visit, serve: Serve, basin: str) -> None:
    network = layers.open_project(basin).network()
    section = str(network.sections.index[1])
    frame = visit.open(serve(basin))
    view = "() => [qingyuan.app.map.getZoom(), qingyuan.app.map.getCenter().lat]"
    before = visit.ask_map(view)
    frame.locator(f"[data-section='{section}']").click()
    expect(frame.locator(".leaflet-container")).to_have_attribute("data-traced", section)
    expect(visit.page.locator(".headline .place")).to_have_text(str(network.sections.at[section, "name"]))
    trace = hydro.trace_sources(network, section, time="2022-12")
    rows = visit.page.locator(".sources .row[data-source]")
    best = hydro.inquire(network).explain(section, "2022-12").table
    most = best.loc[best["source_id"] != "NONE"].sort_values("delivered_kg_d", ascending=False, kind="stable")
    expect(visit.page.locator(".shares")).to_have_attribute("data-judged", "1", timeout=JUDGED_MS)
    expect(rows.first).to_have_attribute("data-source", str(most["source_id"].iloc[0]))
    listed = trace.table.set_index("source_id")["delivered_kg_d"]
    shown = rows.first.locator(".number")
    expect(shown.nth(1)).to_have_text(figure(float(most["delivered_kg_d"].iloc[0])))
    expect(shown.nth(2)).to_have_text(figure(float(listed.get(most["source_id"].iloc[0], float("nan")))))
    expect(rows.last).to_contain_text("清单多出" if trace.unexplained_kg_d < 0 else "清单未说明")
    expect(visit.page).to_have_url(re.compile(rf"section={section}"))
    assert visit.ask_map(view) == before
    visit.page.set_viewport_size({"width": 1366, "height": 400})
    visit.page.wait_for_function(OWN_SCROLL)


def test_nobody_stays_accused_when_another_section_is_chosen(visit: Visit, serve: Serve, basin: str) -> None:
    network = layers.open_project(basin).network()
    traces = [hydro.trace_sources(network, str(section), time="2022-12") for section in network.sections.index]
    over = next(one for one in traces if one.margin_mg_l < 0)
    holds = next(one for one in traces if one.margin_mg_l >= 0)
    frame = visit.open(f"{serve(basin)}/?section={over.section_id}&month=2022-12")
    expect(visit.page.locator(".cause").first).to_be_visible(timeout=JUDGED_MS)
    frame.locator(f"[data-section='{holds.section_id}']").dispatch_event("click")
    expect(visit.page.locator(".headline .place")).to_have_text(str(network.sections.at[holds.section_id, "name"]))
    expect(visit.page.locator(".cause, .next")).to_have_count(0)


def test_a_source_of_the_list_lights_its_way(visit: Visit, serve: Serve, basin: str) -> None:
    network = layers.open_project(basin).network()
    trace = next(t for s in network.sections.index if len((t := hydro.trace_sources(network, str(s))).table) > 2)
    frame = visit.open(f"{serve(basin)}/?section={trace.section_id}&month={trace.time}")
    source = next(s for s in trace.table["source_id"] if s != "DIFFUSE")
    row = visit.page.locator(f".sources .row[data-source='{source}']")
    expect(visit.page.locator(".shares")).to_have_attribute("data-judged", "1", timeout=JUDGED_MS)
    row.hover()
    expect(frame.locator(".leaflet-container")).to_have_attribute("data-path", source)
    row.click()
    expect(row).to_have_attribute("aria-pressed", "true")
    expect(visit.page).to_have_url(re.compile(r"source="))
    lit = visit.ask_map("() => [...qingyuan.app.path.reaches]")
    shown = {str(network.reaches.index[i]) for i in network.topology.order[lit]}
    assert set(trace.path(source)) <= shown


def test_escape_puts_the_trace_out(visit: Visit, serve: Serve, basin: str) -> None:
    frame = visit.open(f"{serve(basin)}/?section=S1")
    expect(frame.locator(".leaflet-container")).to_have_attribute("data-traced", "S1")
    frame.locator("[data-section='S1']").press("Escape")
    expect(frame.locator(".leaflet-container")).to_have_attribute("data-traced", "")
    expect(visit.page.locator(".worst .row[data-section]")).to_have_count(6)


def test_a_link_opens_what_it_was_copied_from(visit: Visit, serve: Serve, basin: str) -> None:
    frame = visit.open(f"{serve(basin)}/?section=断面3&month=2021-05&lang=en")
    expect(frame.locator(".leaflet-container")).to_have_attribute("data-traced", "S2")
    expect(visit.page.locator(".headline .place")).to_have_text("断面3")
    expect(visit.page.get_by_text("Whose phosphorus")).to_be_visible()
    expect(frame.locator(".qy-legend")).to_contain_text("at target, no margin")
    state = visit.ask_map("() => qingyuan.app.state.month")
    assert state == "2021-05"


def test_month_and_language_change_without_drawing_the_map_again(visit: Visit, serve: Serve, basin: str) -> None:
    frame = visit.open(serve(basin))
    visit.ask_map("() => { qingyuan.app.mine = 1; qingyuan.app.map.setZoom(11, { animate: false }); }")
    visit.page.get_by_role("radio", name="EN").click()
    expect(frame.locator(".qy-legend")).to_contain_text("treatment plant")
    visit.page.get_by_role("button", name="Earlier month").click()
    expect(visit.page.locator(".heading").first).to_contain_text("2022-11")
    visit.page.wait_for_function(
        "() => document.querySelector('iframe').contentWindow.qingyuan.app.state.month === '2022-11'"
    )
    assert visit.ask_map("() => [qingyuan.app.mine, qingyuan.app.map.getZoom()]") == [1, 11]


def test_names_are_text_never_markup(visit: Visit, serve: Serve, basin: str) -> None:
    frame = visit.open(f"{serve(basin)}/?section=S0")
    expect(visit.page.locator(".headline .place")).to_have_text("<img src=x onerror=alert(1)>")
    expect(frame.locator("[data-section='S0'] .qy-label")).to_contain_text("<img src=x")
    assert frame.locator("img[src='x']").count() == 0


def test_an_unknown_section_is_answered_in_words(visit: Visit, serve: Serve, basin: str) -> None:
    visit.open(f"{serve(basin)}/?section=无此断面&lang=en")
    expect(visit.page.locator(".st-key-trouble")).to_contain_text("无此断面")
    expect(visit.page.locator(".worst .row[data-section]")).to_have_count(6)


@pytest.mark.parametrize(("content", "said"), [(None, "QINGYUAN"), (b"not a project", "")])
def test_a_project_that_cannot_be_opened_is_a_message(
    visit: Visit, serve: Serve, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "absent.gpkg"
    if content is not None:
        path.write_bytes(content)
    visit.page.goto(serve(str(path)))
    trouble = visit.page.locator(".st-key-trouble")
    expect(trouble).to_contain_text("absent.gpkg")
    expect(visit.page.get_by_text("Traceback")).to_have_count(0)


def test_the_drawn_file_stands_alone(visit: Visit, basin: str, tmp_path: Path) -> None:
    project = layers.open_project(basin)
    network = project.network()
    trace = hydro.trace_sources(network, "S1", time="2022-07")
    target = tmp_path / "map.html"
    layers.draw(network, trace).save(target)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.goto(target.as_uri())
    visit.page.locator("[data-ready]").wait_for()
    drawn = visit.page.evaluate("() => [...qingyuan.app.trace.reaches]")
    reach, _ = network.position("sections", "S1")
    assert sorted(network.topology.order[drawn]) == np.flatnonzero(upstream_of_reach(network, reach)).tolist()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert target.stat().st_size < 2_000_000


def test_the_hillshade_lies_under_the_rivers_until_it_is_put_away(visit: Visit, tmp_path: Path) -> None:
    project = layers.create_project(
        tmp_path / "hills.gpkg", name="示例", demo=True, tables=make_basin(20, 4, 2, seed=3)
    )
    west, south, east, north = project.table("reaches", geometry=True).total_bounds
    light = shade(np.add.outer(np.arange(40.0) % 7, np.arange(60.0) % 5), 1.0, 1.0)
    keep(project, RELIEF, Picture(png(light), (west, south, east, north), "hills.tif"), why="test")
    target = tmp_path / "hills.html"
    layers.draw(project.network()).save(target)
    visit.page.goto(target.as_uri())
    ready = visit.page.locator("[data-ready]")
    ready.wait_for()
    button = visit.page.get_by_role("button", name="地形")
    picture = visit.page.locator(".leaflet-qy-relief-pane img")
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.naturalWidth") == 60
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(picture).to_have_count(0)
    expect(button).to_have_attribute("aria-pressed", "false")


def test_the_list_is_walked_by_keys_and_left_by_escape(visit: Visit, serve: Serve, basin: str) -> None:
    visit.open(serve(basin))
    page, headline = visit.page, visit.page.locator(".headline .place")
    expect(page.locator(".worst button.row")).not_to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(".worst button.row").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(headline).to_be_visible()
    page.keyboard.press("Escape")
    expect(headline).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator(".st-key-pick_section input")).to_be_focused()
