"""Attainment, trend, ledger, outlook, compensation: worked by hand, by law, and against published values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pymannkendall
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydro.assessment.attainment import all_attained_streak, headroom_kg_d, rates, states, streak
from hydro.assessment.compensation import compensation, county_statement, inbound_part
from hydro.assessment.ledger import down_to, ledger, outlook
from hydro.assessment.months import BELOW, CONFLICT, EXCLUDED, PARTIAL, monthly_means
from hydro.assessment.quality import few_sections, river_grade, river_grades
from hydro.assessment.trend import seasonal_kendall, spearman
from hydro.errors import FaultsError
from layers.standards import load_standard, load_table

GB = load_standard()
NAN = np.nan


# -- attainment --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (0.30, 0.30, "equal"),  # attains, with nothing to spare
        (0.29, 0.30, "holds"),
        (0.2995, 0.30, "equal"),  # prints as 0.300 (half to even)
        (0.2994, 0.30, "holds"),
        (0.3001, 0.30, "over"),  # prints as 0.300 and is still over: the raw value decides
        (0.1 + 0.2, 0.30, "equal"),  # 0.30000000000000004 is arithmetic, not phosphorus
        (NAN, 0.30, "no_data"),
        (0.29, NAN, "no_target"),
    ],
)
def test_states_of_a_margin(value: float, target: float, expected: str) -> None:
    assert str(states(value, target)) == expected


def test_a_month_of_three_days_is_shown_and_not_counted() -> None:
    assert states([0.5, 0.5], 0.3, [PARTIAL, 0]).tolist() == ["partial", "over"]


def test_headroom_by_hand() -> None:
    # (0.300 - 0.290) mg/L x 4.745 m3/s x 86.4 = 4.09968 kg/d
    assert headroom_kg_d(0.300, 0.290, 4.745) == pytest.approx(4.09968)


def test_streaks() -> None:
    table = [[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 1, NAN], [NAN, 1, 1]]
    assert streak(table).tolist() == [2, -1, -3, 0, 2]
    # all sections: February 1,1,-,1,1 -> not all; only months in which every measured section attained count
    assert all_attained_streak([[0, 1, 1], [1, 1, 1], [1, 1, NAN]]) == 2
    assert all_attained_streak([[1, 0], [1, 1]]) == 0
    assert all_attained_streak([[NAN], [NAN]]) == 0


def test_rates_by_months_and_by_sections_differ() -> None:
    # A: 1 of 2 months, B: 3 of 3; by section-months 4/5 = 0.8, the average of the sections' rates (0.5 + 1) / 2 = 0.75
    found = rates([[1, 0, NAN], [1, 1, 1]], ["省控", "省控"]).iloc[0]
    assert (found["attained"], found["monitored"], found["rate"], found["average"]) == (4, 5, 0.8, 0.75)


# -- river and basin ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranks", "grade"),
    [
        ([1] * 9 + [3], "优"),  # 90 % I-III
        ([1] * 8 + [3] * 2, "良好"),  # 80 %
        ([1] * 15 + [3] * 5, "良好"),  # 75 % exactly
        ([1] * 7 + [3] * 3, "轻度污染"),  # 70 %, none worse than V
        ([1] * 6 + [3] * 2 + [5] * 2, "中度污染"),  # 20 % worse than V
        ([1] * 4 + [3] * 2 + [5] * 4, "重度污染"),  # 40 % worse than V
        ([1, 1, 1, 1, 1, -1, -1], "优"),  # unmeasured sections do not count
    ],
)
def test_the_grade_of_a_river(ranks: list[int], grade: str) -> None:
    assert river_grade(ranks) == grade


def test_fewer_than_five_sections_are_averaged_first() -> None:
    with pytest.raises(ValueError, match="fewer than five"):
        river_grade([1, 2, 3, 4])
    # TP mean (0.1 + 0.1 + 0.37) / 3 = 0.19 -> III, although one section is V
    assert few_sections(pd.DataFrame({"TP": [0.1, 0.1, 0.37], "DO": [8, 8, 8]}), standard=GB) == 2


def graded(classes: list[float], river: str = "卫河", **items: list[float]) -> pd.DataFrame:
    values = pd.DataFrame({"TP": classes} | items)
    return river_grades([river] * len(values), values, ["river"] * len(values), standard=GB).set_index("river")


def test_rivers_are_graded_with_their_main_pollutants() -> None:
    # ten sections, TP: seven at 0.1 (II), three at 0.35 (V); NH3N: one of them 1.2 (IV)
    found = graded([0.1] * 7 + [0.35] * 3, NH3N=[0.1] * 9 + [1.2])
    row = found.loc["卫河"]
    assert (row["method"], row["grade"], row["judged"], row["good_share"]) == ("shares", "轻度污染", 10, 0.7)
    assert row["pollutants"] == (("TP", 0.3), ("NH3N", 0.1))  # shares of sections over class III
    # fewer than five: the means first, TP (0.1 + 0.5) / 2 = 0.3 -> IV, (0.3 - 0.2) / 0.2 = 0.5
    row = graded([0.1, 0.5]).loc["卫河"]
    assert (row["method"], row["grade"]) == ("mean", "轻度污染")
    assert [(name, round(multiple, 9)) for name, multiple in row["pollutants"]] == [("TP", 0.5)]
    clean = graded([0.1] * 9 + [0.35]).loc["卫河"]
    assert (clean["grade"], clean["pollutants"]) == ("优", ())  # 90 %: a river that is good names no pollutant
    assert graded([NAN, NAN]).loc["*", "grade"] == ""


# -- monthly means -----------------------------------------------------------------------------------------------------


def observed(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["time", "parameter", "value", "qualifier"])
    return frame.assign(station_id="S1", station_kind="section")


def test_a_monthly_record_stands_before_the_mean_of_stamps() -> None:
    found = monthly_means(
        observed(("2022-01", "TP", 0.3, ""), ("2022-01-03", "TP", 0.1, ""), ("2022-02-01", "TP", 0.1, ""),
                 ("2022-02-20", "TP", 0.3, ""), ("2022-04-02T08:00", "TP", 0.5, "")), ["S1", "S2"], standard=GB
    )  # fmt: skip
    assert found.values["TP"][0] == pytest.approx([0.3, 0.2, NAN, 0.5], nan_ok=True)
    assert np.isnan(found.values["TP"][1]).all()
    assert found.marks["TP"][0].tolist() == [0, 0, 0, 0]


def test_two_values_for_one_month_are_marked_and_the_worse_one_stands() -> None:
    found = monthly_means(
        observed(("2022-01", "TP", 0.3, ""), ("2022-01", "TP", 0.2, ""), ("2022-01", "DO", 5, ""), ("2022-01", "DO", 7, "")),
        ["S1"], standard=GB,
    )  # fmt: skip
    assert (found.values["TP"][0, 0], found.values["DO"][0, 0]) == (0.3, 5)
    assert (found.marks["TP"][0, 0], found.marks["DO"][0, 0]) == (CONFLICT, CONFLICT)


def test_below_detection_gaps_and_impossible_values() -> None:
    found = monthly_means(
        observed(("2022-01", "TP", 0.02, "<"), ("2022-02", "TP", 0.2, "gap"), ("2022-03", "TP", -0.2, ""),
                 ("2022-04-01", "TP", 0.2, ""), ("2022-04-02", "TP", -9, ""), ("某月", "TP", 9, ""), ("2022-13", "TP", 9, "")),
        ["S1"], standard=GB,
    )  # fmt: skip
    assert found.values["TP"][0] == pytest.approx([0.01, NAN, NAN, 0.2], nan_ok=True)
    assert found.marks["TP"][0].tolist() == [BELOW, 0, EXCLUDED, EXCLUDED]


def test_three_days_of_a_daily_station_are_partial_and_a_monthly_sample_is_not() -> None:
    daily = [(f"2022-01-{day:02d}", "TP", 0.2, "") for day in range(1, 32)]
    few = [(f"2022-02-{day:02d}", "TP", 0.9, "") for day in (1, 2, 3)]
    assert monthly_means(observed(*daily, *few), ["S1"], standard=GB).marks["TP"][0].tolist() == [0, PARTIAL]
    by_hand = [(f"2022-{month:02d}-05", "TP", 0.2, "") for month in range(1, 5)]
    assert not monthly_means(observed(*by_hand), ["S1"], standard=GB).marks["TP"].any()


def test_samples_by_hand_before_and_long_after_a_daily_station_are_whole_months() -> None:
    by_hand = [(f"2019-{month:02d}-05", "TP", 0.2, "") for month in range(1, 13)]
    daily = [(f"2022-07-{day:02d}", "TP", 0.2, "") for day in range(1, 32)]
    outage = [(f"2022-08-{day:02d}", "TP", 0.9, "") for day in (1, 2, 3)]
    again = [(f"2024-{month:02d}-05", "TP", 0.2, "") for month in range(1, 4)]
    found = monthly_means(observed(*by_hand, *daily, *outage, *again), ["S1"], standard=GB)
    short = [str(one) for one in found.months[(found.marks["TP"][0] & PARTIAL) > 0]]
    assert short == ["2022-08"]
    assert found.annual_means("TP", "2022-08")["S1"].loc[2019] == pytest.approx(0.2)  # it was NaN: no month counted


def test_acidity_is_averaged_by_its_ions() -> None:
    # mean of 1e-6 and 1e-8 mol/L = 5.05e-7 -> pH 6.297, not 7
    found = monthly_means(observed(("2022-01-01", "pH", 6, ""), ("2022-01-02", "pH", 8, "")), ["S1"], standard=GB)
    assert found.values["pH"][0, 0] == pytest.approx(6.2967, abs=1e-4)


def test_years_begin_in_january_and_end_with_the_month_asked() -> None:
    rows = [(f"{year}-{month:02d}", "TP", month / 100, "") for year in (2020, 2021) for month in range(1, 13)]
    found = monthly_means(observed(*rows[5:]), ["S1"], standard=GB).years("TP", "2021-03")
    assert found.shape == (1, 2, 12)
    assert np.isnan(found[0, 0, :5]).all()
    assert found[0, 0, 5:].tolist() == [month / 100 for month in range(6, 13)]
    assert found[0, 1, :3].tolist() == [0.01, 0.02, 0.03]
    assert np.isnan(found[0, 1, 3:]).all()


# -- trend -------------------------------------------------------------------------------------------------------------


def test_the_worked_example_of_the_epa() -> None:
    # EPA QA/G-9S (2006), box on the Mann-Kendall test with ties: S = 22, Var(S) = 155.33, z = 1.685
    found = seasonal_kendall(np.array([10, 10, 10, 5, 10, 20, 18, 17, 15, 24, 15], dtype=float).reshape(1, 11, 1))
    assert found.s[0] == 22
    assert found.variance[0] == pytest.approx(155.33, abs=0.005)
    assert found.z[0] == pytest.approx(1.685, abs=0.0005)


@pytest.mark.parametrize("seed", range(8))
def test_seasonal_kendall_against_pymannkendall(seed: int) -> None:
    random = np.random.default_rng(seed)
    years = int(random.integers(3, 12))
    x = random.lognormal(-1, 0.4, (5, years, 12)) + 0.02 * seed * np.arange(years)[None, :, None]
    if seed % 2:
        x = np.round(x, 1)  # ties
    if seed % 4 > 1:
        x[random.random(x.shape) < 0.15] = NAN  # gaps
    found = seasonal_kendall(x)
    for i, section in enumerate(x):
        theirs = pymannkendall.seasonal_test(section.ravel(), period=12)
        assert found.s[i] == theirs.s
        assert found.variance[i] == pytest.approx(theirs.var_s, rel=1e-12)
        assert found.z[i] == pytest.approx(theirs.z, rel=1e-12)
        assert found.p[i] == pytest.approx(theirs.p, abs=1e-12)
        assert found.slope_per_year[i] == pytest.approx(theirs.slope, rel=1e-9, abs=1e-12)


def test_a_short_or_empty_record_has_no_trend() -> None:
    x = np.full((3, 4, 12), NAN)
    x[1, :2] = 1.0
    x[2] = np.arange(4)[:, None]
    found = seasonal_kendall(x)
    assert found.direction() == ["short", "short", "rising"]
    assert found.p[0] == 1
    assert np.isnan(found.slope_per_year[0])
    assert found.slope_per_year[2] == 1


def test_spearman_of_years() -> None:
    # ranks 5 4 3 2 1 against 1 2 3 4 5: sum d2 = 16 + 4 + 0 + 4 + 16 = 40, r = 1 - 240 / 120 = -1
    r, word = spearman([[0.5, 0.4, 0.3, 0.2, 0.1], [0.1, 0.3, 0.2, 0.5, 0.4], [0.1, NAN, NAN, NAN, 0.2]])
    # second: d = 0 1 -1 1 -1, sum d2 = 4, r = 1 - 24 / 120 = 0.8 < 0.9 critical at n = 5
    assert r[:2].tolist() == pytest.approx([-1.0, 0.8])
    assert word == ["falling", "none", "short"]


@given(st.lists(st.floats(0.01, 1), min_size=36, max_size=36))
def test_a_trend_turned_round_changes_its_sign(values: list[float]) -> None:
    x = np.array(values).reshape(1, 3, 12)
    there, back = seasonal_kendall(x), seasonal_kendall(x[:, ::-1])
    assert there.s[0] == -back.s[0]
    assert there.variance[0] == back.variance[0]


# -- ledger ------------------------------------------------------------------------------------------------------------


def test_the_ledger_by_hand() -> None:
    this = [[0.35, 0.33, 0.31, 0.30, 0.32, 0.31] + [NAN] * 6]
    last = [[0.28] * 6 + [0.31] * 6]
    books = ledger(this, last, [0.30], 6)
    # sum 1.92, mean 0.32; (12 x 0.30 - 1.92) / 6 = 1.68 / 6 = 0.28; last year rose by 0.03: 0.28 - 0.03 = 0.25
    assert books.mean[0] == pytest.approx(0.32)
    assert books.need[0] == pytest.approx(0.28)
    assert books.rebound[0] == pytest.approx(0.03)
    assert books.need_before_rebound[0] == pytest.approx(0.25)
    assert (books.lost[0], books.gaps[0]) == (0, 0)


def test_a_year_that_is_lost_and_a_year_that_is_over() -> None:
    books = ledger([[0.5] * 10 + [NAN] * 2], [[NAN] * 12], [0.30], 10)
    assert books.need[0] == pytest.approx((3.6 - 5.0) / 2)  # -0.7: below zero
    assert books.lost[0] == 1
    assert np.isnan(books.rebound[0])
    assert np.isnan(ledger([[0.3] * 12], [[0.3] * 12], [0.30], 12).need[0])


def test_a_gap_before_now_is_no_month_of_the_mean() -> None:
    books = ledger([[0.4, NAN, 0.4] + [NAN] * 9], [[NAN] * 12], [0.30], 3)
    # eleven months share the target: (11 x 0.30 - 0.8) / 9 = 2.5 / 9
    assert books.need[0] == pytest.approx(2.5 / 9)
    assert (books.months[0], books.gaps[0]) == (2, 1)


def test_down_to_by_the_end_of_october() -> None:
    # last year: ten months at 0.29, two at 0.374: the year (2.9 + 0.748) / 12 = 0.304, a rise of 0.014: 0.30 - 0.014
    assert down_to([[0.29] * 10 + [0.374] * 2], [0.30], 10)[0] == pytest.approx(0.286)
    assert down_to([[0.29] * 10 + [0.2] * 2], [0.30], 10)[0] == pytest.approx(0.30)  # a fall gives no credit
    assert np.isnan(down_to([[0.29] * 10 + [NAN] * 2], [0.30], 10)[0])


@given(st.lists(st.floats(0.01, 1), min_size=6, max_size=6), st.floats(0.05, 0.9))
def test_what_the_months_to_come_may_have_lands_on_the_target(values: list[float], target: float) -> None:
    need = ledger([values + [NAN] * 6], [[NAN] * 12], [target], 6).need[0]
    assert np.mean(values + [need] * 6) == pytest.approx(target)


def test_the_outlook_knows_a_sure_thing_and_a_lost_one() -> None:
    steady = np.full((3, 4, 12), 0.2)
    steady[:, -1, 7:] = NAN
    found = outlook(steady, [0.3, 0.1, 0.2 + 1e-9], 7)
    assert found.chance.tolist() == [1.0, 0.0, 1.0]
    assert found.middle == pytest.approx([0.2, 0.2, 0.2])
    assert found.months[1, :7].tolist() == [0] * 7


def test_the_outlook_carries_the_season() -> None:
    season = np.array([1.0] * 6 + [2.0] * 6)
    history = np.repeat((0.2 * season)[None, None, :], 4, axis=1)
    history[:, -1] = 0.3 * season  # this year runs half as high again
    history[:, -1, 6:] = NAN
    # six months at 0.3, six at 0.6: the year will be 0.45
    assert outlook(history, [0.45], 6).middle[0] == pytest.approx(0.45)


def test_no_history_no_chance() -> None:
    history = np.full((3, 3, 12), NAN)
    history[1] = 0.2
    history[1, -1] = NAN  # nothing yet this year
    history[2, 1:] = 0.2  # one year before this one: no telling how years differ
    assert np.isnan(outlook(history, [0.3] * 3, 3).chance).all()


def test_the_outlook_is_calibrated_on_its_own_kind() -> None:
    random = np.random.default_rng(3)
    season = 0.3 * np.sin(np.arange(12) / 2)[None, None, :]
    levels = np.log(0.3) + random.normal(0, 0.2, (800, 6, 1))
    years = np.exp(levels + season + random.normal(0, 0.25, (800, 6, 12)))
    truth = years[:, -1].mean(axis=1)
    seen = years.copy()
    seen[:, -1, 6:] = NAN
    found = outlook(seen, np.full(800, 0.33), 6, draws=300)
    assert abs(found.chance.mean() - (truth <= 0.33).mean()) < 0.04
    inside = (truth > found.low) & (truth < found.high)  # an 80 % interval
    assert 0.72 < inside.mean() < 0.88


# -- compensation ------------------------------------------------------------------------------------------------------

RULES = load_table("compensation-sample")


def section_months(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["county", "value_mg_l", "target_mg_l", "inbound_mg_l"])
    return frame.assign(section_id="S1", month="2022-07", parameter="TP", target_class="IV")


@pytest.mark.parametrize(
    ("value", "pay", "reward"),
    [
        (0.30, 0, 0),  # equal: nothing
        (0.33, 0, 0),  # multiple 0.1: the sample begins above 0.1
        (0.36, 12, 0),  # multiple 0.2: 10 x (1 + 0.2)
        (0.45, 15, 0),  # 0.5: 10 x 1.5
        (0.60, 25, 0),  # 1.0
        (0.75, 50, 0),  # 1.5
        (0.90, 100, 0),  # 2.0
        (0.93, 200, 0),  # 2.1
        (0.24, 0, 5),  # 20 % under
        (0.25, 0, 0),
        (NAN, NAN, NAN),
    ],
)
def test_every_step_of_the_sample_rules(value: float, pay: float, reward: float) -> None:
    row = compensation(section_months(("甲县", value, 0.30, 0.0)), RULES).iloc[0]
    assert row["pay_wan"] == pytest.approx(pay, nan_ok=True)
    assert row["reward_wan"] == pytest.approx(reward, nan_ok=True)


def test_the_inbound_part_is_taken_off_first() -> None:
    # the neighbour is 0.10 mg/L over at 3 m3/s: 25.92 kg/d, of which 0.6 arrives: 15.552 kg/d
    # at 2.4 m3/s that is 15.552 / (2.4 x 86.4) = 0.075 mg/L
    inbound = inbound_part([[25.92], [-5.0]], [[0.6], [1.0]], [2.4])
    assert inbound[0] == pytest.approx(0.075)
    rows = section_months(("甲县", 0.42, 0.30, inbound[0]), ("甲县", 0.36, 0.30, inbound[0]), ("乙县", NAN, 0.30, 0.0))
    found = compensation(rows, RULES)
    # own 0.345: multiple 0.15: 10 x 1.15 = 11.5; own 0.285: the neighbour's excess alone, nothing to pay
    assert found["own_mg_l"][:2].tolist() == pytest.approx([0.345, 0.285])
    assert found["pay_wan"].tolist() == pytest.approx([11.5, 0, NAN], nan_ok=True)
    statement = county_statement(found).set_index("county")
    assert statement.loc["甲县", ["section_months", "exceeding", "pay_wan"]].tolist() == [2, 1, 11.5]
    assert statement.loc["乙县", "unknown"] == 1


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_a_rule_for_a_class_goes_before_one_for_all_in_any_order(order: list[int]) -> None:
    rules = pd.DataFrame({"kind": ["pay"] * 3, "target_class": ["", "III", ""], "parameter": ["", "", "COD"],
                          "above": [0.0, 0.0, 0.0], "upto": [None, None, 0.01], "base_wan": [10.0, 50.0, 7.0]}).iloc[order]  # fmt: skip
    rows = section_months(("甲县", 0.4, 0.2, 0.0), ("甲县", 0.4, 0.2, 0.0)).assign(target_class=["III", "IV"])
    with pytest.raises(FaultsError, match="可能同时适用"):  # III of any parameter, COD of any class: which?
        compensation(rows, rules)
    rules = rules[rules["parameter"] == ""]
    priced = compensation(rows, rules)
    assert priced["pay_wan"].tolist() == [50.0, 10.0]
    assert rules.iloc[priced["rule"]]["target_class"].tolist() == ["III", ""]


def test_a_wide_rule_overlaps_also_one_that_is_not_next_to_it() -> None:
    rules = pd.DataFrame({"kind": ["pay"] * 3, "above": [0, 1, 5], "upto": [10, 2, 6], "base_wan": [1, 2, 3]})
    with pytest.raises(FaultsError) as refused:
        compensation(section_months(("甲县", 0.4, 0.3, 0.0)), rules)
    assert [fault.params["row"] for fault in refused.value.faults] == [2, 3]


def test_rules_that_overlap_or_say_nothing_are_refused_all_at_once() -> None:
    broken = pd.DataFrame(
        {"kind": ["pay", "pay", "fine"], "above": [0, 0.4, 1], "upto": [0.5, 1, 2], "base_wan": [1, None, 3]}
    )
    with pytest.raises(FaultsError) as caught:
        compensation(section_months(("甲县", 0.4, 0.3, 0)), broken)
    assert [str(fault) for fault in caught.value.faults] == [
        "补偿规则第 2 行：金额或倍数区间无效",
        "补偿规则第 3 行：kind 应为 pay 或 reward",
        "补偿规则第 2 行：倍数区间与前一档重叠",
    ]


@given(st.floats(0.01, 2), st.floats(0.01, 2))
def test_more_pollution_never_pays_less(one: float, other: float) -> None:
    rows = section_months(("甲县", min(one, other), 0.3, 0.0), ("甲县", max(one, other), 0.3, 0.0))
    pay = compensation(rows, RULES)["pay_wan"]
    assert pay[0] <= pay[1]


def test_every_table_has_a_line_in_the_readme() -> None:
    folder = Path(__file__).parents[1] / "data" / "standards"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file.name}`" in readme for file in folder.glob("*.csv"))


def test_a_year_needs_nine_months_to_have_a_mean() -> None:
    rows = [(f"2020-{month:02d}", "TP", 0.2, "") for month in range(1, 13)]
    rows += [(f"2021-{month:02d}", "TP", 0.4, "") for month in range(1, 9)]
    months = monthly_means(observed(*rows), ["S1"], standard=GB)
    found = months.annual_means("TP", "2021-08")["S1"]
    assert found.index.tolist() == [2020, 2021]
    assert found.tolist() == pytest.approx([0.2, NAN], nan_ok=True)
