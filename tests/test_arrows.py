"""The arrows between rooms: app -> ui -> reports -> layers -> hydro; i18n is a leaf; data holds no code."""

import ast
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
MAY_USE = {
    "hydro": set(),
    "i18n": set(),
    "layers": {"hydro"},
    "reports": {"layers", "hydro", "i18n"},
    "ui": {"reports", "layers", "hydro", "i18n"},
    "terminal": {"reports", "layers", "hydro", "i18n"},
    "cli": {"terminal", "reports", "layers", "hydro", "i18n"},
    "app": {"ui", "reports", "layers", "hydro", "i18n"},
}
FORBIDDEN = {
    "hydro": {"streamlit", "folium", "geopandas", "sqlite3", "sqlalchemy", "time", "rasterio"},
    "layers": {"streamlit", "streamlit_folium"},
    "reports": {"streamlit", "streamlit_folium"},
}


def modules(room: str) -> list[Path]:
    return [TOP / f"{room}.py"] if room in ("app", "cli") else sorted((TOP / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", MAY_USE)
def test_a_room_uses_only_rooms_to_its_right(room: str) -> None:
    others = set(MAY_USE) - MAY_USE[room] - {room}
    for path in modules(room):
        if path.exists():
            assert not imported(path) & (others | FORBIDDEN.get(room, set())), path


def test_data_holds_no_code() -> None:
    assert not list((TOP / "data").rglob("*.py"))


def test_there_are_no_rooms_for_odds_and_ends() -> None:
    names = {path.stem for room in ("hydro", "layers", "reports", "ui", "terminal", "i18n") for path in modules(room)}
    assert not names & {"utils", "helpers", "common", "misc"}
