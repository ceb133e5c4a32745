"""The tasks: what is overdue, what each person does today, how far the registers are, and the league of counties."""

from __future__ import annotations

import html
import math
from typing import Any

import pandas as pd
import streamlit as st

from hydro.columns import text
from hydro.compensation import county_statement
from hydro.permits import VERDICTS, coverage
from hydro.registers import FAMILIES, league, register_progress, survey_progress
from hydro.tasks import daily_sheet, from_exceedances, load_of, with_status
from layers.tasks import draft_tasks, move_task, moves
from ui import cache, outlet_file, parts, signin, state, table
from ui.section_file import facts, status
from ui.state import say
from ui.today import as_of

LIST, SHEET, REGISTERS, LEAGUE, SURVEY = "task_list", "task_sheet", "register_list", "league_list", "survey_list"
DOUBLE, PAID = "double_list", "paid_list"
TABS = ("任务清单", "个人日清单", "台账进度", "双达标", "县区排名", "生态补偿")
WHEN = {"overdue": "逾期", "today": "今日到期", "soon": "7 日内", "undated": "未定期限"}
PACE = {
    "done": ("holds", "完成"),
    "on_plan": ("none", "按计划"),
    "behind": ("over", "滞后"),
    "not_started": ("over", "未启动"),
    "undated": ("none", "未定期限"),
}


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
        listed, sheet, registers, double, counties, paid = st.tabs([say(title) for title in TABS])
        with listed:
            _list(tasks, today)
            _desk(url, revision, tasks, today)
        with sheet:
            _sheet(tasks, today)
        with registers:
            _registers(url, revision, today)
        with double:
            _double(url, revision)
        with counties:
            _league(url, revision, tasks, today)
        with paid:
            _paid(url, revision)
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
    for one in with_status(tasks, today=today).to_dict("records"):
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


def _desk(url: str, revision: int, tasks: pd.DataFrame, today: str) -> None:
    """What may be done now: moves of the task chosen, and drafts for the sections over their target."""
    own = tasks[tasks["task_id"] == state.task()] if len(tasks) else tasks
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="desk"):
        if len(own):
            one = own.iloc[0].to_dict()
            st.html(f"<b>{html.escape(str(one['title']))}</b>", width="content")
            for name, word in moves(one):
                st.button(say(word), key=f"move_{name}", on_click=_move, args=(url, str(one["task_id"]), name, today))
            st.text_input(
                say("办理说明"),
                key=state.TASK_WHY,
                placeholder=say("办理说明（记入台账）"),
                label_visibility="collapsed",
                width=260,
            )
        else:
            st.html(f'<span class="note">{html.escape(say("点选任务办理"))}</span>', width="content")
        st.space("stretch")
        over = cache.board(url, revision, state.month()).rows["state"].eq("over").sum()
        if over:
            said = say("为 {count} 个超标断面起草任务", count=int(over))
            st.button(said, key="draft", on_click=_draft, args=(url, revision, today))


def _move(url: str, task_id: str, name: str, today: str) -> None:
    with parts.told():
        move_task(signin.own_project(url), task_id, name, today=today, why=state.task_why())
        st.toast(say("已记录"))


def _draft(url: str, revision: int, today: str) -> None:
    """One draft a section over its target, for the grid owner of its first-ranked source."""
    with parts.told():
        network, rows = cache.network(url, revision), cache.board(url, revision, state.month()).rows
        owners = {}
        for section_id in rows.loc[rows["state"] == "over", "section_id"]:
            ranked = cache.trace(url, revision, str(section_id), state.month()).table
            points = ranked[ranked["kind"].isin(["outlet", "plant"])]
            if len(points):
                owners[str(section_id)] = _owner(network, points.iloc[0].to_dict())
        drafted = from_exceedances(rows, owners, today=today)
        count = draft_tasks(signin.own_project(url), drafted, why=say("断面超标"))
        st.toast(say("已起草 {count} 项，{there} 项此前已有", count=count, there=len(drafted) - count))


def _owner(network: Any, source: dict[str, Any]) -> dict[str, str]:
    """Name and grid owner of a source; a plant's are those of its outlet."""
    outlets, source_id = network.outlets, str(source["source_id"])
    own = outlets.index[(outlets.index == source_id) | (text(outlets, "plant_id") == source_id)]
    grid = text(outlets, "grid_owner")[own[0]] if len(own) else ""
    return {"name": str(source["name"]), "grid_owner": grid}


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
        for one in mine.to_dict("records")
    ]  # fmt: skip
    table.show(SHEET, columns, rows, lambda: None)


