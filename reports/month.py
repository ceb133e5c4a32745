"""A month of a project gathered into its content: every section judged, its sources traced, the plan and the tasks read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from hydro import HydroError, RiverNetwork, Trace, inquire
from hydro.assessment.attainment import attained, states, streak
from hydro.assessment.months import Months
from hydro.assessment.standards import CLASSES, Standard
from hydro.columns import records, text
from i18n import text as translate
from layers.assess import project_months, section_months
from layers.maps.style import Status, status
from layers.standards import load_standard
from layers.store.findings import field_findings
from layers.store.pictures import RELIEF, Picture, kept
from layers.store.project import Project
from layers.store.stories import Step, story_of
from reports.content import Cause, Content, Figure, SectionReport, Source, Task
from reports.evidence import marked, next_place
from reports.planned import PlanReport, planned
from reports.printable import clean

SPATIAL = ("reaches", "sections", "outlets", "plants", "gates", "boundaries", "districts", "catchments")
ORDER: dict[Status, int] = {"over": 0, "at": 1, "holds": 2, "none": 3}
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
LEAST_CHANCE = 0.03
RANGE = ("share_low", "share_high")


class Explainer(Protocol):
    """Whoever says, of a section at a time, what came from where and who did it."""

    def explain(self, section: str, time: str | None = None) -> Trace:
        """The ranked sources of one section at a time."""


def build_content(
    network: RiverNetwork,
    shapes: Mapping[str, pd.DataFrame],
    month: str,
    *,
    project: str,
    demo: bool = False,
    lang: str = "zh",
    made_on: str = "",
    unit: str = "",
    approval: str = "",
    plan: PlanReport | None = None,
    tasks: pd.DataFrame | None = None,
    inquiry: Explainer | None = None,
    story: tuple[Step, ...] = (),
    relief: Picture | None = None,
    months: Months | None = None,
) -> Content:
    """Everything a month's pack tells, worst section first.

    ``shapes`` are the project's spatial tables with their geometry; a section without one is told in tables and left off
    the maps. ``plan`` comes from the planner; ``inquiry`` is the network already asked who did it, where the caller keeps one;
    ``relief`` is a hillshade to lie under the map sheets; ``months`` the monthly means, where the caller keeps them.
    Raises HydroError ``month_empty`` where no section was measured that month.
    """
    check_month(month)
    months = section_months(network) if months is None else months
    measured, at = _measured(months), months.at(month)
    if month not in measured:
        raise HydroError(
            "month_empty",
            "{month} 没有任何断面的总磷监测值，无法出报告。有数据的月份：{first} 至 {last}",
            month=month,
            first=min(measured, default="—"),
            last=max(measured, default="—"),
        )
    standard = load_standard()
    tp, marks = months.values["TP"][:, : at + 1], months.marks["TP"][:, : at + 1]
    over = streak(attained(states(tp, network.targets.by_month(months.sections, months.months[: at + 1]), marks)))
    inquiry = inquiry or inquire(network)
    drawn = _drawn(shapes.get("sections"), "section_id")
    reports = [
        _section(
            network,
            str(section_id),
            month,
            standard=standard,
            history=pd.Series(tp[i], index=months.months[: at + 1].astype(str)).dropna(),
            months_over=max(0, -int(over[i])),
            mark=int(marks[i, -1]),
            trace=inquiry.explain(str(section_id), month),
            placed=drawn is None or str(section_id) in drawn,
            lang=lang,
        )
        for i, section_id in enumerate(months.sections)
    ]
    reports.sort(key=lambda one: (ORDER[one.status], _nearness(one), one.section_id))
    return Content(
        project=clean(project),
        demo=demo,
        month=month,
        lang=lang,
        sections=tuple(reports),
        network=network,
        shapes=shapes,
        standard=standard,
        made_on=made_on,
        unit=clean(unit),
        approval=clean(approval),
        plan=plan,
        tasks=_tasks(tasks),
        story=story,
        outlets=network.outlets,
        plants=network.plants,
        relief=relief,
    )


def _measured(months: Months) -> list[str]:
    """The months in which any section's TP was read."""
    if "TP" not in months.values:
        return []
    return [str(one) for one in months.months[~np.isnan(months.values["TP"]).all(axis=0)]]


def check_month(month: str) -> None:
    """Raise HydroError ``month_form`` for what is no month."""
    if not MONTH.fullmatch(month):
        raise HydroError("month_form", "“{month}”不是月份。请写成年-月，如 2022-07", month=month)


def project_content(project: Project, month: str, *, plan: str = "", **how: Any) -> Content:
    """The content of a month, from a project; ``plan`` by id or name. See :func:`build_content` for the keywords."""
    network = project.network()
    how.setdefault("inquiry", inquire(network, field_findings(project)))
    effect = planned(network, project.tables(("plans", "decisions", "measures")), plan, month) if plan else None
    return build_content(
        network,
        project.tables(SPATIAL, geometry=True),
        month,
        project=project.name or project.url,
        demo=project.demo,
        tasks=project.table("tasks"),
        plan=effect,
        story=story_of(project, month),
        relief=kept(project, RELIEF),
        months=project_months(project, network),
        **how,
    )


