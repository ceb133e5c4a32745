"""Keys of the map's page: / searches, the arrows walk the list, Enter chooses, Esc goes back."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui import state

_keys = st.components.v2.component(
    "qingyuan_keys", js=(Path(__file__).parent / "browser" / "keys.js").read_text(encoding="utf-8")
)


def listen() -> None:
    """Hear keys wherever on the page they are pressed, but where somebody is typing."""
    _keys(key=state.KEYS, on_left_change=state.left_section)
