"""What makes a SQLite file a GeoPackage: its own tables, its geometry blobs, and its spatial index.

OGC GeoPackage Encoding Standard 1.3.1 (OGC 12-128r18), https://www.geopackage.org/spec131/
"""

from __future__ import annotations

import math
import sqlite3
import struct
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from layers.store.tables import SRID, Layout

APPLICATION_ID = 0x47504B47
USER_VERSION = 10301
ENVELOPE_BYTES = (0, 32, 48, 48, 64)
POINT = struct.pack("<BI", 1, 1)
"""How the WKB of a point begins."""

CORE = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""

# Triggers of the rtree extension (annex F.3, as corrected in 1.4: update6 and update7 in place of update1).
FILLED = "(NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))"
BOX = "ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)"
RTREE = (
    "CREATE VIRTUAL TABLE rtree_{t}_geom USING rtree(id, minx, maxx, miny, maxy)",
    f"CREATE TRIGGER rtree_{{t}}_geom_insert AFTER INSERT ON {{t}} WHEN {FILLED} BEGIN "
    f"INSERT OR REPLACE INTO rtree_{{t}}_geom VALUES (NEW.fid, {BOX}); END",
    f"CREATE TRIGGER rtree_{{t}}_geom_update6 AFTER UPDATE OF geom ON {{t}} WHEN OLD.fid = NEW.fid AND {FILLED} "
    "AND (OLD.geom NOTNULL AND NOT ST_IsEmpty(OLD.geom)) BEGIN UPDATE rtree_{t}_geom SET minx = ST_MinX(NEW.geom), "
    "maxx = ST_MaxX(NEW.geom), miny = ST_MinY(NEW.geom), maxy = ST_MaxY(NEW.geom) WHERE id = NEW.fid; END",
    f"CREATE TRIGGER rtree_{{t}}_geom_update7 AFTER UPDATE OF geom ON {{t}} WHEN OLD.fid = NEW.fid AND {FILLED} "
    f"AND (OLD.geom ISNULL OR ST_IsEmpty(OLD.geom)) BEGIN INSERT INTO rtree_{{t}}_geom VALUES (NEW.fid, {BOX}); END",
    "CREATE TRIGGER rtree_{t}_geom_update2 AFTER UPDATE OF geom ON {t} WHEN OLD.fid = NEW.fid AND "
    "(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)) BEGIN DELETE FROM rtree_{t}_geom WHERE id = OLD.fid; END",
    f"CREATE TRIGGER rtree_{{t}}_geom_update5 AFTER UPDATE ON {{t}} WHEN OLD.fid != NEW.fid AND {FILLED} BEGIN "
    f"DELETE FROM rtree_{{t}}_geom WHERE id = OLD.fid; INSERT OR REPLACE INTO rtree_{{t}}_geom "
    f"VALUES (NEW.fid, {BOX}); END",
    "CREATE TRIGGER rtree_{t}_geom_update4 AFTER UPDATE ON {t} WHEN OLD.fid != NEW.fid AND "
    "(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)) BEGIN "
    "DELETE FROM rtree_{t}_geom WHERE id IN (OLD.fid, NEW.fid); END",
    "CREATE TRIGGER rtree_{t}_geom_delete AFTER DELETE ON {t} WHEN OLD.geom NOTNULL BEGIN "
    "DELETE FROM rtree_{t}_geom WHERE id = OLD.fid; END",
)


class Geometry(sa.types.UserDefinedType[bytes]):
    """A geometry column of a GeoPackage: ISO WKB in the program, a GeoPackage blob in the file."""

    cache_ok = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def get_col_spec(self, **_: Any) -> str:
        """Type of the column in DDL."""
        return self.kind

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        """From WKB to the blob."""
        return lambda wkb: None if wkb is None else to_blob(wkb)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """From the blob to WKB."""
        return lambda blob: None if blob is None else to_wkb(blob)


