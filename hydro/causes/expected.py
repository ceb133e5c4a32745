"""What every section should carry in every month, learned from all sections and months together.

A chronic error (a permit that was never true, an outlet nobody listed, a decay coefficient off by a tenth) is there in
every month; an event is there in one.  So the loads that stay are estimated jointly over the whole record, and only what
is left over is anybody's event.  The expected load of section s in month m is

    L = Σ_j D_j(x κ) · report_jm or permit_j · u_j  +  Σ_g D_g(x κ) · h_g  +  a · f_m^γ · Σ_r D_r(x κ) · lateral_r

with a factor u_j a source, an unlisted load h_g a stretch between sections, the diffuse scale a and its flow exponent γ,
and κ on the decay.  All are positive, so their logarithms are estimated: Gauss–Newton to the posterior mode, with each
reading weighted by the probability that no event touched it (a reading far above expectation is not allowed to teach).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from hydro.causes.pathways import Pathways, decay_number
from hydro.causes.record import Record
from hydro.topology import Float

LAB_ERROR = 0.07
"""Relative error of a TP value."""
FLOW_LEFT = 0.03
"""What is left of the discharge's error after pooling the gauges."""
BELOW_ERROR = 0.5
"""Relative error of a value below detection, taken as half its limit."""
MODEL_ERROR = 0.03
"""Relative error of the transport itself at a section."""
SOURCE_CHANGE = 0.145
"""How much a source's monthly load varies (log), beyond its own mean."""
INBOUND_JUMP = 3.0
"""An inbound river may rise by this factor beyond its flow, by the rain on its own land, before it counts as an event."""
INBOUND_CHANGE = 0.45
"""How much an inbound river's concentration varies between months (log)."""
REPORT_ERROR = 0.12
"""Error of a self-monitored load (log)."""
DIFFUSE_CHANGE = 0.10
"""How much diffuse load varies between months (log), beyond its rule."""
UNKNOWN_LOAD_KG_D = 1.0
"""Median of what an outlet without permit or report is taken to discharge, spread over two orders of magnitude."""

PRIOR_USE = (-0.2, 0.4)
"""Log of actual over permitted load: mean and spread before a project's own reports are looked at."""
PRIOR_EXPONENT = (1.4, 0.4)
"""Diffuse load ~ flow^γ: 1 where the concentration stays, more where rain washes the land."""
PRIOR_DIFFUSE = 0.35
PRIOR_DECAY = 0.08
PRIOR_CHRONIC = 2.0
"""Spread (log) of the unlisted load of a stretch."""
ITERATIONS = 12


@dataclass(frozen=True)
class Expected:
    """The chronic loads of a record. Made by :func:`learn`.

    ``load_kg_d`` is the expected load (sections × months); ``source_kg_d`` what every source discharges (sources ×
    months), ``change`` how far (log variance) a month may stray from it; ``chronic_kg_d`` the unlisted load of every
    stretch. ``delivered`` (months × sources × sections), ``along`` (months × segments × sections) are delivery ratios at
    the learned decay; ``diffuse_kg_d`` (sections × months). ``spread`` (months × sections × sections) is the covariance
    of the log load, lab and gauge errors left out. ``*_sd`` are the errors (log) of what was learned, ``diffuse_sd`` by month.
    """

    record: Record
    pathways: Pathways
    load_kg_d: Float
    source_kg_d: Float
    source_sd: Float
    chronic_kg_d: Float
    chronic_sd: Float
    delivered: Float
    along: Float
    along_stretch: Float
    diffuse_kg_d: Float
    spread: Float
    change: Float
    reading_error: Float
    decay_factor: float
    decay_sd: float
    diffuse_sd: Float
    diffuse_factor: float
    flow_exponent: float
    use_mean: float
    use_spread: float

    @cached_property
    def usual_kg_d(self) -> Float:
        """What every source is used to discharge in a month: its median; an inbound river's goes with its water."""
        inbound = (self.record.sources["kind"] == "inbound").to_numpy(bool)
        grows = np.where(inbound[:, None], self.record.basin_factor[None, :], 1.0)
        return np.asarray(np.median(self.source_kg_d / grows, axis=1)[:, None] * grows, np.float64)

    @cached_property
    def residual(self) -> Float:
        """Log of measured over expected load; NaN where unmeasured. (sections × months)"""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(self.record.load_kg_d / self.load_kg_d), np.float64)


