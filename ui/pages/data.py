"""The data page: drop files, see what was understood, answer what only you can know, write, and go to the map."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from hydro import HydroError
from layers.intake.taking_back import take_last_back
from layers.store.attachments import safe_name
from ui import account, cache, holdings, pages, parts, questions, signin, state, understood
from ui.intake import ALL_MB, LARGEST_MB, Intake
from ui.state import say

TICK_S = 0.4
NEW = ""


def render() -> None:
    """One of five states: nothing dropped, at work, understood, stopped, written."""
    _words_of_the_drop_zone()
    with parts.guard():
        intake: Intake | None = state.intake()
        if intake is None:
            _empty()
            return
        if intake.settle() and intake.entered and not intake.taken_back:
            _arrive(intake)
        if intake.work.progress.busy:
            _working()
        elif intake.taken_back:
            _taken_back(intake)
        elif intake.entered:
            _written(intake)
        elif intake.preview:
            _understood(intake)
        else:
            _stopped(intake)


# -- nothing dropped -------------------------------------------------------------------------------------------------


def _empty() -> None:
    if not signin.who().may("write"):
        st.info(say("您的角色只能查看：可以放入文件预览核对，写入请联系管理员。"))
    with st.container(key="drop"):
        _drop(say("把文件放到这里"), "drop_first", _first)
    _last()
    holdings.show()


def _last() -> None:
    """The user's own import, where it is the last change of the project: it can be taken back whenever they come again."""
    url = cache.place()
    found = cache.last_import(url, cache.project(url).revision, signin.who())
    if found is None:
        return
    with st.container(key="last_import", horizontal=True, vertical_alignment="center"):
        st.text(
            say(
                "您的最近一次导入（{when}）：{why}", when=found.when[:16].replace("T", " "), why=holdings.why(found.why)
            )
        )
        st.button(say("撤销本次导入"), on_click=_take_last_back, args=(url, found.revision), key="take_last_back")


def _take_last_back(url: str, revision: int) -> None:
    with parts.told():
        take_last_back(signin.own_project(url), revision)
        st.toast(say("已撤销：“{name}”回到导入以前的样子。", name=cache.project(url).name))


def _drop(label: str, key: str, take: Callable[[list[st.runtime.uploaded_file_manager.UploadedFile]], None]) -> None:
    dropped = st.file_uploader(label, accept_multiple_files=True, key=key, label_visibility="collapsed")
    if dropped:
        take(dropped)


def _first(dropped: list[st.runtime.uploaded_file_manager.UploadedFile]) -> None:
    intake = Intake()
    with parts.guard():
        intake.receive(dropped)
        intake.into, intake.weigh = cache.place(), _may_make()
        _begin(intake)


def _begin(intake: Intake) -> None:
    intake.read()
    state.hold_intake(intake)
    st.rerun()


def _words_of_the_drop_zone() -> None:
    """The uploader of the framework speaks English alone; its words are replaced by ours."""
    here, choose = say("把文件放到这里"), say("选择文件")
    kinds = say("shp（连同 dbf、shx）· gpkg · geojson · kml · xlsx · csv · zip，可多个一起放")
    limit = say("单个不超过 {one} MB，合计不超过 {all} MB", one=LARGEST_MB, all=ALL_MB)
    words = {"here": here, "choose": choose, "kinds": kinds, "limit": limit}
    told = "".join(f"--drop-{name}: {_css(sentence)};" for name, sentence in words.items())
    st.html(f"<style>:root {{ {told} }}</style>")


def _css(words: str) -> str:
    plain = words.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
    return f'"{plain}"'


# -- at work ---------------------------------------------------------------------------------------------------------


@st.fragment(run_every=TICK_S)
def _working() -> None:
    intake: Intake = state.intake()
    progress = intake.work.progress
    if not progress.busy:
        st.rerun()
    with st.container(key="working", border=True):
        st.html(f'<div class="file-head"><span class="kind">{html.escape(intake.title)}</span></div>')
        st.progress(min(progress.part, 1.0), text=say(progress.what or "准备读取"))
        st.button(say("停止"), on_click=intake.stop, key="stop")
        st.html(f'<div class="note">{html.escape(say("停止后不会写入任何内容。"))}</div>')


