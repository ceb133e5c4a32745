"""Names on a printed map, placed so that none covers another, a mark, or runs off the frame.

Greedy, most important first: each name tries the places around its mark (right first, as cartographers do: Imhof 1975,
doi:10.1559/152304075784313304), then farther ones with a leader line; a name of a river slides and turns along it.  What finds
no place is left out and told, never printed over something else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
DIRECTIONS = ((1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1))
FARTHER = (1.0, 2.2, 4.0, 6.5)


@dataclass(frozen=True)
class Placed:
    """Where a name stands: its centre, its turn in degrees, and whether it needs a line to its mark."""

    x: float
    y: float
    turn: float = 0.0
    led: bool = False


class Placer:
    """Keeps the boxes that are taken, in the same units as everything it is asked (pixels, y up)."""

    def __init__(self, frame: Box) -> None:
        self.frame = frame
        self.taken = np.empty((0, 4))

    def block(self, boxes: Iterable[Box]) -> None:
        """Take up boxes that no name may cover."""
        self.taken = np.vstack([self.taken, np.array(list(boxes), float).reshape(-1, 4)])

    def free(self, box: Box) -> bool:
        """Whether a box lies in the frame and covers nothing taken."""
        x0, y0, x1, y1 = box
        if x0 < self.frame[0] or y0 < self.frame[1] or x1 > self.frame[2] or y1 > self.frame[3]:
            return False
        t = self.taken
        return not bool(np.any((x0 < t[:, 2]) & (x1 > t[:, 0]) & (y0 < t[:, 3]) & (y1 > t[:, 1])))

    def beside(self, x: float, y: float, width: float, height: float, gap: float) -> Placed | None:
        """A place for a name of that size beside the mark at (x, y); None where there is none."""
        for far in FARTHER:
            for dx, dy in DIRECTIONS:
                cx = x + dx * (gap * far + width / 2)
                cy = y + dy * (gap * far + height / 2)
                box = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
                if self.free(box):
                    self.block([box])
                    return Placed(cx, cy, 0.0, far > FARTHER[0])
        return None

    def at(self, x: float, y: float, width: float, height: float, step: float) -> Placed | None:
        """A place at or near a point (the name of an area)."""
        for ring in range(5):
            for turn in range(8 if ring else 1):
                angle = turn * math.pi / 4
                cx, cy = x + ring * step * math.cos(angle), y + ring * step * math.sin(angle)
                box = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
                if self.free(box):
                    self.block([box])
                    return Placed(cx, cy)
        return None

    def along(self, line: NDArray[np.float64], width: float, height: float) -> Placed | None:
        """A place beside a line, turned with it, where it is straight enough for the length of the name."""
        steps = np.hypot(*np.diff(line, axis=0).T)
        at = np.concatenate([[0.0], np.cumsum(steps)])
        if at[-1] < width * 1.05:
            return None
        starts = np.arange(0.0, at[-1] - width, max(width / 4, 4.0))
        ends = [np.column_stack([np.interp(s, at, line[:, i]) for i in (0, 1)]) for s in (starts, starts + width)]
        chord = ends[1] - ends[0]
        straight = np.hypot(*chord.T) / width
        middle = np.abs(starts + width / 2 - at[-1] / 2)
        for i in np.lexsort((middle, -np.round(straight, 1))):
            if straight[i] < 0.9:
                break
            turn = math.degrees(math.atan2(chord[i, 1], chord[i, 0]))
            turn = (turn + 90) % 180 - 90
            for side in (1, -1):
                aside = side * height * 0.85
                cx = ends[0][i, 0] + chord[i, 0] / 2 - aside * math.sin(math.radians(turn))
                cy = ends[0][i, 1] + chord[i, 1] / 2 + aside * math.cos(math.radians(turn))
                boxes = tilted(cx, cy, width, height, turn)
                if all(map(self.free, boxes)):
                    self.block(boxes)
                    return Placed(cx, cy, turn)
        return None


def tilted(x: float, y: float, width: float, height: float, turn: float) -> list[Box]:
    """A turned name as a row of small upright boxes."""
    count = max(round(width / height), 1)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half = height * (abs(c) + abs(s)) / 2
    places = [((i + 0.5) / count - 0.5) * width for i in range(count)]
    return [(x + p * c - half, y + p * s - half, x + p * c + half, y + p * s + half) for p in places]


def line_boxes(line: NDArray[np.float64], step: float, half: float) -> list[Box]:
    """A line as small boxes, so that names keep off it."""
    lengths = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    places = np.arange(0.0, at[-1] + step / 2, step)
    xs, ys = (np.interp(places, at, line[:, i]) for i in (0, 1))
    return [(x - half, y - half, x + half, y + half) for x, y in zip(xs, ys, strict=True)]


Measure = Callable[[str, float], tuple[float, float]]
Names = Sequence[tuple[str, float, float]]
