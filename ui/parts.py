"""Pieces that several pages use: the bar, the frame around errors, formatted figures."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from hydro import FaultsError, HydroError
from i18n import LANGUAGES
from layers.store.health import note_defect
from ui import cache, opening, signin, state
from ui.state import say

HERE = Path(__file__).parent / "browser"
FAULTS_SHOWN = 12


def dress() -> None:
    """The look that Streamlit's theme cannot tell: one slim bar, no wasted rims, figures that stand in columns."""
    st.html(HERE / "app.css")


def bar(pages: Sequence[Any], current: Any) -> None:
    """Name, pages, project, month, language; nothing else."""
    head = st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small")
    with head:
        st.html(f'<span class="brand">{say("清源")}</span>', width="content")
        for page in pages:
            st.page_link(page, label=page.title, width="content")
    opening.show()
    with head:
        st.space("stretch")
        _project()
        _language()
        signin.sign_out()


def _project() -> None:
    url, name = cache.place(), ""
    with quiet():
        project = cache.project(url)
        name = project.name or Path(url).stem
        name = f"{name} · {say('示例')}" if project.demo and "示例" not in name else name
    _projects(name or Path(url).stem)  # a project that cannot be opened is left by the same list
    with quiet():
        _months(cache.months(url, cache.project(url).revision))


def _projects(name: str) -> None:
    """The name of the project; a list to choose from where the server has several."""
    others = list(cache.projects())
    if not others:
        st.text(name)
        return
    state.preset(state.PICK_PROJECT, state.project() if state.project() in others else "")
    st.selectbox(
        say("项目"),
        ["", *others],
        key=state.PICK_PROJECT,
        format_func=lambda stem: name if stem == state.widget(state.PICK_PROJECT) else _called(stem),
        on_change=state.picked_project,
        label_visibility="collapsed",
        width=190,
    )


def _called(stem: str) -> str:
    """What a project calls itself; the name of its file where it cannot be opened."""
    with quiet():
        url = str(cache.projects()[stem]) if stem else cache.first_place()
        return cache.project(url).name or stem
    return stem


def _months(months: Sequence[str]) -> None:
    if not months:
        return
    if state.month() not in months:
        if state.month():
            st.toast(say("没有 {month} 的断面数据，显示 {newest}", month=state.month(), newest=months[-1]))
        state.choose_month(months[-1])
    here = months.index(state.month())
    state.preset(state.PICK_MONTH, state.month())
    earlier, later = months[max(here - 1, 0)], months[min(here + 1, len(months) - 1)]
    _step("earlier", say("上一个月"), "left", earlier, disabled=here == 0)
    st.selectbox(
        say("月份"),
        months[::-1],
        key=state.PICK_MONTH,
        on_change=state.picked_month,
        label_visibility="collapsed",
        width=112,
    )
    _step("later", say("下一个月"), "right", later, disabled=here == len(months) - 1)


def _step(key: str, what: str, side: str, month: str, *, disabled: bool) -> None:
    icon = f":material/chevron_{side}:"
    st.button(what, icon=icon, key=key, type="tertiary", disabled=disabled, on_click=state.choose_month, args=(month,))


def _language() -> None:
    state.preset(state.PICK_LANG, state.lang())
    st.segmented_control(
        say("语言"),
        LANGUAGES,
        format_func={"zh": "中", "en": "EN"}.__getitem__,
        key=state.PICK_LANG,
        on_change=state.picked_lang,
        label_visibility="collapsed",
    )


@contextmanager
def guard() -> Iterator[None]:
    """Errors that a user can mend, in the user's language: what, where, what next. Others are for the log."""
    signin.watch()
    if notice := state.take_notice():
        st.toast(notice)
    try:
        yield
    except FaultsError as error:
        lines = [say(fault.message, **fault.params) for fault in error.faults]
        rest = len(lines) - FAULTS_SHOWN
        more = [say("还有 {count} 处", count=rest)] if rest > 0 else []
        trouble(say(error.message, **error.params), lines[:FAULTS_SHOWN] + more)
    except HydroError as error:
        trouble(say(error.message, **error.params))
    except Exception:  # the last door before the user
        number = note_defect()
        trouble(say("程序出错，这一步没有完成。请重试；仍不成时，请把编号 {number} 告诉管理员。", number=number))


