"""The panel of figures beside the map: the sentence to remember, the table of sections or of sources, the months before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from matplotlib import patheffects as effects

from layers.maps.style import GREY, INK
from reports import phrases
from reports.content import Content, SectionReport, Source
from reports.pen import FAINT, Column, Pen
from reports.symbols import RED

SIGN = {"over": "▲", "at": "◆", "holds": "●", "none": "○"}
MONTHS = 36
DASHES = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)))
"""How the lines of up to three sections are told apart without colour."""


def told(
    pen: Pen, content: Content, focus: SectionReport | None, listed: Sequence[SectionReport], column: Column
) -> float:
    """The words and the table beside the map; returns how low they came."""
    lead = phrases.verdict(content, focus) if focus else phrases.situation(content, listed)
    y = pen.write_lines(column, pen.wrapped(lead, column.width, 1.2, bold=True, most=4), 1.2, bold=True)
    rest = column.below(y - 0.3 * pen.line)
    return _sources(pen, content, focus, rest) if focus else _sections(pen, content, listed, rest)


def _sections(pen: Pen, content: Content, listed: Sequence[SectionReport], column: Column) -> float:
    say = content.say
    rows = [
        (
            f"{SIGN[one.status]} {one.name}", phrases.number(one.target.value, 2), phrases.number(one.measured.value),
            phrases.number(one.margin_mg_l) if one.status != "none" else "—", phrases.grade(content, one.water_class),
        )
        for one in listed
    ]  # fmt: skip
    heads = [phrases.capital(words) for words in (say("断面"), say("目标"), say("总磷"), say("余量"), say("类别"))]
    room = column.height - 2 * pen.line
    fitting = _fitting(pen, column.width, heads, rows, room)
    y = pen.table(column, heads, rows[:fitting])
    notes = [say("总磷、目标、余量：mg/L；依据：{basis}", basis=f"{say('监测')} {content.month}")]
    if fitting < len(rows):
        notes.insert(0, say("其余 {count} 个断面见工作簿", count=len(rows) - fitting))
    lines = [line for words in notes for line in pen.wrapped(words, column.width, 0.85)]
    return pen.write_lines(column.below(y - 0.15 * pen.line), lines, 0.85, color=FAINT)


def _fitting(pen: Pen, width: float, heads: Sequence[str], rows: Sequence[Sequence[str]], room: float) -> int:
    """How many rows, at least one, stand in that room."""
    return next(
        (n for n in range(len(rows), 1, -1) if pen.table_height(width, heads, rows[:n]) <= room),
        min(1, len(rows)),
    )


def _sources(pen: Pen, content: Content, one: SectionReport, column: Column) -> float:
    """The sources of a section, best estimate with its range beside what the registers say, and what follows from it."""
    say = content.say
    facts = say(
        "目标 {target} · 实测 {value} mg/L（{basis}）· 流量 {flow} m³/s", target=phrases.number(one.target.value, 2),
        value=phrases.number(one.measured.value), basis=phrases.basis(content, one.measured),
        flow=phrases.number(one.discharge.value, 1),
    )  # fmt: skip
    y = pen.write_lines(column, pen.wrapped(facts, column.width, 0.95), 0.95, color=FAINT)
    column = column.below(y - 0.2 * pen.line)
    notes = list(filter(None, (
        phrases.unexplained(content, one),
        say("下一个采样点：{place}", place=one.next_sample) if one.next_sample else "",
    )))  # fmt: skip
    basis = _basis(content, one.sources)
    told = [line for words in notes for line in pen.wrapped(words, column.width)]
    faint = pen.wrapped(basis, column.width, 0.85)
    room = column.height - pen.line * (len(told) + 0.85 * len(faint) + 0.5)
    title = phrases.capital
    heads = (title(say("来源")), "kg/d", title(say("贡献率（范围）")), title(say("清单（依据）")), title(say("历时")))
    for count in range(10, -1, -1):
        rows = [
            (
                s.name, phrases.kg(s.delivered.value), phrases.ranged(s), phrases.listed(content, s),
                phrases.days(content, s.travel_time_d) if s.kind != "rest" else "",
            )
            for s in phrases.top_sources(content, one, count)
        ]  # fmt: skip
        if pen.table_height(column.width, heads, rows) <= room:
            break
    y = pen.table(column, heads, rows)
    y = pen.write_lines(column.below(y - 0.15 * pen.line), faint, 0.85, color=FAINT)
    return pen.write_lines(column.below(y - 0.1 * pen.line), told)


def _basis(content: Content, sources: Iterable[Source]) -> str:
    """Where the shares come from and when, and what stands in brackets where anything does."""
    if any(not math.isnan(source.share_low) for source in sources):
        return content.say("贡献率：由清单与监测记录推断，{month}；括号内为 90 % 区间", month=content.month)
    return content.say("贡献率：由清单与监测记录推断，{month}", month=content.month)


def causes(pen: Pen, content: Content, listed: Sequence[SectionReport], column: Column) -> float:
    """The chief sources of every section without margin, with the range of their shares, as far as there is room."""
    say = content.say
    between = "、" if content.lang == "zh" else ", "
    urgent = [one for one in listed if one.status in ("over", "at") and one.sources]
    if not urgent:
        return column.top
    note = pen.wrapped(_basis(content, [source for one in urgent for source in one.sources]), column.width, 0.85)
    y, foot = column.top - 0.3 * pen.line, column.floor + 0.85 * pen.line * len(note)
    written, many = 0, 3 if len(listed) <= len(DASHES) else 2
    for one in urgent:
        named = between.join(f"{s.name} {phrases.ranged(s)}" for s in one.sources[:many])
        lines = pen.wrapped(
            f"{SIGN[one.status]} {say('{name}：{sources}', name=one.name, sources=named)}", column.width, 0.85
        )
        if y - (0.85 * len(lines) + 1.2 * (not written) + 0.85) * pen.line < foot:
            break
        if not written:
            y = pen.write_lines(column.below(y), [say("主要来源与贡献率")], 1.0, bold=True)
        y, written = pen.write_lines(column.below(y), lines, 0.85), written + 1
    if written < len(urgent):
        note.insert(0, say("其余 {count} 个断面见工作簿", count=len(urgent) - written))
    return pen.write_lines(column.below(y), note, 0.85, color=FAINT) if written else column.top


def history(pen: Pen, content: Content, listed: Sequence[SectionReport], column: Column) -> None:
    """The months before: total phosphorus of up to three sections, and the target where they share one."""
    shown = [one for one in listed if len(one.history) > 1][: len(DASHES)]
    if not shown:
        return
    say, size = content.say, pen.size
    months = sorted({month for one in shown for month, _ in one.history})[-MONTHS:]
    at = {month: i for i, month in enumerate(months)}
    lines = pen.wrapped(
        say("逐月总磷（mg/L，监测，{first} 至 {last}）", first=months[0], last=months[-1]), column.width, 0.9
    )
    y = pen.write_lines(column, lines, 0.9, color=FAINT)
    key = len(shown) > 1
    box = Column(
        column.left + 1.6 * pen.line, y - 0.2 * pen.line, column.width - 1.7 * pen.line,
        column.floor + (1.1 + 0.95 * key) * pen.line,
    )  # fmt: skip
    axes = pen.axes(box, facecolor="white")
    for one, dashes in zip(shown, DASHES, strict=False):
        seen = [(at[month], value) for month, value in one.history if month in at]
        axes.plot(*zip(*seen, strict=True), color=INK, linewidth=0.1 * size, linestyle=dashes)
    if len({one.target.value for one in shown}) == 1 and shown[0].target.known:
        axes.axhline(shown[0].target.value, color=RED, linewidth=0.1 * size, linestyle=(0, (6, 2)), zorder=1)
        axes.annotate(
            say("目标"), (1, shown[0].target.value), (0, 0.2 * size), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="bottom", color=RED, fontproperties=pen.face.regular, fontsize=0.72 * size,
            path_effects=[effects.withStroke(linewidth=0.2 * size, foreground="white")],
        )  # fmt: skip
    top = max(
        [value for one in shown for month, value in one.history if month in at]
        + [one.target.value for one in shown if one.target.known]
    )
    step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 100) if top / s <= 4)
    years = [i for i, month in enumerate(months) if month.endswith("-01")]
    axes.set_xlim(-0.5, len(months) - 0.5)
    axes.set_ylim(0, top * 1.12)
    axes.set_yticks(np.arange(0, top * 1.12, step), [f"{v:g}" for v in np.arange(0, top * 1.12, step)])
    axes.set_xticks(years, [months[i] for i in years])
    axes.tick_params(width=0.06 * size, length=0.25 * size, pad=0.2 * size, color=GREY)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontproperties=pen.face.regular, fontsize=0.72 * size, color=FAINT)
    for name, side in axes.spines.items():
        side.set(color=GREY, linewidth=0.06 * size, visible=name in ("left", "bottom"))
    if key:
        room = column.width / len(shown)
        for i, (one, dashes) in enumerate(zip(shown, DASHES, strict=False)):
            x, low = column.left + i * room, column.floor + 0.3 * pen.line
            pen.rule(x, low + 0.25 * pen.line, 1.3 * pen.line, INK, 0.1 * size, linestyle=dashes)
            pen.write(x + 1.5 * pen.line, low, pen.fits(one.name, room - 1.8 * pen.line, 0.8), 0.8)


def method(pen: Pen, content: Content, width: float) -> list[str]:
    """Where the figures come from, in lines of small type."""
    return [line for words in phrases.method(replace(content, plan=None)) for line in pen.wrapped(words, width, 0.8)]
