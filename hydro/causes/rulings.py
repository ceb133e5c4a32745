"""What was found on the spot about a month, as the judgement of that month takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydro.causes.findings import CONFIRMED, EXCLUDED, FieldFinding
from hydro.causes.record import Record
from hydro.causes.suspects import Suspects
from hydro.topology import Bool, Float


@dataclass(frozen=True)
class Ruling:
    """Which suspects did not do it in a month (suspects,), and which did, a row a finding (findings × suspects).

    The two are different in kind: an exclusion takes a suspect away and says nothing for an event; a confirmation makes
    the event certain and leaves it to the confirmed, at the sections where their water arrives.
    """

    excluded: Bool
    confirmed: Bool

    @classmethod
    def of_nothing(cls, suspects: int) -> Ruling:
        """What is known where nobody looked."""
        return cls(np.zeros(suspects, bool), np.zeros((0, suspects), bool))

    def views(self, reaches: Bool) -> tuple[NDArray[np.intp], list[Bool]]:
        """Which of the month's views holds at every section, and of every view who is known to have done it.

        ``reaches`` (suspects × sections). Sections that the same findings reach are one view; where none reaches, the
        view knows nobody. One event is assumed a month and view, whoever of several confirmed had it.
        """
        arrives = np.array([reaches[row].any(axis=0) for row in self.confirmed], bool).reshape(-1, reaches.shape[1])
        patterns, view = np.unique(arrives, axis=1, return_inverse=True)
        return np.asarray(view.reshape(-1), np.intp), [self.confirmed[pattern].any(axis=0) for pattern in patterns.T]


def known_prior(prior: Float, confirmed: Bool) -> Float:
    """A prior that knows who did it, where somebody does: an event is certain, and nobody else had it."""
    known = np.where(confirmed, prior, 0.0)
    return np.asarray(known / known.sum() if known.sum() > 0 else prior, np.float64)


def rule(record: Record, suspects: Suspects, found: Iterable[FieldFinding]) -> dict[int, Ruling]:
    """Month -> its ruling. Findings on other months or on sources that the record does not hold say nothing.

    A suspect that was excluded at one time of a month and confirmed at another did it that month.
    """
    place: dict[str, slice] = {str(source): slice(i, i + 1) for i, source in enumerate(record.sources.index)}
    place |= {"UNREGISTERED": suspects.unlisted, "DIFFUSE": slice(suspects.count - 1, suspects.count)}
    nobody = Ruling.of_nothing(suspects.count)
    rulings: dict[int, Ruling] = {}
    for one in found:
        month = record.month_position.get(one.time[:7])
        if month is None or one.source_id not in place:
            continue
        ruling = rulings.get(month, nobody)
        who = np.zeros(suspects.count, bool)
        who[place[one.source_id]] = True
        if one.verdict == EXCLUDED:
            rulings[month] = Ruling(ruling.excluded | who, ruling.confirmed)
        elif one.verdict == CONFIRMED:
            rulings[month] = Ruling(ruling.excluded, np.vstack([ruling.confirmed, who]))
    return {
        month: Ruling(ruling.excluded & ~ruling.confirmed.any(axis=0), ruling.confirmed)
        for month, ruling in rulings.items()
    }
