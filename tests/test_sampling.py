"""The next sample halves what is not known; a source that is nearly certain is sampled itself."""

import pandas as pd
import pytest
from basins import outlets, reaches, sections

import hydro
from hydro.sampling import next_sample


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
