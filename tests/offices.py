"""A small basin with an office around it: four outlets in two counties, a plant with little room, a section."""

import geopandas
import pandas as pd
import shapely

EVIL = "城东'); DROP TABLE outlets; --<img src=x onerror=alert(1)>{name}%s"
"""A name with everything in it that a careless program would obey."""


def tables() -> dict[str, pd.DataFrame]:
    """Two reaches one after the other; the plant has 500 m³/d to spare, O1 and O2 need 300 m³/d each."""
    return {
        "reaches": geopandas.GeoDataFrame(
            {
                "reach_id": ["R1", "R2"],
                "from_node": ["a", "b"],
                "to_node": ["b", "c"],
                "length_m": [1000.0, 2000.0],
                "discharge_m3_s": [2.0, 2.5],
                "velocity_m_s": [0.3, 0.3],
            },
            geometry=[
                shapely.LineString([(113.9, 35.3), (113.91, 35.3)]),
                shapely.LineString([(113.91, 35.3), (113.93, 35.31)]),
            ],
            crs=4490,
        ),
        "outlets": geopandas.GeoDataFrame(
            {
                "outlet_id": ["O1", "O2", "O3", "O4"],
                "name": [EVIL, "城西", "城南", "城北"],
                "reach_id": ["R1", "R1", "R2", "R2"],
                "chainage_m": [400.0, 500.0, 100.0, 200.0],
                "permit_discharge_m3_d": [300.0, 300.0, 100.0, None],
                "permit_load_kg_d": [1.5, 0.5, 0.2, 0.1],
                "reports": [1, 0, 0, 0],
                "county": ["卫辉市", "卫辉市", "辉县市", "辉县市"],
                "decision": ["undecided"] * 4,
            },
            geometry=[shapely.Point(113.905 + n / 200, 35.3) for n in range(4)],
            crs=4490,
        ),
        "plants": geopandas.GeoDataFrame(
            {
                "plant_id": ["W1"],
                "name": ["一厂"],
                "design_discharge_m3_d": [20000.0],
                "actual_discharge_m3_d": [19500.0],
                "reach_id": ["R2"],
                "chainage_m": [50.0],
                "county": ["卫辉市"],
            },
            geometry=[shapely.Point(113.91, 35.3)],
            crs=4490,
        ),
        "sections": geopandas.GeoDataFrame(
            {
                "section_id": ["S1"],
                "name": ["桥"],
                "reach_id": ["R2"],
                "chainage_m": [1500.0],
                "tp_target_mg_l": [0.3],
            },
            geometry=[shapely.Point(113.92, 35.305)],
            crs=4490,
        ),
        "observations": pd.DataFrame(
            {
                "station_id": ["S1", "S1"],
                "station_kind": ["section", "section"],
                "time": ["2022-06", "2022-07"],
                "parameter": ["TP", "TP"],
                "value": [0.21, None],
                "qualifier": ["", "ND"],
            }
        ),
    }
