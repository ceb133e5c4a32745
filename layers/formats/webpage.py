"""Tables of web pages that programs save under the name of a workbook (``.xls``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydro.errors import HydroError
from layers.formats.encodings import decode
from layers.formats.sheets import HEADER_WITHIN, Sheet, find_header, tabulate


def read(path: Path) -> Iterator[Sheet]:
    """The tables of a web page that a program saved under the name of a workbook (``.xls``); nothing in it is run."""
    from lxml import html

    try:
        page = html.document_fromstring(decode(path.read_bytes())[0])
        tables = [each for each in page.iter("table") if not any(True for _ in each.iterdescendants("table"))]
    except (ValueError, html.etree.LxmlError) as wrong:
        raise _no_table() from wrong
    found = 0
    for table in tables:
        grid = _page_grid(table)
        if any(cell for row in grid for cell in row):
            found += 1
            yield tabulate(f"表{found}", grid, find_header(grid[:HEADER_WITHIN]))
    if not found:
        raise _no_table()


def _no_table() -> HydroError:
    return HydroError("page_empty", "{file} 其实是网页，里面没有表格。请用 Excel 打开，另存为 .xlsx 后再导入")


def _page_grid(table: Any) -> list[list[Any]]:
    """Cells of an HTML table; one that spans several places fills them all."""
    filled: dict[tuple[int, int], str] = {}
    rows = list(table.iter("tr"))
    for i, row in enumerate(rows):
        j = 0
        for cell in row.iterchildren("td", "th"):
            while (i, j) in filled:
                j += 1
            high, wide = (min(_span(cell.get(name)), 1000) for name in ("rowspan", "colspan"))
            words = " ".join(cell.text_content().split())
            filled |= {(i + a, j + b): words for a in range(min(high, len(rows) - i)) for b in range(wide)}
            j += wide
    width = 1 + max((j for _, j in filled), default=-1)
    return [[filled.get((i, j), "") for j in range(width)] for i in range(len(rows))]


def _span(said: str | None) -> int:
    return max(1, int(said)) if said and said.strip().isdecimal() else 1
