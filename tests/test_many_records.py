"""Observations by the million, kept as a few are: the same rows, faults and book on both stores, a year apart on PostGIS."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from dying import backdate
from hypothesis import given
from hypothesis import strategies as st
from offices import tables
from postgres import Cluster

import layers
from hydro.errors import FaultsError, HydroError
from layers.store import columnar, partitions, prints, rows
from layers.store.roles import User
from layers.store.tables import LAYOUTS

LAYOUT = LAYOUTS["observations"]
KINDS = {
    "station_id": "TEXT",
    "station_kind": "TEXT",
    "time": "TEXT",
    "parameter": "TEXT",
    "value": "REAL",
    "unit": "TEXT",
}


def records(
    stations: int = 2, times: tuple[str, ...] = ("2021-12", "2022-01", "2022-01-03T08:00"), **also: Any
) -> pd.DataFrame:
    """Made-up records, a value each."""
    names = [f"S{n}" for n in range(1, stations + 1)]
    count = stations * len(times)
    return pd.DataFrame(
        {
            "station_kind": "section", "station_id": np.repeat(names, len(times)), "time": np.tile(times, stations),
            "parameter": "TP", "value": np.arange(count) / 8, "unit": "mg/L", **also,
        }
    )  # fmt: skip


@pytest.fixture
def project(place: Callable[[str], str]) -> Iterator[layers.Project]:
    url = place("many")
    made = layers.create_project(url, name="序列", tables={"observations": records()})
    made.raw_url = url  # type: ignore[attr-defined]
    yield made
    made.close()


def last(project: layers.Project) -> tuple[str, Any, Any]:
    """Row, before and after of the newest entry in the book."""
    entry = project.book().iloc[-1]
    return entry["row_id"], json.loads(entry["before"]), json.loads(entry["after"])


def test_what_is_new_changed_and_the_same_is_told_apart(project: layers.Project) -> None:
    given = records(3).assign(value=[0.0, 0.125, 9.0, np.nan, 0.5, 0.625, 1.0, 2.0, 3.0]).drop(columns="unit")
    project.write({"observations": given}, why="again")
    found = project.table("observations")
    assert found["value"].fillna(-1).tolist() == [0.0, 0.125, 9.0, -1.0, 0.5, 0.625, 1.0, 2.0, 3.0]
    assert found["unit"].isna().tolist() == [False] * 6 + [True] * 3  # a column that does not come in keeps its values
    row, before, after = last(project)
    key = {"parameter": "TP", "station_kind": "section"}
    assert row == ""
    assert before["changed"] == [
        {**key, "station_id": "S1", "time": "2022-01-03T08:00", "value": 0.25},
        {**key, "station_id": "S2", "time": "2021-12", "value": 0.375},
    ]
    assert (after["added"], [one["value"] for one in after["changed"]]) == (3, [9.0, None])
    assert project.verify() == []


def test_the_same_again_leaves_no_trace(project: layers.Project) -> None:
    before = project.table("audit")
    assert project.write({"observations": records()}, why="again") == 1
    pd.testing.assert_frame_equal(project.table("audit"), before)


def test_a_single_row_is_told_whole(project: layers.Project) -> None:
    project.write({"observations": records(1, ("2023-05",))}, why="one more")
    row, _, after = last(project)
    assert row == "section/S1/2023-05/TP"
    assert after["added"] == [
        {
            "parameter": "TP",
            "station_id": "S1",
            "station_kind": "section",
            "time": "2023-05",
            "unit": "mg/L",
            "value": 0.0,
        }
    ]


def test_replacing_removes_what_does_not_come_in(project: layers.Project) -> None:
    project.write({"observations": records(1)}, why="fewer", replace=True)
    assert project.table("observations")["station_id"].unique().tolist() == ["S1"]
    _, before, after = last(project)
    assert [one["station_id"] for one in before["removed"]] == ["S2"] * 3
    assert after["added"] == 0
    assert project.verify() == []


def test_of_very_many_changes_the_book_tells_how_many(project: layers.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.store.staging.TOLD", 2)
    project.write({"observations": records().iloc[:4].assign(value=7.0)}, why="scaled", replace=True)
    _, before, after = last(project)
    assert (len(before["changed"]), after["changed_in_all"]) == (2, 4)
    assert (len(before["removed"]), "removed_in_all" in after) == (2, False)
    assert project.verify() == []


def test_who_is_of_a_county_writes_the_records_of_that_county_alone(project: layers.Project) -> None:
    project.write({"observations": records(3).iloc[6:].assign(county="卫辉")}, why="by county")
    here = project.as_(User("李工", "staff", "卫辉"))
    here.write({"observations": records(3).iloc[6:].assign(county="卫辉", value=1.0)}, why="own")
    for foreign in (records(4).iloc[9:].assign(county="辉县"), records().assign(value=5.0)):
        with pytest.raises(HydroError) as caught:
            here.write({"observations": foreign}, why="theirs")
        assert caught.value.code == "other_county"


def test_refusals_are_those_of_a_small_table() -> None:
    frame = pd.DataFrame(
        {
            "station_kind": ["section", "section", "section", None, "section"],
            "station_id": ["S1", "S1", "S2", "S3", "a\x00b"],
            "time": ["2022-01", "2022-01", "2022-02", "2022-01", "2022-01"],
            "parameter": "TP",
            "value": ["0.1", "0.2", "viel", "", "x"],
        }
    )
    told = []
    for clean in (rows.clean, columnar.clean):
        with pytest.raises(FaultsError) as caught:
            clean(frame, LAYOUT, KINDS)  # type: ignore[operator]
        told.append([str(fault) for fault in caught.value.faults])
    assert told[0] == told[1]
    assert len(told[0]) == 5


VALUES = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(10**6), 10**6).map(float))
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8))


@given(st.lists(st.tuples(TEXTS, TEXTS, VALUES), max_size=12))
def test_columns_become_what_rows_become_and_sum_up_alike(drawn: list[tuple[Any, ...]]) -> None:
    frame = pd.DataFrame(
        {
            "station_kind": "section", "station_id": [str(n) for n in range(len(drawn))], "time": "2022-01",
            "parameter": [one[0] for one in drawn], "unit": [one[1] for one in drawn],
            "value": pd.Series([one[2] for one in drawn], dtype=float),
        }
    )  # fmt: skip
    one_by_one, at_once = rows.clean(frame, LAYOUT, KINDS), columnar.clean(frame, LAYOUT, KINDS)
    assert at_once.to_pylist() == one_by_one
    assert prints.digest(at_once) == rows.digest(one_by_one)


@given(
    st.lists(st.one_of(st.none(), st.integers(), st.booleans(), st.floats(allow_nan=False), st.just("1.0")), max_size=8)
)
def test_loose_objects_keep_the_text_that_each_has(drawn: list[Any]) -> None:
    frame = pd.DataFrame(
        {
            "station_kind": "section",
            "station_id": [str(n) for n in range(len(drawn))],
            "unit": pd.Series(drawn, dtype=object),
        }
    )
    kinds = dict.fromkeys(frame, "TEXT")
    assert columnar.clean(frame, LAYOUT, kinds).to_pylist() == rows.clean(frame, LAYOUT, kinds)


ODD = ['a,"b"', "x\ny", "", None, "\\.", "\\N", "示例", " pad ", "NULL"]


def test_odd_texts_and_missing_ones_come_back_as_they_went_in(project: layers.Project) -> None:
    times = tuple(f"2020-{n:02d}" for n in range(1, len(ODD) + 1))
    given = records(1, times).assign(
        source=ODD, unit=ODD[::-1], value=[0.1, np.nan, 1e-12, 1e300, np.inf, -np.inf, 3.0, 1 / 3, 5e-324]
    )
    project.write({"observations": given}, why="odd")
    expected = given[["time", "value", "unit", "source"]].astype({"unit": "str", "source": "str", "time": "str"})
    whole = project.table("observations").query("time < '2021'").reset_index(drop=True)[list(expected)]
    found = project.series("section", "S1", "TP").query("time < '2021'")[list(expected)]
    pd.testing.assert_frame_equal(whole, expected)
    pd.testing.assert_frame_equal(found, expected)
    assert project.verify() == []


def test_a_large_write_is_one_change_and_verifies(project: layers.Project) -> None:
    times = np.arange("2012-01-01T00:00", "2022-01-01T00:00", 240, dtype="M8[m]").astype(str)
    many = records(6, tuple(times))
    project.write({"observations": many}, why="many")
    assert len(project.table("audit")) == 2
    assert len(project.table("observations")) == 6 + len(many)
    assert project.verify() == []
    found = project.series("section", "S6", "TP")
    assert found["time"].tolist() == list(times)
    assert found["value"].tolist() == many["value"].tolist()[-len(times) :]


def layout_of(project: layers.Project) -> tuple[list[str], str]:
    """Years kept apart, and the columns of the index that finds a series."""
    with project.store.connect() as connection:
        if connection.dialect.name == "postgresql":
            key = connection.scalar(sa.text("SELECT pg_get_indexdef('one_observations_of_a_key'::regclass)"))
            return partitions.made(connection, "observations"), key[key.index("btree (") + 7 : -1].replace('"', "")
        found = connection.exec_driver_sql("PRAGMA index_info(sqlite_autoindex_observations_1)")
        return [], ", ".join(row[2] for row in found)


def test_an_older_project_is_laid_out_anew_with_every_row_as_it_was(project: layers.Project) -> None:
    project.write({"observations": records(1, ("", "9999-01", "2019-07"), remark="为什么")}, why="odd times")
    with project.store.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE observations DROP COLUMN remark")
    project.adopt(why="fewer columns")
    before, fids = project.table("observations"), numbers(project)
    backdate(project)
    assert layout_of(project) == ([], "station_kind, station_id, time, parameter")
    again = layers.open_project(project.raw_url)  # type: ignore[attr-defined]
    years = ["2019", "2021", "2022"] if project.url.startswith("postgresql") else []
    assert layout_of(again) == (years, "station_kind, station_id, parameter, time")
    pd.testing.assert_frame_equal(again.table("observations"), before)
    assert numbers(again) == fids
    assert again.verify() == []
    again.write({"observations": records(1, ("2024-02",))}, why="goes on")
    assert numbers(again)[-1] > max(fids)
    assert again.verify() == []
    again.close()


def numbers(project: layers.Project) -> list[int]:
    """The store's own number of every row."""
    with project.look() as work:
        return [row["fid"] for row in work.rows("observations")]


