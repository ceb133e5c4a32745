"""Classes of samples: every border of GB 3838-2002 by hand, every odd spelling, and the law that worse is never better."""

import io
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydro.assessment.cells import BLANK, read_value
from hydro.assessment.quality import main_pollutants
from hydro.assessment.samples import classify
from hydro.assessment.standards import CLASSES, round_half_even
from hydro.errors import FaultsError, HydroError
from layers.samples import read_samples
from layers.standards import load_standard
from reports.words import pollutants

GB = load_standard()

# parameter, waterbody: value -> class, each limit and the smallest value beyond it (decimals of 总站水字〔2018〕87号)
BORDERS = """
TP river        0 I  0.02 I  0.021 II  0.1 II  0.101 III  0.2 III  0.201 IV  0.3 IV  0.301 V  0.4 V  0.401 >V
TP lake         0 I  0.01 I  0.011 II  0.025 II  0.026 III  0.05 III  0.051 IV  0.1 IV  0.101 V  0.2 V  0.201 >V
NH3N river      0.15 I  0.16 II  0.5 II  0.51 III  1 III  1.01 IV  1.5 IV  1.51 V  2 V  2.01 >V
NH3N lake       0.15 I  0.16 II  0.5 II  0.51 III  1.0 III  1.01 IV  1.5 IV  1.51 V  2.0 V  2.01 >V
COD river       15 I  15.1 III  20 III  20.1 IV  30 IV  30.1 V  40 V  40.1 >V
CODMn river     2 I  2.1 II  4 II  4.1 III  6 III  6.1 IV  10 IV  10.1 V  15 V  15.1 >V
BOD5 river      3 I  3.1 III  4 III  4.1 IV  6 IV  6.1 V  10 V  10.1 >V
DO river        8 I  7.5 I  7.4 II  6 II  5.9 III  5 III  4.9 IV  3 IV  2.9 V  2 V  1.9 >V  0 >V
pH river        6 I  7 I  9 I  5.9 >V  9.1 >V
F river         1 I  1.001 IV  1.5 IV  1.501 >V
Cu river        0.01 I  0.011 II  1 II  1.001 >V
Zn river        0.05 I  0.051 II  1 II  1.001 IV  2 IV  2.001 >V
Se river        0.01 I  0.0101 IV  0.02 IV  0.0201 >V
As river        0.05 I  0.0501 IV  0.1 IV  0.1001 >V
Hg river        0.00005 I  0.00006 III  0.0001 III  0.00011 IV  0.001 IV  0.00101 >V
Cd river        0.001 I  0.00101 II  0.005 II  0.00501 V  0.01 V  0.01001 >V
Cr6 river       0.01 I  0.011 II  0.05 II  0.051 V  0.1 V  0.101 >V
Pb river        0.01 I  0.011 III  0.05 III  0.051 V  0.1 V  0.101 >V
CN river        0.005 I  0.006 II  0.05 II  0.051 III  0.2 III  0.201 >V
phenol river    0.002 I  0.0021 III  0.005 III  0.0051 IV  0.01 IV  0.0101 V  0.1 V  0.1001 >V
oil river       0.05 I  0.06 IV  0.5 IV  0.51 V  1 V  1.01 >V
LAS river       0.2 I  0.21 IV  0.3 IV  0.31 >V
sulphide river  0.05 I  0.051 II  0.1 II  0.101 III  0.2 III  0.201 IV  0.5 IV  0.501 V  1 V  1.001 >V
TN lake         0.2 NA  9 NA
"""


def border_values() -> list[tuple[str, str, str, str]]:
    found = []
    for line in BORDERS.strip().splitlines():
        name, waterbody, *pairs = line.split()
        found += [(name, waterbody, *pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)]
    return found


def judge(cell: object, parameter: str = "TP", waterbody: object = "river") -> tuple[str, list[str]]:
    """Class and doubt codes of a table of one row."""
    row = classify(pd.DataFrame({"waterbody": [waterbody], parameter: [cell]}, dtype=object), standard=GB).iloc[0]
    return row["class"], [one.code for one in row["doubts"]]


def test_the_table_of_borders_is_whole() -> None:
    values = border_values()
    assert len(values) > 150
    assert {name for name, *_ in values} == set(GB.parameters)


@pytest.mark.parametrize(("parameter", "waterbody", "value", "expected"), border_values())
def test_every_border_value(parameter: str, waterbody: str, value: str, expected: str) -> None:
    assert judge(value, parameter, waterbody)[0] == expected
    assert judge(float(value), parameter, waterbody)[0] == expected


