"""One table for every page: sorted by a click on its head, a row chosen by a click on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from hydro.assessment.standards import CLASSES
from ui import cache, state

HERE = Path(__file__).parent / "browser"

_table = st.components.v2.component(
    "qingyuan_table",
    html='<div class="table"></div>',
    css=(HERE / "table.css").read_text(encoding="utf-8"),
    js=(HERE / "table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Column:
    """A column: its key in the cells, title, kind (text, number, two, class, mark, margin, share, months), width."""

    key: str
    title: str
    kind: str = "text"
    width: int = 80
    help: str = ""
    align: str = ""


def row(id_: str, cells: dict[str, Any], sort: dict[str, Any] | None = None, note: str = "") -> dict[str, Any]:
    """A row; ``sort`` holds what a column is ordered by where that is not the text shown. A blank id cannot be clicked."""
    by = {key: value for key, value in cells.items() if isinstance(value, str)} | (sort or {})
    return {"id": id_, "cells": cells, "sort": {key: known(value) for key, value in by.items()}, "note": note}


def show(
    key: str,
    columns: Sequence[Column],
    rows: Sequence[dict[str, Any]],
    on_chosen: Callable[[], None],
    *,
    chosen: str = "",
) -> None:
    """Draw the table; ``on_chosen`` takes over what was clicked (``state.clicked(key)``); ``chosen`` stays lit."""
    data = {"columns": [asdict(one) for one in columns], "rows": list(rows), "chosen": chosen}
    _table(key=key, data=data, on_chosen_change=on_chosen)


def swatch(code: str) -> dict[str, str]:
    """A class as its colour and numeral: shapes are left to the status, which stands beside it."""
    grade = cache.standard().grades[code]
    return {
        "colour": grade.colour if code in CLASSES else "",
        "label": grade.numeral_zh if state.lang() == "zh" else code,
    }


def known(value: Any) -> Any:
    """None for a number that is not there."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
