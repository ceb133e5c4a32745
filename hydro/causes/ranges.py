"""How far a share may be off: a month drawn many times over everything that is not known, always the same draws.

Drawn together: the decay and the travel time (they act by their product alone), every source's load, the unlisted and
the diffuse load, who had the event and how large it was, the lab and the gauge.  Every draw is then moved towards what
the sections read, as the best estimate itself is (conditioning by kriging: Journel & Huijbregts 1978, ch. VII.A).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hydro.causes.expected import DIFFUSE_CHANGE, LAB_ERROR, SOURCE_CHANGE
from hydro.causes.pathways import decay_number
from hydro.causes.posterior import EVENT_TRANSPORT_ERROR
from hydro.topology import Float

if TYPE_CHECKING:
    from hydro.causes.judgement import Judgement

DRAWS, SEED = 200, 20_220_701
BAND = (0.05, 0.95)
"""A share's low and high: nine draws of ten lie between them."""
TRAVEL_ERROR = 0.05
"""How far a month's travel times stray from the record's, relative; the record's own error is in the learned decay."""
MOST_MOVE = 0.5
LOAD_ERROR = {"monitored": 0.2}
OTHER_LOAD_ERROR = 0.5
"""Error (log) of a load in a sub-daily trace: monitored, and permitted or estimated."""
DECAY_ERROR_PER_D = 0.07
CANDOUR = 1.7
"""What the learned spreads are widened by: a linear posterior is too sure of itself. On basins with the truth told, nine
true shares of ten then lie within the band."""


def share_bands(judged: Judgement, month: int, place: int) -> dict[str, tuple[float, float]]:
    """Low and high share of every source at a section in a month; every month is drawn once."""
    if month not in judged.bands:
        judged.bands[month] = share_band(judged, month)
    low, high = judged.bands[month][:, :, place].tolist()
    names = [*judged.source_ids, "UNREGISTERED", "DIFFUSE"]
    return dict(zip(names, zip(low, high, strict=True), strict=True))


def share_band(judged: Judgement, month: int) -> Float:
    """Low and high share of every source, of unlisted outlets and of the land. (2 × sources + 2 × sections)

    Ordered as :meth:`Judgement.shares` names them; NaN at a section that nothing reaches.
    """
    drawn = draw_loads(judged, month)
    total = drawn.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = drawn / total
    return np.asarray(np.quantile(share, BAND, axis=0), np.float64)


def draw_loads(judged: Judgement, month: int, draws: int = DRAWS) -> Float:
    """What every source, unlisted outlets and the land deliver, kg/d. (draws × sources + 2 × sections)"""
    expected, record = judged.expected, judged.record
    draw = np.random.default_rng([SEED, month])
    ordinary, variance = _ordinary(judged, month, draw, draws)
    added = _event(judged, month, draw, draws, ordinary.shape)
    seen = np.flatnonzero(np.isfinite(record.load_kg_d[:, month]))
    total = (ordinary + added).sum(axis=1)[:, seen]
    error = expected.reading_error[seen, month]
    if len(seen) == 0 or (total <= 0).any():
        return np.asarray(ordinary + added, np.float64)
    part = (ordinary.mean(axis=0) / np.maximum((ordinary + added).mean(axis=0).sum(axis=0), 1e-12))[:, seen]
    covariance = part.T @ (variance[:, None] * part) + np.diag(error**2)
    gain = variance[:, None] * np.linalg.solve(covariance, part.T).T
    gap = np.log(record.load_kg_d[seen, month] / total) + draw.normal(0.0, error, total.shape)
    move = np.clip(gap, -MOST_MOVE, MOST_MOVE) @ gain.T
    return np.asarray(ordinary * np.exp(move)[:, :, None] + added, np.float64)


