"""The ranked sources of a section as a list one can point at: the way of a source is lit on the map as one hovers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from hydro import Trace
from hydro.columns import records
from ui import state
from ui.parts import duration, figure, percent
from ui.state import say

HERE = Path(__file__).parent / "browser"
FEW, LISTED = 7, 60
BASIS = {"monitored": "监测", "permit": "许可", "estimated": "估算", "unknown": "未知"}

_list = st.components.v2.component(
    "qingyuan_sources",
    html='<div class="sources"></div>',
    css=(HERE / "sources.css").read_text(encoding="utf-8"),
    js="".join((HERE / name).read_text(encoding="utf-8") for name in ("beside.js", "sources.js")),
)


def show(trace: Trace, listed: Trace) -> None:
    """Seven rows, then more; the small ones as one sum; what is unexplained is always the last row.

    ``trace`` is what is best known, ``listed`` what the registers alone say: the two stand side by side.
    """
    inventory = listed.table.set_index("source_id")["delivered_kg_d"]
    table = trace.table.assign(listed_kg_d=trace.table["source_id"].map(inventory))
    table = table[(table["source_id"] != "NONE") & (table["delivered_kg_d"] > 0)]
    table = table.sort_values("delivered_kg_d", ascending=False, kind="stable")
    largest = table["delivered_kg_d"].max() if len(table) else 0.0
    named = (np.arange(len(table)) < LISTED) | (table["source_id"] == state.source()).to_numpy(bool)
    rows = [_row(source, largest) for source in records(table[named])]
    if not named.all():
        rows.append(_rest(table[~named], largest))
    _list(
        key=state.SOURCES,
        data={
            "section": trace.section_id,
            "chosen": state.source(),
            "rows": rows,
            "last": _unexplained(listed),
            "few": FEW,
            "heads": ["", say("来源"), "", say("贡献率"), "kg/d", say("清单"), say("历时")],
            "more": say("更多 {count} 个来源", count=max(len(table) - FEW, 0)),
            "less": say("收起"),
        },
        on_chosen_change=state.picked_source,
    )


def _row(source: dict[str, Any], largest: float) -> dict[str, Any]:
    kind, delivered = str(source["kind"]), float(source["delivered_kg_d"])
    if kind == "diffuse":
        name = say("面源")
    elif kind == "unregistered":
        name = say("未登记排口")
    elif kind == "inbound":
        name = str(source["name"])
        name = name if name.startswith("入境") else say("入境·{name}", name=name)
    else:
        name = str(source["name"])
    time = "?" if source["crosses_unknown"] else duration(float(source["travel_time_d"]))
    return {
        "id": str(source["source_id"]),
        "kind": kind,
        "name": name,
        "width": 100 * delivered / largest if largest > 0 else 0,
        "share": percent(float(source["share"])),
        "load": figure(delivered),
        "listed": figure(float(source["listed_kg_d"])),
        "time": time,
        "path": kind not in ("diffuse", "unregistered"),
        "note": _note(source, name),
    }


def _rest(table: pd.DataFrame, largest: float) -> dict[str, Any]:
    delivered = float(table["delivered_kg_d"].sum())
    return {
        "id": "",
        "kind": "rest",
        "name": say("其余 {count} 个来源合计", count=len(table)),
        "width": 100 * delivered / largest if largest > 0 else 0,
        "share": percent(float(table["share"].sum())),
        "load": figure(delivered),
        "listed": figure(float(table["listed_kg_d"].sum())),
        "time": "",
        "path": False,
        "note": say("其余 {count} 个来源合计", count=len(table)),
    }


def _note(source: dict[str, Any], name: str) -> str:
    """What stands behind the figures: load at the source, part that arrives, basis and date."""
    known = "share_low" in source and math.isfinite(source["share_low"])
    parts = [
        name,
        *(
            [say("贡献率 {low}–{high}", **{end: percent(source[f"share_{end}"]) for end in ("low", "high")})]
            if known
            else []
        ),
        say("清单到断面 {load} kg/d", load=figure(float(source["listed_kg_d"]))),
        say("源头负荷 {load} kg/d", load=figure(float(source["load_kg_d"]))),
        say("到达 {share}", share=percent(float(source["delivery_ratio"]))),
        say("依据：{basis}", basis=say(BASIS.get(str(source["basis"]), "未知"))),
    ]
    if source["observed_on"]:
        parts.append(str(source["observed_on"]))
    if source["crosses_unknown"]:
        parts.append(say("途经状态未知的闸，历时不可算"))
    return " · ".join(parts)


def _unexplained(trace: Trace) -> list[dict[str, Any]]:
    rest = trace.unexplained_kg_d
    if math.isnan(rest) or trace.measured_kg_d <= 0:
        return []
    part = percent(abs(rest) / trace.measured_kg_d)
    return [
        {
            "id": "",
            "kind": "unexplained",
            "name": say("清单未说明 {part}", part=part) if rest >= 0 else say("清单多出 {part}", part=part),
            "width": 0.0,
            "share": "",
            "load": "",
            "listed": figure(abs(rest)),
            "time": "",
            "path": False,
            "note": say("实测负荷减去各来源送达之和；如实列出，不摊到别的来源上"),
        }
    ]
