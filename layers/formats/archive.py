"""Zip archives unpacked with suspicion: bombs, paths that lead outside, closed and nested archives are refused."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath

from hydro.errors import HydroError

MAX_BYTES = 1 << 30
"""No archive unpacked may be larger."""

MAX_RATIO = 200
"""An archive that grows more than this, beyond MAX_SMALL bytes, is a bomb."""

MAX_SMALL = 50 << 20
MAX_MEMBERS = 5000


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip; refuses bombs, paths that lead outside, encrypted and nested archives before a byte is written."""
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [member for member in packed.infolist() if not member.is_dir()]
            _check_members(members, max(1, archive.stat().st_size))
            for member in members:
                _unpack_member(packed, member, folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zipfile.zlib.error) as wrong:  # type: ignore[attr-defined]
        raise HydroError("zip_broken", "{file} 不是完好的压缩包（{why}）。请重新打包", why=str(wrong)[:120]) from wrong
    except RuntimeError as wrong:
        raise HydroError("zip_locked", "{file} 有密码。请去掉密码后再导入") from wrong


def _check_members(members: Sequence[zipfile.ZipInfo], packed_size: int) -> None:
    """Refuse, from the list of contents alone, what would be too large, closed, or more than it seems."""
    total = sum(member.file_size for member in members)
    bomb = len(members) > MAX_MEMBERS or total > MAX_BYTES or (total > MAX_SMALL and total / packed_size > MAX_RATIO)
    if bomb or packed_size > MAX_BYTES:
        message = "{file} 解压后有 {count} 个文件、{size:.0f} MB，超出限度，已拒绝。请解压后挑选需要的文件导入"
        raise HydroError("zip_bomb", message, count=len(members), size=total / 2**20)
    if any(member.flag_bits & 1 for member in members):
        raise HydroError("zip_locked", "{file} 有密码。请去掉密码后再导入")
    ordered = sorted(members, key=lambda member: member.header_offset)
    for member, following in pairwise(ordered):
        if member.header_offset + member.compress_size > following.header_offset:
            message = "{file} 里的“{member}”与“{other}”共用同一段数据，不是正常的压缩包，已拒绝"
            raise HydroError("zip_overlap", message, member=_member_name(member), other=_member_name(following))
    names = Counter(_member_name(member) for member in members)
    name, count = max(names.items(), key=lambda pair: pair[1], default=("", 0))
    if count > 1:
        raise HydroError("zip_twice", "{file} 里“{member}”出现了 {count} 次。请重新打包", member=name, count=count)


def _unpack_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    name = _member_name(member)
    inner = PurePosixPath(name.replace("\\", "/"))
    outside = inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", name)
    if outside or (member.external_attr >> 16) & 0o170000 == 0o120000:
        message = "{file} 里的“{member}”指向压缩包以外，已拒绝整个压缩包。请重新打包"
        raise HydroError("zip_path", message, member=name)
    if inner.suffix.lower() in (".zip", ".kmz", ".rar", ".7z", ".gz"):
        raise HydroError("zip_nested", "{file} 里还有压缩包“{member}”。请解压后再导入", member=name)
    target = folder.joinpath(*inner.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(member) as source, target.open("wb") as sink:
        left = member.file_size + 1
        while chunk := source.read(min(1 << 20, left)):
            sink.write(chunk)
            left -= len(chunk)
            if left <= 0:
                raise HydroError("zip_bomb_lying", "{file} 里的“{member}”比它声明的大，已拒绝", member=name)


def _member_name(member: zipfile.ZipInfo) -> str:
    """The member's name; without the UTF-8 flag Chinese names are GBK, which zipfile reads as cp437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename
