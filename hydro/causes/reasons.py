"""Why a candidate is where it is in the ranking: the evidence for and against it, from the numbers that made the odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hydro.causes.findings import AGAINST, FOR, NOTE, Finding, Findings
from hydro.causes.stretches import stretch_above
from hydro.causes.suspects import MOST
from hydro.topology import Float

if TYPE_CHECKING:
    from hydro.causes.judgement import Judgement

RAISED, ORDINARY = 2.5, 1.5
"""A section is raised above this many standard errors over its expectation, and ordinary below the second."""
ENOUGH_MONTHS = 6
"""With fewer months on record what is ordinary at a section is not known."""
COMPLIANT_SHARE = 0.5
"""A source that keeps its permit is named where it is at least this part of the load."""
NAMED = 5
"""How many sections a sentence names."""
LIKELY = 0.9
"""The reaches named for an unlisted outlet hold this part of its probability, as the stretch on the map does."""
LASTS = 0.3
"""What the months before and after must hold against unlisted outlets together for that to be said."""
WORTH_SAYING = 0.002
"""Below this probability a candidate gets the one sentence that rules it out, not its whole file."""


def reasons(judged: Judgement, month: int, place: int, probability: dict[str, float]) -> dict[str, Findings]:
    """Findings of every candidate of one section and month."""
    score = section_scores(judged, month)
    said = {
        str(source): _of_source(judged, i, month, place, score, float(probability[str(source)]))
        for i, source in enumerate(judged.record.sources.index)
        if judged.expected.delivered[month][i, place] > 0
    }
    said["UNREGISTERED"] = _of_unlisted(judged, month, place, score, float(probability["UNREGISTERED"]))
    said["DIFFUSE"] = _of_diffuse(judged, month, score)
    said["NONE"] = _of_none(judged, month, place, score, float(probability["NONE"]))
    for one in judged.found:
        if one.time[:7] == judged.record.months[month] and one.source_id in said:
            said[one.source_id] = (one.told, *said[one.source_id])
    return said


def section_scores(judged: Judgement, month: int) -> Float:
    """How far every section stands over its expectation, in standard errors of a reading; NaN unmeasured. (sections,)"""
    expected = judged.expected
    error = np.sqrt(np.diagonal(expected.spread[month]) + expected.reading_error[:, month] ** 2)
    return np.asarray(expected.residual[:, month] / error, np.float64)


def times_expected(judged: Judgement, month: int) -> Float:
    """Measured over expected load of every section. (sections,)"""
    return np.asarray(np.exp(judged.expected.residual[:, month]), np.float64)


def _names(judged: Judgement, places: NDArray[np.int_]) -> tuple[str, ...]:
    return tuple(judged.section_names[int(i)] for i in places[:NAMED])


def _of_source(judged: Judgement, i: int, month: int, place: int, score: Float, probability: float) -> Findings:
    ratio = judged.expected.delivered[month][i]
    found = [*_bracket(judged, ratio, month, place, score), *_size(judged, i, month, place, probability)]
    found += _report(judged, i, month)
    if probability >= WORTH_SAYING:
        found += _past(judged, i, month)
    return tuple(found)


def _bracket(judged: Judgement, ratio: Float, month: int, place: int, score: Float) -> list[Finding]:
    """Sections below the candidate that are raised speak for it; one that should have risen and has not, against.

    Should have risen: had the candidate brought what this section has too much, that one would stand well over its
    expectation; a large river that takes it without a trace says nothing.
    """
    below = ratio > 0.02
    raised = np.flatnonzero(below & (score > RAISED))
    usual, measured = judged.expected.load_kg_d[:, month], judged.record.load_kg_d[:, month]
    let_out = max(float(np.nan_to_num(measured[place] - usual[place])), 0.0) / max(float(ratio[place]), 1e-9)
    error = np.sqrt(np.diagonal(judged.expected.spread[month]) + judged.expected.reading_error[:, month] ** 2)
    would = np.log1p(let_out * ratio / usual) / error
    here = np.arange(len(score)) == place
    calm = np.flatnonzero(below & (score < ORDINARY) & (would > 2 * RAISED) & ~here)
    elsewhere = np.flatnonzero(~below & (score > RAISED))
    found = []
    if len(raised) and not len(calm):
        found.append(Finding("其下游断面{sections}同期高于预期", {"sections": _names(judged, raised)}, FOR))
    if len(calm):
        found.append(
            Finding("下游断面{sections}同期正常，若由其造成应一并升高", {"sections": _names(judged, calm)}, AGAINST)
        )
    if len(elsewhere):
        found.append(
            Finding("断面{sections}同期也偏高，却不在其下游", {"sections": _names(judged, elsewhere)}, AGAINST)
        )
    return found


def _size(judged: Judgement, i: int, month: int, place: int, probability: float) -> list[Finding]:
    """How much it would have had to let out, against what it lets out ordinarily."""
    joint, size = judged.months[month].at(place)[i], judged.months[month].size_kg_d[i]
    if joint.sum() <= 0 or probability < WORTH_SAYING:
        return []
    base = float(np.median(judged.expected.source_kg_d[i]))
    extra = float(joint @ size / joint.sum())
    times = extra / base if base > 0 else np.inf
    params = {"extra": float(f"{extra:.3g}"), "base": float(f"{base:.3g}"), "times": round(times, 1)}
    if times > 0.6 * MOST:
        return [Finding("须多排约 {extra} kg/d，为推断的平时 {base} kg/d 的 {times} 倍，少有可能", params, AGAINST)]
    if times < 10:
        return [Finding("须多排约 {extra} kg/d，仅为推断的平时 {base} kg/d 的 {times} 倍，力所能及", params, FOR)]
    return [Finding("须多排约 {extra} kg/d，为推断的平时 {base} kg/d 的 {times} 倍", params, NOTE)]


def _report(judged: Judgement, i: int, month: int) -> list[Finding]:
    """What its own report of the month says; a calm one is weak evidence, for half of the culprits hide."""
    told = judged.record.reported_kg_d[i]
    if not np.isfinite(told).any():
        return [Finding("不报自行监测，无从核对", {}, NOTE)]
    if not np.isfinite(told[month]):
        return [Finding("当月缺自行监测数据", {}, NOTE)]
    usual = float(np.median(told[np.isfinite(told)]))
    times = float(told[month]) / usual
    params = {"told": float(f"{told[month]:.3g}"), "usual": float(f"{usual:.3g}"), "times": round(times, 1)}
    if times > 2:
        return [Finding("自报当月 {told} kg/d，为平时自报 {usual} kg/d 的 {times} 倍", params, FOR)]
    return [Finding("自报当月 {told} kg/d，与平时自报 {usual} kg/d 相当（瞒报者亦如此，证据弱）", params, AGAINST)]


def _past(judged: Judgement, i: int, month: int) -> list[Finding]:
    others = float(np.delete(judged.history.by_month[:, i], month).sum())
    if others < 0.5:
        return []
    return [Finding("其他月份约有 {count} 次事件很可能由其造成", {"count": round(others, 1)}, FOR)]


def _of_unlisted(judged: Judgement, month: int, place: int, score: Float, probability: float) -> Findings:
    segments, weight = judged.segments, judged.months[month].at(place)[judged.suspects.unlisted].sum(axis=1)
    ratio = judged.expected.along[month]
    weight = np.where(ratio[:, place] > 0, weight, 0.0)
    found: list[Finding] = []
    if weight.sum() > 0 and probability >= WORTH_SAYING:
        order = np.argsort(-weight)
        kept = order[: int(np.searchsorted(np.cumsum(weight[order]) / weight.sum(), LIKELY)) + 1]
        reaches = tuple(dict.fromkeys(str(judged.network.reaches.index[segments.reach[k]]) for k in kept))
        km = float(segments.length_m[kept].sum()) / 1000
        found.append(
            Finding(
                "若为未登记排口，最可能在河段 {reaches}（约 {km} km）",
                {"reaches": reaches[:NAMED], "km": round(km, 1)},
                NOTE,
            )
        )
        found += _bracket(judged, ratio[order[0]], month, place, score)
        around = judged.history.beside(month)[judged.suspects.unlisted]
        if float(around[ratio[:, place] > 0].sum()) > LASTS:
            found.append(Finding("相邻月份多半也是如此：像是持续排放的排口，不像一次事故", {}, FOR))
    chronic = float(judged.expected.chronic_kg_d @ judged.expected.along_stretch[month][:, place])
    expected = float(judged.expected.load_kg_d[place, month])
    if chronic > 0.05 * expected:
        params = {"load": round(chronic, 1), "share": round(100 * chronic / expected)}
        found.append(Finding("平时即有约 {load} kg/d（占预期 {share}%）没有登记来源", params, FOR))
    stretch = stretch_above(judged, place)
    if stretch.above and stretch.clear:
        told = {
            "above": stretch.above[:NAMED], "months": stretch.months, "mean": round(stretch.mean_kg_d, 1),
            "median": round(stretch.median_kg_d, 1),
        }  # fmt: skip
        message = "断面{above}至本断面之间，{months} 个月平均多出 {mean} kg/d（中位 {median} kg/d），名录点源不能说明"
        found.append(Finding(message, told, FOR))
    return tuple(found)


def _of_diffuse(judged: Judgement, month: int, score: Float) -> Findings:
    seen, raised = int(np.isfinite(score).sum()), int((score > RAISED).sum())
    rain = judged.record.rain_mm
    found = []
    if np.isfinite(rain[month]):
        usual = float(np.nanmedian(rain))
        params = {"rain": round(float(rain[month]), 1), "usual": round(usual, 1)}
        wet = rain[month] > 1.3 * usual
        found.append(Finding("当月降雨 {rain} mm（常年中位 {usual} mm）", params, FOR if wet else NOTE))
    params = {"raised": raised, "seen": seen}
    if raised > max(1, 0.6 * seen):
        found.append(Finding("{seen} 个断面中 {raised} 个同期偏高，像全流域冲刷", params, FOR))
    else:
        found.append(Finding("{seen} 个断面中只有 {raised} 个偏高，不像全流域冲刷", params, AGAINST))
    return tuple(found)


def _of_none(judged: Judgement, month: int, place: int, score: Float, probability: float) -> Findings:
    if not np.isfinite(score[place]):
        return (Finding("该断面当月未测总磷，只能由其他断面推断", {}, NOTE),)
    known = int(np.isfinite(judged.record.load_kg_d[place]).sum())
    if known < ENOUGH_MONTHS:
        thin = (Finding("该断面只有 {months} 个月的记录，平时水平尚不清楚，结论较弱", {"months": known}, NOTE),)
        return (*thin, *_against_expected(judged, month, place, probability))
    return _against_expected(judged, month, place, probability)


def _against_expected(judged: Judgement, month: int, place: int, probability: float) -> Findings:
    times = float(times_expected(judged, month)[place])
    params = {"times": round(times, 2), "expected": round(float(judged.expected.load_kg_d[place, month]), 1)}
    if probability > 0.5:
        usual = Finding("实测负荷为平时预期 {expected} kg/d 的 {times} 倍：属常态负荷，没有单一原因", params, FOR)
        return (usual, *_compliant(judged, month, place))
    return (Finding("实测负荷为平时预期 {expected} kg/d 的 {times} 倍，超出常态波动", params, AGAINST),)


def _compliant(judged: Judgement, month: int, place: int) -> Findings:
    """A source that keeps its permit and yet is most of what a small river carries."""
    delivered = judged.shares(month, place)
    whole, largest = sum(delivered.values()), max(delivered, key=lambda source: delivered[source])
    if whole <= 0 or largest not in judged.source_ids or delivered[largest] < COMPLIANT_SHARE * whole:
        return ()
    i = judged.source_ids.index(largest)
    permit, told = float(judged.record.sources["permit_kg_d"].iloc[i]), judged.record.reported_kg_d[i]
    kg_d = float(told[month]) if np.isfinite(told[month]) else float(judged.expected.source_kg_d[i, month])
    if judged.record.sources["kind"].iloc[i] == "inbound" or not kg_d <= permit:
        return ()
    name = str(judged.record.sources["name"].iloc[i]) or largest
    params = {
        "name": name,
        "share": round(100 * delivered[largest] / whole),
        "load": round(kg_d, 1),
        "permit": round(permit, 1),
    }
    message = "最大来源{name}约占 {share}%，排放 {load} kg/d，未超许可 {permit} kg/d：达标排放，河道水量承受不起"
    return (Finding(message, params, NOTE),)
