"""What can be wrong, as values: a code, a message in the source language, and the parameters it is filled with.

The message is a Chinese template (the source language of the catalogues in ``i18n``) that says what is wrong, where,
and what to do next.  It is translated and filled at the doors (``cli``, ``ui``, ``reports``), never here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input, or (``warning=True``) one thing worth knowing about it.

    ``table``, ``row`` (the row's id, or its number in the file) and ``column`` say where; they are blank where the
    fault concerns the whole project.
    """

    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
    row: str = ""
    column: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return fill(self.message, self.params)


class HydroError(Exception):
    """A question that cannot be answered; ``code`` names the kind, ``message`` is a template for ``params``."""

    def __init__(self, code: str, message: str, **params: Any) -> None:
        super().__init__(code, message, params)
        self.code = code
        self.message = message
        self.params = params

    def __str__(self) -> str:
        return fill(self.message, self.params)


class FaultsError(HydroError):
    """The input has faults: all of them at once, in ``faults``."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("faults", "输入有 {count} 处错误", count=len(self.faults))

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.faults)])


class BalanceError(HydroError):
    """The mass balance of a run does not close: a defect of the program, never of the input."""


class Phrase(str):
    """A parameter that is words of the program, not of the data: a template of its own, translated with its message.

    In the source language it is the text itself.

    >>> fill("转换精度{accuracy}", {"accuracy": Phrase("约 {metres:g} m", metres=2.0)})
    '转换精度约 2 m'
    """

    template: str
    params: Mapping[str, Any]
    said: Mapping[str, str] = MappingProxyType({})
    """Language -> the phrase in it, where the data it comes from (the dictionary) hold more languages than the source."""

    def __new__(cls, template: str, /, **params: Any) -> Phrase:
        """The phrase, filled in the source language."""
        made = super().__new__(cls, fill(template, params))
        made.template, made.params = template, params
        return made

    @classmethod
    def named(cls, word: str, **said: str) -> Phrase:
        """A word of the source language with what it is called in others: a code of the data, as a reader says it.

        >>> Phrase.named("草稿", en="draft"), Phrase.named("草稿", en="draft").said["en"]
        ('草稿', 'draft')
        """
        made = cls("{word}", word=word)
        made.said = said
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """What it is made from again in another process."""
        return (self.template,), dict(self.params)


def fill(template: str, params: Mapping[str, Any]) -> str:
    """Fill ``{name}`` fields of a message; text in ``params`` is data and is never itself a template."""
    return template.format_map(params)
