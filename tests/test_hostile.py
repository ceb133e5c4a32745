"""Files that would do harm, or are not what they say: refused in words, at once, with memory to spare."""

import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from layers.formats.sources import open_layers
from tools.seeds import SEEDS, contents

TOP = Path(__file__).parent.parent


def told(*paths: Path) -> list[str]:
    """What is said of files, refusals and warnings."""
    return [str(fault) for fault in open_layers(paths)[1]]


def refused(*paths: Path) -> list[str]:
    layers, faults = open_layers(paths)
    assert not layers
    return [str(fault) for fault in faults if not fault.warning]


def packed(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            archive.writestr(info, content)
    return path


# -- archives


def test_a_bomb_is_known_by_its_list_of_contents(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "a.zip", {"a.csv": b"0" * (60 << 20)})
    assert refused(bomb) == ["a.zip 解压后有 1 个文件、60 MB，超出限度，已拒绝。请解压后挑选需要的文件导入"]


def test_ten_thousand_members_are_too_many(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "a.zip", {f"{i}.csv": b"" for i in range(5001)}, zipfile.ZIP_STORED)
    assert refused(bomb) == ["a.zip 解压后有 5001 个文件、0 MB，超出限度，已拒绝。请解压后挑选需要的文件导入"]


@pytest.mark.parametrize("inner", ["b.zip", "b.kmz", "b.7z"])
def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path, inner: str) -> None:
    outer = packed(tmp_path / "a.zip", {inner: b"PK\x03\x04"})
    assert refused(outer) == [f"a.zip 里还有压缩包“{inner}”。请解压后再导入"]


def test_a_member_larger_than_it_declares_is_cut_and_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": b"1" * 5000})
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", raw, raw.index(mark) + at, 10)
    path.write_bytes(raw)
    assert refused(path) == ["a.zip 不是完好的压缩包（Bad CRC-32 for file 'a.csv'）。请重新打包"]


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": b"1" * 50, "b.csv": b"2" * 50}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    second = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 1)
    struct.pack_into("<I", raw, second + 42, 20)
    path.write_bytes(raw)
    assert refused(path) == ["a.zip 里的“a.csv”与“b.csv”共用同一段数据，不是正常的压缩包，已拒绝"]


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", "y")
    assert refused(tmp_path / "a.zip") == ["a.zip 里“a.csv”出现了 2 次。请重新打包"]


@pytest.mark.parametrize("name", ["../a.csv", "/tmp/a.csv", "C:\\a.csv", "x\\..\\..\\a.csv", "x/../../a.csv"])
def test_a_path_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in" / "a.zip"
    path.parent.mkdir()
    packed(path, {name: b"reach_id\nR1\n"})
    assert refused(path) == [f"a.zip 里的“{name}”指向压缩包以外，已拒绝整个压缩包。请重新打包"]
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "in", path]


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.csv")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert refused(tmp_path / "a.zip") == ["a.zip 里的“a.csv”指向压缩包以外，已拒绝整个压缩包。请重新打包"]


