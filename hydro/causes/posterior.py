"""From what is left over at all sections of a month to a probability over all suspects.

For a suspect with delivery ``p`` (sections) and size ``e``, the log residuals are normal with mean ``log(L + e p)`` and a
covariance in which whatever is uncertain about the ordinary load counts only by its part of the whole.  The size is
unknown: it is integrated out over a log-normal prior.  A source's own report of the month enters as a second
likelihood, half of whose mass says that a culprit's report hides the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp

from hydro.assessment.attainment import exceeds
from hydro.causes.expected import INBOUND_CHANGE, REPORT_ERROR, SOURCE_CHANGE, Expected
from hydro.causes.rulings import Ruling, known_prior
from hydro.causes.suspects import (
    MEDIAN_SIZE,
    SIZE_SPREAD,
    WASHOFF_SIZE,
    WASHOFF_SPREAD,
    History,
    Suspects,
    first_section,
)
from hydro.topology import Bool, Float

HIDING = 0.5
"""Probability that a source which reports leaves its own event out of the report."""
STRAY_REPORT = 0.002
"""Probability that a report jumps without an event (a slip of the pen, a unit)."""
EVENT_TRANSPORT_ERROR = 0.06
"""Relative error of an event's delivered load at one section: its own way, its own days."""
REACH = 2.4
STEP = 0.3
"""The size prior is cut at this many spreads either side (further up where more was measured), and sampled this finely."""
TAIL = 4.0
"""Degrees of freedom of the size prior: rarely, an event is far larger than events usually are."""
PARTLY = 0.2
"""Of the reports that do not hide an event, the part that admits some of it only."""
CAUSE_PART = 0.25
"""An event is the cause of an exceedance when it brings at least this part of the section's load."""
CAUSE_BLUR = 0.03
SLIP, SLIP_SPREAD = 0.002, 0.6
"""How often a month's readings contradict each other (a lab, a unit, a mixed-up bottle), and how far they then scatter
(log): where no event explains a month better than that, nobody is accused."""
ALWAYS = 0.3
"""Chance that an excess was always there, where no other month was read; it halves with every month that was."""
QUIET = 2.0
"""A month in which no section stands this many standard errors above its expectation is not searched for an event."""


@dataclass(frozen=True)
class MonthPosterior:
    """What happened in one month: the joint of suspect and size. Made by :meth:`Weighed.conclude`.

    One event is assumed a month. Where one was confirmed on the spot it explains the sections that it reaches, and the
    others are judged by themselves: a second view of the month, with an event of its own or none.  ``joint`` (views ×
    suspects × sizes) and ``none`` (views) sum to one in every view; ``view`` (sections) is the one to read for each.
    ``added_kg_d`` (suspects × sizes × sections) is the event's delivered load; ``ordinary_kg_d`` (sections) the load
    without it.  ``always`` is the chance that what stands out was always so and nobody caused it that month: what a
    short record cannot rule out.
    """

    month: int
    joint: Float
    none: Float
    view: NDArray[np.intp]
    size_kg_d: Float
    added_kg_d: Float
    ordinary_kg_d: Float
    always: float

    @property
    def suspect(self) -> Float:
        """Posterior of every suspect, whatever it did to whichever section. (suspects,)"""
        return np.asarray(self.joint.sum(axis=2).max(axis=0), np.float64)

    def at(self, section: int) -> Float:
        """The joint of suspect and size that holds at a section. (suspects × sizes)"""
        return np.asarray(self.joint[self.view[section]], np.float64)

    def cause(self, section: int) -> Float:
        """Probability that a suspect caused the load of one section to be what it is. (suspects,); the rest: none."""
        added = self.added_kg_d[:, :, section]
        part = added / (added + self.ordinary_kg_d[section])
        counts = 1 / (1 + np.exp(-(part - CAUSE_PART) / (CAUSE_BLUR / 1.7)))
        return np.asarray((1 - self.always) * (self.at(section) * counts).sum(axis=1), np.float64)

    def added(self) -> Float:
        """Expected delivered event load of every suspect at every section, kg/d, by its odds. (suspects × sections)"""
        return np.asarray(np.einsum("sce,ces->cs", self.joint[self.view], self.added_kg_d), np.float64)

    def touched(self, least: float = 0.05) -> Float:
        """Probability that an event brought more than a small part of a section's load. (sections,)"""
        part = self.added_kg_d / (self.added_kg_d + self.ordinary_kg_d)
        return np.asarray(np.einsum("sce,ces->s", self.joint[self.view], part > least), np.float64)


