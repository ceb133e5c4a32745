"""What a meeting tells, step by step: kept with the project, a story a month, every change in the book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydro.columns import number, text
from hydro.errors import Fault, FaultsError

if TYPE_CHECKING:
    from layers.store.desk import Desk

TABLE = "stories"
OF_A_SECTION = ("section", "trace", "causes")
KINDS = ("situation", *OF_A_SECTION, "plan", "tasks")
LONGEST_NOTE, MOST_STEPS = 500, 200


@dataclass(frozen=True)
class Step:
    """One view of the meeting: what it shows, of which section, and the note of whoever presents."""

    kind: str
    section_id: str = ""
    note: str = ""


def story_of(project: Desk, month: str) -> tuple[Step, ...]:
    """The story kept for a month, in its order; empty where nobody has kept one."""
    rows = project.table(TABLE)
    rows = rows[text(rows, "month") == month]
    rows = rows.assign(step=number(rows, "step")).sort_values("step")
    columns = [text(rows, name) for name in ("kind", "section_id", "note")]
    return tuple(Step(*row) for row in zip(*columns, strict=True))


def keep_story(project: Desk, month: str, steps: Iterable[Step], *, why: str) -> int:
    """Keep a story in place of the month's earlier one (none: the usual order again), and return the revision.

    Raises:
        FaultsError: every step that cannot be told, and nothing is kept.
        HydroError: the user may not write.
    """
    project.user.must("write", [""])  # what the meeting is told belongs to the whole city
    told = list(steps)
    with project.change() as work:
        known = {str(row["section_id"]) for row in work.rows("sections")}
        if faults := list(_faults(told, known)):
            raise FaultsError(faults)
        before = {int(row["step"]): row for row in work.rows(TABLE, month=month)}
        for i, one in enumerate(told, 1):
            new: dict[str, Any] = {
                "month": month, "step": i, "kind": one.kind, "section_id": one.section_id or None, "note": one.note or None,
            }  # fmt: skip
            old = before.pop(i, None)
            if old is None or any(old.get(name) != value for name, value in new.items()):
                work.put(TABLE, old, new, "write", why)
        for old in before.values():
            work.put(TABLE, old, None, "write", why)
    return work.revision


def steps_from(given: object) -> list[Step]:
    """Steps as a page sends them: anything that is no step becomes one that :func:`keep_story` refuses."""
    rows = given if isinstance(given, list) else []
    found = [row if isinstance(row, Mapping) else {} for row in rows]
    return [Step(*(str(row.get(name) or "") for name in ("kind", "section", "note"))) for row in found]


def _faults(steps: list[Step], sections: set[str]) -> Iterable[Fault]:
    if len(steps) > MOST_STEPS:
        yield _fault(
            "too_long", "故事有 {count} 步，最多 {most} 步。请分成几次讲", "", count=len(steps), most=MOST_STEPS
        )
    for i, one in enumerate(steps[:MOST_STEPS], 1):
        if one.kind not in KINDS:
            message = "第 {step} 步：没有“{kind}”这种画面。可用：{known}"
            yield _fault("no_view", message, i, step=i, kind=one.kind, known="、".join(KINDS))
        elif one.kind in OF_A_SECTION and one.section_id not in sections:
            yield _fault("no_section", "第 {step} 步：没有编号为“{section}”的断面", i, step=i, section=one.section_id)
        if len(one.note) > LONGEST_NOTE:
            message = "第 {step} 步：备注 {count} 字，最多 {most} 字"
            yield _fault("long_note", message, i, step=i, count=len(one.note), most=LONGEST_NOTE)


def _fault(code: str, message: str, row: object, **params: Any) -> Fault:
    return Fault(code, message, params, TABLE, str(row))
