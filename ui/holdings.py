"""What the project already holds, templates to fill in, and the project to take along."""

from __future__ import annotations

import html
import re
import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from hydro.schema import Attribute, attributes
from layers.headers import PLACES
from layers.intake.templates import as_xlsx
from layers.store.attachments import safe_name
from layers.store.backup import backup
from layers.store.export import export
from ui import cache, parts, signin, state
from ui.state import say

TABLES = {
    "reaches": "河段", "boundaries": "入境", "sections": "控制断面", "outlets": "入河排污口", "plants": "污水处理厂",
    "gates": "闸", "catchments": "汇水区", "districts": "行政区", "observations": "监测数据", "weather": "气象",
    "plans": "方案", "decisions": "处置决定", "measures": "措施", "tasks": "任务", "targets": "历年目标",
    "goals": "限期目标", "registers": "整治台账",
}  # fmt: skip
"""What the tables of a project are called on the screen."""

TEMPLATES = (
    "reaches",
    "sections",
    "outlets",
    "plants",
    "boundaries",
    "gates",
    "observations",
    "weather",
    "tasks",
    "targets",
)
"""What departments are usually asked to fill in."""
FORMATS = {
    ".xlsx": ("Excel（每表一页）", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".gpkg": ("GeoPackage", "application/geopackage+sqlite3"),
    ".zip": ("Shapefile（zip）", "application/zip"),
    ".geojson": ("GeoJSON", "application/geo+json"),
}
"""What a project can be taken along as."""


def show() -> None:
    """Counts, period, last change; downloads."""
    url = cache.place()
    project = cache.project(url)
    counts, (first, last), change = cache.holdings(url, project.revision)
    parts.heading(say("“{name}”现有", name=project.name or Path(url).stem))
    cells = "".join(
        f"<div><b>{count}</b><span>{html.escape(say(TABLES.get(table, table)))}</span></div>"
        for table, count in counts.items()
    )
    told = []
    if first:
        told.append(say("监测时段 {first} 至 {last}", first=first[:10], last=last[:10]))
    if change:
        told.append(
            say(
                "最近改动 {when}，{who}：{why}",
                when=change["when"][:16].replace("T", " "),
                who=change["who"],
                why=why(change["why"]),
            )
        )
    st.html(f'<div class="holdings">{cells}</div><div class="note">{html.escape(" · ".join(told))}</div>')
    with st.container(horizontal=True):
        with st.popover(say("下载模板"), icon=":material/table_view:"):
            _templates()
        with st.popover(say("导出")):
            _exports(url, project.name or Path(url).stem)
        if signin.who().may("administer"):
            st.download_button(
                say("备份项目（含账册）"),
                lambda: _copy(url),
                file_name=f"{project.name or Path(url).stem}.gpkg",
                mime="application/geopackage+sqlite3",
                on_click="ignore",
                key="take_along",
                help=say("一个文件，带着全部改动记录；QGIS 可直接打开"),
            )


def why(told: str) -> str:
    """A reason of the book in the reader's language, where the program itself gave it; what a person wrote stays as it is."""
    found = re.fullmatch(r"(?P<back>撤销)?导入 (?P<files>.+?)(?:（(?P<count>\d+) 行拒收，未写入）)?", told)
    if not found:
        return told
    sentence = (
        say("撤销导入 {files}", files=found["files"]) if found["back"] else say("导入 {files}", files=found["files"])
    )
    return sentence + (say("（{count} 行拒收，未写入）", count=found["count"]) if found["count"] else "")


def _templates() -> None:
    """An empty workbook a table, made from the dictionary when it is asked for."""
    st.caption(say("没有现成的表？填模板最省事：列名、单位、可用的词都写在里面。"))
    cells = st.columns(2)
    for at, table in enumerate(TEMPLATES):
        title = say(TABLES[table])
        cells[at % 2].download_button(
            title,
            partial(as_xlsx, table, state.lang()),
            file_name=f"{title}.xlsx",
            mime=FORMATS[".xlsx"][1],
            on_click="ignore",
            key=f"template_{table}_{state.lang()}",
            width="stretch",
        )


def _exports(url: str, name: str) -> None:
    for suffix, (title, mime) in FORMATS.items():
        st.download_button(
            say(title),
            partial(_exported, url, f"{name}{suffix}"),
            file_name=f"{name}{suffix}",
            mime=mime,
            on_click="ignore",
            key=f"export{suffix}",
            width="stretch",
        )
    st.caption(say("shp 会截短列名和长文字；要完整保存请用 GeoPackage。"))


def _exported(url: str, name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="qingyuan-") as folder:
        files, _ = export(cache.project(url), Path(folder) / safe_name(name))
        return files[0].read_bytes()


def _copy(url: str) -> bytes:
    """The project as it is at this moment, verified."""
    with tempfile.TemporaryDirectory(prefix="qingyuan-") as folder:
        kept = Path(folder) / "project.gpkg"
        backup(signin.own_project(url), str(kept))
        return kept.read_bytes()


def column(table: str, name: str) -> str:
    """What an attribute is called on the screen: in Chinese the word that heads such a column, else its description."""
    if name in PLACES:
        return say("{word}", word=PLACES[name])
    known = attributes(table).get(name)
    if known is None:
        return name
    words = {each.name: _word(each) for each in attributes(table).values()}
    word = words[name]
    return word if list(words.values()).count(word) == 1 else f"{word} {name}"


def _word(attribute: Attribute) -> str:
    return say("{word}", word=attribute.heading)
