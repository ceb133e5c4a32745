"""Findings put into words: what speaks for and against a candidate, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from hydro.findings import AGAINST, FOR, Finding
from i18n import text

MARK = {FOR: "＋", AGAINST: "－"}
"""How a finding is marked in a line of text: for, against; a note has none."""


def told(findings: Iterable[Finding], lang: str = "zh") -> list[str]:
    """Every finding as a sentence, without its mark."""
    return [text(one.message, lang, **spelled(one.params, lang)) for one in findings]


def line(findings: Iterable[Finding], lang: str = "zh") -> str:
    """All findings in one line, each with its mark."""
    kept = tuple(findings)
    marked = [MARK.get(one.speaks, "") + words for one, words in zip(kept, told(kept, lang), strict=True)]
    return ("；" if lang == "zh" else "; ").join(marked)


def with_words(table: pd.DataFrame, lang: str = "zh") -> pd.DataFrame:
    """A trace's table with its ``evidence`` in words."""
    words = [line(findings, lang) if isinstance(findings, tuple) else "" for findings in table["evidence"]]
    return table.assign(evidence=words)


def spelled(params: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Parameters as text; a tuple is a list of names."""
    between = "、" if lang == "zh" else ", "
    return {
        name: between.join(map(str, value)) if isinstance(value, tuple) else value for name, value in params.items()
    }
