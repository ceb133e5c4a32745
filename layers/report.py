"""What an import did with every row: entered, mended, refused, asked. Sentences are templates, translated at the doors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydro.errors import Fault, fill

Say = Callable[..., str]


def plainly(source: str, /, **params: Any) -> str:
    """A sentence in the source language."""
    return fill(source, params)


@dataclass(frozen=True)
class Entry:
    """One row that was mended or refused: where it stood in the file, its id, and why."""

    table: str
    row: int | None
    id: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True)
class Proposal:
    """One possible answer to a question: the option that gives it, and the evidence for it."""

    option: str
    evidence: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def told(self, say: Say = plainly) -> str:
        """Option and evidence as one sentence."""
        return f"{self.option}：{say(self.evidence, **self.params)}"


@dataclass(frozen=True)
class Question:
    """What only the user can know; nothing enters a project while one is open."""

    file: str
    message: str
    params: Mapping[str, Any]
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True)
class NetworkFigures:
    """The shape of the imported network."""

    reaches: int = 0
    nodes: int = 0
    mouths: int = 0
    splits: int = 0
    components: int = 0
    loops: tuple[tuple[str, ...], ...] = ()
    dangling: tuple[tuple[str, float], ...] = ()
    crossings: tuple[tuple[str, str], ...] = ()

    def json(self) -> dict[str, Any]:
        """The ``network`` of the report, as SCHEMA words it."""
        return {
            "reaches": self.reaches,
            "nodes": self.nodes,
            "mouths": self.mouths,
            "splits": self.splits,
            "components": self.components,
            "loops": [list(loop) for loop in self.loops],
            "dangling": [{"reach_id": reach, "gap_m": round(gap, 1)} for reach, gap in self.dangling],
            "crossings": [list(pair) for pair in self.crossings],
        }


@dataclass
class Report:
    """The account of one import. ``sound`` says whether it may enter a project."""

    accepted: Counter[str] = field(default_factory=Counter)
    mended: list[Entry] = field(default_factory=list)
    refused: list[Entry] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    network: NetworkFigures = field(default_factory=NetworkFigures)
    read_as: list[dict[str, Any]] = field(default_factory=list)
    """How every layer was understood: file, layer, table, rows, crs, columns {source: [attribute, unit, confidence]}."""
    _said: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def sound(self) -> bool:
        """Whether every row can enter and no question is open."""
        return not self.refused and not self.asked

    def mend(self, table: str, row: int | None, id: str, message: str, /, **params: Any) -> None:
        """List a row that was changed, or left out without loss."""
        self.mended.append(Entry(table, row, id, message, params))

    def refuse(self, table: str, row: int | None, id: str, message: str, /, **params: Any) -> None:
        """List a row that cannot enter."""
        self.refused.append(Entry(table, row, id, message, params))

    def ask(self, file: str, message: str, proposals: Sequence[Proposal], /, **params: Any) -> None:
        """Open a question; the same question about the same file is asked once."""
        question = Question(file, message, params, tuple(proposals))
        if self._new(question):
            self.asked.append(question)

    def warn(self, code: str, message: str, /, **params: Any) -> None:
        """Tell something worth knowing; ``table``, ``row`` and ``column`` among the parameters also say where."""
        table, row, column = (str(params.get(name, "")) for name in ("table", "row", "column"))
        fault = Fault(code, message, params, table, row, column, warning=True)
        if self._new(fault):
            self.warnings.append(fault)

    def _new(self, said: Fault | Question) -> bool:
        """Whether this is said for the first time; a large file says thousands of things."""
        key = repr(said)
        known = key in self._said
        self._said.add(key)
        return not known

    def json(self, say: Say = plainly) -> dict[str, Any]:
        """The report as the contract has it."""
        return {
            "accepted": dict(self.accepted),
            "mended": [_entry(entry, say) for entry in self.mended],
            "refused": [_entry(entry, say) for entry in self.refused],
            "asked": [
                {
                    "file": question.file,
                    "what": say(question.message, **question.params),
                    "proposals": [proposal.told(say) for proposal in question.proposals],
                }
                for question in self.asked
            ],
            "warnings": [say(fault.message, **fault.params) for fault in self.warnings],
            "network": self.network.json(),
        }

    def rows(self, say: Say = plainly) -> list[dict[str, Any]]:
        """The report as one table, a line an entry, to be sent back to whoever made the files."""
        told = self.json(say)
        entries = [{"kind": kind, **entry} for kind in ("refused", "mended") for entry in told[kind]]
        entries += [
            {
                "kind": "asked",
                "table": q["file"],
                "row": None,
                "id": "",
                "what": "；".join([q["what"], *q["proposals"]]),
            }
            for q in told["asked"]
        ]
        return entries + [
            {"kind": "warning", "table": "", "row": None, "id": "", "what": what} for what in told["warnings"]
        ]

    def lines(self, say: Say = plainly, *, limit: int = 20) -> Iterable[str]:
        """The report for a terminal: counts first, then what needs the user's word, then what was refused and mended."""
        for table, count in self.accepted.items():
            yield say("{table}：可入库 {count} 行", table=table, count=count)
        for question in self.asked:
            yield say("需要您确认（{file}）：", file=question.file) + say(question.message, **question.params)
            yield from (f"    {proposal.told(say)}" for proposal in question.proposals)
        for title, entries in (("拒收 {count} 行：", self.refused), ("已修整 {count} 行：", self.mended)):
            if entries:
                yield say(title, count=len(entries))
                yield from ("    " + _entry_line(entry, say) for entry in entries[:limit])
                if len(entries) > limit:
                    yield "    " + say("……其余 {count} 行见 --format json", count=len(entries) - limit)
        for fault in self.warnings[:limit]:
            yield say("提示：") + say(fault.message, **fault.params)
        if len(self.warnings) > limit:
            yield say("……其余 {count} 条提示见 --format json", count=len(self.warnings) - limit)
        shape = self.network
        if shape.reaches:
            yield say(
                "河网：{reaches} 河段，{nodes} 节点，{mouths} 出口，{splits} 分流，{components} 个连通部分",
                reaches=shape.reaches,
                nodes=shape.nodes,
                mouths=shape.mouths,
                splits=shape.splits,
                components=shape.components,
            )


def _entry(entry: Entry, say: Say) -> dict[str, Any]:
    return {"table": entry.table, "row": entry.row, "id": entry.id, "what": say(entry.message, **entry.params)}


def _entry_line(entry: Entry, say: Say) -> str:
    place = entry.table if entry.row is None else say("{table} 第{row}行", table=entry.table, row=entry.row)
    return f"{place} {entry.id}：{say(entry.message, **entry.params)}"
