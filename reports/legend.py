"""The legend: the signs of a map, what it does not show and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
from matplotlib.patches import Ellipse

from hydro.assessment.standards import CLASSES
from layers.maps.style import BLUE, INK, PATH
from reports import phrases
from reports.atlas import Atlas
from reports.cartography import Stress
from reports.content import Content, SectionReport
from reports.frame import Frame
from reports.pen import FAINT, POINT_MM, Column, Pen
from reports.symbols import BORDER, CANAL, LIT, MARK, OUTLET, PALE_MARK, PALE_RIVER, QUIET, RIVER, UNSURE, source_size

STEPS = (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
"""Round loads (kg/d) of which the legend shows three."""
MOST = 6
"""So many names that found no room are told."""


@dataclass(frozen=True)
class Sign:
    """One entry: how it is drawn (properties of a line and its marker) and what it means."""

    words: str
    drawn: dict[str, Any]
    dashed: bool = False


def _mark(words: str, marker: str, face: str, edge: str = INK, **more: Any) -> Sign:
    return Sign(words, {"marker": marker, "markerfacecolor": face, "markeredgecolor": edge, "linestyle": "none"} | more)


class Legend:
    """The legend of one map: only signs that the map bears, but every class of the standard."""

    def __init__(self, pen: Pen, content: Content, atlas: Atlas, frame: Frame, stress: Stress) -> None:
        self.pen, self.content, self.atlas, self.frame, self.stress = pen, content, atlas, frame, stress
        self.sized = stress.focus is not None and (self._seen("outlets") or self._seen("plants"))
        self.left = [(content.say("断面状态"), self._statuses()), (content.say("污染源与工程"), self._points())]
        self.right = [(content.say("水系与境界"), self._lines())]
        self.classes = self._classes()

    def height(self, width: float) -> float:
        """How high it stands in a column of a width."""
        sides = (self._tall(self.left, width / 2), self._tall(self.right, width / 2) + 4.25 * self.pen.line)
        sizes = (1.8 + 1.2 * self._sizes_apart(width)) if self.sized else 0.0
        return max(sides) + self.pen.line * (1.4 + sizes + 0.85 * len(self._note(width)))

    def draw(self, column: Column) -> float:
        """Draw it at the top of a column; returns its foot."""
        pen, half = self.pen, column.width / 2
        top = pen.write_lines(column, [self.content.say("图例")], 1.1, bold=True) - 0.1 * pen.line
        right = Column(column.left + half, top, half, column.floor)
        low = min(
            self._groups(Column(column.left, top, half, column.floor), self.left),
            self._groups(right.below(self._grades(right)), self.right),
        )
        if self.stress.focus and self.sized:
            low = self._sizes(self.stress.focus, column.below(low - 0.1 * pen.line))
        return pen.write_lines(column.below(low - 0.2 * pen.line), self._note(column.width), 0.85, color=FAINT)

    def _note(self, width: float) -> list[str]:
        return self.pen.wrapped(self.content.say("注记：断面名 总磷（mg/L）类别；箭头为水流方向"), width, 0.85)

    def _seen(self, table: str) -> bool:
        x0, y0, x1, y1 = self.frame.extent
        points = self.atlas.points[table]
        return (
            bool(((points.x > x0) & (points.x < x1) & (points.y > y0) & (points.y < y1)).any())
            if len(points)
            else False
        )

    def _statuses(self) -> list[Sign]:
        say, shown = self.content.say, self.content.sections
        signs = [
            _mark(say(phrases.STATUS[name]), MARK[name], "white" if name == "none" else PALE_MARK)
            for name in MARK
            if name != "none" or any(one.status == "none" for one in shown)
        ]
        if any(not one.sure for one in shown):
            signs.append(replace(_mark(say("位置待核"), "o", PALE_MARK, "none"), dashed=True))
        return signs

    def _points(self) -> list[Sign]:
        say, face = self.content.say, LIT if self.stress.focus else QUIET
        known = {
            "plants": _mark(say("污水处理厂"), "s", face),
            "outlets": _mark(say("排污口"), "o", face, markersize=0.5 * self.pen.size),
            "boundaries": _mark(say("入境、引黄"), "v", BLUE, "white"),
            "gates": _mark(say("闸"), "|", INK, markeredgewidth=0.2 * self.pen.size),
        }
        signs = [sign for table, sign in known.items() if self._seen(table)]
        if self.sized:
            signs.append(_mark(say("与本断面无关的源"), "s", PALE_MARK, "white"))
        return signs

    def _classes(self) -> list[Sign]:
        grades = self.content.standard.grades
        named = ((name, phrases.grade(self.content, name)) for name in CLASSES)
        return [_mark(self.content.say("{grade}类", grade=grade), "s", grades[name].colour) for name, grade in named]

    def _lines(self) -> list[Sign]:
        say, wide = self.content.say, 0.24 * self.pen.size
        if self.stress.focus:
            rivers = [
                Sign(say("断面上游"), {"color": BLUE, "linewidth": wide * 0.8}),
                Sign(say("首要来源的去路"), {"color": PATH, "linewidth": wide * 1.5}),
                Sign(say("其他河道"), {"color": PALE_RIVER, "linewidth": wide}),
                Sign(say("渠道"), {"color": BLUE, "linewidth": wide * 0.8, "linestyle": CANAL}),
            ]
        else:
            own = [Sign(say("本图河道"), {"color": BLUE, "linewidth": wide})] if self.stress.reaches else []
            rivers = [
                *own,
                Sign(say("河道"), {"color": RIVER, "linewidth": wide}),
                Sign(say("渠道"), {"color": RIVER, "linewidth": wide, "linestyle": CANAL}),
            ]
        borders = [Sign(say("县（市、区）界"), {"color": BORDER, "linewidth": 0.1 * self.pen.size})]
        return rivers + (borders if len(self.atlas.districts) else [])

    def _lines_of(self, sign: Sign, width: float) -> list[str]:
        return self.pen.wrapped(phrases.capital(sign.words), width - 1.7 * self.pen.line, most=3)

    def _tall(self, groups: Sequence[tuple[str, list[Sign]]], width: float) -> float:
        rows = sum(len(self._lines_of(sign, width)) for _, signs in groups for sign in signs)
        return self.pen.line * (rows + 1.25 * sum(bool(signs) for _, signs in groups))

    def _groups(self, column: Column, groups: Sequence[tuple[str, list[Sign]]]) -> float:
        y, pen = column.top, self.pen
        for head, signs in groups:
            if not signs:
                continue
            y = pen.write_lines(column.below(y - 0.25 * pen.line), [head], 0.9, leading=1.11, color=FAINT)
            for sign in signs:
                self._sign(sign, column.left + 0.58 * pen.line, y - 0.5 * pen.line)
                indented = Column(column.left + 1.4 * pen.line, y, column.width, column.floor)
                y = pen.write_lines(indented, self._lines_of(sign, column.width))
        return y

    def _grades(self, column: Column) -> float:
        """The six classes in two columns of three."""
        pen = self.pen
        y = pen.write_lines(
            column.below(column.top - 0.25 * pen.line), [self.content.say("总磷类别")], 0.9, leading=1.11, color=FAINT
        )
        for i, sign in enumerate(self.classes):
            left, low = column.left + i // 3 * 0.5 * column.width, y - (i % 3 + 1) * pen.line
            self._sign(sign, left + 0.58 * pen.line, low + 0.5 * pen.line)
            pen.write(left + 1.4 * pen.line, low + 0.3 * pen.line, sign.words)
        return y - 3 * pen.line

    def _sign(self, sign: Sign, x: float, y: float) -> None:
        pen = self.pen
        wide = 0.55 * pen.line if "marker" not in sign.drawn else 0.0
        usual: dict[str, Any] = {"color": INK, "markersize": 0.85 * pen.size, "markeredgewidth": 0.07 * pen.size}
        xs = [(x - wide) / pen.width, (x + wide) / pen.width] if wide else [x / pen.width]
        pen.page.add_artist(mpl.lines.Line2D(xs, [y / pen.height] * len(xs), **(usual | sign.drawn)))
        if sign.dashed:
            across = 0.85 * pen.size * POINT_MM
            ring = Ellipse((xs[0], y / pen.height), across / pen.width, across / pen.height, fill=False, edgecolor=INK)
            ring.set(linewidth=0.1 * pen.size, linestyle=UNSURE)
            pen.page.add_artist(ring)

    def _sizes(self, focus: SectionReport, column: Column) -> float:
        """What the size of an outlet's mark means: three round loads, in one line."""
        pen, say = self.pen, self.content.say
        loads = [source.delivered.value for source in focus.sources]
        most = max(loads, default=0.0)
        steps = [step for step in STEPS if 0 < step <= most][::3][:3]
        if not steps:
            return column.top
        y, x = column.top - pen.line, column.left
        words = say("标记大小：到断面负荷（kg/d）")
        pen.write(x, y - 0.25 * pen.line, words, 0.85, color=FAINT)
        if self._sizes_apart(column.width):
            y, x = y - 1.2 * pen.line, x + 0.5 * pen.line
        else:
            x += pen.measure(words, 0.85) + 0.5 * pen.line
        for step in steps:
            width = float(source_size(pen.size, OUTLET, step / most))
            x += 0.5 * width * POINT_MM
            self._sign(_mark("", "o", LIT, markersize=width), x, y)
            x += 0.5 * width * POINT_MM + 0.25 * pen.line
            pen.write(x, y - 0.25 * pen.line, f"{step:g}", 0.85)
            x += pen.measure(f"{step:g}", 0.85) + 0.5 * pen.line
        return y - 0.8 * pen.line

    def _sizes_apart(self, width: float) -> bool:
        """Whether the marks must stand below their words."""
        return self.pen.measure(self.content.say("标记大小：到断面负荷（kg/d）"), 0.85) + 7 * self.pen.line > width


def remarks(content: Content, atlas: Atlas, listed: Sequence[SectionReport], left_out: Sequence[str]) -> Iterator[str]:
    """What the map does not show, and why: nothing is left off unsaid."""
    say, between = content.say, "、" if content.lang == "zh" else ", "
    if away := [one.name for one in listed if one.section_id not in atlas.sections.index]:
        yield say("没有坐标，不在图上：{names}", names=between.join(away))
    if names := list(dict.fromkeys(left_out)):
        shown = between.join(names[:MOST])
        if len(names) > MOST:
            yield say("图上注不下：{names} 等 {count} 个", names=shown, count=len(names))
        else:
            yield say("图上注不下：{names}", names=shown)
