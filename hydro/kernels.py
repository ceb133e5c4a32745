"""Compiled loops for networks too large for sparse algebra in Python's time; imported only when one is met.

Nodes are numbered in flow order and reaches sorted by their upper node, so every loop walks memory forwards (or
backwards) and what it scatters lies close by.  ``first[v] : first[v + 1]`` are the reaches that leave node ``v``.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange


@njit(cache=True, nogil=True)
def flow_order(from_node, to_node, node_count):  # type: ignore[no-untyped-def]
    """Nodes with everything upstream first, by depth-first search against the flow; shorter where there are loops."""
    first = np.zeros(node_count + 2, np.int64)
    for reach in range(len(to_node)):
        first[to_node[reach] + 2] += 1
    leaves = np.ones(node_count, np.bool_)
    for reach in range(len(from_node)):
        leaves[from_node[reach]] = False
    for node in range(node_count):
        first[node + 2] += first[node + 1]
    entering = np.empty(len(to_node), np.int32)
    for reach in range(len(to_node)):
        slot = first[to_node[reach] + 1]
        entering[slot] = from_node[reach]
        first[to_node[reach] + 1] = slot + 1
    state = np.zeros(node_count, np.int8)  # 0 unseen, 1 on the way, 2 done
    following = first[:node_count].copy()
    stack = np.empty(node_count, np.int32)
    order = np.empty(node_count, np.int32)
    done = 0
    for mouth in range(node_count):
        if not leaves[mouth]:
            continue
        depth = 0
        stack[0] = mouth
        state[mouth] = 1
        while depth >= 0:
            node = stack[depth]
            if following[node] < first[node + 1]:
                above = entering[following[node]]
                following[node] += 1
                if state[above] == 1:
                    return order[:done]
                if state[above] == 0:
                    state[above] = 1
                    depth += 1
                    stack[depth] = above
            else:
                state[node] = 2
                order[done] = node
                done += 1
                depth -= 1
    return order[:done]


@njit(cache=True, nogil=True)
def forward(first, to_node, through, load):  # type: ignore[no-untyped-def]
    """Pass the load at every node on, in place: ``load[to] += through x load[node]``. (nodes,)"""
    for node in range(len(load)):
        here = load[node]
        for reach in range(first[node], first[node + 1]):
            load[to_node[reach]] += through[reach] * here


@njit(cache=True, nogil=True)
def backward(first, to_node, through, seen):  # type: ignore[no-untyped-def]
    """The transpose of :func:`forward`, in place. (nodes,)"""
    for node in range(len(seen) - 1, -1, -1):
        here = seen[node]
        for reach in range(first[node], first[node + 1]):
            here += through[reach] * seen[to_node[reach]]
        seen[node] = here


@njit(cache=True, nogil=True, parallel=True, fastmath={"contract"})
def forward_columns(first, to_node, through, load, width):  # type: ignore[no-untyped-def]
    """:func:`forward` for many columns, ``width`` of them at a time, blocks in parallel. (nodes, columns)"""
    for block in prange((load.shape[1] + width - 1) // width):
        left, right = block * width, min((block + 1) * width, load.shape[1])
        for node in range(load.shape[0]):
            here = load[node, left:right]
            for reach in range(first[node], first[node + 1]):
                below, part = load[to_node[reach], left:right], through[reach]
                for column in range(right - left):
                    below[column] += part * here[column]


@njit(cache=True, nogil=True, parallel=True, fastmath={"contract"})
def backward_columns(first, to_node, through, seen, width):  # type: ignore[no-untyped-def]
    """:func:`backward` for many columns. (nodes, columns)"""
    for block in prange((seen.shape[1] + width - 1) // width):
        left, right = block * width, min((block + 1) * width, seen.shape[1])
        for node in range(seen.shape[0] - 1, -1, -1):
            here = seen[node, left:right]
            for reach in range(first[node], first[node + 1]):
                below, part = seen[to_node[reach], left:right], through[reach]
                for column in range(right - left):
                    here[column] += part * below[column]


@njit(cache=True, nogil=True)
def upstream(first_in, from_node_in, reach_in, closed, start, inside):  # type: ignore[no-untyped-def]
    """Mark in ``inside`` every reach that drains to reach ``start``'s upper end by any open way."""
    stack = np.empty(len(inside) + 1, np.int32)
    stack[0] = start
    depth = 0
    while depth >= 0:
        node = stack[depth]
        depth -= 1
        for slot in range(first_in[node], first_in[node + 1]):
            reach = reach_in[slot]
            if not inside[reach] and not closed[reach]:
                inside[reach] = True
                depth += 1
                stack[depth] = from_node_in[slot]


@njit(cache=True, nogil=True)
def quickest(first, to_node, time, unknown, open_way, fastest, crosses):  # type: ignore[no-untyped-def]
    """Quickest way and unknown-gate flag from every node to every section, in place. (nodes, sections)"""
    for node in range(fastest.shape[0] - 1, -1, -1):
        for reach in range(first[node], first[node + 1]):
            if not open_way[reach]:
                continue
            end = to_node[reach]
            for column in range(fastest.shape[1]):
                below = fastest[end, column]
                if below < np.inf:
                    fastest[node, column] = min(fastest[node, column], below + time[reach])
                    crosses[node, column] |= crosses[end, column] or unknown[reach]
