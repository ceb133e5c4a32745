"""One small basin in every format that the door reads, made by the libraries that bureaus' programs are built on.

``write(name, folder)`` makes the files of one seed; what the fuzzer breaks and the tests of readers read.
"""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

LINES = {
    "R1": [(113.9, 35.3), (113.95, 35.3)],
    "R2": [(113.95, 35.3), (114.0, 35.31)],
    "R3": [(113.94, 35.35), (113.95, 35.3)],
}
OUTLETS = {"O1": (113.92, 35.3005), "O2": (113.97, 35.3045), "O3": (113.944, 35.33)}
MONTHS = ("2022-06", "2022-07", "2022-08")


def reaches() -> gpd.GeoDataFrame:
    columns = {
        "河段编码": list(LINES),
        "河流名称": ["卫河", "卫河", "沧河"],
        "流量": [3.1, 4.2, 1.1],
        "流速": [0.3, 0.3, 0.2],
    }
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(xy) for xy in LINES.values()], crs=4490)


def outlets() -> gpd.GeoDataFrame:
    columns = {"排口编号": list(OUTLETS), "排口名称": ["一厂排口", "二厂排口", "雨洪口"], "设计总磷": [0.5, 1.0, 2.0]}
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(xy) for xy in OUTLETS.values()], crs=4490)


def sections() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "断面编号": ["S1"],
            "断面名称": ["皇甫"],
            "经度": [113.99],
            "纬度": [35.308],
            "总磷目标(mg/L)": [0.3],
            "所在河流": ["卫河"],
        }
    )


def measurements() -> pd.DataFrame:
    return pd.DataFrame({"断面编号": "S1", "采样时间": MONTHS, "总磷(mg/L)": ["0.21", "<0.01", "0.35"]})


def grid() -> list[list[Any]]:
    """Measurements as an office writes them: a title, a header, units apart, a total below."""
    rows = [[station, month, value] for station, month, value in measurements().itertuples(index=False)]
    return [["示例断面月均值", "", ""], ["断面编号", "采样时间", "总磷"], ["", "", "mg/L"], *rows, ["合计", "", 0.57]]


def _shapefile(folder: Path) -> None:
    reaches().to_file(folder / "河段.shp", encoding="GBK")
    outlets().to_file(folder / "排污口.shp", encoding="UTF-8")


def _zip(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    _shapefile(inner)
    with zipfile.ZipFile(folder / "basin.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(inner.iterdir()):
            packed.write(file, f"basin/{file.name}")
    shutil.rmtree(inner)


def _geopackage(folder: Path) -> None:
    reaches().to_file(folder / "basin.gpkg", layer="reaches")
    outlets().to_file(folder / "basin.gpkg", layer="outlets")
    with sqlite3.connect(folder / "basin.gpkg") as connection:
        sections().to_sql("sections", connection, index=False)
    connection.close()


def _geojson(folder: Path) -> None:
    reaches().to_file(folder / "reaches.geojson")
    outlets().to_file(folder / "outlets.geojson")


def _kml(folder: Path) -> None:
    marks = [_placemark(name, "LineString", xy) for name, xy in LINES.items()]
    (folder / "河段.kml").write_text(_document(marks), encoding="utf-8")
    marks = [_placemark(name, "Point", [xy]) for name, xy in OUTLETS.items()]
    (folder / "排污口.kml").write_text(_document(marks), encoding="utf-8")


def _placemark(name: str, kind: str, xy: list[tuple[float, float]]) -> str:
    places = " ".join(f"{x},{y},0" for x, y in xy)
    data = f'<ExtendedData><Data name="编号"><value>{name}</value></Data></ExtendedData>'
    return f"<Placemark><name>{name}</name>{data}<{kind}><coordinates>{places}</coordinates></{kind}></Placemark>"


def _document(marks: list[str]) -> str:
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    return f"{start}{''.join(marks)}</Document></kml>"


def _delimited(folder: Path, separator: str, suffix: str) -> None:
    lines = reaches()
    pd.DataFrame(lines.drop(columns="geometry")).assign(wkt=lines.geometry.to_wkt()).to_csv(
        folder / f"reaches{suffix}", index=False, sep=separator
    )
    sections().to_csv(folder / f"sections{suffix}", index=False, encoding="gb18030", sep=separator)
    measurements().to_csv(folder / f"observations{suffix}", index=False, encoding="utf-8-sig", sep=separator)


def _workbook(path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("月报")
        sheet.merge_range(0, 0, 0, 2, grid()[0][0])
        for i, row in enumerate(grid()[1:], start=1):
            sheet.write_row(i, 0, row)
        other = book.add_worksheet("断面")
        other.write_row(0, 0, list(sections().columns))
        for i, row in enumerate(sections().itertuples(index=False), start=1):
            other.write_row(i, 0, list(row))
        book.add_worksheet("空表")


def _xlsx(folder: Path) -> None:
    _workbook(folder / "月报.xlsx")


def _xlsm(folder: Path) -> None:
    """A workbook with a macro part and the content type of one that has macros."""
    plain = folder / "plain.xlsx"
    _workbook(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(folder / "月报.xlsm", "w", zipfile.ZIP_DEFLATED) as packed:
        for member in source.infolist():
            raw = source.read(member)
            packed.writestr(
                member.filename, raw.replace(b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main")
            )
        packed.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"AutoOpen" * 64)
    plain.unlink()


def _xls(folder: Path) -> None:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("月报")
    for i, row in enumerate(grid()):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell)
    book.save(str(folder / "月报.xls"))


def _ods(folder: Path) -> None:
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    rows = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in grid())
    content = (
        f'<office:document-content xmlns:office="{space}office:1.0" xmlns:table="{space}table:1.0" '
        f'xmlns:text="{space}text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="月报">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(folder / "月报.ods", "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        packed.writestr("META-INF/manifest.xml", "<manifest/>")


def _ods_cell(cell: Any) -> str:
    if isinstance(cell, float):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    shown = str(cell).replace("<", "&lt;")
    return f'<table:table-cell office:value-type="string"><text:p>{shown}</text:p></table:table-cell>'


SEEDS: dict[str, Callable[[Path], None]] = {
    "shp": _shapefile,
    "zip": _zip,
    "gpkg": _geopackage,
    "geojson": _geojson,
    "kml": _kml,
    "csv": lambda folder: _delimited(folder, ",", ".csv"),
    "tsv": lambda folder: _delimited(folder, "\t", ".tsv"),
    "xlsx": _xlsx,
    "xlsm": _xlsm,
    "xls": _xls,
    "ods": _ods,
}
"""Format -> what writes its files into an empty folder."""


def contents(name: str, folder: Path) -> dict[str, bytes]:
    """The files of a seed, made in a folder of its own: name -> bytes."""
    place = folder / name
    place.mkdir(parents=True)
    SEEDS[name](place)
    return {file.name: file.read_bytes() for file in sorted(place.iterdir())}


__all__ = ["SEEDS", "contents"]
