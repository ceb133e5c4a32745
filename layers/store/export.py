"""A project as files for other programs: GeoPackage, GeoJSON, shapefiles, a workbook; its observations as Parquet. What a format cannot hold is told.

The files come in again through the ordinary door (``import``) as the same rows; ``tests/test_export.py`` holds that.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from hydro.errors import Fault, HydroError
from layers.formats.inert import inert
from layers.store.tables import LAYOUTS, OWN

if TYPE_CHECKING:
    from layers.store.project import Project

FORMATS = (".gpkg", ".geojson", ".shp", ".zip", ".xlsx")
"""Endings under which a whole project leaves."""
LONGEST_CELL = 32_767
"""Characters that a cell of a workbook holds."""
LONGEST_FIELD = 254
"""Bytes that a text field of a shapefile's table holds."""
LONGEST_NAME = 10
"""Characters that a column's name has in a shapefile; ``import`` knows the cut names."""

Tables = Mapping[str, pd.DataFrame]


def export(project: Project, out: str | Path, *, overwrite: bool = False) -> tuple[list[Path], list[Fault]]:
    """Write every table that holds rows to files, and return the files and what their format could not hold.

    The ending of ``out`` names the format: ``.gpkg`` (one layer a table), ``.geojson`` (one collection; each feature
    carries its ``table``), ``.shp`` (``out_reaches.shp`` …, tables without geometry as ``.csv``), ``.zip`` (the same,
    packed), ``.xlsx`` (one sheet a table), ``.parquet`` (the observations alone).  The files stand whole, or none does.

    Raises:
        HydroError: another ending, a file that is there already, or a folder that cannot be written.
    """
    target = Path(out)
    writer = WRITERS.get(target.suffix.lower())
    if writer is None:
        raise HydroError(
            "export_format", "不能导出为 {file}。可用的后缀：{known}", file=target.name, known="、".join(WRITERS)
        )
    facts = pd.DataFrame([{"name": project.name, "demo": int(project.demo)}])
    wanted = ("observations",) if writer is _parquet else tuple(LAYOUTS)
    tables = {name: _bare(table) for name, table in project.tables(wanted, geometry=True).items() if len(table)}
    tables["project"] = facts  # what import takes a project's name and its 示例 mark from
    notes: list[Fault] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
            made = writer(tables, Path(folder), target.stem, notes)
            return _moved(made, target.parent, overwrite), notes
    except OSError as wrong:
        message = "写不进 {folder}（{why}）。请换一个可写的文件夹，或腾出空间"
        why = wrong.strerror or type(wrong).__name__
        raise HydroError("export_unwritable", message, folder=str(target.parent), why=why) from wrong


def _bare(table: pd.DataFrame) -> pd.DataFrame:
    """The table without the store's own columns."""
    return table.drop(columns=[name for name in OWN if name in table])


def _moved(made: list[Path], folder: Path, overwrite: bool) -> list[Path]:
    """Put finished files in their place; none if one of that name is there and may not be replaced."""
    places = [folder / file.name for file in made]
    there = [place.name for place in places if place.exists()]
    if there and not overwrite:
        message = "{files} 已经存在，未导出。请换一个文件名，或加 --overwrite 覆盖"
        raise HydroError("export_exists", message, files="、".join(there))
    for file, place in zip(made, places, strict=True):
        os.replace(file, place)
    return places


def _geopackage(tables: Tables, folder: Path, stem: str, _: list[Fault]) -> list[Path]:
    import pyogrio

    file = folder / f"{stem}.gpkg"
    kinds = {"MULTIPOLYGON": "MultiPolygon", "POINT": "Point", "LINESTRING": "LineString"}
    for name, table in tables.items():
        kind = kinds[LAYOUTS[name].geometry] if "geometry" in table else None
        pyogrio.write_dataframe(table, file, layer=name, append=file.exists(), geometry_type=kind)
    return [file]


def _geojson(tables: Tables, folder: Path, stem: str, _: list[Fault]) -> list[Path]:
    """One collection in longitude and latitude; a row without a place has a null geometry, as RFC 7946 allows."""
    features = []
    for name, table in tables.items():
        shapes = shapely.to_geojson(_shapes(table))
        for row, shape in zip(_rows(table), shapes, strict=True):
            geometry = None if shape is None else json.loads(shape)
            features.append({"type": "Feature", "properties": {"table": name, **row}, "geometry": geometry})
    file = folder / f"{stem}.geojson"
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False)
    file.write_text(text, encoding="utf-8")
    return [file]


