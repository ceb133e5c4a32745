"""Meeting mode as one HTML file: one sentence and one picture a view, arrow keys, a story that can be edited and saved.

Drawn as SVG from the same content as every other document; the file asks nobody for anything, so it runs on any laptop.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from i18n import text as translate
from layers.maps.style import status
from reports import phrases
from reports.atlas import Atlas, make_atlas
from reports.content import Content, SectionReport
from reports.labels import spread
from reports.offline import json_for_script
from reports.symbols import placed
from reports.tables import by_urgency, chosen, task_table, written

HERE = Path(__file__).parent / "browser"
WIDTH = 1000.0
SIMPLIFY = 0.6
"""Lines are generalised to this part of a thousandth of the map's width."""
NAMES = 40
"""Rivers that are named, the largest."""
ROWS = 7
"""Rows of a table that the last row of chairs can read; the rest is counted."""
APART, FARTHEST = 30.0, 27.0
"""Marks of sections on the whole map stand so far apart, none farther from its place, in the drawing's units."""
TASKS = 7
"""Tasks that the last row of chairs can read; those still to be done, soonest first."""
SIGNS = {"over": "▲", "at": "◆", "holds": "●"}

PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body><script id="told" type="application/json">{told}</script><script>{code}</script></body></html>
"""


def meeting(content: Content, *, keeps: bool = False) -> bytes:
    """The whole show, in the order of the content's story, or the usual one; a step whose section or plan is gone is left out.

    With ``keeps`` the page stands in the app, and hands an edited story to it to be kept with the project.
    """
    told = meeting_data(content) | {"keeps": keeps}
    told["usual"] = told["story"]
    own = [{"kind": step.kind, "section": step.section_id, "note": step.note} for step in content.story]
    kept = [{name: value for name, value in step.items() if value} for step in own]
    told["story"] = [step for step in kept if _tellable(step, told)] or told["usual"]
    page = PAGE.format(
        lang=content.lang,
        title=_escaped(phrases.title(content)),
        style=(HERE / "meeting.css").read_text(encoding="utf-8"),
        code=(HERE / "meeting.js").read_text(encoding="utf-8"),
        told=json_for_script(told),
    )
    return page.encode()


def meeting_data(content: Content) -> dict[str, Any]:
    """Everything the show says and draws."""
    atlas = make_atlas(content)
    frame = Frame(atlas)
    spots = _spots(content, atlas, frame)
    sections = [_section(content, atlas, frame, one) | {"spot": spots.get(one.section_id)} for one in content.sections]
    left = len(sections) - ROWS
    shown = [one for one in content.measured if one.status in ("over", "at")] or list(content.measured)
    return {
        "title": phrases.title(content),
        "month": phrases.month_name(content),
        "demo": phrases.capital(translate("示例", content.lang)) if content.demo else "",
        "credit": phrases.credit(content),
        "lead": phrases.situation(content),
        "map": _map(content, atlas, frame),
        "sections": sections,
        "rows": ROWS,
        "more": content.say("其余 {count} 个断面见工作簿", count=left) if left > 0 else "",
        "plan": _plan(content),
        "tasks": _tasks(content),
        "story": usual_story([one.section_id for one in shown[:2]], bool(content.plan), bool(content.tasks)),
        "words": _words(content),
    }


def usual_story(section_ids: list[str], plan: bool, tasks: bool) -> list[dict[str, str]]:
    """Situation, then for each section: itself, its trace, who it may be; then the plan and the tasks."""
    story = [{"kind": "situation"}]
    for section_id in section_ids:
        story += [{"kind": kind, "section": section_id} for kind in ("section", "trace", "causes")]
    return story + [{"kind": "plan"}] * plan + [{"kind": "tasks"}] * tasks


def _tellable(step: dict[str, str], told: dict[str, Any]) -> bool:
    known = {one["id"] for one in told["sections"]}
    needs = {"plan": told["plan"], "tasks": told["tasks"]}
    return bool(needs.get(step.get("kind", ""), True)) and step.get("section", next(iter(known), "")) in known


class Frame:
    """From metres to the drawing's own units, y down; the whole basin fits."""

    def __init__(self, atlas: Atlas) -> None:
        x0, y0, x1, y1 = atlas.extent
        self.x0, self.y1 = x0, y1
        self.scale = WIDTH / (x1 - x0)
        self.height = (y1 - y0) * self.scale

    def path(self, shape: Any) -> str:
        """SVG path of a line or polygon."""
        simple = shapely.simplify(shape, SIMPLIFY / self.scale)
        pieces = []
        for part in getattr(simple, "geoms", [simple]):
            line = part.exterior if part.geom_type == "Polygon" else part
            points = [self.point(x, y) for x, y, *_ in line.coords]
            pieces.append("M" + "L".join(f"{x:g},{y:g}" for x, y in points))
        return "".join(pieces)

    def box(self, rivers: gpd.GeoSeries, one: SectionReport, point: Any) -> list[float] | None:
        """The part of the drawing that a section's upstream takes up: x0, y0, x1, y1."""
        drawn = rivers[rivers.index.isin(one.upstream)]
        if drawn.empty or point is None:
            return None
        x0, y0, x1, y1 = shapely.total_bounds([*drawn, point])
        return [*self.point(x0, y1), *self.point(x1, y0)]

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A place on the drawing."""
        return round((x - self.x0) * self.scale, 1), round((self.y1 - y) * self.scale, 1)


def _map(content: Content, atlas: Atlas, frame: Frame) -> dict[str, Any]:
    network = content.network
    flow = pd.Series(network.topology.discharge_m3_s, index=network.reaches.index).fillna(0.0)
    width = (1.2 + 5.0 * np.sqrt(flow / max(float(flow.max()), 1e-9))).round(1)
    rivers = network.reaches["river"] if "river" in network.reaches else pd.Series("", index=network.reaches.index)
    names = []
    largest = flow.groupby(rivers).max().drop("", errors="ignore").nlargest(NAMES).index
    for river, own in rivers[rivers.isin(largest)].groupby(rivers, sort=False):
        lines = [r for r in own.index if r in atlas.rivers.index]
        if lines:
            longest = max(lines, key=lambda r: atlas.rivers[r].length)
            middle = atlas.rivers[longest].interpolate(0.5, normalized=True)
            names.append([*frame.point(middle.x, middle.y), str(river)])
    return {
        "height": round(frame.height),
        "reaches": {str(r): [frame.path(shape), float(width[r])] for r, shape in atlas.rivers.items()},
        "districts": [
            [frame.path(shape), *frame.point(*shape.representative_point().coords[0][:2]), str(name)]
            for name, shape in zip(atlas.districts["name"], atlas.districts.geometry, strict=True)
        ],
        "rivers": names,
    }


def _spots(content: Content, atlas: Atlas, frame: Frame) -> dict[str, tuple[float, float]]:
    """Where the marks of the sections stand on the whole map: apart from one another, as on the map sheets."""
    own = [one.section_id for one in placed(content, atlas)]
    at = np.array([frame.point(atlas.sections[i].x, atlas.sections[i].y) for i in own]).reshape(-1, 2)
    moved = spread(at, APART, FARTHEST).round(1)
    return {i: (float(x), float(y)) for i, (x, y) in zip(own, moved, strict=True)}


def _section(content: Content, atlas: Atlas, frame: Frame, one: SectionReport) -> dict[str, Any]:
    point = atlas.sections[one.section_id] if one.section_id in atlas.sections.index else None
    grade = content.standard.grades.get(one.water_class)
    times = one.trace.delivery.travel_time_d[:, 0]
    reach = one.trace.network.reach_position
    known = {r: round(float(times[reach[r]]), 3) for r in one.upstream if np.isfinite(times[reach[r]])}
    first = next((s for s in one.sources if s.kind in ("plant", "outlet", "inbound")), None)
    return {
        "id": one.section_id,
        "name": one.name,
        "at": frame.point(point.x, point.y) if point is not None else None,
        "status": one.status,
        "state": phrases.capital(content.say(phrases.STATUS[one.status])),
        "colour": grade.colour if grade else "#ffffff",
        "target": phrases.number(one.target.value, 2),
        "value": phrases.number(one.measured.value),
        "verdict": phrases.verdict(content, one),
        "chief": phrases.chief(content, one, 2),
        "gap": phrases.unexplained(content, one),
        "history": [[month, value] for month, value in one.history[-36:]],
        "sources": [
            [
                s.name,
                phrases.kg(s.delivered.value),
                0.0 if np.isnan(s.share) else round(s.share, 4),
                phrases.percent(s.share),
                round(s.inventory.value / one.measured_load.value, 4)
                if s.inventory.known and one.measured_load.value > 0
                else 0.0,
                phrases.listed(content, s),
            ]
            for s in phrases.top_sources(content, one, 5)
        ],
        "up": known,
        "box": frame.box(atlas.rivers, one, point),
        "rest": sorted(one.upstream - set(known)),
        "way": list(one.way(first.source_id)) if first else [],
        "first": [first.name, phrases.days(content, first.travel_time_d)] if first else None,
        "likely": phrases.likely(content, one),
        "causes": [[c.name, round(c.probability, 3), list(c.evidence[:3])] for c in one.causes[:3]],
        "next": one.next_sample,
    }


def _plan(content: Content) -> dict[str, Any] | None:
    plan = content.plan
    if plan is None:
        return None
    return {
        "title": phrases.plan_effect(content),
        "lines": [
            [line.name, content.say(phrases.ACTION.get(line.action, line.action)), line.amount]
            for line in plan.lines[:8]
        ],
        "sections": {
            one.section_id: [
                *(_drawn(value, one.target.value) for value in (effect.before, effect.after)),
                phrases.number(one.target.value, 2),
                "" if effect.basis == "monitored" else content.say(phrases.EFFECT[effect.basis]),
            ]
            for one in content.sections
            if (effect := plan.effects.get(one.section_id))
        },
    }


def _drawn(value: float, target: float) -> list[str]:
    """A figure and its standing."""
    return [phrases.number(value), status(value, target)]


def _tasks(content: Content) -> dict[str, Any] | None:
    if not content.tasks:
        return None
    urgent = by_urgency(content.tasks)
    table = chosen(task_table(replace(content, tasks=urgent)), (1, 2, 3, 7, 8))
    left = sum(task.state != "done" for task in urgent)
    return {
        "title": content.say("任务 {count} 项，{left} 项未办结", count=len(urgent), left=left),
        "heads": [column.name for column in table.columns],
        "rows": [[*map(written, table.columns, row)] for row in table.rows[:TASKS]],
        "more": content.say("其余 {count} 项任务见任务单", count=len(urgent) - TASKS) if len(urgent) > TASKS else "",
    }


def _words(content: Content) -> dict[str, str]:
    say = content.say
    words = {
        "situation": say("总体情况"), "section": say("断面"), "trace": say("来源追踪"), "causes": say("可能原因"), "plan": say("方案"),
        "tasks": say("任务"), "target": say("目标"), "value": say("总磷"), "sources": say("到断面负荷"), "before": say("方案前"),
        "after": say("方案后"), "next": say("下一个采样点"), "upstream": say("水流到断面"), "farthest": say("最远处"),
        "best": say("最佳估计"), "listed": say("清单"),
        "edit": say("编辑"), "done": say("完成"), "note": say("备注"), "up": say("上移"), "down": say("下移"), "remove": say("移除"),
        "add": say("添加"), "save": say("另存"), "keep": say("保存到项目"), "usual": say("恢复默认"), "full": say("全屏"),
        "none": say("没有足够证据指认单一原因"), "since": say("逐月总磷"),
        "keys": say("← → 翻页，B 黑屏，F 全屏，D 深浅，E 编辑"), "unknown": say("过闸时间不明"),
    }  # fmt: skip
    return {name: phrases.capital(word) for name, word in words.items()} | {
        "hours": say("小时"),
        "from": say("mg/L，从当月实测起算；清单未说明的部分原样保留"),
        "stop": "。" if content.lang == "zh" else ". ",
        "colon": "：" if content.lang == "zh" else ": ",
        "signs": "　".join(f"{sign}\u00a0{phrases.capital(say(phrases.STATUS[one]))}" for one, sign in SIGNS.items()),
    }


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")
