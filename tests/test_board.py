"""The board, end to end: a small basin by hand, the demo, the command line, and every bad month."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import cli
import hydro
import layers
from hydro.assessment.board import board
from hydro.assessment.months import monthly_means
from hydro.errors import HydroError
from layers.assess import assess_network, section_months
from layers.standards import load_standard

GB = load_standard()
DEMO = Path(__file__).parents[1] / "data" / "demo"


def basin(observations: pd.DataFrame, targets: pd.DataFrame | None = None, **sections: object) -> hydro.RiverNetwork:
    """One river, one border, one section with a target of 0.30 mg/L."""
    reaches = pd.DataFrame(
        {"reach_id": ["R1"], "from_node": ["A"], "to_node": ["B"], "length_m": [1000.0], "discharge_m3_s": [3.0],
         "velocity_m_s": [0.5], "decay_per_d": [0.0]}
    )  # fmt: skip
    section = {"section_id": "S1", "name": "皇甫", "reach_id": "R1", "chainage_m": 1000.0, "waterbody": "river",
               "target_class": "IV", "tp_target_mg_l": 0.3, "county": "甲县", "level": "省控", "river": "卫河"}  # fmt: skip
    border = pd.DataFrame({"boundary_id": ["B1"], "node": ["A"], "discharge_m3_s": [3.0], "tp_mg_l": [0.32]})
    return hydro.build_network(
        {"reaches": reaches, "sections": pd.DataFrame([section | sections]), "boundaries": border,
         "observations": observations, "targets": targets}
    )  # fmt: skip


def months_of(values: dict[str, float], parameter: str = "TP") -> pd.DataFrame:
    frame = pd.DataFrame({"time": list(values), "value": list(values.values())})
    return frame.assign(station_kind="section", station_id="S1", parameter=parameter, qualifier="")


def year(*values: float, start: str = "2022-01") -> dict[str, float]:
    months = pd.period_range(start, periods=len(values), freq="M").astype(str)
    return dict(zip(months, values, strict=True))


def row_of(network: hydro.RiverNetwork, month: str = "") -> pd.Series:
    return assess_network(network, section_months(network), month).rows.iloc[0]


def test_one_section_by_hand() -> None:
    values = year(*[0.28] * 6, *[0.31] * 6, start="2021-01") | year(0.29, 0.31, 0.29)
    row = row_of(basin(months_of(values)), "2022-03")
    # 2022: 0.29 + 0.31 + 0.29 = 0.89, mean 0.29667; (3.6 - 0.89) / 9 = 0.30111
    assert (row["state"], row["class"], row["deciding"], row["class_attained"]) == ("holds", "IV", "TP", 1.0)
    assert row["margin_mg_l"] == pytest.approx(0.01)
    assert row["headroom_kg_d"] == pytest.approx(0.01 * 3.0 * 86.4)  # 2.592 kg/d at the reach's own discharge
    assert row["discharge_basis"] == "table"
    assert row["storm_factor"] == pytest.approx(0.30 / 0.29)
    assert (row["streak"], row["attained_months"], row["monitored_months"]) == (1, 2, 3)
    assert row["mean_mg_l"] == pytest.approx(0.89 / 3)
    assert row["need_mg_l"] == pytest.approx(2.71 / 9)
    # last year: April-December (3 x 0.28 + 6 x 0.31) / 9 = 0.30 against 0.28 before: rebound 0.02
    assert row["rebound_mg_l"] == pytest.approx(0.02)
    assert row["need_before_rebound_mg_l"] == pytest.approx(2.71 / 9 - 0.02)
    # last year January-October (6 x 0.28 + 4 x 0.31) / 10 = 0.292, the year 0.295: down to 0.297 by the end of October
    assert row["october_mg_l"] == pytest.approx(0.297)
    assert (row["last_year_mg_l"], row["trend"]) == (0.28, "short")
    assert np.isnan(row["chance"])  # one year before this one tells nothing of how years differ
    assert row["pay_wan"] == 0


def test_compensation_takes_the_inbound_excess_off() -> None:
    row = row_of(basin(months_of({"2022-07": 0.36})))
    # the border lets in (0.32 - 0.30) x 3 x 86.4 kg/d, all of it arrives (no decay): 0.02 mg/L of the 0.36
    assert row["inbound_mg_l"] == pytest.approx(0.02)
    # (0.34 - 0.30) / 0.30 = 0.1333: 10 x 1.1333 = 11.33 instead of 12 for the whole
    assert row["pay_wan"] == pytest.approx(10 * (1 + 0.04 / 0.30))


def test_measured_discharge_goes_before_the_table() -> None:
    rows = pd.concat([months_of({"2022-07": 0.29}), months_of({"2022-07": 4.745}, "discharge")])
    row = row_of(basin(rows))
    assert (row["discharge_basis"], row["headroom_kg_d"]) == ("measured", pytest.approx(4.09968))


def test_data_after_the_month_are_not_looked_at() -> None:
    now = basin(months_of(year(0.29, 0.29)))
    later = basin(months_of(year(0.29, 0.29, 9.0, 9.0)))
    first, second = (assess_network(n, section_months(n), "2022-02").rows for n in (now, later))
    pd.testing.assert_frame_equal(first, second)


def test_no_target_no_data_and_a_changed_target_are_said() -> None:
    network = basin(months_of(year(0.29, 0.35)), tp_target_mg_l=None)
    found = assess_network(network, section_months(network))
    assert found.rows["state"].tolist() == ["no_target"]
    assert str(found.notes[0]) == "皇甫：没有总磷目标值，无法判断达标，请补填"
    assert [note.code for note in found.notes] == ["no_target", "no_storm"]  # nor has the reach a catchment to rain on
    changed = pd.DataFrame({"section_id": ["S1"], "since": ["2022-02"], "tp_target_mg_l": [0.4]})
    network = basin(months_of(year(0.29, 0.35)), targets=changed)
    found = assess_network(network, section_months(network))
    assert found.rows[["target_mg_l", "state", "streak"]].iloc[0].tolist() == [0.4, "holds", 2]
    assert [note.code for note in found.notes] == ["target_changed", "no_storm"]
    found = assess_network(network, section_months(network), "2022-05")
    assert found.rows["state"].tolist() == ["no_data"]
    assert found.rows["rank"].tolist() == [1]


def test_months_that_cannot_be_asked_for() -> None:
    network = basin(months_of(year(0.29)))
    months = section_months(network)
    with pytest.raises(HydroError, match="2021-12 及以前没有断面的总磷数据，请换一个月份"):
        assess_network(network, months, "2021-12")
    with pytest.raises(HydroError, match="月份「七月」无法识别，请写成 2022-07"):
        assess_network(network, months, "七月")
    empty = basin(months_of({}))
    with pytest.raises(HydroError, match="项目里还没有断面监测数据"):
        assess_network(empty, section_months(empty))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tables: dict[str, pd.DataFrame] = {file.stem: gpd.read_file(file) for file in DEMO.glob("*.geojson")}
    for name in ("observations", "weather"):
        tables[name] = pd.read_csv(DEMO / f"{name}.csv", dtype={"time": str, "station_id": str})
    path = tmp_path_factory.mktemp("demo") / "demo.gpkg"
    layers.create_project(path, name="示例流域", demo=True, tables=tables).close()
    return path


def test_the_demo_tells_its_margins(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["assess", str(demo), "--month", "2022-07", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in found["sections"]}
    assert [row["rank"] for row in found["sections"]] == list(range(1, 17))
    assert rows["下马营"]["state"] == "equal"
    assert round(rows["小河口"]["margin_mg_l"], 3) == 0.010
    assert round(rows["渠村桥"]["margin_mg_l"], 3) == 0.020
    assert rows["皇甫"]["state"] == "over"
    assert rows["皇甫"]["words"] == "皇甫：超标 0.05 倍，高出目标 0.015 mg/L，须削减 18.3 kg/d"
    assert rows["下马营"]["words"] == "下马营：与目标持平，余量为零，再多一点就超标；一场 50 mm 的雨大概率突破"
    assert rows["小河口"]["words"].startswith("小河口：余量 0.010 mg/L，再多 ")
    assert rows["皇甫"]["breaking_rain_mm"] == 0
    assert 0 < rows["小河口"]["breaking_rain_mm"] < 50
    every = found["attainment"][0]
    over = sum(row["monitored_months"] - row["attained_months"] for row in found["sections"])
    assert every["monitored"] - every["attained"] == over
    assert found["edition"] == "GB 3838-2002"


def test_the_board_as_a_table_and_in_english(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["assess", str(demo), "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 17
    assert lines[0].startswith("section_id,name,river")
    assert cli.main(["assess", str(demo), "--month", "1999-01"]) == 1
    assert "请换一个月份" in capsys.readouterr().err


def test_every_section_of_the_demo_has_an_outlook_and_a_trend(demo: Path) -> None:
    network = layers.open_project(demo).network()
    months = monthly_means(network.observations.table, list(network.sections.index), standard=GB)
    rows = board(network, months, "2022-07", standard=GB).rows
    assert rows["chance"].between(0, 1).all()
    assert (rows["year_low_mg_l"] <= rows["year_middle_mg_l"]).all()
    assert (rows["year_middle_mg_l"] <= rows["year_high_mg_l"]).all()
    assert set(rows["trend"]) <= {"rising", "falling", "none"}
    assert all(len(spark) == 36 for spark in rows["spark"])
