"""Monthly means kept as rows are those made of the records, to the last bit."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dying import backdate
from hypothesis import given
from hypothesis import strategies as st
from postgres import Cluster

import layers
from hydro.assessment.month_rows import KEY, month_rows, months_of
from hydro.assessment.months import Months, monthly_means
from layers.standards import load_standard
from layers.store import geopackage, kept_months
from layers.store.backup import backup, restore
from layers.store.tables import LAYOUTS

TIMES = ["2021-12", "2022-01", "2022-01-03", "2022-01-03T08:00", "2022-01-04T08:00", "2022-03-31", "1900-01", "2094-05-01",
         "2094-05-02T00:00", "", "gestern", *(f"2022-02-{day:02d}" for day in range(1, 20))]  # fmt: skip
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["section", "outlet"]),
        st.sampled_from(["S1", "S2", "S3"]),
        st.sampled_from(TIMES),
        st.sampled_from(["TP", "pH", "DO", "discharge"]),
        st.sampled_from([None, -1.0, 0.0, 0.1, 0.2, 0.3, 1 / 3, 7.0, 7.2, 15.0, 1e9]),
        st.sampled_from(["", "<", "ND", "gap"]),
    ),
    max_size=60,
)


def same(one: Months, other: Months) -> None:
    assert one.sections == other.sections
    assert one.astray == other.astray
    np.testing.assert_array_equal(one.months, other.months)
    assert set(one.values) == set(other.values)
    for name, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[name])
        np.testing.assert_array_equal(one.marks[name], other.marks[name])


@given(RECORDS, st.sampled_from(["", "2022-02", "2022-02-11"]))
def test_months_of_rows_are_the_months_of_the_records(drawn: list[tuple[object, ...]], until: str) -> None:
    table = pd.DataFrame(drawn, columns=["station_kind", "station_id", "time", "parameter", "value", "qualifier"])
    rows = month_rows(table, load_standard())
    assert not rows.duplicated(list(KEY)).any()
    for kind in ("section", "outlet"):
        for sections in (["S1", "S2", "S3"], ["S3", "S9"]):
            told = monthly_means(table, sections, standard=load_standard(), kind=kind, until=until)
            same(months_of(rows, sections, kind=kind, until=until), told)


@pytest.fixture
def project(place: Callable[[str], str]) -> Iterator[layers.Project]:
    url = place("months")
    made = layers.create_project(url, name="序列", tables={"observations": records(3, 40)})
    made.raw_url = url  # type: ignore[attr-defined]
    yield made
    made.close()


def records(stations: int, days: int, since: str = "2022-01-01") -> pd.DataFrame:
    """Four-hourly records of two parameters, made up."""
    times = (np.datetime64(since) + np.arange(days * 6) * np.timedelta64(4, "h")).astype("M8[m]").astype(str)
    count = stations * len(times)
    each = pd.DataFrame(
        {
            "station_kind": "section", "station_id": np.repeat([f"S{n}" for n in range(stations)], len(times)),
            "time": np.tile(times, stations), "value": np.round(np.random.default_rng(days).uniform(6, 8, count), 3),
        }
    )  # fmt: skip
    return pd.concat([each.assign(parameter=name, qualifier="") for name in ("TP", "pH")], ignore_index=True)


def told(project: layers.Project) -> pd.DataFrame:
    """The means that the project keeps, which must be those of its records."""
    kept = kept_months.read(project.store)
    assert kept is not None
    sections = ["S0", "S1", "S2", "S3"]
    same(months_of(kept, sections), monthly_means(project.table("observations"), sections, standard=load_standard()))
    return kept


def test_the_means_follow_every_write(project: layers.Project) -> None:
    assert len(told(project)) == 12
    for rows, whole in (
        (records(4, 20, "2022-02-01"), False),  # more of the same months, and a new station
        (records(2, 5).assign(value=7.5), False),  # changed
        (
            pd.DataFrame(
                {
                    "station_kind": "section",
                    "station_id": "S1",
                    "time": ["2022-02", "2022", ""],
                    "parameter": "TP",
                    "value": 6.5,
                }
            ),
            False,
        ),
        (records(1, 3, "2023-05-01").assign(qualifier="gap"), False),
        (records(2, 10), True),  # removed
    ):
        project.write({"observations": rows}, why="more", replace=whole)
        told(project)
    assert project.verify() == []


def test_a_station_without_a_usable_record_gets_its_means_when_one_is_corrected(project: layers.Project) -> None:
    blank = records(1, 1).assign(station_id="S3", value=np.nan)
    project.write({"observations": blank}, why="gaps")
    project.write({"observations": blank.assign(value=7.0)}, why="corrected")
    assert (told(project)["station_id"] == "S3").sum() == 2


def test_what_another_program_wrote_is_not_told_from_the_means_before(project: layers.Project) -> None:
    with project.store.begin() as connection:
        connection.exec_driver_sql("UPDATE observations SET value = 6.0 WHERE station_id = 'S1'")
        if connection.dialect.name == "sqlite":  # as every program does that knows a GeoPackage
            geopackage.touch(connection, LAYOUTS["observations"])
    assert kept_months.read(project.store) is None
    project.adopt(why="QGIS")
    told(project)


def test_an_older_project_and_a_copy_have_their_means(
    project: layers.Project, tmp_path: Path, postgres: Cluster
) -> None:
    backdate(project)
    again = layers.open_project(project.raw_url)  # type: ignore[attr-defined]
    assert len(told(again)) == 12
    backup(again, str(tmp_path / "copy.gpkg"))
    for url in (str(tmp_path / "again.gpkg"), postgres.url(f"copied_{uuid.uuid4().hex[:8]}")):
        restore(str(tmp_path / "copy.gpkg"), layers.store.project.store_at(url))
        copied = layers.open_project(url)
        assert len(told(copied)) == 12
        copied.close()
    again.close()


def test_other_bounds_of_what_is_possible_are_not_taken_for_these(
    project: layers.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = load_standard()
    parameters = {name: replace(one, possible_max=0.1) for name, one in narrow.parameters.items()}
    monkeypatch.setattr("layers.store.kept_months.load_standard", lambda: replace(narrow, parameters=parameters))
    assert kept_months.read(project.store) is None


def test_a_partition_written_by_itself_is_noticed(postgres: Cluster) -> None:
    project = layers.create_project(postgres.url("partition"), name="序列", tables={"observations": records(1, 400)})
    told(project)
    with project.store.begin() as connection:
        connection.exec_driver_sql("UPDATE observations_2023 SET value = 6.0")
    assert kept_months.read(project.store) is None
    project.close()


def test_means_written_by_hand_show_and_are_made_anew(project: layers.Project) -> None:
    with project.store.begin() as connection:
        connection.exec_driver_sql("UPDATE observation_months SET value = 0.01 WHERE station_id = 'S1'")
    assert [(fault.code, fault.table) for fault in project.verify()] == [("altered", "observation_months")]
    assert project.adopt(why="by hand") == []
    assert project.verify() == []
    told(project)
