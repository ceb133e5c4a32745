"""Compiled networks kept between runs, so that a national project opens without being read and checked again.

Beside the cache of this user, never in the project: a copy that anybody may delete.  It is found by the project's place
and by the last change of every table that a network is checked against; anything else leads to a rebuild.  Arrow files
hold columns and nothing that runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hydro.errors import Fault
from hydro.network import Compiled, RiverNetwork
from hydro.topology import Topology
from layers.store.tables import REVISION_OF

if TYPE_CHECKING:
    from layers.store.protocol import Store

KEPT_FROM = 100_000
"""Reaches from which a network is worth keeping; a smaller one is built sooner than looked up."""
MOST_BYTES = 4 << 30
"""What all kept networks take together; the longest unused go first."""
STRUCTURE = ("reaches", "boundaries", "sections", "outlets", "plants", "gates")
"""Tables that a network is compiled from and checked against; observations and weather are read as ever."""
LAYOUT = 2
"""Version of these files and of what is kept in them; older ones are left alone until they are pushed out."""
COLUMN, NODES, TOLD = "qy:", ".nodes", b"qingyuan"
MAP = ".map1"
"""The drawing of a network as the browser reads it; the number counts its forms."""


def folder() -> Path:
    """Where kept networks lie: QINGYUAN_CACHE, else the cache folder of this user; who has none keeps none."""
    if given := os.environ.get("QINGYUAN_CACHE"):
        return Path(given)
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return Path(os.devnull)
    return home / "qingyuan"


def stamp(store: Store, names: Sequence[str] = STRUCTURE) -> str:
    """What a kept network is found by: the place, and the last change of every table that it is made of.

    The store adds what tells that another program wrote a table, which the revision does not know.
    """
    facts = store.facts()
    place = str(Path(store.url).resolve()) if "://" not in store.url else store.url
    revisions = [facts.get(f"{REVISION_OF}{name}", "0") for name in names]
    told = [
        LAYOUT,
        place,
        facts.get("created", ""),
        facts.get("schema_version", ""),
        *revisions,
        *store.written(names),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def load(key: str) -> Compiled | None:
    """The network kept under a key; None where there is none, or it cannot be read."""
    import pyarrow as pa
    from pyarrow import feather

    reaches_file, nodes_file = _files(key)
    if not nodes_file.exists() or not reaches_file.exists():
        return None
    try:
        table, nodes = feather.read_table(reaches_file), feather.read_table(nodes_file)
        told = json.loads(nodes.schema.metadata[TOLD])
        names = [name for name in table.column_names if name.startswith(COLUMN)]
        arrays: dict[str, Any] = {name.removeprefix(COLUMN): table[name].to_numpy() for name in names}
        arrays["first_leaving"] = np.append(nodes["first_leaving"].to_numpy(), told["last"]).astype(np.int32)
        for name in ("lake", "closed", "unknown"):
            arrays[name] = arrays[name].astype(bool)
        for array in arrays.values():
            array.setflags(write=False)
        os.utime(nodes_file)
        reaches = table.drop_columns(names).to_pandas()
        reaches.index = reaches.index.astype(object)  # as the built one has it: text in Arrow has a type of its own
        return Compiled(
            reaches=reaches,
            nodes=pd.Index(nodes["node"].to_pandas().astype(object), name="node"),
            topology=Topology(**arrays),
            warnings=tuple(Fault(**fault) for fault in told["warnings"]),
            estimated=frozenset(told["estimated"]),
        )
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException):  # cut off, or written by another version
        return None


def keep(key: str, network: RiverNetwork) -> None:
    """Keep a network under a key, whole or not at all; a full or closed disk costs the copy, not the answer."""
    import pyarrow as pa
    from pyarrow import feather

    topology = network.topology
    table = pa.Table.from_pandas(network.reaches)
    for field in fields(topology):
        if field.name != "first_leaving":
            table = table.append_column(COLUMN + field.name, pa.array(getattr(topology, field.name)))
    nodes = pa.table({"node": pa.array(network.nodes.astype(str)), "first_leaving": topology.first_leaving[:-1]})
    told = {
        "last": int(topology.first_leaving[-1]),
        "warnings": [vars(fault) for fault in network.warnings],
        "estimated": sorted(network.estimated),
    }
    reaches_file, nodes_file = _files(key)
    with suppress(OSError, TypeError):
        nodes = nodes.replace_schema_metadata({TOLD: json.dumps(told).encode()})
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        with _appearing(reaches_file) as file:
            feather.write_feather(table, file, compression="lz4")
        with _appearing(nodes_file) as file:  # last: where it is, the other one is whole
            feather.write_feather(nodes, file, compression="lz4")
        _make_room()


def load_map(key: str) -> tuple[bytes, bytes] | None:
    """The drawing kept under a key, as two files for the browser; None where there is none."""
    file = _map_file(key)
    try:
        held = file.read_bytes()
        os.utime(file)
    except OSError:
        return None
    size = int.from_bytes(held[:8], "little")
    return held[8 : 8 + size], held[8 + size :]


def keep_map(key: str, head: bytes, pieces: bytes) -> None:
    """Keep a drawing under a key, whole or not at all."""
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        with _appearing(_map_file(key)) as file:
            Path(file).write_bytes(len(head).to_bytes(8, "little") + head + pieces)
        _make_room()


def _map_file(key: str) -> Path:
    return folder() / f"{key}{MAP}"


def _files(key: str) -> tuple[Path, Path]:
    return folder() / f"{key}.reaches", folder() / f"{key}{NODES}"


@contextmanager
def _appearing(target: Path) -> Iterator[str]:
    growing = target.with_name(f".{uuid.uuid4().hex[:8]}.new")
    try:
        yield str(growing)
        os.replace(growing, target)
    finally:
        growing.unlink(missing_ok=True)


def _make_room() -> None:
    """Let the longest unused go until the rest is small enough."""
    kept = sorted([*folder().glob(f"*{NODES}"), *folder().glob(f"*{MAP}")], key=lambda file: -file.stat().st_mtime)
    total = 0
    for file in kept:
        together = (file, file.with_suffix(".reaches")) if file.suffix == NODES else (file,)
        total += sum(one.stat().st_size for one in together if one.exists())
        if total > MOST_BYTES:
            for one in together:
                one.unlink(missing_ok=True)