def test_an_encrypted_archive_asks_for_an_open_one(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": b"1"})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert refused(path) == ["a.zip 有密码。请去掉密码后再导入"]


# -- workbooks


def ole(path: Path, name: str) -> Path:
    """A compound file with one empty stream: what Excel makes of a book with a password has ``EncryptedPackage``."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH6x", 62, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", fat, end, *[free] * 126)
    entries = b""
    for title, kind, child in (("Root Entry", 5, 1), (name, 2, free), ("", 0, free), ("", 0, free)):
        wide = title.encode("utf-16-le")
        start = end if kind else 0
        entries += wide.ljust(64, b"\0") + struct.pack(
            "<HBBIII36xIQ", len(wide) + 2 if title else 0, kind, 1, free, free, child, start, 0
        )
    path.write_bytes(header + table + entries)
    return path


def test_a_book_with_a_password_asks_for_an_open_one(tmp_path: Path) -> None:
    assert refused(ole(tmp_path / "a.xlsx", "EncryptedPackage")) == ["a.xlsx 有密码保护。请去掉密码另存后再导入"]


def test_another_office_file_is_no_workbook(tmp_path: Path) -> None:
    (said,) = refused(ole(tmp_path / "a.xls", "WordDocument"))
    assert said.startswith("a.xls 不是完好的 Excel 文件（")
    assert said.endswith("）。请用 Excel 另存为 .xlsx 后再导入")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG 图片"),
        (b"\xff\xd8\xff\xe0", "JPEG 图片"),
        (b"%PDF-1.7\n", "PDF 文档"),
        (b"\x00\x01\x02", "其他格式"),
    ],
)
def test_a_picture_called_a_workbook_is_named_as_what_it_is(tmp_path: Path, head: bytes, kind: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(head + bytes(200))
    assert refused(tmp_path / "a.xlsx") == [f"a.xlsx 不是 Excel 文件（内容是{kind}）。请给真正的 .xlsx、.xls 或 .csv"]


def test_macros_are_not_run_and_values_are_read(tmp_path: Path) -> None:
    contents("xlsm", tmp_path)
    layers, _ = open_layers([tmp_path / "xlsm" / "月报.xlsm"])
    assert [layer.frame.shape for layer in layers] == [(4, 3), (1, 6)]
    assert sorted(path.name for path in (tmp_path / "xlsm").iterdir()) == ["月报.xlsm"]


def sheet_xml(rows: str, dimension: str = "A1:B3") -> dict[str, bytes]:
    """The parts of the smallest workbook with one sheet."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.'
        f'openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="月报" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet {main}><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>',
    }
    return {name: f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode() for name, text in parts.items()}


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_a_formula_gives_the_value_that_excel_kept_and_one_without_is_told(tmp_path: Path) -> None:
    rows = (
        f'<row r="1">{cell("A1", "排口编号")}{cell("B1", "设计总磷")}</row>'
        f'<row r="2">{cell("A2", "O1")}<c r="B2"><f>1/2</f><v>0.5</v></c></row>'
        f'<row r="3">{cell("A3", "O2")}<c r="B3"><f>[1]外部!A1*2</f></c></row>'
    )
    path = packed(tmp_path / "a.xlsx", sheet_xml(rows))
    (layer,), faults = open_layers([path])
    assert layer.frame["设计总磷"].tolist() == ["0.5", ""]
    assert [str(fault) for fault in faults] == [
        "a.xlsx 的工作表“月报”有 1 个公式没有存下结果（B3），按空白读取。请用 Excel 打开、保存后再导入"
    ]


def test_declared_rows_that_are_not_there_cost_nothing(tmp_path: Path) -> None:
    rows = f'<row r="1">{cell("A1", "排口编号")}</row><row r="2">{cell("A2", "O1")}</row>'
    (layer,), faults = open_layers([packed(tmp_path / "a.xlsx", sheet_xml(rows, "A1:XFD1048576"))])
    assert (layer.frame.to_dict("list"), faults) == ({"排口编号": ["O1"]}, [])


def test_a_cell_in_the_last_corner_does_not_fill_the_memory(tmp_path: Path) -> None:
    rows = f'<row r="1">{cell("A1", "排口编号")}</row><row r="1048576">{cell("XFD1048576", "x")}</row>'
    (said,) = refused(packed(tmp_path / "a.xlsx", sheet_xml(rows)))
    assert said in (
        "a.xlsx 展开后超过 2 GB 内存，已停止读取。请删去空白行列，或另存为 CSV 后再导入",
        "a.xlsx 让读取程序中断，文件已损坏。请用 Excel 另存为 .xlsx 后再导入",
    )


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "哈"}">' for i in range(12))


def test_entities_of_a_workbook_are_not_unfolded(tmp_path: Path) -> None:
    parts = sheet_xml(f'<row r="1">{cell("A1", "&l11;")}</row>')
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"?>", f"?><!DOCTYPE x [{LAUGHS}]>".encode(), 1)
    (said,) = refused(packed(tmp_path / "a.xlsx", parts))
    assert said.startswith("a.xlsx ")


