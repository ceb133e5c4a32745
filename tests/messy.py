"""Files as a department hands them over: right in substance, wrong in every form."""

from pathlib import Path

import geopandas
import openpyxl
import shapely
from pyproj import Transformer

RIVER = ["卫河", "卫河", "卫河", "百泉河", "东孟姜女河"]
DEGREES = [
    [(113.90, 35.30), (113.93, 35.31), (113.96, 35.32)],
    [(113.96, 35.32), (113.99, 35.335), (114.02, 35.34)],
    [(114.02, 35.34), (114.05, 35.35), (114.08, 35.37)],
    [(113.94, 35.40), (113.95, 35.36), (113.96, 35.32)],
    [(114.01, 35.28), (114.02, 35.31), (114.02, 35.34)],
]


def shapefile(folder: Path) -> list[Path]:
    """Five reaches in 3-degree Gauss-Kruger with the zone before the easting, names in GBK, no .prj and no .cpg."""
    to_plane = Transformer.from_crs(4490, 4526, always_xy=True)
    lines = [shapely.LineString([to_plane.transform(*at) for at in line]) for line in DEGREES]
    rows = geopandas.GeoDataFrame(
        {
            "河段编码": [f"HD{n:02d}" for n in range(1, 6)],
            "河流名称": RIVER,
            "流量": [6.0, 8.0, 10.0, 2.0, 2.0],
            "流速": [0.4, 0.4, 0.45, 0.3, 0.3],
        },
        geometry=lines,
        crs=4526,
    )
    path = folder / "河段.shp"
    rows.to_file(path, encoding="gbk", engine="pyogrio")
    for suffix in (".prj", ".cpg"):
        path.with_suffix(suffix).unlink(missing_ok=True)
    return sorted(folder.glob("河段.*"))


def workbook(folder: Path) -> Path:
    """Three sheets with titles, merged heads of two lines, 万吨/日, 未检出, a total row, and an outlet far from any river."""
    book = openpyxl.Workbook()
    _sections(book.active)
    _plants(book.create_sheet("排污口"))
    _samples(book.create_sheet("监测数据"))
    path = folder / "排口与断面 2022.xlsx"
    book.save(path)
    return path


def _title(sheet: openpyxl.worksheet.worksheet.Worksheet, words: str, width: int) -> None:
    sheet.cell(1, 1, words)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)


def _sections(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    sheet.title = "断面"
    _title(sheet, "新乡市控制断面一览表", 7)
    for column, head in enumerate(("断面编号", "断面名称", "所在河流", "级别"), 1):
        sheet.cell(2, column, head)
        sheet.merge_cells(start_row=2, start_column=column, end_row=3, end_column=column)
    sheet.cell(2, 5, "位置")
    sheet.merge_cells(start_row=2, start_column=5, end_row=2, end_column=6)
    sheet.cell(3, 5, "经度")
    sheet.cell(3, 6, "纬度")
    sheet.cell(2, 7, "总磷目标(mg/L)")
    sheet.merge_cells(start_row=2, start_column=7, end_row=3, end_column=7)
    sheet.append(["DM01", "皇甫", "卫河", "国控", 114.06, 35.355, 0.3])
    sheet.append(["DM02", "饮马口", "卫河", "市控", 113.985, 35.333, 0.3])


def _plants(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    _title(sheet, "入河排污口台账（示例）", 7)
    sheet.append(["排口编号", "排口名称", "所在河流", "经度", "纬度", "许可排水量(万吨/日)", "许可总磷浓度(mg/L)"])
    sheet.append(["PK01", "城东污水处理厂排口", "卫河", 113.975, 35.328, 5, 0.5])
    sheet.append(["PK02", "造纸厂排口", "卫河", 114.035, 35.345, 0.8, 0.5])
    sheet.append(["PK03", "百泉排口", "百泉河", 113.951, 35.357, "1.2", "0.4"])
    sheet.append(["PK04", "远处的排口", "卫河", 113.70, 35.20, 0.3, 0.5])
    sheet.append(["合计", None, None, None, None, 7.3, None])


def _samples(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
    _title(sheet, "2022年断面水质监测结果", 3)
    sheet.append(["断面名称", "采样时间", "总磷(mg/L)"])
    for name, months in {"皇甫": (0.21, 0.26, 0.38), "饮马口": (0.18, "未检出", 0.24)}.items():
        for month, value in zip((5, 6, 7), months, strict=True):
            sheet.append([name, f"2022年{month}月", value])
