"""Rivers from a DEM, where a project has none yet: where they run, what land each has, and the project they found."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from hydro import flow
from hydro.errors import HydroError
from layers.land.dem import (
    Dem,
    Land,
    Objects,
    Progress,
    accuracy_note,
    areas_km2,
    catchment,
    catchment_table,
    level_note,
    read_dem,
    silent,
    void_note,
)
from layers.land.outlines import outlines
from layers.land.raster import Place
from layers.land.terrain import keep_land
from layers.places import crs as systems

if TYPE_CHECKING:
    from layers.intake.intake import Import
    from layers.store.roles import User

THRESHOLD_KM2 = 10.0
STAIRCASE = 0.75
"""Lines through cells run in steps; those within this many cells of a straight line are taken out."""


def rivers_of_land(dem: Dem, *, threshold_km2: float = THRESHOLD_KM2, progress: Progress = silent) -> Land:
    """Rivers where at least ``threshold_km2`` of land drain together, and the land of each, by the terrain alone.

    Reaches run from head or confluence to the next confluence, drawn downstream from cell to cell with the steps of the
    raster taken out; nodes are left to the import, which joins the ends. Raises HydroError where no river is that large.
    """
    if not threshold_km2 > 0:
        raise HydroError("threshold", "集水面积阈值须大于 0 km²，给的是 {value:g}。请改正", value=threshold_km2)
    land, place, height = read_dem(dem, np.empty(0, object), progress)
    progress("流向", 0.25)
    direction, level = flow.flow_directions(height, width_m=land["width_m"], depth_m=land["depth_m"])
    del height
    known_cells, voids = int((direction != flow.VOID).sum()), flow.enclosed_voids(direction)
    progress("集水面积", 0.5)
    upstream = flow.upstream_area(direction, place.row_area_m2)
    largest = float(upstream.max()) / 1e6
    cells = np.flatnonzero(upstream.reshape(-1) >= threshold_km2 * 1e6)
    del upstream
    paths, label = _segments(cells, flow.downstream(direction, cells))
    if not paths:
        message = (
            "{file} 上最大的集水面积只有 {largest:.3g} km²，没有达到阈值 {threshold:g} km² 的河流。请减小 --threshold"
        )
        raise HydroError("no_rivers", message, file=dem.file, largest=largest, threshold=threshold_km2)
    progress("划分汇水区", 0.6)
    labels = np.zeros(place.shape, np.int32)
    labels.reshape(-1)[cells] = label
    flow.spread_upstream(direction, labels)
    del direction
    area_km2 = areas_km2(labels, place, len(paths))
    progress("汇水区边界", 0.7)
    shapes = outlines(labels, place, len(paths))
    del labels
    width = max(4, len(str(len(paths))))
    ids = [f"R{i + 1:0{width}d}" for i in range(len(paths))]
    reaches = gpd.GeoDataFrame(
        {"reach_id": ids, "area_km2": area_km2.round(4)},
        geometry=systems.project(_lines(paths, place), place.crs),
        crs=systems.STORED,
    )
    rows = [catchment(f"reach:{ids[i]}", "reach", "", ids[i], area_km2[i], shapes[i : i + 1]) for i in range(len(ids))]
    notes = [
        *level_note(level, known_cells, burnt=False),
        *void_note(voids, known_cells, dem.file),
        *accuracy_note(place, dem.file),
    ]
    land |= {"land_km2": float(area_km2.sum()), "level_share": level / max(1, known_cells)}
    relief = land.pop("relief")
    progress("完成", 1.0)
    return Land(catchment_table(rows), reaches, relief, land, notes)


def _segments(cells: NDArray[np.int64], down: NDArray[np.int64]) -> tuple[list[NDArray[np.int64]], NDArray[np.int32]]:
    """River cells (ascending) cut at confluences: the cells of each reach down to the next one's first, and its label."""
    below = np.searchsorted(cells, down)
    ends = down == cells
    entering = np.bincount(below[~ends], minlength=len(cells))
    heads = np.flatnonzero(entering != 1)
    head, follows, stops = (entering != 1).tolist(), below.tolist(), ends.tolist()
    label = np.zeros(len(cells), np.int32)
    paths: list[NDArray[np.int64]] = []
    alone = []
    for start in heads.tolist():
        path = [start]
        while not stops[path[-1]]:
            path.append(follows[path[-1]])
            if head[path[-1]]:
                break
        if len(path) == 1:
            alone.append(start)
            continue
        paths.append(cells[path])
        own = path[:-1] if head[path[-1]] else path
        label[own] = len(paths)
    for start in alone:  # rivers that meet in the very cell in which they leave: it belongs to one of them
        tributary = np.flatnonzero((below == start) & ~ends)
        label[start] = label[tributary[0]] if len(tributary) else -1
    return paths, label


def _lines(paths: list[NDArray[np.int64]], place: Place) -> Objects:
    """Reaches as lines through the middles of their cells, drawn downstream."""
    made = []
    cell = np.array(place.cell)
    for path in paths:
        line = shapely.linestrings(place.centres(path) / cell)
        made.append(shapely.transform(shapely.simplify(line, STAIRCASE), lambda xy: xy * cell))
    return np.array(made, dtype=object)


def found_project(place: str, land: Land, *, user: User | None = None) -> Import:
    """Make a project of the rivers that a DEM shows, by the same door as any file, with their catchments and the hillshade.

    Nothing is made where the import refuses or asks: the account says why. Raises HydroError where a project is there
    already that has rivers.
    """
    from layers import open_project
    from layers.intake.imports import import_sources
    from layers.intake.intake import Options

    with tempfile.TemporaryDirectory(prefix="qingyuan-") as folder:
        file = Path(folder, "reaches.geojson")
        gpd.GeoDataFrame(land.reaches).to_file(file, driver="GeoJSON")
        near = min(1.0, 0.25 * min(land.facts["width_m"], land.facts["depth_m"]))
        outcome = import_sources([file], place, Options(snap_m=near), user=user)
    if outcome.report.sound:
        keep_land(open_project(place, user=user), land)
    return outcome


def has_rivers(place: str) -> bool:
    """Whether there is a project at a place, with rivers in it. Raises HydroError where it cannot be opened."""
    from layers import open_project

    try:
        return bool(len(open_project(place).table("reaches")))
    except HydroError as wrong:
        if wrong.code == "missing_project":
            return False
        raise


def write_land(land: Land, file: Path) -> None:
    """The catchments, and the rivers where they are new, as layers of a GeoPackage that was not there before."""
    if file.suffix.lower() != ".gpkg":
        raise HydroError("out_kind", "{file} 须以 .gpkg 结尾。请改名", file=str(file))
    if file.exists():
        raise HydroError("exists", "{path} 已经存在。请换一个名字，或用 import 写入已有项目。", path=str(file))
    if not file.parent.is_dir():
        raise HydroError("no_folder", "文件夹 {path} 不存在或不可写。请先建立它，或换一个位置。", path=str(file.parent))
    land.catchments.to_file(file, layer="catchments", driver="GPKG")
    if "geometry" in land.reaches:
        gpd.GeoDataFrame(land.reaches).to_file(file, layer="reaches", driver="GPKG")
