"""The water-quality index of counties: every form by hand, the weighing of lakes, and what must not be compared."""

import numpy as np
import pandas as pd
import pytest

from hydro.assessment.cwqi import county_index, item_index
from hydro.assessment.months import Months, monthly_means
from layers.standards import load_standard, load_table

GB = load_standard()
FORMS = load_table("cwqi-2017-51")


@pytest.mark.parametrize(
    ("parameter", "body", "value", "expected"),
    [
        ("TP", "river", 0.30, 1.5),  # 0.30 / 0.20
        ("TP", "lake", 0.05, 1.0),  # a lake's class III limit is 0.05
        ("NH3N", "river", 0.5, 0.5),
        ("DO", "river", 4.0, 1.25),  # 5 / 4: less oxygen counts more
        ("DO", "river", 10.0, 0.5),
        ("pH", "river", 8.0, 0.5),  # (8 - 7) / (9 - 7)
        ("pH", "river", 6.5, 0.5),  # (7 - 6.5) / (7 - 6)
        ("pH", "river", 7.0, 0.0),
        ("Hg", "river", 0.0001, 1.0),
    ],
)
def test_every_form_by_hand(parameter: str, body: str, value: float, expected: float) -> None:
    form = FORMS.set_index("parameter").loc[parameter].to_dict()
    assert float(item_index(value, parameter, body, standard=GB, form=form)) == pytest.approx(expected)


def test_the_table_holds_the_twenty_one_items() -> None:
    assert tuple(FORMS["parameter"]) == GB.items
    assert len(GB.items) == 21


def months(*rows: tuple[str, str, str, float]) -> Months:
    frame = pd.DataFrame(rows, columns=["station_id", "time", "parameter", "value"])
    return monthly_means(frame.assign(station_kind="section", qualifier=""), ["S1", "S2", "S3"], standard=GB)


def ranked(found: Months, counties: list[str], bodies: list[str], month: str = "2022-02") -> pd.DataFrame:
    sections = pd.DataFrame({"county": counties}, index=list(found.sections))
    return county_index(found, sections, bodies, month, standard=GB, forms=FORMS).set_index("county")


def test_counties_are_ranked_by_the_sum_of_their_items() -> None:
    found = months(
        ("S1", "2022-01", "TP", 0.2), ("S1", "2022-02", "TP", 0.4), ("S1", "2022-01", "DO", 5.0),
        ("S2", "2022-01", "TP", 0.1), ("S2", "2022-02", "DO", 10.0), ("S2", "2022-03", "TP", 9.0),
        ("S1", "2021-01", "TP", 0.4), ("S1", "2021-02", "DO", 5.0),
    )  # fmt: skip
    table = ranked(found, ["甲县", "乙县", ""], ["river"] * 3)
    # 甲: mean TP 0.3 / 0.2 = 1.5, oxygen 5 / 5 = 1: 2.5; 乙: 0.1 / 0.2 = 0.5 and 5 / 10 = 0.5: 1.0 (March is not looked at)
    assert table["cwqi"].to_dict() == pytest.approx({"乙县": 1.0, "甲县": 2.5})
    assert table["rank"].to_dict() == {"乙县": 1, "甲县": 2}
    # a year ago 甲: 0.4 / 0.2 + 1 = 3.0; 2.5 / 3.0 - 1: better by a sixth, and better is below zero
    assert table.loc["甲县", "change_share"] == pytest.approx(-1 / 6)
    assert np.isnan(table.loc["乙县", "change_share"])
    assert [(name, round(part, 9)) for name, part in table.loc["甲县", "largest"]] == [("TP", 1.5), ("DO", 1.0)]


def test_a_county_does_not_rank_better_by_measuring_less() -> None:
    found = months(("S1", "2022-01", "TP", 0.2), ("S1", "2022-01", "NH3N", 2.0), ("S2", "2022-01", "TP", 0.3))
    table = ranked(found, ["甲县", "乙县", "丙县"], ["river"] * 3)
    assert table.loc["甲县", "items"] == "TP"  # ammonia is left out of both: 乙县 has none
    assert table["cwqi"][["甲县", "乙县"]].tolist() == pytest.approx([1.0, 1.5])
    assert np.isnan(table.loc["丙县", "cwqi"])


def test_lakes_are_weighed_apart() -> None:
    found = months(("S1", "2022-01", "TP", 0.2), ("S2", "2022-01", "TP", 0.2), ("S3", "2022-01", "TP", 0.1))
    # rivers 0.2 / 0.2 = 1 (two sections), lake 0.1 / 0.05 = 2 (one): (2 x 1 + 1 x 2) / 3
    assert ranked(found, ["甲县"] * 3, ["river", "river", "lake"])["cwqi"].iloc[0] == pytest.approx(4 / 3)
