"""Files on disk to raw layers: what is in them, unread and unchanged; dangerous files are refused before they are read."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from hydro.errors import Fault, HydroError
from layers.formats import archive, encodings, geojson, kml, parquet, sheets, webpage
from layers.formats.archive import MAX_MEMBERS

MAX_BYTES = 1 << 30
"""No single file may be larger."""

MAX_TEXT_BYTES = 400 << 20
"""Text files grow tenfold when read."""

SIDECARS = {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qmd", ".qml", ".sld", ".qgs", ".qgz"}
IGNORED = {
    ".md",
    ".xml",
    ".pdf",
    ".doc",
    ".docx",
    ".ppt",
    ".pptx",
    ".png",
    ".jpg",
    ".jpeg",
    ".tif",
    ".tiff",
    ".py",
    ".log",
}
PAGE = re.compile(rb"<!doctype html|<html|<table|<meta|<head|<div", re.I)
NO_PERMISSION = ("no_permission", "没有读取 {file} 的权限。请检查权限，或复制到自己的文件夹")
MADE_BY_GIS = {"-wal", "-shm", "-journal"}


@dataclass
class Layer:
    """One table as its file holds it: cells unconverted, row numbers of the source as index, geometry beside it.

    ``declared`` tells where ``crs`` comes from: ``file`` (a .prj, a GeoPackage), ``format`` (GeoJSON and KML are WGS 84
    by definition), blank where nothing says it.
    """

    file: str
    name: str
    frame: pd.DataFrame
    geometry: NDArray[np.object_] | None = None
    crs: CRS | None = None
    declared: str = ""
    units: dict[str, str] = field(default_factory=dict)
    notes: list[Fault] = field(default_factory=list)

    @property
    def label(self) -> str:
        """How the layer is called in a message."""
        return self.file if self.name == Path(self.file).stem or not self.name else f"{self.file} · {self.name}"


def open_layers(paths: Sequence[str | Path]) -> tuple[list[Layer], list[Fault]]:
    """Every layer in files and folders, and what could not be read: a fault a file, the others are still read."""
    layers: list[Layer] = []
    faults: list[Fault] = []
    with ExitStack() as stack:
        for given in paths:
            path = Path(given)
            wrong = _unreadable(path)
            if wrong:
                faults.append(Fault(wrong.code, wrong.message, {"file": str(given)}, row=str(given)))
                continue
            for shown, file in _files(path, stack, faults):
                try:
                    found = list(_read(file, shown))
                    faults += [note for layer in found for note in layer.notes]
                    layers += [layer for layer in found if len(layer.frame.columns) or layer.geometry is not None]
                except HydroError as wrong:
                    params = {"file": shown, **wrong.params}
                    faults.append(Fault(wrong.code, wrong.message, params, row=shown))
                except FileNotFoundError:
                    faults.append(Fault("file_gone", "{file} 在读取时不见了。请检查后再试", {"file": shown}, row=shown))
                except PermissionError:
                    faults.append(Fault(*NO_PERMISSION, {"file": shown}, row=shown))
                except MemoryError:
                    message = "{file} 太大，内存不足。请拆分后再导入"
                    faults.append(Fault("file_too_large", message, {"file": shown}, row=shown))
                except (
                    Exception
                ) as wrong:  # a reader's own failure on broken bytes is the file's fault, never a traceback
                    message = "{file} 无法读取，文件可能已损坏（{why}）。请重新导出后再试"
                    why = re.sub(r"/\S*/", "", str(wrong))[:120] or type(wrong).__name__
                    faults.append(Fault("file_broken", message, {"file": shown, "why": why}, row=shown))
    return layers, faults


def _unreadable(path: Path) -> HydroError | None:
    """What keeps a path from being read: absent, a pipe or device (which might never end), closed to this user."""
    try:
        if not path.exists():
            return HydroError("file_missing", "找不到 {file}。请检查路径")
        if not path.is_file() and not path.is_dir():
            return HydroError("not_a_file", "{file} 不是文件也不是文件夹（管道、设备等不能导入）。请先存成文件")
        if not os.access(path, os.R_OK):
            return HydroError(*NO_PERMISSION)
    except (OSError, ValueError):
        return HydroError("file_missing", "找不到 {file}。请检查路径")
    return None


def _files(path: Path, stack: ExitStack, faults: list[Fault], *, unpacked: bool = False) -> Iterator[tuple[str, Path]]:
    """Readable files under a path with the name they are told by; archives are unpacked to a temporary folder."""
    if path.is_dir():
        inside = path.rglob("*") if unpacked else path.iterdir()
        members = sorted(p for p in islice(inside, MAX_MEMBERS + 1) if not _hidden(p.relative_to(path)))
        if len(members) > MAX_MEMBERS:
            message = "文件夹 {file} 里有 {limit} 个以上的文件，超出限度。请挑选需要的文件导入"
            faults.append(Fault("folder_full", message, {"file": str(path), "limit": MAX_MEMBERS}, row=str(path)))
            return
        deeper = [p.name for p in members if p.is_dir()]
        if deeper and not unpacked:
            message = "文件夹 {file} 里的子文件夹未读取：{folders}。如需读取，请直接给出该文件夹"
            params = {"file": str(path), "folders": "、".join(deeper[:8])}
            faults.append(Fault("folders_unread", message, params, row=str(path), warning=True))
        members = [p for p in members if p.is_file()]
        base = path
    else:
        members, base = [path], path.parent
    shapes = {p.with_suffix("") for p in members if p.suffix.lower() == ".shp"}
    for file in members:
        suffix = file.suffix.lower()
        shown = str(file.relative_to(base))
        if path.is_dir() and (suffix in IGNORED or any(file.name.endswith(end) for end in MADE_BY_GIS)):
            continue
        if suffix in SIDECARS and (file.with_suffix("") in shapes or suffix != ".dbf"):
            if not path.is_dir():
                message = "{file} 只是 shapefile 的一部分。请选择 .shp 文件，或整个文件夹"
                faults.append(Fault("sidecar", message, {"file": shown}, row=shown))
            continue
        if suffix in (".zip", ".kmz"):
            try:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qingyuan-")))
                _check_size(file)
                archive.unpack(file, folder)
            except HydroError as wrong:
                faults.append(Fault(wrong.code, wrong.message, {"file": shown, **wrong.params}, row=shown))
                continue
            yield from ((f"{shown}/{inner}", each) for inner, each in _files(folder, stack, faults, unpacked=True))
        else:
            yield shown, file


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX", "~$")) for part in path.parts)


def _read(path: Path, shown: str) -> Iterator[Layer]:
    """The layers of one file, by what its bytes say rather than its name."""
    wrong = _unreadable(path)
    if wrong:
        raise wrong
    size = path.stat().st_size
    if size == 0:
        raise HydroError("file_empty", "{file} 是空文件")
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(4096)
    _check_size(path)
    if suffix == ".shp":
        yield shapefile(path, shown)
    elif head.startswith(b"SQLite format 3\x00"):
        yield from geopackage(path, shown)
    elif suffix in (".gpkg", ".sqlite"):
        raise HydroError("gpkg_broken", "{file} 不是 GeoPackage（文件头不对）。请重新导出")
    elif suffix in (".xls", ".xlsx") and PAGE.match(head.lstrip(b"\xef\xbb\xbf \t\r\n")):
        for sheet in webpage.read(path):
            yield Layer(shown, sheet.name, sheet.frame, units=sheet.units, notes=_noted(sheet.notes, shown))
    elif head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or suffix in (".xlsx", ".xls", ".xlsm", ".ods"):
        for sheet in sheets.read_workbook(path, head):
            yield Layer(shown, sheet.name, sheet.frame, units=sheet.units, notes=_noted(sheet.notes, shown))
    elif head.startswith(parquet.MAGIC):
        yield Layer(shown, path.stem, parquet.read(path))
    elif suffix == ".dbf":
        raise HydroError("dbf_alone", "{file} 缺少同名的 .shp。请把 shapefile 的全部文件一起导入")
    elif suffix in (".tif", ".tiff", ".img", ".vrt") or head[:4] in (b"II*\x00", b"MM\x00*"):
        raise HydroError(
            "file_raster", "{file} 是栅格，不能导入为表。高程请用 terrain，土地利用请用 landuse，雨量请用 rainfall"
        )
    elif b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and not encodings.wide_encoding(head):
        raise HydroError(
            "file_binary", "{file} 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、parquet、zip"
        )
    else:
        yield from _text(path, shown, head, suffix)


def _check_size(path: Path) -> None:
    text = path.suffix.lower() in (".csv", ".tsv", ".txt", ".json", ".geojson", ".kml")
    size, limit = path.stat().st_size, MAX_TEXT_BYTES if text else MAX_BYTES
    if size > limit:
        message = "{file} 有 {size:.0f} MB，超出限度 {limit:.0f} MB。请拆分后再导入"
        raise HydroError("file_too_large", message, file=path.name, size=size / 2**20, limit=limit / 2**20)


def _text(path: Path, shown: str, head: bytes, suffix: str) -> Iterator[Layer]:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"[") and suffix not in (".csv", ".tsv"):
        for group in geojson.read(path.read_bytes()):
            crs, declared = (group.crs, "file") if group.crs else (CRS.from_epsg(4326), "format")
            if group.table and shapely.is_missing(group.geometry).all():
                yield Layer(shown, group.table, group.frame)
            else:
                yield from _by_shape(Layer(shown, group.table or path.stem, group.frame, group.geometry, crs, declared))
    elif suffix == ".kml" or (re.match(rb"<\?xml|<kml", start) and b"<kml" in head):
        found = kml.read(path.read_bytes())
        yield from _by_shape(Layer(shown, path.stem, found.frame, found.geometry, CRS.from_epsg(4326), "format"))
    elif start[:1] == b"<" and suffix not in (".csv", ".tsv"):
        raise HydroError(
            "file_binary", "{file} 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、parquet、zip"
        )
    else:
        sheet = sheets.read_delimited(path)
        yield Layer(shown, path.stem, sheet.frame, units=sheet.units, notes=_noted(sheet.notes, shown))


def _noted(notes: Sequence[Fault], shown: str) -> list[Fault]:
    return [Fault(n.code, n.message, {"file": shown, **n.params}, row=shown, warning=n.warning) for n in notes]


def geopackage(path: Path, shown: str) -> Iterator[Layer]:
    """Every layer of a GeoPackage, tables without geometry included; views are not computed, the file is only read."""
    import pyogrio

    views = _views(path)
    for name, kind in pyogrio.list_layers(path):
        if name in ("layer_styles", "qgis_projects") or str(name).startswith(("gpkg_", "rtree_", "sqlite_")):
            continue
        if name not in views:
            yield from _vector(path, shown, str(name), layer=str(name), spatial=kind is not None)
    for name in views:
        message = "{file} 里的视图 {view} 未读取（视图可能永远算不完）。请存成图层"
        told = Fault("view_unread", message, {"file": shown, "view": name}, row=shown, warning=True)
        yield Layer(shown, name, pd.DataFrame(), notes=[told])


def _views(path: Path) -> list[str]:
    """Names of the views; raises HydroError where the catalogue itself cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    except sqlite3.Error as wrong:
        message = "{file} 打不开：GeoPackage 已损坏（{why}）。请重新导出"
        raise HydroError("gpkg_broken", message, why=str(wrong)[:120]) from wrong


