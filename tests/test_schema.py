"""The data dictionary and the check against it."""

import pandas as pd
import pytest

from hydro import schema
from hydro.schema import check_table, check_tables


def reaches(**columns: list[object]) -> pd.DataFrame:
    sound = {"reach_id": ["R1", "R2"], "from_node": ["A", "B"], "to_node": ["B", "C"], "length_m": [100.0, 200.0]}
    return pd.DataFrame({**sound, **columns})


@pytest.mark.parametrize("table", schema.tables())
def test_every_table_is_described_in_both_languages(table: str) -> None:
    columns = schema.attributes(table)
    assert set(schema.KEYS[table]) <= set(columns)
    for attribute in columns.values():
        assert attribute.description_zh, attribute.name
        assert attribute.description_en, attribute.name
        assert attribute.type in {"text", "number", "integer", "time"}, attribute.name
        assert set(attribute.value_synonyms) <= set(attribute.choices) or not attribute.choices, attribute.name
        assert not attribute.default or not attribute.choices or attribute.default in attribute.choices


@pytest.mark.parametrize("table", schema.tables())
def test_a_synonym_means_one_column_of_a_table(table: str) -> None:
    said = [word for attribute in schema.attributes(table).values() for word in {attribute.name, *attribute.synonyms}]
    assert len(said) == len(set(said)), sorted(word for word in said if said.count(word) > 1)


def test_a_sound_table_has_no_faults() -> None:
    assert check_tables({"reaches": reaches()}) == []


def test_all_faults_are_told_at_once_with_table_row_column_and_what_would_be_right() -> None:
    broken = reaches(length_m=[-3.0, 200.0], discharge_m3_s=["abc", "inf"], split=[1.2, 0.5], kind=["natural", "pond"])
    told = {(f.row, f.column): str(f) for f in check_table("reaches", broken)}
    assert told == {
        ("R1", "length_m"): "reaches 表 R1 的 length_m 为“-3.0”，应为：大于 0",
        ("R1", "discharge_m3_s"): "reaches 表 R1 的 discharge_m3_s 为“abc”，应为：不小于 0",
        ("R2", "discharge_m3_s"): "reaches 表 R2 的 discharge_m3_s 为“inf”，应为：不小于 0",
        ("R1", "split"): "reaches 表 R1 的 split 为“1.2”，应为：0～1",
        ("R2", "kind"): "reaches 表 R2 的 kind 为“pond”，应为：天然、渠、涵洞",
    }


def test_missing_columns_blank_cells_and_double_ids_are_faults() -> None:
    sections = pd.DataFrame({"section_id": ["S1", "S1", ""], "name": ["甲", "", "丙"]})
    codes = [(f.code, f.row, f.column) for f in check_table("sections", sections)]
    assert codes == [
        ("blank", "第3行", "section_id"),
        ("blank", "S1", "name"),
        ("column_missing", "", "tp_target_mg_l"),
        ("id_twice", "S1", "section_id"),
    ]


def test_references_are_checked_between_tables() -> None:
    outlets = pd.DataFrame({"outlet_id": ["O1", "O2"], "reach_id": ["R1", "R9"], "merge_to": ["", "W1"]})
    faults = check_tables({"reaches": reaches(), "outlets": outlets})
    assert [str(f) for f in faults] == [
        "outlets 表 O2 的 reach_id 为“R9”，reaches 表里没有它。请改正，或先导入 reaches 表",
        "outlets 表 O2 的 merge_to 为“W1”，plants 表里没有它。请改正，或先导入 plants 表",
    ]


def test_measurements_at_an_unknown_station_are_a_warning_a_station() -> None:
    rows = pd.DataFrame(
        {
            "station_id": ["S9"] * 3,
            "station_kind": ["section"] * 3,
            "time": ["2022-01", "2022-02", "2022-03"],
            "parameter": ["TP"] * 3,
            "value": [0.1, 0.2, 0.3],
        }
    )
    (fault,) = check_tables({"reaches": reaches(), "observations": rows})
    assert fault.warning
    assert fault.params["count"] == 3


def test_discharge_below_zero_is_a_warning_a_station() -> None:
    rows = pd.DataFrame(
        {
            "station_id": ["S1", "S1", "S1", "S2"],
            "station_kind": "section",
            "time": ["2022-01", "2022-02", "2022-03", "2022-03"],
            "parameter": "discharge",
            "value": [-1.5, -0.5, 2.0, 0.0],
        }
    )
    (fault,) = check_tables({"observations": rows, "sections": pd.DataFrame({"section_id": ["S1", "S2"]})[:0]})[-1:]
    assert fault.warning
    assert str(fault).startswith("测点“S1”有 2 条流量为负（最低 -1.5 m³/s）")


@pytest.mark.parametrize("time", ["2022", "2022-07", "2022-07-03", "2022-07-03T08:00", "2022-07-03 08:00:00+08:00"])
def test_iso_times_pass(time: str) -> None:
    assert check_table("weather", pd.DataFrame({"time": [time], "place": [""]})) == []


@pytest.mark.parametrize("time", ["2022-13", "2022年7月", "7/3/2022", "2022-07-03T25:00"])
def test_other_times_are_faults(time: str) -> None:
    assert [f.code for f in check_table("weather", pd.DataFrame({"time": [time], "place": [""]}))] == ["not_a_time"]


def test_many_equal_faults_are_counted_not_listed() -> None:
    many = pd.DataFrame({"reach_id": [f"R{i}" for i in range(1000)], "length_m": -1.0})
    faults = check_table("reaches", many)
    assert len(faults) == schema.SHOWN + 1
    assert str(faults[-1]) == "reaches 表的 length_m 还有 950 行有同样的问题，应为：大于 0"


def test_an_empty_table_has_all_columns() -> None:
    assert list(schema.empty("weather")) == ["time", "place", "rain_mm", "water_temp_c"]
