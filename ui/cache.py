"""Everything that is kept between reruns, keyed by (project, revision, …) and bounded; shared by all sessions, never changed."""

from __future__ import annotations

import datetime
import gc
import gzip
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar

import pandas as pd
import streamlit as st

import hydro
import layers
from hydro import Attribution
from hydro.assessment import permits
from hydro.assessment.board import Board
from hydro.assessment.months import Months
from hydro.assessment.standards import Standard
from hydro.causes.alarm import Episode, episodes, peak_in
from hydro.columns import text as text_of
from hydro.planning.plan_rows import offered
from i18n import text
from layers import assess
from layers.intake import taking_back
from layers.intake.demo import Founding, demo_file
from layers.intake.taking_back import LastImport
from layers.judging import UNFINISHED, Judges, Refusal
from layers.maps import map as drawing
from layers.maps import outline
from layers.maps.assets import Shelf
from layers.rivers.sewers import sewer_km
from layers.standards import load_standard
from layers.store.accounts import Accounts
from layers.store.findings import field_findings
from layers.store.health import log_to
from layers.store.pictures import RELIEF, kept
from layers.store.project import Project
from layers.store.roles import User
from layers.store.stories import story_of
from reports.content import Content
from reports.month import project_content
from ui import state

TOP = Path(__file__).resolve().parents[1]
SHELF = Shelf(TOP / "static", "../../app/static")
"""Served by Streamlit beside app.py; the address is relative to the frame of a component."""


SHARED = User("-", "viewer")
"""Whom the shared handle stands for: nobody who may change anything."""


@st.cache_resource(show_spinner=False)
def accounts(place: str) -> Accounts:
    """The accounts of this server."""
    return Accounts(place)


@st.cache_resource(show_spinner=False)
def last_visits() -> dict[str, float]:
    """When each name was last at work on this server, in seconds since 1970; the one thing here that changes."""
    return {}


@st.cache_resource(show_spinner=False)
def log() -> None:
    """Let the program's own log go to standard error, from the first visit on."""
    log_to()


def place() -> str:
    """The project to open: the one chosen of the server's folder, else what QINGYUAN_PROJECT names, else the demo."""
    chosen = projects().get(state.project())
    return str(chosen) if chosen else first_place()


def first_place() -> str:
    """The project that the server was started with."""
    return os.environ.get("QINGYUAN_PROJECT") or str(demo())


def project_folder() -> Path:
    """Where new projects are made, and every project file can be opened from the bar."""
    return Path(os.environ.get("QINGYUAN_PROJECTS") or TOP / "var" / "projects")


def projects() -> dict[str, Path]:
    """The projects of the server's folder by the name of their file; a link names one of these, never a path."""
    return {path.stem: path for path in sorted(project_folder().glob("*.gpkg")) if not path.name.startswith(".")}


def forget() -> None:
    """Drop all that is kept: a project is no more, and another may come to stand at its place with the same revision."""
    st.cache_data.clear()
    st.cache_resource.clear()


@st.cache_resource(show_spinner=False)
def founding() -> Founding:
    """The demo as a project file, imported through the tool's own door when the program first runs."""
    return Founding(demo_file(TOP / "var"))


def demo() -> Path:
    """The demo's file, once it is there; an import that failed is tried again by the next visit."""
    try:
        return founding().made.result()
    except Exception:
        founding.clear()
        raise


def awaited() -> Founding | None:
    """The import of the demo, where the demo is what will be opened."""
    other = state.project() in projects() or os.environ.get("QINGYUAN_PROJECT")
    return None if other else founding()


@st.cache_resource(show_spinner=False)
def opened() -> set[str]:
    """The projects whose network has been read since the server was started."""
    return set()


@st.cache_resource(max_entries=8, show_spinner=False)
def project(url: str) -> Project:
    """A handle to read by, shared by all sessions; changes go through ``signin.own_project``."""
    return layers.open_project(url, user=SHARED)


