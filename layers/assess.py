"""The board of a project: its tables, the shipped standards, and the month asked, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from hydro.assessment.board import Board, board, settle, under_storm
from hydro.assessment.cwqi import county_index
from hydro.assessment.month_rows import months_of
from hydro.assessment.months import Months, monthly_means
from hydro.assessment.remarks import waterbodies
from hydro.errors import HydroError
from hydro.network import RiverNetwork
from layers.standards import load_standard, load_table

if TYPE_CHECKING:
    from layers.store.project import Project


@dataclass(frozen=True)
class Terms:
    """What a project says beside its measurements: moved sections, and its own compensation rules."""

    moves: pd.DataFrame | None = None
    rules: pd.DataFrame | None = None

    @classmethod
    def of(cls, project: Project) -> Terms:
        """The terms that a project holds."""
        found = project.tables(["section_moves", "compensation_rules"])
        return cls(found["section_moves"], found["compensation_rules"])

    @property
    def priced_by(self) -> pd.DataFrame:
        """The project's own rules, else the shipped sample, which says that it is one."""
        return load_table("compensation-sample") if self.rules is None or self.rules.empty else self.rules


NO_TERMS = Terms()


def section_months(network: RiverNetwork, *, today: str = "") -> Months:
    """Monthly means of every section of a network, all parameters; what is dated after ``today`` is told, not taken."""
    sections = [str(one) for one in network.sections.index]
    return monthly_means(network.observations.compact, sections, standard=load_standard(), until=today)


def project_months(project: Project, network: RiverNetwork, *, today: str = "") -> Months:
    """The same from the means that the project keeps, where they hold: without a look at the records themselves."""
    from layers.store import kept_months

    rows = kept_months.read(project.store)
    if rows is None:
        return section_months(network, today=today)
    return months_of(rows, [str(one) for one in network.sections.index], until=today)


def assess(project: Project, month: str = "", *, today: str = "") -> Board:
    """The board of one month: the newest with a value where none is asked, and never one after ``today``.

    Moved sections and compensation rules are the project's own; without rules of its own the shipped sample.

    Raises :class:`HydroError` where there is no such month, or nothing measured.
    """
    network = project.network()
    return assess_network(network, project_months(project, network, today=today), month, terms=Terms.of(project))


def assess_network(
    network: RiverNetwork, months: Months, month: str = "", *, terms: Terms = NO_TERMS, rain: bool = True
) -> Board:
    """The board from what is already read: a page keeps network and months, and asks for one month after another.

    Without ``rain`` nothing is tried under a storm: for statements over many months.
    """
    if not len(months.months):
        raise HydroError("no_observations", "项目里还没有断面监测数据，请先导入观测表")
    wanted = month or str(months.months[-1])
    try:
        wanted = str(pd.Period(wanted, freq="M"))
    except ValueError:
        raise HydroError("bad_month", "月份「{month}」无法识别，请写成 2022-07", month=wanted) from None
    found = board(network, months, wanted, standard=load_standard(), moves=terms.moves)
    settled = settle(found, network, terms.priced_by)
    return under_storm(settled, network) if rain else settled


def counties_ranked(
    network: RiverNetwork, month: str, *, today: str = "", months: Months | None = None
) -> pd.DataFrame:
    """The counties by their water-quality index (CWQI) of the year up to ``month``."""
    known = section_months(network, today=today) if months is None else months
    sections = network.sections.reindex(list(known.sections))
    bodies, forms = waterbodies(network, sections), load_table("cwqi-2017-51")
    return county_index(known, sections, bodies, month, standard=load_standard(), forms=forms)
