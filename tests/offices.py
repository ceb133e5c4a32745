"""A small basin with an office around it: three outlets in two counties, a plant with little room, a section."""

import geopandas
import pandas as pd
import shapely


def tables() -> dict[str, pd.DataFrame]:
    """Two reaches one after the other, an outlet on the first, a section on the second, two months of samples."""
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
                "outlet_id": ["O1"],
                "name": ["城东'; DROP TABLE outlets; --"],
                "reach_id": ["R1"],
                "chainage_m": [400.0],
                "permit_load_kg_d": [1.5],
                "reports": [1],
            },
            geometry=[shapely.Point(113.905, 35.3)],
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
