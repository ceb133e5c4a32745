"""How long a sewer would be from an outlet to the plant that is to take its water."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from hydro.columns import text

DETOUR = 1.3
"""A sewer follows streets: 1.2–1.4 times the straight line in most towns (M)."""
GEOD = Geod(ellps="GRS80")


def sewer_km(tables: Mapping[str, pd.DataFrame], into: Mapping[str, str] | None = None) -> dict[str, float]:
    """Kilometres from every outlet to its ``merge_to``, along the ellipsoid and with a detour; those without a place left out.

    ``into`` {outlet: plant} is asked for in place of ``merge_to``.
    """
    outlets, plants = tables["outlets"], tables["plants"]
    if "geometry" not in outlets or "geometry" not in plants:
        return {}
    places = dict(zip(text(plants, "plant_id"), plants["geometry"], strict=True))
    start = np.asarray(outlets["geometry"], object)
    led = text(outlets, "merge_to") if into is None else text(outlets, "outlet_id").map(into)
    end = np.array([places.get(plant) for plant in led], object)
    known = ~(shapely.is_missing(start) | shapely.is_missing(end))
    a, b = shapely.centroid(start[known]), shapely.centroid(end[known])
    metres = GEOD.inv(shapely.get_x(a), shapely.get_y(a), shapely.get_x(b), shapely.get_y(b))[2]
    return dict(zip(text(outlets, "outlet_id")[known], DETOUR * np.asarray(metres) / 1000, strict=True))
