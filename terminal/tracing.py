"""Verbs about loads on their way: trace, plume, route, delivery."""

from __future__ import annotations

from typing import Annotated

import typer

from terminal.show import show
from terminal.words import DEFAULT_LANGUAGE, LANG, PLAN_TABLES, Format, Output, Project, Spoken, Time, say

verbs = typer.Typer()

TRACE_BRIEF = ("section_id", "time", "rank", "source_id", "name", "basis", "delivered_kg_d", "share", "travel_time_d",
               "probability", "evidence")  # fmt: skip
PATROL_BRIEF = ("order", "source_id", "name", "probability", "information_bits", "to_section_km", "route", "town",
                "grid_owner")  # fmt: skip


@verbs.command(help=say("断面超标的来源排序；任一断面、任一时间，超标与否均可"))
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
    from layers.store.findings import field_findings
    from reports.evidence import with_words

    opened = layers.open_project(project)
    network = opened.network()
    if section:  # what cannot be answered is said before the work begins
        network.section_id(section)
    if time:
        known_time(network, time)
    asked = inquire(network, field_findings(opened))
    table = asked.table() if all_ else asked.explain(section, time or None).table
    show(with_words(table, LANG), format, brief=TRACE_BRIEF)


@verbs.command(help=say("巡查清单：按最能查明成因的次序去看哪些排口，附网格长与路线"))
def patrol(
    project: Project,
    section: Annotated[str, typer.Option(help=say("断面编号或名称"))],
    time: Time = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The outlets to visit for an exceedance, likeliest first, with what each visit is expected to tell."""
    import layers
    from hydro import inquire
    from hydro import patrol as stops
    from layers.store.findings import field_findings
    from reports.patrol import with_routes

    opened = layers.open_project(project)
    trace = inquire(opened.network(), field_findings(opened)).explain(section, time or None)
    show(with_routes(stops(trace), LANG), format, brief=PATROL_BRIEF)


@verbs.command(help=say("记下现场核查：某来源在某月（或某时刻）确认或排除；不给 --verdict 则列出已有的"))
def finding(
    project: Project,
    source: Annotated[str, typer.Option(help=say("来源编号，如 O17、W01、UNREGISTERED"))] = "",
    time: Annotated[str, typer.Option(help=say("所查的月份或时刻，如 2022-07"))] = "",
    verdict: Annotated[str, typer.Option(help=say("confirmed 确认、excluded 排除、withdrawn 撤回"))] = "",
    note: Annotated[str, typer.Option(help=say("查到了什么"))] = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Keep, withdraw or list what was found on the spot; every trace afterwards knows of it."""
    import datetime

    import layers
    from hydro import FieldFinding
    from layers.store.findings import TABLE, record_finding, withdraw_finding

    opened = layers.open_project(project)
    if verdict == "withdrawn":
        withdraw_finding(opened, source, time, why=note)
    elif verdict or source:
        today = datetime.date.today().isoformat()
        record_finding(opened, FieldFinding(source, time, verdict, note), found_on=today)
    show(opened.table(TABLE), format)


@verbs.command(help=say("泄漏或偷排的水团何时到达下游各断面：首到、峰值、消退时刻与峰值浓度"))
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


@verbs.command(help=say("各河段与断面的负荷与浓度，以及物质收支"))
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


@verbs.command(help=say("从每个河段上端到断面的输移比与传播时间"))
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
