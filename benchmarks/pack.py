"""How long a month's pack takes, and how large its pages are: ``python benchmarks/pack.py [--reaches N] [--pages]``.

Prints seconds and peak memory of the whole pack for the demo with its 7 provincial sections, for the demo with 60 sections
(strewn along its reaches, each with the readings of a real one); then, of the demo and of a large project, the size of the
offline map and of the meeting, and how long Chromium takes with the network closed from opening the file to the picture
(``--pages``: only these).
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from shutil import which

import geopandas as gpd
import numpy as np
import pandas as pd

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))
import hydro  # noqa: E402
from reports.meeting import meeting  # noqa: E402
from reports.month import build_content  # noqa: E402
from reports.offline import offline_map  # noqa: E402
from reports.pack import make_pack  # noqa: E402

DEMO = TOP / "data" / "demo"


def tables() -> dict[str, pd.DataFrame]:
    """The demo's tables as files hold them."""
    spatial = {path.stem: gpd.read_file(path) for path in sorted(DEMO.glob("*.geojson"))}
    return spatial | {
        name: pd.read_csv(DEMO / f"{name}.csv", dtype={"time": str}) for name in ("observations", "weather", "tasks")
    }


def provincial(given: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Only the seven provincial sections."""
    return given | {"sections": given["sections"][given["sections"]["level"] == "省控"]}


def many(given: dict[str, pd.DataFrame], count: int) -> dict[str, pd.DataFrame]:
    """``count`` sections, each a copy of a real one put on a reach of its own."""
    reaches, first = given["reaches"].set_index("reach_id"), given["sections"]
    seen = given["observations"]
    own = seen[seen["station_kind"] == "section"]
    sections, readings = [], [seen[seen["station_kind"] != "section"]]
    for i, reach_id in enumerate(reaches.index[:: max(len(reaches) // count, 1)][:count]):
        model = first.iloc[i % len(first)]
        middle = reaches.geometry[reach_id].interpolate(0.5, normalized=True)
        place = {
            "section_id": f"X{i:02d}",
            "name": f"断面{i:02d}",
            "reach_id": reach_id,
            "chainage_m": 10.0,
            "geometry": middle,
        }
        sections.append(model.to_dict() | place)
        readings.append(own[own["station_id"] == model["section_id"]].assign(station_id=f"X{i:02d}"))
    return given | {
        "sections": gpd.GeoDataFrame(sections, crs=4490),
        "observations": pd.concat(readings, ignore_index=True),
    }


class Inventory(hydro.Inquiry):
    """Sources as the inventory tells them: judging 36 months of 3,000 outlets takes minutes and changes no page's size."""

    def explain(self, section: str, time: str | None = None) -> hydro.Trace:
        """The trace alone."""
        return hydro.trace_sources(self.network, section, time=time)


def timed(name: str, given: dict[str, pd.DataFrame]) -> None:
    """Make the pack and print what it took."""
    start = time.perf_counter()
    network = hydro.build_network(given)
    content = build_content(network, given, "2022-07", project="示例流域", demo=True, tasks=given["tasks"])
    sizes = {file: len(data) for file, data in make_pack(content)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {time.perf_counter() - start:.1f} s, peak {peak:.0f} MB, "
        + ", ".join(f"{k} {v / 1e6:.2f} MB" for k, v in sizes.items())
    )


OPENINGS = 5
READY = {"map": "document.body.dataset.ready === '1'", "meeting": "document.querySelector('main svg path') !== null"}
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def opening(pages: dict[str, bytes]) -> None:
    """Print the size of pages, and how long they take to open: the median of a few, each in a browser without memory of it."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=flags)
        for name, page in pages.items():
            path = Path(folder) / f"{name}.html"
            path.write_bytes(page)
            seconds = []
            for _ in range(OPENINGS):
                context = browser.new_context(viewport={"width": 1600, "height": 900}, offline=True)
                tab = context.new_page()
                start = time.perf_counter()
                tab.goto(path.as_uri(), wait_until="commit")
                tab.wait_for_function(READY[name.split()[0]], timeout=60_000)
                tab.evaluate(PAINTED)
                seconds.append(time.perf_counter() - start)
                context.close()
            print(
                f"{name}: {len(page) / 1e6:.2f} MB, opened in {np.median(seconds):.1f} s "
                f"({min(seconds):.1f} to {max(seconds):.1f}), load {os.getloadavg()[0]:.1f}"
            )
        browser.close()


def pages(reaches: int) -> dict[str, bytes]:
    """The offline map and the meeting of the demo, and of a basin with so many reaches."""
    from benchmarks.synthetic import make_basin

    made = {}
    for name, given in (("the demo", tables()), (f"{reaches} reaches", make_basin(reaches, 3_000, 12))):
        network = hydro.build_network(given)
        month = network.observations.times("section", "TP")[-1]
        content = build_content(network, given, month, project=name, inquiry=Inventory(network))
        made |= {f"map of {name}": offline_map(content), f"meeting of {name}": meeting(content)}
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=20_000)
    parser.add_argument("--pages", action="store_true")
    asked = parser.parse_args()
    if not asked.pages:
        timed("7 sections", provincial(tables()))
        timed("60 sections", many(tables(), 60))
    opening(pages(asked.reaches))
