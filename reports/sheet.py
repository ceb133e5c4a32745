"""Map sheets: a page of paper with title, map, legend, table, scale bar, north arrow, source line; as PDF or PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Page
from matplotlib.patches import FancyArrow, Rectangle

from hydro.errors import HydroError
from hydro.standards import CLASSES
from layers.style import BLUE, GREY, INK, PATH
from reports import phrases
from reports.cartography import MARK, RIVER, Atlas, Extent, MapDrawing, bar_length_m, make_atlas
from reports.content import Content, SectionReport
from reports.fonts import Typeface, typeface

PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0), "A0": (1189.0, 841.0)}
INCH = 25.4
CLOSING = "，。；：、）》”’％!,.;:)"
"""What never begins a line of Chinese; it may stand a little over the edge."""


@dataclass(frozen=True)
class Subject:
    """What one sheet shows: the basin (``focus`` None), or one section's trace; on a part of the map or all of it."""

    title: str
    extent: Extent
    focus: SectionReport | None = None
    listed: tuple[SectionReport, ...] = ()


def section_series(content: Content, atlas: Atlas) -> list[Subject]:
    """The basin first, then the trace of every section that has a place, worst first."""
    whole = Subject(content.say("总磷状况图"), atlas.extent, None, content.sections)
    return [whole] + [
        Subject(content.say("{name}断面总磷来源图", name=one.name), atlas.around(one.upstream), one, (one,))
        for one in content.measured
        if one.section_id in atlas.sections.index
    ]


def grouped_series(content: Content, atlas: Atlas, by: str) -> list[Subject]:
    """One sheet for each river or county (``by``) that has sections."""
    sheets = []
    for name in dict.fromkeys(getattr(one, by) for one in content.sections):
        own = tuple(one for one in content.sections if getattr(one, by) == name)
        reaches = content.network.reaches
        here = frozenset(reaches.index[reaches[by] == name].astype(str)) if by in reaches else frozenset()
        here |= {str(content.network.sections.at[one.section_id, "reach_id"]) for one in own}
        shown = name or content.say("其他")
        sheets.append(Subject(content.say("{name}总磷状况图", name=shown), atlas.around(here), None, own))
    return sheets


