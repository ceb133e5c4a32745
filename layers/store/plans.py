"""Plans: named sets of decisions on outlets, from draft to approved; every step has its row in the book.

A decision is made against what its maker has seen (``seen``: outlet -> revision of the decision shown, 0 for none).
If somebody has decided meanwhile, nothing is written and the :class:`ConflictError` holds both versions to choose from.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from hydro.errors import Fault, FaultsError, HydroError, Phrase
from hydro.planning.measure import outlet_water_m3_d, spare_m3_d
from hydro.schema import attributes
from layers.store.attachments import attach, attached, content
from layers.store.audit import now
from layers.store.rows import Row
from layers.store.tables import declared
from layers.store.work import Work, bare

if TYPE_CHECKING:
    from layers.store.desk import Desk

DECISIONS = ("undecided", "regulate", "merge", "seal")


@dataclass(frozen=True)
class Step:
    """A move of a plan: from which states, to which, the right it takes, and its word."""

    sources: tuple[str, ...]
    target: str
    right: str
    word: str


STEPS: Mapping[str, Step] = {
    "submit": Step(("draft", "rejected"), "submitted", "decide", "提交"),
    "reject": Step(("submitted",), "rejected", "approve", "退回"),
    "approve": Step(("submitted",), "approved", "approve", "批准"),
    "archive": Step(("draft", "rejected", "approved"), "archived", "approve", "归档"),
}
OPEN = ("draft", "rejected")
"""States in which a plan's decisions may still change."""


class ConflictError(HydroError):
    """Others have decided meanwhile: ``theirs`` is what stands now, ``mine`` what was to be written, by outlet."""

    def __init__(self, theirs: Mapping[str, Row], mine: Mapping[str, Row]) -> None:
        self.theirs, self.mine = dict(theirs), dict(mine)
        super().__init__(
            "conflict",
            "{count} 个排污口已被别人改过：{outlets}。请对照两个版本后再选择，您的改动尚未保存。",
            count=len(self.mine),
            outlets="、".join(sorted(self.mine)),
        )


