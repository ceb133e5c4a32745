"""The sentences that the documents share: one conclusion per section, one line per figure, words for codes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from hydro.tasks import STATES, state_of
from layers.maps.style import status
from reports.content import Content, Figure, SectionReport, Source, Task
from reports.planned import plan_named

STATUS = {"over": "超标", "at": "持平（零余量）", "holds": "达标", "none": "未监测"}
KIND = {
    "outlet": "排污口",
    "plant": "污水处理厂",
    "inbound": "入境",
    "diffuse": "面源",
    "unregistered": "未登记排口",
    "rest": "其他",
}
BASIS = {
    "monitored": "监测",
    "permit": "许可",
    "estimated": "估算",
    "modelled": "模拟",
    "learned": "由记录推断",
    "unknown": "不明",
}
ACTION = {
    "seal": "封堵",
    "regulate": "规范整治",
    "merge": "清理合并",
    "dose": "引水",
    "upgrade": "提标改造",
    "dredge": "清淤疏浚",
    "relocate": "搬迁",
}
SURVEY = {"found": "已查", "sampled": "已测", "traced": "已溯", "signed": "已治（立标）"}
DECISION = {"undecided": "未定", "regulate": "规范整治", "merge": "清理合并", "seal": "封堵"}
SURE = 0.8
"""From this chance on it is told as found that no single cause was at work."""
EFFECT = {"monitored": "实测起算", "modelled": "模拟"}
"""Where the figures of a plan start from."""
NUMERAL = {"I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ", "V": "Ⅴ", ">V": "劣Ⅴ", "": "—"}


def capital(words: str) -> str:
    """A word of the catalogue as a title or the head of a column: with a capital where the script has them."""
    return words[:1].upper() + words[1:]


def headings(content: Content) -> Callable[[str], str]:
    """Says words as they stand at the head of a column, or alone in a cell."""
    return lambda words: capital(content.say(words))


def sentence(content: Content, *clauses: str) -> str:
    """Clauses as sentences of a paragraph, each with its full stop; blank ones are passed over.

    >>> from types import SimpleNamespace as Reader
    >>> sentence(Reader(lang="zh"), "甲", "", "乙"), sentence(Reader(lang="en"), "first", "second.")
    ('甲。乙。', 'First. Second.')
    """
    full, between = ("。", "") if content.lang == "zh" else (".", " ")
    return between.join(
        capital(clause) if clause.endswith(full) else capital(clause) + full for clause in clauses if clause
    )


def joined(content: Content, clauses: Sequence[str]) -> str:
    """Clauses side by side in one sentence."""
    return ("；" if content.lang == "zh" else "; ").join(clauses)


def title(content: Content) -> str:
    """Title of the pack."""
    return content.say("{project}总磷月报", project=content.project)


def month_name(content: Content) -> str:
    """The month as it is spoken."""
    return spoken_month(content.month, content.lang)


def spoken_month(month: str, lang: str) -> str:
    """``2022-07`` as it is said.

    >>> spoken_month("2022-07", "zh"), spoken_month("2022-07", "en")
    ('2022年7月', '2022-07')
    """
    return f"{month[:4]}年{int(month[5:7] or 0)}月" if lang == "zh" else month


def grade(content: Content, water_class: str) -> str:
    """The class as it is printed; 劣Ⅴ has an English of its own."""
    numeral = NUMERAL.get(water_class, water_class)
    return content.say("劣Ⅴ") if water_class == ">V" else numeral


def number(value: float, digits: int = 3) -> str:
    """A number as printed, thousands apart; a dash where there is none."""
    return "—" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def money(content: Content, cost: float) -> str:
    """A sum of 万元 as each language counts it: 2,123 万元, CNY 21.23 million."""
    return f"{cost:,.0f} 万元" if content.lang == "zh" else f"CNY {cost / 100:,.2f} million"


def kg(value: float) -> str:
    """A load with three figures that matter."""
    if value is None or math.isnan(value):
        return "—"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def enough_kg(value: float) -> str:
    """A load to be cut, rounded up to a printed figure, so that cutting what is printed is enough.

    >>> enough_kg(47.5012), enough_kg(0.301), enough_kg(1204.2), enough_kg(12.3)
    ('47.6', '0.31', '1,205', '12.3')
    """
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return kg(math.ceil(round(value * 10**digits, 6)) / 10**digits)


def percent(share: float) -> str:
    """A share as per cent."""
    return (
        "—"
        if share is None or math.isnan(share)
        else f"{100 * share:.0f}%"
        if share >= 0.0995
        else f"{100 * share:.1f}%"
    )


def ranged(source: Source) -> str:
    """A share with its low and high, in per cent, where they are known.

    >>> one = Figure(1.0, "kg/d")
    >>> ranged(Source("O1", "outlet", "O1", 1, one, one, 0.44, 1.0, share_low=0.36, share_high=0.51))
    '44% (36–51)'
    """
    if math.isnan(source.share_low) or math.isnan(source.share_high):
        return percent(source.share)
    digits = 0 if source.share_high >= 0.0995 else 1
    return f"{percent(source.share)} ({100 * source.share_low:.{digits}f}–{100 * source.share_high:.{digits}f})"


def days(content: Content, travel_time_d: float) -> str:
    """A travel time in hours below two days, else in days; unknown where a gate's state is."""
    if math.isnan(travel_time_d):
        return content.say("不明")
    if travel_time_d < 2:
        return content.say("{hours} 小时", hours=f"{24 * travel_time_d:.0f}")
    return content.say("{days} 天", days=f"{travel_time_d:.1f}")


