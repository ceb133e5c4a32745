"""Every session key, and nothing else that outlives a rerun: what is chosen, and how it stands in the address.

A view is a link: ``?section=S1&month=2022-07&lang=en&source=O17`` opens what it was copied from.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from i18n import LANGUAGES, text
from layers.store.roles import User

SECTION, SOURCE, MONTH, LANG, FILE, PROJECT = "section", "source", "month", "lang", "file", "project"
LINKED = (SECTION, SOURCE, MONTH, LANG, FILE, PROJECT)
"""What a link carries."""

CLICKS = "clicks"
"""Stamp of the last click on the map that has been heard: older answers must not undo newer clicks."""
CAUSES = "causes"
MAP, SOURCES, WORST, KEYS = "map", "sources", "worst", "keys"
PICK_PERSON, TASK, TASK_WHY = "pick_person", "task", "task_why"
TASK_DEPARTMENT, TASK_PERSON, TASK_DUE, TASK_PLAN = "task_department", "task_person", "task_due", "task_plan"
VIEW, POINT = "board_view", "board_point"
PICK_SECTION, PICK_MONTH, PICK_LANG = "pick_section", "pick_month", "pick_lang"
"""Keys of widgets; their values are copies, the choice itself is under its own key and outlives the page."""


LEAVE_OUT, NEW_NAME, DOSE = "leave_out", "new_name", "plan_dose"


def preset(key: str, value: Any) -> None:
    """Let a widget that is about to be drawn show a value."""
    st.session_state[key] = value


def widget(key: str) -> Any:
    """What a widget holds; None before it was drawn."""
    return st.session_state.get(key)


def adopt_link() -> None:
    """At the start of a session, take what the address says."""
    for key in LINKED:
        if key not in st.session_state:
            st.session_state[key] = st.query_params.get(key, "")
    if st.session_state[LANG] not in LANGUAGES:
        st.session_state[LANG] = "zh"


def write_link() -> None:
    """Let the address say what is chosen; defaults are left out."""
    chosen = {key: st.session_state[key] for key in LINKED if st.session_state.get(key)}
    if chosen.get(LANG) == "zh":
        del chosen[LANG]
    if {key: st.query_params[key] for key in st.query_params} != chosen:
        st.query_params.from_dict(chosen)


def lang() -> str:
    """Language of the screen."""
    return str(st.session_state.get(LANG, "zh"))


def say(source: str, /, **params: Any) -> str:
    """A sentence in the reader's language."""
    return text(source, lang(), **params)


def section() -> str:
    """Id of the chosen section, blank where none is."""
    return str(st.session_state.get(SECTION, ""))


def source() -> str:
    """Id of the chosen source, blank where none is."""
    return str(st.session_state.get(SOURCE, ""))


def month() -> str:
    """The month shown, blank before the project has told which it has."""
    return str(st.session_state.get(MONTH, ""))


def clicks() -> int:
    """Stamp of the last click heard from the map."""
    return int(st.session_state.get(CLICKS, 0))


def choose_section(section_id: str) -> None:
    """Choose a section (blank: none); the source chosen before belonged to another."""
    if section_id != section():
        st.session_state[SOURCE] = ""
    st.session_state[SECTION] = section_id


def choose_source(source_id: str) -> None:
    """Choose a source; the same once more puts it out."""
    st.session_state[SOURCE] = "" if source_id == source() else source_id


def wants_causes() -> bool:
    """Whether the causes were asked for, in a project where that takes long."""
    return bool(st.session_state.get(CAUSES))


def want_causes() -> None:
    """Ask for the causes."""
    st.session_state[CAUSES] = True


def choose_month(new: str) -> None:
    """Choose a month."""
    st.session_state[MONTH] = new


def file() -> str:
    """Whose file is open: the id of a section, an outlet or a plant; blank where the board is shown."""
    return str(st.session_state.get(FILE, ""))


def open_file(row_id: str) -> None:
    """Open the file of a section, an outlet or a plant; blank: back to the board."""
    st.session_state[FILE] = row_id


def task() -> str:
    """Id of the task chosen in the list, blank where none is."""
    return str(st.session_state.get(TASK, ""))


def choose_task(task_id: str) -> None:
    """Choose a task; the same once more lets it go."""
    st.session_state[TASK] = "" if task_id == task() else task_id
    for name in (TASK_DEPARTMENT, TASK_PERSON, TASK_DUE):
        st.session_state.pop(name, None)  # what was typed belonged to the task before


