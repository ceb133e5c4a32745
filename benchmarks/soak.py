"""Many people tracing and marking at once: ``python -m benchmarks.soak [--sessions 50] [--minutes 10] [--pause 15]``.

A real server with sign-in on a copy of the demo; every session has an account of its own, clicks sections on the map,
every third time an outlet on which it decides, and asks every two seconds what the others have decided, as a browser does.
Told: seconds from click to panel (p50, p95), alone and among all; what a poll costs; the server's memory at the start and
the end; clicks that showed somebody else's section or name, and errors, both of which must be 0.  Peer: the same click of
one session alone, in the same run on the same server; ``*_ratio`` is how many times longer it takes among all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import layers
from benchmarks.interrupt import end_with_all
from benchmarks.sessions import Visitor
from layers.intake.demo import demo_project
from layers.store.accounts import Accounts

TOP = Path(__file__).resolve().parents[1]
PASSWORD = "鱼翔浅底-清水绿岸-2026"
POLL_S = 2.0
REASON = "第 {n} 次"


@dataclass
class Figures:
    """What was seen."""

    traces: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    poll_bytes: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(project: str, accounts: str, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The app on a project, with sign-in."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=TOP, env=os.environ | {"QINGYUAN_PROJECT": project, "QINGYUAN_ACCOUNTS": accounts},
        stdout=log.open("ab"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return process, address
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the app did not start:\n{log.read_text()}")


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def trace(visitor: Visitor, name: str, section: str, told: Figures) -> float:
    """Click a section; the panel must be that section's, and the screen still this person's."""
    seconds = await visitor.click_map("section", section)
    told.seen["clicks"] += 1
    shown = visitor.component("sources")["section"]
    owner = [str(held.label) for held in visitor.elements.values() if getattr(held, "id", "").endswith("-sign_out")]
    if shown != section or not all(label.startswith(f"{name} ") for label in owner) or not owner:
        told.seen["another's state"] += 1
        told.complaints.append(f"{name} clicked {section} and saw {shown} of {owner}")
    return seconds


async def mark(visitor: Visitor, name: str, outlet: str, told: Figures) -> float:
    """Click an outlet, then the decision; where somebody was faster, keep theirs."""
    await visitor.click_map("source", outlet)
    seconds = await visitor.press(random.choice(["mark_seal", "mark_regulate"]))
    if any(getattr(held, "label", "") == "保留对方的" for held in visitor.elements.values()):
        told.seen["conflicts"] += 1
        await visitor.use(visitor.labelled("保留对方的"), trigger_value=True)
    else:
        told.decided[name] += 1
    return seconds


async def person(
    address: str, number: int, until: float, pause: float, ids: tuple[list[str], list[str]], told: Figures
) -> None:
    name, chance = f"u{number}", random.Random(number)
    async with Visitor(address) as visitor:
        await visitor.sign_in(name, PASSWORD)
        await asyncio.sleep(chance.uniform(0, pause))
        following, done = time.monotonic(), 0
        next_click = time.monotonic()
        while time.monotonic() < until:
            if time.monotonic() >= next_click:
                done += 1
                if done % 3:
                    told.traces.append(await trace(visitor, name, chance.choice(ids[0]), told))
                else:
                    told.marks.append(await mark(visitor, name, chance.choice(ids[1]), told))
                next_click = time.monotonic() + chance.uniform(0.5, 1.5) * pause
            if time.monotonic() >= following:
                began, before, parts = time.perf_counter(), visitor.received, max(len(visitor.polls), 1)
                await visitor.poll()
                told.polls.append((time.perf_counter() - began) / parts)
                told.poll_bytes.append((visitor.received - before) // parts)
                following = time.monotonic() + POLL_S
            await asyncio.sleep(max(0.0, min(next_click, following) - time.monotonic()))
        told.complaints += visitor.errors


async def soak(
    address: str, process: subprocess.Popen[bytes], args: argparse.Namespace, ids: tuple[list[str], list[str]]
) -> tuple[dict[str, object], Figures]:
    alone, together = Figures(), Figures()
    async with Visitor(address) as first:
        await first.sign_in("u0", PASSWORD)
        for section in ids[0] * 2:  # every trace is worked out once, and the causes of the record too
            alone.traces.append(await trace(first, "u0", section, alone))
        while len(first.polls) > 1:
            await first.poll()
            await asyncio.sleep(1)
        alone.traces = [await trace(first, "u0", section, alone) for section in ids[0] * 3]
    until = time.monotonic() + args.minutes * 60
    people = asyncio.gather(*(person(address, n, until, args.pause, ids, together) for n in range(args.sessions)))
    await asyncio.sleep(min(30.0, args.minutes * 60 / 3))
    start = resident_mb(process)
    await people
    together.seen.update(alone.seen)
    p95 = statistics.quantiles(together.traces, n=20)[-1]
    return {
        "sessions": args.sessions, "minutes": args.minutes, "pause_s": args.pause, "clicks": together.seen["clicks"],
        "click_to_panel_p50_s": round(statistics.median(together.traces), 3),
        "click_to_panel_p95_s": round(p95, 3),
        "alone_p50_s": round(statistics.median(alone.traces), 3),
        "p95_ratio": round(p95 / statistics.median(alone.traces), 1),
        "decision_p50_s": round(statistics.median(together.marks), 3),
        "poll_p50_s": round(statistics.median(together.polls), 3),
        "poll_bytes": round(statistics.median(together.poll_bytes)),
        "decisions": together.decided.total(), "conflicts": together.seen["conflicts"],
        "memory_start_mb": round(start), "memory_end_mb": round(resident_mb(process)),
        "another_s_state": together.seen["another's state"], "errors": together.complaints[:5],
    }, together  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--pause", type=float, default=15.0, help="seconds between two clicks of one person, on average"
    )
    args = parser.parse_args()
    end_with_all()
    with tempfile.TemporaryDirectory(prefix="qy-soak-") as folder:
        project = layers.open_project(demo_project(Path(folder) / "demo.gpkg"))
        accounts = Accounts(f"{folder}/accounts.sqlite")
        for number in range(args.sessions):
            accounts.add(f"u{number}", PASSWORD, role="planner")
        before = len(project.book(table="decisions"))
        network = project.network()
        own = network.outlets.index[network.outlets.get("plant_id", "").fillna("") == ""]
        ids = list(map(str, network.sections.index)), list(map(str, own[:50]))
        process, address = serve(project.url, f"{folder}/accounts.sqlite", Path(folder) / "log")
        try:
            figures, told = asyncio.run(soak(address, process, args, ids))
        finally:
            process.terminate()
            process.wait(20)
        book = project.book(table="decisions").iloc[before:]
        entered = Counter(book["who"])
        figures |= {
            "decisions_in_the_book": int(entered.total()),
            "lost_decisions": int((told.decided - entered).total()),
            "faults": [str(fault) for fault in project.verify()],
        }
        print(json.dumps(figures, ensure_ascii=False, indent=1))
        wrong = figures["another_s_state"] or figures["errors"] or figures["lost_decisions"] or figures["faults"]
        if wrong:
            sys.stderr.write((Path(folder) / "log").read_text()[-3000:])
        return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
