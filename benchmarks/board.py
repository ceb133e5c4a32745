"""How fast the board is: ``python -m benchmarks.board [--format table|json]``.

300 sections × 9 parameters: ten years by the month, the last of them four-hourly (6.2 million records).  Cold: from the
observations table in memory to the board, in a fresh process (imports beside it as ``import_s``).
Warm: the board of another month from the monthly means that are kept.  ``added_mb``: peak beyond the table itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import tracemalloc

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


def network(sections: int = SECTIONS):
    """One reach and one section each, side by side."""
    import pandas as pd

    import hydro

    ids = [f"S{i:03d}" for i in range(sections)]
    reaches = pd.DataFrame({"reach_id": [f"R{i}" for i in ids], "from_node": [f"A{i}" for i in ids],
                            "to_node": [f"B{i}" for i in ids]})  # fmt: skip
    reaches = reaches.assign(length_m=1000.0, discharge_m3_s=3.0, velocity_m_s=0.5)
    rows = pd.DataFrame({"section_id": ids, "name": ids, "reach_id": reaches["reach_id"]})
    rows = rows.assign(chainage_m=500.0, tp_target_mg_l=0.3, target_class="IV", level="省控", waterbody="river")
    return hydro.build_network({"reaches": reaches, "sections": rows})


def once() -> dict[str, float]:
    """One fresh process: every figure in seconds, memory in MB."""
    started = time.perf_counter()
    from hydro.months import monthly_means
    from layers.assess import assess_network
    from layers.standards import load_standard

    standard = load_standard()
    imported = time.perf_counter() - started
    table, basin = observations(), network()
    started = time.perf_counter()
    months = monthly_means(table, list(basin.sections.index), standard=standard)
    means = time.perf_counter() - started
    assess_network(basin, months, "2021-12")
    cold = time.perf_counter() - started
    warm = []
    for month in ("2021-11", "2021-10", "2021-09", "2021-08", "2021-07"):
        started = time.perf_counter()
        assess_network(basin, months, month)
        warm.append(time.perf_counter() - started)
    tracemalloc.start()
    monthly_means(table, list(basin.sections.index), standard=standard)
    peak = tracemalloc.get_traced_memory()[1]
    return {
        "records": len(table),
        "import_s": imported,
        "monthly_means_s": means,
        "cold_s": cold,
        "warm_s": statistics.median(warm),
        "table_mb": table.memory_usage(deep=True).sum() / 1e6,
        "added_mb": peak / 1e6,
    }


def main() -> None:
    """Run five fresh processes, print the median and the best of each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
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
