"""Workbooks as offices make them: titles, merged cells, units apart, dates, errors, hidden and unrelated sheets."""

import datetime
from pathlib import Path

import pytest
import xlsxwriter

from layers.formats.sources import Layer, open_layers
from tools.seeds import contents


def monthly(path: Path, *, from_1904: bool = False) -> tuple[list[Layer], list[str]]:
    with xlsxwriter.Workbook(str(path), {"date_1904": from_1904}) as book:
        sheet, day, bold = (
            book.add_worksheet("监测"),
            book.add_format({"num_format": "yyyy-mm-dd"}),
            book.add_format({"bold": True}),
        )
        sheet.merge_range(0, 0, 0, 6, "2022年水质月报（示例）")
        sheet.write_row(2, 0, ["断面名称", "采样时间", "总磷", "总磷", "氨氮", "达标", "备注"])
        sheet.write_row(3, 0, ["", "", "(mg/L)", "目标(mg/L)", "mg/L", "", ""])
        sheet.merge_range(4, 0, 5, 0, "皇甫")
        for row, month, value in ((4, 7, 0.21), (5, 8, "0.33")):
            sheet.write_datetime(row, 1, datetime.datetime(2022, month, 1), day)
            sheet.write_row(row, 2, [value, 0.3])
            sheet.write_boolean(row, 5, month == 7)
        sheet.write_formula(4, 4, "=1/0", None, "#DIV/0!")
        sheet.write_formula(5, 4, "=0.5+0.1", None, 0.6)
        sheet.write_rich_string(4, 6, "阴", bold, "雨")
        sheet.write_row(6, 0, ["合计", "", 0.54])
        codes = book.add_worksheet("代码")
        codes.write_row(0, 0, ["排口编号"])
        codes.hide()
        book.add_worksheet("空表")
    layers, faults = open_layers([path])
    return layers, [str(fault) for fault in faults]


@pytest.mark.parametrize("from_1904", [False, True])
def test_a_monthly_report_is_read_as_its_table(tmp_path: Path, from_1904: bool) -> None:
    (layer,), said = monthly(tmp_path / "月报.xlsx", from_1904=from_1904)
    assert list(layer.frame.columns) == [
        "断面名称",
        "采样时间",
        "总磷(mg/L)",
        "总磷目标(mg/L)",
        "氨氮(mg/L)",
        "达标",
        "备注",
    ]
    assert layer.frame.loc[[5, 6]].to_numpy().tolist() == [
        ["皇甫", "2022-07-01", "0.21", "0.3", "", "1", "阴雨"],
        ["皇甫", "2022-08-01", "0.33", "0.3", "0.6", "0", ""],
    ]
    assert said == [
        "月报.xlsx：表头在第 3 行，其上 2 行作为标题未读",
        "月报.xlsx 的工作表“监测”有 1 个单元格是错误值（E5），按空白读取。请在 Excel 里改正公式",
        "月报.xlsx 的工作表“代码”是隐藏的，未读取。如需读取，请在 Excel 里取消隐藏并保存",
    ]


@pytest.mark.parametrize("kind", ["xlsx", "xlsm", "xls", "ods"])
def test_every_kind_of_workbook_gives_the_same_table(tmp_path: Path, kind: str) -> None:
    contents(kind, tmp_path)
    layers, _ = open_layers([tmp_path / kind])
    assert layers[0].frame.loc[[4, 5, 6]].to_numpy().tolist() == [
        ["S1", "2022-06", "0.21"],
        ["S1", "2022-07", "<0.01"],
        ["S1", "2022-08", "0.35"],
    ]
    assert layers[0].units == {"总磷": "mg/L"}
