"""Memory foreseen: what would not fit is refused before it begins, with the size it needs."""

from __future__ import annotations

from hydro.errors import HydroError

LARGE_BYTES = 1 << 28
"""Below this nobody asks how much is free."""
SHARE = 0.8
"""Part of the free memory that a run may take."""


def must_fit(needed: int, message: str, *, free: int | None = None, **params: object) -> None:
    """Raise HydroError where so many bytes are not free on this machine (or among ``free``).

    ``message`` is filled with ``needed`` and ``left`` (GB, the part of the free memory that a run may take) and the
    parameters given.
    """
    if free is None:
        if needed < LARGE_BYTES:
            return
        import psutil

        free = int(psutil.virtual_memory().available)
    if needed > SHARE * free:
        raise HydroError("memory", message, needed=f"{needed / 1e9:.2f}", left=f"{SHARE * free / 1e9:.2f}", **params)
