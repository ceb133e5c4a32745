"""Map sheets: a page of paper with title, map, legend, table, scale bar, north arrow, source line; as PDF or PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Page

from hydro.columns import text
from hydro.errors import HydroError
from reports import furniture, legend, panel, phrases
from reports.atlas import Atlas, Extent, make_atlas
from reports.cartography import MapDrawing, Stress
from reports.content import Content, SectionReport
from reports.fonts import Typeface, typeface
from reports.frame import Frame
from reports.legend import Legend
from reports.names import Names
from reports.pen import FAINT, Column, Pen

PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0), "A0": (1189.0, 841.0)}
INCH = 25.4
TYPE = 7.15
"""Type of an A4 sheet, in points; larger paper has larger type, but shows more as well."""
SIDE, LOW = 74.0, 88.0
"""Width of the panel beside the map, and height of the one below, in millimetres of an A4 sheet."""
ROOM = 6.5
"""Lines that an inset or a chart needs at least."""


@dataclass(frozen=True)
class Subject:
    """What one sheet shows: the basin, or a part of it with what is brought forward there, and the sections it lists."""

    title: str
    extent: Extent
    stress: Stress = field(default_factory=Stress)
    listed: tuple[SectionReport, ...] = ()
    part: bool = True

    @property
    def focus(self) -> SectionReport | None:
        """The section whose trace is shown, if it is one."""
        return self.stress.focus


def overview(content: Content, atlas: Atlas) -> Subject:
    """The basin with all its sections."""
    return Subject(content.say("总磷状况图"), atlas.extent, listed=content.sections, part=False)


def section_series(content: Content, atlas: Atlas) -> list[Subject]:
    """The basin first, then the trace of every section that has a place, worst first."""
    return [overview(content, atlas)] + [
        Subject(
            content.say("{name}断面总磷来源图", name=one.name),
            atlas.around(one.upstream, (one.section_id,)),
            Stress(focus=one),
            (one,),
        )
        for one in content.measured
        if one.section_id in atlas.sections.index
    ]


def grouped_series(content: Content, atlas: Atlas, by: str) -> list[Subject]:
    """The basin first, then a sheet for each river or county (``by``) that has sections, worst first."""
    sheets = [overview(content, atlas)]
    rivers = text(content.network.reaches, "river")
    for name in dict.fromkeys(getattr(one, by) for one in content.sections):
        own = tuple(one for one in content.sections if getattr(one, by) == name)
        reaches = frozenset(map(str, rivers.index[rivers == name])) if by == "river" and name else frozenset()
        district = name if by == "county" and name and (atlas.districts["name"] == name).any() else ""
        near = reaches or frozenset(one.reach_id for one in own if not district)
        extent = atlas.around(near, [one.section_id for one in own], district)
        title = content.say("{name}总磷状况图", name=name or content.say("其他"))
        sheets.append(Subject(title, extent, Stress(reaches=reaches, district=district), own))
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


def map_image(
    content: Content, *, section_id: str = "", paper: str = "A4", portrait: bool = False, dpi: int = 300
) -> bytes:
    """One sheet as PNG: the basin, or the trace of a section."""
    face, atlas = typeface(content.words), make_atlas(content)
    chosen = section_series(content, atlas)
    subject = next((s for s in chosen if s.focus and s.focus.section_id == section_id), chosen[0])
    page = draw_sheet(content, subject, atlas, face, paper=paper, portrait=portrait)
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
    frame = Frame(axes, face, extent=extent, size=9.5)
    _draw_map(frame, atlas, content, Stress(focus=focus))
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


def check_paper(paper: str) -> None:
    """Raise HydroError ``paper_unknown`` for a paper that is not printed on."""
    if paper not in PAPERS:
        raise HydroError("paper_unknown", "没有“{paper}”这种纸张。可用：{known}", paper=paper, known="、".join(PAPERS))


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
    check_paper(paper)
    width, height = PAPERS[paper][::-1] if portrait else PAPERS[paper]
    size = TYPE * (width * height / (297 * 210)) ** 0.375
    unit = size / TYPE
    page = Page(figsize=(width / INCH, height / INCH), dpi=100)
    FigureCanvasAgg(page)
    pen = Pen(page, face, width, height, size)
    edge, band = 9 * unit, furniture.BAND * size * INCH / 72
    inner = Column(edge, height - edge, width - 2 * edge, edge + 2 * pen.line)
    furniture.heading(pen, content, subject.title, Column(edge, inner.top, inner.width, inner.top - 11 * unit))
    furniture.footer(pen, content, number, Column(edge, inner.floor - 0.2 * pen.line, inner.width, edge))
    body = inner.below(inner.top - 14 * unit)
    side, low = (0.0, LOW * unit) if portrait else (SIDE * unit, 0.0)
    place = Column(
        edge + band, body.top - band, body.width - 2 * band - (side + 4 * unit if side else 0), body.floor + low + band
    )
    frame = Frame(pen.axes(place), face, extent=subject.extent, size=size, to_scale=True)
    furniture.neat_line(pen, frame, atlas)
    _draw_map(frame, atlas, content, subject.stress)
    beside = _Beside(pen, content, subject, atlas, frame)
    if portrait:
        beside.in_columns(Column(edge, body.floor + low - 3 * unit, body.width, body.floor))
    else:
        beside.in_one(Column(edge + body.width - side, body.top, side, body.floor))
    return page


def _draw_map(frame: Frame, atlas: Atlas, content: Content, stress: Stress) -> None:
    spots = (drawing := MapDrawing(frame, atlas, content, stress)).draw()
    furniture.north_arrow(frame, atlas)
    furniture.scale_bar(frame)
    Names(frame, atlas, content).write(drawing.focus, spots)


class _Beside:
    """What stands beside the map or under it: figures, legend, remarks, inset, the months before, where figures come from."""

    def __init__(self, pen: Pen, content: Content, subject: Subject, atlas: Atlas, frame: Frame) -> None:
        self.pen, self.content, self.subject, self.atlas, self.frame = pen, content, subject, atlas, frame
        self.legend = Legend(pen, content, atlas, frame, subject.stress)

    def in_one(self, column: Column) -> None:
        """One column from top to bottom; the table takes what the rest leaves."""
        pen = self.pen
        remarks, method = self._remarks(column.width), self._method(column.width)
        kept = self.legend.height(column.width) + 0.85 * pen.line * len(remarks) + pen.line
        spare = 0.48 * column.width + 1.5 * pen.line if self.subject.part else 0.78 * pen.line * len(method)
        floor = column.floor + kept + spare
        y = panel.told(pen, self.content, self.subject.focus, self.subject.listed, replace(column, floor=floor))
        if self.subject.focus is None:
            y = panel.causes(pen, self.content, self.subject.listed, replace(column, top=y, floor=floor))
        y = self.legend.draw(column.below(y - 0.5 * pen.line))
        y = pen.write_lines(column.below(y), remarks, 0.85, color=FAINT)
        self._fill(column.below(y - 0.5 * pen.line), method)

    def in_columns(self, column: Column) -> None:
        """Three columns side by side: figures, legend, and where the sheet lies."""
        pen, gap = self.pen, 1.2 * self.pen.line
        first, second = 0.42 * column.width, 0.31 * column.width
        left = replace(column, width=first)
        y = panel.told(pen, self.content, self.subject.focus, self.subject.listed, left)
        if self.subject.focus is None:
            y = panel.causes(pen, self.content, self.subject.listed, left.below(y))
        if y - left.floor > ROOM * pen.line:
            self._history(left.below(y - 0.5 * pen.line))
        middle = replace(column, left=column.left + first + gap, width=second - gap)
        y = self.legend.draw(middle)
        pen.write_lines(middle.below(y), self._remarks(middle.width), 0.85, color=FAINT)
        right = replace(column, left=column.left + first + second + gap, width=column.width - first - second - gap)
        method = self._method(right.width)
        foot = pen.write_lines(right, method, 0.8, leading=0.97, color=FAINT)
        if self.subject.part and foot - right.floor > ROOM * pen.line:
            self._inset(right.below(foot - 0.5 * pen.line))

    def _fill(self, column: Column, method: list[str]) -> None:
        """Inset and the months before, where there is room for them, above where the figures come from."""
        pen = self.pen
        high = 0.8 * 0.97 * pen.line * len(method)
        if high <= column.height - self.subject.part * (0.5 * column.width + 2 * pen.line):
            pen.write_lines(column.below(column.floor + high), method, 0.8, leading=0.97, color=FAINT)
            column = replace(column, floor=column.floor + high + 0.5 * pen.line)
        if self.subject.part and column.height > ROOM * pen.line:
            tall = min(column.height, 0.66 * column.width + 1.5 * pen.line)
            self._inset(replace(column, floor=column.top - tall))
            column = column.below(column.top - tall - 0.7 * pen.line)
        if column.height > ROOM * pen.line:
            self._history(column)

    def _inset(self, column: Column) -> None:
        furniture.inset(self.pen, self.content, self.atlas, self.frame.extent, self.subject.focus, column)

    def _history(self, column: Column) -> None:
        tall = min(column.height, 0.5 * column.width + 2 * self.pen.line)
        panel.history(self.pen, self.content, self.subject.listed, replace(column, floor=column.top - tall))

    def _remarks(self, width: float) -> list[str]:
        told = legend.remarks(self.content, self.atlas, self.subject.listed, self.frame.left_out)
        return [line for words in told for line in self.pen.wrapped(words, width, 0.85, most=4)]

    def _method(self, width: float) -> list[str]:
        meridian = f"{abs(self.atlas.meridian):g}°{'E' if self.atlas.meridian >= 0 else 'W'}"
        projection = self.content.say("CGCS2000，高斯-克吕格投影，中央经线 {meridian}", meridian=meridian)
        return panel.method(self.pen, self.content, width) + self.pen.wrapped(projection, width, 0.8)
