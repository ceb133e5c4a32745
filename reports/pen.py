"""Writing on a page in millimetres: words, lines of words, tables and rules, in one base size of type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Page
from matplotlib.textpath import TextToPath

from layers.style import GREY, INK
from reports.fonts import Typeface

CLOSING = "，。；：、）》”’％!,.;:)"
"""What never begins a line of Chinese; it may stand a little over the edge."""
FAINT = "#59656f"


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

    def table(
        self, column: Column, y: float, heads: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]
    ) -> float:
        """A plain table: first column left, others right aligned; returns the line below it."""
        edges = column.left + column.width * np.cumsum(shares)
        wide = column.width * shares[0]
        for i, head in enumerate(heads):
            self.write(column.left if i == 0 else edges[i], y, head, 0.9, color=FAINT, ha="left" if i == 0 else "right")
        y -= self.line * 0.45
        self.rule(column.left, y, column.width, GREY)
        for row in rows:
            y -= self.line
            for i, cell in enumerate(row):
                words = self.fits(cell, wide - 1.5) if i == 0 else cell
                self.write(column.left if i == 0 else edges[i], y, words, ha="left" if i == 0 else "right")
        return y - self.line * 0.5
