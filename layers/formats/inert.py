"""Text that a spreadsheet takes as text, in formats that cannot say so themselves."""

from __future__ import annotations

from typing import TypeVar

Cell = TypeVar("Cell")
BEGINS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a cell begins with that Excel, WPS or LibreOffice would run as a formula (OWASP, "CSV injection")."""


def inert(cell: Cell) -> Cell | str:
    """A cell of a CSV as it may be opened in a spreadsheet: text that looks like a formula is preceded by an apostrophe.

    Numbers stay numbers, also those written as text.

    >>> inert("=1+1"), inert("-5.2"), inert("-"), inert(-5.2), inert("城东")
    ("'=1+1", '-5.2', '-', -5.2, '城东')
    """
    if not isinstance(cell, str) or len(cell) < 2 or not cell.startswith(BEGINS):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
