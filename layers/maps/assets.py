"""Files that the browser fetches: Leaflet from its installed package, the map's own scripts, the packed networks.

Everything is named by what it holds (``network-1f3a….gz``), so that a browser may keep it for ever and a changed file is
a new file.  The folder is made at run time and never committed; what has not been used lately is removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

LEAFLET = "js_lib_leaflet"
HERE = Path(__file__).parent / "browser"
SCRIPTS = (
    "pack", "archive", "topology", "sheet", "ground", "rivers", "points", "sections", "labels", "furniture", "plan", "main",
)  # fmt: skip
KEEP_S = 86_400.0


def leaflet() -> Path:
    """The folder of Leaflet's own files, from the package that ships it."""
    spec = find_spec(LEAFLET)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("django-js-lib-leaflet")
    return Path(spec.origin).parent / "static" / LEAFLET


def script() -> str:
    """The map's script: its parts in order, one scope."""
    parts = (HERE / f"{name}.js" for name in SCRIPTS)
    return "(() => {\n" + "\n".join(part.read_text(encoding="utf-8") for part in parts) + "})();\n"


def sheet() -> str:
    """The map's style sheet."""
    return (HERE / "map.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Shelf:
    """A folder of served files and the address it is served at (relative to the page that asks)."""

    folder: Path
    address: str

    def put(self, stem: str, data: bytes, suffix: str) -> str:
        """Keep ``data`` under a name made from it, and give its address. Safe with several writers at once."""
        name = f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.{suffix}"
        path = self.folder / name
        if path.exists():
            os.utime(path)
            return f"{self.address}/{name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self.folder, prefix=".")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
        self.prune(stem)
        return f"{self.address}/{name}"

    def prune(self, stem: str) -> None:
        """Remove the files of a kind that nobody has asked to be kept for a day."""
        limit = time.time() - KEEP_S
        for path in self.folder.glob(f"{stem}-*"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)

    def library(self) -> dict[str, str]:
        """Addresses of Leaflet and of the map's own script and style sheet, put on the shelf where they are not yet."""
        source = leaflet()
        for name in ("leaflet.js", "leaflet.css", "images"):
            target = self.folder / "leaflet" / name
            if (source / name).is_dir():
                shutil.copytree(source / name, target, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, target)
        return {
            "leaflet.js": f"{self.address}/leaflet/leaflet.js",
            "leaflet.css": f"{self.address}/leaflet/leaflet.css",
            "map.js": self.put("map", script().encode(), "js"),
            "map.css": self.put("map", sheet().encode(), "css"),
        }
