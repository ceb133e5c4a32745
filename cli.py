"""The terminal door: one thin function a verb; results on stdout, messages on stderr, exit code 0, 1 or 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from i18n import LANGUAGES, text

if TYPE_CHECKING:
    import pandas as pd


class Water(StrEnum):
    """Whether a sealed outlet takes its water out of the river."""

    remove = "remove"
    keep = "keep"


class Format(StrEnum):
    """How a result is written on stdout."""

    table = "table"
    json = "json"
    csv = "csv"


def spoken(arguments: list[str]) -> str:
    """The language asked for by ``--lang`` or QINGYUAN_LANG; Chinese otherwise. Known before any argument is parsed."""
    asked = os.environ.get("QINGYUAN_LANG", "zh")
    for flag, value in pairwise([*arguments, ""]):
        asked = value if flag == "--lang" else flag.removeprefix("--lang=") if flag.startswith("--lang=") else asked
    return asked if asked in LANGUAGES else "zh"


LANG = spoken(sys.argv[1:])


def say(source: str, **params: Any) -> str:
    """A sentence in the user's language."""
    return text(source, LANG, **params)


Language = StrEnum("Language", {lang: lang for lang in LANGUAGES})
Project = Annotated[str, typer.Argument(help=say("项目文件（.gpkg）或 postgresql:// 地址"), show_default=False)]
Output = Annotated[Format, typer.Option("--format", help=say("结果的写法"))]
Spoken = Annotated[Language, typer.Option("--lang", help=say("消息的语言"))]
Time = Annotated[str, typer.Option("--time", help=say("月份、日期或时刻，如 2022-07、2022-07-03T08:00"))]
Conditions = Annotated[
    list[str], typer.Option(help=say("水情，如 枯水=0.5 或 枯水=0.5,0.7（流量倍数，降解倍数），可重复"))
]
DEFAULT_LANGUAGE = Language(LANG)
PIPED_WIDTH = 240
"""Characters a line of a table written to a file or a pipe may have."""
TRACE_BRIEF = ("section_id", "time", "rank", "source_id", "name", "basis", "delivered_kg_d", "share", "travel_time_d",
               "probability", "evidence")  # fmt: skip
PLAN_TABLES = ("plans", "measures", "decisions")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=say("清源：追溯总磷超标的来源，决定封堵哪些排污口。"),
)


@app.callback()
def everywhere(lang: Spoken = DEFAULT_LANGUAGE) -> None:
    """``--lang`` may stand before or behind the verb; :func:`spoken` has read it already."""


