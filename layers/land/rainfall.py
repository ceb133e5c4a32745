"""Rain from rasters: the mean over every catchment, and the rain of every reach as a storm takes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from hydro.columns import text
from hydro.errors import HydroError
from layers.land import raster
from layers.land.zones import Zones, drawn_km2, each_once

if TYPE_CHECKING:
    from layers.store.project import Project

MOST_MM = 5000.0
"""No month anywhere in China brings more; a day far less."""
STEPS = {"hour": "h", "day": "D", "month": "M", "year": "Y"}
PARTED = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[-_.年/](0?[1-9]|1[0-2])(?!\d)"
    r"(?:[-_.月/](0?[1-9]|[12]\d|3[01])(?!\d)(?:日?[-_T ]?([01]?\d|2[0-3])[:时])?)?"
)
JOINED = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(?![-_.年/]\d{1,2}(?!\d))"
    r"(?:(0[1-9]|1[0-2])(?:(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])?)?)?(?!\d)"
)
COLUMNS = ("time", "id", "kind", "drains_to", "rain_mm", "known")


def rain_of_catchments(
    paths: Sequence[Path],
    catchments: pd.DataFrame,
    *,
    start: str = "",
    step: str = "",
    scale: float = 1.0,
    crs: str = "",
    nodata: float | None = None,
) -> pd.DataFrame:
    """Mean rain (mm) of every catchment in every band of one or several rasters, a row each, in order of time.

    Columns time, id, kind, drains_to, rain_mm (NaN where the raster knows nothing), known (part of the catchment that it
    knows). A band's time is in its name, or the file's where that has one band; else ``start`` (2022-07) and ``step``
    (hour, day, month, year) count the bands; a single raster may go without. ``scale`` makes mm of the file's numbers.
    Raises HydroError for a time that is not told or told twice, and for values that no rain has.
    """
    times = _times(paths, start, step)
    rows = catchments.assign(id=catchments["id"].astype(str)).set_index("id")
    found = []
    for path, stamps in zip(paths, times, strict=True):
        with Zones.over(path, catchments, crs=crs, nodata=nodata) as zones:
            for band, stamp in enumerate(stamps, 1):
                means = zones.means(band) * scale
                _must_be_rain(means, path.name)
                here = rows.loc[list(means.index)]
                found.append(
                    pd.DataFrame(
                        {
                            "time": stamp,
                            "id": means.index,
                            "kind": text(here, "kind").to_numpy() if "kind" in here else "",
                            "drains_to": text(here, "drains_to").to_numpy(),
                            "rain_mm": means["mean"].round(3).to_numpy(),
                            "known": zones.known(band).round(4).to_numpy(),
                        }
                    )
                )
    table = pd.concat(found, ignore_index=True)
    return table.sort_values("time", kind="stable", ignore_index=True)[list(COLUMNS)]


def rain_of_reaches(rain: pd.DataFrame, catchments: pd.DataFrame, reaches: pd.DataFrame) -> pd.Series[float]:
    """The rain of every reach (mm) at one time, as :func:`hydro.planning.storm` takes it: that of its own catchment, else of the
    catchment in which its middle lies.

    ``rain``: rows of :func:`rain_of_catchments` of one time. Raises HydroError for reaches that no catchment with rain
    holds.
    """
    known = rain.dropna(subset=["rain_mm"]).drop_duplicates("id").set_index("id")["rain_mm"]
    own = rain[rain["kind"] == "reach"].dropna(subset=["rain_mm"]).drop_duplicates("drains_to")
    by_reach = own.set_index("drains_to")["rain_mm"]
    ids = text(reaches, "reach_id")
    fallen = np.array(ids.map(by_reach), np.float64)
    land = catchments[catchments["id"].astype(str).isin(known.index)]
    if "kind" in land:
        land = land[text(land, "kind") != "section"]
    shapes, lines = np.asarray(land["geometry"], object), np.asarray(reaches["geometry"], object)
    open_ = np.flatnonzero(np.isnan(fallen) & ~shapely.is_missing(lines))
    if len(open_) and len(shapes):
        middle = shapely.line_interpolate_point(lines[open_], 0.5, normalized=True)
        point, inside = shapely.STRtree(shapes).query(middle, predicate="within")
        fallen[open_[point]] = known.loc[land["id"].astype(str).to_numpy()[inside]].to_numpy()
    if missing := ids[np.isnan(fallen)].tolist():
        message = (
            "{count} 条河段不在任何有雨量的汇水区内：{reaches}。请先用 terrain 划分汇水区，或换一个盖住流域的雨量栅格"
        )
        told = "、".join(missing[:8]) + ("……" if len(missing) > 8 else "")
        raise HydroError("no_rain", message, count=len(missing), reaches=told)
    return pd.Series(fallen, index=pd.Index(ids.to_numpy(), name="reach_id"), name="rain_mm")


def weather_rows(rain: pd.DataFrame, catchments: pd.DataFrame, place: str) -> pd.DataFrame:
    """The basin's mean at every time as the table ``weather`` takes it, weighted by the area of the catchments."""
    single = each_once(rain)
    areas = drawn_km2(catchments.assign(id=catchments["id"].astype(str)).set_index("id"))
    weight = single["id"].map(areas).to_numpy(np.float64) * single["known"].to_numpy(np.float64)
    weighed = (
        single.assign(weight=weight, amount=weight * single["rain_mm"].fillna(0.0))
        .groupby("time")[["weight", "amount"]]
        .sum()
    )
    mean = (weighed["amount"] / weighed["weight"].where(weighed["weight"] > 0)).dropna()
    return pd.DataFrame({"time": mean.index.to_numpy(), "place": place, "rain_mm": mean.round(2).to_numpy()})


