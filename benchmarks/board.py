"""How fast the board is: ``python -m benchmarks.board [--format table|json]``.

300 sections × 9 parameters: ten years by the month, the last of them four-hourly (6.2 million records), on a connected
basin of 1500 reaches, so that storm and inbound columns are worked out for every section.  Cold: from the network in
memory to the first board, in a fresh process (imports beside it as ``import_s``).  Warm: the board of another month from
what is kept.  ``added_mb``: peak beyond the table itself; ``resident_mb``: the whole process, its peak.  Peer: pandas'
group means of the same records and a loop of pymannkendall over the sections, in the same run; ``*_ratio``: how many
times longer they take.  ``*_cpu_s``: processor seconds, which a busy machine does not stretch.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc

from benchmarks.interrupt import end_with_all

SECTIONS, YEARS, HOURS = 300, 10, 4
PARAMETERS = ("TP", "NH3N", "COD", "CODMn", "DO", "pH", "BOD5", "F", "discharge")


def observations(sections: int = SECTIONS):
    """Made-up records, the same every time: nine years of months, one year of every fourth hour."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    ids = [f"S{i:03d}" for i in range(sections)]
    months = np.arange("2012-01", "2021-01", dtype="M8[M]").astype(str)
    stamps = np.arange("2021-01-01T00:00", "2022-01-01T00:00", HOURS * 60, dtype="M8[m]").astype(str)
    times = np.concatenate([months, stamps])
    count = sections * len(times) * len(PARAMETERS)
    texts = {
        "station_kind": np.repeat(["section"], count),
        "station_id": np.repeat(ids, len(times) * len(PARAMETERS)),
        "time": np.tile(np.repeat(times, len(PARAMETERS)), sections),
        "parameter": np.tile(PARAMETERS, sections * len(times)),
        "qualifier": np.repeat([""], count),
    }
    frame = pd.DataFrame({name: pd.array(values, dtype="str") for name, values in texts.items()})
    return frame.assign(value=0.3 * np.exp(random.normal(0, 0.3, count)))


def network(table, sections: int = SECTIONS):
    """A connected basin of 1500 reaches with land, outlets and plants, its sections measured as ``table`` says."""
    import hydro
    from benchmarks.synthetic import make_basin

    tables = make_basin(1500, 200, sections)
    place = tables["sections"].assign(section_id=[f"S{i:03d}" for i in range(len(tables["sections"]))])
    return hydro.build_network(tables | {"sections": place, "observations": table, "plants": tables["plants"]})


def peer(table) -> dict[str, float]:
    """The same first two questions with what an analyst has at hand: pandas' group means, a loop of pymannkendall."""
    import pandas as pd
    import pymannkendall

    started = time.perf_counter()
    month = table["time"].str.slice(0, 7)
    means = table.groupby(["station_id", "parameter", month])["value"].mean()
    grouped = time.perf_counter() - started
    wide = means.xs("TP", level="parameter").unstack("station_id").sort_index()
    started = time.perf_counter()
    trends = pd.Series({name: pymannkendall.seasonal_test(wide[name], period=12).slope for name in wide})
    return {"peer_means_s": grouped, "peer_trend_s": time.perf_counter() - started, "peer_slopes": float(len(trends))}


def once() -> dict[str, float]:
    """One fresh process: every figure in seconds, memory in MB."""
    started = time.perf_counter()
    from hydro.assessment.months import monthly_means
    from hydro.assessment.trend import seasonal_kendall
    from layers.assess import assess_network, counties_ranked, section_months
    from layers.standards import load_standard

    standard = load_standard()
    imported = time.perf_counter() - started
    table = observations()
    basin = network(table)
    spent, started = time.process_time(), time.perf_counter()
    months = section_months(basin)
    means = time.perf_counter() - started
    assess_network(basin, months, "2021-12")
    cold, cold_cpu = time.perf_counter() - started, time.process_time() - spent
    warm, rainless, warm_cpu = [], [], []
    for month in ("2021-11", "2021-10", "2021-09", "2021-08", "2021-07"):
        for rain, took in ((True, warm), (False, rainless)):
            used, started = time.process_time(), time.perf_counter()
            assess_network(basin, months, month, rain=rain)
            took.append(time.perf_counter() - started)
            if rain:
                warm_cpu.append(time.process_time() - used)
    started = time.perf_counter()
    counties_ranked(basin, "2021-12", months=months)
    ranked = time.perf_counter() - started
    started = time.perf_counter()
    seasonal_kendall(months.years("TP", "2021-12"))
    trend = time.perf_counter() - started
    theirs = peer(table)
    tracemalloc.start()
    monthly_means(table, list(basin.sections.index), standard=standard)
    peak = tracemalloc.get_traced_memory()[1]
    return {
        "records": len(table),
        "import_s": imported,
        "monthly_means_s": means,
        "cold_s": cold,
        "cold_cpu_s": cold_cpu,
        "warm_s": statistics.median(warm),
        "warm_cpu_s": statistics.median(warm_cpu),
        "warm_without_storm_s": statistics.median(rainless),
        "counties_s": ranked,
        "trend_s": trend,
        **theirs,
        "means_ratio": theirs["peer_means_s"] / means,
        "trend_ratio": theirs["peer_trend_s"] / trend,
        "table_mb": table.memory_usage(deep=True).sum() / 1e6,
        "added_mb": peak / 1e6,
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def main() -> None:
    """Run five fresh processes, print the median and the best of each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    end_with_all()
    if asked.once:
        print(json.dumps(once()))
        return
    command = [sys.executable, "-m", "benchmarks.board", "--once"]
    found = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(asked.runs)]
    figures = {name: {"median": statistics.median(run[name] for run in found), "best": min(run[name] for run in found)}
               for name in found[0]}  # fmt: skip
    if asked.format == "json":
        print(json.dumps(figures))
        return
    for name, one in figures.items():
        print(f"{name:16s} median {one['median']:12.3f}   best {one['best']:12.3f}")


if __name__ == "__main__":
    main()
