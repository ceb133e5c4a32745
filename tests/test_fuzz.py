"""A few seconds of what ``python -m tools.fuzz`` does for hours: broken files never let an exception through."""

import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.intake.read import read_sources
from tools.fuzz import broken, seeds

SEEDS = seeds()


@pytest.mark.parametrize("name", sorted(SEEDS))
@settings(max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(number=st.integers(0, 2**32))
def test_a_broken_file_is_told_of_and_nothing_else_happens(name: str, number: int) -> None:
    files = broken(name, SEEDS[name], list(SEEDS.values()), random.Random(number))
    with tempfile.TemporaryDirectory() as place:
        for each, raw in files.items():
            Path(place, each).write_bytes(raw)
        report = read_sources([place]).report
        assert json.dumps(report.json(), allow_nan=False)
        assert report.sound or report.refused or report.asked
        assert sorted(path.name for path in Path(place).iterdir()) == sorted(files)
