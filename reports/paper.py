"""Word documents in the style of a Chinese office: the brief of two pages, and one task sheet a person."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from reports import phrases
from reports.content import Content, SectionReport, Task
from reports.imprint import imprint
from reports.tables import by_urgency, chosen, names_of, patrol_table, written

BODY, HEAD, TITLE = "仿宋", "黑体", "宋体"
"""Faces of an official paper (GB/T 9704-2012: 仿宋 for the text, 黑体 for headings); a reader without them has his own."""
SIZE, LATIN_SIZE = 14, 12
"""Points of the text: 四号, and what is as large to the eye in Latin letters, which take more room for the same words."""
MOVED = 3
"""So many sections that a plan moves are named in the brief; the workbook has them all."""
STOPS = 6
"""So many places to visit are printed for a section; the workbook has more."""
LEAST_CHANGE_MG_L = 0.0005
"""Half of the last decimal that TP is told with: less is no change to whoever reads it."""
NUMERALS = "一二三四五六七八九十"


def brief(content: Content) -> bytes:
    """The month on two pages: situation, causes, advice, who does what."""
    say = content.say
    paper = _paper(content)
    title = say("{title}（{month}）", title=phrases.title(content), month=phrases.month_name(content))
    _line(paper, title, TITLE, 20, bold=True, centre=True, after=6)
    heads = (say("情况"), say("原因"), say("建议"), say("责任分工"))
    parts = (_situation, _causes, _advice, _duties)
    for i, (head, part) in enumerate(zip(heads, parts, strict=True)):
        _line(paper, f"{NUMERALS[i]}、{head}" if content.lang == "zh" else f"{i + 1}. {head}", HEAD, SIZE + 1, before=4)
        part(paper, content)
    if content.unit or content.made_on:
        for words in filter(None, (content.unit, content.made_on)):
            _line(paper, words, BODY, SIZE, right=True)
    return _saved(paper)


def _situation(paper: Any, content: Content) -> None:
    say = phrases.headings(content)
    _text(paper, phrases.sentence(content, phrases.situation(content)))
    rows = [
        (
            one.name, one.river, phrases.number(one.target.value, 2), phrases.number(one.measured.value),
            phrases.number(one.margin_mg_l), say(phrases.STATUS[one.status]),
        )
        for one in content.measured[:8]
    ]  # fmt: skip
    heads = [say(word) for word in ("断面", "河流")]
    heads += [f"{say(word)} (mg/L)" for word in ("目标", "总磷", "余量")] + [say("状态")]
    _table(paper, heads, rows, (30, 28, 22, 22, 22, 36), (2, 3, 4))
    if len(content.measured) > 8:
        more = content.say("其余 {count} 个断面见工作簿", count=len(content.measured) - 8)
        _text(paper, phrases.sentence(content, more), SIZE - 2)


def _causes(paper: Any, content: Content) -> None:
    say = content.say
    for one in _urgent(content)[:3]:
        told = (phrases.verdict(content, one), phrases.chief(content, one), phrases.unexplained(content, one))
        _text(paper, phrases.sentence(content, *told))
        if who := phrases.likely(content, one):
            why = phrases.joined(content, one.causes[0].evidence[:2])
            _text(paper, phrases.sentence(content, say("{who}：{why}", who=who, why=why) if why else who))


def _advice(paper: Any, content: Content) -> None:
    say, plan = content.say, content.plan
    for one in _urgent(content)[:3]:
        point = next((s for s in one.sources if s.kind in ("plant", "outlet") and s.delivery_ratio > 0), None)
        if point is not None and one.status == "over":
            _text(paper, phrases.sentence(content, phrases.cut(content, one, point)))
        elif one.status == "at":
            _text(paper, say("{name}：没有余量，汛期每场雨前后加密监测，上游不得新增排放。", name=one.name))
        if one.next_sample:
            told = say("{name}下一个采样点：{place}", name=one.name, place=one.next_sample)
            _text(paper, phrases.sentence(content, told))
    if plan:
        moved = [
            say(
                "{name}由 {before} 降至 {after} mg/L",
                name=one.name,
                before=phrases.number(effect.before),
                after=phrases.number(effect.after),
            )
            for one in _urgent(content)
            if (effect := plan.effects.get(one.section_id)) and effect.after < effect.before - LEAST_CHANGE_MG_L
        ]
        effects = (phrases.plan_effect(content), phrases.joined(content, moved[:MOVED]))
        _text(paper, phrases.sentence(content, *effects, say("从当月实测起算，各断面见工作簿“方案效果”")))


def _duties(paper: Any, content: Content) -> None:
    say = content.say
    if not content.tasks:
        _text(paper, say("尚未分解任务。请在“任务”页交办到部门、责任人和日期后再出本报告。"))
        return
    urgent = by_urgency(content.tasks)
    rows = [(t.department, t.person, t.title, t.due_on, phrases.task_state(content, t)) for t in urgent[:5]]
    heads = [phrases.capital(say(word)) for word in ("部门", "责任人", "任务内容", "期限", "状态")]
    _table(paper, heads, rows, (32, 20, 56, 26, 26))
    if len(content.tasks) > 5:
        more = say("其余 {count} 项任务见任务单", count=len(content.tasks) - 5)
        _text(paper, phrases.sentence(content, more), SIZE - 2)


def _urgent(content: Content) -> Sequence[SectionReport]:
    urgent = [one for one in content.measured if one.status in ("over", "at")]
    return urgent or content.measured[:1]


def task_sheets(content: Content) -> bytes:
    """One page a department and person: what, where, by when, what to know for it, and lines to sign."""
    say = content.say
    paper = _paper(content)
    names = names_of(content)
    people = groupby(content.tasks, key=lambda task: (task.department, task.person))
    for i, ((department, person), own) in enumerate(people):
        tasks = list(own)
        if i:
            paper.add_page_break()
        _line(paper, say("任务单"), TITLE, 22, bold=True, centre=True, after=8)
        _text(paper, say("{project} · {month}", project=content.project, month=phrases.month_name(content)))
        _text(paper, say("部门：{department}　责任人：{person}", department=department or "—", person=person or "—"))
        rows = [
            (
                t.title,
                names.get(t.subject, t.subject) or "—",
                t.county or "—",
                t.assigned_on,
                t.due_on,
                phrases.task_state(content, t),
            )
            for t in tasks
        ]
        heads = [phrases.capital(say(w)) for w in ("任务内容", "对象", "县（市、区）", "交办日期", "期限", "状态")]
        _table(paper, heads, rows, (36, 26, 22, 26, 26, 24))
        for line in _to_know(content, tasks, names):
            _text(paper, line, SIZE - 2)
        _text(paper, say("签收：＿＿＿＿＿　日期：＿＿＿＿＿　办结：＿＿＿＿＿"))
    if over := [one for one in content.measured if patrol_table(content, [one], STOPS).rows]:
        if content.tasks:
            paper.add_page_break()
        _patrol(paper, content, over)
    return _saved(paper)


def _patrol(paper: Any, content: Content, sections: Sequence[SectionReport]) -> None:
    """Where to go, section by section, with a column to fill in on the spot."""
    say = content.say
    _line(paper, say("巡查清单"), TITLE, 22, bold=True, centre=True, after=8)
    _text(paper, say("{project} · {month}", project=content.project, month=phrases.month_name(content)))
    _text(paper, say("按查看后最能缩小怀疑范围的次序排列；上一处查清即止。"), SIZE - 2)
    for one in sections:
        stops = chosen(patrol_table(content, [one], STOPS), (1, 2, 3, 5, 6, 8))
        _line(paper, phrases.verdict(content, one), HEAD, SIZE - 1, before=6)
        if one.next_sample:
            _text(paper, say("下一个采样点：{place}", place=one.next_sample), SIZE - 2)
        rows = [(*map(written, stops.columns, row), "") for row in stops.rows]
        heads = [*(column.heading for column in stops.columns), say("发现")]
        _table(paper, heads, rows, (16, 38, 25, 22, 22, 18, 19), (0, 2, 3))


def _to_know(content: Content, tasks: Sequence[Task], names: Mapping[str, str]) -> Iterator[str]:
    """What stands behind the tasks: their notes, and of the section that one is about its standing and the next sample."""
    say = content.say
    for task in tasks:
        if task.note:
            yield say("{task}：{note}", task=task.title, note=task.note)
    known = {one.section_id: one for one in content.measured}
    for one in (known[subject] for subject in dict.fromkeys(task.subject for task in tasks) if subject in known):
        yield phrases.verdict(content, one)
        if one.next_sample:
            yield say("{name}下一个采样点：{place}", name=one.name, place=one.next_sample)


def _paper(content: Content) -> Any:
    paper = Document()
    part = paper.sections[0]
    part.page_width, part.page_height = Mm(210), Mm(297)
    part.top_margin, part.bottom_margin, part.left_margin, part.right_margin = Mm(30), Mm(26), Mm(26), Mm(24)
    imprint(paper, content)
    paper.styles["Normal"].font.size = Pt(SIZE if content.lang == "zh" else LATIN_SIZE)
    foot = part.footer.paragraphs[0]
    _run(foot, phrases.credit(content), BODY, 9, colour=RGBColor(0x59, 0x65, 0x6F))
    number = part.footer.add_paragraph()
    number.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(number, "— ", BODY, 12)
    _page_number(number)
    _run(number, " —", BODY, 12)
    if content.demo:
        head = part.header.paragraphs[0]
        head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        _run(head, content.say("示例数据，非实测"), HEAD, 11, colour=RGBColor(0xB3, 0x26, 0x1E))
    return paper


def _page_number(paragraph: Any) -> None:
    run = _run(paragraph, "", BODY, 12)
    for kind, words in (("begin", ""), ("", "PAGE"), ("end", "")):
        piece = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            piece.set(qn("w:fldCharType"), kind)
        else:
            piece.text = words
        run._r.append(piece)


def _text(paper: Any, words: str, size: float | None = None) -> None:
    size = size or paper.styles["Normal"].font.size.pt
    paragraph = paper.add_paragraph()
    shape = paragraph.paragraph_format
    shape.first_line_indent = Pt(2 * size)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(size * 1.65)
    shape.space_after = Pt(0)
    _run(paragraph, words, BODY, size)


def _line(
    paper: Any, words: str, face: str, size: float, *, bold: bool = False, centre: bool = False, right: bool = False,
    before: float = 0, after: float = 0,
) -> None:  # fmt: skip
    paragraph = paper.add_paragraph()
    paragraph.alignment = (
        WD_ALIGN_PARAGRAPH.CENTER if centre else WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.LEFT
    )
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
    paragraph.paragraph_format.keep_with_next = not right
    _run(paragraph, words, face, size, bold=bold)


def _run(
    paragraph: Any, words: str, face: str, size: float, *, bold: bool = False, colour: RGBColor | None = None
) -> Any:
    run = paragraph.add_run(words)
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, "Times New Roman"
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
    if colour is not None:
        run.font.color.rgb = colour
    return run


def _table(
    paper: Any, heads: Sequence[str], rows: Iterable[Sequence[str]], widths_mm: Sequence[float],
    numbers: Collection[int] = (),
) -> None:  # fmt: skip
    """A ruled table over the width of the text; the columns ``numbers`` stand right, and no row breaks over a page."""
    rows = list(rows)
    table = paper.add_table(rows=1 + len(rows), cols=len(heads))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
    for r, row in enumerate([heads, *rows]):
        for i, words in enumerate(row):
            cell = table.cell(r, i)
            cell.width = Mm(widths_mm[i])
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = paragraph.paragraph_format.space_before = Pt(1.5)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if i in numbers else WD_ALIGN_PARAGRAPH.LEFT
            _run(paragraph, words, HEAD if r == 0 else BODY, 10.5)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _saved(paper: Any) -> bytes:
    buffer = io.BytesIO()
    paper.save(buffer)
    return buffer.getvalue()
