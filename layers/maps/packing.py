"""The form of what the browser reads: a JSON head and typed arrays, gzipped.

Coordinates are whole steps from one vertex to the next, in the narrowest type that holds them: they compress to a
twentieth of GeoJSON.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from hydro.order import Int
from hydro.topology import Topology

PER_DEGREE = 100_000
DTYPES = {"int8": "i1", "int16": "i2", "int32": "i4", "uint8": "u1", "uint16": "u2", "uint32": "u4"}

Arrays = dict[str, NDArray[Any]]
Lines = NDArray[np.object_]


def pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Head and arrays as gzipped bytes, the same for the same input: length of the head, the head, the arrays."""
    where, body, offset = {}, [], 0
    for name, array in arrays.items():
        where[name] = [DTYPES[array.dtype.name], offset, len(array)]
        raw = array.tobytes()
        body += [raw, b"\0" * (-len(raw) % 4)]
        offset += len(raw) + len(body[-1])
    top = json.dumps({**head, "arrays": where}, ensure_ascii=False, separators=(",", ":")).encode()
    top += b" " * (-len(top) % 4)
    return gzip.compress(np.uint32(len(top)).tobytes() + top + b"".join(body), compresslevel=6, mtime=0)


def map_numbers(topology: Topology) -> Int:
    """The number by which the map knows each reach: its place in flow order. (n,)"""
    numbers = np.empty(topology.reach_count, np.int32)
    numbers[topology.order] = np.arange(topology.reach_count, dtype=np.int32)
    return numbers


def narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in the narrowest type that holds them all."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    kinds = (np.uint8, np.uint16, np.uint32) if low >= 0 else (np.int8, np.int16, np.int32)
    fit = next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return values.astype(fit)


def steps(name: str, shapes: Lines, unit: int = 1) -> Arrays:
    """Vertices of all shapes as steps of ``unit`` × 1e-5 degree from the one before, and how many each shape has.

    The same place is the same whole number in every shape, so that reaches meet where they met.
    """
    places = np.rint(shapely.get_coordinates(shapes) * (PER_DEGREE / unit)).astype(np.int64)
    moved = np.diff(places, axis=0, prepend=places[:1])
    return {
        f"{name}Start": places[:1].ravel().astype(np.int32),
        f"{name}X": narrow(moved[:, 0]),
        f"{name}Y": narrow(moved[:, 1]),
        f"{name}Size": narrow(shapely.get_num_coordinates(shapes)),
    }