def test_the_worst_item_decides_and_ties_are_all_named() -> None:
    table = pd.DataFrame(
        {"waterbody": ["river"] * 3, "tp": [0.32, 0.1, 0.25], "nh3n": [1.2, 0.4, 1.4], "do": [8, 7, 8], "ph": [7, 7, 7]}
    )
    found = classify(table, standard=GB)
    assert found["class"].tolist() == ["V", "II", "IV"]
    # class II: TP 0.1/0.2 and NH3N 0.4/1.0 of the class III limit, DO 7 < 7.5; class IV: NH3N 1.4 over 1.0, TP 0.25 over 0.2
    assert found["deciding"].tolist() == ["TP", "TP;NH3N;DO", "NH3N;TP"]
    assert set(found["edition"]) == {"GB 3838-2002"}


def test_main_pollutants_are_the_three_worst_with_their_multiples() -> None:
    values = {"TP": 0.32, "NH3N": 1.2, "COD": 36, "CODMn": 8, "DO": 2.5, "BOD5": 3}
    # class V: COD (36-20)/20 = 0.8, TP (0.32-0.2)/0.2 = 0.6, DO 2.5 (no multiple); class IV: NH3N, CODMn are left out
    found = main_pollutants(values, standard=GB)
    assert [name for name, _ in found] == ["COD", "TP", "DO"]
    assert [round(multiple, 6) for _, multiple in found[:2]] == [0.8, 0.6]
    assert np.isnan(found[2][1])


def test_heavy_metals_and_cyanide_go_first() -> None:
    found = main_pollutants({"COD": 90, "Pb": 0.06, "TP": 0.5, "BOD5": 30}, standard=GB)
    assert [name for name, _ in found] == ["Pb", "BOD5", "COD"]


SPELLINGS = [
    ("0.20", "III", []),
    ("０．２０", "III", []),
    (" 0.2 mg/L ", "III", []),
    ("'0.2", "III", []),
    ("2.0E-1", "III", []),
    ("2×10-1", "III", []),
    ("0.2\u200b", "III", []),
    ("+0.2", "III", []),
    ("200ug/L", "III", ["unit"]),
    ("200 μg/L", "III", ["unit"]),
    ("0.2*", "III", ["marked"]),
    ("约0.2", "III", ["marked"]),
    ("≤0.2", "III", ["marked"]),
    (">0.2", "IV", ["above_range"]),
    ("0.2以上", "IV", ["above_range"]),
    ("≥0.2", "III", ["above_range"]),
    ("<0.01", "I", ["below_detection"]),
    ("＜0.01", "I", ["below_detection"]),
    ("< 0.01 mg/L", "I", ["below_detection"]),
    ("0.01L", "I", ["below_detection"]),
    ("0.01 L", "I", ["below_detection"]),
    ("0.01l", "I", ["below_detection"]),
    ("0.01(L)", "I", ["below_detection"]),
    ("L0.01", "I", ["below_detection"]),
    ("0.01L mg/L", "I", ["below_detection"]),
    ("0.01<", "I", ["below_detection"]),
    ("小于0.01", "I", ["below_detection"]),
    ("未检出", "I", ["below_detection"]),
    ("未检出(0.01)", "I", ["below_detection"]),
    ("未检出（<0.01）", "I", ["below_detection"]),
    ("ND", "I", ["below_detection"]),
    ("nd", "I", ["below_detection"]),
    ("N.D.", "I", ["below_detection"]),
    ("ND(0.01)", "I", ["below_detection"]),
    ("<DL", "I", ["below_detection"]),
    ("低于检出限", "I", ["below_detection"]),
    ("痕量", "I", ["below_detection"]),
    ("L", "I", ["below_detection"]),
    ("not detected", "I", ["below_detection"]),
    ("<0.05", "II", ["below_detection"]),  # half is 0.025, and the limit itself is class II as well
    ("<0.5", "IV", ["below_detection", "coarse_limit"]),  # half is 0.25; 0.5 itself would be worse than V
    ("", "NA", ["nothing_to_judge"]),
    (None, "NA", ["nothing_to_judge"]),
    (float("nan"), "NA", ["nothing_to_judge"]),
    ("--", "NA", ["nothing_to_judge"]),
    ("／", "NA", ["nothing_to_judge"]),
    ("N/A", "NA", ["nothing_to_judge"]),
    ("缺测", "NA", ["nothing_to_judge"]),
    ("断流", "NA", ["no_water", "nothing_to_judge"]),
    ("-0.1", "NA", ["negative", "nothing_to_judge"]),
    ("−0.1", "NA", ["negative", "nothing_to_judge"]),
    (-3, "NA", ["negative", "nothing_to_judge"]),
    (float("inf"), "NA", ["impossible", "nothing_to_judge"]),
    ("1e999", "NA", ["impossible", "nothing_to_judge"]),
    ("80", ">V", ["implausible"]),
    (80, ">V", ["implausible"]),
    ("1,200", ">V", ["implausible"]),
    ("0", "I", ["zero"]),
    ("0,2", "NA", ["unreadable", "nothing_to_judge"]),
    ("0.1-0.2", "NA", ["unreadable", "nothing_to_judge"]),
    ("0..2", "NA", ["unreadable", "nothing_to_judge"]),
    ("O.2", "NA", ["unreadable", "nothing_to_judge"]),
    ("85%", "NA", ["unreadable", "nothing_to_judge"]),
    ("三", "NA", ["unreadable", "nothing_to_judge"]),
    (True, "NA", ["unreadable", "nothing_to_judge"]),
    ("=1+1", "NA", ["unreadable", "nothing_to_judge"]),
    ("0.2004", "III", ["rounded"]),
    ("0.2005", "III", ["rounded"]),  # half to even: 0.200
    ("0.20051", "IV", []),
    ("0.2006", "IV", []),
]


