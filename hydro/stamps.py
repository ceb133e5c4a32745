"""Time stamps: the one pattern in which they are read, and the one clock on which they are kept."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

TIME = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])([T ]([01]\d|2[0-3])(:[0-5]\d(:[0-5]\d(\.\d+)?)?)?"
    r"(Z|[+-](0\d|1[0-4]):?[0-5]\d)?)?)?)?"
)
"""ISO 8601: a year, a month, a day, or an instant with or without its offset from Greenwich."""

BEIJING = timezone(timedelta(hours=8))


def local(text: str) -> str:
    """A stamp on the clock of all records, Beijing time: one that names its offset is set to it, any other is on it.

    ``2022-07-31T20:00Z`` is ``2022-08-01T04:00``: another day, and here another month.  What is no stamp stays as it is.
    """
    tail = text[10:]
    if not tail or not (tail[-1] == "Z" or "+" in tail or "-" in tail) or not TIME.fullmatch(text):
        return text
    try:
        moment = datetime.fromisoformat(text).astimezone(BEIJING).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return text
    return moment.isoformat(timespec="auto" if moment.second or moment.microsecond else "minutes")
