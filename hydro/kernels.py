"""Compiled loops for networks too large for sparse algebra in Python's time; imported only when one is met.

Nodes are numbered in flow order and reaches sorted by their upper node, so every loop walks memory forwards (or
backwards) and what it reads and adds to lies close by.  ``first[v] : first[v + 1]`` are the reaches that leave node
``v`` (or, where it says so, enter it).  Places are counted without a sign: a signed one is asked each time whether it
counts from the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

PLACE = np.uint64
RUN = 4
"""Nodes of a main stem that stand together in :func:`close_order`; at a million reaches 1 is a fifth slower, 16 a tenth."""


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


@njit(cache=True, nogil=True)
def flow_order(from_node, to_node, node_count):  # type: ignore[no-untyped-def]
    """Nodes with everything upstream first, by depth-first search against the flow; shorter where there are loops."""
    first, by_node = by_place(to_node, node_count)
    above = from_node[by_node]
    leaves = np.ones(node_count, np.bool_)
    for reach in range(len(from_node)):
        leaves[from_node[reach]] = False
    following = first[:-1].copy()  # the next reach that enters a node
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
            slot = following[node]
            if slot < first[node + 1]:
                following[node] = slot + 1
                upper = above[slot]
                if state[upper] == 1:
                    return order[:done]
                if state[upper] == 0:
                    state[upper] = 1
                    depth += 1
                    stack[depth] = upper
            else:
                state[node] = 2
                order[done] = node
                done += 1
                depth -= 1
    return order[:done]


@njit(cache=True, nogil=True)
def close_order(from_node, to_node, node_count):  # type: ignore[no-untyped-def]
    """A flow order whose neighbours in the river are neighbours in memory; nodes come numbered in any flow order.

    At every confluence the largest tributary comes first: what it gives waits only for the small ones, not they for all
    of it.  ``RUN`` nodes of the largest tributary stand together behind the small ones that join there, so that each
    waits for one sum, not for a chain of them.
    """
    first, by_node = by_place(to_node, node_count)
    above = from_node[by_node]
    drained = np.ones(node_count, np.int32)  # nodes that drain to one; those above a split are counted on every arm
    largest = np.full(node_count, -1, np.int32)
    for node in range(node_count):
        for slot in range(first[node], first[node + 1]):
            upper = above[slot]
            drained[node] = min(drained[node] + drained[upper], node_count)
            if largest[node] < 0 or drained[upper] > drained[largest[node]]:
                largest[node] = upper
    leaves = np.ones(node_count, np.bool_)
    leaves[from_node] = False
    placed = np.zeros(node_count, np.bool_)
    order = np.empty(node_count, np.int32)
    stem = np.empty(RUN, np.int32)
    done = 0
    waiting = [0 for _ in range(0)]  # a node asks for what lies above it; ~node can be placed
    for mouth in range(node_count):
        if leaves[mouth]:
            waiting.append(mouth)
        while waiting:
            node = waiting.pop()
            if node < 0:
                if not placed[~node]:
                    placed[~node] = True
                    order[done] = ~node
                    done += 1
                continue
            length = 0
            while node >= 0 and length < RUN and not placed[node]:
                stem[length] = node
                waiting.append(~node)
                length += 1
                node = int(largest[node])
            for step in range(length):
                for slot in range(first[stem[step]], first[stem[step] + 1]):
                    if above[slot] != largest[stem[step]] and not placed[above[slot]]:
                        waiting.append(int(above[slot]))
            if length and node >= 0 and not placed[node]:
                waiting.append(node)
    return order


@njit(cache=True, nogil=True, fastmath={"contract"})
def forward(first, to_node, through, load):  # type: ignore[no-untyped-def]
    """``load[node] += Σ through x load[above]`` of the reaches that end at the node, in place. (nodes,)

    What a node passes on is scattered, not what it receives gathered: nearly every node has one way down, which the
    processor foresees; how many come in it cannot.
    """
    reach = PLACE(0)
    for node in range(PLACE(0), PLACE(len(load))):
        here = load[node]
        end = PLACE(first[node + PLACE(1)])
        while reach < end:
            load[PLACE(to_node[reach])] += through[reach] * here
            reach += PLACE(1)


@njit(cache=True, nogil=True, fastmath={"contract"})
def backward(first, to_node, through, weight, seen):  # type: ignore[no-untyped-def]
    """The transpose of :func:`forward`: ``seen[node] = weight[node] + Σ through x seen[to]`` of the reaches that leave it. (nodes,)"""
    reach, node = PLACE(len(to_node)), PLACE(len(seen))
    while node > PLACE(0):
        node -= PLACE(1)
        here = weight[node]
        begin = PLACE(first[node])
        while reach > begin:
            reach -= PLACE(1)
            here += through[reach] * seen[PLACE(to_node[reach])]
        seen[node] = here


@njit(cache=True, nogil=True, fastmath={"contract"})
def forward_block(first, above, through, entering, load, left, right):  # type: ignore[no-untyped-def]
    """:func:`forward` for the columns from ``left`` to ``right``; ``load`` may be ``entering``. (nodes, columns)

    Gathered, over the reaches that *enter* a node: a row is written once and read while it is still in the cache, and
    what the processor cannot foresee costs little beside a whole row.
    """
    left, right, reach = PLACE(left), PLACE(right), PLACE(0)
    for node in range(PLACE(0), PLACE(load.shape[0])):
        for column in range(left, right):
            load[node, column] = entering[node, column]
        end = PLACE(first[node + PLACE(1)])
        while reach < end:
            upper, part = PLACE(above[reach]), through[reach]
            for column in range(left, right):
                load[node, column] += part * load[upper, column]
            reach += PLACE(1)


@njit(cache=True, nogil=True, fastmath={"contract"})
def backward_block(first, to_node, through, weight, seen, left, right):  # type: ignore[no-untyped-def]
    """:func:`backward` for the columns from ``left`` to ``right``; ``seen`` may be ``weight``. (nodes, columns)"""
    left, right = PLACE(left), PLACE(right)
    reach, node = PLACE(len(to_node)), PLACE(seen.shape[0])
    while node > PLACE(0):
        node -= PLACE(1)
        for column in range(left, right):
            seen[node, column] = weight[node, column]
        begin = PLACE(first[node])
        while reach > begin:
            reach -= PLACE(1)
            below, part = PLACE(to_node[reach]), through[reach]
            for column in range(left, right):
                seen[node, column] += part * seen[below, column]


@njit(cache=True, nogil=True, parallel=True)
def forward_blocks(first, above, through, entering, load, width):  # type: ignore[no-untyped-def]
    """Blocks of ``width`` columns in parallel, each as in :func:`forward_block`."""
    for block in prange((load.shape[1] + width - 1) // width):
        end = min((block + 1) * width, load.shape[1])
        forward_block(first, above, through, entering, load, block * width, end)


@njit(cache=True, nogil=True, parallel=True)
def backward_blocks(first, to_node, through, weight, seen, width):  # type: ignore[no-untyped-def]
    """Blocks of ``width`` columns in parallel, each as in :func:`backward_block`."""
    for block in prange((seen.shape[1] + width - 1) // width):
        end = min((block + 1) * width, seen.shape[1])
        backward_block(first, to_node, through, weight, seen, block * width, end)


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
