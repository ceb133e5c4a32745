"""What the plan at hand does: the figures, the map before and after, and every section as a slope."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from streamlit_folium import st_folium

import hydro
from layers.maps import map as drawing
from layers.maps.plan_map import plan_message
from reports import phrases
from ui import cache, parts, state
from ui.state import say

INK, BLUE, BETWEEN = "#1f2a33", "#1667b7", "#8d99a3"
MOST_PANELS, MOST_COLUMNS, MOST_NAMED = 14, 7, 2
"""Sections drawn at once; the rest are in the table. Those that fail come first."""


def figures(table: pd.DataFrame, measures: Sequence[hydro.Measure], *, demo: bool) -> None:
    """Cost, count and how many sections hold: always in view."""
    once = sum(m.cost for m in measures if m.cost == m.cost and not m.yearly)
    yearly = sum(m.cost for m in measures if m.cost == m.cost and m.yearly)
    unknown = sum(m.cost != m.cost for m in measures)
    held = table.groupby("section_id", sort=False)["holds_after"].all()
    before = table.groupby("section_id", sort=False)["holds_before"].all()
    cells = st.columns([5, 3, 6])
    cells[0].metric(
        say("费用 万元（一次 + 每年）"),
        f"{once:,.0f} + {yearly:,.0f}",
        help=say("{count} 项没有费用，未计入", count=unknown) if unknown else None,
    )
    sealed = sum(measure.action == "seal" for measure in measures)
    cells[1].metric(say("措施（其中封堵）"), f"{len(measures)} ({sealed})")
    cells[2].metric(
        say("达到目标的断面（{basis}）", basis=parts.joined([*_waters(table), *([say("示例")] if demo else [])])),
        f"{int(before.sum())} → {int(held.sum())} / {len(held)}",
    )


def _waters(table: pd.DataFrame) -> list[str]:
    """Each water of a comparison with what its figures are; many of them counted."""
    measured = table.groupby("water", sort=False)["basis"].agg(lambda basis: bool((basis == "monitored").any()))
    if len(measured) > MOST_NAMED:
        return [say("{count} 种水情", count=len(measured))]
    return [str(water) if known else f"{water} {say('模拟')}" for water, known in measured.items()]


def map_of(url: str, revision: int, stand: hydro.Situation, plan: hydro.Scenario) -> None:
    """The map with a line to draw across: before on its left, after on its right; a frame catches outlets."""
    message = {
        "state": {"url": cache.state_url(url, revision, state.month(), state.lang())},
        "section": "",
        "source": "",
        "plan": plan_message(stand, plan, cache.standard(), caught=state.caught(), say=say),
    }
    with st.container(key="plan_map_frame"):
        st_folium(
            drawing.live_map(
                cache.library(),
                cache.network_source(url, revision),
                project=f"{url}#plan",
                relief=cache.relief(url, revision),
            ),
            key=state.PLAN_MAP,
            use_container_width=True,
            height=345,
            returned_objects=["last_active_drawing"],
            feature_group_to_add=drawing.telling(message),
            on_change=state.heard_plan_map,
        )


def slopes(table: pd.DataFrame, margin: float) -> None:
    """Every section from before to after; its target as a dashed line, what the margin leaves of it as a dotted one."""
    rows = table.assign(label=table["name"].where(table["name"] != "", table["section_id"]))
    several = rows["condition"].nunique() > 1 and rows["label"].nunique() > MOST_COLUMNS
    if several:
        hardest = (rows["tp_after_mg_l"] / rows["target_mg_l"]).fillna(np.inf).groupby(rows["label"]).idxmax()
        rows = rows.loc[hardest.reindex(rows["label"].unique())]
    if rows["label"].nunique() > MOST_PANELS:
        tightest = (rows["tp_after_mg_l"] / rows["target_mg_l"]).groupby(rows["label"]).max().nlargest(MOST_PANELS)
        rows = rows[rows["label"].isin(tightest.index)]
    if several or rows["label"].nunique() < table["section_id"].nunique():
        st.caption(
            say("画的是最紧的 {count} 个断面，各在其最紧的水情下；全部见下面的表", count=rows["label"].nunique())
        )
    st.altair_chart(_slopes(rows.assign(limit=rows["target_mg_l"] * (1 - margin)), apart=several), width="content")


def _slopes(rows: pd.DataFrame, *, apart: bool) -> alt.FacetChart:
    before, after, over, holds = say("现状"), say("实施后"), say("超标"), say("达到目标")
    lone = (rows["basis"] != "monitored") & bool(
        (rows["basis"] == "monitored").any() and rows["condition"].nunique() == 1
    )
    modelled = (rows["basis"] != "monitored").groupby(rows["condition"]).transform("all")
    waters = rows["water"].where(~modelled, rows["water"] + " " + say("模拟"))
    rows = rows.assign(condition=waters, basis=[say(phrases.EFFECT[basis]) for basis in rows["basis"]])
    rows["label"] = rows["label"].where(~lone, rows["label"] + " · " + say("模拟"))
    several = rows["condition"].nunique() > 1 and not apart
    order = list(dict.fromkeys(rows["label"]))
    long = pd.concat(
        rows[["condition", "label", "target_mg_l", "limit", "basis"]].assign(
            when=when, tp=rows[f"tp_{side}_mg_l"], state=np.where(rows[f"holds_{side}"], holds, over)
        )
        for when, side in ((before, "before"), (after, "after"))
    )
    x = alt.X("when:N", sort=[before, after], title=None, axis=alt.Axis(labelAngle=0, labelFontSize=12))
    y = alt.Y(
        "tp:Q",
        title=say("总磷 mg/L"),
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=4, format=".2f", labelFontSize=12),
    )
    colour = alt.Color(
        "state:N", title=None, scale=alt.Scale(domain=[holds, over], range=[BLUE, INK]),
        legend=alt.Legend(orient="top", labelFontSize=12),
    )  # fmt: skip
    shape = alt.Shape("state:N", title=None, scale=alt.Scale(domain=[holds, over], range=["circle", "triangle-up"]))
    base = alt.Chart(long)
    tips = [
        alt.Tooltip("label", title=say("断面")),
        alt.Tooltip("condition", title=say("水情")),
        alt.Tooltip("when", title=say("时候")),
        alt.Tooltip("tp", title=say("总磷 mg/L"), format=".3f"),
        alt.Tooltip("basis", title=say("依据")),
        alt.Tooltip("target_mg_l", title=say("目标"), format=".2f"),
    ]
    drawn = alt.layer(
        base.mark_rule(strokeDash=[5, 3], color="#8d99a3", strokeWidth=1.5).encode(y="target_mg_l:Q"),
        base.mark_rule(strokeDash=[1, 4], color="#1667b7", strokeWidth=1.5).encode(y="limit:Q"),
        base.mark_line(strokeWidth=2.5, color=BETWEEN).encode(x=x, y=y, detail="label:N"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour, shape=shape, tooltip=tips),
    ).properties(width=78, height=110 if several else 140)
    header = alt.Header(labelFontSize=13, title=None)
    if not several:
        return drawn.facet(
            facet=alt.Facet("label:N", title=None, sort=order, header=header), columns=MOST_COLUMNS, spacing=12
        )
    return drawn.facet(
        column=alt.Column("label:N", title=None, sort=order, header=header),
        row=alt.Row("condition:N", title=None, sort=list(dict.fromkeys(rows["condition"])), header=header),
        spacing=8,
    )


def basis(table: pd.DataFrame) -> None:
    """What the figures start from; and who holds by the model alone, but not from what was measured."""
    measured = table["basis"] == "monitored"
    if not measured.any():
        waters = parts.joined(dict.fromkeys(table["water"]))
        source = "现状与实施后都是{waters}的模拟值，不是某月实测；选“实况”则从当月实测值起算"
        st.caption(say(source, waters=waters))
        return
    st.caption(say("有实测的断面从当月实测值起算，减去模型算出的削减量；清单未说明的部分原样保留"))
    short = table[
        measured & ~table["holds_after"].astype(bool) & (table["modelled_after_mg_l"] <= table["target_mg_l"])
    ]
    if len(short):
        names = short["name"].where(short["name"] != "", short["section_id"])
        st.caption(
            say(
                "只按模型已达标、从实测起算仍超标：{names}。清单没有说明它们的全部负荷，请加大余量再求",
                names=parts.joined(names),
            )
        )


def sections(table: pd.DataFrame) -> pd.DataFrame:
    """The same as figures; the water is a column where there are several."""
    several = table["water"].nunique() > 1
    return pd.DataFrame(
        ({say("水情"): table["water"]} if several else {})
        | {
            say("断面"): table["name"].where(table["name"] != "", table["section_id"]),
            say("目标 mg/L"): table["target_mg_l"],
            say("现状 mg/L"): table["tp_before_mg_l"].round(3),
            say("方案 mg/L"): table["tp_after_mg_l"].round(3),
            say("余量 %"): ((1 - table["tp_after_mg_l"] / table["target_mg_l"]) * 100).round(1),
            say("现状 kg/d"): table["load_before_kg_d"].round(1),
            say("方案 kg/d"): table["load_after_kg_d"].round(1),
            say("依据"): [say(phrases.EFFECT[basis]) for basis in table["basis"]],
            say("现状 m³/s"): table["discharge_before_m3_s"].round(2),
            say("方案 m³/s"): table["discharge_after_m3_s"].round(2),
        }
    )
