"""Many draws: the same numbers in one thread, many, or on a cluster that loses a worker; each part solved by itself."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dask_cluster import DaskCluster, dask_cluster, within

import hydro
import layers
from benchmarks.synthetic import make_basin
from cli import main
from hydro.ensemble import BATCH, Threads, _normal, ensemble, prepare
from hydro.errors import HydroError
from hydro.parts import cut
from hydro.spread import Spread
from layers.cluster import Cluster, foresee, runner_at

LARGEST = 150
DRAWS = 3 * BATCH
STILL = {"spread": Spread(0, 0, 0, 0), "reach_decay": 0.0}


@pytest.fixture(scope="module")
def network() -> hydro.RiverNetwork:
    """Two basins side by side, the second a copy of the first under other names."""
    one = make_basin(800, 80, 8, seed=3)
    other = make_basin(400, 40, 4, seed=4)
    for name, table in other.items():
        ids = [c for c in table if c.endswith("_id") or c in ("from_node", "to_node", "node")]
        other[name] = table.assign(**{c: "二" + table[c].astype(str) for c in ids})
        other[name] = other[name].replace("二", "")
    import pandas as pd

    return hydro.build_network({name: pd.concat([one[name], other[name]], ignore_index=True) for name in one})


@pytest.fixture(scope="module")
def alone(network: hydro.RiverNetwork) -> np.ndarray:
    return ensemble(network, draws=DRAWS, seed=7, runner=Threads(1), largest=LARGEST).load_kg_d


def test_parts_hold_every_reach_once_and_wait_only_for_earlier_ones(network: hydro.RiverNetwork) -> None:
    topology = network.topology
    parts = cut(topology, largest=LARGEST)
    assert sorted(np.concatenate([part.reaches for part in parts])) == list(range(topology.reach_count))
    assert max(len(part.reaches) for part in parts) <= LARGEST
    owner = np.empty(topology.node_count, int)
    for part in parts:
        owner[part.first : part.end] = part.number
    for part in parts:
        senders = set(owner[topology.from_node[owner[topology.to_node] == part.number]].tolist()) - {part.number}
        assert set(part.after) == senders
        assert all(before < part.number for before in part.after)


def test_basins_that_do_not_meet_wait_for_nobody(network: hydro.RiverNetwork) -> None:
    parts = cut(network.topology, largest=810)
    assert [part.after for part in parts] == [(), ()]


def test_without_any_spread_every_draw_is_the_routing(network: hydro.RiverNetwork) -> None:
    found = ensemble(network, draws=3, largest=LARGEST, **STILL)
    routed = hydro.route(network).section_load_kg_d.to_numpy()
    assert np.allclose(found.load_kg_d, routed, rtol=1e-12, atol=0)
    positions = [network.position("sections", s)[0] for s in found.sections]
    assert np.allclose(found.discharge_m3_s, network.topology.discharge_m3_s[positions], rtol=1e-12, atol=0)


def test_twice_the_source_load_is_twice_its_part(network: hydro.RiverNetwork) -> None:
    """Only loads spread, all sources as one: a draw is linear in them, and its median factor is 1."""
    middle = hydro.route(network).section_load_kg_d.to_numpy()
    found = ensemble(network, draws=400, spread=Spread(0, 0, 0, 0.5), reach_decay=0.0, largest=LARGEST)
    nothing = hydro.route(network, diffuse_kg_d=np.zeros(network.topology.reach_count)).section_load_kg_d.to_numpy()
    factor = (found.load_kg_d - nothing) / (middle - nothing)
    assert np.allclose(factor, factor[:, :1], rtol=1e-9)
    assert np.median(factor[:, 0]) == pytest.approx(1, abs=0.1)
    assert np.log(factor[:, 0]).std() == pytest.approx(0.5, rel=0.1)


def test_numbers_of_a_draw_do_not_depend_on_where_one_begins() -> None:
    whole = _normal(3, 5, 0, 0, 101)
    assert (whole[37:80] == _normal(3, 5, 0, 37, 43)).all()
    assert not np.isin(_normal(3, 6, 0, 0, 101), whole).any()
    assert np.isfinite(whole).all()


def test_threads_and_cuts_change_nothing(network: hydro.RiverNetwork, alone: np.ndarray) -> None:
    assert (ensemble(network, draws=DRAWS, seed=7, runner=Threads(4), largest=LARGEST).load_kg_d == alone).all()
    whole = ensemble(network, draws=DRAWS, seed=7, largest=10**9).load_kg_d
    assert np.allclose(whole, alone, rtol=1e-12, atol=0)
    assert not np.allclose(ensemble(network, draws=DRAWS, seed=8, largest=LARGEST).load_kg_d, alone)


def test_the_table_tells_quantiles_and_the_share_above_the_target(network: hydro.RiverNetwork) -> None:
    found = ensemble(network, draws=DRAWS, largest=LARGEST)
    row = found.table().set_index("section_id").loc["S0"]
    tp = found.tp_mg_l[:, found.sections.index("S0")]
    assert row["tp_p05_mg_l"] <= row["tp_p50_mg_l"] <= row["tp_p95_mg_l"]
    assert row["probability"] == np.mean(tp > row["tp_target_mg_l"])
    assert row["load_p50_kg_d"] == np.median(found.load_kg_d[:, found.sections.index("S0")])


def test_senseless_numbers_and_too_much_memory_are_refused(network: hydro.RiverNetwork) -> None:
    with pytest.raises(HydroError, match="抽样次数 0 应不小于 1"):
        ensemble(network, draws=0)
    with pytest.raises(HydroError) as told:
        foresee(network, 10**12, Threads(2))
    assert "本机内存不够：1000000000000 次抽样需要 288000.00 GB" in str(told.value)


def test_an_address_where_nobody_is_told_or_left(network: hydro.RiverNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.cluster.CONNECT_S", 0.5)
    with pytest.raises(HydroError, match=r"集群 tcp://127\.0\.0\.1:1 连不上"):
        runner_at("tcp://127.0.0.1:1")
    runner, wrong = runner_at("tcp://127.0.0.1:1", fallback=True)
    assert isinstance(runner, Threads)
    assert wrong is not None
    assert wrong.code == "cluster_unreachable"
    with pytest.raises(HydroError, match="集群 nonsense 连不上"):
        runner_at("nonsense")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), 0) as made:
        assert within(30, made.listens)
        with pytest.raises(HydroError, match="没有工作进程"):
            Cluster(made.address)
        made.add_workers(2)
        yield made


def test_another_version_of_the_program_is_refused(
    running: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Path(hydro.__file__).parent, tmp_path / "hydro", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "hydro" / "load.py").open("a", encoding="utf-8") as file:
        file.write("\n# a later version\n")
    monkeypatch.setattr(hydro, "__file__", str(tmp_path / "hydro" / "__init__.py"))
    with pytest.raises(HydroError, match="版本不同，结果可能不同") as told:
        Cluster(running.address)
    assert told.value.params["name"] == "hydro"


def test_a_worker_without_room_is_foreseen(running: DaskCluster, network: hydro.RiverNetwork) -> None:
    cluster = Cluster(running.address)
    try:
        assert cluster.free_bytes() == 2_000_000_000
        assert foresee(network, DRAWS, cluster) > 0
    finally:
        cluster.close()


def test_the_door_computes_on_the_cluster(running: DaskCluster, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    layers.create_project(tmp_path / "b.gpkg", name="示例", tables=make_basin(60, 9, 2)).close()
    words = ["ensemble", str(tmp_path / "b.gpkg"), "--draws", "20", "--format", "json"]
    told = []
    for more in ([], ["--cluster", running.address], ["--cluster", "tcp://127.0.0.1:1", "--cluster-fallback"]):
        assert main([*words, *more]) == 0
        out, err = capfd.readouterr()
        told.append(json.loads(out))
    assert "已改在本机计算" in err
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 2


def test_stopping_half_way_leaves_no_task_on_the_cluster(running: DaskCluster, network: hydro.RiverNetwork) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    cluster = Cluster(running.address)
    try:
        with pytest.raises(KeyboardInterrupt):
            ensemble(network, draws=40 * BATCH, runner=cluster, progress=stop, largest=LARGEST)
        tasks = lambda: cluster.client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))  # noqa: E731
        assert within(10, lambda: tasks() == 0)
    finally:
        cluster.close()


def test_a_worker_killed_in_mid_run_changes_nothing(
    running: DaskCluster, network: hydro.RiverNetwork, alone: np.ndarray
) -> None:
    """The last of the module: one worker is gone afterwards."""
    cluster = Cluster(running.address)
    counted: list[tuple[int, int]] = []

    def kill(done: int, total: int) -> None:
        counted.append((done, total))
        if done == 2:
            running.workers[0].kill()

    try:
        assert (ensemble(network, draws=DRAWS, seed=7, runner=cluster, largest=LARGEST).load_kg_d == alone).all()
        again = ensemble(network, draws=DRAWS, seed=7, runner=cluster, progress=kill, largest=LARGEST)
        assert (again.load_kg_d == alone).all()
        assert counted == [(n + 1, len(counted)) for n in range(len(counted))]
        assert len(counted) == len(prepare(network, largest=LARGEST)) * DRAWS // BATCH
        assert within(10, lambda: cluster.workers() == 1)
    finally:
        cluster.close()
