"""Text that any document can hold."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean(words: Any) -> str:
    """Text without control characters and lone surrogates; nothing else is changed."""
    return UNPRINTABLE.sub("", "" if pd.isna(words) else str(words))
