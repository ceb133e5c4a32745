"""What encoding Chinese text is in, from its bytes: declarations are often missing and sometimes lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hydro.errors import HydroError

SIGNS = frozenset("°±²³µ·×÷αβγΔδλμπρσφΩω¹éèüöä§¥£")
"""Letters of two bytes in UTF-8 that tables really hold; others of that length are two halves of Chinese in GBK."""

MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(raw: bytes) -> tuple[str, int]:
    """Bytes of a text file as text, and the number of lines that are in another encoding than the rest.

    A byte order mark decides; else UTF-16 that shows by its zeros, UTF-8, GB18030 (of which GBK is a part), and line by
    line one of the two where a file was put together from both; last what charset-normalizer finds likely.

    Raises:
        HydroError: the bytes are no text in any of them.
    """
    for encoding in (e for e in (_marked(raw), wide_encoding(raw[:4096])) if e):
        text = decoded(raw, encoding)
        if text is not None:
            return text, 0
    if of_words([raw]) == "utf-8":
        return raw.decode("utf-8"), 0
    lines = [_line(line) for line in raw.split(b"\n")]
    if all(text is not None for text, _ in lines):
        spoken = Counter(name for _, name in lines)
        return "\n".join(text or "" for text, _ in lines), min(spoken["utf-8"], spoken["gb18030"])
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:200_000]).best()
    try:
        if best is not None:
            return raw.decode(best.encoding), 0
    except (UnicodeDecodeError, LookupError):
        pass
    raise HydroError("encoding_unknown", "{file} 的文字编码无法识别。请另存为 UTF-8 后再导入")


def _marked(raw: bytes) -> str:
    return next((encoding for mark, encoding in MARKS if raw.startswith(mark)), "")


def _line(line: bytes) -> tuple[str | None, str]:
    """A line of a file that is not all UTF-8, and its encoding (blank where any would do)."""
    if line.isascii():
        return line.decode("ascii"), ""
    text = decoded(line, "utf-8")
    if text is not None and any(c >= "\u2e80" for c in text):
        return text, "utf-8"
    return decoded(line, "gb18030"), "gb18030"


def of_words(words: Sequence[bytes], *, cut: bool = False) -> str:
    """``utf-8`` or ``gb18030``, whichever all words are in; blank if neither.

    Chinese in GBK is hardly ever valid UTF-8, and then of letters that no table holds.  With ``cut`` the last character
    of a word may be cut off, as in a field of fixed width.
    """
    spoken = [word for word in words if not word.isascii()]
    as_utf8 = [decoded(word, "utf-8", cut=cut) for word in spoken]
    if all(text is not None for text in as_utf8):
        odd = [c for text in as_utf8 for c in text or "" if "\x80" <= c <= "\u07ff" and c not in SIGNS]
        chinese = any(c >= "\u2e80" for text in as_utf8 for c in text or "")
        if not odd or chinese or any(decoded(word, "gb2312", cut=cut) is None for word in spoken):
            return "utf-8"
    return "gb18030" if all(decoded(word, "gb18030", cut=cut) is not None for word in spoken) else ""


def decoded(word: bytes, encoding: str, *, cut: bool = False) -> str | None:
    """A word as text, but for a last character that may be cut; None where it is no such text."""
    for less in range(4 if cut else 1):
        try:
            return word[: len(word) - less].decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def wide_encoding(head: bytes) -> str:
    """UTF-16 without a byte order mark: every other byte of a separator is zero, and all of it can be read."""
    if b"\x00" not in head:
        return ""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = decoded(head[: len(head) // 2 * 2], encoding) or decoded(head[: len(head) // 2 * 2 - 2], encoding) or ""
        plain = sum(c.isprintable() or c in "\r\n\t" for c in text)
        if text and plain == len(text) and any(c in text for c in "\n,\t;"):
            return encoding
    return ""
