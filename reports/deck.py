"""The deck (PPTX): native titles, tables and charts that can be edited, one idea a slide, Chinese face set for Chinese."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_MARKER_STYLE
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Mm, Pt

from hydro.errors import HydroError
from reports import phrases, sheet
from reports.atlas import Atlas, make_atlas
from reports.content import Content, SectionReport
from reports.fonts import OFFICE_FACE, Typeface, typeface
from reports.imprint import imprint
from reports.rows import CELL_AIR, CELL_MARGIN, LEADING, breadth, row_heights, shared_out, widths
from reports.tables import Table, chosen, effect_table, next_table, plan_table, section_table, task_table, written

INK, BLUE, RED, PALE, PALE_BAR = (
    RGBColor(0x1F, 0x2A, 0x33),
    RGBColor(0x16, 0x67, 0xB7),
    RGBColor(0xB3, 0x26, 0x1E),
    RGBColor(0xEA, 0xF0, 0xF6),
    RGBColor(0xA9, 0xB4, 0xBE),
)
TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
LOADS = "[>=100]#,##0;[>=10]0.0;0.00"
"""Loads in a chart are written as beside it (``phrases.kg``)."""
ROWS, SIZE = 11, 14
"""Rows of one line that a slide holds, and their type in points."""
SIZES, BETWEEN = (14, 13, 12, 11, 10), 3
"""Type of the words below a map, the largest that fits, and the points between two of them."""
LONGEST_NAME = 12.0
"""Width of a name beside a bar, in Chinese characters."""
WIDE = (Mm(338.67), Mm(190.5))


def deck(
    content: Content,
    *,
    template: str | Path | bytes | None = None,
    limit: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> bytes:
    """Situation, then a slide for each section that exceeds or has no room (all measured ones where none does), plan, tasks.

    ``template``: the office's own ``.pptx``, as a path or as it was uploaded; every slide uses its layout that has a title and nothing else. Raises
    HydroError ``template_layout`` where there is none, ``template_unreadable`` where it cannot be opened.
    """
    show = Presentation() if template is None else _opened(template)
    if template is None:
        show.slide_width, show.slide_height = WIDE
    maker = Maker(show, content, _layout(show))
    face, atlas = typeface(content.words), make_atlas(content)
    maker.cover()
    maker.tables(phrases.situation(content), chosen(section_table(content), (0, 1, 3, 4, 5, 6, 9, 10)))
    maker.picture(
        content.say("断面在哪里"), sheet.map_picture(content, atlas, face, None, width_mm=300, height_mm=140, dpi=170)
    )
    tick()
    told = [one for one in content.measured if one.status in ("over", "at")] or list(content.measured)
    for one in told[:limit]:
        maker.section(one, atlas, face)
        tick()
    if (following := next_table(content)).rows:
        maker.tables(content.say("下一步在哪里采样"), following)
    if content.plan:
        maker.tables(phrases.plan_effect(content), chosen(effect_table(content), range(7)))
        maker.tables(content.say("{plan}的措施", plan=phrases.plan_name(content)), plan_table(content))
    if content.tasks:
        maker.tables(content.say("任务分工"), chosen(task_table(content), (1, 2, 3, 4, 7, 8)))
    maker.method()
    imprint(show, content)
    buffer = io.BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def check_template(template: str | Path | bytes | None) -> None:
    """Raise as :func:`deck` does for a template that cannot be used."""
    if template is not None:
        _layout(_opened(template))


def _opened(template: str | Path | bytes) -> Any:
    if not isinstance(template, bytes) and not Path(template).is_file():
        raise HydroError("template_missing", "找不到模板 {path}。请检查路径，或不用模板", path=str(template))
    try:
        return Presentation(io.BytesIO(template) if isinstance(template, bytes) else str(template))
    except Exception:  # whatever a broken archive or its XML makes the reader raise
        raise HydroError(
            "template_unreadable",
            "模板 {path} 打不开：不是 PowerPoint 文件（.pptx），或文件已损坏。请换一个，或不用模板",
            path="" if isinstance(template, bytes) else str(template),
        ) from None


def _layout(show: Any) -> Any:
    """The layout with a title and no other place to fill."""
    extras = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
    for layout in show.slide_layouts:
        kinds = [place.placeholder_format.type for place in layout.placeholders]
        wanted = [kind for kind in kinds if kind not in extras]
        if len(wanted) == 1 and wanted[0] in TITLES:
            return layout
    names = "、".join(layout.name for layout in show.slide_layouts) or "—"
    raise HydroError(
        "template_layout",
        "模板里没有“仅标题”版式，无法排版。模板现有版式：{layouts}。请加一个只有标题的版式",
        layouts=names,
    )


class Maker:
    """Puts slides into a presentation, all by one grid."""

    def __init__(self, show: Any, content: Content, layout: Any) -> None:
        self.show, self.content, self.layout = show, content, layout
        self.width, self.height = show.slide_width, show.slide_height
        self.edge = int(self.width * 0.045)
        self.top = int(self.height * 0.17)
        self.foot = int(self.height * 0.93)

    def slide(self, title: str) -> Any:
        """A slide with its conclusion as title, the source line at the foot, and 示例 where the figures are made up."""
        slide = self.show.slides.add_slide(self.layout)
        place = slide.shapes.title
        place.left, place.top = self.edge, int(self.height * 0.045)
        place.width, place.height = self.width - 2 * self.edge, int(self.height * 0.11)
        frame = place.text_frame
        frame.word_wrap = True
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        frame.margin_left = frame.margin_right = 0
        self._say(frame.paragraphs[0], title, 28 if breadth(title) < 31 else 22, bold=True)
        frame.paragraphs[0].alignment = PP_ALIGN.LEFT
        self.words(
            slide,
            phrases.credit(self.content),
            self.edge,
            self.foot,
            self.width - 4 * self.edge,
            11,
            colour=RGBColor(0x59, 0x65, 0x6F),
        )
        number = f"{len(self.show.slides)}"
        self.words(slide, number, self.width - 2 * self.edge, self.foot, self.edge, 11, align=PP_ALIGN.RIGHT)
        if self.content.demo:
            tag = phrases.capital(self.content.say("示例"))
            self.words(
                slide,
                tag,
                self.width - 4 * self.edge,
                int(self.height * 0.012),
                3 * self.edge,
                14,
                colour=RED,
                bold=True,
                align=PP_ALIGN.RIGHT,
            )
        return slide

    def cover(self) -> None:
        """Title, month, unit; the month in one sentence."""
        content = self.content
        slide = self.slide(f"{phrases.title(content)} · {phrases.month_name(content)}")
        lines = [
            phrases.situation(content),
            phrases.verdict(content, content.worst),
            phrases.chief(content, content.worst),
            content.unit,
        ]
        y = int(self.height * 0.3)
        for line, size in zip(lines, (26, 26, 22, 18), strict=True):
            if line:
                self.words(slide, line, self.edge, y, self.width - 2 * self.edge, size)
                y += int(self.height * 0.155)

    def tables(self, title: str, table: Table) -> None:
        """A table, over as many slides as it needs, each about as full as the others."""
        width, least = self.width - 2 * self.edge, int((self.foot - self.top) / (ROWS + 1.4))
        room = self.foot - self.top - int(1.2 * least)
        parts = shared_out(row_heights(table, width, SIZE, least), room)
        for page, part in enumerate(parts, 1):
            numbered = self.content.say("{title}（{page}/{pages}）", title=title, page=page, pages=len(parts))
            slide = self.slide(title if len(parts) == 1 else numbered)
            told = replace(table, rows=tuple(table.rows[i] for i in part))
            heights = row_heights(told, width, SIZE, min(int(1.45 * least), room // max(len(part), 1)))
            self.grid(slide, told, heights, width)

    def picture(self, title: str, png: bytes) -> None:
        """A picture, as large as fits."""
        slide = self.slide(title)
        self._fit(slide, png, self.edge, self.top, self.width - 2 * self.edge, self.foot - self.top - Mm(2))

    def section(self, one: SectionReport, atlas: Atlas, face: Typeface) -> None:
        """One section: where (picture), whose phosphorus (chart), since when (chart), what next (words)."""
        content, half = self.content, (self.width - 3 * self.edge) // 2
        slide = self.slide(phrases.verdict(content, one))
        right = 2 * self.edge + half
        if one.placed:
            png = sheet.map_picture(content, atlas, face, one, width_mm=150, height_mm=105, dpi=200)
            self._fit(slide, png, self.edge, self.top, half, int(self.height * 0.56))
        tall = int(self.height * 0.40)
        self._source_chart(slide, one, right, self.top, half, tall)
        self._history_chart(slide, one, right, self.top + tall, half, int(self.height * 0.33))
        told = [phrases.chief(content, one), phrases.unexplained(content, one), phrases.likely(content, one)]
        if one.next_sample:
            told.append(content.say("下一个采样点：{place}", place=one.next_sample))
        below = self.top + int(self.height * 0.56)
        self.paragraphs(slide, list(filter(None, told)), self.edge, below, half, self.foot - below)

    def method(self) -> None:
        """Where the figures come from."""
        say = self.content.say
        slide = self.slide(say("数据与方法"))
        lines = [*phrases.method(self.content), *([say("示例数据，非实测")] if self.content.demo else [])]
        room = self.foot - self.top - Mm(4)
        self.paragraphs(slide, lines, self.edge, self.top, self.width - 2 * self.edge, room, (20, 18, 16, 14, 12), 14)

    def words(
        self, slide: Any, words: str, x: int, y: int, width: int, size: int, *, colour: RGBColor = INK, bold: bool = False,
        align: Any = PP_ALIGN.LEFT,
    ) -> None:  # fmt: skip
        """Text in a box of its own."""
        frame = slide.shapes.add_textbox(x, y, width, Pt(size * 1.6)).text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.paragraphs[0].alignment = align
        self._say(frame.paragraphs[0], words, size, colour=colour, bold=bold)

    def paragraphs(
        self, slide: Any, lines: Sequence[str], x: int, y: int, width: int, height: int, sizes: Sequence[int] = SIZES,
        apart: float = BETWEEN,
    ) -> None:  # fmt: skip
        """Lines one below another in one box, as large as fits; ``apart`` points between two."""
        size = next((size for size in sizes if _tall(lines, width, size, apart) <= height), sizes[-1])
        frame = slide.shapes.add_textbox(x, y, width, min(height, _tall(lines, width, size, apart))).text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        for i, line in enumerate(lines):
            paragraph = frame.add_paragraph() if i else frame.paragraphs[0]
            paragraph.space_after = Pt(apart)
            self._say(paragraph, line, size)

    def grid(self, slide: Any, table: Table, heights: Iterable[int], width: int) -> None:
        """A native table below the title."""
        rows = table.rows
        shape = slide.shapes.add_table(
            len(rows) + 1, len(table.columns), self.edge, self.top, width, Mm(9) * (len(rows) + 1)
        )
        grid = shape.table
        shares = widths(table)
        for i, column in enumerate(table.columns):
            grid.columns[i].width = Emu(int(width * shares[i] / sum(shares)))
            left = PP_ALIGN.LEFT if any(isinstance(row[i], str) for row in rows) else PP_ALIGN.RIGHT
            align = PP_ALIGN.CENTER if column.centred else left
            self._cell(grid.cell(0, i), column.heading, SIZE - 1, align, head=True)
            for r, row in enumerate(rows, 1):
                self._cell(grid.cell(r, i), written(column, row[i]), SIZE, align)
        for r, height in enumerate(heights, 1):
            grid.rows[r].height = Emu(int(height))

    def _cell(self, cell: Any, words: str, size: int, align: Any, *, head: bool = False) -> None:
        cell.margin_top = cell.margin_bottom = Emu(CELL_AIR // 2)
        cell.margin_left = cell.margin_right = Emu(CELL_MARGIN)
        cell.vertical_anchor = MSO_ANCHOR.MIDDLE
        cell.fill.solid()
        cell.fill.fore_color.rgb = PALE if head else RGBColor(0xFF, 0xFF, 0xFF)
        paragraph = cell.text_frame.paragraphs[0]
        paragraph.alignment = align
        self._say(paragraph, words, size, bold=head)

    def _source_chart(self, slide: Any, one: SectionReport, x: int, y: int, width: int, height: int) -> None:
        content = self.content
        top = phrases.top_sources(content, one, 5)
        data = CategoryChartData(number_format=LOADS)
        data.categories = [_short(s.name) for s in top][::-1]
        data.add_series(content.say("清单"), [s.inventory.value if s.inventory.known else None for s in top][::-1])
        data.add_series(content.say("最佳估计"), [max(s.delivered.value, 0.0) for s in top][::-1])
        chart = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, x, y, width, height, data).chart
        self._plain(chart, content.say("谁的磷（到断面 kg/d，{basis}）", basis=content.say("模拟")))
        self._legend(chart, XL_LEGEND_POSITION.BOTTOM)
        chart.value_axis.visible = False
        chart.value_axis.has_major_gridlines = False
        chart.category_axis.format.line.fill.background()
        plot = chart.plots[0]
        plot.gap_width, plot.overlap = 30, 0
        plot.has_data_labels = True
        self._type(plot.data_labels.font, 11)
        for series, colour in zip(plot.series, (PALE_BAR, BLUE), strict=True):
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = colour

    def _history_chart(self, slide: Any, one: SectionReport, x: int, y: int, width: int, height: int) -> None:
        content = self.content
        data = CategoryChartData(number_format="0.000")
        last = one.history[-36:]
        monthly = all(len(time) == len("2022-07") for time, _ in last)
        data.categories = [date.fromisoformat(f"{time}-01") if monthly else time for time, _ in last]
        data.add_series(content.say("总磷 (mg/L)"), [tp for _, tp in last])
        data.add_series(content.say("目标"), [one.target.value] * len(last))
        chart = slide.shapes.add_chart(XL_CHART_TYPE.LINE, x, y, width, height, data).chart
        self._plain(chart, content.say("逐月总磷（mg/L，{basis}）", basis=content.say("监测")))
        self._legend(chart, XL_LEGEND_POSITION.TOP)
        if monthly:
            _half_years(chart.category_axis)
        chart.value_axis.has_major_gridlines = False
        chart.value_axis.tick_labels.number_format, chart.value_axis.tick_labels.number_format_is_linked = "0.0", False
        for series, colour in zip(chart.plots[0].series, (BLUE, RED), strict=True):
            series.smooth = False
            series.format.line.color.rgb = colour
            series.format.line.width = Pt(2)
            series.marker.style = XL_MARKER_STYLE.NONE

    def _legend(self, chart: Any, where: Any) -> None:
        chart.has_legend = True
        chart.legend.position = where
        chart.legend.include_in_layout = False
        self._type(chart.legend.font, 11)

    def _plain(self, chart: Any, title: str) -> None:
        chart.has_title = True
        self._say(chart.chart_title.text_frame.paragraphs[0], title, 13, bold=True)
        chart.has_legend = False
        for axis in (chart.category_axis, chart.value_axis):
            self._type(axis.tick_labels.font, 11)
        _chinese(chart._chartSpace.get_or_add_txPr().p_lst[0].get_or_add_pPr().get_or_add_defRPr())

    def _fit(self, slide: Any, png: bytes, x: int, y: int, width: int, height: int) -> None:
        picture = slide.shapes.add_picture(io.BytesIO(png), x, y)
        scale = min(width / picture.width, height / picture.height)
        picture.width, picture.height = int(picture.width * scale), int(picture.height * scale)
        picture.left = x + (width - picture.width) // 2

    def _say(self, paragraph: Any, words: str, size: int, *, bold: bool = False, colour: RGBColor = INK) -> None:
        run = paragraph.add_run()
        run.text = words
        run.font.color.rgb = colour
        run.font.bold = bold
        self._type(run.font, size)

    def _type(self, font: Any, size: int) -> None:
        font.size = Pt(size)
        font.name = OFFICE_FACE
        _chinese(font._element if hasattr(font, "_element") else font._rPr)


def _half_years(axis: Any) -> None:
    """Label a month in six, level: all of them would be turned and shrunk."""
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "yyyy-mm", False
    axis._element.find(qn("c:baseTimeUnit")).set("val", "months")
    for tag, value in (("c:majorUnit", "6"), ("c:majorTimeUnit", "months")):
        axis._element.append(axis._element.makeelement(qn(tag), {"val": value}))


def _chinese(properties: Any) -> None:
    """Name the face for East-Asian text as well: without it, Chinese falls back to whatever the reader has."""
    for tag in ("a:latin", "a:ea", "a:cs"):
        found = properties.find(qn(tag))
        if found is None:
            found = properties.makeelement(qn(tag), {})
            properties.append(found)
        found.set("typeface", OFFICE_FACE)


def _tall(lines: Sequence[str], width: int, size: int, apart: float) -> int:
    """Height of lines that wrap at a width, in EMU."""
    return sum(ceil(breadth(line) * Pt(size) / width) * int(Pt(size) * LEADING) + int(Pt(apart)) for line in lines)


def _short(words: str) -> str:
    """A name that leaves the bars room."""
    if breadth(words) <= LONGEST_NAME:
        return words
    fits = (end for end in range(len(words), 0, -1) if breadth(words[:end]) < LONGEST_NAME)
    return words[: next(fits, 1)] + "…"
