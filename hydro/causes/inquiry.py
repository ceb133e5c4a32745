"""The one question behind ``trace``: who did it. Stations that read several times a day go one way, months the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import pandas as pd

from hydro.causes.episodes import Episodes
from hydro.causes.evidence import Attribution, attribute
from hydro.causes.findings import FieldFinding
from hydro.network import RiverNetwork
from hydro.trace import Trace


class Inquiry:
    """A network asked who did it; each of the two methods is made ready only when a question needs it."""

    def __init__(self, network: RiverNetwork, found: Iterable[FieldFinding] = ()) -> None:
        self.network, self.found = network, tuple(found)

    @cached_property
    def monthly(self) -> Attribution:
        """The record judged month by month."""
        return attribute(self.network, self.found)

    @cached_property
    def episodes(self) -> Episodes:
        """The sub-daily stations."""
        return Episodes(self.network, self.found)

    def explain(self, section: str, time: str | None = None) -> Trace:
        """The ranked causes of one section at a time."""
        if self.network.observations.sub_daily and self.episodes.covers(section, time):
            return self.episodes.explain(section, time)
        return self.monthly.explain(section, time)

    def table(self) -> pd.DataFrame:
        """Every exceedance on record: one a section and month, or one an episode where a section is read sub-daily."""
        if not self.network.observations.sub_daily:
            return self.monthly.table()
        several = self.episodes.table()
        covered = set(self.episodes.detective.sections)
        if covered >= set(map(str, self.network.sections.index)):
            return several
        months = self.monthly.table()
        return pd.concat([months[~months["section_id"].isin(covered)], several], ignore_index=True)


def inquire(network: RiverNetwork, found: Iterable[FieldFinding] = ()) -> Inquiry:
    """Ask a network who did it, at any section and time, by whichever record the section has, given what was found on the spot."""
    return Inquiry(network, found)
