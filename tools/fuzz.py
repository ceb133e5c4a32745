"""Broken files by the thousand into the door: ``python -m tools.fuzz --cases 20000 [--first N] [--seconds S]``.

Every case takes the files of a seed (see ``tools.seeds``), breaks them as its number says, and imports them into a fresh
project in a child process.  A case fails if an exception escapes, the child dies, ten seconds pass, the report cannot be
told as json, or anything is left behind that should not be: half a project, a temporary folder.  The same number always
breaks the same bytes: ``--first 4711 --cases 1`` repeats one.  Failures are listed with the last lines of their cause.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import os
import random
import resource
import selectors
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from tools.seeds import SEEDS, contents

LIMIT_S = 10.0
"""Of work, its own and that of processes it starts: the wall clock of a busy machine says nothing of a file."""

WAITING_S = 180.0
"""What neither works nor ends in this time waits for ever."""

MEMORY_BYTES = 6 << 30
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000, 0x0FFFFFFF)
WORDS = (
    b"NaN", b"1e309", b"-1e309", b"Infinity", b"null", b"", b'"', b"'", b"\x00", b"\xff\xfe", b"[" * 3000, b"{" * 200, b"-0",
    b"999999999999999999999", b"<", b"&x;", b"\r", b"\n", b",", b";", "，".encode(), "，".encode("gb18030"), b"\x81\x30\x81\x30",
    b"{0}", b"{file}", b"%s", b"2022-13-45", b"#N/A", "劣Ⅴ".encode(), b"true", b"=1+1", b"R1", b"..", b"/", b"\xf0\x9f\x90\x9f",
)  # fmt: skip

Files = dict[str, bytes]


def broken(name: str, files: Files, others: list[Files], chance: random.Random) -> Files:
    """The files of a seed after one to four mutations; packed ones are also broken inside their members."""
    made = dict(files)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        which = chance.choice(sorted(made))
        raw = made[which]
        if raw[:2] == b"PK" and chance.random() < 0.7:
            made[which] = _inside(raw, chance)
        elif len(made) > 1 and chance.random() < 0.15:
            made = _shuffled(made, which, others, chance)
        else:
            made[which] = mutated(raw, chance)
        if not made:
            break
    return made


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """Bytes with one thing changed."""
    if not raw:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(64)))
    at, end = sorted((chance.randrange(len(raw)), min(len(raw), chance.randrange(len(raw)) + 1)))
    kind = chance.randrange(9)
    if kind == 0:  # bits
        out = bytearray(raw)
        for _ in range(chance.choice((1, 2, 8, 64))):
            out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
        return bytes(out)
    if kind == 1:  # cut off
        return raw[:at]
    if kind == 2:  # a piece missing
        return raw[:at] + raw[min(end, at + chance.choice((1, 2, 8, 100, 5000))) :]
    if kind == 3:  # a piece again
        piece = raw[at : min(end, at + 2000)]
        return raw[:at] + piece * chance.choice((2, 3, 50)) + raw[at:]
    if kind == 4:  # a number that means something to a header
        size = chance.choice((1, 2, 4, 8))
        number = (chance.choice(NUMBERS) & (1 << 8 * size) - 1).to_bytes(size, chance.choice(("little", "big")))
        at = chance.choice((at, chance.randrange(min(len(raw), 128))))
        return raw[:at] + number + raw[at + size :]
    if kind == 5:  # a word that means something to a text
        return raw[:at] + chance.choice(WORDS) + raw[at + chance.choice((0, 1, 4)) :]
    if kind == 6:  # two pieces change places
        middle = (at + end) // 2
        return raw[:at] + raw[middle:end] + raw[at:middle] + raw[end:]
    if kind == 7:  # a cell or a line in place of another
        mark = chance.choice((b",", b"\n", b"\t", b'"', b" ", b">"))
        cells = raw.split(mark)
        cells[chance.randrange(len(cells))] = chance.choice((*WORDS, *cells[:20]))
        return mark.join(cells)
    noise = bytes(chance.randrange(256) for _ in range(chance.choice((1, 16, 300))))
    return raw[:at] + noise + raw[at + len(noise) :]


def _inside(raw: bytes, chance: random.Random) -> bytes:
    """A packed file with one member broken and packed again, its sums right."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            members = {member.filename: packed.read(member) for member in packed.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError, zipfile.zlib.error):  # type: ignore[attr-defined]
        return mutated(raw, chance)
    if not members:
        return mutated(raw, chance)
    which = chance.choice(sorted(members))
    if chance.random() < 0.1:
        del members[which]
    else:
        members[which] = mutated(members[which], chance)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def _shuffled(files: Files, which: str, others: list[Files], chance: random.Random) -> Files:
    """Files of which one is missing, another's, another format's, or under another ending."""
    made = dict(files)
    kind = chance.randrange(4)
    raw = made.pop(which)
    if kind == 1:
        made[which] = chance.choice(list(files.values()))
    elif kind == 2:
        made[which] = chance.choice(list(chance.choice(others).values()))
    elif kind == 3:
        made[
            f"{Path(which).stem}{chance.choice(('.csv', '.xlsx', '.json', '.kml', '.shp', '.gpkg', '.zip', '.dbf', '.txt'))}"
        ] = raw
    return made


