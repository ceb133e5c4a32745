"""A real PostgreSQL with PostGIS for the length of a test run: its own cluster, on loopback, stopped afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
UNPRIVILEGED = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root; Debian's package brings the user that it runs as."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A cluster in a folder of its own."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder, self.port, self.durable = folder, free_port(), durable
        self.data = folder / "data"
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")

    def _run(self, program: str, *arguments: object) -> None:
        log = self.folder / "run.log"
        with log.open("ab") as out:
            done = subprocess.run(
                [BINARIES[-1] / program, *map(str, arguments)],
                user=UNPRIVILEGED, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder, check=False,
            )  # fmt: skip
        assert not done.returncode, log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -c fsync={'on' if self.durable else 'off'} -c max_connections=60"
        self._run("pg_ctl", "-D", self.data, "-w", "-o", options, "-l", self.folder / "server.log", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def url(self, schema: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?schema={schema}"


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A running cluster, removed at the end; a durable one waits for the disk as in daily use."""
    folder = Path(tempfile.mkdtemp(prefix="qy-pg-"))
    try:
        if UNPRIVILEGED:
            shutil.chown(folder, UNPRIVILEGED)
            (folder / "run.log").touch()
        made = Cluster(folder, durable=durable)
        made.start()
        try:
            yield made
        finally:
            made.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