@dataclass(frozen=True)
class _Prior:
    mean: Float
    sd: Float


def own_loads(record: Record) -> tuple[Float, Float, Float, float, float]:
    """What the sources say of themselves: base load, its log spread, monthly factor; and actual over permit (mean, spread).

    A source with reports has their median as its base, and in a reported month moves with its report as far as a
    report can be trusted; a jump (over a factor two) does not enter: it is evidence, weighed later.  A source without
    reports has its permit times what the reporting sources of the project make of theirs.  An inbound river's load goes
    with its water, and its concentration with the rain on its own land: it is compared at the flow of its month.
    """
    inbound = (record.sources["kind"] == "inbound").to_numpy(bool)
    grows = np.where(inbound[:, None], record.basin_factor[None, :], 1.0)
    told, permit = record.reported_kg_d / grows, record.sources["permit_kg_d"].to_numpy(np.float64)
    count = np.isfinite(told).sum(axis=1)
    with np.errstate(all="ignore"):
        logs = np.log(told)
        centre = np.array(
            [np.median(row[np.isfinite(row)]) if n else np.nan for row, n in zip(logs, count, strict=True)]
        )
        ratio = centre - np.log(permit)
    useful = np.isfinite(ratio) & (count >= 3) & (record.sources["kind"] != "inbound").to_numpy()
    weight = float(useful.sum())
    strength = 4.0
    mean = (strength * PRIOR_USE[0] + float(ratio[useful].sum())) / (strength + weight)
    square = strength * PRIOR_USE[1] ** 2 + float(((ratio[useful] - mean) ** 2).sum())
    spread = float(np.sqrt(square / (strength + weight)))
    use = np.where(
        np.isfinite(permit) & (permit > 0), np.log(np.where(permit > 0, permit, 1.0)) + mean, np.log(UNKNOWN_LOAD_KG_D)
    )
    has_permit = np.isfinite(permit) & (permit > 0)
    unlike = np.where(has_permit, spread, 1.5)
    own = np.sqrt((SOURCE_CHANGE**2 + REPORT_ERROR**2) / np.maximum(count, 1) + 0.05**2)
    base = np.where(count > 0, centre, use)
    sd = np.where(count > 0, own, unlike)
    move = logs - base[:, None]
    trust = SOURCE_CHANGE**2 / (SOURCE_CHANGE**2 + REPORT_ERROR**2)
    jump = np.log(np.where(inbound, INBOUND_JUMP, 2.0))[:, None]
    believed = np.where(inbound, 1.0, trust)[:, None]
    factor = np.where(np.isfinite(move) & (np.abs(move) < jump), np.exp(believed * np.nan_to_num(move)), 1.0)
    return np.exp(base), sd, factor * grows, mean, spread


