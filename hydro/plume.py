"""How a release spreads on its way down the network: advection, dispersion, dead zones and decay as one response.

Along a reach of length x, with a channel at velocity u, a longitudinal dispersion coefficient D, a dead zone of area
ratio β that trades water with the channel at the rate α per second, and first-order decay k in the channel
(Bencala & Walters 1983, doi:10.1029/WR019i003p00718; the Laplace form as in Hart 1995, doi:10.1029/95WR01396):

    H(s) = exp( u x / 2D · (1 − √(1 + 4 D φ / u²)) ),    φ = s + k + α s / (s + α / β)

The mean residence is x (1 + β) / u; the tabled velocity is that of the *water*, dead zones included, so
u = (1 + β) · velocity.  A lake is a mixed reactor, 1 / (1 + (s + k) τ).  Responses multiply along a way and add over
the ways of a split, so one walk against the flow gives the response of every node at every section, exact for any
network, and one inverse Fourier transform gives it in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hydro.network import RiverNetwork
from hydro.transport import SECONDS_PER_DAY, Conditions, conditions

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

DISPERSIVITY_M = 70.0
"""Dispersion over velocity, D / u; tracer tests in small plain rivers give 20–200 m (Fischer et al. 1979, ch. 5)."""
DAMPING = 5.0
"""Exponential damping over the length of the time window: what wraps around is e^-5 of itself."""
SMOOTHING = 1.4
"""Gaussian filter, in time steps, so that a front sharper than the step does not ring."""


@dataclass(frozen=True)
class Mixing:
    """What the tables do not tell about a river: dispersivity (m), dead-zone area ratio, and its exchange per hour.

    ``dispersivity_m`` is one number or one a reach. ``velocity_factor`` scales the tabled velocity.
    """

    dispersivity_m: float | Float = DISPERSIVITY_M
    storage_ratio: float = 0.0
    return_per_h: float = 0.4
    velocity_factor: float = 1.0


@dataclass(frozen=True)
class Clock:
    """An even grid of times from a release on: ``steps`` of ``step_h`` hours."""

    step_h: float = 0.25
    steps: int = 1024

    @property
    def damping(self) -> float:
        """Real part of the Laplace variable, per second."""
        return DAMPING / (self.steps * self.step_h * 3600)

    @property
    def laplace(self) -> Complex:
        """The Laplace variable at the frequencies of the grid, per second. (steps / 2 + 1,)"""
        omega = 2 * np.pi * np.fft.rfftfreq(self.steps, self.step_h * 3600)
        return np.asarray(self.damping + 1j * omega, np.complex128)

    def invert(self, transfer: Complex) -> Float:
        """A transfer function back to the fraction that arrives in each step; the last axis is time."""
        s, step = self.laplace, self.step_h * 3600
        ahead = 6  # steps: room for what the filter puts before its time, which is then counted in the first step
        window = -np.expm1(-s * step) / s * np.exp(-0.5 * (SMOOTHING * step * s.imag) ** 2 - s * (ahead * step))
        wave = np.fft.irfft(transfer * window, self.steps, axis=-1) / step
        wave *= np.exp(self.damping * step * np.arange(self.steps))
        out = np.zeros_like(wave)
        first = ahead + 1  # the window gives what passed in the step before
        out[..., : self.steps - first] = wave[..., first:]
        out[..., 0] += wave[..., :first].sum(axis=-1)
        return out


def reach_exponent(
    given: Conditions, mixing: Mixing, s: Complex, decay_per_d: Float, reach: NDArray[np.int_] | slice = slice(None)
) -> Complex:
    """ln H per metre of the reaches asked for; of every reach where none is. (reaches, frequencies)"""
    beta = mixing.storage_ratio
    channel = (given.velocity_m_s[reach] * mixing.velocity_factor * (1 + beta))[:, None]
    decay = decay_per_d[reach][:, None] / SECONDS_PER_DAY
    rate = s[None, :] + decay * (1 + beta)  # stored water decays too; to first order all of it at the channel's rate
    if beta > 0:
        back = mixing.return_per_h / 3600
        rate = rate + beta * back * s / (s + back)
    spread = np.broadcast_to(np.asarray(mixing.dispersivity_m, np.float64), given.velocity_m_s.shape)[reach][:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = (1 - np.sqrt(1 + 4 * spread * rate / channel)) / (2 * spread)
    return np.asarray(np.where(channel > 0, exponent, -np.inf), np.complex128)


@dataclass(frozen=True)
class Reply:
    """Transfer functions from every node, and from any place on a reach, to some sections. Made by :func:`replies`."""

    network: RiverNetwork
    given: Conditions
    clock: Clock
    sections: tuple[str, ...]
    node: Complex
    exponent: Complex
    decay_per_d: Float
    section_reach: NDArray[np.int_]
    section_m: Float
    mixing: Mixing = field(default_factory=Mixing)

    def at(self, reach: NDArray[np.int_], chainage_m: Float) -> Complex:
        """From places inside reaches, to every section. (places, sections, frequencies)"""
        topology, s = self.network.topology, self.clock.laplace
        rest = np.maximum(topology.length_m[reach] - chainage_m, 0.0)
        way = _stretch(self, reach, rest, s)
        out = way[:, None, :] * self.node[topology.to_node[reach]]
        for j, (own, metres) in enumerate(zip(self.section_reach, self.section_m, strict=True)):
            here = (reach == own) & (chainage_m <= metres)
            if here.any():
                out[here, j] += _stretch(self, reach[here], metres - chainage_m[here], s)
        return np.asarray(out, np.complex128)

    def fraction(self, reach: NDArray[np.int_], chainage_m: Float) -> Float:
        """What part of a unit released at t = 0 passes each section in each step. (places, sections, steps)"""
        return self.clock.invert(self.at(reach, chainage_m))


def replies(
    network: RiverNetwork,
    sections: Sequence[str],
    *,
    given: Conditions | None = None,
    mixing: Mixing | None = None,
    clock: Clock | None = None,
    decay_per_d: Float | float | None = None,
) -> Reply:
    """The response of the network at some sections (by id), for a release anywhere.

    ``decay_per_d`` replaces the reaches' own, for another parameter than TP. A closed reach passes nothing; at an
    unknown gate the way counts as open, as for loads.
    """
    given = given or conditions(network, None)
    mixing, clock = mixing or Mixing(), clock or Clock()
    topology, s = network.topology, clock.laplace
    decay = np.broadcast_to(
        np.asarray(given.decay_per_d if decay_per_d is None else decay_per_d, np.float64), topology.length_m.shape
    )
    section_reach, section_m = _places(network, sections)
    reply = Reply(
        network=network,
        given=given,
        clock=clock,
        sections=tuple(sections),
        node=np.zeros((topology.node_count, len(sections), len(s)), np.complex128),
        exponent=reach_exponent(given, mixing, s, decay),
        decay_per_d=decay,
        section_reach=section_reach,
        section_m=section_m,
        mixing=mixing,
    )
    whole = _stretch(reply, np.arange(topology.reach_count), topology.length_m, s)
    holds = _holds(section_reach)
    live = np.zeros(topology.node_count, bool)
    for reach in topology.order[::-1].tolist():
        above, below = topology.from_node[reach], topology.to_node[reach]
        if topology.closed[reach] or topology.share[reach] <= 0:
            continue
        if live[below]:
            reply.node[above] += topology.share[reach] * whole[reach] * reply.node[below]
            live[above] = True
        for column in holds.get(reach, ()):
            part = _stretch(reply, np.array([reach]), reply.section_m[[column]], s)[0]
            reply.node[above, column] += topology.share[reach] * part
            live[above] = True
    return reply


def one_release(
    network: RiverNetwork,
    reach: int,
    chainage_m: float,
    sections: Sequence[str],
    *,
    given: Conditions,
    mixing: Mixing,
    clock: Clock,
) -> tuple[list[int], Float]:
    """What part of a unit released at one place passes in each step, at the sections it comes by.

    The same responses as :func:`replies`, walked with the flow: only the water below the place is gone through, and
    only what is on its way at one time is held, so that the size of the network does not matter.  Returns the columns of
    those sections, ascending, and (their number × steps).
    """
    topology, s = network.topology, clock.laplace
    section_reach, section_m = _places(network, sections)
    holds = _holds(section_reach)
    arrived: dict[int, Complex] = {}
    on_way: dict[int, Complex] = {}
    leaving = np.bincount(topology.from_node, minlength=topology.node_count)

    def pass_on(at: int, start_m: float, head: Complex | float) -> None:
        """What enters a reach at a chainage comes by its sections and to the node at its end."""
        ends = np.array([*section_m[holds.get(at, [])], topology.length_m[at]])
        own = np.full(len(ends), at)
        exponent = reach_exponent(given, mixing, s, given.decay_per_d, own[:1])
        ways = _transfer(
            network, given, mixing, given.decay_per_d, np.repeat(exponent, len(ends), 0), own, ends - start_m, s
        )
        for column, way in zip(holds.get(at, []), ways[:-1], strict=True):
            if section_m[column] >= start_m:
                arrived[column] = arrived.get(column, 0.0) + head * way
        node = int(topology.to_node[at])
        if leaving[node]:
            on_way[node] = on_way.get(node, 0.0) + head * ways[-1]

    if not topology.closed[reach]:
        pass_on(reach, chainage_m, 1.0)
    for at in topology.order.tolist():
        node = int(topology.from_node[at])
        if node not in on_way:
            continue
        if not topology.closed[at] and topology.share[at] > 0:
            pass_on(at, 0.0, topology.share[at] * on_way[node])
        leaving[node] -= 1
        if not leaving[node]:
            del on_way[node]
    columns = sorted(arrived)
    transfer = np.array([arrived[column] for column in columns], np.complex128).reshape(-1, len(s))
    return columns, clock.invert(transfer)


def _places(network: RiverNetwork, sections: Sequence[str]) -> tuple[NDArray[np.int_], Float]:
    """Reach and chainage of sections."""
    places = [network.position("sections", section) for section in sections]
    return np.array([reach for reach, _ in places], np.int_), np.array([metres for _, metres in places], np.float64)


def _holds(section_reach: NDArray[np.int_]) -> dict[int, list[int]]:
    """Reach -> the columns of the sections that stand on it."""
    holds: dict[int, list[int]] = {}
    for column, own in enumerate(section_reach.tolist()):
        holds.setdefault(own, []).append(column)
    return holds


def _stretch(reply: Reply, reach: NDArray[np.int_], metres: Float, s: Complex) -> Complex:
    """H of a stretch of each reach. (reaches, frequencies)"""
    return _transfer(
        reply.network, reply.given, reply.mixing, reply.decay_per_d, reply.exponent[reach], reach, metres, s
    )


def _transfer(
    network: RiverNetwork,
    given: Conditions,
    mixing: Mixing,
    decay_per_d: Float,
    exponent: Complex,
    reach: NDArray[np.int_],
    metres: Float,
    s: Complex,
) -> Complex:
    """H of a stretch of each reach, whose ln H per metre is given. (reaches, frequencies)"""
    topology = network.topology
    with np.errstate(invalid="ignore", over="ignore"):
        way = np.exp(np.where(metres[:, None] > 0, exponent * metres[:, None], 0.0))
    lake = topology.lake[reach]
    if lake.any():
        at = reach[lake]
        speed = given.velocity_m_s[at] * mixing.velocity_factor
        residence = (topology.length_m[at] / speed)[:, None]
        way[lake] = 1 / (1 + (s[None, :] + decay_per_d[at][:, None] / SECONDS_PER_DAY) * residence)
    way[topology.closed[reach]] = 0.0
    return np.asarray(way, np.complex128)
