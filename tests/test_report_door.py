"""`report` at the door: what is wrong is told at once, before anything is made; what is right is made of any kind of record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from basins import island, observed
from pptx import Presentation
from test_cli import drawn
from test_reports import demo_tables

import hydro
import layers
from hydro import HydroError
from hydro.planning.plan_rows import plan_id_of
from reports.month import build_content
from reports.pack import check_folder

TOP = Path(__file__).parent.parent


def report(project: Path, *words: object, lang: str = "zh", **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "cli.py", "report", str(project), *map(str, words), "--lang", lang]
    return subprocess.run(
        command, cwd=TOP, env={**os.environ, **env}, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose one section has an automatic station: a reading a day, none a month."""
    path = tmp_path_factory.mktemp("door") / "daily.gpkg"
    tables = island(0.1)
    days = [("section", "S1", f"2022-0{m}-{d:02}", "TP", 0.1 * (m - 3)) for m in (5, 6) for d in range(1, 29)]
    tables["observations"] = observed(*days)
    layers.create_project(path, name="岛", tables={**tables, "reaches": drawn(tables["reaches"])}).close()
    return path


def test_everything_wrong_is_told_at_once_and_nothing_is_made(project: Path, tmp_path: Path) -> None:
    (tmp_path / "busy").write_text("")
    given = ("--month", "2022-13", "--paper", "A7", "--template", tmp_path / "none.pptx", "--out", tmp_path / "busy")
    refused = report(project, *given)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        "输入有 4 处错误",
        "“2022-13”不是月份。请写成年-月，如 2022-07",
        "没有“A7”这种纸张。可用：A4、A3、A0",
        f"找不到模板 {tmp_path / 'none.pptx'}。请检查路径，或不用模板",
        f"不能写入文件夹 {tmp_path / 'busy'}：那里有一个同名的文件。请换一个文件夹",
    ]
    english = report(project, *given, lang="en")
    assert "“2022-13” is not a month. Write year-month, such as 2022-07" in english.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["busy"]


def test_an_empty_month_leaves_no_folder(project: Path, tmp_path: Path) -> None:
    refused = report(project, "--month", "2031-01", "--out", tmp_path / "out")
    assert refused.stderr.strip() == ("2031-01 没有任何断面的总磷监测值，无法出报告。有数据的月份：2022-05 至 2022-06")
    assert (refused.returncode, list(tmp_path.iterdir())) == (1, [])


def test_a_missing_typeface_is_told_before_a_file_is_written(project: Path, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow" / "justmytype_intl_cjk"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").touch()
    way = {"PYTHONPATH": str(shadow.parent), "QINGYUAN_CACHE": str(tmp_path / "cache")}
    refused = report(project, "--month", "2022-06", "--out", tmp_path / "out", **way)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        "找不到中文字体，图件上的汉字会变成方框。请安装：pip install justmytype-intl-cjk"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_project_of_daily_readings_has_its_month_in_the_offices_own_template(project: Path, tmp_path: Path) -> None:
    office = Presentation()
    office.slide_width, office.slide_height = 9_144_000, 6_858_000
    office.save(tmp_path / "office.pptx")
    made = report(
        project, "--month", "2022-06", "--out", tmp_path / "out", "--template", tmp_path / "office.pptx",
        "--series", "basin", "--paper", "A4", "--format", "json",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    files = [Path(row["file"]).name for row in json.loads(made.stdout)]
    assert sorted(files) == sorted(path.name for path in (tmp_path / "out").iterdir())
    deck = Presentation(tmp_path / "out" / "2022-06-汇报.pptx")
    assert (deck.slide_width, deck.slide_height) == (9_144_000, 6_858_000)
    titles = [slide.shapes.title.text_frame.text for slide in deck.slides]
    assert any("S1总磷 0.300 mg/L，超目标 0.50 倍" in title for title in titles)


def test_a_months_history_is_the_mean_of_its_readings() -> None:
    tables = demo_tables()
    seen = tables["observations"]
    monthly = (seen["station_id"] == "S01") & (seen["parameter"] == "TP")
    spread = [seen[monthly].assign(time=seen["time"] + f"-{day:02}", value=seen["value"] + off)
              for day, off in ((1, -0.05), (11, 0.05))]  # fmt: skip
    tables["observations"] = pd.concat([seen[~monthly], *spread], ignore_index=True)
    network = hydro.build_network(tables)

    class Registers(hydro.Inquiry):
        def explain(self, section: str, time: str | None = None) -> hydro.Trace:
            return hydro.trace_sources(self.network, section, time=time)

    made = build_content(network, tables, "2022-07", project="x", inquiry=Registers(network))
    plain = dict(zip(seen[monthly]["time"], seen[monthly]["value"], strict=True))
    assert dict(made.section("S01").history) == pytest.approx(plain)
    assert made.section("S01").months_over == 1


def test_a_plan_is_found_whichever_brackets_its_name_has() -> None:
    tables = {"plans": pd.DataFrame({"plan_id": ["P1", "P2"], "name": ["汛期（示例）", "枯水"]})}
    assert plan_id_of(tables, "汛期(示例)") == plan_id_of(tables, " 汛期（示例） ") == "P1"
    with pytest.raises(HydroError, match="没有方案“丰水”"):
        plan_id_of(tables, "丰水")


def test_a_folder_to_be_made_is_judged_by_the_one_above_it(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