def _stopped(intake: Intake) -> None:
    with st.container(key="trouble", border=True):
        error = intake.error
        st.text(say(error.message, **error.params) if error else say("已停止，没有写入任何内容。"))
        left, right, _ = st.columns([1, 1, 3])
        left.button(say("重新读取"), on_click=intake.read, type="primary", width="stretch")
        right.button(say("放弃"), on_click=state.hold_intake, args=(None,), width="stretch")


# -- understood ------------------------------------------------------------------------------------------------------


def _understood(intake: Intake) -> None:
    assert intake.preview is not None
    report = intake.preview.report
    if intake.error:
        st.warning(say(intake.error.message, **intake.error.params))
    _destination(intake)
    read_as, asked, refused = st.columns([5, 3, 3], gap="medium")
    with read_as:
        _column(say("读作…"), len(intake.preview.layers))
        understood.show(intake)
    with asked:
        _column(say("要您一句话"), len(report.asked) + len(questions.unknown(intake)))
        questions.show(intake)
    with refused, st.container(key="refused"):
        _column(say("拒收"), len(report.refused))
        account.refused(intake)
    account.show(intake)


def _column(title: str, count: int) -> None:
    st.html(f'<div class="heading">{html.escape(title)} <span class="count">{count}</span></div>')


def _destination(intake: Intake) -> None:
    """Where it goes, and the one button."""
    assert intake.preview is not None
    with st.container(key="destination", horizontal=True, vertical_alignment="bottom", gap="small"):
        why = _why_not(intake)
        st.html(
            f'<div class="read"><b>{html.escape(intake.title)}</b><span>{html.escape(_sum(intake))}</span>'
            f"<span>{html.escape(_belonging(intake))}</span><em>{html.escape(why)}</em></div>"
        )
        st.space("stretch")
        _where(intake)
        st.button(
            say("写入"),
            type="primary",
            disabled=bool(why),
            on_click=_write,
            args=(intake,),
            key="write",
        )
        with st.popover(say("再加文件"), width="content"):
            _drop(say("再加文件"), f"drop_{intake.turn}", _more)
        st.button(say("放弃"), on_click=state.hold_intake, args=(None,), key="give_up")


def _more(dropped: list[st.runtime.uploaded_file_manager.UploadedFile]) -> None:
    intake: Intake = state.intake()
    with parts.guard():
        intake.receive(dropped)
        _begin(intake)


def _sum(intake: Intake) -> str:
    assert intake.preview is not None
    report = intake.preview.report
    return say(
        "读到 {rows} 行：可入库 {accepted} 行，已修整 {mended} 处，拒收 {refused} 行",
        rows=sum(layer.rows for layer in intake.preview.layers),
        accepted=report.accepted.total(),
        mended=len(report.mended),
        refused=len(report.refused),
    )


def _belonging(intake: Intake) -> str:
    """Why it is proposed to write where it is."""
    found = intake.acquaintance
    if not found.named:
        return ""
    url = cache.place()
    params = {"named": found.named, "known": found.known, "name": cache.project(url).name or Path(url).stem}
    if found.belongs:
        return say("写入“{name}”：文件里 {named} 个编号或名称，{known} 个已在那里", **params)
    return say("新建项目：文件自带河网，{named} 个编号或名称只有 {known} 个在“{name}”里", **params)


def _where(intake: Intake) -> None:
    url = cache.place()
    here = cache.project(url).name or Path(url).stem
    places = {url: say("写入“{name}”", name=here), **({NEW: say("新建项目")} if _may_make() else {})}
    picked = st.selectbox(
        say("写入哪里"),
        list(places),
        index=list(places).index(intake.into) if intake.into in places else 0,
        format_func=places.__getitem__,
        key="into",
        label_visibility="collapsed",
        width=190,
    )
    if picked != intake.into:
        intake.into, intake.weigh = picked, False
        _begin(intake)
    if picked == NEW:
        st.text_input(
            say("新项目的名称"),
            intake.name,
            key=state.NEW_NAME,
            max_chars=60,
            label_visibility="collapsed",
            width=200,
            on_change=_named,
            args=(intake,),
        )


def _named(intake: Intake) -> None:
    intake.name = str(state.widget(state.NEW_NAME) or "").strip()


