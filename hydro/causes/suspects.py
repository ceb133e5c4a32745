"""Who could have caused an exceedance, and how likely each is before the river is looked at.

An event is a load that enters at one place in one month.  A priori size matters little, but for one thing: nobody can
let out more than some two hundred times what he lets out ordinarily, so a large event clears the small sources.  A plant
is likelier than an outlet, and whoever was caught before is likelier.  An unlisted outlet may stand on any kilometre,
rather on a stretch that carries load nobody accounts for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydro.causes.expected import Expected
from hydro.topology import Float

SIZE_EXPONENT = 0.15
"""Weight of a source ~ its ordinary load^0.15."""
MOST, MOST_SPREAD = 200.0, 0.15
"""The most an event can be over the source's ordinary load, and how blurred (log) that limit is."""
PLANT_WEIGHT = 2.2
WATCHED_WEIGHT = 0.8
"""An outlet that reports its own load, against one that does not."""
UNLISTED_PART = 0.14
"""Part of point events that come from unlisted outlets."""
REPEAT = 0.5
"""What one earlier event adds to a source, in units of an average source's weight."""
LASTING = 0.1
"""Probability that an unlisted outlet seen in a month is there in the next as well: nobody laid it for one month, while a
listed source's event is an accident that its owner ends."""
EVENT_RATE = (0.30, 10.0)
"""Point events a month: prior mean, and how many months it counts for."""
WASHOFF_RATE = (0.07, 10.0)
MEDIAN_SIZE, SIZE_SPREAD = 1.35, 0.5
"""Delivered load of an event over the capacity of the section that sees it first: median and log spread."""
WASHOFF_SIZE, WASHOFF_SPREAD = 2.0, 0.5
"""Load of a wash-off over the ordinary diffuse load of its month."""


@dataclass(frozen=True)
class Suspects:
    """Places where an event's load may enter: sources, then segments of river (unlisted outlets), then wash-off.

    ``weight`` is the prior of each, without history (wash-off's is one, apart); ``most_kg_d`` the largest event it could
    have, with ``most_spread`` (log). The river is asked month by month.
    """

    sources: int
    segments: int
    weight: Float
    most_kg_d: Float
    most_spread: Float

    @property
    def count(self) -> int:
        """All suspects: sources, segments, and wash-off as the last one."""
        return self.sources + self.segments + 1

    @property
    def point(self) -> slice:
        """The sources."""
        return slice(0, self.sources)

    @property
    def unlisted(self) -> slice:
        """The segments."""
        return slice(self.sources, self.sources + self.segments)


@dataclass(frozen=True)
class History:
    """What other months taught: how often events happen, and how many each suspect had (expected numbers).

    ``by_month`` (months × suspects) is each month's own posterior, so that a month is never judged by itself.
    """

    by_month: Float
    suspects: Suspects

    def prior(self, month: int) -> Float:
        """Prior probability of every suspect in a month; the rest to one is: no event. (suspects,)"""
        others = np.delete(self.by_month, month, axis=0)
        count = others.sum(axis=0)
        months = len(others)
        point, washed = float(count[:-1].sum()), float(count[-1])
        rate = (EVENT_RATE[0] * EVENT_RATE[1] + point) / (EVENT_RATE[1] + months)
        wash = (WASHOFF_RATE[0] * WASHOFF_RATE[1] + washed) / (WASHOFF_RATE[1] + months)
        weight = self.suspects.weight[:-1].copy()
        listed = self.suspects.point
        eligible = max(int((weight[listed] > 0).sum()), 1)
        weight += REPEAT / eligible * count[:-1] * (weight > 0)
        total = weight.sum()
        prior = np.zeros(self.suspects.count)
        if total > 0:
            prior[:-1] = weight / total * min(rate, 0.8)
            unlisted = self.suspects.unlisted
            prior[unlisted] += LASTING * self.beside(month)[unlisted]
        prior[-1] = min(wash, 0.3)
        over = prior.sum()
        return np.asarray(prior / max(over / 0.95, 1.0), np.float64)

    def beside(self, month: int) -> Float:
        """What the months before and after a month hold against every suspect, added up. (suspects,)"""
        return np.asarray(
            self.by_month[max(month - 1, 0) : month].sum(axis=0) + self.by_month[month + 1 : month + 2].sum(axis=0)
        )


def list_suspects(expected: Expected) -> Suspects:
    """Every source, every segment and wash-off, with their prior weights (they sum to one, wash-off apart)."""
    record, ways = expected.record, expected.pathways
    base = np.median(expected.source_kg_d, axis=1) if record.months else expected.source_kg_d.sum(axis=1)
    listed = np.power(np.maximum(base, 1e-6), SIZE_EXPONENT)
    plant = (record.sources["kind"] == "plant").to_numpy() | (record.sources["kind"] == "inbound").to_numpy()
    listed *= np.where(plant, PLANT_WEIGHT, np.where(record.sources["reports"].to_numpy(bool), WATCHED_WEIGHT, 1.0))
    listed = np.where((ways.source[0] > 0).any(axis=1), listed, 0.0)
    unlisted = np.where((ways.segment[0] > 0).any(axis=1), ways.segments.length_m, 0.0)
    part = UNLISTED_PART if listed.sum() > 0 else 1.0
    weight = np.concatenate(
        [
            (1 - part) * listed / max(float(listed.sum()), 1e-12),
            part * unlisted / max(float(unlisted.sum()), 1e-12),
            [1.0],
        ]
    )
    chronic = expected.chronic_kg_d[ways.segments.stretch]
    most = np.concatenate([base, chronic, [np.inf]]) * MOST
    blur = np.concatenate([expected.source_sd, expected.chronic_sd[ways.segments.stretch], [1.0]])
    return Suspects(len(listed), len(unlisted), weight, most, np.hypot(blur, MOST_SPREAD))


def first_section(ratio: Float, capacity: Float) -> NDArray[np.int_]:
    """The section at which a load shows most: highest delivery over capacity. (places,)"""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.argmax(np.nan_to_num(ratio / capacity), axis=1), np.int_)
