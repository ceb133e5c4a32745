"""Who sits before the screen: nobody asks on one machine; as a server, an account of the server or of another service."""

from __future__ import annotations

import logging
import os
import time

import streamlit as st

from hydro import HydroError
from layers.store.accounts import Accounts, default_accounts
from layers.store.project import Project
from layers.store.roles import User, local_user
from ui import cache, state
from ui.state import say

LOG = logging.getLogger("qingyuan")
IDLE_S = 60 * float(os.environ.get("QINGYUAN_IDLE_MINUTES") or 30)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXY_HEADERS = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def required() -> bool:
    """Whether somebody must sign in: accounts are configured, or others than this machine can reach the app."""
    if os.environ.get("QINGYUAN_ACCOUNTS"):
        return True
    behind_a_proxy = any(name in st.context.headers for name in PROXY_HEADERS)
    return behind_a_proxy or st.get_option("server.address") not in LOOPBACK


def gate() -> None:
    """Let in who may come in; everybody else sees the sign-in, and nothing after it runs."""
    if not required():
        state.admit(local_user(), time.time())
        return
    user = state.user()
    known = cache.accounts(default_accounts())
    if user and idle():
        state.leave(say("长时间没有操作，请重新登录。"))
    elif user and not known.still(user):
        state.leave(say("账号已变更或到期，请重新登录。"))
    elif user:
        _touch(user)
        return
    _elsewhere(known)
    _form(known)
    st.stop()


def idle() -> bool:
    """Whether somebody signed in and has not touched the screen for long."""
    return state.user() is not None and required() and time.time() - state.last_seen() > IDLE_S


def watch() -> None:
    """End an idle session: a part of a page that refreshes itself must not keep it open."""
    if idle():
        st.rerun(scope="app")


def here() -> None:
    """Whoever sits here has just done something."""
    watch()
    user = state.user()
    if user:
        _touch(user)


def _touch(user: User) -> None:
    """Note that somebody is at work, in this session and, for the next one of the same name, on this server."""
    now = time.time()
    state.admit(user, now)
    cache.last_visits()[user.name] = now


def own_project(url: str) -> Project:
    """The project as whoever sits here: what they may not change, the store refuses.

    Raises:
        HydroError: the session is over; what was to be written is not.
    """
    user = state.user()
    if user and required() and (idle() or not cache.accounts(default_accounts()).still(user)):
        raise HydroError("signed_out", "登录已结束，改动没有保存。请重新登录后再试。")
    return cache.project(url).as_(who())


def who() -> User:
    """Who has signed in; where nobody must, whoever sits at this machine."""
    return state.user() or (User("-", "viewer") if required() else local_user())


def _elsewhere(known: Accounts) -> None:
    """Sign-in by the city's own service (OIDC), where ``.streamlit/secrets.toml`` names one.

    The browser keeps what that service said for weeks; it lets nobody in who has been idle since, here or in a tab before.
    """
    if not (st.secrets.load_if_toml_exists() and "auth" in st.secrets):
        return
    if not st.user.is_logged_in:
        st.button(say("用统一认证登录"), on_click=st.login, type="primary")
        return
    email = str(st.user.get("email", ""))
    newest = max(float(str(st.user.get("iat") or 0)), cache.last_visits().get(email, 0.0))
    if time.time() - newest > IDLE_S:
        st.logout()
        st.stop()
    try:
        if str(st.user.get("email_verified", True)).lower() == "false":
            message = "统一认证没有核实 {name} 这个邮箱，不能凭它登录。请联系管理员。"
            raise HydroError("email_unverified", message, name=email)
        _touch(known.signed_in_elsewhere(email))
    except HydroError as problem:
        st.error(say(problem.message, **problem.params))
        st.button(say("退出登录"), on_click=st.logout)
        st.stop()
    st.rerun()


def _form(known: Accounts) -> None:
    _, middle, _ = st.columns([2, 1, 2])
    with middle, st.form(state.SIGN_IN):
        st.subheader(say("登录"))
        name = st.text_input(say("账号"), max_chars=80)
        password = st.text_input(say("密码"), type="password", max_chars=200)
        if state.parting_words():
            st.info(state.parting_words())
        if not len(known):
            st.warning(say("还没有账号。请管理员在服务器上运行：python cli.py user add 姓名 --role administrator"))
        if st.form_submit_button(say("登录"), type="primary"):
            try:
                state.admit(known.sign_in(name, password), time.time())
            except HydroError as problem:
                LOG.warning("sign-in refused", extra={"event": "sign_in_refused", "code": problem.code})
                st.error(say(problem.message, **problem.params))
            else:
                st.rerun()


def sign_out() -> None:
    """Who is here, and the way out; nothing on a machine without sign-in."""
    user = state.user()
    if user and required():
        st.button(f"{user.name} · {say('退出')}", key="sign_out", type="tertiary", on_click=leave)


def leave() -> None:
    """End the session here, and at the other service where that let somebody in."""
    state.leave("")
    if st.user.get("is_logged_in"):
        st.logout()
