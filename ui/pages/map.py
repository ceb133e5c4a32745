"""The map page: click a section, see at once what is upstream, then whose phosphorus it is."""

from __future__ import annotations

import streamlit as st
from streamlit_folium import st_folium

from hydro import RiverNetwork, Trace
from hydro.columns import text
from layers.maps import map as drawing
from ui import cache, causes, keys, marking, parts, section, signin, sources, state, worst
from ui.state import say


def render() -> None:
    """Map left, answers right; a click reruns this part only."""
    with parts.guard():
        url = cache.place()
        revision = cache.project(url).revision
        _look(url, revision)


@st.fragment
def _look(url: str, revision: int) -> None:
    signin.here()
    with parts.guard():
        network = cache.network(url, revision)
        left, right = st.columns([7, 3], gap="small")
        with right, st.container(key="panel"):
            marking.card(url, revision)
            marking.follow(url, revision)
            waiting = bool(state.section()) and causes.waiting(url, revision, network)
            trace = _panel(url, revision, network, waiting)
            keys.listen()
        with left, st.container(key="map_frame"):
            _map(url, revision, trace)
        if waiting:
            causes.follow(url, revision)
        state.write_link()


def _map(url: str, revision: int, trace: Trace | None) -> None:
    message = {
        "state": {"url": cache.state_url(url, revision, state.month(), state.lang())},
        "section": state.section(),
        "source": state.source(),
        "clicks": state.clicks(),
    }
    if trace is not None:
        message["result"] = {"section": trace.section_id, "rows": drawing.result_rows(trace)}
    st_folium(
        drawing.live_map(
            cache.library(), cache.network_source(url, revision), project=url, relief=cache.relief(url, revision)
        ),
        key=state.MAP,
        use_container_width=True,
        height=640,
        returned_objects=["last_active_drawing"],
        feature_group_to_add=drawing.telling(message),
        on_change=state.heard_click,
    )


def _panel(url: str, revision: int, network: RiverNetwork, waiting: bool) -> Trace | None:
    _pick(network)
    chosen = state.section()
    if not chosen:
        worst.show(network)
        causes.show(url, revision, None)
        return None
    shown, accused = None, None
    with parts.guard():
        trace = cache.trace(url, revision, chosen, state.month())
        best = causes.best(url, revision, trace, waiting)
        section.headline(network, trace)
        section.history(network, chosen)
        parts.heading(say("谁的磷"))
        sources.show(best or trace, trace)
        section.balance(trace, judged=best is not None)
        if trace.exceeds or cache.episode(url, revision, chosen, state.month()):
            accused = trace
        shown = best or trace
    causes.show(url, revision, accused)
    return shown


def _pick(network: RiverNetwork) -> None:
    """The searchable list; a link may name a section by its name."""
    ids = [str(i) for i in network.sections.index]
    if state.section() and state.section() not in ids:
        asked = state.section()
        state.choose_section("")
        with parts.guard():
            state.choose_section(network.section_id(asked))
    columns = [text(network.sections, column) for column in ("name", "river", "level")]
    names = {i: " · ".join(say(column[i]) for column in columns if column[i]) for i in ids}
    state.preset(state.PICK_SECTION, state.section() or None)
    st.selectbox(
        say("断面"),
        ids,
        index=None,
        format_func=lambda i: names.get(i, i),
        key=state.PICK_SECTION,
        on_change=state.picked_section,
        placeholder=say("选择或搜索断面"),
        label_visibility="collapsed",
    )
