"""A plan that starts from the reading: by hand, by law, and left alone where nothing was measured."""

import basins
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hydro

JULY = hydro.Condition("2022-07", "2022-07")


def measured(tp_mg_l: float) -> hydro.RiverNetwork:
    """10 m³/s, no decay, 150 kg/d listed; in July the section S1 is measured."""
    tables = basins.line()
    tables["outlets"] = tables["outlets"].assign(permit_discharge_m3_d=43_200.0)
    tables["observations"] = basins.observed(("section", "S1", "2022-07", "TP", tp_mg_l))
    return hydro.build_network(tables)


def told(network: hydro.RiverNetwork, condition: hydro.Condition = JULY) -> dict[str, object]:
    stand = hydro.situation(network, condition)
    plan = hydro.seal(network, ["O1"], water="keep")
    table = hydro.from_measured(hydro.compare(network, plan, situations=[stand]), [stand])
    return table.set_index("section_id").loc["S1"].to_dict()


def test_what_no_register_explains_is_carried_through() -> None:
    row = told(measured(0.25))  # 216 kg/d, of which 150 are listed; O1 has 100 of them
    assert row["basis"] == "monitored"
    assert row["tp_before_mg_l"] == 0.25
    assert row["tp_after_mg_l"] == pytest.approx((216 - 100) / 864)
    assert row["load_after_kg_d"] == pytest.approx(116)
    assert row["modelled_after_mg_l"] == pytest.approx(50 / 864)


def test_nothing_is_taken_off_twice_where_the_registers_have_more_than_was_measured() -> None:
    row = told(measured(0.10))  # 86.4 kg/d, where 150 are listed
    assert row["tp_after_mg_l"] == pytest.approx(0.10 * (1 - 100 / 150))


def test_a_condition_that_nobody_measured_stays_as_modelled() -> None:
    for condition in (hydro.Condition("平水"), hydro.Condition("2022-06", "2022-06")):
        row = told(measured(0.25), condition)
        assert row["basis"] == "modelled"
        assert (row["tp_before_mg_l"], row["tp_after_mg_l"]) == (
            row["modelled_before_mg_l"],
            row["modelled_after_mg_l"],
        )


@pytest.mark.parametrize("reading", [0.3, np.nextafter(0.3, 1)])  # a mean of three 0.3 may end a bit above
def test_a_section_exactly_on_target_still_holds_where_nothing_is_done(reading: float) -> None:
    network = measured(reading)
    stand = hydro.situation(network, JULY)
    table = hydro.compare(network, network, situations=[stand]).assign(target_mg_l=0.3)
    rows = hydro.from_measured(table, [stand])
    assert rows[["holds_before", "holds_after"]].to_numpy().all()


positive = st.floats(0.01, 100.0)


@given(positive, positive, st.floats(0.0, 1.0), positive)
def test_a_plan_never_promises_more_than_was_measured_nor_more_than_the_model(
    start: float, load: float, part: float, water: float
) -> None:
    before, after = (np.array([load]), np.array([water])), (np.array([load * (1 - part)]), np.array([water]))
    tp, left = hydro.expected_tp(np.array([start]), before, after)
    assert 0 <= left[0] <= start * water * 86.4 * (1 + 1e-12)
    assert start - tp[0] <= load * part / (86.4 * water) * (1 + 1e-9) + 1e-12
