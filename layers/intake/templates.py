"""Empty sheets to fill in, one a table, made from the data dictionary: what is typed into them imports as it stands.

The first sheet holds the header, a row of units and nothing else; the second says what each column means, what may
stand in it, and gives an example.  The import reads the first and leaves the second alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from hydro.errors import HydroError
from hydro.schema import GEOMETRY, KEYS, Attribute, attributes
from layers import columns, units

LANGUAGES = ("zh", "en")
PLACES = {
    "point": (("lon", "经度", "经度，CGCS2000", "Longitude, CGCS2000", "113.9201"),
              ("lat", "纬度", "纬度，CGCS2000", "Latitude, CGCS2000", "35.3012")),
    "line": (("wkt", "WKT", "沿水流方向的线（WKT，经度在前）；也可另给 shapefile", "Line drawn downstream (WKT, longitude first); "
              "or a shapefile beside it", "LINESTRING (113.90 35.30, 113.95 35.31)"),),
    "polygon": (("wkt", "WKT", "面（WKT，经度在前）；也可另给 shapefile", "Polygon (WKT, longitude first); or a shapefile beside it",
                 "POLYGON ((113.9 35.3, 114.0 35.3, 114.0 35.4, 113.9 35.3))"),),
}  # fmt: skip
"""How a place is written in a sheet: column, header in Chinese, meaning in both languages, example."""
ABOUT = {
    "zh": ("填表说明", ("列名", "含义", "计量", "是否必填", "可填内容", "举例")),
    "en": ("how to fill in", ("heading", "meaning", "measured in", "must be filled", "may hold", "for instance")),
}
YES = {"zh": "是", "en": "yes"}
SAID_UNIT = {"10^4 CNY": "万元", "10^4 CNY/a": "万元/年"}


@dataclass(frozen=True)
class Column:
    """One column of a template: its header, its unit, what it means, and an example."""

    name: str
    header: str
    unit: str
    meaning: str
    required: bool
    allowed: str
    example: str


def template(table: str, lang: str = "zh") -> tuple[Column, ...]:
    """The columns of a table's template. Raises HydroError for a table that cannot be imported."""
    if table not in columns.IMPORTED:
        known = "、".join(columns.IMPORTED)
        raise HydroError("table_unknown", "没有名为 {table} 的表。可用：{known}", table=table, known=known)
    return tuple(_columns(table, lang))


def _columns(table: str, lang: str) -> Iterator[Column]:
    for attribute in attributes(table).values():
        unit = SAID_UNIT.get(attribute.unit, attribute.unit)
        meaning = attribute.description_zh if lang == "zh" else attribute.description_en
        yield Column(
            attribute.name,
            _header(attribute) if lang == "zh" else attribute.name,
            unit if units.is_unit(unit) else "",
            meaning,
            attribute.required,
            " | ".join(attribute.choices),
            _example(attribute),
        )
    for name, header, zh, en, example in PLACES.get(GEOMETRY.get(table, ""), ()):
        meaning = zh if lang == "zh" else en
        yield Column(name, header if lang == "zh" else name, "", meaning, table != "reaches", "", example)


def _header(attribute: Attribute) -> str:
    """The first Chinese word for an attribute that is read back as it, else its own name."""
    for word in attribute.synonyms:
        if not word.isascii() and columns.match(attribute.table, [word], {}).source(attribute.name) == word:
            return word
    return attribute.name


def _example(attribute: Attribute) -> str:
    if attribute.choices:
        return attribute.choices[0]
    if attribute.default:
        return attribute.default
    if attribute.name == KEYS[attribute.table][0] or attribute.references:
        return {"reach_id": "R001", "nodes": "N001"}.get(attribute.references or attribute.name, "A001")
    return {"time": "2022-07", "number": "1", "integer": "1"}.get(attribute.type, "")


def as_csv(table: str, lang: str = "zh") -> bytes:
    """The template as CSV with a byte order mark, so that Excel reads its Chinese: header and units."""
    made = template(table, lang)
    sheet = io.StringIO()
    csv.writer(sheet).writerows([[column.header for column in made], [column.unit for column in made]])
    return sheet.getvalue().encode("utf-8-sig")


def as_xlsx(table: str, lang: str = "zh") -> bytes:
    """The template as a workbook: the sheet to fill in, required columns marked, and the sheet that explains it."""
    import xlsxwriter

    made = template(table, lang)
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        head = book.add_format({"bold": True, "bg_color": "#EEF3F7", "border": 1})
        must = book.add_format({"bold": True, "bg_color": "#FBE9D0", "border": 1})
        soft = book.add_format({"font_color": "#667788", "italic": True})
        sheet = book.add_worksheet(table)
        for i, column in enumerate(made):
            sheet.write_string(0, i, column.header, must if column.required else head)
            sheet.write_string(1, i, column.unit, soft)
            sheet.write_comment(0, i, "\n".join(filter(None, (column.meaning, column.allowed, column.example))))
            sheet.set_column(i, i, max(12, 2 * len(column.header)))
            if column.allowed:
                choices = column.allowed.split(" | ")
                if sum(map(len, choices)) + len(choices) < 250:  # the longest list a cell may offer
                    sheet.data_validation(
                        2, i, 2000, i, {"validate": "list", "source": choices, "error_type": "warning"}
                    )
        sheet.freeze_panes(2, 0)
        title, headings = ABOUT[lang]
        about = book.add_worksheet(title)
        about.write_row(0, 0, headings, head)
        for i, column in enumerate(made, start=1):
            required = YES[lang] if column.required else ""
            about.write_row(
                i, 0, (column.header, column.meaning, column.unit, required, column.allowed, column.example)
            )
        about.set_column(0, 0, 18)
        about.set_column(1, 1, 60)
        about.set_column(2, 5, 16)
    return stream.getvalue()
