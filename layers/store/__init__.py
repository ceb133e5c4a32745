"""Where a project is kept: one protocol over a GeoPackage and PostGIS, every change one transaction with its row in the book."""