@dataclass
class Tally:
    """What came of the cases."""

    cases: int = 0
    sound: int = 0
    refused: int = 0
    asked: int = 0
    slowest_s: float = 0.0
    slowest: int = -1
    peak_mb: float = 0.0
    failures: dict[str, list[int]] = field(default_factory=dict)
    by_seed: Counter[str] = field(default_factory=Counter)

    def fail(self, why: str, case: int) -> None:
        self.failures.setdefault(why, []).append(case)


def seeds() -> dict[str, Files]:
    """The files of every seed."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: contents(name, Path(place)) for name in SEEDS}


def files_of(case: int, known: dict[str, Files]) -> tuple[str, Files]:
    """Seed and files of a case; the number is all that decides."""
    chance = random.Random(case)
    name = sorted(known)[case % len(known)]
    return name, broken(name, known[name], list(known.values()), chance)


def attempt(case: int, known: dict[str, Files]) -> dict[str, Any]:
    """Import the files of one case; what came of it, with ``why`` where the door failed."""
    _, files = files_of(case, known)
    place = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(place / "tmp")
    try:
        (place / "tmp").mkdir()
        (place / "given").mkdir()
        for name, raw in files.items():
            (place / "given" / name).write_bytes(raw)
        return _imported(place)
    finally:
        tempfile.tempdir = None
        os.environ.pop("TMPDIR")
        shutil.rmtree(place, ignore_errors=True)


def _imported(place: Path) -> dict[str, Any]:
    from layers.intake.imports import import_sources
    from layers.store.project import open_project

    into = place / "out" / "project.gpkg"
    into.parent.mkdir()
    try:
        report = import_sources([place / "given"], into).report
        json.dumps(report.json(), allow_nan=False)
        for fault in report.warnings:
            str(fault)
    except BaseException:  # what the door must not let through, whatever it is
        return {"why": _cause(traceback.format_exc())}
    if report.sound:
        project = open_project(into)
        if report.accepted["reaches"]:
            project.network()
    left = [path.name for path in (place / "out").iterdir() if path != into or not report.sound]
    left += [path.name for path in (place / "tmp").iterdir()]
    told = {"sound": report.sound, "asked": bool(report.asked), "refused": bool(report.refused)}
    return told | ({"why": f"left behind: {left}"} if left else {})


def _cause(trace: str) -> str:
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    places = [
        line.split(", in ")[0].rsplit("/", 1)[-1]
        for line in lines
        if line.startswith("File ") and "site-packages" not in line
    ]
    return f"{lines[-1][:200]}  ({' < '.join(reversed(places[-2:]))})"


def _child(first: int, last: int, known: dict[str, Files], pipe: int) -> None:
    """Cases one after another, each announced before it is tried and told when it is done."""
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    with os.fdopen(pipe, "wb") as told:
        for case in range(first, last):
            told.write(struct.pack("<qI", case, 0))
            told.flush()
            began = time.monotonic()
            try:
                found = attempt(case, known)
            except BaseException:
                found = {"why": "after the import: " + _cause(traceback.format_exc())}
            found["seconds"] = time.monotonic() - began
            found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            raw = json.dumps(found).encode()
            told.write(struct.pack("<qI", case, len(raw)) + raw)
            told.flush()
    os._exit(0)


class Runner:
    """One child at work on a range of cases; a child that dies or hangs is replaced and its case noted."""

    def __init__(self, first: int, last: int, known: dict[str, Files], tally: Tally) -> None:
        self.next, self.last, self.known, self.tally = first, last, known, tally
        self.running, self.since = first, time.monotonic()
        self._start()

    def _start(self) -> None:
        here, there = os.pipe()
        self.buffer, self.since, self.running = (
            b"",
            time.monotonic() + 20.0,
            self.next,
        )  # time for a fresh child's imports
        self.pid = os.fork()
        if not self.pid:
            os.close(here)
            _child(self.next, self.last, self.known, there)
        os.close(there)
        self.pipe, self.worked = here, 0.0

    def read(self) -> bool:
        """Take in what the child says; False when it has ended."""
        chunk = os.read(self.pipe, 1 << 16)
        self.buffer += chunk
        while len(self.buffer) >= 12:
            case, size = struct.unpack_from("<qI", self.buffer)
            if len(self.buffer) < 12 + size:
                break
            raw, self.buffer = self.buffer[12 : 12 + size], self.buffer[12 + size :]
            if not size:
                self.worked = self._worked()
                self.running, self.since = (
                    case,
                    max(self.since, time.monotonic()) if case == self.next else time.monotonic(),
                )
            else:
                self._count(case, json.loads(raw))
        return bool(chunk)

    def _count(self, case: int, found: dict[str, Any]) -> None:
        tally = self.tally
        self.next = case + 1
        self.since = time.monotonic()
        tally.cases += 1
        tally.by_seed[sorted(self.known)[case % len(self.known)]] += 1
        for name in ("sound", "asked", "refused"):
            setattr(tally, name, getattr(tally, name) + bool(found.get(name)))
        if found["seconds"] > tally.slowest_s:
            tally.slowest_s, tally.slowest = found["seconds"], case
        tally.peak_mb = max(tally.peak_mb, found["peak_mb"])
        if "why" in found:
            tally.fail(found["why"], case)

    def late(self) -> bool:
        """Whether the case at hand has taken too long."""
        if time.monotonic() - self.since < LIMIT_S:
            return False
        return self._worked() - self.worked > LIMIT_S or time.monotonic() - self.since > WAITING_S

    def _worked(self) -> float:
        """Seconds of processor time of the child and of all that it has started."""
        try:
            child = psutil.Process(self.pid)
            running = sum(sum(each.cpu_times()[:2]) for each in child.children(recursive=True))
            return sum(child.cpu_times()[:4]) + running
        except psutil.Error:
            return 0.0

    def over(self, why: str = "") -> bool:
        """Bury the child; begin another after the case that it fell over. True when nothing is left to do."""
        os.close(self.pipe)
        if why:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        if self.next < self.last:
            died = (
                f"killed by signal {os.WTERMSIG(status)}"
                if os.WIFSIGNALED(status)
                else f"exit {os.WEXITSTATUS(status)}"
            )
            self.tally.fail(why or died, self.running)
            self.tally.cases += 1
            self.next = self.running + 1
        if self.next >= self.last:
            return True
        self._start()
        return False


def run(
    first: int, cases: int, children: int, seconds: float = float("inf"), say: Callable[[str], None] = print
) -> Tally:
    """Try a range of cases in children of their own, and count what came of them."""
    import layers.imports  # noqa: F401  read once, before the children are born

    known, tally, began = seeds(), Tally(), time.monotonic()
    bounds = [first + cases * i // children for i in range(children + 1)]
    chooser, told = selectors.DefaultSelector(), began
    for a, b in pairwise(bounds):
        if b > a:
            runner = Runner(a, b, known, tally)
            chooser.register(runner.pipe, selectors.EVENT_READ, runner)
    while chooser.get_map():
        for key, _ in chooser.select(timeout=0.5):
            runner = key.data
            if not runner.read():
                chooser.unregister(runner.pipe)
                if not runner.over():
                    chooser.register(runner.pipe, selectors.EVENT_READ, runner)
        for key in list(chooser.get_map().values()):
            runner = key.data
            if runner.late():
                chooser.unregister(runner.pipe)
                if not runner.over(f"longer than {LIMIT_S:.0f} s"):
                    chooser.register(runner.pipe, selectors.EVENT_READ, runner)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            say(f"{tally.cases} cases, {told - began:.0f} s; failures: {tally.failures or 'none'}")
        if time.monotonic() - began > seconds:
            for key in list(chooser.get_map().values()):
                os.kill(key.data.pid, signal.SIGKILL)
                os.waitpid(key.data.pid, 0)
                chooser.unregister(key.fileobj)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    said = parser.parse_args()
    tally = run(
        said.first, said.cases, said.children, said.seconds, lambda line: print(line, file=sys.stderr, flush=True)
    )
    print(f"{tally.cases} cases: {tally.sound} sound, {tally.refused} refused, {tally.asked} asked")
    print(f"by seed: {dict(tally.by_seed)}")
    print(f"slowest {tally.slowest_s:.1f} s (case {tally.slowest}), peak {tally.peak_mb:.0f} MB")
    for why, cases in sorted(tally.failures.items(), key=lambda pair: -len(pair[1])):
        print(f"FAILED {len(cases)} times, e.g. {cases[:5]}: {why}")
    raise SystemExit(bool(tally.failures))


if __name__ == "__main__":
    main()
