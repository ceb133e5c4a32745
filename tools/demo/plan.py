"""The demo's plan: what the office means to do before the year ends. All made up."""

from __future__ import annotations

import pandas as pd

PLAN = "P1"
MEASURES = [  # id, name, action, source, amount, unit, cost, department, due
    ("M1", "城东厂溢流整治与提标", "upgrade", "W01", 0.30, "mg/L", 860.0, "住房城乡建设局", "2022-10-31"),
    ("M2", "东区厂深度除磷", "upgrade", "W03", 0.25, "mg/L", 420.0, "住房城乡建设局", "2022-12-31"),
    ("M3", "新乡县厂提标", "upgrade", "W06", 0.25, "mg/L", 310.0, "住房城乡建设局", "2022-12-31"),
    ("M4", "人民胜利渠生态补水", "dose", "G04", 3.0, "m3/s", 95.0, "水利局", "2022-09-30"),
]
COLUMNS = ["measure_id", "name", "action", "source_id", "amount", "unit", "cost", "department", "due_on"]


def plan_tables(outlets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """``plans``, ``decisions`` (every outlet marked for sealing) and ``measures``."""
    sealed = outlets.loc[outlets["decision"] == "seal", "outlet_id"]
    told = "封堵标记为封堵的排口，三座厂提标，人民胜利渠补水"
    heads = ["plan_id", "name", "description", "state", "created_by", "created_on"]
    return {
        "plans": pd.DataFrame([(PLAN, "汛期攻坚方案（示例）", told, "draft", "示例", "2022-08-01")], columns=heads),
        "decisions": pd.DataFrame(
            {"plan_id": PLAN, "outlet_id": sealed, "decision": "seal", "reason": "示例：散排，可接入村站"}
        ),
        "measures": pd.DataFrame(MEASURES, columns=COLUMNS).assign(plan_id=PLAN),
    }
