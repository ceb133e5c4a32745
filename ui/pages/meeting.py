"""The meeting page: the show, full screen with F; and the month's pack to take home."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from layers.store.stories import keep_story, steps_from
from reports.content import Content
from reports.meeting import meeting
from reports.pack import Style, documents, make_pack
from reports.planned import plan_named
from reports.printable import clean
from reports.sheet import PAPERS
from ui import cache, parts, signin, state, waiting_room
from ui.state import say

HERE = Path(__file__).parents[1] / "browser"
HEIGHT = 620
"""Of the show in the page: with what is above it, all is in view on a screen of 768 lines."""


_story = st.components.v2.component("qingyuan_story", js=(HERE / "story.js").read_text(encoding="utf-8"))


def render() -> None:
    """The story of the month, with its plan and its documents above; until the causes are known, what is known already."""
    with parts.guard():
        url = cache.place()
        revision = cache.project(url).revision
        room = st.container()
        if state.month() in cache.months(url, revision) and not cache.judged(url, revision).done():
            with room:
                st.fragment(waiting_room.show, run_every="1s")(url, revision)
            return
        above = st.container(key="meeting_above", horizontal=True, vertical_alignment="bottom")
        with above:
            plan = _plan(url, revision)
        asked = (url, revision, state.month(), state.lang(), plan)
        if not cache.content_made(*asked):
            room = room.empty()
            room.html(waiting_room.drawn(url, revision, waiting_room.LAYING_OUT))
        content = cache.content(*asked)
        with above:
            _pack(content)
        keeps = signin.who().may("write")
        room.iframe(meeting(content, keeps=keeps).decode(), height=HEIGHT)
        if keeps:
            _story(key=state.STORY, on_story_change=_keep_story)


def _keep_story() -> None:
    with parts.told():
        steps = steps_from(state.told_story())
        why = say("会议故事 {month}", month=state.month())
        keep_story(signin.own_project(cache.place()), state.month(), steps, why=why)
        state.leave_notice(say("会议故事已保存到项目") if steps else say("会议故事已恢复默认"))


def _plan(url: str, revision: int) -> str:
    """The plan that is told, as picked; at first the one approved last, else the newest that is still open."""
    plans = cache.plans(url, revision)
    plans = plans[~plans["state"].isin(["rejected", "archived"])]
    if plans.empty:
        return ""
    names = {
        str(one["plan_id"]): plan_named(str(one["name"]), str(one["state"]), say) for one in plans.to_dict("records")
    }
    approved = [i for i, how in zip(names, plans["state"], strict=True) if how == "approved"]
    choices = ["", *names]
    return st.selectbox(
        say("讲哪个方案"),
        choices,
        index=choices.index((approved or list(names))[-1]),
        format_func=lambda plan: names.get(plan, say("不讲方案")),
        key=state.TOLD_PLAN,
        width=420,
    )


def _dress(content: Content) -> tuple[Content, Style]:
    """Who makes the pack, on which paper, in whose template."""
    say_series = {"section": "一页一断面", "river": "一页一河流", "county": "一页一县", "basin": "只要全流域"}
    with st.expander(say("版式")):
        unit = st.text_input(say("编制单位"), key=state.PACK_UNIT, max_chars=60)
        approval = st.text_input(say("地图审图号"), key=state.PACK_APPROVAL, max_chars=40)
        paper = st.segmented_control(say("图册纸张"), list(PAPERS), default="A3", key=state.PACK_PAPER) or "A3"
        portrait = st.toggle(say("图册竖排"), key=state.PACK_PORTRAIT)
        series = st.selectbox(
            say("图册分页"), list(say_series), format_func=lambda one: say(say_series[one]), key=state.PACK_SERIES
        )
        template = st.file_uploader(say("演示文稿的模板（.pptx）"), type="pptx", key=state.PACK_TEMPLATE)
    style = Style(paper, portrait, series, template.getvalue() if template else None)
    return replace(content, unit=clean(unit), approval=clean(approval)), style


@st.fragment
def _pack(content: Content) -> None:
    with parts.guard(), st.popover(say("月报")):
        offered = {say(one.title): one for one in documents(content)}
        wanted = st.multiselect(say("选月报里的内容"), list(offered), default=list(offered), key=state.PICK_PACK)
        dressed, style = _dress(content)
        asked = st.button(say("做月报"), type="primary", disabled=not wanted)
        if asked:
            state.keep_pack(b"", "")
            bar, stop = st.progress(0.0), st.empty()
            stop.button(say("取消"))  # any click stops the making: the page runs again

            def tell(title: str, done: int, count: int) -> None:
                words = say("正在做：{title}（{done}/{all}）", title=title, done=min(done + 1, count), all=count)
                bar.progress(done / count, words if title else "")

            made = make_pack(dressed, [offered[title] for title in wanted], style=style, tick=tell)
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
