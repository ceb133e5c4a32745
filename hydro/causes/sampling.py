"""Where to take the next sample, and whose outlet to visit first: whatever is expected to tell most about the cause.

A sample is a question with two answers, and tells at most one bit (Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x):
``h(p) = −p log₂ p − (1 − p) log₂(1 − p)`` where p is the probability of a yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from hydro.columns import text
from hydro.trace import Trace
from hydro.upstream import upstream_of_reach

SURE = 0.9
LEADING = 6
"""Places on the ways down from so many leading candidates are weighed."""
NOT_A_PLACE = ("DIFFUSE", "NONE")
WORTH_A_VISIT = 0.005
PATROL_COLUMNS = (
    "order", "source_id", "kind", "name", "probability", "information_bits", "river", "reach_id", "chainage_m",
    "to_section_km", "route", "county", "town", "grid_owner",
)  # fmt: skip


class SamplePlace(NamedTuple):
    """A place on the river (``reach_id``, at its upstream end), or a source itself where ``reach_id`` is blank.

    ``above`` is the probability that the cause lies upstream of it; ``source_id`` the most probable source; ``bits`` what
    the sample is expected to tell, ``hours_before`` how long before the section the same water passes here (NaN unknown).
    """

    reach_id: str
    source_id: str
    above: float
    bits: float = float("nan")
    hours_before: float = float("nan")


def information_bits(probability: float) -> float:
    """What the answer to a yes-or-no question tells on average, in bits: 1 at even odds, 0 where it is known."""
    if not 0 < probability < 1:
        return 0.0
    return float(-probability * np.log2(probability) - (1 - probability) * np.log2(1 - probability))


def candidate_reaches(trace: Trace, probability: Mapping[str, float]) -> dict[str, float]:
    """Reach -> probability that the cause enters on it: listed sources where they stand, unlisted outlets by their odds."""
    place = dict(zip(trace.table["source_id"], trace.table["reach_id"], strict=True))
    found: dict[str, float] = {}
    for source, odds in probability.items():
        at = str(place.get(source, ""))
        if odds > 0 and source != "UNREGISTERED" and at in trace.network.reach_position:
            found[at] = found.get(at, 0.0) + odds
    whole = sum(trace.unlisted.values())
    for reach, odds in trace.unlisted.items():
        found[reach] = found.get(reach, 0.0) + odds / whole * probability.get("UNREGISTERED", 0.0)
    return {reach: odds for reach, odds in found.items() if odds > 0}


def bracket(trace: Trace, part: float = 0.9) -> tuple[str, ...]:
    """The fewest reaches on which the cause entered with this probability, likeliest first, given that it entered on one."""
    odds = candidate_reaches(trace, trace.odds)
    ranked = sorted(odds, key=lambda reach: -odds[reach])
    passed = np.cumsum([odds[reach] for reach in ranked])
    return tuple(ranked[: int(np.searchsorted(passed, part * passed[-1])) + 1]) if ranked else ()


def next_sample(trace: Trace, probability: Mapping[str, float]) -> SamplePlace | None:
    """Where a sample tells most, given who may have caused what a section shows.

    A sample on the river tells whether the cause lies above it or below. Among the reaches on the ways from the leading
    candidates down to the section, the best is the one above which half of the probability stands. Where one source is
    nearly certain (0.9), its own outlet is sampled. ``None`` where no place on a river is a candidate.
    """
    network = trace.network
    odds = candidate_reaches(trace, probability)
    if not odds:
        return None
    table = trace.table.set_index("source_id")["reach_id"]
    listed = {s: p for s, p in probability.items() if p > 0 and str(table.get(s, "")) in odds}
    first = max(listed, key=lambda s: listed[s]) if listed else "UNREGISTERED"
    ways = [trace.way_from(reach) for reach in sorted(odds, key=lambda reach: -odds[reach])[:LEADING]]
    if listed.get(first, 0.0) >= SURE or max(map(len, ways)) < 2:
        return SamplePlace("", first, listed[first], information_bits(listed[first])) if listed else None
    reach = np.array([network.reach_position[at] for at in odds])
    mass = np.array(list(odds.values()))
    total = float(sum(probability.values()))
    best: SamplePlace | None = None
    for reach_id in dict.fromkeys(reach_id for way in ways for reach_id in way[1:]):
        here = network.reach_position[reach_id]
        above = upstream_of_reach(network, here)
        above[here] = False
        part = float(mass[above[reach]].sum()) / total
        bits = information_bits(part)
        if best is None or bits > best.bits:
            hours = float(trace.delivery.travel_time_d[here, 0]) * 24
            best = SamplePlace(reach_id, first, part, bits, hours)
    return best


def patrol(trace: Trace, probability: Mapping[str, float] | None = None) -> pd.DataFrame:
    """The outlets to visit, in the order in which visiting them tells most (``PATROL_COLUMNS``).

    Each stop is the one whose answer, after nothing was found at the stops before, is expected to tell most; that is the
    order of probability: at most one can be above one half, and none below tells more than it.  ``probability`` is that of
    the trace; ``information_bits`` what the stop tells when it is reached. ``route`` is the way of its water down to the
    section, as rivers; ``to_section_km`` its length.  A stretch where an unlisted outlet is likely is a stop of kind
    ``unregistered``, to be walked.
    """
    odds = {s: p for s, p in (trace.odds if probability is None else probability).items() if s not in NOT_A_PLACE}
    network, table = trace.network, trace.table.set_index("source_id")
    rivers = text(network.reaches, "river")
    stops: list[tuple[str, str, float]] = [
        (source, str(table.at[source, "reach_id"]), p) for source, p in odds.items() if source in table.index
    ]
    whole, hidden = sum(trace.unlisted.values()), odds.get("UNREGISTERED", 0.0)
    stops = [stop for stop in stops if stop[0] != "UNREGISTERED" and stop[1] in network.reach_position]
    stops += [("UNREGISTERED", reach, hidden * part / whole) for reach, part in trace.unlisted.items() if whole > 0]
    rows: list[dict[str, object]] = []
    left = 1.0
    for source, reach, p in sorted(stops, key=lambda stop: (-stop[2], stop[0], stop[1])):
        if p < WORTH_A_VISIT:
            break
        way = trace.way_from(reach)
        whose = _register(trace, source)
        chainage = float(str(whose.get("chainage_m") or "nan"))
        rows.append(
            {
                "order": len(rows) + 1,
                "source_id": source,
                "kind": str(table.at[source, "kind"]) if source in table.index else "unregistered",
                "name": str(table.at[source, "name"]) if source in table.index else source,
                "probability": p,
                "information_bits": information_bits(min(p / max(left, p), 1.0)),
                "river": rivers[reach],
                "reach_id": reach,
                "chainage_m": chainage,
                "to_section_km": _length_m(trace, way, chainage) / 1000,
                "route": tuple(dict.fromkeys(rivers[step] or step for step in way)),
                **{name: str(whose.get(name) or "") for name in ("county", "town", "grid_owner")},
            }
        )
        left = max(left - p, 0.0)
    return pd.DataFrame(rows, columns=list(PATROL_COLUMNS))


def _register(trace: Trace, source: str) -> Mapping[str, object]:
    """The row of an outlet or plant in its register; empty for anything else."""
    for frame in (trace.network.outlets, trace.network.plants):
        if source in frame.index:
            row = frame.loc[source]
            return {str(name): "" if pd.isna(value) else value for name, value in row.items()}
    return {}


def _length_m(trace: Trace, way: tuple[str, ...], chainage_m: float) -> float:
    """River length from a place on the first reach of a way to the section on its last."""
    network = trace.network
    length = network.topology.length_m[[network.reach_position[reach] for reach in way]]
    _, end = network.position("sections", trace.section_id)
    start = chainage_m if np.isfinite(chainage_m) else 0.0
    return float(max(length[:-1].sum() + end - start, 0.0)) if len(way) else float("nan")
