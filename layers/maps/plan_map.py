"""A plan as the map shows it: every reach's class and every section's reading before and after, and where work is done."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from hydro import Scenario, Situation, expected_tp, measured_tp
from hydro.assessment.standards import CLASSES, Standard
from hydro.columns import text
from hydro.planning.effect import BASELINE, Change, concentration
from hydro.planning.scenario import change
from hydro.topology import Float
from layers.maps.style import status


def plan_message(
    stand: Situation,
    plan: Scenario,
    standard: Standard,
    *,
    caught: Collection[str] = (),
    say: Callable[[str], str] = str,
) -> dict[str, Any]:
    """What a map that is on the screen is told of a plan: one character a reach and side, so that a mark costs little.

    ``before`` and ``after`` hold a digit a reach: its class by modelled TP (I = 0), ``-`` where no water flows. A section
    measured at the condition's time starts from its reading (:mod:`hydro.planning.anchor`).
    ``sections`` {id: [before, after]} with status, class, text; ``marks`` {source id: action}; ``caught`` outlets in hand.
    ``words`` name both sides with what their figures are: modelled under that water, or that month's readings and what follows.
    """
    changed = change(stand, plan.measures, water=plan.water)
    first, second = stand.at_sections(Change()), stand.at_sections(changed)
    start = measured_tp(stand.network, stand.delivery.sections, stand.condition.time)
    end, _ = expected_tp(start, first, second)
    known = np.isfinite(start)
    at_section = (np.where(known, start, concentration(*first)), np.where(known, end, concentration(*second)))
    before, after = (_side(stand, one, tp, standard) for one, tp in zip((Change(), changed), at_section, strict=True))
    if (water := stand.condition).time is not None:
        for section in np.array(stand.delivery.sections)[~known]:  # a model's value among readings says so
            for side in (before, after):
                side[1][str(section)]["text"] += " " + say("模拟")
        words = {
            "before": f"{say('现状')} · {water.time} {say('实测')}",
            "after": f"{say('实施后')} · {say('实测起算')}",
        }
    else:
        told = f"{say('平水' if water.name == BASELINE.name else water.name)} {say('模拟')}"
        words = {"before": f"{say('现状')} · {told}", "after": f"{say('实施后')} · {told}"}
    return {
        "before": before[0],
        "after": after[0],
        "sections": {
            section: [side[1][section] | {"time": say(stand.condition.name)} for side in (before, after)]
            for section in stand.delivery.sections
        },
        "marks": {measure.source_id: measure.action for measure in plan.measures},
        "caught": sorted(caught),
        "words": words | {"catch": say("框选排污口（或按住 Shift 拖动）")},
    }


def _side(
    stand: Situation, changed: Change, at_section: Float, standard: Standard
) -> tuple[str, dict[str, dict[str, str]]]:
    network = stand.network
    lake = (text(network.reaches, "waterbody") == "lake").to_numpy()
    on_reach = concentration(*stand.on_reaches(changed))
    rank = _ranks(on_reach, lake, standard)
    target = network.targets.of_sections(stand.delivery.sections, stand.condition.time)
    own = _ranks(at_section, lake[stand.delivery.section_reach], standard)
    sections = {
        section: {
            "status": status(float(value), float(goal)),
            "class": CLASSES[grade] if grade >= 0 else "",
            "text": f"{value:.3f}" if np.isfinite(value) else "",
        }
        for section, value, goal, grade in zip(stand.delivery.sections, at_section, target, own, strict=True)
    }
    in_flow_order = rank[network.topology.order]  # as the map numbers its reaches
    return "".join(str(one) if one >= 0 else "-" for one in in_flow_order.tolist()), sections


def _ranks(tp_mg_l: Float, lake: np.ndarray[Any, np.dtype[np.bool_]], standard: Standard) -> Any:
    return np.where(lake, standard.rank("TP", tp_mg_l, "lake"), standard.rank("TP", tp_mg_l, "river"))
