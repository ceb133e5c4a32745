"""The tables of a pack: what each column is called, its unit and how its numbers are written. Shared by all documents."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hydro.causes.sampling import patrol
from hydro.columns import number, text
from layers.maps.style import status
from reports import phrases
from reports.content import Content, SectionReport, Task
from reports.patrol import with_routes
from reports.printable import clean

Cell = str | float | None


@dataclass(frozen=True)
class Column:
    """One column: heading, unit (blank for words), decimals, width in characters, whether it shows a bar, and whether it
    is centred (else words stand left, numbers right).
    """

    name: str
    unit: str = ""
    digits: int = 3
    width: int = 12
    percent: bool = False
    bar: bool = False
    centred: bool = False

    @property
    def heading(self) -> str:
        """Name with its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Table:
    """A table with its title and rows; a missing number is None."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title}: a row is not as long as the heading")


def all_tables(content: Content) -> list[Table]:
    """Every table of the pack that has rows."""
    made = (
        section_table(content),
        history_table(content),
        source_table(content),
        next_table(content),
        patrol_table(content),
        outlet_table(content),
        plant_table(content),
        plan_table(content),
        effect_table(content),
        task_table(content),
    )
    return [table for table in made if table.rows]


def section_table(content: Content) -> Table:
    """Every section: target, measured, margin, headroom, class, status."""
    say = phrases.headings(content)
    columns = (
        Column(say("断面"), width=16), Column(say("河流"), width=14), Column(say("级别"), width=8), Column(say("县（市、区）"), width=12),
        Column(say("目标"), "mg/L", 2), Column(say("总磷"), "mg/L"), Column(say("余量"), "mg/L"), Column(say("可增负荷"), "kg/d", 1),
        Column(say("超标倍数"), "", 2), Column(say("总磷类别"), width=10, centred=True), Column(say("状态"), width=18),
        Column(say("流量"), "m³/s", 2), Column(say("连续超标月数"), "", 0), Column(say("依据"), width=20),
    )  # fmt: skip
    rows = tuple(
        (
            one.name, one.river, one.level, one.county, *map(known, (one.target.value, one.measured.value)),
            known(one.margin_mg_l), known(one.headroom.value), known(max(one.multiple, 0.0)) if one.measured.known else None,
            phrases.grade(content, one.water_class), say(phrases.STATUS[one.status]), known(one.discharge.value),
            float(one.months_over), phrases.basis(content, one.measured),
        )
        for one in content.sections
    )  # fmt: skip
    return Table(say("断面"), columns, rows)


def history_table(content: Content) -> Table:
    """Total phosphorus by month, a column a section."""
    say = phrases.headings(content)
    months = sorted({month for one in content.sections for month, _ in one.history})
    seen = [dict(one.history) for one in content.sections]
    columns = (Column(say("月份"), width=10), *(Column(one.name, "mg/L", width=14) for one in content.sections))
    return Table(say("逐月总磷"), columns, tuple((month, *(known(own.get(month)) for own in seen)) for month in months))


def next_table(content: Content) -> Table:
    """For every section that exceeds: the most probable cause, what speaks for it, and where to take the next sample."""
    say = phrases.headings(content)
    columns = (
        Column(say("断面"), width=14), Column(say("最可能的原因"), width=18), Column(say("可能性"), "", 0, 8, percent=True),
        Column(say("依据（＋支持，－不支持）"), width=44), Column(say("下一个采样点"), width=34),
    )  # fmt: skip
    rows = tuple(
        (one.name, first.name, first.probability, phrases.joined(content, first.evidence[:2]), one.next_sample or "—")
        for one in content.measured
        for first in one.causes[:1]
    )
    return Table(say("下一步采样"), columns, rows)


def patrol_table(content: Content, sections: Sequence[SectionReport] | None = None, stops: int = 20) -> Table:
    """For every section that exceeds (or some of them): the outlets to visit, in the order in which a visit tells most."""
    say = phrases.headings(content)
    columns = (
        Column(say("断面"), width=14), Column(say("次序"), "", 0, 6), Column(say("去哪里"), width=30),
        Column(say("可能性"), "", 1, 9, percent=True), Column(say("河段"), width=10), Column(say("距断面"), "km", 1, 9),
        Column(say("县（市、区）"), width=14), Column(say("乡镇"), width=12), Column(say("网格"), width=14),
    )  # fmt: skip
    rows = tuple(
        (
            one.name, float(stop["order"]), clean(stop["name"]), known(stop["probability"]), clean(stop["reach_id"]),
            known(stop["to_section_km"]), *(clean(stop[name]) for name in ("county", "town", "grid_owner")),
        )
        for one in (content.measured if sections is None else sections)
        if one.causes
        for stop in with_routes(patrol(one.trace), content.lang).head(stops).to_dict("records")
    )  # fmt: skip
    return Table(say("巡查清单"), columns, rows)


def source_table(content: Content) -> Table:
    """Every source of every measured section, and what stays unexplained."""
    say = phrases.headings(content)
    columns = (
        Column(say("断面"), width=16), Column(say("序"), "", 0, 6), Column(say("编号"), width=14), Column(say("来源"), width=30),
        Column(say("种类"), width=16), Column(say("源头负荷"), "kg/d", 2), Column(say("依据"), width=20),
        Column(say("清单到断面"), "kg/d", 2),
        Column(say("到断面负荷"), "kg/d", 2, bar=True), Column(say("贡献率"), "", 1, percent=True),
        Column(say("贡献率低值"), "", 1, percent=True), Column(say("贡献率高值"), "", 1, percent=True),
        Column(say("到断面时间"), "d", 2),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in content.measured:
        rows += [
            (
                one.name, float(s.rank), s.source_id, s.name, say(phrases.KIND.get(s.kind, s.kind)), known(s.load.value),
                phrases.basis(content, s.load), known(s.inventory.value), known(s.delivered.value), known(s.share),
                known(s.share_low), known(s.share_high), known(s.travel_time_d),
            )
            for s in one.sources
        ]  # fmt: skip
        gap = one.unexplained_kg_d
        left = (one.name, None, "", say("清单未说明（实测减清单）"), "", None, "", known(gap), None)
        rows.append((*left, known(gap / one.measured_load.value), None, None, None))
    ranged = any(one.sources and known(one.sources[0].share_low) is not None for one in content.measured)
    table = Table(say("来源"), columns, tuple(rows))
    return table if ranged else chosen(table, [i for i in range(len(columns)) if i not in (10, 11)])


def outlet_table(content: Content) -> Table:
    """The register of outlets."""
    say, frame = phrases.headings(content), content.outlets
    words = {
        "outlet_id": (say("编号"), 10), "code": (say("编码"), 24), "name": (say("名称"), 28), "type": (say("类型"), 20),
        "subtype": (say("小类"), 20), "reach_id": (say("河段"), 10), "county": (say("县（市、区）"), 12), "owner": (say("责任主体"), 20),
        "grid_owner": (say("网格"), 20), "survey": (say("排查阶段"), 14), "decision": (say("处置"), 14),
    }  # fmt: skip
    numbers = {
        "chainage_m": Column(say("里程"), "m", 1), "permit_discharge_m3_d": Column(say("许可水量"), "m³/d", 0),
        "permit_tp_mg_l": Column(say("许可浓度"), "mg/L", 2), "permit_load_kg_d": Column(say("许可负荷"), "kg/d", 3, bar=True),
        "seal_cost": Column(say("封堵费用"), say("万元"), 1),
    }  # fmt: skip
    frame = frame.assign(
        **{
            name: text(frame, name).map(lambda code, known=known: say(known[code]) if code in known else code)
            for name, known in (("survey", phrases.SURVEY), ("decision", phrases.DECISION))
            if name in frame
        }
    )
    return _register(say("排污口"), frame, words, numbers)


def plant_table(content: Content) -> Table:
    """The register of plants, with the load factor."""
    say, frame = phrases.headings(content), content.plants
    words = {
        "plant_id": (say("编号"), 10), "name": (say("名称"), 28), "standard": (say("执行标准"), 10), "built_on": (say("建成"), 10),
        "reach_id": (say("河段"), 10), "county": (say("县（市、区）"), 12),
    }  # fmt: skip
    numbers = {
        "design_discharge_m3_d": Column(say("设计水量"), "m³/d", 0), "actual_discharge_m3_d": Column(say("实际水量"), "m³/d", 0),
        "permit_tp_mg_l": Column(say("许可浓度"), "mg/L", 2), "permit_load_kg_d": Column(say("许可负荷"), "kg/d", 2, bar=True),
    }  # fmt: skip
    return _register(say("污水处理厂"), frame, words, numbers)


def plan_table(content: Content) -> Table:
    """The measures of the plan."""
    say, plan = phrases.headings(content), content.plan
    columns = (
        Column(say("编号"), width=12), Column(say("名称"), width=30), Column(say("措施"), width=14), Column(say("数量"), width=18),
        Column(say("费用"), say("万元"), 1, bar=True),
    )  # fmt: skip
    rows = [
        (line.source_id, line.name, say(phrases.ACTION.get(line.action, line.action)), line.amount, known(line.cost))
        for line in (plan.lines if plan else ())
    ]
    return Table(say("方案措施"), columns, tuple(rows))


def effect_table(content: Content) -> Table:
    """Every section before and after the plan: from the month's reading, and beside it as the model alone has it."""
    say, plan = phrases.headings(content), content.plan
    columns = (
        Column(say("断面"), width=16), Column(say("目标"), "mg/L", 2), Column(say("方案前"), "mg/L"), Column(say("方案后"), "mg/L"),
        Column(say("变化"), "mg/L"), Column(say("方案后状态"), width=18), Column(say("依据"), width=14),
        Column(say("方案前（模拟）"), "mg/L", width=16), Column(say("方案后（模拟）"), "mg/L", width=16),
    )  # fmt: skip
    rows = [
        (one.name, known(one.target.value), known(effect.before), known(effect.after), known(effect.after - effect.before),
         say(phrases.STATUS[status(effect.after, one.target.value)]), say(phrases.EFFECT[effect.basis]),
         known(effect.modelled_before), known(effect.modelled_after))
        for one in content.sections
        if plan
        for effect in [plan.effects.get(one.section_id)]
        if effect is not None
    ]  # fmt: skip
    return Table(say("方案效果"), columns, tuple(rows))


