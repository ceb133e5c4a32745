"""Photos and documents that speak for a decision; kept inside the project, so that they travel with it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from hydro.errors import HydroError
from layers.store import audit
from layers.store.audit import now
from layers.store.rows import MODULUS, fingerprint

if TYPE_CHECKING:
    from layers.store.desk import Desk

LIMIT_BYTES = 20_000_000
KINDS = {
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".pdf": (b"%PDF-",),
    ".docx": (b"PK\x03\x04",),
    ".xlsx": (b"PK\x03\x04",),
}
"""What may be attached, and how such a file begins: the name alone proves nothing."""

ATTACHMENTS = sa.Table(
    "attachments",
    sa.MetaData(),
    sa.Column("attachment_id", sa.Text, primary_key=True),
    sa.Column("plan_id", sa.Text, nullable=False),
    sa.Column("outlet_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("added_on", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
TOLD = [column for column in ATTACHMENTS.columns if column.name != "content"]


def attach(project: Desk, plan: str, outlet: str, name: str, content: bytes, *, why: str = "") -> str:
    """Attach a file to the decision on an outlet, and return its id.

    Raises:
        HydroError: too large, of a kind not allowed or not what its name says; no such decision; no right.
    """
    project.user.must("decide")
    name = safe_name(name)
    suffix = PurePosixPath(name).suffix.lower()
    if len(content) > LIMIT_BYTES:
        raise HydroError(
            "too_large", "附件 {name} 超过 {limit} MB。请压缩后再传。", name=name, limit=LIMIT_BYTES // 1_000_000
        )
    if not content.startswith(KINDS.get(suffix, ())) or suffix not in KINDS:
        raise HydroError(
            "bad_attachment", "附件 {name} 不是可接受的类型。可用：{known}。", name=name, known="、".join(KINDS)
        )
    with project.change() as work:
        plan_id = work.open_plan(plan)["plan_id"]
        decision = work.rows("decisions", plan_id=plan_id, outlet_id=outlet)
        if not decision:
            raise HydroError("no_decision", "方案 {plan} 里还没有对 {outlet} 的决定。", plan=plan, outlet=outlet)
        counties = [row.get("county") or "" for row in work.rows("outlets", outlet_id=outlet)]
        project.user.must("decide", counties)
        told = {
            "attachment_id": uuid.uuid4().hex,
            "plan_id": plan_id,
            "outlet_id": outlet,
            "name": name,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "added_by": project.user.name,
            "added_on": now(),
        }
        work.connection.execute(sa.insert(ATTACHMENTS).values(told | {"content": content}))
        audit.append(
            work.connection,
            revision=work.turn(),
            who=project.user.name,
            what="attach",
            table="attachments",
            row=str(told["attachment_id"]),
            after=told,
            why=why,
            digest=(audit.last_digest(work.connection, "attachments") + fingerprint(told)) % MODULUS,
        )
    return str(told["attachment_id"])


def attached(project: Desk, plan: str) -> pd.DataFrame:
    """What is attached in a plan: everything but the content."""
    with project.look() as work:
        chosen = sa.select(*TOLD).where(ATTACHMENTS.c.plan_id == work.plan(plan)["plan_id"])
        rows = work.connection.execute(chosen).mappings().all()
    return pd.DataFrame(rows, columns=[column.name for column in TOLD])


def content(project: Desk, attachment_id: str) -> bytes:
    """The file itself."""
    with project.look() as work:
        chosen = sa.select(ATTACHMENTS.c.content).where(ATTACHMENTS.c.attachment_id == attachment_id)
        found = work.connection.execute(chosen).scalar()
    if found is None:
        raise HydroError("no_attachment", "没有编号为 {id} 的附件。", id=attachment_id)
    return bytes(found)


def matches(told: Mapping[str, Any], content: bytes) -> bool:
    """Whether a file is still the one that was attached."""
    return bool(told["sha256"] == hashlib.sha256(content).hexdigest())


def safe_name(name: str) -> str:
    """The last part of a path, as either kind of system writes it, without what is no letter: never a way elsewhere."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return "".join(letter for letter in last if letter.isprintable()).strip(". ")[:120] or "file"


def create(connection: sa.Connection) -> None:
    """Make the table."""
    ATTACHMENTS.create(connection)
