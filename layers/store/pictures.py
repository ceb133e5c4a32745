"""Pictures that belong to a project (the hillshade under its map); kept inside it, so that they travel with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from layers.store import audit
from layers.store.rows import MODULUS, fingerprint
from layers.store.tables import Layout

if TYPE_CHECKING:
    from layers.store.desk import Desk

RELIEF = "relief"
"""Name of the picture that lies under the map."""

PICTURES = sa.Table(
    "pictures",
    sa.MetaData(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("west", sa.Double, nullable=False),
    sa.Column("south", sa.Double, nullable=False),
    sa.Column("east", sa.Double, nullable=False),
    sa.Column("north", sa.Double, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("png", sa.LargeBinary, nullable=False),
)
LAYOUT = Layout("pictures", ("name",))


@dataclass(frozen=True)
class Picture:
    """A PNG in web Mercator and where its sides lie (west, south, east, north in degrees); ``source`` is its file."""

    png: bytes
    bounds: tuple[float, float, float, float]
    source: str = ""


def keep(project: Desk, name: str, picture: Picture, *, why: str) -> None:
    """Keep a picture under a name, in the place of an earlier one, with an entry in the book. The same again: nothing.

    Raises HydroError where the user may not write, or for the user's county only.
    """
    project.user.must("write", [""])
    told = _told(name, picture)
    with project.change() as work:
        connection = work.connection
        if not work.store.columns(connection, PICTURES.name):
            PICTURES.create(connection)
            work.store.register(connection, LAYOUT)
        chosen = sa.select(*(column for column in PICTURES.columns if column.name != "png"))
        old = connection.execute(chosen.where(PICTURES.c.name == name)).mappings().first()
        before = dict(old) if old else None
        if before == told:
            return
        connection.execute(sa.delete(PICTURES).where(PICTURES.c.name == name))
        connection.execute(sa.insert(PICTURES).values(told | {"png": picture.png}))
        digest = audit.last_digest(connection, PICTURES.name) + fingerprint(told)
        digest -= fingerprint(before) if before else 0
        work.turn()
        work.stamp(LAYOUT)
        audit.append(
            connection, revision=work.turn(), who=project.user.name, what="write", table=PICTURES.name, row=name,
            before=before, after=told, why=why, digest=digest % MODULUS,
        )  # fmt: skip


def kept(project: Desk, name: str) -> Picture | None:
    """The picture of that name; None where the project has none."""
    with project.look() as work:
        if not work.store.columns(work.connection, PICTURES.name):
            return None
        row = work.connection.execute(sa.select(PICTURES).where(PICTURES.c.name == name)).mappings().first()
    if row is None:
        return None
    return Picture(bytes(row["png"]), (row["west"], row["south"], row["east"], row["north"]), str(row["source"]))


def altered(connection: sa.Connection) -> bool:
    """Whether the pictures are other than the book says."""
    total = 0
    for row in connection.execute(sa.select(PICTURES)).mappings():
        told = {name: value for name, value in row.items() if name != "png"}
        if hashlib.sha256(row["png"]).hexdigest() != told["sha256"]:
            return True
        total = (total + fingerprint(told)) % MODULUS
    return total != audit.last_digest(connection, PICTURES.name)


def _told(name: str, picture: Picture) -> dict[str, Any]:
    sides = dict(zip(("west", "south", "east", "north"), map(float, picture.bounds), strict=True))
    return {"name": name, **sides, "source": picture.source, "sha256": hashlib.sha256(picture.png).hexdigest()}