def test_a_new_years_partition_takes_what_waited_for_it(postgres: Cluster) -> None:
    project = layers.create_project(postgres.url("waiting"), name="序列", tables={"observations": records(1)})
    with project.store.begin() as connection:  # as QGIS would, which knows nothing of partitions
        connection.exec_driver_sql(
            "INSERT INTO observations (station_kind, station_id, time, parameter) VALUES ('section', 'S1', '2030-05', 'TP')"
        )
    project.adopt(why="QGIS")
    assert layout_of(project)[0] == ["2021", "2022"]
    project.write({"observations": records(1, ("2030-06",))}, why="a new year")
    assert layout_of(project)[0] == ["2021", "2022", "2030"]
    with project.store.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM observations_2030")) == 2
        assert connection.scalar(sa.text("SELECT count(*) FROM observations_other")) == 0
    assert project.verify() == []
    project.close()


def interrupted(project: layers.Project) -> None:
    """A good write and a bad one in one transaction."""
    with project.change() as work:
        work.write({"observations": records(1, ("2031-01",))}, why="x", replace=False)
        work.write({"observations": records(1, ("2031-02",)).assign(value="x")}, why="x", replace=False)


def test_a_write_that_fails_leaves_no_partition(postgres: Cluster) -> None:
    project = layers.create_project(postgres.url("failing"), name="序列", tables={"observations": records(1)})
    with pytest.raises(FaultsError):
        interrupted(project)
    assert layout_of(project)[0] == ["2021", "2022"]
    project.close()


