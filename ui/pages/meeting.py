"""The meeting page: the show, full screen with F; and the month's pack to take home."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

import streamlit as st

from reports.content import Content
from reports.meeting import meeting
from reports.pack import documents, make_pack
from ui import cache, parts, state
from ui.state import say

HEIGHT = 700


def render() -> None:
    """The story of the month on top, its documents below."""
    with parts.guard():
        url = cache.place()
        content = cache.content(url, cache.project(url).revision, state.month(), state.lang())
        st.iframe(meeting(content).decode(), height=HEIGHT)
        _pack(content)


@st.fragment
def _pack(content: Content) -> None:
    with parts.guard(), st.container(key="pack", horizontal=True, vertical_alignment="bottom"):
        offered = {say(one.title): one for one in documents(content)}
        wanted = st.multiselect(say("选月报里的内容"), list(offered), default=list(offered), key=state.PICK_PACK)
        asked = st.button(say("做月报"), type="primary", disabled=not wanted)
        if asked:
            state.keep_pack(b"", "")
            bar, stop = st.progress(0.0), st.empty()
            stop.button(say("取消"))  # any click stops the making: the page runs again

            def tell(title: str, done: int, count: int) -> None:
                words = say("正在做：{title}（{done}/{all}）", title=title, done=min(done + 1, count), all=count)
                bar.progress(done / count, words if title else "")

            made = make_pack(content, [offered[title] for title in wanted], tick=tell)
            state.keep_pack(zipped(made), f"{content.project}-{content.month}.zip")
            bar.empty()
            stop.empty()
        data, name = state.pack()
        if data:
            st.download_button(say("下载月报"), data, file_name=name, mime="application/zip", on_click="ignore")


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files as one archive; what is made is already compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()
