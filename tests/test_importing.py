"""Files into a project by the wizard's way: a process that can be stopped, an entry that can be taken back, an account."""

import io
import time
from pathlib import Path

import messy
import openpyxl
import pandas as pd
import pytest
from offices import tables

import layers
from hydro.errors import HydroError
from layers.intake.answers import answered
from layers.intake.entering import Entered, corrections, enter, take_back
from layers.intake.importing import Importing, Read, TakeBack, Write
from layers.intake.preview import Preview, preview
from layers.intake.read import read_sources
from layers.intake.taking_back import last_import, take_last_back
from layers.report import Entry
from layers.store.roles import User, local_user
from reports.account import account, halves

CHIEF = User("王工", "administrator")


def done(work: Importing) -> object:
    deadline = time.monotonic() + 60
    while work.progress.busy and time.monotonic() < deadline:
        time.sleep(0.02)
    if work.progress.error:
        raise work.progress.error
    return work.progress.answer


def asked(work: Importing, request: Read | Write | TakeBack) -> object:
    work.ask(request)
    return done(work)


@pytest.fixture
def dropped(tmp_path: Path) -> tuple[Path, ...]:
    folder = tmp_path / "dropped"
    folder.mkdir()
    messy.shapefile(folder)
    return folder / "河段.shp", messy.workbook(folder)


