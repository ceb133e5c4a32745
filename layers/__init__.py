"""GIS and storage in, maps out."""
