"""Where and when: the same occasion twice, dates to come, and dates that are none."""

import datetime
import json
from pathlib import Path

import pandas as pd
import pytest

from hydro.assessment.occasions import occasion_doubts
from hydro.assessment.samples import classify
from layers.standards import load_standard

TODAY = "2022-08-15"


def codes(table: dict[str, list[object]], today: str = TODAY) -> list[list[str]]:
    return [[one.code for one in row] for row in occasion_doubts(pd.DataFrame(table, dtype=object), today=today)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2022-08-15", []),
        ("2022-08-16", ["future"]),
        ("2022-08", []),
        ("2022-09", ["future"]),
        ("2022/9/1", ["future"]),
        ("2022年9月1日", ["future"]),
        ("2022.9.1", ["future"]),
        ("20220901", ["future"]),
        ("202209", ["future"]),
        (202209, ["future"]),
        (202209.0, ["future"]),
        (datetime.datetime(2022, 9, 1, 8), ["future"]),
        ("2022-07-03T08:00", []),
        ("2022", []),
        ("2222-07-03", ["future"]),
        ("2022-13", ["bad_date"]),
        ("2022-02-30", ["bad_date"]),
        ("七月", ["bad_date"]),
        ("44743", ["bad_date"]),  # a spreadsheet's serial number is no date that a reader can check
        ("08:30", []),  # an hour without its day tells nothing, and nothing wrong
        ("", []),
        (None, []),
        (float("nan"), []),
    ],
)
def test_dates_as_they_are_written(written: object, expected: list[str]) -> None:
    assert codes({"采样日期": [written]}) == [expected]


def test_without_a_clock_nothing_is_to_come() -> None:
    assert codes({"date": ["2999-01-01"]}, today="") == [[]]


def test_year_and_month_in_columns_of_their_own() -> None:
    assert codes({"年": [2022, 2022], "月": [7, 9]}) == [[], ["future"]]
    assert codes({"时间": ["8:00"], "日期": ["2022-09-01"]}) == [["future"]]


def test_one_section_at_one_time_twice_is_told_both_ways() -> None:
    table = {
        "断面": ["皇甫", "皇甫", "皇甫", "小河口"],
        "日期": ["2022-07-01", "2022-07-01", "2022-07-02", "2022-07-01"],
    }
    frame = pd.DataFrame(table, index=pd.Index([2, 3, 4, 5]))
    told = [[str(one) for one in row] for row in occasion_doubts(frame, today=TODAY)]
    assert told == [
        ["与第 3 行是同一断面、同一时间，请核对取舍"],
        ["与第 2 行是同一断面、同一时间，请核对取舍"],
        [],
        [],
    ]
    assert codes(table | {"垂线": ["左", "右", "左", "左"]}) == [[]] * 4
    assert codes({"断面": ["皇甫", "皇甫"]}) == [[], []]  # without a time nobody can tell


def test_double_rows_are_both_judged() -> None:
    table = pd.DataFrame(
        {"section": ["A", "A"], "date": ["2022-07", "2022-07"], "waterbody": "river", "tp": [0.2, 0.35]}
    )
    found = classify(table, standard=load_standard(), today=TODAY)
    assert found["class"].tolist() == ["III", "V"]
    assert [[one.code for one in row] for row in found["doubts"]] == [["twice"], ["twice"]]


def test_the_command_line_tells_of_a_date_to_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import cli

    file = tmp_path / "samples.csv"
    file.write_text("section,date,waterbody,tp\nA,2999-01-01,river,0.2\n", encoding="utf-8")
    assert cli.main(["classify", str(file), "--format", "json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["class"], row["flag"]) == ("III", "时间 2999-01-01 晚于今天，尚不可能有样品，请核对")
