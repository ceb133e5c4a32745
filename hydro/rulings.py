"""What was found on the spot about a month, as the judgement of that month takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hydro.findings import CONFIRMED, EXCLUDED, FieldFinding
from hydro.record import Record
from hydro.suspects import Suspects
from hydro.topology import Bool, Float

CERTAIN = 0.999
"""Prior probability of an event whose cause was confirmed on the spot."""


@dataclass(frozen=True)
class Ruling:
    """Which suspects did not do it in a month, and which did. (suspects,) each

    The two are different in kind: an exclusion takes a suspect away and says nothing for an event; a confirmation makes
    the event certain and leaves it to the confirmed alone.
    """

    excluded: Bool
    confirmed: Bool

    def prior(self, prior: Float) -> Float:
        """A prior that knows who did it: nothing for anybody else, and an event all but certain."""
        known = np.where(self.confirmed, prior, 0.0)
        return np.asarray(known * CERTAIN / known.sum() if known.sum() > 0 else prior, np.float64)


def rule(record: Record, suspects: Suspects, found: Iterable[FieldFinding]) -> dict[int, Ruling]:
    """Month -> its ruling. Findings on other months or on sources that the record does not hold say nothing.

    A suspect that was excluded at one time of a month and confirmed at another did it that month.
    """
    place: dict[str, slice] = {str(source): slice(i, i + 1) for i, source in enumerate(record.sources.index)}
    place |= {"UNREGISTERED": suspects.unlisted, "DIFFUSE": slice(suspects.count - 1, suspects.count)}
    rulings: dict[int, Ruling] = {}
    for one in found:
        month = record.month_position.get(one.time[:7])
        if month is None or one.source_id not in place:
            continue
        ruling = rulings.setdefault(month, Ruling(np.zeros(suspects.count, bool), np.zeros(suspects.count, bool)))
        if one.verdict == EXCLUDED:
            ruling.excluded[place[one.source_id]] = True
        elif one.verdict == CONFIRMED:
            ruling.confirmed[place[one.source_id]] = True
    for ruling in rulings.values():
        ruling.excluded[ruling.confirmed] = False
    return rulings