def map_sheets(
    content: Content,
    *,
    paper: str = "A3",
    portrait: bool = False,
    series: str = "section",
    limit: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> bytes:
    """A series of sheets as one PDF, fonts embedded. ``series``: section, river, county or basin.

    ``tick`` is called after every page, and may raise to stop the work.
    """
    buffer = io.BytesIO()
    about = {"Title": phrases.title(content), "Creator": "Qingyuan", "CreationDate": None}
    with mpl.rc_context({"pdf.fonttype": 42, "pdf.compression": 6}), PdfPages(buffer, metadata=about) as book:
        for page in _pages(content, paper, portrait, series, limit):
            book.savefig(page)
            tick()
    return buffer.getvalue()


def map_image(content: Content, *, section_id: str = "", paper: str = "A4", dpi: int = 300) -> bytes:
    """One sheet as PNG: the basin, or the trace of a section."""
    face, atlas = typeface(content.words), make_atlas(content)
    chosen = section_series(content, atlas)
    subject = next((s for s in chosen if s.focus and s.focus.section_id == section_id), chosen[0])
    page = draw_sheet(content, subject, atlas, face, paper=paper, number=(1, 1))
    buffer = io.BytesIO()
    page.savefig(buffer, format="png", dpi=dpi, metadata={"Software": "Qingyuan"})
    return buffer.getvalue()


def map_picture(
    content: Content,
    atlas: Atlas,
    face: Typeface,
    focus: SectionReport | None,
    *,
    width_mm: float,
    height_mm: float,
    dpi: int,
) -> bytes:
    """The map alone, without a page around it, as PNG (for a slide)."""
    page = Page(figsize=(width_mm / INCH, height_mm / INCH), dpi=dpi)
    FigureCanvasAgg(page)
    axes = page.add_axes((0, 0, 1, 1))
    extent = atlas.around(focus.upstream) if focus else atlas.extent
    drawing = MapDrawing(axes, atlas, content, face, extent=extent, size=9.5)
    _scale_and_north(drawing)
    drawing.draw(focus)
    buffer = io.BytesIO()
    page.savefig(buffer, format="png")
    return buffer.getvalue()


def _pages(content: Content, paper: str, portrait: bool, series: str, limit: int | None) -> Iterator[Page]:
    face, atlas = typeface(content.words), make_atlas(content)
    subjects = (
        section_series(content, atlas) if series in ("section", "basin") else grouped_series(content, atlas, series)
    )
    subjects = subjects[: 1 if series == "basin" else limit]
    for i, subject in enumerate(subjects, 1):
        yield draw_sheet(content, subject, atlas, face, paper=paper, portrait=portrait, number=(i, len(subjects)))


def draw_sheet(
    content: Content,
    subject: Subject,
    atlas: Atlas,
    face: Typeface,
    *,
    paper: str = "A3",
    portrait: bool = False,
    number: tuple[int, int] = (1, 1),
) -> Page:
    """One page. Raises HydroError ``paper_unknown``."""
    if paper not in PAPERS:
        raise HydroError("paper_unknown", "没有“{paper}”这种纸张。可用：{known}", paper=paper, known="、".join(PAPERS))
    width, height = PAPERS[paper][::-1] if portrait else PAPERS[paper]
    scale = (width * height / (297 * 210)) ** 0.5 * 0.94
    page = Page(figsize=(width / INCH, height / INCH), dpi=100)
    FigureCanvasAgg(page)
    pen = Pen(page, face, width, height, 7.6 * scale)
    edge, head, foot = 9 * scale, 17 * scale, 8 * scale
    side = 0.0 if portrait else 70 * scale
    low = 92 * scale if portrait else 0.0
    frame = (
        edge,
        edge + foot + low,
        width - 2 * edge - side - (3 * scale if side else 0),
        height - 2 * edge - foot - head - low,
    )
    axes = page.add_axes((frame[0] / width, frame[1] / height, frame[2] / width, frame[3] / height))
    drawing = MapDrawing(axes, atlas, content, face, extent=subject.extent, size=pen.size)
    _scale_and_north(drawing)
    _graticule(drawing)
    drawing.draw(subject.focus)
    _heading(pen, content, subject, edge, height - edge - head, width - 2 * edge, head)
    _footer(pen, content, number, edge, width - 2 * edge, foot)
    if portrait:
        half = (width - 2 * edge) / 2 - 2 * scale
        _told(pen, content, subject, Column(edge, edge + foot + low - 3 * scale, half, edge + foot))
        key = Column(edge + half + 4 * scale, edge + foot + low - 3 * scale, half, edge + foot)
        _key(pen, content, subject, atlas, drawing, key)
    else:
        left, floor = width - edge - side, edge + foot
        kept = (88 if subject.focus else 68) * scale
        rest = _told(pen, content, subject, Column(left, height - edge - head, side, floor + kept))
        _key(pen, content, subject, atlas, drawing, Column(left, rest - pen.line * 0.4, side, floor))
    return page


@dataclass(frozen=True)
class Column:
    """A column of the page in millimetres from the lower left corner: where it starts, and how low it may go."""

    left: float
    top: float
    width: float
    floor: float


class Pen:
    """Writes on a page in millimetres, with one base size of type."""

    def __init__(self, page: Page, face: Typeface, width: float, height: float, size: float) -> None:
        self.page, self.face, self.width, self.height, self.size = page, face, width, height, size
        self.line = size * 0.3528 * 1.5

    def write(self, x: float, y: float, words: str, scale: float = 1.0, *, bold: bool = False, **how: Any) -> Any:
        """Text with its baseline at (x, y)."""
        how = {"color": INK, "ha": "left", "va": "baseline", "parse_math": False} | how
        return self.page.text(
            x / self.width, y / self.height, self.face.of(words),
            fontproperties=self.face.bold if bold else self.face.regular, fontsize=scale * self.size, **how,
        )  # fmt: skip

    def fits(self, words: str, width: float, scale: float = 1.0) -> str:
        """The words, shortened with … to a width."""
        if self.measure(words, scale) <= width:
            return words
        while words and self.measure(words + "…", scale) > width:
            words = words[:-1]
        return words + "…"

    def measure(self, words: str, scale: float = 1.0) -> float:
        """Width of words in millimetres."""
        from matplotlib.textpath import TextToPath

        face = self.face.regular.copy()
        face.set_size(scale * self.size)
        return float(TextToPath().get_text_width_height_descent(self.face.of(words), face, ismath=False)[0]) * 0.3528

    def wrapped(self, words: str, width: float, scale: float = 1.0) -> list[str]:
        """Words broken into lines of a width: anywhere in Chinese, between words in Latin."""
        lines, line, gap = [], "", -1
        for character in words:
            line += character
            if character == " " or ord(character) > 0x2E7F:
                gap = len(line)
            if self.measure(line, scale) > width and len(line) > 1 and character not in CLOSING:
                at = gap if 0 < gap < len(line) else len(line) - 1
                lines.append(line[:at].rstrip())
                line, gap = line[at:].lstrip(), -1
        return [*lines, line] if line else lines

    def rule(self, x: float, y: float, width: float, colour: str = GREY, weight: float = 0.5) -> None:
        """A horizontal line."""
        self.page.add_artist(
            mpl.lines.Line2D(
                [x / self.width, (x + width) / self.width], [y / self.height] * 2, color=colour, linewidth=weight
            )
        )


def _heading(pen: Pen, content: Content, subject: Subject, x: float, y: float, width: float, head: float) -> None:
    name = content.say(
        "{project} · {what}（{month}）", project=content.project, what=subject.title, month=phrases.month_name(content)
    )
    label = content.say("示例") if content.demo else ""
    room = width - (pen.measure(label, 1.8) + 8 if label else 0)
    pen.write(x, y + head * 0.42, pen.fits(name, room, 2.0), 2.0, bold=True)
    if label:
        pen.write(x + width, y + head * 0.42, label, 1.8, bold=True, ha="right", color="#b3261e")
    pen.rule(x, y + head * 0.18, width, INK, 0.9)


def _footer(pen: Pen, content: Content, number: tuple[int, int], x: float, width: float, foot: float) -> None:
    y = x + foot * 0.15
    pages = content.say("第 {page} 页，共 {pages} 页", page=number[0], pages=number[1])
    pen.write(x + width, y, pages, 0.9, ha="right", color="#59656f")
    credit = phrases.credit(content)
    if not content.approval:
        credit += " · " + content.say("审图号：{number}", number="＿＿＿＿＿＿")
    pen.write(x, y, pen.fits(credit, width - pen.measure(pages, 0.9) - 6, 0.9), 0.9, color="#59656f")


def _told(pen: Pen, content: Content, subject: Subject, column: Column) -> float:
    """The words and the table beside the map; returns how low they came."""
    y = column.top - pen.line * 0.9
    lead = phrases.verdict(content, subject.focus) if subject.focus else phrases.situation(content, subject.listed)
    for line in pen.wrapped(lead, column.width, 1.2):
        pen.write(column.left, y, line, 1.2, bold=True)
        y -= pen.line * 1.25
    y -= pen.line * 0.2
    if subject.focus:
        return _source_table(pen, content, subject.focus, column, y)
    return _section_table(pen, content, subject.listed, column, y)


def _table(
    pen: Pen, column: Column, y: float, heads: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]
) -> float:
    """A plain table: first column left, others right aligned; returns the line below it."""
    edges = column.left + column.width * np.cumsum(shares)
    wide = column.width * shares[0]
    for i, head in enumerate(heads):
        pen.write(column.left if i == 0 else edges[i], y, head, 0.9, color="#59656f", ha="left" if i == 0 else "right")
    y -= pen.line * 0.45
    pen.rule(column.left, y, column.width, GREY)
    for row in rows:
        y -= pen.line
        for i, cell in enumerate(row):
            words = pen.fits(cell, wide - 1.5) if i == 0 else cell
            pen.write(column.left if i == 0 else edges[i], y, words, ha="left" if i == 0 else "right")
    return y - pen.line * 0.5


