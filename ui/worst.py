"""The sections of a month, worst first: where the eye starts before anything is chosen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import streamlit as st

from hydro import RiverNetwork
from hydro.assessment.standards import CLASSES
from hydro.columns import text
from layers.maps.style import status
from ui import cache, parts, section, state
from ui.state import say

HERE = Path(__file__).parent / "browser"

_list = st.components.v2.component(
    "qingyuan_worst",
    html='<div class="worst"></div>',
    css=(HERE / "worst.css").read_text(encoding="utf-8"),
    js=(HERE / "worst.js").read_text(encoding="utf-8"),
)


def show(network: RiverNetwork) -> None:
    """Every section with its value against its target; a click chooses one."""
    target, name = network.targets.on(state.month()), text(network.sections, "name")
    waterbody = text(network.sections, "waterbody")
    standard = cache.standard()
    rows: list[dict[str, Any]] = []
    for i in map(str, network.sections.index):
        reading = network.observations.at("section", i, "TP", state.month()) if state.month() else None
        value = math.nan if reading is None else reading.value
        how = status(value, target[i])
        known = how != "none"
        rank = int(standard.rank("TP", value, waterbody[i] or "river"))
        rows.append(
            {
                "id": i,
                "name": name[i] or i,
                "status": how,
                "mark": section.STATUS[how][0],
                "colour": standard.grades[CLASSES[rank]].colour if rank >= 0 else "#fff",
                "value": section.reading(reading) if reading else "–",
                "target": f"{target[i]:g}" if not math.isnan(target[i]) else "–",
                "part": value / target[i] if known else 0.0,
                "note": section.margin(value, target[i]) if known else say("○ 无监测值"),
            }
        )
    rows.sort(key=lambda row: -float(row["part"]))
    counts = {kind: sum(row["status"] == kind for row in rows) for kind in ("over", "at")}
    parts.heading(
        say("{month} 总磷：{over} 个超标，{at} 个持平，共 {all} 个断面", month=state.month(), all=len(rows), **counts)
    )
    _list(
        key=state.WORST,
        data={"rows": rows, "heads": [say("断面"), say("目标")]},
        on_chosen_change=state.picked_worst,
    )