def test_messy_files_are_asked_about_read_written_and_taken_back(tmp_path: Path, dropped: tuple[Path, ...]) -> None:
    work, target = Importing(), tmp_path / "新乡.gpkg"
    seen = asked(work, Read(dropped))
    assert isinstance(seen, Preview)
    (question,) = seen.report.asked
    assert question.proposals[0].option == "--crs 4526"
    rivers = next(layer for layer in seen.layers if layer.table == "reaches")
    assert rivers.drawing.supposed
    drawn = [place for shape in rivers.drawing.shapes for place in shape["coordinates"]]
    assert min(drawn) == pytest.approx((113.9, 35.3), abs=1e-6)
    seen = asked(work, Read(dropped, (question.proposals[0].option,)))
    assert isinstance(seen, Preview)
    assert not seen.report.asked
    assert [(entry.id, seen.file_of(entry)) for entry in seen.report.refused] == [
        ("PK04", "排口与断面 2022.xlsx · 排污口")
    ]
    with pytest.raises(HydroError, match="1 行被拒收"):
        asked(work, Write(str(target), CHIEF, "新乡"))
    assert not target.exists()
    entered = asked(work, Write(str(target), CHIEF, "新乡", leave_out=True))
    assert isinstance(entered, Entered)
    assert entered.counts == {"reaches": 5, "sections": 2, "outlets": 3, "observations": 6}
    project = layers.open_project(target)
    assert (project.name, set(project.book()["who"])) == ("新乡", {"王工"})
    assert project.table("outlets")["permit_discharge_m3_d"].tolist() == [50000.0, 8000.0, 12000.0]
    assert project.table("observations")["qualifier"].tolist().count("ND") == 1
    assert asked(work, TakeBack(CHIEF)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["dropped"]
    work.stop()


def test_stopping_really_stops_and_leaves_nothing(tmp_path: Path, dropped: tuple[Path, ...]) -> None:
    work = Importing()
    asked(work, Read(dropped, ("--crs 4526",)))
    work.ask(Write(str(tmp_path / "p.gpkg"), CHIEF, "p", leave_out=True))
    work.stop()
    assert not work.progress.busy
    if work.progress.stopped:
        assert [path.name for path in tmp_path.iterdir()] == ["dropped"]
    assert not work.can_take_back


@pytest.fixture
def office(tmp_path: Path) -> layers.Project:
    return layers.create_project(tmp_path / "office.gpkg", name="流域", tables=tables())


def months(folder: Path, value: float) -> Path:
    path = folder / "监测.csv"
    pd.DataFrame({"断面名称": ["桥", "桥"], "采样时间": ["2022-07", "2022-08"], "总磷": [value, 0.2]}).to_csv(
        path, index=False
    )
    return path


def test_an_import_into_a_project_is_undone_as_a_change_of_its_own(office: layers.Project, tmp_path: Path) -> None:
    before = office.tables()
    outcome = read_sources([months(tmp_path, 0.4)], known=office.tables(geometry=True))
    assert outcome.report.sound
    entered = enter(outcome, office.url, files=["监测.csv"], user=CHIEF, seen=office.revision)
    assert len(office.table("observations")) == 3
    assert take_back(entered, CHIEF) == entered.revision + 1
    for name, rows in office.tables().items():
        key = list(rows.columns)
        pd.testing.assert_frame_equal(
            rows.sort_values(key[:4], ignore_index=True), before[name].sort_values(key[:4], ignore_index=True)
        )
    assert office.book()["why"].iloc[-1] == "撤销导入 监测.csv"
    assert office.verify() == []


def test_the_last_import_is_undone_from_the_book_alone(office: layers.Project, tmp_path: Path) -> None:
    before = office.tables(geometry=True)
    mine = office.as_(CHIEF)
    outlets = tmp_path / "outlets.csv"
    rows = {"outlet_id": ["O1", "N9"], "name": ["改了名", "新排口"], "经度": [113.904, 113.906], "纬度": [35.3, 35.3]}
    pd.DataFrame(rows).to_csv(outlets, index=False)
    outcome = read_sources([months(tmp_path, 0.4), outlets], known=office.tables(geometry=True))
    assert outcome.report.sound, outcome.report.json()
    entered = enter(outcome, office.url, files=["监测.csv", "outlets.csv"], user=CHIEF, seen=office.revision)
    assert set(office.table("outlets")["name"]) >= {"改了名", "新排口"}

    found = last_import(mine)
    assert found is not None
    assert (found.revision, found.why) == (entered.revision, "导入 监测.csv、outlets.csv")
    assert take_last_back(mine, found.revision) == entered.revision + 1
    for name, rows in office.tables(geometry=True).items():
        key = [column for column in rows.columns if column != "geometry"]
        now, then = (
            pd.DataFrame(one).assign(**({"geometry": one["geometry"].to_wkb()} if "geometry" in one else {}))
            for one in (rows, before[name])
        )
        pd.testing.assert_frame_equal(
            now.sort_values(key[:4], ignore_index=True), then.sort_values(key[:4], ignore_index=True)
        )
    assert office.book()["why"].iloc[-1] == "撤销导入 监测.csv、outlets.csv"
    assert office.verify() == []
    assert last_import(mine) is None


def test_an_import_of_somebody_else_or_before_another_change_is_not_offered(
    office: layers.Project, tmp_path: Path
) -> None:
    outcome = read_sources([months(tmp_path, 0.4)], known=office.tables(geometry=True))
    entered = enter(outcome, office.url, files=["监测.csv"], user=CHIEF)
    other = office.as_(User("李工", "staff"))
    assert last_import(other) is None
    assert last_import(office.as_(User("王工", "viewer"))) is None
    with pytest.raises(HydroError, match=f"第 {entered.revision} 版的导入不能撤销"):
        take_last_back(other, entered.revision)
    office.write({"outlets": tables()["outlets"].assign(owner="张三")}, why="补责任人")
    assert last_import(office.as_(CHIEF)) is None
    with pytest.raises(HydroError, match=f"第 {entered.revision} 版的导入不能撤销"):
        take_last_back(office.as_(CHIEF), entered.revision)


def test_what_others_did_since_is_not_undone_along_with_it(office: layers.Project, tmp_path: Path) -> None:
    outcome = read_sources([months(tmp_path, 0.4)], known=office.tables(geometry=True))
    entered = enter(outcome, office.url, files=["监测.csv"], seen=office.revision)
    office.write({"outlets": tables()["outlets"].assign(owner="张三")}, why="补责任人")
    with pytest.raises(HydroError, match="不能整体撤销"):
        take_back(entered)
    with pytest.raises(HydroError, match="您核对期间项目被改动过（第 1 版，现为第 3 版）"):
        enter(outcome, office.url, files=["监测.csv"], seen=1)


def test_a_viewer_writes_nothing(office: layers.Project, tmp_path: Path) -> None:
    outcome = read_sources([months(tmp_path, 0.4)], known=office.tables(geometry=True))
    with pytest.raises(HydroError, match="需要“填报”"):
        enter(outcome, office.url, files=["监测.csv"], user=User("观者", "viewer"))
    assert office.revision == 1


def test_corrected_columns_are_kept_with_the_project(office: layers.Project, tmp_path: Path) -> None:
    outcome = read_sources([months(tmp_path, 0.4)], known=office.tables(geometry=True))
    enter(outcome, office.url, files=["监测.csv"], corrected={"站": "station_id"})
    assert corrections(office) == {"站": "station_id"}
    assert office.verify() == []


def test_answers_become_options() -> None:
    options = answered(
        ["--crs 4526", "--unit 总磷 (mg/L)=ug/L", "--mouth 38499136.1,3911760.0", "--swap-axes --crs 4490", "--snap 40"]
    )
    assert (options.crs, options.swap_axes, options.snap_m) == ("4490", True, 40.0)
    assert (options.units, options.mouths) == ({"总磷 (mg/L)": "ug/L"}, ("38499136.1,3911760.0",))
    with pytest.raises(HydroError, match="不是可用的回答"):
        answered(["rm -rf /"])


def test_the_account_tells_row_by_row_and_a_formula_stays_text(tmp_path: Path) -> None:
    rows = {"排口编号": ["=1+1", "PK2"], "排口名称": ["甲", "乙"], "经度": [113.95, 113.9], "纬度": [35.3, 35.3]}
    pd.DataFrame({**rows, "许可总磷浓度(mg/L)": ["abc", "0.5"]}).to_csv(tmp_path / "排污口.csv", index=False)
    seen = preview(read_sources([tmp_path / "排污口.csv"]))
    book = openpyxl.load_workbook(
        io.BytesIO(account(seen, lambda words, **params: words.format_map(params), source="排污口.csv"))
    )
    sheet = book["排污口.csv"]
    heads = [cell.value for cell in sheet[1]]
    assert heads == [
        "行号",
        "编号",
        "处理",
        "哪里不对",
        "怎样才对",
        "排口编号",
        "排口名称",
        "经度",
        "纬度",
        "许可总磷浓度(mg/L)",
    ]
    row = next(cells for cells in sheet.iter_rows(min_row=2) if cells[0].value == 2)
    assert row[2].value == "拒收"
    assert (row[5].value, row[5].data_type) == ("=1+1", "s")


def test_a_message_falls_into_what_is_wrong_and_what_would_be_right() -> None:
    assert halves("The coordinates lie 812 m off. Move the point") == (
        "The coordinates lie 812 m off",
        "Move the point",
    )
    assert halves("编号重复") == ("编号重复", "")


def test_an_entry_without_a_file_is_laid_to_the_only_layer_of_its_table(dropped: tuple[Path, ...]) -> None:
    seen = preview(read_sources(dropped))
    assert seen.file_of(Entry("outlets", 3, "", "")) == "排口与断面 2022.xlsx · 排污口"
    assert seen.file_of(Entry("", None, "", "")) == ""
    assert local_user().may("administer")