def test_a_web_page_called_a_workbook_is_read_as_its_table(tmp_path: Path) -> None:
    page = (
        '<html><head><meta charset="gb2312"><script>alert(1)</script></head><body><table><tr><td colspan=2>示例</td></tr>'
        "<tr><th>排口编号</th><th>排口名称</th></tr><tr><td rowspan=2>O1</td><td>一厂</td></tr><tr><td>二厂</td></tr></table></body>"
    )
    (tmp_path / "a.xls").write_bytes(page.encode("gb18030"))
    (layer,), _ = open_layers([tmp_path / "a.xls"])
    assert layer.frame.to_dict("list") == {"排口编号": ["O1", "O1"], "排口名称": ["一厂", "二厂"]}
    (tmp_path / "b.xls").write_text("<html><body>请登录</body></html>", encoding="utf-8")
    assert refused(tmp_path / "b.xls") == ["b.xls 其实是网页，里面没有表格。请用 Excel 打开，另存为 .xlsx 后再导入"]


# -- texts


def kml(path: Path, start: str, name: str) -> Path:
    mark = f"<Placemark><name>{name}</name><Point><coordinates>113.9,35.3</coordinates></Point></Placemark>"
    path.write_text(f'<?xml version="1.0"?>{start}<kml>{mark}</kml>', encoding="utf-8")
    return path


def test_entities_of_a_kml_are_neither_unfolded_nor_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("秘密", encoding="utf-8")
    outside = f'<!DOCTYPE kml [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    for start, entity in ((f"<!DOCTYPE kml [{LAUGHS}]>", "&l11;"), (outside, "&x;")):
        assert refused(kml(tmp_path / "a.kml", start, entity)) == [
            "a.kml 自带实体定义（DOCTYPE），可能有害，已拒绝。请重新导出为普通 KML"
        ]


def test_a_line_without_end_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"reach_id\nR1\n" + b"x," * 600_000)
    assert refused(tmp_path / "a.csv") == ["a.csv 第 3 行超过 1000000 个字符，不是表格。请检查换行符，重新导出"]


def test_a_quotation_mark_that_never_closes_loses_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('outlet_id,name\nO1,一厂\nO2,"二厂\nO3,三厂\n', encoding="utf-8")
    assert refused(tmp_path / "a.csv") == [
        "a.csv 第 3 行起的引号不成对，之后的行分不开。请改正该行的引号（unexpected end of data）"
    ]


def test_a_table_with_zeros_in_it_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"outlet_id,name\nO1,\x00\x01\n")
    assert refused(tmp_path / "a.csv") == [
        "a.csv 不是可识别的数据文件。可用：shp、gpkg、geojson、kml、csv、xlsx、parquet、zip"
    ]


TABLE = "排口编号,排口名称\nO1,目录镇排口\nO2,𠮷河\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "，", "|"])
def test_text_is_read_in_any_encoding_and_with_any_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE.replace(",", separator).encode(encoding))
    (layer,), faults = open_layers([tmp_path / "a.csv"])
    assert layer.frame.to_dict("list") == {"排口编号": ["O1", "O2"], "排口名称": ["目录镇排口", "𠮷河"]}
    assert faults == []


def test_two_encodings_in_one_file_are_read_line_by_line_and_told(tmp_path: Path) -> None:
    lines = TABLE.splitlines()
    (tmp_path / "a.csv").write_bytes(b"\n".join([lines[0].encode("gb18030"), *(x.encode() for x in lines[1:])]))
    (layer,), faults = open_layers([tmp_path / "a.csv"])
    assert layer.frame["排口名称"].tolist() == ["目录镇排口", "𠮷河"]
    assert [str(fault) for fault in faults] == [
        "a.csv 混用了 UTF-8 和 GBK 两种编码（1 行与其余不同），已逐行识别。请核对文字"
    ]


def test_json_that_is_deep_or_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text("[" * 100_000, encoding="utf-8")
    (tmp_path / "b.geojson").write_text('{"type": "FeatureCollection", "features": 3}', encoding="utf-8")
    (tmp_path / "c.geojson").write_text(
        '{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:0"}}}', encoding="utf-8"
    )
    assert refused(tmp_path / "a.geojson")[0].startswith(
        "a.geojson 不是完好的 GeoJSON（maximum recursion depth exceeded"
    )
    assert refused(tmp_path / "b.geojson") == ["b.geojson 不是 GeoJSON 要素集（缺少 FeatureCollection）"]
    assert refused(tmp_path / "c.geojson") == ["c.geojson 写明的坐标系“EPSG:0”无法识别。请改正或删去 crs 一项"]


