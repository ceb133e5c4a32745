"""Results in plain words, in the reader's language: the sentences that stand beside the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from hydro.errors import Fault
from hydro.standards import Standard
from i18n import text


def judged_samples(table: pd.DataFrame, judged: pd.DataFrame, *, standard: Standard, lang: str = "zh") -> pd.DataFrame:
    """The rows as they were written, each with its class, deciding parameter, flag, grade and main pollutants.

    A column of the user's that has the name of one of ours is kept as ``<name>_in``.
    """
    grades = judged["class"].map(
        {code: grade.grade_zh if lang == "zh" else grade.grade_en for code, grade in standard.grades.items()}
    )
    ours = pd.DataFrame(
        {
            "class": judged["class"],
            "deciding": judged["deciding"],
            "flag": [flag(doubts, lang) for doubts in judged["doubts"]],
            "grade": grades,
            "pollutants": [pollutants(found, standard=standard, lang=lang) for found in judged["pollutants"]],
            "edition": judged["edition"],
        },
        index=judged.index,
    )
    theirs = table.rename(columns={name: f"{name}_in" for name in ("row", *ours) if name in table.columns})
    return pd.concat([theirs, ours], axis=1).rename_axis("row").reset_index()


def flag(doubts: Iterable[Fault], lang: str = "zh") -> str:
    """Every doubt as one line; blank where there is none."""
    between = "；" if lang == "zh" else "; "
    return between.join(text(one.message, lang, **one.params) for one in doubts)


def pollutants(found: Iterable[tuple[str, float]], *, standard: Standard, lang: str = "zh") -> str:
    """Main pollutants as the national method prints them: ``总磷(0.6)、溶解氧``."""
    words = []
    for name, multiple in found:
        parameter = standard.parameters[name]
        word = parameter.name_zh if lang == "zh" else parameter.name_en
        words.append(word if math.isnan(multiple) else f"{word}({multiple:.1f})")
    return ("、" if lang == "zh" else ", ").join(words)
