"""The plans page: mark measures or ask for the cheapest, and see every section move; keep, compare, approve."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import hydro
from ui import cache, decisions, parts, state
from ui.plan import answer, ask, details, kept, places, search, steps, study
from ui.state import say


def render() -> None:
    """Places left, sections right; a mark reruns this part only."""
    with parts.guard():
        url = cache.place()
        _look(url, cache.project(url).revision)
        with st.expander(say("逐个排污口决定与审批（多人同时）")):
            decisions.render()


@st.fragment
def _look(url: str, revision: int) -> None:
    with parts.guard():
        network = cache.network(url, revision)
        left, right = st.columns([5, 6], gap="medium")
        with left:
            question = ask.ask(network)
            search.button(url, revision, question)
            stands = cache.situations(url, revision, question.flows)
            where = st.container()
            places.show(url, revision, network, stands[0])
            plan = hydro.Scenario(network, state.marks(), question.water)
            with where:
                answer.map_of(url, revision, stands[0], plan)
        with right, st.container(key="plan_answer"):
            _answer(url, revision, plan, stands, question)


def _answer(
    url: str,
    revision: int,
    plan: hydro.Scenario,
    stands: tuple[hydro.Situation, ...],
    question: ask.Question,
) -> None:
    table = hydro.from_measured(hydro.compare(plan.network, plan, situations=stands), stands)
    table = table.assign(water=table["condition"].map({one.name: ask.called(one) for one in question.flows}))
    table = table[table["section_id"].isin(question.sections) & table["target_mg_l"].notna()]
    if table.empty:
        st.caption(say("没有带目标的断面，无从比较"))
        return
    with st.container(key="plan_standing"):
        answer.figures(table, plan.measures, demo=cache.project(url).demo)
        steps.show()
    search.told(url, question)
    answer.basis(table)
    answer.slopes(table, question.margin)
    titles = ("断面", "措施", "费用", "污水处理厂", "费用曲线", "其他方案", "把握", "暴雨", "存与比较")
    tabs = st.tabs([parts.capital(say(title)) for title in titles], on_change="rerun", key="plan_answer_tabs")
    for title, tab in zip(titles, tabs, strict=True):
        if tab.open:
            with tab, parts.guard():
                _tab(title, url, revision, plan, stands, question, table)


def _tab(
    title: str,
    url: str,
    revision: int,
    plan: hydro.Scenario,
    stands: tuple[hydro.Situation, ...],
    question: ask.Question,
    table: pd.DataFrame,
) -> None:
    """Only the tab that is open is worked out: a mark must not wait for what nobody looks at."""
    if title == "断面":
        st.dataframe(answer.sections(table), hide_index=True)
    elif title == "措施":
        details.measures(plan.network)
    elif title == "费用":
        details.costs(plan.network)
    elif title == "污水处理厂":
        details.plants(stands[0], plan)
    elif title == "费用曲线":
        study.curve()
    elif title == "其他方案":
        study.rivals()
    elif title == "把握":
        study.certainty(plan, question.sections, question.flows[0])
    elif title == "暴雨":
        study.rain(url, revision, plan, question.sections, state.month())
    else:
        kept.save(url, plan)
        kept.compare(url, revision, plan, stands, question.sections)
