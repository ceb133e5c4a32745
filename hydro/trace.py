"""Whose phosphorus is it: the ranked sources of a section at a time, from the inventory and the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.assessment.attainment import exceeds
from hydro.assessment.months import monthly_means
from hydro.assessment.standards import Standard
from hydro.delivery import Delivery, delivery_ratios
from hydro.errors import BalanceError, HydroError
from hydro.load import ESTIMATED, diffuse_loads, source_loads
from hydro.network import RiverNetwork
from hydro.observations import Reading
from hydro.route import BALANCE_TOLERANCE, forward, place_loads, section_loads, source_nodes
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S, conditions
from hydro.upstream import steps_to

COLUMNS = (
    "section_id",
    "time",
    "rank",
    "source_id",
    "kind",
    "name",
    "share",
    "share_low",
    "share_high",
    "delivered_kg_d",
    "travel_time_d",
    "probability",
    "release_from",
    "release_to",
    "released_kg",
    "evidence",
    "basis",
    "load_kg_d",
    "observed_on",
    "reach_id",
    "delivery_ratio",
    "crosses_unknown",
)


@dataclass(frozen=True)
class Trace:
    """Where the load of one section comes from. Made by :func:`trace_sources`.

    ``table`` has a row a source (``COLUMNS``), ranked by delivered load. ``measured_kg_d`` is TP x discharge at the
    section (NaN where unmeasured), ``explained_kg_d`` what the listed sources deliver, ``unexplained_kg_d`` the rest of
    the measured load, positive or negative; it is shown, never scaled away.  ``unlisted`` is reach -> probability that an
    unlisted outlet on it is the cause (empty where causes were not judged).
    """

    network: RiverNetwork
    section_id: str
    time: str | None
    table: pd.DataFrame
    target_mg_l: float
    measured: Reading | None
    discharge_m3_s: float
    measured_kg_d: float
    explained_kg_d: float
    delivery: Delivery
    unlisted: Mapping[str, float] = field(default_factory=dict)

    @property
    def measured_mg_l(self) -> float:
        """Measured TP, NaN where unmeasured."""
        return float("nan") if self.measured is None else self.measured.value

    @property
    def explained_mg_l(self) -> float:
        """The concentration that the listed sources explain; NaN where no water flows."""
        water = self.discharge_m3_s * KG_D_PER_MG_L_M3_S
        return self.explained_kg_d / water if water > 0 else float("nan")

    @property
    def unexplained_kg_d(self) -> float:
        """Measured less explained load; NaN where unmeasured."""
        return self.measured_kg_d - self.explained_kg_d

    @property
    def margin_mg_l(self) -> float:
        """Target less measured TP: 0 is exactly on target (attained), negative an exceedance."""
        return self.target_mg_l - self.measured_mg_l

    @property
    def exceeds(self) -> bool:
        """Whether the section is over its target."""
        return bool(exceeds(self.measured_mg_l, self.target_mg_l))

    @property
    def odds(self) -> dict[str, float]:
        """Probability of every candidate, where causes were judged."""
        judged = self.table.dropna(subset=["probability"])
        return dict(zip(judged["source_id"].astype(str), judged["probability"].astype(float), strict=True))

    def way_from(self, reach_id: str) -> tuple[str, ...]:
        """The reaches from one of them down to the section, by the way that carries most; () if its water does not come."""
        ratio = self.delivery.ratio[:, 0] * self.delivery.solver.passed.share
        start, own = self.network.reach_position[reach_id], int(self.delivery.section_reach[0])
        if start != own and ratio[start] <= 0:
            return ()
        return tuple(str(self.network.reaches.index[r]) for r in steps_to(self.network, ratio, start, [own]))

    def path(self, source_id: str) -> tuple[str, ...]:
        """The reaches from a point source down to the section, by the way that carries most of its load."""
        return source_path(self.network, self.delivery, source_id)


def trace_sources(network: RiverNetwork, section: str, *, time: str | None = None) -> Trace:
    """Rank the sources of a section's load at a time; any section at any time, exceeding or not.

    ``section`` by id or name; ``time`` an ISO month, day or stamp, the newest measured one where none is given.
    ``share`` is the delivered load over the measured load of the section (over the modelled one where unmeasured); the
    delivered loads add up to the load routed to the section, or BalanceError is raised.
    Raises HydroError for an unknown section, a time off the record, or a flow that is not known.
    """
    section_id = network.section_id(section)
    time = newest_time(network, section_id) if time is None else known_time(network, time)
    given = conditions(network, time)
    delivery = delivery_ratios(network, section_id, given=given)
    sources = source_loads(network, time)
    diffuse = diffuse_loads(network, given)
    table = _delivered(network, delivery, sources, diffuse)
    _check_sum(network, delivery, sources, diffuse, section_id, float(table["delivered_kg_d"].sum()))

    reach = int(delivery.section_reach[0])
    seen = network.observations
    measured = None if time is None else seen.at("section", section_id, "TP", time)
    flow = None if time is None else seen.at("section", section_id, "discharge", time)
    water = float(given.discharge_m3_s[reach]) if flow is None or flow.value < 0 else flow.value
    measured_kg_d = float("nan") if measured is None else measured.value * water * KG_D_PER_MG_L_M3_S
    explained = float(table["delivered_kg_d"].sum())
    whole = explained if np.isnan(measured_kg_d) else measured_kg_d
    table["share"] = table["delivered_kg_d"] / whole if whole > 0 else np.nan
    table = table.sort_values(["delivered_kg_d", "source_id"], ascending=[False, True], kind="stable")
    table = table.assign(section_id=section_id, time=time or "", rank=np.arange(1, len(table) + 1))
    return Trace(
        network=network,
        section_id=section_id,
        time=time,
        table=table.reindex(columns=list(COLUMNS)).reset_index(drop=True),
        target_mg_l=network.targets.at(section_id, time),
        measured=measured,
        discharge_m3_s=water,
        measured_kg_d=measured_kg_d,
        explained_kg_d=explained,
        delivery=delivery,
    )


def newest_time(network: RiverNetwork, section_id: str) -> str | None:
    """The newest time with a TP reading at the section; ``None`` where there is none."""
    reading = network.observations.newest("section", section_id, "TP")
    return None if reading is None else reading.time


def known_time(network: RiverNetwork, time: str) -> str:
    """The time as asked, if the project's record covers it. Raises HydroError ``time_off_record`` otherwise."""
    times = network.observations.times("section")
    if times and not any(
        network.observations.at("section", str(s), parameter, time)
        for s in network.sections.index
        for parameter in ("TP", "discharge")
    ):
        raise HydroError(
            "time_off_record",
            "{time} 没有任何断面的监测数据。本项目的数据从 {first} 到 {last}",
            time=time,
            first=times[0],
            last=times[-1],
        )
    return time


