"""From drop to traced section in a real browser: messy files, one question, one refused row, and the map."""

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

import layers
from tests import messy, offices
from tests.browser.conftest import Visit

Serve = Callable[[str], str]


@pytest.fixture
def projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QINGYUAN_PROJECTS", str(tmp_path / "projects"))
    return tmp_path / "projects"


def test_messy_files_go_from_drop_to_a_traced_section(
    visit: Visit, serve: Serve, projects: Path, tmp_path: Path
) -> None:
    path = tmp_path / "first.gpkg"
    layers.create_project(path, name="示例", demo=True, tables=offices.tables()).close()
    folder = tmp_path / "dropped"
    folder.mkdir()
    files = [*messy.shapefile(folder), messy.workbook(folder)]
    page = visit.page
    visit.open(serve(str(path)))
    page.get_by_role("link", name="数据").click()
    page.locator("input[type=file]").first.set_input_files(files)

    asked = page.locator("[class*='st-key-question_']")
    expect(asked).to_contain_text("没有说明坐标系")
    sketch = page.frame_locator("iframe[title*='st_folium']")
    expect(sketch.locator("path[stroke-dasharray]")).not_to_have_count(0)
    asked.get_by_role("button", name="EPSG:4526").click()

    refused = page.locator("[class*='st-key-refused']")
    expect(refused).to_contain_text("PK04")
    expect(refused).to_contain_text("第 6 行")
    write = page.locator(".st-key-write button")
    expect(write).to_be_disabled()
    with page.expect_download() as sent:
        page.get_by_role("button", name="下载核对结果").click()
    book = openpyxl.load_workbook(io.BytesIO(sent.value.path().read_bytes()))
    told = [cell.value for cell in book["排口与断面 2022.xlsx · 排污口"][2]]
    assert told[:3] == [6, "PK04", "拒收"]

    page.locator(".st-key-new_name input").fill("新乡试点")
    page.locator(".st-key-new_name input").press("Enter")
    page.get_by_text("不要这 1 行，其余照写").click()
    write.click()
    expect(page.locator(".headline .place")).to_have_text("皇甫")
    expect(visit.map().locator(".leaflet-container")).to_have_attribute("data-traced", "DM01")
    expect(page.locator(".sources .row[data-source]").first).to_contain_text("城东污水处理厂排口")
    made = layers.open_project(projects / "新乡试点.gpkg")
    assert {name: len(made.table(name)) for name in ("reaches", "sections", "outlets")} == {
        "reaches": 5, "sections": 2, "outlets": 3,
    }  # fmt: skip

    page.get_by_role("link", name="数据").click()
    page.get_by_role("button", name="撤销本次导入").click()
    expect(page.locator(".st-key-destination")).to_be_visible()
    assert not list(projects.glob("*.gpkg"))
