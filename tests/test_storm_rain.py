"""The rain of a storm as it is given: a number, a table, a raster; and every fault of a table at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import LineString, box
from test_storm import plain

import hydro
import layers
from layers.land.storm_rain import storm_rain


@pytest.fixture
def project(tmp_path: Path) -> layers.Project:
    tables = plain()
    import geopandas as gpd

    lines = [LineString([(114.0, 35.05), (114.1, 35.05)]), LineString([(114.1, 35.05), (114.2, 35.05)])]
    tables["reaches"] = gpd.GeoDataFrame(tables["reaches"], geometry=lines, crs=4490)
    tables["catchments"] = gpd.GeoDataFrame(
        {"id": ["C1", "C2"], "name": ["甲", "乙"]}, geometry=[box(114.0, 35.0, 114.1, 35.1), box(114.1, 35.0, 114.2, 35.1)], crs=4490
    )  # fmt: skip
    return layers.create_project(tmp_path / "p.gpkg", name="t", tables=tables)


def test_a_number_is_rain_everywhere(project: layers.Project) -> None:
    assert storm_rain(project, "50") == 50.0


def test_a_table_gives_rain_by_reach(project: layers.Project, tmp_path: Path) -> None:
    file = tmp_path / "rain.csv"
    file.write_text("河段编号,雨量(mm)\nR1,60\nR2,0\n", encoding="gb18030")
    rain = storm_rain(project, str(file))
    assert rain.to_dict() == {"R1": 60.0, "R2": 0.0}
    network = project.network()
    pd.testing.assert_frame_equal(hydro.storm(network, rain), hydro.storm(network, pd.Series({"R1": 60.0, "R2": 0.0})))


def test_a_raster_is_averaged_over_catchments(project: layers.Project, tmp_path: Path) -> None:
    file = tmp_path / "rain.tif"
    millimetres = np.repeat([[20.0, 80.0]], 10, axis=0).repeat(10, axis=1).astype(np.float32)
    with rasterio.open(
        file, "w", driver="GTiff", width=20, height=10, count=1, dtype="float32", crs="EPSG:4490",
        transform=from_origin(114.0, 35.1, 0.01, 0.01),
    ) as raster:  # fmt: skip
        raster.write(millimetres, 1)
    rain = storm_rain(project, str(file))
    assert rain.to_dict() == {"R1": pytest.approx(20.0), "R2": pytest.approx(80.0)}


def test_every_row_at_fault_is_named_at_once(project: layers.Project, tmp_path: Path) -> None:
    file = tmp_path / "rain.csv"
    file.write_text("reach_id,rain_mm\nR9,60\nR1,-3\nR1,5\n", encoding="utf-8")
    with pytest.raises(hydro.FaultsError) as refused:
        storm_rain(project, str(file))
    assert [str(fault) for fault in refused.value.faults] == [
        "雨量表第 2 行：没有河段 R9。请核对编号",
        "雨量表第 4 行：河段 R1 重复。请只留一行",
        "雨量表第 3 行：河段 R1 的雨量“-3”不是不小于 0 的毫米数。请改正",
        "雨量表缺 1 个河段：R2。没有雨的河段请写 0",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "none",
            "",
            "雨量“{path}”既不是毫米数，也没有这样的文件。请给出如 50，或雨量表（reach_id、rain_mm），或雨量栅格",
        ),
        ("rain.csv", "a,b\n1,2\n", "雨量表 rain.csv 须有 reach_id 与 rain_mm 两列，现有：a、b"),
    ],
)
def test_what_is_of_no_use_is_said(
    project: layers.Project, tmp_path: Path, name: str, content: str, message: str
) -> None:
    file = tmp_path / name
    if content:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(hydro.HydroError) as refused:
        storm_rain(project, str(file))
    assert str(refused.value) == message.replace("{path}", str(file))