def to_blob(wkb: bytes) -> bytes:
    """GeoPackage blob of a WKB geometry; points carry no envelope, as is usual."""
    if wkb[:5] == POINT and not math.isnan(struct.unpack_from("<d", wkb, 5)[0]):
        return struct.pack("<2sBBi", b"GP", 0, 0b00001, SRID) + wkb
    import shapely

    shape = shapely.from_wkb(wkb)
    if shape.is_empty:
        return struct.pack("<2sBBi", b"GP", 0, 0b10001, SRID) + wkb
    west, south, east, north = shape.bounds
    return struct.pack("<2sBBi4d", b"GP", 0, 0b00011, SRID, west, east, south, north) + wkb


def to_wkb(blob: bytes) -> bytes:
    """WKB inside a GeoPackage blob (2.1.3)."""
    return blob[8 + ENVELOPE_BYTES[blob[3] >> 1 & 0b111] :]


@lru_cache(maxsize=4)  # five triggers of the spatial index ask for the same blob in turn
def _box(blob: bytes | None) -> tuple[float, float, float, float] | None:
    """West, east, south, north of a blob; None for no geometry or an empty one."""
    if blob is None or blob[3] & 0b10000:
        return None
    order = "<" if blob[3] & 1 else ">"
    if blob[3] >> 1 & 0b111:
        west, east, south, north = struct.unpack_from(f"{order}4d", blob, 8)
        return None if math.isnan(west) else (west, east, south, north)
    wkb = to_wkb(blob)
    if wkb[:5] == POINT and len(wkb) == 21:
        west, south = struct.unpack_from("<2d", wkb, 5)
        return None if math.isnan(west) else (west, west, south, south)
    import shapely

    west, south, east, north = shapely.from_wkb(wkb).bounds
    return None if math.isnan(west) else (west, east, south, north)


def teach(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the triggers of the spatial index call."""

    def side(number: int) -> Any:
        return lambda blob: box[number] if (box := _box(blob)) else None

    for number, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        connection.create_function(name, 1, side(number), deterministic=True)
    connection.create_function("ST_IsEmpty", 1, lambda blob: None if blob is None else int(not _box(blob)))


def create_core(connection: sa.Connection) -> None:
    """The tables that every GeoPackage has, with the reference systems that the standard and the project ask for."""
    from pyproj import CRS

    for statement in filter(str.strip, CORE.split(";\n")):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {USER_VERSION}")
    systems: list[tuple[Any, ...]] = [
        (CRS.from_epsg(code).name, code, "EPSG", code, CRS.from_epsg(code).to_wkt("WKT1_GDAL"), None)
        for code in (4326, SRID)
    ]
    systems += [
        ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian coordinate reference system"),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
    ]
    for system in systems:
        connection.exec_driver_sql("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", system)


def register(connection: sa.Connection, layout: Layout) -> None:
    """Enter a new table in the contents; a spatial one with its geometry column and its index."""
    connection.exec_driver_sql(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, ?, ?, ?)",
        (layout.name, "features" if layout.geometry else "attributes", layout.name, SRID if layout.geometry else None),
    )
    if not layout.geometry:
        return
    connection.exec_driver_sql(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)", (layout.name, layout.geometry, SRID)
    )
    for statement in RTREE:
        connection.exec_driver_sql(statement.format(t=layout.name))
    connection.exec_driver_sql(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', "
        "'http://www.geopackage.org/spec131/#extension_rtree', 'write-only')",
        (layout.name,),
    )


def touch(connection: sa.Connection, layout: Layout) -> None:
    """Note in the contents that a table has changed, and how far it reaches now."""
    connection.exec_driver_sql(
        "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now') WHERE table_name = ?",
        (layout.name,),
    )
    if layout.geometry:
        connection.exec_driver_sql(
            "UPDATE gpkg_contents SET (min_x, min_y, max_x, max_y) = "
            f"(SELECT min(minx), min(miny), max(maxx), max(maxy) FROM rtree_{layout.name}_geom) WHERE table_name = ?",
            (layout.name,),
        )
