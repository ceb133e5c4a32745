"""Rows of one table out of one layer of a file, on their way into the project."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.formats.sources import Layer


@dataclass
class Part:
    """Rows of one table out of one layer; the index is the row in the source.

    ``place`` holds the raw coordinates: shapes, or columns x and y; ``coordinates`` says of what kind they are
    (``shape``, ``lonlat``, ``xy`` or blank).
    """

    table: str
    layer: Layer
    frame: pd.DataFrame
    coordinates: str = ""
    shapes: NDArray[np.object_] | None = None
    xy: NDArray[np.float64] | None = None
    station_words: str = ""
    rivers: pd.Series[str] | None = None
    """Names of the rivers that the rows say they lie on, where the table itself keeps none."""
    facts: dict[str, Any] = field(default_factory=dict)