def task_why() -> str:
    """What was written as the reason of a move."""
    return str(st.session_state.get(TASK_WHY) or "")


def task_words() -> tuple[str, str, str]:
    """Department, person and due day as they were filled in."""
    due = st.session_state.get(TASK_DUE)
    words = (str(st.session_state.get(name) or "") for name in (TASK_DEPARTMENT, TASK_PERSON))
    return (*words, due.isoformat() if due else "")  # type: ignore[return-value]


def task_plan() -> str:
    """The plan to draft tasks from."""
    return str(st.session_state.get(TASK_PLAN) or "")


def view() -> str:
    """What the board shows: blank for all sections, a level, ``map`` or ``rivers``."""
    return str(st.session_state.get(VIEW) or "")


def show_view(view: str) -> None:
    """Choose what the board shows, before its control is drawn."""
    st.session_state[VIEW] = view


def point_clicked() -> str:
    """The section clicked in the board's small map."""
    picked = (st.session_state.get(POINT) or {}).get("selection", {}).get("pick") or []
    return str(picked[0].get("section_id", "")) if picked else ""


def clicked(table: str) -> str:
    """The row clicked in a table."""
    return str((st.session_state.get(table) or {}).get("chosen") or "")


def heard_click() -> None:
    """Take over what was clicked on the map."""
    clicked = (st.session_state.get(MAP) or {}).get("last_active_drawing") or {}
    properties = clicked.get("properties", {})
    if properties.get("clicks", 0) <= clicks():
        return
    st.session_state[CLICKS] = properties["clicks"]
    if properties["kind"] == "section":
        choose_section(properties["id"])
    else:
        st.session_state[SOURCE] = properties["id"]


def picked_section() -> None:
    """Take over what was picked from the list."""
    choose_section(st.session_state[PICK_SECTION] or "")


def picked_worst() -> None:
    """Take over the section clicked in the list of the month."""
    choose_section(st.session_state[WORST].get("chosen") or section())


def left_section() -> None:
    """Go back from the section chosen to the list of the month."""
    choose_section("")


def picked_source() -> None:
    """Take over the source clicked in the ranked list."""
    clicked = st.session_state[SOURCES].get("chosen")
    if clicked:
        choose_source(str(clicked))


def told_story() -> object:
    """The story that the meeting page has just handed over to be kept, as it came."""
    return st.session_state[STORY].get("story")


def picked_month() -> None:
    """Take over the month picked."""
    choose_month(st.session_state[PICK_MONTH])


def picked_lang() -> None:
    """Take over the language picked; it cannot be unpicked."""
    st.session_state[LANG] = st.session_state[PICK_LANG] or lang()


PICK_PACK, PACK, STORY, TOLD_PLAN = "pick_pack", "pack", "story", "told_plan"
PACK_UNIT, PACK_APPROVAL, PACK_PAPER = "pack_unit", "pack_approval", "pack_paper"
PACK_PORTRAIT, PACK_SERIES, PACK_TEMPLATE = "pack_portrait", "pack_series", "pack_template"
"""What goes into the month's pack, and the pack as it was last made (bytes, file name)."""


def keep_pack(data: bytes, name: str) -> None:
    """Keep the pack until it is taken or made anew."""
    st.session_state[PACK] = (data, name)


def pack() -> tuple[bytes, str]:
    """The pack as it was last made; empty where there is none."""
    data, name = st.session_state.get(PACK, (b"", ""))
    return data, name


FOUND_SOURCE, FOUND_NOTE = "found_source", "found_note"
"""The form of a field finding: whom somebody looked into, and what was found."""


def found() -> tuple[str, str]:
    """Source and note of the field finding that was filled in."""
    return str(st.session_state.get(FOUND_SOURCE) or ""), str(st.session_state.get(FOUND_NOTE) or "").strip()


MARKS, PLAN_NAME, PLAN_ALLOW, PLAN_MARGIN, PLAN_SCOPE, PLAN_FLOWS, PLAN_TOLD = (
    "marks", "plan_name", "plan_allow", "plan_margin", "plan_scope", "plan_flows", "plan_told",
)  # fmt: skip
"""The measures marked on the plans page, what the proposal is asked with, and what it answered."""
PLAN_MAP, CAUGHT, CAUGHT_AT, SEARCH, PROPOSAL = "plan_map", "caught", "caught_at", "search", "proposal"
EARLIER, COMPARED, MOST_BACK = "earlier_plans", "plan_compare", 20
"""The plan's map, the outlets caught on it (and when), the search that is running, and the proposal it ended with; the
plans before the one at hand, newest last, each with what had been said of it; the kept plans that stand beside it."""


