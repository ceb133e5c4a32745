"""The next sample halves what is not known; the patrol goes where a visit tells most; a sheet for whoever goes."""

import io
from dataclasses import replace

import pandas as pd
import pytest
from basins import outlets, reaches, sections
from openpyxl import load_workbook

import hydro
from hydro.causes.sampling import information_bits, next_sample, patrol
from reports.patrol import patrol_sheet


def traced() -> hydro.Trace:
    """A line of four reaches with an outlet on each of the upper three and a section at the end of the last."""
    tables = {
        "reaches": reaches(*((f"R{i}", f"N{i}", f"N{i + 1}", 1000.0, 10.0, 1.0) for i in (1, 2, 3, 4))),
        "outlets": outlets(*((f"O{i}", f"R{i}", 10.0, 1.0) for i in (1, 2, 3))),
        "sections": sections(("S", "R4", 900.0, 0.2)),
    }
    return hydro.trace_sources(hydro.build_network(tables), "S")


def test_half_of_the_odds_stand_above_the_place() -> None:
    place = next_sample(traced(), {"O1": 0.5, "O2": 0.1, "O3": 0.3, "NONE": 0.1})
    assert place is not None
    assert (place.reach_id, place.source_id) == ("R2", "O1")
    assert place.above == pytest.approx(0.5)  # O1 alone lies above the upper end of R2


def test_a_source_that_is_nearly_certain_is_sampled_itself() -> None:
    place = next_sample(traced(), {"O2": 0.95, "O3": 0.05})
    assert place is not None
    assert (place.reach_id, place.source_id) == ("", "O2")


def test_where_no_listed_source_is_a_candidate_there_is_no_place() -> None:
    assert next_sample(traced(), {"UNREGISTERED": 0.7, "NONE": 0.3}) is None


def test_the_odds_above_grow_downstream() -> None:
    """Moving down a line never loses a candidate: the table of odds is what decides, not the order of its rows."""
    odds = pd.Series({"O3": 0.2, "O1": 0.45, "O2": 0.35})
    place = next_sample(traced(), odds.to_dict())
    assert place is not None
    assert place.reach_id == "R2"  # 0.45 above R2, 0.80 above R3


def test_a_yes_or_no_tells_one_bit_at_even_odds_and_nothing_where_it_is_known() -> None:
    assert information_bits(0.5) == 1.0
    assert information_bits(0.25) == pytest.approx(0.25 * 2 + 0.75 * 0.415, abs=1e-3)  # −log₂ 0.75 = 0.415
    assert (information_bits(0.0), information_bits(1.0)) == (0.0, 0.0)


def test_the_place_tells_how_much_and_how_long_before_the_section() -> None:
    place = next_sample(traced(), {"O1": 0.5, "O2": 0.1, "O3": 0.3, "NONE": 0.1})
    assert place is not None
    assert place.bits == pytest.approx(1.0)
    assert place.hours_before == pytest.approx(2900 / 1.0 / 3600)  # from the head of R2 to 900 m on R4, at 1 m/s


def test_an_unlisted_outlet_is_looked_for_where_it_may_stand() -> None:
    trace = replace(traced(), unlisted={"R1": 0.1, "R3": 0.3})
    place = next_sample(trace, {"UNREGISTERED": 0.8, "O2": 0.1, "NONE": 0.1})
    assert place is not None
    assert (place.reach_id, place.above) == ("R3", pytest.approx(0.8 * 0.25 + 0.1))
    stops = patrol(trace, {"UNREGISTERED": 0.8, "O2": 0.1, "NONE": 0.1})
    assert list(zip(stops["source_id"], stops["reach_id"], strict=True)) == [
        ("UNREGISTERED", "R3"), ("UNREGISTERED", "R1"), ("O2", "R2"),
    ]  # fmt: skip


def test_the_patrol_goes_by_what_a_visit_tells_after_those_before() -> None:
    stops = patrol(traced(), {"O1": 0.2, "O2": 0.5, "O3": 0.25, "DIFFUSE": 0.03, "NONE": 0.02})
    assert list(stops["source_id"]) == ["O2", "O3", "O1"]
    assert stops["information_bits"].to_list() == pytest.approx(
        [1.0, information_bits(0.25 / 0.5), information_bits(0.2 / 0.25)]
    )
    assert stops["to_section_km"].to_list() == pytest.approx(
        [2.89, 1.89, 3.89]
    )  # 10 m down their reach, to 900 m on R4


def test_the_sheet_has_the_stops_and_room_to_sign() -> None:
    stops = patrol(traced(), {"O1": 0.6, "O2": 0.4})
    sheet = patrol_sheet(stops, section="断面S", time="2022-07", project="示例", demo=True, made_on="2022-08-01")
    page = load_workbook(io.BytesIO(sheet)).active
    assert page.page_setup.orientation == "landscape"
    heads = [cell.value for cell in page[4]]
    assert heads[-4:] == ["网格长", "到访时间", "发现", "签字"]
    assert [page.cell(row, 2).value for row in (5, 6)] == ["O1", "O2"]
    assert "示例数据，非实测" in page["A2"].value
