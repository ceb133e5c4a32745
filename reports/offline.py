"""The offline map: one HTML file with search, trace on a click, and the table beside it; it asks nobody for anything."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from branca.element import Element

from layers.maps.map import draw, result_rows
from reports import phrases
from reports.content import Content, SectionReport

HERE = Path(__file__).parent / "browser"
ROWS = 12


def offline_map(content: Content) -> bytes:
    """The map of ``layers.draw`` with a panel: pick or search a section, see its sources, print."""
    made = draw(
        content.network, content.worst.trace if content.worst.status != "none" else None, tables=content.shapes,
        month=content.month, title=html.escape(phrases.title(content)), say=content.say,
    )  # fmt: skip
    page: Any = made.get_root()  # a folium figure: its parts are made at run time
    panel = json_for_script(panel_data(content))
    style = (HERE / "offline.css").read_text(encoding="utf-8")
    code = (HERE / "offline.js").read_text(encoding="utf-8")
    page.header.add_child(Element(f"<style>{_raw(style)}</style>"))
    page.html.add_child(Element(_raw(f'<aside id="panel" lang="{content.lang}"></aside>')))
    page.html.add_child(Element(_raw(f'<script id="told" type="application/json">{panel}</script>')))
    page.script.add_child(Element(_raw(code)))
    return str(page.render()).encode()


def panel_data(content: Content) -> dict[str, Any]:
    """Everything the panel says, in the reader's words; the browser only puts it in place."""
    say = content.say
    return {
        "title": phrases.title(content),
        "month": phrases.month_name(content),
        "lead": phrases.situation(content),
        "credit": phrases.credit(content),
        "demo": phrases.capital(say("示例")) if content.demo else "",
        "words": {
            "search": say("查找断面、排污口、污水处理厂"), "sources": say("来源"), "share": say("贡献率"), "time": say("历时"),
            "none": say("没有找到"), "print": say("打印"), "all": say("全部断面"), "target": say("目标"), "value": say("总磷"),
            "margin": say("余量"),
        },
        "sections": [_section(content, one) for one in content.sections],
    }  # fmt: skip


def _section(content: Content, one: SectionReport) -> dict[str, Any]:
    told = {
        "id": one.section_id,
        "name": one.name,
        "river": one.river,
        "status": one.status,
        "state": content.say(phrases.STATUS[one.status]),
        "target": phrases.number(one.target.value, 2),
        "value": phrases.number(one.measured.value),
        "margin": phrases.number(one.margin_mg_l) if one.measured.known else "—",
        "verdict": phrases.verdict(content, one),
    }
    if one.status == "none":
        return told | {"sources": [], "rows": []}
    sources = [
        [s.source_id, s.name, phrases.kg(s.delivered.value), phrases.percent(s.share),
         phrases.days(content, s.travel_time_d) if s.kind != "rest" else "", phrases.basis(content, s.load)]
        for s in phrases.top_sources(content, one, ROWS)
    ]  # fmt: skip
    return told | {"sources": sources, "rows": result_rows(one.trace), "gap": phrases.unexplained(content, one)}


def json_for_script(data: Any) -> str:
    """JSON that may stand inside ``<script>``: a name cannot close the element, nor open another."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(
        {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}
    )


def _raw(code: str) -> str:
    """Code that passes through folium's template engine untouched, whatever is in it."""
    return "{% raw %}" + code.replace("{% endraw %}", "{% endraw %}{{ '{% endraw %}' }}{% raw %}") + "{% endraw %}"
