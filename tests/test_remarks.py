"""Every bad month, target and place of a board: shown as what it is, never averaged away."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hydro
import layers
from hydro.assessment.board import Board
from hydro.assessment.months import monthly_means
from layers.assess import Terms, assess, assess_network, section_months
from layers.standards import load_standard

GB = load_standard()
STEADY = dict.fromkeys(pd.period_range("2019-01", "2022-06", freq="M").astype(str), 0.2)


def basin(
    records: dict[str, float] | pd.DataFrame, targets: pd.DataFrame | None = None, **section: object
) -> hydro.RiverNetwork:
    """One reach and one section with a target of 0.30 mg/L; ``section`` changes its columns."""
    reaches = pd.DataFrame({"reach_id": ["R1"], "from_node": ["A"], "to_node": ["B"], "length_m": [1000.0],
                            "discharge_m3_s": [3.0], "velocity_m_s": [0.5], "waterbody": [section.pop("reach_is", "")]})  # fmt: skip
    row = {"section_id": "S1", "name": "皇甫", "reach_id": "R1", "chainage_m": 900.0, "waterbody": "river", "level": "省控",
           "target_class": "IV", "tp_target_mg_l": 0.3, "county": "甲县", "river": "卫河"} | section  # fmt: skip
    frame = records if isinstance(records, pd.DataFrame) else frame_of(records)
    return hydro.build_network(
        {"reaches": reaches, "sections": pd.DataFrame([row]), "observations": frame, "targets": targets}
    )


def frame_of(records: dict[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame({"time": list(records), "value": list(records.values())})
    return frame.assign(station_kind="section", station_id="S1", parameter="TP", qualifier="")


def judged(network: hydro.RiverNetwork, month: str = "2022-06", **terms: pd.DataFrame) -> Board:
    return assess_network(network, section_months(network, today="2022-06-20"), month, terms=Terms(**terms), rain=False)


def told(found: Board, code: str) -> list[str]:
    return [str(note) for note in found.notes if note.code == code]


def test_a_month_of_three_days_enters_no_mean_no_class_no_trend_no_payment() -> None:
    days = {f"2022-05-{day:02d}": 0.2 for day in range(1, 32)} | {f"2022-06-{day:02d}": 0.9 for day in (1, 2, 3)}
    known = {month: value for month, value in STEADY.items() if month < "2022-05"}
    found = judged(basin(known | days))
    row = found.rows.iloc[0]
    assert (row["state"], row["value_mg_l"], row["class"]) == ("partial", pytest.approx(0.9), "NA")
    # the year's mean is that of five whole months at 0.2, the sixth is a gap
    assert (row["mean_mg_l"], row["months_measured"], row["gaps"]) == (pytest.approx(0.2), 5, 1)
    assert (row["slope_per_year"], row["monitored_months"]) == (0.0, 5)
    assert np.isnan(row["pay_wan"])
    assert told(found, "partial") == ["皇甫 2022-06：有数据的天数不足一半，不计入达标与均值"]


def test_odd_months_earlier_in_the_year_are_told_as_well() -> None:
    twice = pd.concat([frame_of(STEADY), frame_of({"2022-02": 0.35, "2022-03": -0.1})])
    kept = (twice["time"] != "2022-03") | (twice["value"] < 0)
    found = judged(basin(twice[kept]))
    assert told(found, "conflict") == ["皇甫 2022-02：同月有两个不同的值，按较差者计，请核对"]
    assert told(found, "excluded") == ["皇甫 2022-03：有不可能出现的值，已剔除，请核对"]
    # January, February (the worse value), April, May, June: (4 x 0.2 + 0.35) / 5 = 0.23; March is a gap
    row = found.rows.iloc[0]
    assert (row["mean_mg_l"], row["gaps"]) == (pytest.approx(0.23), 1)
    assert (row["attained_months"], row["monitored_months"]) == (4, 5)


@pytest.mark.parametrize("stamp", ["2222-07", "2022-07", "1900-01", "9999-12"])
def test_a_date_that_cannot_be_is_told_and_not_taken(stamp: str) -> None:
    network = basin(STEADY | {stamp: 9.0})
    found = assess_network(network, section_months(network, today="2022-06-20"), rain=False)
    assert (found.month, found.rows["value_mg_l"].iloc[0]) == ("2022-06", 0.2)  # the newest month is no slip of a year
    assert told(found, "astray") == [f"皇甫：1 条记录的时间不可能（如 {stamp}），未计入，请核对"]
    assert len(section_months(network, today="2022-06-20").months) == 42


def test_without_a_clock_only_the_impossible_past_is_left_out() -> None:
    found = monthly_means(frame_of({"1900-01": 1.0, "2222-07": 1.0}), ["S1"], standard=GB)
    assert (found.astray, str(found.months[0])) == ({"S1": (1, "1900-01")}, "2222-07")


def test_a_target_that_begins_in_mid_year_judges_no_month_before_it() -> None:
    targets = pd.DataFrame({"section_id": ["S1", "S1", "S1"], "since": ["2022-03", "2022-05", "五月"],
                            "tp_target_mg_l": [0.4, 0.15, 0.1]})  # fmt: skip
    found = judged(basin(STEADY, targets, tp_target_mg_l=None))
    row = found.rows.iloc[0]
    # January and February have no target; March, April attain 0.4; May and June exceed 0.15
    assert (row["attained_months"], row["monitored_months"], row["state"]) == (2, 4, "over")
    assert told(found, "no_target_then") == ["皇甫：2022-01 至 2022-02 没有目标值，这几个月不判断达标"]
    assert told(found, "target_changed") == ["皇甫：目标值自 2022-05 由 0.4 调整为 0.15，各月按当时的目标评价"]
    assert told(found, "bad_since") == ["targets S1：起始月份「五月」无法识别，未采用，应写成 2022-07"]


def test_a_moved_section_is_not_compared_with_its_old_place() -> None:
    before = {month: 0.5 for month in STEADY if month < "2022-03"}
    moves = pd.DataFrame({"section_id": ["S1", "S1"], "since": ["2022-03", "2023-01"], "from_reach_id": ["R9", "R1"],
                          "from_chainage_m": [400.0, 900.0]})  # fmt: skip
    network = basin(STEADY | before)
    stood, moved = judged(network), judged(network, moves=moves)
    assert (stood.rows["trend"].iloc[0], moved.rows["trend"].iloc[0]) == ("falling", "short")
    row = moved.rows.iloc[0]
    assert row["moved_since"] == "2022-03"
    assert np.isnan([row["last_year_mg_l"], row["chance"], row["rebound_mg_l"], row["october_mg_l"]]).all()
    # the year's mean keeps all six months (2 x 0.5 + 4 x 0.2) / 6 = 0.3, and says so
    assert row["mean_mg_l"] == pytest.approx(0.3)
    assert told(moved, "moved") == [
        "皇甫：断面自 2022-03 移位（原在 R9 400 m），趋势、同比、反弹和展望只用移位后的月份；年内均值仍含移位前的月份"
    ]
    assert told(stood, "moved") == []
    assert judged(network, "2022-02", moves=moves).rows["moved_since"].iloc[0] == ""  # not yet


@pytest.mark.parametrize(
    ("section", "codes", "water"),
    [
        ({"name": "小湖", "waterbody": ""}, ["lake_untold", "waterbody_blank"], "river"),
        ({"name": "红旗水库", "waterbody": "river"}, ["lake_untold"], "river"),
        ({"name": "小湖", "waterbody": "", "reach_is": "lake"}, [], "lake"),
        ({"name": "皇甫", "waterbody": ""}, ["waterbody_blank"], "river"),
        ({"name": "小湖", "waterbody": "lake"}, [], "lake"),
    ],
)
def test_a_lake_that_does_not_say_so(section: dict[str, object], codes: list[str], water: str) -> None:
    found = judged(basin(STEADY, **section))
    assert [note.code for note in found.notes if "water" in note.column] == codes
    assert found.rows[["waterbody", "class"]].iloc[0].tolist() == [water, {"river": "III", "lake": "V"}[water]]
    if "lake_untold" in codes:
        message = "{}：未注明是湖库，总磷按河流评价为 III；若为湖库则为 V，请补填水体类型"
        assert told(found, "lake_untold") == [message.format(section["name"])]


def test_a_storm_falls_on_the_month_as_it_was_judged() -> None:
    records = pd.concat(
        [frame_of(STEADY), frame_of({"2022-06-03": 0.9})]
    )  # a stray sample beside the month's own value
    network = basin(records)
    reaches = network.reaches.reset_index(drop=True).assign(area_km2=86.4)
    tables = {"reaches": reaches, "sections": network.sections.reset_index(drop=True), "observations": records}
    land = hydro.build_network(tables)
    months = section_months(land)
    row = assess_network(land, months, "2022-06").rows.iloc[0]
    assert (row["value_mg_l"], row["state"]) == (0.2, "holds")
    assert row["breaking_rain_mm"] > 0  # the month holds, so it takes a rain to break it
    lower = pd.DataFrame({"section_id": ["S1"], "since": ["2022-06"], "tp_target_mg_l": [0.15]})
    land = hydro.build_network(tables | {"targets": lower})
    assert assess_network(land, months, "2022-06").rows["breaking_rain_mm"].iloc[0] == 0


def test_a_project_brings_its_own_targets_moves_and_rules(tmp_path: Path) -> None:
    reaches = pd.DataFrame({"reach_id": ["R1"], "from_node": ["A"], "to_node": ["B"], "length_m": [1000.0],
                            "discharge_m3_s": [3.0], "velocity_m_s": [0.5]})  # fmt: skip
    sections = pd.DataFrame({"section_id": ["S1"], "name": ["皇甫"], "reach_id": ["R1"], "chainage_m": [900.0],
                             "tp_target_mg_l": [0.3], "target_class": ["IV"]})  # fmt: skip
    tables = {
        "reaches": reaches, "sections": sections, "observations": frame_of(STEADY),
        "targets": pd.DataFrame({"section_id": ["S1"], "since": ["2022-06"], "tp_target_mg_l": [0.1]}),
        "section_moves": pd.DataFrame({"section_id": ["S1"], "since": ["2021-01"], "from_reach_id": ["R1"]}),
        "compensation_rules": pd.DataFrame({"rule_id": ["a"], "label": ["示例县规则"], "kind": ["pay"], "above": [0.0],
                                            "base_wan": [7.0], "per_multiple_wan": [3.0]}),
    }  # fmt: skip
    path = tmp_path / "p.gpkg"
    row = assess(layers.create_project(str(path), name="试", tables=tables), today="2022-07-01").rows.iloc[0]
    # 0.2 over 0.1: multiple 1: 7 + 3 x 1 = 10
    assert (row["target_mg_l"], row["pay_wan"], row["rules"]) == (0.1, pytest.approx(10.0), "示例县规则")
    assert row["moved_since"] == "2021-01"
