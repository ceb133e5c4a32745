"""What stands on the rivers, as the map places it: outlets, plants, gates, inbound rivers, and control sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from hydro import RiverNetwork
from hydro.columns import number, text
from layers.maps.chunks import Archive
from layers.maps.courses import river_names
from layers.maps.packing import PER_DEGREE, Arrays, Lines, map_numbers, narrow, pack, steps

POINTS = {"outlets": "outlet", "plants": "plant", "gates": "gate", "boundaries": "inbound"}
TEXTS = ("name", "code", "type", "river")
PER_PIECE = 500
"""Points whose words travel together."""
PARTS, TURNS = 65_535, 127
"""Where a point stands on its reach (1 = its end) and which way that runs there (1 = half a turn), in whole numbers."""


@dataclass(frozen=True)
class Marks:
    """The points of a network, one row each: kind, id, words, reach (the map's number, or -1), part, turn, lon and lat."""

    table: pd.DataFrame

    @classmethod
    def of(cls, network: RiverNetwork, tables: Mapping[str, pd.DataFrame], lines: Lines) -> Marks:
        """Every point that has a place."""
        found = [_points(network, table, kind, tables, lines) for table, kind in POINTS.items()]
        return cls(pd.concat(found, ignore_index=True))

    def arrays(self) -> Arrays:
        """Where every point is: so little that a map can count thousands of them, whichever are traced."""
        places = self.table[["x", "y"]].to_numpy(np.float64).reshape(-1, 2)
        at = steps("point", np.asarray(shapely.points(places), object))
        kinds = list(POINTS.values())
        turn = self.table["turn"].where(self.table["kind"] != "outlet", 0.0)  # those are round
        return {
            "pointKind": self.table["kind"].map(kinds.index).to_numpy(np.uint8),
            "pointReach": narrow(self.table["reach"].to_numpy(np.int32)),
            "pointPart": np.rint(self.table["part"].to_numpy(float) * PARTS).astype(np.uint16),
            "pointTurn": np.rint(turn.to_numpy(float) / np.pi * TURNS).astype(np.int8),
            **{name: at[name] for name in ("pointStart", "pointX", "pointY")},
        }

    def whole(self) -> tuple[dict[str, Any], Arrays]:
        """The words of all points in the head."""
        return {"kinds": list(POINTS.values()), "points": self._words(self.table, ("id", *TEXTS))}, {}

    def apart(self, archive: Archive) -> tuple[dict[str, Any], Arrays]:
        """The words of points in pieces of the archive, for when one is looked at; only the ids in the head."""
        since = len(archive.pieces)
        for first in range(0, len(self.table), PER_PIECE):
            archive.add(pack(self._words(self.table[first : first + PER_PIECE], TEXTS), {}))
        head = {"kinds": list(POINTS.values()), "points": self._words(self.table, ("id",)), "words": PER_PIECE}
        return head, {"wordAt": archive.ends(since)}

    @staticmethod
    def _words(table: pd.DataFrame, names: tuple[str, ...]) -> dict[str, list[str]]:
        return {name: table[name].tolist() for name in names}


def section_rows(network: RiverNetwork, tables: Mapping[str, pd.DataFrame], lines: Lines) -> list[dict[str, Any]]:
    """The control sections as the map's head tells them."""
    frame = network.sections
    placed = _place(network, frame, tables.get("sections"), str(frame.index.name), lines)
    told = pd.DataFrame({name: text(frame, name) for name in ("name", "river", "level", "county")})
    told["sure"] = ~text(frame, "position_confidence").isin(["low", "unresolved"])
    told["target"] = network.targets.on()
    placed = placed.join(told)[(placed["reach"] >= 0) & placed["x"].notna()]
    return [
        {
            "id": str(key),
            "name": row["name"] or str(key),
            "river": row["river"],
            "level": row["level"],
            "county": row["county"],
            "sure": bool(row["sure"]),
            "target": None if np.isnan(row["target"]) else float(row["target"]),
            "reach": int(row["reach"]),
            "part": round(float(row["part"]), 6),
            "x": round(float(row["x"]) * PER_DEGREE),
            "y": round(float(row["y"]) * PER_DEGREE),
        }
        for key, row in zip(placed.index, placed.to_dict("records"), strict=True)
    ]


def _points(
    network: RiverNetwork, table: str, kind: str, tables: Mapping[str, pd.DataFrame], lines: Lines
) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(network, table)
    placed = _place(network, frame, tables.get(table), str(frame.index.name), lines)
    river = river_names(network)
    placed = placed.assign(
        kind=kind,
        id=frame.index.astype(str),
        name=text(frame, "name"),
        code=text(frame, "code"),
        type=text(frame, "type"),
        river=np.where(placed["position"] >= 0, river[placed["position"]], ""),
    )
    return placed[placed["x"].notna()]


def _place(
    network: RiverNetwork, frame: pd.DataFrame, drawing: pd.DataFrame | None, key: str, lines: Lines
) -> pd.DataFrame:
    """Reach, share of its length and lon/lat of rows; the reach's own upstream end where only a node is told."""
    reach_id = frame["reach_id"].astype(str)
    if "node" in frame:
        first = dict(zip(network.reaches["from_node"][::-1].astype(str), network.reaches.index[::-1], strict=True))
        reach_id = reach_id.where(reach_id != "", frame["node"].astype(str).map(first).fillna(""))
    reach = reach_id.map(network.reach_position).fillna(-1).to_numpy(np.int32)
    chainage = number(frame, "chainage_m").fillna(0.0).to_numpy()
    part = np.where(reach >= 0, chainage / network.topology.length_m[reach], 0.0).clip(0.0, 1.0)
    along = lines[reach].copy()
    along[shapely.is_empty(along)] = None  # a reach that is not drawn places nothing
    at = shapely.line_interpolate_point(along, part, normalized=True)
    ahead = shapely.line_interpolate_point(along, np.minimum(part + 0.02, 1.0), normalized=True)
    behind = shapely.line_interpolate_point(along, np.maximum(part - 0.02, 0.0), normalized=True)
    if drawing is not None and "geometry" in drawing:
        given = pd.Series(np.asarray(drawing["geometry"], object), index=text(drawing, key).to_numpy())
        own = given.reindex(frame.index).to_numpy(object)
        at = np.where(pd.isna(own) | shapely.is_empty(own), at, own)
    with np.errstate(invalid="ignore"):
        dx, dy = shapely.get_x(ahead) - shapely.get_x(behind), shapely.get_y(ahead) - shapely.get_y(behind)
        turn = np.nan_to_num(np.arctan2(-dy, dx * np.cos(np.radians(shapely.get_y(behind)))))
    known = np.where(reach >= 0, map_numbers(network.topology)[reach], -1)
    seen = {"position": reach, "reach": known, "part": part, "turn": turn}
    return pd.DataFrame({**seen, "x": shapely.get_x(at), "y": shapely.get_y(at)}).set_axis(frame.index)
