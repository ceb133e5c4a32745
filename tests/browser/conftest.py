"""A real server and a real Chromium that may talk to nobody else."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, FrameLocator, Page, Request, Route, expect

TOP = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium on PATH")
        pytest.skip("no chromium on PATH")
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1366, "height": 768}, "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start the app on a project (path or URL; blank: the demo) and give its address; one server a project."""
    running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def start(project: str) -> str:
        if project not in running:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            log = tmp_path_factory.mktemp("app") / "log"
            command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
            process = subprocess.Popen(
                command,
                cwd=TOP,
                env={**os.environ, "QINGYUAN_PROJECT": project},
                stdout=log.open("wb"),
                stderr=subprocess.STDOUT,
            )
            address = f"http://127.0.0.1:{port}"
            running[project] = (process, address)
            await_health(address, process, log)
        return running[project][1]

    yield start
    for process, _ in running.values():
        process.terminate()
        process.wait(10)


def await_health(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text()}")


@dataclass
class Visit:
    """A page that is watched: what it asked of others, what it complained about."""

    page: Page
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> FrameLocator:
        """Go there and wait for the map to be drawn."""
        self.page.goto(address)
        return self.map()

    def map(self) -> FrameLocator:
        frame = self.page.frame_locator("iframe[title*='st_folium']")
        frame.locator("[data-ready]").wait_for(timeout=PATIENCE_MS)
        return frame

    def ask_map(self, script: str, argument: Any = None) -> Any:
        """Run a script in the frame of the map."""
        for frame in self.page.frames:
            if "st_folium" in frame.url:
                return frame.evaluate(script, argument)
        raise AssertionError("no map on the page")


@pytest.fixture
def visit(page: Page) -> Iterator[Visit]:
    """A page with the network closed: any request to another host is recorded and refused."""
    seen = Visit(page)

    def guard(route: Route, request: Request) -> None:
        if request.url.startswith(("http://127.0.0.1:", "data:", "blob:", "file:")):
            route.continue_()
        else:
            seen.strangers.append(request.url)
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            seen.complaints.append(message.text)

    page.context.route("**/*", guard)
    page.on("console", hear)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    yield seen
    assert not seen.strangers
    assert not seen.complaints