class Plans:
    """The plans of a project; each method is one transaction."""

    def __init__(self, project: Desk) -> None:
        self.project = project

    def create(self, name: str, *, description: str = "", base: str | None = None, why: str = "") -> str:
        """Make a draft, empty or with the decisions of another plan, and return its id."""
        self.project.user.must("decide")
        plan_id = uuid.uuid4().hex[:8]
        with self.project.change() as work:
            if work.rows("plans", name=name):
                raise HydroError("plan_exists", "已有名为 {plan} 的方案。请换一个名字。", plan=name)
            row = {"plan_id": plan_id, "name": name, "description": description, "state": "draft"}
            work.put("plans", None, row | {"created_by": self.project.user.name, "created_on": now()}, "create", why)
            if base:
                copied = work.rows("decisions", plan_id=work.plan(base)["plan_id"])
                self._must("decide", work, (old["outlet_id"] for old in copied))
                for old in copied:
                    work.put("decisions", None, bare(old) | {"plan_id": plan_id}, "decide", why)
        return plan_id

    def decide(
        self,
        plan: str,
        outlets: Iterable[str],
        decision: str,
        *,
        seen: Mapping[str, int],
        merge_to: str = "",
        why: str = "",
    ) -> int:
        """Decide on one outlet or many alike, all or none, and return the revision after it.

        Raises:
            ConflictError: somebody has decided on one of them since it was seen.
            HydroError: no such plan, decision or plant; the plan is no longer open; the plant has no room; no right.
            FaultsError: outlets that do not exist.
        """
        self.project.user.must("decide")
        wanted = list(dict.fromkeys(outlets))
        if decision not in DECISIONS:
            raise HydroError(
                "unknown_decision",
                "没有“{decision}”这种处置。可选：{known}。",
                decision=decision,
                known="、".join(DECISIONS),
            )
        with self.project.change() as work:
            plan_row = work.open_plan(plan)
            known = {row["outlet_id"]: row for row in work.rows("outlets", outlet_id=wanted)}
            _all_known(wanted, known)
            self.project.user.must("decide", (known[outlet].get("county") or "" for outlet in wanted))
            concerned = (
                {} if decision == "merge" else {"outlet_id": wanted}
            )  # a plant's room depends on all of the plan
            rows = work.rows("decisions", plan_id=plan_row["plan_id"], **concerned)
            standing = {row["outlet_id"]: row for row in rows}
            made = {
                outlet: {
                    "plan_id": plan_row["plan_id"],
                    "outlet_id": outlet,
                    "decision": decision,
                    "merge_to": merge_to if decision == "merge" else None,
                    "reason": why,
                    "decided_by": self.project.user.name,
                    "decided_on": now(),
                }
                for outlet in wanted
            }
            stale = [outlet for outlet in wanted if _revision(standing.get(outlet)) != seen.get(outlet, 0)]
            if stale:
                raise ConflictError(
                    {outlet: standing.get(outlet, {}) for outlet in stale}, {outlet: made[outlet] for outlet in stale}
                )
            if decision == "merge":
                _room(work, standing | made, merge_to)
            for outlet in wanted:
                work.put("decisions", standing.get(outlet), made[outlet], "decide", why)
            return work.revision

    def undo(self, plan: str, *, why: str = "") -> list[str]:
        """Take back one's own last decisions in a plan, and return the outlets concerned; again: the ones before.

        Raises:
            ConflictError: somebody has decided on one of them since.
            HydroError: there is nothing (more) to undo.
        """
        user = self.project.user
        user.must("decide")
        with self.project.change() as work:
            plan_id = work.open_plan(plan)["plan_id"]
            made = [entry for entry in work.entries("decisions", user.name) if entry.row_id.startswith(f"{plan_id}/")]
            undone = {entry.what.removeprefix("undo ") for entry in made if entry.what.startswith("undo ")}
            open_steps = [entry for entry in made if entry.what == "decide" and str(entry.revision) not in undone]
            if not open_steps:
                raise HydroError("nothing_to_undo", "方案 {plan} 里没有您可以撤销的决定。", plan=plan)
            last = open_steps[-1].revision
            standing = {row["outlet_id"]: row for row in work.rows("decisions", plan_id=plan_id)}
            before: dict[str, Row] = {}
            stale = []
            for entry in open_steps:
                if entry.revision == last:
                    after, outlet = json.loads(entry.after), entry.row_id.split("/", 1)[1]
                    before[outlet] = json.loads(entry.before) or {}
                    if bare(standing.get(outlet, {})) != after:
                        stale.append(outlet)
            if stale:
                raise ConflictError({o: standing.get(o, {}) for o in stale}, {o: before[o] for o in stale})
            for outlet, row in before.items():
                work.put("decisions", standing[outlet], row or None, f"undo {last}", why)
        return list(before)

    def submit(self, plan: str, *, why: str = "") -> None:
        """Hand a draft in for approval."""
        self.step(plan, "submit", why=why)

    def reject(self, plan: str, *, why: str) -> None:
        """Give a submitted plan back, to be changed."""
        self.step(plan, "reject", why=why)

    def archive(self, plan: str, *, why: str = "") -> None:
        """Put a plan away; what was approved stays in the registers."""
        self.step(plan, "archive", why=why)

    def approve(self, plan: str, *, why: str = "") -> None:
        """Approve a submitted plan: its decisions enter the register of outlets, in the same transaction."""
        self.step(plan, "approve", why=why)

    def steps(self, state: str) -> list[str]:
        """The steps that lead on from a state."""
        return [verb for verb, step in STEPS.items() if state in step.sources]

    def right(self, verb: str) -> str:
        """The right that a step takes."""
        return STEPS[verb].right

    def step(self, plan: str, verb: str, *, why: str = "") -> None:
        """Take a plan one step on; see ``STEPS``."""
        step, user = STEPS[verb], self.project.user
        user.must(step.right)
        with self.project.change() as work:
            row = work.plan(plan)
            if row["state"] not in step.sources:
                state = attributes("plans")["state"]
                raise HydroError(
                    "wrong_state",
                    "方案 {plan} 现在是“{state}”，不能{verb}；须先处于“{sources}”。",
                    plan=plan,
                    state=state.word(row["state"]),
                    verb=Phrase.named(step.word, en=verb),
                    sources=state.word(*step.sources),
                )
            decided = work.rows("decisions", plan_id=row["plan_id"])
            known = self._must(step.right, work, (each["outlet_id"] for each in decided))
            changed: Row = {"state": step.target}
            if verb == "approve":
                _all_known((each["outlet_id"] for each in decided), known)
                changed |= {"approved_by": user.name, "approved_on": now()}
                for each in decided:
                    adopted = {"decision": each["decision"], "merge_to": each.get("merge_to")}
                    outlet = known[each["outlet_id"]]
                    if any(outlet.get(name) != value for name, value in adopted.items()):
                        work.put("outlets", outlet, outlet | adopted, "approve", why)
            work.put("plans", row, row | changed, verb, why)

    def _must(self, right: str, work: Work, outlets: Iterable[str]) -> dict[str, Row]:
        """Refuse what touches outlets of a county that is not the user's; return the outlets by id."""
        wanted = [*outlets]
        known = {str(row["outlet_id"]): row for row in work.rows("outlets")} if wanted else {}
        self.project.user.must(right, (known.get(outlet, {}).get("county") or "" for outlet in wanted))
        return known

    def list(self) -> pd.DataFrame:
        """Every plan, with the number of its decisions."""
        found = self.project.tables(["plans", "decisions"])
        counts = found["decisions"].groupby("plan_id").size()
        plans = found["plans"]
        return plans.assign(decisions=plans["plan_id"].map(counts).fillna(0).astype(int))

    def decisions(self, plan: str) -> pd.DataFrame:
        """Decisions of a plan by outlet, each with its ``revision``: what ``seen`` asks for."""
        with self.project.look() as work:
            rows = work.rows("decisions", plan_id=work.plan(plan)["plan_id"])
        table = pd.DataFrame(rows, columns=[*declared("decisions"), "row_revision"]).set_index("outlet_id")
        return table.rename(columns={"row_revision": "revision"})

    def seen(self, plan: str) -> dict[str, int]:
        """Outlet -> revision of its decision, as it stands now: to be taken when the decisions are shown."""
        return {str(outlet): int(revision) for outlet, revision in self.decisions(plan)["revision"].items()}

    def attach(self, plan: str, outlet: str, name: str, content: bytes, *, why: str = "") -> str:
        """Attach a photo or document to a decision; see :func:`layers.store.attachments.attach`."""
        return attach(self.project, plan, outlet, name, content, why=why)

    def attachments(self, plan: str) -> pd.DataFrame:
        """What is attached in a plan, without the content."""
        return attached(self.project, plan)

    def attachment(self, attachment_id: str) -> bytes:
        """An attached file itself."""
        return content(self.project, attachment_id)

    def diff(self, one: str, other: str) -> pd.DataFrame:
        """Outlets on which two plans differ: columns outlet_id, decision and merge_to of each, and who decided."""
        with self.project.look() as work:
            sides = [
                {row["outlet_id"]: row for row in work.rows("decisions", plan_id=work.plan(plan)["plan_id"])}
                for plan in (one, other)
            ]
        found = []
        for outlet in sorted(sides[0].keys() | sides[1].keys()):
            rows = [side.get(outlet, {}) for side in sides]
            choices = [(row.get("decision") or "undecided", row.get("merge_to") or "") for row in rows]
            if choices[0] != choices[1]:
                found.append((outlet, *choices[0], rows[0].get("decided_by"), *choices[1], rows[1].get("decided_by")))
        columns = ["outlet_id", "decision_a", "merge_to_a", "by_a", "decision_b", "merge_to_b", "by_b"]
        return pd.DataFrame(found, columns=columns)


