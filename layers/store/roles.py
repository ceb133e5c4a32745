"""Who may do what: a table, asked by the store's own functions and not by the pages that call them."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hydro.errors import HydroError, Phrase

ROLES: Mapping[str, Phrase] = {
    "viewer": Phrase("查看"),
    "staff": Phrase("填报"),
    "planner": Phrase("规划"),
    "approver": Phrase("审批"),
    "administrator": Phrase("管理"),
}
"""Role -> what it is called, from least to most; each may do what those before it may."""
RANK = {role: rank for rank, role in enumerate(ROLES)}

RIGHTS: Mapping[str, str] = {
    "read": "viewer",
    "write": "staff",
    "decide": "planner",
    "approve": "approver",
    "administer": "administrator",
}
"""Right -> the least role that has it."""


@dataclass(frozen=True)
class User:
    """Somebody at work on a project; ``county`` blank: the whole city."""

    name: str
    role: str = "viewer"
    county: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise HydroError(
                "unknown_role", "没有角色 {role}。角色有：{known}。", role=self.role, known="、".join(ROLES)
            )

    def may(self, right: str) -> bool:
        """Whether the user's role has a right."""
        return RANK[self.role] >= RANK[RIGHTS[right]]

    def must(self, right: str, counties: Iterable[str] = ()) -> None:
        """Refuse what the user's role does not allow, or what lies outside the user's county.

        Raises:
            HydroError: with the role that would be needed, or the counties that are not the user's.
        """
        if not self.may(right):
            raise HydroError(
                "no_right",
                "{who} 的角色是“{role}”，此操作需要“{needed}”。请联系管理员。",
                who=self.name,
                role=ROLES[self.role],
                needed=ROLES[RIGHTS[right]],
            )
        foreign = sorted({county or "-" for county in counties if county != self.county}) if self.county else []
        if foreign:
            raise HydroError(
                "other_county",
                "{who} 只能改动 {county} 的数据，这里涉及 {foreign}。请联系该县或市级人员。",
                who=self.name,
                county=self.county,
                foreign="、".join(foreign),
            )


def local_user() -> User:
    """Whoever sits at this machine: on one machine there is no sign-in, and nobody to ask."""
    return User(getpass.getuser(), "administrator")
