"""How the map looks: official class colours for class only; everything else in two greys and one blue."""

from __future__ import annotations

from typing import Any, Literal

from hydro.assessment.attainment import EQUAL, HOLDS, OVER, states
from hydro.assessment.standards import CLASSES, Standard

INK = "#1f2a33"
GREY = "#8d99a3"
BLUE = "#1667b7"
PATH = "#0b2f57"
FONT = '"Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", sans-serif'
Status = Literal["over", "at", "holds", "none"]
STATUS_OF: dict[str, Status] = {OVER: "over", EQUAL: "at", HOLDS: "holds"}
"""The standings that a map tells apart; equal (持平) attains with no margin."""


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


def status(value: float, target: float, mark: int = 0) -> Status:
    """``over``, ``at`` (持平: attains with no margin), ``holds`` or ``none`` (nothing measured, or no target).

    An exceedance is the raw value above the target, not rounded; ``mark``: of the month, as :class:`hydro.assessment.months.Months`
    has it (one of too few days has no standing).

    >>> status(0.301, 0.3), status(0.3, 0.3), status(0.29, 0.3), status(float("nan"), 0.3)
    ('over', 'at', 'holds', 'none')
    """
    return STATUS_OF.get(str(states(value, target, mark)), "none")
