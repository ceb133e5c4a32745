"""Ecological compensation: an exceedance priced by an editable rule table, the inbound part taken off first.

A rule is a row: ``kind`` (pay, reward), ``target_class`` ("" = any), ``parameter`` ("" = any), ``above`` < multiple ≤
``upto``, then ``base_wan + per_multiple_wan * multiple`` in 万元.  A rule that names a class or a parameter goes before
one that leaves it blank, wherever they stand in the table.  The shipped table is another city's and a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from hydro.assessment.attainment import exceeds
from hydro.assessment.standards import Floats
from hydro.columns import number, text
from hydro.delivery import delivery_ratios
from hydro.errors import Fault, FaultsError
from hydro.load import source_loads
from hydro.network import RiverNetwork
from hydro.route import source_nodes
from hydro.transport import KG_D_PER_MG_L_M3_S

NAMED = ("target_class", "parameter")
"""What a rule may be for alone; blank is any."""


def inbound_part(excess_kg_d: Any, delivery_ratio: Any, discharge_m3_s: Any) -> Floats:
    """Concentration at a section that an upstream neighbour's exceedance explains, mg/L.

    ``sum over boundaries of (C_b - T)+ Q_b 86.4 x delivery ratio / (86.4 Q_section)``: the neighbour answers for what
    still arrives, not for what he let go.  By hand: 2.592 kg/d over target at the border, 0.8 of it arrives, section
    at 3 m³/s: 2.592 x 0.8 / (86.4 x 3) = 0.008 mg/L.

    ``excess_kg_d`` and ``delivery_ratio`` (boundaries, sections), ``discharge_m3_s`` (sections,); zero without water.

    >>> inbound_part([[2.592]], [[0.8]], [3.0]).round(6).tolist()
    [0.008]
    """
    excess = np.maximum(np.asarray(excess_kg_d, dtype=float), 0.0)
    arriving = (excess * np.asarray(delivery_ratio, dtype=float)).sum(axis=0)
    flow = np.asarray(discharge_m3_s, dtype=float)
    return np.asarray(np.where(flow > 0, arriving / np.where(flow > 0, flow, 1.0) / KG_D_PER_MG_L_M3_S, 0.0))


def inbound_mg_l(network: RiverNetwork, rows: pd.DataFrame, month: str) -> Floats:
    """The inbound part of each row of a board: what the boundaries let in above the section's own target.

    ``rows`` needs section_id, target_mg_l and discharge_m3_s.  A boundary has no target of its own in the tables: the
    water it lets in is asked to meet the target of the section it flows to.

    Raises :class:`HydroError` where the network has no discharge to route by.
    """
    sources = source_loads(network, month)
    inbound = sources[sources["kind"] == "inbound"]
    if inbound.empty or rows.empty:
        return np.zeros(len(rows))
    reached = delivery_ratios(network, [str(one) for one in rows["section_id"]], time=month)
    nodes = source_nodes(network, inbound)
    ratio = np.where(nodes[:, None] >= 0, reached.node_ratio[nodes], 0.0)
    inside = np.flatnonzero(nodes < 0)
    if len(inside):
        reach = np.array([network.reach_position[str(one)] for one in inbound["reach_id"].iloc[inside]], dtype=np.int_)
        ratio[inside] = reached.from_places(reach, np.zeros(len(inside)))[0]
    water, load = (number(inbound, name).fillna(0.0).to_numpy()[:, None] for name in ("discharge_m3_s", "load_kg_d"))
    excess = load - number(rows, "target_mg_l").fillna(np.inf).to_numpy()[None, :] * water * KG_D_PER_MG_L_M3_S
    return inbound_part(np.where(water > 0, excess, 0.0), ratio, number(rows, "discharge_m3_s").fillna(0.0))


def compensation(months: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Price every section-month.

    ``months`` columns: section_id, month, county, parameter, value_mg_l, target_mg_l, target_class, inbound_mg_l.
    Returns the same rows with ``own_mg_l`` (value less the inbound part), ``multiple`` of the target, ``rule`` (its
    row in the table, -1 none), ``pay_wan`` and ``reward_wan`` in 万元.  A section-month without value or target is
    priced NaN: unknown, not free.

    Raises :class:`FaultsError` where the rules overlap or are not numbers.
    """
    steps = check_rules(rules)
    inbound = number(months, "inbound_mg_l").fillna(0.0) if "inbound_mg_l" in months else 0.0
    value, target = number(months, "value_mg_l"), number(months, "target_mg_l")
    own = value - inbound
    multiple = ((own - target) / target).round(9)  # a border of the rules is not missed by a rounding error
    over = exceeds(value, target)
    pays = over & exceeds(own, target)
    classes, parameters = text(months, "target_class"), text(months, "parameter")
    amount = {"pay": np.zeros(len(months)), "reward": np.zeros(len(months))}
    chosen = np.full(len(months), -1)
    rows = steps.to_dict("records")
    for i in sorted(range(len(rows)), key=lambda i: _named(rows[i])):
        rule = rows[i]
        here = (multiple > rule["above"]) & (multiple <= rule["upto"])
        here &= pays if rule["kind"] == "pay" else ~over
        here &= (rule["target_class"] == "") | (classes == rule["target_class"])
        here &= (rule["parameter"] == "") | (parameters == rule["parameter"])
        priced = rule["base_wan"] + rule["per_multiple_wan"] * multiple
        amount[rule["kind"]] = np.where(here, priced, amount[rule["kind"]])
        chosen = np.where(here, i, chosen)
    unknown = (value.isna() | target.isna()).to_numpy()
    pay, reward = (np.where(unknown, np.nan, amount[kind]) for kind in ("pay", "reward"))
    return months.assign(own_mg_l=own, multiple=multiple, rule=chosen, pay_wan=pay, reward_wan=reward)


