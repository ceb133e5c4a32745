"""The pages that leave the tool, opened from a file with the network closed: they ask for nothing and answer every key."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

import hydro
from hydro import upstream_set
from reports.content import Content
from reports.meeting import APART, meeting
from reports.month import build_content
from reports.offline import offline_map
from reports.planned import planned

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
    network = content.network
    assert {str(network.reaches.index[i]) for i in network.topology.order[lit]} == set(map(str, ours))
    rows = alone.locator("#panel table tr").all_inner_texts()
    first = content.section("S01").sources[0]
    assert first.name in rows[1]
    assert rows[0].split() == ["来源", "kg/d", "贡献率", "历时"]
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


SMALLEST = """() => {
  const own = [...document.querySelectorAll("main *")].filter((node) => [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim()));
  const size = (node) => parseFloat(getComputedStyle(node).fontSize) * (node.ownerSVGElement ? node.getScreenCTM().a : 1);
  const [map, words] = [own.filter((node) => node.ownerSVGElement), own.filter((node) => !node.ownerSVGElement)];
  return [Math.min(...words.map(size)), Math.min(...map.map(size), innerWidth)];
}"""
SPILT = """() => [...document.querySelectorAll("main, .side")].filter(
  (node) => node.scrollHeight > node.clientHeight + 1 || node.scrollWidth > node.clientWidth + 1).length"""


def with_plan(content: Content) -> Content:
    tables = {name: pd.read_csv(DEMO / f"{name}.csv", dtype=str) for name in ("plans", "decisions", "measures")}
    return replace(content, plan=planned(content.network, tables, "P1", "2022-07"))


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (1024, 768)])
def test_every_view_is_read_from_the_last_row_of_chairs(
    alone: Page, content: Content, tmp_path: Path, size: tuple[int, int]
) -> None:
    """Two per cent of the width of a screen of 86 inches is 38 mm, 16 minutes of arc at 8 m: the least of ISO 9241-303."""
    width, height = size
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(with_plan(content)))
    alone.set_viewport_size({"width": width, "height": height})
    alone.goto(path.as_uri())
    seen = []
    for _ in range(9):
        seen.append(alone.locator("body").get_attribute("data-view"))
        title = alone.locator("header h1").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
        assert title >= 0.032 * width
        words, names = alone.evaluate(SMALLEST)
        assert words >= min(0.0195 * width, 0.0355 * height), seen[-1]
        assert names >= 0.010 * width, seen[-1]
        assert alone.evaluate(SPILT) == 0, seen[-1]
        low = alone.locator("footer").evaluate("node => node.getBoundingClientRect().bottom")
        assert low <= height + 1
        alone.keyboard.press("PageDown")
    assert seen[-2:] == ["plan", "tasks"]


def test_the_plan_is_told_from_the_reading_and_swiped(alone: Page, content: Content, tmp_path: Path) -> None:
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(with_plan(content)))
    alone.goto(path.as_uri() + "#7")
    expect(alone.locator("header h1")).to_contain_text("超标断面由\u00a05\u00a0个变为\u00a00\u00a0个")
    worst = alone.locator("main tr").nth(1).locator("td").all_inner_texts()
    assert worst[:3] == ["汲县", "0.30", "▲ 0.341"]
    assert worst[3].startswith("● 0.2")
    alone.locator(".swipe").fill("900")
    assert alone.locator("#left rect").get_attribute("width") == "920"


def test_the_worst_marks_lie_on_top_apart_and_every_section_is_named(
    alone: Page, content: Content, tmp_path: Path
) -> None:
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(with_plan(content)))
    alone.set_viewport_size({"width": 1366, "height": 768})
    alone.goto(path.as_uri())
    named = alone.locator(".place").all_text_contents()
    assert {words.split()[0] for words in named} == {one.name for one in content.sections}
    expect(alone.locator("main")).to_contain_text("其余 9 个断面见工作簿")
    expect(alone.locator("footer kbd")).to_have_text("← → 翻页，B 黑屏，F 全屏，D 深浅，E 编辑")
    spots = [one["spot"] for one in alone.evaluate("() => JSON.parse(told.textContent).sections")]
    assert min(math.dist(a, b) for i, a in enumerate(spots) for b in spots[:i]) > 0.85 * APART
    for step in ("#0", "#7"):
        alone.goto(path.as_uri() + step)
        alone.reload()
        drawn = alone.locator(".marks").last.locator(".mark").evaluate_all("all => all.map((one) => one.tagName)")
        assert drawn[-5:] == ["path"] * 5, "the five that are over are drawn last"
    expect(alone.locator("header h1")).to_contain_text("草稿方案“汛期攻坚方案（示例）”")


def test_the_trace_says_whose_time_it_tells_and_has_bars_on_a_narrow_screen(
    alone: Page, content: Content, tmp_path: Path
) -> None:
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(content))
    alone.set_viewport_size({"width": 640, "height": 700})
    alone.emulate_media(reduced_motion="reduce")
    alone.goto(path.as_uri() + "#2")
    expect(alone.locator(".clock").first).to_have_text(re.compile(r"水流到断面：最远处 \d+ 小时"))
    expect(alone.locator(".clock.of")).to_have_text("城东污水处理厂 10 小时")
    bar = alone.locator(".bar b").first.bounding_box()
    assert bar is not None
    assert bar["width"] > 40


def test_the_trace_fills_the_view_with_what_lies_upstream(alone: Page, content: Content, tmp_path: Path) -> None:
    path = tmp_path / "meeting.html"
    path.write_bytes(meeting(content))
    wide = []
    for step in ("#2", "#5"):  # 汲县, and the short 西孟姜女河
        alone.goto(path.as_uri() + step)
        alone.reload()
        expect(alone.locator(".reach.way").first).to_be_attached()
        wide.append(float(alone.locator("main svg").get_attribute("viewBox").split()[2]))
        lit = alone.locator(".reach.lit").count()
        assert lit == len(alone.evaluate("() => JSON.parse(told.textContent).sections")[step == "#5"]["up"])
        bar = alone.locator(".bar b").first.bounding_box()
        assert bar is not None
        assert bar["width"] > 40
    assert wide[1] < 0.5 * wide[0] < 520
