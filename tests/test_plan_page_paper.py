"""A plan on one page, and the demo's own: seven sections with a margin of a tenth, and water for one of them instead."""

import re
from pathlib import Path

import pytest
from test_optimise import works

import hydro
import layers
from layers.intake.demo import demo_project
from reports.plan import tell
from reports.plan_page import plan_page

CONTROL = ["seal", "regulate", "merge", "upgrade", "dredge", "relocate"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> hydro.RiverNetwork:
    return layers.open_project(str(demo_project(Path(tmp_path_factory.mktemp("demo")) / "demo.gpkg"))).network()


def test_the_demo_holds_all_seven_with_a_tenth_to_spare_on_one_page(demo: hydro.RiverNetwork) -> None:
    provincial = [str(i) for i in demo.sections.index[demo.sections["level"] == "省控"]]
    plan = hydro.plan_measures(demo, allow=CONTROL, margin=0.1, sections=provincial)
    assert plan.status == "optimal"
    assert len(provincial) == len(plan.sections) == 7
    assert (plan.sections["tp_after_mg_l"] <= 0.9 * plan.sections["target_mg_l"] * (1 + 1e-9)).all()
    again = hydro.compare(demo, plan.scenario).set_index("section_id").loc[provincial]
    assert (again["tp_after_mg_l"] <= 0.9 * again["target_mg_l"] * (1 + 1e-9)).all()
    page = plan_page(plan, title="示例流域", demo=True, made_on="2022-08-01")
    assert tell(plan)[0] in page
    assert page.count("<svg") == 7
    assert '<span class="demo">示例</span>' in page
    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    english = plan_page(plan, title="x", lang="en", demo=True)
    assert "Ecology and environment bureau" in english


def test_water_for_xiamaying_is_an_alternative_with_its_volume_and_its_label(demo: hydro.RiverNetwork) -> None:
    plan = hydro.plan_measures(demo, allow=["dose"], margin=0.1, sections=["下马营"])
    (dose,) = plan.measures
    assert plan.status == "optimal"
    assert dose.source_id == "G09"
    line = next(line for line in tell(plan) if line.startswith("共产主义渠引黄闸（G09）"))
    assert line.endswith(f"共 {dose.volume_10k_m3:.0f} 万m³：这是稀释，不是减排")
    assert line in plan_page(plan)
    assert plan.sections.iloc[0]["tp_after_mg_l"] == pytest.approx(0.27)


def test_names_enter_the_page_as_text() -> None:
    tables = works()
    tables["outlets"]["name"] = "<script>alert(1)</script>"
    plan = hydro.plan_measures(hydro.build_network(tables), allow=["seal"], margin=0.0)
    page = plan_page(plan, title="<b>x</b>")
    assert "<script>" not in page
    assert "<b>x</b>" not in page


def test_an_infeasible_plan_has_a_page_that_says_why() -> None:
    plan = hydro.plan_measures(hydro.build_network(works()), allow=["seal"], margin=0.9)
    assert plan.status == "infeasible"
    page = plan_page(plan)
    assert all(line.replace("&", "&amp;") in page for line in tell(plan)[:2])
