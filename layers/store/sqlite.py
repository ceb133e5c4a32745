"""How connections to a project file are opened, and how a transaction on one begins."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

BUSY_S = 30.0
"""How long a writer waits for another before it gives up."""
CACHE_KIB = 262_144
"""Most that SQLite keeps of a file while it writes: the indexes of half a million reaches, or each row would wait for the disk."""


def opened_to_write(path: Path) -> sqlite3.Connection:
    """A connection that writes ahead into a log, waits for the disk, and knows what the spatial index asks."""
    from layers.store.geopackage import teach

    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    teach(connection)
    return connection


def opened_to_found(path: Path) -> sqlite3.Connection:
    """A connection without a log: a file that nobody sees yet is thrown away where it fails, so nothing need be undone."""
    connection = opened_to_write(path)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def engine(opened: Callable[[], sqlite3.Connection], begin: Callable[[sqlite3.Connection], object]) -> sa.Engine:
    """An engine of connections that begin as they are told, where Python's own driver would begin at the first write."""
    import sqlalchemy as sa

    made = sa.create_engine("sqlite://", creator=opened, poolclass=sa.pool.NullPool)
    sa.event.listen(made, "begin", lambda connection: begin(connection.connection.driver_connection))
    return made


def begin_to_read(connection: sqlite3.Connection) -> None:
    """Hold on to the state of this moment."""
    connection.execute("BEGIN")


def begin_to_write(connection: sqlite3.Connection) -> None:
    """Take the write lock, asking often: SQLite itself asks ever more seldom, up to every 100 ms, and among twenty
    writers who come back at once the patient one would starve."""
    connection.execute("PRAGMA busy_timeout = 0")
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            break
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.001, 0.01))
    connection.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_S)}")
