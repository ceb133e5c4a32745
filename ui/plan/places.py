"""Where work can be done: outlets by frame, river, county and type; plants; gates that bring water; reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import hydro
from hydro.columns import number, text
from hydro.duties import DUTIES
from hydro.planning.measure import ON_OUTLET, Measure, check_measures
from hydro.planning.options import DEFAULT_PRICES, own_outlets
from hydro.planning.scenario import plant_tp_mg_l
from hydro.planning.seasons import DAYS
from ui import cache, parts, state
from ui.plan import merging
from ui.state import say

MOST_REACHES = 60
WIDTHS = {"mark": 62, "name": 132, "river": 62, "county": 62, "type": 84, "load": 78, "cost": 72}
"""Pixels of the outlets' columns: all of them within the half of an office screen."""


def show(url: str, revision: int, network: hydro.RiverNetwork, stand: hydro.Situation) -> None:
    """A tab for each kind of place."""
    titles = ("排污口", "污水处理厂", "引水", "河道与面源")
    tabs = st.tabs([parts.capital(say(title)) for title in titles], on_change="rerun", key="plan_place_tabs")
    for title, tab in zip(titles, tabs, strict=True):
        if tab.open:
            with tab:
                if title == "排污口":
                    _outlets(url, revision, network, stand)
                elif title == "污水处理厂":
                    _plants(network, stand)
                elif title == "引水":
                    _gates(network)
                else:
                    _reaches(network, stand)


def take(network: hydro.RiverNetwork, measures: Iterable[Measure]) -> bool:
    """Make these the plan at hand, or say why they cannot be."""
    wanted = tuple(measures)
    faults = check_measures(network, wanted)
    for fault in faults[:5]:
        st.warning(say(fault.message, **fault.params))
    if not faults:
        state.mark(wanted)
        state.tell_plan(())
    return not faults


def without(keys: Iterable[tuple[str, str, str]]) -> list[Measure]:
    """The plan at hand without some measures."""
    gone = set(keys)
    return [measure for measure in state.marks() if measure.key not in gone]


def _outlets(url: str, revision: int, network: hydro.RiverNetwork, stand: hydro.Situation) -> None:
    table = _outlet_table(network, stand)
    caught = state.caught()
    if caught:
        told, drop = st.columns([4, 1], vertical_alignment="center")
        table = table.loc[[i for i in table.index if i in set(caught)]]
        told.text(say("框中 {count} 个排污口", count=len(table)))
        drop.button(say("取消框选"), on_click=state.let_go, width="stretch", key="plan_let_go")
    else:
        cells = st.columns(3)
        for cell, (column, label) in zip(cells, (("river", "河流"), ("county", "县"), ("type", "类型")), strict=True):
            values = sorted(set(table[column]) - {""})
            wanted = cell.multiselect(
                say(label),
                values,
                key=f"plan_by_{column}",
                placeholder=parts.capital(say(label)),
                label_visibility="collapsed",
            )
            table = table[table[column].isin(wanted)] if wanted else table
    labels = {
        "mark": "措施", "name": "排污口", "river": "河流", "county": "县", "type": "类型", "load": "负荷 kg/d", "cost": "封堵 万元",
    }  # fmt: skip
    picked = st.dataframe(
        table,
        hide_index=True,
        height=232,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            key: st.column_config.Column(parts.capital(say(label)), width=WIDTHS.get(key))
            for key, label in labels.items()
        },
        key=f"plan_outlets_{hash((tuple(table.index), state.marks()))}",  # another list or plan: no row is ticked
    )
    chosen = [str(table.index[i]) for i in picked["selection"]["rows"] if i < len(table)]
    chosen = chosen or ([str(i) for i in table.index] if caught else [])
    rest = [m for m in state.marks() if m.source_id not in chosen]
    *each, last = st.columns(4)
    for cell, action in zip(each, ON_OUTLET, strict=True):
        label = parts.capital(say(DUTIES[action].word)) + (f" {len(chosen)}" if chosen else "")
        into = (
            merging.asked(cell, label, network, chosen) if action == "merge" else _pressed(cell, label, action, chosen)
        )
        if into is not None and take(
            network, [*rest, *_on_outlets(url, revision, network, stand, chosen, action, into)]
        ):
            state.let_go()
            st.rerun(scope="fragment")
    marked = len(rest) < len(state.marks())
    if last.button(say("取消"), disabled=not marked, width="stretch", key="plan_undo") and take(network, rest):
        state.let_go()
        st.rerun(scope="fragment")


