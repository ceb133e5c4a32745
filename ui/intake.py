"""The import at hand: files in a private folder, what the user has said of them, and the process that reads them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hydro import HydroError
from layers.formats.sources import SIDECARS
from layers.intake.acquaintance import Acquaintance
from layers.intake.entering import Entered
from layers.intake.importing import Importing, Read, TakeBack, Write
from layers.intake.preview import Preview
from layers.store.attachments import safe_name
from layers.store.roles import User

MEGABYTE = 1 << 20
LARGEST_MB, ALL_MB, MOST_FILES = 200, 500, 200
"""What may be dropped at once; the command line takes more."""


class Dropped(Protocol):
    """A file as the browser sent it."""

    name: str
    size: int

    def getvalue(self) -> bytes:
        """Its content."""


class Intake:
    """One import from drop to project. What it keeps on disk goes with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="qingyuan-", ignore_cleanup_errors=True)
        self.work = Importing()
        self.into = ""
        """The project to write into, blank for a new one."""
        self.weigh = False
        """Whether a new project is to be proposed once it is known that the files hardly belong to this one."""
        self.acquaintance = Acquaintance()
        """How much of the files the project knew into which they were first read."""
        self.name = ""
        self.answers: list[tuple[str, str]] = []
        """What the user has said, in words and as an option, in order."""
        self.corrected: dict[str, dict[str, str]] = {}
        """Layer -> source column -> attribute (blank: not to be read), as the user has corrected them."""
        self.preview: Preview | None = None
        self.entered: Entered | None = None
        self.taken_back = False
        self.error: HydroError | None = None
        self.turn = 0
        """How often was read: what the user edits belongs to one reading."""

    @property
    def folder(self) -> Path:
        """Where the files lie; nobody else on the machine may look into it."""
        return Path(self._folder.name) / "files"

    @property
    def files(self) -> list[Path]:
        """The files to read; the other parts of a shapefile are found beside it."""
        found = sorted(self.folder.glob("*")) if self.folder.exists() else []
        shapes = {path.with_suffix("") for path in found if path.suffix.lower() == ".shp"}
        return [p for p in found if p.suffix.lower() not in SIDECARS or p.with_suffix("") not in shapes]

    @property
    def title(self) -> str:
        """The files in a few words."""
        names = [path.name for path in self.files]
        return "、".join(names[:4]) + (f" … {len(names)}" if len(names) > 4 else "")

    def receive(self, dropped: Sequence[Dropped]) -> None:
        """Keep the files under harmless names.

        Raises HydroError, having kept none of them, where they are too many or too large or two have one name.
        """
        names = [safe_name(file.name) for file in dropped]
        here = {path.name.lower() for path in self.folder.glob("*")} if self.folder.exists() else set()
        for name, file in zip(names, dropped, strict=True):
            if file.size > LARGEST_MB * MEGABYTE:
                message = "{file} 超过 {limit} MB。请拆分，或请管理员用命令行 import 导入。"
                raise HydroError("file_too_large", message, file=name, limit=LARGEST_MB)
            if name.lower() in here:
                raise HydroError("same_name", "有两个文件都叫 {file}。请改名后再放入。", file=name)
            here.add(name.lower())
        if len(here) > MOST_FILES or sum(file.size for file in dropped) > ALL_MB * MEGABYTE:
            message = "一次最多 {count} 个文件、共 {limit} MB。请分几次放入。"
            raise HydroError("too_much", message, count=MOST_FILES, limit=ALL_MB)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for name, file in zip(names, dropped, strict=True):
            (self.folder / name).write_bytes(file.getvalue())

    def read(self) -> None:
        """Read again, with everything said so far."""
        self.turn += 1
        self.error = None
        options = tuple(option for _, option in self.answers)
        self.work.ask(Read(tuple(self.files), options, self._columns(), self.into))

    def say(self, words: str, option: str) -> None:
        """Take an answer, and read again."""
        self.answers.append((words, option))
        self.read()

    def unsay(self, at: int) -> None:
        """Take an answer back, and read again."""
        del self.answers[at]
        self.read()

    def correct(self, layer: str, columns: Mapping[str, str]) -> None:
        """Take corrected columns of a layer, and read again."""
        self.corrected[layer] = {**self.corrected.get(layer, {}), **columns}
        self.read()

    def write(self, url: str, user: User, *, leave_out: bool) -> None:
        """Write what was read."""
        kept = {source: meant for columns in self.corrected.values() for source, meant in columns.items()}
        self.error = None
        self.work.ask(Write(url, user, self.name, leave_out, tuple(kept.items())))

    def take_back(self, user: User) -> None:
        """Undo what was written."""
        self.error = None
        self.work.ask(TakeBack(user))

    def settle(self) -> bool:
        """Take over the answer of what was asked last; whether there was a new one."""
        progress = self.work.progress
        if progress.busy:
            return False
        answer, self.work.progress.answer = progress.answer, None
        error, self.work.progress.error = progress.error, None
        if error is not None:
            self.error = error
        if isinstance(answer, Preview) and self.into:
            self.acquaintance = answer.acquaintance
            if self.weigh and not answer.acquaintance.belongs:
                self.weigh, self.into = False, ""
                self.read()
                return False
        if isinstance(answer, Preview):
            self.preview = answer
            self.name = self.name or answer.facts.get("name", "") or self._likely_name(answer)
        elif isinstance(answer, Entered):
            self.entered = answer
        elif answer is not None:
            self.taken_back = True
        return answer is not None or error is not None

    def _likely_name(self, seen: Preview) -> str:
        """A new project is called after the file of its rivers until the user names it."""
        rivers = [layer.label for layer in seen.layers if layer.table == "reaches"]
        files = [path.stem for path in self.files if any(path.name in label for label in rivers)]
        return next(iter([*files, *(path.stem for path in self.files)]), "")

    def stop(self) -> None:
        """Stop what is being done; what was read is gone with the process that had read it."""
        self.work.stop()
        if self.work.progress.stopped:
            self.preview = None

    def _columns(self) -> Path | None:
        if not self.corrected:
            return None
        said = {layer: {"columns": columns} for layer, columns in self.corrected.items()}
        path = Path(self._folder.name) / "columns.json"
        path.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        return path