def _nearness(one: SectionReport) -> float:
    """Small for a section far over its target; unmeasured ones last."""
    return math.inf if one.status == "none" else -one.multiple


def _drawn(table: pd.DataFrame | None, key: str) -> set[str] | None:
    if table is None or "geometry" not in table:
        return None
    return {str(i) for i, shape in zip(table[key], table["geometry"], strict=True) if shape and not shape.is_empty}


def _section(
    network: RiverNetwork,
    section_id: str,
    month: str,
    *,
    standard: Standard,
    history: pd.Series,
    months_over: int,
    mark: int,
    trace: Trace,
    placed: bool,
    lang: str,
) -> SectionReport:
    row = {name: clean(text(network.sections, name)[section_id]) for name in network.sections.columns}
    value = trace.measured_mg_l
    basis = "monitored" if trace.measured else ""
    gauged = network.observations.at("section", section_id, "discharge", month)
    rank = int(standard.rank("TP", value, row.get("waterbody") or "river"))
    return SectionReport(
        section_id=section_id,
        name=row.get("name") or section_id,
        river=row.get("river", ""),
        level=row.get("level", ""),
        county=row.get("county", ""),
        target=Figure(trace.target_mg_l, "mg/L"),
        measured=Figure(value, "mg/L", basis, month),
        discharge=Figure(trace.discharge_m3_s, "m³/s", "monitored" if gauged else "estimated", month),
        water_class=CLASSES[rank] if rank >= 0 else "",
        status=status(value, trace.target_mg_l, mark),
        months_over=months_over,
        history=tuple((str(time), float(tp)) for time, tp in history.items()),
        sources=_sources(trace, lang),
        measured_load=Figure(trace.measured_kg_d, "kg/d", basis, month),
        explained_load=Figure(trace.explained_kg_d, "kg/d", "modelled", month),
        upstream=frozenset(network.reaches.index[trace.delivery.ratio[:, 0] > 0].astype(str)),
        trace=trace,
        reach_id=row.get("reach_id", ""),
        causes=_causes(trace, lang) if trace.exceeds else (),
        next_sample=clean(next_place(trace, lang)) if trace.exceeds else "",
        placed=placed,
        sure=row.get("position_confidence", "") not in ("low", "unresolved"),
    )


def _name(source_id: str, name: object, lang: str) -> str:
    if source_id == "DIFFUSE":
        return translate("面源", lang)
    if source_id == "UNREGISTERED":
        return translate("未登记排口", lang)
    return translate("没有单一原因", lang) if source_id == "NONE" else clean(name) or source_id


def _causes(trace: Trace, lang: str) -> tuple[Cause, ...]:
    """The candidates worth naming, most probable first, with their evidence in words."""
    table = trace.table[trace.table["probability"] >= LEAST_CHANCE].sort_values("probability", ascending=False)
    return tuple(
        Cause(str(i), _name(str(i), name, lang), float(chance), tuple(map(clean, marked(found, lang))))
        for i, name, chance, found in table[["source_id", "name", "probability", "evidence"]].itertuples(index=False)
    )


def _sources(trace: Trace, lang: str) -> tuple[Source, ...]:
    """The sources by what they deliver; ``NONE`` is a cause, not a source."""
    known = trace.table[(trace.table["source_id"] != "NONE") & (trace.table["delivered_kg_d"] > 0)]
    known = known.sort_values("delivered_kg_d", ascending=False, kind="stable")
    known = known.assign(**{name: np.nan for name in ("inventory_kg_d", *RANGE) if name not in known})
    return tuple(
        Source(
            source_id=str(row["source_id"]),
            kind=str(row["kind"]),
            name=_name(str(row["source_id"]), row["name"], lang),
            rank=rank,
            load=Figure(float(row["load_kg_d"]), "kg/d", str(row["basis"]), clean(row["observed_on"])),
            inventory=Figure(float(row["inventory_kg_d"]), "kg/d", str(row["basis"]), clean(row["observed_on"])),
            delivered=Figure(float(row["delivered_kg_d"]), "kg/d", "modelled", trace.time or ""),
            share=float(row["share"]),
            share_low=float(row["share_low"]),
            share_high=float(row["share_high"]),
            travel_time_d=float(row["travel_time_d"]),
            reach_id=clean(row["reach_id"]),
            delivery_ratio=float(row["delivery_ratio"]),
        )
        for rank, row in enumerate(records(known), 1)
    )


def _tasks(table: pd.DataFrame | None) -> tuple[Task, ...]:
    if table is None or table.empty:
        return ()
    told = {name: text(table, name).map(clean) for name in Task.__dataclass_fields__}
    rows = [Task(**{name: column.iloc[i] for name, column in told.items()}) for i in range(len(table))]
    return tuple(sorted(rows, key=lambda task: (task.department, task.person, task.due_on, task.task_id)))
