"""Words on the screen: Chinese is the source, other languages come from gettext catalogues.

``text("超标 {times} 倍", "en", times=0.4)``.  A catalogue is ``i18n/<lang>/<topic>.po``; all of a language are read
together, so a sentence has one translation.  ``tests/test_i18n.py`` holds every sentence of the program to having one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Source sentence -> translation, of all rooms; empty for the source language itself."""
    if lang == "zh":
        return {}
    from babel.messages.pofile import read_po

    found: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / lang).glob("*.po")):
        with path.open("rb") as file:
            found.update({str(m.id): str(m.string) for m in read_po(file) if m.id and m.string})
    return found


def text(source: str, lang: str = "zh", /, **params: Any) -> str:
    """Translate a source sentence and fill its ``{fields}``; an unknown sentence is shown in the source language."""
    sentence = catalogue(lang).get(source, source)
    return sentence.format_map({name: _told(value, lang) for name, value in params.items()}) if params else sentence


def _told(value: Any, lang: str) -> Any:
    """A parameter; one that is itself a sentence of the program (``hydro.errors.Phrase``) in the reader's language."""
    template = getattr(value, "template", None)
    if not isinstance(template, str):
        return value
    return value.said.get(lang) or text(template, lang, **value.params)
