"""How QGIS draws a project when it opens one: a default style for each layer, in the table in which QGIS looks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import sqlalchemy as sa

from layers.store.tables import LAYOUTS

if TYPE_CHECKING:
    from layers.store.protocol import Store

STYLES = sa.Table(
    "layer_styles",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("f_table_catalog", sa.Text),
    sa.Column("f_table_schema", sa.Text),
    sa.Column("f_table_name", sa.Text),
    sa.Column("f_geometry_column", sa.Text),
    sa.Column("stylename", sa.Text),
    sa.Column("styleqml", sa.Text),
    sa.Column("stylesld", sa.Text),
    sa.Column("useasdefault", sa.Boolean),
    sa.Column("description", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("ui", sa.Text),
    sa.Column("update_time", sa.DateTime, server_default=sa.func.now()),
)

LOOKS = {
    "reaches": ("line", {"line_color": "46,111,176,255", "line_width": "0.5", "capstyle": "round"}, "name"),
    "boundaries": ("marker", {"name": "arrow", "color": "46,111,176,255", "size": "3.4"}, "name"),
    "sections": ("marker", {"name": "diamond", "color": "255,255,255,255", "size": "3.6"}, "name"),
    "outlets": ("marker", {"name": "circle", "color": "120,120,120,255", "size": "1.8"}, ""),
    "plants": ("marker", {"name": "square", "color": "90,90,90,255", "size": "2.8"}, "name"),
    "gates": ("marker", {"name": "line", "color": "40,40,40,255", "size": "3.2"}, "name"),
    "catchments": ("fill", {"color": "200,210,220,60", "outline_color": "160,170,180,255"}, ""),
    "districts": ("fill", {"color": "0,0,0,0", "outline_color": "150,150,150,255", "outline_style": "dash"}, "name"),
}
"""Layer -> kind of symbol, its properties, and the column that labels it."""
CLASSES = {"line": "SimpleLine", "marker": "SimpleMarker", "fill": "SimpleFill"}


def qml(layer: str) -> str:
    """The style of a layer as QGIS 3 writes it."""
    kind, properties, label = LOOKS[layer]
    options = "".join(
        f"<Option name={quoteattr(name)} type='QString' value={quoteattr(value)}/>"
        for name, value in properties.items()
    )
    labels = (
        f"<labeling type='simple'><settings><text-style fieldName={quoteattr(label)} fontFamily='Noto Sans CJK SC' "
        "fontSize='9' textColor='40,40,40,255'/><placement placement='0'/></settings></labeling>"
        if label
        else ""
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f"<qgis version='3.22.0' styleCategories='Symbology|Labeling' labelsEnabled='{int(bool(label))}'>"
        f"<renderer-v2 type='singleSymbol'><symbols><symbol type='{kind}' name='0' alpha='1'>"
        f"<layer class='{CLASSES[kind]}' enabled='1' locked='0' pass='0'><Option type='Map'>{options}</Option></layer>"
        f"</symbol></symbols></renderer-v2>{labels}</qgis>"
    )


def create(connection: sa.Connection) -> None:
    """Make the table, unless QGIS has made it."""
    STYLES.create(connection, checkfirst=True)


def ship(connection: sa.Connection, store: Store) -> None:
    """Enter the default style of each layer that has none."""
    styled = set(connection.execute(sa.select(STYLES.c.f_table_name)).scalars())
    rows = [
        {
            "f_table_catalog": store.catalog,
            "f_table_schema": store.schema,
            "f_table_name": name,
            "f_geometry_column": "geom",
            "stylename": name,
            "styleqml": qml(name),
            "stylesld": "",
            "useasdefault": True,
            "description": "",
            "owner": "",
        }
        for name in LOOKS
        if name not in styled and LAYOUTS[name].geometry
    ]
    if rows:
        connection.execute(sa.insert(STYLES), rows)