def _section_table(pen: Pen, content: Content, listed: Sequence[SectionReport], column: Column, y: float) -> float:
    say = content.say
    room = max(int((y - column.floor) / pen.line) - 2, 3)
    rows = [
        (
            f"{SIGN[one.status]} {one.name}",
            phrases.number(one.target.value, 2),
            phrases.number(one.measured.value),
            phrases.number(one.margin_mg_l) if one.status != "none" else "—",
            phrases.grade(content, one.water_class),
        )
        for one in listed[:room]
    ]
    y = _table(
        pen,
        column,
        y,
        (say("断面"), say("目标"), say("总磷"), say("余量"), say("类别")),
        rows,
        (0.42, 0.13, 0.16, 0.16, 0.13),
    )
    if len(listed) > room:
        pen.write(column.left, y - pen.line * 0.5, say("其余 {count} 个断面见工作簿", count=len(listed) - room), 0.9)
        y -= pen.line
    pen.write(
        column.left,
        y - pen.line * 0.3,
        say("总磷、目标、余量：mg/L；依据：{basis}", basis=say("监测")),
        0.85,
        color="#59656f",
    )
    return y - pen.line * 1.2


def _source_table(pen: Pen, content: Content, one: SectionReport, column: Column, y: float) -> float:
    say = content.say
    facts = say(
        "目标 {target} · 实测 {value} mg/L（{basis}）· 流量 {flow} m³/s", target=phrases.number(one.target.value, 2),
        value=phrases.number(one.measured.value), basis=phrases.basis(content, one.measured),
        flow=phrases.number(one.discharge.value, 1),
    )  # fmt: skip
    for line in pen.wrapped(facts, column.width, 0.95):
        pen.write(column.left, y, line, 0.95, color="#59656f")
        y -= pen.line
    y -= pen.line * 0.3
    room = min(max(int((y - column.floor) / pen.line) - 6, 3), 10)
    rows = [
        (
            s.name, phrases.kg(s.delivered.value), phrases.percent(s.share), phrases.listed(content, s),
            phrases.days(content, s.travel_time_d) if s.kind != "rest" else "",
        )
        for s in phrases.top_sources(content, one, room)
    ]  # fmt: skip
    heads = (say("来源"), "kg/d", say("贡献率"), say("清单（依据）"), say("到断面"))
    y = _table(pen, column, y, heads, rows, (0.34, 0.12, 0.14, 0.22, 0.18))
    y -= pen.line * 0.4
    for words in (
        phrases.unexplained(content, one),
        say("下一个采样点：{place}", place=one.next_sample) if one.next_sample else "",
    ):
        for line in pen.wrapped(words, column.width):
            pen.write(column.left, y - pen.line * 0.2, line)
            y -= pen.line
    return y


