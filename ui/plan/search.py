"""A plan being sought on a thread of its own: the page says how far it is, and can stop it with the best so far."""

from __future__ import annotations

import datetime
import math
import threading
from collections.abc import Callable

import streamlit as st

import hydro
from hydro.planning.milp import Progress
from reports.plan import tell
from reports.plan_page import plan_page
from ui import cache, parts, state
from ui.plan.ask import Question, called
from ui.state import say

LONGEST_S = 600.0
QUICK = 50_000
REFRESH_S = 0.5


def gap_of(model: hydro.Model) -> float:
    """Proven to the end where that is quick, else to a thousandth; the words say which it is."""
    return 0.0 if model.load.size <= QUICK else 1e-3


class Search:
    """One question on its way. ``plan`` or ``refused`` is there once ``done``."""

    def __init__(
        self, question: Question, seek: Callable[[Callable[[Progress], None], Callable[[], bool]], hydro.Plan]
    ) -> None:
        self.question = question
        self.progress: Progress | None = None
        self.plan: hydro.Plan | None = None
        self.refused: hydro.HydroError | None = None
        self._seek = seek
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="plan")
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether there is an answer, or a reason why there is none."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End with the best so far."""
        self._halt.set()

    def wait(self, seconds: float) -> bool:
        """Whether it is done within so many seconds."""
        self._thread.join(seconds)
        return self.done

    def _run(self) -> None:
        try:
            self.plan = self._seek(self._hear, self._halt.is_set)
        except hydro.HydroError as error:
            self.refused = error

    def _hear(self, progress: Progress) -> None:
        self.progress = progress


def begin(url: str, revision: int, question: Question) -> Search:
    """Start to look for the cheapest plan."""
    network, stands = cache.network(url, revision), cache.situations(url, revision, question.flows)
    extra, sewer_km = tuple(cache.offers(url, revision)), cache.sewers(url, revision)

    def seek(hear: Callable[[Progress], None], halted: Callable[[], bool]) -> hydro.Plan:
        model = hydro.build_model(
            network,
            allow=question.allow,
            sections=question.sections,
            situations=stands,
            limits=question.limits,
            water=question.water,
            extra=extra,
            sewer_km=sewer_km,
        )
        return hydro.solve_plan(
            model, margin=question.margin, gap=gap_of(model), seconds=LONGEST_S, progress=hear, stop=halted
        )

    return Search(question, seek)


def button(url: str, revision: int, question: Question) -> None:
    """The one button; a quick answer is there at once, a slow one is watched."""
    if st.button(say("给我最省的方案"), type="primary", width="stretch", disabled=state.search() is not None):
        search = begin(url, revision, question)
        state.hold_search(search)
        with st.spinner(say("正在求最省的方案")):
            search.wait(1.5)
    if state.search() is not None:
        watch()


@st.fragment(run_every=REFRESH_S)
def watch() -> None:
    """How far the search is, and its stop."""
    search: Search | None = state.search()
    if search is None:
        return
    if search.done:
        state.hold_search(None)
        _adopt(search)
        st.rerun()
    told, stop = st.columns([4, 1], vertical_alignment="center")
    told.text(_standing(search.progress))
    if stop.button(say("停止"), width="stretch", key="plan_stop"):
        search.stop()


def _standing(progress: Progress | None) -> str:
    if progress is None:
        return say("正在算各项措施对各断面的作用")
    if not math.isfinite(progress.cost):
        return say(
            "已用 {seconds:.0f} 秒，还没有可行方案；费用不会低于 {bound:.0f}",
            seconds=progress.seconds,
            bound=max(progress.bound, 0.0),
        )
    return say(
        "已用 {seconds:.0f} 秒：目前最好 {cost:.0f}，不会低于 {bound:.0f}，相差 {gap:.2f} %",
        seconds=progress.seconds,
        cost=progress.cost,
        bound=max(progress.bound, 0.0),
        gap=100 * progress.gap,
    )


def _adopt(search: Search) -> None:
    """Take the answer as the plan at hand; an infeasible one leaves the marks as they are and says why."""
    if search.refused is not None:
        faults = getattr(search.refused, "faults", ())
        lines = [say(fault.message, **fault.params) for fault in faults]
        state.tell_plan(tuple(lines or [say(search.refused.message, **search.refused.params)]))
    elif search.plan is not None:
        plan = search.plan
        state.hold_proposal(plan)
        state.keep_study("asked", plan, search.question)
        if plan.measures or plan.status == "optimal":
            state.mark(plan.measures)
        state.tell_plan(tuple(tell(plan, state.lang())))


def told(url: str, question: Question) -> None:
    """What the search answered, the first sentence as the conclusion; and the plan on one page."""
    first, *rest = state.plan_told() or ("",)
    if first:
        asked: Question | None = state.studied("asked", state.proposal())
        if asked is not None and asked != question:
            st.warning(
                say(
                    "下面的结论按提问时的条件求得：{waters}，余量 {margin:g} %，{count} 个断面。现在选的条件已不同，请再求一次",
                    waters=parts.joined(map(called, asked.flows)),
                    margin=100 * asked.margin,
                    count=len(asked.sections),
                )
            )
        said, paper = st.columns([6, 1], vertical_alignment="center")
        said.html(f'<p class="plainly">{parts.escaped(first)}</p>')
        plan: hydro.Plan | None = state.proposal()
        if plan is not None and plan.measures == state.marks():
            project = cache.project(url)
            page = plan_page(
                plan,
                title=project.name,
                name=state.studied("named", state.marks()) or "",
                lang=state.lang(),
                demo=project.demo,
                made_on=f"{datetime.date.today()}",
            )
            paper.download_button(say("一页纸"), page, f"{say('方案')}.html", "text/html", width="stretch")
    if rest:
        with st.expander(say("说明 {count} 条", count=len(rest)), expanded=len(rest) <= 3):
            for line in rest:
                st.text(line)
