"""Phosphorus from the land by export coefficients: what each use of it gives off in a year, between a low and a high.

The export-coefficient model (Johnes 1996, doi:10.1016/0022-1694(95)02951-6): ``L = Σ A_use · E_use · λ_use`` kg/a, with the
area A (ha), the coefficient E (kg/ha/a) and the share λ that is delivered to the river (1 where the table has none).
Coefficients are textbook ranges and belong to the caller: low and high are carried through; the best estimate is
``√(low · high)``, the middle of a range that spans a factor and not a difference.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.errors import Fault, FaultsError
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S

DAYS_PER_YEAR = 365.25
HA_PER_KM2 = 100.0
PER_AREA = "kg/ha/a"


def export_tp(area_km2: pd.DataFrame, source_type: Mapping[str, str], coefficients: pd.DataFrame) -> pd.DataFrame:
    """Diffuse TP of every piece of land: columns tp_kg_a, tp_low_kg_a, tp_high_kg_a, counted_km2, uncounted_km2.

    ``area_km2``: a row a piece of land, a column a class of land use. ``source_type``: class → row of ``coefficients``
    (columns source_type, unit, low, high, delivered_low, delivered_high), blank for a class that has none: its area is
    ``uncounted_km2`` and gives nothing. Raises FaultsError for a class that leads to no coefficient of an area.
    """
    table = coefficients.set_index(text(coefficients, "source_type").to_numpy())
    faults = []
    for name in map(str, area_km2.columns):
        wanted = source_type.get(name, "")
        if wanted and (wanted not in table.index or str(table.loc[wanted, "unit"]) != PER_AREA):
            message = "用地类 {name} 对应的 {source} 不在输出系数表里，或其单位不是 kg/ha/a。请改正用地类表或补上系数"
            faults.append(Fault("no_coefficient", message, {"name": name, "source": wanted}, "landcover", name))
    if faults:
        raise FaultsError(faults)
    counted = [name for name in area_km2.columns if source_type.get(str(name), "")]
    rows = table.loc[[source_type[str(name)] for name in counted]]
    low = (number(rows, "low") * number(rows, "delivered_low").fillna(1.0)).to_numpy(np.float64)
    high = (number(rows, "high") * number(rows, "delivered_high").fillna(1.0)).to_numpy(np.float64)
    hectares = area_km2[counted].to_numpy(np.float64) * HA_PER_KM2
    return pd.DataFrame(
        {
            "tp_kg_a": hectares @ np.sqrt(low * high),
            "tp_low_kg_a": hectares @ low,
            "tp_high_kg_a": hectares @ high,
            "counted_km2": hectares.sum(axis=1) / HA_PER_KM2,
            "uncounted_km2": area_km2.drop(columns=counted).sum(axis=1).to_numpy(np.float64),
        },
        index=area_km2.index,
    )


def lateral_tp_mg_l(tp_kg_a: Float, lateral_m3_s: Float) -> Float:
    """Concentration of a reach's lateral inflow that brings a yearly load; NaN where no water comes in to carry it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = tp_kg_a / DAYS_PER_YEAR / (lateral_m3_s * KG_D_PER_MG_L_M3_S)
    return np.where(lateral_m3_s > 0, found, np.nan)
