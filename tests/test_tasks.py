"""Tasks and their moves, overdue lists, registers, the county league, and the double test, by hand and by refusal."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hydro
import layers
from hydro import tasks
from hydro.assessment.permits import coverage, double_test
from hydro.assessment.registers import goal_progress, league, register_progress, survey_progress
from hydro.errors import HydroError
from layers.standards import load_standard
from layers.store.project import Project
from layers.store.tasks import draft_tasks, fill_task, move_task, moves

TODAY = "2022-08-10"


def task(**columns: object) -> dict[object, object]:
    base = {"task_id": "T1", "title": "封堵O17", "department": "生态环境局", "person": "王工", "due_on": "2022-08-05"}
    return base | columns


def test_a_task_goes_its_way() -> None:
    found = task()
    for name, state in (("assign", "assigned"), ("accept", "working"), ("submit", "submitted"), ("approve", "done")):
        found = tasks.move(found, name, today=TODAY)
        assert found["state"] == state
    assert (found["assigned_on"], found["done_on"]) == (TODAY, TODAY)
    again = tasks.move(found, "reopen", today=TODAY)
    assert (again["state"], again["done_on"]) == ("working", "")


@pytest.mark.parametrize(
    ("row", "name", "message"),
    [
        (task(state="done"), "submit", "任务「封堵O17」现为已办结，不能报验"),
        (task(state="已交办"), "approve", "任务「封堵O17」现为已交办，不能验收通过"),
        (task(person="", due_on=None), "assign", "任务「封堵O17」还不能交办，请先填写：person、due_on"),
        (task(), "fly", "没有「fly」这一操作"),
    ],
)
def test_moves_that_are_refused(row: dict[object, object], name: str, message: str) -> None:
    with pytest.raises(HydroError) as caught:
        tasks.move(row, name, today=TODAY)
    assert str(caught.value).startswith(message)


@given(st.lists(st.sampled_from(sorted(tasks.MOVES)), max_size=12))
def test_whatever_is_tried_the_state_stays_one_of_the_table(names: list[str]) -> None:
    row = task()
    for name in names:
        if name in tasks.allowed(row):
            row = tasks.move(row, name, today=TODAY)
        else:
            with pytest.raises(HydroError):
                tasks.move(row, name, today=TODAY)
        assert tasks.state_of(row) in tasks.STATES
        assert (row.get("done_on", "") == TODAY) == (row.get("state") == "done")


def test_public_listing() -> None:
    shown = tasks.list_publicly(task(), today="2022-08-01")
    assert tasks.listed(shown)
    with pytest.raises(HydroError, match="已于 2022-08-01 挂牌"):
        tasks.list_publicly(shown, today=TODAY)
    with pytest.raises(HydroError, match="尚未办结，不能摘牌"):
        tasks.delist(shown, today=TODAY)
    with pytest.raises(HydroError, match="摘牌日期不能更早"):
        tasks.delist(shown | {"state": "done"}, today="2022-07-31")
    with pytest.raises(HydroError, match="没有挂牌"):
        tasks.delist(task(), today=TODAY)
    with pytest.raises(HydroError, match="不能挂牌"):
        tasks.list_publicly(task(state="done"), today=TODAY)
    off = tasks.delist(shown | {"state": "done"}, today=TODAY)
    assert (off["delisted_on"], tasks.listed(off)) == (TODAY, False)


TABLE = pd.DataFrame(
    [
        task(task_id="A", due_on="2022-08-05", state="working", county="甲县"),  # five days overdue
        task(task_id="B", due_on=TODAY, state="assigned", county="甲县"),
        task(task_id="C", due_on="2022-08-12", state="working", county="乙县"),
        task(task_id="D", due_on="2022-12-31", state="working", county="乙县"),
        task(task_id="E", due_on="", state="draft", county="乙县"),
        task(task_id="F", due_on="2022-08-01", done_on="2022-08-03", state="done", county="甲县"),  # late
        task(task_id="G", due_on="2022-08-05", state="cancelled", county="甲县"),
        task(task_id="H", due_on="2022-07", state="working", person="李工", county="甲县"),  # a month: its last day
    ]
)


def test_overdue_and_the_sheet_of_a_day() -> None:
    status = tasks.with_status(TABLE, today=TODAY).set_index("task_id")
    assert status.index.tolist() == ["H", "A", "B", "C", "D", "E", "F", "G"]
    assert status.loc[["A", "B", "C", "H"], "days_left"].tolist() == [-5, 0, 2, -10]
    assert status.index[status["overdue"]].tolist() == ["H", "A"]
    assert status.index[status["late"]].tolist() == ["F"]
    sheet = tasks.daily_sheet(TABLE, "王工", today=TODAY)
    assert dict(zip(sheet["task_id"], sheet["when"], strict=True)) == {
        "A": "overdue", "B": "today", "C": "soon", "E": "undated",
    }  # fmt: skip
    assert tasks.daily_sheet(TABLE, "无此人", today=TODAY).empty
    assert tasks.load_of(TABLE, "person", today=TODAY)["overdue"].tolist() == [1, 1]


def test_exceedances_become_drafts_once() -> None:
    rows = pd.DataFrame({"section_id": ["S1", "S2"], "name": ["皇甫", "汲县"], "county": ["卫辉市"] * 2,
                         "month": ["2022-07"] * 2, "state": ["over", "holds"]})  # fmt: skip
    found = tasks.from_exceedances(rows, {"S1": {"name": "城东厂", "grid_owner": "张网格"}}, today=TODAY)
    assert found["task_id"].tolist() == ["EX-2022-07-S1"]
    assert found.loc[0, ["person", "due_on", "note"]].tolist() == ["张网格", "2022-08-13", "首要来源：城东厂"]
    assert tasks.from_exceedances(rows[1:], {}, today=TODAY).empty


def test_the_survey_counts_each_step_with_those_before_it() -> None:
    outlets = pd.DataFrame({"county": ["甲县"] * 4 + ["乙县"], "survey": ["found", "sampled", "traced", "signed", ""],
                            "decision": ["seal", "undecided", "", "merge", "regulate"]})  # fmt: skip
    found = survey_progress(outlets).set_index("group")
    assert found.loc["甲县", ["outlets", "found", "sampled", "traced", "signed", "decided"]].tolist() == [
        4,
        4,
        3,
        2,
        1,
        2,
    ]
    assert found.loc["甲县", "traced_share"] == 0.5
    assert found.loc["乙县", "found"] == 0


def test_the_pace_of_a_register_by_hand() -> None:
    registers = pd.DataFrame({"register_id": list("ABCDE"), "target": [30, 30, 30, 30, 30], "done": [12, 6, 30, 0, 5],
                              "starts_on": ["2022-01-01"] * 4 + [""], "due_on": ["2023-01-01"] * 5})  # fmt: skip
    found = register_progress(registers, today="2022-05-27")  # 146 of 365 days
    # A: (12/30) / (146/365) = 1.0, ends at 30; B: 0.2 / 0.4 = 0.5, ends at 15
    assert found["pace"][:2].tolist() == pytest.approx([1.0, 0.5])
    assert found["at_due"][:2].tolist() == pytest.approx([30, 15])
    assert found["state"].tolist() == ["on_plan", "behind", "done", "not_started", "undated"]


def test_a_dated_goal() -> None:
    months = pd.period_range("2020-08", "2022-07", freq="M").astype(str)
    values = pd.DataFrame({"river": "大沙河", "month": months, "value_mg_l": [0.5] * 12 + [0.45] * 12})
    goals = pd.DataFrame(
        {"goal_id": ["G1"], "river": ["大沙河"], "tp_goal_mg_l": [0.4], "due_on": ["2023-12-31"], "owner": ["甲县"]}
    )
    row = goal_progress(goals, values, month="2022-07").iloc[0]
    # 0.45 - 0.40 = 0.05 in 17 months; 0.05 better than the twelve months before
    assert row["distance_mg_l"] == pytest.approx(0.05)
    assert (row["months_left"], row["overdue"]) == (17, False)
    assert row["needed_per_month"] == pytest.approx(0.05 / 17)
    assert row["year_change_mg_l"] == pytest.approx(-0.05)


def test_the_league_shows_its_arithmetic() -> None:
    rows = pd.DataFrame({"county": ["甲县", "甲县"], "attained_months": [6, 3], "monitored_months": [7, 7]})
    outlets = pd.DataFrame({"county": ["甲县"] * 4, "survey": ["traced", "signed", "found", ""]})
    found = league(rows, TABLE, outlets, today=TODAY).set_index("county")
    # 甲县: attained 9/14; tasks A B F H (G cancelled): done 1/4; on time: A, H overdue, F late: 1/4; survey 2/4
    points = 40 * 9 / 14 + 30 * 1 / 4 + 20 * 1 / 4 + 10 * 2 / 4
    assert found.loc["甲县", "points"] == pytest.approx(points)
    assert found.loc["甲县", "arithmetic"] == f"40×9/14 + 30×1/4 + 20×1/4 + 10×2/4 = {points:.1f}"
    # 乙县 has tasks only (C, D, E): (30 x 0/3 + 20 x 3/3) x 100/50 = 40
    assert found.loc["乙县", "points"] == pytest.approx(40)
    assert found.loc["乙县", "arithmetic"] == "(30×0/3 + 20×3/3) ×100/50 = 40.0"
    assert found["rank"].to_dict() == {"甲县": 1, "乙县": 2} or points < 40


def works(records: list[tuple[str, str, str, float]]) -> hydro.RiverNetwork:
    reaches = pd.DataFrame({"reach_id": ["R1"], "from_node": ["A"], "to_node": ["B"], "length_m": [1000.0],
                            "discharge_m3_s": [3.0], "velocity_m_s": [0.5]})  # fmt: skip
    plants = pd.DataFrame({"plant_id": ["W1"], "name": ["一厂"], "reach_id": ["R1"], "chainage_m": [0.0], "reports": [1],
                           "permit_tp_mg_l": [0.5], "permit_load_kg_d": [1.0], "county": ["甲县"]})  # fmt: skip
    seen = pd.DataFrame(records, columns=["station_id", "time", "parameter", "value"]).assign(
        station_kind="plant", qualifier=""
    )
    return hydro.build_network({"reaches": reaches, "plants": plants, "observations": seen})


def test_the_double_test_counts_a_gap_as_a_gap() -> None:
    network = works([("W1", "2022-01", "TP_load", 1.2), ("W1", "2022-03", "TP_load", 0.8)])
    row = double_test(network, "2022-03", standard=load_standard()).iloc[0]
    # (1.2 + 0.8) x 31 = 62 kg against 1.0 x 62 days = 62 kg; the year at this rate 62 / 62 x 365 = 365 kg
    assert (row["load_kg"], row["permit_kg"], row["run_rate_kg"]) == pytest.approx((62, 62, 365))
    assert (row["verdict"], row["gaps"], row["months_with_data"]) == ("load_only", 1, 2)
    assert (row["newest_kg_d"], row["load_over_months"]) == (0.8, 1)
    assert coverage(double_test(network, "2022-03", standard=load_standard()))["sent_share"].iloc[0] == pytest.approx(
        2 / 3
    )


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        ([("W1", "2022-01", "TP_load", 1.3)], "load_over"),
        ([("W1", "2022-01", "TP", 0.6), ("W1", "2022-01", "discharge", 0.001)], "concentration_over"),
        ([("W1", "2022-01", "TP", 0.6), ("W1", "2022-01", "discharge", 0.03)], "both_over"),
        ([("W1", "2022-01", "TP", 0.5)], "concentration_only"),
        ([("W1", "2022-01", "TP", 0.5), ("W1", "2022-01", "discharge", 0.01)], "both"),  # equal to the limit attains
        ([], "no_data"),
    ],
)
def test_both_tests_are_told_apart(records: list[tuple[str, str, str, float]], verdict: str) -> None:
    row = double_test(works(records), "2022-01", standard=load_standard()).iloc[0]
    assert row["verdict"] == verdict
    if not records:
        assert np.isnan(row["load_kg"])


def project_with(*rows: dict[object, object], path: Path) -> Project:
    network = {
        "reaches": pd.DataFrame({"reach_id": ["R1"], "from_node": ["A"], "to_node": ["B"], "length_m": [1000.0]})
    }
    return layers.create_project(str(path), name="试", tables=network | {"tasks": pd.DataFrame(list(rows))})


def test_a_move_is_stored_with_its_reason_and_refused_when_it_is_late(tmp_path: Path) -> None:
    opened = project_with(task(state="submitted"), task(task_id="T2", state="draft"), path=tmp_path / "p.gpkg")
    move_task(opened, "T1", "approve", today=TODAY, why="现场核验")
    stored = opened.table("tasks").set_index("task_id")
    assert stored.loc["T1", ["state", "done_on"]].tolist() == ["done", TODAY]
    assert stored.loc["T2", "state"] == "draft"
    assert opened.book(table="tasks")["why"].iloc[-1] == "现场核验"
    with pytest.raises(HydroError, match="现为已办结，不能验收通过"):
        move_task(opened, "T1", "approve", today=TODAY)
    move_task(opened, "T1", "reopen", today=TODAY)
    assert tasks.state_of(opened.table("tasks").set_index("task_id").loc["T1"]) == "working"
    assert not opened.table("tasks").fillna("").set_index("task_id").loc["T1", "done_on"]
    move_task(opened, "T1", "list", today=TODAY)
    assert [name for name, _ in moves(opened.table("tasks").iloc[0].to_dict())] == ["submit", "cancel"]
    with pytest.raises(HydroError, match="没有编号为 T9 的任务"):
        move_task(opened, "T9", "submit", today=TODAY)


def test_a_plan_becomes_tasks_with_department_person_and_day() -> None:
    decisions = pd.DataFrame({"plan_id": ["P1", "P1", "P1", "P2"], "outlet_id": ["O1", "O2", "O3", "O1"],
                              "decision": ["seal", "undecided", "merge", "seal"]})  # fmt: skip
    measures = pd.DataFrame({"plan_id": ["P1", "P2"], "measure_id": ["M1", "M2"], "name": ["一厂提标", ""],
                             "action": ["upgrade", "dredge"], "source_id": ["W1", "R7"], "due_on": ["2022-10-31", ""],
                             "department": ["住建局", None]})  # fmt: skip
    outlets = pd.DataFrame({"name": ["东街排口", "乙", ""], "county": ["甲县"] * 3, "grid_owner": ["三级网格02", "", ""]},
                           index=["O1", "O2", "O3"])  # fmt: skip
    plan = {"plan_id": "P1", "name": "汛期方案"}
    found = tasks.from_plan(plan, decisions, measures, outlets, due_on="2022-12-31").set_index("task_id")
    columns = ["title", "department", "person", "county", "due_on"]
    assert found.loc["PL-P1-O1", columns].tolist() == ["东街排口封堵", "生态环境局", "三级网格02", "甲县", "2022-12-31"]
    assert found.loc["PL-P1-O3", columns].tolist() == ["O3清理合并", "住房城乡建设局", "", "甲县", "2022-12-31"]
    assert found.loc["PL-P1-M1", columns].tolist() == ["一厂提标", "住建局", "", "", "2022-10-31"]
    assert (len(found), set(found["state"]), set(found["note"])) == (3, {"draft"}, {"方案：汛期方案"})
    other = tasks.from_plan({"plan_id": "P2"}, decisions, measures, outlets, due_on="2023-01-01")
    assert other["title"].tolist() == ["东街排口封堵", "R7清淤"]
    assert other["department"].tolist() == ["生态环境局", "水利局"]


def test_a_draft_is_filled_in_and_then_assigned(tmp_path: Path) -> None:
    opened = project_with(task(state="draft", person="", department="", due_on=""), path=tmp_path / "p.gpkg")
    with pytest.raises(HydroError, match="请先填写"):
        move_task(opened, "T1", "assign", today=TODAY)
    with pytest.raises(HydroError, match="日期「三天后」无法识别，请写成 2022-07-03"):
        fill_task(opened, "T1", department="水利局", person="赵敏", due_on="三天后", why="")
    fill_task(opened, "T1", department="水利局", person=" 赵敏 ", due_on="2022-09-01", why="落实")
    move_task(opened, "T1", "assign", today=TODAY)
    row = opened.table("tasks").set_index("task_id").loc["T1"]
    assert row[["department", "person", "due_on", "state"]].tolist() == ["水利局", "赵敏", "2022-09-01", "assigned"]
    with pytest.raises(HydroError, match="已交办，不能再改责任人与期限"):
        fill_task(opened, "T1", department="水利局", person="别人", due_on="", why="")
    with pytest.raises(HydroError, match="没有编号为 T9 的任务"):
        fill_task(opened, "T9", department="", person="", due_on="", why="")


def test_drafting_twice_adds_nothing(tmp_path: Path) -> None:
    opened = project_with(task(), path=tmp_path / "p.gpkg")
    rows = pd.DataFrame(
        {"section_id": ["S1"], "name": ["皇甫"], "county": ["卫辉市"], "month": ["2022-07"], "state": ["over"]}
    )
    drafted = tasks.from_exceedances(rows, {}, today=TODAY)
    assert [draft_tasks(opened, drafted, why="超标") for _ in range(2)] == [1, 0]
    assert len(opened.table("tasks")) == 2