SIGN = {"over": "▲", "at": "◆", "holds": "●", "none": "○"}


def _key(pen: Pen, content: Content, subject: Subject, atlas: Atlas, drawing: MapDrawing, column: Column) -> None:
    """Legend, and where the sheet shows a part, an inset of the basin."""
    say, y = content.say, column.top - pen.line
    pen.write(column.left, y, say("图例"), 1.1, bold=True)
    y -= pen.line * 0.4
    half = column.width / 2
    marks = [(MARK[name], "white", say(phrases.STATUS[name])) for name in ("over", "at", "holds")]
    classes = [
        ("s", content.standard.grades[c].colour, say("{grade}类", grade=phrases.grade(content, c))) for c in CLASSES
    ]
    others = [
        ("s", "#e08214" if subject.focus else GREY, say("污水处理厂")),
        ("o", "#e08214" if subject.focus else GREY, say("排污口（按送达量）") if subject.focus else say("排污口")),
        ("v", BLUE, say("入境、引黄")),
        ("|", INK, say("闸")),
    ]
    lines = [("-", RIVER, say("河道")), ("--", RIVER, say("渠道"))]
    if subject.focus:
        lines = [("-", BLUE, say("断面上游")), ("-", PATH, say("首要来源的去路")), ("--", BLUE, say("渠道"))]
    first = [*marks, *others]
    for left, entries in ((column.left, first), (column.left + half, [*classes, *lines])):
        for i, (mark, colour, words) in enumerate(entries, 1):
            _entry(pen, left, y - pen.line * i, mark, colour, pen.fits(words, half - 1.4 * pen.line))
    low = y - pen.line * (max(len(first), len(classes) + len(lines)) + 1.2)
    for words in _remarks(content, subject, atlas, drawing):
        for line in pen.wrapped(words, column.width, 0.85):
            pen.write(column.left, low + pen.line * 0.3, line, 0.85, color="#59656f")
            low -= pen.line * 0.9
    floor = _sources_of_figures(pen, content, Column(column.left, low, column.width, column.floor))
    if subject.focus and low - floor > 5 * pen.line:
        _inset(pen, atlas, drawing.extent, Column(column.left, low, column.width, floor))


