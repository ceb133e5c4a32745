"""一断面一档: everything about one section on one page."""

from __future__ import annotations

import html
import math
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from hydro import Trace
from hydro.assessment.standards import CLASSES
from hydro.assessment.trend import spearman
from hydro.columns import record, records, text
from hydro.tasks import STATES, with_status
from reports.words import section_words
from ui import cache, causes, parts, section, state, table
from ui.state import say
from ui.today import as_of

SOURCES, TASKS, ITEMS = "file_sources", "file_tasks", "file_items"
KINDS = {"outlet": "排污口", "plant": "污水处理厂", "inbound": "入境", "diffuse": "面源", "unregistered": "未登记排口"}
FEW = 8
VISIBLE = 0.0005


def show(url: str, revision: int, section_id: str) -> None:
    """Head, then left what it is and will be, right whose phosphorus it is and who is at work on it."""
    found = cache.board(url, revision, state.month())
    row = record(found.rows.set_index("section_id", drop=False), section_id)
    months = cache.section_months(url, revision)
    row["years"] = months.annual_means("TP", state.month())[section_id].to_dict()
    head(url, row["name"] or section_id, [row["river"], row["level"], row["county"], row["month"]], section_id)
    st.html(f'<div class="plainly">{html.escape(section_words(row, state.lang()))}</div>')
    for note in found.notes:
        if note.row == section_id:
            st.html(f'<div class="note">{html.escape(say(note.message, **note.params))}</div>')
    left, right = st.columns([1, 1], gap="medium")
    network = cache.network(url, revision)
    with left:
        parts.heading(say("近 36 个月总磷"))
        section.history(network, section_id)
        parts.heading(say("今年的账"))
        facts(_ledger(row))
        parts.heading(say("本月各项指标"))
        table.show(ITEMS, _item_columns(), _items(url, revision, row), lambda: None)
    with right:
        parts.heading(say("谁的磷"))
        with parts.guard():
            trace = cache.trace(url, revision, section_id, state.month())
            waiting = causes.waiting(url, revision, trace.network)
            best = causes.best(url, revision, trace, waiting)
            table.show(SOURCES, _source_columns(), _sources(best or trace, trace), _open_source)
            section.balance(trace, judged=best is not None)
            if waiting:
                causes.follow(url, revision)
        parts.heading(say("断面档案"))
        facts(_record(network, row))
        parts.heading(say("相关任务"))
        task_rows(url, revision, section_id)


def head(url: str, name: str, words: list[str], section_id: str = "") -> None:
    """Back to the board, the name, and (for a section) the way to the map."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(say("← 返回"), key="back", type="tertiary", on_click=state.open_file, args=("",))
        said = " · ".join(say(word) for word in words if word)
        demo = f'<span class="demo">{html.escape(say("示例"))}</span>' if cache.project(url).demo else ""
        link = ""
        if section_id:
            query = urlencode({"section": section_id, "month": state.month(), "lang": state.lang()})
            link = f'<a href="./?{html.escape(query)}" target="_self">{html.escape(say("在地图上溯源 →"))}</a>'
        st.html(
            f'<div class="file-head"><span class="place">{html.escape(name)}</span>'
            f'<span class="kind">{html.escape(said)}</span>{demo}{link}</div>'
        )


def facts(pairs: list[tuple[str, str]]) -> None:
    """Names and values in two columns."""
    inner = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in pairs if value)
    st.html(f'<dl class="facts">{inner}</dl>')


def _ledger(row: dict[str, Any]) -> list[tuple[str, str]]:
    need, october = row["need_mg_l"], row["october_mg_l"]
    left = 12 - int(row["month"][5:7])
    pairs = [
        (say("年内均值"), say("{mean} mg/L（{count} 个月，缺 {gaps} 个月）", mean=parts.fixed(row["mean_mg_l"]),
                          count=int(row["months_measured"]), gaps=int(row["gaps"]))),
        (say("达标月数"), f"{int(row['attained_months'])} / {int(row['monitored_months'])}"),
    ]  # fmt: skip
    if left and not math.isnan(need):
        pairs.append(
            (say("剩余 {count} 个月", count=left),
             say("已无法达标：即使后续各月为零，年均仍超目标") if need < 0 else say("平均不得高于 {need} mg/L", need=parts.fixed(need)))
        )  # fmt: skip
    rebound = row["rebound_mg_l"]
    if left and rebound >= VISIBLE:
        said = say(
            "后期比前期高 {rebound}；若重演，现在的水平须在 {level} mg/L 以下",
            rebound=parts.fixed(rebound),
            level=parts.fixed(row["need_before_rebound_mg_l"]),
        )
        pairs.append((say("去年的反弹"), said))
    elif left and not math.isnan(rebound):
        pairs.append((say("去年的反弹"), say("去年后期没有反弹")))
    if not math.isnan(october):
        pairs.append(
            (say("10 月底前"), say("累计均值须在 {level} mg/L 以下（按去年反弹量）", level=parts.fixed(october)))
        )
    if not math.isnan(row["chance"]):
        pairs.append(
            (say("12 月展望"),
             say("全年均值 {low}–{high}（80 %），达标概率 {chance}", low=parts.fixed(row["year_low_mg_l"]),
                 high=parts.fixed(row["year_high_mg_l"]), chance=parts.chance(row["chance"])))
        )  # fmt: skip
    if not math.isnan(row["last_year_mg_l"]):
        pairs.append(
            (say("去年同月"), f"{parts.fixed(row['last_year_mg_l'])} mg/L（{100 * row['change_share']:+.0f} %）")
        )
    slope = row["slope_per_year"]
    if not math.isnan(slope):
        pairs.append((say("趋势"), say("每年 {slope:+.4f} mg/L，p = {p:.3f}", slope=slope, p=row["trend_p"])))
    years = _years(row)
    if years:
        pairs.append((say("历年"), years))
    ahead = _ahead(row)
    if ahead:
        pairs.append((say("后续各月"), ahead))
    pairs.append((say("生态补偿"), _pay(row)))
    return pairs


def _years(row: dict[str, Any]) -> str:
    """Annual means and what Spearman's rank correlation says of them."""
    means = {int(year): mean for year, mean in row["years"].items() if not math.isnan(mean)}
    if not means:
        return ""
    words = {"rising": "显著上升", "falling": "显著下降", "none": "无显著趋势", "short": "不足四年，不作秩相关检验"}
    said = " · ".join(f"{year} {mean:.3f}" for year, mean in means.items())
    return say("{means}（{word}）", means=said, word=say(words[spearman([list(means.values())])[1][0]]))