def stamp_in(words: str) -> str:
    """The only time that a name tells, in ISO form (2022, 2022-07, 2022-07-03, 2022-07-03T08:00); blank for none or two."""
    found = {match.groups() for match in PARTED.finditer(words)} or {match.groups() for match in JOINED.finditer(words)}
    if len(found) != 1:
        return ""
    year, month, day, hour = next(iter(found))
    date = "-".join([year, *(f"{int(part):02d}" for part in (month, day) if part)])
    return f"{date}T{int(hour):02d}:00" if hour else date


def _times(paths: Sequence[Path], start: str, step: str) -> list[list[str]]:
    """Times of the bands of every file."""
    counts, names = [], []
    for path in paths:
        with raster.opened(path) as source:
            counts.append(source.count)
            names.append([str(words or "") for words in source.descriptions])
    if start or step:
        return _counted(counts, start, step)
    found = [
        [stamp_in(path.stem)] if count == 1 and not stamp_in(words[0]) else [stamp_in(each) for each in words]
        for path, count, words in zip(paths, counts, names, strict=True)
    ]
    if sum(counts) == 1:
        return found
    every = [stamp for stamps in found for stamp in stamps]
    if "" in every:
        path = next(path for path, stamps in zip(paths, found, strict=True) if "" in stamps)
        message = "{file} 的波段没有说明时间。请用 --start 2022-01 --step month 说明（step：hour、day、month、year），或在文件名里写上时间"
        raise HydroError("rain_time", message, file=path.name)
    if twice := sorted({stamp for stamp in every if every.count(stamp) > 1}):
        message = "时间 {times} 的雨量不止一份。请每个时间只给一个波段"
        raise HydroError("rain_time_twice", message, times="、".join(twice[:5]))
    return found


def _counted(counts: Sequence[int], start: str, step: str) -> list[list[str]]:
    if step not in STEPS or not start:
        message = "--start 与 --step 须一起给出，step 为 {known} 之一，如 --start 2022-01 --step month"
        raise HydroError("rain_step", message, known="、".join(STEPS))
    try:
        every = pd.period_range(start=pd.Period(start, freq=STEPS[step]), periods=sum(counts))
    except ValueError as wrong:
        message = "--start {start} 不是时间。请写成 2022、2022-07、2022-07-03 或 2022-07-03T08:00"
        raise HydroError("rain_start", message, start=start) from wrong
    words = {"hour": "%Y-%m-%dT%H:00", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[step]
    stamps = [each.strftime(words) for each in every]
    ends = np.cumsum(counts).tolist()
    return [stamps[end - count : end] for end, count in zip(ends, counts, strict=True)]


def _must_be_rain(means: pd.DataFrame, file: str) -> None:
    for extreme in (float(np.nanmin(means["least"], initial=0.0)), float(np.nanmax(means["most"], initial=0.0))):
        if not 0.0 <= extreme <= MOST_MM:
            message = (
                "{file} 里有 {value:g} mm 的雨量，不可能（应在 0～{limit:g} 之间）。"
                "若是无值，请加 --nodata {value:g}；若单位不是毫米，请用 --scale 换算（如 0.1 毫米：--scale 0.1）"
            )
            raise HydroError("rain_values", message, file=file, value=extreme, limit=MOST_MM)


def by_reaches(rain: pd.DataFrame, catchments: pd.DataFrame, reaches: pd.DataFrame) -> pd.DataFrame:
    """The rain of every reach at every time: columns time, reach_id, rain_mm."""
    found = []
    for time, rows in rain.groupby("time", sort=False):
        fallen = rain_of_reaches(rows, catchments, reaches).rename("rain_mm").reset_index()
        fallen.insert(0, "time", time)
        found.append(fallen)
    return pd.concat(found, ignore_index=True)


def keep_rain(project: Project, rain: pd.DataFrame, catchments: pd.DataFrame, place: str, *, why: str) -> None:
    """Write the basin's mean rain to ``weather`` under a place. Raises HydroError where the raster told no time."""
    if (rain["time"] == "").any():
        message = "雨量没有时间，不能存入 weather 表。请用 --start 与 --step 说明时间"
        raise HydroError("rain_untimed", message)
    project.write({"weather": weather_rows(rain, catchments, place)}, why=why)