@dataclass(frozen=True)
class View:
    """One question about a month: log likelihood of every suspect and size, of no event, and who is known to have done it.

    Where somebody is, no event is no answer, however badly the readings fit one event: another may have come on top.
    """

    like: Float
    calm: float
    confirmed: Bool


@dataclass(frozen=True)
class Weighed:
    """One month before anybody's prior: its views, who is excluded, and which view holds at which section. See :func:`weigh`."""

    month: int
    views: tuple[View, ...]
    view: NDArray[np.intp]
    excluded: Bool
    size_prior: Float
    size_kg_d: Float
    added_kg_d: Float
    ordinary_kg_d: Float
    always: float

    def conclude(self, suspects: Suspects, prior: Float) -> MonthPosterior:
        """The posterior over suspects and sizes under a prior over suspects; what the prior leaves is: no event.

        Whoever is excluded loses what he had, and what is against an event weighs as before: no exclusion makes an event
        likelier.
        """
        parts = [self._conclude(view, suspects, known_prior(prior, view.confirmed)) for view in self.views]
        return MonthPosterior(
            self.month,
            np.array([joint for joint, _ in parts]),
            np.array([none for _, none in parts]),
            self.view,
            self.size_kg_d,
            self.added_kg_d,
            self.ordinary_kg_d,
            self.always,
        )

    def _conclude(self, view: View, suspects: Suspects, prior: Float) -> tuple[Float, float]:
        with np.errstate(divide="ignore"):
            joint = view.like + _possible(suspects, self.size_kg_d, self.size_prior, prior) + np.log(prior)[:, None]
        joint[self.excluded] = -np.inf
        none = view.calm + np.log(max(1 - float(prior.sum()), 1e-6))
        if view.confirmed.any() and np.isfinite(joint).any():
            none = -np.inf
        total = logsumexp(np.append(joint.ravel(), none))
        return np.exp(joint - total), float(np.exp(none - total))


def weigh(expected: Expected, suspects: Suspects, month: int, ruling: Ruling | None = None) -> Weighed:
    """How well every suspect and size explains the sections and reports of a month, given what was found on the spot.

    The sections that a confirmed event reaches tell how large it was; those that it does not reach are asked by
    themselves whether there was another.
    """
    record = expected.record
    seen = np.isfinite(record.load_kg_d[:, month])
    sizes = _sizes(expected, suspects, month)
    size, size_prior, added = sizes
    ruling = ruling or Ruling.of_nothing(suspects.count)
    view, confirmed = ruling.views(np.asarray((added > 0).any(axis=1), np.bool_))
    views = tuple(
        View(*_weigh(expected, suspects, month, sizes, np.asarray(np.flatnonzero(seen & (view == i)), np.intp)), who)
        for i, who in enumerate(confirmed)
    )
    others = np.delete(np.isfinite(record.load_kg_d[seen]).any(axis=0), month).sum()
    always = ALWAYS * 0.5 ** float(others)
    ordinary = expected.load_kg_d[:, month]
    return Weighed(month, views, view, ruling.excluded, size_prior, size, added, ordinary, always)


def _weigh(
    expected: Expected, suspects: Suspects, month: int, sizes: tuple[Float, Float, Float], seen: NDArray[np.intp]
) -> tuple[Float, float]:
    """Log likelihood of the readings of some sections under every suspect and size, and under no event."""
    record = expected.record
    ordinary = expected.load_kg_d[:, month]
    size, _, added = sizes
    measured = np.log(record.load_kg_d[seen, month])
    spread = expected.spread[month][np.ix_(seen, seen)]
    own = expected.reading_error[seen, month]
    like = np.full(size.shape, -np.inf)
    live = np.flatnonzero(suspects.weight > 0)
    calm = float(_likelihood(measured, ordinary[seen], np.zeros((1, 1, len(seen))), spread, own)[0, 0])
    gap = measured - np.log(ordinary[seen])
    slip = np.log(SLIP) - 0.5 * float(((gap / SLIP_SPREAD) ** 2).sum()) - len(seen) * np.log(SLIP_SPREAD)
    calm = float(np.logaddexp(calm, slip))
    if not _quiet(expected, month, seen):
        like[live] = _likelihood(measured, ordinary[seen], added[live][:, :, seen], spread, own)
        like[: suspects.sources] += _report_likelihood(expected, size[: suspects.sources], month)
    return like, calm


