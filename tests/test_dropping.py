"""The page of data without a browser: who may do what, what a dropped file may be called, what is said on the way."""

import io
import time
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from offices import tables
from streamlit.testing.v1 import AppTest

import layers
from hydro.errors import HydroError
from hydro.schema import attributes
from layers.store.roles import User
from reports.account import account as workbook
from ui import questions
from ui.intake import LARGEST_MB, Intake


@dataclass
class Sent:
    """A file as the browser sends it."""

    name: str
    content: bytes = b"x"
    size: int = 1

    def getvalue(self) -> bytes:
        return self.content


def page() -> None:
    from ui import state
    from ui.pages import data

    state.adopt_link()
    data.render()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> layers.Project:
    path = tmp_path / "office.gpkg"
    monkeypatch.setenv("QINGYUAN_PROJECT", str(path))
    monkeypatch.setenv("QINGYUAN_PROJECTS", str(tmp_path / "projects"))
    return layers.create_project(path, name="流域", tables=tables())


MONTH = Sent("八月.csv", "断面名称,采样时间,总磷(mg/L)\n桥,2022年8月,0.2\n".encode("gb18030"))


def visit(role: str, intake: Intake | None = None) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["user"] = User("李工", role)
    app.session_state["intake"] = intake
    return app.run()


def reading(office: layers.Project, file: Sent = MONTH) -> Intake:
    """A month of readings for the office, read."""
    intake = Intake()
    intake.receive([file])
    intake.into = office.url
    intake.read()
    wait(intake)
    return intake


def wait(intake: Intake) -> None:
    deadline = time.monotonic() + 60
    while intake.work.progress.busy and time.monotonic() < deadline:
        time.sleep(0.02)


def button(app: AppTest, key: str) -> AppTest.button:
    return next(one for one in app.button if one.key == key)


def test_a_viewer_may_look_and_not_write(office: layers.Project) -> None:
    assert [told.value for told in visit("viewer").info] == [
        "您的角色只能查看：可以放入文件预览核对，写入请联系管理员。"
    ]
    app = visit("viewer", reading(office))
    assert not app.exception
    assert button(app, "write").disabled
    assert office.revision == 1


def test_staff_write_into_the_open_project_and_take_it_back(office: layers.Project) -> None:
    intake = reading(office)
    app = visit("staff", intake)
    assert [box.options for box in app.selectbox if box.key == "into"] == [["写入“流域”"]]  # no new project for staff
    button(app, "write").click().run()
    wait(intake)
    assert layers.open_project(office.url).table("observations")["time"].tolist()[-1] == "2022-08"
    assert office.book()["who"].iloc[-1] == "李工"
    intake.settle()
    assert intake.entered is not None
    app = visit("staff", intake)
    assert not app.exception
    button(app, "take_back").click().run()
    wait(intake)
    assert len(office.table("observations")) == 2
    assert office.book()["why"].tolist()[-2:] == ["导入 八月.csv", "撤销导入 八月.csv"]


def test_an_import_is_taken_back_after_a_reload_and_a_newer_month_is_offered(office: layers.Project) -> None:
    rows = "断面名称,采样时间,总磷(mg/L)\n桥,2022年8月,0.2\n无名桥,2022年8月,0.2\n"
    intake = reading(office, Sent("八月.csv", rows.encode()))
    button(visit("staff", intake), "write").click().run()
    wait(intake)
    intake.settle()
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["user"], app.session_state["intake"] = User("李工", "staff"), intake
    app.session_state["month"] = "2022-07"
    app.run()
    assert not app.error
    assert len(app.get("download_button")) == 1  # the account is offered once: two of one key are a defect
    assert "账目" in " ".join(one.label for one in app.expander)
    assert "导入后最新的月份是 2022-08，现在看的是 2022-07。" in [told.value for told in app.text]
    next(one for one in app.button if one.label == "看 2022-08").click().run()
    assert app.session_state["month"] == "2022-08"

    app = visit("staff")  # a reload: the process that wrote is gone
    assert not app.exception
    (told,) = [one.value for one in app.text if one.value.startswith("您的最近一次导入")]
    assert told.endswith("：导入 八月.csv")
    button(app, "take_last_back").click().run()
    assert not app.exception
    assert len(office.table("observations")) == 2
    assert office.book()["why"].iloc[-1] == "撤销导入 八月.csv"
    assert "take_last_back" not in [one.key for one in visit("staff").button]
    assert "take_last_back" not in [one.key for one in visit("viewer").button]


def test_what_is_refused_is_told_in_the_words_of_the_page_and_may_yet_be_taken(office: layers.Project) -> None:
    dates = Sent("日期.csv", "断面名称,采样时间,总磷(mg/L)\n桥,05/06/2022,0.2\n".encode())
    app = visit("staff", reading(office, dates))
    assert not app.exception
    assert "先回答旁边的问题：下面的行届时会重新核对，有的不再拒收。" in [told.value for told in app.caption]
    (refused,) = [told.value for told in app.text if "05/06/2022" in told.value and "应为" in told.value]
    assert refused.startswith("监测数据 表")
    assert "observations" not in refused
    assert " time " not in refused


