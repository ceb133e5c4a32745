"""GIS and storage in, maps out."""

from typing import TYPE_CHECKING, Any

from layers.project import Project as Project
from layers.project import create_project as create_project
from layers.project import open_project as open_project
from layers.protocol import Store as Store
from layers.summary import summarise as summarise

if TYPE_CHECKING:
    from layers.map import draw as draw


def __getattr__(name: str) -> Any:
    """``layers.draw`` brings folium with it, which costs half a second: only who draws pays."""
    if name == "draw":
        from layers.map import draw

        return draw
    raise AttributeError(f"module 'layers' has no attribute '{name}'")
