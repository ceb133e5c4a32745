"""A large drawing in pieces: at each level of zoom the rivers that it bears, in straighter lines, neighbours together.

Each piece is a box of some thousand reaches with its own gzip, all in one file of which the browser asks for the bytes it
needs (HTTP ranges, as in cloud-optimised formats).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.maps.courses import FINE, TILE_PX, Courses, simplified, world
from layers.maps.packing import PER_DEGREE, Arrays, narrow, pack

PER_PIECE = 2000
"""Most reaches of a piece."""
SCREEN_PX = 900
"""The whole drawing fits this at the first level."""
LEVELS = (4, 12)
"""The first and the last zoom at which a level may begin."""
DETAIL_PX = 0.7
"""What a straighter line may stray from the true one, at the highest zoom of its level."""


@dataclass
class Archive:
    """Pieces, one after another: where each begins."""

    pieces: list[bytes] = field(default_factory=list)

    def add(self, piece: bytes) -> None:
        """One more piece."""
        self.pieces.append(piece)

    def ends(self, since: int) -> NDArray[Any]:
        """Where the pieces from the ``since``-th on begin, and where the last ends."""
        at = np.cumsum([0, *map(len, self.pieces)])
        return narrow(at[since:])

    def bytes(self) -> bytes:
        """All of them."""
        return b"".join(self.pieces)


def cut(courses: Courses, least: list[int], archive: Archive) -> tuple[dict[str, Any], Arrays]:
    """Put the levels of a drawing into the archive; head and arrays that tell where its pieces are and what they cover.

    ``least``: the smallest size class at each zoom.  ``levels`` [{zoom: from which it is drawn, pieces}]; ``pieceBox``
    west, south, east, north of each piece in 1e-5 degree; ``pieceAt`` where its bytes begin.
    """
    boxes: list[NDArray[np.int32]] = []
    told = []
    for zoom, after in _spans(_first_zoom(courses), least):
        last = after > LEVELS[1]
        tolerance = FINE if last else DETAIL_PX * 360 / TILE_PX / 2**after
        smallest = 1 if last else least[after - 1]
        level = simplified(courses.some(courses.size >= smallest), tolerance)
        pieces = _neighbours(level)
        for piece in pieces:
            here = level.some(piece)
            boxes.append(_box(here))
            archive.add(pack(*here.packed(max(1, round(tolerance * PER_DEGREE / 3)))))
        told.append({"zoom": zoom, "pieces": len(pieces)})
    return {"levels": told}, {"pieceBox": np.concatenate(boxes), "pieceAt": archive.ends(0)}


def _spans(first: int, least: list[int]) -> list[tuple[int, int]]:
    """The zoom at which each level begins and the next one does: one zoom while reaches are left out, then two."""
    spans = []
    while first <= LEVELS[1]:
        after = first + 1 if least[first] > 1 else first + 2
        spans.append((first, after))
        first = after
    return spans


def _first_zoom(courses: Courses) -> int:
    """The zoom at which the whole drawing fits the screen, within the levels there may be."""
    west, south, east, north = shapely.total_bounds(courses.lines)
    corners = world(np.array([[west, south], [east, north]]))
    side = max(float(np.ptp(corners, axis=0).max()), 1e-9)
    return int(np.clip(np.floor(np.log2(SCREEN_PX / side)), *LEVELS))


def _neighbours(level: Courses) -> list[NDArray[np.int64]]:
    """Reaches in pieces of neighbours, along a Hilbert curve; each piece in flow order."""
    along = np.argsort(gpd.GeoSeries(level.lines).hilbert_distance().to_numpy(), kind="stable")
    count = max(1, -(-len(along) // PER_PIECE))
    return [np.sort(piece) for piece in np.array_split(along, count)]


def _box(piece: Courses) -> NDArray[np.int32]:
    west, south, east, north = shapely.total_bounds(piece.lines) * PER_DEGREE
    return np.array([np.floor(west), np.floor(south), np.ceil(east), np.ceil(north)]).astype(np.int32)
