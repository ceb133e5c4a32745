"""GIS and storage in, maps out."""

from typing import TYPE_CHECKING, Any

from layers.store.project import Project as Project
from layers.store.project import create_project as create_project
from layers.store.project import open_project as open_project
from layers.store.protocol import Store as Store
from layers.summary import summarise as summarise

if TYPE_CHECKING:
    from layers.maps.map import draw as draw


def __getattr__(name: str) -> Any:
    """``layers.draw`` brings folium with it, which costs half a second: only who draws pays."""
    if name == "draw":
        from layers.maps.map import draw

        return draw
    raise AttributeError(f"module 'layers' has no attribute '{name}'")