def settle() -> None:
    """Spare what is kept for long from being searched for garbage.

    Streamlit searches everything that lives after every run of every session; with a project loaded that takes more of
    the processor than the run itself.  What has been built by now is here to stay.
    """
    gc.collect()
    gc.freeze()


P = ParamSpec("P")
R = TypeVar("R")
SCENE = (*drawing.SPATIAL, "catchments", "observations", "weather", "targets")
"""What rivers, readings and standings are made of; plans, decisions and tasks are no part of it."""
TERMS = (*SCENE, "section_moves", "compensation_rules")
"""What a board is judged and priced by."""
JUDGED = (*SCENE, "findings")
"""What the causes of an exceedance are judged by."""


@st.cache_data(max_entries=4000, show_spinner=False)
def revision_of(url: str, revision: int, names: tuple[str, ...]) -> int:
    """The revision in which these tables last changed, as it was when ``revision`` was first seen."""
    return min(project(url).revision_of(names), revision)


KEYS: dict[str, tuple[str, ...]] = {}
"""The tables by which each cache is asked: it may read no others."""


def of_tables(
    names: tuple[str, ...],
) -> Callable[[Callable[Concatenate[str, int, P], R]], Callable[Concatenate[str, int, P], R]]:
    """Ask a cache by the revision of some tables alone: a change of others makes nobody wait."""

    def by_revision(kept: Callable[Concatenate[str, int, P], R]) -> Callable[Concatenate[str, int, P], R]:
        @wraps(kept)
        def asked(url: str, revision: int, /, *rest: P.args, **more: P.kwargs) -> R:
            return kept(url, revision_of(url, revision, names), *rest, **more)

        KEYS[asked.__name__] = names
        return asked

    return by_revision


of_scene, of_terms, of_record = of_tables(SCENE), of_tables(TERMS), of_tables(JUDGED)
"""Somebody's decision on an outlet makes nobody wait; what was found on the spot changes the causes alone."""


@of_scene
@st.cache_resource(max_entries=4, show_spinner=False)
def network(url: str, revision: int) -> hydro.RiverNetwork:
    """The river network of a revision."""
    found: hydro.RiverNetwork = project(url).network()
    settle()
    return found


@st.cache_resource(show_spinner=False)
def standard() -> Standard:
    """The standard that classes are judged by."""
    return load_standard()


@st.cache_resource(show_spinner=False)
def library() -> dict[str, str]:
    """Addresses of the map's scripts, put on the shelf once in the life of the server."""
    return SHELF.library()


def network_source(url: str, revision: int) -> dict[str, Any]:
    """Addresses of the packed network and, where it is large, of its pieces: new readings draw no river anew."""
    return _network_source(url, revision_of(url, revision, (*drawing.SPATIAL, "targets")), revision)


@st.cache_data(max_entries=8, ttl="12h", show_spinner=False)
def _network_source(url: str, drawn: int, _revision: int) -> dict[str, Any]:
    packed = drawing.project_file(project(url), network(url, _revision))
    return drawing.source_of(packed, lambda stem, data: {"url": SHELF.put(stem, data, "gz")})


@of_tables(("pictures",))
@st.cache_data(max_entries=8, ttl="12h", show_spinner=False)
def relief(url: str, revision: int) -> dict[str, Any] | None:
    """Where the hillshade of a project is fetched and lies; None where it has none."""
    picture = kept(project(url), RELIEF)
    return None if picture is None else drawing.relief_at(picture, SHELF.put("relief", picture.png, "png"))


@st.cache_data(max_entries=200, ttl="12h", show_spinner=False)
def state_url(url: str, revision: int, month: str, lang: str) -> str:
    """Address of what the map shows for a month in a language."""
    words = {word: text(word, lang) for word in drawing.WORDS}
    state = drawing.month_state(network(url, revision), month or None, standard(), words=words, demo=project(url).demo)
    data = json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()
    return SHELF.put("state", gzip.compress(data, mtime=0), "gz")


