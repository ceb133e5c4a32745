"""A small basin of known truth, and the ways in which bureaus' files of it are broken.

Ten reaches in metres on a plane (CGCS2000, 3-degree zone of 114° E, in 新乡市): 甲河 takes 乙河, gives a share to the
canal 丙河 at C, takes 丁河, and takes 丙河 back at F; the water leaves at M.
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely

PLANE = "EPSG:4547"
ORIGIN = (480_000.0, 3_905_000.0)
PLACES = {
    "A": (0, 10), "B": (5, 8), "C": (10, 7), "D": (16, 6), "E": (18, 2), "F": (22, 4), "M": (28, 3),
    "H1": (4, 14), "H2": (17, 12), "H3": (12, -3),
}  # fmt: skip
REACHES = [
    ("R01", "甲河", "A", "B"), ("R02", "甲河", "B", "C"), ("R03", "乙河", "H1", "B"), ("R04", "甲河", "C", "D"),
    ("R05", "丙河", "C", "E"), ("R06", "丙河", "E", "F"), ("R07", "甲河", "D", "F"), ("R08", "丁河", "H2", "D"),
    ("R09", "戊河", "H3", "E"), ("R10", "甲河", "F", "M"),
]  # fmt: skip
SHAPE = (10, 10, 1, 1, 1)
"""reaches, nodes, mouths, splits, components."""
OUTLETS = {"P1": ("R01", 0.5), "P2": ("R03", 0.3), "P3": ("R05", 0.6), "P4": ("R08", 0.4), "P5": ("R10", 0.5)}
SECTIONS = {"S1": ("R02", 0.7), "S2": ("R10", 0.8)}


def point(name: str) -> tuple[float, float]:
    """A node on the plane, metres."""
    return ORIGIN[0] + 1000 * PLACES[name][0], ORIGIN[1] + 1000 * PLACES[name][1]


def line(start: str, end: str) -> shapely.LineString:
    """A gently winding line between two nodes."""
    a, b = np.array(point(start)), np.array(point(end))
    across = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a))
    return shapely.LineString([a + (b - a) * t + across * 150 * np.sin(2 * np.pi * t) for t in np.linspace(0, 1, 13)])


def reaches() -> geopandas.GeoDataFrame:
    """The reaches as drawn, without node columns."""
    rows = {"reach_id": [r[0] for r in REACHES], "river": [r[1] for r in REACHES]}
    return geopandas.GeoDataFrame(rows, geometry=[line(r[2], r[3]) for r in REACHES], crs=PLANE)


def beside(reach: str, part: float, off_m: float = 40.0) -> shapely.Point:
    """A point beside a reach."""
    drawn = reaches().set_index("reach_id").geometry[reach]
    at, on = drawn.interpolate(part, normalized=True), drawn.interpolate(part + 0.001, normalized=True)
    step = np.array([on.x - at.x, on.y - at.y])
    step *= off_m / np.hypot(*step)
    return shapely.Point(at.x - step[1], at.y + step[0])


def outlets() -> geopandas.GeoDataFrame:
    """Five outlets beside their reaches."""
    rows = {"outlet_id": list(OUTLETS), "name": [f"{name}号排污口" for name in OUTLETS]}
    return geopandas.GeoDataFrame(rows, geometry=[beside(*where) for where in OUTLETS.values()], crs=PLANE)


def sections() -> geopandas.GeoDataFrame:
    """Two sections with targets."""
    rows = {"section_id": list(SECTIONS), "name": ["上断面", "下断面"], "tp_target_mg_l": [0.2, 0.3]}
    return geopandas.GeoDataFrame(rows, geometry=[beside(*where) for where in SECTIONS.values()], crs=PLANE)


def lonlat(table: geopandas.GeoDataFrame) -> pd.DataFrame:
    """A table of points with 经度 and 纬度 for a sheet."""
    there = table.to_crs(4490)
    return pd.DataFrame(table.drop(columns="geometry")).assign(
        经度=there.geometry.x.round(7), 纬度=there.geometry.y.round(7)
    )


def reversed_at(table: geopandas.GeoDataFrame, *ids: str) -> geopandas.GeoDataFrame:
    """Some reaches drawn upstream."""
    turn = table["reach_id"].isin(ids)
    return table.set_geometry([g.reverse() if t else g for g, t in zip(table.geometry, turn, strict=True)], crs=PLANE)


def jittered(table: geopandas.GeoDataFrame, most_m: float, seed: int = 0) -> geopandas.GeoDataFrame:
    """Every end moved at random, at most so far."""
    chance = np.random.default_rng(seed)
    moved = []
    for geometry in table.geometry:
        xy = np.array(geometry.coords)
        for end in (0, -1):
            angle, far = chance.uniform(0, 2 * np.pi), most_m * np.sqrt(chance.uniform())
            xy[end] += [far * np.cos(angle), far * np.sin(angle)]
        moved.append(shapely.LineString(xy))
    return table.set_geometry(moved, crs=PLANE)


def dms(angle: float, marks: str = "°′″") -> str:
    """An angle as degrees, minutes, seconds."""
    whole = round(angle * 3600 * 100)
    degrees, minutes, seconds = whole // 360_000, whole // 6_000 % 60, whole % 6_000 / 100
    return f"{degrees}{marks[0]}{minutes:02d}{marks[1]}{seconds:05.2f}{marks[2]}"


def shapefile(table: geopandas.GeoDataFrame, path: Path, encoding: str = "utf-8", cpg: str | None = "") -> Path:
    """A shapefile whose .cpg tells the truth (blank), something else, or is missing (None)."""
    table.to_file(path, encoding=encoding, engine="pyogrio")
    mark = path.with_suffix(".cpg")
    if cpg is None:
        mark.unlink(missing_ok=True)
    elif cpg:
        mark.write_text(cpg)
    return path


def workbook(path: Path, sheets: dict[str, list[list[object]]], merged: dict[str, list[str]] | None = None) -> Path:
    """An xlsx of bare cells, with merged ranges."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for area in (merged or {}).get(name, []):
            sheet.merge_cells(area)
    book.save(path)
    return path
