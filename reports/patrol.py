"""The patrol list: which outlets to visit, in which order, by whom and by which way; on screen and on paper."""

from __future__ import annotations

import io

import pandas as pd
import xlsxwriter

from i18n import text
from reports.fonts import OFFICE_FACE
from reports.printable import clean

NAMES = {"UNREGISTERED": "沿河步行，查未登记排口"}
COLUMNS = (
    ("order", "次序", 6, "0"), ("name", "去哪里", 26, ""), ("probability", "可能性", 9, "0%"),
    ("information_bits", "可得信息 (bit)", 10, "0.00"), ("place", "位置", 24, ""), ("to_section_km", "距断面 (km)", 10, "0.0"),
    ("route", "水流路线", 26, ""), ("county", "县（市、区）", 12, ""), ("town", "乡镇", 12, ""), ("grid_owner", "网格长", 12, ""),
)  # fmt: skip
BLANKS = (("到访时间", 14), ("发现", 26), ("签字", 12))
"""What whoever goes there fills in by hand."""


def with_routes(stops: pd.DataFrame, lang: str = "zh") -> pd.DataFrame:
    """A patrol list in words: names that people know, the route as one line."""
    named = [text(NAMES.get(str(i), str(n)), lang) for i, n in zip(stops["source_id"], stops["name"], strict=True)]
    return stops.assign(name=named, route=[" → ".join(way) for way in stops["route"]])


def patrol_sheet(
    stops: pd.DataFrame, *, section: str, time: str, project: str, demo: bool, made_on: str, lang: str = "zh"
) -> bytes:
    """The patrol list as a workbook of one printable page: A4 across, headings on every page, columns to sign in."""
    rows = with_routes(stops, lang)
    places = [
        text("河段 {reach} 里程 {chainage} m", lang, reach=reach, chainage=round(metres)) if pd.notna(metres)
        else text("河段 {reach} 全线", lang, reach=reach)
        for reach, metres in zip(rows["reach_id"], rows["chainage_m"], strict=True)
    ]  # fmt: skip
    rows = rows.assign(place=places)
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        face = {"font_name": OFFICE_FACE, "valign": "vcenter", "text_wrap": True}
        head = book.add_format({**face, "bold": True, "border": 1, "bg_color": "#EAF0F6"})
        title = book.add_format({**face, "bold": True, "font_size": 16, "text_wrap": False})
        note = book.add_format({**face, "text_wrap": False, "font_color": "#59656F"})
        sheet = book.add_worksheet(text("巡查清单", lang))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(3)
        sheet.write_string(0, 0, clean(text("巡查清单：{section}，{time}", lang, section=section, time=time)), title)
        told = text(
            "按查看后最能缩小怀疑范围的次序排列；上一处查清即止。{project}，{date} 制",
            lang,
            project=project,
            date=made_on,
        )
        sheet.write_string(1, 0, clean(told + ("　" + text("示例数据，非实测", lang) if demo else "")), note)
        for i, (_, word, width, _) in enumerate(COLUMNS):
            sheet.set_column(i, i, width)
            sheet.write_string(3, i, text(word, lang), head)
        for i, (word, width) in enumerate(BLANKS, len(COLUMNS)):
            sheet.set_column(i, i, width)
            sheet.write_string(3, i, text(word, lang), head)
        for i, (name, _, _, shape) in enumerate(COLUMNS):
            cell = book.add_format({**face, "border": 1, **({"num_format": shape} if shape else {})})
            for r, value in enumerate(rows[name], 4):
                if shape and pd.notna(value):
                    sheet.write_number(r, i, float(value), cell)
                else:
                    sheet.write_string(r, i, "" if shape else clean(value), cell)
        blank = book.add_format({**face, "border": 1})
        for r in range(4, 4 + len(rows)):
            sheet.set_row(r, 30)
            for i in range(len(COLUMNS), len(COLUMNS) + len(BLANKS)):
                sheet.write_blank(r, i, None, blank)
    return buffer.getvalue()