@of_scene
@st.cache_resource(max_entries=400, show_spinner=False)
def trace(url: str, revision: int, section: str, month: str) -> hydro.Trace:
    """The ranked sources of a section in a month."""
    return hydro.trace_sources(network(url, revision), section, time=month or None)


@of_scene
@st.cache_resource(max_entries=4, show_spinner=False)
def section_months(url: str, revision: int) -> Months:
    """Monthly means of every section."""
    return assess.project_months(project(url), network(url, revision), today=datetime.date.today().isoformat())


@of_terms
@st.cache_resource(max_entries=4, show_spinner=False)
def terms(url: str, revision: int) -> assess.Terms:
    """Moved sections and compensation rules."""
    return assess.Terms.of(project(url))


@of_terms
@st.cache_resource(max_entries=100, ttl="12h", show_spinner=False)
def board(url: str, revision: int, month: str) -> Board:
    """Where every section stands in a month."""
    months = section_months(url, revision)
    return assess.assess_network(network(url, revision), months, month, terms=terms(url, revision))


@of_terms
@st.cache_resource(max_entries=100, ttl="12h", show_spinner=False)
def settled(url: str, revision: int, month: str) -> pd.DataFrame:
    """Each section's compensation of a month."""
    months = section_months(url, revision)
    return assess.assess_network(network(url, revision), months, month, terms=terms(url, revision), rain=False).rows


@of_scene
@st.cache_resource(max_entries=40, ttl="12h", show_spinner=False)
def counties_ranked(url: str, revision: int, month: str) -> pd.DataFrame:
    """The counties by their water-quality index, this year so far."""
    return assess.counties_ranked(network(url, revision), month, months=section_months(url, revision))


@st.cache_resource(max_entries=40, ttl="12h", show_spinner=False)
def double_test(url: str, revision: int, month: str) -> pd.DataFrame:
    """Concentration and load of the key sources against their permits, this year so far."""
    return permits.double_test(network(url, revision), month, standard=standard())


def table(url: str, revision: int, name: str) -> pd.DataFrame:
    """A table of the project as it is stored, missing text as blank."""
    return _table(url, revision_of(url, revision, (name,)), name)


@st.cache_resource(max_entries=40, ttl="12h", show_spinner=False)
def _table(url: str, revision: int, name: str) -> pd.DataFrame:
    found = project(url).table(name)
    words = [column for column in found if not pd.api.types.is_numeric_dtype(found[column])]
    return found.assign(**{str(column): text_of(found, str(column)) for column in words})


@of_scene
@st.cache_resource(max_entries=4, ttl="12h", show_spinner=False)
def outlines(url: str, revision: int) -> tuple[list[dict[str, Any]], dict[str, tuple[float, float]]]:
    """Rivers and places of the sections, for the board's small map."""
    found = project(url).tables(["reaches", "sections"], geometry=True)
    return outline.outlines(found["reaches"], found["sections"])


@st.cache_resource(max_entries=8, ttl="12h", show_spinner=False)
def delivery(url: str, revision: int, month: str) -> hydro.Delivery:
    """What of a load anywhere reaches every section."""
    return hydro.delivery_ratios(network(url, revision), time=month or None)


@of_scene
@st.cache_data(max_entries=20, show_spinner=False)
def months(url: str, revision: int) -> list[str]:
    """The months with any reading of a section's TP, oldest first."""
    times = network(url, revision).observations.times("section", "TP")
    return list(dict.fromkeys(time[:7] for time in times))


@st.cache_resource(show_spinner=False)
def judges() -> Judges:
    """The worker that attributes exceedances."""
    return Judges()


def judged(url: str, revision: int) -> Future[Attribution | Refusal]:
    """The causes of a revision's whole record, begun when first asked for."""
    return _judged(url, revision_of(url, revision, JUDGED))


