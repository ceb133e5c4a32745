"""The two engines give the same numbers, one column or many, on chains, stars and braided networks."""

import numpy as np
import pandas as pd
import pytest
from basins import reaches, sections

import hydro
from hydro import HydroError, kernels
from hydro.order import _flow_order, flow_order
from hydro.solve import Solver


def braided(count: int, seed: int) -> pd.DataFrame:
    """A random tree that drains to node 0, every tenth reach doubled by a second arm further down."""
    draw = np.random.default_rng(seed)
    down = [int(draw.integers(max(0, i - 30), i)) for i in range(1, count)]
    pairs = list(zip(range(1, count), down, strict=True)) + [(i, 0) for i in range(10, count, 10)]
    table = reaches(
        *((f"R{j}", f"N{a}", f"N{b}", 500.0 + j % 7, 1.0 + j % 3, 0.3) for j, (a, b) in enumerate(pairs)),
        decay_per_d=0.2,
    )
    return table.sample(frac=1, random_state=seed)


@pytest.fixture(scope="module")
def network() -> hydro.RiverNetwork:
    return hydro.build_network({"reaches": braided(3_000, 1), "sections": sections(("S", "R0", 100.0, 0.2))})


@pytest.mark.parametrize("columns", [(), (1,), (5,), (40,)])
def test_compiled_and_sparse_agree(network: hydro.RiverNetwork, columns: tuple[int, ...]) -> None:
    passed = hydro.passage(network.topology, hydro.conditions(network))
    sparse, compiled = (Solver(network.topology, passed, engine=name) for name in ("sparse", "compiled"))
    load = np.random.default_rng(2).random((network.topology.node_count, *columns))
    for ask in ("forward", "backward"):
        a, b = getattr(sparse, ask)(load), getattr(compiled, ask)(load)
        assert np.abs(a - b).max() <= 1e-12 * np.abs(a).max()
        for column in np.ndindex(columns):
            alone = getattr(compiled, ask)(np.ascontiguousarray(load[:, *column]))
            assert (b[:, *column] == alone).all()  # to the last bit: it does not matter in which company


@pytest.mark.parametrize("engine", ["sparse", "compiled"])
@pytest.mark.parametrize("columns", [(), (5,), (40,)])
def test_an_answer_goes_where_it_is_told_to(network: hydro.RiverNetwork, engine: str, columns: tuple[int, ...]) -> None:
    solver = Solver(network.topology, hydro.passage(network.topology, hydro.conditions(network)), engine=engine)
    load = np.random.default_rng(2).random((network.topology.node_count, *columns))
    for ask in (solver.forward, solver.backward):
        expected, there, itself = ask(load), np.full_like(load, np.nan), load.copy()
        assert ask(load, out=there) is there
        assert (there == expected).all()
        assert (ask(itself, out=itself) == expected).all()


def test_a_place_that_does_not_fit_the_answer_is_refused(network: hydro.RiverNetwork) -> None:
    solver = Solver(network.topology, hydro.passage(network.topology, hydro.conditions(network)), engine="compiled")
    load = np.ones(network.topology.node_count)
    with pytest.raises(ValueError, match="out must be float64, contiguous and of shape"):
        solver.forward(load, out=np.ones(3))


