"""Laws that hold on any network: nothing is lost, shares add to one, a cut changes nothing, islands make no load."""

import numpy as np
import pandas as pd
import pytest
from basins import outlets, reaches, sections
from hypothesis import given, settings
from hypothesis import strategies as st

import hydro


@st.composite
def basins(draw: st.DrawFn, max_decay: float = 0.5) -> dict[str, pd.DataFrame]:
    """A random DAG with splits and joins: reaches run from lower to higher node numbers."""
    nodes = draw(st.integers(3, 9))
    pairs = [(i, draw(st.integers(i + 1, nodes - 1))) for i in range(nodes - 1)]
    pairs += draw(
        st.lists(
            st.tuples(st.integers(0, nodes - 2), st.integers(0, nodes - 1)).filter(lambda p: p[0] < p[1]), max_size=5
        )
    )
    number = st.floats(0.1, 10.0)
    table = reaches(
        *(
            (f"R{i}", f"N{a}", f"N{b}", 1000 * draw(number), draw(number), draw(st.floats(0.05, 1.5)))
            for i, (a, b) in enumerate(pairs)
        ),
        decay_per_d=draw(st.floats(0, max_decay)) if max_decay else 0.0,
        lateral_tp_mg_l=draw(st.floats(0, 0.3)),
    )
    count = len(table)
    places = draw(
        st.lists(st.tuples(st.integers(0, count - 1), st.floats(0, 1), st.floats(0, 100)), min_size=1, max_size=6)
    )
    length = table["length_m"].tolist()
    own = draw(st.integers(0, count - 1))
    return {
        "reaches": table,
        "outlets": outlets(*((f"O{i}", f"R{r}", part * length[r], load) for i, (r, part, load) in enumerate(places))),
        "sections": sections(
            ("S1", f"R{own}", draw(st.floats(0, 1)) * length[own], 0.2), ("S2", f"R{count - 1}", length[-1], 0.2)
        ),
    }


@given(basins(max_decay=0.0))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_without_decay(tables: dict[str, pd.DataFrame]) -> None:
    balance = hydro.route(hydro.build_network(tables)).balance
    assert balance.decayed_kg_d == pytest.approx(0, abs=1e-9 * max(balance.entered_kg_d, 1))
    assert balance.left_kg_d == pytest.approx(balance.entered_kg_d, rel=1e-12, abs=1e-12)


@given(basins())
@settings(max_examples=25, deadline=None)
def test_delivered_loads_add_up_to_the_section_and_shares_to_one(tables: dict[str, pd.DataFrame]) -> None:
    network = hydro.build_network(tables)
    routed = hydro.route(network).section_load_kg_d
    for section in ("S1", "S2"):
        table = hydro.trace_sources(network, section).table
        assert table["delivered_kg_d"].sum() == pytest.approx(routed[section], rel=1e-9, abs=1e-9)
        if routed[section] > 1e-9:
            assert table["share"].sum() == pytest.approx(1, rel=1e-9)


@given(basins(), st.data())
@settings(max_examples=30, deadline=None)
def test_cutting_a_reach_anywhere_changes_nothing(tables: dict[str, pd.DataFrame], data: st.DataObject) -> None:
    table = tables["reaches"].assign(lateral_tp_mg_l=0.0)
    whole = hydro.build_network({**tables, "reaches": table})
    where, part = data.draw(st.integers(0, len(table) - 1)), data.draw(st.floats(0.01, 0.99))
    row = table.iloc[where]
    at = row["length_m"] * part
    share = whole.topology.share
    upper = {**row, "to_node": "CUT", "length_m": at}
    lower = {**row, "reach_id": "LOWER", "from_node": "CUT", "length_m": row["length_m"] - at}
    cut = pd.concat([table.drop(index=where), pd.DataFrame([upper, lower])], ignore_index=True)
    cut["split"] = [1.0 if key == "LOWER" else share[whole.reach_position[key]] for key in cut["reach_id"]]
    moved = {"reaches": cut}
    for name in ("outlets", "sections"):
        rows = tables[name].copy()
        below = (rows["reach_id"] == row["reach_id"]) & (rows["chainage_m"] > at)
        rows.loc[below, "reach_id"] = "LOWER"
        rows.loc[below, "chainage_m"] -= at
        moved[name] = rows
    before, after = hydro.route(whole), hydro.route(hydro.build_network(moved))
    assert after.section_load_kg_d.to_numpy() == pytest.approx(before.section_load_kg_d.to_numpy(), rel=1e-9, abs=1e-9)
    assert after.balance.left_kg_d == pytest.approx(before.balance.left_kg_d, rel=1e-9, abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1, 100))
@settings(max_examples=60, deadline=None)
def test_an_island_neither_loses_nor_makes_load(split: float, part: float, load: float) -> None:
    tables = {
        "reaches": reaches(
            ("R1", "A", "B", 1000, 1, 0.1), ("R2", "B", "C", 1000, 1, 0.1), ("R3", "B", "C", 5000, 1, 0.1), ("R4", "C", "D", 10, 1, 0.1),
            split=[1.0, split, 1 - split, 1.0],
        ),
        "outlets": outlets(("O1", "R1", 1000 * part, load)),
        "sections": sections(("S1", "R4", 10.0, 0.2)),
    }  # fmt: skip
    assert hydro.route(hydro.build_network(tables)).section_load_kg_d["S1"] == pytest.approx(load, rel=1e-12)


@given(basins())
@settings(max_examples=40, deadline=None)
def test_the_set_is_what_networkx_says(tables: dict[str, pd.DataFrame]) -> None:
    import networkx as nx

    network = hydro.build_network(tables)
    for section in ("S1", "S2"):
        reach = network.sections.at[section, "reach_id"]
        head = network.reaches.at[reach, "from_node"]
        above = nx.ancestors(network.graph, head) | {head}
        expected = {key for _, end, key in network.graph.edges(keys=True) if end in above} | {reach}
        assert set(hydro.upstream_set(network, section)) == expected


@given(basins(), st.floats(0.1, 5), st.floats(0.1, 5))
@settings(max_examples=30, deadline=None)
def test_loads_are_linear(tables: dict[str, pd.DataFrame], a: float, b: float) -> None:
    network = hydro.build_network(tables)
    sources = hydro.source_loads(network)

    def at_section(factor: float) -> np.ndarray:
        changed = sources.assign(load_kg_d=sources["load_kg_d"] * factor)
        return hydro.route(network, sources=changed).section_load_kg_d.to_numpy()

    base = at_section(0.0)
    assert at_section(a + b) - base == pytest.approx(
        (at_section(a) - base) + (at_section(b) - base), rel=1e-9, abs=1e-9
    )