def _pressed(cell: DeltaGenerator, label: str, action: str, chosen: Sequence[str]) -> dict[str, str] | None:
    """Nothing more is asked: an answer without plants once the button is pressed, None before."""
    return {} if cell.button(label, disabled=not chosen, width="stretch", key=f"plan_do_{action}") else None


def _outlet_table(network: hydro.RiverNetwork, stand: hydro.Situation) -> pd.DataFrame:
    outlets = network.outlets.loc[own_outlets(network)]
    table = pd.DataFrame(
        {
            "name": text(outlets, "name"),
            "river": text(network.reaches, "river").reindex(outlets["reach_id"]).fillna("").to_numpy(),
            "county": text(outlets, "county"),
            "type": [say(kind) for kind in text(outlets, "type")],
            "load": stand.sources["load_kg_d"].reindex(outlets.index).round(2),
            "cost": number(outlets, "seal_cost"),
        },
        index=outlets.index,
    )
    marked = {measure.source_id: say(DUTIES[measure.action].word) for measure in state.marks()}
    table.insert(0, "mark", [marked.get(str(i), "") for i in table.index])
    return table.sort_values("load", ascending=False, kind="stable")


def _on_outlets(
    url: str,
    revision: int,
    network: hydro.RiverNetwork,
    stand: hydro.Situation,
    chosen: Sequence[str],
    action: str,
    into: Mapping[str, str],
) -> list[Measure]:
    """The measures that a click makes, at the same prices as the proposal's; ``into`` is the plant of every merge."""
    seal_cost, prices = number(network.outlets, "seal_cost"), DEFAULT_PRICES
    km = cache.sewers_to(url, revision, tuple(into.items())) if into else {}
    made = []
    for outlet in chosen:
        water = stand.water_m3_s[stand.position[outlet]] * 86_400
        pipe = prices.merge_per_km * km.get(outlet, 0.0)
        cost = {
            "seal": float(seal_cost[outlet]),
            "regulate": prices.regulate_outlet,
            "merge": prices.merge_outlet + prices.merge_per_m3_d * water + pipe,
        }[action]
        amount = prices.regulate_to_mg_l if action == "regulate" else float("nan")
        made.append(Measure(action, outlet, amount, to=into.get(outlet, ""), cost=cost))
    return made


def _plants(network: hydro.RiverNetwork, stand: hydro.Situation) -> None:
    """Every plant with what it could be improved to."""
    if not len(network.plants):
        st.caption(say("项目里没有污水处理厂"))
        return
    levels = {"": say("不动"), "0.5": say("一级A 0.5"), "0.3": say("准Ⅳ类 0.3")}
    marked = {m.source_id: m for m in state.marks() if m.action == "upgrade"}
    words = dict(levels)
    for measure in marked.values():
        words.setdefault(f"{measure.amount:g}", f"{measure.amount:g} mg/L")
    plants = [str(i) for i in network.plants.index]
    before = [f"{marked[i].amount:g}" if i in marked else "" for i in plants]
    table = pd.DataFrame(
        {
            "to": [words[level] for level in before],
            "name": text(network.plants, "name"),
            "tp": [round(plant_tp_mg_l(stand, i), 2) for i in plants],
            "water": [round(stand.water_m3_s[stand.position[i]] * 86_400) for i in plants],
        },
        index=plants,
    )
    edited = st.data_editor(
        table,
        hide_index=True,
        height=290,
        disabled=["name", "tp", "water"],
        column_config={
            "to": st.column_config.SelectboxColumn(say("提标到 mg/L"), options=list(words.values()), required=True),
            "name": st.column_config.Column(say("污水处理厂")),
            "tp": st.column_config.Column(say("出水 mg/L")),
            "water": st.column_config.Column(say("水量 m³/d")),
        },
        key=f"plan_plants_{hash(tuple(before))}",
    )
    codes = {word: level for level, word in words.items()}
    after = [codes[word] for word in edited["to"]]
    if after != before:
        new = [
            Measure(
                "upgrade",
                plant,
                float(level),
                cost=DEFAULT_PRICES.upgrade(float(level), float(table["water"][plant])),
            )
            for plant, level in zip(plants, after, strict=True)
            if level
        ]
        take(network, [*(m for m in state.marks() if m.action != "upgrade"), *new])
        st.rerun(scope="fragment")


