"""Who did it, measured: top-1/top-3, shares, calibration and time beside two plain rules, on cases with the truth told.

``python -m benchmarks.attribution [--made 20] [--format table|json]`` reads the monthly cases of the oracles folder
(where it is there) and basins of its own making.  One line a case.  The priors were set with all of these cases in view,
so no line is a case left out, and the made basins share those priors: expect somewhat less on basins not seen.
The two rules: rank by permitted load, and by newest reported load × delivery.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hydro
from benchmarks.basins_monthly import make_basin

CASES = Path(__file__).resolve().parents[1] / ".." / "shared" / "oracles" / "cases"
Answer = Callable[[str, str], tuple[dict[str, float], dict[str, float]]]
FIGURES = (
    "events", "registered_1", "registered_3", "all_3", "unlisted_3", "washoff_1", "largest", "share_error",
    "calibration", "ms",
)  # fmt: skip


def told_cases(
    folder: Path,
) -> Iterator[tuple[str, dict[str, pd.DataFrame], pd.DataFrame, dict[str, dict[str, float]]]]:
    """Name, tables, queries and true shares of every case with the truth beside it."""
    for case in sorted(folder.iterdir()) if folder.is_dir() else []:
        with sqlite3.connect(case / "network.gpkg") as file:
            names = [row[0] for row in file.execute("select table_name from gpkg_contents")]
            tables = {name: pd.read_sql(f'select * from "{name}"', file).drop(columns="geom") for name in names}
        tables |= {name: pd.read_csv(case / f"{name}.csv") for name in ("observations", "weather")}
        queries = pd.read_csv(case / "truth" / "queries.csv").fillna({"culprit": "", "culprit_kind": ""})
        shares: dict[str, dict[str, float]] = {}
        for row in pd.read_csv(case / "truth" / "contributions.csv").itertuples():
            shares.setdefault(str(row.query_id), {})[str(row.source_id)] = float(row.share)
        yield case.name, tables, queries, shares


def made_cases(count: int) -> Iterator[tuple[str, dict[str, pd.DataFrame], pd.DataFrame, dict[str, dict[str, float]]]]:
    """The same of basins of our own making, a third of them small."""
    small = {"reaches": 62, "outlets": 31, "plants": 3, "hidden": 4, "sections": 6}
    for seed in range(count):
        basin = make_basin(1000 + seed, **(small if seed % 3 == 0 else {}))
        yield f"made_{seed:02d}", basin.tables, basin.queries, basin.shares


def by_attribution(judged: hydro.Attribution) -> Answer:
    def answer(section: str, month: str) -> tuple[dict[str, float], dict[str, float]]:
        table = judged.explain(section, month).table.set_index("source_id")
        return table["probability"].to_dict(), table["share"].drop("NONE").to_dict()

    return answer


def by_rule(network: hydro.RiverNetwork, *, permitted: bool) -> Answer:
    permit = pd.concat([network.outlets["permit_load_kg_d"], network.plants["permit_load_kg_d"]])

    def answer(section: str, month: str) -> tuple[dict[str, float], dict[str, float]]:
        table = hydro.trace_sources(network, section, time=month).table.set_index("source_id")
        weight = permit.reindex(table.index).fillna(0.0) if permitted else table["delivered_kg_d"]
        return (weight / max(float(weight.sum()), 1e-12)).to_dict(), table["share"].to_dict()

    return answer


def known_as(source: str) -> str:
    """An unlisted outlet of the truth has no row of its own."""
    return "UNREGISTERED" if source.startswith("H") else source or "NONE"


def ask(queries: pd.DataFrame, shares: dict[str, dict[str, float]], answer: Answer) -> pd.DataFrame:
    """One row an exceedance: was the culprit first, among three; how far off the shares; how sure and how right."""
    rows = []
    for query in queries.itertuples():
        section, month = str(query.query_id).split("@")
        odds, share = answer(section, month)
        culprit = known_as(str(query.culprit))
        ranked = sorted((source for source in odds if source != "NONE"), key=lambda s: -odds[s])
        sure = max(odds, key=lambda s: odds[s])
        true: dict[str, float] = {}
        for source, part in shares[str(query.query_id)].items():
            true[known_as(source)] = true.get(known_as(source), 0.0) + part
        five = sorted(true, key=lambda s: -true[s])[:5]
        rows.append(
            {
                "month": month,
                "kind": str(query.culprit_kind),
                "excess": float(query.excess_share),
                "first": ranked[0] == culprit,
                "three": culprit in ranked[:3],
                "sure": odds[sure],
                "right": sure == culprit,
                "largest": max(share, key=lambda s: share[s]) == known_as(str(query.top_contributor)),
                "share_error": float(np.mean([abs(share.get(s, 0.0) - true[s]) for s in five])),
            }
        )
    return pd.DataFrame(rows)


def figures(asked: pd.DataFrame, seconds: float) -> dict[str, float]:
    """The figures of a set of exceedances; hits are counted once an event, at the section with the largest excess."""
    caused = asked[asked["kind"] != ""].sort_values("excess", ascending=False, kind="stable")
    events = caused.groupby(["case", "month"]).head(1)
    registered = events[events["kind"].isin(["outlet", "plant"])]
    return {
        "events": len(events),
        "registered_1": registered["first"].mean(),
        "registered_3": registered["three"].mean(),
        "all_3": events["three"].mean(),
        "unlisted_3": events.loc[events["kind"] == "hidden", "three"].mean(),
        "washoff_1": events.loc[events["kind"] == "diffuse", "first"].mean(),
        "largest": asked["largest"].mean(),
        "share_error": asked["share_error"].mean(),
        "calibration": calibration_error(asked["sure"].to_numpy(), asked["right"].to_numpy()),
        "ms": 1000 * seconds / max(len(asked), 1),
    }


def calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    """Mean gap between stated and observed frequency over ten bins, weighted by their size (Naeini et al. 2015)."""
    bins = np.clip((sure * 10).astype(int), 0, 9)
    return float(
        sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    )


def measure(made: int) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for group, cases in (("told", told_cases(CASES)), ("made", made_cases(made))):
        asked: dict[str, list[pd.DataFrame]] = {}
        spent: dict[str, float] = {}
        for name, tables, queries, shares in cases:
            network = hydro.build_network(tables)
            start = time.perf_counter()
            judged = hydro.attribute(network)
            judged.table()
            seconds = {"attribute": time.perf_counter() - start}
            answers = {
                "attribute": by_attribution(judged),
                "permitted load": by_rule(network, permitted=True),
                "reported load": by_rule(network, permitted=False),
            }
            for method, answer in answers.items():
                one = ask(queries, shares, answer).assign(case=name)
                asked.setdefault(method, []).append(one)
                spent[method] = spent.get(method, 0.0) + seconds.get(method, 0.0)
                if method == "attribute":
                    rows.append({"cases": name, "method": method, **figures(one, seconds["attribute"])})
        rows += [
            {"cases": f"all {group}", "method": method, **figures(pd.concat(parts), spent[method])}
            for method, parts in asked.items()
        ]
    return pd.DataFrame(rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--made", type=int, default=20)
    options.add_argument("--format", choices=["table", "json"], default="table")
    given = options.parse_args()
    result = measure(given.made)
    if given.format == "json":
        print(json.dumps(result.to_dict("records")))
    else:
        print(result.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
