"""What stands on the page while a project is first opened: what is being done and how far it is, never a blank page."""

from __future__ import annotations

import html
import time
from contextlib import suppress

import streamlit as st

from hydro import HydroError
from ui import cache
from ui.state import say

TICK_S = 0.2


def show() -> None:
    """Wait for the demo's import and the project's network, once in the life of a server; later visits see nothing of it.

    What goes wrong is left to the page, which opens the same project again and says so.
    """
    work = cache.awaited()
    if (work is None or work.made.done()) and _place() in cache.opened():
        return
    place = st.empty()
    while work and not work.made.done():
        place.html(_drawn(0, work.what, work.part))
        time.sleep(TICK_S)
    place.html(_drawn(1))
    url = _place()
    with suppress(HydroError):
        cache.network(url, cache.project(url).revision)
    cache.opened().add(url)
    st.rerun()  # so that the page is laid out as on every later run, and the map need not be drawn twice


def _place() -> str:
    """The project to open; blank where the demo could not be made."""
    try:
        return cache.place()
    except HydroError:
        return ""


def _drawn(doing: int, what: str = "", part: float = 0.0) -> str:
    """The steps, of which number ``doing`` is under way, with the part of it that is done."""
    steps = [say("建立示例流域"), say("读取河网与监测记录"), say("绘制地图")]
    kinds = ["done" if i < doing else "doing" if i == doing else "" for i in range(len(steps))]
    listed = "".join(f'<li class="{kind}">{html.escape(step)}</li>' for kind, step in zip(kinds, steps, strict=True))
    note, meter = "", ""
    if doing == 0:
        told = say("{what}，已完成 {part:.0%}", what=say(what or "准备读取"), part=part)
        meter = (
            f'<div class="meter"><div style="width:{part:.0%}"></div></div><div class="note">{html.escape(told)}</div>'
        )
        note = f'<div class="note">{html.escape(say("首次启动要先导入示例数据，只此一次。"))}</div>'
    return f'<div class="opening"><h1>{html.escape(say("正在打开"))}</h1><ol>{listed}</ol>{meter}{note}</div>'
