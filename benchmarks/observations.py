"""Many observations in both stores: ``python -m benchmarks.observations [--records 10000000] [--format table|json]``.

Four-hourly records of as many sections as it takes, ten years each, written as ``import`` writes them (checked, compared,
entered in the book, their monthly means kept), half a million at a time, all in one transaction.  ``load_s``;
``section_ms``: one section's ten years of one parameter, by the project's own door; ``board_ms``: the monthly means of all
sections, as the board asks for them; ``same_again_s``: the first half a million once more, which changes nothing;
``parquet_s`` and ``parquet_mb``: all of them exported; ``load_mb``, ``parquet_peak_mb``: the peak of the process meanwhile.
Peer, in the same process: the same rows in a bare table of the same database with the same key and the same cache, by the
driver's quickest way (``executemany``, ``COPY``); no check, no book; a month's means by ``GROUP BY``.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

import layers
from benchmarks.interrupt import end_with_all
from hydro.assessment.month_rows import months_of
from layers.store import kept_months
from layers.store.export import export
from layers.store.sqlite import CACHE_KIB

sys.path[:0] = [str(Path(__file__).parent.parent / "tests")]

from postgres import cluster  # noqa: E402

PIECE = 500_000
TIMES = np.arange("2012-01-01T00:00", "2022-01-01T00:00", 240, dtype="M8[m]").astype(str)
KEY = "station_kind, station_id, time, parameter"


def pieces(records: int):
    """Tables of one piece each, a section's ten years together."""
    draw = np.random.default_rng(0)
    sections = -(-records // len(TIMES))
    each = max(PIECE // len(TIMES), 1)
    for first in range(0, sections, each):
        ids = [f"S{n}" for n in range(first, min(first + each, sections))]
        count = len(ids) * len(TIMES)
        yield pd.DataFrame(
            {
                "station_kind": "section", "station_id": np.repeat(ids, len(TIMES)), "time": np.tile(TIMES, len(ids)),
                "parameter": "TP", "value": np.round(0.2 * np.exp(draw.normal(0, 0.3, count)), 3), "qualifier": "",
                "unit": "mg/L", "source": "示例",
            }
        )  # fmt: skip


def bare(place: str, records: int) -> dict[str, float]:
    """The same rows in a bare table: seconds to load, milliseconds for one section, for the means of all."""
    start = time.perf_counter()
    columns = "station_kind TEXT, station_id TEXT, time TEXT, parameter TEXT, value DOUBLE PRECISION, qualifier TEXT, unit TEXT, source TEXT"
    wanted = "SELECT time, value FROM bare WHERE station_kind = 'section' AND station_id = 'S3' AND parameter = 'TP'"
    means = "SELECT station_id, parameter, substr(time, 1, 7), avg(value) FROM bare GROUP BY 1, 2, 3"
    if "://" in place:
        import psycopg

        with psycopg.connect(place.split("?", maxsplit=1)[0]) as connection:
            connection.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY ({KEY}))")
            with connection.cursor().copy("COPY bare FROM STDIN (FORMAT csv)") as copy:
                for piece in pieces(records):
                    sink = pa.BufferOutputStream()
                    csv.write_csv(pa.Table.from_pandas(piece), sink, csv.WriteOptions(include_header=False))
                    copy.write(memoryview(sink.getvalue()))
        loaded = time.perf_counter() - start
        with psycopg.connect(place.split("?", maxsplit=1)[0]) as connection:
            asked = timed("bare_section", lambda: connection.execute(wanted).fetchall())
            asked |= timed("bare_board", lambda: connection.execute(means).fetchall(), runs=2)
            connection.execute("DROP TABLE bare")
    else:
        with sqlite3.connect(f"{place}.bare") as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            database.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY ({KEY}))")
            for piece in pieces(records):
                rows = zip(*(piece[name].tolist() for name in piece), strict=True)
                database.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        loaded = time.perf_counter() - start
        asked = timed("bare_section", lambda: database.execute(wanted).fetchall())
        asked |= timed("bare_board", lambda: database.execute(means).fetchall(), runs=2)
        database.close()
    return {"bare_load_s": loaded, **asked}


def timed(name: str, work: Any, runs: int = 15) -> dict[str, float]:
    """Milliseconds: the middle run, as a busy machine has it, and the best, as a free one would."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return {f"{name}_ms": median(taken), f"{name}_best_ms": min(taken)}


def peak_mb(*, anew: bool = False) -> float:
    """Most memory that this process has had, since it was last asked to count anew."""
    status = Path("/proc/self/status").read_text()
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def ours(place: str, folder: Path, records: int) -> dict[str, float]:
    project = layers.create_project(place, name="示例", demo=True)
    peak_mb(anew=True)
    start = time.perf_counter()
    count = 0
    with project.change() as work:
        for piece in pieces(records):
            work.write({"observations": piece}, why="benchmark", replace=False)
            count += len(piece)
    loaded, load_mb = time.perf_counter() - start, peak_mb(anew=True)
    sections = [f"S{n}" for n in range(-(-records // len(TIMES)))]

    def section() -> int:
        return len(project.series("section", "S3", "TP"))

    def board() -> int:
        kept = kept_months.read(project.store)
        assert kept is not None
        return int(np.isfinite(months_of(kept, sections).values["TP"]).sum())

    assert section() == len(TIMES)
    assert board() == 120 * len(sections)
    start = time.perf_counter()
    project.write({"observations": next(pieces(records))}, why="benchmark")
    again = time.perf_counter() - start
    found = {"records": count, "load_s": loaded, "records_per_s": count / loaded, "load_mb": load_mb, "same_again_s": again,
             **timed("section", section), **timed("board", board)}  # fmt: skip
    peak_mb(anew=True)
    start = time.perf_counter()
    (file,), _ = export(project, folder / "observations.parquet")
    found |= {
        "parquet_s": time.perf_counter() - start,
        "parquet_mb": file.stat().st_size / 1e6,
        "parquet_peak_mb": peak_mb(),
    }
    file.unlink()
    project.close()
    return found


def measure(records: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="qy-observations-") as folder, cluster(durable=True) as server:
        places = {"geopackage": f"{folder}/o.gpkg", "postgis": server.url("observations")}
        return {name: ours(at, Path(folder), records) | bare(at, records) for name, at in places.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    given = parser.parse_args()
    end_with_all()
    found = measure(given.records)
    if given.format == "json":
        print(json.dumps(found))
        return
    for key in found["geopackage"]:
        print(f"{key:18s}" + "".join(f"{row[key]:>18,.2f}" for row in found.values()))


if __name__ == "__main__":
    main()
