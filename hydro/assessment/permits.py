"""Double test of the key sources (浓度和排污总量双达标): every concentration against its limit, the load so far against
the permit, and where the year ends at this rate.  A month without data is a gap, never a month without discharge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydro.assessment.months import Months, monthly_means
from hydro.assessment.standards import Floats, Standard
from hydro.columns import number, text
from hydro.load import permit_load_kg_d, point_discharge_m3_s
from hydro.network import RiverNetwork
from hydro.transport import KG_D_PER_MG_L_M3_S

VERDICTS = {
    "both": "浓度、总量双达标",
    "load_only": "总量达标，浓度没有监测或限值",
    "concentration_only": "浓度达标，总量没有监测或许可",
    "load_over": "总量超许可",
    "concentration_over": "浓度超限",
    "both_over": "浓度、总量都超",
    "no_permit": "没有许可，无法判断",
    "no_data": "没有监测数据，无法判断",
}
"""Verdict -> its word on the screen."""


def double_test(network: RiverNetwork, month: str, *, standard: Standard) -> pd.DataFrame:
    """Both tests of every plant and outlet that has a permit or reports, from January to ``month``.

    Columns: source_id, kind, name, county, reports; concentration_mg_l (newest), limit_mg_l, over_months (months over
    the limit), concentration_ok; load_kg (sum over the days of the months with data), permit_kg (of the same days),
    year_permit_kg, run_rate_kg (load so far spread over the whole year), load_ok (load_kg ≤ permit_kg), year_ok
    (run_rate ≤ year_permit); newest_kg_d, permit_kg_d, load_over_months (single months over the permit);
    months_with_data, months_expected, gaps; verdict: both, load_only, concentration_only, load_over,
    concentration_over, both_over, no_permit, no_data.

    A load is the TP_load record of the month, else concentration x discharge of the month.
    By hand: 1.2 kg/d in January and 0.8 in March, February missing, permit 1.0 kg/d: 1.2 x 31 + 0.8 x 31 = 62 kg
    against 62 kg permitted on those days: holds, with one gap.
    """
    frames = [_one_kind(network, kind, month, standard) for kind in ("plant", "outlet")]
    found = pd.concat([one for one in frames if len(one)] or frames, ignore_index=True)
    worst = found.assign(over=-(found["load_kg"] / found["permit_kg"]).fillna(0.0))
    return worst.sort_values(["over", "source_id"]).drop(columns="over").reset_index(drop=True)


def coverage(tested: pd.DataFrame) -> pd.DataFrame:
    """Installation coverage by county: sources that report, of all, and the share of months that they really sent."""
    counted = tested.assign(months_with_data=tested["months_with_data"].where(tested["reports"], 0))
    found = counted.groupby("county", sort=True).agg(
        sources=("reports", "size"), installed=("reports", "sum"),
        sent=("months_with_data", "sum"), expected=("months_expected", "sum"),
    )  # fmt: skip
    return found.assign(
        installed_share=found["installed"] / found["sources"],
        sent_share=found["sent"] / found["expected"].where(found["expected"] > 0),
    ).reset_index()


def _one_kind(network: RiverNetwork, kind: str, month: str, standard: Standard) -> pd.DataFrame:
    table = getattr(network, f"{kind}s")
    if kind == "outlet":
        table = table[~text(table, "plant_id").isin(list(network.plants.index))]
    ids = [str(one) for one in table.index]
    asked = np.arange(f"{month[:4]}-01", np.datetime64(month, "M") + 1, dtype="M8[M]")
    days = ((asked + 1).astype("M8[D]") - asked.astype("M8[D]")).astype(float)
    cube = monthly_means(network.observations.table, ids, standard=standard, kind=kind, until=month)
    tp, water, load = (_window(cube, name, asked, len(ids)) for name in ("TP", "discharge", "TP_load"))
    load = np.where(np.isnan(load), tp * water * KG_D_PER_MG_L_M3_S, load)
    permit = np.asarray(permit_load_kg_d(table, point_discharge_m3_s(table, kind)), dtype=float)
    limit = number(table, "permit_tp_mg_l").to_numpy(float)
    sent = ~np.isnan(load)
    load_kg = np.nansum(load * days, axis=1)
    covered = (sent * days).sum(axis=1)
    permit_kg = permit * covered
    year = asked[0].astype("M8[Y]")
    year_days = float(((year + 1).astype("M8[D]") - year.astype("M8[D]")).astype(int))
    run_rate = np.where(covered > 0, load_kg / np.maximum(covered, 1) * year_days, np.nan)
    seen = ~np.isnan(tp)
    over_months = np.nansum(tp > limit[:, None], axis=1)
    load_over = load_kg > permit_kg * (1 + 1e-9)
    no_data = ~sent.any(axis=1) & ~seen.any(axis=1)
    verdict = np.select(
        [
            no_data,
            np.isnan(permit) & np.isnan(limit),
            load_over & (over_months > 0),
            load_over,
            over_months > 0,
            ~seen.any(axis=1) | np.isnan(limit),
            ~sent.any(axis=1) | np.isnan(permit),
        ],
        ["no_data", "no_permit", "both_over", "load_over", "concentration_over", "load_only", "concentration_only"],
        "both",
    )
    reports = number(table, "reports").fillna(0).to_numpy() > 0
    frame = pd.DataFrame(
        {
            "source_id": ids,
            "kind": kind,
            "name": text(table, "name").to_numpy(),
            "county": text(table, "county").to_numpy(),
            "reports": reports,
            "concentration_mg_l": _newest(tp),
            "limit_mg_l": limit,
            "over_months": over_months,
            "concentration_ok": np.where(seen.any(axis=1) & ~np.isnan(limit), over_months == 0, np.nan),
            "load_kg": np.where(sent.any(axis=1), load_kg, np.nan),
            "permit_kg": permit_kg,
            "year_permit_kg": permit * year_days,
            "run_rate_kg": run_rate,
            "load_ok": np.where(sent.any(axis=1) & ~np.isnan(permit), ~load_over, np.nan),
            "year_ok": np.where(
                np.isnan(run_rate) | np.isnan(permit), np.nan, run_rate <= permit * year_days * (1 + 1e-9)
            ),
            "months_with_data": (sent | seen).sum(axis=1),
            "months_expected": np.where(reports, len(asked), 0),
            "newest_kg_d": _newest(load),
            "permit_kg_d": permit,
            "load_over_months": np.nansum(load > permit[:, None], axis=1),
            "gaps": np.where(reports, len(asked) - (sent | seen).sum(axis=1), 0),
            "verdict": verdict,
        }
    )
    kept: pd.DataFrame = frame.loc[reports | ~no_data | ~np.isnan(permit)]
    return kept


def _newest(values: Floats) -> Floats:
    """The newest value of each row, NaN where there is none."""
    there = ~np.isnan(values)
    at = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(there.any(axis=1), values[np.arange(len(values)), at], np.nan))


def _window(cube: Months, name: str, asked: npt.NDArray[np.datetime64], rows: int) -> Floats:
    """One parameter over the months asked; NaN where the record does not reach."""
    found = np.full((rows, len(asked)), np.nan)
    if name in cube.values and len(cube.months):
        at = (asked - cube.months[0]).astype(int)
        inside = (at >= 0) & (at < len(cube.months))
        found[:, inside] = cube.values[name][:, at[inside]]
    return found
