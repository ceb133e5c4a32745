"""Where outlets are led when they are merged: as the register says, and asked where it says nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import hydro
from hydro.columns import text
from hydro.planning.measure import outlet_water_m3_d, spare_m3_d
from ui.state import say


def registered(network: hydro.RiverNetwork, outlets: Sequence[str]) -> dict[str, str]:
    """The plant that the register names for each of these outlets; those without one, or with one that is not there, left out."""
    named = text(network.outlets, "merge_to").reindex(list(outlets))
    return {str(outlet): str(plant) for outlet, plant in named.items() if plant in network.plants.index}


def asked(
    cell: DeltaGenerator, label: str, network: hydro.RiverNetwork, chosen: Sequence[str]
) -> dict[str, str] | None:
    """The plant of every outlet once it is decided, None before: the register's, else the one that is picked here."""
    known = registered(network, chosen)
    open_ones = [outlet for outlet in chosen if outlet not in known]
    if not open_ones or not len(network.plants):
        return known if cell.button(label, disabled=not chosen, width="stretch", key="plan_do_merge") else None
    with cell.popover(label, width="stretch", key="plan_merge"):
        names, spare = text(network.plants, "name"), spare_m3_d(network.plants)
        water = float(outlet_water_m3_d(network.outlets)[open_ones].sum())
        st.text(say("{count} 个排污口台账没有写明并入哪座厂，共 {water:.0f} m³/d", count=len(open_ones), water=water))
        roomy = spare.fillna(np.inf).sort_values(ascending=False, kind="stable")
        plant = st.selectbox(
            say("并入哪座污水处理厂"),
            list(map(str, roomy.index)),
            index=None,
            format_func=lambda one: _plant(names[one] or one, float(spare[one])),
            placeholder=say("请选一座"),
            key="plan_merge_to",
        )
        done = st.button(say("并入"), type="primary", disabled=not plant, width="stretch", key="plan_do_merge")
        return known | dict.fromkeys(open_ones, str(plant)) if done else None


def _plant(name: str, spare: float) -> str:
    left = say("余量 {left:,.0f} m³/d", left=spare) if np.isfinite(spare) else say("余量不明")
    return f"{name} · {left}"
