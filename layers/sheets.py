"""Sheets as people make them: any encoding, titles above the table, headers of two lines, merged cells, units apart.

What is above the header and what sums up below the table is not data; both are told.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hydro.errors import Fault, HydroError
from layers import columns, units, workbook

HEADER_WITHIN = 30
"""A header stands among the first so many rows."""

MAX_UNPACKED = 1 << 30
SUMMARY = re.compile(
    r"^\s*(合\s*计|总\s*计|小\s*计|共\s*计|累\s*计|平\s*均值?|均\s*值|最大值?|最小值?|总数|total|sum|average|mean)\s*[:：]?\s*$",
    re.I,
)
NOTE = re.compile(r"^\s*(注|备注|说明|填表人|填报人|审核|制表|数据来源|单位|联系)\s*[:：]")


@dataclass
class Sheet:
    """A table out of a sheet: cells as they were, row numbers of the sheet as index, units found apart from headers."""

    name: str
    frame: pd.DataFrame
    units: dict[str, str] = field(default_factory=dict)
    notes: list[Fault] = field(default_factory=list)


def decode(raw: bytes) -> str:
    """Bytes of a text file as text: BOM, UTF-8, GB18030, then what charset-normalizer finds likely."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                break
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:200_000]).best()
    if best is None:
        raise HydroError("encoding_unknown", "{file} 的文字编码无法识别。请另存为 UTF-8 后再导入")
    try:
        return raw.decode(best.encoding)
    except (UnicodeDecodeError, LookupError) as wrong:
        raise HydroError("encoding_unknown", "{file} 的文字编码无法识别。请另存为 UTF-8 后再导入") from wrong


def read_delimited(path: Path) -> Sheet:
    """A CSV or TSV, whatever separates its cells."""
    text = decode(path.read_bytes())
    if "\x00" in text:
        raise HydroError("file_binary", "{file} 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、zip")
    lines = text[:200_000].splitlines()
    separator = max(",\t;|，", key=lambda mark: (_steady(lines, mark), -",\t;|，".index(mark)))
    csv.field_size_limit(10_000_000)
    try:
        start = list(csv.reader(io.StringIO("\n".join(lines[:HEADER_WITHIN])), delimiter=separator))
        header = find_header(start)
        body = (
            list(csv.reader(io.StringIO(text), delimiter=separator)) if header.rows or len(text) < 2_000_000 else None
        )
        if body is None:
            return _fast(text, separator, path.stem)
    except csv.Error as wrong:
        raise HydroError("csv_broken", "{file} 不是完好的表格文本（{why}）", why=str(wrong)[:120]) from wrong
    return _table(path.stem, body, header)


def _fast(text: str, separator: str, name: str) -> Sheet:
    """A large plain table: header in the first line, nothing to clean around it."""
    frame = pd.read_csv(
        io.StringIO(text),
        sep=separator,
        dtype=str,
        keep_default_na=False,
        engine="c",
        on_bad_lines="warn",
        index_col=False,
    )
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return Sheet(name, frame.astype(object))


def _steady(lines: list[str], mark: str) -> int:
    counts = [line.count(mark) for line in lines[:HEADER_WITHIN] if line.strip()]
    return int(np.median(counts)) * 100 + max(counts, default=0) if counts else 0


def read_workbook(path: Path, head: bytes) -> Iterator[Sheet]:
    """Every sheet of an xlsx, xlsm, xls or ods that holds a table. Values are read, formulas and macros never run."""
    _check_container(path, head)
    found = 0
    for grid in workbook.read_grids(path):
        if not any(cell not in ("", None) for row in grid.cells for cell in row):
            continue
        found += 1
        if grid.hidden:
            message = "{file} 的工作表“{sheet}”是隐藏的，未读取。如需读取，请在 Excel 里取消隐藏并保存"
            hidden = Fault("sheet_hidden", message, {"sheet": grid.name}, warning=True)
            yield Sheet(grid.name, pd.DataFrame(), notes=[hidden])
            continue
        _fill_merged(grid.cells, grid.merged)
        cells = [[_cell(cell) for cell in row] for row in grid.cells]
        grid.cells = []
        sheet = _table(grid.name, cells, find_header(cells[:HEADER_WITHIN]))
        if grid.uncounted:
            message = "{file} 的工作表“{sheet}”有 {count} 个公式没有存下结果（{cells}），按空白读取。请用 Excel 打开、保存后再导入"
            shown = "、".join(grid.uncounted[:5])
            params = {"sheet": grid.name, "count": len(grid.uncounted), "cells": shown}
            sheet.notes.append(Fault("formula_uncounted", message, params, warning=True))
        yield sheet
    if not found:
        raise HydroError("book_empty", "{file} 没有数据：各工作表都是空的")


