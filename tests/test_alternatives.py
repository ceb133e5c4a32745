"""Cost against margin, the next-best plans, the price of a target's last bit, and how sure a plan is."""

import itertools

import numpy as np
import pytest
from test_optimise import sealed, small, works

import hydro


def all_costs(tables: dict) -> list[tuple[float, frozenset[str]]]:
    """Cost and set of every subset of sealed outlets that holds, cheapest first."""
    network = hydro.build_network(tables)
    stand = hydro.situation(network)
    cost = network.outlets["seal_cost"]
    found = []
    for count in range(len(cost) + 1):
        for subset in itertools.combinations(cost.index, count):
            after = hydro.compare(network, hydro.seal(network, list(subset), water="keep"), situations=[stand])
            if after["holds_after"].all():
                found.append((float(cost[list(subset)].sum()), frozenset(subset)))
    return sorted(found, key=lambda pair: pair[0])


@pytest.mark.parametrize("seed", [1, 2, 17, 19])
def test_next_best_plans_are_the_cheapest_that_leave_something_out(seed: int) -> None:
    tables = small(seed)
    tables["outlets"] = tables["outlets"].iloc[:5]
    plan = sealed(tables)
    every = all_costs(tables)
    before = [frozenset(m.source_id for m in plan.measures)]
    for following in hydro.next_best(plan.model, plan, count=4):
        wanted = next(cost for cost, subset in every if not any(old <= subset for old in before))
        assert following.cost == pytest.approx(wanted)
        before.append(frozenset(m.source_id for m in following.measures))
    left = [subset for _, subset in every if not any(old <= subset for old in before)]
    assert len(before) == 5 or not left


def test_the_curve_rises_and_ends_where_nothing_holds() -> None:
    model = hydro.plan_measures(hydro.build_network(works()), allow=["seal", "upgrade"], margin=0.0).model
    curve = hydro.cost_curve(model, [0.0, 0.1, 0.2, 0.5, 0.9])
    costs = curve["cost"].dropna()
    assert (np.diff(costs) >= 0).all()
    assert curve["status"].iloc[0] == "optimal"
    assert curve["status"].iloc[-1] == "infeasible"
    for margin, cost in curve[["margin", "cost"]].dropna().itertuples(index=False):
        assert hydro.solve_plan(model, margin=margin).cost == pytest.approx(cost)


def test_the_last_bit_costs_what_solving_with_a_looser_target_saves() -> None:
    network = hydro.build_network(works())
    plan = hydro.plan_measures(network, allow=["seal", "upgrade"], margin=0.0)
    prices = hydro.last_bit_costs(plan.model, plan, mg_l=0.05).set_index("section_id")["saved"]
    targets = network.sections["tp_target_mg_l"]
    for section, saved in prices.items():
        looser = hydro.plan_measures(
            network, allow=["seal", "upgrade"], margin=0.0, targets={section: targets[section] + 0.05}
        )
        assert saved == pytest.approx(plan.cost - looser.cost)


def test_a_tighter_plan_is_a_surer_plan() -> None:
    network = hydro.build_network(works())
    plan = hydro.plan_measures(network, allow=["seal", "upgrade", "dose"], margin=0.0)
    sure = hydro.reliability(plan.scenario, draws=60)
    again = hydro.reliability(plan.scenario, draws=60)
    assert sure.share == again.share < 0.9
    robust, surer = hydro.robust_plan(plan, share=0.9, draws=60)
    assert surer.share >= 0.9
    assert robust.cost > plan.cost
    assert robust.status == "optimal"
    assert robust.bound == plan.bound
    assert list(robust.sections["target_mg_l"]) == list(plan.sections["target_mg_l"])


def test_without_spread_a_plan_that_holds_always_holds() -> None:
    from hydro.spread import Spread

    plan = hydro.plan_measures(hydro.build_network(works()), allow=["seal", "upgrade"], margin=0.05)
    assert hydro.reliability(plan.scenario, draws=3, spread=Spread(0, 0, 0, 0)).share == 1.0
