"""Inbound waters get the node at which they enter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from hydro.columns import number, text
from layers.places import crs as systems
from layers.places.crs import STORED
from layers.report import Report
from layers.rivers import topology
from layers.rivers.stand import POINT_SNAP_M, Ground, refuse


def enter(rows: pd.DataFrame, ground: Ground, report: Report, *, limit_m: float = POINT_SNAP_M) -> pd.DataFrame:
    """Give inbound waters their node: as named, or the nearest end of a reach; first where nothing else comes in."""
    rows = rows.copy()
    node, reach = text(rows, "node").to_numpy(object, copy=True), text(rows, "reach_id").to_numpy(object, copy=True)
    starts, ends = text(ground.table, "from_node").to_numpy(object), text(ground.table, "to_node").to_numpy(object)
    shapes = np.asarray(rows["geometry"], dtype=object) if "geometry" in rows else np.full(len(rows), None)
    points = systems.project(shapes, STORED, ground.plane)
    refused = np.zeros(len(rows), bool)
    offset = np.array(number(rows, "snap_distance_m"), np.float64)
    first, last = (
        topology.ends(ground.lines[ground.drawn]) if len(ground.drawn) else (np.empty((0, 2)), np.empty((0, 2)))
    )
    places = np.vstack([first, last])
    names = np.concatenate([starts[ground.drawn], ends[ground.drawn]])
    fed = set(ends)
    all_nodes, all_reaches = set(starts) | fed, set(text(ground.table, "reach_id"))
    spring = np.array([name not in fed for name in names], dtype=bool)
    for i in range(len(rows)):
        if node[i]:
            if node[i] not in all_nodes:
                refuse(
                    report,
                    "boundaries",
                    rows,
                    "boundary_id",
                    i,
                    "节点“{node}”不在河网里。请改用已有节点，或留空由坐标推出",
                    node=str(node[i]),
                )
                refused[i] = True
        elif reach[i]:
            if reach[i] in ground.pieces:
                reach[i] = ground.pieces[reach[i]][0][0]
            if reach[i] not in all_reaches:
                refuse(
                    report,
                    "boundaries",
                    rows,
                    "boundary_id",
                    i,
                    "所在河段“{reach}”不在河段表里。请改正所在河段，或留空由坐标就近挂接",
                    reach=str(reach[i]),
                )
                refused[i] = True
        elif points[i] is not None and len(places):
            xy = shapely.get_coordinates(shapely.centroid(points[i]))
            gap = np.hypot(*(places - xy).T)
            at = int(np.argmin(np.where(spring & (gap <= limit_m), gap, gap + limit_m)))
            if gap[at] > limit_m:
                message = "距最近的节点 {node} {gap:.0f} m，超过 {limit:.0f} m 限值。请填写 node，或移动该点"
                refuse(
                    report,
                    "boundaries",
                    rows,
                    "boundary_id",
                    i,
                    message,
                    node=str(names[at]),
                    gap=float(gap[at]),
                    limit=limit_m,
                )
                refused[i] = True
            else:
                node[i], offset[i] = names[at], round(float(gap[at]), 2)
        else:
            refuse(
                report,
                "boundaries",
                rows,
                "boundary_id",
                i,
                "既没有节点、河段，也没有坐标。请补上节点、所在河段或坐标之一",
            )
            refused[i] = True
    rows["node"], rows["reach_id"], rows["snap_distance_m"] = node, reach, offset
    return rows[~refused]
