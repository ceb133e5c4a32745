"""Files on disk to raw layers: what is in them, unread and unchanged; dangerous files are refused before they are read."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from hydro.errors import Fault, HydroError
from hydro.schema import KEYS
from layers import kml, sheets

MAX_BYTES = 1 << 30
"""No single file, and no archive unpacked, may be larger."""

MAX_TEXT_BYTES = 400 << 20
"""Text files grow tenfold when read."""

MAX_RATIO = 200
"""An archive that grows more than this, beyond MAX_SMALL bytes, is a bomb."""

MAX_SMALL = 50 << 20
MAX_MEMBERS = 5000

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
            if not path.exists():
                faults.append(Fault("file_missing", "找不到 {file}。请检查路径", {"file": str(given)}, row=str(given)))
                continue
            for shown, file in _files(path, stack, faults):
                try:
                    found = list(_read(file, shown))
                    faults += [note for layer in found for note in layer.notes]
                    layers += [layer for layer in found if len(layer.frame.columns) or layer.geometry is not None]
                except HydroError as wrong:
                    params = {"file": shown, **wrong.params}
                    faults.append(Fault(wrong.code, wrong.message, params, row=shown))
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


def _files(path: Path, stack: ExitStack, faults: list[Fault], *, unpacked: bool = False) -> Iterator[tuple[str, Path]]:
    """Readable files under a path with the name they are told by; archives are unpacked to a temporary folder."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
        members = (
            [p for p in found if p.parent == path] if not unpacked else found
        )  # what lies deeper is something else
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
                unpack(file, folder)
            except HydroError as wrong:
                faults.append(Fault(wrong.code, wrong.message, {"file": shown, **wrong.params}, row=shown))
                continue
            yield from ((f"{shown}/{inner}", each) for inner, each in _files(folder, stack, faults, unpacked=True))
        else:
            yield shown, file


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX", "~$")) for part in path.parts)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip; refuses bombs, paths that lead outside, encrypted and nested archives before a byte is written."""
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [member for member in packed.infolist() if not member.is_dir()]
            total = sum(member.file_size for member in members)
            packed_size = max(1, archive.stat().st_size)
            if (
                len(members) > MAX_MEMBERS
                or total > MAX_BYTES
                or (total > MAX_SMALL and total / packed_size > MAX_RATIO)
            ):
                message = "{file} 解压后有 {count} 个文件、{size:.0f} MB，超出限度，已拒绝。请解压后挑选需要的文件导入"
                raise HydroError("zip_bomb", message, count=len(members), size=total / 2**20)
            for member in members:
                _unpack_member(packed, member, folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zipfile.zlib.error) as wrong:  # type: ignore[attr-defined]
        raise HydroError("zip_broken", "{file} 不是完好的压缩包（{why}）。请重新打包", why=str(wrong)[:120]) from wrong
    except RuntimeError as wrong:
        raise HydroError("zip_locked", "{file} 有密码。请去掉密码后再导入") from wrong