def shapefile(path: Path, shown: str) -> Layer:
    """A shapefile whose encoding is read from its bytes, whatever the .cpg says; a missing .shx is rebuilt aside."""
    from layers.formats import dbf

    with tempfile.TemporaryDirectory(prefix="qingyuan-") as folder:
        siblings = [p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in SIDECARS | {".shp"}]
        present = {p.suffix.lower() for p in siblings}
        for sibling in siblings:
            _check_size(sibling)
        notes: list[Fault] = []
        source = path
        unknown = ".prj" in present and not _says_a_system(path.with_suffix(".prj"))
        if ".shx" not in present or unknown:
            for sibling in siblings:
                if not unknown or sibling.suffix.lower() != ".prj":
                    shutil.copyfile(sibling, Path(folder, "layer" + sibling.suffix.lower()))
            source = Path(folder, "layer.shp")
        if ".shx" not in present:
            message = "{file} 缺少 .shx 索引，已按图形重建（原文件未改）"
            notes.append(Fault("shx_missing", message, {"file": shown}, row=shown, warning=True))
        if unknown:
            message = "{file} 的 .prj 读不懂，当作没有说明坐标系"
            notes.append(Fault("prj_broken", message, {"file": shown}, row=shown, warning=True))
        table = next((p for p in siblings if p.suffix.lower() == ".dbf"), None)
        dbf.check_shapes(path, table)
        encoding, doubt = dbf.encoding(table, path.with_suffix(".cpg")) if table else ("utf-8", None)
        if doubt:
            notes.append(Fault(doubt.code, doubt.message, {"file": shown, **doubt.params}, row=shown, warning=True))
        if table is None:
            message = "{file} 缺少 .dbf 属性表，只有图形"
            notes.append(Fault("dbf_missing", message, {"file": shown}, row=shown, warning=True))
        (layer,) = _vector(source, shown, path.stem, encoding="ISO-8859-1", restore=".shx" not in present)
        layer.frame = dbf.decoded(layer.frame, encoding)
        layer.notes += notes
        return layer


