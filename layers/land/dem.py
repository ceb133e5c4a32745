"""A DEM as everything that works on terrain takes it: checked, read within the memory there is, its doubts put in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro import flow
from hydro.errors import Fault, HydroError
from layers.land import raster
from layers.land.raster import Place
from layers.land.relief import hillshade
from layers.places import crs as systems
from layers.store.pictures import Picture

Float = NDArray[np.float64]
Objects = NDArray[np.object_]

LEVEL_TOLD = 0.2
"""From this share of level ground on the answer says how much of it rests on a rule."""
BYTES = flow.FLOW_BYTES + 5

Progress = Callable[[str, float], None]


def silent(_: str, __: float) -> None:
    """No progress shown."""


@dataclass(frozen=True)
class Dem:
    """Where a DEM is, and the user's word on it: its system, its nodata value, how many cells to take as one."""

    path: Path
    crs: str = ""
    nodata: float | None = None
    coarsen: int = 1

    @property
    def file(self) -> str:
        """How it is called in a message."""
        return self.path.name


@dataclass
class Land:
    """What a DEM says: catchments (table ``catchments``), reaches (new ones with geometry, else id and area), a hillshade.

    ``notes`` are worth knowing and no faults; ``unit`` tells of the raster: cells, size in metres.
    """

    catchments: gpd.GeoDataFrame
    reaches: pd.DataFrame
    relief: Picture
    facts: dict[str, Any]
    notes: list[Fault] = field(default_factory=list)


def read_dem(dem: Dem, rivers: Objects, progress: Progress) -> tuple[dict[str, Any], Place, NDArray[np.float32]]:
    """A DEM checked and read, with what is to be told of it."""
    progress("读取高程", 0.0)
    if dem.coarsen < 1:
        raise HydroError("coarsen", "--coarsen 须为不小于 1 的整数，给的是 {value}。请改正", value=dem.coarsen)
    with raster.opened(dem.path) as source:
        crs = raster.system_of(source, dem.crs, rivers)
        place = raster.place_of(source, crs, dem.coarsen)
        if min(place.shape) < 3:
            raise HydroError("raster_small", "{file} 只有 {rows}×{columns} 个像元，太小", file=dem.file,
                             rows=place.shape[0], columns=place.shape[1])  # fmt: skip
        if len(rivers):
            raster.must_cover(place, rivers, dem.file)
        raster.must_fit(place.size, BYTES, dem.file)
        relief, exaggeration = hillshade(source, crs, nodata=dem.nodata, file=dem.file)
        progress("读取高程", 0.1)
        grid = raster.read_grid(source, place, nodata=dem.nodata)
    raster.check_values(grid, *raster.HEIGHTS_M, dem.file)
    width, depth = place.sides_m
    told = {
        "file": dem.file, "crs": crs.name, "rows": place.shape[0], "columns": place.shape[1],
        "width_m": width, "depth_m": depth, "coarsen": dem.coarsen, "relief_exaggeration": exaggeration, "relief": relief,
    }  # fmt: skip
    return told, place, grid.values


def areas_km2(labels: NDArray[np.int32], place: Place, count: int) -> Float:
    """Area (km²) of the cells of each label 1…count."""
    total = np.zeros(count + 1)
    areas = place.row_area_m2
    for row, area in zip(labels, areas, strict=True):
        total += np.bincount(np.maximum(row, 0), minlength=count + 1) * area
    return np.asarray(total[1:] / 1e6, np.float64)


def catchment(id: str, kind: str, name: str, drains_to: str, area_km2: float, shapes: Objects) -> dict[str, Any]:
    """A row of the table ``catchments``; its parts share their borders and become one."""
    parts = shapes[~shapely.is_missing(shapes)]
    whole = parts[0] if len(parts) == 1 else shapely.coverage_union_all(parts)
    return {
        "id": id, "name": name, "kind": kind, "drains_to": drains_to, "area_km2": round(float(area_km2), 4),
        "geometry": whole if shapely.get_type_id(whole) == 6 else shapely.multipolygons([whole]),
    }  # fmt: skip


def catchment_table(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Rows of catchments as a table, also where there is none."""
    columns = ["id", "name", "kind", "drains_to", "area_km2", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=systems.STORED)


def level_note(level: int, cells: int, *, burnt: bool) -> list[Fault]:
    """How much of the answer rests on the rule for level ground; nothing where it is little."""
    share = level / max(1, cells)
    if share < LEVEL_TOLD:
        return []
    if burnt:
        message = "DEM 有 {share:.0%} 的像元是平地或洼地，那里的流向由填洼规则推得，不是地形所示；汇水区以刻入的河道为准，界线只供参考"
        return [Fault("level_ground", message, {"share": share}, "catchments", warning=True)]
    message = (
        "DEM 有 {share:.0%} 的像元是平地或洼地，那里的流向由填洼规则推得，不是地形所示；提取的河道请与实测河网核对"
    )
    return [Fault("level_ground", message, {"share": share}, "reaches", warning=True)]


def void_note(voids: int, cells: int, file: str) -> list[Fault]:
    """Gaps that land encloses: whatever drains into one is lost to the rivers below."""
    if not voids:
        return []
    message = "{file} 内部有 {count:,} 个像元没有高程（{share:.1%}，空洞或挖去的湖面），水流到那里为止，下游的汇水面积会偏小。请先填补"
    params = {"file": file, "count": voids, "share": voids / max(1, cells)}
    return [Fault("voids", message, params, "catchments", warning=True)]


def accuracy_note(place: Place, file: str) -> list[Fault]:
    """How far off the way from the DEM's datum may be; nothing where there is none to go."""
    accuracy = systems.accuracy_m(place.crs)
    if accuracy == 0:
        return []
    if accuracy is None:
        message = "{file} 的坐标系（{crs}）到 CGCS2000 没有已知精度的转换，位置可差百米"
        return [Fault("accuracy", message, {"file": file, "crs": place.crs.name}, warning=True)]
    message = "{file} 的坐标系（{crs}）转到 CGCS2000 的精度约 {accuracy:g} m"
    return [Fault("accuracy", message, {"file": file, "crs": place.crs.name, "accuracy": accuracy}, warning=True)]
