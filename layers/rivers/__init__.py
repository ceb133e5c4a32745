"""From drawn lines to a network: gaps, junctions, directions, nodes, and what stands on the reaches."""
