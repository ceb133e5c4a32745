"""Results in plain words, in the reader's language: the sentences that stand beside the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from hydro.assessment.board import Board
from hydro.assessment.standards import Standard
from hydro.errors import Fault
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
        words.append(word if math.isnan(multiple) else f"{word}({multiple:{'.1f' if multiple >= 0.05 else '.1g'}})")
    return ("、" if lang == "zh" else ", ").join(words)


def board_rows(found: Board) -> pd.DataFrame:
    """The board as a flat table: every figure, none of the series."""
    return found.rows.drop(columns=["spark", "month_chances"]).assign(edition=found.edition)


def board_fields(found: Board, lang: str = "zh", *, ranked: pd.DataFrame | None = None) -> dict[str, Any]:
    """The whole board as one plain object: month, edition, sections, attainment, rivers, counties (their water-quality
    index, where ``ranked``), all_attained_months, notes."""
    return {
        "month": found.month,
        "edition": found.edition,
        "sections": [_plain(row) | {"words": section_words(row, lang)} for row in found.rows.to_dict("records")],
        "attainment": [_plain(row) for row in found.attainment.to_dict("records")],
        "grade": found.grade,
        "rivers": [_plain(row) for row in found.rivers.to_dict("records")],
        "counties": [_plain(row) for row in ([] if ranked is None else ranked.to_dict("records"))],
        "all_attained_months": found.all_attained_months,
        "notes": [
            {
                "code": note.code,
                "table": note.table,
                "row": note.row,
                "message": text(note.message, lang, **note.params),
            }
            for note in found.notes
        ],
    }


def section_words(row: Mapping[Any, Any], lang: str = "zh") -> str:
    """A section's standing in one sentence: ``皇甫：余量 0.010 mg/L，再多 4.1 kg/d 就超标``."""
    params = {
        "section": row["name"] or row["section_id"], "month": row["month"], "value": row["value_mg_l"],
        "target": row["target_mg_l"], "margin": row["margin_mg_l"], "multiple": row["multiple"],
        "over": -row["margin_mg_l"], "load": abs(row["headroom_kg_d"]),
    }  # fmt: skip
    known = not math.isnan(row["headroom_kg_d"])
    said = text(SENTENCES[row["state"]][0 if known else 1], lang, **params)
    chance = row.get("storm_probability", math.nan)
    if row["state"] not in ("equal", "holds") or math.isnan(chance):
        return said
    odds = next(sentence for least, sentence in STORM if chance >= least)
    return said + text(odds, lang, rain=row["storm_mm"])


STORM = (
    (2 / 3, "；一场 {rain:g} mm 的雨大概率突破"),
    (1 / 3, "；一场 {rain:g} mm 的雨可能突破"),
    (0.0, "；一场 {rain:g} mm 的雨一般守得住"),
)
SENTENCES = {
    "over": (
        "{section}：超标 {multiple:.2f} 倍，高出目标 {over:.3f} mg/L，须削减 {load:.1f} kg/d",
        "{section}：超标 {multiple:.2f} 倍，高出目标 {over:.3f} mg/L",
    ),
    "equal": ("{section}：与目标持平，余量为零，再多一点就超标",) * 2,
    "holds": (
        "{section}：余量 {margin:.3f} mg/L，再多 {load:.1f} kg/d 就超标",
        "{section}：余量 {margin:.3f} mg/L",
    ),
    "partial": ("{section}：本月有数据的天数不足一半，{value:.3f} mg/L 仅供参考",) * 2,
    "no_data": ("{section}：{month} 没有总磷数据",) * 2,
    "no_target": ("{section}：没有总磷目标值，无法判断达标",) * 2,
}


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as json knows it: numbers that are not there as null, series as lists."""
    return {str(key): _value(value) for key, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
