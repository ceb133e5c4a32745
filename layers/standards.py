"""The shipped standards (``data/standards``), read into the values that ``hydro`` judges by."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from hydro.assessment.standards import Standard, build_standard

FOLDER = Path(__file__).resolve().parents[1] / "data" / "standards"


@cache
def load_standard(edition: str = "gb3838-2002") -> Standard:
    """The class limits of one edition; a new edition is a new file beside the shipped one."""
    return build_standard(load_table(edition), load_table("parameters"), load_table("grades-2011-22"))


def load_table(name: str) -> pd.DataFrame:
    """One table of ``data/standards`` by its file name; blanks stay blank text."""
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False, comment="#")


def own_table(path: str | Path) -> pd.DataFrame:
    """A table of the user's own in the shape of a shipped one. Raises HydroError where it cannot be read."""
    from hydro.errors import HydroError

    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, comment="#")
    except (OSError, ValueError) as wrong:
        message = "表 {file} 读不出。应为 UTF-8 的 csv，列与 data/standards 里的同名表相同"
        raise HydroError("own_table", message, file=str(path)) from wrong