def exceedances(network: RiverNetwork, standard: Standard | None = None) -> pd.DataFrame:
    """Every month in which a section's TP is above its target: section_id, time (the month), tp_mg_l, target_mg_l.

    By the months that count, as the board does: several readings are averaged, too few days are no month; what
    ``standard`` holds impossible is left out where it is given.
    """
    columns = ["section_id", "time", "tp_mg_l", "target_mg_l"]
    months = monthly_means(network.observations.compact, list(map(str, network.sections.index)), standard=standard)
    if "TP" not in months.values:
        return pd.DataFrame(columns=columns)
    value, target = months.counted("TP"), network.targets.by_month(months.sections, months.months)
    section, month = np.nonzero(exceeds(value, target))
    found = np.array(months.sections, dtype=object)[section], months.months[month].astype(str).astype(object)
    return pd.DataFrame(dict(zip(columns, (*found, value[section, month], target[section, month]), strict=True)))


def source_delivery(
    network: RiverNetwork, delivery: Delivery, sources: pd.DataFrame
) -> tuple[Float, Float, NDArray[np.bool_]]:
    """Delivery ratio, travel time (d) and unknown-gate flag of every source. (sources × sections) each."""
    node = source_nodes(network, sources)
    by_node = node >= 0
    shape = (len(sources), len(delivery.sections))
    ratio, time, unknown = np.zeros(shape), np.full(shape, np.nan), np.zeros(shape, bool)
    inside = sources[~by_node]
    reach = np.array([network.reach_position[r] for r in inside["reach_id"]], np.int_)
    ratio[~by_node], time[~by_node], unknown[~by_node] = delivery.from_places(
        reach, inside["chainage_m"].to_numpy(np.float64)
    )
    at = node[by_node]
    ratio[by_node], unknown[by_node] = delivery.node_ratio[at], delivery.node_unknown[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = delivery.node_moment[at] / delivery.node_ratio[at]
    time[by_node] = np.where((ratio[by_node] > 0) & ~unknown[by_node], mean, np.nan)
    return ratio, time, unknown


def source_path(network: RiverNetwork, delivery: Delivery, source_id: str) -> tuple[str, ...]:
    """The reaches from a source to the (only) section of ``delivery``, by the way that carries most; () if none does."""
    sources = source_loads(network, delivery.given.time)
    if source_id not in sources.index:
        return ()
    row = sources.loc[[source_id]]
    node = int(source_nodes(network, row)[0])
    ratio = delivery.ratio[:, 0] * delivery.solver.passed.share
    own = int(delivery.section_reach[0])
    if node >= 0:
        ways = [r for r in network.leaving(node) if ratio[r] > 0]
        if not ways:
            return ()
        start = max(ways, key=lambda r: float(ratio[r]))
    else:
        start = network.reach_position[str(row["reach_id"].iloc[0])]
        if source_delivery(network, delivery, row)[0][0, 0] <= 0:
            return ()
    return tuple(str(network.reaches.index[r]) for r in steps_to(network, ratio, start, [own]))


def _delivered(network: RiverNetwork, delivery: Delivery, sources: pd.DataFrame, diffuse_kg_d: Float) -> pd.DataFrame:
    """A row a source that reaches the section: the point sources, the inbound rivers, and diffuse load as one."""
    ratio, time, unknown = source_delivery(network, delivery, sources)
    table = sources.assign(
        delivery_ratio=ratio[:, 0],
        travel_time_d=time[:, 0],
        crosses_unknown=unknown[:, 0],
        delivered_kg_d=sources["load_kg_d"].to_numpy(np.float64) * ratio[:, 0],
    )
    table = table[table["delivery_ratio"] > 0].reset_index()
    washed = diffuse_kg_d * delivery.ratio[:, 0]
    total, arrives = float(washed.sum()), float(diffuse_kg_d[delivery.ratio[:, 0] > 0].sum())
    times = delivery.travel_time_d[:, 0]
    timed = (washed > 0) & np.isfinite(times)
    row = {
        "source_id": "DIFFUSE",
        "kind": "diffuse",
        "name": "DIFFUSE",
        "reach_id": "",
        "load_kg_d": arrives,
        "basis": ESTIMATED,
        "observed_on": "",
        "delivery_ratio": total / arrives if arrives > 0 else np.nan,
        "travel_time_d": float(washed[timed] @ times[timed] / washed[timed].sum()) if timed.any() else np.nan,
        "crosses_unknown": bool((delivery.crosses_unknown[:, 0] & (washed > 0)).any()),
        "delivered_kg_d": total,
    }
    return pd.concat([table, pd.DataFrame([row])], ignore_index=True)


def _check_sum(
    network: RiverNetwork, delivery: Delivery, sources: pd.DataFrame, diffuse: Float, section: str, delivered: float
) -> None:
    placed = place_loads(network, sources, diffuse)
    _, heads, _ = forward(delivery.solver, placed)
    routed = float(section_loads(network, delivery.solver, heads, placed)[section])
    if not abs(delivered - routed) <= BALANCE_TOLERANCE * max(routed, 1.0):
        raise BalanceError(
            "delivered_sum",
            "到达断面 {section} 的各来源之和与断面负荷相差 {residual:.3g} kg/d。这是程序缺陷，请报告",
            section=section,
            residual=delivered - routed,
        )