def episode_band(table: pd.DataFrame, ordinary_kg_d: float, measured_kg_d: float, spread: float) -> tuple[Float, Float]:
    """Low and high share of every row of a sub-daily trace: who had the excess, and what is not known of the rest.

    ``table`` has the odds and the inventory's loads; ``spread`` is the ordinary level's own (log).
    """
    if not measured_kg_d > 0:
        return np.full(len(table), np.nan), np.full(len(table), np.nan)
    draw = np.random.default_rng(SEED)
    odds = np.maximum(table["probability"].to_numpy(np.float64), 0.0)
    who = draw.choice(len(odds), DRAWS, p=odds / odds.sum())
    listed = table["inventory_kg_d"].fillna(0.0).to_numpy(np.float64)
    told = table["basis"].map(LOAD_ERROR).fillna(OTHER_LOAD_ERROR).to_numpy(np.float64)
    days = np.nan_to_num(table["travel_time_d"].to_numpy(np.float64))
    far = np.hypot(told, DECAY_ERROR_PER_D * days)
    loads = listed * np.exp(draw.normal(0.0, 1.0, (DRAWS, len(listed))) * far)
    total = loads.sum(axis=1, keepdims=True)
    part = np.divide(loads, total, out=np.zeros_like(loads), where=total > 0)
    level = np.minimum(ordinary_kg_d * np.exp(draw.normal(0.0, np.hypot(spread, LAB_ERROR), DRAWS)), measured_kg_d)
    delivered = part * level[:, None]
    delivered[np.arange(DRAWS), who] += measured_kg_d - level
    low, high = np.quantile(delivered / measured_kg_d, BAND, axis=0)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)


def _ordinary(judged: Judgement, month: int, draw: np.random.Generator, draws: int) -> tuple[Float, Float]:
    """Ordinary loads of every draw, and how far each may stray (log variance). (draws × places × sections), (places,)"""
    expected, ways = judged.expected, judged.expected.pathways
    x = float(decay_number(judged.record)[month]) * expected.decay_factor
    far = CANDOUR * np.hypot(expected.decay_sd, TRAVEL_ERROR)
    delivered = ways.at(ways.source, x * np.exp(draw.normal(0.0, far, draws)))
    spread = CANDOUR * np.sqrt(expected.source_sd**2 + expected.change[:, month])
    hidden = CANDOUR * np.hypot(expected.chronic_sd, SOURCE_CHANGE)
    land = CANDOUR * float(np.hypot(expected.diffuse_sd[month], DIFFUSE_CHANGE))
    loads = expected.source_kg_d[:, month] * np.exp(draw.normal(0.0, 1.0, (draws, len(spread))) * spread)
    chronic = expected.chronic_kg_d * np.exp(draw.normal(0.0, 1.0, (draws, len(hidden))) * hidden)
    washed = expected.diffuse_kg_d[:, month] * np.exp(draw.normal(0.0, land, draws))[:, None]
    unlisted = chronic @ expected.along_stretch[month]
    ordinary = np.concatenate([delivered * loads[:, :, None], unlisted[:, None], washed[:, None]], axis=1)
    weight = expected.chronic_kg_d / max(float(expected.chronic_kg_d.sum()), 1e-12)
    return ordinary, np.append(spread**2, [float(weight**2 @ hidden**2), land**2])


def _event(judged: Judgement, month: int, draw: np.random.Generator, draws: int, shape: tuple[int, ...]) -> Float:
    """The event of every draw, in the row of whoever had it. (draws × places × sections)

    Sections that a confirmed event does not reach may have had one of their own, drawn apart.
    """
    found, suspects = judged.months[month], judged.suspects
    added = np.zeros(shape)
    for view, (joint, none) in enumerate(zip(found.joint, found.none, strict=True)):
        odds = np.append(joint.ravel(), max(float(none), 0.0))
        which = draw.choice(len(odds), draws, p=odds / odds.sum())
        blur = np.exp(draw.normal(0.0, EVENT_TRANSPORT_ERROR, draws))
        happened = np.flatnonzero(which < joint.size)
        suspect, size = np.divmod(which[happened], joint.shape[1])
        row = np.where(
            suspect < suspects.sources, suspect, np.where(suspect == suspects.count - 1, shape[1] - 1, shape[1] - 2)
        )
        here = found.view == view
        added[happened, row] += np.where(here, found.added_kg_d[suspect, size], 0.0) * blur[happened, None]
    return added
