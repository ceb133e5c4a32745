"""Sheets as people make them: any encoding, titles above the table, headers of two lines, merged cells, units apart.

What is above the header and what sums up below the table is not data; both are told.
"""

from __future__ import annotations

import csv
import io
import mmap
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
from layers import columns, units
from layers.formats import workbook
from layers.formats.encodings import decode

HEADER_WITHIN = 30
"""A header stands among the first so many rows."""

MAX_UNPACKED = 1 << 30
MAX_LINE = 1_000_000
LONG_LINE = re.compile(rf"[^\r\n]{{{MAX_LINE}}}")
MOST_LINES_A_CELL = 12
"""A remark of several lines is one cell; a quotation mark that is never closed makes a cell of many rows."""

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


def read_delimited(path: Path) -> Sheet:
    """A CSV or TSV, whatever separates its cells."""
    text, mixed = decode(path.read_bytes())
    if "\x00" in text:
        raise HydroError(
            "file_binary", "{file} 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、parquet、zip"
        )
    long = LONG_LINE.search(text)
    if long:
        message = "{file} 第 {line} 行超过 {limit} 个字符，不是表格。请检查换行符，重新导出"
        raise HydroError("csv_line_long", message, line=text.count("\n", 0, long.start()) + 1, limit=MAX_LINE)
    lines = text[:200_000].splitlines()
    separator = max(",\t;|，", key=lambda mark: (_steady(lines, mark), -",\t;|，".index(mark)))
    start = [line for line, _ in _records("\n".join(lines[: 2 * HEADER_WITHIN]), separator, HEADER_WITHIN)]
    header = find_header(start)
    sheet = _fast(text, separator, path.stem) if not header.rows > 1 and len(text) > 2_000_000 else None
    if sheet is None:
        records = list(_records(text, separator))
        sheet = tabulate(path.stem, [cells for cells, _ in records], header)
    if mixed:
        message = "{file} 混用了 UTF-8 和 GBK 两种编码（{count} 行与其余不同），已逐行识别。请核对文字"
        sheet.notes.append(Fault("encodings_mixed", message, {"count": mixed}, warning=True))
    return sheet


def _records(text: str, separator: str, most: int | None = None) -> Iterator[tuple[list[str], int]]:
    """Rows of a delimited text with the line that each ends on; quotation marks must come in pairs."""
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=most is None)
    before = 0
    try:
        for record in reader:
            if most is not None and reader.line_num > most:
                return
            if reader.line_num - before > MOST_LINES_A_CELL and any(
                separator in cell for cell in record if "\n" in cell
            ):
                raise csv.Error("unexpected end of data")
            before = reader.line_num
            yield record, before
    except csv.Error as wrong:
        if most is None:
            message = "{file} 第 {line} 行起的引号不成对，之后的行分不开。请改正该行的引号（{why}）"
            raise HydroError("csv_quotes", message, line=before + 1, why=str(wrong)[:120]) from wrong


def _fast(text: str, separator: str, name: str) -> Sheet | None:
    """A large plain table: header in the first line, nothing to clean around it; None where a row is too long."""
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            engine="c",
            on_bad_lines="error",
            index_col=False,
            skip_blank_lines=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    frame.columns = pd.Index(_unique([str(label).strip() for label in frame.columns]))
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    frame = frame.astype(object).fillna("")
    return Sheet(name, frame[(frame != "").any(axis=1)])


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
        sheet = tabulate(grid.name, cells, find_header(cells[:HEADER_WITHIN]))
        sheet.notes += _blank_cells(grid)
        yield sheet
    if not found:
        raise HydroError("book_empty", "{file} 没有数据：各工作表都是空的")


def _blank_cells(grid: workbook.Grid) -> Iterator[Fault]:
    """Cells that are read as blank although something stands there."""
    if grid.uncounted:
        message = "{file} 的工作表“{sheet}”有 {count} 个公式没有存下结果（{cells}），按空白读取。请用 Excel 打开、保存后再导入"
        yield Fault("formula_uncounted", message, _named(grid.name, grid.uncounted), warning=True)
    if grid.errors:
        message = "{file} 的工作表“{sheet}”有 {count} 个单元格是错误值（{cells}），按空白读取。请在 Excel 里改正公式"
        yield Fault("cells_wrong", message, _named(grid.name, grid.errors), warning=True)


def _named(sheet: str, cells: list[str]) -> dict[str, Any]:
    return {"sheet": sheet, "count": len(cells), "cells": "、".join(cells[:5])}


def _check_container(path: Path, head: bytes) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            locked = raw.find("EncryptedPackage".encode("utf-16-le")) >= 0
        if locked:
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


def tabulate(name: str, grid: list[list[Any]], header: Header) -> Sheet:
    """A grid of cells as a table under its header; what does not fit is told."""
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
