"""The language of a run, and the arguments that several verbs share."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any

import typer

from i18n import LANGUAGES, text


class Format(StrEnum):
    """How a result is written on stdout."""

    table = "table"
    json = "json"
    csv = "csv"


def spoken(arguments: list[str]) -> str:
    """The language asked for by ``--lang`` or QINGYUAN_LANG; Chinese otherwise. Known before any argument is parsed."""
    asked = os.environ.get("QINGYUAN_LANG", "zh")
    for flag, value in pairwise([*arguments, ""]):
        asked = value if flag == "--lang" else flag.removeprefix("--lang=") if flag.startswith("--lang=") else asked
    return asked if asked in LANGUAGES else "zh"


LANG = spoken(sys.argv[1:])


def say(source: str, /, **params: Any) -> str:
    """A sentence in the user's language."""
    return text(source, LANG, **params)


class Language(StrEnum):
    """The languages of ``i18n``, as the option reads them."""

    zh = "zh"
    en = "en"


DEFAULT_LANGUAGE = Language(LANG)
Project = Annotated[str, typer.Argument(help=say("项目文件（.gpkg）或 postgresql:// 地址"), show_default=False)]
Output = Annotated[Format, typer.Option("--format", help=say("结果的写法"))]
Spoken = Annotated[Language, typer.Option("--lang", help=say("消息的语言"))]
Time = Annotated[str, typer.Option("--time", help=say("月份、日期或时刻，如 2022-07、2022-07-03T08:00"))]
Conditions = Annotated[
    list[str], typer.Option(help=say("水情，如 枯水=0.5 或 枯水=0.5,0.7（流量倍数，降解倍数），可重复"))
]

PLAN_TABLES = ("plans", "measures", "decisions")
"""What a stored plan is read from."""


def pairs(option: str, given: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` words of an option as a dictionary."""
    for word in given:
        if "=" not in word:
            raise typer.BadParameter(say("{option} 应写作 名称=值：{word}", option=option, word=word))
    return {name: value for name, _, value in (word.rpartition("=") for word in given)}


def numbers(pair: str, most: int) -> tuple[str, list[float]]:
    """A ``NAME=number[,number]`` of the command line taken apart; anything else is wrong usage."""
    name, _, value = pair.rpartition("=")
    try:
        found = [float(part) for part in value.split(",")]
    except ValueError:
        found = []
    if not name or not 1 <= len(found) <= most:
        raise typer.BadParameter(say("“{pair}”应写成 名称=数值", pair=pair))
    return name, found


def flow_conditions(given: list[str], time: str) -> list[Any]:
    """``NAME=flow[,decay]`` factors as conditions."""
    from hydro import Condition

    parsed = [numbers(pair, 2) for pair in given]
    factors = [(name, factor[0], factor[1] if factor[1:] else 1.0) for name, factor in parsed]
    return [Condition(name, time or None, flow, decay) for name, flow, decay in factors]
