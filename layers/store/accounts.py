"""Local accounts of a server: argon2 hashes, a pause after wrong passwords, an end date; no account before one is made.

They are kept apart from every project (a project file is passed on; passwords must not travel with it): by default in
``var/accounts.sqlite``, for several app processes in a PostgreSQL schema.  An account without a password is one whose
holder signs in elsewhere (OIDC), and gets role and county from here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hydro.errors import HydroError
from layers.store.roles import User

SHORTEST = 10
ATTEMPTS = 5
"""Wrong passwords in a row after which an account pauses; every further one doubles the pause."""
PAUSE_S = 60.0
LONGEST_PAUSE_S = 24 * 3600.0
DAY_S = 86400.0

ACCOUNTS = sa.Table(
    "accounts",
    sa.MetaData(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("county", sa.Text, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("paused_until", sa.Double, nullable=False, server_default="0"),
)
HASHER = PasswordHasher()
NOBODY = HASHER.hash("nobody has this password")
"""What the password of an unknown name is compared with, so that the answer takes as long."""


class Accounts:
    """The accounts of a server; ``clock`` tells the time in seconds since 1970."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        if "://" in url:
            self._engine = sa.create_engine(
                url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True
            )
        else:
            path = Path(url)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        ACCOUNTS.create(self._engine, checkfirst=True)

    def __len__(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(ACCOUNTS)).scalar_one())

    def add(self, name: str, password: str | None, *, role: str, county: str = "", days: float = 365) -> User:
        """Make an account, or give an existing one a new password, role, county and end date.

        Raises:
            HydroError: no name, an unknown role, a password too short or that holds the name.
        """
        user = User(_spelled(name), role, county.strip())
        if not user.name:
            raise HydroError("no_name", "请给出账号名。")
        if password is not None:
            _strong(user.name, password)
        row = {
            "hash": HASHER.hash(password) if password is not None else "",
            "role": role,
            "county": user.county,
            "expires": self.clock() + days * DAY_S,
            "failures": 0,
            "paused_until": 0.0,
        }
        with self._engine.begin() as connection:
            if not connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.name == user.name).values(row)).rowcount:
                connection.execute(sa.insert(ACCOUNTS).values(row | {"name": user.name}))
        return user

    def remove(self, name: str) -> None:
        """Close an account; what it has done stays in the books."""
        with self._engine.begin() as connection:
            if not connection.execute(sa.delete(ACCOUNTS).where(ACCOUNTS.c.name == _spelled(name))).rowcount:
                raise HydroError("no_account", "没有账号 {name}。", name=name)

    def list(self) -> pd.DataFrame:
        """Every account: name, role, county, days left, whether it pauses; never the hash."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.name)).all()
        told = [
            {
                "name": row.name,
                "role": row.role,
                "county": row.county,
                "days_left": round((row.expires - self.clock()) / DAY_S, 1),
                "paused": row.paused_until > self.clock(),
                "password": bool(row.hash),
            }
            for row in rows
        ]
        return pd.DataFrame(told, columns=["name", "role", "county", "days_left", "paused", "password"])

    def sign_in(self, name: str, password: str) -> User:
        """Whoever has this name and password.

        The attempt is counted before the password is looked at, so that many at once do not escape the count; an
        unknown name and a wrong password get the same answer, in the same time.

        Raises:
            HydroError: wrong name or password; too many wrong ones; the account has ended.
        """
        name = _spelled(name)
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(failures=ACCOUNTS.c.failures + 1)
            )
            row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name)).first()
            if row and row.failures > ATTEMPTS:
                self._paused(connection, row)
        known = row is not None and row.hash != ""
        right = _matches(row.hash if row is not None and known else NOBODY, password)
        if row is None or not (known and right):
            raise HydroError("sign_in", "账号或密码不对。请重试，或请管理员重设密码。")
        self._admit(row)
        return User(row.name, row.role, row.county)

    def signed_in_elsewhere(self, name: str) -> User:
        """Whoever another service (OIDC) vouches for by this name.

        Raises:
            HydroError: nobody here has that name, or the account has ended.
        """
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == _spelled(name))).first()
        if row is None:
            raise HydroError("unknown_here", "{name} 在本系统没有账号。请联系管理员开通。", name=name)
        self._admit(row)
        return User(row.name, row.role, row.county)

    def still(self, user: User) -> bool:
        """Whether somebody signed in earlier still has the account, role and county of then."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == user.name)).first()
        return row is not None and row.expires > self.clock() and (row.role, row.county) == (user.role, user.county)

    def _paused(self, connection: sa.Connection, row: sa.Row[Any]) -> None:
        """Refuse while the account pauses; each wrong password beyond the fifth begins a pause twice as long."""
        left = row.paused_until - self.clock()
        if left > 0:
            connection.execute(
                sa.update(ACCOUNTS).where(ACCOUNTS.c.name == row.name).values(failures=ACCOUNTS.c.failures - 1)
            )
            connection.commit()
            raise HydroError(
                "paused", "密码错误次数过多，账号暂停 {minutes} 分钟。请稍后再试。", minutes=int(left // 60) + 1
            )
        pause = min(PAUSE_S * 2.0 ** (row.failures - ATTEMPTS), LONGEST_PAUSE_S)
        connection.execute(
            sa.update(ACCOUNTS).where(ACCOUNTS.c.name == row.name).values(paused_until=self.clock() + pause)
        )

    def _admit(self, row: sa.Row[Any]) -> None:
        if row.expires <= self.clock():
            raise HydroError("expired", "账号 {name} 已到期。请联系管理员延期。", name=row.name)
        with self._engine.begin() as connection:
            fresh: dict[str, Any] = {"failures": 0, "paused_until": 0.0}
            connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.name == row.name).values(fresh))


def _spelled(name: str) -> str:
    return name.strip().casefold()


def _strong(name: str, password: str) -> None:
    if len(password) < SHORTEST or name in password.casefold() or len(set(password)) < SHORTEST // 2:
        raise HydroError("weak", "密码至少 {count} 个字符，不能含账号名，也不能多是重复字符。", count=SHORTEST)


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def default_accounts() -> str:
    """Where the accounts of this server are: what QINGYUAN_ACCOUNTS names, else ``var/accounts.sqlite``."""
    return os.environ.get("QINGYUAN_ACCOUNTS") or str(Path(__file__).resolve().parents[2] / "var" / "accounts.sqlite")
