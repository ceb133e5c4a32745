"""The plans page: mark measures or ask for the cheapest, and see every section move; keep, compare, approve."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

import hydro
from hydro.columns import number, text
from hydro.measure import ACTIONS, DUTIES, ON_OUTLET, check_measures, with_duty
from hydro.options import own_outlets
from hydro.scenario import change
from layers.plans import Plans
from reports.plan import tell
from ui import cache, decisions, parts, signin, state
from ui.state import say

FLOWS = {
    "平水": hydro.Condition("平水", days=150),
    "枯水": hydro.Condition("枯水", flow_factor=0.6, days=120),
    "汛期": hydro.Condition("汛期", flow_factor=2.0, days=95),
}
PROVINCIAL = "省控"
PLAN_TABLES = ("plans", "measures", "decisions")


def render() -> None:
    """Marks left, sections right; a mark reruns this part only."""
    with parts.guard():
        url = cache.place()
        _look(url, cache.project(url).revision)
        with st.expander(say("逐个排污口决定与审批（多人同时）")):
            decisions.render()


@st.fragment
def _look(url: str, revision: int) -> None:
    with parts.guard():
        network = cache.network(url, revision)
        left, right = st.columns([4, 6], gap="medium")
        with left:
            scope, flows = _ask(url, revision, network)
            _outlets(network)
        with right:
            _answer(url, revision, network, scope, flows)


def _ask(url: str, revision: int, network: hydro.RiverNetwork) -> tuple[tuple[str, ...], tuple[hydro.Condition, ...]]:
    """What the cheapest plan is asked with, and the one button."""
    words = {action: say(DUTIES[action].word) for action in ACTIONS}
    allow = st.pills(
        say("允许的措施"),
        ACTIONS,
        default=["seal", "regulate", "merge", "upgrade", "dredge", "relocate"],
        selection_mode="multi",
        format_func=words.__getitem__,
        key=state.PLAN_ALLOW,
    )
    margin = st.slider(say("余量（比目标低 %）"), 0, 30, 10, 5, key=state.PLAN_MARGIN)
    provincial = text(network.sections, "level") == PROVINCIAL
    scopes = [PROVINCIAL, "全部"] if provincial.any() else ["全部"]
    scope = (
        st.segmented_control(say("断面"), scopes, default=scopes[0], format_func=say, key=state.PLAN_SCOPE) or scopes[0]
    )
    names = st.pills(
        say("水情"), list(FLOWS), default=["平水"], selection_mode="multi", format_func=say, key=state.PLAN_FLOWS
    )
    flows = tuple(FLOWS[name] for name in names or ["平水"])
    sections = tuple(map(str, network.sections.index[provincial] if scope == PROVINCIAL else network.sections.index))
    if st.button(say("给我最省的方案"), type="primary", width="stretch"):
        with st.spinner(say("正在求最省的方案，最多一分钟")):
            plan = cache.proposal(url, revision, tuple(allow or ()), margin / 100, sections, flows)
        state.mark(plan.measures, tuple(tell(plan, state.lang())))
    return sections, flows


def _outlets(network: hydro.RiverNetwork) -> None:
    """Outlets by river, county and type; what is chosen is marked with one click."""
    outlets = network.outlets.loc[own_outlets(network)]
    river = text(network.reaches, "river").reindex(outlets["reach_id"]).fillna("").to_numpy()
    table = pd.DataFrame(
        {
            "name": text(outlets, "name"),
            "river": river,
            "county": text(outlets, "county"),
            "type": text(outlets, "type"),
            "load": hydro.source_loads(network)["load_kg_d"].reindex(outlets.index),
            "cost": number(outlets, "seal_cost"),
        },
        index=outlets.index,
    )
    table = table.sort_values("load", ascending=False, kind="stable")
    marked = {measure.source_id: say(DUTIES[measure.action].word) for measure in state.marks()}
    table.insert(0, "mark", [marked.get(str(i), "") for i in table.index])
    cells = st.columns(3)
    for cell, (column, label) in zip(cells, (("river", "河流"), ("county", "县"), ("type", "类型")), strict=True):
        wanted = cell.multiselect(
            say(label), sorted(set(table[column]) - {""}), key=f"plan_{column}", placeholder=say("全部")
        )
        table = table[table[column].isin(wanted)] if wanted else table
    labels = {
        "mark": "措施", "name": "排污口", "river": "河流", "county": "县", "type": "类型", "load": "负荷 kg/d", "cost": "封堵 万元",
    }  # fmt: skip
    picked = st.dataframe(
        table,
        hide_index=True,
        height=330,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={key: st.column_config.Column(say(label)) for key, label in labels.items()},
        key="plan_outlets",
    )
    chosen = [str(table.index[i]) for i in picked["selection"]["rows"] if i < len(table)]
    buttons = st.columns(4)
    for button, action in zip(buttons, ON_OUTLET, strict=False):
        if button.button(say(DUTIES[action].word), disabled=not chosen, width="stretch", key=f"plan_do_{action}"):
            _mark(network, chosen, action)
    if buttons[3].button(say("取消"), disabled=not chosen, width="stretch", key="plan_undo"):
        state.mark(tuple(m for m in state.marks() if m.source_id not in chosen))
        st.rerun(scope="fragment")


def _mark(network: hydro.RiverNetwork, chosen: Sequence[str], action: str) -> None:
    into, cost = text(network.outlets, "merge_to"), number(network.outlets, "seal_cost")
    prices = hydro.Prices()
    others = [measure for measure in state.marks() if measure.source_id not in chosen]
    new = [
        hydro.Measure(
            action,
            outlet,
            prices.regulate_to_mg_l if action == "regulate" else float("nan"),
            to=into[outlet] if action == "merge" else "",
            cost={"seal": float(cost[outlet]), "regulate": prices.regulate_outlet, "merge": prices.merge_outlet}[
                action
            ],
        )
        for outlet in chosen
    ]
    faults = check_measures(network, [*others, *new])
    if faults:
        for fault in faults[:5]:
            st.warning(say(fault.message, **fault.params))
        return
    state.mark((*others, *new))
    st.rerun(scope="fragment")


def _answer(
    url: str, revision: int, network: hydro.RiverNetwork, scope: tuple[str, ...], flows: tuple[hydro.Condition, ...]
) -> None:
    measures = state.marks()
    plan = hydro.Scenario(network, measures)
    stands = cache.situations(url, revision, flows)
    table = hydro.compare(network, plan, situations=stands)
    table = table[table["section_id"].isin(scope) & table["target_mg_l"].notna()]
    cost = sum(measure.cost for measure in measures if measure.cost == measure.cost)
    cells = st.columns(3)
    cells[0].metric(say("费用（万元）"), f"{cost:,.0f}")
    sealed = sum(measure.action == "seal" for measure in measures)
    cells[1].metric(say("措施（项）"), len(measures), help=say("其中封堵 {count}", count=sealed))
    held = table.groupby("section_id")["holds_after"].all()
    cells[2].metric(say("达到目标的断面"), f"{int(held.sum())} / {len(held)}")
    for line in state.plan_told()[:4]:
        st.caption(line)
    st.altair_chart(slopes(table), width="stretch")
    if cache.project(url).demo:
        st.caption(say("示例数据"))
    _details(url, revision, plan, stands[0])
    _keep(url, revision, plan)


def slopes(table: pd.DataFrame) -> alt.FacetChart | alt.LayerChart:
    """Every section as a slope from before to after, over or under its target line; one row of panels a flow condition."""
    before, after, over, holds = say("现状"), say("方案"), say("超标"), say("达到目标")
    rows = table.assign(label=table["name"].where(table["name"] != "", table["section_id"]))
    rows = rows.assign(state=rows["holds_after"].map({True: holds, False: over}))
    long = rows.melt(
        ["condition", "label", "target_mg_l", "state"],
        ["tp_before_mg_l", "tp_after_mg_l"],
        var_name="when",
        value_name="tp",
    )
    long["when"] = long["when"].map({"tp_before_mg_l": before, "tp_after_mg_l": after})
    x = alt.X("when:N", sort=[before, after], title=None, axis=alt.Axis(labelAngle=0, labelFontSize=12))
    y = alt.Y("tp:Q", title="TP mg/L", scale=alt.Scale(zero=False))
    colour = alt.Color("state:N", title=None, scale=alt.Scale(domain=[holds, over], range=["#2b6cb0", "#555555"]))
    base = alt.Chart(long)
    shape = alt.Shape("state:N", title=None, scale=alt.Scale(domain=[holds, over], range=["circle", "triangle-up"]))
    tips = ["label", "condition", "when", alt.Tooltip("tp", format=".3f"), alt.Tooltip("target_mg_l", format=".2f")]
    drawn = alt.layer(
        base.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, detail="label:N"),
        base.mark_point(filled=True, size=70).encode(x=x, y=y, color=colour, shape=shape, tooltip=tips),
        base.mark_rule(strokeDash=[5, 3], color="#888888").encode(y="target_mg_l:Q"),
    ).properties(width=105, height=150)
    return (
        drawn.facet(
            facet=alt.Facet(
                "label:N", title=None, sort=list(dict.fromkeys(rows["label"])), header=alt.Header(labelFontSize=13)
            ),
            columns=4,
        )
        if rows["condition"].nunique() == 1
        else drawn.facet(
            column=alt.Column(
                "label:N", title=None, sort=list(dict.fromkeys(rows["label"])), header=alt.Header(labelFontSize=12)
            ),
            row=alt.Row("condition:N", title=None, sort=list(dict.fromkeys(rows["condition"]))),
        )
    )


def _details(url: str, revision: int, plan: hydro.Scenario, stand: hydro.Situation) -> None:
    network = plan.network
    tabs = st.tabs([say("措施"), say("费用"), say("污水处理厂"), say("已存方案")])
    duties = [with_duty(measure) for measure in plan.measures]
    county = text(network.outlets, "county").to_dict() | text(network.plants, "county").to_dict()
    rows = pd.DataFrame(
        {
            say("措施"): [say(DUTIES[m.action].word) for m in duties],
            say("对象"): [m.source_id for m in duties],
            say("县"): [county.get(m.source_id, "") for m in duties],
            say("部门"): [m.department for m in duties],
            say("工期（天）"): [m.lead_days for m in duties],
            say("万元"): [m.cost for m in duties],
            say("引水 万m³（稀释，不是减排）"): [
                m.volume_10k_m3 if m.action == "dose" else float("nan") for m in duties
            ],
        }
    )
    with tabs[0]:
        st.dataframe(rows.dropna(axis=1, how="all"), hide_index=True, height=240)
    with tabs[1]:
        cells = st.columns(2)
        for cell, by in zip(cells, (say("部门"), say("县")), strict=True):
            summed = rows.groupby(by)[say("万元")].sum().sort_values(ascending=False)
            cell.dataframe(summed.round(1))
    with tabs[2]:
        st.dataframe(_plants(stand, plan), hide_index=True, height=240)
    with tabs[3]:
        _stored(url, revision, network, stand)


def _plants(stand: hydro.Situation, plan: hydro.Scenario) -> pd.DataFrame:
    """Water and load of every plant before and after, against its design."""
    plants = plan.network.plants
    load, water = change(stand, plan.measures, water=plan.water).sources(len(stand.sources))
    at = [stand.position[str(plant)] for plant in plants.index]
    design = number(plants, "design_discharge_m3_d")
    after = (stand.water_m3_s[at] + water[at]) * 86_400
    return pd.DataFrame(
        {
            say("污水处理厂"): text(plants, "name"),
            say("设计 m³/d"): design,
            say("现状 m³/d"): stand.water_m3_s[at] * 86_400,
            say("方案 m³/d"): after,
            say("负荷率 %"): (after / design * 100).round(1),
            say("现状 kg/d"): stand.load_kg_d[at].round(2),
            say("方案 kg/d"): (stand.load_kg_d[at] + load[at]).round(2),
        }
    )


def _stored(url: str, revision: int, network: hydro.RiverNetwork, stand: hydro.Situation) -> None:
    """Plans kept in the project, side by side."""
    plans = cache.table(url, revision, "plans")
    if plans.empty:
        st.caption(say("还没有存过方案。先在下面起个名字存下来，再来比较"))
        return
    names = st.multiselect(say("比较哪些方案"), list(plans["name"]), key="plan_compare")
    tables = {name: cache.table(url, revision, name) for name in PLAN_TABLES}
    columns = {}
    for name in names:
        stored = hydro.load_plan(network, tables, name)
        columns[name] = hydro.compare(network, stored, situations=[stand]).set_index("name")["tp_after_mg_l"].round(3)
    if columns:
        before = hydro.compare(network, network, situations=[stand]).set_index("name")
        st.dataframe(
            pd.DataFrame(
                {say("目标"): before["target_mg_l"], say("现状"): before["tp_before_mg_l"].round(3), **columns}
            )
        )
    open_plans = [row["name"] for row in plans.to_dict("records") if row["state"] in ("draft", "rejected", "")]
    chosen = st.selectbox(say("批准并分解为任务"), open_plans, index=None, key="plan_approve")
    if st.button(say("批准"), disabled=not chosen, key="plan_approve_do"):
        project = signin.own_project(url)
        plan_id = str(plans.loc[plans["name"] == chosen, "plan_id"].iloc[0])
        tasks = hydro.task_rows(
            hydro.load_plan(network, tables, chosen), plan_id, start=datetime.date.today().isoformat()
        )
        register = Plans(project)
        register.submit(chosen)
        register.approve(chosen)
        project.write({"tasks": tasks}, why=say("方案 {name} 分解为任务", name=chosen))
        st.toast(say("已批准，分解为 {count} 项任务", count=len(tasks)))


def _keep(url: str, revision: int, plan: hydro.Scenario) -> None:
    cells = st.columns([4, 2], vertical_alignment="bottom")
    name = cells[0].text_input(say("方案名"), key=state.PLAN_NAME, placeholder=say("如：枯水期保七断面"))
    if cells[1].button(say("存为草稿"), disabled=not (name and plan.measures), width="stretch", key="plan_save"):
        signin.own_project(url).write(hydro.plan_rows(plan, name, name), why=say("存方案 {name}", name=name))
        st.toast(say("已存为草稿：{name}", name=name))