def marks() -> tuple[Any, ...]:
    """The measures marked, in the order of marking."""
    return tuple(st.session_state.get(MARKS, ()))


def mark(measures: tuple[Any, ...]) -> None:
    """Take these measures as the plan at hand; the one before is kept, to be taken back."""
    st.session_state[EARLIER] = (*st.session_state.get(EARLIER, ()), (marks(), plan_told()))[-MOST_BACK:]
    st.session_state[MARKS] = tuple(measures)


def marks_before() -> tuple[Any, ...] | None:
    """The measures before the last step; None where there is no step to take back."""
    earlier = st.session_state.get(EARLIER, ())
    return tuple(earlier[-1][0]) if earlier else None


def compare_too(name: str) -> None:
    """Put a plan that was just kept beside the one at hand, and its name has gone from its box."""
    st.session_state[COMPARED] = list(dict.fromkeys((*st.session_state.get(COMPARED, ()), name)))
    st.session_state.pop(PLAN_NAME, None)
    st.session_state[PLAN_NAME] = ""


def offer_compared(names: list[str]) -> None:
    """The first two kept plans stand beside the one at hand until others are chosen; one that has gone stands no more."""
    st.session_state[COMPARED] = [name for name in st.session_state.get(COMPARED, names[:2]) if name in names]


def take_back() -> None:
    """The plan as it was before the last step, with what had been said of it."""
    *rest, (measures, told) = st.session_state[EARLIER]
    st.session_state[EARLIER] = tuple(rest)
    st.session_state[MARKS] = measures
    tell_plan(told)


def tell_plan(lines: tuple[str, ...]) -> None:
    """Keep what the proposal answered; no lines: what was said does not hold for the plan at hand any more."""
    st.session_state[PLAN_TOLD] = lines


def caught() -> tuple[str, ...]:
    """Outlets caught on the plan's map."""
    return tuple(st.session_state.get(CAUGHT, ()))


def let_go() -> None:
    """Let the caught outlets go."""
    st.session_state[CAUGHT] = ()


def heard_plan_map() -> None:
    """Take over what was caught in a frame, or clicked, on the plan's map."""
    heard = (st.session_state.get(PLAN_MAP) or {}).get("last_active_drawing") or {}
    properties = heard.get("properties", {})
    if properties.get("clicks", 0) <= st.session_state.get(CAUGHT_AT, 0):
        return
    st.session_state[CAUGHT_AT] = properties["clicks"]
    found = properties.get("id")
    if properties.get("kind") == "outlets" and isinstance(found, list):
        st.session_state[CAUGHT] = tuple(map(str, found))
    elif properties.get("kind") == "source" and found:
        known = caught()
        st.session_state[CAUGHT] = tuple(i for i in known if i != found) if found in known else (*known, str(found))


def search() -> Any:
    """The search for the cheapest plan that is running; None where there is none."""
    return st.session_state.get(SEARCH)


def hold_search(found: Any) -> None:
    """Keep the running search (None: it has ended)."""
    st.session_state[SEARCH] = found


def proposal() -> Any:
    """The last proposal, with the model it was found by; None before there is one."""
    return st.session_state.get(PROPOSAL)


def hold_proposal(found: Any) -> None:
    """Keep the proposal: its curve, its rivals and its certainty are asked for later."""
    st.session_state[PROPOSAL] = found


def studied(what: str, of: Any) -> Any:
    """What a study found of just this; None where it has not been made, or was made of something else."""
    held = st.session_state.get(f"study_{what}")
    return held[1] if held and (held[0] is of or held[0] == of) else None


def keep_study(what: str, of: Any, found: Any) -> None:
    """Keep what a study found, with what it was made of."""
    st.session_state[f"study_{what}"] = (of, found)


def plan_told() -> tuple[str, ...]:
    """What the proposal answered."""
    return tuple(st.session_state.get(PLAN_TOLD, ()))


NOTICE = "notice"


def leave_notice(words: str) -> None:
    """Something to tell in passing on the next run: a callback that wrote on the page itself would spoil it."""
    st.session_state[NOTICE] = words


def take_notice() -> str:
    """What was left to tell, once."""
    return str(st.session_state.pop(NOTICE, ""))


# -- who is here -----------------------------------------------------------------------------------------------------

USER, LAST_SEEN, PARTING, SIGN_IN = "user", "last_seen", "parting", "sign_in"
"""None of these is ever taken from an address: a link shows a view, it lets nobody in."""


