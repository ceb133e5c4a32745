"""A benchmark that is told to end (SIGTERM, a closed terminal) ends as with Ctrl-C: what it started goes with it."""

from __future__ import annotations

import signal
from types import FrameType


def end_with_all() -> None:
    """From now on SIGTERM and SIGHUP raise KeyboardInterrupt, so that every ``with`` and ``finally`` on the way runs."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough: a second one must not break off the ending
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means what it says
            signal.signal(number, stop)
