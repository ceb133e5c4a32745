"""What could be done, and at what price: every measure that a plan may choose from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hydro.columns import number, text
from hydro.errors import Fault, FaultsError, HydroError
from hydro.network import RiverNetwork
from hydro.planning.effect import Situation
from hydro.planning.measure import ACTIONS, Measure, spare_m3_d
from hydro.planning.scenario import plant_tp_mg_l
from hydro.transport import KG_D_PER_MG_L_M3_S, SECONDS_PER_DAY


@dataclass(frozen=True)
class Prices:
    """Prices of measures that no table gives, in 万元. Rules of thumb (示例), meant to be replaced by the user's own.

    Sealing has no price here: it stands in ``outlets.seal_cost``. ``dredge_takes`` is the part of a reach's diffuse load
    that its bed gives off and dredging takes away, ``relocate_takes`` the part that farms and small polluters make.
    ``upgrade_per_m3_d`` is for the levels of ``upgrade_to_mg_l``, in their order; between them it is interpolated.
    Water is paid for every year, all else once; ``years`` is how many years of it a plan counts.
    """

    regulate_outlet: float = 30.0
    merge_outlet: float = 20.0
    merge_per_m3_d: float = 0.08
    merge_per_km: float = 80.0
    upgrade_plant: float = 100.0
    upgrade_per_m3_d: tuple[float, ...] = (0.06, 0.12)
    dose_per_10k_m3: float = 0.15
    dredge_per_km: float = 60.0
    dredge_takes: float = 0.3
    relocate_per_kg_d: float = 12.0
    relocate_takes: float = 0.3
    regulate_to_mg_l: float = 0.5
    upgrade_to_mg_l: tuple[float, ...] = (0.5, 0.3)
    years: float = 1.0

    def upgrade(self, to_mg_l: float, water_m3_d: float) -> float:
        """What it costs to bring a plant to an effluent TP."""
        levels, each = zip(*sorted(zip(self.upgrade_to_mg_l, self.upgrade_per_m3_d, strict=True)), strict=True)
        return self.upgrade_plant + float(np.interp(to_mg_l, levels, each)) * water_m3_d


DEFAULT_PRICES = Prices()


@dataclass(frozen=True)
class Option:
    """One choice: a measure, what it costs over the years counted, and for a merge the upgrade its plant has (``beside``).

    A ``divisible`` option (dosing) may be taken in part; its measure's amount is the most that can be taken.
    """

    measure: Measure
    cost: float
    beside: Measure | None = None
    divisible: bool = False


@dataclass(frozen=True)
class Choice:
    """The options, the unit of their cost (``万元`` or, where costs are missing, ``count``), and what was noticed."""

    options: tuple[Option, ...]
    unit: str
    notes: tuple[Fault, ...]


def find_options(
    stands: Sequence[Situation],
    *,
    allow: Collection[str],
    prices: Prices,
    extra: Sequence[Measure] = (),
    missing_cost: float | None = None,
    sewer_km: Mapping[str, float] | None = None,
) -> Choice:
    """Every measure of the allowed kinds that the tables make possible, with its cost in 万元.

    Where the cost of any of them is blank the plan goes by count: each measure costs one, and a note says which costs
    are missing; ``missing_cost`` prices them instead. ``extra`` are measures that only the user can name (relocating,
    surveyed dredging), each with its cost; ``sewer_km`` the length of pipe from an outlet to its plant.
    Raises HydroError for an unknown kind, FaultsError for a negative cost or capacity.
    """
    unknown = sorted(set(allow) - set(ACTIONS))
    if unknown:
        raise HydroError(
            "allow_unknown",
            "没有措施“{unknown}”。可选的措施：{known}",
            unknown="、".join(unknown),
            known="、".join(ACTIONS),
        )
    first = stands[0]
    options: list[Option] = []
    notes: list[Fault] = []
    if "seal" in allow:
        options += _seals(first)
    if "regulate" in allow:
        options += _regulations(first, prices)
    upgrades = _upgrades(first, prices) if "upgrade" in allow else []
    options += upgrades
    if "merge" in allow:
        options += _merges(first, prices, upgrades, sewer_km or {})
        notes += _unmergeable(first.network)
    for action in ("dredge", "relocate"):
        if action in allow and not any(measure.action == action for measure in extra):
            options += _along_reaches(first, action, prices)
    if "dose" in allow:
        found, missing = _doses(stands, prices)
        options += found
        notes += missing
    options += [Option(measure, measure.cost) for measure in extra if measure.action in allow]
    return _priced(options, notes, missing_cost, prices.years)


def _priced(options: list[Option], notes: list[Fault], missing_cost: float | None, years: float) -> Choice:
    below = [o for o in options if o.cost < 0]
    if below:
        message = "{action}（{id}）的费用 {cost:g} 万元为负。请改正 seal_cost"
        raise FaultsError(
            Fault("cost_negative", message, {"action": o.measure.action, "id": o.measure.source_id, "cost": o.cost})
            for o in below
        )
    blank = [o for o in options if np.isnan(o.cost)]
    if not blank:
        return Choice(tuple(_cost_on_measure(options, years)), "万元", tuple(notes))
    ids = "、".join(dict.fromkeys(o.measure.source_id for o in blank[:10])) + ("…" if len(blank) > 10 else "")
    if missing_cost is not None:
        message = "{count} 项措施没有费用，按每项 {cost:g} 万元计：{ids}"
        notes.append(
            Fault("cost_assumed", message, {"count": len(blank), "cost": missing_cost, "ids": ids}, warning=True)
        )
        options = [replace(o, cost=missing_cost) if np.isnan(o.cost) else o for o in options]
        return Choice(tuple(_cost_on_measure(options, years)), "万元", tuple(notes))
    message = "{count} 项措施没有费用（{ids}），本方案按措施数量最少计算，不是费用。请补上 seal_cost，或给出缺省费用"
    notes.append(Fault("cost_missing", message, {"count": len(blank), "ids": ids}, warning=True))
    return Choice(tuple(replace(o, cost=1.0) for o in options), "count", tuple(notes))


def _cost_on_measure(options: list[Option], years: float) -> list[Option]:
    """The measure carries its price, once or a year; the option what it comes to over the years counted."""
    return [
        replace(o, measure=replace(o.measure, cost=o.cost), cost=o.cost * (years if o.measure.yearly else 1.0))
        for o in options
    ]


def own_outlets(network: RiverNetwork) -> list[str]:
    """Outlets that are sources of their own: not the outlet of a plant."""
    plants = network.plants.index
    return [str(outlet) for outlet, plant in text(network.outlets, "plant_id").items() if plant not in plants]


def _seals(stand: Situation) -> list[Option]:
    cost = number(stand.network.outlets, "seal_cost")
    return [Option(Measure("seal", o), float(cost[o])) for o in own_outlets(stand.network)]


def _regulations(stand: Situation, prices: Prices) -> list[Option]:
    limit, found = prices.regulate_to_mg_l, []
    for outlet in own_outlets(stand.network):
        i = stand.position[outlet]
        if (
            stand.load_kg_d[i] > limit * stand.water_m3_s[i] * KG_D_PER_MG_L_M3_S * (1 + 1e-9)
            and stand.water_m3_s[i] > 0
        ):
            found.append(Option(Measure("regulate", outlet, limit), prices.regulate_outlet))
    return found


def _upgrades(stand: Situation, prices: Prices) -> list[Option]:
    found = []
    for plant in map(str, stand.network.plants.index):
        water = stand.water_m3_s[stand.position[plant]] * SECONDS_PER_DAY
        for level in prices.upgrade_to_mg_l:
            if plant_tp_mg_l(stand, plant) > level * (1 + 1e-9):
                found.append(Option(Measure("upgrade", plant, level), prices.upgrade(level, float(water))))
    return found


def _merges(
    stand: Situation, prices: Prices, upgrades: Sequence[Option], sewer_km: Mapping[str, float]
) -> list[Option]:
    network = stand.network
    into, found = text(network.outlets, "merge_to"), []
    for outlet in own_outlets(network):
        plant = into[outlet]
        if plant in network.plants.index:
            water = stand.water_m3_s[stand.position[outlet]] * SECONDS_PER_DAY
            pipe = prices.merge_per_km * sewer_km.get(outlet, 0.0)
            cost = prices.merge_outlet + prices.merge_per_m3_d * water + pipe
            beside = [None, *(u.measure for u in upgrades if u.measure.source_id == plant)]
            found += [Option(Measure("merge", outlet, to=plant), cost, upgrade) for upgrade in beside]
    return found


def _unmergeable(network: RiverNetwork) -> list[Fault]:
    into, spare = text(network.outlets, "merge_to"), spare_m3_d(network.plants)
    named = list(dict.fromkeys(p for p in into if p in network.plants.index))
    message = "污水处理厂 {id} 的实际水量已超过设计规模 {over:.0f} m³/d，没有余量，不能再并入"
    return [
        Fault("spare_negative", message, {"id": p, "over": -float(spare[p])}, "plants", p, warning=True)
        for p in named
        if spare[p] < 0
    ]


def _along_reaches(stand: Situation, action: str, prices: Prices) -> list[Option]:
    """Dredging, or relocating, along every reach that has a diffuse load; a survey's own measures are better."""
    length = number(stand.network.reaches, "length_m") / 1000
    options = []
    for reach, load in zip(map(str, stand.network.reaches.index), stand.diffuse_kg_d, strict=True):
        if load > 0:
            taken = load * (prices.dredge_takes if action == "dredge" else prices.relocate_takes)
            cost = prices.dredge_per_km * length[reach] if action == "dredge" else prices.relocate_per_kg_d * taken
            options.append(Option(Measure(action, reach, taken), float(cost)))
    return options


def _doses(stands: Sequence[Situation], prices: Prices) -> tuple[list[Option], list[Fault]]:
    network = stands[0].network
    capacity, source = number(network.gates, "max_discharge_m3_s"), number(network.gates, "source_tp_mg_l")
    days = {stand.condition.operated_as: stand.condition.days for stand in stands}
    options: list[Option] = []
    incomplete: list[str] = []
    for gate in map(str, network.gates.index):
        placed = str(network.gates.at[gate, "reach_id"]) in network.reach_position
        if not (placed and np.isfinite(capacity[gate]) and np.isfinite(source[gate])):
            incomplete.append(gate)
            continue
        for season, length in days.items():
            measure = Measure(
                "dose", gate, float(capacity[gate]), season=season if len(days) > 1 else "", days=length, yearly=True
            )
            options.append(Option(measure, prices.dose_per_10k_m3 * measure.volume_10k_m3, divisible=True))
    message = "闸 {ids} 没有所在河段、过流能力或水源总磷，不当作引水措施。能引水的请补上 reach_id、max_discharge_m3_s 与 source_tp_mg_l"
    notes = (
        [Fault("gate_incomplete", message, {"ids": "、".join(incomplete)}, "gates", warning=True)] if incomplete else []
    )
    return options, notes