def _says_a_system(path: Path) -> bool:
    """Whether a .prj is a coordinate system in words that can be read; its ending may be in capitals."""
    found = next((p for p in path.parent.glob(f"{glob.escape(path.stem)}.*") if p.suffix.lower() == ".prj"), path)
    try:
        CRS.from_wkt(found.read_text(encoding="utf-8", errors="strict")[:20_000])
    except (CRSError, OSError, ValueError):
        return False
    return True


def _vector(
    path: Path, shown: str, name: str, *, spatial: bool = True, restore: bool = False, **options: Any
) -> list[Layer]:
    import pyogrio

    pyogrio.set_gdal_config_options(
        {"SHAPE_RESTORE_SHX": "YES" if restore else "NO", "OGR_GEOMETRY_ACCEPT_UNCLOSED_RING": "YES"}
    )
    meta, _, geometry, columns = pyogrio.raw.read(path, force_2d=True, read_geometry=spatial, **options)
    frame = pd.DataFrame(dict(zip(meta["fields"], columns, strict=True)))
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    shapes = None
    if geometry is not None:
        shapes = np.asarray(shapely.from_wkb(geometry, on_invalid="ignore"), dtype=object)
        if not len(frame.columns):
            frame = pd.DataFrame(index=pd.RangeIndex(1, len(shapes) + 1))
    try:
        crs = CRS.from_user_input(meta["crs"]) if meta.get("crs") else None
    except CRSError:
        crs = None
    layer = Layer(shown, name, frame, shapes, crs, "file" if crs is not None else "")
    return _by_shape(layer) if shapes is not None else [layer]


def _by_shape(layer: Layer) -> list[Layer]:
    """One layer for each dimension of geometry: points, lines, polygons; rows without geometry stay with the most."""
    assert layer.geometry is not None
    dimension = shapely.get_dimensions(layer.geometry)
    kinds, counts = np.unique(dimension[dimension >= 0], return_counts=True)
    if len(kinds) < 2:
        return [layer]
    most = kinds[np.argmax(counts)]
    parts = []
    for kind in kinds:
        rows = (dimension == kind) | ((dimension < 0) & (kind == most))
        suffix = ("点", "线", "面")[int(kind)]
        parts.append(
            Layer(
                layer.file,
                f"{layer.name}（{suffix}）",
                layer.frame[rows],
                layer.geometry[rows],
                layer.crs,
                layer.declared,
            )
        )
    return parts