def _check_container(path: Path, head: bytes) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raw = path.read_bytes()
        if "EncryptedPackage".encode("utf-16-le") in raw or b"E\0n\0c\0r\0y\0p\0t\0e\0d" in raw:
            raise HydroError("book_locked", "{file} 有密码保护。请去掉密码另存后再导入")
        return
    if not head.startswith(b"PK\x03\x04"):
        kinds = {
            b"\x89PNG": "PNG 图片",
            b"\xff\xd8\xff": "JPEG 图片",
            b"GIF8": "GIF 图片",
            b"%PDF": "PDF 文档",
            b"BM": "BMP 图片",
        }
        kind = next((kind for mark, kind in kinds.items() if head.startswith(mark)), "其他格式")
        message = "{file} 不是 Excel 文件（内容是{kind}）。请给真正的 .xlsx、.xls 或 .csv"
        raise HydroError("book_fake", message, kind=kind)
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            total = sum(member.file_size for member in members)
            named = {member.filename for member in members}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as wrong:
        message = "{file} 不是完好的 Excel 文件（{why}）。请用 Excel 另存为 .xlsx 后再导入"
        raise HydroError("book_broken", message, why=str(wrong)[:120]) from wrong
    if total > MAX_UNPACKED or (total > 50 << 20 and total / max(1, path.stat().st_size) > 200):
        message = "{file} 解压后有 {size:.0f} MB，超出限度，已拒绝。请另存为 CSV 后再导入"
        raise HydroError("zip_bomb", message, size=total / 2**20)
    if not any(name.startswith(("xl/", "content.xml")) for name in named):
        message = "{file} 不是 Excel 文件（内容是{kind}）。请给真正的 .xlsx、.xls 或 .csv"
        raise HydroError("book_fake", message, kind="ZIP 压缩包")


def read_page(path: Path) -> Iterator[Sheet]:
    """The tables of a web page that a program saved under the name of a workbook (``.xls``); nothing in it is run."""
    from lxml import html

    try:
        page = html.document_fromstring(decode(path.read_bytes()))
        tables = [each for each in page.iter("table") if not any(True for _ in each.iterdescendants("table"))]
    except (ValueError, html.etree.LxmlError) as wrong:
        raise _no_table() from wrong
    found = 0
    for table in tables:
        grid = _page_grid(table)
        if any(cell for row in grid for cell in row):
            found += 1
            yield _table(f"表{found}", grid, find_header(grid[:HEADER_WITHIN]))
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


def _fill_merged(cells: list[list[Any]], merged: list[tuple[int, int, int, int]]) -> None:
    for top, left, bottom, right in merged:
        if top >= len(cells) or left >= len(cells[top]) or (bottom - top + 1) * (right - left + 1) > 100_000:
            continue
        value = cells[top][left]
        for row in range(top, min(bottom + 1, len(cells))):
            for column in range(left, min(right + 1, len(cells[row]))):
                cells[row][column] = value


