"""A project of the upper Thames from published data: ``python tools/thames.py CSV --out FOLDER``, then ``cli.py import``.

The CSV is the CEH Thames Initiative water quality data set (weekly TP at 22 sites, 2009-2013, with the mean discharge of the
day; doi:10.5285/e4c300b1-8bc3-4df2-b23a-e72e67eef2fd).  Its values go into the import folder as they stand: ug/L, dd/mm/yyyy,
``<`` for below detection; reading them is the import's work.  The river is a drawing: sites in the order in which they
lie, tributaries joining just above the next site.  The folder holds licensed data and is never committed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyproj

TARGET_MG_L = 0.12
"""For drawing only: an old English guideline for lowland rivers, not a legal target."""
SPEED_M_S = 0.4
COLUMN = {"site": "Site", "date": "Sampling date", "tp": "Total phosphorus", "flow": "Mean daily river discharge"}


class Site(NamedTuple):
    """A sampling site: its name in the file, its river, where it lies, and (a tributary) the river it joins."""

    key: str
    name: str
    river: str
    lon: float
    lat: float
    joins: str = ""


# Down the Thames; a tributary stands above the site below its mouth.  A tributary's own tributary names its river.
SITES = [
    Site("HAN", "River Thames at Hannington Wick", "Thames", -1.75, 51.66),
    Site("COL", "River Coln at Whelford", "Coln", -1.76, 51.69, "Thames"),
    Site("LEA", "River Leach at Mill Lane,Lechlade", "Leach", -1.685, 51.70, "Thames"),
    Site("CLE", "River Cole at Lynt Bridge", "Cole", -1.63, 51.665, "Thames"),
    Site("NEW", "River Thames at Newbridge", "Thames", -1.42, 51.71),
    Site("WIN", "River Windrush at Newbridge", "Windrush", -1.42, 51.715, "Thames"),
    Site("SWI", "River Thames at Swinford", "Thames", -1.36, 51.775),
    Site("EVE", "River Evenlode at Cassington Mill", "Evenlode", -1.35, 51.785, "Thames"),
    Site("CHE", "River Cherwell at Hampton Poyle", "Cherwell", -1.28, 51.84, "Thames"),
    Site("RAY", "River Ray at Islip", "Ray", -1.24, 51.82, "Cherwell"),
    Site("OCK", "River Ock at Abingdon", "Ock", -1.29, 51.665, "Thames"),
    Site("THA", "River Thame at Wheatley", "Thame", -1.13, 51.74, "Thames"),
    Site("WAL", "River Thames at Wallingford", "Thames", -1.12, 51.60),
    Site("PAN", "River Pang at Tidmarsh", "Pang", -1.09, 51.47, "Thames"),
    Site("KEN", "River Kennet at Woolhampton", "Kennet", -1.18, 51.39, "Thames"),
    Site("ENB", "River Enborne at Brimpton", "Enborne", -1.19, 51.37, "Kennet"),
    Site("SON", "River Thames at Sonning", "Thames", -0.915, 51.475),
    Site("LOD", "River Lodden at Charvil", "Loddon", -0.87, 51.47, "Thames"),
    Site("WYE", "River Wye at Bourne End", "Wye", -0.71, 51.575, "Thames"),
    Site("CUT", "The Cut at Paley Street", "The Cut", -0.78, 51.465, "Thames"),
    Site("JUB", "Jubilee River at Pocock's Bridge", "Jubilee", -0.62, 51.50, "Thames"),
    Site("RUN", "River Thames at Runnymede", "Thames", -0.56, 51.44),
]


def write_folder(csv: Path, out: Path) -> None:
    """Write the import folder: reaches and sections as GeoJSON, observations as CSV."""
    raw = pd.read_csv(csv, dtype=str)
    column = {
        key: next(name for name in raw.columns if name.strip().startswith(start)) for key, start in COLUMN.items()
    }
    flow = pd.to_numeric(raw[column["flow"]], errors="coerce").groupby(raw[column["site"]]).mean()
    out.mkdir(parents=True, exist_ok=True)
    reaches, sections = draw({site.key: float(flow[site.name]) for site in SITES})
    _geojson(out / "reaches.geojson", reaches)
    _geojson(out / "sections.geojson", sections)
    observe(raw, column).to_csv(out / "observations.csv", index=False)
    (out / "project.csv").write_text("name,demo\nThames,0\n", encoding="utf-8")


def observe(raw: pd.DataFrame, column: dict[str, str]) -> pd.DataFrame:
    """TP and discharge of every sample, written as in the source."""
    rows = {site.name: site.key for site in SITES}
    base = {"station_id": raw[column["site"]].map(rows), "station_kind": "section", "time": raw[column["date"]]}
    tp = pd.DataFrame(base | {"parameter": "TP", "value": raw[column["tp"]].str.strip(), "unit": "ug/L"})
    flow = pd.DataFrame(base | {"parameter": "discharge", "value": raw[column["flow"]], "unit": "m3/s"})
    both = pd.concat([tp, flow], ignore_index=True)
    return both[both["value"].notna() & (both["value"] != "")]


def draw(flow: dict[str, float]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """(reaches, sections): the Thames from site to site, cut where a tributary joins half way to the next site."""
    main = [site for site in SITES if not site.joins]
    reaches: list[dict[str, object]] = []
    sections: list[dict[str, object]] = []
    carried = flow[main[0].key]
    here = (main[0].lon - 0.02, main[0].lat + 0.01)
    node = "N-HEAD"
    for site, below in zip(main, [*main[1:], None], strict=True):
        carried = max(carried, flow[site.key])
        end = (site.lon, site.lat)
        _reach(reaches, sections, f"R-{site.key}", site, node, f"N-{site.key}", [here, end], carried, at=0.999)
        node, here = f"N-{site.key}", end
        if below is None:
            break
        joining = [s for s in SITES[SITES.index(site) + 1 : SITES.index(below)] if s.joins == "Thames"]
        for i, tributary in enumerate(joining, 1):
            part = i / (len(joining) + 1)
            mouth = (site.lon + part * (below.lon - site.lon), site.lat + part * (below.lat - site.lat))
            mouth_node = f"N-{tributary.key}-MOUTH"
            _reach(reaches, [], f"R-{site.key}-{i}", site, node, mouth_node, [here, mouth], carried)
            carried += _tributary(reaches, sections, tributary, mouth, mouth_node, flow)
            node, here = mouth_node, mouth
    return reaches, sections


def _tributary(
    reaches: list[dict[str, object]], sections: list[dict[str, object]], site: Site, mouth: tuple[float, float], mouth_node: str,
    flow: dict[str, float],
) -> float:  # fmt: skip
    """A tributary from above its site to its mouth, with its own tributary joining below the site; returns its water."""
    place, water = (site.lon, site.lat), flow[site.key]
    head = (site.lon - 0.03 * (mouth[0] - site.lon) - 0.005, site.lat - 0.03 * (mouth[1] - site.lat) + 0.005)
    _reach(
        reaches, sections, f"R-{site.key}", site, f"N-{site.key}-HEAD", f"N-{site.key}", [head, place], water, at=0.999
    )
    own = [s for s in SITES if s.joins == site.river]
    for other in own:
        _reach(reaches, sections, f"R-{other.key}", other, f"N-{other.key}-HEAD", f"N-{site.key}",
               [(other.lon, other.lat), place], flow[other.key], at=0.001)  # fmt: skip
        water += flow[other.key]
    _reach(reaches, [], f"R-{site.key}-L", site, f"N-{site.key}", mouth_node, [place, mouth], water)
    return water


def _reach(
    reaches: list[dict[str, object]], sections: list[dict[str, object]], key: str, site: Site, upper: str, lower: str,
    line: list[tuple[float, float]], flow: float, at: float = 0.0,
) -> None:  # fmt: skip
    length = pyproj.Geod(ellps="WGS84").line_length(*zip(*line, strict=True))
    reaches.append(
        {
            "reach_id": key, "name": key[2:], "river": site.river, "from_node": upper, "to_node": lower,
            "discharge_m3_s": round(flow, 4), "velocity_m_s": SPEED_M_S, "decay_per_d": 0,
            "geometry": {"type": "LineString", "coordinates": [list(point) for point in line]},
        }
    )  # fmt: skip
    if at:
        sections.append(
            {
                "section_id": site.key, "name": site.name, "river": site.river, "reach_id": key,
                "chainage_m": round(at * length, 2), "tp_target_mg_l": TARGET_MG_L,
                "geometry": {"type": "Point", "coordinates": [site.lon, site.lat]},
            }
        )  # fmt: skip


def _geojson(path: Path, rows: list[dict[str, object]]) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {k: v for k, v in row.items() if k != "geometry"},
            "geometry": row["geometry"],
        }
        for row in rows
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    write_folder(asked.csv, asked.out)