def user() -> User | None:
    """Who has signed in; None before that."""
    return st.session_state.get(USER)


def admit(new: User, now: float) -> None:
    """Somebody is here at this moment."""
    st.session_state[USER], st.session_state[LAST_SEEN] = new, now
    st.session_state.pop(PARTING, None)


def last_seen() -> float:
    """When the session was last used, in seconds since 1970."""
    return float(st.session_state.get(LAST_SEEN, 0.0))


def leave(words: str) -> None:
    """Nobody is here any more; what was kept of the visit goes too."""
    language = lang()
    st.session_state.clear()
    st.session_state.update({LANG: language, PARTING: words})


def parting_words() -> str:
    """Why the session before ended, blank where it ended as asked."""
    return str(st.session_state.get(PARTING, ""))


# -- plans -----------------------------------------------------------------------------------------------------------

PLAN, PICK_OUTLETS, PICK_DECISION, PICK_PLANT, WHY, NEW_PLAN = "plan", "outlets", "decision", "plant", "why", "new_plan"
SHOWN, CONFLICT, OTHER_PLAN, ATTACHED, TOLD = "shown_decisions", "conflict", "other_plan", "attached", "told_map"
"""Revisions of the decisions on the screen, by plan; and the conflict that waits for a choice."""


def plan() -> str:
    """Id of the plan at hand, blank before there is one."""
    return str(st.session_state.get(PLAN) or "")


def hold_plan(plan_id: str | None) -> None:
    """Take a plan in hand; the key goes first, since its widget may already stand on this run's page."""
    st.session_state.pop(PLAN, None)
    st.session_state[PLAN] = plan_id


def why() -> str:
    """What was written as the reason of a decision."""
    return str(st.session_state.get(WHY) or "")


def forget_why() -> None:
    """The reason was given; the next decision has its own. Only in a callback, before its widget stands."""
    st.session_state[WHY] = ""


def shown(plan_id: str) -> dict[str, int]:
    """Outlet -> revision of its decision, as it stands on this user's screen."""
    return dict(st.session_state.get(SHOWN, {}).get(plan_id, {}))


def show_decisions(plan_id: str, revisions: dict[str, int]) -> None:
    """Remember what the user sees: a decision is made against this."""
    st.session_state[SHOWN] = {plan_id: revisions}


def told_map(stamp: str, now: float) -> float:
    """When this state of the decisions was first told to the map: later tells win, and the same says nothing new."""
    if st.session_state.get(TOLD, ("", 0.0))[0] != stamp:
        st.session_state[TOLD] = (stamp, now)
    return float(st.session_state[TOLD][1])


def conflict() -> Any:
    """The conflict that waits for a choice; None where there is none."""
    return st.session_state.get(CONFLICT)


def hold_conflict(found: Any) -> None:
    """Keep a conflict until the user has chosen (None: chosen)."""
    st.session_state[CONFLICT] = found


# -- projects and imports --------------------------------------------------------------------------------------------

PICK_PROJECT, INTAKE = "pick_project", "intake"
"""The list of the server's projects in the bar, and the import at hand."""
SAID_OF_ROWS = (
    SECTION, SOURCE, MONTH, FILE, CLICKS, CAUSES, TASK, POINT, PACK, MARKS, PLAN_TOLD, CAUGHT, CAUGHT_AT, SEARCH, PROPOSAL,
    NOTICE, PLAN, PICK_OUTLETS, SHOWN, CONFLICT, OTHER_PLAN, ATTACHED, TOLD, EARLIER, COMPARED,
)  # fmt: skip
"""What goes when another project is opened: it was said of the rows of the one before."""


def project() -> str:
    """The project chosen among those of the server, blank for the one it was started with."""
    return str(st.session_state.get(PROJECT) or "")


def open_project(name: str) -> None:
    """Open another project; what was chosen in the one before goes."""
    for key in SAID_OF_ROWS:
        st.session_state.pop(key, None)
    for key in LINKED:
        st.session_state.setdefault(key, "")
    st.session_state[PROJECT] = name


def picked_project() -> None:
    """Take over the project picked."""
    open_project(str(st.session_state[PICK_PROJECT] or ""))


def intake() -> Any:
    """The import at hand; None where no file was dropped."""
    return st.session_state.get(INTAKE)


def hold_intake(found: Any) -> None:
    """Keep the import at hand (None: it is over)."""
    st.session_state[INTAKE] = found
