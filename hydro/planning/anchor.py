"""Where a plan starts from: what was measured, where it was; the model tells only how far the plan moves it.

A model explains a section's load in part. A reader who knows that 0.341 mg/L was measured cannot use a plan that starts at the
modelled 0.300. So of a month that was measured the plan starts at the reading, ``L = 86.4 C Q``, and takes off what the model
says it removes: the load that no register explains is carried through unchanged. Where the registers have more load than was
measured, a removal counts in that proportion, ``min(1, L_measured / L_modelled)``: nothing is taken off twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hydro.network import RiverNetwork
from hydro.planning.effect import Situation, concentration, holds
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S


def measured_tp(network: RiverNetwork, sections: Sequence[str], time: str | None) -> Float:
    """TP measured at that time, mg/L; NaN where it was not, or no time is told. (sections,)"""
    readings = [None if time is None else network.observations.at("section", one, "TP", time) for one in sections]
    return np.array([np.nan if one is None else one.value for one in readings], np.float64)


def expected_tp(measured_mg_l: Float, before: tuple[Float, Float], after: tuple[Float, Float]) -> tuple[Float, Float]:
    """TP after a change that starts from the measured value, and the load it stands for: mg/L and kg/d. (sections,) each

    ``before`` and ``after`` are modelled load (kg/d) and water (m³/s). NaN where nothing was measured.
    """
    load, water = before
    start = measured_mg_l * water * KG_D_PER_MG_L_M3_S
    moved = after[0] - load
    known = np.divide(start, load, out=np.ones_like(load), where=load > 0)
    left = start + np.where(moved < 0, np.minimum(known, 1.0), 1.0) * moved
    return concentration(left, after[1]), left


def from_measured(table: pd.DataFrame, situations: Sequence[Situation]) -> pd.DataFrame:
    """A comparison (:func:`hydro.compare`) with every measured section starting from its reading.

    Its tp, load, change and holds columns change in the rows whose condition is a time at which the section was measured;
    ``basis`` tells which: ``monitored``, else ``modelled``. ``modelled_before_mg_l`` and ``modelled_after_mg_l`` keep the
    model's own.

    >>> import hydro.planning.anchor
    >>> hydro.planning.anchor.expected_tp(np.array([0.5]), (np.array([40.0]), np.array([1.0])), (np.array([30.0]), np.array([1.0])))[0].round(3)
    array([0.384])
    """
    stands = {stand.condition.name: stand for stand in situations}
    parts = [_from_measured(rows, stands[str(name)]) for name, rows in table.groupby("condition", sort=False)]
    return pd.concat(parts) if parts else table


def _from_measured(rows: pd.DataFrame, stand: Situation) -> pd.DataFrame:
    columns = ("load_before_kg_d", "discharge_before_m3_s", "load_after_kg_d", "discharge_after_m3_s")
    load_1, water_1, load_2, water_2 = (rows[name].to_numpy(np.float64) for name in columns)
    start = measured_tp(stand.network, list(rows["section_id"].astype(str)), stand.condition.time)
    end, left = expected_tp(start, (load_1, water_1), (load_2, water_2))
    told = np.isfinite(start) & np.isfinite(end)
    rows = rows.assign(
        basis=np.where(told, "monitored", "modelled"),
        modelled_before_mg_l=rows["tp_before_mg_l"],
        modelled_after_mg_l=rows["tp_after_mg_l"],
    )
    goal = rows["target_mg_l"].to_numpy(np.float64)
    anchored = {
        "tp_before_mg_l": start,
        "tp_after_mg_l": end,
        "change_mg_l": end - start,
        "load_before_kg_d": start * water_1 * KG_D_PER_MG_L_M3_S,
        "load_after_kg_d": left,
        "holds_before": holds(start * water_1 * KG_D_PER_MG_L_M3_S, water_1, goal),
        "holds_after": holds(left, water_2, goal),
    }
    return rows.assign(**{name: np.where(told, value, rows[name]) for name, value in anchored.items()})
