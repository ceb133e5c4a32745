"""What an effluent looks like: NH3N and COD per TP, from its own samples, else from its type.

Ratios survive dilution, so the excess at a station carries the ratio of what was released. A sample of one day is a
fingerprint, not a load: single samples scatter by about 20 % in the logarithm, independently for each parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.columns import text
from hydro.network import RiverNetwork
from hydro.topology import Float

OTHERS = ("NH3N", "COD")
"""The parameters that are compared with TP."""

SORTS: dict[str, tuple[float, float, float, float]] = {
    "municipal": (7.5, 60.0, 0.30, 0.30),
    "wwtp": (5.6, 68.0, 0.25, 0.25),
    "livestock": (4.9, 38.0, 0.30, 0.30),
    "aquaculture": (2.0, 32.0, 0.25, 0.25),
    "food": (1.8, 100.0, 0.25, 0.35),
    "storm": (3.0, 130.0, 0.30, 0.35),
    "chemical": (0.33, 5.8, 0.25, 0.30),
}
"""Typical NH3N/TP and COD/TP of a kind of effluent, and their scatter (log) between sources: editable, textbook order."""

WORDS = {
    "wwtp": ("污水处理厂", "wwtp", "plant"),
    "storm": ("雨洪", "雨水", "storm", "其他排口"),
    "livestock": ("畜禽", "养殖场", "livestock"),
    "aquaculture": ("水产", "aquaculture"),
    "food": ("食品", "food", "酿造", "屠宰"),
    "chemical": ("化工", "磷化", "chemical"),
    "municipal": ("生活", "城镇", "municipal", "sewage"),
}
RATIO_ERROR = 0.15
"""What decay and dispersion of the other parameter may add to a ratio on its way, relative."""
SAMPLE_SPREAD = 0.20
"""Scatter (log) of one sample of an effluent about its mean."""
WASH_OFF = (3.0, 150.0, 0.35, 0.35)
"""NH3N/TP and COD/TP of wash-off, and their scatter (log): rich in particles and organic matter, poor in ammonia."""


@dataclass(frozen=True)
class Fingerprint:
    """A mixture of log-normal ratios: ``log_ratio`` and ``spread`` (kinds × 2), ``weight`` (kinds,)."""

    log_ratio: Float
    spread: Float
    weight: Float
    sampled: bool = False

    @property
    def ratio(self) -> Float:
        """NH3N/TP and COD/TP in the (geometric) mean of the mixture. (2,)"""
        return np.asarray(np.exp(self.weight @ self.log_ratio), np.float64)


NODE, PART = (np.asarray(x, np.float64) for x in np.polynomial.hermite_e.hermegauss(9))
PART = PART / PART.sum()


class Prints:
    """Many fingerprints side by side, padded to the same number of kinds. (prints × kinds × 2)"""

    def __init__(self, prints: Sequence[Fingerprint]) -> None:
        kinds = max((len(one.weight) for one in prints), default=1)
        self.ratio = np.array([one.ratio for one in prints]).reshape(-1, len(OTHERS))
        self.log_ratio = np.zeros((len(prints), kinds, len(OTHERS)))
        self.spread = np.ones_like(self.log_ratio)
        self.weight = np.zeros((len(prints), kinds))
        for i, one in enumerate(prints):
            count = len(one.weight)
            self.log_ratio[i, :count], self.spread[i, :count] = one.log_ratio, one.spread
            self.weight[i, :count] = one.weight

    def of_fit(self, which: NDArray[np.int_], mass: Float, precision: Float) -> Float:
        """ln p of a fit's masses of the other parameters, relative to their own best fit. (n,)

        ``which`` (n,) is the fingerprint held against each row; ``mass`` and ``precision`` (n × 1 to 3) the best estimates
        (TP first) and one over their variances (kg⁻²), 0 where nothing was measured. The log-normal is integrated by
        Gauss–Hermite quadrature.
        """
        with np.errstate(divide="ignore"):
            total = np.log(self.weight[which])
        for i in range(mass.shape[1] - 1):
            mean, spread = self.log_ratio[which, :, i, None], self.spread[which, :, i, None]
            expected = mass[:, 0, None, None] * np.exp(mean + spread * NODE)
            sharp = precision[:, i + 1, None, None]
            blur = (RATIO_ERROR * expected) ** 2 * sharp
            off = sharp * (mass[:, i + 1, None, None] - expected) ** 2 / (1 + blur)
            total = total + _log_sum(-0.5 * off - 0.5 * np.log1p(blur) + np.log(PART))
        return _log_sum(total)


def _log_sum(terms: Float) -> Float:
    """ln of the sum of exponentials over the last axis."""
    top = terms.max(axis=-1)
    return np.asarray(top + np.log(np.exp(terms - top[..., None]).sum(axis=-1)), np.float64)


def of_sorts(weights: dict[str, float]) -> Fingerprint:
    """The fingerprint of a source of which only the likely kinds are known."""
    total = sum(weights.values())
    rows = [SORTS[name] for name in weights]
    return Fingerprint(
        np.log(np.array([row[:2] for row in rows])),
        np.array([row[2:] for row in rows]),
        np.array([weight / total for weight in weights.values()]),
    )


def wash_off() -> Fingerprint:
    """The fingerprint of wash-off."""
    return Fingerprint(np.log(np.array([WASH_OFF[:2]])), np.array([WASH_OFF[2:]]), np.ones(1))


def unlisted() -> Fingerprint:
    """The fingerprint of an outlet that nobody has listed: any kind but a works'."""
    return of_sorts({"municipal": 0.36, "livestock": 0.28, "chemical": 0.18, "food": 0.12, "aquaculture": 0.06})