def test_shapes_that_are_none_cost_only_their_rows(tmp_path: Path) -> None:
    shapes = ['{"type": "Point", "coordinates": [NaN, 1]}', '{"type": "Point", "coordinates": "x"}', "7", "null"]
    features = [
        f'{{"type": "Feature", "properties": {{"outlet_id": "O{i}"}}, "geometry": {s}}}' for i, s in enumerate(shapes)
    ]
    text = f'{{"type": "FeatureCollection", "features": [{",".join(features)}]}}'
    (tmp_path / "outlets.geojson").write_text(text, encoding="utf-8")
    (layer,), faults = open_layers([tmp_path / "outlets.geojson"])
    assert layer.frame["outlet_id"].tolist() == ["O0", "O1", "O2", "O3"]
    assert faults == []


# -- shapefiles


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    contents("shp", tmp_path)
    return tmp_path / "shp"


def test_a_shapefile_cut_short_is_refused(shapes: Path) -> None:
    path = shapes / "河段.shp"
    path.write_bytes(path.read_bytes()[:200])
    assert refused(path) == ["河段.shp 的图形不完整：应有 364 字节，只有 200 字节。请重新导出"]


@pytest.mark.parametrize("records", [1, 9])
def test_a_table_with_more_or_fewer_rows_than_shapes_is_refused(shapes: Path, records: int) -> None:
    path = shapes / "河段.dbf"
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, 4, records)
    path.write_bytes(raw)
    assert refused(shapes / "河段.shp") == [
        f"河段.shp 有 3 个图形，.dbf 属性表却有 {records} 行，对不上。请重新导出整套文件"
    ]


def test_a_missing_index_is_rebuilt_aside_and_told(shapes: Path) -> None:
    (shapes / "河段.shx").unlink()
    layers, faults = open_layers([shapes / "河段.shp"])
    assert layers[0].frame["河段编码"].tolist() == ["R1", "R2", "R3"]
    assert [str(fault) for fault in faults] == ["河段.shp 缺少 .shx 索引，已按图形重建（原文件未改）"]
    assert not (shapes / "河段.shx").exists()


def test_a_broken_projection_file_is_told_and_the_system_asked(shapes: Path) -> None:
    (shapes / "河段.prj").write_bytes(b"GEOGCS[\xff\xff")
    (layer,), faults = open_layers([shapes / "河段.shp"])
    assert layer.crs is None
    assert [str(fault) for fault in faults] == ["河段.shp 的 .prj 读不懂，当作没有说明坐标系"]


@pytest.mark.parametrize("cpg", ["UTF-8", "ISO-8859-1", "", "垃圾", None])
def test_the_bytes_tell_the_encoding_whatever_the_cpg_says(shapes: Path, cpg: str | None) -> None:
    (shapes / "河段.cpg").unlink()
    if cpg is not None:
        (shapes / "河段.cpg").write_text(cpg, encoding="utf-8")
    (layer,), _ = open_layers([shapes / "河段.shp"])
    assert layer.frame["河流名称"].tolist() == ["卫河", "卫河", "沧河"]


def test_a_field_name_cut_within_a_character_is_read_without_it(shapes: Path) -> None:
    (layer,), _ = open_layers([shapes / "排污口.shp"])
    assert list(layer.frame.columns) == ["排口编", "排口名", "设计总"]
    assert layer.frame["排口名"].tolist() == ["一厂排口", "二厂排口", "雨洪口"]


# -- GeoPackages


def test_views_and_triggers_of_a_geopackage_do_nothing(tmp_path: Path) -> None:
    contents("gpkg", tmp_path)
    path = tmp_path / "gpkg" / "basin.gpkg"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        )
        connection.execute("CREATE TRIGGER trap AFTER INSERT ON sections BEGIN DELETE FROM sections; END")
    connection.close()
    before = path.read_bytes()
    layers, faults = open_layers([path])
    assert sorted(layer.name for layer in layers) == ["outlets", "reaches", "sections"]
    assert [str(fault) for fault in faults] == ["basin.gpkg 里的视图 endless 未读取（视图可能永远算不完）。请存成图层"]
    assert path.read_bytes() == before


