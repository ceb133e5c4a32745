"""Kill a writer at random moments: ``python tests/dying.py URL KILLS SEED``; exits 0 if the project was whole each time.

The writer is forked from a process that has everything loaded, so that it dies amid its work and not amid its imports.
It imports, decides and migrates, again and again; each import puts the same number into two tables.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent)]

import pandas as pd  # noqa: E402
import sqlalchemy as sa  # noqa: E402

import layers  # noqa: E402
from layers.store import sql  # noqa: E402
from layers.store.plans import ConflictError  # noqa: E402


def imports(project: layers.Project, number: int) -> None:
    many = pd.DataFrame({"time": [f"2022-{n:04d}" for n in range(400)], "place": "", "rain_mm": float(number)})
    project.write(
        {"outlets": pd.DataFrame({"outlet_id": ["O1"], "owner": [str(number)]}), "weather": many}, why="again"
    )


def decides(project: layers.Project, number: int) -> None:
    choice = ("seal", "regulate")[number % 2]
    with suppress(ConflictError):
        project.plans.decide("一期", ["O1", "O2", "O3"], choice, seen=project.plans.seen("一期"))


def migrates(project: layers.Project, number: int) -> None:
    backdate(project)
    layers.open_project(RAW[project.url])


def backdate(project: layers.Project) -> None:
    """Make a project one of version 1: what the steps since then have added is taken away."""
    with project.store.begin() as connection:
        for table in ("attachments", "layer_styles"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"DELETE FROM gpkg_contents WHERE table_name = '{table}'")
        connection.exec_driver_sql("DROP TABLE observation_months")
        _observations_of_version_3(connection)
        sql.set_fact(connection, "schema_version", "1")


def _observations_of_version_3(connection: sa.Connection) -> None:
    """Observations as they were kept before version 4: one table, found by station, time and parameter."""
    on_a_server = connection.dialect.name == "postgresql"
    fid, real, revision = (
        ("BIGSERIAL NOT NULL PRIMARY KEY", "DOUBLE PRECISION", "BIGINT")
        if on_a_server
        else ("INTEGER PRIMARY KEY AUTOINCREMENT", "REAL", "INTEGER")
    )
    for statement in (
        "CREATE TEMPORARY TABLE kept AS SELECT * FROM observations",
        "DROP TABLE observations",
        f"CREATE TABLE observations (fid {fid}, station_kind TEXT, station_id TEXT, time TEXT, parameter TEXT, value {real}, "
        f"qualifier TEXT, unit TEXT, source TEXT, row_revision {revision} DEFAULT 0 NOT NULL, "
        "CONSTRAINT one_observations_of_a_key UNIQUE (station_kind, station_id, time, parameter))",
        "INSERT INTO observations SELECT * FROM kept ORDER BY fid",
        "DROP TABLE kept",
        *(["DROP FUNCTION observations_written()"] if on_a_server else []),
        *(["SELECT setval('observations_fid_seq', max(fid)) FROM observations"] if on_a_server else []),
    ):
        connection.exec_driver_sql(statement)


RAW: dict[str, str] = {}


def work(url: str, seed: int) -> None:
    chance = random.Random(seed)
    while True:
        project = layers.open_project(url)
        RAW[project.url] = url
        chance.choice((imports, decides, decides, migrates))(project, chance.randrange(10**6))


def whole(url: str) -> None:
    project = layers.open_project(url)
    assert [str(fault) for fault in project.verify()] == []
    tables = project.tables(["outlets", "weather"])
    owner = tables["outlets"].set_index("outlet_id").loc["O1", "owner"]
    rain = set(tables["weather"]["rain_mm"])
    assert rain == ({float(owner)} if rain else set()), (owner, rain)
    made = project.plans.decisions("一期")["decision"]
    assert made.nunique() <= 1, made
    assert len(made) in (0, 3), made
    project.close()


def kill(url: str, kills: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    whole(url)  # loads everything
    before, found = layers.open_project(url).revision, Counter[str]()
    for number in range(kills):
        child = os.fork()
        if not child:
            work(url, seed * 1000 + number)
        time.sleep(chance.uniform(0.02, 0.6))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, "the writer ended by itself"
        whole(url)
        after = layers.open_project(url).revision
        found["advanced" if after > before else "unchanged"] += 1
        before = after
    found.update(
        {f"entries: {what}": count for what, count in layers.open_project(url).book()["what"].value_counts().items()}
    )
    return found


if __name__ == "__main__":
    print(dict(kill(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