def _registers(url: str, revision: int, today: str) -> None:
    left, right = st.columns([2, 1], gap="medium")
    with left:
        parts.heading(say("工作台账"))
        registers = cache.table(url, revision, "registers")
        if registers.empty:
            st.text(say("还没有台账：导入 registers 表"))
        else:
            table.show(REGISTERS, _register_columns(), _register_rows(registers, today), lambda: None)
    with right:
        parts.heading(say("排污口查测溯治"))
        outlets = cache.table(url, revision, "outlets")
        _survey_summary(outlets)
        table.show(SURVEY, _survey_columns(), _survey_rows(outlets), lambda: None)


def _register_columns() -> list[table.Column]:
    column = table.Column
    return [
        column("family", say("类别"), "text", 120), column("name", say("事项"), "text", 150),
        column("county", say("县区"), "text", 66), column("share", say("完成"), "share", 110),
        column("amount", say("完成/任务"), "number", 90), column("removed", say("削减 kg/d"), "number", 66),
        column("due", say("期限"), "text", 88), column("state", say("进度"), "mark", 100, say("进度 = 完成比例 ÷ 时间比例")),
    ]  # fmt: skip


def _register_rows(registers: pd.DataFrame, today: str) -> list[dict[str, Any]]:
    rows = []
    for one in register_progress(registers, today=today).to_dict("records"):
        kind, word = PACE[one["state"]]
        pace = "" if math.isnan(one["pace"]) or one["state"] == "done" else f" {one['pace']:.2f}"
        cells = {
            "family": say(FAMILIES.get(one["family"], one["family"])), "name": str(one["name"] or ""),
            "county": str(one["county"] or ""), "share": {"share": table.known(one["share"]), "text": parts.percent(one["share"])},
            "amount": f"{one['done']:g} / {one['target']:g} {one['unit'] or ''}", "removed": parts.fixed(one["removed_kg_d"], 1),
            "due": str(one["due_on"] or "")[:10], "state": {"kind": kind, "text": say(word) + pace},
        }  # fmt: skip
        note = say("照此进度，到期完成 {at_due:.1f} / {target:g}", at_due=one["at_due"], target=one["target"])
        rows.append(table.row("", cells, {"share": one["share"], "removed": one["removed_kg_d"], "state": one["pace"]},
                              "" if math.isnan(one["at_due"]) else note))  # fmt: skip
    return rows


def _survey_summary(outlets: pd.DataFrame) -> None:
    step = text(outlets, "survey")
    traced, signed = step.isin(["traced", "signed"]).mean(), (step == "signed").mean()
    facts([
        (say("已溯源"), say("{share}（2023 年底 80 %）", share=parts.percent(traced))),
        (say("已整治"), say("{share}（2023 年底 30 %）", share=parts.percent(signed))),
    ])  # fmt: skip


def _survey_columns() -> list[table.Column]:
    column = table.Column
    steps = [("sampled", "测"), ("traced", "溯"), ("signed", "治"), ("decided", "已定")]
    return [column("group", say("县区"), "text", 80), column("outlets", say("排污口"), "number", 60)] + [
        column(name, say(word), "number", 60) for name, word in steps
    ]


def _survey_rows(outlets: pd.DataFrame) -> list[dict[str, Any]]:
    names = ["outlets", "sampled", "traced", "signed", "decided"]
    return [
        table.row(
            "",
            {"group": one["group"] or say("未填县区"), **{n: str(int(one[n])) for n in names}},
            {n: one[n] for n in names},
        )
        for one in survey_progress(outlets).to_dict("records")
    ]


