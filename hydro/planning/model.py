"""The choice of measures as a mixed-integer program: choices, their linear effects, and the rows that bind them.

``min Σ cost_j x_j`` over choices ``x_j`` (0 or 1; dosing may be taken in part) so that for every section s and
condition c, with the linear effects of :mod:`hydro.planning.effect`::

    Σ_j (86.4 T_s ΔQ_csj − ΔL_csj) x_j  ≥  L_cs − 86.4 T_s Q_cs          [kg/d]

that is: what the measures take from the load, or add to the load that the water may carry, is at least what the section
has too much.  Dosing adds load and water at once and stays linear.  ``T`` is target × (1 − margin).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from hydro.columns import text
from hydro.errors import Fault, FaultsError, HydroError
from hydro.network import RiverNetwork
from hydro.planning.effect import BASELINE, Condition, Situation, situation
from hydro.planning.measure import ACTIONS, ON_OUTLET, WATER, Measure, spare_m3_d, with_duty
from hydro.planning.milp import Program
from hydro.planning.options import DEFAULT_PRICES, Choice, Option, Prices, find_options
from hydro.planning.scenario import change
from hydro.topology import Float
from hydro.transport import KG_D_PER_MG_L_M3_S, SECONDS_PER_DAY


@dataclass(frozen=True)
class Limits:
    """What bounds a plan besides the targets.

    ``budget`` in 万元; ``per_county`` the most outlets touched in one county; ``volume_10k_m3`` the most water dosed in
    a year; ``force`` and ``forbid`` name what must, or must not, be done: a source (``O17``), or one measure on it
    (``O17=seal``); ``ready_in_days`` leaves out measures with a longer lead time.
    """

    budget: float | None = None
    per_county: int | None = None
    volume_10k_m3: float | None = None
    force: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    ready_in_days: float | None = None


UNLIMITED = Limits()


@dataclass(frozen=True)
class Model:
    """The choices and their linear effects, ready to be asked with any limits. Made by :func:`build_model`.

    ``load`` and ``water`` are (conditions, options, sections): kg/d and m³/s added by one option taken whole;
    ``target_mg_l`` (sections,), NaN where a section has none.
    """

    network: RiverNetwork
    stands: tuple[Situation, ...]
    choice: Choice
    load: Float
    water: Float
    target_mg_l: Float
    limits: Limits
    water_rule: str

    @property
    def options(self) -> tuple[Option, ...]:
        """The columns of the program."""
        return self.choice.options

    @property
    def sections(self) -> tuple[str, ...]:
        """Ids of all sections, with or without target."""
        return self.stands[0].delivery.sections

    @cached_property
    def base_load(self) -> Float:
        """Load without measures, kg/d. (conditions, sections)"""
        return np.array([stand.section_load_kg_d for stand in self.stands])

    @cached_property
    def base_water(self) -> Float:
        """Water without measures, m³/s. (conditions, sections)"""
        return np.array([stand.section_discharge_m3_s for stand in self.stands])

    @cached_property
    def cost(self) -> Float:
        """Cost of every option, in the unit of ``choice``. (options,)"""
        return np.array([option.cost for option in self.options], np.float64)

    def gain(self, limit_mg_l: Float) -> Float:
        """How far each option taken whole relieves each section, kg/d. (conditions, sections, options)"""
        allowed = KG_D_PER_MG_L_M3_S * limit_mg_l
        return np.asarray(np.swapaxes(self.water * allowed - self.load, 1, 2), np.float64)

    def program(self, limit_mg_l: Float, sections: Sequence[int] | None = None, *, budget: bool = True) -> Program:
        """The program for these limits (sections,), of these sections only if named; rows that cannot break left out."""
        wanted = np.isfinite(limit_mg_l)
        if sections is not None:
            wanted &= np.isin(np.arange(len(limit_mg_l)), sections)
        limit = np.where(wanted, limit_mg_l, 0.0)
        count = len(self.options)
        gain = self.gain(limit)[:, wanted].reshape(len(self.stands) * int(wanted.sum()), count)
        allowed = (KG_D_PER_MG_L_M3_S * limit * self.base_water)[:, wanted].ravel()
        need = self.base_load[:, wanted].ravel() - allowed
        scale = np.maximum(allowed, 1e-6)
        matters = np.minimum(gain, 0.0).sum(axis=1) < need
        side, low, high = self._side(budget)
        return Program(
            cost=self.cost,
            gain=csr_array(gain[matters]),
            need=need[matters],
            scale=scale[matters],
            floor=np.zeros(count),
            top=np.ones(count),
            whole=np.array([not option.divisible for option in self.options], bool),
            side=side,
            side_low=low,
            side_high=high,
        )

    def after(self, x: Float) -> tuple[Float, Float]:
        """Load and water at every section when the options are taken to ``x``. (conditions, sections) each"""
        load = self.base_load + np.einsum("j,cjs->cs", x, self.load)
        return load, np.maximum(self.base_water + np.einsum("j,cjs->cs", x, self.water), 0.0)

    def measures(self, x: Float) -> tuple[Measure, ...]:
        """The measures taken in a solution; a dose with the part of it that is taken."""
        taken = []
        for part, option in zip(x, self.options, strict=True):
            if part > 1e-9:
                scaled = {"amount": option.measure.amount * part, "cost": option.measure.cost * part}
                taken.append(replace(option.measure, **scaled) if option.divisible else option.measure)
        return tuple(taken)

    def _side(self, budget: bool) -> tuple[csr_array, Float, Float]:
        """Rows that are not targets: exclusive choices, plants' room, budget, counts, volume, forced choices."""
        rows = _Rows(len(self.options))
        on_place: dict[tuple[str, str], list[int]] = {}
        for j, option in enumerate(self.options):
            kind = "plant" if option.measure.action == "upgrade" else "outlet"
            if option.measure.action in ("upgrade", "seal", "regulate", "merge", "relocate"):
                on_place.setdefault((kind, option.measure.source_id), []).append(j)
        for js in on_place.values():
            if len(js) > 1:
                rows.add(dict.fromkeys(js, 1.0), high=1.0)
        self._plants(rows)
        limits = self.limits
        if budget and limits.budget is not None:
            rows.add(dict(enumerate(self.cost)), high=limits.budget + 1e-9 * max(1.0, limits.budget))
        if limits.per_county is not None:
            county = text(self.network.outlets, "county")
            by_county: dict[str, dict[int, float]] = {}
            for j, option in enumerate(self.options):
                if option.measure.source_id in county.index:
                    by_county.setdefault(county[option.measure.source_id], {})[j] = 1.0
            for row in by_county.values():
                rows.add(row, high=float(limits.per_county))
        if limits.volume_10k_m3 is not None:
            doses = {j: o.measure.volume_10k_m3 for j, o in enumerate(self.options) if o.measure.action == "dose"}
            rows.add(doses, high=limits.volume_10k_m3)
        for asked in limits.force:
            rows.add({j: 1.0 for j, o in enumerate(self.options) if _meant(o, asked)}, low=1.0)
        return rows.matrix()

    def _plants(self, rows: _Rows) -> None:
        """A merge is counted at the upgrade its plant has, and plants take no more than they have room for."""
        upgrade = {
            (o.measure.source_id, o.measure.amount): j
            for j, o in enumerate(self.options)
            if o.measure.action == "upgrade"
        }
        room: dict[str, dict[int, float]] = {}
        first = self.stands[0]
        for j, option in enumerate(self.options):
            measure = option.measure
            if measure.action != "merge":
                continue
            room.setdefault(measure.to, {})[j] = float(first.water_m3_s[first.position[measure.source_id]])
            if option.beside is None:
                row = {k: 1.0 for (plant, _), k in upgrade.items() if plant == measure.to}
                if row:
                    rows.add({**row, j: 1.0}, high=1.0)
            else:
                rows.add({j: 1.0, upgrade[measure.to, option.beside.amount]: -1.0}, high=0.0)
        spare_m3_s = spare_m3_d(self.network.plants) / SECONDS_PER_DAY
        for plant, row in room.items():
            if np.isfinite(spare_m3_s[plant]):
                rows.add(row, high=max(float(spare_m3_s[plant]), 0.0))


