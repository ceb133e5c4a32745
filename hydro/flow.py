"""Where water runs over a raster of elevations: directions, the area upstream of every cell, the land of every river.

**Filling and direction.** Priority-flood (Barnes, Lehman & Mulla 2014, doi:10.1016/j.cageo.2013.04.024): from the outlets
inwards, always the lowest cell next, so that every cell learns by which neighbour its water can leave and a depression
is filled to the level at which it spills. Cells of equal level are taken in the order in which they were reached: a flat
between two rivers is shared out by distance. That matters on a plain; pyflwdir's flood breaks the tie by row, which gives
the whole flat to the river in the north. Then every cell that has a lower neighbour drains by the steepest slope
(O'Callaghan & Mark 1984, D8); the flood's direction stays only where the filled ground is level.

**Memory.** A hundred million cells must fit beside everything else in 2 GB, so nothing here keeps an index per cell: the
directions are a byte, elevations are filled in place, and orders are found by walking. Tests hold the results to
pyflwdir's where that has no ties to break.

A direction is 0…7 (E, SE, S, SW, W, NW, N, NE: the exponent of the usual D8 code), ``PIT`` or ``VOID``.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

PIT, VOID, _UNSEEN = 8, 9, 10
_ROW = np.array([0, 1, 1, 1, 0, -1, -1, -1], np.int64)
_COLUMN = np.array([1, 1, 0, -1, -1, -1, 0, 1], np.int64)

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int32]
Heights = NDArray[np.float32]

FLOW_BYTES = 13
"""Memory a cell takes at most: height 4 and direction 1 with the flood's queue, or area 8, direction 1 and count 1."""


def flow_directions(
    height_m: Heights, *, width_m: float, depth_m: float, outlets: NDArray[np.int64] | None = None
) -> tuple[Bytes, int]:
    """Direction of every cell and the number of cells on level ground; ``height_m`` is filled in place (NaN: no data).

    Water leaves over the rim of the data, and at ``outlets`` (flat indices of cells: the rivers). ``width_m`` and
    ``depth_m`` are the sides of a cell. Shapes (rows, columns). On level ground the direction comes from the filling,
    which is a rule and not a finding: the count says how much of the answer rests on it.
    """
    direction = np.full(height_m.shape, _UNSEEN, np.uint8)
    _rim(height_m, direction)
    if outlets is not None:
        flat = direction.reshape(-1)
        flat[outlets[flat[outlets] != VOID]] = PIT
    _flood(height_m, direction)
    diagonal = float(np.hypot(width_m, depth_m))
    step = np.array([width_m, diagonal, depth_m, diagonal] * 2, np.float32)
    level = int(_steepest(height_m, direction, step))
    return direction, level