def _unpack_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    name = _member_name(member)
    inner = PurePosixPath(name.replace("\\", "/"))
    outside = inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", name)
    if outside or (member.external_attr >> 16) & 0o170000 == 0o120000:
        message = "{file} 里的“{member}”指向压缩包以外，已拒绝整个压缩包。请重新打包"
        raise HydroError("zip_path", message, member=name)
    if inner.suffix.lower() in (".zip", ".rar", ".7z", ".gz"):
        raise HydroError("zip_nested", "{file} 里还有压缩包“{member}”。请解压后再导入", member=name)
    target = folder.joinpath(*inner.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(member) as source, target.open("wb") as sink:
        left = member.file_size + 1
        while chunk := source.read(min(1 << 20, left)):
            sink.write(chunk)
            left -= len(chunk)
            if left <= 0:
                raise HydroError("zip_bomb_lying", "{file} 里的“{member}”比它声明的大，已拒绝", member=name)


def _member_name(member: zipfile.ZipInfo) -> str:
    """The member's name; without the UTF-8 flag Chinese names are GBK, which zipfile reads as cp437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _read(path: Path, shown: str) -> Iterator[Layer]:
    """The layers of one file, by what its bytes say rather than its name."""
    size = path.stat().st_size
    if size == 0:
        raise HydroError("file_empty", "{file} 是空文件")
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(4096)
    if size > MAX_BYTES or (size > MAX_TEXT_BYTES and suffix in (".csv", ".tsv", ".txt", ".json", ".geojson", ".kml")):
        message = "{file} 有 {size:.0f} MB，超出限度 {limit:.0f} MB。请拆分后再导入"
        limit = MAX_BYTES if size > MAX_BYTES else MAX_TEXT_BYTES
        raise HydroError("file_too_large", message, size=size / 2**20, limit=limit / 2**20)
    if suffix == ".shp":
        yield shapefile(path, shown)
    elif head.startswith(b"SQLite format 3\x00"):
        yield from geopackage(path, shown)
    elif suffix in (".gpkg", ".sqlite"):
        raise HydroError("gpkg_broken", "{file} 不是 GeoPackage（文件头不对）。请重新导出")
    elif suffix in (".xls", ".xlsx") and PAGE.match(head.lstrip(b"\xef\xbb\xbf \t\r\n")):
        for sheet in sheets.read_page(path):
            yield Layer(shown, sheet.name, sheet.frame, units=sheet.units, notes=_noted(sheet.notes, shown))
    elif head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or suffix in (".xlsx", ".xls", ".xlsm", ".ods"):
        for sheet in sheets.read_workbook(path, head):
            yield Layer(shown, sheet.name, sheet.frame, units=sheet.units, notes=_noted(sheet.notes, shown))
    elif suffix == ".dbf":
        raise HydroError("dbf_alone", "{file} 缺少同名的 .shp。请把 shapefile 的全部文件一起导入")
    elif suffix in (".tif", ".tiff", ".img", ".vrt") or head[:4] in (b"II*\x00", b"MM\x00*"):
        raise HydroError(
            "file_raster", "{file} 是栅格，不能导入为表。高程请用 terrain，土地利用请用 landuse，雨量请用 rainfall"
        )
    elif b"\x00" in head[:1024] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise HydroError("file_binary", "{file} 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、zip")
    else:
        yield from _text(path, shown, head, suffix)


def _text(path: Path, shown: str, head: bytes, suffix: str) -> Iterator[Layer]:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"[") and suffix not in (".csv", ".tsv"):
        yield from geojson(path, shown)
    elif suffix == ".kml" or (re.match(rb"<\?xml|<kml", start) and b"<kml" in head):
        found = kml.read(path.read_bytes())
        yield from _by_shape(Layer(shown, path.stem, found.frame, found.geometry, CRS.from_epsg(4326), "format"))
    elif start[:1] == b"<" and suffix not in (".csv", ".tsv"):
        raise HydroError("file_binary", "{file} 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、zip")
    else:
        sheet = sheets.read_delimited(path)
        yield Layer(shown, path.stem, sheet.frame, units=sheet.units, notes=_noted(sheet.notes, shown))


def _noted(notes: Sequence[Fault], shown: str) -> list[Fault]:
    return [Fault(n.code, n.message, {"file": shown, **n.params}, row=shown, warning=n.warning) for n in notes]


def geopackage(path: Path, shown: str) -> Iterator[Layer]:
    """Every layer of a GeoPackage, tables without geometry included; the source is opened read-only."""
    import pyogrio

    for name, kind in pyogrio.list_layers(path):
        if name in ("layer_styles", "qgis_projects") or str(name).startswith(("gpkg_", "rtree_", "sqlite_")):
            continue
        yield from _vector(path, shown, str(name), layer=str(name), spatial=kind is not None)


def geojson(path: Path, shown: str) -> Iterator[Layer]:
    """GeoJSON in any encoding; WGS 84 unless it says otherwise."""
    import json

    text = sheets.decode(path.read_bytes())
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise HydroError("json_broken", "{file} 不是完好的 GeoJSON（{why}）", why=str(wrong)[:120]) from wrong
    if not isinstance(parsed, dict) or parsed.get("type") not in ("FeatureCollection", "Feature"):
        raise HydroError("json_other", "{file} 不是 GeoJSON 要素集（缺少 FeatureCollection）")
    features = parsed["features"] if parsed["type"] == "FeatureCollection" else [parsed]
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        raise HydroError("json_other", "{file} 不是 GeoJSON 要素集（缺少 FeatureCollection）")
    crs, declared = CRS.from_epsg(4326), "format"
    named = parsed.get("crs")
    if isinstance(named, dict) and isinstance(named.get("properties"), dict):
        crs, declared = CRS.from_user_input(str(named["properties"].get("name", ""))), "file"
    for name, part in _by_table(features, path.stem).items():
        frame, geometry = _feature_rows(part)
        if name != path.stem and shapely.is_missing(geometry).all():
            yield Layer(shown, name, frame)
        else:
            yield from _by_shape(Layer(shown, name, frame, geometry, crs, declared))


def _by_table(features: Sequence[dict[str, Any]], stem: str) -> dict[str, list[dict[str, Any]]]:
    """The features of a collection in which every one names its table (``export`` writes such), else one group."""
    named: dict[str, list[dict[str, Any]]] = {}
    for feature in features:
        properties = feature.get("properties")
        table = properties.get("table") if isinstance(properties, dict) else None
        if table not in (*KEYS, "project"):
            return {stem: list(features)}
        inner = {key: value for key, value in feature["properties"].items() if key != "table"}
        named.setdefault(table, []).append({**feature, "properties": inner})
    return named or {stem: []}


def _feature_rows(features: Sequence[dict[str, Any]]) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Properties and shapes of features; a nested property is kept as its json."""
    import json

    rows: list[Any] = [f.get("properties") if isinstance(f.get("properties"), dict) else {} for f in features]
    if any("id" in f for f in features) and not any("id" in (row or {}) for row in rows):
        rows = [{"id": f.get("id"), **(row or {})} for f, row in zip(features, rows, strict=True)]
    frame = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1), dtype=object)
    frame = frame.map(lambda cell: json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | list) else cell)
    return frame, _geojson_shapes(features)


