"""The demo basin as a project file, made when it is first asked for."""

from __future__ import annotations

import os
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "data" / "demo"


def demo_project(target: Path) -> Path:
    """Import ``data/demo`` into ``target`` unless it is there already; whole or not at all."""
    if target.exists():
        return target
    from hydro import Fault, FaultsError, HydroError
    from layers.imports import import_sources

    if not SOURCE.is_dir():
        raise HydroError("no_demo", "没有示例数据（{path}）。请用 QINGYUAN_PROJECT 指明要打开的项目", path=str(SOURCE))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}.gpkg")
    report = import_sources([SOURCE], draft).report
    if not report.sound:
        raise FaultsError(Fault("demo", "{line}", {"line": line}) for line in report.lines())
    draft.replace(target)
    return target
