"""Magnitudes that a unit hardly allows: asked, never converted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.schema import Attribute
from layers import units
from layers.columns import Match
from layers.formats.sources import Layer
from layers.report import Proposal, Report

MOST_MG_L: Mapping[str, float] = {"TP": 20.0, "NH3N": 500.0, "COD": 5000.0, "CODMn": 500.0, "DO": 30.0, "TN": 500.0}
"""A concentration above this is more likely in another unit than real; it is asked, never converted."""


LEAST_PLANT_M3_D = 200.0
"""A plant's capacity below this in a column without a unit is more likely in 万吨/日."""


def ask_magnitude(
    column: pd.Series[float], match: Match, attribute: Attribute, unit: str, layer: Layer, report: Report
) -> None:
    """Ask for the unit of a column whose numbers are too great or too small for the one it seems to have."""
    if attribute.unit == "mg/L" and "tp" in attribute.name:
        ask_concentration(np.asarray(column, np.float64), "TP", match.source, unit, layer, report)
    capacity = attribute.name in ("design_discharge_m3_d", "actual_discharge_m3_d") and not unit
    if capacity and match.source.lower() != attribute.name:
        most = float(np.nanmax(column)) if column.notna().any() else np.nan
        if 0 < most < LEAST_PLANT_M3_D:
            report.ask(
                layer.label,
                "列“{column}”没有写单位，最大值只有 {value:g}：是 m3/d 吗？",
                [
                    Proposal(f"--unit {match.source}=万吨/日", "按万吨/日，最大 {most:g} m3/d", {"most": most * 1e4}),
                    Proposal(f"--unit {match.source}=m3/d", "按 m3/d，最大 {most:g} m3/d", {"most": most}),
                ],
                column=match.source,
                value=most,
            )


def ask_concentration(
    found: NDArray[np.float64], parameter: str, source: str, unit: str, layer: Layer, report: Report
) -> None:
    """Ask whether concentrations beyond anything measured in rivers are in another unit."""
    most = MOST_MG_L.get(parameter)
    if most is None or not (found > most).any():
        return
    high = float(np.nanmax(found))
    report.ask(
        layer.label,
        "列“{column}”的 {parameter} 有 {count} 个值高于 {most:g} mg/L（最高 {high:g} mg/L）：单位对吗？",
        [
            Proposal(
                f"--unit {source}=ug/L",
                "按 μg/L，最高 {value:g} mg/L",
                {"value": high / (1000 if units.plain(unit) != "ug/l" else 1)},
            ),
            Proposal(f"--unit {source}=mg/L", "确认为 mg/L，保留原值"),
        ],
        column=source,
        parameter=parameter,
        count=int((found > most).sum()),
        most=most,
        high=high,
    )
