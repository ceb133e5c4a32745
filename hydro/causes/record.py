"""The record as arrays: what sections and sources said, month by month.

Attribution compares months; finer readings are averaged into their month first.  Times are months throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.columns import number, text
from hydro.load import permit_load_kg_d, point_discharge_m3_s, source_loads
from hydro.network import RiverNetwork
from hydro.observations import BELOW_DETECTION
from hydro.topology import Bool, Float
from hydro.transport import KG_D_PER_MG_L_M3_S, REFERENCE_TEMP_C

FLOW_ERROR = 0.06
"""Relative error of a monthly mean discharge; sets how far one gauge may stand out from all others of its month."""

RAIN_TO_FLOW = 0.75
"""Flow ~ rain^0.75 between months of one basin; used only where a month has rain and no gauged discharge at all."""


@dataclass(frozen=True)
class Record:
    """Sections × months and sources × months, NaN where nothing was read. Made by :func:`compile_record`.

    ``flow_factor`` is the discharge of a month over the tabled one, per section, pooled over the gauges: what one gauge
    alone says is drawn towards what all say together, by how much the gauges disagree.
    """

    network: RiverNetwork
    months: tuple[str, ...]
    sections: tuple[str, ...]
    sources: pd.DataFrame
    tp_mg_l: Float
    below: Bool
    flow_factor: Float
    flow_seen: Bool
    reported_kg_d: Float
    rain_mm: Float
    water_temp_c: Float
    target_mg_l: Float

    @cached_property
    def month_position(self) -> dict[str, int]:
        """Month -> column."""
        return {month: i for i, month in enumerate(self.months)}

    @cached_property
    def section_position(self) -> dict[str, int]:
        """Section id -> row."""
        return {section: i for i, section in enumerate(self.sections)}

    @cached_property
    def basin_factor(self) -> Float:
        """The flow factor of the basin as a whole, one a month: the geometric mean over its sections. (months,)"""
        return np.asarray(np.exp(np.log(self.flow_factor).mean(axis=0)), np.float64)

    @cached_property
    def discharge_m3_s(self) -> Float:
        """Best estimate of the discharge at every section and month."""
        reach = [
            self.network.reach_position[str(r)] for r in self.network.sections.loc[list(self.sections), "reach_id"]
        ]
        return np.asarray(self.network.topology.discharge_m3_s[reach][:, None] * self.flow_factor, np.float64)

    @cached_property
    def load_kg_d(self) -> Float:
        """Measured load of the sections: TP × the best estimate of the discharge."""
        return np.asarray(self.tp_mg_l * self.discharge_m3_s * KG_D_PER_MG_L_M3_S, np.float64)

    @cached_property
    def capacity_kg_d(self) -> Float:
        """The load at which a section stands exactly on its target; NaN without a target."""
        return np.asarray(self.target_mg_l * self.discharge_m3_s * KG_D_PER_MG_L_M3_S, np.float64)


def compile_record(network: RiverNetwork, sections: Sequence[str]) -> Record:
    """Gather the observations of some sections, and of all sources, into months."""
    sections = list(sections)
    tp = _monthly(network, "section", "TP")
    discharge = _monthly(network, "section", "discharge")
    months = tuple(sorted(set(tp.columns) | set(discharge.columns)))
    tp, discharge = (frame.reindex(index=sections, columns=list(months)) for frame in (tp, discharge))
    rain, temperature = _weather(network, months)
    sources = _sources(network)
    reach = [network.reach_position[str(r)] for r in network.sections.loc[sections, "reach_id"]]
    seen = discharge.to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(seen / network.topology.discharge_m3_s[reach][:, None])
    ratio[~np.isfinite(ratio)] = np.nan
    values = tp.to_numpy(np.float64)
    return Record(
        network=network,
        months=months,
        sections=tuple(sections),
        sources=sources,
        tp_mg_l=np.where(values > 0, values, np.nan),
        below=_below(network, sections, months),
        flow_factor=np.exp(_pool(ratio, rain)),
        flow_seen=np.isfinite(ratio),
        reported_kg_d=_reported(network, sources, months),
        rain_mm=rain,
        water_temp_c=temperature,
        target_mg_l=network.targets.by_month(sections, months),
    )


def _monthly(network: RiverNetwork, kind: str, parameter: str) -> pd.DataFrame:
    """Station × month means of one parameter; what stands for a whole year is the mean of no month."""
    frame = network.observations.frame(kind, parameter)
    frame = frame[frame.index.astype(str).str.len() >= len("2022-07")]
    return frame.groupby(frame.index.astype(str).str[:7]).mean().T


def _below(network: RiverNetwork, sections: Sequence[str], months: tuple[str, ...]) -> Bool:
    table = network.observations.table
    rows = table[
        (table["station_kind"] == "section") & (table["parameter"] == "TP") & table["qualifier"].isin(BELOW_DETECTION)
    ]
    hit = set(zip(rows["station_id"].astype(str), rows["time"].astype(str).str[:7], strict=True))
    return np.array([[(section, month) in hit for month in months] for section in sections], bool).reshape(
        len(sections), len(months)
    )


def _sources(network: RiverNetwork) -> pd.DataFrame:
    """The point sources and inbound rivers with what their permits say: permit_kg_d, subtype and reports added."""
    sources = source_loads(network)
    sources["permit_kg_d"], sources["subtype"], sources["reports"] = np.nan, "", False
    for frame, kind in ((network.outlets, "outlet"), (network.plants, "plant")):
        known = [i for i in frame.index if i in sources.index]
        sources.loc[known, "permit_kg_d"] = permit_load_kg_d(frame, point_discharge_m3_s(frame, kind)).loc[known]
        sources.loc[known, "subtype"] = kind if kind == "plant" else text(frame, "subtype").loc[known]
        sources.loc[known, "reports"] = (number(frame, "reports").loc[known] == 1).to_numpy(bool)
    inbound = sources["kind"] == "inbound"
    sources.loc[inbound, "permit_kg_d"] = sources.loc[inbound, "load_kg_d"]
    return sources


def _reported(network: RiverNetwork, sources: pd.DataFrame, months: tuple[str, ...]) -> Float:
    """Load that every source reported in every month: TP_load, else TP × discharge. (sources × months)"""
    told = np.full((len(sources), len(months)), np.nan)
    for kind in ("outlet", "plant", "boundary"):
        rows = np.flatnonzero((sources["kind"] == ("inbound" if kind == "boundary" else kind)).to_numpy())
        ids = [str(i).removeprefix("INBOUND:") for i in sources.index[rows]]
        load, tp, water = (
            _monthly(network, kind, p).reindex(index=ids, columns=list(months)).to_numpy(np.float64)
            for p in ("TP_load", "TP", "discharge")
        )
        if kind == "boundary":
            tabled = sources["discharge_m3_s"].to_numpy(np.float64)[rows]
            water = np.where(np.isfinite(water), water, tabled[:, None])
        told[rows] = np.where(np.isfinite(load), load, tp * water * KG_D_PER_MG_L_M3_S)
    told[~(told > 0)] = np.nan
    return told


def _weather(network: RiverNetwork, months: tuple[str, ...]) -> tuple[Float, Float]:
    """Rain (mm, NaN unknown) and water temperature (°C, 20 unknown) of every month."""
    weather = network.weather
    if weather.empty or "time" not in weather:
        return np.full(len(months), np.nan), np.full(len(months), REFERENCE_TEMP_C)
    place = text(weather, "place")
    month = weather["time"].astype(str).str[:7]
    by_place = number(weather, "rain_mm").groupby([month, place]).sum(min_count=1)
    rain = by_place.groupby(level=0).mean().reindex(list(months)).to_numpy(np.float64)
    temperature = number(weather, "water_temp_c").groupby(month).mean().reindex(list(months))
    celsius = temperature.fillna(REFERENCE_TEMP_C).to_numpy(np.float64)
    return np.asarray(rain, np.float64), np.asarray(celsius, np.float64)


def _pool(ratio: Float, rain: Float) -> Float:
    """Log flow factor of every section and month from the gauges' log ratios (NaN: not gauged).

    Section effect + month effect, the rest kept by the part of its variance that exceeds the error of a gauge.
    A month without any gauge takes its effect from the rain; without rain it counts as an ordinary month.
    """
    seen = np.isfinite(ratio)
    section, month = np.zeros(len(ratio)), np.zeros(ratio.shape[1])
    if not seen.any():
        return np.zeros_like(ratio)
    filled = np.where(seen, ratio, 0.0)
    for _ in range(20):
        month = (filled - seen * section[:, None]).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        rest = np.where(seen, filled - month, 0.0)
        section = rest.sum(axis=1) / (seen.sum(axis=1) + (FLOW_ERROR / 0.1) ** 2)
    unseen = np.asarray(~seen.any(axis=0), np.bool_)
    if unseen.any():
        month[unseen] = _month_from_rain(month, rain, unseen)
    rest = np.where(seen, filled - section[:, None] - month, 0.0)
    spread = float(np.median(np.abs(rest[seen])) * 1.4826)
    kept = max(0.0, 1 - FLOW_ERROR**2 / spread**2) if spread > 0 else 0.0
    return np.asarray(section[:, None] + month + kept * rest, np.float64)


def _month_from_rain(month: Float, rain: Float, unseen: NDArray[np.bool_]) -> Float:
    wet = np.log(np.maximum(rain, 1.0))
    known = ~unseen & np.isfinite(wet)
    if not known.any():
        return np.zeros(int(unseen.sum()))
    centre = float(wet[known].mean())
    level = float(month[known].mean())
    return np.asarray(np.where(np.isfinite(wet), level + RAIN_TO_FLOW * (wet - centre), level)[unseen], np.float64)
