"""The account of an import as a workbook, to be sent back to whoever made the files: one sheet a file, row by row."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Callable, Sequence

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from layers.intake.preview import Preview
from layers.report import Entry
from reports.fonts import OFFICE_FACE
from reports.workbook import HEAD, LONGEST_CELL, LONGEST_SHEET_NAME, NOT_IN_A_SHEET_NAME, SAFE

Say = Callable[..., str]
BREAK = re.compile(r"。|(?<=[a-z0-9)])\. (?=[A-Z])")
"""Where a message ends to say what is wrong and begins to say what would be right."""
NARROW, WIDE, CELL = 9, 46, 14


def account(preview: Preview, say: Say, *, source: str) -> bytes:
    """Every row refused and mended, every open question and every note, by source file and by the file's own row numbers.

    The source's own cells stand beside what is wrong with them.  Text stays text whatever it looks like.
    """
    entries: dict[str, list[tuple[str, Entry]]] = defaultdict(list)
    for entry in preview.report.refused:
        entries[preview.file_of(entry)].append((say("拒收"), entry))
    for entry in preview.report.mended:
        entries[preview.file_of(entry)].append((say("已修整"), entry))
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, SAFE) as book:
        _cover(book, preview, say, source)
        taken: set[str] = {say("说明").lower()}
        for label in [*(layer.label for layer in preview.layers), *entries]:
            if label in entries:
                sheet = book.add_worksheet(_sheet_name(label or say("其他"), taken))
                _rows(book, sheet, preview, label, entries.pop(label), say)
    return buffer.getvalue()


def halves(sentence: str) -> tuple[str, str]:
    """What is wrong, and what would be right, of a message.

    >>> halves("距最近河段 R1（812 m），超过 200 m 限值。请移动该点")
    ('距最近河段 R1（812 m），超过 200 m 限值', '请移动该点')
    """
    found = BREAK.search(sentence)
    return (sentence[: found.start()], sentence[found.end() :]) if found else (sentence, "")


def _sheet_name(label: str, taken: set[str]) -> str:
    """A name that a sheet may have and no other sheet has: a path keeps its end, which tells files apart."""
    plain = label.translate(NOT_IN_A_SHEET_NAME).strip("' ") or "-"
    name = plain[-LONGEST_SHEET_NAME:].strip("' ")
    number = 1
    while name.lower() in taken:
        number += 1
        name = f"{plain[-(LONGEST_SHEET_NAME - 4) :].strip()} {number}"
    taken.add(name.lower())
    return name


def _cover(book: xlsxwriter.Workbook, preview: Preview, say: Say, source: str) -> None:
    sheet = book.add_worksheet(say("说明"))
    big = book.add_format({"bold": True, "font_size": 16, "font_name": OFFICE_FACE})
    plain = book.add_format({"text_wrap": True, "valign": "top", "font_name": OFFICE_FACE})
    head = book.add_format(HEAD)
    sheet.set_column(0, 0, 52, plain)
    sheet.set_column(1, 3, 12, plain)
    report = preview.report
    sheet.write_string(0, 0, say("数据核对结果"), big)
    sheet.write_string(1, 0, source, plain)
    sheet.write_string(2, 0, say("各表列出原文件的行号、哪里不对、怎样才对；请在原文件中改正后发回。"), plain)
    for column, title in enumerate((say("文件"), say("行数"), say("拒收"), say("已修整"))):
        sheet.write_string(4, column, title, head)
    at = 5
    for layer in preview.layers:
        counts = [
            layer.rows,
            *(sum(preview.file_of(entry) == layer.label for entry in rows) for rows in (report.refused, report.mended)),
        ]
        sheet.write_string(at, 0, layer.label, plain)
        for column, count in enumerate(counts, 1):
            sheet.write_number(at, column, count, plain)
        at += 1
    lines = [(say("需要您一句话"), say(q.message, **q.params)) for q in report.asked]
    lines += [(say("提示"), say(fault.message, **fault.params)) for fault in report.warnings]
    for kind, line in lines:
        at += 1
        sheet.write_string(at, 0, f"{kind}：{line}"[:LONGEST_CELL], plain)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _rows(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    preview: Preview,
    label: str,
    entries: Sequence[tuple[str, Entry]],
    say: Say,
) -> None:
    head = book.add_format(HEAD)
    plain = book.add_format({"text_wrap": True, "valign": "top", "font_name": OFFICE_FACE})
    source = book.add_format({"valign": "top", "font_name": OFFICE_FACE, "font_color": "#5C6973"})
    titles = [say("行号"), say("编号"), say("处理"), say("哪里不对"), say("怎样才对")]
    heads, cells = preview.heads.get(label, ()), preview.cells.get(label, {})
    for column, width in enumerate((NARROW, CELL, NARROW, WIDE, WIDE, *(CELL for _ in heads))):
        sheet.set_column(column, column, width)
    for column, title in enumerate([*titles, *heads]):
        sheet.write_string(0, column, title[:LONGEST_CELL], head)
    for at, (kind, entry) in enumerate(sorted(entries, key=lambda pair: pair[1].row or 0), 1):
        wrong, right = halves(say(entry.message, **entry.params))
        if entry.row is not None:
            sheet.write_number(at, 0, entry.row, plain)
        for column, words in enumerate((entry.id, kind, wrong, right), 1):
            sheet.write_string(at, column, words[:LONGEST_CELL], plain)
        for column, cell in enumerate(cells.get(entry.row or -1, ()), len(titles)):
            sheet.write_string(at, column, cell[:LONGEST_CELL], source)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(entries), len(titles) + len(heads) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
