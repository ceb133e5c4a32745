"""Whether a server's project can be read and written now, for whoever watches over it; and a log that names nobody."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
import traceback
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hydro.errors import HydroError

LOG = logging.getLogger("qingyuan")
LOW_ROOM_MB = 200


def health(place: str) -> dict[str, Any]:
    """State of a project's store: ``ok``, and if not, the ``code`` of what is wrong; never a name or a figure of it."""
    from layers.store.project import store_at
    from layers.store.tables import SCHEMA_VERSION

    began = time.perf_counter()
    told: dict[str, Any] = {"ok": False}
    try:
        store = store_at(place)
        facts = store.facts()
        store.close()
        told |= {"revision": int(facts["revision"]), "schema_version": int(facts["schema_version"])}
        told["ok"] = told["schema_version"] <= SCHEMA_VERSION
        if "://" not in place:
            told["free_mb"] = shutil.disk_usage(Path(place).resolve().parent).free // 1_000_000
            told["ok"] = told["ok"] and told["free_mb"] >= LOW_ROOM_MB
    except HydroError as problem:
        told["code"] = problem.code
    return told | {"ms": round((time.perf_counter() - began) * 1000, 1)}


def serve(place: str, *, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server that answers ``GET /health`` with 200 or 503; the caller runs ``serve_forever``."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = health(place) if self.path == "/health" else None
            body = json.dumps(told or {}).encode()
            self.send_response(404 if told is None else 200 if told["ok"] else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            LOG.debug("health", extra={"event": "health"})

    return ThreadingHTTPServer((host, port), Door)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event and its measures; names, addresses and free text stay out."""

    SAFE = ("revision", "rows", "tables", "ms", "code", "role", "verb", "store", "outlets", "number")

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
        }
        told |= {name: getattr(record, name) for name in self.SAFE if hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            last = traceback.extract_tb(record.exc_info[2])[-1:]
            told["error"] = record.exc_info[0].__name__
            told["where"] = next((f"{Path(frame.filename).name}:{frame.lineno}" for frame in last), "")
        return json.dumps(told, ensure_ascii=False, default=str)


def log_to(stream: Any = None) -> None:
    """Send the program's own log to a stream (standard error by default), as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def note_defect() -> str:
    """Log the exception at hand as a defect of the program, and give the number it is found by in the log."""
    number = uuid.uuid4().hex[:8]
    LOG.error("defect", exc_info=True, extra={"event": "defect", "number": number})
    return number
