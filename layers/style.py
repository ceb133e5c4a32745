"""How the map looks: official class colours for class only; everything else in two greys and one blue."""

from __future__ import annotations

from typing import Any

from hydro.standards import CLASSES, Standard

INK = "#1f2a33"
GREY = "#8d99a3"
BLUE = "#1667b7"
PATH = "#0b2f57"
FONT = '"Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", sans-serif'
AT_TARGET_MG_L = 0.0005
"""Closer to the target than half of the last decimal that TP is reported with: equal to it."""


def map_style(standard: Standard) -> dict[str, Any]:
    """Colours and type of the map, as the browser reads them."""
    return {
        "classes": [[name, standard.grades[name].colour] for name in CLASSES],
        "unknown": "#ffffff",
        "river": "#7fa3c4",
        "riverName": "#3c6a94",
        "traced": BLUE,
        "front": "#bfe1ff",
        "bracket": "#f28c28",
        "path": PATH,
        "edge": "#ffffff",
        "quiet": GREY,
        "district": "#66727c",
        "district_fill": "#ffffff",
        "district_line": "#c9d0d6",
        "font": FONT,
    }


def status(value: float, target: float) -> str:
    """``over``, ``at`` (持平: attains with no margin), ``holds`` or ``none`` (nothing measured, or no target).

    An exceedance is the raw value above the target, not rounded.

    >>> status(0.301, 0.3), status(0.3, 0.3), status(0.29, 0.3), status(float("nan"), 0.3)
    ('over', 'at', 'holds', 'none')
    """
    if value > target:
        return "over"
    if value > target - AT_TARGET_MG_L:
        return "at"
    return "holds" if value <= target else "none"
