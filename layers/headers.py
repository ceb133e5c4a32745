"""The header of a column as a word, and the place that it holds: ``排放口经度`` is a longitude whatever stands before it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from hydro.errors import Phrase
from hydro.schema import attributes
from layers import units

COORDINATES: Mapping[str, tuple[str, ...]] = {
    "lon": ("经度", "东经", "lon", "longitude", "lng", "long", "gps经度", "中心经度", "经度坐标", "坐标经度", "e"),
    "lat": ("纬度", "北纬", "lat", "latitude", "gps纬度", "中心纬度", "纬度坐标", "坐标纬度", "n"),
    "x": ("x", "x坐标", "坐标x", "横坐标", "东坐标", "easting", "pointx", "xcoord", "xcoordinate", "东向"),
    "y": ("y", "y坐标", "坐标y", "纵坐标", "北坐标", "northing", "pointy", "ycoord", "ycoordinate", "北向"),
    "wkt": ("wkt", "geometry", "geom", "thegeom", "几何", "图形", "shape"),
    "lonlat": ("经纬度", "坐标", "地理坐标", "位置坐标", "lonlat", "coordinates"),
}
"""Columns that hold a place, beside the dictionary's own."""

RIVER = "river"
"""A place too: the river by name, which decides at a confluence, in tables that do not keep it."""

PLACES: Mapping[str, Phrase] = {
    "lon": Phrase.named("经度", en="Longitude"),
    "lat": Phrase.named("纬度", en="Latitude"),
    "x": Phrase.named("X 坐标（东）", en="X (east)"),
    "y": Phrase.named("Y 坐标（北）", en="Y (north)"),
    "wkt": Phrase.named("图形（WKT）", en="Shape (WKT)"),
    "lonlat": Phrase.named("经纬度", en="Longitude and latitude"),
    RIVER: Phrase.named("河流名称", en="River"),
}
"""What a place is called to the user."""

NAMED, HELD, ABOUT = 0.95, 0.85, 0.65
"""How sure a header is a place: it is the word itself, it ends with the word, or the word only begins it."""
DATUM = re.compile(r"(wgs|cgcs|gcj|bd|xian|beijing)(1984|2000|1980|1954|84|80|54|02|09)")
"""The system that is named beside a coordinate; it says nothing of what the column is."""
LEAST_LATIN = 3
ENGLISH = frozenset(["long", "shape"])
"""Words that mean something else as soon as another word stands beside them (``long term``, ``Shape_Length``)."""


@cache
def normal(text: str) -> str:
    """A header without case, blanks, brackets, marks, and its unit."""
    base, _ = units.split_header(text)
    base = unicodedata.normalize("NFKC", base).lower()
    return re.sub(r"[\s_\-.·:：*#/\\、,，。;；'\"“”]+", "", base)


def called(table: str, name: str) -> Phrase:
    """What an attribute of a table, or a place, is called to the user."""
    known = attributes(table).get(name)
    return known.heading if known else PLACES.get(name, Phrase(name))


@cache
def place_of(header: str) -> tuple[str, float]:
    """The place that a header holds and how surely; blank and 0 where it holds none.

    A Chinese noun ends with what it is: ``监测点位纬度`` is a latitude, ``坐标来源`` is no coordinate.

    >>> place_of("排放口经度"), place_of("Latitude_WGS84"), place_of("坐标来源"), place_of("经度")
    (('lon', 0.85), ('lat', 0.85), ('', 0.0), ('lon', 0.95))
    """
    word = normal(header)
    if word in _words():
        return _words()[word], NAMED
    bare = DATUM.sub("", word)
    if bare in _words():
        return _words()[bare], HELD
    latin = [part for part in re.split(r"[^a-z]+", _spaced(header)) if part]
    for part in latin:
        if len(part) >= LEAST_LATIN and part not in ENGLISH and _words().get(part, "wkt") != "wkt":
            return _words()[part], HELD
    chinese = re.sub(r"[a-z0-9]+$", "", bare)
    for ending in (chinese.removesuffix("坐标"), chinese):
        for known in sorted((each for each in _words() if not each.isascii()), key=len, reverse=True):
            if ending.endswith(known) and _words()[known] != "wkt":
                return _words()[known], HELD
    begun = next((each for each in ("经度", "纬度") if chinese.startswith(each)), "")
    return (_words()[begun], ABOUT) if begun else ("", 0.0)


def _spaced(header: str) -> str:
    """A header with its words apart, also where only a capital parts them: ``OutletLongitude``."""
    plain = unicodedata.normalize("NFKC", header)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower()


@cache
def _words() -> dict[str, str]:
    return {normal(word): place for place, words in COORDINATES.items() for word in words}
