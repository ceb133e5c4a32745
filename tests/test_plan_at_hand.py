"""The plans page as a planner works on it: ticks let go, what a step replaced and the way back, the plant of a merge, plans kept."""

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point
from streamlit.testing.v1 import AppTest
from test_optimise import works

import hydro
import layers
from hydro.planning.effect import Condition
from hydro.planning.measure import check_measures
from layers.maps.plan_map import plan_message
from layers.rivers.sewers import DETOUR, sewer_km
from layers.standards import load_standard
from reports.plan import waters
from reports.plan_page import plan_page
from ui.plan import merging, steps

PAGE = """
from ui import state
from ui.pages import plans
state.adopt_link()
plans.render()
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    tables = works()
    tables["outlets"]["merge_to"] = ["W1", "", "W2"]
    lines = [LineString([(114.0 + i, 35.0), (115.0 + i, 35.0)]) for i in range(2)]
    tables["reaches"] = gpd.GeoDataFrame(tables["reaches"], geometry=lines, crs=4490)
    layers.create_project(tmp_path / "works.gpkg", name="两厂一河", tables=tables)
    monkeypatch.setenv("QINGYUAN_PROJECT", str(tmp_path / "works.gpkg"))
    app = AppTest.from_string(PAGE, default_timeout=60).run()
    assert not app.exception
    return app


def marked(app: AppTest) -> dict[str, str]:
    return {measure.source_id: measure.action for measure in app.session_state["marks"]}


def press(app: AppTest, label: str, *, again: bool = True) -> None:
    """Click, and run once more: the whole page runs here, in which a fragment cannot ask for its own next run."""
    next(button for button in app.button if button.label == label).click().run()
    if again:
        app.run()
    assert not app.exception


def test_a_step_says_what_it_replaced_and_can_be_taken_back(bench: AppTest) -> None:
    bench.session_state["caught"] = ("O1", "O2")
    bench.run()
    press(bench, "封堵 2")
    assert marked(bench) == {"O1": "seal", "O2": "seal"}
    assert not bench.session_state["caught"]  # the next mark begins with nothing in hand
    assert all(button.disabled for button in bench.button if button.label in ("封堵", "规范整治", "清理合并", "取消"))
    bench.session_state["caught"] = ("O2", "O3")
    bench.run()
    press(bench, "规范整治 2")
    assert marked(bench) == {"O1": "seal", "O2": "regulate", "O3": "regulate"}
    assert "上一步：新增 规范整治 2；取代了原来的 封堵 1" in [text.value for text in bench.text]
    press(bench, "撤销这一步")
    assert marked(bench) == {"O1": "seal", "O2": "seal"}
    press(bench, "给我最省的方案")
    assert marked(bench) != {"O1": "seal", "O2": "seal"}
    assert bench.session_state["plan_told"]
    press(bench, "撤销这一步")
    assert marked(bench) == {"O1": "seal", "O2": "seal"}
    assert not bench.session_state["plan_told"]


def test_a_merge_asks_which_plant_where_the_register_names_none(bench: AppTest) -> None:
    bench.session_state["caught"] = ("O1", "O2")
    bench.run()
    assert "1 个排污口台账没有写明并入哪座厂，共 4000 m³/d" in [text.value for text in bench.text]
    pick = next(box for box in bench.selectbox if box.label == "并入哪座污水处理厂")
    assert pick.options == ["W2 · 余量 6,000 m³/d", "W1 · 余量 2,000 m³/d"]
    pick.set_value("W2").run()
    press(bench, "并入", again=False)
    assert bench.warning[0].value.startswith("污水处理厂 W1 余量 2000 m³/d，装不下并入的 3000 m³/d")
    assert "marks" not in bench.session_state
    bench.session_state["caught"] = ("O2",)
    bench.run()
    next(box for box in bench.selectbox if box.label == "并入哪座污水处理厂").set_value("W2").run()
    press(bench, "并入")
    assert {m.source_id: m.to for m in bench.session_state["marks"]} == {"O2": "W2"}


def test_the_conclusion_names_its_water_and_says_when_another_is_chosen(bench: AppTest) -> None:
    press(bench, "给我最省的方案")
    assert "在平水（模拟）下都达到目标" in bench.session_state["plan_told"][0]
    assert not bench.warning
    bench.slider(key="plan_margin").set_value(0).run()
    assert bench.warning[0].value.startswith("下面的结论按提问时的条件求得：平水，余量 10 %，2 个断面")


def test_a_kept_plan_joins_the_comparison_and_leaves_its_name(bench: AppTest) -> None:
    press(bench, "给我最省的方案")
    bench.session_state["plan_answer_tabs"] = "存与比较"
    bench.run()
    bench.text_input(key="plan_name").set_value("枯水期").run()
    press(bench, "存为草稿", again=False)
    assert bench.text_input(key="plan_name").value == ""
    assert bench.multiselect(key="plan_compare").value == ["枯水期"]
    assert any("已存为草稿：枯水期" in toast.value for toast in bench.toast)


def test_a_merge_without_a_plant_is_refused_in_words() -> None:
    network = hydro.build_network(works())
    (fault,) = check_measures(network, [hydro.Measure("merge", "O1")])
    assert fault.message.format_map(fault.params) == "排污口 O1 没有指明并入哪座污水处理厂。请指明一座"
    assert merging.registered(network, ["O1", "O3"]) == {"O1": "W1", "O3": "W2"}


def test_words_of_a_step_keep_changes_apart() -> None:
    seal, other = hydro.Measure("seal", "O1", cost=1.0), hydro.Measure("seal", "O1", cost=2.0)
    assert steps.words([seal], [other]) == "上一步：改了 1 项的数量、费用或安排"
    assert steps.words([seal], []) == "上一步：去掉 封堵 1"
    assert steps.words([seal], [seal]) == "上一步：没有变化"


def test_the_map_says_what_its_figures_are() -> None:
    network = hydro.build_network(works())
    dry = hydro.situation(network, Condition("枯水", flow_factor=0.5))
    told = plan_message(dry, hydro.Scenario(network), load_standard())["words"]
    assert (told["before"], told["after"]) == ("现状 · 枯水 模拟", "实施后 · 枯水 模拟")
    month = plan_message(
        hydro.situation(network, Condition("2022-07", "2022-07")), hydro.Scenario(network), load_standard()
    )
    assert month["words"]["before"] == "现状 · 2022-07 实测"
    assert all(before["text"].endswith(" 模拟") for before, _ in month["sections"].values())  # nothing was measured


def test_one_page_names_the_plan_its_water_and_both_costs() -> None:
    network = hydro.build_network(works())
    plan = hydro.plan_measures(
        network, allow=["dose", "seal"], margin=0.0, conditions=[Condition("枯水", flow_factor=0.8)]
    )
    yearly = sum(m.cost for m in plan.measures if m.yearly)
    assert waters(plan) == "枯水（模拟）"
    month = hydro.plan_measures(network, allow=["seal"], margin=0.0, conditions=[Condition("2022-07", "2022-07")])
    assert waters(month) == "2022-07 当月水情（模拟）"
    assert waters(month, "en") == "the flow of 2022-07 (modelled)"
    page = plan_page(plan, title="两厂一河", name="枯水<期>")
    assert "方案：枯水&lt;期&gt; · 水情：枯水（模拟） · 余量 0 % · 一次 " in page
    assert f"每年 {yearly:,.1f} 万元" in page or f"每年 {yearly:,.0f} 万元" in page


def test_a_sewer_to_the_plant_that_was_picked() -> None:
    outlets = gpd.GeoDataFrame(
        {"outlet_id": ["O1", "O2"], "merge_to": ["W1", ""]}, geometry=[Point(114, 35)] * 2, crs=4490
    )
    plants = gpd.GeoDataFrame({"plant_id": ["W1", "W2"]}, geometry=[Point(114, 35.1), Point(114, 35.2)], crs=4490)
    found = sewer_km({"outlets": outlets, "plants": plants}, {"O2": "W2"})
    assert found == {"O2": pytest.approx(DETOUR * 22.19, rel=1e-3)}
