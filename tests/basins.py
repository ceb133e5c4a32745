"""Tiny named river networks, sound and broken, as the tables of a project."""

from __future__ import annotations

import pandas as pd

Tables = dict[str, pd.DataFrame]


def reaches(*rows: tuple, **columns: object) -> pd.DataFrame:
    """Rows (reach_id, from_node, to_node, length_m, discharge_m3_s, velocity_m_s); other columns by keyword."""
    names = ["reach_id", "from_node", "to_node", "length_m", "discharge_m3_s", "velocity_m_s"]
    return pd.DataFrame(rows, columns=names).assign(**{"decay_per_d": 0.0, **columns})


def sections(*rows: tuple) -> pd.DataFrame:
    """Rows (section_id, reach_id, chainage_m, tp_target_mg_l)."""
    table = pd.DataFrame(rows, columns=["section_id", "reach_id", "chainage_m", "tp_target_mg_l"])
    return table.assign(name=[f"断面{row[0]}" for row in rows])


def outlets(*rows: tuple) -> pd.DataFrame:
    """Rows (outlet_id, reach_id, chainage_m, permit_load_kg_d)."""
    return pd.DataFrame(rows, columns=["outlet_id", "reach_id", "chainage_m", "permit_load_kg_d"])


def observed(*rows: tuple) -> pd.DataFrame:
    """Rows (station_kind, station_id, time, parameter, value)."""
    table = pd.DataFrame(rows, columns=["station_kind", "station_id", "time", "parameter", "value"])
    return table.assign(qualifier="", unit="", source="")


def line(decay_per_d: float = 0.0) -> Tables:
    """One river of two reaches, 86.4 km at 1 m/s each (one day), an outlet at the head of the first and half-way down it.

    A -> R1 -> B -> R2 -> C, 10 m³/s, section S1 at the end of R2.
    """
    return {
        "reaches": reaches(
            ("R1", "A", "B", 86_400.0, 10.0, 1.0), ("R2", "B", "C", 86_400.0, 10.0, 1.0), decay_per_d=decay_per_d
        ),
        "sections": sections(("S1", "R2", 86_400.0, 0.2)),
        "outlets": outlets(("O1", "R1", 0.0, 100.0), ("O2", "R1", 43_200.0, 50.0)),
    }


def island(decay_per_d: float = 0.0) -> Tables:
    """A river that splits 0.3 / 0.7 round an island and rejoins; the long arm takes three times as long."""
    return {
        "reaches": reaches(
            ("R1", "A", "B", 8_640.0, 10.0, 0.1),
            ("R2", "B", "C", 8_640.0, 3.0, 0.1),
            ("R3", "B", "C", 25_920.0, 7.0, 0.1),
            ("R4", "C", "D", 8_640.0, 10.0, 0.1),
            decay_per_d=decay_per_d,
            split=[1.0, 0.3, 0.7, 1.0],
        ),
        "sections": sections(("S1", "R4", 8_640.0, 0.2), ("S2", "R2", 4_320.0, 0.2)),
        "outlets": outlets(("O1", "R1", 0.0, 100.0), ("O2", "R3", 0.0, 10.0)),
    }


def gated(control: str) -> Tables:
    """The island with a gate on its short arm."""
    tables = island()
    tables["reaches"] = tables["reaches"].assign(control=["", control, "", ""])
    return tables


def confluence() -> Tables:
    """Two headwaters that meet, an inbound river on one of them, a lake below; NRFA-like round figures."""
    return {
        "reaches": reaches(
            ("N", "N0", "J", 8_640.0, 4.0, 0.1),
            ("E", "E0", "J", 8_640.0, 5.0, 0.1),
            ("L", "J", "K", 8_640.0, 10.0, 0.1),
            ("D", "K", "M", 8_640.0, 10.0, 0.1),
            decay_per_d=0.5,
            waterbody=["river", "river", "lake", "river"],
            lateral_tp_mg_l=[0.1, 0.1, 0.2, 0.1],
        ),
        "boundaries": pd.DataFrame(
            {"boundary_id": ["B1"], "name": ["上游入境"], "node": ["N0"], "discharge_m3_s": [3.0], "tp_mg_l": [0.25]}
        ),
        "sections": sections(("S1", "D", 8_640.0, 0.2)),
        "outlets": outlets(("O1", "E", 4_320.0, 20.0)),
    }
