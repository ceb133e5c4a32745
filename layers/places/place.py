"""Raw coordinates to CGCS2000, layer by layer: what a file says is checked against its numbers, what it does not is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from hydro.errors import Phrase
from layers.part import Part
from layers.places import crs as systems
from layers.places import datum
from layers.places.crs import STORED, Frame
from layers.places.frames import frames_of
from layers.report import Proposal, Report

Float = NDArray[np.float64]
Objects = NDArray[np.object_]


@dataclass(frozen=True)
class Word:
    """What the user has said about coordinates."""

    crs: CRS | None = None
    swap_axes: bool = False
    datum: str = ""
    """``gcj02`` or ``bd09``, blank for true coordinates, ``none`` to keep what looks shifted as it is."""


@dataclass
class Located:
    """How the coordinates of one part were read."""

    part: Part
    crs: CRS
    swapped: bool = False
    shift: str = ""
    """``gcj02`` or ``bd09`` where the source was drawn in shifted coordinates that were undone."""

    def to_stored(self, xy: Float) -> Float:
        """Source coordinates as longitude and latitude."""
        xy = systems.swapped(xy) if self.swapped else xy
        lonlat = np.column_stack(systems.transformer(self.crs).transform(xy[:, 0], xy[:, 1]))
        return datum.true_coordinates(lonlat, self.shift) if self.shift else lonlat

    def to_source(self, lonlat: Float) -> Float:
        """Longitude and latitude as the source would write them."""
        xy = np.column_stack(systems.transformer(STORED, self.crs).transform(lonlat[:, 0], lonlat[:, 1]))
        return systems.swapped(xy) if self.swapped else xy


def locate(parts: Sequence[Part], word: Word, known: Mapping[str, pd.DataFrame], report: Report) -> list[Located]:
    """Give every part a ``geometry`` column in CGCS2000, or ask.

    ``known`` are the tables of the project that is imported into: evidence for proposals, and what a shift of GCJ-02 is
    measured against.
    """
    spatial = [part for part in parts if part.coordinates and len(part.frame)]
    silent = [part for part in spatial if _says(part) is None]
    override = word.crs is not None and not silent
    first = [part for part in spatial if _says(part) is not None]
    found: list[Located] = []
    frames = frames_of(known)
    swap_at_fault = [part for part in spatial if _reads_swapped(part, word, override)]
    for part in [*first, *silent]:
        swap = word.swap_axes and (part in swap_at_fault or not swap_at_fault)
        located = _locate(part, word, override, swap, frames, report)
        if located:
            found.append(located)
            frames = [*frames, *_frame_of(located)]
    return found


def _says(part: Part) -> CRS | None:
    return part.layer.crs if part.coordinates == "shape" else None


def _points(part: Part) -> Float:
    """A sample of finite raw coordinates."""
    if part.xy is not None:
        xy = part.xy
    else:
        assert part.shapes is not None
        step = max(1, len(part.shapes) // 2000)
        xy = shapely.get_coordinates(part.shapes[::step])
        xy = xy[:: max(1, len(xy) // 20000)]
    return xy[np.isfinite(xy).all(axis=1)]


def _system(part: Part, word: Word, override: bool) -> CRS | None:
    """The system the part is read in before any question: what is said of it, else what its columns are called."""
    says = _says(part)
    if says is not None and not override:
        fits = _share(_points(part), says) > 0.5 or _share(systems.swapped(_points(part)), says) > 0.5
        return says if fits or word.crs is None else word.crs
    if word.crs is not None and (part.coordinates != "lonlat" or word.crs.is_geographic):
        return word.crs
    return STORED if part.coordinates == "lonlat" else None


def _share(xy: Float, crs: CRS) -> float:
    return float(np.mean(systems.fits(xy, crs))) if len(xy) else 1.0


def _reads_swapped(part: Part, word: Word, override: bool) -> bool:
    system, xy = _system(part, word, override), _points(part)
    return system is not None and _share(xy, system) < 0.5 < _share(systems.swapped(xy), system)


def _locate(
    part: Part, word: Word, override: bool, swap: bool, frames: Sequence[Frame], report: Report
) -> Located | None:
    label, count = part.layer.label, len(part.frame)
    xy = _points(part)
    if not len(xy):
        part.frame["geometry"] = None
        return None
    system = _system(part, word, override)
    if system is None:
        _ask_system(label, xy, count, frames, report, "{file} 没有说明坐标系，坐标如 {x:.9g}, {y:.9g}。是哪一个？")
        return None
    if part.coordinates == "lonlat" and word.crs is None:
        message = "{file} 的经纬度没有注明坐标系，按 CGCS2000（与 WGS 84 相差不到 1 m）读取；若为西安80或北京54，请加 --crs 4610 或 4214"
        report.warn("crs_assumed", message, table=part.table, file=label)
    says = _says(part)
    if override and says is not None and not says.equals(system):
        message = "{file} 自述坐标系为 {says}，已按 --crs 改用 {system}"
        report.warn("crs_overridden", message, table=part.table, file=label, says=says.name, system=system.name)
    geographic = system.is_geographic
    one_way = geographic and not swap and bool((np.abs(xy[:, 1]) > 90).any()) and bool((np.abs(xy) <= 180).all())
    read = systems.swapped(xy) if swap else xy
    if not one_way and _share(read, system) <= 0.5:
        if _share(systems.swapped(read), system) > 0.5 and not swap:
            message = (
                "{file} 的坐标按 {system} 读取落在范围之外，x 与 y 对调后才合理（如 {x:.9g}, {y:.9g}）。要对调吗？"
            )
            lonlat = Located(part, system, True).to_stored(xy)
            lon, lat = np.nanmedian(lonlat, axis=0)
            evidence = Proposal(
                "--swap-axes", "对调后落在 {lon:.2f}°E {lat:.2f}°N 一带", {"lon": float(lon), "lat": float(lat)}
            )
            report.ask(label, message, [evidence], file=label, system=system.name, x=float(xy[0, 0]), y=float(xy[0, 1]))
        else:
            message = "{file} 的坐标（如 {x:.9g}, {y:.9g}）不在它自述的坐标系里。应是哪一个？"
            _ask_system(label, xy, count, frames, report, message)
        return None
    elsewhere = (
        frames
        and geographic
        and not swap
        and not one_way
        and not _near(xy, frames)
        and _near(systems.swapped(xy), frames)
    )
    if elsewhere:
        message = "{file} 的坐标远离其余数据，x 与 y 对调后才相合。要对调吗？"
        report.ask(label, message, [Proposal("--swap-axes", "对调后与其余数据同在一处")], file=label)
        return None
    accuracy = systems.accuracy_m(system)
    if accuracy != 0.0:
        message = "{file} 由 {system} 转为 CGCS2000，转换精度{accuracy}"
        told = Phrase("未知（缺转换参数，可差百米）")
        if accuracy is not None:
            told = Phrase("约 {metres:g} m", metres=accuracy)
        report.warn("datum_accuracy", message, table=part.table, file=label, system=system.name, accuracy=told)
    located = Located(part, system, swap)
    _fill(located, report)
    return located


def _near(xy: Float, frames: Sequence[Frame]) -> bool:
    points = shapely.points(xy[:: max(1, len(xy) // 50)])
    return any(float(np.median(shapely.distance(points, frame.shape))) < 0.5 for frame in frames)


def _ask_system(label: str, xy: Float, count: int, frames: Sequence[Frame], report: Report, message: str) -> None:
    offered = systems.proposals(xy, count, frames)
    if not offered:
        offered = [
            Proposal(f"--swap-axes {proposal.option}", "x 与 y 对调，" + proposal.evidence, proposal.params)
            for proposal in systems.proposals(systems.swapped(xy), count, frames)
        ] or [Proposal("--crs EPSG", "请给出坐标系的 EPSG 代号")]
    x, y = (float(value) for value in np.nanmedian(xy, axis=0))
    report.ask(label, message, offered, file=label, x=x, y=y)


def _fill(located: Located, report: Report) -> None:
    """The geometry column of a part; rows that can be read one way only are turned and listed, impossible ones refused."""
    part = located.part
    shapes = shapely.points(part.xy) if part.xy is not None else part.shapes
    assert shapes is not None
    shapes = np.array(shapes, dtype=object)
    if part.xy is not None:
        shapes[~np.isfinite(part.xy).all(axis=1)] = None
    broken = _broken(shapes)
    here = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_empty(shapes) & ~broken)
    corner = shapely.bounds(shapes[here]).reshape(-1, 2, 2)
    if located.swapped:
        corner = corner[:, :, ::-1]
    fits = systems.fits(corner.reshape(-1, 2), located.crs).reshape(-1, 2).all(axis=1)
    turned = systems.fits(corner[:, :, ::-1].reshape(-1, 2), located.crs).reshape(-1, 2).all(axis=1)
    turn = ~fits & turned
    swap = np.full(len(shapes), located.swapped)
    swap[here[turn]] ^= True
    shapes[swap] = shapely.transform(shapes[swap], systems.swapped) if swap.any() else shapes[swap]
    for i in here[turn]:
        x, y = shapely.get_coordinates(shapes[i])[0]
        message = "坐标只有对调 x 与 y 才读得通，已对调为 {x:g}, {y:g}"
        report.mend(part.table, int(part.frame.index[i]), _id(part, i), message, x=float(x), y=float(y))
    lost = np.zeros(len(shapes), bool)
    lost[here[~fits & ~turned]] = True
    for i in np.flatnonzero(lost | broken).tolist():
        message = "坐标不在坐标系 {crs} 的范围内，或不是数。请核对坐标"
        report.refuse(part.table, int(part.frame.index[i]), _id(part, i), message, crs=located.crs.name)
    keep = ~(lost | broken | part.facts.get("bad", np.zeros(len(shapes), bool))[: len(shapes)])
    stored = systems.project(
        np.array([s if k else None for s, k in zip(shapes, keep, strict=True)], np.object_), located.crs
    )
    part.frame = part.frame.assign(geometry=pd.Series(list(stored), index=part.frame.index, dtype=object))[keep]
    part.shapes = part.xy = None


def _broken(shapes: Objects) -> NDArray[np.bool_]:
    """Shapes with a coordinate that is not a finite number."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    broken = np.zeros(len(shapes), bool)
    broken[owner[~np.isfinite(xy).all(axis=1)]] = True
    return broken


def _id(part: Part, i: int) -> str:
    from hydro.schema import KEYS

    key = KEYS[part.table][0]
    return str(part.frame[key].iloc[i]) if key in part.frame else ""


def _frame_of(located: Located) -> list[Frame]:
    shapes = np.asarray(located.part.frame["geometry"], dtype=object)
    if not len(shapes) or shapely.is_missing(shapes).all():
        return []
    return [
        Frame(
            Phrase("{file} 的范围", file=located.part.layer.label),
            shapely.box(*shapely.total_bounds(shapes)).buffer(0.05),
        )
    ]
