"""Whether a path lies on a network share, where SQLite's locks cannot be relied on.

A write-ahead log needs memory that all its users share, so it does not work over a network file system at all
(https://www.sqlite.org/wal.html, "all processes using a database must be on the same host computer").
"""

from __future__ import annotations

import ntpath
import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
REMOTE = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "davfs",
    "fuse.sshfs", "fuse.davfs2", "fuse.rclone", "fuse.glusterfs", "fuse.smbnetfs",
}  # fmt: skip
REMOTE_DRIVE = 4
"""What Windows calls a drive letter that stands for a share (DRIVE_REMOTE)."""


def share(path: Path, mounts: Path | None = None) -> str:
    """Kind of the network share that a path lies on (``nfs4``, ``cifs``, ``UNC`` …); blank on a local disk."""
    if os.name == "nt":
        return _windows(str(path.absolute()))
    try:
        told = (mounts or MOUNTS).read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: nothing is known, nothing is refused
        return ""
    kind = _holding(path.resolve(), told)
    return kind if kind in REMOTE else ""


def _holding(path: Path, mountinfo: str) -> str:
    """Type of the file system that holds a path: of all mounts above it the deepest, of equals the last (proc(5))."""
    found, depth = "", -1
    for line in mountinfo.splitlines():
        mount, _, system = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount.split(" ")[4]))
        if path.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = system.split(" ")[0], len(point.parts)
    return found


def _windows(path: str) -> str:
    drive = ntpath.splitdrive(path)[0]
    if drive.startswith(("\\\\", "//")):
        return "UNC"
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - exists on Windows alone, which the type checker does not run on
    return "UNC" if kernel.GetDriveTypeW(f"{drive}\\") == REMOTE_DRIVE else ""
