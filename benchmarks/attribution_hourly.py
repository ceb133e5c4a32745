"""Sub-daily attribution scored beside two rules of thumb in the same run: nearest and largest outlet upstream.

    python -m benchmarks.attribution_hourly [--basins 20] [--first-seed 1001] [--cases FOLDER]

Scored at the first station that sees each event: culprit first and among the first three, overlap (intersection over
union) of the release window, released mass, false alarms called so and real events called false, calibration in ten bins.
``--cases`` adds a folder of cases with ``network.gpkg``, ``observations.csv``, ``weather.csv`` and ``truth/queries.csv``.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import hydro
from benchmarks.basins_hourly import make_basin
from hydro.causes.alarm import hours

REGISTERED = ("outlet", "plant")


def made_up(count: int, first_seed: int) -> Iterator[tuple[hydro.RiverNetwork, pd.DataFrame]]:
    for seed in range(first_seed, first_seed + count):
        basin = make_basin(seed)
        if len(basin.queries):
            yield basin.network(), basin.queries


def given(folder: Path) -> Iterator[tuple[hydro.RiverNetwork, pd.DataFrame]]:
    for case in sorted(folder.glob("case_*")):
        with sqlite3.connect(f"file:{case / 'network.gpkg'}?mode=ro&immutable=1", uri=True) as connection:
            names = [name for (name,) in connection.execute("select table_name from gpkg_contents")]
            tables = {name: pd.read_sql(f'select * from "{name}"', connection) for name in names}
        tables["observations"] = pd.read_csv(case / "observations.csv", dtype={"qualifier": str})
        tables["weather"] = pd.read_csv(case / "weather.csv")
        truth = pd.read_csv(case / "truth" / "queries.csv")
        yield hydro.build_network(tables), truth.rename(columns={"culprit_kind": "kind"})


def score(basins: Iterator[tuple[hydro.RiverNetwork, pd.DataFrame]]) -> pd.DataFrame:
    rows = []
    for network, queries in basins:
        asked = hydro.inquire(network)
        for _, query in queries[queries["first"] == 1].iterrows():
            begin = time.perf_counter()
            table = asked.explain(query["section_id"], query["time"]).table
            rows.append({**_one(network, query, table), "seconds": time.perf_counter() - begin})
    return pd.DataFrame(rows)


def _one(network: hydro.RiverNetwork, query: pd.Series, table: pd.DataFrame) -> dict[str, object]:
    ranked = table[table["source_id"] != "NONE"]
    ids = list(ranked["source_id"])
    rank = ids.index(query["culprit"]) + 1 if query["culprit"] in ids else 99
    top = table.loc[table["probability"].idxmax()]
    upstream = ranked[ranked["kind"].isin(REGISTERED)]
    nearest = list(upstream.sort_values("travel_time_d")["source_id"])
    largest = list(upstream.sort_values("load_kg_d", ascending=False)["source_id"])
    overlap, mass = np.nan, np.nan
    if query["kind"] != "false_alarm":
        overlap = 0.0
        row = ranked[ranked["source_id"] == query["culprit"]]
        if len(row) and row["release_from"].iloc[0]:
            a, b, c, d = hours(
                [row["release_from"].iloc[0], row["release_to"].iloc[0], query["release_from"], query["release_to"]]
            )
            overlap = max(min(b, d) - max(a, c), 0.0) / max(max(b, d) - min(a, c), 1e-9)
            mass = abs(np.log(row["released_kg"].iloc[0] / query["released_kg"]))
    return {
        "kind": query["kind"],
        "hides": query["kind"] in REGISTERED and not query["reported"],
        "rank": rank,
        "false": top["source_id"] == "NONE",
        "odds": top["probability"],
        "right": top["source_id"] == query["culprit"],
        "overlap": overlap,
        "mass": mass,
        "nearest": nearest.index(query["culprit"]) + 1 if query["culprit"] in nearest else 99,
        "largest": largest.index(query["culprit"]) + 1 if query["culprit"] in largest else 99,
    }


def figures(found: pd.DataFrame) -> pd.DataFrame:
    """One line a method: per cent first and among the first three."""
    real = found[found["kind"] != "false_alarm"]
    groups = {
        "registered": real[real["kind"].isin(REGISTERED)],
        "all real": real,
        "report hides it": real[real["hides"]],
        "unlisted": real[real["kind"] == "hidden"],
        "wash-off": real[real["kind"] == "washoff"],
    }
    lines = []
    for method, column in (("qingyuan", "rank"), ("nearest upstream", "nearest"), ("largest upstream", "largest")):
        cells = {
            name: f"{100 * (rows[column] <= 1).mean():.0f}/{100 * (rows[column] <= 3).mean():.0f}" if len(rows) else "-"
            for name, rows in groups.items()
        }
        lines.append({"method": method, **cells})
    return pd.DataFrame(lines).set_index("method")


def calibration_error(odds: pd.Series, right: pd.Series) -> float:
    """Mean distance between stated and observed frequency of the likeliest cause, in ten bins."""
    bins = np.clip((odds * 10).astype(int), 0, 9)
    gap = (right.astype(float) - odds).groupby(bins).agg(["mean", "size"])
    return float((gap["mean"].abs() * gap["size"]).sum() / len(odds))


def report(name: str, found: pd.DataFrame) -> None:
    real, false = found[found["kind"] != "false_alarm"], found[found["kind"] == "false_alarm"]
    print(f"\n{name}: {len(found)} events; top-1/top-3, per cent")
    print(figures(found).to_string())
    print(f"release window overlap   {real['overlap'].mean():.2f}")
    print(f"released mass off        {100 * np.expm1(real['mass'].median()):.0f} % (median)")
    print(f"false alarms called so   {100 * false['false'].mean():.0f} % of {len(false)}")
    print(f"real events called false {100 * real['false'].mean():.1f} %")
    print(f"calibration error        {calibration_error(found['odds'], found['right']):.3f}")
    print(f"seconds a question       {found['seconds'].median():.2f} (median)")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--basins", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--cases", type=Path)
    chosen = parser.parse_args(arguments)
    report(f"{chosen.basins} made-up basins", score(made_up(chosen.basins, chosen.first_seed)))
    if chosen.cases:
        report(str(chosen.cases.name), score(given(chosen.cases)))


if __name__ == "__main__":
    main()
