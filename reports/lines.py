"""Breaking words into lines of a width: anywhere in Chinese, between words in Latin, no line begun by a closing mark."""

from __future__ import annotations

from collections.abc import Callable

CLOSING = "，。；：、）》”’％!,.;:)"
"""What never begins a line of Chinese; one may stand a little over the edge."""


def broken(words: str, width: float, measure: Callable[[str], float], hang: float = 0.0) -> list[str]:
    """Lines of ``words``, none wider than ``width`` as ``measure`` has it, but for a closing mark that hangs over.

    >>> broken("前岗镇雨洪排口、其余", 7, len)
    ['前岗镇雨洪排', '口、其余']
    >>> broken("between the words", 11, len)
    ['between the', 'words']
    """
    lines, line, gap = [], "", 0
    for character in words:
        if line and character not in CLOSING and (line[-1] == " " or _is_chinese(line[-1]) or _is_chinese(character)):
            gap = len(line)
        line += character
        if len(line) < 2 or (wide := measure(line)) <= width or character == " ":
            continue
        if character not in CLOSING or wide > width + hang:
            at = gap or len(line) - 1
            lines.append(line[:at].rstrip())
            line, gap = line[at:].lstrip(), 0
    return [*lines, line.rstrip()] if line.strip() else lines


def _is_chinese(character: str) -> bool:
    return ord(character) > 0x2E7F