def _geojson_shapes(features: Sequence[dict[str, Any]]) -> NDArray[np.object_]:
    """Geometries one by one: a broken one becomes None and is refused later, the others stay."""
    import json

    texts = np.array([json.dumps(f.get("geometry")) if f.get("geometry") else None for f in features], dtype=object)
    return np.asarray(shapely.force_2d(shapely.from_geojson(texts, on_invalid="ignore")), dtype=object)


def shapefile(path: Path, shown: str) -> Layer:
    """A shapefile whose encoding is read from its bytes, whatever the .cpg says; a missing .shx is rebuilt aside."""
    from layers import dbf

    with tempfile.TemporaryDirectory(prefix="qingyuan-") as folder:
        siblings = [p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in SIDECARS | {".shp"}]
        present = {p.suffix.lower() for p in siblings}
        notes: list[Fault] = []
        source = path
        if ".shx" not in present:
            for sibling in siblings:
                shutil.copyfile(sibling, Path(folder, "layer" + sibling.suffix.lower()))
            source = Path(folder, "layer.shp")
            message = "{file} 缺少 .shx 索引，已按图形重建（原文件未改）"
            notes.append(Fault("shx_missing", message, {"file": shown}, row=shown, warning=True))
        table = next((p for p in siblings if p.suffix.lower() == ".dbf"), None)
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
    crs = CRS.from_user_input(meta["crs"]) if meta.get("crs") else None
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