@pytest.mark.parametrize(("cell", "expected", "codes"), SPELLINGS)
def test_every_spelling(cell: object, expected: str, codes: list[str]) -> None:
    assert judge(cell) == (expected, codes)


def test_a_number_in_another_unit_than_its_column_is_told() -> None:
    row = classify(pd.DataFrame({"waterbody": ["river"], "TP (ug/L)": ["0.05"]}), standard=GB).iloc[0]
    assert (row["class"], [one.code for one in row["doubts"]]) == ("I", ["far_below"])
    assert str(row["doubts"][0]) == "TP：0.05 远低于方法检出限（GB 11893-89），按原值评价，请核对单位"
    assert judge("0.005") == ("I", [])  # clean water is clean


def test_a_small_multiple_is_not_printed_as_none() -> None:
    for value, printed in ((0.32, "总磷(0.6)"), (0.201, "总磷(0.005)"), (0.21, "总磷(0.05)")):
        assert pollutants(main_pollutants({"TP": value}, standard=GB), standard=GB) == printed


def test_ph_zero_fifteen_and_three() -> None:
    assert judge("0", "pH") == ("NA", ["impossible", "nothing_to_judge"])
    assert judge("15", "pH") == ("NA", ["impossible", "nothing_to_judge"])
    assert judge("2.8", "pH") == (">V", ["implausible"])
    assert judge("未检出", "pH") == ("NA", ["unreadable", "nothing_to_judge"])


def test_oxygen_below_detection_is_bad_and_an_impossible_saturation_is_not_judged() -> None:
    assert judge("<0.5", "DO") == (">V", ["below_detection"])
    assert judge("95", "DO") == ("NA", ["impossible", "nothing_to_judge"])


def test_an_impossible_cell_leaves_the_row_to_the_others() -> None:
    table = pd.DataFrame({"waterbody": ["river"], "tp": ["-1"], "nh3n": ["0.7"], "ph": ["0"]})
    row = classify(table, standard=GB).iloc[0]
    assert (row["class"], row["deciding"]) == ("III", "NH3N")
    assert [str(one) for one in row["doubts"]] == [
        "TP：-1 不可能出现，不参评，请核对",
        "pH：0 不可能出现，不参评，请核对",
    ]


@pytest.mark.parametrize(
    "word", ["lake", "Lake", "LAKES", "湖库", "湖、库", "水库", "湖泊", "Lake/Reservoir", "reservoir "]
)
def test_words_for_a_lake(word: str) -> None:
    assert judge("0.08", waterbody=word) == ("IV", [])


@pytest.mark.parametrize("word", ["river", "河流", "River", "运河", "canal", "渠", "江"])
def test_words_for_a_river(word: str) -> None:
    assert judge("0.08", waterbody=word) == ("II", [])


def test_a_row_without_its_kind_of_water_says_so() -> None:
    for blank in ("", None, "  ", float("nan"), "未知"):
        assert judge("0.08", waterbody=blank) == ("II", ["waterbody_blank", "river_assumed"])
    assert judge("0.5", waterbody="") == (">V", ["waterbody_blank", "same_either_way"])
    assert judge("0.08", waterbody="湿地") == ("II", ["waterbody_unknown", "river_assumed"])
    assert judge("0.08", waterbody="红旗渠") == ("II", ["waterbody_by_name"])
    assert judge("0.08", waterbody="共产主义水库") == ("IV", ["waterbody_by_name"])
    row = classify(pd.DataFrame({"总磷": ["0.08"]}), standard=GB).iloc[0]
    assert [str(one) for one in row["doubts"]] == ["水体类型空白", "暂按河流评价为 II；若为湖库则为 IV，请补填"]


