"""Reaches turned downhill by a DEM where the drop is clear."""

from pathlib import Path

import broken
import numpy as np
import pytest

from hydro.errors import HydroError
from layers.intake.intake import Options
from layers.intake.read import read_sources


def ground(path: Path, fall: float) -> Path:
    """A plane that falls eastward so many metres a kilometre, and a fifth of it southward, under the whole basin."""
    import rasterio

    west, north = broken.ORIGIN[0] - 2000, broken.ORIGIN[1] + 17_000
    rows, columns = np.mgrid[0:240, 0:340] * 0.1  # kilometres from the corner
    heights = (200 - fall * (columns + 0.2 * rows)).astype(np.float32)
    across = rasterio.transform.from_origin(west, north, 100, 100)
    with rasterio.open(
        path, "w", driver="GTiff", width=340, height=240, count=1, dtype="float32", crs=broken.PLANE, transform=across
    ) as sink:  # fmt: skip
        sink.write(heights, 1)
    return path


def test_reaches_drawn_uphill_are_turned(tmp_path: Path) -> None:
    broken.reversed_at(broken.reaches(), "R02", "R05", "R10").to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path / "reaches.gpkg"], Options(dem=ground(tmp_path / "dem.tif", fall=2.0)))
    found = outcome.report.network
    assert outcome.report.sound, outcome.report.json()["asked"]
    assert (found.reaches, found.nodes, found.mouths, found.splits, found.components) == broken.SHAPE
    assert {e.id for e in outcome.report.mended} == {"R02", "R05", "R10"}


def test_what_is_too_flat_to_tell_stays_as_drawn_and_is_told(tmp_path: Path) -> None:
    broken.reversed_at(broken.reaches(), "R02").to_file(tmp_path / "reaches.gpkg")
    outcome = read_sources([tmp_path / "reaches.gpkg"], Options(dem=ground(tmp_path / "dem.tif", fall=0.05)))
    assert outcome.report.mended == []
    assert any(str(fault).startswith("10 条河段在 DEM 上两端高差不足 2 m") for fault in outcome.report.warnings)
    assert len(outcome.report.asked) == 1


def test_a_file_that_is_no_raster_is_refused(tmp_path: Path) -> None:
    broken.reaches().to_file(tmp_path / "reaches.gpkg")
    (tmp_path / "dem.tif").write_bytes(b"not a raster")
    with pytest.raises(HydroError, match="不是可读的栅格"):
        read_sources([tmp_path / "reaches.gpkg"], Options(dem=tmp_path / "dem.tif"))