def learn(record: Record, pathways: Pathways, calm: Float | None = None) -> Expected:
    """Estimate the chronic loads of a record.

    ``calm`` (sections × months) is the probability that no event touched a reading; without it, it is judged from the
    residuals themselves, one-sidedly: an event only adds load.
    """
    base, source_sd, factor, use_mean, use_spread = own_loads(record)
    monthly = base[:, None] * factor
    stretches = int(pathways.segments.stretch.max(initial=-1)) + 1
    sources = len(base)
    typical = _typical_chronic(record, pathways, stretches)
    mean = np.concatenate([np.zeros(sources), np.log(typical), [0.0, PRIOR_EXPONENT[0], 0.0]])
    sd = np.concatenate([source_sd, np.full(stretches, PRIOR_CHRONIC), [PRIOR_DIFFUSE, PRIOR_EXPONENT[1], PRIOR_DECAY]])
    prior = _Prior(mean, sd)
    theta = mean.copy()
    measured = record.load_kg_d
    seen = np.isfinite(measured)
    error = np.where(record.below, BELOW_ERROR, np.hypot(LAB_ERROR, FLOW_LEFT))
    change = _change(record)
    kept = calm
    parts = _parts(record, pathways, monthly, theta, stretches)
    precision = np.diag(1 / prior.sd**2)
    for _ in range(ITERATIONS):
        jacobian, load = parts.jacobian, parts.load
        variance = error**2 + MODEL_ERROR**2 + _own_variance(parts, change)
        with np.errstate(divide="ignore", invalid="ignore"):
            residual = np.where(seen, np.log(measured / load), 0.0)
        if calm is None:
            kept = _calm(residual, variance)
        weight = np.where(seen, (1.0 if kept is None else kept) / variance, 0.0).T.reshape(-1)
        flat = jacobian.reshape(-1, len(theta))
        precision = flat.T @ (flat * weight[:, None]) + np.diag(1 / prior.sd**2)
        gradient = flat.T @ (weight * residual.T.reshape(-1)) - (theta - prior.mean) / prior.sd**2
        step = cho_solve(cho_factor(precision), gradient)
        step = np.clip(step, -1.0, 1.0)
        theta = theta + step
        theta[-1] = np.clip(theta[-1], -0.9 * np.log(1.35), 0.9 * np.log(1.35))
        parts = _parts(record, pathways, monthly, theta, stretches)
        if np.abs(step).max(initial=0.0) < 1e-3:
            break
    covariance = cho_solve(cho_factor(precision), np.eye(len(theta)))
    chronic = np.exp(theta[sources : sources + stretches])
    grown = np.column_stack([np.ones(len(record.months)), np.log(record.basin_factor)])
    spread = np.einsum("msp,pq,mtq->mst", parts.jacobian, covariance, parts.jacobian, optimize=True)
    spread += _shared_change(parts, change)
    return Expected(
        record=record,
        pathways=pathways,
        load_kg_d=parts.load,
        source_kg_d=monthly * np.exp(theta[:sources])[:, None],
        source_sd=np.sqrt(np.diag(covariance)[:sources]),
        chronic_kg_d=chronic,
        chronic_sd=np.sqrt(np.diag(covariance)[sources : sources + stretches]),
        delivered=parts.delivered,
        along=parts.along,
        along_stretch=parts.along_stretch,
        diffuse_kg_d=parts.diffuse,
        spread=spread,
        change=change,
        reading_error=np.sqrt(error**2 + MODEL_ERROR**2),
        decay_factor=float(np.exp(theta[-1])),
        decay_sd=float(np.sqrt(covariance[-1, -1])),
        diffuse_sd=np.sqrt(np.einsum("mp,pq,mq->m", grown, covariance[-3:-1, -3:-1], grown)),
        diffuse_factor=float(np.exp(theta[-3])),
        flow_exponent=float(theta[-2]),
        use_mean=use_mean,
        use_spread=use_spread,
    )


@dataclass(frozen=True)
class _Parts:
    """Load, its composition and its derivative by every log parameter. Jacobian: (months × sections × parameters)."""

    load: Float
    diffuse: Float
    by_source: Float
    by_stretch: Float
    delivered: Float
    along: Float
    along_stretch: Float
    jacobian: Float


def _parts(record: Record, ways: Pathways, monthly: Float, theta: Float, stretches: int) -> _Parts:
    sources = len(monthly)
    x = decay_number(record) * np.exp(theta[-1])
    delivered, along, washed = ways.at(ways.source, x), ways.at(ways.segment, x), ways.at(ways.diffuse, x)
    along_stretch = stretch_mean(ways, along, stretches)
    use = monthly.T * np.exp(theta[:sources])
    by_source = delivered * use[:, :, None]
    by_stretch = along_stretch * np.exp(theta[sources:-3])[None, :, None]
    growth = record.basin_factor ** theta[-2]
    diffuse = np.exp(theta[-3]) * growth[:, None] * washed
    total = by_source.sum(axis=1) + by_stretch.sum(axis=1) + diffuse
    total = np.maximum(total, 1e-9)
    later = 1e-3
    moved = x * np.exp(later)
    ahead = (
        np.einsum("mjs,mj->ms", ways.at(ways.source, moved), use)
        + np.einsum("mgs,g->ms", stretch_mean(ways, ways.at(ways.segment, moved), stretches), np.exp(theta[sources:-3]))
        + np.exp(theta[-3]) * growth[:, None] * ways.at(ways.diffuse, moved)
    )
    by_decay = (np.log(np.maximum(ahead, 1e-9)) - np.log(total)) / later
    share = diffuse / total
    jacobian = np.concatenate(
        [
            (by_source / total[:, None, :]).transpose(0, 2, 1),
            (by_stretch / total[:, None, :]).transpose(0, 2, 1),
            share[:, :, None],
            (share * np.log(record.basin_factor)[:, None])[:, :, None],
            by_decay[:, :, None],
        ],
        axis=2,
    )
    return _Parts(total.T, diffuse.T, by_source, by_stretch, delivered, along, along_stretch, jacobian)


