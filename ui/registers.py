"""The registers with their pace (停产、取缔、搬迁、清淤、厂网、闸), and the outlet survey (查测溯治) by county."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from hydro.assessment.registers import FAMILIES, register_progress, survey_progress
from hydro.columns import records, text
from ui import cache, parts, table
from ui.section_file import facts
from ui.state import say

REGISTERS, SURVEY = "register_list", "survey_list"
PACE = {
    "done": ("holds", "完成"),
    "on_plan": ("none", "按计划"),
    "behind": ("over", "滞后"),
    "not_started": ("over", "未启动"),
    "undated": ("none", "未定期限"),
}


def show(url: str, revision: int, today: str) -> None:
    """Registers left, survey right."""
    left, right = st.columns([2, 1], gap="medium")
    with left:
        parts.heading(say("工作台账"))
        registers = cache.table(url, revision, "registers")
        if registers.empty:
            st.text(say("还没有台账：导入 registers 表"))
        else:
            table.show(REGISTERS, _register_columns(), _register_rows(registers, today), lambda: None)
    with right:
        parts.heading(say("排污口查测溯治"))
        outlets = cache.table(url, revision, "outlets")
        _survey_summary(outlets)
        table.show(SURVEY, _survey_columns(), _survey_rows(outlets), lambda: None)


def _register_columns() -> list[table.Column]:
    column = table.Column
    return [
        column("family", say("类别"), "text", 140), column("name", say("事项"), "text", 186),
        column("county", say("县区"), "text", 66), column("share", say("完成"), "share", 90),
        column("amount", say("完成/任务"), "number", 90), column("removed", say("削减 kg/d"), "number", 66),
        column("due", say("期限"), "text", 88), column("state", say("进度"), "mark", 100, say("进度 = 完成比例 ÷ 时间比例")),
    ]  # fmt: skip


def _register_rows(registers: pd.DataFrame, today: str) -> list[dict[str, Any]]:
    rows = []
    for one in records(register_progress(registers, today=today)):
        kind, word = PACE[one["state"]]
        pace = "" if math.isnan(one["pace"]) or one["state"] in ("done", "not_started") else f" {one['pace']:.2f}"
        cells = {
            "family": say(FAMILIES.get(one["family"], one["family"])), "name": str(one["name"] or ""),
            "county": str(one["county"] or ""), "share": {"share": table.known(one["share"]), "text": parts.percent(one["share"])},
            "amount": f"{one['done']:g} / {one['target']:g} {one['unit'] or ''}", "removed": parts.fixed(one["removed_kg_d"], 1),
            "due": str(one["due_on"] or "")[:10], "state": {"kind": kind, "text": say(word) + pace},
        }  # fmt: skip
        note = say("照此进度，到期完成 {at_due:.1f} / {target:g}", at_due=one["at_due"], target=one["target"])
        rows.append(table.row("", cells, {"share": one["share"], "removed": one["removed_kg_d"], "state": one["pace"]},
                              "" if math.isnan(one["at_due"]) else note))  # fmt: skip
    return rows


def _survey_summary(outlets: pd.DataFrame) -> None:
    step = text(outlets, "survey")
    traced, signed = step.isin(["traced", "signed"]).mean(), (step == "signed").mean()
    facts([
        (say("已溯源"), say("{share}（2023 年底 80 %）", share=parts.percent(traced))),
        (say("已整治"), say("{share}（2023 年底 30 %）", share=parts.percent(signed))),
    ])  # fmt: skip


def _survey_columns() -> list[table.Column]:
    column = table.Column
    steps = [("sampled", "测"), ("traced", "溯"), ("signed", "治"), ("decided", "已定")]
    return [column("group", say("县区"), "text", 80), column("outlets", say("排污口"), "number", 60)] + [
        column(name, say(word), "number", 60) for name, word in steps
    ]


def _survey_rows(outlets: pd.DataFrame) -> list[dict[str, Any]]:
    names = ["outlets", "sampled", "traced", "signed", "decided"]
    return [
        table.row(
            "",
            {"group": one["group"] or say("未填县区"), **{n: str(int(one[n])) for n in names}},
            {n: one[n] for n in names},
        )
        for one in records(survey_progress(outlets))
    ]
