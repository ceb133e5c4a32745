"""Draw the demo basin 示例流域 into ``data/demo``: ``python tools/draw_demo.py [--out DIR] [--districts FILE]``.

The same seed gives the same bytes.  District outlines are read from the folder itself; ``--districts`` replaces them from
a file of outlines with names and adcodes.  Every number about water quality is made up.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from demo import drawing, plan, sources, story, work

SEED = 20220731
HOME = Path(__file__).resolve().parents[1] / "data" / "demo"
NAME = "示例流域"
SOURCE = "示例（模拟数据）"


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--districts", type=Path, default=HOME / "districts.geojson")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    draw(asked.out, asked.districts)


def draw(out: Path, district_file: Path) -> story.Truth:
    """Write every table of the demo basin to a folder; returns the truth behind it, which is written nowhere."""
    rng = np.random.default_rng(SEED)
    districts = drawing.read_districts(str(district_file))
    reaches = drawing.draw_reaches()
    catchments, reaches["area_km2"] = drawing.draw_catchments(reaches)
    locate = drawing.Locator(reaches, districts)
    outlets = sources.put_outlets(rng, locate)
    sources.merge_where_near(outlets)
    plants = sources.put_plants(outlets)
    boundaries = sources.put_boundaries(locate)
    sections = sources.put_sections(locate)
    drawing.put_water(reaches, sources.water_of_points(reaches, outlets, plants), boundaries)
    reaches["decay_per_d"] = np.where(reaches["kind"] == "natural", 0.06, 0.04)
    truth = story.simulate(rng, reaches, sections, outlets, plants, boundaries)
    observations = observe(rng, truth, reaches, sections, outlets, plants)

    spatial = {
        "reaches": reaches.drop(columns=["label", "runoff", "speed"]),
        "sections": sections,
        "outlets": outlets,
        "plants": plants,
        "gates": sources.put_gates(locate),
        "boundaries": boundaries,
        "districts": districts,
        "catchments": catchments,
    }
    for name, table in spatial.items():
        write_geojson(table, out / f"{name}.geojson")
    plain = {"observations": observations, "weather": truth.weather} | work.paper_work() | plan.plan_tables(outlets)
    for name, table in plain.items():
        table.to_csv(out / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")
    (out / "project.csv").write_text(f"name,demo\n{NAME},1\n", encoding="utf-8")
    return truth


def observe(
    rng: np.random.Generator,
    truth: story.Truth,
    reaches: pd.DataFrame,
    sections: pd.DataFrame,
    outlets: pd.DataFrame,
    plants: pd.DataFrame,
) -> pd.DataFrame:
    """What was measured: sections with a little noise, inbound rivers, and the reports of those who report."""
    rows: list[tuple[str, str, str, str, float, str, str]] = []
    limit = {"TP": 0.01, "NH3N": 0.025, "COD": 4.0}
    digits = {"TP": 3, "NH3N": 3, "COD": 1}
    for month in story.MONTHS:
        for section in sections.itertuples():
            for parameter in story.PARAMETERS:
                value = truth.section[parameter].at[month, section.section_id] * rng.lognormal(0, 0.03)
                if parameter == "TP" and month == story.NEWEST:
                    value = story.TOLD.get(section.section_id, value)
                below = value < limit[parameter]
                value = limit[parameter] if below else value
                rows.append(
                    (
                        section.section_id,
                        "section",
                        month,
                        parameter,
                        round(value, digits[parameter]),
                        "<" if below else "",
                        "mg/L",
                    )
                )
            water = truth.discharge.at[month, section.reach_id] * rng.lognormal(0, 0.02)
            rows.append((section.section_id, "section", month, "discharge", round(water, 3), "", "m3/s"))
        for boundary_id, water in truth.boundary_discharge.loc[month].items():
            tp = truth.load["TP"].at[month, boundary_id] / water / story.KG_D * rng.lognormal(0, 0.02)
            rows.append((str(boundary_id), "boundary", month, "TP", round(tp, 3), "", "mg/L"))
            rows.append((str(boundary_id), "boundary", month, "discharge", round(float(water), 3), "", "m3/s"))
        for plant_id in plants["plant_id"]:
            load = truth.load["TP"].at[month, plant_id] * rng.lognormal(0, 0.03)
            rows.append((plant_id, "plant", month, "TP_load", round(load, 3), "", "kg/d"))
        for outlet in outlets[(outlets["reports"] == 1) & (outlets["plant_id"] == "")].itertuples():
            load = truth.load["TP"].at[month, outlet.outlet_id]
            if month == story.HIDDEN["month"] and outlet.outlet_id == truth.culprit:
                load -= story.HIDDEN["kg_d"]  # the report says nothing of it
            rows.append(
                (outlet.outlet_id, "outlet", month, "TP_load", round(load * rng.lognormal(0, 0.04), 4), "", "kg/d")
            )
    columns = ["station_id", "station_kind", "time", "parameter", "value", "qualifier", "unit"]
    return pd.DataFrame(rows, columns=columns).assign(source=SOURCE)


def write_geojson(table: gpd.GeoDataFrame, path: Path) -> None:
    """One feature a line, so that a change shows as a line; numbers as they are, blanks as null."""
    features = []
    shapes = table.geometry.map(lambda shape: json.loads(_rounded(shape)))
    for row, shape in zip(table.drop(columns="geometry").to_dict("records"), shapes, strict=True):
        properties = {key: None if pd.isna(value) else value for key, value in row.items()}
        feature = {"type": "Feature", "properties": properties, "geometry": shape}
        features.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":"), default=lambda v: v.item()))
    head = '{"type":"FeatureCollection","name":"%s","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4490"}},"features":[\n'
    path.write_text(head % path.stem + ",\n".join(features) + "\n]}\n", encoding="utf-8", newline="\n")


def _rounded(shape: object) -> str:
    import shapely

    return json.dumps(_trim(json.loads(shapely.to_geojson(shape))))


def _trim(value: object) -> object:
    if isinstance(value, dict):
        return {key: _trim(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_trim(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
