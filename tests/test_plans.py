"""Decisions in plans, on both stores: who decided, what the second writer sees, what approval does, what undo undoes."""

import json
from collections.abc import Callable, Iterator

import pytest
from offices import tables

import layers
from hydro.errors import FaultsError, HydroError
from layers.store.plans import ConflictError
from layers.store.roles import User

PLANNER = User("李工", "planner")
OTHER = User("王工", "planner")
LEADER = User("张主任", "approver")


class Office:
    """One project, opened by several people."""

    def __init__(self, url: str) -> None:
        layers.create_project(url, name="流域", tables=tables()).close()
        self.url = url

    def as_(self, user: User) -> layers.Project:
        return layers.open_project(self.url, user=user)


@pytest.fixture
def office(place: Callable[[str], str]) -> Iterator[Office]:
    made = Office(place("office"))
    made.as_(PLANNER).plans.create("一期")
    yield made
    assert layers.open_project(made.url).verify() == []


def test_a_decision_names_who_when_and_why(office: Office) -> None:
    plans = office.as_(PLANNER).plans
    plans.decide("一期", ["O1", "O3"], "seal", seen={}, why="直排'; --")
    made = plans.decisions("一期")
    assert made["decision"].to_dict() == {"O1": "seal", "O3": "seal"}
    assert made.loc["O1", ["decided_by", "reason"]].tolist() == ["李工", "直排'; --"]
    entry = office.as_(LEADER).book(row="O1", who="李工").iloc[-1]
    assert (entry["what"], entry["why"], entry["before"]) == ("decide", "直排'; --", "null")
    assert json.loads(entry["after"])["decision"] == "seal"


def test_the_second_writer_sees_both_versions_and_nothing_is_lost(office: Office) -> None:
    mine, theirs = office.as_(PLANNER).plans, office.as_(OTHER).plans
    seen = mine.seen("一期")
    theirs.decide("一期", ["O1"], "regulate", seen=seen, why="先规范")
    with pytest.raises(ConflictError) as caught:
        mine.decide("一期", ["O1", "O2"], "seal", seen=seen, why="封")
    assert str(caught.value) == "1 个排污口已被别人改过：O1。请对照两个版本后再选择，您的改动尚未保存。"
    assert caught.value.theirs["O1"]["decision"] == "regulate"
    assert caught.value.theirs["O1"]["decided_by"] == "王工"
    assert caught.value.mine["O1"]["decision"] == "seal"
    assert list(mine.decisions("一期").index) == ["O1"]
    mine.decide("一期", ["O1", "O2"], "seal", seen=mine.seen("一期"), why="商定")
    assert mine.decisions("一期")["decision"].to_dict() == {"O1": "seal", "O2": "seal"}


def test_a_merge_needs_a_plant_with_room(office: Office) -> None:
    plans = office.as_(PLANNER).plans
    with pytest.raises(HydroError, match="没有编号为 - 的污水处理厂"):
        plans.decide("一期", ["O1"], "merge", seen={}, why="")
    plans.decide("一期", ["O1"], "merge", merge_to="W1", seen={}, why="")
    with pytest.raises(HydroError) as caught:
        plans.decide("一期", ["O2", "O3"], "merge", merge_to="W1", seen={}, why="")
    # 20000 designed - 19500 treated = 500 to spare; O1 300 (led already) + O2 300 + O3 100 = 700.
    assert str(caught.value) == ("污水处理厂 W1 余量 500 m³/d，接入 3 个排污口共需 700 m³/d。请换一座厂或先扩容。")
    plans.decide("一期", ["O3"], "merge", merge_to="W1", seen={}, why="")


def test_a_merge_counts_the_water_that_an_outlet_really_brings(office: Office) -> None:
    project = office.as_(LEADER)
    outlets = project.table("outlets")
    project.write({"outlets": outlets.assign(actual_discharge_m3_d=[600.0, 0.0, 0.0, 0.0])}, why="监测")
    with pytest.raises(HydroError, match="余量 500 m³/d，接入 1 个排污口共需 600 m³/d"):
        office.as_(PLANNER).plans.decide("一期", ["O1"], "merge", merge_to="W1", seen={}, why="")


