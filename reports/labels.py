"""Names on a printed map, placed so that none covers another, a mark, or runs off the frame.

Greedy, most important first: each name weighs the places around its mark (right first, as cartographers do: Imhof 1975,
doi:10.1559/152304075784313304) and farther ones with a leader line against the rivers it would cross; a name of a river slides
and turns along it.  What finds no place is left out and told, never printed over something else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
DIRECTIONS = ((1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1))
FARTHER = ((1.0, 0.0), (2.2, 1.5), (4.0, 2.6), (6.5, 4.0))
"""Rings around a mark: how far, and what a name there costs."""
CROSSING = 0.3


@dataclass(frozen=True)
class Placed:
    """Where a name stands: its centre, its turn in degrees, and whether it needs a line to its mark."""

    x: float
    y: float
    turn: float = 0.0
    led: bool = False


class Placer:
    """Keeps the boxes that are taken, in the same units as everything it is asked (pixels, y up).

    ``crossed`` are boxes that a name may cover where it must, each at the cost of ``CROSSING``.
    """

    def __init__(self, frame: Box) -> None:
        self.frame = frame
        self.taken = np.empty((0, 4))
        self.crossed = np.empty((0, 4))

    def block(self, boxes: Iterable[Box]) -> None:
        """Take up boxes that no name may cover."""
        self.taken = np.vstack([self.taken, np.array(list(boxes), float).reshape(-1, 4)])

    def avoid(self, boxes: NDArray[np.float64]) -> None:
        """Note boxes (n x 4) that names keep off where they can; those outside the frame are of no account."""
        x0, y0, x1, y1 = self.frame
        seen = (boxes[:, 2] > x0) & (boxes[:, 0] < x1) & (boxes[:, 3] > y0) & (boxes[:, 1] < y1)
        self.crossed = np.vstack([self.crossed, boxes[seen]])

    def free(self, box: Box) -> bool:
        """Whether a box lies in the frame and covers nothing taken."""
        return bool(self._free(np.array([box]))[0])

    def best(self, boxes: NDArray[np.float64], costs: NDArray[np.float64]) -> int | None:
        """Which of some boxes is free and costs least, what it crosses included; None where none is free."""
        free = self._free(boxes)
        if not free.any():
            return None
        whole = costs + CROSSING * _overlaps(boxes, self.crossed).sum(axis=1)
        return int(np.argmin(np.where(free, whole, np.inf)))

    def _free(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        x0, y0, x1, y1 = self.frame
        inside = (boxes[:, 0] >= x0) & (boxes[:, 1] >= y0) & (boxes[:, 2] <= x1) & (boxes[:, 3] <= y1)
        return np.asarray(inside & ~_overlaps(boxes, self.taken).any(axis=1))

    def beside(
        self, x: float, y: float, width: float, height: float, gap: float, rings: int = len(FARTHER)
    ) -> Placed | None:
        """A place for a name of that size beside the mark at (x, y), in the nearest ``rings``; None where there is none."""
        centres = [
            (x + dx * (gap * far + width / 2), y + dy * (gap * far + height / 2))
            for far, _ in FARTHER[:rings]
            for dx, dy in DIRECTIONS
        ]
        costs = [ring + 0.08 * turn for _, ring in FARTHER[:rings] for turn in range(len(DIRECTIONS))]
        chosen = self._put(np.array(centres), width, height, np.array(costs))
        if chosen is None:
            return None
        return Placed(*centres[chosen], 0.0, chosen >= len(DIRECTIONS))

    def among(
        self, centres: NDArray[np.float64], width: float, height: float, costs: NDArray[np.float64]
    ) -> Placed | None:
        """The best of some centres (the name of an area)."""
        chosen = self._put(centres, width, height, costs)
        return None if chosen is None else Placed(float(centres[chosen, 0]), float(centres[chosen, 1]))

    def _put(self, centres: NDArray[np.float64], width: float, height: float, costs: NDArray[np.float64]) -> int | None:
        half = np.array([width / 2, height / 2])
        boxes = np.hstack([centres - half, centres + half])
        chosen = self.best(boxes, costs)
        if chosen is not None:
            self.block([tuple(boxes[chosen])])
        return chosen

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


def line_boxes(line: NDArray[np.float64], step: float, half: float) -> NDArray[np.float64]:
    """A line as small boxes (n x 4), so that names keep off it."""
    lengths = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    places = np.arange(0.0, at[-1] + step / 2, step)
    middle = np.column_stack([np.interp(places, at, line[:, i]) for i in (0, 1)])
    return np.hstack([middle - half, middle + half])


def spread(spots: NDArray[np.float64], least: float, most: float) -> NDArray[np.float64]:
    """Marks (n x 2) that stand closer than ``least`` moved apart, none farther than ``most`` from its place.

    >>> spread(np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]]), 3.0, 5.0).round(2).tolist()
    [[-1.0, 0.0], [2.0, 0.0], [9.0, 0.0]]
    """
    at = spots.astype(float).copy()
    turns = np.arange(len(at)) * 2.4
    for _ in range(60):
        gap = at[:, None] - at[None]
        far = np.hypot(gap[..., 0], gap[..., 1])
        close = (far < least - 1e-6) & ~np.eye(len(at), dtype=bool)
        if not close.any():
            break
        apart = gap / np.maximum(far, 1e-9)[..., None]
        same = far < 1e-9
        apart[same] = (np.stack([np.cos(turns), np.sin(turns)], axis=1)[:, None] * np.ones_like(gap))[same]
        at += (apart * np.where(close, (least - far) / 2, 0.0)[..., None]).sum(axis=1)
        moved = at - spots
        length = np.hypot(*moved.T)
        at = spots + moved * np.minimum(1.0, most / np.maximum(length, 1e-9))[:, None]
    return at


def _overlaps(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of n boxes overlap which of m others (n x m)."""
    x0, y0, x1, y1 = (boxes[:, i, None] for i in range(4))
    return np.asarray((x0 < others[:, 2]) & (x1 > others[:, 0]) & (y0 < others[:, 3]) & (y1 > others[:, 1]))