def _shapes(table: pd.DataFrame) -> Any:
    return np.asarray(table["geometry"], dtype=object) if "geometry" in table else np.full(len(table), None)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, blanks as None, without the geometry."""
    plain = table.drop(columns="geometry", errors="ignore")
    plain = pd.DataFrame(plain).astype(object).where(plain.notna(), None)
    return [{str(k): v for k, v in row.items()} for row in plain.to_dict("records")]


def _shapefiles(tables: Tables, folder: Path, stem: str, notes: list[Fault], *, prefix: bool = True) -> list[Path]:
    import pyogrio

    for name, table in tables.items():
        called = f"{stem}_{name}" if prefix else name
        if "geometry" not in table:
            table.map(inert).to_csv(folder / f"{called}.csv", index=False, encoding="utf-8-sig")
            continue
        drawn = table.rename(columns=lambda name: str(name)[:LONGEST_NAME])
        for column in drawn.columns.drop("geometry"):
            if pd.api.types.is_numeric_dtype(drawn[column]):
                continue
            cut = drawn[column].map(_short)
            count = int((cut != drawn[column]).sum() - drawn[column].isna().sum())
            if count:
                message = "{table} 的 {column} 有 {count} 格长于 shapefile 能存的 254 字节，已截断；要完整请用 .gpkg"
                notes.append(_told("export_cut", message, table=name, column=str(column), count=count))
                drawn[column] = cut
        pyogrio.write_dataframe(drawn, folder / f"{called}.shp", encoding="utf-8")
    return sorted(folder.iterdir())


def _short(cell: Any) -> Any:
    """A text cut to what a shapefile holds, between two characters."""
    if not isinstance(cell, str) or len(cell.encode()) <= LONGEST_FIELD:
        return cell
    return cell.encode()[:LONGEST_FIELD].decode(errors="ignore")


def _zipped(tables: Tables, folder: Path, stem: str, notes: list[Fault]) -> list[Path]:
    inner = folder / "inner"
    inner.mkdir()
    members = _shapefiles(tables, inner, stem, notes, prefix=False)
    file = folder / f"{stem}.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in members:
            packed.write(member, member.name)
    shutil.rmtree(inner)
    return [file]


def _workbook(tables: Tables, folder: Path, stem: str, notes: list[Fault]) -> list[Path]:
    """One sheet a table; text is written as text, whatever it looks like. Points as lon and lat, other shapes as WKT."""
    import xlsxwriter

    file = folder / f"{stem}.xlsx"
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        for name, table in tables.items():
            plain, long = _flat(table)
            if long:
                message = "{table} 有 {count} 个图形或文字长过一格，未写入工作簿；要完整请用 .gpkg"
                notes.append(_told("export_long", message, table=name, count=long))
            sheet = book.add_worksheet(name)
            for i, column in enumerate(plain.columns):
                sheet.write_string(0, i, str(column), head)
                sheet.set_column(i, i, max(10, len(str(column)) + 2))
            for r, row in enumerate(_rows(plain), 1):
                for i, cell in enumerate(row.values()):
                    if isinstance(cell, str):
                        sheet.write_string(r, i, cell)
                    elif cell is not None:
                        sheet.write_number(r, i, cell)
            sheet.freeze_panes(1, 1)
    return [file]


def _parquet(tables: Tables, folder: Path, stem: str, _: list[Fault]) -> list[Path]:
    from layers.formats import parquet

    if "observations" not in tables:
        raise HydroError("no_observations", "项目里没有监测数据，没有可导出为 parquet 的内容")
    file = folder / f"{stem}{parquet.SUFFIX}"
    parquet.write(tables["observations"], file)
    return [file]


def _flat(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """A table with its geometry as columns, and how many cells would not fit."""
    if "geometry" not in table:
        return table, 0
    shapes = _shapes(table)
    plain = pd.DataFrame(table.drop(columns="geometry"))
    points = shapely.get_type_id(shapes[~shapely.is_missing(shapes)]) == 0
    if bool(points.all()):
        return plain.assign(lon=shapely.get_x(shapes), lat=shapely.get_y(shapes)), 0
    texts = pd.Series(shapely.to_wkt(shapes, rounding_precision=9), index=plain.index, dtype=object)
    long = texts.str.len() > LONGEST_CELL
    return plain.assign(wkt=texts.mask(long)), int(long.sum())


def _told(code: str, message: str, *, table: str, **params: Any) -> Fault:
    return Fault(code, message, {"table": table, **params}, table=table, warning=True)


WRITERS: Mapping[str, Callable[[Tables, Path, str, list[Fault]], list[Path]]] = {
    **dict(zip(FORMATS, (_geopackage, _geojson, _shapefiles, _zipped, _workbook), strict=True)),
    ".parquet": _parquet,
}
