"""KML placemarks: names, extended data and shapes. Entities are not resolved and nothing outside is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydro.errors import HydroError

DEFINITIONS = re.compile(rb"<!DOCTYPE|<!ENTITY", re.I)


@dataclass(frozen=True)
class Placemarks:
    """Rows and shapes of a KML document."""

    frame: pd.DataFrame
    geometry: NDArray[np.object_]


def read(raw: bytes) -> Placemarks:
    """All placemarks, in the order of the document; longitude and latitude in WGS 84. Raises HydroError if broken."""
    from lxml import etree

    if DEFINITIONS.search(raw, 0, 1 << 16):
        raise HydroError("kml_doctype", "{file} 自带实体定义（DOCTYPE），可能有害，已拒绝。请重新导出为普通 KML")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise HydroError("kml_broken", "{file} 不是完好的 KML（{why}）", why=str(wrong)[:120]) from wrong
    if root.getroottree().docinfo.doctype:
        raise HydroError("kml_doctype", "{file} 自带实体定义（DOCTYPE），可能有害，已拒绝。请重新导出为普通 KML")
    rows: list[dict[str, str]] = []
    shapes: list[Any] = []
    for placemark in root.iter("{*}Placemark"):
        row = {"name": placemark.findtext("{*}name") or "", "description": placemark.findtext("{*}description") or ""}
        for data in placemark.iter("{*}Data"):
            row[data.get("name") or ""] = data.findtext("{*}value") or ""
        for data in placemark.iter("{*}SimpleData"):
            row[data.get("name") or ""] = data.text or ""
        rows.append({key: value.strip() for key, value in row.items() if key})
        shapes.append(_shape(placemark))
    if not rows:
        raise HydroError("kml_empty", "{file} 里没有地标（Placemark）")
    frame = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1), dtype=object)
    if not frame["description"].astype(bool).any():
        frame = frame.drop(columns="description")
    return Placemarks(frame, np.array([*shapes, None], dtype=object)[:-1])


def _shape(placemark: Any) -> Any:
    """The placemark's shape; several parts of one kind become a multipart, a broken one None."""
    try:
        lines = [shapely.linestrings(_points(e)) for e in placemark.iter("{*}LineString")]
        points = [shapely.points(_points(e)[0]) for e in placemark.iter("{*}Point")]
        polygons = [_polygon(e) for e in placemark.iter("{*}Polygon")]
    except (ValueError, IndexError, shapely.errors.ShapelyError):
        return None
    for parts, collect in (
        (lines, shapely.multilinestrings),
        (polygons, shapely.multipolygons),
        (points, shapely.multipoints),
    ):
        if parts:
            return parts[0] if len(parts) == 1 else collect(parts)
    return None


def _polygon(element: Any) -> Any:
    rings = [_points(e) for e in element.iter("{*}LinearRing")]
    return shapely.polygons(rings[0], holes=[shapely.linearrings(ring) for ring in rings[1:]] or None)


def _points(element: Any) -> list[tuple[float, float]]:
    text = element.findtext("{*}coordinates") or ""
    triples = (part.split(",") for part in text.split())
    return [(float(triple[0]), float(triple[1])) for triple in triples]
