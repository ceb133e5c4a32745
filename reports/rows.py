"""Rows of a table on slides: how tall each must be for its words, and how they share out over slides, none left nearly bare."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pptx.util import Mm, Pt

from reports.tables import Table, written

LEADING = 1.35
LATIN = 0.58
"""Width of a Latin letter against a Chinese one."""
CELL_MARGIN, CELL_AIR = int(Mm(2.5)), int(Mm(1.6))


def widths(table: Table) -> list[float]:
    """Width of every column in characters: as told, and wide enough for the longest word of its heading."""
    return [max(column.width, 1.2 * max(map(len, column.heading.split())) + 1) for column in table.columns]


def row_heights(table: Table, width: int, size: int, least: int) -> NDArray[np.int64]:
    """Height of every row (EMU) when the table is ``width`` wide and its type ``size`` points."""
    shares = widths(table)
    rooms = [max(width * share / sum(shares) - 2 * CELL_MARGIN, 1) for share in shares]
    line = int(Pt(size) * LEADING)
    lines = [
        max(-(-breadth(written(column, cell)) * int(Pt(size)) // room)
            for column, cell, room in zip(table.columns, row, rooms, strict=True))
        for row in table.rows
    ]  # fmt: skip
    return np.array([max(least, int(count) * line + CELL_AIR) for count in lines], dtype=np.int64)


def breadth(words: str) -> float:
    """Width of words in widths of a Chinese character."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else LATIN for letter in words)


def shared_out(heights: Sequence[int] | NDArray[np.int64], room: int) -> list[NDArray[np.int64]]:
    """Row numbers slide by slide: as few slides as hold them, with about as many rows on each.

    >>> [list(map(int, part)) for part in shared_out([4, 4, 4, 4, 4], 16)]
    [[0, 1, 2], [3, 4]]
    """
    tall = np.asarray(heights)
    for pages in range(1, len(tall) + 1):
        parts = np.array_split(np.arange(len(tall)), pages)
        if all(tall[part].sum() <= room for part in parts):
            return parts
    return np.array_split(np.arange(len(tall)), max(len(tall), 1))