HEADERS = {
    "总磷": "TP", "总磷(mg/L)": "TP", "总磷（以P计）(mg/L)": "TP", "TP": "TP", "tp_mg_l": "TP", "总磷 TP": "TP", "TP(总磷)": "TP",
    "总磷浓度": "TP", "氨氮": "NH3N", "NH3-N": "NH3N", "NH₃-N（mg/L）": "NH3N", "nh3_n": "NH3N", "氨氮（以N计）": "NH3N",
    "高锰酸盐指数": "CODMn", "CODMn": "CODMn", "COD_Mn": "CODMn", "CODₘₙ": "CODMn", "IMn": "CODMn", "化学需氧量": "COD",
    "CODCr": "COD", "COD（mg/L）": "COD", "五日生化需氧量": "BOD5", "BOD₅": "BOD5", "溶解氧": "DO", "DO mg/L": "DO",
    "pH值（无量纲）": "pH", "PH": "pH", "pH": "pH", "六价铬": "Cr6", "铬(六价)": "Cr6", "Cr⁶⁺": "Cr6", "Cr(VI)": "Cr6", "氟化物": "F",
    "F-": "F", "氰化物": "CN", "总氰化物": "CN", "挥发酚": "phenol", "石油类": "oil", "阴离子表面活性剂": "LAS", "硫化物": "sulphide",
    "砷": "As", "汞": "Hg", "镉": "Cd", "铅": "Pb", "铜": "Cu", "锌": "Zn", "硒": "Se", "总氮": "TN", "TN": "TN",
}  # fmt: skip


@pytest.mark.parametrize(("header", "parameter"), HEADERS.items())
def test_column_names(header: str, parameter: str) -> None:
    assert GB.column(header) == (parameter, 1.0)


@pytest.mark.parametrize("header", ["断面名称", "总铬", "TP目标", "溶解氧饱和度(%)", "水温", "date", "粪大肠菌群", ""])
def test_columns_that_are_no_parameter(header: str) -> None:
    assert GB.column(header) is None


def test_a_unit_in_the_header_is_converted() -> None:
    assert GB.column("总磷(μg/L)") == ("TP", 1e-3)
    row = classify(pd.DataFrame({"waterbody": ["river"], "TP (ug/L)": ["200"]}), standard=GB).iloc[0]
    assert (row["class"], row["doubts"]) == ("III", ())


def test_no_parameter_and_two_of_one_are_refused() -> None:
    with pytest.raises(FaultsError) as caught:
        classify(pd.DataFrame({"name": [1]}), standard=GB)
    assert "没有认出任何水质参数列，列名应如 tp、nh3n、codmn、do、ph 或 总磷、氨氮；现有列：name" in str(caught.value)
    with pytest.raises(FaultsError, match="列「tp」与「总磷」都是 TP，请只留一列"):
        classify(pd.DataFrame({"tp": [1], "总磷": [1]}), standard=GB)


FILE = "示例断面水质监测结果,,\n断面,水体类型,总磷\n,,mg/L\n皇甫,河流,0.3\n,,\n小湖,湖库,0.01L\n\n末,河流,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_file_in_any_encoding(tmp_path: Path, encoding: str, separator: str) -> None:
    file = tmp_path / "样品.csv"
    file.write_bytes(FILE.replace(",", separator).encode(encoding))
    found = classify(read_samples(file, standard=GB), standard=GB)
    assert found["class"].to_dict() == {4: "IV", 5: "NA", 6: "I", 8: "NA"}


