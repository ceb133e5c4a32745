"""The shipped standards (``data/standards``), read into the values that ``hydro`` judges by."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from hydro.standards import Standard, build_standard

FOLDER = Path(__file__).resolve().parents[1] / "data" / "standards"


@cache
def load_standard(edition: str = "gb3838-2002") -> Standard:
    """The class limits of one edition; a new edition is a new file beside the shipped one."""
    return build_standard(load_table(edition), load_table("parameters"), load_table("grades-2011-22"))


def load_table(name: str) -> pd.DataFrame:
    """One table of ``data/standards`` by its file name; blanks stay blank text."""
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False, comment="#")
