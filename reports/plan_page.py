"""A plan on one page: the conclusion, every section before and after, what is done, who pays; one HTML file to print."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hydro import Plan, compare, from_measured
from hydro.columns import records
from hydro.columns import text as column
from hydro.duties import DUTIES
from hydro.planning.measure import Measure, with_duty
from hydro.planning.plan_rows import place_name
from i18n import text
from reports.plan import money, tell, waters

Sayer = Callable[..., str]

NAMED = 6
WIDE, HIGH = 260, 18
STYLE = Path(__file__).parent / "browser" / "plan_page.css"


def plan_page(
    plan: Plan, *, title: str = "", name: str = "", lang: str = "zh", demo: bool = False, made_on: str = ""
) -> str:
    """The page as a document that asks nobody for anything; ``title`` is the basin, ``name`` the plan; both enter as text."""

    def say(source: str, **params: object) -> str:
        return html.escape(text(source, lang, **params))

    told = tell(plan, lang)
    label = f' <span class="demo">{say("示例")}</span>' if demo else ""
    parts = [
        f"<h1>{html.escape(title) or say('方案')}{label}</h1>",
        f'<p class="asked">{_asked(plan, name, say, lang)}</p>',
        f'<p class="said">{html.escape(told[0])}</p>',
        _sections(plan, say),
        _measures(plan, say, lang),
        _payers(plan, say),
        "".join(f"<p class=foot>{html.escape(line)}</p>" for line in told[1:]),
        f'<p class="foot">{html.escape(made_on)} {say("示例数据") if demo else ""}</p>',
    ]
    style = STYLE.read_text(encoding="utf-8")
    head = f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"{head}<style>{style}</style><body>" + "\n".join(part for part in parts if part) + "</body></html>\n"


def _asked(plan: Plan, name: str, say: Sayer, lang: str) -> str:
    """Which plan this is, for which water and with which margin, and what it costs once and every year."""
    once, yearly = (
        sum(m.cost for m in plan.measures if m.yearly == each and np.isfinite(m.cost)) for each in (False, True)
    )
    cost = say("一次 {once} 万元，每年 {yearly} 万元", once=money(once), yearly=money(yearly))
    facts = [
        say("方案：{name}", name=name) if name else say("方案未命名"),
        say("水情：{waters}", waters=waters(plan, lang)),
        say("余量 {margin:g} %", margin=100 * plan.margin),
        *([cost] if plan.unit != "count" and plan.measures else []),
    ]
    return " · ".join(facts)


def _sections(plan: Plan, say: Sayer) -> str:
    rows = _rows(plan)
    if rows.empty:
        return ""
    most = float(np.nanmax(rows[["tp_before_mg_l", "tp_after_mg_l", "target_mg_l"]].to_numpy())) * 1.05
    several = rows["condition"].nunique() > 1
    body = []
    for row in records(rows):
        name = html.escape(str(row["name"] or row["section_id"])) + (
            f" · {say(str(row['condition']))}" if several else ""
        )
        margin = 1 - row["tp_after_mg_l"] / row["target_mg_l"]
        body.append(
            f"<tr><td>{name}</td><td class=n>{row['target_mg_l']:.2f}</td><td class=n>{row['tp_before_mg_l']:.3f}</td>"
            f"<td class=n>{row['tp_after_mg_l']:.3f}</td><td class=n>{100 * margin:.1f} %</td><td>{_slope(row, most)}</td></tr>"
        )
    heads = [say(word) for word in ("断面", "目标 mg/L", "现状 mg/L", "方案 mg/L", "余量")]
    top = f"<th>{heads[0]}</th>" + "".join(f"<th class=n>{head}</th>" for head in heads[1:]) + "<th>○ → ●</th>"
    note = say(
        "现状为当月实测；方案从实测起算，清单未说明的部分原样保留"
        if (rows["basis"] == "monitored").any()
        else "现状与方案都是模型在所列水情下的值，不是某月实测"
    )
    return f"<h2>{say('断面前后')}</h2><table><tr>{top}</tr>{''.join(body)}</table><p class=foot>{note}</p>"


def _rows(plan: Plan) -> pd.DataFrame:
    """Every section before and after, from its reading where the condition is a month in which it was measured."""
    stands = plan.model.stands
    if plan.sections.empty or not any(stand.condition.time for stand in stands):
        return plan.sections.assign(basis="modelled")
    key, told = ["condition", "section_id"], ["tp_before_mg_l", "tp_after_mg_l", "basis"]
    compared = from_measured(compare(plan.model.network, plan.scenario, situations=stands), stands)
    return plan.sections.drop(columns=told[:2]).merge(compared[[*key, *told]], on=key)


def _slope(row: dict[str, float], most: float) -> str:
    """Before as a ring, after as a dot, the target as a bar: read in grey print too."""

    def at(value: float) -> float:
        return round(4 + (WIDE - 8) * value / most, 1)

    before, after, goal = (at(row[key]) for key in ("tp_before_mg_l", "tp_after_mg_l", "target_mg_l"))
    y = HIGH / 2
    return (
        f'<svg width="{WIDE}" height="{HIGH}" role="img"><line x1="4" x2="{WIDE - 4}" y1="{y}" y2="{y}" stroke="#e4e8eb"/>'
        f'<line x1="{goal}" x2="{goal}" y1="2" y2="{HIGH - 2}" stroke="#1f2a33" stroke-width="2" stroke-dasharray="3 2"/>'
        f'<line x1="{before}" x2="{after}" y1="{y}" y2="{y}" stroke="#1667b7" stroke-width="3"/>'
        f'<circle cx="{before}" cy="{y}" r="5" fill="#fff" stroke="#1f2a33" stroke-width="2"/>'
        f'<circle cx="{after}" cy="{y}" r="5" fill="#1667b7"/></svg>'
    )


def _measures(plan: Plan, say: Sayer, lang: str) -> str:
    kinds: dict[str, list[Measure]] = {}
    for measure in plan.measures:
        kinds.setdefault(measure.action, []).append(measure)
    if not kinds:
        return ""
    body = []
    for action, several in kinds.items():
        ordered = sorted(several, key=lambda m: -np.nan_to_num(m.cost))
        names = [place_name(plan.model.network, m.source_id) for m in ordered]
        shown = "、".join(dict.fromkeys(names[:NAMED])) + (text("等", lang) if len(names) > NAMED else "")
        duty = with_duty(several[0])
        days = max(with_duty(m).lead_days for m in several)
        body.append(
            f"<tr><td>{say(DUTIES[action].word)}</td><td class=n>{len(several)}</td><td>{html.escape(shown)}</td>"
            f"<td>{say(duty.department)}</td><td class=n>{days:.0f}</td><td class=n>{_cost(several, plan)}</td></tr>"
        )
    heads = [say(word) for word in ("措施", "项", "对象", "部门", "工期（天）", "万元")]
    top = "".join(f"<th{' class=n' if i in (1, 4, 5) else ''}>{head}</th>" for i, head in enumerate(heads))
    return f"<h2>{say('做什么')}</h2><table><tr>{top}</tr>{''.join(body)}</table>"


def _payers(plan: Plan, say: Sayer) -> str:
    network = plan.model.network
    county = column(network.outlets, "county").to_dict() | column(network.plants, "county").to_dict()
    frame = pd.DataFrame(
        {
            "county": [str(county.get(m.source_id, "")) for m in plan.measures],
            "cost": [float(np.nan_to_num(m.cost)) for m in plan.measures],
        }
    )
    if frame.empty or plan.unit == "count":
        return ""
    summed = frame.groupby("county")["cost"].sum().sort_values(ascending=False)
    told = "　".join(f"{html.escape(str(name)) or say('（市级）')} {cost:,.0f}" for name, cost in summed.items())
    return f"<h2>{say('各县费用（万元）')}</h2><p>{told}</p>"


def _cost(measures: Sequence[Measure], plan: Plan) -> str:
    if plan.unit == "count":
        return "–"
    total = sum(m.cost for m in measures if np.isfinite(m.cost))
    return f"{total:,.1f}" + ("/a" if any(m.yearly for m in measures) else "")
