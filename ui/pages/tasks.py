"""The tasks: what is overdue, what each person does today, how far the registers are, and the league of counties."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from hydro.columns import records
from hydro.tasks import daily_sheet, load_of, with_status
from ui import cache, counties, double, outlet_file, parts, registers, state, table, task_desk
from ui.section_file import status
from ui.state import say
from ui.today import as_of

LIST, SHEET = "task_list", "task_sheet"
TABS = ("任务清单", "个人日清单", "台账进度", "双达标", "县区排名", "生态补偿")
WHEN = {"overdue": "逾期", "today": "今日到期", "soon": "7 日内", "undated": "未定期限"}


def render() -> None:
    """Tasks left to right: the list, a day's sheet, the registers, the league."""
    with parts.guard():
        url = cache.place()
        revision = cache.project(url).revision
        tasks, today = cache.table(url, revision, "tasks"), as_of(state.month())
        _headline(url, tasks, today)
        network = cache.network(url, revision)
        if state.file() in network.outlets.index or state.file() in network.plants.index:
            outlet_file.show(url, revision, state.file())
            state.write_link()
            return
        listed, sheet, works, tested, ranked, paid = st.tabs([say(title) for title in TABS])
        with listed:
            task_desk.show(url, revision, tasks, today)
            _list(tasks, today)
        with sheet:
            _sheet(tasks, today)
        with works:
            registers.show(url, revision, today)
        with tested:
            double.show(url, revision)
        with ranked:
            counties.show_league(url, revision, tasks, today)
            counties.show_index(url, revision)
        with paid:
            counties.show_paid(url, revision)
        state.write_link()


def _headline(url: str, tasks: pd.DataFrame, today: str) -> None:
    found = (
        with_status(tasks, today=today)
        if len(tasks)
        else tasks.assign(open=False, overdue=False, listed=False, state="")
    )
    said = say(
        "截至 {day}：{open} 项在办，{overdue} 项逾期，{listed} 项挂牌督办，{done} 项办结", day=today, open=int(found["open"].sum()),
        overdue=int(found["overdue"].sum()), listed=int(found["listed"].sum()), done=int((found["state"] == "done").sum()),
    )  # fmt: skip
    demo = f' <span class="demo">{html.escape(say("示例"))}</span>' if cache.project(url).demo else ""
    st.html(f'<div class="board-head"><b>{html.escape(said)}</b>{demo}</div>')


def _list(tasks: pd.DataFrame, today: str) -> None:
    if tasks.empty:
        st.text(say("还没有任务：导入任务表，或由方案批准、断面超标生成"))
        return
    column = table.Column
    columns = [
        column("title", say("任务"), "text", 230), column("department", say("责任部门"), "text", 110),
        column("person", say("责任人"), "text", 110), column("county", say("县区"), "text", 70),
        column("due", say("期限"), "text", 84), column("state", say("状态"), "mark", 100),
        column("listed", say("挂牌督办"), "text", 150),
    ]  # fmt: skip
    rows = []
    for one in records(with_status(tasks, today=today)):
        hung, off = (str(one[name] or "")[:10] for name in ("listed_on", "delisted_on"))
        shown = say("{day} 挂牌", day=hung) if hung else ""
        cells = {
            "title": str(one["title"]), "department": str(one["department"] or ""), "person": str(one["person"] or ""),
            "county": str(one["county"] or ""), "due": str(one["due_on"] or "")[:10], "state": status(one),
            "listed": say("{day} 已摘牌", day=off) if off else shown,
        }  # fmt: skip
        rows.append(table.row(str(one["task_id"]), cells, {"state": one["days_left"]}, str(one["note"] or "")))
    table.show(LIST, columns, rows, _chosen, chosen=state.task())


def _chosen() -> None:
    if state.clicked(LIST):
        state.choose_task(state.clicked(LIST))


def _sheet(tasks: pd.DataFrame, today: str) -> None:
    people = [name for name in load_of(tasks, "person", today=today)["group"] if name] if len(tasks) else []
    if not people:
        st.text(say("没有落实到人的任务"))
        return
    person = st.selectbox(say("责任人"), people, key=state.PICK_PERSON, width=220)
    mine = daily_sheet(tasks, str(person), today=today)
    if mine.empty:
        st.text(say("{person}：今天没有到期任务", person=person))
        return
    st.html(
        f'<div class="plainly">{html.escape(say("{person}，{day}：{count} 项要办", person=person, day=today, count=len(mine)))}</div>'
    )
    column = table.Column
    columns = [
        column("when", say("时限"), "mark", 90), column("title", say("任务"), "text", 240),
        column("county", say("县区"), "text", 90), column("due", say("期限"), "text", 90), column("state", say("状态"), "mark", 110),
    ]  # fmt: skip
    rows = [
        table.row("", {
            "when": {"kind": "over" if one["when"] == "overdue" else "none", "text": say(WHEN[one["when"]])},
            "title": str(one["title"]), "county": str(one["county"] or ""), "due": str(one["due_on"] or "")[:10],
            "state": status(one),
        }, {"when": one["days_left"], "state": one["days_left"]})
        for one in records(mine)
    ]  # fmt: skip
    table.show(SHEET, columns, rows, lambda: None)