@app.command("import", help=say("读取数据文件或文件夹（csv、xlsx、shp、gpkg、geojson、kml、zip），核对后写入项目"))
def import_(
    sources: Annotated[list[Path], typer.Argument(help=say("数据文件或文件夹，可多个"), show_default=False)],
    into: Annotated[str, typer.Option(help=say("写入的项目；不存在则新建"))] = "",
    crs: Annotated[str, typer.Option(help=say("没有说明的坐标系，EPSG 代号，如 4547"))] = "",
    map_: Annotated[Path | None, typer.Option("--map", help=say("列对应文件（JSON：源列名到属性名）"))] = None,
    mouth: Annotated[list[str], typer.Option(help=say("流域出口：源坐标 X,Y 或节点编号，可重复"))] = [],  # noqa: B006
    snap: Annotated[float, typer.Option(min=0, help=say("河段端点相接的容差（米）"))] = 25.0,
    point_snap: Annotated[float, typer.Option(min=0, help=say("断面、排污口离河段的限值（米）"))] = 200.0,
    swap_axes: Annotated[bool, typer.Option("--swap-axes", help=say("x 与 y 对调"))] = False,
    datum: Annotated[str, typer.Option(help=say("偏移坐标：gcj02、bd09；none 为不改正"))] = "",
    unit: Annotated[list[str], typer.Option(help=say("列的单位，列名=单位，可重复"))] = [],  # noqa: B006
    dates: Annotated[str, typer.Option(help=say("斜线日期的次序：dmy 或 mdy"))] = "",
    table: Annotated[list[str], typer.Option(help=say("文件属于哪张表，文件名=表名，可重复"))] = [],  # noqa: B006
    place: Annotated[list[str], typer.Option(help=say("点在哪条河段上，编号=河段，可重复"))] = [],  # noqa: B006
    save_map: Annotated[Path | None, typer.Option(help=say("把本次的列对应存为文件，下次用 --map"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("只检查，不写入"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Read files, account for every row, and write the project in one transaction, or not at all."""
    from layers.imports import import_sources, preview
    from layers.read import Options

    if not into and not dry_run:
        raise typer.BadParameter(say("请用 --into 指定项目，或加 --dry-run 只检查"))
    if datum not in ("", "gcj02", "bd09", "none"):
        raise typer.BadParameter(say("--datum 只能是 gcj02、bd09 或 none"))
    if dates not in ("", "dmy", "mdy"):
        raise typer.BadParameter(say("--dates 只能是 dmy 或 mdy"))
    options = Options(
        crs=crs,
        map=map_,
        mouths=tuple(mouth),
        snap_m=snap,
        point_snap_m=point_snap,
        swap_axes=swap_axes,
        datum=datum,
        units=pairs("--unit", unit),
        dates=dates,
        tables=pairs("--table", table),
        places=pairs("--place", place),
    )
    outcome = import_sources(sources, into, options, dry_run=dry_run) if into else preview(sources, options)
    report = outcome.report
    if save_map:
        import json

        save_map.write_text(json.dumps(outcome.mapping, ensure_ascii=False, indent=2), encoding="utf-8")
    if format is Format.json:
        from reports.terminal import as_json

        sys.stdout.write(as_json(report.json(say)))
    elif format is Format.csv:
        show_rows(report.rows(say), ["kind", "table", "row", "id", "what"], format)
    else:
        print(*report.lines(say), sep="\n")
    if not report.sound:
        complain(
            [
                say(
                    "没有写入任何内容：拒收 {refused} 行，待确认 {asked} 项",
                    refused=len(report.refused),
                    asked=len(report.asked),
                )
            ]
        )
        raise typer.Exit(1)


def pairs(option: str, given: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` words of an option as a dictionary."""
    for word in given:
        if "=" not in word:
            raise typer.BadParameter(say("{option} 应写作 名称=值：{word}", option=option, word=word))
    return {name: value for name, _, value in (word.rpartition("=") for word in given)}


@app.command(help=say("列出项目的全部错误与警告；只有警告时退出码为 0"))
def check(
    project: Project,
    deep: Annotated[bool, typer.Option("--deep", help=say("另查数据库、账册与各表是否相符"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Every fault of a project, each with table, row, column and what would be right."""
    import layers
    from hydro import FaultsError
    from hydro.schema import check_tables

    opened = layers.open_project(project)
    try:
        faults = list(opened.network().warnings)
    except FaultsError as error:
        faults = list(error.faults)
    told = {(fault.table, fault.row, fault.column) for fault in faults}
    faults += [fault for fault in check_tables(opened.tables()) if (fault.table, fault.row, fault.column) not in told]
    faults += opened.verify() if deep else []
    rows = [
        {
            "level": "warning" if fault.warning else "fault",
            "table": fault.table,
            "row": fault.row,
            "column": fault.column,
            "code": fault.code,
            "message": say(fault.message, **fault.params),
        }
        for fault in faults
    ]
    show_rows(rows, ["level", "table", "row", "column", "code", "message"], format)
    if any(row["level"] == "fault" for row in rows):
        raise typer.Exit(1)


@app.command(help=say("项目概况：数量、范围、时段、连通分量、分流、环"))
def info(project: Project, format: Output = Format.table, lang: Spoken = DEFAULT_LANGUAGE) -> None:
    """Counts, extent, period, components, splits, loops."""
    import layers

    show_fields(layers.summarise(layers.open_project(project)), format)


@app.command(help=say("断面超标的来源排序；任一断面、任一时间，超标与否均可"))
def trace(
    project: Project,
    section: Annotated[str, typer.Option(help=say("断面编号或名称"))] = "",
    time: Time = "",
    all_: Annotated[bool, typer.Option("--all", help=say("记录中的每一次超标"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Ranked sources of one section at one time, or of every exceedance on record."""
    if bool(section) == all_:
        raise typer.BadParameter(say("请用 --section 指定一个断面，或用 --all 追溯全部超标"))
    import layers
    from hydro import inquire
    from hydro.trace import known_time
    from reports.evidence import with_words

    network = layers.open_project(project).network()
    if section:  # what cannot be answered is said before the work begins
        network.section_id(section)
    if time:
        known_time(network, time)
    asked = inquire(network)
    table = asked.table() if all_ else asked.explain(section, time or None).table
    show(with_words(table, LANG), format, brief=TRACE_BRIEF)


@app.command(help=say("泄漏或偷排的水团何时到达下游各断面：首到、峰值、消退时刻与峰值浓度"))
def plume(
    project: Project,
    mass: Annotated[float, typer.Option(help=say("泄漏总量（kg，以总磷计）"))],
    start: Annotated[str, typer.Option("--from", help=say("开始时刻，如 2022-07-03T08:00"))],
    end: Annotated[str, typer.Option("--to", help=say("结束时刻；不给则为瞬时"))] = "",
    source: Annotated[str, typer.Option(help=say("排污口或污水处理厂编号；或改用 --reach 与 --chainage"))] = "",
    reach: Annotated[str, typer.Option(help=say("河段编号"))] = "",
    chainage: Annotated[float, typer.Option(help=say("里程（距河段上端，m）"))] = 0.0,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Arrival, peak and passing of a release at every section downstream."""
    import layers
    from hydro import forward_plume

    network = layers.open_project(project).network()
    spill = forward_plume(
        network, source or None, reach=reach or None, chainage_m=chainage, mass_kg=mass, start=start, end=end or None
    )
    show(spill.arrivals, format)


@app.command(help=say("各河段与断面的负荷与浓度，以及物质收支"))
def route(
    project: Project,
    plan: Annotated[str, typer.Option(help=say("方案名；不给则为现状"))] = "",
    time: Time = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Load and concentration on every reach and at every section; the mass balance as rows of kind ``balance``."""
    import layers
    from hydro import Condition, load_plan, route_scenario
    from hydro import route as run

    opened = layers.open_project(project)
    network = opened.network()
    if plan:
        found = route_scenario(
            load_plan(network, opened.tables(PLAN_TABLES), plan), condition=Condition(time=time or None)
        )
    else:
        found = run(network, time=time or None)
    show(found.table_with_balance, format)


@app.command(help=say("从每个河段上端到断面的输移比与传播时间"))
def delivery(
    project: Project,
    section: Annotated[list[str], typer.Option(help=say("断面编号或名称，可重复；不给则为全部"))] = [],  # noqa: B006
    time: Time = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Delivery ratio and travel time from the upstream end of every reach to one or many sections."""
    import layers
    from hydro import delivery_ratios

    network = layers.open_project(project).network()
    show(delivery_ratios(network, section or None, time=time or None).table(), format)


@app.command(help=say("按地表水环境质量标准逐行评价样品表（csv、xlsx），列出决定类别的指标与全部疑点"))
def classify(
    file: Annotated[
        str, typer.Argument(help=say("样品表：每行一个样品，列名如 waterbody、tp、nh3n 或 水体类型、总磷"))
    ],
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Class of every sample, with the deciding parameter and every doubt."""
    from hydro.samples import classify as judge
    from layers.samples import read_samples
    from layers.standards import load_standard
    from reports.words import judged_samples

    standard = load_standard()
    samples = read_samples(file, standard=standard)
    if other := [str(name) for name in samples if standard.column(name) is None]:
        complain([say("未当作水质参数的列：{columns}", columns="、".join(other))])
    show(judged_samples(samples, judge(samples, standard=standard), standard=standard, lang=LANG), format)


@app.command(help=say("让所有断面达到目标的最省措施组合，已证明最优；或证明没有，并指出是哪个断面、哪份负荷"))
def plan(
    project: Project,
    margin: Annotated[float, typer.Option(help=say("比目标低多少：0.1 即低 10 %"))] = 0.1,
    budget: Annotated[float | None, typer.Option(help=say("预算，万元"), show_default=False)] = None,
    allow: Annotated[str, typer.Option(help=say("允许的措施，逗号分隔"))] = "seal,regulate,merge,dose",
    target: Annotated[list[str], typer.Option(help=say("断面=mg/L，改用此目标，可重复"))] = [],  # noqa: B006
    section: Annotated[list[str], typer.Option(help=say("只管这些断面（编号或名称），可重复；不给则为全部"))] = [],  # noqa: B006
    water: Annotated[Water, typer.Option(help=say("封堵后原排水量是否离开河道"))] = Water.remove,
    time: Time = "",
    condition: Conditions = [],  # noqa: B006
    force: Annotated[list[str], typer.Option(help=say("必须采取措施的对象编号，可重复"))] = [],  # noqa: B006
    forbid: Annotated[list[str], typer.Option(help=say("不得采取措施的对象编号，可重复"))] = [],  # noqa: B006
    per_county: Annotated[int | None, typer.Option(help=say("每个县最多几处"), show_default=False)] = None,
    missing_cost: Annotated[
        float | None, typer.Option(help=say("没有费用的措施按多少万元计"), show_default=False)
    ] = None,
    gap: Annotated[float, typer.Option(help=say("允许与最优相差的比例，0 为证明最优"))] = 0.0,
    seconds: Annotated[float | None, typer.Option(help=say("最多算多少秒"), show_default=False)] = None,
    save: Annotated[str, typer.Option(help=say("把方案以此名存入项目（草稿）"))] = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The cheapest plan; infeasible is an answer. json: one object; csv: the measures; table: measures and sections."""
    import layers
    from hydro import Limits, plan_measures, plan_rows
    from hydro.optimise import as_dict
    from hydro.scenario import ACTIONS
    from reports.plan import tell

    allowed = [word.strip() for word in allow.split(",") if word.strip()]
    if unknown := sorted(set(allowed) - set(ACTIONS)):
        raise typer.BadParameter(
            say("没有措施“{unknown}”。可选的措施：{known}", unknown="、".join(unknown), known="、".join(ACTIONS))
        )
    opened = layers.open_project(project)
    found = plan_measures(
        opened.network(),
        allow=allowed,
        margin=margin,
        targets={name: value[0] for name, value in (numbers(pair, 1) for pair in target)},
        sections=section or None,
        water=water.value,
        time=time or None,
        conditions=flow_conditions(condition, time) or None,
        limits=Limits(budget=budget, per_county=per_county, force=tuple(force), forbid=tuple(forbid)),
        missing_cost=missing_cost,
        gap=gap,
        seconds=seconds,
    )
    complain(tell(found, LANG))
    if save and found.measures:
        opened.write(plan_rows(found.scenario, save, save), why=f"plan --save {save}", replace=False)
    if format is Format.json:
        show_fields(as_dict(found), format)
    else:
        show(found.table, format)
        if format is Format.table:
            show(found.sections, format)


Series = StrEnum("Series", ["section", "river", "county", "basin"])
"""What one map sheet shows."""


@app.command(help=say("出月报：图册、演示、工作簿、简报、任务单、离线地图、会议演示"))
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
    from reports.content import project_content
    from reports.pack import Style, write_pack

    def tell(title: str, done: int, count: int) -> None:
        if title and title not in told:
            told.add(title)
            complain([say("正在做：{title}（{done}/{all}）", title=title, done=done + 1, all=count)])

    told: set[str] = set()
    today = datetime.date.today().isoformat()
    content = project_content(
        layers.open_project(project), month, lang=LANG, made_on=today, unit=unit, approval=approval, plan=plan
    )
    style = Style(paper, portrait, series.value, template or None)
    written = write_pack(content, out, style=style, tick=tell)
    show_rows([{"file": str(path), "bytes": path.stat().st_size} for path in written], ["file", "bytes"], format)


@app.command(help=say("方案前后各断面的浓度，按水情"))
def compare(
    project: Project,
    plans: Annotated[list[str], typer.Option(help=say("方案编号或名称，可写多个"))],
    others: Annotated[list[str] | None, typer.Argument(help=say("更多方案"), show_default=False)] = None,
    time: Time = "",
    condition: Conditions = [],  # noqa: B006
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Sections before and after each plan, a row a plan, flow condition and section."""
    import pandas as pd

    import layers
    from hydro import Condition, load_plan, situation
    from hydro import compare as compared

    opened = layers.open_project(project)
    network, tables = opened.network(), opened.tables(PLAN_TABLES)
    scenarios = {name: load_plan(network, tables, name) for name in [*plans, *(others or [])]}
    stands = [situation(network, each) for each in flow_conditions(condition, time) or [Condition(time=time or None)]]
    found = [compared(network, plan, situations=stands).assign(plan=name) for name, plan in scenarios.items()]
    table = pd.concat(found, ignore_index=True)
    show(table[["plan", *(column for column in table.columns if column != "plan")]], format)


@app.command(help=say("一场雨会使哪些断面超标，概率多大"))
def storm(
    project: Project,
    rain: Annotated[float, typer.Option(help=say("雨量，毫米"))],
    hours: Annotated[float, typer.Option(help=say("历时，小时"))] = 24.0,
    plan: Annotated[str, typer.Option(help=say("方案名；不给则为现状"))] = "",
    time: Time = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Which sections a rain breaks, from the newest measurements unless a time is given."""
    import layers
    from hydro import Condition, Scenario, load_plan
    from hydro import storm as rained

    opened = layers.open_project(project)
    network = opened.network()
    times = network.observations.times("section")
    before = Condition(time=time or (times[-1] if times else None))
    base = load_plan(network, opened.tables(PLAN_TABLES), plan) if plan else Scenario(network)
    show(rained(base, rain, hours=hours, condition=before), format)


def numbers(pair: str, most: int) -> tuple[str, list[float]]:
    """A ``NAME=number[,number]`` of the command line taken apart; anything else is wrong usage."""
    name, _, value = pair.rpartition("=")
    try:
        found = [float(part) for part in value.split(",")]
    except ValueError:
        found = []
    if not name or not 1 <= len(found) <= most:
        raise typer.BadParameter(say("“{pair}”应写成 名称=数值", pair=pair))
    return name, found


def flow_conditions(given: list[str], time: str) -> list[Any]:
    """``NAME=flow[,decay]`` factors as conditions."""
    from hydro import Condition

    parsed = [numbers(pair, 2) for pair in given]
    return [Condition(name, time or None, factor[0], *factor[1:]) for name, factor in parsed]


@app.command(help=say("各断面本月的类别、达标、余量、暴雨系数、台账、连续达标、趋势与补偿"))
def assess(
    project: Project,
    month: Annotated[str, typer.Option(help=say("月份，如 2022-07；不给则为最新一月"))] = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The board of a month, worst section first; json is one object with sections, attainment and notes."""
    import layers
    from layers.assess import assess as judge
    from reports.words import board_fields, board_rows

    found = judge(layers.open_project(project), month)
    if format is Format.json:
        show_fields(board_fields(found, LANG), format)
        return
    complain(say(note.message, **note.params) for note in found.notes)
    show(board_rows(found), format)


@app.command(help=say("把项目备份成一个新的项目文件，并核对备份"))
def backup(project: Project, to: Annotated[Path, typer.Option(help=say("备份文件，须尚不存在"))]) -> None:
    """Copy a project, as it is at this moment, to a new project file, and verify the copy."""
    import layers
    from layers.backup import backup as keep

    keep(layers.open_project(project), str(to))


@app.command(help=say("由备份恢复到一个还没有项目的位置（文件或 postgresql:// 地址）"))
def restore(
    file: Annotated[Path, typer.Argument(help=say("备份文件"))],
    into: Annotated[str, typer.Option(help=say("恢复到何处，须尚无项目"))],
) -> None:
    """Make a project again from a backup, in a place where there is none."""
    from layers.backup import restore as bring_back
    from layers.project import store_at

    bring_back(str(file), store_at(into))


@app.command(help=say("账册：谁在何时改了什么、为什么"))
def book(
    project: Project,
    table: Annotated[str, typer.Option(help=say("只看一张表"))] = "",
    row: Annotated[str, typer.Option(help=say("只看涉及该编号的记录"))] = "",
    who: Annotated[str, typer.Option(help=say("只看一个人"))] = "",
    since: Annotated[str, typer.Option(help=say("从何时起，如 2022-07"))] = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The audit, oldest first; csv and json hold every column."""
    import layers

    found = layers.open_project(project).book(table=table, row=row, who=who, since=since)
    brief = ["revision", "when", "who", "what", "table_name", "row_id", "why"]
    show(found[brief] if format is Format.table else found, format)


@app.command(help=say("把在别的程序（如 QGIS）里做的改动记入账册"))
def adopt(project: Project, why: Annotated[str, typer.Option(help=say("改动的原因"))]) -> None:
    """Enter in the book what another program has changed, and list the tables concerned."""
    import layers

    print("\n".join(layers.open_project(project).adopt(why=why)))


@app.command(help=say("项目能否读写，供监控用；不健康时退出码为 1。给出 --port 则一直在 /health 应答"))
def health(
    project: Project,
    port: Annotated[int, typer.Option(help=say("在此端口应答，0 为只查一次"))] = 0,
    format: Output = Format.json,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """State of a project's store, once or as an endpoint."""
    from layers.health import health as examine
    from layers.health import serve

    if port:
        serve(project, port=port).serve_forever()
    told = examine(project)
    show_fields(told, format)
    if not told["ok"]:
        raise typer.Exit(1)


users = typer.Typer(no_args_is_help=True, help=say("服务器的本地账号"))
app.add_typer(users, name="user")
AccountsPlace = Annotated[str, typer.Option(help=say("账号存放处，默认取 QINGYUAN_ACCOUNTS"))]


@users.command("add", help=say("新建账号，或重设已有账号的密码、角色、县区与期限"))
def user_add(
    name: str,
    role: Annotated[str, typer.Option(help=say("viewer、staff、planner、approver 或 administrator"))],
    county: Annotated[str, typer.Option(help=say("只管一个县时填写"))] = "",
    days: Annotated[float, typer.Option(help=say("有效天数"))] = 365,
    external: Annotated[bool, typer.Option("--external", help=say("不设密码，由统一认证（OIDC）登录"))] = False,
    accounts: AccountsPlace = "",
) -> None:
    """Make an account; the password is read from the terminal, or from the first line of standard input."""
    from getpass import getpass

    from layers.accounts import Accounts, default_accounts

    asked = None
    if not external:
        asked = getpass(say("密码：")) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    Accounts(accounts or default_accounts()).add(name, asked, role=role, county=county, days=days)


@users.command("list", help=say("列出账号"))
def user_list(accounts: AccountsPlace = "", format: Output = Format.table, lang: Spoken = DEFAULT_LANGUAGE) -> None:
    """Every account, without its hash."""
    from layers.accounts import Accounts, default_accounts

    show(Accounts(accounts or default_accounts()).list(), format)


@users.command("remove", help=say("注销账号；其所做的记录仍在账册里"))
def user_remove(name: str, accounts: AccountsPlace = "") -> None:
    """Close an account."""
    from layers.accounts import Accounts, default_accounts

    Accounts(accounts or default_accounts()).remove(name)


def show(table: pd.DataFrame, format: Format, brief: Iterable[str] = ()) -> None:
    """Write a table on stdout; for people, ``brief`` names the columns worth their while."""
    from reports.terminal import rows_of

    show_rows(rows_of(table), list(brief if brief and format is Format.table else map(str, table.columns)), format)


def show_rows(rows: list[dict[str, Any]], columns: list[str], format: Format) -> None:
    """Write rows on stdout."""
    from reports.terminal import as_csv, as_json, as_table

    writers = {Format.json: lambda: as_json(rows), Format.csv: lambda: as_csv(rows, columns)}
    sys.stdout.write(
        writers.get(format, lambda: as_table(rows, columns, width=None if sys.stdout.isatty() else PIPED_WIDTH))()
    )


def show_fields(fields: dict[str, Any], format: Format) -> None:
    """Write one record on stdout: json as an object, else a line a field."""
    from reports.terminal import as_json, shown

    if format is Format.json:
        sys.stdout.write(as_json(fields))
    else:
        show_rows([{"field": key, "value": shown(value)} for key, value in fields.items()], ["field", "value"], format)


def complain(lines: Iterable[str]) -> None:
    """Write messages on stderr."""
    for line in lines:
        print(line, file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 the input has faults, 2 wrong usage. No traceback reaches a user."""
    from typer.exceptions import TyperException

    try:
        return int(app(args=arguments, standalone_mode=False) or 0)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.Abort:
        return 1
    except TyperException as wrong:
        wrong.show()
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # the last door before the user
        if os.environ.get("QINGYUAN_DEBUG"):
            raise
        complain(explained(error))
    return 1


def explained(error: Exception) -> list[str]:
    """What is wrong, line by line, in the user's language; a defect of the program says so."""
    from hydro.errors import FaultsError, HydroError

    if not isinstance(error, HydroError):
        return [say("程序内部错误：{error}。设 QINGYUAN_DEBUG=1 重试可得到详情，请据此报告", error=repr(error))]
    faults = error.faults if isinstance(error, FaultsError) else ()
    return [say(error.message, **error.params), *(say(fault.message, **fault.params) for fault in faults)]


if __name__ == "__main__":
    sys.exit(main())
