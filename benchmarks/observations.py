"""Many observations in both stores: ``python -m benchmarks.observations [--records 10000000] [--format table|json]``.

Four-hourly records of as many sections as it takes, ten years each, written as ``import`` writes them (checked, entered
in the book), half a million at a time.  ``load_s``; ``section_ms``: one section's ten years of one parameter, by the
project's own door; ``parquet_s`` and ``parquet_mb``: all of them exported.  Peer, in the same process: the same rows in a bare table of the
same database with the same key, by the driver's quickest way (``executemany``, ``COPY``); no check, no book.
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

import layers
from layers.export import export

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
    """The same rows in a bare table: seconds to load, milliseconds for one section."""
    start = time.perf_counter()
    columns = "station_kind TEXT, station_id TEXT, time TEXT, parameter TEXT, value DOUBLE PRECISION, qualifier TEXT, unit TEXT, source TEXT"
    wanted = "SELECT time, value FROM bare WHERE station_kind = 'section' AND station_id = 'S3' AND parameter = 'TP'"
    if "://" in place:
        import psycopg

        with psycopg.connect(place.split("?", maxsplit=1)[0]) as connection:
            connection.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY ({KEY}))")
            with connection.cursor().copy("COPY bare FROM STDIN") as copy:
                for piece in pieces(records):
                    copy.write(piece.to_csv(sep="\t", header=False, index=False))
        loaded = time.perf_counter() - start
        with psycopg.connect(place.split("?", maxsplit=1)[0]) as connection:
            asked = timed(lambda: connection.execute(wanted).fetchall())
            connection.execute("DROP TABLE bare")
    else:
        with sqlite3.connect(f"{place}.bare") as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY ({KEY}))")
            for piece in pieces(records):
                rows = piece.itertuples(index=False, name=None)
                database.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        loaded = time.perf_counter() - start
        asked = timed(lambda: database.execute(wanted).fetchall())
        database.close()
    return {"bare_load_s": loaded, "bare_section_ms": 1000 * asked}


def timed(work: Any, runs: int = 7) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def ours(place: str, folder: Path, records: int) -> dict[str, float]:
    project = layers.create_project(place, name="示例", demo=True)
    start = time.perf_counter()
    count = 0
    for piece in pieces(records):
        project.write({"observations": piece}, why="benchmark")
        count += len(piece)
    loaded = time.perf_counter() - start

    def section() -> int:
        return len(project.series("section", "S3", "TP"))

    assert section() == len(TIMES)
    start = time.perf_counter()
    (file,), _ = export(project, folder / "observations.parquet")
    exported, size = time.perf_counter() - start, file.stat().st_size
    file.unlink()
    project.close()
    return {"records": count, "load_s": loaded, "records_per_s": count / loaded, "section_ms": 1000 * timed(section),
            "parquet_s": exported, "parquet_mb": size / 1e6}  # fmt: skip


def measure(records: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="qy-observations-") as folder, cluster(durable=True) as server:
        places = {"geopackage": f"{folder}/o.gpkg", "postgis": server.url("observations")}
        return {name: ours(at, Path(folder), records) | bare(at, records) for name, at in places.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    given = parser.parse_args()
    found = measure(given.records)
    if given.format == "json":
        print(json.dumps(found))
        return
    for key in found["geopackage"]:
        print(f"{key:18s}" + "".join(f"{row[key]:>18,.2f}" for row in found.values()))


if __name__ == "__main__":
    main()