def _cell(cell: Any) -> Any:
    """A cell as text or number; dates in ISO 8601, midnight dropped; whole floats lose their ``.0``."""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(timespec="minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time | timedelta):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, bool):
        return "1" if cell else "0"
    return "" if cell is None else str(cell)


@dataclass(frozen=True)
class Header:
    """Where the header stands (row numbers from 0), its labels, and units that stood in a line of their own."""

    rows: int
    first: int
    labels: list[str]
    units: dict[str, str]


def find_header(grid: list[list[Any]]) -> Header:
    """The header of a sheet: the line or pair of lines whose cells are known as columns best; the first otherwise."""
    best = (0.0, 0, 1, [str(cell) for cell in grid[0]] if grid else [])
    for i, _row in enumerate(grid):
        for depth in (1, 2, 3):
            if i + depth > len(grid):
                break
            labels = _labels(grid[i : i + depth])
            known = sum(columns.known(label) for label in set(labels) if label)  # a group name spreads over several
            numeric = sum(units.is_number(cell) for line in grid[i : i + depth] for cell in line)
            score = known - 0.02 * (depth - 1) - 2.0 * numeric
            if score > best[0] + 1e-9:
                best = (score, i, depth, labels)
        if i > 0 and best[0] >= 2 and i > best[1] + 3:
            break
    _, first, depth, labels = best
    after = first + depth
    apart: dict[str, str] = {}
    if after < len(grid):
        line = [str(cell).strip().strip("()（）[]") for cell in grid[after]]
        filled = [cell for cell in line if cell]
        if filled and sum(units.is_unit(cell) for cell in filled) >= max(1, 0.6 * len(filled)):
            apart = {label: cell for label, cell in zip(labels, line, strict=False) if cell and units.is_unit(cell)}
            after += 1
    return Header(after, first, labels, apart)


def _labels(lines: list[list[Any]]) -> list[str]:
    """One label a column out of one to three header lines: the lowest known word; group names fill to the right."""
    width = max(map(len, lines))
    filled = []
    for depth, line in enumerate(lines):
        cells = [str(cell).strip() for cell in line] + [""] * (width - len(line))
        if depth < len(lines) - 1:
            for i in range(1, width):
                if not cells[i] and cells[i - 1] and str((lines[depth + 1] + [""] * width)[i]).strip():
                    cells[i] = cells[i - 1]
        filled.append(cells)
    labels = []
    for column in zip(*filled, strict=True):
        words = list(dict.fromkeys(re.sub(r"\s+", " ", word) for word in column if word))
        if len(words) > 1 and units.is_unit(words[-1].strip("()（）")):
            words = [*words[:-2], f"{words[-2]}({words[-1].strip('()（）')})"]
        joined = "".join(words)
        known = [word for word in (joined, *reversed(words)) if columns.known(word) >= 0.9]
        labels.append(known[0] if known else (words[-1] if words else ""))
    return labels


def _table(name: str, grid: list[list[Any]], header: Header) -> Sheet:
    labels = _unique(header.labels)
    width = len(labels)
    notes: list[Fault] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, line in enumerate(grid[header.rows :], start=header.rows + 1):
        cells = [str(cell).strip() for cell in line[:width]] + [""] * (width - len(line))
        if not any(cells):
            continue
        spill = [str(cell) for cell in line[width:] if str(cell).strip()]
        if spill:
            message = "{file} 第 {line} 行比表头多出 {count} 格，多出的未读：{cells}"
            params = {"line": number, "count": len(spill), "cells": "、".join(spill)[:80]}
            notes.append(Fault("row_too_long", message, params, warning=True))
        rows.append(cells)
        numbers.append(number)
    frame = pd.DataFrame(rows, columns=pd.Index(labels, dtype=object), index=numbers, dtype=object)
    frame = frame.loc[:, [bool(label) for label in labels]]
    if header.first > 0:
        message = "{file}：表头在第 {line} 行，其上 {count} 行作为标题未读"
        notes.append(Fault("title_rows", message, {"line": header.first + 1, "count": header.first}, warning=True))
    return Sheet(name, frame, header.units, notes[:20])


def _unique(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        unique.append(label if seen[label] == 1 or not label else f"{label}#{seen[label]}")
    return unique


def summary_rows(frame: pd.DataFrame) -> pd.Series[bool]:
    """Rows that sum up or explain the table rather than belong to it."""
    text = frame.astype(str)
    filled = (text != "").sum(axis=1)
    first = pd.Series("", index=frame.index)
    for column in range(min(3, text.shape[1])):
        first = first.where(first != "", text.iloc[:, column])
    total: pd.Series[bool] = (
        first.str.match(SUMMARY)
        | (first.str.match(NOTE) & (filled <= 2))
        | text.iloc[:, :3].apply(lambda column: column.str.match(SUMMARY)).any(axis=1)
    )
    return total
