"""Results as text on a terminal: a table for people, json or csv for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layers.formats.inert import inert

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def rows_of(table: pd.DataFrame) -> list[Row]:
    """The rows of a table with ``None`` where it is blank."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def as_json(result: Any) -> str:
    """Json in one line, numbers in full, Chinese as it is; what is not a number becomes null."""
    return json.dumps(_plain(result), ensure_ascii=False, allow_nan=False, default=str) + "\n"


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Comma separated, one line a row; text that a spreadsheet would run as a formula is made harmless."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: inert(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def as_table(rows: Sequence[Row], columns: Sequence[str], *, width: int | None = None) -> str:
    """A table for reading: only the columns that hold anything, four figures a number, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    filled = [name for name in columns if any(row.get(name) not in (None, "") for row in rows)]
    numeric = {name for name in filled if all(isinstance(row.get(name), int | float | None) for row in rows)}
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name in filled:
        drawn.add_column(name, justify="right" if name in numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(shown(row.get(name))) for name in filled))
    out = io.StringIO()
    Console(file=out, width=width or max(shutil.get_terminal_size((160, 40)).columns, 80)).print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "  ".join(f"{key} {shown(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return str(value)


def _plain(value: Any) -> Any:
    """A value as json knows it: numpy scalars unwrapped, NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
