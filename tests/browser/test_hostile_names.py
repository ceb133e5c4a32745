"""Names that would like to be markup, script or a link, on every page and in every file that a browser opens."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import hydro
import layers
from benchmarks.synthetic import make_basin
from reports.meeting import meeting
from reports.month import project_content
from reports.offline import offline_map
from tests.browser.conftest import Visit
from ui.pages import PAGES

Serve = Callable[[str], str]
EVIL = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>[a](javascript:pwned) :red[b] $c$'
FREE = (
    "name",
    "river",
    "county",
    "town",
    "owner",
    "grid_owner",
    "title",
    "person",
    "department",
    "reason",
    "description",
)
"""Columns in which people write what they like."""
SIGNS = """() => {
  const roots = (node) => [node, ...[...node.querySelectorAll("*")].filter((e) => e.shadowRoot).flatMap((e) => roots(e.shadowRoot))];
  const found = roots(document).flatMap((root) => [...root.querySelectorAll('img[src="x"], a[href^="javascript:"], script')]);
  return [window.pwned ?? 0, found.filter((e) => e.tagName !== "SCRIPT" || e.textContent.includes("pwned=1")).length];
}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project in which everything that has a name has that one."""
    tables = make_basin(40, 12, 4, seed=7)
    tables = {
        name: table.assign(**{column: f"{EVIL}" for column in FREE if column in table})
        for name, table in tables.items()
    }
    tables["tasks"] = pd.DataFrame(
        {"task_id": ["T1"], "state": ["assigned"], "due_on": ["2022-12-31"], "target_id": ["O1"]}
    )
    tables["tasks"] = tables["tasks"].assign(title=EVIL, person=EVIL, department=EVIL)
    path = tmp_path_factory.mktemp("hostile") / "basin.gpkg"
    project = layers.create_project(path, name=EVIL, tables=tables)
    outlet = str(project.table("outlets")["outlet_id"].iloc[0])
    project.plans.create(EVIL)
    project.plans.decide(EVIL, [outlet], "seal", seen={}, why=EVIL)
    project.close()
    return str(path)


def test_no_page_obeys_a_name(visit: Visit, serve: Serve, hostile: str) -> None:
    project = layers.open_project(hostile)
    outlet, section = (str(project.table(name).iloc[0, 0]) for name in ("outlets", "sections"))
    address = serve(hostile)
    ways = [f"{name}?section={section}&source={outlet}" for name, _ in PAGES if name != "map"]
    visit.open(f"{address}/?section={section}&source={outlet}")
    assert EVIL in visit.page.locator(".headline .place").inner_text()
    assert EVIL in visit.page.locator(".st-key-marking").inner_text()
    visit.ask_map("() => qingyuan.app.showTip(qingyuan.app.pointTip(0), qingyuan.app.map.getCenter(), 12)")
    assert EVIL in visit.ask_map("() => document.querySelector('.qy-tip').textContent")
    assert [frame.evaluate(SIGNS) for frame in visit.page.frames] == [[0, 0]] * len(visit.page.frames)
    for way in [*ways, f"board?file={outlet}", f"board?file={section}"]:
        visit.page.goto(f"{address}/{way}")
        visit.page.locator(".st-key-bar").wait_for()
        visit.page.locator("[data-testid='stStatusWidget'], [data-testid='stSkeleton']").first.wait_for(
            state="detached"
        )
        assert EVIL[:8] in visit.page.locator("body").inner_text(), way
        for frame in visit.page.frames:
            assert frame.evaluate(SIGNS) == [0, 0], (way, frame.url)
    visit.complaints.clear()  # a browser may complain of what it has refused


def test_no_file_obeys_a_name(visit: Visit, hostile: str, tmp_path: Path) -> None:
    project = layers.open_project(hostile)
    network = project.network()
    section = str(network.sections.index[0])
    layers.draw(network, hydro.trace_sources(network, section, time="2022-07"), title=EVIL).save(
        tmp_path / "drawn.html"
    )
    content = project_content(project, "2022-07", made_on="2022-08-01")
    (tmp_path / "map.html").write_bytes(offline_map(content))
    (tmp_path / "show.html").write_bytes(meeting(content))
    for name in ("drawn", "map", "show"):
        visit.page.goto((tmp_path / f"{name}.html").as_uri())
        visit.page.wait_for_load_state()
        visit.page.wait_for_timeout(300)
        assert visit.page.evaluate(SIGNS.replace(", script", "")) == [0, 0], name
