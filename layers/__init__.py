"""GIS and storage in, maps out."""

from layers.project import Project as Project
from layers.project import Store as Store
from layers.project import create_project as create_project
from layers.project import open_project as open_project
from layers.summary import summarise as summarise
