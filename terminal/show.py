"""Results on stdout as table, json or csv; messages on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from terminal.words import Format

if TYPE_CHECKING:
    import pandas as pd

PIPED_WIDTH = 240
"""Characters a line of a table written to a file or a pipe may have."""


def show(table: pd.DataFrame, format: Format, brief: Iterable[str] = ()) -> None:
    """Write a table on stdout; for people, ``brief`` names the columns worth their while."""
    from reports.terminal import rows_of

    show_rows(rows_of(table), list(brief if brief and format is Format.table else map(str, table.columns)), format)


def show_rows(rows: list[dict[str, Any]], columns: list[str], format: Format) -> None:
    """Write rows on stdout."""
    from reports.terminal import as_csv, as_json, as_table

    writers = {Format.json: lambda: as_json(rows), Format.csv: lambda: as_csv(rows, columns)}
    sys.stdout.write(
        writers.get(format, lambda: as_table(rows, columns, width=None if sys.stdout.isatty() else PIPED_WIDTH))()
    )


def show_fields(fields: dict[str, Any], format: Format) -> None:
    """Write one record on stdout: json as an object, else a line a field."""
    from reports.terminal import as_json, shown

    if format is Format.json:
        sys.stdout.write(as_json(fields))
    else:
        show_rows([{"field": key, "value": shown(value)} for key, value in fields.items()], ["field", "value"], format)


def complain(lines: Iterable[str]) -> None:
    """Write messages on stderr."""
    for line in lines:
        print(line, file=sys.stderr)
