"""The encoding of a shapefile's attribute table, from its bytes: a .cpg is often missing and sometimes lies."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import pandas as pd

from hydro.errors import Fault, HydroError
from layers.formats import encodings

SAMPLE = 3000
"""So many records are looked at; those at the start, the middle and the end."""


def encoding(path: Path, cpg: Path) -> tuple[str, Fault | None]:
    """Encoding of a .dbf, with a doubt where the .cpg says another one.

    Text that is valid UTF-8 beyond ASCII is UTF-8 (Chinese in GBK hardly ever is); else GB18030, of which GBK is a part.
    A field cut in the middle of a character does not count against an encoding.
    """
    cells = list(_cells(path))
    named = cpg.read_text(encoding="ascii", errors="ignore").strip() if cpg.exists() else ""
    spoken = [cell for cell in cells if any(byte > 127 for byte in cell)]
    if not spoken:
        return _known(named) or "utf-8", None
    known = _known(named)
    candidate = encodings.of_words(spoken, cut=True)
    if not candidate:
        others = [
            e for e in (known, "latin-1") if e and all(encodings.decoded(c, e, cut=True) is not None for c in spoken)
        ]
        candidate = others[0] if others else "gb18030"
    if named and _known(named) not in (candidate, {"gb18030": "gbk"}.get(candidate)):
        message = "{file} 的 .cpg 写的是 {named}，内容其实是 {found}，已按后者读取"
        return candidate, Fault("cpg_lies", message, {"named": named, "found": candidate}, warning=True)
    return candidate, None


def check_shapes(path: Path, table: Path | None) -> None:
    """Whether the file of shapes is whole and has as many records as the attribute table.

    Lengths stand in the headers (ESRI Shapefile Technical Description, 1998, pp. 4-5; in words of two bytes, big-endian).
    Raises HydroError where a part was cut off or belongs to another file: rows would meet the wrong shapes.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        if len(raw) < 100 or raw[:4] != b"\x00\x00\x27\x0a":
            raise HydroError("shp_broken", "{file} 不是 shapefile（文件头不对）。请重新导出")
        length = 2 * int(struct.unpack_from(">i", raw, 24)[0])
        if length != len(raw):
            message = "{file} 的图形不完整：应有 {length} 字节，只有 {size} 字节。请重新导出"
            if length < len(raw):
                message = "{file} 的图形文件头写 {length} 字节，实有 {size} 字节，对不上。请重新导出"
            raise HydroError("shp_length", message, length=length, size=len(raw))
        count, at = 0, 100
        while at + 8 <= len(raw):
            words = struct.unpack_from(">i", raw, at + 4)[0]
            if words < 2 or at + 8 + 2 * words > len(raw):
                message = "{file} 的第 {count} 个图形已损坏。请重新导出"
                raise HydroError("shp_record", message, count=count + 1)
            count, at = count + 1, at + 8 + 2 * words
    if table is not None and table.stat().st_size >= 32:
        with table.open("rb") as file:
            rows = int(struct.unpack("<I", file.read(8)[4:8])[0])
        if rows != count:
            message = "{file} 有 {shapes} 个图形，.dbf 属性表却有 {rows} 行，对不上。请重新导出整套文件"
            raise HydroError("shp_rows", message, shapes=count, rows=rows)


def decoded(frame: pd.DataFrame, encoding: str) -> pd.DataFrame:
    """A table whose names and texts were read byte for byte (as Latin-1), in its real encoding.

    A field of ten bytes often ends in the middle of a character, most of all in names; what is left of such a character
    is dropped.
    """
    made = frame.copy()
    for name in made.columns:
        if made[name].dtype == object or pd.api.types.is_string_dtype(made[name]):
            known = {cell: text(cell, encoding) for cell in made[name].unique() if isinstance(cell, str)}
            made[name] = made[name].map(lambda cell, known=known: known.get(cell, cell)).astype(object)
    names = [text(str(name), encoding) for name in made.columns]
    made.columns = pd.Index([f"{n}#{names[:i].count(n) + 1}" if n in names[:i] else n for i, n in enumerate(names)])
    return made


def text(cell: str, encoding: str) -> str:
    """One cell that was read as Latin-1."""
    if cell.isascii():
        return cell
    raw = cell.encode("latin-1", errors="replace")
    whole = encodings.decoded(raw, encoding, cut=True)
    return raw.decode(encoding, errors="replace") if whole is None else whole


def _known(name: str) -> str:
    import codecs

    try:
        return codecs.lookup({"65001": "utf-8", "936": "gbk"}.get(name, name)).name if name else ""
    except LookupError:
        return ""


def _cells(path: Path) -> list[bytes]:
    """Text cells and field names of a sample of records."""
    raw = path.read_bytes() if path.stat().st_size < 64 << 20 else path.open("rb").read(64 << 20)
    if len(raw) < 32:
        return []
    count, header, width = struct.unpack("<IHH", raw[4:12])
    cells: list[bytes] = []
    offset, spans = 1, []
    for start in range(32, min(header, len(raw)) - 32, 32):
        if raw[start] == 0x0D:
            break
        size = raw[start + 16]
        cells.append(raw[start : start + 11].split(b"\0")[0])
        if raw[start + 11 : start + 12] == b"C":
            spans.append((offset, offset + size))
        offset += size
    present = min(count, max(0, (len(raw) - header) // max(width, 1)))
    for record in range(0, present, max(1, present // SAMPLE)):
        at = header + record * width
        cells += [raw[at + a : at + b].strip(b" \0") for a, b in spans]
    return cells
