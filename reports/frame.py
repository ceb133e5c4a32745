"""The frame of a printed map: metres inside it, points on the paper, how long words are, and what room is still free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects as effects
from matplotlib.textpath import TextToPath

from layers.style import INK
from reports.atlas import Extent
from reports.fonts import Typeface
from reports.labels import Placed, Placer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAPER = "#f3f5f6"


class Frame:
    """One map's frame on one axes. ``size`` is the type size in points; marks and lines follow it."""

    def __init__(self, axes: Axes, face: Typeface, *, extent: Extent, size: float) -> None:
        self.axes, self.face, self.size = axes, face, size
        self.extent = fitted(extent, axes)
        axes.set_xlim(self.extent[0], self.extent[2])
        axes.set_ylim(self.extent[1], self.extent[3])
        axes.set_facecolor(PAPER)
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set(color=INK, linewidth=0.8)
        box = axes.get_window_extent()
        self.per_point = axes.figure.dpi / 72
        self.placer = Placer((0, 0, box.width / self.per_point, box.height / self.per_point))
        self.left_out: list[str] = []

    def write(
        self, words: str, place: Placed, scale: float, *, bold: bool = False, colour: str = INK, turn: float = 0.0
    ) -> None:
        """Words in their place, with a rim of paper around them."""
        written = self.axes.text(
            *self.data(place.x, place.y), self.face.of(words), fontproperties=self.face.bold if bold else self.face.regular,
            fontsize=scale * self.size, color=colour, ha="center", va="center", rotation=turn, rotation_mode="anchor",
            zorder=10, parse_math=False,
        )  # fmt: skip
        written.set_path_effects([effects.withStroke(linewidth=0.22 * self.size, foreground="white")])

    def measure(self, words: str, scale: float, *, bold: bool = False) -> tuple[float, float]:
        """Width and height of words in points, with a little air."""
        face = (self.face.bold if bold else self.face.regular).copy()
        face.set_size(scale * self.size)
        width, height, _ = _RULER.get_text_width_height_descent(self.face.of(words), face, ismath=False)
        return width * 1.04 + 1, max(height, scale * self.size) * 1.25

    def at(self, point: Any) -> tuple[float, float]:
        """A point in metres as points from the lower left corner."""
        return self.at_data((point.x, point.y))

    def at_data(self, place: tuple[float, float]) -> tuple[float, float]:
        """A place in metres as points from the lower left corner of the frame."""
        x0, y0, x1, y1 = self.extent
        wide, high = self.placer.frame[2:]
        return (place[0] - x0) / (x1 - x0) * wide, (place[1] - y0) / (y1 - y0) * high

    def line(self, line: Any) -> np.ndarray:
        """A line in metres as points from the lower left corner, an array of (x, y)."""
        x0, y0, x1, y1 = self.extent
        share = (np.asarray(longest(line)) - (x0, y0)) / (x1 - x0, y1 - y0)
        return share * (self.placer.frame[2], self.placer.frame[3])

    def data(self, x: float, y: float) -> tuple[float, float]:
        """Points from the lower left corner of the frame as a place in metres."""
        x0, y0, x1, y1 = self.extent
        return x0 + x / self.placer.frame[2] * (x1 - x0), y0 + y / self.placer.frame[3] * (y1 - y0)


_RULER = TextToPath()


def longest(shape: Any) -> list[tuple[float, float]]:
    """The places of a line, or of the longest part of several."""
    parts = getattr(shape, "geoms", None)
    one = max(parts, key=lambda part: part.length) if parts is not None else shape
    return [point[:2] for point in one.coords]


def fitted(extent: Extent, axes: Axes) -> Extent:
    """The extent widened to the shape of the axes, so that a metre is as long up as across."""
    box = axes.get_window_extent()
    x0, y0, x1, y1 = extent
    width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    scale = max(width / box.width, height / box.height)
    dx, dy = scale * box.width - width, scale * box.height - height
    return (x0 - dx / 2, y0 - dy / 2, x1 + dx / 2, y1 + dy / 2)
