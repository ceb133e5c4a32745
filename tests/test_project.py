"""The contract that every store keeps: the same test on a project file and on PostGIS."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from xml.etree import ElementTree

import pandas as pd
import pytest
import sqlalchemy as sa
from offices import tables

import layers
from hydro.errors import FaultsError, HydroError
from layers.store.styles import STYLES
from layers.store.tables import LAYOUTS, declared


@pytest.fixture
def project(place: Callable[[str], str]) -> Iterator[layers.Project]:
    made = layers.create_project(place("basin"), name="示例流域", demo=True, tables=tables())
    yield made
    made.close()


def test_what_goes_in_comes_out(project: layers.Project) -> None:
    found = project.tables(geometry=True)
    assert (project.name, project.demo, project.revision) == ("示例流域", True, 1)
    for name, given in tables().items():
        pd.testing.assert_frame_equal(
            pd.DataFrame(found[name])[list(given.columns)], pd.DataFrame(given), check_dtype=False
        )
    assert found["reaches"].crs.to_epsg() == 4490


def test_writing_the_same_again_changes_nothing(project: layers.Project) -> None:
    assert project.write(tables(), why="again") == 1
    assert project.revision == 1
    assert len(project.table("audit")) == 5


def test_merging_updates_the_columns_given_and_adds_the_rest(project: layers.Project) -> None:
    given = pd.DataFrame({"outlet_id": ["O1", "O9"], "chainage_m": [450.0, 10.0], "owner": ["甲厂", "乙厂"]})
    assert project.write({"outlets": given}, why="survey") == 2
    outlets = project.table("outlets").set_index("outlet_id")
    assert outlets.loc["O1", ["chainage_m", "owner", "permit_load_kg_d"]].tolist() == [450.0, "甲厂", 1.5]
    assert outlets.loc["O9", "chainage_m"] == 10.0


def test_replacing_removes_the_rows_not_given(project: layers.Project) -> None:
    project.write({"reaches": tables()["reaches"].iloc[:1]}, why="cut", replace=True)
    assert project.table("reaches")["reach_id"].tolist() == ["R1"]
    last = project.table("audit").iloc[-1]
    assert (last["what"], last["table_name"], last["row_id"], last["why"]) == ("write", "reaches", "R2", "cut")
    assert '"length_m":2000.0' in last["before"]


def test_faults_are_told_all_at_once_and_nothing_is_written(project: layers.Project) -> None:
    bad = {
        "outlets": pd.DataFrame({"outlet_id": ["O1", "O1", None], "chainage_m": ["x", 1, 2]}),
        "reaches": pd.DataFrame({"reach_id": ["R9"], "name": ["a\x00b"]}),
    }
    with pytest.raises(FaultsError) as caught:
        project.write(bad, why="bad")
    assert [str(fault) for fault in caught.value.faults] == [
        "表 outlets 的 O1 行 chainage_m 应为数字，给出的是“x”。请改正或留空。",
        "表 outlets 里 O1 出现了不止一次。请只保留一行。",
        "表 outlets 第 3 行缺少 outlet_id。请填写后重试。",
        "表 reaches 的 R9 行 name 含有无法保存的字符。请删除后重试。",
    ]
    assert project.revision == 1


def test_a_table_tells_its_own_last_change(project: layers.Project) -> None:
    project.plans.create("一期")
    assert (project.revision_of(["outlets", "sections"]), project.revision_of(["plans", "outlets"])) == (1, 2)
    project.plans.decide("一期", ["O1"], "seal", seen={})
    assert (project.revision_of(["reaches"]), project.revision_of(["decisions"]), project.revision) == (1, 3, 3)
    assert project.revision_of(["goals"]) == 0


def test_a_clock_that_runs_backwards_does_not_turn_the_order_round(
    project: layers.Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(days=400)

    project.plans.create("一期")
    with monkeypatch.context() as clock, caplog.at_level("WARNING", "qingyuan"):
        clock.setattr("layers.store.audit.datetime", Behind)
        project.plans.decide("一期", ["O1"], "seal", seen={})
        assert [fault.code for fault in project.verify()] == ["clock"]
        assert all(fault.warning for fault in project.verify())
    book = project.book()
    assert book["revision"].is_monotonic_increasing
    assert book["when"].is_monotonic_increasing
    assert book.iloc[-1][["what", "row_id"]].tolist()[0] == "decide"
    assert [record.event for record in caplog.records if hasattr(record, "event")] == ["clock_behind"]
    project.plans.decide("一期", ["O2"], "seal", seen={})
    assert project.verify() == []


def test_qgis_finds_every_layer_with_a_style_of_its_own(project: layers.Project) -> None:
    drawn = {layout.name: layout.geometry for layout in LAYOUTS.values() if layout.geometry}
    with project.store.connect() as connection:
        rows = connection.execute(sa.select(STYLES)).all()
        if connection.dialect.name == "postgresql":  # where QGIS looks for layers and their kinds
            listed = connection.execute(
                sa.text(
                    "SELECT f_table_name, type FROM geometry_columns WHERE f_table_schema = :schema AND srid = 4490"
                ),
                {"schema": project.store.schema},
            )
            assert {row.f_table_name: row.type for row in listed} == drawn
    assert {row.f_table_name for row in rows} == drawn.keys()
    for row in rows:
        style = ElementTree.fromstring(row.styleqml)
        labelled = [text.attrib["fieldName"] for text in style.iter("text-style")]
        assert (row.useasdefault, row.f_geometry_column, row.f_table_schema) == (True, "geom", project.store.schema)
        assert style.find("renderer-v2/symbols/symbol/layer") is not None
        assert set(labelled) <= declared(row.f_table_name).keys()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://u:secret@h/db", "unknown_url"),
        ("postgresql://u:secret@h:port/db", "bad_url"),
        ("postgresql://u:secret@127.0.0.1:1/db", "server_down"),
        ("postgresql://u:secret@127.0.0.1/db?schema=A b", "bad_schema"),
        ("/nowhere/at/all.gpkg", "missing_project"),
    ],
)
def test_a_wrong_address_is_told_without_its_password(url: str, code: str) -> None:
    with pytest.raises(HydroError) as caught:
        layers.open_project(url)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_one_series_is_what_the_whole_table_says_of_it(place: Callable[[str], str]) -> None:
    from benchmarks.synthetic import make_basin

    project = layers.create_project(place("series"), name="序列", tables=make_basin(30, 9, 3))
    whole = project.table("observations").query(
        "station_kind == 'section' and station_id == 'S1' and parameter == 'TP'"
    )
    found = project.series("section", "S1", "TP")
    expected = whole.sort_values("time", ignore_index=True)[list(found.columns)]
    assert len(found) == 36
    pd.testing.assert_frame_equal(found, expected)
    assert project.series("section", "nobody' OR 1=1 --", "TP").empty
    project.close()