@st.cache_resource(max_entries=4, show_spinner=False)
def _judged(url: str, revision: int) -> Future[Attribution | Refusal]:
    asked = judges().ask(url)
    asked.add_done_callback(lambda _: settle())
    return asked


@of_record
@st.cache_resource(max_entries=200, show_spinner=False)
def causes(url: str, revision: int, section: str, month: str) -> hydro.Trace:
    """The ranked causes of a section in a month, by its highest episode where an automatic station reads it.

    Without an episode that month it is judged by its mean: only once ``judged`` is done.
    """
    peak = episode(url, revision, section, month)
    if peak:
        return _stations(url, revision).explain(section, peak)
    return _attribution(url, revision).explain(section, month or None)


def episode(url: str, revision: int, section: str, month: str) -> str:
    """When the highest episode of a section in a month stood at its peak; blank where no station saw one."""
    return peak_in(_episodes(url, revision), section, month)


@of_scene
@st.cache_resource(max_entries=4, show_spinner=False)
def _episodes(url: str, revision: int) -> list[Episode]:
    here = network(url, revision)
    return episodes(here) if here.observations.sub_daily else []


@of_record
@st.cache_resource(max_entries=4, show_spinner=False)
def _stations(url: str, revision: int) -> hydro.Episodes:
    return hydro.Episodes(network(url, revision), field_findings(project(url)))


def _attribution(url: str, revision: int) -> Attribution:
    found = judged(url, revision).result()
    if isinstance(found, tuple):
        code, message, params = found
        if code == UNFINISHED:  # the process was killed, say: the next visit tries again
            _judged.clear(url, revision_of(url, revision, JUDGED))
        raise hydro.HydroError(code, message, **params)
    return found


TOLD = (*JUDGED, "pictures", "plans", "decisions", "measures", "tasks")
"""What the month's documents are made of, besides the story of the meeting."""


@dataclass
class _Room:
    """Where documents are kept once they are made; two who ask at once wait for one making."""

    lock: Lock = field(default_factory=Lock)
    content: Content | None = None


def today() -> str:
    """The day that documents are dated with."""
    return datetime.date.today().isoformat()


def content(url: str, revision: int, month: str, lang: str, plan: str = "") -> Content:
    """What the month's documents tell, with a plan where one is named; only once ``judged`` is done."""
    room = _room(url, revision_of(url, revision, TOLD), month, lang, plan, today())
    with room.lock:
        if room.content is None:
            room.content = _content(url, revision, month, lang, plan)
        told = room.content
    return replace(told, story=story_of(project(url), month))


def content_made(url: str, revision: int, month: str, lang: str, plan: str = "") -> bool:
    """Whether ``content`` answers at once: it was made today, and is still kept."""
    return _room(url, revision_of(url, revision, TOLD), month, lang, plan, today()).content is not None


@st.cache_resource(max_entries=8, ttl="24h", show_spinner=False)
def _room(url: str, revision: int, month: str, lang: str, plan: str, day: str) -> _Room:
    return _Room()


def _content(url: str, revision: int, month: str, lang: str, plan: str) -> Content:
    found, sub_daily = _attribution(url, revision), network(url, revision).observations.sub_daily
    asked = {} if sub_daily else {"inquiry": found}  # several readings a day are judged episode by episode
    return project_content(project(url), month, plan=plan, lang=lang, made_on=today(), **asked)


@of_record
@st.cache_resource(max_entries=4, show_spinner=False)
def judged_since(url: str, revision: int) -> float:
    """When the causes of a revision were first asked for, in seconds since the epoch."""
    return time.time()


@of_scene
@st.cache_resource(max_entries=12, ttl="12h", show_spinner=False)
def situations(url: str, revision: int, conditions: tuple[hydro.Condition, ...]) -> tuple[hydro.Situation, ...]:
    """The adjoint of every flow condition: what a plan's dot products are taken with."""
    return tuple(hydro.situation(network(url, revision), condition) for condition in conditions)


