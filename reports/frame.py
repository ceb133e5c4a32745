"""The frame of a printed map: metres inside it, points on the paper, how long words are, and what room is still free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects as effects

from layers.maps.style import INK
from reports.atlas import Extent
from reports.fonts import Typeface
from reports.labels import Box, Placed, Placer
from reports.lines import broken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAPER = "#f3f5f6"
LONGEST = 16
"""A longer name, in sizes of type, is written on several lines."""
POINT_M = 0.0254 / 72
ROUND = (1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9, 10)
CORNERS = ((1, 0), (0, 0), (0, 1), (1, 1))
"""Right and low first: where a scale bar is looked for."""


class Frame:
    """One map's frame on one axes. ``size`` is the type size in points; marks and lines follow it.

    ``to_scale``: show a little more than asked, so that the map stands at a round scale 1:``denominator``.
    """

    def __init__(self, axes: Axes, face: Typeface, *, extent: Extent, size: float, to_scale: bool = False) -> None:
        self.axes, self.face, self.size = axes, face, size
        box = axes.get_window_extent()
        per_point = axes.figure.dpi / 72
        wide, high = box.width / per_point, box.height / per_point
        self.extent, self.metres = fitted(extent, wide, high, to_scale)
        self.denominator = round(self.metres / POINT_M, 6) if to_scale else 0.0
        axes.set(
            xlim=self.extent[::2], ylim=self.extent[1::2], facecolor=PAPER, xticks=[], yticks=[],
        )  # fmt: skip
        for side in axes.spines.values():
            side.set(color=INK, linewidth=0.08 * size, zorder=20)
        self.placer = Placer((0, 0, wide, high))
        self.left_out: list[str] = []

    def write(
        self, words: str, place: Placed, scale: float, *, bold: bool = False, colour: str = INK, turn: float = 0.0
    ) -> None:
        """Words in their place, with a rim of paper around them."""
        written = self.axes.text(
            *self.data(place.x, place.y), self.face.of(words), fontproperties=self.face.bold if bold else self.face.regular,
            fontsize=scale * self.size, color=colour, ha="center", va="center", rotation=turn, rotation_mode="anchor",
            zorder=10, parse_math=False, linespacing=1.05,
        )  # fmt: skip
        written.set_path_effects([effects.withStroke(linewidth=0.22 * self.size, foreground="white")])

    def quiet_corner(self, width: float, height: float, wanted: Sequence[tuple[int, int]] = CORNERS) -> Box:
        """Takes up a box of that size (points) in the corner where it covers least; ``wanted`` are tried in turn."""
        right, top = self.placer.frame[2] - width, self.placer.frame[3] - height
        boxes = [(x * right, y * top, x * right + width, y * top + height) for x, y in wanted]
        chosen = self.placer.best(np.array(boxes), 0.01 * np.arange(len(boxes), dtype=np.float64))
        box = boxes[0 if chosen is None else chosen]
        self.placer.block([box])
        return box

    def shows(self, at: tuple[float, float], margin: float = 0.0) -> bool:
        """Whether a place in points lies in the frame, with a margin from its edge."""
        x0, y0, x1, y1 = self.placer.frame
        return x0 + margin <= at[0] <= x1 - margin and y0 + margin <= at[1] <= y1 - margin

    def measure(self, words: str, scale: float, *, bold: bool = False) -> tuple[float, float]:
        """Width and height of words in points, with a little air."""
        lines, size = words.split("\n"), scale * self.size
        return max(self.face.width(line, bold=bold) for line in lines) * 1.04 * size + 1, len(lines) * 1.25 * size

    def folded(self, words: str, scale: float, *, bold: bool = False) -> str:
        """Words on as many lines, about as long as one another, as keep them short enough for a name on a map."""
        most = LONGEST * self.size
        whole = self.measure(words, scale, bold=bold)[0]
        if whole <= most:
            return words
        even = max(whole / math.ceil(whole / most) * 1.08, 6 * self.size)
        return "\n".join(broken(words, even, lambda line: self.measure(line, scale, bold=bold)[0]))

    def at(self, point: Any) -> tuple[float, float]:
        """A point in metres as points from the lower left corner."""
        return self.at_data((point.x, point.y))

    def at_data(self, place: tuple[float, float]) -> tuple[float, float]:
        """A place in metres as points from the lower left corner of the frame."""
        return (place[0] - self.extent[0]) / self.metres, (place[1] - self.extent[1]) / self.metres

    def line(self, places: np.ndarray) -> np.ndarray:
        """Places in metres (n x 2) as points from the lower left corner."""
        return np.asarray((places - self.extent[:2]) / self.metres)

    def data(self, x: float, y: float) -> tuple[float, float]:
        """Points from the lower left corner of the frame as a place in metres."""
        return self.extent[0] + x * self.metres, self.extent[1] + y * self.metres


def fitted(extent: Extent, wide: float, high: float, to_scale: bool = False) -> tuple[Extent, float]:
    """The extent widened to a frame of ``wide`` by ``high`` points, and its metres a point, as many up as across."""
    x0, y0, x1, y1 = extent
    metres = max(max(x1 - x0, 1.0) / wide, max(y1 - y0, 1.0) / high)
    if to_scale:
        metres = round_scale(metres / POINT_M) * POINT_M
    x, y, dx, dy = (x0 + x1) / 2, (y0 + y1) / 2, metres * wide / 2, metres * high / 2
    return (x - dx, y - dy, x + dx, y + dy), metres


def round_scale(denominator: float) -> float:
    """The next round number of a scale, upwards.

    >>> round_scale(361_000), round_scale(400_000)
    (400000.0, 400000.0)
    """
    power = 10.0 ** math.floor(math.log10(denominator))
    return float(next(n * power for n in ROUND if n * power >= denominator * (1 - 1e-9)))
