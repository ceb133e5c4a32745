"""A template is made from the dictionary, and what is typed into it comes in under the right attributes."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from hydro.errors import HydroError
from layers import columns
from layers.intake.read import read_sources
from layers.intake.templates import as_csv, as_xlsx, template


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("table", columns.IMPORTED)
def test_every_heading_is_read_back_as_its_column(table: str, lang: str) -> None:
    made = template(table, lang)
    headers = [column.header for column in made]
    assert len(set(headers)) == len(headers)
    reading = columns.match(table, headers, {})
    assert {m.source: m.attribute for m in reading.columns} == {column.header: column.name for column in made}
    assert all(column.meaning for column in made)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filled_template_imports_with_its_units(tmp_path: Path, lang: str) -> None:
    for table, values in (
        ("reaches", {"reach_id": "R1", "wkt": "LINESTRING (113.90 35.30, 113.95 35.31)", "discharge_m3_s": 3}),
        ("outlets", {"outlet_id": "O1", "lon": 113.92, "lat": 35.304, "permit_tp_mg_l": 0.5, "survey": "found"}),
    ):
        book = openpyxl.load_workbook(io.BytesIO(as_xlsx(table, lang)))
        for i, column in enumerate(template(table, lang), start=1):
            book.worksheets[0].cell(3, i, values.get(column.name))
        book.save(tmp_path / f"{table}.xlsx")
    outcome = read_sources([tmp_path])
    assert outcome.report.sound, outcome.report.json()
    assert outcome.report.accepted == {"reaches": 1, "outlets": 1}
    (outlet,) = outcome.tables["outlets"].to_dict("records")
    assert (outlet["reach_id"], outlet["permit_tp_mg_l"], outlet["survey"]) == ("R1", 0.5, "found")


def test_the_csv_has_a_row_of_units_under_its_header() -> None:
    header, unit = csv.reader(io.StringIO(as_csv("plants").decode("utf-8-sig")))
    assert dict(zip(header, unit, strict=True))["设计规模"] == "m3/d"


def test_a_table_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(HydroError, match="可用：reaches"):
        template("audit")
