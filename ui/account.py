"""What became of every row: those refused beside the questions, all of them below, and the workbook to send back."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from layers.report import Entry
from reports.account import account as workbook
from ui import holdings, questions, state
from ui.intake import Intake
from ui.state import say

SHOWN = 7
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def left_out() -> bool:
    """Whether the user has said that rows refused are to stay behind."""
    return bool(state.widget(state.LEAVE_OUT))


def refused(intake: Intake) -> None:
    """The rows refused, each with what would be right; and the user's word that the others may enter without them."""
    assert intake.preview is not None
    entries = intake.preview.report.refused
    if not entries:
        st.caption(say("没有拒收的行。"))
        return
    if intake.preview.report.asked:
        st.caption(say("先回答旁边的问题：下面的行届时会重新核对，有的不再拒收。"))
    for entry in entries[:SHOWN]:
        with st.container(border=True, gap="xxsmall"):
            st.caption(_place(intake, entry))
            st.text(questions.told(entry.message, **entry.params))
    if any("column" in entry.params and entry.row is None for entry in entries):
        st.caption(say("缺的列若在文件里叫别的名字，请在左边的“读作”里指明。"))
    if len(entries) > SHOWN:
        st.caption(say("还有 {count} 行，见下面的账目", count=len(entries) - SHOWN))
    download(intake)
    st.checkbox(say("不要这 {count} 行，其余照写", count=len(entries)), key=state.LEAVE_OUT)


def _place(intake: Intake, entry: Entry) -> str:
    assert intake.preview is not None
    where = intake.preview.file_of(entry) or say(holdings.TABLES.get(entry.table, entry.table))
    row = say("第 {row} 行", row=entry.row) if entry.row is not None else ""
    return " ".join(filter(None, (where, row, entry.id)))


def show(intake: Intake, *, sent: bool = False) -> None:
    """Every entry in one table that can be searched; ``sent``: the page offers the workbook elsewhere."""
    preview = intake.preview
    if preview is None:
        return
    rows = []
    for kind, entries in (("拒收", preview.report.refused), ("已修整", preview.report.mended)):
        rows += [
            {
                "kind": say(kind),
                "file": preview.file_of(entry),
                "row": str(entry.row or ""),
                "id": entry.id,
                "what": questions.told(entry.message, **entry.params),
            }
            for entry in entries
        ]
    rows += [
        {"kind": say("提示"), "file": str(f.params.get("file", "")), "row": "", "id": f.row,
         "what": questions.told(f.message, **f.params)}
        for f in preview.report.warnings
    ]  # fmt: skip
    if not rows:
        return
    counts = Counter(row["kind"] for row in rows)
    title = "　".join(f"{kind} {count}" for kind, count in counts.items())
    with st.expander(say("账目") + f"　{title}"):
        sought = st.text_input(
            say("在账目里找"), key="sought", placeholder=say("文件、编号或原因里的字"), label_visibility="collapsed"
        )
        kept = [row for row in rows if sought.lower() in " ".join(map(str, row.values())).lower()]
        st.dataframe(
            pd.DataFrame(kept, columns=["kind", "file", "row", "id", "what"]),
            hide_index=True,
            height=min(38 + 35 * max(len(kept), 1), 320),
            column_config={
                "kind": st.column_config.TextColumn(say("处理"), width="small"),
                "file": st.column_config.TextColumn(say("文件"), width="medium"),
                "row": st.column_config.TextColumn(say("行号"), width="small"),
                "id": st.column_config.TextColumn(say("编号"), width="small"),
                "what": st.column_config.TextColumn(say("说明"), width="large"),
            },
        )
        if not preview.report.refused and not sent:
            download(intake)


def download(intake: Intake) -> None:
    """The account as a workbook; made when it is asked for."""
    preview = intake.preview
    if preview is None:
        return
    language = state.lang()
    st.download_button(
        say("下载核对结果（xlsx）"),
        lambda: workbook(preview, questions.told, source=intake.title),
        file_name=say("核对结果") + ".xlsx",
        mime=XLSX,
        key=f"account_{language}",
        on_click="ignore",
        help=say("按文件分表、按原行号逐行列出，可发回给提供数据的人"),
    )
