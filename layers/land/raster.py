"""Rasters from anywhere: checked before a cell is read, then read by windows into one upright grid.

Whatever the file's own way (tiled or striped, rows northward, nodata by value, NaN or mask, scaled integers, any datum),
a :class:`Grid` has rows southward, columns eastward, NaN where nothing is known, and the size of its cells on the ground.
Cells are never resampled to another system: what is laid over them goes to them instead. What cannot be read in one way
only is asked: the system, and a nodata value that the file does not tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Proj
from pyproj.exceptions import ProjError

from hydro.errors import HydroError
from layers.places import crs as systems

Float = NDArray[np.float64]
Objects = NDArray[np.object_]

WINDOW_CELLS = 1 << 22
"""So many cells of a file are in memory at once while it is read."""
BASE_BYTES = 450 << 20
"""What the program itself takes, libraries included."""
HEIGHTS_M = (-500.0, 9000.0)
"""No land lies deeper or higher: a value outside is a nodata value that the file does not declare."""


@dataclass(frozen=True)
class Place:
    """Where the cells of an upright raster lie: ``origin`` is its north-west corner, ``cell`` > 0, in units of ``crs``."""

    shape: tuple[int, int]
    origin: tuple[float, float]
    cell: tuple[float, float]
    crs: CRS

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in its own system."""
        (rows, columns), (west, north), (width, depth) = self.shape, self.origin, self.cell
        return west, north - rows * depth, west + columns * width, north

    @property
    def lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north in CGCS2000."""
        west, south, east, north = self.bounds
        rim = shapely.segmentize(shapely.box(west, south, east, north), max(east - west, north - south) / 20)
        return tuple(map(float, shapely.bounds(systems.project(np.array([rim], object), self.crs)[0])))  # type: ignore[return-value]

    def cells(self, xy: Float) -> NDArray[np.int64]:
        """Flat index of the cell at every place (in the raster's own system); −1 outside."""
        (rows, columns), (west, north), (width, depth) = self.shape, self.origin, self.cell
        with np.errstate(invalid="ignore"):
            column, row = np.floor((xy[:, 0] - west) / width), np.floor((north - xy[:, 1]) / depth)
            inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        flat = np.full(len(xy), -1, np.int64)
        flat[inside] = row[inside].astype(np.int64) * columns + column[inside].astype(np.int64)
        return flat

    def centres(self, cells: NDArray[np.int64]) -> Float:
        """Middle of cells given by flat index, in the raster's own system."""
        row, column = np.divmod(cells, self.shape[1])
        west, north = self.origin
        return np.column_stack([west + (column + 0.5) * self.cell[0], north - (row + 0.5) * self.cell[1]])

    @property
    def row_area_m2(self) -> Float:
        """Area on the ellipsoid of a cell of each row: exact between parallels, else by the projection's areal scale."""
        rows, columns = self.shape
        west, north = self.origin
        width, depth = self.cell
        if self.crs.is_geographic:
            upper = north - np.arange(rows) * depth
            geod = self.crs.get_geod() or systems.ELLIPSOID
            lon, areas = np.array([0.0, width, width, 0.0]), []
            for top in upper.tolist():
                area, _ = geod.polygon_area_perimeter(lon, [top - depth, top - depth, top, top])
                areas.append(abs(area))
            return np.array(areas)
        middle = np.column_stack([np.full(rows, west + columns / 2 * width), north - (np.arange(rows) + 0.5) * depth])
        geodetic = self.crs.geodetic_crs or systems.STORED
        lon, lat = systems.transformer(self.crs, geodetic).transform(middle[:, 0], middle[:, 1])
        scale = np.asarray(Proj(self.crs).get_factors(lon, lat).areal_scale, np.float64)
        unit = self.crs.axis_info[0].unit_conversion_factor
        return np.asarray(width * depth * unit**2 / scale, np.float64)

    @property
    def sides_m(self) -> tuple[float, float]:
        """Width and depth of the middle cell on the ground, in metres."""
        (rows, _), (width, depth) = self.shape, self.cell
        ratio = width / depth
        if self.crs.is_geographic:
            ratio *= float(np.cos(np.radians(self.origin[1] - rows / 2 * depth)))
        area = float(self.row_area_m2[rows // 2])
        return float(np.sqrt(area * ratio)), float(np.sqrt(area / ratio))

    @property
    def transform(self) -> Any:
        """The affine transform as rasterio has it."""
        from rasterio import Affine

        return Affine(self.cell[0], 0.0, self.origin[0], 0.0, -self.cell[1], self.origin[1])

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]


@dataclass(frozen=True)
class Grid:
    """Values of one band where they lie; NaN where nothing is known. ``values`` (rows, columns)."""

    values: NDArray[np.float32]
    place: Place


@contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """A raster file to read. Raises HydroError: not there, no raster, rotated, or without a place on the ground."""
    import rasterio

    file = Path(path).name
    if not Path(path).exists():
        raise HydroError("raster_missing", "找不到栅格文件 {file}。请检查路径", file=str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # it is said below, in words
            source = rasterio.open(path)
    except rasterio.errors.RasterioError as wrong:
        message = "{file} 不是可读的栅格（应为 GeoTIFF 等），或文件已损坏。请重新导出后再试"
        raise HydroError("raster_broken", message, file=file) from wrong
    with source:
        across = source.transform
        placed = np.isfinite(list(across)).all() and across.a and (across.e or across.b)
        if not source.count or not placed or (across.is_identity and not source.crs):
            raise HydroError(
                "raster_nowhere", "{file} 没有地理位置（缺少坐标变换）。请导出为带坐标的 GeoTIFF", file=file
            )
        if across.b or across.d:
            message = "{file} 是旋转的栅格（行列不与坐标轴平行），不能使用。请先用 gdalwarp 重采样为正北向"
            raise HydroError("raster_rotated", message, file=file)
        try:
            yield source
        except rasterio.errors.RasterioError as wrong:
            raise broken_off(file) from wrong


def broken_off(file: str) -> HydroError:
    """A raster that opened well and then could not be read."""
    message = "{file} 读到一半出错，文件可能已损坏或不完整。请重新导出后再试"
    return HydroError("raster_broken", message, file=Path(file).name)


@contextmanager
def upright(source: Any, crs: CRS, nodata: float | None = None) -> Iterator[Any]:
    """The same cells with rows southward and columns eastward, and the nodata value that the user tells; read as they are
    needed."""
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    if source.transform.e < 0 < source.transform.a and nodata is None and source.crs:
        yield source
        return
    known = source.nodata if nodata is None else nodata
    options = {} if known is None else {"src_nodata": known, "nodata": known}
    place = place_of(source, crs)
    with WarpedVRT(
        source, src_crs=crs.to_wkt(), crs=crs.to_wkt(), transform=place.transform, width=source.width,
        height=source.height, resampling=Resampling.nearest, **options,
    ) as turned:  # fmt: skip
        yield turned


def system_of(source: Any, said: str, rivers: Objects) -> CRS:
    """The system of a raster: its own, else the user's word; otherwise asked, with those in which the rivers lie inside.

    ``rivers`` are shapes in CGCS2000: the evidence.
    """
    if said:
        return systems.parse_crs(said)
    if source.crs:
        return _usable(source.crs.to_wkt(), Path(source.name).name)
    west, south, east, north = source.bounds
    corners = np.array([[west, south], [east, south], [east, north], [west, north]], np.float64)
    candidates = systems.candidates(corners)
    if not len(rivers):
        offered = "、".join(f"--crs {crs.to_epsg()}" for _, crs in candidates[:4]) or "--crs EPSG"
        message = "{file} 没有说明坐标系。请用 --crs 指明；按坐标的数值可能是：{proposals}"
        raise HydroError("raster_crs", message, file=Path(source.name).name, proposals=offered)
    told = []
    for order, (_, crs) in enumerate(candidates):
        lonlat = np.column_stack(systems.transformer(crs).transform(corners[:, 0], corners[:, 1]))
        inside = int(shapely.intersects(shapely.Polygon(lonlat), rivers).sum()) if np.isfinite(lonlat).all() else 0
        told.append((-inside, order, f"--crs {crs.to_epsg()}（{inside}/{len(rivers)}）"))
    offered = "、".join(word for *_, word in sorted(told)[:4]) or "--crs EPSG"
    message = "{file} 没有说明坐标系。请用 --crs 指明；可能是（括号内为落在栅格内的河段数）：{proposals}"
    raise HydroError("raster_crs", message, file=Path(source.name).name, proposals=offered)


def _usable(wkt: str, file: str) -> CRS:
    """The system that a file tells, if places in it can be told in degrees."""
    try:
        crs = CRS.from_user_input(wkt)
        if crs.is_geographic or crs.is_projected:
            systems.transformer(crs)
            return crs
    except ProjError:
        pass
    message = "{file} 的坐标系换算不到经纬度（不是大地坐标，或已损坏）。请用 --crs 指明"
    raise HydroError("raster_crs_odd", message, file=file)


def place_of(source: Any, crs: CRS, coarsen: int = 1) -> Place:
    """Where the upright cells of a raster lie, ``coarsen`` × ``coarsen`` of the file's making one."""
    across = source.transform
    rows, columns = source.height // coarsen, source.width // coarsen
    west = across.c + min(across.a * source.width, 0.0)
    north = across.f + max(across.e * source.height, 0.0)
    place = Place((rows, columns), (west, north), (abs(across.a) * coarsen, abs(across.e) * coarsen), crs)
    if not np.isfinite(place.lonlat).all() or (crs.is_geographic and max(np.abs(place.bounds)) > 360):
        message = "{file} 的坐标（{west:g}, {north:g}）不在坐标系 {crs} 的范围内。请检查坐标系（--crs）"
        name = Path(source.name).name
        raise HydroError("raster_off_earth", message, file=name, west=west, north=north, crs=crs.name)
    return place


def read_grid(
    source: Any, place: Place, *, band: int = 1, nodata: float | None = None, window_cells: int = WINDOW_CELLS
) -> Grid:
    """A band as an upright grid, read by windows; groups of cells are averaged over those that are known.

    ``nodata`` is the user's word where the file does not tell it. Memory: four bytes a cell, and one window.
    """
    import rasterio.enums
    from rasterio.windows import Window

    rows, columns = place.shape
    coarsen = max(1, round(place.cell[1] / abs(source.transform.e)))
    values = np.empty(place.shape, np.float32)
    step = max(1, window_cells // max(1, columns * coarsen**2))
    southward, eastward = source.transform.e < 0, source.transform.a > 0
    skip_row = 0 if southward else source.height - rows * coarsen
    skip_column = 0 if eastward else source.width - columns * coarsen
    scale, offset = np.float32(source.scales[band - 1]), np.float32(source.offsets[band - 1])
    for top in range(0, rows, step):
        count = min(step, rows - top)
        first = top if southward else rows - top - count
        window = Window(skip_column, skip_row + first * coarsen, columns * coarsen, count * coarsen)
        read = source.read(
            band,
            window=window,
            out_shape=(count, columns),
            masked=True,
            resampling=rasterio.enums.Resampling.average if coarsen > 1 else rasterio.enums.Resampling.nearest,
        )
        if np.iscomplexobj(read):
            message = "{file} 的像元是复数，不是高程或雨量。请换一个文件"
            raise HydroError("raster_complex", message, file=Path(source.name).name)
        part = np.ma.filled(read.astype(np.float32), np.nan) * scale + offset
        if nodata is not None:
            part[np.isclose(part, nodata)] = np.nan
        part = part if southward else part[::-1]
        values[top : top + count] = part if eastward else part[:, ::-1]
    return Grid(values, place)


def check_values(grid: Grid, low: float, high: float, file: str) -> None:
    """Refuse a grid without a value, or with values that nothing on the ground has: an undeclared nodata value."""
    least, most = np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        for row in grid.values:
            least, most = min(least, np.fmin.reduce(row)), max(most, np.fmax.reduce(row))  # NaN never wins
    if not np.isfinite(least):
        raise HydroError("raster_empty", "{file} 里没有一个有效的像元。请检查文件与无值（nodata）设置", file=file)
    for extreme in (least, most):
        if not low <= extreme <= high:
            message = (
                "{file} 里有 {value:g}，超出可能的范围 {low:g}～{high:g}，像是没有声明的无值。"
                "若是，请加 --nodata {value:g}；若单位不对，请先换算"
            )
            params = {"file": file, "value": float(extreme), "low": low, "high": high}
            raise HydroError("raster_values", message, **params)


def must_cover(place: Place, rivers: Objects, file: str) -> None:
    """Refuse a raster that no river (shapes in CGCS2000) lies in, telling both extents."""
    west, south, east, north = place.lonlat
    if shapely.intersects(shapely.box(west, south, east, north), rivers).any():
        return
    message = (
        "{file} 与河网不在一处：栅格 {west:.4f}～{east:.4f}°E {south:.4f}～{north:.4f}°N，"
        "河网 {left:.4f}～{right:.4f}°E {bottom:.4f}～{top:.4f}°N。请检查坐标系（--crs）或换一个文件"
    )
    left, bottom, right, top = map(float, shapely.total_bounds(rivers))
    raise HydroError(
        "raster_elsewhere", message, file=file, west=west, east=east, south=south, north=north,
        left=left, right=right, bottom=bottom, top=top,
    )  # fmt: skip


def must_fit(cells: int, bytes_a_cell: int, file: str, free: int | None = None) -> None:
    """Refuse work that the machine has no memory for, telling what it needs and how much coarser cells would do."""
    import psutil

    room = psutil.virtual_memory().available if free is None else free
    need = BASE_BYTES + cells * bytes_a_cell
    if need <= room:
        return
    coarsen = int(np.ceil(np.sqrt(cells * bytes_a_cell / max(room - BASE_BYTES, 1 << 20))))
    message = (
        "{file} 有 {cells:,} 个像元，约需内存 {need:.1f} GB，本机现可用 {room:.1f} GB。"
        "请关闭其他程序，或用 --coarsen {coarsen} 把每 {coarsen}×{coarsen} 个像元并作一个"
    )
    params = {"file": file, "cells": cells, "need": need / 2**30, "room": room / 2**30, "coarsen": max(2, coarsen)}
    raise HydroError("raster_memory", message, **params)


def shapes_of(frames: Sequence[Any]) -> Objects:
    """The geometry of spatial tables as one array, what has none left out."""
    shapes = [np.asarray(frame["geometry"], object) for frame in frames if "geometry" in frame and len(frame)]
    every = np.concatenate(shapes) if shapes else np.empty(0, object)
    return np.asarray(every[~shapely.is_missing(every)], object)