def basis(content: Content, figure: Figure) -> str:
    """Where a figure comes from, and its date: ``监测 2022-07``."""
    return " ".join(part for part in (content.say(BASIS.get(figure.basis, figure.basis or "—")), figure.date) if part)


def listed(content: Content, source: Source) -> str:
    """What the registers alone have of a source at the section, with its basis: ``126 监测``."""
    if not source.inventory.known:
        return "—"
    known = content.say(BASIS[source.inventory.basis]) if source.inventory.basis in BASIS else ""
    return f"{kg(source.inventory.value)} {known}".strip()


def verdict(content: Content, one: SectionReport) -> str:
    """One sentence for a section, the one to be read from the back of a room."""
    if one.status == "none":
        return content.say("{name}本月没有总磷监测值", name=one.name)
    value = number(one.measured.value)
    if one.status == "over":
        return content.say(
            "{name}总磷 {value} mg/L，超目标 {multiple} 倍，多了 {kg} kg/d",
            name=one.name,
            value=value,
            multiple=times_over(content, one.multiple),
            kg=kg(-one.headroom.value),
        )
    if one.status == "at":
        return content.say("{name}总磷 {value} mg/L，与目标持平，没有余量", name=one.name, value=value)
    return content.say("{name}再多 {kg} kg/d 就超标", name=one.name, kg=kg(one.headroom.value))


def times_over(content: Content, multiple: float) -> str:
    """How far over a target, as each language counts it: 0.14 (倍), 14%."""
    return f"{multiple:.2f}" if content.lang == "zh" else f"{100 * multiple:.0f}%"


def chief(content: Content, one: SectionReport, count: int = 3) -> str:
    """The main sources of a section in one sentence."""
    between = "、" if content.lang == "zh" else ", "
    named = between.join(
        content.say("{source}（{kg} kg/d，{share}）", source=s.name, kg=kg(s.delivered.value), share=percent(s.share))
        for s in one.sources[:count]
    )
    return content.say("主要来源：{sources}", sources=named)


def situation(content: Content, some: Sequence[SectionReport] | None = None) -> str:
    """The month in one sentence: how many sections (of ``some``, or all) hold, stand on target, exceed."""
    measured = [one for one in (content.sections if some is None else some) if one.status != "none"]
    count = {name: sum(one.status == name for one in measured) for name in ("over", "at", "holds")}
    return content.say(
        "{month}监测 {n} 个断面：达标 {holds} 个，持平 {at} 个，超标 {over} 个",
        month=month_name(content),
        n=len(measured),
        **count,
    )


def unexplained(content: Content, one: SectionReport) -> str:
    """What the inventory does not explain of the measured load; shown, never hidden."""
    gap = one.unexplained_kg_d
    if math.isnan(gap):
        return content.say("断面未监测，无法与清单对照")
    if gap >= 0:
        return content.say(
            "清单未说明：{kg} kg/d（占实测 {share}）", kg=kg(gap), share=percent(gap / one.measured_load.value)
        )
    return content.say("清单负荷比实测多 {kg} kg/d", kg=kg(-gap))


def likely(content: Content, one: SectionReport) -> str:
    """Who it most probably was, in one clause; blank where nothing was over, honest where nobody stands out.

    That nobody is to blame can be as sure as that somebody is; only where it is not, evidence is what lacks.
    """
    if not one.causes:
        return ""
    first = one.causes[0]
    if first.source_id == "NONE":
        if first.probability < SURE:
            return content.say("没有足够证据指认单一原因")
        return content.say("属平时负荷，没有单一原因（{chance}）", chance=percent(first.probability))
    return content.say("最可能的原因是{name}（{chance}）", name=first.name, chance=percent(first.probability))


