"""What several test modules stand on."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from postgres import BINARIES, Cluster, cluster

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL with PostGIS, which nobody else uses; required in CI."""
    if not BINARIES:
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL; run tools/system_packages.sh")
        pytest.skip("no PostgreSQL; run tools/system_packages.sh")
    with cluster() as running:
        yield running


@pytest.fixture(params=["geopackage", "postgis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Where a project of a given name is kept, in each kind of store."""
    if request.param == "geopackage":
        return lambda name: str(tmp_path / f"{name}.gpkg")
    running, once = request.getfixturevalue("postgres"), uuid.uuid4().hex[:8]
    return lambda name: running.url(f"{name}_{once}")
