"""Map sheets: a page of paper with title, map, legend, table, scale bar, north arrow, source line; as PDF or PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Page

from hydro.errors import HydroError
from reports import furniture, legend, panel, phrases
from reports.atlas import Atlas, Extent, make_atlas
from reports.cartography import MapDrawing
from reports.content import Content, SectionReport
from reports.fonts import Typeface, typeface
from reports.frame import Frame
from reports.pen import Column, Pen

PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0), "A0": (1189.0, 841.0)}
INCH = 25.4


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
    frame = Frame(axes, face, extent=extent, size=9.5)
    furniture.scale_and_north(frame, atlas)
    MapDrawing(frame, atlas, content).draw(focus)
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
    place = (
        edge,
        edge + foot + low,
        width - 2 * edge - side - (3 * scale if side else 0),
        height - 2 * edge - foot - head - low,
    )
    axes = page.add_axes((place[0] / width, place[1] / height, place[2] / width, place[3] / height))
    frame = Frame(axes, face, extent=subject.extent, size=pen.size)
    furniture.scale_and_north(frame, atlas)
    furniture.graticule(frame, atlas)
    MapDrawing(frame, atlas, content).draw(subject.focus)
    furniture.heading(pen, content, subject.title, edge, height - edge - head, width - 2 * edge, head)
    furniture.footer(pen, content, number, edge, width - 2 * edge, foot)
    if portrait:
        half = (width - 2 * edge) / 2 - 2 * scale
        panel.told(
            pen, content, subject.focus, subject.listed, Column(edge, edge + foot + low - 3 * scale, half, edge + foot)
        )
        beside = Column(edge + half + 4 * scale, edge + foot + low - 3 * scale, half, edge + foot)
    else:
        left, floor = width - edge - side, edge + foot
        kept = (88 if subject.focus else 68) * scale
        told = Column(left, height - edge - head, side, floor + kept)
        rest = panel.told(pen, content, subject.focus, subject.listed, told)
        beside = Column(left, rest - pen.line * 0.4, side, floor)
    remarks = list(legend.remarks(content, atlas, subject.listed, frame.left_out))
    free = legend.key(pen, content, subject.focus, remarks, beside)
    if subject.focus and free.top - free.floor > 5 * pen.line:
        furniture.inset(pen, atlas, frame.extent, free)
    return page
