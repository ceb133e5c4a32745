"""A benchmark that is told to end takes with it what it started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = """
import subprocess, sys, tempfile
from benchmarks.interrupt import end_with_all
end_with_all()
with tempfile.TemporaryDirectory() as folder, subprocess.Popen(["sleep", "600"]) as worker:
    try:
        print(worker.pid, folder, flush=True)
        worker.wait()
    finally:
        worker.kill()
"""


def test_it_ends_with_all_that_it_started() -> None:
    top = Path(__file__).resolve().parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", BENCHMARK], cwd=top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        worker, folder = run.stdout.readline().split()
        assert Path(folder).is_dir()
        run.terminate()
        try:
            assert "KeyboardInterrupt" in run.communicate(timeout=30)[1]
        finally:
            run.kill()
    assert run.returncode != 0
    assert not Path(folder).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(worker), 0)