def upstream_area(direction: Bytes, row_area: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area that drains through every cell, its own included; 0 where there is no data. ``row_area``: of a cell, by row."""
    area = np.repeat(row_area, direction.shape[1]).reshape(direction.shape)
    _accumulate(direction, area)
    return area


def spread_upstream(direction: Bytes, label: Labels) -> None:
    """Give every cell the label of the first labelled cell that its water meets, in place.

    ``label`` > 0 marks the seeds; afterwards −1 stands where water leaves without meeting one, 0 where there is no data.
    """
    _spread(direction.reshape(-1), label.reshape(-1), direction.shape[1])


def enclosed_voids(direction: Bytes) -> int:
    """Number of cells without data that land encloses (gaps, lakes left out): water ends there, and should not."""
    return int(_enclosed(direction))


def downstream(direction: Bytes, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cell that each of some cells (flat indices) drains to; itself at a pit."""
    columns = direction.shape[1]
    way = direction.reshape(-1)[cells]
    moves = way < PIT
    step = np.zeros(len(cells), np.int64)
    step[moves] = _ROW[way[moves]] * columns + _COLUMN[way[moves]]
    return cells + step


@njit(cache=True)
def _rim(height: Any, direction: Any) -> None:
    rows, columns = height.shape
    for r in range(rows):
        for c in range(columns):
            if np.isnan(height[r, c]):
                direction[r, c] = VOID
                continue
            for k in range(8):
                i, j = r + _ROW[k], c + _COLUMN[k]
                if i < 0 or i >= rows or j < 0 or j >= columns or np.isnan(height[i, j]):
                    direction[r, c] = PIT
                    break


@njit(cache=True)
def _flood(height: Any, direction: Any) -> None:
    rows, columns = height.shape
    queue = [(np.float32(0), np.uint32(0), np.uint32(0)) for _ in range(0)]
    turn = 0
    for r in range(rows):
        for c in range(columns):
            if direction[r, c] == PIT:
                heapq.heappush(queue, (height[r, c], np.uint32(turn), np.uint32(r * columns + c)))
                turn += 1
    while len(queue) > 0:
        level, _, cell = heapq.heappop(queue)
        r, c = np.int64(cell) // columns, np.int64(cell) % columns
        for k in range(8):
            i, j = r + _ROW[k], c + _COLUMN[k]
            if i < 0 or i >= rows or j < 0 or j >= columns or direction[i, j] != _UNSEEN:
                continue
            direction[i, j] = (k + 4) % 8
            height[i, j] = max(height[i, j], level)
            heapq.heappush(queue, (height[i, j], np.uint32(turn), np.uint32(i * columns + j)))
            turn += 1


@njit(cache=True, parallel=True)
def _steepest(height: Any, direction: Any, step: Any) -> int:
    rows, columns = height.shape
    level = 0
    for r in prange(rows):
        for c in range(columns):
            if direction[r, c] == VOID:
                continue
            best, way = np.float32(0), -1
            for k in range(8):
                i, j = r + _ROW[k], c + _COLUMN[k]
                if i < 0 or i >= rows or j < 0 or j >= columns or np.isnan(height[i, j]):
                    continue
                slope = (height[r, c] - height[i, j]) / step[k]
                if slope > best:
                    best, way = slope, k
            if way >= 0:
                direction[r, c] = way
            elif direction[r, c] != PIT:
                level += 1
    return level


@njit(cache=True)
def _accumulate(direction: Any, area: Any) -> None:
    rows, columns = direction.shape
    waiting = np.zeros((rows, columns), np.uint8)
    done = 255
    for r in range(rows):
        for c in range(columns):
            k = direction[r, c]
            if k == VOID:
                area[r, c] = 0.0
            elif k < PIT:
                waiting[r + _ROW[k], c + _COLUMN[k]] += 1
    for r in range(rows):
        for c in range(columns):
            i, j = r, c
            while waiting[i, j] == 0:
                waiting[i, j] = done
                k = direction[i, j]
                if k >= PIT:
                    break
                down, across = i + _ROW[k], j + _COLUMN[k]
                area[down, across] += area[i, j]
                waiting[down, across] -= 1
                i, j = down, across


@njit(cache=True)
def _spread(direction: Any, label: Any, columns: int) -> None:
    for start in range(direction.size):
        if label[start] != 0 or direction[start] == VOID:
            continue
        cell = start
        while label[cell] == 0 and direction[cell] < PIT:
            k = direction[cell]
            cell += _ROW[k] * columns + _COLUMN[k]
        found = label[cell] if label[cell] != 0 else -1
        cell = start
        while label[cell] == 0:
            label[cell] = found
            k = direction[cell]
            if k < PIT:
                cell += _ROW[k] * columns + _COLUMN[k]


@njit(cache=True)
def _enclosed(direction: Any) -> int:
    rows, columns = direction.shape
    outside = _UNSEEN  # every void that the rim of the raster leads to, marked for as long as this takes
    waiting = [np.int64(0) for _ in range(0)]
    for r in range(rows):
        for c in range(columns):
            if (r in (0, rows - 1) or c in (0, columns - 1)) and direction[r, c] == VOID:
                direction[r, c] = outside
                waiting.append(r * columns + c)
    while len(waiting) > 0:
        cell = waiting.pop()
        r, c = cell // columns, cell % columns
        for k in range(8):
            i, j = r + _ROW[k], c + _COLUMN[k]
            if 0 <= i < rows and 0 <= j < columns and direction[i, j] == VOID:
                direction[i, j] = outside
                waiting.append(i * columns + j)
    enclosed = 0
    for r in range(rows):
        for c in range(columns):
            if direction[r, c] == VOID:
                enclosed += 1
            elif direction[r, c] == outside:
                direction[r, c] = VOID
    return enclosed
