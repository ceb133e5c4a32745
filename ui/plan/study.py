"""What stands behind a plan: cost against margin, what a target's last bit costs, rivals, certainty, and rain upon it."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

import hydro
from hydro.columns import text
from hydro.duties import DUTIES
from hydro.planning.plan_rows import place_name
from reports.plan import last_bits, tell
from ui import cache, parts, state
from ui.plan.search import gap_of
from ui.state import say

SHARE = 0.9


def curve() -> None:
    """The least cost for each margin, and what each section's last 0.01 mg/L costs."""
    plan: hydro.Plan | None = state.proposal()
    if plan is None:
        st.caption(say("先求最省的方案，这里再画费用随余量的变化"))
        return
    found = state.studied("curve", plan)
    if found is None and st.button(say("算费用曲线与最后一点的代价"), key="plan_curve"):
        with st.spinner(say("正在对每个余量各求一次最省的方案")):
            found = (
                hydro.cost_curve(plan.model, gap=gap_of(plan.model)),
                hydro.last_bit_costs(plan.model, plan, gap=gap_of(plan.model)),
            )
        state.keep_study("curve", plan, found)
    if found is None:
        return
    costs, bits = found
    left, right = st.columns([3, 2])
    with left:
        st.altair_chart(_curve(costs, plan), width="stretch")
        beyond = costs.loc[costs["status"] == "infeasible", "margin"]
        if len(beyond):
            st.caption(say("余量 {margin:g} % 起没有任何组合能做到", margin=100 * float(beyond.min())))
    with right:
        for line in last_bits(plan, bits, state.lang()):
            st.text(line)


def _curve(costs: pd.DataFrame, plan: hydro.Plan) -> alt.LayerChart:
    rows = costs.dropna(subset=["cost"]).assign(percent=lambda t: 100 * t["margin"])
    unit = say("万元") if plan.unit != "count" else say("项")
    tips = [
        alt.Tooltip("percent", title=say("余量 %")),
        alt.Tooltip("cost", title=unit, format=",.1f"),
        alt.Tooltip("measures", title=say("措施")),
    ]
    base = alt.Chart(rows).encode(
        x=alt.X("percent:Q", title=say("余量 %"), axis=alt.Axis(labelFontSize=12)),
        y=alt.Y("cost:Q", title=unit, axis=alt.Axis(labelFontSize=12)),
    )
    here = pd.DataFrame({"percent": [100 * plan.margin], "cost": [plan.cost]})
    mark = alt.Chart(here).mark_point(size=180, color="#1f2a33", strokeWidth=2.5).encode(x="percent:Q", y="cost:Q")
    line = base.mark_line(point=alt.OverlayMarkDef(size=60), color="#1667b7", strokeWidth=2.5).encode(tooltip=tips)
    chart: alt.LayerChart = (line + mark).properties(height=250)
    return chart


def rivals() -> None:
    """The cheapest plans that differ, side by side with the first; each can be taken."""
    plan: hydro.Plan | None = state.proposal()
    if plan is None or plan.status != "optimal" or not plan.measures:
        st.caption(say("先求最省的方案，这里再找与它不同而次省的"))
        return
    found = state.studied("rivals", plan)
    if found is None and st.button(say("找次省的不同方案"), key="plan_rivals"):
        with st.spinner(say("正在找与前面都不同的最省方案")):
            found = list(hydro.next_best(plan.model, plan, count=3, gap=gap_of(plan.model)))
        state.keep_study("rivals", plan, found)
    if found is None:
        return
    if not found:
        st.caption(say("没有别的方案能达到目标"))
    network, first = plan.model.network, {(m.key, m.amount): m for m in plan.measures if m.action != "dose"}
    for number, other in enumerate(found, start=2):
        theirs = {(m.key, m.amount): m for m in other.measures if m.action != "dose"}
        cells = st.columns([2, 5, 10, 3], vertical_alignment="center")
        cells[0].text(say("第 {number}", number=number))
        cells[1].text(say("{cost:.1f} 万元 · {count} 项", cost=other.cost, count=len(other.measures)))
        gone = _named(network, [m for key, m in first.items() if key not in theirs])
        new = _named(network, [m for key, m in theirs.items() if key not in first])
        cells[2].text(say("不做：{gone}；改做：{new}", gone=gone, new=new))
        if cells[3].button(say("取用"), key=f"plan_rival_{number}"):
            state.mark(other.measures)
            state.tell_plan(tuple(tell(other, state.lang())))
            st.rerun(scope="fragment")


def _named(network: hydro.RiverNetwork, measures: list[hydro.Measure]) -> str:
    told = [f"{say(DUTIES[m.action].word)} {place_name(network, m.source_id)}" for m in measures[:4]]
    return "、".join(told) + ("…" if len(measures) > 4 else "") or say("（无）")


