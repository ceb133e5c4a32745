"""The month's pack: the same figures in every document, readable by other programs, safe whatever a name holds."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyproj
import pytest
from docx import Document
from matplotlib.figure import Figure as Page
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from pptx import Presentation
from pptx.util import Mm, Pt
from python_calamine import CalamineWorkbook

import hydro
from hydro import HydroError
from i18n import text
from layers.store.pictures import Picture
from layers.store.stories import Step
from reports import phrases
from reports.atlas import make_atlas
from reports.content import Content
from reports.deck import LOADS, deck
from reports.fonts import typeface
from reports.furniture import bar_length_m
from reports.labels import Placer
from reports.meeting import meeting
from reports.month import build_content
from reports.offline import json_for_script, offline_map
from reports.pack import Cancelled, Style, documents, make_pack, write_pack
from reports.paper import brief, task_sheets
from reports.rows import row_heights, shared_out
from reports.sheet import Subject, draw_sheet, grouped_series, map_image, map_sheets, overview, section_series
from reports.tables import (
    Column,
    Table,
    all_tables,
    effect_table,
    next_table,
    patrol_table,
    section_table,
    source_table,
)
from reports.workbook import sheet_name, workbook

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
NASTY = "=cmd|'/c calc'!A1 <script>alert(1)</script> & \"引号\" 🏭 " + "长" * 20
TASKS = pd.DataFrame(
    {
        "task_id": ["T1", "T2"],
        "title": ["排查城东污水处理厂", NASTY],
        "department": ["生态环境局", "住建局"],
        "person": ["甲", "乙"],
        "due_on": ["2022-08-10", "2022-08-20"],
        "state": ["doing", "assigned"],
    }
)


def demo_tables() -> dict[str, pd.DataFrame]:
    spatial = {path.stem: gpd.read_file(path) for path in sorted(DEMO.glob("*.geojson"))}
    plain = {name: pd.read_csv(DEMO / f"{name}.csv", dtype={"time": str}) for name in ("observations", "weather")}
    return spatial | plain


def told(tables: dict[str, pd.DataFrame], inquiry: hydro.Inquiry | None = None, **how: object) -> Content:
    options = {
        "project": "示例流域",
        "demo": True,
        "made_on": "2022-08-01",
        "unit": "示例市生态环境局",
        "tasks": TASKS,
    } | how
    inquiry = inquiry or hydro.inquire(hydro.build_network(tables))
    return build_content(inquiry.network, tables, "2022-07", inquiry=inquiry, **options)


@pytest.fixture(scope="module")
def inquiry() -> hydro.Inquiry:
    return hydro.inquire(hydro.build_network(demo_tables()))


@pytest.fixture(scope="module")
def content(inquiry: hydro.Inquiry) -> Content:
    return told(demo_tables(), inquiry)


@pytest.fixture(scope="module")
def nasty() -> Content:
    tables = demo_tables()
    for name in ("sections", "outlets", "plants", "districts"):
        tables[name]["name"] = NASTY
    tables["reaches"]["river"] = tables["reaches"]["river"] + "<&\"'🏭"
    return told(tables, project=NASTY)


def every_text(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))


def test_the_worst_section_comes_first_and_figures_carry_basis_and_date(content: Content) -> None:
    order = [one.status for one in content.sections]
    assert order == sorted(order, key=["over", "at", "holds", "none"].index)
    worst = content.worst
    assert worst.multiple == max(one.multiple for one in content.measured)
    assert (worst.measured.basis, worst.measured.date) == ("monitored", "2022-07")
    assert all(source.load.basis for source in worst.sources)


def test_what_sources_deliver_is_the_measured_load_and_rows_folded_together_keep_the_sum(content: Content) -> None:
    for one in content.measured:
        assert math.isclose(sum(s.delivered.value for s in one.sources), one.measured_load.value, rel_tol=1e-6)
        folded = phrases.top_sources(content, one, 5)
        assert math.isclose(sum(s.delivered.value for s in folded), one.measured_load.value, rel_tol=1e-6)


def test_margin_headroom_and_verdict_by_hand(content: Content) -> None:
    at = next(one for one in content.sections if one.name == "下马营")
    assert (at.status, at.margin_mg_l, at.headroom.value) == ("at", 0.0, 0.0)
    near = next(one for one in content.sections if one.name == "小河口")
    assert near.headroom.value == pytest.approx(0.010 * near.discharge.value * 86.4)
    assert phrases.verdict(content, at) == "下马营总磷 0.300 mg/L，与目标持平，没有余量"


def test_an_empty_month_is_refused_with_the_months_there_are() -> None:
    tables = demo_tables()
    with pytest.raises(HydroError) as refused:
        build_content(hydro.build_network(tables), tables, "2031-01", project="x")
    assert str(refused.value) == "2031-01 没有任何断面的总磷监测值，无法出报告。有数据的月份：2019-08 至 2022-07"


def test_the_workbook_reads_back_as_it_was_written_by_two_readers(content: Content) -> None:
    data = workbook(content)
    by_calamine = CalamineWorkbook.from_filelike(io.BytesIO(data))
    by_openpyxl = openpyxl.load_workbook(io.BytesIO(data))
    for table in all_tables(content):
        rows = by_calamine.get_sheet_by_name(sheet_name(table, content)).to_python()
        assert rows[0] == [column.heading for column in table.columns]
        for written, read in zip(table.rows, rows[1:], strict=True):
            for cell, found in zip(written, read, strict=True):
                assert found == (
                    "" if cell is None else pytest.approx(cell, rel=1e-12) if isinstance(cell, float) else cell
                )
        sheet = by_openpyxl[sheet_name(table, content)]
        assert sheet.freeze_panes == "B2"
        assert sheet.max_row == len(table.rows) + 1
    assert all("示例" in name for name in by_openpyxl.sheetnames[1:])
    assert not [c for sheet in by_openpyxl for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_the_deck_is_native_labelled_and_names_a_chinese_face(content: Content) -> None:
    show = Presentation(io.BytesIO(deck(content, limit=1)))
    shapes = [shape for slide in show.slides for shape in slide.shapes]
    assert any(shape.has_chart for shape in shapes)
    assert any(shape.has_table for shape in shapes)
    for slide in show.slides:
        words = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        assert "示例" in words
        assert any("数据截至 2022-07" in each for each in words)
    faces = re.findall(r'<a:ea typeface="([^"]*)"', every_text(deck(content, limit=1)))
    assert "Microsoft YaHei" in faces


def test_rows_share_out_over_slides_and_none_is_left_nearly_bare(content: Content) -> None:
    table = section_table(content)
    assert len(table.rows) == 16
    show = Presentation(io.BytesIO(deck(content, limit=1)))
    grids = [shape.table for slide in show.slides for shape in slide.shapes if shape.has_table]
    assert [len(grid.rows) - 1 for grid in grids if grid.cell(0, 0).text == "断面" and len(grid.columns) == 8] == [8, 8]
    assert [list(part) for part in shared_out([5, 5, 5, 30], 30)] == [[0, 1], [2], [3]]
    long = Table("t", (Column("a", width=10), Column("b", width=10)), (("短", "长" * 60), ("短", "短")))
    tall, short = row_heights(long, int(Mm(100)), 14, int(Mm(9)))
    per_line = (Mm(50) - 2 * Mm(1.5)) // Pt(14)
    assert tall >= -(-60 // per_line) * Pt(14) * 1.2
    assert short == Mm(9)


def test_the_best_estimate_stands_beside_what_the_registers_say(content: Content) -> None:
    first = content.section("S01").sources[0]
    assert first.share == pytest.approx(first.delivered.value / content.section("S01").measured_load.value)
    plain = hydro.trace_sources(content.network, "S01", time="2022-07").table.set_index("source_id")
    assert first.inventory.value == pytest.approx(plain.at[first.source_id, "delivered_kg_d"])
    assert phrases.listed(content, first) == f"{phrases.kg(first.inventory.value)} 监测"
    rest = phrases.top_sources(content, content.section("S01"), 3)[-1]
    whole = sum(s.inventory.value for s in content.section("S01").sources if s.inventory.known)
    assert rest.inventory.value == pytest.approx(
        whole - sum(s.inventory.value for s in content.section("S01").sources[:3])
    )
    show = Presentation(io.BytesIO(deck(content, limit=1)))
    bars = next(s.chart for slide in show.slides for s in slide.shapes if s.has_chart)
    assert [series.name for series in bars.plots[0].series] == ["清单", "最佳估计"]


def test_the_next_sample_is_in_the_documents(content: Content) -> None:
    over = [one for one in content.measured if one.causes]
    assert [row[0] for row in next_table(content).rows] == [one.name for one in over]
    assert content.section("S01").next_sample == "城东污水处理厂的排口"
    words = "\n".join(p.text for p in Document(io.BytesIO(brief(content))).paragraphs)
    assert "汲县下一个采样点：城东污水处理厂的排口" in words
    assert not next(
        one for one in over if one.causes[0].probability > 0.99 and one.causes[0].source_id == "NONE"
    ).next_sample


def test_cutting_what_the_brief_says_where_it_is_discharged_is_enough_at_the_section(content: Content) -> None:
    words = "\n".join(p.text for p in Document(io.BytesIO(brief(content))).paragraphs)
    worst = content.worst
    plant = next(s for s in worst.sources if s.kind in ("plant", "outlet"))
    assert all(s.delivery_ratio <= 1 for one in content.sections for s in one.sources if s.kind == "plant")
    assert plant.delivered.value > plant.load.value  # the best estimate arrives, the registers have less at the source
    cut = float(re.search(r"汲县：先查城东污水处理厂，排口处每日削减 ([\d.]+) kg 即可达标", words)[1])
    over = (worst.measured.value - worst.target.value) * worst.discharge.value * 86.4
    assert over <= cut * plant.delivery_ratio < over + 0.2
    small = replace(plant, delivered=replace(plant.delivered, value=over - 2.0))
    assert phrases.cut(content, worst, small).endswith(
        f"全部削减后仍多 {phrases.enough_kg(2.0)} kg/d，其他来源也须削减"
    )


def test_findings_bear_their_mark_and_nobody_to_blame_is_told_as_surely_as_it_is_known(content: Content) -> None:
    first = content.worst.causes[0]
    assert first.evidence[0] == "＋其下游断面皇甫、汲县、淇门同期高于预期"
    assert next_table(content).columns[3].name == "依据（＋支持，－不支持）"
    usual = next(one for one in content.measured if one.causes and one.causes[0].source_id == "NONE")
    assert phrases.likely(content, usual) == "属平时负荷，没有单一原因（100%）"
    unsure = replace(usual, causes=(replace(usual.causes[0], probability=0.5), *usual.causes[1:]))
    assert phrases.likely(content, unsure) == "没有足够证据指认单一原因"
    show = Presentation(io.BytesIO(deck(content, limit=1)))
    bars = next(s.chart for slide in show.slides for s in slide.shapes if s.has_chart)
    assert bars.plots[0].series[0]._element.xpath("string(.//c:formatCode)") == LOADS


def test_nothing_on_a_slide_stands_outside_it(content: Content) -> None:
    show = Presentation(io.BytesIO(deck(content, limit=2)))
    for slide in show.slides:
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= show.slide_width + 10
            assert shape.top + shape.height <= show.slide_height


def test_a_template_without_a_title_layout_is_refused_by_name(content: Content, tmp_path: Path) -> None:
    show = Presentation()
    layouts = show.slide_layouts
    for layout in list(layouts):
        if layout.name == "Title Only":
            layouts.remove(layout)
    show.save(tmp_path / "office.pptx")
    with pytest.raises(HydroError) as refused:
        deck(content, template=tmp_path / "office.pptx")
    left = ["Title Slide", "Title and Content", "Section Header", "Two Content", "Comparison", "Blank"]
    left += ["Content with Caption", "Picture with Caption", "Title and Vertical Text", "Vertical Title and Text"]
    assert str(refused.value) == (
        f"模板里没有“仅标题”版式，无法排版。模板现有版式：{'、'.join(left)}。请加一个只有标题的版式"
    )
    with pytest.raises(HydroError) as uploaded:
        deck(content, template=(tmp_path / "office.pptx").read_bytes())
    assert str(uploaded.value) == str(refused.value)
    (tmp_path / "broken.pptx").write_text("no deck")
    with pytest.raises(HydroError) as broken:
        deck(content, template=tmp_path / "broken.pptx")
    assert str(broken.value) == (
        f"模板 {tmp_path / 'broken.pptx'} 打不开：不是 PowerPoint 文件（.pptx），或文件已损坏。请换一个，或不用模板"
    )


def test_the_brief_has_its_four_parts_and_tasks_stand_under_their_person(content: Content) -> None:
    words = "\n".join(p.text for p in Document(io.BytesIO(brief(content))).paragraphs)
    assert [words.index(head) for head in ("一、情况", "二、原因", "三、建议", "四、责任分工")] == sorted(
        words.index(head) for head in ("一、情况", "二、原因", "三、建议", "四、责任分工")
    )
    sheets = Document(io.BytesIO(task_sheets(content)))
    assert [p.text for p in sheets.paragraphs if p.text.startswith("部门")] == [
        "部门：住建局　责任人：乙", "部门：生态环境局　责任人：甲",
    ]  # fmt: skip
    assert [table.cell(0, 0).text for table in sheets.tables][:3] == ["任务内容", "任务内容", "次序"]


def test_map_sheets_embed_the_chinese_face_and_repeat_byte_for_byte(content: Content) -> None:
    pdf = map_sheets(content, paper="A4", limit=1)
    assert re.findall(rb"/BaseFont /\w+\+NotoSansSC", pdf)
    assert b"DejaVu" not in pdf
    assert pdf == map_sheets(content, paper="A4", limit=1)


def drawn(content: Content, subject: Subject | None = None, **how: object) -> Page:
    """A sheet with every text and mark laid out: the overview, or another subject."""
    atlas, face = make_atlas(content), typeface(content.words)
    page = draw_sheet(content, subject or overview(content, atlas), atlas, face, **how)
    page.canvas.draw()
    return page


def shown_on(page: Page, gid: str) -> list[Patch]:
    return [patch for patch in page.axes[0].patches if patch.get_gid() == gid]


@pytest.mark.parametrize(("paper", "portrait", "number"), [("A3", False, 0), ("A4", True, 13)])
def test_the_scale_bar_is_right_to_a_part_in_a_hundred_and_the_arrow_points_north(
    content: Content, paper: str, portrait: bool, number: int
) -> None:
    atlas = make_atlas(content)
    page = drawn(content, section_series(content, atlas)[number], paper=paper, portrait=portrait)
    axes, geod = page.axes[0], pyproj.Geod(ellps="GRS80")
    bar = [patch.get_bbox() for patch in shown_on(page, "scale bar")]
    told_km = max(float(t.get_text().removesuffix(" km")) for t in axes.texts if t.get_text().endswith(" km"))
    ends = atlas.to_degrees.transform([min(b.x0 for b in bar), max(b.x1 for b in bar)], [bar[0].y0] * 2)
    geodesic = geod.inv(ends[0][0], ends[1][0], ends[0][1], ends[1][1])[2]
    assert geodesic == pytest.approx(1000 * told_km, rel=0.01)
    box = axes.get_window_extent()
    metres = np.ptp(axes.get_xlim()) / box.width
    assert metres == pytest.approx(np.ptp(axes.get_ylim()) / box.height, rel=1e-6)
    ratio = next(float(t.get_text()[2:].replace(" ", "")) for t in axes.texts if t.get_text().startswith("1:"))
    assert metres * page.dpi / 0.0254 == pytest.approx(ratio, rel=1e-3)
    tip, _, foot = shown_on(page, "north")[0].get_xy()[:3]
    (lon0, lon1), (lat0, lat1) = atlas.to_degrees.transform([foot[0], tip[0]], [foot[1], tip[1]])
    assert abs(geod.inv(lon0, lat0, lon1, lat1)[0]) < 0.1
    assert bar_length_m(130_000) == 20_000


def test_degrees_stand_where_they_say(content: Content) -> None:
    atlas = make_atlas(content)
    page = drawn(content)
    axes, box = page.axes[0], page.axes[0].get_window_extent()
    seen = 0
    for label in page.texts:
        if not (match := re.fullmatch(r"(\d+)°(\d\d)′([EN])", label.get_text())):
            continue
        middle = label.get_window_extent()
        x = axes.get_xlim()[0] + ((middle.x0 + middle.x1) / 2 - box.x0) / box.width * np.ptp(axes.get_xlim())
        y = axes.get_ylim()[0] + ((middle.y0 + middle.y1) / 2 - box.y0) / box.height * np.ptp(axes.get_ylim())
        found = atlas.to_degrees.transform(x, y)["EN".index(match[3])]
        assert found == pytest.approx(int(match[1]) + int(match[2]) / 60, abs=0.012)
        seen += 1
    assert seen > 10


SHEETS = [
    ("content", "zh", "A3", False, "overview"),
    ("content", "zh", "A4", True, "section"),
    ("content", "en", "A4", False, "section"),
    ("content", "en", "A4", True, "county"),
    ("content", "zh", "A0", False, "section"),
    ("nasty", "zh", "A3", False, "section"),
    ("nasty", "zh", "A4", True, "overview"),
    ("nasty", "en", "A4", False, "river"),
]


@pytest.mark.parametrize(("names", "lang", "paper", "portrait", "kind"), SHEETS)
def test_nothing_on_a_sheet_covers_another_or_runs_off(
    request: pytest.FixtureRequest, names: str, lang: str, paper: str, portrait: bool, kind: str
) -> None:
    told = replace(request.getfixturevalue(names), lang=lang)
    atlas = make_atlas(told)
    series = section_series(told, atlas) if kind in ("overview", "section") else grouped_series(told, atlas, kind)
    page = drawn(told, series[0 if kind == "overview" else 1], paper=paper, portrait=portrait)
    frame = page.axes[0].get_window_extent().padded(2)
    on_map = boxes([t for t in page.axes[0].texts if not t.get_rotation()])
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for _, b in on_map)
    beside = boxes(page.texts)
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= page.bbox.x1 and b.y1 <= page.bbox.y1 for _, b in beside)
    assert not clashes(on_map) + clashes(beside)
    plates = [(f"axes {i}", axes.get_window_extent()) for i, axes in enumerate(page.axes)]
    flat = [(words, box) for words, box in beside if "′" not in words]
    assert not clashes(flat + plates)


def boxes(texts: Iterable[Text]) -> list[tuple[str, Bbox]]:
    """What stands on the page, less the air above and below the letters."""
    shown = [t for t in texts if t.get_visible() and t.get_text().strip()]
    found = [(t.get_text(), t.get_window_extent()) for t in shown]
    return [(words, box.padded(-0.5, -0.2 * box.height / (1 + words.count("\n")))) for words, box in found]


def clashes(found: list[tuple[str, Bbox]]) -> list[tuple[str, str]]:
    return [(a, b) for i, (a, x) in enumerate(found) for b, y in found[i + 1 :] if x.overlaps(y)]


def test_a_name_without_a_place_is_left_out_not_printed_over_another() -> None:
    placer = Placer((0, 0, 40, 12))
    assert placer.beside(5, 6, 30, 10, 2) is not None
    assert placer.beside(5, 6, 30, 10, 2) is None


def test_a_section_without_a_geometry_is_in_the_tables_and_off_the_maps(inquiry: hydro.Inquiry) -> None:
    tables = demo_tables()
    tables["sections"].loc[tables["sections"]["name"] == "皇甫", "geometry"] = None
    content = told(tables, inquiry)
    one = next(s for s in content.sections if s.name == "皇甫")
    assert not one.placed
    assert one.name in [row[0] for row in section_table(content).rows]
    titles = [subject.title for subject in section_series(content, make_atlas(content))]
    assert "皇甫断面总磷来源图" not in titles
    assert deck(content, limit=5)
    assert json.loads(held(meeting(content)))["sections"][content.sections.index(one)]["at"] is None
    atlas, face = make_atlas(content), typeface(content.words)
    page = draw_sheet(content, section_series(content, atlas)[0], atlas, face)
    assert "没有坐标，不在图上：皇甫" in [words.get_text() for words in page.texts]


def test_the_patrol_list_is_in_the_workbook_and_on_the_task_sheets(content: Content) -> None:
    table = patrol_table(content)
    first = next(one for one in content.measured if one.causes and one.causes[0].source_id != "NONE")
    own = [row for row in table.rows if row[0] == first.name]
    assert [row[1] for row in own] == list(range(1, len(own) + 1))
    assert own[0][2] == first.causes[0].name
    assert "巡查清单 示例" in CalamineWorkbook.from_filelike(io.BytesIO(workbook(content))).sheet_names
    sheets = Document(io.BytesIO(task_sheets(content)))
    assert first.causes[0].name in [cell.text for table in sheets.tables for row in table.rows for cell in row.cells]
    alone = replace(content, tasks=())
    assert "任务单.docx" in [one.file for one in documents(alone)]
    assert next(p.text for p in Document(io.BytesIO(task_sheets(alone))).paragraphs) == "巡查清单"


def held(page: bytes) -> str:
    return re.search(r'<script id="told" type="application/json">(.*?)</script>', page.decode(), re.S)[1]


def test_names_that_would_break_a_document_are_right_in_all_of_them_and_run_in_none(nasty: Content) -> None:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(workbook(nasty))).get_sheet_by_name("断面 示例").to_python()
    assert rows[1][0] == NASTY
    assert not re.search(r"<f>", every_text(workbook(nasty)))
    assert any(NASTY in shape.text_frame.text for slide in Presentation(io.BytesIO(deck(nasty, limit=1))).slides
               for shape in slide.shapes if shape.has_text_frame)  # fmt: skip
    assert any(NASTY in p.text for p in Document(io.BytesIO(brief(nasty))).paragraphs)
    for page in (offline_map(nasty), meeting(nasty)):
        assert b"<script>alert(1)" not in page
        assert NASTY in json.dumps(json.loads(held(page)), ensure_ascii=False).replace('\\"', '"')
    assert map_sheets(nasty, paper="A4", limit=2)[:5] == b"%PDF-"


def test_json_in_a_page_cannot_close_its_element() -> None:
    assert json_for_script({"a": "</script><!--\u2028"}) == '{"a":"\\u003c/script\\u003e\\u003c!--\\u2028"}'


def test_the_offline_pages_ask_nobody_and_are_small(content: Content) -> None:
    for page, most in ((offline_map(content), 2_000_000), (meeting(content), 500_000)):
        assert len(page) < most
        reader = Loads()
        reader.feed(page.decode())
        assert not [address for address in reader.found if not address.startswith(("#", "data:"))]


class Loads(HTMLParser):
    """What a browser would fetch for a page's own elements (a script's text is not an element)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or "" for name, value in attrs if name in ("src", "srcset") or (tag == "link" and name == "href")
        ]


