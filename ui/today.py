"""The day that due dates are held against: today, or the last day of the month shown where the record is old.

A record that ended long ago (the demo, an archive) would otherwise show every task as years overdue.  The pages say
which day they count from.
"""

from __future__ import annotations

from datetime import date, timedelta

OLD_D = 120


def as_of(month: str) -> str:
    """The day to count from while ``month`` is shown.

    >>> as_of("2022-07")
    '2022-07-31'
    """
    first = date.fromisoformat(f"{month}-01")
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    today = date.today()
    return today.isoformat() if today - last < timedelta(days=OLD_D) else last.isoformat()
