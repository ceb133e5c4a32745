"""Every sentence a user may read has an English translation, that asks for no other fields."""

import ast
import pickle
import re
from pathlib import Path

import pytest

from hydro.errors import Phrase
from i18n import catalogue, text

TOP = Path(__file__).parent.parent
SPEAKS = {
    "_fault",
    "HydroError",
    "FaultsError",
    "BalanceError",
    "Fault",
    "Finding",
    "say",
    "text",
    "add",
    "doubt",
    "Phrase",
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FIELD = re.compile(r"\{(\w*)")


def sentences(path: Path) -> set[str]:
    """Chinese sentences given to a call that speaks, or kept in a name called message."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            values = [*node.args, *(k.value for k in node.keywords)] if name in SPEAKS else []
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "message" for t in node.targets):
            values = [node.value]
        found |= {v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    return {sentence for sentence in found if CHINESE.search(sentence)}


def sources() -> list[Path]:
    rooms = [TOP / room for room in ("hydro", "layers", "reports", "ui", "terminal")]
    return [TOP / "cli.py", TOP / "app.py", *(path for room in rooms for path in sorted(room.rglob("*.py")))]


@pytest.mark.parametrize("path", [p for p in sources() if p.exists()], ids=lambda p: str(p.relative_to(TOP)))
def test_every_sentence_has_an_english_one_that_asks_for_nothing_more(path: Path) -> None:
    english = catalogue("en")
    for sentence in sentences(path):
        assert sentence in english, f"{path.name}: {sentence}"
        assert set(FIELD.findall(sentence)) >= set(FIELD.findall(english[sentence])), sentence


def test_english_is_english_but_for_names_that_the_source_names() -> None:
    names = re.compile(r"[\u4e00-\u9fff]+")
    leaks = {key: value for key, value in catalogue("en").items() if not all(n in key for n in names.findall(value))}
    assert not leaks


def test_text_in_a_parameter_is_never_a_template() -> None:
    assert text("断面 {section}", "zh", section="{evil}") == "断面 {evil}"


def test_a_parameter_that_is_words_of_the_program_is_translated_with_its_message() -> None:
    system = pickle.loads(pickle.dumps(Phrase("{datum} 3 度带 {zone} 带", datum=Phrase("西安80"), zone=38)))
    assert system == "西安80 3 度带 38 带"
    assert text(
        "{name}，落在 {lon:.2f}°E {lat:.2f}°N 一带{accuracy}", "en", name=system, lon=114, lat=35, accuracy=""
    ) == ("Xi'an 80 3-degree zone 38; falls near 114.00°E 35.00°N")