@contextmanager
def told() -> Iterator[None]:
    """Inside a callback there is no page to write on: what went wrong is told by the run that follows."""
    try:
        yield
    except HydroError as error:
        state.leave_notice(say(error.message, **error.params))


@contextmanager
def quiet() -> Iterator[None]:
    """Where the page itself will tell the same error, the bar says nothing."""
    try:
        yield
    except HydroError:
        return


def heading(words: str) -> None:
    """A heading over figures; made-up ones are labelled."""
    label = f' <span class="demo">{html.escape(say("示例"))}</span>' if cache.project(cache.place()).demo else ""
    st.html(f'<div class="heading">{html.escape(words)}{label}</div>')


def trouble(what: str, lines: Sequence[str] = ()) -> None:
    """A message that stops the page, not the program."""
    with st.container(key="trouble", border=True):
        st.text(what)
        for line in lines:
            st.text(f"· {line}")


def escaped(words: str) -> str:
    """Text that goes into markup, as text."""
    return html.escape(words)


def capital(words: str) -> str:
    """A word of the catalogue as a title: with a capital where the script has them."""
    return words[:1].upper() + words[1:]


def joined(names: Iterable[str]) -> str:
    """Names in a row, as the reader's language sets them apart."""
    return ("、" if state.lang() == "zh" else ", ").join(names)


def listed(labels: str) -> str:
    """Labels joined by ；, each in the reader's language."""
    return ("；" if state.lang() == "zh" else "; ").join(say(one) for one in labels.split("；") if one)


def plain(words: str) -> str:
    """Text for a label that Streamlit reads as Markdown: shown as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>])", r"\\\1", words)


def figure(value: float, digits: int = 3) -> str:
    """``digits`` figures that matter, no exponent; an en dash for what is not known.

    >>> figure(1234.5), figure(4.106), figure(0.0312), figure(0.0), figure(float("nan"))
    ('1 234', '4.11', '0.0312', '0', '–')
    """
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}".replace(",", " ")


def fixed(value: float, places: int = 3) -> str:
    """A figure with a fixed number of decimals, so that a column lines up; an en dash for what is not known.

    >>> fixed(0.3), fixed(-18.268, 1), fixed(float("nan"))
    ('0.300', '-18.3', '–')
    """
    return "–" if math.isnan(value) else f"{value:.{places}f}"


def chance(share: float) -> str:
    """A probability of what is to come, never shown as certain.

    >>> chance(0.999), chance(0.42), chance(0.0), chance(float("nan"))
    ('>99 %', '42 %', '<1 %', '–')
    """
    if math.isnan(share):
        return "–"
    return ">99 %" if share > 0.99 else "<1 %" if share < 0.01 else f"{100 * share:.0f} %"


def percent(share: float) -> str:
    """A share as a percentage with the decimals it deserves: 31 %, 4.2 %, under 0.1 %.

    >>> percent(0.312), percent(0.042), percent(0.0004), percent(float("nan"))
    ('31 %', '4.2 %', '<0.1 %', '–')
    """
    if math.isnan(share):
        return "–"
    if share == 0:
        return "0 %"
    if abs(share) < 0.001:
        return "<0.1 %"
    return f"{100 * share:.0f} %" if abs(share) >= 0.1 else f"{100 * share:.1f} %"


def change(share: float) -> str:
    """A change against last year: with its sign, no decimals.

    >>> change(-0.424), change(0.0), change(float("nan"))
    ('-42 %', '0 %', '–')
    """
    return "–" if math.isnan(share) else f"{round(100 * share):+d} %".replace("+0 ", "0 ")


def duration(days: float) -> str:
    """Hours up to two days, then days.

    >>> duration(0.25), duration(3.14), duration(float("nan"))
    ('6 h', '3.1 d', '–')
    """
    if math.isnan(days):
        return "–"
    return f"{24 * days:.0f} h" if days < 2 else f"{days:.1f} d"