@of_scene
@st.cache_resource(max_entries=4, show_spinner=False)
def intensity(url: str, revision: int) -> pd.DataFrame:
    """汛期污染强度 of every flood season on record."""
    return hydro.flood_intensity(network(url, revision))


@st.cache_resource(max_entries=4, show_spinner=False)
def offers(url: str, revision: int) -> list[hydro.Measure]:
    """The measures on offer: those of the project's table that belong to no plan."""
    return offered(network(url, revision), {"measures": table(url, revision, "measures")})


@of_scene
@st.cache_resource(max_entries=4, show_spinner=False)
def sewers(url: str, revision: int) -> dict[str, float]:
    """Kilometres of pipe from every outlet to the plant it would be led into."""
    return sewer_km(project(url).tables(("outlets", "plants"), geometry=True))


@st.cache_data(max_entries=32, show_spinner=False)
def sewers_to(url: str, revision: int, into: tuple[tuple[str, str], ...]) -> dict[str, float]:
    """Kilometres of pipe from outlets to the plants that they are to be led into."""
    return sewer_km(project(url).tables(("outlets", "plants"), geometry=True), dict(into))


DECIDED = ("plans", "decisions")


def plans(url: str, revision: int) -> pd.DataFrame:
    """Every plan, with the number of its decisions."""
    return _plans(url, revision_of(url, revision, DECIDED))


@st.cache_resource(max_entries=8, ttl="12h", show_spinner=False)
def _plans(url: str, revision: int) -> pd.DataFrame:
    return project(url).plans.list()


def decisions(url: str, revision: int, plan: str) -> pd.DataFrame:
    """Decisions of a plan by outlet, with who, when, why and the revision of each."""
    return _decisions(url, revision_of(url, revision, DECIDED), plan)


@st.cache_resource(max_entries=40, ttl="12h", show_spinner=False)
def _decisions(url: str, revision: int, plan: str) -> pd.DataFrame:
    return project(url).plans.decisions(plan)


@st.cache_data(max_entries=8, ttl="12h", show_spinner=False)
def holdings(url: str, revision: int) -> tuple[dict[str, int], tuple[str, str], dict[str, str]]:
    """Rows of every table that has any, the first and last time on record, and the last entry of the book."""
    opened = project(url)
    tables = opened.tables()
    counts = {name: len(rows) for name, rows in tables.items() if len(rows)}
    times = sorted(str(time) for time in tables["observations"]["time"] if time)
    book = opened.table("audit")
    last = {name: str(book[name].iloc[-1]) for name in ("when", "who", "why")} if len(book) else {}
    return counts, (times[0], times[-1]) if times else ("", ""), last


@st.cache_data(max_entries=16, ttl="12h", show_spinner=False)
def last_import(url: str, revision: int, user: User) -> LastImport | None:
    """The import that a user may take back."""
    return taking_back.last_import(project(url).as_(user))


@st.cache_resource(max_entries=4, ttl="12h", show_spinner=False)
def ground(url: str, revision: int) -> dict[str, pd.DataFrame]:
    """Districts and rivers of a project, to be drawn beneath what is imported into it."""
    return project(url).tables(("districts", "reaches"), geometry=True)


@st.cache_data(max_entries=8, ttl="12h", show_spinner=False)
def worst_section(url: str, revision: int) -> str:
    """The section that stood highest against its target in the newest month; the first where nothing was measured."""
    here = network(url, revision)
    ids, newest = [str(i) for i in here.sections.index], months(url, revision)[-1:]
    target = here.targets.on(newest[0] if newest else None)
    read = {i: here.observations.at("section", i, "TP", newest[0]) for i in ids} if newest else {}
    known = {i: reading.value / target[i] for i, reading in read.items() if reading is not None and target[i] > 0}
    return max(known, key=known.__getitem__) if known else next(iter(ids), "")