def fingerprints(network: RiverNetwork) -> dict[str, Fingerprint]:
    """The fingerprint of every outlet and plant."""
    sampled = _samples(network)
    found: dict[str, Fingerprint] = {}
    for table, fallback in (("outlets", ""), ("plants", "wwtp")):
        frame: pd.DataFrame = getattr(network, table)
        told = text(frame, "subtype").str.cat(text(frame, "type"), sep=" ").str.cat(text(frame, "name"), sep=" ")
        for source, words in zip(map(str, frame.index), told, strict=True):
            sort = fallback or _sort(words)
            prior = of_sorts({sort: 1.0}) if sort else unlisted()
            found[source] = _with_samples(prior, sampled.get(source))
    return found


def _sort(words: str) -> str:
    """The kind of effluent that a description names; "" where it names none."""
    lower = words.lower()
    for sort, marks in WORDS.items():
        if any(mark in lower for mark in marks):
            return sort
    return ""


def _samples(network: RiverNetwork) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Logarithms of the effluent concentrations on record, by source and parameter."""
    table = network.observations.table
    parameters = ("TP", *OTHERS)
    rows = table[table["station_kind"].isin(["outlet", "plant"]) & table["parameter"].isin(parameters)]
    value = pd.to_numeric(rows["value"], errors="coerce")
    rows = rows.assign(value=value)[(value > 0).fillna(False).to_numpy(bool)]
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for (source, parameter), mine in rows.groupby(["station_id", "parameter"])["value"]:
        found.setdefault(str(source), {})[str(parameter)] = np.log(mine.to_numpy(np.float64))
    return found


def _with_samples(prior: Fingerprint, samples: dict[str, NDArray[np.float64]] | None) -> Fingerprint:
    """Narrow a fingerprint by a source's own samples; a kind that is only guessed at gives way to them."""
    if not samples or "TP" not in samples:
        return prior
    known = len(prior.weight) == 1
    log_ratio, spread = prior.weight @ prior.log_ratio, prior.spread[0] * (1.0 if known else 5.0)
    for i, parameter in enumerate(OTHERS):
        own = samples.get(parameter)
        if own is None:
            continue
        seen = float(own.mean() - samples["TP"].mean())
        error = SAMPLE_SPREAD**2 * (1 / len(own) + 1 / len(samples["TP"]))
        gain = spread[i] ** 2 / (spread[i] ** 2 + error)
        log_ratio[i] += gain * (seen - log_ratio[i])
        spread[i] *= np.sqrt(1 - gain)
    return Fingerprint(log_ratio[None, :], spread[None, :], np.ones(1), True)
