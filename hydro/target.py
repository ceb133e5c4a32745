"""What a section is held to, and since when: whoever judges a section at a time asks here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydro.columns import number, text

NO_CHANGES = pd.DataFrame(columns=["section_id", "since", "tp_target_mg_l"])


@dataclass(frozen=True)
class Targets:
    """The TP target of every section by month, mg/L; NaN where it has none.  Made by :meth:`of`.

    ``tabled``: the target of the section's own row, which holds until the first change; ``steps``: section -> (month from
    which, target), oldest first; ``changes``: the table that they were read from.
    """

    tabled: Mapping[str, float]
    steps: Mapping[str, tuple[tuple[str, float], ...]]
    changes: pd.DataFrame

    @classmethod
    def of(cls, sections: pd.DataFrame, changes: pd.DataFrame | None = None) -> Targets:
        """Of ``sections`` (indexed by id) and their ``changes`` (section_id, since, tp_target_mg_l).

        A change without a month that can be read is none; of two in one month the later row holds.
        """
        rows = NO_CHANGES if changes is None else changes
        dated = pd.DataFrame({"id": text(rows, "section_id"), "start": first_month(rows)})
        dated = dated.assign(value=number(rows, "tp_target_mg_l")).dropna(subset=["start"])
        steps: dict[str, tuple[tuple[str, float], ...]] = {}
        for section, start, value in dated.sort_values("start", kind="stable").itertuples(index=False):
            steps[str(section)] = (*steps.get(str(section), ()), (str(start)[:7], float(value)))
        tabled = number(sections, "tp_target_mg_l")
        return cls(dict(zip(map(str, tabled.index), map(float, tabled), strict=True)), steps, rows)

    def at(self, section_id: str, time: str | None = None) -> float:
        """The target of a section in the month of ``time``, in force that month; the newest that is known without a time.

        >>> sections = pd.DataFrame({"tp_target_mg_l": [0.4]}, index=["S1"])
        >>> changes = pd.DataFrame({"section_id": ["S1"], "since": ["2022-04"], "tp_target_mg_l": [0.3]})
        >>> targets = Targets.of(sections, changes)
        >>> targets.at("S1", "2022-03"), targets.at("S1", "2022-04-01T08:00"), targets.at("S1")
        (0.4, 0.3, 0.3)
        """
        held = self.tabled.get(section_id, np.nan)
        for since, value in self.steps.get(section_id, ()):
            if not time or since <= time[:7]:
                held = value
        return held

    def on(self, time: str | None = None) -> pd.Series[float]:
        """As :meth:`at`, of every section by its id."""
        return pd.Series({one: self.at(one, time) for one in self.tabled}, dtype=float)

    def of_sections(self, sections: Iterable[str], time: str | None = None) -> npt.NDArray[np.float64]:
        """As :meth:`at`, of these sections in their order. (sections,)"""
        return np.array([self.at(str(one), time) for one in sections], dtype=np.float64)

    def by_month(
        self, sections: Sequence[str], months: Sequence[str] | npt.NDArray[np.datetime64]
    ) -> npt.NDArray[np.float64]:
        """As :meth:`at`, of sections in months. (sections, months)"""
        when = np.asarray(months, dtype="M8[M]")
        found = np.empty((len(sections), len(when)))
        for i, section in enumerate(sections):
            found[i] = self.tabled.get(section, np.nan)
            for since, value in self.steps.get(section, ()):
                found[i, when >= np.datetime64(since, "M")] = value
        return found


def first_month(rows: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """The month in the column ``since`` of each row, NaT where it cannot be read."""
    since = text(rows, "since").str.slice(0, 7)
    return np.asarray(pd.to_datetime(since, format="%Y-%m", errors="coerce"), dtype="M8[M]")