def test_a_workbook(tmp_path: Path) -> None:
    file = tmp_path / "samples.xlsx"
    table = pd.DataFrame(
        [["月报", None, None], ["断面", "水体", "总磷"], ["皇甫", "河流", 0.3], ["湖", "湖库", "<0.01"]]
    )
    with pd.ExcelWriter(file) as book:
        pd.DataFrame({"说明": ["无"]}).to_excel(book, sheet_name="封面", index=False)
        table.to_excel(book, sheet_name="数据", index=False, header=False)
    assert classify(read_samples(file, standard=GB), standard=GB)["class"].to_dict() == {3: "IV", 4: "I"}


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "no_parameter"), (b"a,b\n1,2\n", "no_parameter"), (b"\x00\x01PNG", "not_text")]
)
def test_a_file_that_is_no_table_of_samples(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    with pytest.raises(HydroError) as caught:
        read_samples(file, standard=GB)
    assert caught.value.code == code


def test_a_picture_renamed_to_xlsx(tmp_path: Path) -> None:
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(HydroError, match="无法读取"):
        read_samples(file, standard=GB)


CONCENTRATIONS = [name for name in GB.items if name not in ("DO", "pH")]


@given(st.sampled_from(CONCENTRATIONS), st.sampled_from(["river", "lake"]), st.floats(0, 100), st.floats(0, 100))
def test_a_worse_value_never_gives_a_better_class(name: str, waterbody: str, one: float, other: float) -> None:
    ranks = GB.rank(name, np.array([min(one, other), max(one, other)]), waterbody)
    assert ranks[0] <= ranks[1]


@given(st.floats(0, 20), st.floats(0, 20))
def test_less_oxygen_never_gives_a_better_class(one: float, other: float) -> None:
    ranks = GB.rank("DO", np.array([min(one, other), max(one, other)]))
    assert ranks[0] >= ranks[1]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(CONCENTRATIONS), st.floats(0.0001, 50), min_size=1, max_size=6), st.data())
def test_one_more_item_or_one_worse_item_never_betters_a_row(values: dict[str, float], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(values)))
    worse = values | {name: values[name] * data.draw(st.floats(1, 10))}
    more = values | {"DO": data.draw(st.floats(0, 20))}
    rows = classify(pd.DataFrame([values, worse, more]).assign(waterbody="river"), standard=GB)["class"]
    ranks = [CLASSES.index(one) for one in rows]
    assert ranks[0] <= min(ranks[1:])


@given(st.decimals(0, 100, places=5), st.integers(0, 4))
def test_rounding_is_that_of_the_written_decimals(value, decimals: int) -> None:
    from decimal import ROUND_HALF_EVEN, Decimal

    exact = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    if exact == 0:
        assert round_half_even(float(value), decimals) >= 0
    else:
        assert float(round_half_even(float(value), decimals)) == float(exact)


def test_any_text_is_read_or_said() -> None:
    tp = GB.parameters["TP"]

    @settings(max_examples=300)
    @given(st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.booleans(), st.none()))
    def read(cell: object) -> None:
        found = read_value(cell, tp)
        silent = not found.usable and not found.doubts
        assert (
            not silent
            or unicodedata.normalize("NFKC", found.raw).strip(" '\"`").lower() in BLANK
            or found.raw.isspace()
        )
        assert not found.usable or 0 <= found.value < np.inf

    read()


def test_the_shipped_tables_name_their_edition_source_and_mark() -> None:
    folder = Path(__file__).parents[1] / "data" / "standards"
    for file in folder.glob("*.csv"):
        table = pd.read_csv(io.StringIO(file.read_text(encoding="utf-8")), dtype=str, keep_default_na=False)
        assert {"mark"} <= set(table.columns), file.name
        assert set(table["mark"]) <= {"V", "M", "C", ""}, file.name


def test_the_command_line_answers_in_all_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    import cli

    file = tmp_path / "samples.csv"
    file.write_text("row,class,waterbody,tp,do\n7,x,river,0.32,8\n8,y,,<0.01,\n", encoding="utf-8")
    assert cli.main(["classify", str(file), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["row"], row["row_in"], row["class_in"], row["class"], row["deciding"]) for row in rows] == [
        (2, "7", "x", "V", "TP"),
        (3, "8", "y", "I", "TP"),
    ]
    assert (rows[0]["flag"], rows[0]["pollutants"], rows[0]["grade"]) == ("", "总磷(0.6)", "中度污染")
    assert rows[1]["flag"] == "水体类型空白；按河流或湖库评价结果相同；TP：<0.01 低于检出限，按检出限的一半 0.005 计"
    assert cli.main(["classify", str(file), "--format", "csv"]) == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["class"].tolist() == ["V", "I"]
    assert cli.main(["classify", str(tmp_path / "none.csv")]) == 1
    assert "没有文件" in capsys.readouterr().err


@pytest.mark.parametrize(
    "header", ["水体类型（河流/湖库）", "Waterbody (river/lake)", "water_body", "Water Type", "水域类型"]
)
def test_headers_that_name_the_kind_of_water(header: str) -> None:
    row = classify(pd.DataFrame({header: ["湖库"], "tp": ["0.08"]}), standard=GB).iloc[0]
    assert (row["class"], row["doubts"]) == ("IV", ())
