"""The examples in docstrings run, in every room."""

import doctest
import importlib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
ROOMS = ("hydro", "layers", "reports", "ui", "terminal", "i18n")
SHOWN = [
    ".".join(path.relative_to(TOP).with_suffix("").parts)
    for room in ROOMS
    for path in sorted((TOP / room).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", SHOWN)
def test_examples_say_what_happens(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name.removesuffix(".__init__")))
    assert found.attempted > 0
    assert found.failed == 0
