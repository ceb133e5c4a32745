"""A real Dask scheduler with workers on loopback for the length of a test; every process is its own and ended afterwards."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postgres import free_port

TOP = Path(__file__).resolve().parents[1]
PATIENCE_S = 60


class DaskCluster:
    """A scheduler at ``address``; workers have one thread each and no nanny, so that who is killed stays dead."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self.processes = [self._run("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")]
        self.workers: list[subprocess.Popen[bytes]] = []

    def _run(self, *words: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + str(words[0]), *map(str, words[1:])]
        environment = {**os.environ, "PYTHONPATH": str(TOP), "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
        log = (self.folder / "dask.log").open("ab")
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def add_workers(self, count: int, memory: str = "2GB") -> None:
        words = ("--nthreads", 1, "--no-nanny", "--no-dashboard", "--memory-limit", memory)
        before = len(self.workers)
        self.workers += [
            self._run("worker", self.address, *words, "--local-directory", self.folder) for _ in range(count)
        ]
        self.processes += self.workers[before:]
        from distributed import Client

        with Client(self.address, timeout=PATIENCE_S, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=PATIENCE_S)

    def listens(self) -> bool:
        """Whether the scheduler can be reached."""
        try:
            socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[DaskCluster]:
    """A scheduler and so many workers; returns when they have joined."""
    made = DaskCluster(folder)
    try:
        if workers:
            made.add_workers(workers)
        yield made
    finally:
        made.stop()


def within(seconds: float, happens) -> bool:  # type: ignore[no-untyped-def]
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happens():
            return True
        time.sleep(0.05)
    return False
