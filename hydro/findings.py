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
