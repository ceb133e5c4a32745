"""Findings put into words: what speaks for and against a candidate, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from hydro import Trace
from hydro.causes.findings import AGAINST, FOR, Finding
from hydro.causes.sampling import next_sample
from hydro.columns import text as column
from i18n import text

MARK = {FOR: "＋", AGAINST: "－"}
"""How a finding is marked in a line of text: for, against; a note has none."""

WORTH_A_SAMPLE = 0.1
"""Below this probability that any one source did it, no place tells more than another."""


def told(findings: Iterable[Finding], lang: str = "zh") -> list[str]:
    """Every finding as a sentence, without its mark."""
    return [text(one.message, lang, **spelled(one.params, lang)) for one in findings]


def marked(findings: Iterable[Finding], lang: str = "zh") -> list[str]:
    """Every finding as a sentence with its mark."""
    kept = tuple(findings)
    return [MARK.get(one.speaks, "") + words for one, words in zip(kept, told(kept, lang), strict=True)]


def line(findings: Iterable[Finding], lang: str = "zh") -> str:
    """All findings in one line, each with its mark."""
    return ("；" if lang == "zh" else "; ").join(marked(findings, lang))


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


def has_a_place(trace: Trace) -> bool:
    """Whether the cause is at all likely to have entered at a place, rather than from the land or from nowhere at once."""
    odds = trace.table.set_index("source_id")["probability"].dropna()
    return bool(odds.drop(["NONE", "DIFFUSE"], errors="ignore").sum() >= WORTH_A_SAMPLE)


def next_place(trace: Trace, lang: str = "zh") -> str:
    """Where to take the next sample, in words; blank where no place on a river is much of a candidate."""
    odds = trace.table.set_index("source_id")["probability"].dropna()
    if not has_a_place(trace):
        return ""
    place = next_sample(trace, {str(source): float(chance) for source, chance in odds.items()})
    if place is None:
        return ""
    if not place.reach_id:
        return text("{name}的排口", lang, name=trace.table.set_index("source_id")["name"][place.source_id])
    reaches, share = trace.network.reaches, f"{100 * place.above:.0f}%"
    river = column(reaches, "river")[place.reach_id] or column(reaches, "name")[place.reach_id]
    if not river:
        return text("河段 {reach} 的上端：{share} 的可能在其上游", lang, reach=place.reach_id, share=share)
    message = "{river}，河段 {reach} 的上端：{share} 的可能在其上游"
    return text(message, lang, river=river, reach=place.reach_id, share=share)
