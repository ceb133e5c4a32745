"""What was read into a project: in one transaction, with the user's name in the book; and out of it again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from hydro.errors import HydroError
from layers.intake.intake import Import
from layers.store.project import Project, create_project, open_project
from layers.store.roles import User, local_user

CORRECTED = "columns"
"""The fact of a project that keeps how its users correct columns."""


@dataclass(frozen=True)
class Entered:
    """An import that was written: where, as which revision, how many rows of which table, and what stood there before."""

    url: str
    name: str
    revision: int
    made: bool
    counts: Mapping[str, int]
    files: tuple[str, ...]
    left_out: int = 0
    before: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)


def enter(
    outcome: Import,
    into: str | os.PathLike[str],
    *,
    files: Sequence[str],
    user: User | None = None,
    name: str = "",
    seen: int | None = None,
    leave_out: bool = False,
    corrected: Mapping[str, str] | None = None,
) -> Entered:
    """Write what was read into a project, which is made where there is none (``name``).

    ``seen`` is the revision it was read against: a project that has changed since is not written to.  ``leave_out`` is
    the user's word that rows refused are to stay behind; without it nothing enters while one is refused.  ``corrected``
    are columns that the user has named, kept with the project for the next import.
    Raises HydroError where a question is open, a row is refused, the project has changed, or may not be written.
    """
    report = outcome.report
    if report.asked:
        raise HydroError("still_asked", "还有 {count} 个问题没有回答，没有写入任何内容。", count=len(report.asked))
    if report.refused and not leave_out:
        raise HydroError("still_refused", "有 {count} 行被拒收，没有写入任何内容。", count=len(report.refused))
    if report.network.loops:
        message = "河网里有环，没有写入任何内容。请先改正环中一段的方向。"
        raise HydroError("still_loops", message)
    filled = {table: rows for table, rows in outcome.tables.items() if len(rows)}
    if not filled:
        raise HydroError("nothing_to_enter", "没有可写入的行。")
    why = "导入 " + "、".join(files)
    if report.refused:
        why += f"（{len(report.refused)} 行拒收，未写入）"
    user = user or local_user()
    made = "://" not in str(into) and not Path(into).exists()
    if made:
        facts = outcome.facts
        demo = facts.get("demo") in ("1", "true", "是")
        called = name or facts.get("name") or Path(into).stem
        project = create_project(into, name=called, demo=demo, tables=filled, user=user, why=why)
        before: dict[str, pd.DataFrame] = {}
        remember(project, corrected)
    else:
        project = open_project(into, user=user)
        user.must("write")
        before = project.tables(filled, geometry=True)
        with project.change() as work:
            if seen is not None and work.revision != seen:
                message = "您核对期间项目被改动过（第 {seen} 版，现为第 {now} 版），没有写入。请重新读取。"
                raise HydroError("moved_on", message, seen=seen, now=work.revision)
            work.write(filled, why=why, replace=False)
        remember(project, corrected)
    counts = {table: len(rows) for table, rows in filled.items()}
    return Entered(str(into), project.name, project.revision, made, counts, tuple(files), len(report.refused), before)


def take_back(entered: Entered, user: User | None = None) -> int:
    """Undo an import, as a change of its own, and return the revision after it; a project that it made is removed (0).

    Raises HydroError where the project has changed since: what others did is not undone along with it.
    """
    user = user or local_user()
    project = open_project(entered.url, user=user)
    if entered.made:
        user.must("administer")
        _same(project.revision, entered.revision)
        project.close()
        for suffix in ("", "-wal", "-shm"):
            Path(entered.url + suffix).unlink(missing_ok=True)
        return 0
    user.must("write")
    with project.change() as work:
        _same(work.revision, entered.revision)
        work.write(entered.before, why="撤销导入 " + "、".join(entered.files), replace=True)
    return work.revision


def _same(now: int, then: int) -> None:
    if now != then:
        message = (
            "导入之后项目又有改动（第 {then} 版，现为第 {now} 版），不能整体撤销。请改正个别行后再导入，或由备份恢复。"
        )
        raise HydroError("changed_since", message, then=then, now=now)


def corrections(project: Project) -> dict[str, str]:
    """Columns that users of a project have named in earlier imports: source column -> attribute."""
    kept: Any = json.loads(project.store.facts().get(CORRECTED) or "{}")
    return {str(source): str(attribute) for source, attribute in kept.items()}


def remember(project: Project, corrected: Mapping[str, str] | None) -> None:
    """Keep columns that the user has named with the project, for the next import."""
    from layers.store import sql

    known = corrections(project)
    if corrected and dict(known, **corrected) != known:
        with project.change() as work:
            sql.set_fact(work.connection, CORRECTED, json.dumps(dict(known, **corrected), ensure_ascii=False))
