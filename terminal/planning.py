"""Verbs about what to do and what rain does: plan, compare, storm."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from terminal.show import complain, show, show_fields
from terminal.words import (
    DEFAULT_LANGUAGE,
    LANG,
    PLAN_TABLES,
    Conditions,
    Format,
    Output,
    Project,
    Spoken,
    Time,
    flow_conditions,
    numbers,
    say,
)

verbs = typer.Typer()


class Water(StrEnum):
    """Whether a sealed outlet takes its water out of the river."""

    remove = "remove"
    keep = "keep"


@verbs.command(help=say("让所有断面达到目标的最省措施组合，已证明最优；或证明没有，并指出是哪个断面、哪份负荷"))
def plan(
    project: Project,
    margin: Annotated[float, typer.Option(help=say("比目标低多少：0.1 即低 10 %"))] = 0.1,
    budget: Annotated[float | None, typer.Option(min=0.0, help=say("预算，万元"), show_default=False)] = None,
    allow: Annotated[str, typer.Option(help=say("允许的措施，逗号分隔"))] = "seal,regulate,merge,dose",
    target: Annotated[list[str], typer.Option(help=say("断面=mg/L，改用此目标，可重复"))] = [],  # noqa: B006
    section: Annotated[list[str], typer.Option(help=say("只管这些断面（编号或名称），可重复；不给则为全部"))] = [],  # noqa: B006
    water: Annotated[Water, typer.Option(help=say("封堵后原排水量是否离开河道"))] = Water.remove,
    time: Time = "",
    condition: Conditions = [],  # noqa: B006
    seasons: Annotated[
        bool,
        typer.Option("--seasons", help=say("同时满足实测的平水、枯水（90 % 保证率）、汛期，以及枯水下的低、高降解")),
    ] = False,
    force: Annotated[list[str], typer.Option(help=say("必做的对象编号，或 编号=措施，可重复"))] = [],  # noqa: B006
    forbid: Annotated[list[str], typer.Option(help=say("不做的对象编号，或 编号=措施，可重复"))] = [],  # noqa: B006
    volume: Annotated[float | None, typer.Option(help=say("一年最多引水多少万m³"), show_default=False)] = None,
    ready_in: Annotated[float | None, typer.Option(help=say("须在多少天内完成"), show_default=False)] = None,
    years: Annotated[float, typer.Option(min=0.0, help=say("每年的费用（引水）按几年计"))] = 1.0,
    share: Annotated[
        float | None,
        typer.Option(min=0.0, max=0.999, help=say("须有的把握（降解、水量、负荷不确定），如 0.9"), show_default=False),
    ] = None,
    study: Annotated[
        bool, typer.Option("--study", help=say("另算费用随余量的变化、最后 0.01 mg/L 的代价与次省的方案"))
    ] = False,
    per_county: Annotated[int | None, typer.Option(help=say("每个县最多几处"), show_default=False)] = None,
    missing_cost: Annotated[
        float | None, typer.Option(help=say("没有费用的措施按多少万元计"), show_default=False)
    ] = None,
    gap: Annotated[float, typer.Option(help=say("允许与最优相差的比例，0 为证明最优"))] = 0.0,
    seconds: Annotated[float | None, typer.Option(help=say("最多算多少秒"), show_default=False)] = None,
    save: Annotated[str, typer.Option(help=say("把方案以此名存入项目（草稿）"))] = "",
    page: Annotated[Path | None, typer.Option(help=say("把方案写成一页纸（HTML）"), show_default=False)] = None,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The cheapest plan; infeasible is an answer. json: one object; csv: the measures; table: measures and sections."""
    import layers
    from hydro import Limits, Prices, plan_measures, plan_rows, robust_plan
    from hydro.planning.measure import ACTIONS
    from hydro.planning.optimise import as_dict
    from hydro.planning.plan_rows import offered
    from hydro.planning.seasons import seasons as measured_seasons
    from layers.rivers.sewers import sewer_km
    from reports.plan import tell, tell_certainty, tell_study

    allowed = [word.strip() for word in allow.split(",") if word.strip()]
    if unknown := sorted(set(allowed) - set(ACTIONS)):
        raise typer.BadParameter(
            say("没有措施“{unknown}”。可选的措施：{known}", unknown="、".join(unknown), known="、".join(ACTIONS))
        )
    opened = layers.open_project(project)
    network = opened.network()
    flows = [*flow_conditions(condition, time), *(measured_seasons(network).values() if seasons else ())]
    found = plan_measures(
        network,
        allow=allowed,
        margin=margin,
        targets={name: value[0] for name, value in (numbers(pair, 1) for pair in target)},
        sections=section or None,
        water=water.value,
        time=time or None,
        conditions=flows or None,
        limits=Limits(
            budget=budget,
            per_county=per_county,
            volume_10k_m3=volume,
            force=tuple(force),
            forbid=tuple(forbid),
            ready_in_days=ready_in,
        ),
        prices=Prices(years=years),
        extra=offered(network, opened.tables(PLAN_TABLES)),
        missing_cost=missing_cost,
        sewer_km=sewer_km(opened.tables(("outlets", "plants"), geometry=True)) if "merge" in allowed else None,
        gap=gap,
        seconds=seconds,
    )
    studied = tell_study(found, LANG) if study and found.status == "optimal" else []
    certain = []
    if share is not None and found.status == "optimal":
        found, sure = robust_plan(found, share=share)
        certain = tell_certainty(found, sure, share, LANG)
    complain([*tell(found, LANG), *certain, *studied])
    if page:
        from reports.plan_page import plan_page

        paper = plan_page(
            found, title=opened.name, name=save or "", lang=LANG, demo=opened.demo, made_on=f"{date.today()}"
        )
        page.write_text(paper, encoding="utf-8")
    if save and found.measures:
        opened.write(plan_rows(found.scenario, save, save), why=f"plan --save {save}", replace=False)
    if format is Format.json:
        show_fields(as_dict(found), format)
    else:
        show(found.table, format)
        if format is Format.table:
            show(found.sections, format)


@verbs.command(help=say("方案前后各断面的浓度，按水情"))
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


@verbs.command(help=say("一场雨会使哪些断面超标，概率多大"))
def storm(
    project: Project,
    rain: Annotated[str, typer.Option(help=say("雨量，毫米；或雨量表（reach_id、rain_mm）、雨量栅格的文件"))],
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
    from layers.land.storm_rain import storm_rain

    opened = layers.open_project(project)
    network = opened.network()
    times = network.observations.times("section")
    before = Condition(time=time or (times[-1] if times else None))
    base = load_plan(network, opened.tables(PLAN_TABLES), plan) if plan else Scenario(network)
    show(rained(base, storm_rain(opened, rain), hours=hours, condition=before), format)
