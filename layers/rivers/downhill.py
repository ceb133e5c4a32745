"""Which way the water runs by the ground: reaches turned downhill where a DEM shows a clear drop.

The alternative to naming the mouth.  On a plain most reaches fall less than a DEM is wrong by; these keep the direction
in which they are drawn, and their number is told.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from layers.land.raster import opened, system_of
from layers.places import crs as systems
from layers.places.crs import STORED
from layers.report import Report
from layers.rivers.direction import turned
from layers.rivers.drawing import is_drawn, is_given, lines_of

Float = NDArray[np.float64]

CLEAR_DROP_M = 2.0
"""A drop below this is within the error of a DEM; the vertical error of common 30 m DEMs is 2 to 4 m, but much of it is
shared by the two ends of a reach."""

LOOK_M = (0.0, 60.0, 120.0)
"""The ground at an end is the median at so many metres along the line."""

TURNED_DOWNHILL = "按 DEM，画线的终点比起点高，已掉转为顺坡向下"


def face_downhill(rows: pd.DataFrame, plane: CRS, dem: Path, report: Report) -> pd.DataFrame:
    """Turn reaches that are drawn uphill; those with given nodes, or without a clear drop, stay as they are.

    ``rows`` hold ``__line`` on the plane.  Raises HydroError where the file is no raster or does not say its system.
    """
    where = np.flatnonzero(is_drawn(rows) & ~is_given(rows))
    if not len(where):
        return rows
    lines = lines_of(rows)[where]
    length = shapely.length(lines)
    along = np.minimum(np.array(LOOK_M)[:, None], length / 3)
    with opened(dem) as source:
        system = system_of(source, "", systems.project(lines, plane, STORED))
        way = systems.transformer(plane, system)

        def ground(at: Float) -> Float:
            xy = shapely.get_coordinates(shapely.line_interpolate_point(lines, at))
            read = source.sample(np.column_stack(way.transform(xy[:, 0], xy[:, 1])), 1, masked=True)
            heights = np.array([float(cell[0]) if not np.ma.getmaskarray(cell)[0] else np.nan for cell in read])
            return np.asarray(heights * source.scales[0] + source.offsets[0], np.float64)

        first = np.median([ground(at) for at in along], axis=0)
        last = np.median([ground(length - at) for at in along], axis=0)
    rise = last - first
    clear = np.abs(rise) >= CLEAR_DROP_M
    if not clear.all():
        message = "{count} 条河段在 DEM 上两端高差不足 {least:g} m 或没有高程，方向保持原样；可用 --mouth 指明流域出口"
        report.warn("flat", message, table="reaches", count=int((~clear).sum()), least=CLEAR_DROP_M)
    turn = np.zeros(len(rows), bool)
    turn[where[clear & (rise > 0)]] = True
    return turned(rows, turn, TURNED_DOWNHILL, report)
