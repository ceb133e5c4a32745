"""The screen's door and the plans page, as Streamlit runs them: who gets in, and what the second writer is shown."""

from pathlib import Path

import pytest
from offices import tables
from streamlit.testing.v1 import AppTest

import layers
from layers.store.accounts import Accounts
from layers.store.roles import User

PASSWORD = "清水绿岸-鱼翔浅底-2026"


def gated() -> None:
    import streamlit as st

    from ui import signin, state

    state.adopt_link()
    signin.gate()
    st.text(f"inside {state.user()}")
    signin.sign_out()


def planning() -> None:
    from ui import decisions, state

    state.adopt_link()
    decisions.render()


def writing_late() -> None:
    import time

    import streamlit as st

    from hydro import HydroError
    from layers.store.roles import User
    from ui import cache, signin, state

    idle_s, role = st.query_params["idle_s"], st.query_params["role"]
    state.admit(User("li", role), time.time() - float(idle_s))
    try:
        signin.own_project(cache.place()).plans.create("二期")
        st.text("written")
    except HydroError as refusal:
        st.text(refusal.code)


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    place = str(tmp_path / "accounts.sqlite")
    monkeypatch.setenv("QINGYUAN_ACCOUNTS", place)
    made = Accounts(place)
    made.add("li", PASSWORD, role="planner")
    return made


def inside(app: AppTest) -> str:
    return "".join(element.value for element in app.text if element.value.startswith("inside"))


def sign_in(app: AppTest, name: str, password: str) -> AppTest:
    app.text_input[0].set_value(name)
    app.text_input[1].set_value(password)
    return app.button[0].click().run()


def visit() -> AppTest:
    return AppTest.from_function(gated, default_timeout=20).run()


def test_on_one_machine_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QINGYUAN_ACCOUNTS", raising=False)
    monkeypatch.setattr("streamlit.get_option", lambda name: "127.0.0.1")
    assert "administrator" in inside(visit())


def test_bound_to_the_network_without_accounts_it_still_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("QINGYUAN_ACCOUNTS", raising=False)
    monkeypatch.setattr("ui.signin.default_accounts", lambda: str(tmp_path / "none.sqlite"))
    monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0")
    app = visit()
    assert inside(app) == ""
    assert "还没有账号" in app.warning[0].value


def test_the_right_password_opens_and_the_way_out_closes(accounts: Accounts) -> None:
    app = visit()
    assert inside(app) == ""
    assert inside(sign_in(app, "li", "wrong password")) == ""
    assert app.error[0].value == "账号或密码不对。请重试，或请管理员重设密码。"
    assert "li" in inside(sign_in(app, "li", PASSWORD))
    app.button(key="sign_out").click().run()
    assert inside(app) == ""


@pytest.mark.parametrize("key", ["user", "last_seen", "role", "session", "token"])
def test_a_link_lets_nobody_in(accounts: Accounts, key: str) -> None:
    app = AppTest.from_function(gated, default_timeout=20)
    app.query_params[key] = "User(name='li', role='administrator')"
    assert inside(app.run()) == ""


def test_an_idle_session_ends(accounts: Accounts) -> None:
    app = sign_in(visit(), "li", PASSWORD)
    app.session_state["last_seen"] -= 31 * 60
    assert inside(app.run()) == ""
    assert app.info[0].value == "长时间没有操作，请重新登录。"


def test_a_session_ends_when_its_account_changes(accounts: Accounts) -> None:
    app = sign_in(visit(), "li", PASSWORD)
    accounts.add("li", PASSWORD, role="viewer")
    assert inside(app.run()) == ""
    assert app.info[0].value == "账号已变更或到期，请重新登录。"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> layers.Project:
    path = tmp_path / "office.gpkg"
    layers.create_project(path, name="流域", tables=tables()).close()
    monkeypatch.setenv("QINGYUAN_PROJECT", str(path))
    return layers.open_project(path, user=User("王工", "planner"))


@pytest.mark.parametrize(
    ("idle_s", "role", "told"),
    [(0, "planner", "written"), (31 * 60, "planner", "signed_out"), (0, "approver", "signed_out")],
)
def test_part_of_a_page_that_refreshes_itself_writes_nothing_once_the_session_is_over(
    accounts: Accounts, project: layers.Project, idle_s: int, role: str, told: str
) -> None:
    app = AppTest.from_function(writing_late, default_timeout=20)
    app.query_params["idle_s"], app.query_params["role"] = str(idle_s), role
    assert app.run().text[0].value == told
    assert len(project.plans.list()) == (told == "written")


def plans_page(user: User) -> AppTest:
    app = AppTest.from_function(planning, default_timeout=20)
    app.session_state["user"] = user
    return app.run()


def choose(app: AppTest, outlets: list[str], decision: str) -> AppTest:
    app.multiselect(key="outlets").set_value(outlets)
    app.button_group(key="decision").set_value(decision)
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def test_a_decision_is_made_on_the_page_and_undone(project: layers.Project) -> None:
    project.plans.create("一期")
    app = press(choose(plans_page(User("李工", "planner")), ["O1", "O3"], "seal"), "决定")
    assert not app.exception
    assert project.plans.decisions("一期")["decided_by"].to_dict() == {"O1": "李工", "O3": "李工"}
    press(app, "撤销我的上一步")
    assert project.plans.decisions("一期").empty


def test_the_second_writer_is_shown_both_versions_and_chooses(project: layers.Project) -> None:
    project.plans.create("一期")
    app = choose(plans_page(User("李工", "planner")), ["O1", "O2"], "seal")
    project.plans.decide("一期", ["O1"], "regulate", seen={}, why="先规范")
    press(app, "决定")
    assert project.plans.decisions("一期")["decision"].to_dict() == {"O1": "regulate"}
    versions = app.dataframe[0].value
    assert versions.iloc[0].tolist() == ["O1", "规范整治", "王工", "先规范", "封堵"]
    assert app.multiselect(key="outlets").value == ["O1", "O2"]  # what was chosen is still there
    press(app, "改用我的")
    assert project.plans.decisions("一期")["decision"].to_dict() == {"O1": "seal", "O2": "seal"}
    assert not app.exception


def test_keeping_theirs_writes_only_the_rest(project: layers.Project) -> None:
    project.plans.create("一期")
    app = choose(plans_page(User("李工", "planner")), ["O1", "O2"], "seal")
    project.plans.decide("一期", ["O1"], "regulate", seen={})
    press(press(app, "决定"), "保留对方的")
    assert project.plans.decisions("一期")["decision"].to_dict() == {"O1": "regulate", "O2": "seal"}


def test_a_viewer_sees_and_cannot_decide(project: layers.Project) -> None:
    project.plans.create("一期")
    app = plans_page(User("观者", "viewer"))
    assert not app.exception
    assert "您的角色只能查看。" in [element.value for element in app.caption]
    assert not [button.label for button in app.button if button.label in ("决定", "提交", "批准")]


def test_a_plan_goes_from_draft_to_approved_on_the_page(project: layers.Project) -> None:
    project.plans.create("一期")
    project.plans.decide("一期", ["O1"], "seal", seen={})
    press(plans_page(User("李工", "planner")), "提交")
    press(plans_page(User("张主任", "approver")), "批准")
    assert project.table("outlets")["decision"].tolist() == ["seal", "undecided", "undecided", "undecided"]
