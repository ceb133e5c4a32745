"""A plan told in sentences, the same on the terminal, on the screen and on paper."""

from __future__ import annotations

import pandas as pd

from hydro import Plan, Reliability, cost_curve, last_bit_costs, next_best
from hydro.columns import text as column
from hydro.planning.alternatives import LAST_MG_L
from hydro.planning.effect import BASELINE
from hydro.planning.obstacle import Obstacle
from hydro.planning.seasons import NORMAL
from i18n import text

FREE = 0.05
"""A saving in 万元 too small to be told."""
PROVEN = 1e-6
"""A gap below which a plan is told as the cheapest."""


def tell(plan: Plan, lang: str = "zh") -> list[str]:
    """The answer first, then what it rests on, then what stands in the way or was noticed; one sentence a line."""
    lines = [_answer(plan, lang)]
    if plan.obstacle is not None:
        lines += _obstacle(plan, plan.obstacle, lang)
    elif plan.status == "infeasible":
        lines.append(text("查找原因时被停止，差在哪里没有查明；再求一次即可", lang))
    doses = [m for m in plan.measures if m.action == "dose"]
    lines += [
        text(
            "{name}（{id}）{season}引水 {amount:.2f} m³/s，每年 {days:.0f} 天，共 {volume:.0f} 万m³：这是稀释，不是减排",
            lang,
            id=m.source_id,
            name=column(plan.model.network.gates, "name")[m.source_id],
            season=text(m.season, lang),
            amount=m.amount,
            days=m.days,
            volume=m.volume_10k_m3,
        )
        for m in doses
    ]
    return [*lines, *(text(note.message, lang, **note.params) for note in plan.notes)]


def _answer(plan: Plan, lang: str) -> str:
    facts = {
        "count": len(plan.measures),
        "cost": money(plan.cost),
        "margin": plan.margin * 100,
        "sections": plan.sections["section_id"].nunique(),
        "waters": waters(plan, lang),
    }
    if plan.status == "infeasible":
        return text("允许的措施中没有任何组合能让所有断面达到目标（余量 {margin:g} %）", lang, margin=facts["margin"])
    if plan.status == "stopped" and not plan.measures:
        return text("到停止时还没有找到可行方案，也没有证明不可行。请给更长的时间", lang)
    if plan.status == "stopped":
        source = "已停止：目前最好的方案 {count} 项措施，费用 {cost}，与理论下限相差不超过 {gap:.2f} %"
        return text(source, lang, count=facts["count"], cost=facts["cost"], gap=plan.gap * 100)
    if not plan.measures:
        return text(
            "{sections} 个断面在{waters}下不采取措施也达到目标（余量 {margin:g} %）",
            lang,
            **{key: facts[key] for key in ("sections", "waters", "margin")},
        )
    if plan.unit == "count":
        source = "最少需要 {count} 项措施，{sections} 个断面在{waters}下都达到目标（余量 {margin:g} %）；已证明不能更少"
        return text(source, lang, **{key: value for key, value in facts.items() if key != "cost"})
    if plan.gap > PROVEN:
        source = (
            "方案：{count} 项措施，{cost} 万元，{sections} 个断面在{waters}下都达到目标（余量 {margin:g} %）；"
            "已证明更省的至多省 {gap:.2f} %"
        )
        return text(source, lang, gap=plan.gap * 100, **facts)
    source = "最省方案：{count} 项措施，{cost} 万元，{sections} 个断面在{waters}下都达到目标（余量 {margin:g} %）；已证明没有更省的"
    return text(source, lang, **facts)


def money(cost: float) -> str:
    """万元 as the page's own figures: whole from a hundred, with a tenth below."""
    return f"{cost:,.0f}" if abs(cost) >= 100 else f"{cost:,.1f}"


def waters(plan: Plan, lang: str = "zh") -> str:
    """Every water that the plan was asked to hold in: the search weighs modelled figures, of a measured month too."""
    told = []
    for flow in (stand.condition for stand in plan.model.stands):
        name = text(NORMAL if flow.name == BASELINE.name else flow.name, lang)
        water = text("{month} 当月水情", lang, month=flow.time) if flow.time else name
        told.append(text("{water}（模拟）", lang, water=water))
    return ("、" if lang == "zh" else ", ").join(told)


