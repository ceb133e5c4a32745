"""How far the work on the sources is: the outlet survey (查测溯治), registers with their pace, dated goals, the league.

``today`` is always given; no clock is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from hydro.columns import number, text
from hydro.tasks import with_status

SURVEY = ("found", "sampled", "traced", "signed")
"""Steps of the outlet survey (国办函〔2022〕17号: 查、测、溯、治); a step includes those before it."""

GOALS_2023 = {"traced": 0.8, "signed": 0.3}
"""Share of outlets to be traced and rectified by the end of 2023 (国办函〔2022〕17号)."""

FAMILIES: Mapping[str, str] = {
    "enterprise": "停产整顿企业",
    "polluter": "取缔小散乱企业",
    "farm": "禁养区养殖场搬迁",
    "dredging": "河道清淤",
    "plant": "污水处理厂与管网",
    "gate": "闸与引水口门",
}

WEIGHTS: Mapping[str, float] = {"attainment": 40.0, "tasks": 30.0, "on_time": 20.0, "survey": 10.0}
"""Points of the county league; editable, and shown with the result."""


def survey_progress(outlets: pd.DataFrame, by: str = "county") -> pd.DataFrame:
    """Outlets that have come at least to each survey step, by county or type, and the share of each step."""
    step = text(outlets, "survey").map({name: i for i, name in enumerate(SURVEY)}).fillna(-1).to_numpy(int)
    frame = pd.DataFrame({"group": text(outlets, by).to_numpy()} | {s: step >= i for i, s in enumerate(SURVEY)})
    frame["decided"] = (~text(outlets, "decision").isin(["", "undecided"])).to_numpy()
    names = [*SURVEY, "decided"]
    counted = frame.groupby("group", sort=True)[names].sum()
    counted.insert(0, "outlets", frame.groupby("group").size())
    shares = counted[names].div(counted["outlets"], axis=0).add_suffix("_share")
    return pd.concat([counted, shares], axis=1).reset_index()


def register_progress(registers: pd.DataFrame, *, today: str) -> pd.DataFrame:
    """Each register row with its share done, the share of time gone, its pace and where that pace ends.

    ``pace = (done / target) / (time gone / time given)``: 1 is on plan.  ``at_due``: what will be done by the due date
    at the pace so far.  ``state``: done, on_plan, behind (pace under 0.9), not_started (nothing done though begun),
    undated.  By hand: 12 of 30 done after 146 of 365 days: (12/30) / (146/365) = 1.0; at the end 30.
    """
    target, done = number(registers, "target").to_numpy(), number(registers, "done").fillna(0).to_numpy()
    start, due = (pd.to_datetime(text(registers, name), errors="coerce").to_numpy() for name in ("starts_on", "due_on"))
    now = np.datetime64(today, "D")
    days = (due - start).astype("m8[D]").astype(float)
    gone = np.clip((now - start).astype("m8[D]").astype(float) / np.where(days > 0, days, np.nan), 0, 1)
    share = np.where(target > 0, done / np.where(target > 0, target, 1), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = np.where(gone > 0, share / np.where(gone > 0, gone, 1), np.nan)
    state = np.select(
        [share >= 1, np.isnan(pace), done == 0, pace < 0.9], ["done", "undated", "not_started", "behind"], "on_plan"
    )
    found = registers.assign(share=share, gone=gone, pace=pace, state=state)
    return found.assign(at_due=np.minimum(target * pace, np.where(np.isnan(pace), np.nan, target)))


def goal_progress(goals: pd.DataFrame, values: pd.DataFrame, *, month: str) -> pd.DataFrame:
    """Rivers with a dated goal (大沙河退出劣五类): where they are, how far to go, and how fast they must.

    ``goals``: goal_id, river, tp_goal_mg_l, due_on, owner; ``values``: river, month, value_mg_l (section-months).  Adds
    ``mean_mg_l`` (newest twelve months of its sections), ``distance_mg_l`` (above the goal; ≤ 0: met),
    ``months_left``, ``needed_per_month`` and ``year_change_mg_l`` (against the twelve months before).
    """
    last = np.datetime64(month, "M")
    when = values["month"].astype(str).to_numpy().astype("M8[M]")
    rows = []
    for goal in goals.to_dict("records"):
        own = (values["river"] == goal["river"]).to_numpy()
        now, before = (
            float(values.loc[own & (when > last - 12 * (k + 1)) & (when <= last - 12 * k), "value_mg_l"].mean())
            for k in (0, 1)
        )
        wanted = float(goal["tp_goal_mg_l"])
        due = str(goal.get("due_on") or "")[:7]
        left = float((np.datetime64(due, "M") - last).astype(int)) if due else np.nan
        distance = now - wanted
        needed = max(distance, 0.0) / left if left > 0 else (0.0 if distance <= 0 else np.nan)
        rows.append(
            goal | {"mean_mg_l": now, "distance_mg_l": distance, "months_left": left, "needed_per_month": needed,
                    "year_change_mg_l": now - before, "overdue": bool(left < 0 and distance > 0)}
        )  # fmt: skip
    names = ["mean_mg_l", "distance_mg_l", "months_left", "needed_per_month", "year_change_mg_l", "overdue"]
    return pd.DataFrame(rows, columns=[*goals.columns, *names])


def league(
    rows: pd.DataFrame,
    tasks: pd.DataFrame,
    outlets: pd.DataFrame,
    *,
    today: str,
    weights: Mapping[str, float] = WEIGHTS,
) -> pd.DataFrame:
    """Counties by points, with the arithmetic of each: a part is weight x held / counted.

    Parts: attainment (section-months attained / monitored this year), tasks (done / all not cancelled), on_time (tasks
    not late and not overdue / all), survey (outlets traced / all).  A part that a county has nothing to count in is left
    out, and the points are scaled to the weights that remain: no county gains or loses by having no outlets.
    """
    status = with_status(tasks, today=today) if len(tasks) else tasks.assign(state="", overdue=False, late=False)
    counted = status[status["state"] != "cancelled"]
    who = text(counted, "county")
    survey = text(outlets, "survey").isin(SURVEY[2:])
    parts = {
        "attainment": (rows["attained_months"], rows["monitored_months"], text(rows, "county")),
        "tasks": (counted["state"] == "done", counted["state"] != "", who),
        "on_time": (~(counted["overdue"] | counted["late"]).astype(bool), counted["state"] != "", who),
        "survey": (survey, survey | True, text(outlets, "county")),
    }
    sums = {
        name: pd.DataFrame({"held": np.asarray(held, float), "of": np.asarray(of, float), "county": np.asarray(county)})
        .groupby("county")[["held", "of"]]
        .sum()
        for name, (held, of, county) in parts.items()
    }
    counties = sorted({c for one in sums.values() for c in one.index if c})
    table = [_points(county, sums, weights) for county in counties]
    found = pd.DataFrame(table, columns=["county", *_columns(weights), "points", "arithmetic"])
    found = found.sort_values(["points", "county"], ascending=[False, True], na_position="last")
    return found.assign(rank=range(1, len(found) + 1)).reset_index(drop=True)


def _columns(weights: Mapping[str, float]) -> list[str]:
    return [f"{name}_{what}" for name in weights for what in ("held", "of")]


def _points(county: str, sums: Mapping[str, pd.DataFrame], weights: Mapping[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"county": county}
    total, of_weight, words = 0.0, 0.0, []
    for name, weight in weights.items():
        there = county in sums[name].index
        held, of = (float(sums[name][what][county]) if there else 0.0 for what in ("held", "of"))
        row |= {f"{name}_held": held, f"{name}_of": of}
        if of > 0:
            total, of_weight = total + weight * held / of, of_weight + weight
            words.append(f"{weight:g}×{held:g}/{of:g}")
    row["points"] = 100 * total / of_weight if of_weight else np.nan
    scale = "" if of_weight == 100 or not words else f" ×100/{of_weight:g}"
    joined = " + ".join(words)
    row["arithmetic"] = f"({joined}){scale} = {row['points']:.1f}" if scale else f"{joined} = {row['points']:.1f}"
    return row