def _why_not(intake: Intake) -> str:
    """What stands against writing, blank where nothing does."""
    assert intake.preview is not None
    report = intake.preview.report
    if not signin.who().may("write"):
        return say("您的角色只能查看。")
    if report.asked:
        return say("还有 {count} 个问题没有回答", count=len(report.asked))
    if report.network.loops:
        return say("河网里有环，请先改正")
    if not report.accepted.total():
        return say("没有可写入的行")
    if report.refused and not account.left_out():
        return say("有 {count} 行拒收：改正文件后重新放入，或在“拒收”一栏说明其余照写", count=len(report.refused))
    if intake.into == NEW and not intake.name:
        return say("请给新项目起个名字")
    if intake.into == NEW and safe_name(intake.name) in cache.projects():
        return say("已有项目叫“{name}”，请换个名字", name=intake.name)
    return ""


def _write(intake: Intake) -> None:
    with parts.told():
        url = intake.into
        if url == NEW:
            folder = cache.project_folder()
            folder.mkdir(parents=True, exist_ok=True)
            url = str(folder / f"{safe_name(intake.name)}.gpkg")
        intake.write(url, signin.who(), leave_out=account.left_out())


def _may_make() -> bool:
    return signin.who().may("administer")


# -- written ---------------------------------------------------------------------------------------------------------


def _arrive(intake: Intake) -> None:
    """Open the project that was written to, and go to the map with the section that most needs a look."""
    entered = intake.entered
    assert entered is not None
    if entered.made:
        state.open_project(Path(entered.url).stem)
    st.toast(
        say(
            "已写入“{name}”，共 {count} 行。要撤销，请到数据页。", name=entered.name, count=sum(entered.counts.values())
        )
    )
    newest = _newer(entered.url)
    if newest:
        st.toast(
            say("现有更新的月份 {newest}，现在看的是 {shown}。请在上方选月份。", newest=newest, shown=state.month())
        )
    try:
        section = cache.worst_section(entered.url, cache.project(entered.url).revision)
    except HydroError:
        return
    if section:
        state.choose_section(section)
        st.switch_page(pages.page("map"))


def _newer(url: str) -> str:
    """The newest month of the project where it is later than the one shown; blank where it is not."""
    try:
        newest = cache.months(url, cache.project(url).revision)[-1:]
    except HydroError:
        return ""
    return newest[0] if newest and state.month() and newest[0] > state.month() else ""


def _written(intake: Intake) -> None:
    entered = intake.entered
    assert entered is not None
    with st.container(key="written", border=True):
        st.html(
            f'<div class="file-head"><span class="place">{html.escape(say("已写入“{name}”", name=entered.name))}</span></div>'
        )
        counts = "　".join(f"{say(holdings.TABLES.get(t, t))} {count}" for t, count in entered.counts.items())
        st.text(counts)
        if entered.left_out:
            st.text(say("{count} 行拒收，没有写入", count=entered.left_out))
        if intake.error:
            st.warning(say(intake.error.message, **intake.error.params))
        newest = _newer(entered.url)
        if newest:
            st.text(say("导入后最新的月份是 {newest}，现在看的是 {shown}。", newest=newest, shown=state.month()))
        with st.container(horizontal=True):
            if newest:
                st.button(say("看 {month}", month=newest), type="primary", on_click=state.choose_month, args=(newest,))
            if st.button(say("看地图"), type="secondary" if newest else "primary"):
                st.switch_page(pages.page("map"))
            account.download(intake)
            if intake.work.can_take_back:
                st.button(say("撤销本次导入"), on_click=intake.take_back, args=(signin.who(),), key="take_back")
            else:
                st.caption(say("不能再自动撤销；请由备份恢复，或改正后再导入。"))
            st.button(say("再导入一批"), on_click=state.hold_intake, args=(None,), key="again")
    account.show(intake, sent=True)


def _taken_back(intake: Intake) -> None:
    """Back to where the user was before writing, with the files still at hand."""
    entered = intake.entered
    assert entered is not None
    words = say("已撤销：“{name}”回到导入以前的样子。", name=entered.name)
    if entered.made:
        words = say("已撤销：新建的“{name}”已删除。", name=entered.name)
        cache.forget()
        if state.project() == Path(entered.url).stem:
            state.open_project("")
    intake.entered, intake.taken_back = None, False
    st.toast(words)
    intake.read()
    st.rerun()
