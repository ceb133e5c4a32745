"""Writing on a page in millimetres: words, lines of words, tables and rules, in one base size of type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Page

from layers.maps.style import GREY, INK
from reports.fonts import Typeface
from reports.lines import broken

FAINT = "#59656f"
POINT_MM = 25.4 / 72


@dataclass(frozen=True)
class Column:
    """A column of the page in millimetres from the lower left corner: where it starts, and how low it may go."""

    left: float
    top: float
    width: float
    floor: float

    @property
    def height(self) -> float:
        """How high it is."""
        return self.top - self.floor

    def below(self, y: float) -> Column:
        """What is left of it under a line."""
        return replace(self, top=y)


class Pen:
    """Writes on a page in millimetres, with one base size of type."""

    def __init__(self, page: Page, face: Typeface, width: float, height: float, size: float) -> None:
        self.page, self.face, self.width, self.height, self.size = page, face, width, height, size
        self.line = size * POINT_MM * 1.5

    def write(self, x: float, y: float, words: str, scale: float = 1.0, *, bold: bool = False, **how: Any) -> Any:
        """Text with its baseline at (x, y)."""
        usual: dict[str, Any] = {"color": INK, "ha": "left", "va": "baseline", "parse_math": False}
        return self.page.text(
            x / self.width, y / self.height, self.face.of(words),
            fontproperties=self.face.bold if bold else self.face.regular, fontsize=scale * self.size, **(usual | how),
        )  # fmt: skip

    def write_lines(
        self, column: Column, lines: Iterable[str], scale: float = 1.0, *, leading: float = 1.0, **how: Any
    ) -> float:
        """Lines from the top of a column down; returns where the next would stand."""
        y = column.top
        for line in lines:
            y -= self.line * scale * leading
            self.write(column.left, y + 0.3 * self.line * scale * leading, line, scale, **how)
        return y

    def fits(self, words: str, width: float, scale: float = 1.0, *, bold: bool = False) -> str:
        """The words, shortened with … to a width."""
        if self.measure(words, scale, bold=bold) <= width:
            return words
        while words and self.measure(words + "…", scale, bold=bold) > width:
            words = words[:-1]
        return words + "…"

    def measure(self, words: str, scale: float = 1.0, *, bold: bool = False) -> float:
        """Width of words in millimetres."""
        return self.face.width(words, bold=bold) * scale * self.size * POINT_MM

    def wrapped(
        self, words: str, width: float, scale: float = 1.0, *, bold: bool = False, most: int | None = None
    ) -> list[str]:
        """Words broken into lines of a width; … after ``most`` lines."""
        hang = 0.6 * scale * self.size * POINT_MM
        lines = broken(words, width, lambda line: self.measure(line, scale, bold=bold), hang)
        if most is None or len(lines) <= most:
            return lines
        return [*lines[: most - 1], self.fits(lines[most - 1] + "……", width, scale, bold=bold)]

    def rule(self, x: float, y: float, width: float, colour: str = GREY, weight: float = 0.5, **how: Any) -> Any:
        """A horizontal line."""
        ends = [x / self.width, (x + width) / self.width]
        return self.page.add_artist(
            mpl.lines.Line2D(ends, [y / self.height] * 2, color=colour, linewidth=weight, **how)
        )

    def axes(self, column: Column, **how: Any) -> Any:
        """A drawing that fills a column."""
        return self.page.add_axes(
            (column.left / self.width, column.floor / self.height, column.width / self.width, column.height / self.height),
            **how,
        )  # fmt: skip

    def table(self, column: Column, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> float:
        """A plain table, first column left, others right aligned, long words on lines of their own; returns its foot."""
        widths = self._widths(column.width, heads, rows)
        y = self._row(column, column.top, heads, widths, 0.9, color=FAINT)
        self.rule(column.left, y, column.width, GREY)
        y -= 0.15 * self.line
        for row in rows:
            y = self._row(column, y, row, widths)
        return y

    def table_height(self, width: float, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> float:
        """How high such a table would stand."""
        widths = self._widths(width, heads, rows)
        lines = [max(map(len, self._cells(row, widths))) for row in rows]
        return (0.15 + 0.9 * max(map(len, self._cells(heads, widths, 0.9))) + sum(lines)) * self.line

    def _widths(self, width: float, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
        """Widths of columns: figures as wide as they are, up to a share; the first column has the rest."""
        air = 0.7 * self.size * POINT_MM
        wide = [
            max([self.measure(head, 0.9), *(self.measure(row[i]) for row in rows)]) + air
            for i, head in enumerate(heads)
            if i
        ]
        shrink = min(1.0, 0.76 * width / max(sum(wide), 1e-9))
        return [width - shrink * sum(wide), *(shrink * one for one in wide)]

    def _cells(self, row: Sequence[str], widths: Sequence[float], scale: float = 1.0) -> list[list[str]]:
        air = 0.6 * self.size * POINT_MM
        return [self.wrapped(cell, width - air, scale) or [""] for cell, width in zip(row, widths, strict=True)]

    def _row(
        self, column: Column, y: float, row: Sequence[str], widths: Sequence[float], scale: float = 1.0, **how: Any
    ) -> float:
        edges = column.left + np.cumsum(widths)
        cells = self._cells(row, widths, scale)
        for i, lines in enumerate(cells):
            for n, words in enumerate(lines):
                at = y - self.line * scale * (n + 0.72)
                self.write(
                    column.left if i == 0 else edges[i], at, words, scale, ha="left" if i == 0 else "right", **how
                )
        return y - self.line * scale * max(map(len, cells))
