"""What only the user can know: each question with its possible answers as buttons that carry their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from hydro.errors import Fault
from hydro.schema import attributes
from layers.intake.answers import open_ended
from layers.intake.preview import Preview
from layers.report import Proposal, Question
from ui import holdings, parts
from ui.intake import Intake
from ui.state import say

SHOWN = 4
SYSTEMS = {
    4490: "CGCS2000 经纬度", 4326: "WGS 84 经纬度", 4610: "西安80 经纬度", 4214: "北京54 经纬度",
    4525: "CGCS2000 3 度带 37 带", 4526: "CGCS2000 3 度带 38 带", 4527: "CGCS2000 3 度带 39 带",
    4546: "CGCS2000 3 度带 111°E（无带号）", 4547: "CGCS2000 3 度带 114°E（无带号）", 4548: "CGCS2000 3 度带 117°E（无带号）",
}  # fmt: skip
"""Systems that are offered where none of the proposals is right; any other EPSG code can be typed."""
OPTION_WORDS = {
    "--point-snap": "“离河段的限值”",
    "--snap": "“端点相接的容差”",
    "--map": "“读作”一栏",
    "--mouth": "流域出口",
    "--table": "“这是哪张表”",
    "--crs": "坐标系",
}
"""What the options of the command line, which messages name, are called on this page."""
MOUTH = "--mouth "


def told(message: str, **params: object) -> str:
    """A sentence of a report in the words of this page."""
    sentence = say(message, **_called(params))
    for option, words in OPTION_WORDS.items():
        sentence = sentence.replace(option, say(words))
    return sentence


def _called(params: Mapping[str, object]) -> dict[str, object]:
    """Parameters with tables and their columns as this page calls them; a column of the file itself stays as it is written."""
    table, column = str(params.get("table", "")), str(params.get("column", ""))
    words = {
        key: say(holdings.TABLES[str(params[key])])
        for key in ("table", "target")
        if str(params.get(key, "")) in holdings.TABLES
    }
    parts_of_key = column.split("、")
    if "table" in words and all(name in attributes(table) for name in parts_of_key):
        words["column"] = "、".join(holdings.column(table, name) for name in parts_of_key)
    return {**params, **words}


def show(intake: Intake) -> None:
    """Every open question, then what has been said so far, each of which can be taken back."""
    assert intake.preview is not None
    if not intake.preview.report.asked and not unknown(intake):
        st.caption(say("没有要问的。"))
    for number, question in enumerate(intake.preview.report.asked):
        with st.container(border=True, key=f"question_{intake.turn}_{number}"):
            _ask(intake, question, number)
    _strangers(intake)
    if intake.answers:
        st.caption(say("您说过"))
        for at, (words, _) in enumerate(intake.answers):
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.text(words)
            right.button(
                say("收回"), key=f"unsay_{intake.turn}_{at}", type="tertiary", on_click=intake.unsay, args=(at,)
            )
    _limits(intake)


def unknown(intake: Intake) -> list[Fault]:
    """Stations that the project does not know: what was measured there can be written, and says nothing to any question."""
    assert intake.preview is not None
    return [fault for fault in intake.preview.report.warnings if fault.code == "station_unknown"]


def _strangers(intake: Intake) -> None:
    found = unknown(intake)
    if not found:
        return
    with st.container(border=True, key=f"strangers_{intake.turn}", gap="xxsmall"):
        for fault in found[:SHOWN]:
            st.text(told(fault.message, **fault.params))
        if found[SHOWN:]:
            st.caption(say("还有 {count} 个测点，见下面的账目", count=len(found) - SHOWN))
        st.caption(say("照写也可以：以后补上测点，数据即参与计算。"))


def _ask(intake: Intake, question: Question, number: int) -> None:
    st.text(told(question.message, **question.params))
    given = [proposal for proposal in question.proposals if not open_ended(proposal) or "source" in proposal.params]
    _buttons(intake, question, given[:SHOWN], number, 0)
    if given[SHOWN:]:
        with st.expander(say("其他可能（{count}）", count=len(given) - SHOWN)):
            _buttons(intake, question, given[SHOWN:], number, SHOWN)
    if any("--crs" in proposal.option for proposal in question.proposals):
        _other_system(intake, question, number)
    if any(proposal.option.startswith(MOUTH) for proposal in question.proposals):
        st.caption(say("也可以在左边的图上点出流域出口（河流流出去的那一端）。"))


def _buttons(intake: Intake, question: Question, given: Sequence[Proposal], number: int, first: int) -> None:
    mouth = any(proposal.option.startswith(MOUTH) for proposal in given)
    for at, proposal in enumerate(given, first):
        words = _words(proposal)
        if st.button(
            parts.plain(f"{at + 1}  {words}" if mouth else words),
            key=f"answer_{intake.turn}_{number}_{at}",
            width="stretch",
            help=proposal.option if "--crs" in proposal.option else None,
        ):
            if "source" in proposal.params:
                intake.correct(question.file, {str(proposal.params["source"]): str(proposal.params["column"])})
            else:
                intake.say(
                    say("流域出口 {number}：{evidence}", number=at + 1, evidence=words) if mouth else words,
                    proposal.option,
                )
            st.rerun()


def _words(proposal: Proposal) -> str:
    """A proposal as an answer: its evidence, and the code where it is one."""
    if "source" in proposal.params:
        return say("“{source}”就是", source=proposal.params["source"])
    words = say(proposal.evidence, **proposal.params)
    code = proposal.option.rpartition("--crs ")[2] if "--crs" in proposal.option else ""
    return f"EPSG:{code} {words}" if code else words


def _other_system(intake: Intake, question: Question, number: int) -> None:
    with st.expander(say("都不是？")):
        picked = st.selectbox(
            say("坐标系（可输入 EPSG 代号）"),
            list(SYSTEMS),
            index=None,
            format_func=lambda code: f"{code} {say(SYSTEMS[code])}" if code in SYSTEMS else str(code),
            accept_new_options=True,
            key=f"system_{intake.turn}_{number}",
            placeholder=say("选择或输入"),
        )
        code = str(picked or "").upper().removeprefix("EPSG:").strip()
        swap = st.checkbox(say("x 与 y 对调"), key=f"swap_{intake.turn}_{number}")
        if st.button(say("就用它"), disabled=not code.isdigit(), key=f"use_{intake.turn}_{number}"):
            intake.say(f"EPSG:{code}", ("--swap-axes " if swap else "") + f"--crs {code}")
            st.rerun()


def _limits(intake: Intake) -> None:
    """The two tolerances of the network, which a message may speak of."""
    with st.expander(say("限值")):
        ends = st.number_input(say("端点相接的容差"), 0.0, 500.0, 25.0, 5.0, format="%g", key="snap")
        points = st.number_input(say("离河段的限值"), 0.0, 5000.0, 200.0, 50.0, format="%g", key="point_snap")
        st.caption(say("单位：米"))
        if st.button(say("按此重新读取"), key="limits"):
            intake.answers = [a for a in intake.answers if not a[1].startswith(("--snap", "--point-snap"))]
            intake.answers.append((say("端点相接的容差 {m:g} m", m=ends), f"--snap {ends:g}"))
            intake.say(say("离河段的限值 {m:g} m", m=points), f"--point-snap {points:g}")
            st.rerun()


def mouths(preview: Preview) -> list[tuple[Proposal, tuple[float, float]]]:
    """The proposed mouths with their places on earth, in the order of the buttons."""
    rivers = next((layer for layer in preview.layers if layer.table == "reaches" and layer.drawing.on_earth), None)
    if rivers is None:
        return []
    found = []
    for question in preview.report.asked:
        for proposal in question.proposals:
            if proposal.option.startswith(MOUTH) and not open_ended(proposal):
                x, y = proposal.option.removeprefix(MOUTH).split(",")
                found.append((proposal, rivers.lonlat(float(x), float(y))))
    return found


def answer_mouth(intake: Intake, lon: float, lat: float) -> None:
    """The mouth where the user clicked."""
    assert intake.preview is not None
    rivers = next(layer for layer in intake.preview.layers if layer.table == "reaches")
    x, y = rivers.source_xy(lon, lat)
    digits = 6 if max(abs(x), abs(y)) <= 360 else 1
    intake.say(say("流域出口在 {lon:.4f}°E {lat:.4f}°N", lon=lon, lat=lat), f"{MOUTH}{x:.{digits}f},{y:.{digits}f}")
    st.rerun()
