"""The month's pack: every document made in turn, with progress, and written so that a folder never holds half a file."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hydro.errors import Fault, FaultsError, HydroError, Phrase
from reports.content import Content
from reports.deck import check_template, deck
from reports.meeting import meeting
from reports.month import check_month
from reports.offline import offline_map
from reports.paper import brief, task_sheets
from reports.sheet import check_paper, map_image, map_sheets
from reports.workbook import workbook

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WHY = {
    errno.EACCES: Phrase("没有写入权限"),
    errno.EPERM: Phrase("没有写入权限"),
    errno.EROFS: Phrase("磁盘是只读的"),
    errno.ENOENT: Phrase("那里不能建立文件夹"),
    errno.EEXIST: Phrase("那里有一个同名的文件"),
    errno.ENOTDIR: Phrase("那里有一个同名的文件"),
    errno.ENAMETOOLONG: Phrase("名字太长"),
}
"""What a system says in its own language, in the reader's."""
Tick = Callable[[], None]
Progress = Callable[[str, int, int], None]


class Cancelled(Exception):
    """The maker asked for the pack no longer wants it; what was written before stays whole."""


@dataclass(frozen=True)
class Style:
    """How the pack is dressed: paper (A4, A3, A0) and its turn, one sheet a section, river or county, the deck's template."""

    paper: str = "A3"
    portrait: bool = False
    series: str = "section"
    template: str | bytes | None = None


@dataclass(frozen=True)
class Document:
    """One document of the pack: its file name, what it is, and how it is made."""

    file: str
    title: str
    make: Callable[[Content, Tick, Style], bytes]


DOCUMENTS = (
    Document(
        "总磷图册.pdf",
        "图册",
        lambda content, tick, style: map_sheets(
            content, paper=style.paper, portrait=style.portrait, series=style.series, tick=tick
        ),
    ),
    Document(
        "总磷状况图.png",
        "状况图",
        lambda content, tick, style: map_image(content, paper=style.paper, portrait=style.portrait),
    ),
    Document("汇报.pptx", "汇报演示", lambda content, tick, style: deck(content, template=style.template, tick=tick)),
    Document("数据.xlsx", "工作簿", lambda content, tick, style: workbook(content)),
    Document("简报.docx", "简报", lambda content, tick, style: brief(content)),
    Document("任务单.docx", "任务单", lambda content, tick, style: task_sheets(content)),
    Document("离线地图.html", "离线地图", lambda content, tick, style: offline_map(content)),
    Document("会议.html", "会议演示", lambda content, tick, style: meeting(content)),
)


def check(month: str, style: Style, folder: str | Path) -> None:
    """Whatever can be known to be wrong before anything is read or made, all at once.

    Raises the HydroError that there is, or FaultsError with all of them.
    """
    found = []
    for one in (
        partial(check_month, month),
        partial(check_paper, style.paper),
        partial(check_template, style.template),
        partial(check_folder, folder),
    ):
        try:
            one()
        except HydroError as error:
            found.append(error)
    if len(found) == 1:
        raise found[0]
    if found:
        raise FaultsError(Fault(error.code, error.message, error.params) for error in found)


def documents(content: Content) -> tuple[Document, ...]:
    """The documents that this content fills: no task sheets where there is nothing to do and nowhere to go."""
    tasks = content.tasks or any(one.causes for one in content.measured)
    return tuple(one for one in DOCUMENTS if tasks or one.file != "任务单.docx")


def make_pack(
    content: Content,
    wanted: Sequence[Document] | None = None,
    *,
    style: Style = Style(),
    tick: Progress = lambda *_: None,
) -> Iterator[tuple[str, bytes]]:
    """Each document as (file name, bytes). ``tick(title, done, all)`` is told of every step and may raise Cancelled."""
    check_paper(style.paper)
    check_template(style.template)
    chosen = documents(content) if wanted is None else tuple(wanted)
    for done, one in enumerate(chosen):
        title = content.say(one.title)
        tick(title, done, len(chosen))
        yield f"{content.month}-{one.file}", one.make(content, partial(tick, title, done, len(chosen)), style)
    tick("", len(chosen), len(chosen))


def write_pack(
    content: Content, folder: str | Path, *, style: Style = Style(), tick: Progress = lambda *_: None
) -> list[Path]:
    """Write the pack into a folder, made where it is absent; each file is there whole, or as it was before.

    Raises HydroError ``out_unwritable`` or ``disk_full``.
    """
    home, written = Path(folder), []
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
        for name, data in make_pack(content, style=style, tick=tick):
            written.append(_placed(home / name, data))
    except OSError as error:
        if error.errno in FULL:
            raise HydroError(
                "disk_full",
                "磁盘已满或超出配额，{folder} 里写完了 {count} 个文件。请腾出空间后重试",
                folder=str(home),
                count=len(written),
            ) from None
        raise _unwritable(home, error) from None
    return written


def check_folder(folder: str | Path) -> None:
    """Whether the folder, or the nearest one above it that is there, can be written in; nothing is made.

    Raises HydroError ``out_unwritable``.
    """
    home = Path(folder).absolute()
    try:
        with tempfile.TemporaryFile(dir=next(one for one in (home, *home.parents) if one.exists())):
            pass
    except OSError as error:
        raise _unwritable(Path(folder), error) from None


def _unwritable(folder: Path, error: OSError) -> HydroError:
    why = WHY.get(error.errno or 0) or error.strerror or str(error)
    return HydroError("out_unwritable", "不能写入文件夹 {folder}：{why}。请换一个文件夹", folder=str(folder), why=why)


def _placed(path: Path, data: bytes) -> Path:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path
