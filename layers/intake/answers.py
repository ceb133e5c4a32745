"""The user's answers to an import's questions, each the option that a proposal names, gathered into Options."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydro.errors import HydroError
from layers.intake.intake import Options
from layers.report import Proposal

WORD = re.compile(r"--(?P<name>[a-z-]+)(?:\s+(?P<value>.*))?", re.S)
LISTED = {"unit": "units", "table": "tables", "place": "places"}
PLAIN = {"crs": "crs", "datum": "datum", "dates": "dates"}
METRES = {"snap": "snap_m", "point-snap": "point_snap_m"}


def open_ended(proposal: Proposal) -> bool:
    """Whether a proposal only says what kind of answer is wanted, and the user has to write it."""
    return proposal.option.rpartition(" ")[2] in ("EPSG", "FILE", "X,Y")


def answered(given: Iterable[str], columns: Path | None = None) -> Options:
    """Options that a list of answers makes; of two answers to the same question the later one counts.

    ``columns`` is the file of ``--map``.  Raises HydroError for what is no answer.

    >>> answered(["--swap-axes --crs 4526", "--unit 设计规模=万吨/日"]).crs
    '4526'
    """
    options = Options(map=columns)
    for option in given:
        options = _with(options, option)
    return options


def _with(options: Options, option: str) -> Options:
    said = option.strip()
    if said.startswith("--swap-axes"):
        options, said = replace(options, swap_axes=True), said.removeprefix("--swap-axes").strip()
    if not said:
        return options
    found = WORD.fullmatch(said)
    name, value = (found["name"], (found["value"] or "").strip()) if found else ("", "")
    if name in PLAIN and value:
        return _changed(options, PLAIN[name], value)
    if name in METRES and re.fullmatch(r"\d+(\.\d+)?", value):
        return _changed(options, METRES[name], float(value))
    if name == "mouth" and value:
        return replace(options, mouths=(*options.mouths, value))
    if name in LISTED and "=" in value:
        key, _, meant = value.rpartition("=")
        return _changed(options, LISTED[name], {**getattr(options, LISTED[name]), key: meant})
    raise HydroError("no_answer", "“{option}”不是可用的回答。", option=option)


def _changed(options: Options, field: str, value: Any) -> Options:
    changed: dict[str, Any] = {field: value}
    return replace(options, **changed)
