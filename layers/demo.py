"""The demo basin as a project file, made when it is first asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from layers.project import create_project

SOURCE = Path(__file__).parents[1] / "data" / "demo"


def demo_project(target: Path) -> Path:
    """Import ``data/demo`` into ``target`` unless it is there already; whole or not at all."""
    if target.exists():
        return target
    import geopandas as gpd

    from hydro import HydroError

    if not SOURCE.is_dir():
        raise HydroError("no_demo", "没有示例数据（{path}）。请用 QINGYUAN_PROJECT 指明要打开的项目", path=str(SOURCE))
    tables: dict[str, pd.DataFrame] = {
        path.stem: gpd.read_file(path).set_crs(4490, allow_override=True) for path in SOURCE.glob("*.geojson")
    }
    tables |= {path.stem: pd.read_csv(path, dtype=str) for path in SOURCE.glob("*.csv") if path.stem != "project"}
    facts = pd.read_csv(SOURCE / "project.csv", dtype=str).iloc[0]
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}.gpkg")
    create_project(draft, name=str(facts["name"]), demo=facts["demo"] == "1", tables=tables, why="data/demo").close()
    draft.replace(target)
    return target
