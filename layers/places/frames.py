"""Where data are expected: the districts of the project, its reaches, or the districts that the demo ships."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from hydro.errors import Phrase
from layers.places.crs import Frame


def frames_of(known: Mapping[str, pd.DataFrame]) -> list[Frame]:
    """Places where data are expected: districts of the project, its reaches, or the districts that the demo ships."""
    frames = []
    districts = known.get("districts")
    if districts is not None and "geometry" in districts and len(districts):
        frames.append(_districts(districts, Phrase("本项目的行政区")))
    else:
        frames += _shipped_frame()
    reaches = known.get("reaches")
    if reaches is not None and "geometry" in reaches and len(reaches):
        shapes = np.asarray(reaches["geometry"], dtype=object)
        frames.append(Frame(Phrase("本项目的河网范围"), shapely.box(*shapely.total_bounds(shapes)).buffer(0.05)))
    return frames


def _districts(table: pd.DataFrame, name: str) -> Frame:
    return Frame(name, shapely.union_all(shapely.make_valid(np.asarray(table["geometry"], dtype=object))))


@cache
def _shipped_frame() -> tuple[Frame, ...]:
    shipped = shipped_districts()
    return () if shipped is None else (_districts(shipped, Phrase("新乡市（示例流域）")),)


@cache
def shipped_districts() -> pd.DataFrame | None:
    """The districts of the demo basin, where they are installed with the program."""
    from layers.formats.sources import open_layers

    path = Path(__file__).parents[2] / "data" / "demo" / "districts.geojson"
    if not path.exists():
        return None
    layers, _ = open_layers([path])
    return pd.DataFrame({"geometry": layers[0].geometry}) if layers and layers[0].geometry is not None else None