def _all_known(wanted: Iterable[str], known: Mapping[str, Row]) -> None:
    faults = [
        Fault(
            "no_outlet",
            "没有编号为 {outlet} 的排污口。请核对编号。",
            {"outlet": outlet},
            "decisions",
            outlet,
            "outlet_id",
        )
        for outlet in wanted
        if outlet not in known
    ]
    if faults:
        raise FaultsError(faults)


def _room(work: Work, decided: Mapping[str, Row], plant_id: str) -> None:
    """Refuse a merge that the plant has no room for: spare capacity less what the plan leads there already."""
    plants = work.rows("plants", plant_id=plant_id) if plant_id else []
    if not plants:
        raise HydroError("no_plant", "没有编号为 {plant} 的污水处理厂，请指明接入哪座厂。", plant=plant_id or "-")
    led = [outlet for outlet, row in decided.items() if row["decision"] == "merge" and row.get("merge_to") == plant_id]
    others = pd.DataFrame([row for row in work.rows("outlets") if row["outlet_id"] in led])
    need, spare = float(outlet_water_m3_d(others).sum()), float(spare_m3_d(pd.DataFrame(plants)).iloc[0])
    if need > spare * (1 + 1e-9) + 1e-9:
        raise HydroError(
            "no_room",
            "污水处理厂 {plant} 余量 {spare:g} m³/d，接入 {count} 个排污口共需 {need:g} m³/d。请换一座厂或先扩容。",
            plant=plant_id,
            spare=max(spare, 0.0),
            count=len(led),
            need=need,
        )


def _revision(row: Row | None) -> int:
    return int(row["row_revision"]) if row else 0
