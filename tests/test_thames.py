"""Real phosphorus: the upper Thames through the tool's own import, and the loads along it as published figures tell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import hydro
import layers
from reports.evidence import line

imports = pytest.importorskip("layers.intake.imports", reason="the import is not built yet")
TOP = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def network(oracles: Path, tmp_path_factory: pytest.TempPathFactory) -> hydro.RiverNetwork:
    folder = Path(tmp_path_factory.mktemp("thames"))
    csv = next((oracles / "thames").glob("CEH*.csv"))
    subprocess.run([sys.executable, TOP / "tools" / "thames.py", csv, "--out", folder / "in"], check=True)
    outcome = imports.import_sources([folder / "in"], folder / "thames.gpkg")
    assert outcome.report.sound, outcome.report
    return layers.open_project(folder / "thames.gpkg").network()


def weekly_loads(network: hydro.RiverNetwork) -> pd.DataFrame:
    """TP x discharge of every sample, kg/d, by week and section; a week's samples lie days apart from site to site."""
    tp, flow = (network.observations.frame("section", parameter) for parameter in ("TP", "discharge"))
    load = tp * flow.reindex_like(tp) * 86.4
    return load.groupby(pd.PeriodIndex(pd.to_datetime(load.index), freq="W")).mean()


def nearest_above(network: hydro.RiverNetwork, section: str) -> set[str]:
    """The sections whose water comes to a section past no other: the upper ends of its stretch."""
    delivery = {s: hydro.delivery_ratios(network, s).ratio[:, 0] > 0 for s in network.sections.index}
    reach = network.sections["reach_id"].map(network.reach_position)
    above = {s for s in network.sections.index if s != section and delivery[section][reach[s]]}
    return {s for s in above if not any(delivery[other][reach[s]] for other in above - {s})}


def test_the_whole_record_enters_in_our_units(network: hydro.RiverNetwork) -> None:
    assert len(network.sections) == 22
    assert network.observations.at("section", "THA", "TP", "2009-03-03").value == pytest.approx(0.438)
    assert len(network.observations.frame("section", "TP")) == pytest.approx(202 * 2, rel=0.2)


def test_each_stretch_has_the_upper_ends_that_the_map_tells(network: hydro.RiverNetwork) -> None:
    assert nearest_above(network, "SWI") == {"NEW", "WIN"}
    assert nearest_above(network, "WAL") == {"SWI", "EVE", "CHE", "RAY", "OCK", "THA"}


@pytest.mark.parametrize(("section", "mean", "median"), [("SWI", 12.6, -1.1), ("WAL", 221.6, 86.4)])
def test_what_a_stretch_adds_is_as_published(
    network: hydro.RiverNetwork, section: str, mean: float, median: float
) -> None:
    load = weekly_loads(network)
    added = (load[section] - load[sorted(nearest_above(network, section))].sum(axis=1, skipna=False)).dropna()
    assert round(added.mean(), 1) == mean
    assert round(added.median(), 1) == median


def test_tracing_wallingford_shows_what_no_register_explains(network: hydro.RiverNetwork) -> None:
    trace = hydro.trace_sources(network, "River Thames at Wallingford", time="2010-07")
    assert trace.measured_kg_d > 0
    assert trace.explained_kg_d == pytest.approx(0)
    assert trace.unexplained_kg_d == pytest.approx(trace.measured_kg_d)
    asked = hydro.inquire(network).explain("WAL", "2010-07")
    assert asked.table["probability"].sum() == pytest.approx(1)


def unlisted_words(network: hydro.RiverNetwork, section: str) -> str:
    table = hydro.inquire(network).explain(section, "2010-07").table.set_index("source_id")
    return line(table.at["UNREGISTERED", "evidence"])


def test_trace_points_at_the_stretch_below_swinford_and_is_quiet_above_it(network: hydro.RiverNetwork) -> None:
    loud = unlisted_words(network, "WAL")
    assert "断面River Thames at Swinford、" in loud
    told = re.search(r"至本断面之间，(\d+) 个月平均多出 ([\d.]+) kg/d（中位 ([\d.]+) kg/d）", loud)
    assert told is not None
    assert int(told[1]) > 24
    assert float(told[2]) == pytest.approx(221.6, rel=0.35)  # months, not weeks
    assert float(told[3]) > 60
    assert "至本断面之间" not in unlisted_words(network, "SWI")