def weighed(office: layers.Project, *files: Sent) -> Intake:
    """Files as the page first reads them: into the open project, unless they prove to be of another basin."""
    intake = Intake()
    intake.receive(files)
    intake.into, intake.weigh = office.url, True
    intake.read()
    while intake.preview is None and intake.error is None:
        wait(intake)
        intake.settle()
    return intake


def test_files_that_the_open_project_knows_go_there_and_strangers_are_told_in_the_main_columns(
    office: layers.Project,
) -> None:
    rows = "断面名称,采样时间,总磷(mg/L)\n桥,2022年8月,0.2\n无名桥,2022年8月,0.3\n无名桥,2022年9月,0.3\n"
    intake = weighed(office, Sent("八月.csv", rows.encode()))
    app = visit("administrator", intake)
    assert not app.exception
    assert next(box for box in app.selectbox if box.key == "into").value == office.url
    page = " ".join(html.body for html in app.get("html"))
    assert "写入“流域”：文件里 2 个编号或名称，1 个已在那里" in page
    assert '要您一句话 <span class="count">1</span>' in page
    (stranger,) = [told.value for told in app.text if "无名桥" in told.value]
    assert stranger == "2 条监测数据的测点“无名桥”（断面）不在 控制断面 表里，不参与计算。请补上该测点或改正编号"


def test_files_with_rivers_of_their_own_are_proposed_as_a_new_project(office: layers.Project) -> None:
    line = 'reach_id,wkt\nQ1,"LINESTRING (114.9 36.3, 114.95 36.3)"\nQ2,"LINESTRING (114.95 36.3, 115 36.3)"\n'
    intake = weighed(office, Sent("reaches.csv", line.encode()))
    assert (intake.into, intake.acquaintance.named, intake.acquaintance.known) == ("", 2, 0)
    app = visit("administrator", intake)
    assert "新建项目：文件自带河网，2 个编号或名称只有 0 个在“流域”里" in " ".join(one.body for one in app.get("html"))


def test_the_account_holds_no_codes_and_no_none_on_the_screen_and_in_the_workbook(office: layers.Project) -> None:
    rows = (
        "排放口编号,排放口名称,排放口经度,排放口纬度,许可排水量,处置方式,备注\n"
        "N1,甲,113.904,35.3,-5,封堵,\nN2,乙,113.905,35.3,5,不知道,\nN2,丙,113.906,35.3,5,封堵,\n,丁,113.906,35.3,5,,\n"
    )
    readings = "断面名称,采样时间,总磷(mg/L)\n无名桥,2022年8月,0.2\n"
    intake = weighed(office, Sent("排放口.csv", rows.encode()), Sent("八月.csv", readings.encode()))
    app = visit("staff", intake)
    assert not app.exception
    account = next(one.value for one in app.dataframe if "what" in one.value)
    told = [*account["what"], *account["row"]]
    assert "排放口.csv 的 处置方式 为“不知道”，应为：未定、规范整治、清理合并、封堵" in told
    assert intake.preview is not None
    book = openpyxl.load_workbook(io.BytesIO(workbook(intake.preview, questions.told, source=intake.title)))
    told += [
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None
    ]
    names = [name for table in ("outlets", "observations") for name in attributes(table) if "_" in name]
    codes = [*names, "outlets", "observations", "None", "undecided", "(section)", "（section）", "--map", "--crs "]
    assert [(code, one) for code in codes for one in told if code in one] == []


def test_the_book_speaks_the_readers_language_where_the_program_wrote_it(office: layers.Project) -> None:
    intake = reading(office)
    button(visit("staff", intake), "write").click().run()
    wait(intake)
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["user"], app.session_state["intake"], app.session_state["lang"] = User("Li", "staff"), None, "en"
    assert "imported 八月.csv" in " ".join(one.body for one in app.run().get("html"))


def test_a_stopped_import_says_so_and_can_begin_again(office: layers.Project) -> None:
    intake = Intake()
    intake.receive([MONTH])
    intake.read()
    intake.stop()
    app = visit("staff", intake)
    assert "已停止，没有写入任何内容。" in [text.value for text in app.text]
    assert [one.label for one in app.button] == ["重新读取", "放弃"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\win\\a.csv", "a.csv"), ("a\x00b.csv", "ab.csv"), ("..", "file")],
)
def test_a_dropped_file_lands_in_its_folder_whatever_it_is_called(name: str, kept: str) -> None:
    intake = Intake()
    intake.receive([Sent(name)])
    assert [path.name for path in intake.folder.iterdir()] == [kept]
    assert intake.folder.parent.stat().st_mode & 0o077 == 0


def test_what_is_too_large_or_twice_is_refused_whole() -> None:
    intake = Intake()
    with pytest.raises(HydroError, match=f"超过 {LARGEST_MB} MB"):
        intake.receive([Sent("a.csv"), Sent("b.csv", size=LARGEST_MB * (1 << 20) + 1)])
    with pytest.raises(HydroError, match=r"有两个文件都叫 A\.csv"):
        intake.receive([Sent("a.csv"), Sent("A.csv")])
    assert intake.files == []


def test_the_files_and_the_process_go_with_the_import() -> None:
    intake = Intake()
    intake.receive([MONTH])
    intake.read()
    folder, child = intake.folder, intake.work._child
    assert folder.exists()
    assert child is not None
    assert child.process.poll() is None
    del intake
    assert not folder.exists()
    assert child.process.poll() is not None
