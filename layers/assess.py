"""The board of a project: its tables, the shipped standards, and the month asked, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hydro.board import Board, board, settle, under_storm
from hydro.errors import HydroError
from hydro.months import Months, monthly_means
from hydro.network import RiverNetwork
from layers.standards import load_standard, load_table

if TYPE_CHECKING:
    from layers.project import Project


def section_months(network: RiverNetwork) -> Months:
    """Monthly means of every section of a network, all parameters."""
    sections = [str(one) for one in network.sections.index]
    return monthly_means(network.observations.table, sections, standard=load_standard())


def assess(project: Project, month: str = "") -> Board:
    """The board of one month (the newest with a value where none is asked), compensation by the shipped sample rules.

    Raises :class:`HydroError` where there is no such month, or nothing measured.
    """
    network = project.network()
    return assess_network(network, section_months(network), month)


def assess_network(
    network: RiverNetwork, months: Months, month: str = "", *, targets: pd.DataFrame | None = None, rain: bool = True
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
    found = board(network, months, wanted, standard=load_standard(), targets=targets)
    settled = settle(found, network, load_table("compensation-sample"))
    return under_storm(settled, network) if rain else settled
