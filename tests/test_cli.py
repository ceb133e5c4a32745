"""The terminal door: formats, languages, exit codes; no traceback ever reaches a user."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from basins import gated, island, observed

import layers
from i18n import LANGUAGES
from terminal.words import Language

TOP = Path(__file__).parent.parent


def run(*words: object, lang: str = "zh") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "cli.py", *map(str, words), "--lang", lang]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "island.gpkg"
    tables = island(0.1)
    months = [("section", "S1", f"2022-{m:02}", "TP", 0.15) for m in range(1, 7)]
    months += [("section", "S1", f"2022-{m:02}", "discharge", 10.0) for m in range(1, 7)]
    tables["observations"] = observed(*months)
    layers.create_project(path, name="岛", tables={**tables, "reaches": drawn(tables["reaches"])}).close()
    return path


def drawn(reaches: pd.DataFrame) -> pd.DataFrame:
    import geopandas as gpd
    from shapely import LineString

    at = {"A": (114.0, 35.0), "B": (114.1, 35.0), "C": (114.2, 35.1), "D": (114.3, 35.1)}
    lines = [LineString([at[a], at[b]]) for a, b in zip(reaches["from_node"], reaches["to_node"], strict=True)]
    return gpd.GeoDataFrame(reaches, geometry=lines, crs=4490)


def test_route_says_the_same_in_three_formats(project: Path) -> None:
    rows = json.loads(run("route", project, "--format", "json").stdout)
    balance = {row["id"]: row["load_kg_d"] for row in rows if row["kind"] == "balance"}
    assert balance["in"] == pytest.approx(balance["out"] + balance["decayed"] + balance["diverted"])
    csv = run("route", project, "--format", "csv").stdout.splitlines()
    assert csv[0].startswith("kind,id,load_kg_d,concentration_mg_l,discharge_m3_s")
    assert len(csv) == len(rows) + 1
    assert "R4" in run("route", project).stdout


def test_delivery_names_every_reach_for_every_section(project: Path) -> None:
    rows = json.loads(run("delivery", project, "--section", "S1", "--section", "断面S2", "--format", "json").stdout)
    assert {(row["section_id"], row["reach_id"]) for row in rows} == {
        (s, f"R{i}") for s in ("S1", "S2") for i in range(1, 5)
    }
    assert {row["delivery_ratio"] for row in rows if row["section_id"] == "S2" and row["reach_id"] in ("R3", "R4")} == {
        0
    }


def test_trace_any_section_at_any_time(project: Path) -> None:
    done = run("trace", project, "--section", "S1", "--time", "2022-03", "--format", "json")
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    contract = {"section_id", "time", "rank", "source_id", "kind", "share", "delivered_kg_d", "travel_time_d", "probability",
                "release_from", "release_to", "released_kg", "evidence", "basis"}  # fmt: skip
    assert contract <= set(rows[0])
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["source_id"] == "NONE"
    assert sum(row["probability"] or 0 for row in rows) == pytest.approx(1)


def test_info_and_check(project: Path) -> None:
    info = json.loads(run("info", project, "--format", "json").stdout)
    assert (info["splits"], info["components"], info["mouths"], info["period"]) == (1, 1, 1, ["2022-01", "2022-06"])
    assert run("check", project).returncode == 0


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (["trace", "{p}", "--section", "皇甫"], "没有断面“皇甫”", "There is no section \"皇甫\""),
        (["trace", "{p}", "--section", "S1", "--time", "2031-01"], "2031-01 没有任何断面的监测数据", "No section was monitored in 2031-01"),
        (["trace", "{p}", "--section", "S1", "--time", "昨天"], "时间“昨天”无法识别", "The time \"昨天\" cannot be read"),
        (["info", "{d}/nothing.gpkg"], "nothing.gpkg", "nothing.gpkg"),
    ],
)  # fmt: skip
def test_one_message_in_the_readers_language_and_exit_code_1(project: Path, words: list[str], zh: str, en: str) -> None:
    filled = [word.format(p=project, d=project.parent) for word in words]
    for lang, message in (("zh", zh), ("en", en)):
        done = run(*filled, lang=lang)
        assert done.returncode == 1
        assert message in done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [["trace"], ["fly"], ["trace", "x.gpkg"], ["route", "x", "--format", "xml"]])
def test_wrong_usage_is_exit_code_2(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_languages_offered_are_those_there_are() -> None:
    assert tuple(Language) == tuple(LANGUAGES)


def test_every_verb_has_help_in_both_languages() -> None:
    zh, en = run("--help").stdout, run("--help", lang="en").stdout
    for verb in ("import", "check", "info", "trace", "route", "delivery", "plan", "classify", "export"):
        assert verb in zh
        assert verb in en


def test_an_unknown_gate_is_told_in_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "gate.gpkg"
    tables = gated("unknown")
    layers.create_project(path, name="闸", tables={**tables, "reaches": drawn(tables["reaches"])}).close()
    rows = json.loads(run("delivery", path, "--section", "S1", "--format", "json").stdout)
    by = {row["reach_id"]: row for row in rows}
    assert by["R1"]["crosses_unknown"] is True
    assert by["R1"]["travel_time_d"] is None
    assert by["R3"]["travel_time_d"] is not None