def cut(content: Content, one: SectionReport, source: Source) -> str:
    """What a source must cut, where it discharges, for a section that is over to meet its target: excess / delivery ratio.

    Where all that it delivers is less than the excess, no cut of its own is enough, and the sentence says what is left over.
    """
    over, delivered = -one.headroom.value, source.delivered.value
    if over > delivered:
        return content.say(
            "{name}：先查{source}，但它到断面的 {delivered} kg/d 全部削减后仍多 {left} kg/d，其他来源也须削减",
            name=one.name, source=source.name, delivered=kg(delivered), left=enough_kg(over - delivered),
        )  # fmt: skip
    return content.say(
        "{name}：先查{source}，排口处每日削减 {kg} kg 即可达标（其中 {percent} 到断面；流量按当月，其他来源不变）",
        name=one.name, source=source.name, kg=enough_kg(over / source.delivery_ratio), percent=percent(source.delivery_ratio),
    )  # fmt: skip


def top_sources(content: Content, one: SectionReport, count: int) -> list[Source]:
    """The first ``count`` sources, and all others as one row, so that the list adds up."""
    first, rest = list(one.sources[:count]), one.sources[count:]
    if len(rest) == 1:
        return [*first, *rest]
    if rest:
        first.append(
            Source(
                source_id="",
                kind="rest",
                name=content.say("其余 {count} 个来源", count=len(rest)),
                rank=count + 1,
                load=Figure(sum(s.load.value for s in rest), "kg/d"),
                inventory=Figure(sum(s.inventory.value for s in rest if s.inventory.known), "kg/d"),
                delivered=Figure(sum(s.delivered.value for s in rest), "kg/d", "modelled"),
                share=sum(s.share for s in rest if not math.isnan(s.share)),
                travel_time_d=math.nan,
            )
        )
    return first


def plan_name(content: Content) -> str:
    """The plan by its name and how far it has come; blank where none is told."""
    plan = content.plan
    return capital(plan_named(plan.name, plan.state, content.say)) if plan else ""


def plan_effect(content: Content) -> str:
    """The plan in one sentence: its name, its cost, and how many sections exceed before and after it."""
    plan = content.plan
    if plan is None:
        return ""
    told = [
        (plan.effects[one.section_id], one.target.value) for one in content.sections if one.section_id in plan.effects
    ]
    before = sum(status(effect.before, target) == "over" for effect, target in told)
    after = sum(status(effect.after, target) == "over" for effect, target in told)
    return content.say(
        "{plan}：{cost}，超标断面由 {before} 个变为 {after} 个",
        plan=plan_name(content), cost=money(content, plan.cost), before=before, after=after,
    )  # fmt: skip


def method(content: Content) -> list[str]:
    """What the figures are and where they come from, in a few sentences."""
    say = content.say
    plan = say(
        "方案效果：从当月实测值起算，减去模型算出的削减量；清单未说明的部分原样保留，清单多于实测时按比例折减；未监测的断面为模拟值。"
    )
    return [
        say("负荷 = 浓度 × 流量 × 86.4。贡献率 = 到断面负荷的最佳估计 / 断面实测负荷，由清单与全部监测记录一并推断。"),
        say("清单到断面：只按登记的监测或许可量推算，不看断面实测；与实测之差列为“清单未说明”，不摊入各来源。"),
        say("依据：监测为自行监测或断面监测，许可为排污许可量，估算为面源与入境的推算，模拟为河网模型结果。"),
        *([plan] if content.plan else []),
    ]


def credit(content: Content) -> str:
    """The line at the foot of every page: data, date, maker, and 示例 where the figures are made up."""
    parts = [
        content.say("示例数据，非实测") if content.demo else "",
        content.say("数据截至 {month}", month=content.month),
        content.say("负荷为清单与模型推算，依据见各表"),
        content.say("制作 {date}", date=content.made_on) if content.made_on else "",
        content.unit,
        content.say("审图号：{number}", number=content.approval) if content.approval else "",
    ]
    return " · ".join(part for part in parts if part)


def task_state(content: Content, task: Task) -> str:
    """The state of a task in words."""
    state = state_of({"state": task.state})
    return capital(content.say(STATES.get(state, state)))
