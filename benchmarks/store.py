"""Twenty people deciding at once: ``python -m benchmarks.store [--writers 20] [--decisions 200] [--outlets 50] [--format table|json]``.

Every writer is a process that decides at random on the same outlets, on what it has seen; where somebody was faster it
looks again (``tests/writers.py``, which also proves that no decision was lost, every conflict seen, the book whole).  Both
stores, PostgreSQL on loopback as ``tests/postgres.py`` starts it.  Peer, in the same run: as many processes writing as
often into a bare table of the same database with the same durability, one UPDATE a transaction: no look before, no
conflict told, no book.  ``ratio``: how many times longer a decision takes than such an UPDATE.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.interrupt import end_with_all

sys.path[:0] = [str(Path(__file__).parent.parent / "tests")]

from postgres import cluster  # noqa: E402
from writers import run  # noqa: E402

BUSY_S = 60.0


def at_once(writers: int, work: Callable[[int], None]) -> float:
    """Seconds that so many processes take, all begun together."""
    began = time.perf_counter()
    children = []
    for number in range(writers):
        child = os.fork()
        if not child:
            failed = 1
            try:
                work(number)
                failed = 0
            finally:
                os._exit(failed)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0, "a writer failed"
    return time.perf_counter() - began


def bare_sqlite(path: str, writers: int, decisions: int, outlets: int) -> float:
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE decisions (outlet_id TEXT PRIMARY KEY, decision TEXT, decided_by TEXT)")
        made.executemany("INSERT INTO decisions VALUES (?, '', '')", [(f"X{n}",) for n in range(outlets)])

    def work(number: int) -> None:
        chance = random.Random(number)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        for _ in range(decisions):
            connection.execute("BEGIN IMMEDIATE")
            row = ("seal", f"w{number}", f"X{chance.randrange(outlets)}")
            connection.execute("UPDATE decisions SET decision = ?, decided_by = ? WHERE outlet_id = ?", row)
            connection.execute("COMMIT")

    return at_once(writers, work)


def bare_postgres(url: str, writers: int, decisions: int, outlets: int) -> float:
    import psycopg

    with psycopg.connect(url) as made:
        made.execute("CREATE TABLE bare (outlet_id TEXT PRIMARY KEY, decision TEXT, decided_by TEXT)")
        made.cursor().executemany("INSERT INTO bare VALUES (%s, '', '')", [(f"X{n}",) for n in range(outlets)])

    def work(number: int) -> None:
        chance = random.Random(number)
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(decisions):
                row = ("seal", f"w{number}", f"X{chance.randrange(outlets)}")
                connection.execute("UPDATE bare SET decision = %s, decided_by = %s WHERE outlet_id = %s", row)

    return at_once(writers, work)


def measure(writers: int, decisions: int, outlets: int) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="qy-store-") as folder, cluster(durable=True) as server:
        bare = server.url("bare").split("?")[0]
        for store, place, peer in (
            (
                "geopackage",
                f"{folder}/a.gpkg",
                lambda: bare_sqlite(f"{folder}/bare.sqlite", writers, decisions, outlets),
            ),
            ("postgis", server.url("store"), lambda: bare_postgres(bare, writers, decisions, outlets)),
        ):
            told = run(place, writers, decisions, outlets)
            bare_s = peer() / (writers * decisions)
            made = told["seconds"] / (told["decided"] + told.get("conflicts", 0))
            rows.append(
                {
                    "store": store, "writers": writers, "outlets": outlets, "decided": told["decided"],
                    "conflicts_seen": told.get("conflicts", 0), "lost": 0, "decisions_per_s": told["per_second"],
                    "attempt_ms": round(1000 * made, 2), "bare_update_ms": round(1000 * bare_s, 2),
                    "ratio": round(made / bare_s, 1),
                }
            )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--outlets", type=int, default=50)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    args = parser.parse_args()
    end_with_all()
    rows = measure(args.writers, args.decisions, args.outlets)
    if args.format == "json":
        print(json.dumps(rows, ensure_ascii=False))
        return
    print("  ".join(f"{name:>15}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>15}" for value in row.values()))


if __name__ == "__main__":
    main()
