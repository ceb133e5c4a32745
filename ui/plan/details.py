"""The plan at hand line by line: measures to edit, who pays and who does it, and what the plants take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

import hydro
from hydro.columns import number, records, text
from hydro.duties import DUTIES
from hydro.planning.measure import UNITS, with_duty
from hydro.planning.plan_rows import place_name
from hydro.planning.scenario import change
from ui import state
from ui.plan import places
from ui.state import say


def measures(network: hydro.RiverNetwork) -> None:
    """Every measure, to be taken out or given another amount, price, department or time."""
    marks = state.marks()
    if not marks:
        st.caption(say("还没有措施。请在左边标出，或求最省的方案"))
        return
    duties = [with_duty(measure) for measure in marks]
    rows = pd.DataFrame(
        {
            "keep": True,
            "action": [say(DUTIES[m.action].word) + (f"·{say(m.season)}" if m.season else "") for m in marks],
            "id": [m.source_id for m in marks],
            "name": [place_name(network, m.source_id) for m in marks],
            "amount": [m.amount for m in marks],
            "unit": ["" if np.isnan(m.amount) else UNITS[m.action].replace("m3", "m³") for m in marks],
            "cost": [m.cost for m in marks],
            "yearly": [m.yearly for m in marks],
            "department": [say(m.department) for m in duties],
            "days": [m.lead_days for m in duties],
        }
    )
    labels = {
        "keep": "取用", "action": "措施", "id": "编号", "name": "对象", "amount": "数量", "unit": "单位", "cost": "万元", "yearly": "每年",
        "department": "部门", "days": "工期（天）",
    }  # fmt: skip
    edited = st.data_editor(
        rows,
        hide_index=True,
        height=300,
        disabled=["action", "id", "name", "unit"],
        placeholder="–",
        column_config={key: _column(key, say(label)) for key, label in labels.items()},
        key=f"plan_measures_{hash(marks)}",
    )
    wanted = [
        _edited(measure, row, shown)
        for measure, row, shown in zip(marks, records(edited), records(rows), strict=True)
        if row["keep"]
    ]
    if not _same(marks, tuple(wanted)) and places.take(network, wanted):
        st.rerun(scope="fragment")


WIDTHS = {
    "keep": 62, "action": 64, "id": 50, "name": 120, "amount": 68, "unit": 50, "cost": 70, "yearly": 64, "department": 88, "days": 80,
}  # fmt: skip
"""Pixels of the measures' columns: all of them within the half of an office screen."""


def _column(key: str, label: str) -> Any:
    if key in ("keep", "yearly"):
        return st.column_config.CheckboxColumn(label, width=WIDTHS[key])
    if key in ("amount", "cost", "days"):
        return st.column_config.NumberColumn(label, min_value=0.0, format="%.4g", width=WIDTHS[key])
    return st.column_config.Column(label, width=WIDTHS[key])


def _edited(measure: hydro.Measure, row: dict[str, Any], shown: dict[str, Any]) -> hydro.Measure:
    """The measure with what was changed in its row; what was not touched stays as it is, blank or not."""
    names = {"amount": "amount", "cost": "cost", "yearly": "yearly", "department": "department", "days": "lead_days"}
    changed: dict[str, Any] = {
        field: (float("nan") if row[key] is None else row[key])
        for key, field in names.items()
        if row[key] != shown[key] and not (pd.isna(row[key]) and pd.isna(shown[key]))
    }
    if measure.action == "dose" and "amount" in changed and "cost" not in changed and measure.amount > 0:
        changed["cost"] = measure.cost * changed["amount"] / measure.amount
    return replace(measure, **changed) if changed else measure


def _same(one: tuple[hydro.Measure, ...], other: tuple[hydro.Measure, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def costs(network: hydro.RiverNetwork) -> None:
    """Cost by county and by department."""
    county = text(network.outlets, "county").to_dict() | text(network.plants, "county").to_dict()
    duties = [with_duty(measure) for measure in state.marks()]
    rows = pd.DataFrame(
        {
            "county": [county.get(m.source_id, "") or say("（市级）") for m in duties],
            "department": [say(m.department) for m in duties],
            "once": [0.0 if m.yearly else m.cost for m in duties],
            "yearly": [m.cost if m.yearly else 0.0 for m in duties],
            "days": [m.lead_days for m in duties],
        }
    )
    cells = st.columns(2)
    for cell, by, label in zip(cells, ("department", "county"), (say("部门"), say("县")), strict=True):
        summed = rows.groupby(by).agg(
            count=("once", "size"), once=("once", "sum"), yearly=("yearly", "sum"), days=("days", "max")
        )
        summed = summed.sort_values("once", ascending=False).round(1)
        summed.index.name = label
        cell.dataframe(
            summed.rename(
                columns={
                    "count": say("项"),
                    "once": say("万元"),
                    "yearly": say("万元/年"),
                    "days": say("最长工期（天）"),
                }
            ),
            height=260,
        )


def plants(stand: hydro.Situation, plan: hydro.Scenario) -> None:
    """Water and load of every plant before and after, against its design."""
    table = plan.network.plants
    load, water = change(stand, plan.measures, water=plan.water).sources(len(stand.sources))
    at = [stand.position[str(plant)] for plant in table.index]
    design = number(table, "design_discharge_m3_d")
    after = (stand.water_m3_s[at] + water[at]) * 86_400
    st.dataframe(
        pd.DataFrame(
            {
                say("污水处理厂"): text(table, "name"),
                say("设计 m³/d"): design,
                say("现状 m³/d"): (stand.water_m3_s[at] * 86_400).round(0),
                say("方案 m³/d"): after.round(0),
                say("负荷率 %"): (after / design * 100).round(1),
                say("余量 m³/d"): (design - after).round(0),
                say("现状 kg/d"): stand.load_kg_d[at].round(2),
                say("方案 kg/d"): (stand.load_kg_d[at] + load[at]).round(2),
            }
        ),
        hide_index=True,
        height=300,
    )
