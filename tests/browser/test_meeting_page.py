"""The meeting in the app: something to read at once, the show as soon as it can be, and its story kept with the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

import layers
from benchmarks.synthetic import make_basin
from layers.store.stories import story_of
from tests.browser.conftest import Visit

NOTE = "<b>请卫辉市说明</b> =1+1"


def test_the_show_is_edited_in_the_app_and_the_project_keeps_it(
    visit: Visit, serve: Callable[[str], str], tmp_path: Path
) -> None:
    tables = make_basin(40, 12, 3, seed=5)
    project = layers.create_project(tmp_path / "room.gpkg", name="示例", demo=True, tables=tables)
    month = str(max(project.table("observations")["time"]))[:7]
    visit.page.goto(f"{serve(project.url)}/meeting?month={month}")
    expect(visit.page.locator(".waiting-room h1, iframe").first).to_be_visible()
    show = visit.page.frame_locator("iframe")
    expect(show.locator("header h1")).to_contain_text("3 个断面")
    assert show.locator("body").evaluate("document.fullscreenEnabled")
    visit.page.keyboard.press("PageDown")  # a clicker, before anybody has clicked into the show
    expect(show.locator("footer > span").last).to_contain_text("2 /")
    show.get_by_role("button", name="编辑").click()
    show.locator("#edit li").nth(1).locator("input").fill(NOTE)
    show.locator("#edit li").nth(0).get_by_role("button", name="移除").click()
    kept = show.locator("#edit li").count()
    show.get_by_role("button", name="保存到项目").click()
    expect(visit.page.get_by_text("会议故事已保存到项目")).to_be_visible()
    story = story_of(project, month)
    assert (len(story), story[0].kind, story[0].note) == (kept, "section", NOTE)
    expect(show.locator("main")).to_contain_text(NOTE)
    visit.complaints.clear()  # Streamlit looks for its own server below the page's address first