def judge(
    expected: Expected, suspects: Suspects, rulings: Mapping[int, Ruling], *, rounds: int
) -> tuple[list[MonthPosterior], History]:
    """Every month's posterior, each with the history that the other months make, and what was found on the spot."""
    months = len(expected.record.months)
    history = History(np.zeros((months, suspects.count)), suspects)
    weighed = [weigh(expected, suspects, month, rulings.get(month)) for month in range(months)]
    found: list[MonthPosterior] = []
    for _ in range(rounds):
        found = [one.conclude(suspects, history.prior(one.month)) for one in weighed]
        history = History(np.array([month.suspect for month in found]).reshape(months, suspects.count), suspects)
    return found, history


def _quiet(expected: Expected, month: int, seen: NDArray[np.intp]) -> bool:
    """Whether nothing stands out: none of the sections above its expectation, none above its target, no report jumped."""
    record = expected.record
    error = np.sqrt(np.diagonal(expected.spread[month])[seen] + expected.reading_error[seen, month] ** 2)
    told = record.reported_kg_d[:, month] / expected.usual_kg_d[:, month]
    with np.errstate(invalid="ignore"):
        raised = (expected.residual[seen, month] > QUIET * error).any()
        over = exceeds(record.tp_mg_l[seen, month], record.target_mg_l[seen, month]).any()
        jumped = (told > 2.0).any()
    return not (raised or over or jumped)


