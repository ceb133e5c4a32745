"""The plans page as a planner uses it: ask, draw the line across, catch outlets in a frame, mark them, slide water in."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect


def box_of(visit: Any) -> dict[str, float]:
    found = visit.page.locator("iframe[title*='st_folium']").bounding_box()
    assert found
    return found


def drag(visit: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = visit.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=5)
    mouse.up()


def test_ask_swipe_catch_and_mark(serve: Callable[[str], str], visit: Any) -> None:
    page = visit.page
    visit.open(serve(""))
    page.get_by_role("link", name="方案").click()
    page.locator(".st-key-plan_answer").wait_for()
    frame = visit.map()
    held = page.get_by_test_id("stMetricValue").filter(has_text="/ 7")
    expect(held).to_have_text("4 → 4 / 7")
    page.get_by_role("button", name="给我最省的方案").click()
    expect(held).to_have_text("4 → 7 / 7")
    expect(page.locator(".plainly")).to_contain_text(
        "7 个断面在平水（模拟）下都达到目标（余量 10 %）；已证明没有更省的"
    )

    huangfu = frame.locator("[data-section=S01]")
    expect(huangfu).to_have_class(re.compile("qy-holds"))
    swipe, box = frame.locator(".qy-swipe"), box_of(visit)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.3)
    drag(visit, middle, (box["x"] + box["width"] * 0.95, middle[1]))
    expect(huangfu).to_have_class(re.compile("qy-over"))
    swipe.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    expect(huangfu).to_have_class(re.compile("qy-holds"))

    frame.get_by_role("button", name="框选排污口").click()
    drag(visit, (box["x"] + 90, box["y"] + 60), (box["x"] + box["width"] - 20, box["y"] + box["height"] * 0.75))
    told = page.get_by_text(re.compile(r"框中 \d+ 个排污口"))
    expect(told).to_be_visible()
    count = int(re.findall(r"\d+", told.inner_text())[0])
    assert 20 < count < 150
    page.get_by_role("button", name=f"封堵 {count}", exact=True).click()
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_contain_text(f"({count})")

    before = page.get_by_test_id("stMetricValue").nth(0).inner_text()
    page.get_by_role("tab", name="引水").click()
    expect(page.get_by_text("引水是稀释，不是减排").first).to_be_visible()
    slider = page.get_by_role("slider", name=re.compile("共产主义渠引黄闸"))
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text(re.compile(r"每年 365 天，\d+ 万m³，\d+ 万元/年"))).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").nth(0)).not_to_have_text(before)
