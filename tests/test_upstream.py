"""Three meanings of upstream, kept apart: the set, the split-routed, the main path."""

import numpy as np
import pytest
from basins import confluence, island

import hydro


def test_the_set_counts_each_reach_once() -> None:
    assert set(hydro.upstream_set(hydro.build_network(island()), "S1")) == {"R1", "R2", "R3", "R4"}
    assert hydro.upstream_set(hydro.build_network(island()), "S2") == ("R1", "R2")


def test_what_is_routed_follows_the_splits() -> None:
    network = hydro.build_network(island())
    assert hydro.routed_total(network, np.ones(4)) == pytest.approx([1, 1.3, 1.7, 4])


def test_the_main_path_takes_the_largest_share() -> None:
    network = hydro.build_network(island())
    assert hydro.main_path(network, "R1") == ("R1", "R3", "R4")
    assert hydro.path_length_m(network).tolist() == [25_920 + 8_640, 8_640, 8_640, 0]


def test_a_confluence() -> None:
    network = hydro.build_network(confluence())
    assert set(hydro.upstream_set(network, "S1")) == {"N", "E", "L", "D"}
    assert hydro.main_path(network, "E") == ("E", "L", "D")
