"""Verbs about the accounts of a server: user add, list, remove."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from terminal.show import show
from terminal.words import DEFAULT_LANGUAGE, Format, Output, Spoken, say

verbs = typer.Typer(no_args_is_help=True, help=say("服务器的本地账号"))


AccountsPlace = Annotated[str, typer.Option(help=say("账号存放处，默认取 QINGYUAN_ACCOUNTS"))]


@verbs.command("add", help=say("新建账号，或重设已有账号的密码、角色、县区与期限"))
def user_add(
    name: str,
    role: Annotated[str, typer.Option(help=say("viewer、staff、planner、approver 或 administrator"))],
    county: Annotated[str, typer.Option(help=say("只管一个县时填写"))] = "",
    days: Annotated[float, typer.Option(help=say("有效天数"))] = 365,
    external: Annotated[bool, typer.Option("--external", help=say("不设密码，由统一认证（OIDC）登录"))] = False,
    accounts: AccountsPlace = "",
) -> None:
    """Make an account; the password is read from the terminal, or from the first line of standard input."""
    from getpass import getpass

    from layers.store.accounts import Accounts, default_accounts

    asked = None
    if not external:
        asked = getpass(say("密码：")) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    Accounts(accounts or default_accounts()).add(name, asked, role=role, county=county, days=days)


@verbs.command("list", help=say("列出账号"))
def user_list(accounts: AccountsPlace = "", format: Output = Format.table, lang: Spoken = DEFAULT_LANGUAGE) -> None:
    """Every account, without its hash."""
    from layers.store.accounts import Accounts, default_accounts

    show(Accounts(accounts or default_accounts()).list(), format)


@verbs.command("remove", help=say("注销账号；其所做的记录仍在账册里"))
def user_remove(name: str, accounts: AccountsPlace = "") -> None:
    """Close an account."""
    from layers.store.accounts import Accounts, default_accounts

    Accounts(accounts or default_accounts()).remove(name)