def _sizes(expected: Expected, suspects: Suspects, month: int) -> tuple[Float, Float, Float]:
    """Sizes (suspects × sizes, kg/d where they enter), their log prior, and what each delivers to every section."""
    record = expected.record
    ratio = np.concatenate([expected.delivered[month], expected.along[month]])
    capacity = record.capacity_kg_d[:, month]
    capacity = np.where(
        np.isfinite(capacity) & (capacity > 0), capacity, np.maximum(expected.load_kg_d[:, month], 1e-9)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.nanmax((record.load_kg_d[:, month] - expected.load_kg_d[:, month]) / capacity, initial=0.0)
        top = np.log(max(float(excess), 1e-9) / MEDIAN_SIZE) / SIZE_SPREAD + 1.0
    step = np.arange(-REACH, max(REACH, top) + STEP, STEP)
    log_prior = -0.5 * (TAIL + 1) * np.log1p(step**2 / TAIL)
    log_prior -= logsumexp(log_prior)
    first = first_section(ratio, capacity) if len(ratio) else np.zeros(0, np.int_)
    arrives = ratio[np.arange(len(ratio)), first]
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.where(arrives > 0, MEDIAN_SIZE * capacity[first] / arrives, 0.0)
    point = middle[:, None] * np.exp(SIZE_SPREAD * step)
    washed = expected.diffuse_kg_d[:, month]
    factor = WASHOFF_SIZE * np.exp(WASHOFF_SPREAD * step)
    size = np.concatenate([point, factor[None, :] * float(washed.max(initial=0.0))])
    added = np.concatenate([point[:, :, None] * ratio[:, None, :], (factor[:, None] * washed[None, :])[None]])
    return size, np.broadcast_to(log_prior, size.shape), added


def _possible(suspects: Suspects, size: Float, size_prior: Float, prior: Float) -> Float:
    """The size prior with what a suspect cannot have let out taken off it; all point suspects together lose nothing."""
    room = np.log(np.maximum(suspects.most_kg_d, 1e-9))[:, None] - np.log(np.maximum(size, 1e-9))
    cut = np.asarray(size_prior + log_ndtr(room / suspects.most_spread[:, None]), np.float64)
    with np.errstate(divide="ignore"):
        left = logsumexp(cut[:-1] + np.log(prior[:-1])[:, None]) if len(prior) > 1 else 0.0
    if np.isfinite(left) and prior[:-1].sum() > 0:
        cut[:-1] += np.log(prior[:-1].sum()) - left
    return cut


def _likelihood(measured: Float, ordinary: Float, added: Float, spread: Float, own: Float) -> Float:
    """Log likelihood of the sections' log loads under every suspect and size. (suspects × sizes)

    What a suspect does not reach is the same for all who do not reach it: those sections are weighed once, and the
    reached ones given them (a Schur complement), so that the algebra is done on the few sections below each suspect.
    """
    out = np.empty(added.shape[:2])
    reaches = np.asarray((added > 0).any(axis=1), np.bool_)
    _, example, which = np.unique(reaches @ 2 ** np.arange(reaches.shape[1]), return_index=True, return_inverse=True)
    sections_first = np.moveaxis(added, -1, 0)
    for p, reached in enumerate(reaches[example]):
        mine = np.flatnonzero(which == p)
        a, b = np.flatnonzero(reached), np.flatnonzero(~reached)
        beside, among = spread[b], spread[a]
        known = beside[:, b]
        np.fill_diagonal(known, known.diagonal() + own[b] ** 2)
        gap = measured[b] - np.log(ordinary[b])
        tie = np.linalg.solve(known, np.column_stack([beside[:, a], gap]))
        alone = -0.5 * (gap @ tie[:, -1] + float(np.linalg.slogdet(known)[1]))
        if len(a) == 0:
            out[mine] = alone
            continue
        more = sections_first[a][:, mine]
        total = ordinary[a, None, None] + more
        part, event = ordinary[a, None, None] / total, more / total
        off = (measured[a, None, None] - np.log(total)) / part - (beside[:, a].T @ tie[:, -1])[:, None, None]
        left = among[:, a] - among[:, b] @ tie[:, :-1]
        own_variance = (own[a, None, None] ** 2 + (EVENT_TRANSPORT_ERROR * event) ** 2) / part**2
        out[mine] = _normal_log(off, left, own_variance) - np.log(part).sum(axis=0) + alone
    return out


def _normal_log(gap: Float, shared: Float, own: Float) -> Float:
    """Log density of normals about zero, but for its constant, for every suspect and size. (suspects × sizes)

    ``gap`` and the variance ``own`` are (sections × suspects × sizes), the covariance ``shared`` (sections × sections) is
    the same for all.  Eliminated section by section (LDLᵀ), all side by side: a call a matrix costs more than the algebra.
    """
    count = len(gap)
    covariance = np.broadcast_to(shared[..., None, None], (count, *own.shape)).copy()
    log = np.zeros(own.shape[1:])
    for k in range(count):
        pivot = covariance[k, k] + own[k]
        log -= 0.5 * (gap[k] ** 2 / pivot + np.log(pivot))
        for i in range(k + 1, count):
            factor = covariance[i, k] / pivot
            gap[i] -= factor * gap[k]
            covariance[i, k + 1 : i + 1] -= factor * covariance[k + 1 : i + 1, k]
    return log


def _report_likelihood(expected: Expected, size: Float, month: int) -> Float:
    """Log of how much better a source's report of the month is explained if it had the event. (sources × sizes)

    With an event it told half the time (base + event) and hid it half the time (base); without one a report moves as
    it always does, with a small chance of a stray value.  No report says nothing.
    """
    told = expected.record.reported_kg_d[:, month]
    base = expected.usual_kg_d[:, month]
    inbound = (expected.record.sources["kind"] == "inbound").to_numpy(bool)
    usual = np.hypot(np.where(inbound, INBOUND_CHANGE, SOURCE_CHANGE), REPORT_ERROR)
    with np.errstate(divide="ignore", invalid="ignore"):
        calm_gap = np.log(told / base)
        loud_gap = np.log(told[:, None] / (base[:, None] + size))
    calm = _normal(calm_gap, usual)
    whole = np.log1p(size / np.maximum(base, 1e-9)[:, None])
    within = (calm_gap > 2 * usual)[:, None] & (loud_gap < 2 * usual[:, None])
    partly = np.where(within, 1 / np.maximum(whole, usual[:, None]), 0.0)
    loud = (1 - PARTLY) * _normal(loud_gap, 1.25 * REPORT_ERROR) + PARTLY * partly
    ordinary = (1 - STRAY_REPORT) * calm + STRAY_REPORT * 0.2
    better = np.log((HIDING * ordinary[:, None] + (1 - HIDING) * loud) / ordinary[:, None])
    return np.where(np.isfinite(told)[:, None], np.nan_to_num(better), 0.0)


def _normal(gap: Float, spread: float | Float) -> Float:
    return np.asarray(np.exp(-((gap / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi)), np.float64)
