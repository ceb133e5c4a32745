"""Records too thin, wrong or large to judge well: a weaker answer that says what it lacks, never a crash or a guess."""

import re
import time

import numpy as np
import pandas as pd
import pytest
from test_evidence import EVENT, MONTHS, arms

import hydro
from benchmarks.basins_monthly import make_basin
from hydro import HydroError
from reports.evidence import line


def asked(tables: dict[str, pd.DataFrame], section: str = "SM", month: str = EVENT) -> hydro.Trace:
    return hydro.inquire(hydro.build_network(tables)).explain(section, month)


def whole(trace: hydro.Trace) -> pd.Series:
    """Odds by candidate, sound as odds: they sum to one and NONE stands last."""
    odds = trace.table.set_index("source_id")["probability"]
    assert odds.sum() == pytest.approx(1)
    assert odds.between(0, 1).all()
    assert odds.index[-1] == "NONE"
    return odds


def test_one_section_only_cannot_tell_the_arms_apart() -> None:
    tables = arms(extra={"O1": 200.0})
    tables["sections"] = tables["sections"][tables["sections"]["section_id"] == "SM"]
    seen = tables["observations"]
    tables["observations"] = seen[~seen["station_id"].isin(["SW", "SE"])]
    odds = whole(asked(tables))
    assert odds[["O1", "O2", "O3", "UNREGISTERED"]].max() < 0.6
    assert odds["O3"] > 0.1  # with all three sections it is below one in a hundred


def test_without_discharge_on_the_reaches_the_reaches_are_named() -> None:
    tables = arms(extra={"O1": 100.0})
    tables["reaches"] = tables["reaches"].drop(columns="discharge_m3_s")
    with pytest.raises(HydroError, match="W"):
        asked(tables)


def test_without_a_gauge_the_tables_water_is_taken() -> None:
    tables = arms(extra={"O1": 100.0})
    seen = tables["observations"]
    tables["observations"] = seen[seen["parameter"] != "discharge"]
    odds = whole(asked(tables))
    assert odds[["O1", "O2", "UNREGISTERED"]].sum() > 0.9


def test_where_everything_is_below_detection_nobody_is_accused() -> None:
    tables = arms(extra={"O1": 100.0})
    seen = tables["observations"]
    low = (seen["station_kind"] == "section") & (seen["parameter"] == "TP")
    tables["observations"] = seen.assign(
        value=seen["value"].where(~low, 0.01), qualifier=seen["qualifier"].where(~low, "<")
    )
    trace = asked(tables)
    odds = whole(trace)
    assert odds["NONE"] > 0.9
    assert len(hydro.inquire(hydro.build_network(tables)).table()) == 0  # a value below detection exceeds nothing


def test_without_a_target_the_causes_are_judged_all_the_same() -> None:
    tables = arms(extra={"O1": 100.0})
    tables["sections"] = tables["sections"].assign(tp_target_mg_l=np.nan)
    network = hydro.build_network(tables)
    odds = whole(hydro.inquire(network).explain("SM", EVENT))
    assert odds[["O1", "O2", "UNREGISTERED"]].sum() > 0.5
    assert len(hydro.inquire(network).table()) == 0


def test_sections_that_contradict_each_other_make_no_confident_culprit() -> None:
    """The arms carry twice what the river below them does: somebody's lab is wrong, and nobody is caught by that."""
    tables = arms()
    seen = tables["observations"]
    wrong = seen["station_id"].isin(["SW", "SE"]) & (seen["parameter"] == "TP") & (seen["time"] == EVENT)
    tables["observations"] = seen.assign(value=seen["value"].where(~wrong, seen["value"] * 2))
    odds = whole(asked(tables, "SW"))
    assert odds.drop("NONE").max() < 0.6


def test_the_first_month_on_record_is_weaker_and_says_so() -> None:
    trace = asked(arms(extra={"O1": 100.0}, months=MONTHS[18:19]))
    odds = whole(trace)
    assert odds.drop("NONE").max() < 0.9
    said = line(trace.table.set_index("source_id").at["NONE", "evidence"])
    assert re.search(r"只有 1 个月的记录", said)


def test_ten_years_at_many_sections_are_judged_in_bounded_time() -> None:
    """Sections are judged in neighbourhoods of 16, so the cost grows with their number and not with its square."""
    small, large = (
        make_basin(3, reaches=r, outlets=r // 4, plants=2, hidden=3, sections=s) for r, s in ((40, 6), (100, 20))
    )
    spent = []
    for basin in (small, large):
        network = hydro.build_network(basin.tables)
        begin = time.process_time()
        judged = hydro.attribute(network)
        spent.append((time.process_time() - begin) / len(network.sections))
        assert sum(len(part.record.sections) for part in judged.parts) == len(network.sections)
        assert max(len(part.record.sections) for part in judged.parts) <= 16
    assert spent[1] < 20 * spent[0]  # a section's share of the work; no clock, a ratio
