"""Rasters: terrain, streams, land use, rain, and sums of them over catchments."""
