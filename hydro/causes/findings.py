"""What speaks for and against a candidate, as values; put into words at the doors, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FOR, AGAINST, NOTE = 1, -1, 0


@dataclass(frozen=True)
class Finding:
    """One piece of evidence: a sentence in the source language with its parameters, and which way it speaks.

    A parameter that is a tuple is a list of names, joined as the reader's language does.
    """

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    speaks: int = NOTE


Findings = tuple[Finding, ...]

CONFIRMED, EXCLUDED = "confirmed", "excluded"


@dataclass(frozen=True)
class FieldFinding:
    """What somebody found on the spot: a source (or UNREGISTERED, DIFFUSE) did it at a time, or did not.

    ``time`` is the month judged; where a section is read several times a day, the stamp of the reading that was asked about.
    """

    source_id: str
    time: str
    verdict: str
    note: str = ""

    @property
    def told(self) -> Finding:
        """The finding as evidence."""
        if self.verdict == CONFIRMED:
            return Finding("现场核查确认：{note}", {"note": self.note or "—"}, FOR)
        return Finding("现场核查排除：{note}", {"note": self.note or "—"}, AGAINST)
