"""Many writers deciding at random on the same outlets: nothing lost, every conflict seen, the book whole.

``python tests/writers.py URL WRITERS DECISIONS OUTLETS`` prints one line of figures, and exits 1 if anything was lost.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent)]

import geopandas  # noqa: E402
import shapely  # noqa: E402
from offices import tables  # noqa: E402

import layers  # noqa: E402
from layers.store.plans import ConflictError  # noqa: E402
from layers.store.roles import User  # noqa: E402

PLAN = "一期"
CHOICES = ("seal", "regulate", "undecided")


def prepare(url: str, outlets: int) -> list[str]:
    ids = [f"X{n}" for n in range(outlets)]
    register = geopandas.GeoDataFrame(
        {"outlet_id": ids, "reach_id": "R1", "chainage_m": 10.0},
        geometry=[shapely.Point(113.9, 35.3)] * outlets,
        crs=4490,
    )
    layers.create_project(url, name="同时", tables=tables() | {"outlets": register}).plans.create(PLAN)
    return ids


def write(url: str, name: str, ids: list[str], decisions: int, seed: int) -> Counter[str]:
    """One writer: looks, decides on what it has seen; a conflict is looked at again and decided anew, or let be."""
    chance, done = random.Random(seed), Counter[str]()
    plans = layers.open_project(url, user=User(name, "planner")).plans
    seen = plans.seen(PLAN)
    while done["decided"] + done["let be"] < decisions:
        outlet, choice = chance.choice(ids), chance.choice(CHOICES)
        try:
            seen[outlet] = plans.decide(PLAN, [outlet], choice, seen=seen, why=f"{name} {done['decided']}")
            done["decided"] += 1
        except ConflictError as conflict:
            done["conflicts"] += 1
            done["shown"] += bool(conflict.theirs[outlet]["decided_by"])
            seen = plans.seen(PLAN)
            if chance.random() < 0.3:
                done["let be"] += 1
    return done


def run(url: str, writers: int, decisions: int, outlets: int) -> dict[str, float]:
    ids = prepare(url, outlets)
    began, pipes = time.perf_counter(), []
    for number in range(writers):
        here, there = os.pipe()
        if not os.fork():
            failed = 1
            try:
                os.close(here)
                told = dict(write(url, f"w{number}", ids, decisions, number))
                os.write(there, json.dumps(told).encode())
                failed = 0
            finally:
                os._exit(failed)  # what the parent has to tidy up is not this one's
        os.close(there)
        pipes.append(here)
    total: Counter[str] = Counter()
    for pipe in pipes:
        with os.fdopen(pipe, "rb") as answer:
            total.update(json.loads(answer.read() or "{}"))
    while True:
        try:
            _, status = os.wait()
            assert status == 0, "a writer failed"
        except ChildProcessError:
            break
    seconds = time.perf_counter() - began
    assert total["shown"] == total["conflicts"], "a conflict did not show who was first"
    prove(layers.open_project(url), total["decided"])
    return dict(total) | {"seconds": round(seconds, 1), "per_second": round(total["decided"] / seconds, 1)}


def prove(project: layers.Project, decided: int) -> None:
    """Every decision is in the book once, each begins where the one before it on that outlet ended."""
    assert [str(fault) for fault in project.verify()] == []
    entries = project.book(table="decisions")
    assert len(entries) == decided, (len(entries), decided)
    standing: dict[str, object] = {}
    for entry in entries.itertuples():
        assert json.loads(entry.before) == standing.get(entry.row_id), "a decision was overwritten unseen"
        standing[entry.row_id] = json.loads(entry.after)
    made = project.plans.decisions(PLAN)
    assert {f"{row['plan_id']}/{outlet}" for outlet, row in made.iterrows()} == standing.keys()


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], *map(int, sys.argv[2:5]))))
