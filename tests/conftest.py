"""What several test modules stand on."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared", deadline=None)  # a busy machine is no failure of the program
settings.load_profile("shared")

TOP = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def oracles() -> Path:
    """The folder of published results beside the checkout; absent elsewhere, required in CI."""
    folder = Path(os.environ.get("QINGYUAN_ORACLES", TOP.parent / "shared" / "oracles"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"no oracles at {folder}")
        pytest.skip(f"no oracles at {folder}")
    return folder


@pytest.fixture(scope="session")
def geography(oracles: Path) -> Path:
    """The folder of raw geography beside the oracles."""
    return oracles.parent / "data"