def stretch_mean(ways: Pathways, along: Float, stretches: int) -> Float:
    """Mean delivery of every stretch, its segments weighted by length. (months × stretches × sections)"""
    member = np.zeros((stretches, len(ways.segments.stretch)))
    member[ways.segments.stretch, np.arange(len(ways.segments.stretch))] = ways.segments.length_m
    member /= np.maximum(member.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.einsum("gi,mis->mgs", member, along, optimize=True), np.float64)


def _typical_chronic(record: Record, ways: Pathways, stretches: int) -> Float:
    """Median of the prior of a stretch's unlisted load: a fiftieth of what its sections may carry."""
    capacity = np.ones(len(record.sections))
    measured = np.isfinite(record.load_kg_d).any(axis=1)
    capacity[measured] = np.nanmedian(record.load_kg_d[measured], axis=1)
    out = np.full(stretches, 0.1)
    for g in range(stretches):
        reaches = (ways.segment[0][ways.segments.stretch == g] > 0).any(axis=0)
        if reaches.any():
            out[g] = max(0.02 * float(capacity[reaches].min()), 1e-3)
    return out


def _change(record: Record) -> Float:
    """Log variance of every source's load in every month, given its report if there is one. (sources × months)"""
    told = np.isfinite(record.reported_kg_d)
    after = SOURCE_CHANGE**2 * REPORT_ERROR**2 / (SOURCE_CHANGE**2 + REPORT_ERROR**2)
    return np.where(told, after, SOURCE_CHANGE**2)


def _own_variance(parts: _Parts, change: Float) -> Float:
    """Variance of the log load by the months' own ups and downs of sources and diffuse load. (sections × months)"""
    share = parts.by_source / parts.load.T[:, None, :]
    hidden = parts.by_stretch / parts.load.T[:, None, :]
    washed = (parts.diffuse / parts.load) ** 2 * DIFFUSE_CHANGE**2
    return np.asarray(
        np.einsum("mjs,jm->sm", share**2, change) + (hidden**2).sum(axis=1).T * SOURCE_CHANGE**2 + washed, np.float64
    )


def _shared_change(parts: _Parts, change: Float) -> Float:
    """The same as a covariance between sections: a source's good month is good at every section below it."""
    share = parts.by_source / parts.load.T[:, None, :]
    hidden = parts.by_stretch / parts.load.T[:, None, :]
    washed = (parts.diffuse / parts.load).T
    return np.asarray(
        np.einsum("mjs,jm,mjt->mst", share, change, share, optimize=True)
        + np.einsum("mgs,mgt->mst", hidden, hidden, optimize=True) * SOURCE_CHANGE**2
        + washed[:, :, None] * washed[:, None, :] * DIFFUSE_CHANGE**2,
        np.float64,
    )


def _calm(residual: Float, variance: Float) -> Float:
    """Probability that a reading is ordinary: normal about its expectation against an event's uniform 0–e² above it."""
    z = residual**2 / variance
    ordinary = 0.85 * np.exp(-z / 2) / np.sqrt(2 * np.pi * variance)
    event = 0.15 * np.where(residual > 0, 0.5, 0.02)
    return np.asarray(ordinary / (ordinary + event), np.float64)
