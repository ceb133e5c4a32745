"""What a stretch of river between neighbouring sections adds that no register explains, over the whole record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydro.topology import Float

if TYPE_CHECKING:
    from hydro.causes.judgement import Judgement

LEAST_MONTHS = 6
CLEAR = 2.0
"""A stretch adds for certain where the mean is so many standard errors above zero, and half of the months are above"""
WORTH_SAYING = 0.1
"""this part of the section's own load."""


@dataclass(frozen=True)
class Stretch:
    """A section, the nearest measured sections above it, and what comes between: month by month, kg/d.

    ``added_kg_d`` (months,) is the measured load here less what the sections above sent here less what the listed sources
    between them sent, NaN where one of them was not measured.
    """

    above: tuple[str, ...]
    added_kg_d: Float
    load_kg_d: Float

    @property
    def months(self) -> int:
        """In how many months all of the stretch's ends were measured."""
        return int(np.isfinite(self.added_kg_d).sum())

    @property
    def mean_kg_d(self) -> float:
        """Mean of what the stretch adds."""
        return float(np.nanmean(self.added_kg_d)) if self.months else float("nan")

    @property
    def median_kg_d(self) -> float:
        """Median of what the stretch adds."""
        return float(np.nanmedian(self.added_kg_d)) if self.months else float("nan")

    @property
    def clear(self) -> bool:
        """Whether the stretch adds for certain, and not only in a few wild months."""
        if self.months < LEAST_MONTHS:
            return False
        error = float(np.nanstd(self.added_kg_d)) / np.sqrt(self.months)
        usual = float(np.nanmedian(self.load_kg_d))
        return self.mean_kg_d > CLEAR * error and self.median_kg_d > WORTH_SAYING * usual


def stretch_above(judged: Judgement, place: int) -> Stretch:
    """The stretch that ends at a section (a row of the record)."""
    record, ratio = judged.record, judged.between
    upstream = np.flatnonzero((ratio[:, place] > 0) & (np.arange(len(ratio)) != place))
    beyond = (ratio[:, upstream] > 0) & (np.arange(len(ratio))[:, None] != upstream)
    usual = np.nan_to_num(
        np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in record.load_kg_d])
    )
    nearest = sorted((u for u in upstream.tolist() if not beyond[u].any()), key=lambda u: -usual[u] * ratio[u, place])
    listed = np.einsum("jm,mjs->sm", judged.expected.source_kg_d, judged.expected.delivered)
    passed = ratio[nearest, place]
    here = record.load_kg_d[place]
    added = here - passed @ record.load_kg_d[nearest] - (listed[place] - passed @ listed[nearest])
    return Stretch(tuple(judged.section_names[u] for u in nearest), np.asarray(added, np.float64), here)
