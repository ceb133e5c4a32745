"""A Simplified-Chinese face for printed pages, embedded as TrueType outlines.

The face is Noto Sans SC, as the package ``justmytype-intl-cjk`` ships it: one variable font that opens at its thinnest
weight.  The weights needed are cut out of it, with only the characters that the document uses, and kept in the user's
cache.  Fonts of the system are no substitute: a ``.ttc`` opens its Japanese face first, and has outlines of a kind that
readers warn about in a PDF.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hydro.errors import HydroError
from i18n import catalogue

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

PACKAGE = "justmytype-intl-cjk"
OFFICE_FACE = "Microsoft YaHei"
"""The face named in decks and workbooks: on every desk with Windows; elsewhere the program finds its own Chinese face."""
SIGNS = "ⅠⅡⅢⅣⅤ▲◆●▼○△◇→←↑↓·—…“”‘’、。，：；（）〔〕《》％‰℃²³µ×÷±≤≥≈－\u3000劣年月日万元"


@dataclass(frozen=True)
class Typeface:
    """Two weights of one face, and what it can show. Made by :func:`typeface`."""

    regular: FontProperties
    bold: FontProperties
    shown: frozenset[str]

    def of(self, words: str) -> str:
        """Text that the face can show; what it has no glyph for (emoji) is spelled out: ``〔FACTORY〕``."""
        return "".join(c if c in self.shown or c == "\n" else _spelled(c) for c in words)

    def width(self, words: str, *, bold: bool = False) -> float:
        """How wide the words stand, in sizes of type."""
        advances = _advances(str((self.bold if bold else self.regular).get_file()))
        return sum(advances.get(ord(c), 1.0) for c in self.of(words))


@cache
def typeface(words: str = "") -> Typeface:
    """The face with every character of ``words``, of the program's own sentences, and of plain Latin.

    Raises HydroError ``font_missing`` naming the package to install.
    """
    from matplotlib import font_manager

    variable = _variable()
    wanted = set(words) | set("".join(catalogue("en"))) | {chr(c) for c in range(0x20, 0x250)} | set(SIGNS)
    shown = frozenset(c for c in wanted if ord(c) in _glyphs(variable))
    key = hashlib.sha256("".join(sorted(shown)).encode()).hexdigest()[:12]
    made = []
    for weight in (400, 700):
        path = _cache() / f"NotoSansSC-{key}-{weight}.ttf"
        if not path.exists():
            _cut(variable, weight, shown, path)
        font_manager.fontManager.addfont(path)
        made.append(font_manager.FontProperties(fname=str(path)))
    regular, bold = made
    return Typeface(regular, bold, shown)


def _spelled(character: str) -> str:
    if unicodedata.category(character) in ("Mn", "Cf", "Cc"):
        return ""
    return f"〔{unicodedata.name(character, f'U+{ord(character):04X}')}〕"


@cache
def _glyphs(variable: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(variable, lazy=True) as face:
        return frozenset(face.getBestCmap())


@cache
def _advances(path: str) -> dict[int, float]:
    """Code point -> how far its glyph moves on, in sizes of type; the face has no kerning."""
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as face:
        widths, em = face["hmtx"], face["head"].unitsPerEm
        return {code: widths[glyph][0] / em for code, glyph in face.getBestCmap().items()}


def _variable() -> Path:
    spec = find_spec(PACKAGE.replace("-", "_"))
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for folder in folders for path in sorted(Path(folder).rglob("NotoSansSC*.ttf"))]
    if not found:
        raise HydroError(
            "font_missing",
            "找不到中文字体，图件上的汉字会变成方框。请安装：pip install {package}",
            package=PACKAGE,
        )
    return found[0]


def _cut(variable: Path, weight: int, characters: frozenset[str], path: Path) -> None:
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    face = TTFont(variable, lazy=True)
    wanted = subset.Options(layout_features=[], notdef_outline=True)
    wanted.drop_tables += ["GSUB", "GPOS", "vhea", "vmtx", "VVAR", "BASE", "MVAR", "HVAR"]
    cutter = subset.Subsetter(wanted)
    cutter.populate(unicodes=map(ord, characters))
    cutter.subset(face)
    fixed = instancer.instantiateVariableFont(face, {"wght": weight})
    for record in list(fixed["name"].names):
        if record.nameID in (1, 4, 6, 16):
            fixed["name"].setName(
                f"NotoSansSC-{weight}", *(record.nameID, record.platformID, record.platEncID, record.langID)
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".ttf")
    os.close(handle)
    fixed.save(draft)
    Path(draft).replace(path)


def _cache() -> Path:
    if asked := os.environ.get("QINGYUAN_CACHE"):
        return Path(asked)
    home = {"win32": "LOCALAPPDATA"}.get(sys.platform, "XDG_CACHE_HOME")
    return Path(os.environ.get(home) or Path.home() / ".cache") / "qingyuan"