def county_statement(priced: pd.DataFrame) -> pd.DataFrame:
    """What each county pays and receives, and its unknown section-months; the net is reward less payment (万元)."""
    grouped = priced.groupby("county", sort=True)
    found = grouped.agg(
        section_months=("pay_wan", "size"), unknown=("pay_wan", lambda x: int(x.isna().sum())),
        exceeding=("pay_wan", lambda x: int((x > 0).sum())), pay_wan=("pay_wan", "sum"), reward_wan=("reward_wan", "sum"),
    )  # fmt: skip
    return found.assign(net_wan=found["reward_wan"] - found["pay_wan"]).reset_index()


def _rivals(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two rules can both apply to the same multiple, and neither is the more special one."""
    if one["kind"] != other["kind"] or not (one["above"] < other["upto"] and other["above"] < one["upto"]):
        return False
    if any(one[name] and other[name] and one[name] != other[name] for name in NAMED):
        return False
    return _named(one) == _named(other)


def _named(rule: Mapping[Any, Any]) -> int:
    """How special a rule is: how many of ``NAMED`` it names."""
    return sum(bool(rule[name]) for name in NAMED)


def check_rules(rules: pd.DataFrame) -> pd.DataFrame:
    """The rule table with its numbers as numbers; every overlap that leaves open which rule holds is refused at once."""
    found = rules.assign(
        above=number(rules, "above").fillna(-np.inf), upto=number(rules, "upto").fillna(np.inf),
        base_wan=number(rules, "base_wan"), per_multiple_wan=number(rules, "per_multiple_wan").fillna(0.0),
        kind=text(rules, "kind"), target_class=text(rules, "target_class"), parameter=text(rules, "parameter"),
    ).reset_index(drop=True)  # fmt: skip
    faults = []
    for i, rule in found.iterrows():
        params: Mapping[str, Any] = {"row": int(str(i)) + 1}
        if rule["kind"] not in ("pay", "reward"):
            faults.append(Fault("rule_kind", "补偿规则第 {row} 行：kind 应为 pay 或 reward", params, row=str(i)))
        if np.isnan(rule["base_wan"]) or not rule["above"] < rule["upto"]:
            faults.append(Fault("rule_numbers", "补偿规则第 {row} 行：金额或倍数区间无效", params, row=str(i)))
    ordered = found.sort_values("above", kind="stable").reset_index().to_dict("records")
    for n, later in enumerate(ordered):
        before = next((other for other in ordered[:n] if _rivals(other, later)), None)
        if before is None:
            continue
        params = {"row": int(later["index"]) + 1, "other": int(before["index"]) + 1}
        message = "补偿规则第 {row} 行：倍数区间与前一档重叠"
        if (later["target_class"], later["parameter"]) != (before["target_class"], before["parameter"]):
            message = "补偿规则第 {row} 行：与第 {other} 行可能同时适用而倍数区间重叠，分不出以哪一行为准。请在其中一行补填目标类别和参数"
        faults.append(Fault("rule_overlap", message, params, row=str(later["index"])))
    if faults:
        raise FaultsError(faults)
    return found
