"""Deciding on the map: click, choose, done; and what somebody else decides meanwhile appears by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import layers
from benchmarks.synthetic import make_basin
from tests.browser.conftest import Visit

Serve = Callable[[str], str]
VIEW = "() => [qingyuan.app.map.getZoom(), qingyuan.app.map.getCenter().lat, qingyuan.app.mine]"
PLACE = """(id) => {
  const { map, points } = qingyuan.app;
  const spot = points.shown.find(({ i }) => points.list.id[i] === id && points.kind[i] === "outlet");
  const { x, y } = map.layerPointToContainerPoint([spot.x, spot.y]);
  return { x, y };
}"""


@pytest.fixture
def office(tmp_path: Path) -> layers.Project:
    tables = make_basin(40, 12, 3, seed=5)
    tables["outlets"]["name"] = "<b>O</b><script>alert(1)</script>"
    return layers.create_project(tmp_path / "office.gpkg", name="示例", demo=True, tables=tables)


def decided(page: Page, outlet: str, decision: str) -> None:
    page.wait_for_function(
        """([outlet, decision]) => [...document.querySelectorAll("iframe")].some((frame) => {
            const app = frame.contentWindow.qingyuan?.app;
            return app && (app.points.decided.get(app.points.find("outlet", outlet)) ?? "") === decision; })""",
        arg=[outlet, decision],
    )


def test_a_decision_made_on_one_map_appears_on_another_and_nothing_is_lost(
    visit: Visit, serve: Serve, office: layers.Project, browser: Browser
) -> None:
    address, (mine, theirs, *_) = serve(office.url), office.table("outlets")["outlet_id"]
    office.plans.create("一期")
    visit.open(f"{address}/?source={mine}")
    visit.ask_map("() => { qingyuan.app.mine = 1; qingyuan.app.map.setZoom(11, { animate: false }); }")
    reason = visit.page.get_by_label("理由")
    reason.click()
    visit.page.keyboard.type("还没写完")
    view = visit.ask_map(VIEW)

    with browser.new_context(viewport={"width": 1366, "height": 768}) as elsewhere:
        other = Visit(elsewhere.new_page())
        frame = other.open(address)
        frame.locator(".leaflet-container").click(position=other.ask_map(PLACE, theirs))
        expect(other.page.locator(".st-key-marking")).to_contain_text("<b>O</b><script>alert(1)</script>")
        other.page.get_by_role("button", name="封堵").click()
        decided(other.page, theirs, "seal")
        decided(visit.page, theirs, "seal")
        assert visit.ask_map("() => document.querySelector('.qy-plan').textContent") == "草稿方案“一期”"
        assert visit.ask_map(VIEW) == view
        expect(reason).to_have_value("还没写完")

        office.plans.decide(
            "一期", [mine], "regulate", seen={}, why="先规范"
        )  # the very outlet that is being written on
        decided(visit.page, mine, "regulate")
        expect(visit.page.locator(".st-key-marking")).to_contain_text("先规范")
        expect(reason).to_have_value("还没写完")
        visit.page.get_by_role("button", name="封堵").click()
        decided(other.page, mine, "seal")
        assert office.plans.decisions("一期").loc[mine, "reason"] == "还没写完"
        other.page.get_by_role("button", name="撤销我的上一步").click()  # the same person, at another screen
        decided(visit.page, mine, "regulate")
        assert visit.ask_map(VIEW) == view
