"""Attribution: by hand on a river of two arms, by law on made-up basins, by refusal where the record is too thin."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

import hydro
from benchmarks.basins_monthly import make_basin
from reports.evidence import line, with_words
from tests.basins import Tables, observed, outlets, reaches, sections

MONTHS = [f"{year}-{month:02d}" for year in (2021, 2022) for month in range(1, 13)]
EVENT = "2022-07"
KG_D = 86.4


def arms(
    *,
    extra: dict[str, float] | None = None,
    told: dict[str, float] | None = None,
    washed: float = 1.0,
    months: Iterable[str] = MONTHS,
) -> Tables:
    """Two arms that meet: SW on the western with O1, O2 above it, SE on the eastern with O3 above it, SM below both.

    Every arm carries 5 m³/s and 10 kg/d from each outlet, lateral water 0.02 mg/L; nothing decays. ``extra`` (kg/d) is
    let out by an outlet in the month EVENT; ``told`` what an outlet reports of that month instead of its usual 10.
    """
    months = list(months)
    extra, told = extra or {}, told or {}
    table = reaches(
        ("W", "W0", "J", 20_000.0, 5.0, 0.5),
        ("E", "E0", "J", 20_000.0, 5.0, 0.5),
        ("M", "J", "K", 20_000.0, 10.0, 0.5),
        lateral_tp_mg_l=0.02,
    )
    diffuse = 0.02 * 5.0 * KG_D
    rows = []
    for month in months:
        more = {key: value if month == EVENT else 0.0 for key, value in extra.items()}
        land = diffuse * (washed if month == EVENT else 1.0)
        west = 20.0 + land + more.get("O1", 0.0) + more.get("O2", 0.0) + more.get("W", 0.0)
        east = 10.0 + land + more.get("O3", 0.0)
        for name, load, water in (("SW", west, 5.0), ("SE", east, 5.0), ("SM", west + east, 10.0)):
            rows += [("section", name, month, "TP", load / water / KG_D), ("section", name, month, "discharge", water)]
        rows += [
            ("outlet", name, month, "TP_load", told.get(name, 10.0) if month == EVENT else 10.0)
            for name in ("O1", "O2", "O3")
        ]
    return {
        "reaches": table,
        "sections": sections(("SW", "W", 19_000.0, 0.1), ("SE", "E", 19_000.0, 0.1), ("SM", "M", 19_000.0, 0.1)),
        "outlets": outlets(("O1", "W", 1_000.0, 12.0), ("O2", "W", 10_000.0, 12.0), ("O3", "E", 1_000.0, 12.0)).assign(
            reports=1
        ),
        "observations": observed(*rows),
        "weather": pd.DataFrame({"time": months, "place": "", "rain_mm": 50.0, "water_temp_c": 20.0}),
    }


def causes(tables: Tables, section: str = "SM", time: str = EVENT) -> pd.DataFrame:
    return hydro.attribute(hydro.build_network(tables)).explain(section, time).table.set_index("source_id")


def test_an_event_is_put_on_the_arm_where_the_section_is_raised() -> None:
    table = causes(arms(extra={"O1": 100.0}))
    assert table["probability"].sum() == pytest.approx(1)
    assert table.loc[["O1", "O2", "UNREGISTERED"], "probability"].sum() > 0.95
    assert table.at["O3", "probability"] < 0.01
    assert table["probability"].idxmax() in ("O1", "O2")


def test_a_reported_jump_names_the_culprit_and_a_calm_report_does_not_clear_it() -> None:
    silent = causes(arms(extra={"O1": 100.0}))
    open_ = causes(arms(extra={"O1": 100.0}, told={"O1": 110.0}))
    assert open_.at["O1", "probability"] > 0.95
    assert silent.at["O1", "probability"] > 0.2
    assert open_.index[0] == "O1"


def test_probability_grows_with_the_reported_jump() -> None:
    odds = [
        causes(arms(extra={"O1": 100.0}, told={"O1": 10.0 * times})).at["O1", "probability"] for times in (1, 2, 4, 8)
    ]
    assert odds == sorted(odds)


def test_without_excess_there_is_no_single_cause() -> None:
    table = causes(arms())
    assert table.at["NONE", "probability"] > 0.95
    assert table.index[-1] == "NONE"
    assert table.index[0] == table["delivered_kg_d"].idxmax()


def test_wash_off_is_told_from_a_point_by_its_reach() -> None:
    table = causes(arms(washed=8.0))
    assert table["probability"].idxmax() == "DIFFUSE"
    assert table.at["DIFFUSE", "probability"] > 0.9


def test_an_event_larger_than_any_outlet_could_have_is_unregistered() -> None:
    table = causes(arms(extra={"W": 9_000.0}))
    assert table["probability"].idxmax() == "UNREGISTERED"


def test_shares_add_up_to_the_measured_load() -> None:
    trace = hydro.attribute(hydro.build_network(arms(extra={"O1": 100.0}))).explain("SM", EVENT)
    assert trace.table["share"].sum() == pytest.approx(1)
    assert trace.table["delivered_kg_d"].sum() == pytest.approx(trace.measured_kg_d)
    assert trace.table.set_index("source_id").at["O1", "inventory_kg_d"] == pytest.approx(10)


def test_the_evidence_is_told_in_both_languages() -> None:
    table = causes(arms(extra={"O1": 100.0}, told={"O1": 110.0}))
    chinese, english = (line(table.at["O1", "evidence"], lang) for lang in ("zh", "en"))
    assert "其下游断面断面SW、断面SM同期高于预期" in chinese
    assert "自报当月 110.0 kg/d，为平时自报 10.0 kg/d 的 11.0 倍" in chinese
    assert "it reported 110.0 kg/d that month, 11.0 times its usual 10.0 kg/d" in english
    assert "断面SW、断面SM同期也偏高，却不在其下游" not in line(table.at["O1", "evidence"])
    assert "断面SW同期也偏高，却不在其下游" in line(table.at["O3", "evidence"])
    assert with_words(table.reset_index())["evidence"].map(lambda words: isinstance(words, str)).all()


def test_a_month_without_any_reading_accuses_nobody() -> None:
    trace = hydro.attribute(hydro.build_network({**arms(), "observations": observed()})).explain("SM")
    assert trace.table["probability"].isna().all()
    assert "没有监测记录" in line(trace.table["evidence"].iloc[0])


@pytest.mark.parametrize("months", [MONTHS[18:19], MONTHS[18:]])
def test_an_exceedance_in_the_first_month_is_a_weaker_answer(months: list[str]) -> None:
    table = causes(arms(extra={"O1": 100.0}, months=months))
    full = causes(arms(extra={"O1": 100.0}))
    assert table["probability"].sum() == pytest.approx(1)
    assert table.at["NONE", "probability"] >= full.at["NONE", "probability"]


def test_all_exceedances_of_a_made_up_basin() -> None:
    basin = make_basin(5, reaches=40, outlets=20, plants=2, hidden=2, sections=5)
    judged = hydro.attribute(hydro.build_network(basin.tables))
    table = judged.table()
    by = table.groupby(["section_id", "time"])
    assert len(by) == len(basin.queries)
    assert np.allclose(by["probability"].sum(), 1)
    assert (by["rank"].max() == by.size()).all()
    assert (table.loc[table["rank"] == by["rank"].transform("max"), "source_id"] == "NONE").all()
    one = judged.explain(*basin.queries["query_id"].iloc[0].split("@")).table
    joined = by.get_group(tuple(basin.queries["query_id"].iloc[0].split("@"))).reset_index(drop=True)
    assert list(one["source_id"]) == list(joined["source_id"])
    assert np.allclose(one["share"].astype(float), joined["share"].astype(float), equal_nan=True)