def test_an_outlet_that_has_left_the_register_is_named_before_its_decision_is_adopted(office: Office) -> None:
    plans = office.as_(PLANNER).plans
    plans.decide("一期", ["O1", "O3"], "seal", seen={}, why="")
    leader = office.as_(LEADER)
    register = leader.table("outlets", geometry=True)
    leader.write({"outlets": register.query("outlet_id == 'O2'")}, why="重报", replace=True)
    plans.submit("一期")
    with pytest.raises(FaultsError) as caught:
        leader.plans.approve("一期")
    assert [fault.row for fault in caught.value.faults] == ["O1", "O3"]
    assert leader.plans.list()["state"].tolist() == ["submitted"]
    leader.write({"outlets": register}, why="找回")
    leader.plans.approve("一期")
    assert leader.table("outlets").set_index("outlet_id").loc[["O1", "O3"], "decision"].tolist() == ["seal", "seal"]


def test_approval_takes_the_decisions_into_the_register(office: Office) -> None:
    planner, leader = office.as_(PLANNER), office.as_(LEADER)
    planner.plans.decide("一期", ["O1"], "merge", merge_to="W1", seen={}, why="")
    with pytest.raises(HydroError, match="方案 一期 现在是“草稿”，不能批准；须先处于“已提交”。"):
        leader.plans.approve("一期")
    planner.plans.submit("一期")
    with pytest.raises(HydroError, match="方案 一期 已是“已提交”，不能再改。"):
        planner.plans.decide("一期", ["O2"], "seal", seen={})
    leader.plans.reject("一期", why="补充 O2")
    planner.plans.decide("一期", ["O2"], "seal", seen={})
    planner.plans.submit("一期")
    leader.plans.approve("一期", why="同意")
    register = leader.table("outlets").set_index("outlet_id")
    assert register["decision"].to_dict() == {"O1": "merge", "O2": "seal", "O3": "undecided", "O4": "undecided"}
    assert register.loc["O1", "merge_to"] == "W1"
    assert leader.plans.list().iloc[0][["state", "approved_by", "decisions"]].tolist() == ["approved", "张主任", 2]
    assert leader.book(table="plans")["what"].tolist() == ["create", "submit", "reject", "submit", "approve"]


def test_undo_takes_back_ones_own_steps_one_by_one(office: Office) -> None:
    plans = office.as_(PLANNER).plans
    plans.decide("一期", ["O1", "O2"], "regulate", seen={})
    plans.decide("一期", ["O1"], "seal", seen=plans.seen("一期"))
    assert plans.undo("一期") == ["O1"]
    assert plans.decisions("一期")["decision"].to_dict() == {"O1": "regulate", "O2": "regulate"}
    assert sorted(plans.undo("一期")) == ["O1", "O2"]
    assert plans.decisions("一期").empty
    with pytest.raises(HydroError, match="方案 一期 里没有您可以撤销的决定。"):
        plans.undo("一期")


def test_undo_never_takes_back_what_somebody_else_did_since(office: Office) -> None:
    plans, other = office.as_(PLANNER).plans, office.as_(OTHER).plans
    plans.decide("一期", ["O1"], "seal", seen={})
    other.decide("一期", ["O1"], "regulate", seen=other.seen("一期"))
    with pytest.raises(ConflictError):
        plans.undo("一期")
    assert plans.decisions("一期").loc["O1", "decided_by"] == "王工"
    assert other.undo("一期") == ["O1"]
    assert plans.decisions("一期").loc["O1", "decision"] == "seal"


def test_two_plans_are_compared_by_outlet(office: Office) -> None:
    plans = office.as_(PLANNER).plans
    plans.decide("一期", ["O1", "O2"], "seal", seen={})
    plans.create("二期", base="一期")
    plans.decide("二期", ["O2"], "regulate", seen=plans.seen("二期"))
    plans.decide("二期", ["O3"], "seal", seen={})
    found = plans.diff("一期", "二期")
    assert found[["outlet_id", "decision_a", "decision_b"]].to_numpy().tolist() == [
        ["O2", "seal", "regulate"],
        ["O3", "undecided", "seal"],
    ]


