"""A table of samples from a CSV or a spreadsheet: any encoding, any separator, title rows above the header skipped."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from hydro.assessment.standards import Standard
from hydro.errors import HydroError

SHEETS = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"}
HEADER_WITHIN = 20  # rows searched for the header; below that it is not a table of samples


def read_samples(path: str | Path, *, standard: Standard) -> pd.DataFrame:
    """Read the cells as they were written; the index is the row's number in the file (as a spreadsheet counts).

    The header is the row that names most parameters of ``standard``; a row of units below it is skipped.  A workbook is
    read at its first sheet with such a row.

    Raises :class:`HydroError` where there is no such file, it cannot be read, or no row names a parameter.
    """
    file = Path(path)
    if not file.is_file():
        raise HydroError("no_file", "没有文件 {path}，请检查路径", path=str(path))
    try:
        sheets = _workbook(file) if file.suffix.lower() in SHEETS else [_text(file)]
    except HydroError:
        raise
    except Exception as error:
        message = "无法读取 {path}（{why}），请另存为 CSV 或 xlsx 后重试"
        raise HydroError("unreadable_file", message, path=str(path), why=str(error).strip()[:80]) from error
    for rows in sheets:
        table = _table(rows, standard)
        if table is not None:
            return table
    message = "{path} 中没有认出水质参数列，列名应如 tp、nh3n、codmn、do、ph 或 总磷、氨氮"
    raise HydroError("no_parameter", message, path=str(path))


def _table(rows: list[list[object]], standard: Standard) -> pd.DataFrame | None:
    named = [sum(standard.column(cell) is not None for cell in row) for row in rows[:HEADER_WITHIN]]
    if not named or max(named) == 0:
        return None
    start = named.index(max(named))
    header = ["" if cell is None else str(cell).strip() for cell in rows[start]]
    body, numbers = [], []
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if not row or (number == start + 2 and _is_units(row)):
            continue
        body.append([*row, *[""] * (len(header) - len(row))][: len(header)])
        numbers.append(number)
    table = pd.DataFrame(body, columns=header, index=pd.Index(numbers, name="row"), dtype=object)
    return table.loc[:, [bool(name) for name in header]]


def _is_units(row: list[object]) -> bool:
    words = [str(cell).strip().lower() for cell in row if cell not in (None, "")]
    units = {"mg/l", "μg/l", "ug/l", "µg/l", "无量纲", "个/l", "℃", "-", "/"}
    return bool(words) and all(word in units for word in words)


def _workbook(file: Path) -> list[list[list[object]]]:
    sheets = pd.read_excel(file, sheet_name=None, header=None, dtype=object, engine="calamine", keep_default_na=False)
    return [
        [row if any(cell not in (None, "") for cell in row) else [] for row in sheet.to_numpy().tolist()]
        for sheet in sheets.values()
    ]


def _text(file: Path) -> list[list[object]]:
    data = file.read_bytes()
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise HydroError("not_text", "{path} 不是文本表格，请另存为 CSV 或 xlsx 后重试", path=str(file))
    text = _decode(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",\t;，|", key=first.count)
    return [list(row) for row in csv.reader(io.StringIO(text), delimiter=separator)]


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
