"""What a month's pack says, once: every writer (sheet, deck, workbook, brief, page) tells the same content.

A figure never stands alone: it carries its unit, where it comes from and the date it was read.  Nothing here knows how a
document looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from hydro import RiverNetwork, Trace
from hydro.assessment.standards import Standard
from i18n import text as translate
from layers.maps.style import Status
from layers.store.pictures import Picture
from layers.store.stories import Step
from reports.planned import PlanReport
from reports.printable import clean

KG_D_PER_MG_L_M3_S = 86.4


@dataclass(frozen=True)
class Figure:
    """A number with its unit, its basis (``monitored``, ``permit``, ``estimated``, ``modelled``) and its date."""

    value: float
    unit: str
    basis: str = ""
    date: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Source:
    """One source of a section's load: ``delivered`` and ``share`` as best known from the record, ``inventory`` as the
    registers alone have it at the section, ``delivery_ratio`` the part of what it discharges that reaches the section, at
    most 1.
    """

    source_id: str
    kind: str
    name: str
    rank: int
    load: Figure
    delivered: Figure
    share: float
    travel_time_d: float
    reach_id: str = ""
    inventory: Figure = Figure(math.nan, "kg/d")
    share_low: float = math.nan
    share_high: float = math.nan
    delivery_ratio: float = math.nan


@dataclass(frozen=True)
class Cause:
    """A candidate for having caused an exceedance, with what speaks for and against it."""

    source_id: str
    name: str
    probability: float
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class SectionReport:
    """Everything told about one section and month."""

    section_id: str
    name: str
    river: str
    level: str
    county: str
    target: Figure
    measured: Figure
    discharge: Figure
    water_class: str
    status: Status
    months_over: int
    history: tuple[tuple[str, float], ...]
    sources: tuple[Source, ...]
    measured_load: Figure
    explained_load: Figure
    upstream: frozenset[str]
    trace: Trace
    reach_id: str = ""
    causes: tuple[Cause, ...] = ()
    next_sample: str = ""
    placed: bool = True
    sure: bool = True

    @property
    def margin_mg_l(self) -> float:
        """Target less measured, as printed; 0 is exactly on target."""
        return round(self.target.value - self.measured.value, 4)

    @property
    def multiple(self) -> float:
        """How many times over the target: (C - target) / target."""
        return (self.measured.value - self.target.value) / self.target.value

    @property
    def headroom(self) -> Figure:
        """What may still be added, kg/d; negative: what is too much."""
        room = self.margin_mg_l * self.discharge.value * KG_D_PER_MG_L_M3_S
        return Figure(room, "kg/d", self.discharge.basis, self.measured.date)

    @property
    def unexplained_kg_d(self) -> float:
        """Measured less explained load; NaN where unmeasured."""
        return self.measured_load.value - self.explained_load.value

    def way(self, source_id: str) -> tuple[str, ...]:
        """The reaches that most of a point source's load takes down to the section."""
        return self.trace.path(source_id)


@dataclass(frozen=True)
class Task:
    """One task of one person."""

    task_id: str
    title: str
    department: str
    person: str
    county: str
    subject: str
    assigned_on: str
    due_on: str
    state: str
    note: str = ""
    listed_on: str = ""


@dataclass(frozen=True)
class Content:
    """A month of a project, ready to be written down."""

    project: str
    demo: bool
    month: str
    lang: str
    sections: tuple[SectionReport, ...]
    network: RiverNetwork
    shapes: Mapping[str, pd.DataFrame]
    standard: Standard
    made_on: str = ""
    unit: str = ""
    approval: str = ""
    plan: PlanReport | None = None
    tasks: tuple[Task, ...] = ()
    story: tuple[Step, ...] = ()
    outlets: pd.DataFrame = field(default_factory=pd.DataFrame)
    plants: pd.DataFrame = field(default_factory=pd.DataFrame)
    relief: Picture | None = None

    def say(self, source: str, /, **params: Any) -> str:
        """A sentence in the reader's language."""
        return translate(source, self.lang, **params)

    @property
    def worst(self) -> SectionReport:
        """The section that comes first: furthest over its target, else nearest to it."""
        return self.sections[0]

    def section(self, section_id: str) -> SectionReport:
        """The report of one section."""
        return next(one for one in self.sections if one.section_id == section_id)

    @property
    def words(self) -> str:
        """Every word that the tables and shapes may bring into a document: what a typeface must be able to show."""
        frames = [*self.shapes.values(), self.network.reaches, self.network.sections, self.outlets, self.plants]
        columns = (f[name] for f in frames for name in f.columns if name != "geometry" and f[name].dtype.kind in "OT")
        tables = "".join("".join(map(clean, column.dropna().unique())) for column in columns)
        told = (self.project, self.unit, self.approval, repr(self.plan), repr(self.tasks))
        return "".join((tables, *told, *(repr(one.causes) + one.next_sample for one in self.sections)))

    @property
    def measured(self) -> tuple[SectionReport, ...]:
        """The sections that were measured this month."""
        return tuple(one for one in self.sections if one.status != "none")