def _ahead(row: dict[str, Any]) -> str:
    """The chance of each month to come."""
    month = int(row["month"][5:7])
    chances = {i + 1: float(one) for i, one in enumerate(row["month_chances"]) if i >= month}
    if not chances or any(math.isnan(one) for one in chances.values()):
        return ""
    return " · ".join(say("{month} 月 {chance}", month=i, chance=parts.chance(one)) for i, one in chances.items())


def _pay(row: dict[str, Any]) -> str:
    if math.isnan(row["pay_wan"]):
        return say("无法计算（缺数据或目标）")
    rules = parts.listed(row["rules"])
    params = {"inbound": row["inbound_mg_l"], "amount": row["pay_wan"] or row["reward_wan"], "rules": rules}
    if row["pay_wan"]:
        return say("扣缴 {amount:.1f} 万元（已扣除入境部分 {inbound:.3f} mg/L）；规则：{rules}", **params)
    if row["reward_wan"]:
        return say("奖励 {amount:.1f} 万元；规则：{rules}", **params)
    return say("无；规则：{rules}", **params)


def _record(network: Any, row: dict[str, Any]) -> list[tuple[str, str]]:
    own = network.sections.loc[row["section_id"]]
    waterbody = {"lake": "湖库"}.get(str(row["waterbody"]), "河流")
    confidence = {"high": "高", "medium": "中", "low": "低，位置待核"}.get(str(own.get("position_confidence")), "")
    return [
        (say("编号"), str(row["section_id"])),
        (say("目标"), say("{target} mg/L，{target_class} 类；功能区 {function} 类", target=parts.fixed(row["target_mg_l"], 2),
                        target_class=row["target_class"] or "–", function=row["function_class"] or "–")),
        (say("水体"), say(waterbody)),
        (say("流量"), say("{flow} m³/s（{basis}）", flow=parts.fixed(row["discharge_m3_s"], 2),
                        basis=say({"measured": "实测", "table": "表列"}.get(row["discharge_basis"], "未知")))),
        (say("所在河段"), f"{own.get('reach_id', '')} · {float(own.get('chainage_m', math.nan)):.0f} m"),
        (say("位置可信度"), say(confidence) if confidence else ""),
        (say("移位"), say("{month} 起在现位置", month=row["moved_since"]) if row["moved_since"] else ""),
    ]  # fmt: skip


def _item_columns() -> list[table.Column]:
    column = table.Column
    return [
        column("item", say("指标"), "text", 165),
        column("value", "mg/L", "number", 70),
        column("class", say("类别"), "class", 70),
        column("limits", "Ⅲ / Ⅳ / Ⅴ", "number", 110),
        column("multiple", say("超Ⅲ类倍数"), "number", 80),
    ]


