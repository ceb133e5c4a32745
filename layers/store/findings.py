"""What was found on the spot about an exceedance: kept with the project, entered in the book, and given to whoever judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydro.causes.findings import CONFIRMED, EXCLUDED, FieldFinding
from hydro.columns import text
from hydro.errors import HydroError

if TYPE_CHECKING:
    from layers.store.desk import Desk
    from layers.store.work import Work

TABLE = "findings"
WORDS = {CONFIRMED: "现场核查：确认", EXCLUDED: "现场核查：排除"}
BEYOND_REGISTERS = ("UNREGISTERED", "DIFFUSE")


def field_findings(project: Desk) -> tuple[FieldFinding, ...]:
    """Every finding of a project."""
    rows = project.table(TABLE)
    columns = [text(rows, name) for name in ("source_id", "time", "verdict", "note")]
    return tuple(FieldFinding(*row) for row in zip(*columns, strict=True))


def record_finding(project: Desk, one: FieldFinding, *, found_on: str) -> int:
    """Keep a finding (an earlier one on the same source and time gives way to it), and return the project's revision.

    Raises :class:`HydroError` for a verdict or a source that there is not, or where the user may not write.
    """
    if one.verdict not in WORDS:
        raise HydroError(
            "no_verdict", "没有“{verdict}”这一结论，可用：{known}", verdict=one.verdict, known="、".join(WORDS)
        )
    if not one.time.strip():
        raise HydroError("no_finding_time", "现场核查须注明所查的月份或时刻，如 2022-07")
    with project.change() as work:
        _must(project, work, one.source_id)
        new = {
            "time": one.time, "source_id": one.source_id, "verdict": one.verdict, "note": one.note,
            "found_by": project.user.name, "found_on": found_on,
        }  # fmt: skip
        before = work.rows(TABLE, time=one.time, source_id=one.source_id)
        work.put(TABLE, before[0] if before else None, new, "write", one.note or WORDS[one.verdict])
    return work.revision


def withdraw_finding(project: Desk, source_id: str, time: str, *, why: str = "") -> int:
    """Take a finding back; the book keeps that it was there. Raises :class:`HydroError` where there is none."""
    with project.change() as work:
        _must(project, work, source_id)
        before = work.rows(TABLE, time=time, source_id=source_id)
        if not before:
            raise HydroError("no_finding", "{time} 没有关于 {source} 的现场核查", time=time, source=source_id)
        work.put(TABLE, before[0], None, "write", why or "撤回现场核查")
    return work.revision


def _must(project: Desk, work: Work, source_id: str) -> None:
    """Refuse whom the source's county is not theirs; a source that no register holds belongs to the whole city."""
    county = ""
    if source_id not in BEYOND_REGISTERS:
        rows = (
            work.rows("outlets", outlet_id=source_id)
            or work.rows("plants", plant_id=source_id)
            or work.rows("boundaries", boundary_id=source_id.removeprefix("INBOUND:"))
        )
        if not rows:
            raise HydroError("no_such_source", "项目里没有来源 {source}。请核对编号", source=source_id)
        county = str(rows[0].get("county") or "")
    project.user.must("write", [county])
