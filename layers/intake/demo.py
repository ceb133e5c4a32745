"""The demo basin as a project file, made when it is first asked for."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from layers.intake.read import Progress, silent

SOURCE = Path(__file__).parents[2] / "data" / "demo"


def demo_file(folder: Path) -> Path:
    """Where the demo stands in a folder: another edition of its data is another file, and what was decided stays."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.glob("*")):
        digest.update(path.read_bytes())
    return folder / f"demo-{digest.hexdigest()[:8]}.gpkg"


class Founding:
    """The demo being imported beside whoever waits for it: what is being done, the part that is done, and the file."""

    def __init__(self, target: Path) -> None:
        self.what, self.part = "", 0.0
        if target.exists():
            self.made: Future[Path] = Future()
            self.made.set_result(target)
            return
        worker = ThreadPoolExecutor(1, thread_name_prefix="demo")
        self.made = worker.submit(demo_project, target, self._tell)
        worker.shutdown(wait=False)

    def _tell(self, what: str, part: float) -> None:
        if part < 1.0:  # what was read is then written, which is no step of reading
            self.what, self.part = what, part


def demo_project(target: Path, progress: Progress = silent) -> Path:
    """Import ``data/demo`` into ``target`` unless it is there already; whole or not at all."""
    if target.exists():
        return target
    from hydro import Fault, FaultsError, HydroError
    from layers.intake.imports import import_sources

    if not SOURCE.is_dir():
        raise HydroError("no_demo", "没有示例数据（{path}）。请用 QINGYUAN_PROJECT 指明要打开的项目", path=str(SOURCE))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}.gpkg")
    report = import_sources([SOURCE], draft, progress=progress).report
    if not report.sound:
        raise FaultsError(Fault("demo", "{line}", {"line": line}) for line in report.lines())
    draft.replace(target)
    return target