def test_a_geopackage_with_broken_pages_is_refused(tmp_path: Path) -> None:
    raw = bytearray(contents("gpkg", tmp_path)["basin.gpkg"])
    raw[4096:] = b"\x07" * (len(raw) - 4096)
    (tmp_path / "a.gpkg").write_bytes(raw)
    (said,) = refused(tmp_path / "a.gpkg")
    assert said == "a.gpkg 打不开：GeoPackage 已损坏（database disk image is malformed）。请重新导出"


# -- what is no file


def test_what_is_not_there_or_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        assert refused(path) == [f"{path} 不是文件也不是文件夹（管道、设备等不能导入）。请先存成文件"]
    assert refused(tmp_path / "none.csv") == [f"找不到 {tmp_path / 'none.csv'}。请检查路径"]
    assert refused(tmp_path / ("x" * 5000)) == [f"找不到 {tmp_path / ('x' * 5000)}。请检查路径"]
    assert told(tmp_path) == []  # a pipe within a folder is not looked at


def test_a_folder_of_thousands_is_refused_and_folders_within_are_told(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    for i in range(5001):
        (tmp_path / "full" / f"{i}.csv").touch()
    assert refused(tmp_path / "full") == [
        f"文件夹 {tmp_path / 'full'} 里有 5000 个以上的文件，超出限度。请挑选需要的文件导入"
    ]
    assert told(tmp_path) == [f"文件夹 {tmp_path} 里的子文件夹未读取：full。如需读取，请直接给出该文件夹"]


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("outlet_id\nO1\n", encoding="utf-8")
    (tmp_path / "a.csv").chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(tempfile.gettempdir()) and folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
    mighty = os.geteuid() == 0
    if mighty:
        os.seteuid(65534)
    try:
        said = told(tmp_path / "a.csv")
    finally:
        if mighty:
            os.seteuid(0)
    assert said == ["没有读取 a.csv 的权限。请检查权限，或复制到自己的文件夹"]


BOMBS = """
import json, resource, sys, time
from layers.intake.read import read_sources
import pyogrio, geopandas, lxml.etree
answers = {}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    began = time.process_time()
    report = read_sources([path]).report
    answers[path.rsplit("/", 1)[-1]] = [report.json()["refused"][0]["what"], time.process_time() - began]
print(json.dumps([answers, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


def test_files_of_gigabytes_are_refused_in_seconds_with_memory_to_spare(tmp_path: Path) -> None:
    contents("shp", tmp_path)
    for name in ("a.csv", "a.xls", "a.geojson", "a.kml", "a.gpkg", "a.zip"):
        with (tmp_path / name).open("wb") as file:
            file.write(
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
                if name == "a.xls"
                else b"SQLite format 3\x00"
                if name == "a.gpkg"
                else b"{"
            )
            file.truncate(2 << 30)
    with (tmp_path / "shp" / "河段.dbf").open("r+b") as file:
        file.truncate(2 << 30)
    paths = [*sorted(tmp_path.glob("a.*")), tmp_path / "shp" / "河段.shp"]
    done = subprocess.run(
        [sys.executable, "-c", BOMBS, *map(str, paths)], capture_output=True, text=True, cwd=TOP, check=True
    )
    answers, grown_mb = json.loads(done.stdout)
    text = (".csv", ".geojson", ".kml")
    limits = {path.name: 400 if path.suffix in text else 1024 for path in paths}
    expected = {name: f"{name} 有 2048 MB，超出限度 {limit} MB。请拆分后再导入" for name, limit in limits.items()}
    expected["河段.shp"] = "河段.dbf 有 2048 MB，超出限度 1024 MB。请拆分后再导入"
    assert {name: what for name, (what, _) in answers.items()} == expected
    assert max(seconds for _, seconds in answers.values()) < 5
    assert grown_mb < 100


def test_every_seed_is_read_whole(tmp_path: Path) -> None:
    for name in SEEDS:
        contents(name, tmp_path)
        layers, faults = open_layers([tmp_path / name])
        assert layers, name
        assert all(fault.warning for fault in faults), name
