"""The pages that leave the tool, opened from a file with the network closed: they ask for nothing and answer every key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

import hydro
from hydro import upstream_set
from reports.content import Content
from reports.meeting import meeting
from reports.month import build_content
from reports.offline import offline_map

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
TASKS = pd.DataFrame(
    {"task_id": ["T1"], "title": ["排查"], "department": ["水利局"], "person": ["甲"], "due_on": ["2022-08-10"]}
)


@pytest.fixture(scope="module")
def content() -> Content:
    tables = {path.stem: gpd.read_file(path) for path in sorted(DEMO.glob("*.geojson"))}
    tables |= {name: pd.read_csv(DEMO / f"{name}.csv", dtype={"time": str}) for name in ("observations", "weather")}
    return build_content(hydro.build_network(tables), tables, "2022-07", project="示例流域", demo=True, tasks=TASKS)


@pytest.fixture
def alone(context: BrowserContext) -> Page:
    """A page in a browser without network; every request, error and console error is kept on it."""
    context.set_offline(True)
    page = context.new_page()
    page.asked, page.wrong = [], []
    page.on("request", lambda request: _asked(page, request))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: page.wrong.append(message.text) if message.type == "error" else None)
    return page


def _asked(page: Page, request: Request) -> None:
    if not request.url.startswith("data:"):
        page.asked.append(request.url)


def test_the_offline_map_traces_on_a_pick_and_asks_nobody(alone: Page, content: Content, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    path.write_bytes(offline_map(content))
    alone.goto(path.as_uri())
    expect(alone.locator("body")).to_have_attribute("data-ready", "1", timeout=3_000)
    alone.get_by_role("searchbox").fill("皇甫")
    alone.locator("#panel tr[tabindex]", has_text="皇甫").first.press("Enter")
    expect(alone.locator("#panel h2")).to_contain_text("皇甫总磷 0.315")
    lit = alone.evaluate("[...qingyuan.app.trace.reaches]")
    ours = upstream_set(content.network, "S01")
    assert {str(content.network.reaches.index[i]) for i in lit} == set(map(str, ours))
    rows = alone.locator("#panel table tr").all_inner_texts()
    first = content.section("S01").sources[0]
    assert first.name in rows[1]
    assert alone.asked == [path.as_uri()]
    assert alone.wrong == []


def test_the_show_moves_by_keys_blanks_and_keeps_an_edited_story(alone: Page, content: Content, tmp_path: Path) -> None:
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(content))
    alone.goto(path.as_uri())
    kinds = []
    for _ in range(8):
        kinds.append(alone.locator("body").get_attribute("data-view"))
        expect(alone.locator("header mark")).to_have_text("示例")
        alone.keyboard.press("ArrowRight")
    assert kinds == ["situation", "section", "trace", "causes", "section", "trace", "causes", "tasks"]
    alone.keyboard.press("Home")
    expect(alone.locator("header h1")).to_have_text("2022年7月监测 16 个断面：达标 10 个，持平 1 个，超标 5 个")
    alone.keyboard.press("b")
    expect(alone.locator("#black")).to_be_visible()
    alone.keyboard.press("b")
    expect(alone.locator("#black")).to_have_count(0)
    alone.keyboard.press("e")
    alone.locator("#edit li").nth(1).locator("input").fill("请卫辉市说明")
    alone.locator("#edit li").nth(0).get_by_role("button", name="移除").click()
    with alone.expect_download() as saved:
        alone.get_by_role("button", name="另存").click()
    told = re.search(r'id="told"[^>]*>(.*?)</script>', saved.value.path().read_text(encoding="utf-8"), re.S)[1]
    story = json.loads(told)["story"]
    assert [step["kind"] for step in story] == kinds[1:]
    assert story[0]["note"] == "请卫辉市说明"
    alone.get_by_role("button", name="完成").click()
    expect(alone.locator("main")).to_contain_text("请卫辉市说明")
    assert alone.asked == [path.as_uri()]
    assert alone.wrong == []


def test_large_type_fits_a_projector_and_an_office_screen(alone: Page, content: Content, tmp_path: Path) -> None:
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(content))
    for width, height in ((1366, 768), (1920, 1080), (1024, 768)):
        alone.set_viewport_size({"width": width, "height": height})
        alone.goto(path.as_uri() + "#2")
        alone.reload()
        size = alone.locator("header h1").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
        assert size >= 0.032 * width
        low = alone.locator("footer").evaluate("node => node.getBoundingClientRect().bottom")
        assert low <= height + 1
        assert alone.evaluate("document.documentElement.scrollWidth") <= width
