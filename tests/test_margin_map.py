"""The small map of margins: names beside their marks, rivers in a few strokes."""

import geopandas as gpd
import shapely

from layers.maps.outline import outlines
from ui.margin_map import SIDES, sides


def test_names_of_neighbours_stand_on_different_sides() -> None:
    close = [(114.0, 35.0), (114.002, 35.0), (115.0, 35.5)]
    found = sides(close, ["皇甫 -0.015", "下马营 0.000", "何营 +0.128"])
    assert found[0] != found[1]
    assert found[2] == "above"
    assert set(found) <= set(SIDES)
    assert sides([], []) == []
    assert sides([(114.0, 35.0)], ["甲"]) == ["above"]


def test_the_largest_rivers_in_a_few_strokes() -> None:
    wiggly = shapely.LineString([(0, 0), (0.5, 0.00001), (1, 0)])
    lines = [wiggly, shapely.LineString([(0, 1), (1, 1)]), None]
    reaches = gpd.GeoDataFrame({"discharge_m3_s": [16.0, None, 50.0]}, geometry=lines, crs=4490)
    sections = gpd.GeoDataFrame({"section_id": ["S1", "S2"]}, geometry=[shapely.Point(0.5, 0), None], crs=4490)
    features, places = outlines(reaches, sections, most=2)
    assert [len(one["geometry"]["coordinates"]) for one in features] == [
        2
    ]  # straightened; the one without a line is gone
    assert features[0]["properties"]["width"] == 0.8 + 4 / 1.6
    assert places == {"S1": (0.5, 0.0)}
