"""Made-up river networks of any size as plain arrays: a branching tree, some reaches doubled by a second arm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Rivers(NamedTuple):
    """One value a reach, in no order; nodes are numbered at random, as in a file."""

    from_node: NDArray[np.int32]
    to_node: NDArray[np.int32]
    length_m: NDArray[np.float64]
    discharge_m3_s: NDArray[np.float64]
    velocity_m_s: NDArray[np.float64]
    decay_per_d: NDArray[np.float64]
    node_count: int


def make_rivers(reaches: int, *, splits: float = 0.01, shape: str = "basin", seed: int = 1) -> Rivers:
    """A network of that many reaches: ``basin`` (tree-like, with splits), ``chain`` or ``star``.

    A basin's reaches drain a short way down the numbering, which gives long rivers with side branches of every order.
    """
    draw = np.random.default_rng(seed)
    arms = int(reaches * splits) if shape == "basin" else 0
    upper = np.arange(1, reaches - arms + 1)
    if shape == "chain":
        lower = upper - 1
    elif shape == "star":
        lower = np.zeros_like(upper)
    else:
        lower = np.maximum(upper - draw.geometric(0.3, len(upper)), 0)
    doubled = draw.choice(upper, arms, replace=False)
    arm_end = np.maximum(doubled - draw.integers(1, 60, arms), 0)
    start, end = np.concatenate([upper, doubled]), np.concatenate([lower, arm_end])
    nodes = reaches - arms + 1
    label = draw.permutation(nodes).astype(np.int32)
    shuffle = draw.permutation(len(start))
    number = draw.random((4, len(start)))
    return Rivers(
        label[start][shuffle],
        label[end][shuffle],
        200 + 3000 * number[0],
        0.1 + 10 * number[1],
        0.1 + number[2],
        0.03 + 0.07 * number[3],
        nodes,
    )