def _remarks(content: Content, subject: Subject, atlas: Atlas, drawing: MapDrawing) -> Iterator[str]:
    """What the map does not show, and why: nothing is left off unsaid."""
    say, between = content.say, "、" if content.lang == "zh" else ", "
    if any(not one.sure for one in subject.listed):
        yield say("虚线框的断面位置待核")
    if away := [one.name for one in subject.listed if one.section_id not in atlas.sections.index]:
        yield say("没有坐标，不在图上：{names}", names=between.join(away))
    if drawing.left_out:
        yield say("图上注不下：{names}", names=between.join(dict.fromkeys(drawing.left_out)))


def _sources_of_figures(pen: Pen, content: Content, column: Column) -> float:
    """Where the figures come from, at the foot of the column where there is room; returns how high that reaches."""
    lines = [line for words in phrases.method(content) for line in pen.wrapped(words, column.width, 0.8)]
    high = column.floor + pen.line * 0.82 * len(lines)
    if high > column.top:
        return column.floor
    for i, line in enumerate(reversed(lines)):
        pen.write(column.left, column.floor + pen.line * (0.82 * i + 0.15), line, 0.8, color="#59656f")
    return high + pen.line * 0.6


def _entry(pen: Pen, x: float, y: float, mark: str, colour: str, words: str) -> None:
    at = ((x + 0.58 * pen.line) / pen.width, (y + pen.line * 0.22) / pen.height)
    wide = 0.53 * pen.line / pen.width
    line = mark in ("-", "--")
    pen.page.add_artist(
        mpl.lines.Line2D(
            [at[0] - wide, at[0] + wide] if line else [at[0]], [at[1], at[1]] if line else [at[1]],
            linestyle=mark if line else "none", marker="none" if line else mark, color=colour, linewidth=0.24 * pen.size,
            markersize=0.85 * pen.size, markeredgecolor=INK, markeredgewidth=0.08 * pen.size,
        )
    )  # fmt: skip
    pen.write(x + 1.38 * pen.line, y, words)


def _inset(pen: Pen, atlas: Atlas, shown: Extent, column: Column) -> None:
    width, height = column.width, min(column.top - column.floor, column.width * 0.75)
    axes = pen.page.add_axes(
        (column.left / pen.width, column.floor / pen.height, width / pen.width, height / pen.height), anchor="SW"
    )
    atlas.districts.boundary.plot(ax=axes, color="#c9d0d6", linewidth=0.05 * pen.size)
    atlas.rivers.plot(ax=axes, color=RIVER, linewidth=0.08 * pen.size)
    axes.set(aspect="equal", xticks=[], yticks=[], xlabel="", ylabel="")
    for side in axes.spines.values():
        side.set(color=GREY, linewidth=0.07 * pen.size)
    x0, y0, x1, y1 = shown
    axes.add_patch(
        Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="#b3261e", linewidth=0.13 * pen.size, zorder=5)
    )


