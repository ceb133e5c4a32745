"""A rain on the basin: what washes off and spills, what that makes of every section, and how likely it breaks a target.

**Runoff** by curve number (USDA NEH 630 ch. 10): ``S = 25400/CN − 254``, ``Q = (P − 0.2 S)² / (P + 0.8 S)`` mm.
**Wash-off** by event mean concentration: load = runoff × EMC. Chosen over build-up/wash-off because it has one parameter
that has been measured widely (US EPA 1983, NURP: TP 0.383 mg/L, coefficient of variation 0.69, residential land) where
build-up needs four that no plain here has. **Spills**: rain gets into sewers; what a plant cannot take goes by untreated
and diluted. **Arrival** by time-area (Clark 1945): every reach gives its runoff evenly over rain and drainage time, later
by its travel time to the section; loads decay on their way; water follows the splits. Concentration is that of the hour,
``(base load + storm load) / (base water + storm water)``, and the peak its largest value.

All coefficients are rules of thumb (M) and belong to the caller: see :class:`WashOff`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.delivery import delivery_ratios
from hydro.errors import HydroError
from hydro.network import RiverNetwork
from hydro.planning.effect import BASELINE, Condition, Situation, concentration, situation
from hydro.planning.scenario import Scenario, change, scenario
from hydro.route import Placed, forward
from hydro.topology import Float
from hydro.trace import source_delivery
from hydro.transport import KG_D_PER_MG_L_M3_S, SECONDS_PER_DAY, VELOCITY_EXPONENT

LONGEST_H = 24 * 30
MOST_MM = 1000.0


@dataclass(frozen=True)
class WashOff:
    """Coefficients of a storm. ``*_cv`` are coefficients of variation of log-normal factors, one draw a basin."""

    curve_number: float = 80.0
    event_mean_mg_l: float = 0.383
    event_mean_cv: float = 0.69
    runoff_cv: float = 0.3
    base_cv: float = 0.15
    drain_h: float = 12.0
    sewer_inflow_per_mm: float = 0.015
    sewer_dry_mm: float = 10.0
    raw_sewage_mg_l: float = 4.0


DEFAULT_WASH_OFF = WashOff()


def runoff_mm(rain_mm: Float | float, curve_number: float = 80.0) -> Float:
    """Runoff depth of a rain by curve number; nothing below the initial abstraction of 0.2 S."""
    store = 25_400 / curve_number - 254
    over = np.maximum(np.asarray(rain_mm, np.float64) - 0.2 * store, 0.0)
    return np.asarray(over**2 / (over + store), np.float64)


def rain_for_mm(runoff: Float | float, curve_number: float = 80.0) -> Float:
    """The rain that gives a runoff depth: the inverse of :func:`runoff_mm` above the initial abstraction."""
    store = 25_400 / curve_number - 254
    depth = np.asarray(runoff, np.float64)
    return np.asarray(0.2 * store + (depth + np.sqrt(depth**2 + 4 * depth * store)) / 2, np.float64)


def storm(
    base: RiverNetwork | Scenario,
    rain_mm: float | pd.Series[float],
    *,
    hours: float = 24.0,
    condition: Condition = BASELINE,
    wash_off: WashOff = DEFAULT_WASH_OFF,
    draws: int = 500,
    seed: int = 0,
    measured_mg_l: Mapping[str, float] | None = None,
    target_mg_l: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """What a rain makes of every section: one row each, the most endangered first.

    ``rain_mm`` falls in ``hours``: one number, or a series by reach_id (from a table or a raster). Columns section_id,
    name, target_mg_l, base_mg_l (before the rain: measured where it is, less what the scenario takes away), storm_factor
    (target / base), peak_mg_l (median), peak_p90_mg_l, hours_to_peak, probability (of exceeding the target), breaks,
    breaking_rain_mm (the uniform rain of that duration that would just break it; NaN: none would, since the rain dilutes).
    ``measured_mg_l`` and ``target_mg_l`` (by section; NaN: not known) stand before the records and the tabled targets:
    what a board has judged a month to be, and the target that held in it.
    Raises HydroError for a rain that is not a positive number and for reaches without a catchment area.
    """
    found = scenario(base)
    network = found.network
    fallen = _rain(network, rain_mm, hours)
    stand = situation(network, condition)
    before = _before(stand, found, measured_mg_l or {})
    water = _runoff_m3_s(network, fallen, hours, wash_off)
    arriving = _arrivals(stand, water, _spills(stand, fallen, wash_off), hours, wash_off)
    rng = np.random.default_rng(seed)
    factors = [_draws(rng, cv, draws) for cv in (wash_off.event_mean_cv, wash_off.runoff_cv, wash_off.base_cv)]
    held = target_mg_l or {}
    tabled = network.targets.of_sections(stand.delivery.sections, condition.time)
    target = [held.get(one, float(own)) for one, own in zip(stand.delivery.sections, tabled, strict=True)]
    names = text(network.sections, "name")
    rows = []
    for s, section in enumerate(stand.delivery.sections):
        load, flow = before[0][s], before[1][s]
        washed, ran, spilt = (part[:, s] for part in arriving)
        middle = _hourly(load, flow, washed + spilt, ran)
        peaks = _peaks(load, flow, washed, ran, spilt, factors)
        tp = float(concentration(load, flow))
        rows.append(
            {
                "section_id": section,
                "name": names[section],
                "target_mg_l": target[s],
                "base_mg_l": tp,
                "storm_factor": target[s] / tp if tp > 0 else np.nan,
                "peak_mg_l": float(np.nanmax(middle, initial=tp)),
                "peak_p90_mg_l": float(np.quantile(peaks, 0.9)),
                "hours_to_peak": int(np.nanargmax(middle)) if np.isfinite(middle).any() else -1,
                "probability": float((peaks > target[s]).mean()) if np.isfinite(target[s]) else np.nan,
                "breaks": bool(np.nanmax(middle, initial=tp) > target[s]),
                "breaking_rain_mm": _breaking_rain(load, flow, washed, ran, target[s], fallen, wash_off),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["probability", "peak_mg_l"], ascending=False, kind="stable", ignore_index=True)


def flood_intensity(
    network: RiverNetwork, *, months: Sequence[int] = (6, 7, 8, 9), targets: pd.DataFrame | None = None
) -> pd.DataFrame:
    """汛期污染强度: in every flood season on record, each section's leading pollutant over its target, ranked.

    ``targets`` (section_id × parameter, mg/L) adds parameters to TP, whose target is that of the season's last month.
    Columns year, rank, section_id, name, parameter, mean, target, intensity; above 1 the season's mean exceeds.
    """
    others = pd.DataFrame() if targets is None else targets.drop(columns="TP", errors="ignore")
    rows = []
    for parameter in ("TP", *others):
        seen = network.observations.frame("section", str(parameter))
        month = pd.PeriodIndex(seen.index.astype(str).str[:7], freq="M")
        season = seen[np.isin(month.month, list(months))]
        means = season.groupby(month[np.isin(month.month, list(months))].year).mean()
        for section in means.columns.intersection(network.sections.index if parameter == "TP" else others.index):
            known = means[section].dropna()
            for year, mean in zip(known.index, known.to_numpy(np.float64), strict=True):
                end = f"{year}-{max(months):02d}"
                target = network.targets.at(section, end) if parameter == "TP" else float(others[parameter][section])
                rows.append((int(str(year)), section, str(parameter), float(mean), target, float(mean) / target))
    table = pd.DataFrame(rows, columns=["year", "section_id", "parameter", "mean", "target", "intensity"])
    leading = table.sort_values("intensity", ascending=False, kind="stable").drop_duplicates(["year", "section_id"])
    leading = leading.sort_values(["year", "intensity"], ascending=[False, False], ignore_index=True)
    leading.insert(1, "rank", leading.groupby("year").cumcount() + 1)
    leading.insert(3, "name", text(network.sections, "name").reindex(leading["section_id"]).to_numpy())
    return leading


def _rain(network: RiverNetwork, rain_mm: float | pd.Series[float], hours: float) -> Float:
    if isinstance(rain_mm, pd.Series):
        fallen = np.asarray(rain_mm.reindex(network.reaches.index), np.float64)
    else:
        fallen = np.full(len(network.reaches), float(rain_mm), np.float64)
    if not (np.isfinite(fallen).all() and (fallen >= 0).all() and np.isfinite(hours) and hours > 0):
        raise HydroError("rain_value", "雨量须为每个河段不小于 0 的毫米数，历时须大于 0 小时。请改正")
    return fallen


def _runoff_m3_s(network: RiverNetwork, fallen: Float, hours: float, wash_off: WashOff) -> Float:
    area = number(network.reaches, "area_km2")
    if area.isna().all():
        raise HydroError("no_area", "河段没有集水面积（area_km2），无法推算降雨径流。请补上，或由地形划分汇水区")
    volume_m3 = runoff_mm(fallen, wash_off.curve_number) * area.fillna(0.0).to_numpy() * 1000
    return np.asarray(volume_m3 / ((hours + wash_off.drain_h) * 3600), np.float64)


def _before(stand: Situation, found: Scenario, told: Mapping[str, float]) -> tuple[Float, Float]:
    """Load and water at every section before the rain: measured where there is a reading, less what measures take."""
    modelled, _ = stand.at_sections(change(stand, ()))
    load, water = stand.at_sections(change(stand, found.measures, water=found.water))
    seen, time = stand.network.observations, stand.condition.time
    for s, section in enumerate(stand.delivery.sections):
        reading = seen.newest("section", section, "TP", time) if section not in told else None
        value = told.get(section, np.nan if reading is None or time is None else reading.value)
        if np.isfinite(value):
            measured = value * stand.section_discharge_m3_s[s] * KG_D_PER_MG_L_M3_S
            load[s] = max(measured + load[s] - modelled[s], 0.0)
    return load, water


def _spills(stand: Situation, fallen: Float, wash_off: WashOff) -> tuple[Float, Float]:
    """Untreated load (kg/d) and water (m³/s) that every source spills: plants only, beyond their design. (sources,)"""
    network = stand.network
    load, water = np.zeros((2, len(stand.sources)))
    design = number(network.plants, "design_discharge_m3_d") / SECONDS_PER_DAY
    for plant in map(str, network.plants.index):
        i = stand.position[plant]
        reach = network.reach_position.get(str(stand.sources["reach_id"].iloc[i]), -1)
        wet_mm = max(float(fallen[reach]) - wash_off.sewer_dry_mm, 0.0) if reach >= 0 else 0.0
        inflow = stand.water_m3_s[i] * (1 + wash_off.sewer_inflow_per_mm * wet_mm)
        if np.isfinite(design[plant]) and inflow > max(float(design[plant]), stand.water_m3_s[i]):
            water[i] = inflow - max(float(design[plant]), stand.water_m3_s[i])
            diluted = wash_off.raw_sewage_mg_l * stand.water_m3_s[i] / inflow
            load[i] = water[i] * diluted * KG_D_PER_MG_L_M3_S
    return load, water


def _arrivals(
    stand: Situation, runoff: Float, spilt: tuple[Float, Float], hours: float, wash_off: WashOff
) -> tuple[Float, Float, Float]:
    """Washed-off load, water of the storm, and spilt load arriving at every section by the hour. (hours, sections) each"""
    network, topology = stand.network, stand.network.topology
    nothing = Placed(np.zeros(topology.node_count), runoff, np.zeros(0, np.int_), np.zeros(0), np.zeros(0))
    swollen = stand.given.discharge_m3_s + forward(stand.water.solver, nothing)[2]
    before = stand.given.discharge_m3_s
    factor = np.divide(swollen, before, out=np.ones_like(swollen), where=before > 0)
    fast = replace(
        stand.given,
        discharge_m3_s=swollen,
        velocity_m_s=stand.given.velocity_m_s * np.power(factor, VELOCITY_EXPONENT),
    )
    delivery = delivery_ratios(network, list(stand.delivery.sections), given=fast)
    ratio, late_d, _ = source_delivery(network, delivery, stand.sources)
    washed = runoff * wash_off.event_mean_mg_l * KG_D_PER_MG_L_M3_S
    lasts = round(hours + wash_off.drain_h)
    load = _by_hour(washed[:, None] * delivery.ratio, delivery.travel_time_d, lasts)
    water = _by_hour(runoff[:, None] * stand.water.ratio, delivery.travel_time_d, lasts)
    water += _by_hour(spilt[1][:, None] * stand.source_share, late_d, lasts)
    return load, water, _by_hour(spilt[0][:, None] * ratio, late_d, lasts)


def _by_hour(rate: Float, late_d: Float, lasts_h: int) -> Float:
    """Sum of blocks of ``lasts_h`` hours, each delayed by its travel time (unknown: not at all). (hours, sections)"""
    start = np.clip(np.nan_to_num(np.round(late_d * 24), posinf=LONGEST_H), 0, LONGEST_H).astype(np.int_)
    hours = LONGEST_H + lasts_h + 1
    steps = np.zeros((hours + 1, rate.shape[1]))
    columns = np.broadcast_to(np.arange(rate.shape[1]), rate.shape)
    np.add.at(steps, (start, columns), rate)
    np.add.at(steps, (start + lasts_h, columns), -rate)
    return np.asarray(np.maximum(np.cumsum(steps, axis=0)[:hours], 0.0), np.float64)


def _hourly(load: float, flow: float, more_load: Float, more_flow: Float) -> Float:
    return concentration(load + more_load, flow + more_flow)


def _peaks(load: float, flow: float, washed: Float, ran: Float, spilt: Float, factors: list[Float]) -> Float:
    """Largest concentration in each draw. Hours in which nothing of the storm passes are the base and count once."""
    busy = (washed > 0) | (ran > 0) | (spilt > 0)
    event, runoff, base = (factor[:, None] for factor in factors)
    storm_load = event * runoff * washed[busy] + spilt[busy]
    tp = concentration(base * load + storm_load, flow + runoff * ran[busy])
    still = concentration(factors[2] * load, np.full(len(factors[2]), flow))
    return np.asarray(np.fmax(np.nanmax(tp, axis=1, initial=0.0), np.nan_to_num(still)), np.float64)


def _draws(rng: np.random.Generator, cv: float, count: int) -> Float:
    """Log-normal factors of median 1 and coefficient of variation ``cv``."""
    return np.asarray(np.exp(rng.normal(0.0, np.sqrt(np.log1p(cv**2)), count)), np.float64)


def _breaking_rain(
    load: float, flow: float, washed: Float, ran: Float, target: float, fallen: Float, wash_off: WashOff
) -> float:
    """The least uniform rain that breaks the target: runoff scales load and water alike, so each hour has one answer."""
    depth = float(runoff_mm(fallen, wash_off.curve_number).max(initial=0.0))
    if not np.isfinite(target):
        return float("nan")
    room = KG_D_PER_MG_L_M3_S * target * flow - load
    if room < 0:
        return 0.0
    gain = washed - KG_D_PER_MG_L_M3_S * target * ran
    if depth <= 0 or gain.max(initial=0.0) <= 0:
        return float("nan")
    rain = float(rain_for_mm(depth * room / gain.max(), wash_off.curve_number))
    return rain if rain <= MOST_MM else float("nan")
