"""Why a candidate of a sub-daily episode is where it is: arrival, fingerprint, its own report, rain, the sensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hydro.causes.findings import AGAINST, FOR, NOTE, Finding, Findings
from hydro.causes.pulse import Cause, Verdict

WORTH_SAYING = 0.005
"""Below this probability a candidate gets the sentence that rules it out, not its whole file."""
ALIKE, UNLIKE = 1.5, 2.5
"""Ratios within this factor are alike; beyond the second they are not."""


def pulse_reasons(verdict: Verdict, sources: Sequence[str]) -> dict[str, Findings]:
    """Findings of every candidate named, by source."""
    causes = {cause.source_id: cause for cause in verdict.causes}
    return {source: _of(verdict, source, causes.get(source)) for source in sources}


def _of(verdict: Verdict, source: str, cause: Cause | None) -> Findings:
    if source == "NONE":
        return _of_none(verdict, verdict.causes[-1].probability)
    if source == "DIFFUSE":
        return _of_diffuse(verdict, cause)
    if cause is None:
        return (Finding("无论何时排放，其水团到达该断面的时间或形状都与读数不符", speaks=AGAINST),)
    found = [*_report(verdict, cause)]
    if cause.probability < WORTH_SAYING:
        return (Finding("与各断面读数的时间、形状或氨氮、COD 比例相比，明显不如前列各项", speaks=AGAINST), *found)
    found = [*_way(verdict, cause), *_fingerprint(verdict, cause), *found]
    if source == "UNREGISTERED":
        reach = str(verdict.scene.detective.network.reaches.index[cause.reach])
        place = Finding(
            "最可能在河段 {reach} 里程 {chainage} m 附近", {"reach": reach, "chainage": round(cause.chainage_m)}
        )
        found.insert(0, place)
    return tuple(found)


def _way(verdict: Verdict, cause: Cause) -> Findings:
    """How long the water takes, and which stations below it saw it or should have seen it."""
    scene = verdict.scene
    places, passing = scene.detective.places, scene.passing
    here = np.flatnonzero((places.reach == cause.reach) & (places.chainage_m == cause.chainage_m))[0]
    hours = float(passing.mean_h[here, scene.section])
    found = [
        Finding(
            "排放后约 {hours} 小时到达该断面",
            {"hours": round(hours, 1) if hours < 10 else round(hours)},
            NOTE,
        )
    ]
    names = scene.detective.section_names
    saw, missed = [], []
    for j, section in enumerate(scene.detective.sections):
        if j == scene.section or passing.passed[0, here, j, -1] < 1e-2:
            continue
        series = scene.detective.series[section, "TP"]
        late = passing.mean_h[here, j]
        span = series.between(cause.start_h + 0.8 * late - 1, cause.end_h + 1.2 * late + 4)
        if span.stop == span.start:
            continue
        expected = cause.released_kg / max(cause.end_h - cause.start_h, 3.0) * passing.to_mg_l[j]
        score = float((series.excess[span] / series.sigma[span]).max())
        if score > 4:
            saw.append(names[section])
        elif score < 2.5 and expected > 4 * float(series.sigma[span].mean()):
            missed.append(names[section])
    if saw:
        found.append(Finding("断面{sections}也在相应时刻升高", {"sections": tuple(saw)}, FOR))
    if missed:
        found.append(Finding("断面{sections}应随之升高而未见升高", {"sections": tuple(missed)}, AGAINST))
    return tuple(found)


def _fingerprint(verdict: Verdict, cause: Cause) -> Findings:
    places = verdict.scene.detective.places
    if cause.kind not in ("outlet", "plant") or not np.isfinite(cause.ratio[0]):
        return ()
    own = places.prints.ratio[list(places.source_id).index(cause.source_id)]
    off = np.abs(np.log(np.maximum(np.array(cause.ratio), 1e-6)) - np.log(own))
    off = off[np.isfinite(off)]
    params = {
        "nh3n": round(cause.ratio[0], 1),
        "cod": round(cause.ratio[1]) if np.isfinite(cause.ratio[1]) else "—",
        "own_nh3n": round(float(own[0]), 1),
        "own_cod": round(float(own[1])),
    }
    if (off < np.log(ALIKE)).all():
        return (
            Finding("超出部分 NH3N/TP 约 {nh3n}、COD/TP 约 {cod}，与其排水（{own_nh3n}、{own_cod}）相符", params, FOR),
        )
    if (off > np.log(UNLIKE)).any():
        return (
            Finding(
                "超出部分 NH3N/TP 约 {nh3n}、COD/TP 约 {cod}，与其排水（{own_nh3n}、{own_cod}）不符", params, AGAINST
            ),
        )
    return ()


def _report(verdict: Verdict, cause: Cause) -> Findings:
    if not np.isfinite(cause.told_kg):
        return ()
    if cause.told_kg > 0.3 * cause.released_kg:
        return (Finding("其自报负荷在该时段多出 {kg} kg", {"kg": float(f"{cause.told_kg:.3g}")}, FOR),)
    return (Finding("其自报负荷在该时段没有增加（自报未必可信）", speaks=AGAINST),)


def _of_diffuse(verdict: Verdict, cause: Cause | None) -> Findings:
    time, mm = verdict.scene.detective.rain
    recent = (time > verdict.scene.peak_h - 72) & (time <= verdict.scene.peak_h)
    total = float(mm[recent].sum())
    if not len(time):
        return (Finding("没有气象记录，无从判断降雨冲刷", speaks=NOTE),)
    if total < 5:
        return (Finding("此前三日降雨 {mm} mm，不足以冲刷", {"mm": round(total, 1)}, AGAINST),)
    found = [Finding("此前三日降雨 {mm} mm", {"mm": round(total, 1)}, FOR if total > 20 else NOTE)]
    if cause is None or cause.probability < WORTH_SAYING:
        found.append(Finding("各断面没有随雨一并升高", speaks=AGAINST))
    else:
        found.append(Finding("多个断面随雨一并升高", speaks=FOR))
    return tuple(found)


def _of_none(verdict: Verdict, probability: float) -> Findings:
    if probability < WORTH_SAYING:
        return (Finding("其他断面或参数随之响应，不是仪器误报", speaks=AGAINST),)
    words = {
        "stuck": "该断面总磷连续多个读数完全相同，疑似仪器卡值",
        "spike": "仅该断面总磷个别读数突升，氨氮、COD 与下游断面均无响应，疑似误报",
        "pulse": "仅该断面总磷升高，氨氮、COD 与下游断面均无相应响应，疑似仪器漂移或干扰",
        "quiet": "读数未明显高出该断面平时水平，没有单一成因",
    }
    return (Finding(words[verdict.alarm], speaks=FOR),)