def test_who_could_read_the_old_table_can_read_the_new(postgres: Cluster) -> None:
    url = postgres.url("readers")
    project = layers.create_project(url, name="序列", tables={"observations": records(1)})
    backdate(project)
    with project.store.begin() as connection:
        connection.exec_driver_sql('CREATE ROLE "gis Leser"')
        connection.exec_driver_sql('GRANT SELECT ON observations TO "gis Leser", PUBLIC')
    again = layers.open_project(url)
    with again.store.connect() as connection:
        granted = sa.text(
            "SELECT grantee FROM information_schema.role_table_grants WHERE table_schema = 'readers' "
            "AND table_name = 'observations' AND privilege_type = 'SELECT' ORDER BY 1"
        )
        assert connection.scalars(granted).all() == ["PUBLIC", "gis Leser", "postgres"]
    again.close()


def test_tables_with_geometry_are_indexed_by_place(postgres: Cluster) -> None:
    project = layers.create_project(postgres.url("placed"), name="流域", tables=tables())
    with project.store.connect() as connection:
        indexed = connection.scalars(
            sa.text("SELECT tablename FROM pg_indexes WHERE schemaname = 'placed' AND indexdef LIKE '%USING gist%'")
        ).all()
    assert sorted(indexed) == sorted(name for name, layout in LAYOUTS.items() if layout.geometry)
    project.close()
