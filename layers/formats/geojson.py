"""GeoJSON feature collections: properties and shapes as they are, broken shapes left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from hydro.errors import HydroError
from hydro.schema import KEYS
from layers.formats import encodings


@dataclass(frozen=True)
class Features:
    """Rows and shapes of a GeoJSON document, in its order; ``crs`` only where the document names one.

    ``table`` is blank unless every feature of the document names its table, as those do that ``export`` writes.
    """

    frame: pd.DataFrame
    geometry: NDArray[np.object_]
    crs: CRS | None = None
    table: str = ""


def read(raw: bytes) -> list[Features]:
    """Features in any encoding, one group a table that they name. Raises HydroError for what is no GeoJSON."""
    text, mixed = encodings.decode(raw)
    if mixed:
        raise HydroError("json_mixed", "{file} 混用了 UTF-8 和 GBK 两种编码。请重新导出为 UTF-8")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise HydroError("json_broken", "{file} 不是完好的 GeoJSON（{why}）", why=str(wrong)[:120]) from wrong
    crs = _named(parsed.get("crs")) if isinstance(parsed, dict) else None
    groups = _by_table(_features(parsed))
    return [Features(_rows(features), _shapes(features), crs, table) for table, features in groups.items()]


def _by_table(features: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Features by the table that each names; one group without a name unless all do."""
    named: dict[str, list[dict[str, Any]]] = {}
    for feature in features:
        properties = feature.get("properties")
        table = properties.get("table") if isinstance(properties, dict) else None
        if table not in (*KEYS, "project"):
            return {"": features}
        own = {key: value for key, value in feature["properties"].items() if key != "table"}
        named.setdefault(table, []).append({**feature, "properties": own})
    return named or {"": features}


def _rows(features: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The properties; a nested one is kept as its json."""
    rows: list[dict[str, Any]] = [f["properties"] if isinstance(f.get("properties"), dict) else {} for f in features]
    if any("id" in f for f in features) and not any("id" in row for row in rows):
        rows = [{"id": f.get("id"), **row} for f, row in zip(features, rows, strict=True)]
    frame = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1), dtype=object)
    return frame.map(lambda cell: json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | list) else cell)


def _features(parsed: Any) -> list[dict[str, Any]]:
    kind = parsed.get("type") if isinstance(parsed, dict) else None
    features = parsed.get("features") if kind == "FeatureCollection" else [parsed] if kind == "Feature" else None
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        raise HydroError("json_other", "{file} 不是 GeoJSON 要素集（缺少 FeatureCollection）")
    return features


def _named(crs: Any) -> CRS | None:
    """The system that a document of before 2016 names."""
    if not isinstance(crs, dict) or not isinstance(crs.get("properties"), dict):
        return None
    name = str(crs["properties"].get("name", ""))
    try:
        return CRS.from_user_input(name)
    except CRSError as wrong:
        message = "{file} 写明的坐标系“{crs}”无法识别。请改正或删去 crs 一项"
        raise HydroError("json_crs", message, crs=name[:60]) from wrong


def _shapes(features: Sequence[dict[str, Any]]) -> NDArray[np.object_]:
    """Geometries one by one: a broken one becomes None and is refused later, the others stay."""
    texts = np.array([json.dumps(f.get("geometry")) if f.get("geometry") else None for f in features], dtype=object)
    return np.asarray(shapely.force_2d(shapely.from_geojson(texts, on_invalid="ignore")), dtype=object)
