"""The map in a real Chromium with the network closed, beside the streamlit-folium documentation's way of doing it.

``python -m benchmarks.map --reaches 20000 --format table|json``; ``--demo`` measures the demo basin, ``--peer`` adds the
documentation's example on the same data (minutes where reaches are many).

``first_paint_s``: from the address to the drawn map, in a new browser (``first_paint_cold_s``: the very first one after
the server starts, which also packs the network).  ``highlight_ms``: from the pointer going down on a section to the first
frame that shows its whole upstream.  ``panel_s``: from the same moment to the section's sources standing in the panel.
``sent_kb``: what the server sent for the map, the panel and the data (``streamlit_kb``: Streamlit's own bundle).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

import layers
from benchmarks.interrupt import end_with_all
from benchmarks.synthetic import make_basin

TOP = Path(__file__).resolve().parents[1]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CLICKS = 20
LOADS = 3
LIMIT_MS = 600_000

WATCH = """() => {
  window.paints = [];
  document.addEventListener("pointerdown", () => (window.down = performance.now()), true);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    window.paints.push(performance.now() - window.down);
  }))).observe(document.querySelector(".leaflet-container"), { attributeFilter: ["data-traced"] });
}"""


@dataclass
class Seen:
    """What one visit asked for and complained of."""

    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    own_bytes: float = 0
    streamlit_bytes: float = 0


@contextmanager
def served(script: Path, project: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.enableStaticServing", "true", "--server.headless", "true"]
    environment = {**os.environ, "QINGYUAN_PROJECT": project, "PYTHONPATH": str(TOP)}
    process = subprocess.Popen(command, cwd=TOP, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def watch(page: Page) -> tuple[Seen, CDPSession]:
    """Count bytes and complaints of a page; requests to another host are noted and refused."""
    seen = Seen()
    address: dict[str, str] = {}

    def guard(route: Any) -> None:
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            seen.strangers.append(url)
            route.abort()

    page.route("**/*", guard)
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: seen.complaints.append(str(e)))
    protocol = page.context.new_cdp_session(page)
    protocol.send("Network.enable")

    def finished(event: dict[str, Any]) -> None:
        size, url = event["encodedDataLength"], address.get(event["requestId"], "")
        if "/app/static/" in url:
            seen.own_bytes += size
        else:
            seen.streamlit_bytes += size

    protocol.on("Network.requestWillBeSent", lambda e: address.update({e["requestId"]: e["request"]["url"]}))
    protocol.on("Network.loadingFinished", finished)
    protocol.on("Network.webSocketFrameReceived", lambda e: _frame(seen, e))
    return seen, protocol


def _frame(seen: Seen, event: dict[str, Any]) -> None:
    payload = event["response"]["payloadData"]
    seen.own_bytes += len(payload) * (0.75 if event["response"]["opcode"] == 2 else 1)


def map_frame(page: Page) -> Any:
    return next(frame for frame in page.frames if "st_folium" in frame.url)


def load(browser: Browser, address: str, ready: str) -> tuple[Page, Seen, float]:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(LIMIT_MS)
    seen, _ = watch(page)
    start = time.perf_counter()
    page.goto(address)
    frame = page.frame_locator("iframe[title*='st_folium']")
    frame.locator(ready).first.wait_for()
    return page, seen, time.perf_counter() - start


REACHABLE = """() => [...document.querySelectorAll("[data-section]")].filter((mark) => {
  const { x, y, width, height } = mark.getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2)?.closest("[data-section]") === mark;
}).map((mark) => mark.dataset.section)"""
"""Sections whose mark is not covered by another's."""