def test_every_unknown_outlet_is_told_at_once(office: Office) -> None:
    with pytest.raises(FaultsError) as caught:
        office.as_(PLANNER).plans.decide("一期", ["O1", "O8", "O9"], "seal", seen={})
    assert [str(fault) for fault in caught.value.faults] == [
        "没有编号为 O8 的排污口。请核对编号。",
        "没有编号为 O9 的排污口。请核对编号。",
    ]


def writes(project: layers.Project) -> dict[str, Callable[[], object]]:
    """Every call that changes a project."""
    plans = project.plans
    return {
        "write": lambda: project.write({"outlets": tables()["outlets"].assign(owner="x")}, why="x"),
        "create": lambda: plans.create("新"),
        "decide": lambda: plans.decide("一期", ["O3"], "seal", seen={}),
        "undo": lambda: plans.undo("一期"),
        "submit": lambda: plans.submit("一期"),
        "reject": lambda: plans.reject("一期", why=""),
        "approve": lambda: plans.approve("一期"),
        "archive": lambda: plans.archive("一期"),
        "adopt": lambda: project.adopt(why=""),
        "attach": lambda: project.plans.attach("一期", "O3", "a.pdf", b"%PDF-1.7"),
    }


def test_a_viewer_may_call_no_write(office: Office) -> None:
    before = office.as_(LEADER).revision
    for name, call in writes(office.as_(User("观者", "viewer"))).items():
        with pytest.raises(HydroError) as caught:
            call()
        assert caught.value.code == "no_right", name
    assert office.as_(LEADER).revision == before


def test_a_planner_may_not_approve_and_says_who_may(office: Office) -> None:
    planner = office.as_(PLANNER)
    planner.plans.submit("一期")
    with pytest.raises(HydroError, match="李工 的角色是“规划”，此操作需要“审批”。请联系管理员。"):
        planner.plans.approve("一期")


def test_a_county_decides_on_its_own_outlets_only(office: Office) -> None:
    county = office.as_(User("卫辉", "planner", county="卫辉市"))
    county.plans.decide("一期", ["O1"], "seal", seen={})
    for call in (
        lambda: county.plans.decide("一期", ["O1", "O3"], "regulate", seen=county.plans.seen("一期")),
        lambda: county.write({"outlets": tables()["outlets"].assign(owner="x")}, why="x"),
        lambda: county.write({"outlets": tables()["outlets"].iloc[2:].assign(county="卫辉市")}, why="annex"),
        lambda: county.write({"reaches": tables()["reaches"].assign(river="x")}, why="x"),
    ):
        with pytest.raises(HydroError) as caught:
            call()
        assert caught.value.code == "other_county"
    county.write({"outlets": tables()["outlets"].iloc[:2].assign(owner="自己")}, why="own")
    assert county.table("outlets")["owner"].notna().tolist() == [True, True, False, False]


def test_nobody_signs_with_another_name(office: Office) -> None:
    with pytest.raises(HydroError) as caught:
        office.as_(PLANNER).write({"outlets": tables()["outlets"].assign(owner="x")}, why="x", who="张主任")
    assert caught.value.code == "no_right"


def test_attachments_travel_with_the_decision(office: Office) -> None:
    plans = office.as_(PLANNER).plans
    plans.decide("一期", ["O1"], "seal", seen={})
    kept = plans.attach("一期", "O1", "..\\..\\C:\\照片/../现场.PDF", b"%PDF-1.7 x")
    listed = plans.attachments("一期")
    assert listed["name"].tolist() == ["现场.PDF"]
    assert plans.attachment(kept) == b"%PDF-1.7 x"
    for name, content in (("a.exe", b"MZ"), ("a.pdf", b"<html>"), ("a", b""), ("a.png", b"%PDF-")):
        with pytest.raises(HydroError) as caught:
            plans.attach("一期", "O1", name, content)
        assert caught.value.code == "bad_attachment"
    with pytest.raises(HydroError, match=r"附件 a\.pdf 超过 20 MB。请压缩后再传。"):
        plans.attach("一期", "O1", "a.pdf", b"%PDF-" + bytes(20_000_000))
