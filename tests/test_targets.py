"""A section is judged by one target in a month, through whichever door one asks."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from basins import line, observed, sections

import hydro
from hydro.causes.alarm import episodes
from hydro.causes.record import compile_record
from hydro.ensemble import ensemble
from hydro.target import Targets
from layers.assess import assess_network, section_months
from layers.maps.map import month_state
from layers.standards import load_standard
from reports.month import build_content

ROOT = Path(__file__).parents[1]
MONTHS = pd.period_range("2022-01", "2022-06", freq="M").astype(str)


def dated(**more: object) -> dict[str, pd.DataFrame]:
    """S1 reads 0.198 mg/L every month; its target is 0.2, and 0.158 from 2022-04 on."""
    tables = line()
    tables["observations"] = observed(*(("section", "S1", month, "TP", 0.198) for month in MONTHS))
    tables["targets"] = pd.DataFrame({"section_id": ["S1"], "since": ["2022-04"], "tp_target_mg_l": [0.158]})
    return tables | more


@pytest.fixture
def network() -> hydro.RiverNetwork:
    return hydro.build_network(dated())


def test_by_hand() -> None:
    held = pd.DataFrame({"tp_target_mg_l": [0.4, np.nan]}, index=["S1", "S2"])
    changes = pd.DataFrame(
        {
            "section_id": ["S1", "S1", "S2", "S1", "S9"],
            "since": ["2022-05", "2022-04", "2022-03-15", "五月", "2022-01"],
            "tp_target_mg_l": [0.2, 0.3, 0.5, 0.1, 0.1],
        }
    )
    targets = Targets.of(held, changes)
    times = ("2022-03-31T23:00", "2022-04", "2022-05-01", None)
    assert [targets.at("S1", time) for time in times] == [0.4, 0.3, 0.2, 0.2]
    assert targets.on("2022-04").to_dict() == {"S1": 0.3, "S2": 0.5}
    months = np.arange("2022-02", "2022-06", dtype="M8[M]")
    found = targets.by_month(["S2", "S1"], months)
    np.testing.assert_array_equal(found, [[np.nan, 0.5, 0.5, 0.5], [0.4, 0.4, 0.3, 0.2]])
    assert Targets.of(held).at("S1", "1999-01") == 0.4


@pytest.mark.parametrize(("month", "target", "over"), [("2022-03", 0.2, False), ("2022-04", 0.158, True)])
def test_every_door_judges_a_month_by_the_same_target(
    network: hydro.RiverNetwork, month: str, target: float, over: bool
) -> None:
    row = assess_network(network, section_months(network), month).rows.iloc[0]
    assert (row["target_mg_l"], row["state"] == "over") == (target, over)
    trace = hydro.trace_sources(network, "S1", time=month)
    assert (trace.target_mg_l, trace.margin_mg_l < 0) == (target, over)
    assert (month in hydro.exceedances(network)["time"].tolist()) == over
    report = build_content(network, {}, month, project="项目").sections[0]
    assert (report.target.value, report.status == "over") == (target, over)
    state = month_state(network, month, load_standard())
    assert (state["sections"]["S1"]["status"] == "over") == over
    assert state["targets"] == ({} if over else {"S1": 0.2})  # what the network's file has is the newest
    record = compile_record(network, ["S1"])
    assert record.target_mg_l[0, record.month_position[month]] == target
    now = hydro.compare(network, network, conditions=[hydro.Condition(time=month)])
    assert now["target_mg_l"].tolist() == [target]
    assert ensemble(network, draws=2, time=month).table()["tp_target_mg_l"].tolist() == [target]
    assert hydro.storm(
        hydro.build_network(dated(reaches=network.reaches.reset_index(drop=True).assign(area_km2=50.0))),
        50.0, condition=hydro.Condition(time=month),
    )["target_mg_l"].tolist() == [target]  # fmt: skip


def test_exceedances_and_the_causes_begin_with_the_stricter_target(network: hydro.RiverNetwork) -> None:
    found = hydro.exceedances(network)
    assert found["time"].tolist() == ["2022-04", "2022-05", "2022-06"]
    assert set(found["target_mg_l"]) == {0.158}
    assert sorted(set(hydro.attribute(network).table()["time"])) == ["2022-04", "2022-05", "2022-06"]


def test_a_plan_is_held_to_the_targets_of_its_month_and_else_to_the_newest() -> None:
    tables = dated()
    tables["outlets"] = tables["outlets"].assign(seal_cost=1.0)
    network = hydro.build_network(tables)
    for conditions, target in (
        ([hydro.Condition()], 0.158),
        ([hydro.Condition("now", time="2022-03")], 0.2),
        ([hydro.Condition("a", time="2022-03"), hydro.Condition("b", time="2022-05")], 0.158),
    ):
        plan = hydro.plan_measures(network, allow=["seal"], margin=0.0, conditions=conditions)
        assert set(plan.sections["target_mg_l"]) == {target}


def test_a_mean_of_equal_values_is_no_exceedance_at_any_door() -> None:
    tables = line()  # target 0.2; the mean of three readings of 0.2 is 0.20000000000000004 to the machine
    days = ("2022-06-03", "2022-06-13", "2022-06-23")
    tables["observations"] = observed(*(("section", "S1", day, "TP", 0.2) for day in days))
    network = hydro.build_network(tables)
    assert float(np.mean([0.2] * 3)) > 0.2
    assert assess_network(network, section_months(network), "2022-06").rows["state"].tolist() == ["equal"]
    assert hydro.exceedances(network).empty
    assert not hydro.trace_sources(network, "S1", time="2022-06").exceeds
    report = build_content(network, {}, "2022-06", project="项目").sections[0]
    assert (report.status, report.months_over, report.causes) == ("at", 0, ())
    assert month_state(network, "2022-06", load_standard())["sections"]["S1"]["status"] == "at"


def test_exceedances_are_months_and_too_few_days_are_none() -> None:
    tables = line()
    days = [("section", "S1", f"2022-05-{day:02}", "TP", 0.1 if day > 3 else 0.9) for day in range(1, 32)]
    few = [("section", "S1", f"2022-06-{day:02}", "TP", 0.5) for day in range(1, 5)]
    whole = [("section", "S1", f"2022-07-{day:02}", "TP", 0.3) for day in range(1, 32)]
    tables["observations"] = observed(*days, *few, *whole)
    network = hydro.build_network(tables)
    # May: (3 x 0.9 + 28 x 0.1) / 31 = 0.177 holds, though three of its days were over; June has 4 days of 30
    found = hydro.exceedances(network)
    assert found[["section_id", "time", "target_mg_l"]].values.tolist() == [["S1", "2022-07", 0.2]]
    reports = {month: build_content(network, {}, month, project="项目").sections[0] for month in ("2022-06", "2022-07")}
    assert {month: (one.status, one.months_over) for month, one in reports.items()} == {
        "2022-06": ("none", 0),
        "2022-07": ("over", 1),
    }
    rows = {month: assess_network(network, section_months(network), month).rows.iloc[0] for month in reports}
    assert {month: row["state"] for month, row in rows.items()} == {"2022-06": "partial", "2022-07": "over"}


def test_nobody_compares_with_a_target_by_himself() -> None:
    """``hydro.assessment.attainment.exceeds`` is the one comparison of a reading with a target."""
    compared = re.compile(r"""(value|measured_mg_l|tp_mg_l|\])\s*(>|<=)\s*(trace\.|record\.)?target(_mg_l)?\b""")
    doors = [path for room in ("hydro", "layers", "reports", "ui", "terminal") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in doors if compared.search(path.read_text(encoding="utf-8"))] == []


def test_an_episode_is_told_by_the_target_of_its_day() -> None:
    tables = dated(sections=sections(("S1", "R2", 86_400.0, 0.5)))
    hours = pd.date_range("2022-03-30", "2022-04-03", freq="4h", inclusive="left")
    tables["observations"] = observed(*(("section", "S1", t.strftime("%Y-%m-%dT%H:%M"), "TP", 0.3) for t in hours))
    assert [(one.start, one.end) for one in episodes(hydro.build_network(tables))] == [
        ("2022-04-01T00:00", "2022-04-02T20:00")
    ]


def test_a_flood_season_is_judged_by_its_last_month() -> None:
    tables = dated(targets=pd.DataFrame({"section_id": ["S1"], "since": ["2022-09"], "tp_target_mg_l": [0.1]}))
    tables["observations"] = observed(
        *(("section", "S1", f"{year}-{month:02d}", "TP", 0.2) for year in (2021, 2022) for month in range(6, 10))
    )
    found = hydro.flood_intensity(hydro.build_network(tables)).set_index("year")["intensity"]
    assert found.to_dict() == pytest.approx({2021: 1.0, 2022: 2.0})


def test_nobody_reads_a_target_beside_the_one_reader() -> None:
    """A section's own row holds its target only until the first change."""
    reading = re.compile(r"""(numbers?|text)\([^)]*["']tp_target_mg_l|\[["']tp_target_mg_l["']\]""")
    doors = [path for room in ("hydro", "layers", "reports", "ui", "terminal") for path in (ROOT / room).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in doors if reading.search(path.read_text(encoding="utf-8"))}
    assert found == {"hydro/target.py"}
