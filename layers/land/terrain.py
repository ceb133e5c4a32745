"""What a DEM says of rivers: the rivers themselves where a project has none, and the land that drains to every reach.

On a plain the terrain decides little: dykes are narrower than a cell, ditches are not in it, canals run against it. So
where a project has rivers **they win**: their cells are lowered and every one of them is an outlet, land drains to the
river that it meets first, and from there on the network decides, splits and gates included. Where it has none, rivers
begin where enough land drains together, and what was level ground, directed by a rule alone, is told as a share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro import flow
from hydro.columns import text
from hydro.errors import Fault
from hydro.network import RiverNetwork
from hydro.upstream import upstream_of_reach
from layers.land.dem import (
    Dem,
    Float,
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
from layers.places import crs as systems
from layers.store.pictures import RELIEF, keep

if TYPE_CHECKING:
    from layers.store.project import Project

BURN_M = 10.0
"""How far the cells of a river are lowered: more than a dyke is high."""


def land_of_rivers(
    dem: Dem,
    network: RiverNetwork,
    reaches: pd.DataFrame,
    *,
    burn_m: float = BURN_M,
    progress: Progress = silent,
) -> Land:
    """The land that drains to every reach of a network and to every section, by a DEM into which its rivers are burnt.

    ``reaches``: the project's table with geometry. A reach's catchment is its own; a section's is everything upstream of
    it in the network, each catchment once, cut at the section itself. Areas are those of the cells on the ellipsoid;
    outlines are smoothed by a cell. Raises HydroError where the DEM cannot be used or lies elsewhere.
    """
    drawn = reaches[~shapely.is_missing(np.asarray(reaches["geometry"], object))]
    lines = np.asarray(drawn["geometry"], object)
    land, place, height = read_dem(dem, lines, progress)
    progress("河网刻入", 0.25)
    where = network.reaches.index.get_indexer(pd.Index(text(drawn, "reach_id")))
    breaks = _breaks(network)
    pieces = np.array([len(cuts) + 1 for cuts in breaks])
    first = np.concatenate([[0], np.cumsum(pieces)])
    cell, piece, covered = _river_cells(systems.project(lines, systems.STORED, place.crs), place, where, breaks)
    known = np.isfinite(height.reshape(-1)[cell])
    cell, label = cell[known], first[piece[known, 0]] + piece[known, 1] + 1
    height.reshape(-1)[cell] -= np.float32(burn_m)
    progress("流向", 0.3)
    direction, level = flow.flow_directions(height, width_m=land["width_m"], depth_m=land["depth_m"], outlets=cell)
    del height
    known_cells, voids = int((direction != flow.VOID).sum()), flow.enclosed_voids(direction)
    progress("划分汇水区", 0.6)
    labels = np.zeros(place.shape, np.int32)
    labels.reshape(-1)[cell] = label
    flow.spread_upstream(direction, labels)
    del direction
    area_km2 = areas_km2(labels, place, int(first[-1]))
    progress("汇水区边界", 0.7)
    shapes = outlines(labels, place, int(first[-1]))
    edge = _at_the_rim(labels, int(first[-1]))
    del labels
    progress("断面汇水区", 0.9)
    ids = list(map(str, network.reaches.index))
    own = [slice(first[r], first[r + 1]) for r in range(len(ids))]
    rows = [
        catchment(f"reach:{ids[r]}", "reach", "", ids[r], area_km2[own[r]].sum(), shapes[own[r]])
        for r in range(len(ids))
        if area_km2[own[r]].any()
    ]
    names = text(network.sections, "name")
    for section in map(str, network.sections.index):
        above = _above(network, section, first, breaks)
        if area_km2[above].any():
            reach, _ = network.position("sections", section)
            called = f"{names[section] or section}以上"
            rows.append(
                catchment(f"section:{section}", "section", called, ids[reach], area_km2[above].sum(), shapes[above])
            )
    found = catchment_table(rows)
    by_reach = pd.Series({ids[r]: float(area_km2[own[r]].sum()) for r in range(len(ids))})
    notes = [
        *level_note(level, known_cells, burnt=True),
        *_coverage_notes(ids, where, covered, by_reach, [ids[r] for r in range(len(ids)) if edge[own[r]].any()]),
        *void_note(voids, known_cells, dem.file),
        *accuracy_note(place, dem.file),
    ]
    land |= {"land_km2": float(by_reach.sum()), "level_share": level / max(1, known_cells)}
    relief = land.pop("relief")
    table = pd.DataFrame({"reach_id": by_reach.index, "area_km2": by_reach.round(4).to_numpy()})
    progress("完成", 1.0)
    return Land(found, table[table["area_km2"] > 0].reset_index(drop=True), relief, land, notes)


def _breaks(network: RiverNetwork) -> list[Float]:
    """For every reach the places of its sections, as parts of its length, ascending and each once."""
    found: list[set[float]] = [set() for _ in range(len(network.reaches))]
    for section in map(str, network.sections.index):
        reach, part = _stands(network, section)
        if 0 < part < 1:
            found[reach].add(part)
    return [np.array(sorted(parts)) for parts in found]


def _stands(network: RiverNetwork, section: str) -> tuple[int, float]:
    reach, chainage = network.position("sections", section)
    return reach, float(np.clip(chainage / network.reaches["length_m"].iloc[reach], 0.0, 1.0))


def _above(network: RiverNetwork, section: str, first: NDArray[np.int64], breaks: list[Float]) -> NDArray[np.bool_]:
    """Which pieces of reaches lie upstream of a section: whole reaches above its own, and its own down to it."""
    reach, part = _stands(network, section)
    inside = upstream_of_reach(network, reach)
    pieces = np.repeat(inside, np.diff(first))
    until = int(np.searchsorted(breaks[reach], part, side="left")) + 1 if part > 0 else 0
    pieces[first[reach] + until : first[reach + 1]] = False
    return np.asarray(pieces, np.bool_)


def _river_cells(
    lines: Objects, place: Place, reach: NDArray[np.intp], breaks: list[Float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Float]:
    """Cells that rivers run through, each once, with (reach, piece of it), and the share of each line inside the raster.

    A cell that several rivers share is the first one's.
    """
    width, depth = place.cell
    scaled = shapely.transform(lines, lambda xy: xy / [width, depth])
    fine = shapely.segmentize(scaled, 0.4)
    xy, line = shapely.get_coordinates(fine, return_index=True)
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    step[np.flatnonzero(np.diff(line, prepend=-1))] = 0.0
    along = np.cumsum(step)
    start, end = np.searchsorted(line, np.arange(len(lines))), np.searchsorted(line, np.arange(len(lines)), "right") - 1
    part = (along - along[start][line]) / np.maximum(along[end] - along[start], 1e-12)[line]
    cell = place.cells(xy * [width, depth])
    inside = cell >= 0
    covered = np.bincount(line[inside], minlength=len(lines)) / np.bincount(line, minlength=len(lines))
    piece = np.zeros(len(cell), np.int64)
    for i, r in enumerate(reach.tolist()):
        if len(breaks[r]):
            at = slice(start[i], end[i] + 1)
            piece[at] = np.searchsorted(breaks[r], part[at], side="left")
    chosen, once = np.unique(cell[inside], return_index=True)
    return chosen, np.column_stack([reach[line[inside]][once], piece[inside][once]]), covered


def _at_the_rim(labels: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """Which labels reach the border of the raster: their land may go on beyond it."""
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    touched = np.zeros(count, bool)
    touched[rim[rim > 0] - 1] = True
    return touched


def _coverage_notes(
    ids: list[str], where: NDArray[np.intp], covered: Float, area: pd.Series[float], rim: list[str]
) -> list[Fault]:
    outside = [ids[r] for r in range(len(ids)) if area.iloc[r] == 0]
    partly = [ids[r] for r, share in zip(where.tolist(), covered, strict=True) if 0 < share < 0.98 and area.iloc[r] > 0]
    notes = []
    if outside:
        message = "{count} 条河段没有得到汇水区（在 DEM 之外、没有图形，或与别的河段同在一个像元）：{reaches}"
        notes.append(Fault("no_land", message, _named(outside), "reaches", warning=True))
    if partly:
        message = "{count} 条河段有一部分在 DEM 之外，其汇水面积偏小：{reaches}"
        notes.append(Fault("partly_outside", message, _named(partly), "reaches", warning=True))
    if rim:
        message = "{count} 条河段的汇水区碰到 DEM 的边，面积可能偏小：{reaches}"
        notes.append(Fault("cut_off", message, _named(rim), "reaches", warning=True))
    return notes


def _named(reaches: list[str]) -> dict[str, object]:
    return {"count": len(reaches), "reaches": "、".join(reaches[:8]) + ("……" if len(reaches) > 8 else "")}


def keep_land(project: Project, land: Land) -> None:
    """Write what a DEM said into a project, with its entries in the book: areas of reaches, catchments, the hillshade.

    Catchments that were drawn by terrain before are replaced, all others stay. Raises HydroError where the user may not.
    """
    why = f"terrain {land.facts['file']}"
    reaches = land.reaches[["reach_id", "area_km2"]]
    old = project.table("catchments", geometry=True)
    tables = {"reaches": pd.DataFrame(reaches), "catchments": _merged(old, land.catchments)}
    project.write(tables, why=why, replace={"catchments"})
    keep(project, RELIEF, land.relief, why=why)


def _merged(old: pd.DataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    """The table of catchments with those from terrain replaced, and everything else in it as it was."""
    if not len(old):
        return cast(pd.DataFrame, new)
    kept = old[~text(old, "kind").isin(["reach", "section"])] if "kind" in old else old
    return cast(pd.DataFrame, pd.concat([kept, new], ignore_index=True) if len(kept) else new)
