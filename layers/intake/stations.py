"""Stations of measurements, which a file may give by name and without a kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hydro.columns import text
from hydro.schema import KEYS, STATIONS
from layers.report import Report


def stations(
    rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame], words: Mapping[str, str], report: Report
) -> pd.DataFrame:
    """Ids and kinds of the stations of measurements, which a file may give by name and without a kind."""
    rows = rows.copy()
    written = text(rows, "station_id")
    kinds = text(rows, "station_kind") if "station_kind" in rows else pd.Series("", index=rows.index, dtype=object)
    pairs = pd.DataFrame(
        {"station": written.to_numpy(object), "kind": kinds.to_numpy(object), "hint": rows["__words"].to_numpy(object)}
    )
    groups = pairs.groupby(list(pairs), sort=False, dropna=False)
    which = groups.ngroup().to_numpy()
    distinct = pairs.drop_duplicates().itertuples(index=False, name=None)
    found = [_station(station, kind, hint, tables, report) for station, kind, hint in distinct]
    for place, name in enumerate(("station_id", "station_kind")):
        rows[name] = np.array([one[place] for one in found], dtype=object)[which]
    return rows


HINTS = {
    "排口": "outlet",
    "排污口": "outlet",
    "outlet": "outlet",
    "污水": "plant",
    "厂": "plant",
    "plant": "plant",
    "断面": "section",
    "section": "section",
    "闸": "gate",
    "入境": "boundary",
}


def _station(station: str, kind: str, hint: str, tables: Mapping[str, pd.DataFrame], report: Report) -> tuple[str, str]:
    hinted = kind or next((meant for word, meant in HINTS.items() if word in hint), "")
    order = [hinted] if hinted else list(STATIONS)
    matches: list[tuple[str, str]] = []
    for each in order:
        table = tables.get(STATIONS.get(each, ""))
        if table is None or not len(table):
            continue
        ids = text(table, KEYS[STATIONS[each]][0])
        if (ids == station).any():
            return station, each
        for column in ("name", "code"):
            if column in table:
                matches += [(str(name), each) for name in ids[(text(table, column) == station).to_numpy(bool)]]
    distinct = list(dict.fromkeys(matches))
    if len(distinct) == 1:
        return distinct[0]
    if len(distinct) > 1:
        message = "测点“{station}”对应多个对象：{ids}。监测数据按原编号保存，请改用编号"
        report.warn(
            "station_ambiguous",
            message,
            table="observations",
            station=station,
            ids="、".join(name for name, _ in distinct),
        )
    return station, hinted or "section"
