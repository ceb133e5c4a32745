"""Verbs about where sections stand: classify, assess, and the month's report."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from terminal.show import complain, show, show_fields, show_rows
from terminal.words import DEFAULT_LANGUAGE, LANG, Format, Output, Project, Spoken, say

verbs = typer.Typer()


@verbs.command(help=say("按地表水环境质量标准逐行评价样品表（csv、xlsx），列出决定类别的指标与全部疑点"))
def classify(
    file: Annotated[
        str, typer.Argument(help=say("样品表：每行一个样品，列名如 waterbody、tp、nh3n 或 水体类型、总磷"))
    ],
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Class of every sample, with the deciding parameter and every doubt."""
    from hydro.assessment.samples import classify as judge
    from layers.samples import read_samples
    from layers.standards import load_standard
    from reports.words import judged_samples

    standard = load_standard()
    samples = read_samples(file, standard=standard)
    if other := [str(name) for name in samples if standard.column(name) is None]:
        complain([say("未当作水质参数的列：{columns}", columns="、".join(other))])
    judged = judge(samples, standard=standard, today=date.today().isoformat())
    show(judged_samples(samples, judged, standard=standard, lang=LANG), format)


@verbs.command(help=say("各断面本月的类别、达标、余量、暴雨系数、台账、连续达标、趋势与补偿"))
def assess(
    project: Project,
    month: Annotated[str, typer.Option(help=say("月份，如 2022-07；不给则为最新一月"))] = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The board of a month, worst section first; json is one object with sections, attainment and notes."""
    import layers
    from layers.assess import assess as judge
    from layers.assess import counties_ranked
    from reports.words import board_fields, board_rows

    opened, today = layers.open_project(project), date.today().isoformat()
    found = judge(opened, month, today=today)
    if format is Format.json:
        ranked = counties_ranked(opened.network(), found.month, today=today)
        show_fields(board_fields(found, LANG, ranked=ranked), format)
        return
    complain(say(note.message, **note.params) for note in found.notes)
    show(board_rows(found), format)


Series = StrEnum("Series", ["section", "river", "county", "basin"])
"""What one map sheet shows."""


@verbs.command(help=say("出月报：图册、演示、工作簿、简报、任务单、离线地图、会议演示"))
def report(
    project: Project,
    month: Annotated[str, typer.Option(help=say("月份，如 2022-07"), show_default=False)],
    out: Annotated[str, typer.Option(help=say("写到哪个文件夹"), show_default=False)],
    template: Annotated[str, typer.Option(help=say("演示文稿的模板（.pptx）"))] = "",
    unit: Annotated[str, typer.Option(help=say("编制单位"))] = "",
    approval: Annotated[str, typer.Option(help=say("地图审图号"))] = "",
    plan: Annotated[str, typer.Option(help=say("写进月报的方案，编号或名称"))] = "",
    paper: Annotated[str, typer.Option(help=say("图册的纸张：A4、A3、A0"))] = "A3",
    portrait: Annotated[bool, typer.Option("--portrait", help=say("图册竖排"))] = False,
    series: Annotated[
        Series, typer.Option(help=say("图册一页一断面、一河流或一县，或只要全流域一页"))
    ] = Series.section,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The month's pack, written to a folder; the files written are the result."""
    import datetime

    import layers
    from reports.month import project_content
    from reports.pack import Style, check, write_pack

    def tell(title: str, done: int, count: int) -> None:
        if title and title not in told:
            told.add(title)
            complain([say("正在做：{title}（{done}/{all}）", title=title, done=done + 1, all=count)])

    told: set[str] = set()
    today = datetime.date.today().isoformat()
    style = Style(paper, portrait, series.value, template or None)
    opened = layers.open_project(project)
    check(month, style, out)
    content = project_content(opened, month, lang=LANG, made_on=today, unit=unit, approval=approval, plan=plan)
    written = write_pack(content, out, style=style, tick=tell)
    show_rows([{"file": str(path), "bytes": path.stat().st_size} for path in written], ["file", "bytes"], format)