class _Rows:
    """Rows of a sparse matrix with their bounds, collected one by one."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.entries: list[dict[int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, row: dict[int, float], *, low: float = -np.inf, high: float = np.inf) -> None:
        self.entries.append(row)
        self.low.append(low)
        self.high.append(high)

    def matrix(self) -> tuple[csr_array, Float, Float]:
        i = [i for i, row in enumerate(self.entries) for _ in row]
        j = [j for row in self.entries for j in row]
        value = [value for row in self.entries for value in row.values()]
        shape = (len(self.entries), self.columns)
        return csr_array((np.array(value, np.float64), (i, j)), shape=shape), np.array(self.low), np.array(self.high)


def build_model(
    network: RiverNetwork,
    *,
    allow: Collection[str],
    conditions: Sequence[Condition] = (BASELINE,),
    targets: Mapping[str, float] | None = None,
    sections: Sequence[str] | None = None,
    water: str = "remove",
    limits: Limits = UNLIMITED,
    prices: Prices = DEFAULT_PRICES,
    extra: Sequence[Measure] = (),
    missing_cost: float | None = None,
    sewer_km: Mapping[str, float] | None = None,
    situations: Sequence[Situation] | None = None,
) -> Model:
    """Solve the adjoint of every condition, list the options, and compute what each does to each section.

    ``situations`` (of all sections of the same network) stand for ``conditions`` and save solving them again. A plan is
    held to the targets of the latest month that its conditions name, to the newest that are known where they name none.
    Raises HydroError for a project without sections or targets, an unknown section in ``targets``, a budget where costs
    are missing, or contradictory forced choices; FaultsError for measures that cannot be done.
    """
    if water not in WATER:
        raise HydroError(
            "water_unknown", "封堵后水量的处理只能是 remove（不再入河）或 keep（仍入河），不能是“{water}”", water=water
        )
    if not len(network.sections):
        raise HydroError("no_sections", "项目里没有断面，无法制定方案。请先导入断面表（sections）")
    stands = tuple(situations or (situation(network, condition) for condition in conditions))
    every = stands[0].delivery.sections
    target = network.targets.of_sections(every, max((s.condition.time or "" for s in stands), default=""))
    for section, value in (targets or {}).items():
        if not (np.isfinite(value) and value > 0):
            raise HydroError(
                "target_value", "断面 {section} 的目标值 {value} 无效，应为大于 0 的 mg/L", section=section, value=value
            )
        target[every.index(network.section_id(section))] = value
    if sections is not None:
        wanted = {network.section_id(section) for section in sections}
        target[[section not in wanted for section in every]] = np.nan
    if not np.isfinite(target).any():
        raise HydroError(
            "no_targets", "所有断面都没有总磷目标值（tp_target_mg_l），无法制定方案。请补上，或用 --target 给出"
        )
    choice = find_options(stands, allow=allow, prices=prices, extra=extra, missing_cost=missing_cost, sewer_km=sewer_km)
    choice = _limited(network, choice, limits)
    if limits.budget is not None and choice.unit == "count":
        raise HydroError(
            "budget_without_costs", "部分措施没有费用，无法按预算制定方案。请补上 seal_cost，或给出缺省费用"
        )
    load, flow = _effects(stands, choice.options, water)
    return Model(network, stands, choice, load, flow, target, limits, water)


def _effects(stands: Sequence[Situation], options: Sequence[Option], water: str) -> tuple[Float, Float]:
    """Load and water every option adds at every section. (conditions, options, sections) each"""
    shape = (2, len(stands), len(options), len(stands[0].delivery.sections))
    effect = np.zeros(shape)
    for c, stand in enumerate(stands):
        for j, option in enumerate(options):
            beside = [option.beside] if option.beside else []
            effect[:, c, j] = stand.effect(change(stand, [option.measure, *beside], water=water))
            if beside:
                effect[:, c, j] -= stand.effect(change(stand, beside, water=water))
    return effect[0], effect[1]


def _meant(option: Option, asked: str) -> bool:
    """Whether ``O17`` or ``O17=seal`` names this option."""
    source, _, action = asked.partition("=")
    return option.measure.source_id == source and action in ("", option.measure.action)


def _limited(network: RiverNetwork, choice: Choice, limits: Limits) -> Choice:
    """Leave out what is forbidden or too slow; name every forced choice that contradicts another or is not on the list."""
    faults: list[Fault] = []
    both = sorted(set(limits.force) & {*limits.forbid, *(f"{i}={a}" for i in limits.forbid for a in ACTIONS)})
    if both:
        message = "{ids} 既要求必做又要求不做，互相矛盾。请只保留一种"
        faults.append(Fault("force_and_forbid", message, {"ids": "、".join(both)}))
    wanted: dict[str, list[str]] = {}
    for asked in dict.fromkeys(limits.force):
        source, _, action = asked.partition("=")
        if action in ON_OUTLET:
            wanted.setdefault(source, []).append(action)
    for source, actions in wanted.items():
        if len(actions) > 1:
            message = "要求 {id} 同时做 {actions}，只能做一种。请只保留一种"
            faults.append(Fault("force_two", message, {"id": source, "actions": "、".join(actions)}))
    lost = sorted({a for a in limits.force if not any(_meant(o, a) for o in choice.options)})
    if lost:
        message = "要求必做的 {ids} 没有可选的措施。请核对编号与允许的措施"
        faults.append(Fault("force_unknown", message, {"ids": "、".join(lost)}))
    wait = np.inf if limits.ready_in_days is None else limits.ready_in_days
    in_time = [o for o in choice.options if with_duty(o.measure).lead_days <= wait]
    late = sorted({a for a in limits.force if a not in lost and not any(_meant(o, a) for o in in_time)})
    if late:
        message = "要求必做的 {ids} 在 {days:g} 天内完不成。请放宽期限，或不再要求必做"
        faults.append(Fault("force_late", message, {"ids": "、".join(late), "days": wait}))
    if faults:
        raise FaultsError(faults)
    return replace(choice, options=tuple(o for o in in_time if not any(_meant(o, a) for a in limits.forbid)))
