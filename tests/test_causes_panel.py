"""The panel of causes where an automatic station reads the section: the month's episode at its peak, not the month's mean."""

import re

import pytest
from streamlit.testing.v1 import AppTest

import hydro
import layers
from benchmarks.basins_hourly import make_basin
from hydro.causes.alarm import Episode, episodes, peak_in
from layers.store.findings import field_findings


def test_the_peak_of_a_month_is_that_of_its_highest_episode() -> None:
    found = [
        Episode("S1", "2022-06-30T22:00", "2022-07-01T02:00", "2022-07-01T06:00", 0.31, 4),
        Episode("S1", "2022-07-09T00:00", "2022-07-09T04:00", "2022-07-09T08:00", 0.52, 5),
        Episode("S2", "2022-07-09T00:00", "2022-07-10T04:00", "2022-07-10T08:00", 0.90, 5),
    ]
    assert peak_in(found, "S1", "2022-07") == "2022-07-09T04:00"
    assert peak_in(found, "S1", "2022-06") == ""


def panel(url: str, section: str, month: str) -> None:
    from ui import cache, causes, state

    revision = cache.project(url).revision
    state.choose_month(month)
    causes.show(url, revision, cache.trace(url, revision, section, month))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("hourly") / "hourly.gpkg"
    layers.create_project(file, name="自动站", tables=make_basin(7, reaches=24, events=2).tables)
    return str(file)


def said(app: AppTest) -> str:
    assert not app.exception
    return " ".join(re.sub("<[^>]+>", " ", block.proto.body) for block in app.get("html"))


def test_the_panel_tells_who_let_out_how_much_from_when_to_when(place: str) -> None:
    project = layers.open_project(place)
    first = episodes(project.network())[0]
    trace = hydro.Episodes(project.network()).explain(first.section_id, first.peak)
    top = trace.table.iloc[0]
    app = AppTest.from_function(panel, default_timeout=60, args=(place, first.section_id, first.peak[:7])).run()
    words = said(app)
    assert f"按自动站本月最高读数推断：{first.peak.replace('T', ' ')}" in words
    since, until = (str(top[name])[5:].replace("T", " ") for name in ("release_from", "release_to"))
    assert f"约 {since} 至 {until} 排放" in words
    app.button[1].click().run()
    kept = field_findings(project)
    assert [(one.time, one.verdict) for one in kept] == [(first.peak, hydro.EXCLUDED)]
    assert any("已排除" in one.value for one in app.text)
