"""The panel of figures beside the map: the sentence to remember, and the table of sections or of sources."""

from __future__ import annotations

from collections.abc import Sequence

from reports import phrases
from reports.content import Content, SectionReport
from reports.pen import FAINT, Column, Pen

SIGN = {"over": "▲", "at": "◆", "holds": "●", "none": "○"}


def told(
    pen: Pen, content: Content, focus: SectionReport | None, listed: Sequence[SectionReport], column: Column
) -> float:
    """The words and the table beside the map; returns how low they came."""
    y = column.top - pen.line * 0.9
    lead = phrases.verdict(content, focus) if focus else phrases.situation(content, listed)
    for line in pen.wrapped(lead, column.width, 1.2):
        pen.write(column.left, y, line, 1.2, bold=True)
        y -= pen.line * 1.25
    y -= pen.line * 0.2
    if focus:
        return _source_table(pen, content, focus, column, y)
    return _section_table(pen, content, listed, column, y)


def _section_table(pen: Pen, content: Content, listed: Sequence[SectionReport], column: Column, y: float) -> float:
    say = content.say
    room = max(int((y - column.floor) / pen.line) - 2, 3)
    rows = [
        (
            f"{SIGN[one.status]} {one.name}",
            phrases.number(one.target.value, 2),
            phrases.number(one.measured.value),
            phrases.number(one.margin_mg_l) if one.status != "none" else "—",
            phrases.grade(content, one.water_class),
        )
        for one in listed[:room]
    ]
    y = pen.table(
        column,
        y,
        (say("断面"), say("目标"), say("总磷"), say("余量"), say("类别")),
        rows,
        (0.42, 0.13, 0.16, 0.16, 0.13),
    )
    if len(listed) > room:
        pen.write(column.left, y - pen.line * 0.5, say("其余 {count} 个断面见工作簿", count=len(listed) - room), 0.9)
        y -= pen.line
    pen.write(
        column.left,
        y - pen.line * 0.3,
        say("总磷、目标、余量：mg/L；依据：{basis}", basis=say("监测")),
        0.85,
        color=FAINT,
    )
    return y - pen.line * 1.2


def _source_table(pen: Pen, content: Content, one: SectionReport, column: Column, y: float) -> float:
    say = content.say
    facts = say(
        "目标 {target} · 实测 {value} mg/L（{basis}）· 流量 {flow} m³/s", target=phrases.number(one.target.value, 2),
        value=phrases.number(one.measured.value), basis=phrases.basis(content, one.measured),
        flow=phrases.number(one.discharge.value, 1),
    )  # fmt: skip
    for line in pen.wrapped(facts, column.width, 0.95):
        pen.write(column.left, y, line, 0.95, color=FAINT)
        y -= pen.line
    y -= pen.line * 0.3
    room = min(max(int((y - column.floor) / pen.line) - 6, 3), 10)
    rows = [
        (
            s.name, phrases.kg(s.delivered.value), phrases.percent(s.share), phrases.listed(content, s),
            phrases.days(content, s.travel_time_d) if s.kind != "rest" else "",
        )
        for s in phrases.top_sources(content, one, room)
    ]  # fmt: skip
    heads = (say("来源"), "kg/d", say("贡献率"), say("清单（依据）"), say("到断面"))
    y = pen.table(column, y, heads, rows, (0.34, 0.12, 0.14, 0.22, 0.18))
    y -= pen.line * 0.4
    for words in (
        phrases.unexplained(content, one),
        say("下一个采样点：{place}", place=one.next_sample) if one.next_sample else "",
    ):
        for line in pen.wrapped(words, column.width):
            pen.write(column.left, y - pen.line * 0.2, line)
            y -= pen.line
    return y
