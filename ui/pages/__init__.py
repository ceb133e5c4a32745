"""The pages, in the order of the bar. A page is a module here with ``render()``; it is shown once its file exists."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import streamlit as st

from ui.state import say

PAGES = (
    ("map", "地图"),
    ("board", "一览"),
    ("plans", "方案"),
    ("tasks", "任务"),
    ("data", "数据"),
    ("meeting", "会议"),
)


def existing() -> tuple[tuple[str, str], ...]:
    """Name and title of the pages that are there."""
    return tuple((name, title) for name, title in PAGES if find_spec(f"{__name__}.{name}"))


def renderer(name: str) -> Callable[[], None]:
    """The page's ``render``, imported when it is first shown."""

    def render() -> None:
        import_module(f"{__name__}.{name}").render()

    render.__name__ = name
    return render


def page(name: str) -> st.Page:
    """A page as Streamlit knows it, to be shown or gone to."""
    title = dict(PAGES)[name]
    return st.Page(renderer(name), title=say(title), url_path=name, default=name == existing()[0][0])