def _obstacle(plan: Plan, obstacle: Obstacle, lang: str) -> list[str]:
    names = column(plan.model.network.sections, "name")
    if obstacle.only_budget:
        lines = [text("只差预算：不限预算时最省方案要 {cost:.1f} 万元", lang, cost=obstacle.cost_needed)]
    elif obstacle.only_limits:
        lines = [text("必做、每县数量、引水总量等条件本身就不能同时满足，与断面目标无关。请放宽其中之一", lang)]
    elif len(obstacle.sections) > 1:
        source = "断面 {names} 的目标单独都能达到，合在一起不能"
        lines = [text(source, lang, names="、".join(names[s] or s for s in obstacle.sections))]
    else:
        lines = []
    for section, loads in obstacle.loads.groupby("section_id", sort=False):
        largest = loads.iloc[0]
        facts = {
            "name": names[section] or section,
            "left": float(loads["delivered_kg_d"].sum()),
            "allowed": float(largest["allowed_kg_d"]),
            "source": source_name(str(largest["source_id"]), str(largest["name"]), lang),
            "part": float(largest["delivered_kg_d"]),
        }
        source = "断面 {name}：用尽最有效的措施仍有 {left:.3g} kg/d，目标只容 {allowed:.3g} kg/d；最大的一份是{source}，{part:.3g} kg/d"
        lines.append(text(source, lang, **facts))
        inbound, allowed = float(loads.loc[loads["inbound"], "delivered_kg_d"].sum()), float(largest["allowed_kg_d"])
        if inbound > allowed:
            source = "断面 {name} 仅入境负荷 {inbound:.3g} kg/d 就超过目标所容，本地措施无法解决，需上游削减"
            lines.append(text(source, lang, name=facts["name"], inbound=inbound))
    return lines


def last_bits(plan: Plan, bits: pd.DataFrame, lang: str = "zh") -> list[str]:
    """What the last 0.01 mg/L of every section's target costs, dearest first; those that cost nothing in one line."""
    names, nothing = column(plan.model.network.sections, "name"), max(FREE, plan.gap * plan.cost)
    named = [(names[i] or i, float(saved)) for i, saved in zip(bits["section_id"], bits["saved"], strict=True)]
    lines = []
    for name, saved in named:
        if saved > nothing and plan.unit == "count":
            lines.append(
                text("{name}的最后 {step:g} mg/L 要多做 {saved:.0f} 项", lang, name=name, step=LAST_MG_L, saved=saved)
            )
        elif saved > nothing:
            lines.append(
                text("{name}的最后 {step:g} mg/L 要花 {saved:.1f} 万元", lang, name=name, step=LAST_MG_L, saved=saved)
            )
    free = [name for name, saved in named if saved <= nothing]
    if free:
        lines.append(text("{names}放宽 {step:g} mg/L 也省不下钱", lang, names="、".join(free), step=LAST_MG_L))
    return lines


def tell_study(plan: Plan, lang: str = "zh") -> list[str]:
    """Cost against margin, what the last bit of each target costs, and the next best that differ."""
    costs = cost_curve(plan.model, gap=plan.gap)
    lines = []
    for row in costs.to_dict("records"):
        facts = {"margin": 100 * row["margin"], "cost": row["cost"], "count": row["measures"]}
        if row["status"] == "infeasible":
            lines.append(text("余量 {margin:g} %：没有任何组合能做到", lang, margin=facts["margin"]))
            break
        lines.append(text("余量 {margin:g} %：{cost:.1f}，{count} 项", lang, **facts))
    lines += last_bits(plan, last_bit_costs(plan.model, plan, gap=plan.gap), lang)
    first = {(m.key, m.amount) for m in plan.measures if m.action != "dose"}
    for number, other in enumerate(next_best(plan.model, plan, gap=plan.gap), start=2):
        theirs = {(m.key, m.amount) for m in other.measures if m.action != "dose"}
        facts = {
            "number": number,
            "cost": other.cost,
            "gone": _listed(first - theirs) or "–",
            "new": _listed(theirs - first) or "–",
        }
        lines.append(text("第 {number} 省：{cost:.1f}；不做 {gone}，改做 {new}", lang, **facts))
    return lines


def _listed(measures: set[tuple[tuple[str, str, str], float]]) -> str:
    return "、".join(sorted(f"{source}={action}" for (action, source, _), _ in measures))


def tell_certainty(plan: Plan, sure: Reliability, share: float, lang: str = "zh") -> list[str]:
    """How likely the plan holds, in all and section by section, and whether that is what was asked for."""
    names = column(plan.model.network.sections, "name")
    lines = [
        text(
            "全部断面同时达到目标的机会 {share:.0f} %（{draws} 次抽样）", lang, share=100 * sure.share, draws=sure.draws
        )
    ]
    if sure.share < share:
        lines.append(text("允许的措施做不到 {asked:.0f} % 的把握", lang, asked=100 * share))
    lines += [
        text(
            "{name}：{share:.0f} %，九成以内不超过 {tp:.3f} mg/L",
            lang,
            name=names[row["section_id"]] or row["section_id"],
            share=100 * row["probability"],
            tp=row["tp_p90"],
        )
        for row in sure.sections.to_dict("records")
    ]
    return lines


def source_name(source_id: str, name: str, lang: str = "zh") -> str:
    """A source as a person calls it: DIFFUSE and inbound rivers in words, others by name."""
    if source_id == "DIFFUSE":
        return text("面源", lang)
    if source_id == "DOSE":
        return text("所引的水", lang)
    if source_id.startswith("INBOUND:"):
        return text("入境·{name}", lang, name=(name or source_id.removeprefix("INBOUND:")).removeprefix("入境·"))
    return name or source_id
