"""A kept network is the built one; any change of what it was checked against, and any damage, leads to a rebuild."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hydro
import layers
from benchmarks.synthetic import make_basin
from layers.store import kept


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("QINGYUAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "KEPT_FROM", 1)
    yield tmp_path / "cache"
    assert not list((tmp_path / "cache").glob(".*")), "something half-written was left"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every network that is built rather than taken as kept."""
    counted: list[int] = []
    build = hydro.build_network

    def count(tables: dict[str, pd.DataFrame]) -> hydro.RiverNetwork:
        counted.append(len(tables["reaches"]))
        return build(tables)

    monkeypatch.setattr("hydro.build_network", count)
    return counted


def test_a_kept_network_is_the_built_one(place: Callable[[str], str], built: list[int]) -> None:
    tables = make_basin(300, 40, 5)
    tables["reaches"].loc[5, ["discharge_m3_s", "velocity_m_s"]] = np.nan  # estimated
    project = layers.create_project(place("kept"), name="存", tables=tables)
    one = project.network()
    other = layers.open_project(place("kept")).network()
    assert built == [300]
    for table in ("reaches", "sections", "outlets", "plants", "boundaries", "gates"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))
    for field in fields(one.topology):
        mine, its = getattr(one.topology, field.name), getattr(other.topology, field.name)
        assert mine.dtype == its.dtype
        assert np.array_equal(mine, its)
        assert not its.flags.writeable
    assert one.nodes.equals(other.nodes)
    assert one.warnings == other.warnings
    assert one.estimated == other.estimated == {"R5"}
    assert one.reaches.attrs == other.reaches.attrs
    again = hydro.trace_sources(other, "S0", time="2022-07").table
    pd.testing.assert_frame_equal(hydro.trace_sources(one, "S0", time="2022-07").table, again)
    layers.open_project(place("kept")).close()
    project.close()


def test_a_change_is_seen_at_once(place: Callable[[str], str], built: list[int]) -> None:
    project = layers.create_project(place("change"), name="改", tables=make_basin(200, 20, 3))
    project.network()
    observations = project.table("observations").head(1).assign(value=9.0)
    project.write({"observations": observations}, why="observations are no part of the structure")
    assert (project.network().observations.table["value"] == 9.0).any()
    assert built == [200]
    reach = pd.DataFrame({"reach_id": ["R7"], "length_m": [12_345.0]})
    project.write({"reaches": reach}, why="longer")
    found = project.network()
    assert built == [200, 200]
    assert found.topology.length_m[found.reach_position["R7"]] == 12_345.0
    project.close()


def test_what_another_program_drew_is_seen(tmp_path: Path, built: list[int]) -> None:
    import geopandas as gpd
    import pyogrio

    path = tmp_path / "outside.gpkg"
    layers.create_project(path, name="外", tables=make_basin(100, 10, 2)).network()
    layers.open_project(path).network()
    assert built == [100]
    gates = gpd.read_file(path, layer="gates").head(1).assign(gate_id="G99")
    pyogrio.write_dataframe(gates, path, layer="gates", append=True)
    assert "G99" in layers.open_project(path).network().gates.index
    assert built[1:] == [100]


@pytest.mark.parametrize("damage", ["cut", "foreign", "gone"])
def test_a_damaged_copy_is_built_anew(tmp_path: Path, cache: Path, built: list[int], damage: str) -> None:
    path = tmp_path / "damaged.gpkg"
    layers.create_project(path, name="损", tables=make_basin(100, 10, 2)).network()
    for file in cache.glob("*.reaches" if damage == "gone" else "*"):
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes(
                file.read_bytes()[: file.stat().st_size // 2] if damage == "cut" else b"PK\x03\x04 foreign"
            )
    assert len(layers.open_project(path).network().reaches) == 100
    layers.open_project(path).network()
    assert built == [100, 100]


def test_the_longest_unused_goes_first(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 1)
    layers.create_project(tmp_path / "a.gpkg", name="a", tables=make_basin(50, 5, 2)).network()
    assert not list(cache.glob("*.nodes"))
    monkeypatch.setattr(kept, "MOST_BYTES", 1 << 30)
    layers.open_project(tmp_path / "a.gpkg").network()
    assert len(list(cache.iterdir())) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QINGYUAN_CACHE", str(tmp_path / "file" / "cache"))
    project = layers.create_project(tmp_path / "a.gpkg", name="a", tables=make_basin(50, 5, 2))
    assert len(project.network().reaches) == len(project.network().reaches) == 50
