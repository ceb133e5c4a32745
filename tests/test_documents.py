"""Decks, papers and workbooks as another program opens them: nothing of the writers' own code reads here."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import office_oxide
import pandas as pd
import pytest
from lxml import etree
from python_calamine import CalamineWorkbook
from test_reports import DEMO, NASTY, demo_tables, told

import hydro
from reports.content import Content
from reports.deck import deck
from reports.paper import brief, task_sheets
from reports.planned import planned
from reports.tables import Table, all_tables, chosen, effect_table, plan_table, section_table, task_table, written
from reports.workbook import workbook

PACKAGE = "{http://schemas.openxmlformats.org/package/2006/%s}%s"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


@pytest.fixture(scope="module")
def inquiry() -> hydro.Inquiry:
    return hydro.inquire(hydro.build_network(demo_tables()))


@pytest.fixture(scope="module", params=["zh", "en"])
def content(request: pytest.FixtureRequest, inquiry: hydro.Inquiry) -> Content:
    made = told(demo_tables(), inquiry, lang=request.param)
    tables = {name: pd.read_csv(DEMO / f"{name}.csv", dtype=str) for name in ("plans", "decisions", "measures")}
    return replace(made, plan=planned(made.network, tables, "P1", "2022-07"))


@pytest.fixture(scope="module")
def nasty() -> Content:
    tables = demo_tables()
    for name in ("sections", "outlets", "plants", "districts"):
        tables[name]["name"] = NASTY
    return told(tables, project=NASTY)


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a read document."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for one in tree:
            yield from nodes(one)


def words(tree: Any) -> str:
    return "".join(str(node["text"]) for node in nodes(tree) if node.get("type") == "text")


def grids(data: bytes, kind: str) -> list[list[list[str]]]:
    """The tables of a document, row by row."""
    read = office_oxide.Document.from_bytes(data, kind).to_ir()
    return [
        [[words(cell) for cell in row["cells"]] for row in node["rows"]]
        for node in nodes(read)
        if node.get("type") == "table"
    ]


def as_written(table: Table) -> list[list[str]]:
    return [[*map(written, table.columns, row)] for row in table.rows]


def test_another_reader_finds_every_row_of_the_deck_as_it_is_in_the_tables(content: Content) -> None:
    found = [row for grid in grids(deck(content, limit=1), "pptx") for row in grid]
    wanted = [
        chosen(section_table(content), (0, 1, 3, 4, 5, 6, 9, 10)),
        chosen(effect_table(content), range(7)),
        plan_table(content),
        chosen(task_table(content), (1, 2, 3, 4, 7, 8)),
    ]
    for table in wanted:
        assert [column.heading for column in table.columns] in found
        missing = [row for row in as_written(table) if row not in found]
        assert not missing, table.title


def test_every_slide_says_where_its_figures_come_from_and_that_they_are_made_up(content: Content) -> None:
    read = office_oxide.Document.from_bytes(deck(content, limit=1), "pptx").to_ir()
    label, credit = ("示例", "数据截至 2022-07") if content.lang == "zh" else ("Demo", "Data to 2022-07")
    for slide in read["sections"]:
        said = [words(node) for node in slide["elements"]]
        assert label in said
        assert any(credit in line for line in said)


def test_a_chart_can_be_edited_its_workbook_holds_its_figures(content: Content) -> None:
    with zipfile.ZipFile(io.BytesIO(deck(content, limit=1))) as parts:
        books = [parts.read(name) for name in parts.namelist() if name.endswith(".xlsx")]
    rows = [CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python() for book in books]
    series = next(own for own in rows if len(own) > 12)
    assert [row[1] for row in series[1:]] == pytest.approx([tp for _, tp in content.worst.history[-36:]])


def test_another_reader_finds_the_papers_and_the_workbook_whole(content: Content) -> None:
    paper = office_oxide.Document.from_bytes(brief(content), "docx").plain_text()
    assert content.worst.name in paper
    assert ("示例数据，非实测" if content.lang == "zh" else "Demo data, not measured") in paper
    people = {task.person for task in content.tasks}
    sheets = office_oxide.Document.from_bytes(task_sheets(content), "docx").plain_text()
    assert all(person in sheets for person in people)
    read = office_oxide.Document.from_bytes(workbook(content), "xlsx").plain_text()
    assert all(column.name in read for table in all_tables(content) for column in table.columns)


def test_hostile_names_are_read_back_letter_by_letter(nasty: Content) -> None:
    for kind, data in (("pptx", deck(nasty, limit=1)), ("docx", brief(nasty)), ("xlsx", workbook(nasty))):
        assert NASTY in office_oxide.Document.from_bytes(data, kind).plain_text(), kind
    assert NASTY in [row[0] for grid in grids(deck(nasty, limit=1), "pptx") for row in grid]


def test_a_file_is_signed_by_the_unit_not_by_a_library(content: Content) -> None:
    for kind, data in (("pptx", deck(content, limit=1)), ("docx", brief(content))):
        about = office_oxide.Document.from_bytes(data, kind).to_ir()["metadata"]
        assert (about["author"], about["last_modified_by"]) == ("示例市生态环境局",) * 2
        assert about["created"].startswith("2022-08-01")
        assert "python" not in str(about)
        assert "thumbnail" not in about


def test_the_packages_hang_together(content: Content, nasty: Content) -> None:
    """Open Packaging Conventions (ECMA-376 part 2): every part is typed, reached, well formed; every relation leads somewhere."""
    for told_of in (content, nasty):
        for made in (deck(told_of, limit=2), workbook(told_of), brief(told_of), task_sheets(told_of)):
            assert faults(made) == []


def faults(data: bytes) -> list[str]:
    """What is wrong with a package."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    told = [f"twice: {name}" for name in parts if [*parts].count(name) > 1]
    types = etree.fromstring(parts["[Content_Types].xml"], PARSER)
    typed = {node.get("PartName") for node in types.iter(PACKAGE % ("content-types", "Override"))}
    endings = {node.get("Extension", "").lower() for node in types.iter(PACKAGE % ("content-types", "Default"))}
    reached = {"[Content_Types].xml"}
    for name, part in parts.items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(part, PARSER)
        if name != "[Content_Types].xml" and f"/{name}" not in typed and name.rsplit(".", 1)[-1].lower() not in endings:
            told.append(f"untyped: {name}")
        if name.endswith(".rels"):
            reached.add(name)
            folder, file = posixpath.split(name)
            owner = posixpath.join(posixpath.dirname(folder), file.removesuffix(".rels"))
            for relation in etree.fromstring(part, PARSER):
                if relation.get("TargetMode") != "External":
                    target = relation.get("Target")
                    base = posixpath.dirname(owner)
                    at = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(base, target))
                    reached.add(at)
                    told += [] if at in parts else [f"{name} leads nowhere: {target}"]
    return told + [f"unreached: {name}" for name in parts if name not in reached]
