"""The cells of a workbook, read in a process apart: a broken book makes its reader spin, fill the memory or fall over.

The reader is compiled code that nothing can interrupt from inside; a process can be ended.  This file is also what the
process runs, so that it starts with the reader alone.
"""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_CELLS = 12_000_000
MEMORY_BYTES = 2 << 30
LEAST_S = 5.0
BYTES_A_S = 8 << 20
"""A sound book is read some ten times faster than this; the time allowed grows with its unpacked size."""

WALL = 4.0
"""On a busy machine the process may wait so many times longer than it works."""

FORMULA_WITHOUT_VALUE = re.compile(
    rb'<c\b[^>]*?\br="([A-Z]+[0-9]+)"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)


ERROR = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*?\br="([A-Z]+[0-9]+)"')


@dataclass
class Grid:
    """One sheet: its cells row by row, the ranges that are merged (top, left, bottom, right), and which cells are blank
    because a formula was never counted or went wrong."""

    name: str
    cells: list[list[Any]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    uncounted: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    hidden: bool = False


def read_grids(path: Path) -> list[Grid]:
    """All sheets of a workbook. Raises HydroError for one that is broken, locked, too large, or not read in its time."""
    from hydro.errors import HydroError

    with tempfile.TemporaryDirectory(prefix="qingyuan-") as folder:
        answer = Path(folder, "cells")
        command = [sys.executable, "-I", __file__, str(path), str(answer)]
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _watch(child, LEAST_S + _unpacked(path) / BYTES_A_S)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        if not answer.exists():
            raise HydroError("book_fells_reader", "{file} 让读取程序中断，文件已损坏。请用 Excel 另存为 .xlsx 后再导入")
        told: dict[str, Any] = pickle.loads(answer.read_bytes())
    if "locked" in told:
        raise HydroError("book_locked", "{file} 有密码保护。请去掉密码另存后再导入")
    if "large" in told:
        name, rows, width = told["large"]
        message = "{file} 的工作表“{sheet}”有 {rows} 行 {columns} 列，超出限度。请删去空白行列后再导入"
        raise HydroError("sheet_too_large", message, sheet=name, rows=rows, columns=width)
    if "wrong" in told:
        message = "{file} 不是完好的 Excel 文件（{why}）。请用 Excel 另存为 .xlsx 后再导入"
        raise HydroError("book_broken", message, why=told["wrong"])
    return [Grid(**sheet) for sheet in told["sheets"]]


def _watch(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the child; raises HydroError once it has worked too long or holds too much memory."""
    import psutil

    from hydro.errors import HydroError

    began = time.monotonic()
    pause = 0.005
    while child.poll() is None:
        try:
            there = psutil.Process(child.pid)
            worked, held = sum(there.cpu_times()[:2]), there.memory_info().rss
        except psutil.Error:
            break
        if held > MEMORY_BYTES:
            message = "{file} 展开后超过 {limit:g} GB 内存，已停止读取。请删去空白行列，或另存为 CSV 后再导入"
            raise HydroError("book_too_large", message, limit=MEMORY_BYTES / 2**30)
        if worked > seconds or time.monotonic() - began > WALL * seconds:
            message = (
                "{file} 读了 {seconds:.0f} 秒仍未读完，文件可能已损坏，已停止。请用 Excel 另存为 .xlsx 或 CSV 后再导入"
            )
            raise HydroError("book_too_slow", message, seconds=seconds)
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)
    child.wait()


def _unpacked(path: Path) -> int:
    """Bytes that the reader has to go through."""
    try:
        with zipfile.ZipFile(path) as packed:
            return sum(member.file_size for member in packed.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return path.stat().st_size


def _read(path: str) -> dict[str, Any]:
    """What the process answers: ``sheets``, or ``wrong`` or ``locked`` or ``large``."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(path)
        blanks = _blanks(path)
        sheets: list[dict[str, Any]] = []
        for about in book.sheets_metadata:
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(about.name)
            if sheet.total_height * sheet.total_width > MAX_CELLS:
                return {"large": (about.name, sheet.total_height, sheet.total_width)}
            merged = [(*a, *b) for a, b in (sheet.merged_cell_ranges or [])]
            sheets.append(
                {
                    "name": about.name,
                    "cells": sheet.to_python(skip_empty_area=False),
                    "merged": merged,
                    **blanks.get(about.name, {}),
                    "hidden": about.visible != calamine.SheetVisibleEnum.Visible,
                }
            )
    except calamine.PasswordError:
        return {"locked": True}
    except BaseException as wrong:  # a panic of the compiled reader is no Exception
        why = str(wrong)[:120] or type(wrong).__name__
        return {"locked": True} if re.search("password|encrypt", why, re.I) else {"wrong": why}
    return {"sheets": sheets}


def _blanks(path: str) -> dict[str, dict[str, list[str]]]:
    """Cells of an xlsx whose formula was never counted (a program wrote it, Excel never saw it) or went wrong, by sheet."""
    if not zipfile.is_zipfile(path):
        return {}
    found = {}
    with zipfile.ZipFile(path) as packed:
        names = set(packed.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return {}
        target = {}
        for link in re.findall(
            r"<Relationship\b[^>]*>", packed.read("xl/_rels/workbook.xml.rels").decode(errors="ignore")
        ):
            of = dict(re.findall(r'(\w+)="([^"]*)"', link))
            target[of.get("Id", "")] = of.get("Target", "")
        for tag in re.findall(r"<sheet\b[^>]*>", packed.read("xl/workbook.xml").decode(errors="ignore")):
            of = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
            member = target.get(of.get("r:id", ""), "").removeprefix("/xl/")
            if f"xl/{member}" in names and packed.getinfo(f"xl/{member}").file_size < 200 << 20:
                from html import unescape

                xml = packed.read(f"xl/{member}")
                found[unescape(of.get("name", ""))] = {
                    "uncounted": [cell.decode() for cell in FORMULA_WITHOUT_VALUE.findall(xml)],
                    "errors": [cell.decode() for cell in ERROR.findall(xml)],
                }
    return found


if __name__ == "__main__":
    told = _read(sys.argv[1])
    Path(sys.argv[2]).write_bytes(pickle.dumps(told, protocol=pickle.HIGHEST_PROTOCOL))
