"""The web door: language, navigation, run. Everything else that speaks Streamlit is in ``ui``."""

from __future__ import annotations

import streamlit as st

from ui import cache, pages, parts, signin, state

st.set_page_config(page_title="清源", page_icon="💧", layout="wide", initial_sidebar_state="collapsed")
cache.log()
state.adopt_link()
signin.gate()
shown = [pages.page(name) for name, _ in pages.existing()]
current = st.navigation(shown, position="hidden")
parts.dress()
parts.bar(shown, current)
with parts.guard():
    current.run()
