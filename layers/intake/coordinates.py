"""The raw coordinates of rows: a file's shapes, a WKT column, two columns, or one that holds both."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.schema import KEYS
from layers.columns import Reading
from layers.formats.sources import Layer
from layers.headers import COORDINATES
from layers.intake import values
from layers.intake.cells import text
from layers.part import Part
from layers.report import Report


def places(part: Part, frame: pd.DataFrame, reading: Reading, layer: Layer, report: Report) -> None:
    """Raw coordinates of the rows: the layer's shapes, a WKT column, or two columns."""
    source = {name: reading.source(name) for name in COORDINATES}
    if layer.geometry is not None:
        part.shapes, part.coordinates = layer.geometry, "shape"
    elif source["wkt"]:
        import shapely

        cells = text(frame[source["wkt"]]).to_numpy(object)
        part.shapes = np.asarray(
            shapely.force_2d(shapely.from_wkt([cell or None for cell in cells], on_invalid="ignore")), dtype=np.object_
        )
        part.coordinates = "shape"
        x = shapely.get_coordinates(part.shapes)
        if len(x) and bool((np.abs(x) <= 180).all()):
            part.coordinates = "lonlat"
    elif source["lonlat"] and not (source["lon"] and source["lat"]) and not (source["x"] and source["y"]):
        halves = text(frame[source["lonlat"]]).str.split(r"[,，;；\s]+", n=1, expand=True, regex=True)
        if halves.shape[1] == 2:
            part.xy = np.column_stack([values.degrees(halves[i].fillna("").astype(object)).value for i in (0, 1)])
            part.coordinates = "lonlat"
    else:
        x, y = source["lon"] or source["x"], source["lat"] or source["y"]
        if x and y:
            part.xy = np.column_stack([_angle(part, frame, column, reading, layer, report) for column in (x, y)])
            plain = not (source["lon"] and source["lat"])
            within = np.nanmax(np.abs(part.xy), initial=0.0) <= 180
            part.coordinates = "lonlat" if within or not plain else "xy"
            if within and plain:
                part.coordinates = "lonlat"


def _angle(
    part: Part, frame: pd.DataFrame, column: str, reading: Reading, layer: Layer, report: Report
) -> NDArray[np.float64]:
    read = values.degrees(text(frame[column]))
    for i in np.flatnonzero(read.wrong).tolist():
        message = "{file} 的 {column} 为“{cell}”，不是坐标。应为度（113.92）、度分秒（113°55′12″）或米"
        key = reading.source(KEYS[reading.table][0])
        identity = str(frame[key].iloc[i]) if key else ""
        params = {"file": layer.label, "column": column, "cell": str(frame[column].iloc[i])[:60]}
        report.refuse(reading.table, int(frame.index[i]), identity, message, **params)
    for i in np.flatnonzero(read.mended).tolist():
        message = "{column} 写作“{cell}”，读作 {value:.6f}°"
        seen, degrees = str(frame[column].iloc[i]), float(read.value[i])
        report.mend(reading.table, int(frame.index[i]), "", message, column=column, cell=seen, value=degrees)
    part.facts.setdefault("bad", np.zeros(len(frame), bool))
    part.facts["bad"] |= read.wrong
    return read.value
