"""The workbook (XLSX): one sheet a table, headings frozen, widths, number formats, units, data bars; no formula anywhere."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil
from typing import Any

import xlsxwriter

from reports import phrases
from reports.content import Content
from reports.fonts import OFFICE_FACE
from reports.rows import LATIN, breadth, widths
from reports.tables import Cell, Column, Table, all_tables

HEAD = {
    "bold": True,
    "bottom": 1,
    "bg_color": "#EAF0F6",
    "valign": "vcenter",
    "text_wrap": True,
    "font_name": OFFICE_FACE,
}
NOT_IN_A_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
LONGEST_CELL, LONGEST_SHEET_NAME = 32_767, 31
LINE, TALLEST_ROW = 18.0, 409.0
"""Height of a line, and what a row may have at most, in points."""
COVER_WIDTH = 110.0
A4, A3, A4_ACROSS = 9, 8, 190.0
"""Excel's numbers for the papers, and the characters that A4 holds across, still to be read."""
SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""How a workbook is opened: what begins with ``=`` stays text."""


def workbook(content: Content) -> bytes:
    """Every table of the pack; the first sheet says what the figures are and where they come from.

    Text is written as text whatever it looks like: a name that begins with ``=`` stays a name.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, SAFE) as book:
        book.set_properties({"title": phrases.title(content), "comments": phrases.credit(content)})
        _cover(book, content)
        for table in all_tables(content):
            _sheet(book, table, content)
    return buffer.getvalue()


def _cover(book: xlsxwriter.Workbook, content: Content) -> None:
    say = content.say
    sheet = book.add_worksheet(say("说明"))
    big = book.add_format({"bold": True, "font_size": 16, "font_name": OFFICE_FACE})
    red = book.add_format({"bold": True, "font_color": "#B3261E", "font_size": 12, "font_name": OFFICE_FACE})
    plain = book.add_format({"text_wrap": True, "valign": "top", "font_name": OFFICE_FACE})
    sheet.set_column(0, 0, COVER_WIDTH, plain)
    sheet.write_string(0, 0, f"{phrases.title(content)} · {phrases.month_name(content)}", big)
    sheet.write_string(1, 0, say("示例数据，非实测") if content.demo else "", red)
    lines = [
        phrases.situation(content),
        *(phrases.verdict(content, one) for one in content.measured if one.status in ("over", "at")),
        phrases.plan_effect(content),
        *phrases.method(content),
        phrases.credit(content),
    ]
    for row, line in enumerate(filter(None, lines), 3):
        sheet.set_row(row, _height([line], [COVER_WIDTH]))
        sheet.write_string(row, 0, line, plain)
    sheet.set_row(0, 26)
    _page(sheet, content, COVER_WIDTH)


def _sheet(book: xlsxwriter.Workbook, table: Table, content: Content) -> None:
    sheet = book.add_worksheet(sheet_name(table, content))
    if content.demo:
        sheet.set_tab_color("#B3261E")
    over_words, over_numbers = book.add_format({**HEAD, "indent": 1}), book.add_format({**HEAD, "align": "right"})
    face = {"font_name": OFFICE_FACE, "valign": "vcenter"}
    numbers = [book.add_format({**face, "num_format": _format(c)}) for c in table.columns]
    centred, plain = ({"align": "center"}, {"align": "left", "indent": 1, "text_wrap": True})
    words = [book.add_format({**face, **(centred if c.centred else plain)}) for c in table.columns]
    wide = widths(table)
    for i, column in enumerate(table.columns):
        sheet.set_column(i, i, wide[i])
        told = any(isinstance(row[i], str) for row in table.rows)
        sheet.write_string(0, i, column.heading, over_words if told else over_numbers)
    sheet.set_default_row(LINE)
    for r, row in enumerate(table.rows, 1):
        if (tall := _height(row, wide)) > LINE:
            sheet.set_row(r, tall)
        for i, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(r, i, cell[:LONGEST_CELL], words[i])
            elif cell is None:
                sheet.write_blank(r, i, None, numbers[i])
            else:
                sheet.write_number(r, i, cell, numbers[i])
    last = len(table.rows)
    for i, column in enumerate(table.columns):
        if column.bar:
            sheet.conditional_format(1, i, last, i, {"type": "data_bar", "bar_color": "#9DC3E6", "bar_solid": True})
    sheet.set_row(0, max(2 * LINE, _height([column.heading for column in table.columns], wide)))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, last, len(table.columns) - 1)
    sheet.repeat_rows(0)
    _page(sheet, content, sum(wide))


def _page(sheet: Any, content: Content, width: float) -> None:
    """How it prints: all columns on one page, as large a paper as they need, credit and page number at the foot."""
    sheet.set_landscape()
    sheet.set_paper(A3 if width > A4_ACROSS else A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L&8{_footer(phrases.credit(content))}&R&8&P / &N")


def _height(cells: Sequence[Cell], wide: Sequence[float]) -> float:
    """Height in points of a row whose words wrap at the width of their columns (in Latin characters)."""
    lines = [
        ceil(breadth(cell) / LATIN / max(w - 1, 1))
        for cell, w in zip(cells, wide, strict=True)
        if isinstance(cell, str)
    ]
    return min(LINE * max([1, *lines]), TALLEST_ROW)


def sheet_name(table: Table, content: Content) -> str:
    """What the sheet of a table is called: made-up figures say so on every tab."""
    label = content.say("示例") if content.demo else ""
    room = LONGEST_SHEET_NAME - len(f" {label}" if label else "")
    return f"{table.title.translate(NOT_IN_A_SHEET_NAME)[:room]} {label}".rstrip()


def _format(column: Column) -> str:
    decimals = "." + "0" * column.digits if column.digits else ""
    return f"0{decimals}%" if column.percent else f"#,##0{decimals}"


def _footer(words: str) -> str:
    """``&`` is a code in a footer; doubled it is itself. A footer holds 255 characters."""
    return words.replace("&", "&&")[:200]
