"""The arrows between rooms: app -> ui -> reports -> layers -> hydro; i18n is a leaf; data holds no code."""

import ast
from pathlib import Path

import networkx as nx
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


def uses(path: Path, known: set[str]) -> set[str]:
    """Modules that a module names in an import, wherever it stands: late ones and those for types alone too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {whole[name] if whole[name] in known else node.module for name in whole}
    return found & known


def test_no_modules_go_in_a_circle() -> None:
    paths = {path: ".".join(path.relative_to(TOP).with_suffix("").parts) for room in MAY_USE for path in modules(room)}
    paths = {path: name.removesuffix(".__init__") for path, name in paths.items() if path.exists()}
    graph = nx.DiGraph(
        (name, other) for path, name in paths.items() for other in uses(path, set(paths.values())) if other != name
    )
    assert [sorted(found) for found in nx.strongly_connected_components(graph) if len(found) > 1] == []


@pytest.mark.parametrize("room", ["hydro", "layers"])
def test_no_sub_rooms_go_in_a_circle(room: str) -> None:
    paths = {path: ".".join(path.relative_to(TOP).with_suffix("").parts) for path in modules(room)}
    graph = nx.DiGraph()
    for path, name in paths.items():
        for other in uses(path, set(paths.values())):
            ends = [part.split(".")[1] if part.count(".") > 1 else "" for part in (name, other)]
            if all(ends) and ends[0] != ends[1]:
                graph.add_edge(*ends)
    assert graph.number_of_edges() > 0
    assert list(nx.simple_cycles(graph)) == []


def test_data_holds_no_code() -> None:
    assert not list((TOP / "data").rglob("*.py"))


def test_there_are_no_rooms_for_odds_and_ends() -> None:
    names = {path.stem for room in ("hydro", "layers", "reports", "ui", "terminal", "i18n") for path in modules(room)}
    assert not names & {"utils", "helpers", "common", "misc"}


def test_the_state_of_a_session_and_what_is_cached_have_their_rooms() -> None:
    for room, word in (("ui/state.py", "session_state"), ("ui/cache.py", "st.cache_data")):
        holders = {str(path.relative_to(TOP)) for path in modules("ui") if word in path.read_text(encoding="utf-8")}
        assert holders == {room}
