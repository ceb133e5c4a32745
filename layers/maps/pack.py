"""What the map is sent of a network: a file that every map needs, and of a large network pieces that are fetched as seen.

Written once for each drawing and served as static files, so that a click, a month or a language sends none of it again
(``browser/pack.js`` reads them).  The map numbers reaches in flow order: what lies upstream is then nearly an interval,
and half a million reaches take less than a byte each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from hydro import RiverNetwork
from hydro.errors import HydroError
from hydro.topology import Topology
from layers.maps.basemap import Ground
from layers.maps.chunks import Archive, cut
from layers.maps.courses import draw_courses, least_sizes, reach_lines, simplified
from layers.maps.marks import Marks, section_rows
from layers.maps.packing import Arrays, narrow, pack, steps

WHOLE = 10_000
"""Most reaches that are sent as one file."""
NEAR = 255
"""A reach that ends fewer nodes further on than this, in flow order, takes one byte."""


class Packed(NamedTuple):
    """The file that every map of a network needs, and the pieces of a large one (empty where the file holds all)."""

    head: bytes
    pieces: bytes


def network_pack(
    network: RiverNetwork,
    tables: Mapping[str, pd.DataFrame],
    ground: Ground,
    *,
    whole: int = WHOLE,
    words: bool = False,
) -> Packed:
    """Everything of a project that the map draws and that no month changes.

    ``tables`` are the project's spatial tables (GeoDataFrames in EPSG:4490); points without a geometry are put where
    their chainage says.  Of more than ``whole`` reaches the drawing is cut into pieces, and the words of
    points with it unless ``words`` are to be searched at once.

    Raises:
        HydroError: no reach is drawn.
    """
    topology = network.topology
    lines = reach_lines(network, tables["reaches"])
    if shapely.is_empty(lines).all():
        raise HydroError("no_drawing", "河段没有图形，画不出地图。请在“数据”页导入河段的线（shp、gpkg 或 geojson）")
    courses = draw_courses(network, lines)
    marks = Marks.of(network, tables, lines)
    least = least_sizes(courses)
    outline, names = steps("ground", ground.outlines), ground.names()
    archive = Archive()
    if topology.reach_count > whole and len(courses.number):
        told, arrays = cut(courses, least, archive)
        more, texts = marks.whole() if words else marks.apart(archive)
    else:
        told, arrays = simplified(courses).packed()
        more, texts = marks.whole()
    head: dict[str, Any] = {
        "bounds": [round(float(side), 5) for side in shapely.total_bounds(courses.lines)],
        "orders": courses.orders,
        "least": least,
        "sections": section_rows(network, tables, lines),
        "districts": names,
        **told,
        **more,
    }
    return Packed(pack(head, {**shape(topology), **marks.arrays(), **outline, **arrays, **texts}), archive.bytes())


def shape(topology: Topology) -> Arrays:
    """The topology in flow order: reaches that leave each node, and how many nodes on each of them ends."""
    leap = (topology.to_node - topology.from_node)[topology.order]
    return {
        "leaving": narrow(np.diff(topology.first_leaving)),
        "near": np.minimum(leap, NEAR).astype(np.uint8),
        "far": narrow(leap[leap >= NEAR]),
        "closed": topology.closed[topology.order].astype(np.uint8),
    }


__all__ = ["Packed", "network_pack"]