def certainty(plan: hydro.Scenario, scope: tuple[str, ...], flow: hydro.Condition) -> None:
    """How likely the plan holds, section by section, over draws of decay, water and loads."""
    held = (plan.measures, scope, flow)
    found: hydro.Reliability | None = state.studied("certainty", held)
    if found is None and st.button(say("算这个方案有几成把握"), key="plan_certainty"):
        with st.spinner(say("降解、水量与负荷各抽 200 次")):
            found = hydro.reliability(plan, sections=scope, condition=flow)
        state.keep_study("certainty", held, found)
    if found is None:
        st.caption(
            say("降解约差一倍，水量约差 20 %，负荷约差 30 %，面源约差 50 %：在这些不确定之下，各断面达到目标的机会")
        )
        return
    st.text(
        say("全部断面同时达到目标的机会：{share}（{draws} 次抽样）", share=parts.chance(found.share), draws=found.draws)
    )
    names = text(plan.network.sections, "name")
    rows = found.sections.assign(label=[names[s] or s for s in found.sections["section_id"]])
    base = alt.Chart(rows.assign(told=[parts.chance(float(p)) for p in rows["probability"]]))
    y = alt.Y(
        "label:N",
        title=None,
        sort=alt.EncodingSortField("probability", order="ascending"),
        axis=alt.Axis(labelFontSize=13, labelLimit=160, labelOverlap=False),
    )
    figures = base.mark_text(align="left", dx=4, fontSize=13).encode(x="probability:Q", y=y, text="told:N")
    bars = base.mark_bar(color="#1667b7", height=14).encode(
        x=alt.X(
            "probability:Q",
            title=say("达到目标的机会"),
            scale=alt.Scale(domain=[0, 1.08]),
            axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
        ),
        y=y,
        tooltip=[
            alt.Tooltip("label", title=say("断面")),
            alt.Tooltip("probability", title=say("机会"), format=".0%"),
            alt.Tooltip("tp_median", title=say("中位 mg/L"), format=".3f"),
            alt.Tooltip("tp_p90", title=say("九成以内 mg/L"), format=".3f"),
        ],
    )
    st.altair_chart((bars + figures).properties(height=alt.Step(24)), width="stretch")
    proposed: hydro.Plan | None = state.proposal()
    if proposed is None or proposed.status != "optimal" or proposed.measures != plan.measures:
        return
    if st.button(
        say("加固到九成把握"), key="plan_robust", help=say("把最没把握的断面目标收紧，再求最省的方案，直到九成")
    ):
        with st.spinner(say("正在收紧目标再求")):
            tighter, sure = hydro.robust_plan(proposed, share=SHARE)
        state.mark(tighter.measures)
        state.keep_study("certainty", (tighter.measures, scope, flow), sure)
        lines = tell(tighter, state.lang())
        if sure.share < SHARE:
            lines.insert(0, say("允许的措施做不到九成把握，最多 {share}", share=parts.chance(sure.share)))
        state.tell_plan(tuple(lines))
        st.rerun(scope="fragment")


def rain(url: str, revision: int, plan: hydro.Scenario, scope: tuple[str, ...], month: str) -> None:
    """What a rain makes of every section, without the plan and with it."""
    cells = st.columns([1, 1, 3], vertical_alignment="bottom")
    depth = cells[0].number_input(say("雨量（毫米）"), 0.0, 1000.0, 50.0, 10.0, key="plan_rain")
    hours = cells[1].number_input(say("历时（小时）"), 1.0, 240.0, 24.0, 6.0, key="plan_hours")
    cells[2].caption(
        say("模拟，现状 → 方案。径流按曲线数法，冲刷按次降雨平均浓度（NURP），污水厂超设计部分溢流；系数均为经验值")
    )
    flow = hydro.Condition(time=month or None)
    base = hydro.Scenario(plan.network)
    asked = (plan.measures, plan.water, scope, depth, hours, flow)
    found = state.studied("rain", asked)
    if found is None and st.button(say("算这场雨"), key="plan_rain_do"):
        with st.spinner(say("正在算冲刷、溢流与汇流")):
            found = [
                hydro.storm(one, depth, hours=hours, condition=flow).set_index("section_id").reindex(scope)
                for one in (base, plan)
            ]
        state.keep_study("rain", asked, found)
    if found is None:
        return
    now, then = found
    st.dataframe(
        pd.DataFrame(
            {
                say("断面"): now["name"],
                say("目标 mg/L"): now["target_mg_l"],
                say("暴雨系数"): now["storm_factor"].round(2),
                say("峰值 mg/L"): _pairs(now["peak_mg_l"], then["peak_mg_l"], lambda tp: f"{tp:.3f}"),
                say("超标机会"): _pairs(now["probability"], then["probability"], parts.chance),
                say("多大的雨超标 mm"): _pairs(now["breaking_rain_mm"], then["breaking_rain_mm"], _depth),
            }
        ),
        hide_index=True,
        height=290,
    )
    strong = cache.intensity(url, revision)
    if len(strong):
        newest = strong[strong["year"] == strong["year"].max()].head(3)
        told = "、".join(
            f"{row.name_} {row.intensity:.2f}" for row in newest.rename(columns={"name": "name_"}).itertuples()
        )
        st.caption(say("汛期污染强度（{year}，首要污染物÷目标）：{told}", year=int(newest["year"].iloc[0]), told=told))


def _pairs(now: pd.Series[float], then: pd.Series[float], told: Callable[[float], str]) -> list[str]:
    """Today and with the plan in one cell, as the page's other figures stand."""
    return [f"{told(float(a))} → {told(float(b))}" for a, b in zip(now, then, strict=True)]


def _depth(mm: float) -> str:
    return "–" if not np.isfinite(mm) else f"{mm:.0f}"