def test_what_does_not_fit_into_memory_is_refused_before_it_begins(
    network: hydro.RiverNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    nation = np.broadcast_to(0.0, (100_000_000, 1000))  # itself it takes eight bytes
    passed = hydro.passage(network.topology, hydro.conditions(network))
    for engine, needed in (("compiled", "1600.00"), ("sparse", "2400.00")):
        with pytest.raises(HydroError) as told:
            Solver(network.topology, passed, engine=engine).backward(nation)
        assert f"本机内存不够：100000000 个节点 × 1000 列需要 {needed} GB，可用 " in str(told.value)
        assert str(told.value).endswith(" GB。请分几次，每次少算几列")
    with pytest.raises(HydroError, match=r"本机内存不够：3298 个河段 × 3000000 个断面的输移比需要 \d{3}\.\d\d GB"):
        hydro.delivery_ratios(network, ["S"] * 3_000_000)
    monkeypatch.setattr("hydro.network.BYTES_A_REACH", 10**12)
    with pytest.raises(HydroError, match=r"本机内存不够：3298 个河段的河网需要 3298000\.00 GB"):
        hydro.build_network({"reaches": network.reaches})


def test_backward_is_the_transpose_of_forward(network: hydro.RiverNetwork) -> None:
    solver = Solver(network.topology, hydro.passage(network.topology, hydro.conditions(network)))
    a, b = np.random.default_rng(3).random((2, network.topology.node_count))
    assert a @ solver.forward(b) == pytest.approx(b @ solver.backward(a), rel=1e-12)


def test_whole_answers_agree_between_engines(network: hydro.RiverNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = hydro.delivery_ratios(network, "S")
    upstream = set(hydro.upstream_set(network, "S"))
    for module in ("solve", "order", "upstream"):
        monkeypatch.setattr(f"hydro.{module}.COMPILED_FROM", 1)
    again = hydro.build_network({"reaches": network.reaches, "sections": network.sections})
    fast = hydro.delivery_ratios(again, "S")
    assert np.allclose(fast.ratio, slow.ratio, rtol=1e-12, atol=0)
    assert np.allclose(fast.travel_time_d, slow.travel_time_d, rtol=1e-10, atol=0, equal_nan=True)
    assert np.allclose(fast.fastest_d, slow.fastest_d, rtol=1e-12, atol=0, equal_nan=True)
    assert set(hydro.upstream_set(again, "S")) == upstream


def test_flow_order_puts_everything_upstream_first_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(4)
    end = draw.integers(1, 500, 900).astype(np.int32)
    start = (end * draw.random(900)).astype(np.int32)
    python = _flow_order(start, end, 500)
    monkeypatch.setattr("hydro.order.COMPILED_FROM", 1)
    nodes = flow_order(start, end, 500)
    assert sorted(nodes) == list(range(500))
    rank = np.argsort(nodes)
    assert (rank[start] < rank[end]).all()
    assert python.tolist() == nodes.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_in_the_river_become_neighbours_in_memory(seed: int) -> None:
    draw = np.random.default_rng(seed)
    upper = np.arange(1, 2_000)
    lower = np.maximum(upper - draw.geometric(0.3, len(upper)), 0)
    arms = draw.choice(upper, 20, replace=False)
    name = draw.permutation(2_000).astype(np.int32)  # as in a file
    start, end = name[np.concatenate([upper, arms])], name[np.concatenate([lower, arms // 2])]
    rank = np.argsort(_flow_order(start, end, 2_000)).astype(np.int32)
    order = kernels.close_order(rank[start], rank[end], 2_000)
    assert sorted(order) == list(range(2_000))
    close = np.argsort(order)[rank]
    assert (close[start] < close[end]).all()
    before, after = (np.quantile(place[end] - place[start], 0.95) for place in (rank, close))
    assert after < before / 5


def test_a_loop_shortens_the_order_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    start, end = np.array([0, 1, 2, 2], np.int32), np.array([1, 2, 1, 3], np.int32)
    assert len(_flow_order(start, end, 4)) < 4
    monkeypatch.setattr("hydro.order.COMPILED_FROM", 1)
    assert len(flow_order(start, end, 4)) < 4


def test_a_long_chain_and_a_wide_star() -> None:
    n = 5_000
    chain = pd.DataFrame({"reach_id": [f"R{i}" for i in range(n)], "from_node": [f"N{i}" for i in range(n)]})
    chain["to_node"] = [f"N{i + 1}" for i in range(n)]
    star = chain.assign(to_node="M")
    for table in (chain, star):
        whole = table.assign(length_m=1.0, discharge_m3_s=1.0, velocity_m_s=1.0, decay_per_d=0.0)
        network = hydro.build_network({"reaches": whole, "sections": sections(("S", f"R{n - 1}", 1.0, 0.2))})
        assert hydro.delivery_ratios(network, "S").ratio.sum() == (n if table is chain else 1)
