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
    waiting = np.full(node_count, -1, np.int32)  # the next reach that enters a node; the one after it is in `later`
    later = np.empty(len(to_node), np.int32)
    for reach in range(len(to_node) - 1, -1, -1):
        later[reach] = waiting[to_node[reach]]
        waiting[to_node[reach]] = reach
    leaves = np.ones(node_count, np.bool_)
    for reach in range(len(from_node)):
        leaves[from_node[reach]] = False
    state = np.zeros(node_count, np.int8)  # 0 unseen, 1 on the way, 2 done
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
            reach = waiting[node]
            if reach >= 0:
                waiting[node] = later[reach]
                above = from_node[reach]
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
def by_place(place, count):  # type: ignore[no-untyped-def]
    """Rows grouped by place, in their order (a counting sort): first slot of every place, and row numbers."""
    first = np.zeros(count + 1, np.int32)
    for row in range(len(place)):
        first[place[row] + 1] += 1
    for at in range(count):
        first[at + 1] += first[at]
    slot = first[:-1].copy()
    by = np.empty(len(place), np.int32)
    for row in range(len(place)):
        by[slot[place[row]]] = row
        slot[place[row]] += 1
    return first, by


@njit(cache=True, nogil=True, fastmath={"contract"})
def forward(first, to_node, through, entering, load):  # type: ignore[no-untyped-def]
    """``load[node] = entering[node] + Σ through x load[above]`` of the reaches that end at the node. (nodes,)

    What a node passes on is scattered, not what it receives gathered: nearly every node has one way down, which the
    processor foresees; how many come in it cannot.
    """
    load[:] = entering
    reach = 0
    for node in range(len(load)):
        here = load[node]
        end = first[node + 1]
        while reach < end:
            load[to_node[reach]] += through[reach] * here
            reach += 1


@njit(cache=True, nogil=True, fastmath={"contract"})
def backward(first, to_node, through, weight, seen):  # type: ignore[no-untyped-def]
    """The transpose of :func:`forward`: ``seen[node] = weight[node] + Σ through x seen[to]`` of the reaches that leave it. (nodes,)"""
    reach = len(to_node) - 1
    for node in range(len(seen) - 1, -1, -1):
        here = weight[node]
        begin = first[node]
        while reach >= begin:
            here += through[reach] * seen[to_node[reach]]
            reach -= 1
        seen[node] = here


@njit(cache=True, nogil=True, parallel=True, fastmath={"contract"})
def forward_columns(first, to_node, through, entering, load, width):  # type: ignore[no-untyped-def]
    """:func:`forward` for many columns, ``width`` of them at a time, blocks in parallel; ``load`` comes zeroed. (nodes, columns)"""
    for block in prange((load.shape[1] + width - 1) // width):
        left, right = block * width, min((block + 1) * width, load.shape[1])
        reach = np.int64(0)
        for node in range(load.shape[0]):
            here, own = load[node, left:right], entering[node, left:right]
            for column in range(right - left):
                here[column] += own[column]
            end = first[node + 1]
            while reach < end:
                below, part = load[to_node[reach], left:right], through[reach]
                for column in range(right - left):
                    below[column] += part * here[column]
                reach += 1


@njit(cache=True, nogil=True, parallel=True, fastmath={"contract"})
def backward_columns(first, to_node, through, weight, seen, width):  # type: ignore[no-untyped-def]
    """:func:`backward` for many columns. (nodes, columns)"""
    for block in prange((seen.shape[1] + width - 1) // width):
        left, right = block * width, min((block + 1) * width, seen.shape[1])
        reach = np.int64(len(to_node) - 1)
        for node in range(seen.shape[0] - 1, -1, -1):
            here, own = seen[node, left:right], weight[node, left:right]
            for column in range(right - left):
                here[column] = own[column]
            begin = first[node]
            while reach >= begin:
                below, part = seen[to_node[reach], left:right], through[reach]
                for column in range(right - left):
                    here[column] += part * below[column]
                reach -= 1


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