def ours(browser: Browser, project: str) -> dict[str, Any]:
    with served(TOP / "app.py", project) as address:
        page, _, cold = load(browser, address, "[data-ready]")
        page.context.close()
        paints = []
        for _ in range(LOADS):
            page, seen, seconds = load(browser, address, "[data-ready]")
            paints.append(seconds)
            if len(paints) < LOADS:
                page.context.close()
        page.wait_for_timeout(1500)
        sent, bundle = seen.own_bytes, seen.streamlit_bytes
        frame = map_frame(page)
        frame.evaluate(WATCH)
        panels, before = [], seen.own_bytes
        for i in range(CLICKS + 1):
            free = frame.evaluate(REACHABLE)
            section = free[i % len(free)]
            if f"section={section}" in page.url:
                section = free[(i + 1) % len(free)]
            started = time.perf_counter()
            frame.locator(f"[data-section='{section}']").click(force=True)
            page.wait_for_function(
                "(id) => new URLSearchParams(location.search).get('section') === id && "
                "document.querySelector('.headline')", arg=section, polling=20,
            )  # fmt: skip
            panels.append(time.perf_counter() - started)
            page.wait_for_timeout(400)
        paints_ms = frame.evaluate("() => window.paints")[1:]
        return {
            "first_paint_cold_s": cold,
            "first_paint_s": median(paints),
            "highlight_ms": median(paints_ms),
            "highlight_worst_ms": max(paints_ms),
            "panel_s": median(panels[1:]),
            "sent_kb": sent / 1024,
            "sent_per_click_kb": (seen.own_bytes - before) / (CLICKS + 1) / 1024,
            "streamlit_kb": bundle / 1024,
            "requests_elsewhere": len(seen.strangers),
            "console_errors": len(seen.complaints),
            "clicks": len(paints_ms),
        }


def documentation(browser: Browser, project: str, clicks: int = 3) -> dict[str, Any]:
    """The docs example; its highlight is a rerun, so what is timed is the click to the redrawn map."""
    with tempfile.TemporaryDirectory() as folder:
        script = shutil.copy(TOP / "benchmarks" / "docs_map.py", folder)
        (Path(folder) / "static").mkdir()
        with served(Path(script), project) as address:
            ready = ".leaflet-overlay-pane canvas"
            page, _, cold = load(browser, address, ready)
            page.context.close()
            page, seen, first = load(browser, address, ready)
            page.wait_for_timeout(1500)
            sent, before, seconds = seen.own_bytes, seen.own_bytes, []
            for i in range(clicks):
                frame = map_frame(page)
                frame.evaluate("() => (window.old = 1)")
                place = frame.evaluate(
                    """(i) => { const marks = Object.values(map_div._layers).filter((l) => l.getRadius);
                    const p = map_div.latLngToContainerPoint(marks[i].getLatLng()); return [p.x, p.y]; }""", i,
                )  # fmt: skip
                started = time.perf_counter()
                page.frame_locator("iframe[title*='st_folium']").locator(".leaflet-container").click(
                    position={"x": place[0], "y": place[1]}, force=True
                )
                deadline = time.perf_counter() + LIMIT_MS / 1000
                while time.perf_counter() < deadline:
                    try:
                        fresh = map_frame(page)
                        if fresh.evaluate(
                            "() => !window.old && !!document.querySelector('.leaflet-overlay-pane canvas')"
                        ):
                            break
                    except Exception:
                        pass
                    page.wait_for_timeout(20)
                seconds.append(time.perf_counter() - started)
                page.wait_for_timeout(500)
            return {
                "first_paint_cold_s": cold,
                "first_paint_s": first,
                "highlight_ms": 1000 * median(seconds),
                "sent_kb": sent / 1024,
                "sent_per_click_kb": (seen.own_bytes - before) / clicks / 1024,
                "requests_elsewhere": len(seen.strangers),
                "console_errors": len(seen.complaints),
            }


def measure(reaches: int, demo: bool, peer: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        if demo:
            from layers.intake.demo import demo_project

            project = str(demo_project(Path(folder) / "demo.gpkg"))
        else:
            project = str(Path(folder) / "basin.gpkg")
            tables = make_basin(reaches, min(reaches // 6 + 50, 30_000), 60 if reaches > 2000 else 12)
            layers.create_project(project, name="示例", demo=True, tables=tables).close()
        count = len(layers.open_project(project).table("reaches"))
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            result = {"reaches": count, "qingyuan": ours(browser, project)}
            if peer:
                result["docs_example"] = documentation(browser, project)
            browser.close()
    return result


def table(result: dict[str, Any]) -> str:
    names = [name for name in ("qingyuan", "docs_example") if name in result]
    lines = [f"{result['reaches']} reaches".ljust(22) + "".join(name.rjust(16) for name in names)]
    for key in result["qingyuan"]:
        cells = [result[name].get(key) for name in names]
        text = ["–" if c is None else f"{c:,.2f}" if isinstance(c, float) else str(c) for c in cells]
        lines.append(key.ljust(22) + "".join(cell.rjust(16) for cell in text))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reaches", type=int, default=5000)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    given = parser.parse_args()
    end_with_all()
    result = measure(given.reaches, given.demo, given.peer)
    print(json.dumps(result, indent=1) if given.format == "json" else table(result))


if __name__ == "__main__":
    main()
