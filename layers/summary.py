"""A project at a glance."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.store.project import Project
from layers.store.tables import LAYOUTS


def summarise(project: Project) -> dict[str, Any]:
    """Name, revision, counts of rows, extent (degrees, EPSG:4490), period on record, and the shape of the network.

    ``loops`` is always empty in a project: a network with loops is refused at the door.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    network = project.network()
    topology = network.topology
    nodes = topology.node_count
    links = coo_array((np.ones(topology.reach_count), (topology.from_node, topology.to_node)), shape=(nodes, nodes))
    leaving = np.diff(topology.first_leaving)
    times = network.observations.times()
    bounds = project.table("reaches", geometry=True).total_bounds
    counts = {name: len(project.table(name)) for name in LAYOUTS}
    return {
        "name": project.name,
        "demo": project.demo,
        "revision": project.revision,
        "counts": {name: count for name, count in counts.items() if count},
        "rivers": int(network.reaches["river"].replace("", np.nan).nunique()) if "river" in network.reaches else 0,
        "length_km": round(float(topology.length_m.sum()) / 1000, 1),
        "extent": [round(float(value), 5) for value in bounds],
        "period": [times[0], times[-1]] if times else [],
        "nodes": nodes,
        "mouths": int((leaving == 0).sum()),
        "splits": int((leaving > 1).sum()),
        "components": int(connected_components(links, directed=False)[0]),
        "loops": [],
        "gates_closed": int(topology.closed.sum()),
        "gates_unknown": int(topology.unknown.sum()),
        "estimated_reaches": sorted(network.estimated),
        "warnings": len(network.warnings),
    }
