"""The causes of a whole project's record, worked out in a process of its own: the screen never waits for it.

``python -m layers.judging PROJECT`` writes the pickled answer on stdout.  A plain child process and a pipe: a pool of
``multiprocessing`` would import the caller's main module again, which under Streamlit is the page.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hydro import Attribution, HydroError, attribute
from layers.store.findings import field_findings
from layers.store.project import open_project

Refusal = tuple[str, str, dict[str, Any]]
"""Code, message and parameters of a HydroError: what crosses from one process to another."""


UNFINISHED = "judging"
"""Code of an answer that did not come to be: nothing that the record said, so asking again may well succeed."""


def judge(url: str) -> Attribution | Refusal:
    """Attribute the record of a project; a question that cannot be answered comes back as its parts."""
    try:
        project = open_project(url)
        return attribute(project.network(), field_findings(project))
    except HydroError as error:
        return error.code, error.message, dict(error.params)


class Judges:
    """One question after the other, each in a child process that gives way to the screen."""

    def __init__(self) -> None:
        self._queue = ThreadPoolExecutor(1, thread_name_prefix="judge")

    def ask(self, url: str) -> Future[Attribution | Refusal]:
        """Begin; ask the future whether it is done."""
        return self._queue.submit(_ask, url)


def _ask(url: str) -> Attribution | Refusal:
    command = [sys.executable, "-m", "layers.judging", url]
    alone = {"OPENBLAS_NUM_THREADS": "1"} | os.environ  # many small matrices: threads on one wait for each other
    done = subprocess.run(command, cwd=Path(__file__).parents[1], env=alone, capture_output=True, check=False)
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or [str(done.returncode)])[-1]
        return UNFINISHED, "成因推断没有完成：{reason}。请查看日志", {"reason": reason}
    answer: Attribution | Refusal = pickle.loads(done.stdout)
    return answer


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    sys.stdout.buffer.write(pickle.dumps(judge(sys.argv[1])))
