"""What was understood of the files: a sketch, and for every layer its columns as they were read and its first rows."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from streamlit_folium import st_folium

from hydro.schema import attributes
from layers.columns import IMPORTED
from layers.headers import COORDINATES
from layers.intake.preview import ReadLayer
from layers.maps.sketch import legend, sketch
from ui import cache, holdings, questions
from ui.intake import Intake
from ui.state import say

MAP_HEIGHT = 300
SURE = 0.9


def show(intake: Intake) -> None:
    """Sketch first, then a tab a layer."""
    preview = intake.preview
    assert preview is not None
    if any(layer.drawing.shapes for layer in preview.layers):
        _sketch(intake)
    if not preview.layers:
        st.caption(say("没有读到任何表"))
        return
    for tab, layer in zip(st.tabs([_tab(layer) for layer in preview.layers]), preview.layers, strict=True):
        with tab:
            _layer(intake, layer)


def _tab(layer: ReadLayer) -> str:
    word = say(holdings.TABLES.get(layer.table, layer.table)) if layer.table else say("未读取")
    return f"{word} {layer.rows}"


def _sketch(intake: Intake) -> None:
    preview = intake.preview
    assert preview is not None
    known = cache.ground(intake.into, cache.project(intake.into).revision) if intake.into else {}
    mouths = questions.mouths(preview)
    with st.container(key="sketch"):
        clicked: dict[str, Any] = st_folium(
            sketch(cache.library(), preview, known=known, numbered=[at for _, at in mouths]),
            key=f"sketch_{intake.turn}",
            use_container_width=True,
            height=MAP_HEIGHT,
            returned_objects=["last_clicked", "last_object_clicked"] if mouths else [],
        )
    marks = "".join(
        f'<span><b style="color:{colour}">{mark}</b> {html.escape(say(holdings.TABLES.get(table, table)))} {count}</span>'
        for mark, colour, table, count in legend(preview)
    )
    drawings = [layer.drawing for layer in preview.layers if layer.drawing.shapes]
    note = ""
    if any(drawing.supposed for drawing in drawings):
        note = say("虚线：坐标系还没有定，先按第一个提议画")
    elif not any(drawing.on_earth for drawing in drawings):
        note = say("坐标系还没有定：按文件里的坐标原样画，位置不作数")
    shown, count = sum(len(drawing.shapes) for drawing in drawings), sum(drawing.count for drawing in drawings)
    if shown < count:
        note = "　".join([note, say("图上只画 {shown} 个，共 {count} 个", shown=shown, count=count)]).strip()
    st.html(f'<div class="legend">{marks}<span class="note">{html.escape(note)}</span></div>')
    if mouths and clicked:
        at = clicked.get("last_object_clicked") or clicked.get("last_clicked")
        if at:
            questions.answer_mouth(intake, float(at["lng"]), float(at["lat"]))


def _called(table: str | None) -> str:
    return say(holdings.TABLES.get(table, table)) if table else say("（不读取）")


def _layer(intake: Intake, layer: ReadLayer) -> None:
    tables = ["", *IMPORTED]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    code = layer.system.to_epsg() if layer.system is not None and layer.drawing.count else None
    system = " · " + (say(questions.SYSTEMS[code]) if code in questions.SYSTEMS else f"EPSG:{code}") if code else ""
    left.html(f'<div class="note">{html.escape(layer.label + system)}</div>')
    table = right.selectbox(
        say("这是哪张表"),
        tables,
        index=tables.index(layer.table) if layer.table in tables else 0,
        format_func=_called,
        key=f"table_{intake.turn}_{layer.label}",
        label_visibility="collapsed",
    )
    if table and table != layer.table:
        words = say("{file} 是“{table}”表", file=layer.label, table=say(holdings.TABLES.get(table, table)))
        intake.say(words, f"--table {layer.label}={table}")
        st.rerun()
    if layer.table:
        _columns(intake, layer)
        head = layer.head.rename(columns=lambda name: holdings.column(layer.table, str(name)))
        head.index.name = say("行号")
        st.dataframe(head, height=min(38 + 35 * len(head), 218))


def _columns(intake: Intake, layer: ReadLayer) -> None:
    """The table in which columns are corrected; a correction is read at once."""
    unread = say("— 不读取")
    labels = {name: holdings.column(layer.table, name) for name in [*attributes(layer.table), *COORDINATES]}
    meaning = {label: name for name, label in labels.items()}
    rows = pd.DataFrame(
        {
            "source": [column.source for column in layer.columns],
            "sample": [column.sample for column in layer.columns],
            "attribute": [
                say("监测项目 {parameter}", parameter=column.attribute)
                if column.parameter
                else labels.get(column.attribute, unread)
                for column in layer.columns
            ],
            "unit": [column.unit or _unit(layer.table, column.attribute) for column in layer.columns],
            "sure": [_sure(column.confidence) for column in layer.columns],
        }
    )
    measured = [label for label in rows["attribute"] if label not in labels.values() and label != unread]
    edited = st.data_editor(
        rows,
        hide_index=True,
        key=f"columns_{intake.turn}_{layer.label}",
        disabled=["source", "sample", "sure"],
        height=min(38 + 35 * len(rows), 253),
        column_config={
            "source": st.column_config.TextColumn(say("文件里的列")),
            "sample": st.column_config.TextColumn(say("例如")),
            "attribute": st.column_config.SelectboxColumn(
                say("读作"), options=[unread, *dict.fromkeys(labels.values()), *measured], required=True
            ),
            "unit": st.column_config.TextColumn(say("单位"), width="small"),
            "sure": st.column_config.TextColumn(say("把握"), width="small"),
        },
    )
    said = corrected(rows, edited, {**meaning, unread: ""})
    if said:
        intake.correct(layer.label, said)
        st.rerun()


def corrected(rows: pd.DataFrame, edited: pd.DataFrame, meaning: Mapping[str, str]) -> dict[str, str]:
    """Source columns that were given another attribute or unit, as ``--map`` writes them; blank: not to be read.

    >>> rows = pd.DataFrame({"source": ["a", "b"], "attribute": ["名称", "—"], "unit": ["", ""]})
    >>> edited = rows.assign(attribute=["—", "许可排水量"], unit=["", "万吨/日"])
    >>> corrected(rows, edited, {"名称": "name", "许可排水量": "permit_discharge_m3_d", "—": ""})
    {'a': '', 'b': 'permit_discharge_m3_d(万吨/日)'}
    """
    changed = edited[(edited["attribute"] != rows["attribute"]) | (edited["unit"] != rows["unit"])]
    return {
        str(source): meaning[label] + (f"({unit})" if unit and meaning[label] else "")
        for source, label, unit in zip(changed["source"], changed["attribute"], changed["unit"], strict=True)
        if label in meaning
    }


def _unit(table: str, attribute: str) -> str:
    known = attributes(table).get(attribute)
    return known.unit if known else ""


def _sure(confidence: float) -> str:
    if not confidence:
        return ""
    return say("确定") if confidence >= SURE else f"{confidence:.0%}"