def _double(url: str, revision: int) -> None:
    """Every key source, concentration and load against its permit, the fullest first; a click opens its file."""
    tested = cache.double_test(url, revision, state.month())
    counts = tested["verdict"].value_counts()
    seen = coverage(tested)
    said = say(
        "{all} 个源：总量或浓度超 {over}，没有数据 {none}；自动监测安装 {installed} 个，应报 {expected} 源月，实报 {sent}",
        all=len(tested), over=int(sum(counts.get(name, 0) for name in ("load_over", "concentration_over", "both_over"))),
        none=int(counts.get("no_data", 0)), installed=int(seen["installed"].sum()), expected=int(seen["expected"].sum()),
        sent=int(min(seen["sent"].sum(), seen["expected"].sum())),
    )  # fmt: skip
    st.html(f'<div class="plainly">{html.escape(said)}</div>')
    column = table.Column
    columns = [
        column("name", say("源"), "text", 200), column("county", say("县区"), "text", 70),
        column("used", say("累计/同期许可"), "share", 130), column("load", say("累计 kg"), "number", 76),
        column("rate", say("全年推算 kg"), "number", 90), column("year", say("全年许可 kg"), "number", 90),
        column("month", say("最新 kg/d"), "number", 76), column("over", say("超许可月"), "number", 66),
        column("gaps", say("缺测月"), "number", 56), column("verdict", say("结论"), "mark", 210),
    ]  # fmt: skip
    rows = []
    for one in tested[tested["verdict"] != "no_data"].to_dict("records"):
        used = one["load_kg"] / one["permit_kg"] if one["permit_kg"] else math.nan
        bad = one["verdict"] in ("load_over", "concentration_over", "both_over")
        cells = {
            "name": one["name"] or one["source_id"], "county": one["county"],
            "used": {"share": table.known(used), "text": parts.percent(used)}, "load": parts.figure(one["load_kg"]),
            "rate": parts.figure(one["run_rate_kg"]), "year": parts.figure(one["year_permit_kg"]),
            "month": parts.figure(one["newest_kg_d"]), "over": str(one["load_over_months"] or ""), "gaps": str(one["gaps"] or ""),
            "verdict": {"kind": "over" if bad else "holds" if one["verdict"] == "both" else "none", "text": say(VERDICTS[one["verdict"]])},
        }  # fmt: skip
        sort = {"used": used, "load": one["load_kg"], "rate": one["run_rate_kg"], "year": one["year_permit_kg"],
                "month": one["newest_kg_d"], "over": one["load_over_months"], "gaps": one["gaps"], "verdict": one["verdict"]}  # fmt: skip
        rows.append(table.row(str(one["source_id"]), cells, sort))
    table.show(DOUBLE, columns, rows, _open)


def _open() -> None:
    state.open_file(state.clicked(DOUBLE))


def _paid(url: str, revision: int) -> None:
    """What each county pays and receives this year so far, month by month priced by the rules shipped as a sample."""
    known = [
        month for month in cache.months(url, revision) if month[:4] == state.month()[:4] and month <= state.month()
    ]
    priced = pd.concat([cache.settled(url, revision, month) for month in known])
    column = table.Column
    columns = [
        column("county", say("县区"), "text", 120), column("months", say("断面月"), "number", 80),
        column("exceeding", say("扣缴断面月"), "number", 90), column("unknown", say("无法计算"), "number", 80),
        column("pay", say("扣缴 万元"), "number", 100), column("reward", say("奖励 万元"), "number", 100),
        column("net", say("净额 万元"), "number", 100),
    ]  # fmt: skip
    rows = []
    for one in county_statement(priced).to_dict("records"):
        figures = {"pay": one["pay_wan"], "reward": one["reward_wan"], "net": one["net_wan"]}
        counts = {"months": one["section_months"], "exceeding": one["exceeding"], "unknown": one["unknown"]}
        cells = {"county": one["county"] or say("未填县区"), **{name: str(int(value)) for name, value in counts.items()},
                 **{name: f"{value:+.1f}" if name == "net" else f"{value:.1f}" for name, value in figures.items()}}  # fmt: skip
        rows.append(table.row("", cells, counts | figures))
    table.show(PAID, columns, rows, lambda: None)
    note = say("示例规则（外市公布的倍数档，奖励档为自拟），已按输移比扣除入境超标部分；请换成本地文件。")
    st.html(f'<div class="note">{html.escape(note)}</div>')


def _league(url: str, revision: int, tasks: pd.DataFrame, today: str) -> None:
    found = league(
        cache.board(url, revision, state.month()).rows, tasks, cache.table(url, revision, "outlets"), today=today
    )
    column = table.Column
    columns = [
        column("rank", say("名次"), "number", 46), column("county", say("县区"), "text", 90),
        column("points", say("得分"), "number", 60), column("attainment", say("断面达标 40"), "number", 90),
        column("tasks", say("任务办结 30"), "number", 90), column("on_time", say("不逾期 20"), "number", 90),
        column("survey", say("排口溯源 10"), "number", 90), column("arithmetic", say("算式"), "text", 360),
    ]  # fmt: skip
    rows = []
    for one in found.to_dict("records"):
        parts_of = {
            name: f"{one[f'{name}_held']:g}/{one[f'{name}_of']:g}" if one[f"{name}_of"] else "–"
            for name in ("attainment", "tasks", "on_time", "survey")
        }
        cells = {"rank": str(one["rank"]), "county": one["county"], "points": parts.fixed(one["points"], 1), **parts_of,
                 "arithmetic": one["arithmetic"]}  # fmt: skip
        sort = {name: one[f"{name}_held"] / one[f"{name}_of"] if one[f"{name}_of"] else math.nan for name in parts_of}
        rows.append(table.row("", cells, {"rank": one["rank"], "points": one["points"], **sort}))
    table.show(LEAGUE, columns, rows, lambda: None)
    st.html(f'<div class="note">{html.escape(say("没有可比项目的县区，按余下项目的权重折算；权重可改。"))}</div>')