def _items(url: str, revision: int, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Every item measured this month, the worst first."""
    months, standard = cache.section_months(url, revision), cache.standard()
    at, i = months.at(state.month()), months.sections.index(str(row["section_id"]))
    body = "lake" if row["waterbody"] == "lake" else "river"
    rows = []
    for name in standard.items:
        if name not in months.values or not 0 <= at < len(months.months):
            continue
        value = float(months.values[name][i, at])
        rank = int(standard.rank(name, value, body))
        if rank < 0:
            continue
        parameter = standard.parameters[name]
        third = standard.limit(name, "III", body)
        limits = " / ".join(f"{standard.limit(name, one, body):g}" for one in ("III", "IV", "V"))
        multiple = (value - third) / third if parameter.multiple and value > third else math.nan
        cells = {
            "item": parameter.name_zh if state.lang() == "zh" else parameter.name_en, "value": parts.figure(value),
            "class": table.swatch(CLASSES[rank]), "limits": limits, "multiple": parts.fixed(multiple, 2),
        }  # fmt: skip
        rows.append((rank, table.row("", cells, {"class": rank, "value": value, "multiple": multiple})))
    return [one for _, one in sorted(rows, key=lambda pair: -pair[0])]


def _source_columns() -> list[table.Column]:
    column = table.Column
    return [
        column("rank", "", "number", 26),
        column("name", say("来源"), "two", 190),
        column("share", say("贡献率"), "share", 120),
        column("load", "kg/d", "number", 60, say("送达断面的负荷")),
        column("listed", say("清单"), "number", 60, say("只按清单推算的送达负荷，kg/d")),
        column("time", say("历时"), "number", 60),
    ]


def _sources(best: Trace, listed: Trace) -> list[dict[str, Any]]:
    """The largest sources as they are best known, beside what the registers alone say."""
    inventory = listed.table.set_index("source_id")["delivered_kg_d"]
    largest = best.table[best.table["source_id"] != "NONE"].nlargest(FEW, "delivered_kg_d")
    rows = []
    for rank, one in enumerate(records(largest), 1):
        kind, told = str(one["kind"]), float(inventory.get(one["source_id"], math.nan))
        cells = {
            "rank": str(rank), "name": _named(kind, str(one["name"])),
            "share": {"share": table.known(one["share"]), "text": parts.percent(one["share"])},
            "load": parts.fixed(one["delivered_kg_d"], 1), "listed": parts.fixed(told, 1),
            "time": parts.duration(one["travel_time_d"]),
        }  # fmt: skip
        sort = {
            "rank": rank, "name": str(one["name"]), "share": one["share"], "load": one["delivered_kg_d"], "listed": told,
            "time": one["travel_time_d"],
        }  # fmt: skip
        rows.append(table.row(str(one["source_id"]) if kind in ("outlet", "plant") else "", cells, sort))
    return rows


def _named(kind: str, name: str) -> list[str]:
    """A source's name with its kind; what washes off the land has no name of its own."""
    word = say(KINDS.get(kind, kind))
    return [word, ""] if kind in ("diffuse", "unregistered") else [name, word]


def _open_source() -> None:
    state.open_file(state.clicked(SOURCES))


def task_rows(url: str, revision: int, *subjects: str) -> None:
    """The tasks about something, the most overdue first."""
    tasks = cache.table(url, revision, "tasks")
    own = tasks[text(tasks, "subject").isin(subjects)]
    if own.empty:
        st.html(f'<div class="note">{html.escape(say("没有相关任务"))}</div>')
        return
    column = table.Column
    columns = [
        column("title", say("任务"), "text", 190), column("who", say("责任"), "text", 130),
        column("due", say("期限"), "text", 80), column("state", say("状态"), "mark", 112),
    ]  # fmt: skip
    rows = []
    for one in records(with_status(own, today=as_of(state.month()))):
        who = " ".join(filter(None, (str(one["department"] or ""), str(one["person"] or ""))))
        cells = {"title": str(one["title"]), "who": who, "due": str(one["due_on"] or "")[:10], "state": status(one)}
        rows.append(table.row("", cells, {"state": one["days_left"]}))
    table.show(TASKS, columns, rows, lambda: None)


def status(task: dict[str, Any]) -> dict[str, str]:
    """A task's state in a word, overdue ones with the days."""
    if task["overdue"]:
        return {"kind": "over", "text": say("逾期 {days} 天", days=int(-task["days_left"]))}
    return {
        "kind": "holds" if task["state"] == "done" else "none",
        "text": say(STATES.get(task["state"], task["state"])),
    }
