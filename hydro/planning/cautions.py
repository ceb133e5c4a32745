"""What a set of measures does besides what it was chosen for, said before anybody regrets it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hydro.columns import text
from hydro.errors import Fault
from hydro.planning.effect import Situation
from hydro.planning.measure import Measure


def moved_loads(stand: Situation, measures: Sequence[Measure]) -> list[Fault]:
    """Merges whose plant stands below a section that the outlet drains to: the section loses the water with the load.

    What the plant lets out then passes other sections, which did not have it before; both are named.
    """
    sections = np.array(stand.delivery.sections)
    names = text(stand.network.sections, "name")
    found = []
    for measure in measures:
        if measure.action != "merge":
            continue
        outlet = stand.source_ratio[stand.position[measure.source_id]] > 0
        plant = stand.source_ratio[stand.position[measure.to]] > 0
        left, reached = sections[outlet & ~plant], sections[plant & ~outlet]
        if not len(left):
            continue
        told = {
            "id": measure.source_id,
            "to": measure.to,
            "left": "、".join(names[s] or s for s in left),
            "reached": "、".join(names[s] or s for s in reached),
        }
        message = "排污口 {id} 并入的污水处理厂 {to} 不经过断面 {left}：该断面少了这份负荷，也少了这份水量"
        if len(reached):
            message = "排污口 {id} 并入的污水处理厂 {to} 不经过断面 {left}：该断面少了这份负荷，也少了这份水量；断面 {reached} 多了尾水"
        found.append(Fault("merge_elsewhere", message, told, "measures", measure.source_id, warning=True))
    return found


def dry_sections(sections: Sequence[str]) -> list[Fault]:
    """Sections without water, before the plan or because of it: their concentration does not exist."""
    message = "断面 {ids} 没有流量（断流），算不出浓度；只有不再有负荷到达时才算达标"
    return [Fault("dry_section", message, {"ids": "、".join(sections)}, warning=True)] if sections else []
