"""Every sub-daily exceedance answered as a trace: ranked causes with release window, mass, and reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hydro.assessment.attainment import exceeds
from hydro.causes.alarm import Series, episodes, hours, stamp
from hydro.causes.findings import EXCLUDED, FieldFinding, Finding, Findings
from hydro.causes.pulse import Cause, Verdict, solve_episode
from hydro.causes.pulse_reasons import pulse_reasons
from hydro.causes.ranges import episode_band
from hydro.causes.scene import Detective
from hydro.network import RiverNetwork
from hydro.trace import COLUMNS, Trace, trace_sources
from hydro.transport import conditions, require_flow

NEAR_H = 12.0
"""A question is about the nearest reading of the section within this many hours."""


class Episodes:
    """The sub-daily stations of a network, ready to answer who did it. Made once; every question is independent."""

    def __init__(self, network: RiverNetwork, found: Iterable[FieldFinding] = ()) -> None:
        require_flow(network, conditions(network, None))
        self.network, self.found = network, tuple(found)
        self.detective = Detective(network)

    def covers(self, section: str, time: str | None) -> bool:
        """Whether a question is one for the sub-daily stations: a stamp (or the newest reading) at such a section."""
        section_id = self.network.section_id(section)
        return section_id in self.detective.sections and (time is None or len(time.strip()) > 10)

    def solve(self, section: str, time: str) -> Verdict:
        """The verdict on one reading, without the inventory beside it."""
        return solve_episode(self.detective, self.network.section_id(section), time)

    def explain(self, section: str, time: str | None = None) -> Trace:
        """The ranked causes of one section at a time; by delivered load where the section does not exceed its target."""
        section_id = self.network.section_id(section)
        own = self.detective.series[section_id, "TP"]
        asked = float(own.time_h[-1]) if time is None else float(hours([time])[0])
        nearest = int(np.argmin(np.abs(own.time_h - asked)))
        if abs(own.time_h[nearest] - asked) > max(NEAR_H, own.step_h):
            return _unanswered(trace_sources(self.network, section_id, time=time))
        at = stamp(float(own.time_h[nearest]))
        trace = trace_sources(self.network, section_id, time=at)
        here = [one for one in self.found if one.time in (at, time)]
        verdict = told(solve_episode(self.detective, section_id, at), here)
        table = _ranked(trace, verdict, own, nearest)
        for one in here:
            mine = table["source_id"] == one.source_id
            table.loc[mine, "evidence"] = table.loc[mine, "evidence"].map(lambda said, one=one: (one.told, *said))
        asked_at = at if time is None else time
        return replace(trace, time=asked_at, table=table.assign(time=asked_at), unlisted=verdict.unlisted)

    def table(self) -> pd.DataFrame:
        """Every episode on record at its peak, its ranked causes one below the other."""
        found = episodes(self.network, self.detective.series)
        tables = [self.explain(episode.section_id, episode.peak).table for episode in found]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, "inventory_kg_d"])


def told(verdict: Verdict, found: Sequence[FieldFinding]) -> Verdict:
    """A verdict that knows what was found on the spot: who is excluded falls out, who is confirmed stands alone."""
    if not found:
        return verdict
    confirmed = {one.source_id for one in found if one.verdict != EXCLUDED}
    excluded = {one.source_id for one in found if one.verdict == EXCLUDED}
    kept = [
        cause.probability * (cause.source_id not in excluded and (not confirmed or cause.source_id in confirmed))
        for cause in verdict.causes
    ]
    causes = verdict.causes
    if sum(kept) <= 0:  # whoever is confirmed was no candidate, or every candidate is excluded
        stands = sorted(confirmed) or ["NONE"]
        causes = (
            *(Cause(source, "", 0.0) for source in stands if source not in {c.source_id for c in causes}),
            *causes,
        )
        kept = [float(cause.source_id in stands) for cause in causes]
    odds = [replace(cause, probability=part / sum(kept)) for cause, part in zip(causes, kept, strict=True)]
    return replace(verdict, causes=tuple(odds))


def _ranked(trace: Trace, verdict: Verdict, own: Series, nearest: int) -> pd.DataFrame:
    """The inventory's rows with the verdict beside them; candidates that the inventory does not hold are added.

    Delivered load: what was ordinary at the section is shared as the inventory has it, what was above as the odds have it.
    """
    table = trace.table.drop(columns=["section_id", "time", "rank"])
    table["inventory_kg_d"] = table["delivered_kg_d"]
    by_id = {cause.source_id: cause for cause in verdict.causes}
    reaches = trace.network.reaches.index
    extra = [
        {
            "source_id": cause.source_id, "kind": cause.kind, "name": cause.source_id, "delivered_kg_d": np.nan,
            "basis": "" if cause.source_id == "NONE" else "learned", "load_kg_d": np.nan, "observed_on": "",
            "reach_id": str(reaches[cause.reach]) if cause.reach >= 0 else "", "crosses_unknown": False,
            "travel_time_d": _hours_away(verdict, cause.source_id) / 24,
        }
        for cause in verdict.causes
        if cause.source_id not in set(table["source_id"])
    ]  # fmt: skip
    if extra:
        table = pd.concat([table, pd.DataFrame(extra)], ignore_index=True)
    causes = [by_id.get(source) for source in table["source_id"]]
    odds = np.array([0.0 if cause is None else cause.probability for cause in causes])
    water = trace.discharge_m3_s * 86.4
    measured = trace.measured_kg_d
    ordinary = min(float(own.base[nearest]) * water, measured)
    raised = bool(exceeds(own.value[nearest], trace.target_mg_l))
    listed = table["inventory_kg_d"].fillna(0.0).to_numpy(np.float64)
    real = odds * (table["source_id"] != "NONE").to_numpy()
    delivered = (listed / listed.sum() if listed.sum() > 0 else listed) * ordinary + real * (measured - ordinary)
    table["delivered_kg_d"] = np.where(table["source_id"] == "NONE", np.nan, delivered)
    table["share"] = table["delivered_kg_d"] / measured if measured > 0 else np.nan
    table["probability"] = odds
    low, high = episode_band(table, ordinary, measured, own.spread)
    single = table["source_id"] == "NONE"
    table["share_low"] = np.where(single, np.nan, np.fmin(low, table["share"]))
    table["share_high"] = np.where(single, np.nan, np.fmax(high, table["share"]))
    table["release_from"] = [_stamp(None if c is None else c.start_h) for c in causes]
    table["release_to"] = [_stamp(None if c is None else c.end_h) for c in causes]
    table["released_kg"] = [np.nan if c is None else c.released_kg for c in causes]
    said = pulse_reasons(verdict, list(table["source_id"]))
    table["evidence"] = pd.Series([said[source] for source in table["source_id"]], index=table.index, dtype=object)
    first, second = (odds, table["delivered_kg_d"]) if raised else (table["delivered_kg_d"], odds)
    order = np.lexsort(
        (table["source_id"].astype(str), -np.nan_to_num(second), -np.nan_to_num(first), table["source_id"] == "NONE")
    )
    table = table.iloc[order].reset_index(drop=True)
    table = table.assign(section_id=trace.section_id, rank=np.arange(1, len(table) + 1), time="")
    return table.reindex(columns=[*COLUMNS, "inventory_kg_d"])


def _hours_away(verdict: Verdict, source: str) -> float:
    scene = verdict.scene
    places = scene.detective.places
    cause = next(c for c in verdict.causes if c.source_id == source)
    here = np.flatnonzero((places.reach == cause.reach) & (places.chainage_m == cause.chainage_m))
    return float(scene.passing.mean_h[here[0], scene.section]) if len(here) else float("nan")


def _stamp(time_h: float | None) -> str:
    return "" if time_h is None or not np.isfinite(time_h) else stamp(time_h)


def _unanswered(trace: Trace) -> Trace:
    """The inventory's trace where the section has no reading near the time asked."""
    why: Findings = (Finding("该断面在所问时刻前后 12 小时内没有读数，无法判断成因；以下只按名录负荷排序"),)
    said = pd.Series([why] * len(trace.table), index=trace.table.index, dtype=object)
    return replace(trace, table=trace.table.assign(evidence=said, inventory_kg_d=trace.table["delivered_kg_d"]))
