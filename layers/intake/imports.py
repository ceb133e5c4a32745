"""Files into a project: read, checked, and written in one transaction, or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from hydro.errors import HydroError
from layers import columns
from layers.intake.intake import Import, Options
from layers.intake.read import Progress, read_sources, silent

CONTEXT = ("reaches", "sections", "outlets", "plants", "boundaries", "gates", "districts", "catchments", "plans")
"""What an import must know of the project that it enters."""


def import_sources(
    paths: Sequence[str | Path],
    into: str | os.PathLike[str],
    options: Options | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
    user: Any = None,
) -> Import:
    """Read files and write them into a project, which is made where there is none.

    Nothing is written if a row was refused, a question is open, or with ``dry_run``.  Rows of the same id are updated,
    the others added, so that importing twice changes nothing.  Columns and units that the user has named are kept with
    the project, and hold for the next import.  Raises HydroError for a project that cannot be opened or
    written.
    """
    from layers.intake.entering import corrections, remember

    project = _existing(into, user)
    options = options or Options()
    if project:
        options = replace(options, remembered=corrections(project))
    known: dict[str, pd.DataFrame] = project.tables(CONTEXT, geometry=True) if project else {}
    known = {name: rows for name, rows in known.items() if len(rows)}
    outcome = read_sources(paths, options, known, progress)
    if dry_run or not outcome.report.sound:
        return outcome
    filled = {name: rows for name, rows in outcome.tables.items() if len(rows)}
    why = "导入 " + "、".join(Path(path).name for path in paths)
    said = columns.load_mapping(options.map) if options.map else columns.Mapping_()
    if project:
        project.write(filled, why=why)
    else:
        from layers import create_project

        facts = outcome.facts
        name = facts.get("name") or Path(str(into)).stem
        project = create_project(
            into, name=name, demo=facts.get("demo") in ("1", "true", "是"), tables=filled, user=user, why=why
        )
    remember(project, columns.learned(said, options.units, outcome.readings))
    return outcome


def preview(paths: Sequence[str | Path], options: Options | None = None) -> Import:
    """What an import into a new project would do."""
    return read_sources(paths, options)


def _existing(into: str | os.PathLike[str], user: Any) -> Any:
    """The project to import into, or None where it has to be made."""
    from layers import open_project

    if "://" not in str(into):
        return open_project(into, user=user) if Path(into).exists() else None
    try:
        return open_project(into, user=user)
    except HydroError as wrong:
        if wrong.code == "missing_project":
            return None
        raise
