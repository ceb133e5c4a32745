"""The flow conditions that a plan must hold in, taken from what the sections measured: dry, normal, flood; low and high decay."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hydro.network import RiverNetwork
from hydro.planning.effect import Condition

DRY, NORMAL, FLOOD, DRY_SLOW, DRY_FAST = "枯水", "平水", "汛期", "枯水·低降解", "枯水·高降解"
FLOOD_MONTHS = (6, 7, 8, 9)
FEWEST_MONTHS = 12
CUSTOMARY = {DRY: 0.6, NORMAL: 1.0, FLOOD: 2.0}
"""Flow factors where too little is measured to know better (M)."""
DAYS = {DRY: 121.0, NORMAL: 122.0, FLOOD: 122.0}
LOW_DECAY, HIGH_DECAY = 0.5, 2.0
"""TP decay on plain rivers is known within a factor of two (0.03–0.10 per day is common)."""


def seasons(network: RiverNetwork) -> dict[str, Condition]:
    """The five conditions by name; the dry month is the one that nine months in ten exceed (90 % 保证率).

    Normal is the tables' own discharge. A factor is measured over tabled discharge, the median over sections of: the 10 %
    quantile of the months (dry), the median of June to September (flood). With fewer than twelve months on record the customary
    factors stand. The three dry ones share a season, since a gate cannot be set by a decay that nobody knows.
    """
    factor = _measured(network) or CUSTOMARY
    plain = {name: Condition(name, flow_factor=factor[name], season=name, days=DAYS[name]) for name in CUSTOMARY}
    slow, fast = (
        Condition(name, flow_factor=factor[DRY], decay_factor=decay, season=DRY, days=DAYS[DRY])
        for name, decay in ((DRY_SLOW, LOW_DECAY), (DRY_FAST, HIGH_DECAY))
    )
    return {NORMAL: plain[NORMAL], DRY: plain[DRY], FLOOD: plain[FLOOD], DRY_SLOW: slow, DRY_FAST: fast}


def _measured(network: RiverNetwork) -> dict[str, float] | None:
    seen = network.observations.frame("section", "discharge")
    if seen.empty:
        return None
    month = pd.PeriodIndex(seen.index.astype(str).str[:7], freq="M")
    monthly = seen.groupby(month, sort=False).mean()
    reaches = [network.position("sections", str(section))[0] for section in monthly.columns]
    tabled = network.topology.discharge_m3_s[reaches]
    long = (monthly.notna().sum(axis=0) >= FEWEST_MONTHS).to_numpy() & (tabled > 0)
    if not long.any():
        return None
    share = monthly.to_numpy(np.float64)[:, long] / tabled[long]
    flood = share[np.isin(month.unique().month, FLOOD_MONTHS)]
    if not np.isfinite(flood).any(axis=0).all():
        return None
    return {
        DRY: float(np.median(np.nanquantile(share, 0.1, axis=0))),
        NORMAL: 1.0,
        FLOOD: float(np.median(np.nanmedian(flood, axis=0))),
    }