def test_a_story_of_ones_own_replaces_the_usual_and_drops_what_is_gone(content: Content) -> None:
    first = content.sections[0].section_id
    own = (Step("trace", first, "先看这里"), Step("section", "gone"), Step("plan"))
    told = json.loads(held(meeting(replace(content, story=own))))
    assert told["story"] == [{"kind": "trace", "section": first, "note": "先看这里"}]
    assert not told["keeps"]
    usual = json.loads(held(meeting(content)))["story"]
    assert told["usual"] == usual
    assert json.loads(held(meeting(replace(content, story=own[1:]))))["story"] == usual


def test_an_image_is_300_dpi_of_its_paper_turned_as_asked(content: Content) -> None:
    from PIL import Image

    image = Image.open(io.BytesIO(map_image(content, paper="A4", dpi=60)))
    assert image.size == pytest.approx((297 / 25.4 * 60, 210 / 25.4 * 60), abs=1)
    only = [one for one in documents(content) if one.file == "总磷状况图.png"]
    _, packed = next(make_pack(content, only, style=Style(paper="A4", portrait=True)))
    assert Image.open(io.BytesIO(packed)).size == pytest.approx((210 / 25.4 * 300, 297 / 25.4 * 300), abs=1)


def test_a_hillshade_lies_under_the_map_where_it_belongs(content: Content) -> None:
    from PIL import Image

    kept = io.BytesIO()
    Image.fromarray(np.repeat(np.repeat([[0, 255]], 50, axis=1), 80, axis=0).astype(np.uint8), "L").save(kept, "PNG")
    shaded = replace(content, relief=Picture(kept.getvalue(), (113.8, 35.1, 114.2, 35.5)))
    plain, atlas = drawn(content, paper="A4"), make_atlas(content)
    page = drawn(shaded, paper="A4")
    dark = np.asarray(plain.canvas.buffer_rgba(), float)[..., 0] - np.asarray(page.canvas.buffer_rgba(), float)[..., 0]
    axes = page.axes[0]

    def darkened(lon: float, lat: float) -> float:
        x, y = axes.transData.transform(atlas.to_degrees.transform(lon, lat, direction="INVERSE"))
        at, up = round(x), round(page.bbox.height - y)
        return float(np.median(dark[up - 4 : up + 5, at - 4 : at + 5]))

    assert darkened(113.97, 35.3) > 60
    assert [darkened(*at) for at in ((114.03, 35.3), (113.77, 35.3), (113.97, 35.53), (113.97, 35.07))] == [0.0] * 4