def _graticule(drawing: MapDrawing) -> None:
    """Meridians and parallels at round steps, their degrees written inside the neat line."""
    x0, y0, x1, y1 = drawing.extent
    degrees = drawing.atlas.to_degrees
    lon, lat = degrees.transform([x0, x1, x0, x1], [y0, y0, y1, y1])
    step = next(s for s in (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5) if (max(lon) - min(lon)) / s <= 7)
    lons = np.arange(np.ceil(min(lon) / step) * step, max(lon), step)
    lats = np.arange(np.ceil(min(lat) / step) * step, max(lat), step)
    walk = np.linspace(0, 1, 30)
    style = {"color": "#dfe4e8", "linewidth": 0.06 * drawing.size, "zorder": 2}
    for at in lons:
        xs, ys = degrees.transform(np.full(30, at), min(lat) + walk * (max(lat) - min(lat)), direction="INVERSE")
        drawing.axes.plot(xs, ys, **style)
        place = (float(np.interp(y0, ys, xs)), y0)
        _degree(drawing, place, f"{abs(at):g}°{'E' if at >= 0 else 'W'}", (0.5, 0))
    for at in lats:
        xs, ys = degrees.transform(min(lon) + walk * (max(lon) - min(lon)), np.full(30, at), direction="INVERSE")
        drawing.axes.plot(xs, ys, **style)
        place = (x0, float(np.interp(x0, xs, ys)))
        _degree(drawing, place, f"{abs(at):g}°{'N' if at >= 0 else 'S'}", (0, 0.5))


def _degree(
    drawing: MapDrawing, at: tuple[float, float], words: str, anchor: tuple[float, float], scale: float = 0.72
) -> None:
    """Degrees inside the neat line; left out where they would run over the frame or another."""
    width, height = drawing.measure(words, scale)
    x, y = drawing.at_data(at)
    left = x - anchor[0] * width + (5 if not anchor[0] else 0)
    low = y - anchor[1] * height + (3 if not anchor[1] else 0)
    box = (left, low, left + width, low + height)
    if not drawing.placer.free(box):
        return
    drawing.placer.block([box])
    drawing.axes.text(
        *drawing.data(left, low + 0.2 * height), words, fontproperties=drawing.face.regular, fontsize=scale * drawing.size,
        color="#8b959d", zorder=6,
    )  # fmt: skip


def _scale_and_north(drawing: MapDrawing) -> None:
    """A scale bar in kilometres and an arrow to true north, in a corner that stays free of names."""
    x0, y0, x1, y1 = drawing.extent
    unit = (y1 - y0) / drawing.placer.frame[3] * drawing.size
    length = bar_length_m(x1 - x0)
    right, low = x1 - 1.6 * unit, y0 + 2.4 * unit
    for i in range(4):
        drawing.axes.add_patch(
            Rectangle((right - length + i * length / 4, low), length / 4, 0.35 * unit, facecolor=INK if i % 2 == 0 else "white",
                      edgecolor=INK, linewidth=0.06 * drawing.size, zorder=12)
        )  # fmt: skip
    for share in (0.0, 0.5, 1.0):
        words = f"{share * length / 1000:g}" + (" km" if share == 1.0 else "")
        drawing.axes.text(
            right - length + share * length, low + 0.6 * unit, words, fontproperties=drawing.face.regular,
            fontsize=0.8 * drawing.size, ha="center", color=INK, zorder=12,
        )  # fmt: skip
    lon, lat = drawing.atlas.to_degrees.transform(x1 - 2 * unit, y1 - 3 * unit)
    nx, ny = drawing.atlas.to_degrees.transform(lon, lat + 0.01, direction="INVERSE")
    east, north = nx - (x1 - 2 * unit), ny - (y1 - 3 * unit)
    east, north = np.array([east, north]) / np.hypot(east, north) * 2.4 * unit
    drawing.axes.add_patch(
        FancyArrow(x1 - 2 * unit, y1 - 4.6 * unit, east, north, width=0.22 * unit, head_width=0.9 * unit, head_length=1.1 * unit,
                   length_includes_head=True, color=INK, zorder=12)
    )  # fmt: skip
    drawing.axes.text(
        x1 - 2 * unit, y1 - 2.0 * unit, "N", fontproperties=drawing.face.bold, fontsize=1.1 * drawing.size, ha="center",
        va="bottom", color=INK, zorder=12,
    )  # fmt: skip
    box = drawing.at_data((right - length - unit, y0)), drawing.at_data((x1, low + 2 * unit))
    arrow = drawing.at_data((x1 - 3.2 * unit, y1 - 5 * unit)), drawing.at_data((x1, y1))
    drawing.placer.block([(*box[0], *box[1]), (*arrow[0], *arrow[1])])
    drawing.axes.set_gid(f"scale {length:g} m")