def names_of(content: Content) -> dict[str, str]:
    """Id -> name of everything that a task can be about."""
    frames = (content.network.sections, content.outlets, content.plants, content.network.gates)
    return {str(i): clean(name) for frame in frames for i, name in text(frame, "name").items() if name}


def by_urgency(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """What is still to be done first, by the day it is due."""
    return tuple(sorted(tasks, key=lambda task: (task.state == "done", task.due_on)))


def task_table(content: Content) -> Table:
    """The tasks, by department and person."""
    say = phrases.headings(content)
    heads = ("编号", "任务内容", "部门", "责任人", "县（市、区）", "对象", "交办日期", "期限", "状态", "备注")
    widths = (10, 40, 16, 12, 12, 24, 15, 15, 18, 30)
    columns = tuple(
        Column(translated, width=w) for translated, w in zip(map(phrases.headings(content), heads), widths, strict=True)
    )
    names = names_of(content)
    rows = tuple(
        (
            t.task_id,
            t.title,
            t.department,
            t.person,
            t.county,
            names.get(t.subject, t.subject),
            t.assigned_on,
            t.due_on,
            phrases.task_state(content, t),
            t.note,
        )
        for t in content.tasks
    )
    return Table(say("任务"), columns, rows)


def _register(title: str, frame: pd.DataFrame, words: dict[str, tuple[str, int]], numbers: dict[str, Column]) -> Table:
    here = [name for name in words if name in frame.columns or name == frame.index.name]
    there = [name for name in numbers if name in frame.columns]
    columns = [Column(words[name][0], width=words[name][1]) for name in here] + [numbers[name] for name in there]
    values: list[Sequence[Cell]] = [
        [clean(v) for v in (frame.index if name == frame.index.name else text(frame, name))] for name in here
    ]
    values += [[known(v) for v in number(frame, name)] for name in there]
    return Table(title, tuple(columns), tuple(zip(*values, strict=True)) if values else ())


def known(value: Any) -> float | None:
    """A number, or None where there is none."""
    return None if value is None or math.isnan(value) or math.isinf(value) else float(value)


def written(column: Column, cell: Cell) -> str:
    """A cell as words, for a slide or a page."""
    if cell is None:
        return "—"
    if isinstance(cell, str):
        return cell
    cell = round(100 * cell if column.percent else cell, column.digits) + 0.0  # no minus before a zero
    return f"{cell:.{column.digits}f}%" if column.percent else f"{cell:,.{column.digits}f}"


def chosen(table: Table, wanted: Sequence[int], keep: Callable[[tuple[Cell, ...]], bool] = lambda _: True) -> Table:
    """Some columns of a table, by position, and the rows worth keeping."""
    rows = tuple(tuple(row[i] for i in wanted) for row in table.rows if keep(row))
    return Table(table.title, tuple(table.columns[i] for i in wanted), rows)