def test_the_pack_is_written_whole_or_not_at_all(content: Content, tmp_path: Path) -> None:
    few = [one for one in documents(content) if one.file in ("数据.xlsx", "简报.docx")]
    steps = []
    for name, data in make_pack(content, few, tick=lambda *step: steps.append(step)):
        (tmp_path / name).write_bytes(data)
    assert [step[0] for step in steps] == ["工作簿", "简报", ""]

    def stop(title: str, done: int, count: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_pack(content, tmp_path / "out", tick=stop)
    assert not list((tmp_path / "out").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(HydroError) as refused:
        write_pack(content, tmp_path / "file")
    assert str(refused.value) == f"不能写入文件夹 {tmp_path / 'file'}：那里有一个同名的文件。请换一个文件夹"
    assert text(refused.value.message, "en", **refused.value.params) == (
        f"Cannot write to folder {tmp_path / 'file'}: there is a file of that name. Choose another folder"
    )


def test_a_full_disk_is_told_and_leaves_whole_files_only(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")  # Windows has no such limit
    few = {one.file: one for one in documents(content)}
    monkeypatch.setattr("reports.pack.documents", lambda _: (few["简报.docx"], few["会议.html"]))
    write_pack(content, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before["2022-07-会议.html"]) - 1000, hard))
    try:
        with pytest.raises(HydroError) as refused:
            write_pack(replace(content, made_on="2022-08-02"), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(refused.value) == f"磁盘已满或超出配额，{tmp_path} 里写完了 1 个文件。请腾出空间后重试"
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys()
    assert after["2022-07-会议.html"] == before["2022-07-会议.html"]
    assert after["2022-07-简报.docx"] != before["2022-07-简报.docx"]


def test_a_missing_typeface_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from reports import fonts

    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    with pytest.raises(HydroError) as refused:
        typeface("没有")
    assert str(refused.value) == "找不到中文字体，图件上的汉字会变成方框。请安装：pip install justmytype-intl-cjk"


def test_everything_is_told_in_english_too(inquiry: hydro.Inquiry) -> None:
    content = told(demo_tables(), inquiry, lang="en", project="Demo", unit="")
    rows = source_table(content)
    assert [column.name for column in rows.columns][:4] == ["Section", "No.", "Id", "Source"]
    assert phrases.situation(content) == "2022-07: 16 sections measured, 10 attain, 1 exactly on target, 5 exceed"
    assert phrases.verdict(content, content.section("S02")) == "下马营: TP 0.300 mg/L, exactly on target, no margin"


def test_a_plan_of_the_project_is_told_before_and_after(content: Content) -> None:
    from reports.planned import planned

    tables = {name: pd.read_csv(DEMO / f"{name}.csv", dtype=str) for name in ("plans", "decisions", "measures")}
    plan = planned(content.network, tables, "P1", "2022-07")
    sealed = set(tables["decisions"]["outlet_id"])
    prices = content.network.outlets["seal_cost"].astype(float)
    assert plan.cost == pytest.approx(tables["measures"]["cost"].astype(float).sum() + prices[list(sealed)].sum())
    assert {line.source_id for line in plan.lines} == sealed | set(tables["measures"]["source_id"])
    huangfu = content.section("S01").section_id
    assert plan.effects[huangfu].after < plan.effects[huangfu].before
    assert all(effect.after <= effect.before + 1e-9 for effect in plan.effects.values())
    for one in content.measured:
        effect = plan.effects[one.section_id]
        assert (effect.basis, effect.before) == ("monitored", one.measured.value)
    told = replace(content, plan=plan)
    assert phrases.plan_effect(told) == "草稿方案“汛期攻坚方案（示例）”：2,123 万元，超标断面由 5 个变为 0 个"
    at = next(row for row in effect_table(told).rows if row[0] == "下马营")
    assert at[5] == "持平（零余量）"
    assert at[7] == pytest.approx(0.230, abs=1e-3)
    with pytest.raises(HydroError) as refused:
        planned(content.network, tables, "没有", "2022-07")
    assert str(refused.value) == "没有方案“没有”。本项目的方案：汛期攻坚方案（示例）"
