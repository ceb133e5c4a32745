"""Directions on ground of known shape, laws of drainage, and pyflwdir as a witness where there is no tie to break."""

import numpy as np
import pyflwdir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from hydro import flow
from hydro.flow import PIT, VOID

E, SE, S, SW, W, NW, N, NE = range(8)


def directions(height, outlets=None):
    filled = np.array(height, np.float32)
    found, level = flow.flow_directions(filled, width_m=1.0, depth_m=1.0, outlets=outlets)
    return found, level, filled


def test_a_plane_that_falls_east_drains_east() -> None:
    found, level, _ = directions(np.tile(10.0 - np.arange(5), (4, 1)))
    assert (found[:, :4] == E).all()
    assert (found[:, 4] == PIT).all()
    assert level == 0
    assert flow.upstream_area(found, np.ones(4))[0].tolist() == [1, 2, 3, 4, 5]


def test_the_steepest_way_weighs_the_diagonal_by_its_length() -> None:
    #  5 5 5     south falls 1 in 1, south-east 1.3 in 1.41: south is steeper
    #  5 4 5
    #  5 3 2.7
    found, _, _ = directions([[5, 5, 5], [5, 4, 5], [5, 3, 2.7]])
    assert found[1, 1] == S
    found, _, _ = directions([[5, 5, 5], [5, 4, 5], [5, 3, 2.5]])
    assert found[1, 1] == SE


def test_a_valley_gathers_both_of_its_sides() -> None:
    row, column = np.mgrid[0:6, 0:5]
    found, _, _ = directions(10 - row + 3.0 * np.abs(column - 2))
    area = flow.upstream_area(found, np.ones(6))
    assert area[5, 2] == 30
    assert area[:, 2].tolist() == sorted(area[:, 2])


def test_a_pit_is_filled_to_where_it_spills() -> None:
    height = np.full((5, 5), 9.0)
    height[2, 2], height[2, 3], height[2, 4] = 1.0, 6.0, 5.0
    found, level, filled = directions(height)
    assert filled[2, 2] == 6.0  # the sill between the pit and the rim
    assert found[2, 2] == E
    assert level == 1
    assert flow.upstream_area(found, np.ones(5))[2, 4] == pytest.approx(9 + 1 + 1, abs=1)


def test_a_flat_between_two_rivers_is_shared_by_distance() -> None:
    height = np.full((11, 31), 50.0, np.float32)
    rivers = np.concatenate([np.arange(31), 10 * 31 + np.arange(31)])
    height.reshape(-1)[rivers] = 40.0
    label = np.zeros((11, 31), np.int32)
    label[0], label[10] = 1, 2
    found, level, _ = directions(height, rivers)
    flow.spread_upstream(found, label)
    middle = label[:, 12:19]  # further in, water would rather leave over the rim
    assert (middle[:5] == 1).all()
    assert (middle[6:] == 2).all()
    assert level > 0
    # why this is not pyflwdir's: it breaks the tie by row, and the river in the north takes all that lies between
    _, theirs = pyflwdir.dem.fill_depressions(height, idxs_pit=rivers)
    basins = pyflwdir.from_array(theirs, ftype="d8").basins(idxs=rivers, ids=np.where(rivers < 31, 1, 2))
    assert (basins[1:9, 12:19] == 1).all()


def test_the_sides_of_a_cell_may_differ() -> None:
    # one down over 100 m eastward, one and a half down over 200 m southward: east is steeper
    height = np.array([[9, 9, 9], [9, 5, 4], [9, 3.5, 9]], np.float32)
    found, _ = flow.flow_directions(height.copy(), width_m=100.0, depth_m=200.0)
    assert found[1, 1] == E
    found, _ = flow.flow_directions(height.copy(), width_m=100.0, depth_m=100.0)
    assert found[1, 1] == S


hills = st.builds(
    lambda seed, rows, columns, holes: (seed, rows, columns, holes),
    st.integers(0, 10_000), st.integers(3, 40), st.integers(3, 40), st.floats(0, 0.2),
)  # fmt: skip


def rough(seed: int, rows: int, columns: int, holes: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    height = gaussian_filter(rng.normal(size=(rows, columns)), 1.5).astype(np.float32) * 20
    height[rng.random((rows, columns)) < holes] = np.nan
    height[1, 1] = 0.0
    return height


@given(hills)
@settings(max_examples=60)
def test_water_never_goes_up_nor_round_and_all_of_it_leaves(hill) -> None:
    height = rough(*hill)
    found, _, filled = directions(height)
    known = ~np.isnan(height)
    assert ((found == VOID) == ~known).all()
    cells = np.flatnonzero(known.reshape(-1))
    below = flow.downstream(found, cells)
    assert (filled.reshape(-1)[below] <= filled.reshape(-1)[cells]).all()
    assert (filled.reshape(-1)[cells] >= height.reshape(-1)[cells]).all()
    area = flow.upstream_area(found, np.ones(height.shape[0])).reshape(-1)
    assert (area[below] >= area[cells]).all()  # upstream area never falls downstream
    assert area[cells][below == cells].sum() == len(cells)  # what fell leaves at the pits, each cell once: no ring
    label = np.zeros(height.shape, np.int32)
    pits = cells[below == cells]
    label.reshape(-1)[pits] = np.arange(1, len(pits) + 1)
    flow.spread_upstream(found, label)
    assert np.bincount(label[known], minlength=len(pits) + 1)[1:].tolist() == area[pits].tolist()
    assert (label[known] > 0).all()


@given(hills)
@settings(max_examples=30)
def test_filling_and_gathering_agree_with_pyflwdir(hill) -> None:
    height = rough(*hill)
    found, _, filled = directions(height)
    theirs, _ = pyflwdir.dem.fill_depressions(height, nodata=np.nan)
    np.testing.assert_allclose(filled, theirs, atol=1e-4)
    code = np.where(found < PIT, 1 << np.minimum(found, 7).astype(np.int64), np.where(found == PIT, 0, 247))
    witness = pyflwdir.from_array(code.astype(np.uint8), ftype="d8")
    area = flow.upstream_area(found, np.ones(height.shape[0]))
    known = found != VOID
    np.testing.assert_array_equal(area[known], witness.upstream_area()[known])
    seeds = np.unique(np.flatnonzero(known.reshape(-1))[::7])
    label = np.zeros(height.shape, np.int32)
    label.reshape(-1)[seeds] = np.arange(1, len(seeds) + 1)
    flow.spread_upstream(found, label)
    np.testing.assert_array_equal(np.maximum(label, 0), witness.basins(idxs=seeds, ids=np.arange(1, len(seeds) + 1)))
