"""The legend: the signs of a map, what it does not show and why, and where its figures come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib as mpl

from hydro.standards import CLASSES
from layers.style import BLUE, GREY, INK, PATH
from reports import phrases
from reports.atlas import Atlas
from reports.content import Content, SectionReport
from reports.pen import FAINT, Column, Pen
from reports.symbols import MARK, RIVER


def key(pen: Pen, content: Content, focus: SectionReport | None, remarks: Sequence[str], column: Column) -> Column:
    """The legend and what is said below it; returns the room left between them."""
    say, y = content.say, column.top - pen.line
    pen.write(column.left, y, say("图例"), 1.1, bold=True)
    y -= pen.line * 0.4
    half = column.width / 2
    marks = [(MARK[name], "white", say(phrases.STATUS[name])) for name in ("over", "at", "holds")]
    classes = [
        ("s", content.standard.grades[c].colour, say("{grade}类", grade=phrases.grade(content, c))) for c in CLASSES
    ]
    others = [
        ("s", "#e08214" if focus else GREY, say("污水处理厂")),
        ("o", "#e08214" if focus else GREY, say("排污口（按送达量）") if focus else say("排污口")),
        ("v", BLUE, say("入境、引黄")),
        ("|", INK, say("闸")),
    ]
    lines = [("-", RIVER, say("河道")), ("--", RIVER, say("渠道"))]
    if focus:
        lines = [("-", BLUE, say("断面上游")), ("-", PATH, say("首要来源的去路")), ("--", BLUE, say("渠道"))]
    first = [*marks, *others]
    for left, entries in ((column.left, first), (column.left + half, [*classes, *lines])):
        for i, (mark, colour, words) in enumerate(entries, 1):
            _entry(pen, left, y - pen.line * i, mark, colour, pen.fits(words, half - 1.4 * pen.line))
    low = y - pen.line * (max(len(first), len(classes) + len(lines)) + 1.2)
    for words in remarks:
        for line in pen.wrapped(words, column.width, 0.85):
            pen.write(column.left, low + pen.line * 0.3, line, 0.85, color=FAINT)
            low -= pen.line * 0.9
    floor = _sources_of_figures(pen, content, Column(column.left, low, column.width, column.floor))
    return Column(column.left, low, column.width, floor)


def remarks(content: Content, atlas: Atlas, listed: Sequence[SectionReport], left_out: Sequence[str]) -> Iterator[str]:
    """What the map does not show, and why: nothing is left off unsaid."""
    say, between = content.say, "、" if content.lang == "zh" else ", "
    if any(not one.sure for one in listed):
        yield say("虚线框的断面位置待核")
    if away := [one.name for one in listed if one.section_id not in atlas.sections.index]:
        yield say("没有坐标，不在图上：{names}", names=between.join(away))
    if left_out:
        yield say("图上注不下：{names}", names=between.join(dict.fromkeys(left_out)))


def _sources_of_figures(pen: Pen, content: Content, column: Column) -> float:
    """Where the figures come from, at the foot of the column where there is room; returns how high that reaches."""
    lines = [line for words in phrases.method(content) for line in pen.wrapped(words, column.width, 0.8)]
    high = column.floor + pen.line * 0.82 * len(lines)
    if high > column.top:
        return column.floor
    for i, line in enumerate(reversed(lines)):
        pen.write(column.left, column.floor + pen.line * (0.82 * i + 0.15), line, 0.8, color=FAINT)
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
