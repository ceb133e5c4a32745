"""The rain of a storm as a person gives it: a number, a table of reaches, or a raster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hydro.columns import text
from hydro.errors import Fault, FaultsError, HydroError
from layers.formats import sheets
from layers.land.rainfall import rain_of_catchments, rain_of_reaches

if TYPE_CHECKING:
    from layers.store.project import Project

TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".xlsm", ".ods")
REACH = ("reach_id", "河段编号", "河段", "河段编码")
RAIN = ("rain_mm", "雨量", "降雨量", "雨量mm", "雨量(mm)", "雨量（mm）", "降雨量(mm)", "降雨量（mm）")
NAMED = 8


def storm_rain(project: Project, given: str) -> float | pd.Series[float]:
    """Millimetres everywhere, or by reach, as :func:`hydro.planning.storm` takes it.

    ``given``: a number; a table with the columns reach_id and rain_mm; or a raster with one band, averaged over the
    catchments of the project. Raises HydroError for a file that is not there or of no use, FaultsError for every row at
    fault.
    """
    try:
        return float(given)
    except ValueError:
        path = Path(given)
    if not path.is_file():
        message = "雨量“{given}”既不是毫米数，也没有这样的文件。请给出如 50，或雨量表（reach_id、rain_mm），或雨量栅格"
        raise HydroError("rain_given", message, given=given)
    if path.suffix.lower() in TABLES:
        return _by_table(project, path)
    catchments = project.table("catchments", geometry=True)
    if catchments.empty:
        message = "项目里没有汇水区，雨量栅格分不到河段。请先用 terrain 划分汇水区，或改给雨量表（reach_id、rain_mm）"
        raise HydroError("rain_no_catchments", message)
    rain = rain_of_catchments([path], catchments)
    if rain["time"].nunique() > 1:
        message = "雨量栅格 {file} 有 {count} 个时段，一场雨只要一个。请先取出或合计"
        raise HydroError("rain_bands", message, file=path.name, count=int(rain["time"].nunique()))
    return rain_of_reaches(rain, catchments, project.table("reaches", geometry=True))


def _by_table(project: Project, path: Path) -> pd.Series[float]:
    """Rain by reach; every reach must have one, and only one."""
    frame = _sheet(path)
    names = {str(name).strip().lower(): name for name in frame.columns}
    reach = next((names[word] for word in REACH if word in names), None)
    rain = next((names[word] for word in RAIN if word in names), None)
    if reach is None or rain is None:
        found = "、".join(str(name) for name in frame.columns) or "–"
        message = "雨量表 {file} 须有 reach_id 与 rain_mm 两列，现有：{found}"
        raise HydroError("rain_columns", message, file=path.name, found=found)
    ids = frame[reach].astype(str).str.strip()
    values = pd.to_numeric(frame[rain], errors="coerce").to_numpy(np.float64)
    known = text(project.table("reaches"), "reach_id")
    rows = [str(number) for number in frame.index]
    checks = {
        "雨量表第 {row} 行：没有河段 {id}。请核对编号": ~ids.isin(known).to_numpy(),
        "雨量表第 {row} 行：河段 {id} 重复。请只留一行": ids.duplicated().to_numpy(),
        "雨量表第 {row} 行：河段 {id} 的雨量“{value}”不是不小于 0 的毫米数。请改正": ~(values >= 0),
    }
    faults = [
        Fault(
            "rain_row",
            message,
            {"row": rows[i], "id": ids.iloc[i], "value": str(frame[rain].iloc[i])},
            "rain",
            rows[i],
        )
        for message, wrong in checks.items()
        for i in np.flatnonzero(wrong).tolist()
    ]
    if missing := known[~known.isin(ids)].tolist():
        told = "、".join(missing[:NAMED]) + ("…" if len(missing) > NAMED else "")
        message = "雨量表缺 {count} 个河段：{ids}。没有雨的河段请写 0"
        faults.append(Fault("rain_missing", message, {"count": len(missing), "ids": told}, "rain"))
    if faults:
        raise FaultsError(faults)
    return pd.Series(values, index=pd.Index(ids.to_numpy(), name="reach_id"), name="rain_mm")


def _sheet(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() in (".csv", ".txt", ".tsv"):
            return sheets.read_delimited(path).frame
        with path.open("rb") as file:
            head = file.read(4096)
        return next(iter(sheets.read_workbook(path, head))).frame
    except HydroError as wrong:
        raise HydroError(wrong.code, wrong.message, **{**wrong.params, "file": path.name}) from wrong
    except StopIteration as empty:
        raise HydroError("rain_empty", "雨量表 {file} 是空的", file=path.name) from empty