def _gates(network: hydro.RiverNetwork) -> None:
    """A slider for every gate that can bring water; always told as dilution."""
    capacity, source = number(network.gates, "max_discharge_m3_s"), number(network.gates, "source_tp_mg_l")
    usable = [str(i) for i in network.gates.index if np.isfinite(capacity[i]) and np.isfinite(source[i])]
    usable = [i for i in usable if str(network.gates.at[i, "reach_id"]) in network.reach_position]
    if not usable:
        st.caption(say("没有可引水的闸：须有所在河段、过流能力与水源总磷"))
        return
    st.caption(say("引水是稀释，不是减排"))
    names = text(network.gates, "name")
    held = {(m.source_id, m.season): m for m in state.marks() if m.action == "dose"}
    for gate, season in dict.fromkeys([*((gate, "") for gate in usable), *held]):
        measure = held.get((gate, season)) or Measure("dose", gate, 0.0, season=season, days=DAYS.get(season, 365.0))
        key = f"{state.DOSE}_{gate}_{season}"
        state.preset(key, float(measure.amount))
        st.slider(
            say(
                "{name}{season} m³/s（水源 {tp:g} mg/L）", name=names[gate], season=say(season), tp=float(source[gate])
            ),
            0.0,
            float(capacity[gate]),
            step=0.1,
            key=key,
            on_change=_dose,
            args=(measure, key),
        )
        if measure.amount > 0:
            volume, cost = measure.volume_10k_m3, measure.cost
            st.caption(
                say(
                    "每年 {days:.0f} 天，{volume:.0f} 万m³，{cost:.0f} 万元/年",
                    days=measure.days,
                    volume=volume,
                    cost=cost,
                )
            )


def _dose(measure: Measure, key: str) -> None:
    amount = float(state.widget(key))
    wanted = replace(measure, amount=amount, yearly=True)
    wanted = replace(wanted, cost=DEFAULT_PRICES.dose_per_10k_m3 * wanted.volume_10k_m3)
    state.mark((*without([measure.key]), *([wanted] if amount > 0 else [])))
    state.tell_plan(())


def _reaches(network: hydro.RiverNetwork, stand: hydro.Situation) -> None:
    """Reaches with the most diffuse load: dredging, and moving farms and small polluters away."""
    load = pd.Series(stand.diffuse_kg_d, index=network.reaches.index.astype(str)).nlargest(MOST_REACHES)
    load = load[load > 0]
    marks = {(m.action, m.source_id) for m in state.marks()}
    rows = pd.DataFrame(
        {
            "dredge": [("dredge", i) in marks for i in load.index],
            "relocate": [("relocate", i) in marks for i in load.index],
            "name": [text(network.reaches, "name")[i] or i for i in load.index],
            "load": load.round(2),
            "km": (number(network.reaches, "length_m")[load.index] / 1000).round(1),
        },
        index=load.index,
    )
    edited = st.data_editor(
        rows,
        hide_index=True,
        height=290,
        disabled=["name", "load", "km"],
        column_config={
            "dredge": st.column_config.CheckboxColumn(say("清淤")),
            "relocate": st.column_config.CheckboxColumn(say("搬迁取缔")),
            "name": st.column_config.Column(say("河段")),
            "load": st.column_config.Column(say("面源 kg/d")),
            "km": st.column_config.Column(say("长 km")),
        },
        key=f"plan_reaches_{hash(frozenset(marks))}",
    )
    prices = DEFAULT_PRICES
    part = {"dredge": prices.dredge_takes, "relocate": prices.relocate_takes}
    wanted = {(action, str(i)) for action in part for i in rows.index[edited[action]]}
    shown = {(action, str(i)) for action in part for i in rows.index}
    if wanted != marks & shown:
        gone = {(action, i, "") for action, i in (marks & shown) - wanted}
        new = [
            Measure(
                action,
                i,
                float(load[i]) * part[action],
                cost=prices.dredge_per_km * float(rows["km"][i])
                if action == "dredge"
                else prices.relocate_per_kg_d * float(load[i]) * part[action],
            )
            for action, i in sorted(wanted - marks)
        ]
        take(network, [*without(gone), *new])
        st.rerun(scope="fragment")
