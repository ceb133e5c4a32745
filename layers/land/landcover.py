"""Diffuse phosphorus of every catchment from a land-use raster: which classes, how much of each, what they give off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hydro.columns import numbers, text
from hydro.errors import Fault, HydroError
from hydro.export import export_tp, lateral_tp_mg_l
from hydro.load import lateral_inflow_m3_s
from hydro.network import RiverNetwork
from hydro.transport import conditions
from layers.land.zones import Zones, drawn_km2, each_once
from layers.standards import FOLDER, load_table, own_table

if TYPE_CHECKING:
    from layers.store.project import Project

PREFIX = "landcover-"
KNOWN_TOLD = 0.98
COLUMNS = ("id", "kind", "drains_to", "area_km2", "tp_low_kg_a", "tp_kg_a", "tp_high_kg_a", "tp_kg_d", "counted_km2",
           "uncounted_km2", "unknown_km2")  # fmt: skip


@dataclass(frozen=True)
class Diffuse:
    """Diffuse TP by catchment (``table``, :data:`COLUMNS`), its classes in km² (``uses``), and what is worth knowing."""

    table: pd.DataFrame
    uses: pd.DataFrame
    classes: str
    notes: list[Fault]


def class_tables() -> dict[str, pd.DataFrame]:
    """The shipped lists of classes by name (columns code, name_zh, name_en, source_type): globeland30, worldcover …"""
    return {path.stem.removeprefix(PREFIX): load_table(path.stem) for path in sorted(FOLDER.glob(f"{PREFIX}*.csv"))}


def diffuse_of_land_use(
    path: Path,
    catchments: pd.DataFrame,
    *,
    classes: str = "",
    coefficients: pd.DataFrame | None = None,
    crs: str = "",
    nodata: float | None = None,
) -> Diffuse:
    """Diffuse TP of every catchment (table ``catchments`` with geometry) by its land use.

    ``classes`` names a shipped list of classes or a csv file of the same columns. Cells without a value give nothing and
    their area is told, as is the area of classes without a coefficient. Raises HydroError where the list is not named
    (the lists that hold every code are proposed) or lacks a code of the raster.
    """
    with Zones.over(path, catchments, crs=crs, nodata=nodata) as zones:
        shares, known = zones.shares(), zones.known()
    if not len(shares.columns):
        raise HydroError("raster_empty", "{file} 里没有一个有效的像元。请检查文件与无值（nodata）设置", file=path.name)
    listed = _class_table(classes, list(map(str, shares.columns)), path.name)
    rows = catchments.assign(id=catchments["id"].astype(str)).set_index("id").loc[list(shares.index)]
    area = drawn_km2(rows)
    uses = shares.mul(area * known, axis=0)
    used = pd.Series(text(listed, "source_type").to_numpy(), index=text(listed, "code").to_numpy())
    load = export_tp(
        uses,
        dict(zip(used.index, used, strict=True)),
        load_table("export-coefficients") if coefficients is None else coefficients,
    )
    table = pd.DataFrame(
        {
            "id": shares.index,
            "kind": text(rows, "kind").to_numpy() if "kind" in rows else "",
            "drains_to": text(rows, "drains_to").to_numpy(),
            "area_km2": area.to_numpy(),
            "unknown_km2": (area * (1 - known)).to_numpy(),
            "tp_kg_d": load["tp_kg_a"].to_numpy() / 365.25,
        }
        | {name: load[name].to_numpy() for name in load}
    )
    once = each_once(table)
    notes = _notes(uses.loc[once["id"]], used, once, path.name)
    return Diffuse(table[list(COLUMNS)], uses, classes, notes)


def lateral_rows(network: RiverNetwork, diffuse: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """``lateral_tp_mg_l`` of every reach with a catchment of its own, from its diffuse load; and the reaches without water.

    Columns reach_id, lateral_tp_mg_l, as the table ``reaches`` takes them. The water is the reach's own lateral inflow at
    the tables' discharge.
    """
    own = diffuse[diffuse["kind"] == "reach"]
    if not len(own):
        message = "没有河段自身的汇水区，不能把面源写到河段。请先用 terrain 由 DEM 划分（加 --save）"
        raise HydroError("no_reach_catchments", message)
    water = pd.Series(lateral_inflow_m3_s(network, conditions(network)), index=network.reaches.index.astype(str))
    own = own[own["drains_to"].isin(water.index)]
    found = lateral_tp_mg_l(numbers(own, "tp_kg_a"), np.asarray(water[own["drains_to"]], np.float64))
    table = pd.DataFrame({"reach_id": own["drains_to"].to_numpy(), "lateral_tp_mg_l": np.round(found, 8)})
    dry = table[table["lateral_tp_mg_l"].isna()]["reach_id"].tolist()
    notes = []
    if dry:
        message = "{count} 条河段没有旁侧入流（流量不大于来水），面源负荷 {load:.0f} kg/a 没有水携带，未写入：{reaches}"
        lost = float(own[np.isnan(found)]["tp_kg_a"].sum())
        told = "、".join(dry[:8]) + ("……" if len(dry) > 8 else "")
        params = {"count": len(dry), "load": lost, "reaches": told}
        notes.append(Fault("no_lateral_water", message, params, "reaches", warning=True))
    return table.dropna().reset_index(drop=True), notes


def catchment_rows(diffuse: pd.DataFrame) -> pd.DataFrame:
    """The diffuse load as the table ``catchments`` takes it."""
    return diffuse[["id", "tp_kg_a", "tp_low_kg_a", "tp_high_kg_a"]].round(3)


def _class_table(named: str, codes: list[str], file: str) -> pd.DataFrame:
    shipped = class_tables()
    if not named:
        fitting = [name for name, table in shipped.items() if set(codes) <= set(text(table, "code"))]
        message = "{file} 的用地类代码是哪一套？请用 --classes 指明；代码全都在内的有：{fitting}（可用：{known}，或自己的 csv）"
        raise HydroError(
            "classes_asked", message, file=file, fitting="、".join(fitting) or "—", known="、".join(shipped)
        )
    table = shipped[named] if named in shipped else _own_table(named, list(shipped))
    missing = [code for code in codes if code not in set(text(table, "code"))]
    if missing:
        message = (
            "{file} 里的用地类代码 {codes} 不在 {classes} 里。请换一套代码（--classes），或在自己的 csv 里补上这些代码"
        )
        raise HydroError("classes_unknown", message, file=file, codes="、".join(missing[:20]), classes=named)
    return table


def _own_table(named: str, known: list[str]) -> pd.DataFrame:
    if not Path(named).is_file():
        message = "没有用地类表 {classes}。可用：{known}，或给一个 csv 文件（列 code、name_zh、name_en、source_type）"
        raise HydroError("classes_missing", message, classes=named, known="、".join(known))
    table = own_table(named)
    if lacking := [name for name in ("code", "source_type") if name not in table]:
        message = "用地类表 {classes} 缺少列 {columns}。应有 code、name_zh、name_en、source_type"
        raise HydroError("classes_columns", message, classes=named, columns="、".join(lacking))
    return table


def _notes(uses: pd.DataFrame, used: pd.Series[str], table: pd.DataFrame, file: str) -> list[Fault]:
    notes = []
    uncounted = {
        code: float(uses[code].sum()) for code in map(str, uses.columns) if not used[code] and uses[code].sum() > 0
    }
    if uncounted:
        message = "下列用地类代码没有输出系数，不计负荷：{uses}。如需计入，请在用地类表里指定 source_type"
        told = "、".join(f"{code}（{area:.1f} km²）" for code, area in uncounted.items())
        notes.append(Fault("uncounted", message, {"uses": told}, "catchments", warning=True))
    unknown = table["unknown_km2"].sum()
    if unknown > (1 - KNOWN_TOLD) * table["area_km2"].sum():
        message = "{file} 没有盖住 {area:.1f} km² 汇水区（{share:.0%}），这部分不计负荷"
        params = {"file": file, "area": float(unknown), "share": float(unknown / table["area_km2"].sum())}
        notes.append(Fault("land_unknown", message, params, "catchments", warning=True))
    return notes


def keep_diffuse(project: Project, diffuse: Diffuse, file: str) -> list[Fault]:
    """Write the diffuse load to ``catchments`` and, as ``lateral_tp_mg_l``, to ``reaches``; what could not be is returned.

    Raises HydroError where no reach has a catchment of its own, or the user may not write.
    """
    rows, notes = lateral_rows(project.network(), diffuse.table)
    project.write(
        {"catchments": catchment_rows(diffuse.table), "reaches": rows}, why=f"landuse {file} {diffuse.classes}"
    )
    return notes
