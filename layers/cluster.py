"""Many draws on an existing Dask cluster; the same numbers as on this machine, to the last bit.

Each part of the network is sent once, and every batch of draws of it is a task that waits for those of the parts above.
The scheduler keeps what every task needs, so what a lost worker had is computed again by another.
"""

from __future__ import annotations

import hashlib
import socket
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import hydro
from hydro.ensemble import Draws, Results, Runner, Stretch, Threads, needed_bytes, solve_part
from hydro.errors import HydroError
from hydro.network import RiverNetwork
from hydro.room import must_fit

CONNECT_S = 10
RETRIES = 3
"""How often a task is tried again when the worker that had it is gone or failed."""


class Cluster:
    """Workers of a Dask cluster at an address (``tcp://host:8786``); implements :class:`hydro.ensemble.Runner`."""

    def __init__(self, address: str) -> None:
        from distributed import Client

        self.address = address
        connect: Any = Client
        try:
            _answers(address)
            self.client = connect(address, timeout=CONNECT_S, set_as_default=False)
        except Exception as wrong:  # whatever the transport says of an address at which nobody answers as expected
            message = "集群 {address} 连不上（{why}）。请检查地址与防火墙，或加 --cluster-fallback 改在本机计算"
            why = str(wrong).splitlines()[0][:120] if str(wrong) else type(wrong).__name__
            raise HydroError("cluster_unreachable", message, address=address, why=why) from wrong
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        """Refuse a cluster without workers, or one whose program or libraries differ from ours."""
        told = self.client.get_versions()
        workers = told["workers"]
        if not workers:
            message = "集群 {address} 上没有工作进程。请用 dask worker {address} 启动后再试"
            raise HydroError("cluster_empty", message, address=self.address)
        ours = told["client"]["packages"]
        for place, theirs in {"scheduler": told["scheduler"], **workers}.items():
            for name in ("python", "distributed", "numpy", "scipy", "numba"):
                mine, its = ours.get(name), theirs["packages"].get(name)
                if its is not None and mine is not None and _line(name, mine) != _line(name, its):
                    self._differs(place, name, str(its), str(mine))
        try:
            programs = self.client.run(program)
        except Exception as wrong:  # what a worker raises comes as it is: it may lack the program altogether
            message = "集群 {address} 的工作进程用不了本程序（{why}）。请在每台机器的程序文件夹里启动 dask worker"
            why = str(wrong).splitlines()[0][:120] if str(wrong) else type(wrong).__name__
            raise HydroError("cluster_without_program", message, address=self.address, why=why) from wrong
        for place, its in programs.items():
            if its != program():
                self._differs(place, "hydro", its, program())

    def _differs(self, place: str, name: str, its: str, ours: str) -> None:
        message = (
            "集群 {address} 的 {place} 上 {name} 是 {its}，本机是 {ours}；版本不同，结果可能不同。"
            "请装成同一版本，或加 --cluster-fallback 改在本机计算"
        )
        raise HydroError("cluster_version", message, address=self.address, place=place, name=name, its=its, ours=ours)

    def workers(self) -> int:
        """How many workers there are now."""
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def free_bytes(self) -> int:
        """Memory of the smallest worker, for each of its threads."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        return min(int((one["memory_limit"] or 1 << 62) / max(one["nthreads"], 1)) for one in workers)

    def run(self, stretches: Sequence[Stretch], batches: Sequence[Draws]) -> Results:
        """Solve every part for every batch; all that is not done is cancelled when the caller stops asking."""
        from distributed import as_completed

        finished: Any = as_completed
        run = uuid.uuid4().hex[:12]
        given: dict[tuple[int, int], Any] = {}
        whose: dict[str, tuple[int, int]] = {}
        held = [
            self.client.submit(itself, stretch, key=f"part-{run}-{n}", retries=RETRIES)
            for n, stretch in enumerate(stretches)
        ]
        try:
            for draws in batches:
                for n, stretch in enumerate(stretches):
                    above = [given[m, draws.first] for m in stretch.part.after]
                    key = f"draws-{run}-{n}-{draws.first}"
                    future = self.client.submit(solve_part, held[n], draws, above, key=key, retries=RETRIES)
                    given[n, draws.first] = future
                    whose[key] = (n, draws.first)
            for future, passed in finished(list(given.values()), loop=self.client.loop, with_results=True):
                yield (*whose[future.key], passed)
        except Exception as wrong:
            message = "集群 {address} 上的计算没有完成（{why}）。结果未保存；请检查工作进程后重试，或去掉 --cluster 在本机计算"
            why = str(wrong).splitlines()[0][:160] if str(wrong) else type(wrong).__name__
            raise HydroError("cluster_failed", message, address=self.address, why=why) from wrong
        finally:
            with suppress(Exception):  # the cluster may be gone; what is to be cancelled is then gone with it
                self.client.cancel([*given.values(), *held])

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        with suppress(Exception):
            self.client.close(timeout=2)


def _answers(address: str) -> None:
    """Raise OSError where nobody listens: a client of distributed that fails to connect is not wholly ended, and a later
    one may wait for it for ever."""
    scheme, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    if scheme not in ("tcp", "tls") or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise OSError("tcp://…:8786")
    socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()


def itself(stretch: Stretch) -> Stretch:
    """A part as the task that holds it: were its worker lost, the scheduler still knows how to make it."""
    return stretch


def program() -> str:
    """Digest of the science that a process would run, so that no other version of it takes part unseen."""
    digest = hashlib.sha256()
    folder = Path(hydro.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _line(name: str, version: Any) -> str:
    """A version as far as it must agree: Python by its minor version, libraries wholly."""
    return ".".join(str(version).split(".")[:2]) if name == "python" else str(version)


def runner_at(address: str, *, fallback: bool = False) -> tuple[Runner, HydroError | None]:
    """Whoever computes: the cluster at an address, or threads where none is given.

    With ``fallback`` a cluster that cannot be used is told and threads take its place; else its fault is raised.
    """
    if not address:
        return Threads(), None
    try:
        return Cluster(address), None
    except HydroError as wrong:
        if not fallback:
            raise
        return Threads(), wrong


def foresee(network: RiverNetwork, draws: int, runner: Runner) -> int:
    """Bytes that an ensemble needs; raises HydroError with the size where this machine or a worker has not so much."""
    cluster = runner if isinstance(runner, Cluster) else None
    at_once = runner.count if isinstance(runner, Threads) else 0
    here, each = needed_bytes(network, draws, at_once=at_once)
    message = "本机内存不够：{draws} 次抽样需要 {needed} GB，可用 {left} GB。请减少 --draws，或换内存更大的机器"
    must_fit(here, message, draws=draws)
    if cluster:
        message = (
            "集群的工作进程内存不够：每个线程需要 {needed} GB，可用 {left} GB。请减少每个进程的线程数，或加大其内存"
        )
        must_fit(each, message, free=cluster.free_bytes())
    return here
