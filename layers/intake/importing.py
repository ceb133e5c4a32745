"""An import in a process of its own: it tells how far it is, the screen stays alive, and stopping it really stops it.

The child takes pickled requests on stdin and answers on stdout; it keeps what it has read, so that
writing does not read again.  As in ``layers.judging``, a plain child and pipes: ``multiprocessing`` would import the
caller's main module, which under Streamlit is the page.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pandas as pd

from hydro.errors import Fault, FaultsError, HydroError
from layers.intake.answers import answered
from layers.intake.entering import Entered, corrections, enter, take_back
from layers.intake.imports import CONTEXT
from layers.intake.intake import Import
from layers.intake.preview import Preview, preview
from layers.intake.read import read_sources
from layers.store.project import open_project
from layers.store.roles import User

PATIENCE_S = 5.0
"""How long a process that was asked to stop may take to tidy up."""


@dataclass(frozen=True)
class Read:
    """Ask for files to be read, for a project or (blank) a new one."""

    paths: tuple[Path, ...]
    answers: tuple[str, ...] = ()
    columns: Path | None = None
    into: str = ""


@dataclass(frozen=True)
class Write:
    """Ask for what was read to be written; see :func:`layers.intake.entering.enter`."""

    into: str
    user: User
    name: str = ""
    leave_out: bool = False
    corrected: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TakeBack:
    """Ask for what was written to be taken back."""

    user: User


@dataclass
class Progress:
    """How a request stands: what is being done, how much of it is done, and its answer once there is one."""

    what: str = ""
    part: float = 0.0
    busy: bool = False
    answer: Preview | Entered | int | None = None
    """A preview, what was written, or the revision after it was taken back."""
    error: HydroError | None = None
    stopped: bool = False


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    ear: threading.Thread | None = None


class Importing:
    """One import at work: ask, look at ``progress``, stop. The process ends with this object."""

    def __init__(self) -> None:
        self._child: _Child | None = None
        self.progress = Progress()

    def ask(self, request: Read | Write | TakeBack) -> None:
        """Begin; what was still being done for an earlier request is stopped."""
        if self.progress.busy:
            self.stop()
        if self._child is None or self._child.process.poll() is not None:
            self._child = _start()
            weakref.finalize(self, _end, self._child.process)
        child = self._child
        self.progress = Progress(busy=True)
        assert child.process.stdin is not None
        pickle.dump(request, child.process.stdin)
        child.process.stdin.flush()
        child.ear = threading.Thread(target=_listen, args=(child.process, self.progress), daemon=True)
        child.ear.start()

    @property
    def can_take_back(self) -> bool:
        """Whether the process that wrote is still there, with what stood in the project before."""
        return self._child is not None and self._child.process.poll() is None

    def stop(self) -> None:
        """End the work at hand: nothing of it is left, in a project or on disk; unless it was done at that moment."""
        child, self._child = self._child, None
        if child is None:
            return
        busy = self.progress.busy
        _end(child.process)
        if child.ear is not None:
            child.ear.join(PATIENCE_S)
        if busy and self.progress.answer is None:
            self.progress = replace(self.progress, busy=False, stopped=True, error=None)


def _start() -> _Child:
    command = [sys.executable, "-c", "from layers.intake.importing import main; main()"]
    top = Path(__file__).parents[2]
    return _Child(subprocess.Popen(command, cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listen(process: subprocess.Popen[bytes], progress: Progress) -> None:
    """Take in what the child tells until its answer; knows nothing of whoever asked, so that both may go."""
    assert process.stdout is not None
    while progress.busy:
        try:
            kind, told = pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError, ValueError):
            kind, told = (
                "error",
                ("import_ended", "导入进程意外结束（可能是内存不足）。没有写入任何内容，请重试。", {}, ()),
            )
        if kind == "progress":
            progress.what, progress.part = told
        elif kind == "answer":
            progress.answer, progress.busy = told, False
        else:
            progress.error, progress.busy = _error(*told), False


def _error(code: str, message: str, params: dict[str, Any], faults: Sequence[Fault]) -> HydroError:
    return FaultsError(faults) if faults else HydroError(code, message, **params)


# -- in the child ----------------------------------------------------------------------------------------------------


class _Desk:
    """What the child keeps between requests."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out = out
        self.outcome: Import | None = None
        self.files: tuple[str, ...] = ()
        self.seen: int | None = None
        self.entered: Entered | None = None

    def tell(self, kind: str, told: Any) -> None:
        pickle.dump((kind, told), self.out)
        self.out.flush()

    def serve(self, request: Any) -> Any:
        if isinstance(request, Read):
            return self._read(request)
        if isinstance(request, Write):
            return self._write(request)
        if self.entered is None:
            raise HydroError("nothing_to_take_back", "这里没有可撤销的导入。")
        return take_back(self.entered, request.user)

    def _read(self, request: Read) -> Preview:
        known: dict[str, pd.DataFrame] = {}
        self.outcome, self.seen = None, None
        options = answered(request.answers, request.columns)
        if request.into:
            project = open_project(request.into, user=User("-", "viewer"))
            self.seen = project.revision
            known = {name: rows for name, rows in project.tables(CONTEXT, geometry=True).items() if len(rows)}
            options = replace(options, remembered=corrections(project))
        self.files = tuple(path.name for path in request.paths)
        self.outcome = read_sources(
            request.paths, options, known, lambda what, part: self.tell("progress", (what, part))
        )
        return preview(self.outcome, self.seen, known)

    def _write(self, request: Write) -> Entered:
        assert self.outcome is not None
        self.tell("progress", ("写入项目", 0.5))
        self.entered = enter(
            self.outcome,
            request.into,
            files=self.files,
            user=request.user,
            name=request.name,
            seen=self.seen,
            leave_out=request.leave_out,
            corrected=dict(request.corrected),
        )
        return replace(self.entered, before={})


def main() -> None:
    """Serve requests until the other side is gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds, so that drafts are removed on the way out
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints must not break the pickles
    desk = _Desk(out)
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            desk.tell("answer", desk.serve(request))
        except HydroError as error:
            faults = tuple(error.faults) if isinstance(error, FaultsError) else ()
            desk.tell("error", (error.code, error.message, dict(error.params), faults))
        except Exception as error:
            traceback.print_exc()
            message = "导入没有完成：{reason}。没有写入任何内容，请查看日志。"
            desk.tell("error", ("importing", message, {"reason": repr(error)[:200]}, ()))
