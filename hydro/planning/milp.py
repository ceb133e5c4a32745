"""A mixed-integer program with HiGHS, exact on its own rows: what it returns is checked in plain arithmetic.

HiGHS accepts a row broken by 1e-6 and a binary of 0.999999; a target does not.  So the rows are given to it a hair
loose, its answer is rounded and checked to 1e-9, and an answer that fails is cut off by the inequality that its failure
proves (one more, or one other, choice is needed in that row) before solving again.  Ties at a target are thus accepted,
near misses are not, and the proof of optimality stands.

HiGHS: Huangfu & Hall 2018, doi:10.1007/s12532-017-0130-5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, vstack

from hydro.planning.effect import HOLDS_WITHIN
from hydro.topology import Bool, Float

LOOSE = 1e-7
"""How much a row is given to the solver loosened, relative to its scale; the check afterwards is exact."""
MAX_ROUNDS = 200


class Silent(highspy.Highs):
    """HiGHS without its banner, which it prints as soon as callbacks are enabled."""

    def enableCallbacks(self) -> None:
        """Silence first, then enable."""
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Program:
    """min cost·x subject to gain x ≥ need, lower ≤ side x ≤ upper, 0 ≤ floor ≤ x ≤ top; ``whole`` columns are integer.

    ``scale`` (rows,) is what 1e-9 of a row is measured against, in the row's own unit.
    """

    cost: Float
    gain: csr_array
    need: Float
    scale: Float
    floor: Float
    top: Float
    whole: Bool
    side: csr_array
    side_low: Float
    side_high: Float


@dataclass(frozen=True)
class Progress:
    """How far a solve is: seconds, best cost so far (inf: none yet), proven lower bound, and the gap between them."""

    seconds: float
    cost: float
    bound: float
    gap: float


@dataclass(frozen=True)
class Solution:
    """``status`` optimal, infeasible, or stopped (best so far, or none: ``x`` is None)."""

    status: str
    x: Float | None
    cost: float
    bound: float
    rounds: int = field(default=1)

    @property
    def gap(self) -> float:
        """(cost − bound) / cost; 0 when proven."""
        return 0.0 if self.cost <= self.bound else (self.cost - self.bound) / max(abs(self.cost), 1e-12)


def solve(
    program: Program,
    *,
    gap: float = 0.0,
    seconds: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Solution:
    """Solve to the gap (0: proven), or until ``seconds`` pass or ``stop()`` says so; then the best so far."""
    if not len(program.cost):
        return _nothing_to_choose(program)
    cuts: list[tuple[Float, float]] = []
    tighter = np.zeros(len(program.need))
    bound, spent = -np.inf, 0.0
    for rounds in range(1, MAX_ROUNDS + 1):
        solver = _highs(program, cuts, tighter, gap, None if seconds is None else max(seconds - spent, 0.0))
        _listen(solver, progress, stop)
        solver.run()
        spent += solver.getRunTime()
        status, info = solver.getModelStatus(), solver.getInfo()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return Solution("infeasible", None, np.inf, np.inf, rounds)
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return Solution("stopped", None, np.inf, float(info.mip_dual_bound), rounds)
        x = _rounded(np.asarray(solver.getSolution().col_value, np.float64), program)
        bound = max(bound, float(info.mip_dual_bound) if program.whole.any() else float(program.cost @ x))
        broken = _broken(program, x)
        if not len(broken):
            cost = float(program.cost @ x)
            done = status == highspy.HighsModelStatus.kOptimal
            return Solution("optimal" if done else "stopped", x, cost, min(bound, cost), rounds)
        for row in broken:
            _repair(program, x, int(row), cuts, tighter)
    return Solution("stopped", None, np.inf, bound, MAX_ROUNDS)


def _nothing_to_choose(program: Program) -> Solution:
    """Without a single choice the answer is whether everything holds as it is."""
    held = bool((program.need <= HOLDS_WITHIN * program.scale).all() and (program.side_low <= 0).all())
    return Solution("optimal", np.zeros(0), 0.0, 0.0) if held else Solution("infeasible", None, np.inf, np.inf)


def _highs(program: Program, cuts: list[tuple[Float, float]], tighter: Float, gap: float, seconds: float | None) -> Any:
    scale = np.where(program.scale > 0, program.scale, 1.0)
    rows = program.gain.multiply((1 / scale)[:, None]).tocsr()
    low = program.need / scale - LOOSE + tighter
    blocks = [rows, program.side]
    lows, highs = [low, program.side_low], [np.full(len(low), np.inf), program.side_high]
    if cuts:
        blocks.append(csr_array(np.array([cut for cut, _ in cuts])))
        lows.append(np.array([least for _, least in cuts]))
        highs.append(np.full(len(cuts), np.inf))
    matrix = csc_array(vstack(blocks, format="csc"))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), matrix.shape[0]
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.floor, program.top
    lp.row_lower_, lp.row_upper_ = np.concatenate(lows), np.concatenate(highs)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger if w else highspy.HighsVarType.kContinuous for w in program.whole]
    solver = Silent()  # type: ignore[no-untyped-call]
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_abs_gap", 0.0)
    if seconds is not None:
        solver.setOptionValue("time_limit", float(seconds))
    solver.passModel(lp)
    return solver


def _listen(solver: Any, progress: Callable[[Progress], None] | None, stop: Callable[[], bool] | None) -> None:
    if progress is None and stop is None:
        return

    def heard(event: Any) -> None:
        seen = event.data_out
        if progress is not None:
            progress(Progress(seen.running_time, seen.mip_primal_bound, seen.mip_dual_bound, seen.mip_gap))
        if stop is not None and stop():
            event.interrupt()

    def halted(event: Any) -> None:
        if stop is not None and stop():
            event.interrupt()

    solver.cbMipInterrupt.subscribe(heard)
    solver.cbSimplexInterrupt.subscribe(halted)


def _rounded(x: Float, program: Program) -> Float:
    return np.clip(np.where(program.whole, np.round(x), x), program.floor, program.top)


def _broken(program: Program, x: Float) -> NDArray[np.intp]:
    """Rows that the rounded answer does not meet in plain arithmetic."""
    return np.flatnonzero(program.gain @ x < program.need - HOLDS_WITHIN * program.scale)


def _repair(program: Program, x: Float, row: int, cuts: list[tuple[Float, float]], tighter: Float) -> None:
    """Cut off an answer that misses a row by less than the solver sees.

    Among whole choices: a row missed by x is met only with a helpful choice that x leaves out, or without a harmful one
    that x takes: Σ_{g>0, x=0} x_j + Σ_{g<0, x=1} (1 − x_j) ≥ 1.  With a helpful divisible amount the row is tightened.
    """
    gain = program.gain[[row]].toarray()[0]
    if np.any(~program.whole & (gain != 0)):
        missing = (program.need[row] - gain @ x) / program.scale[row]
        tighter[row] += max(2 * missing, HOLDS_WITHIN)
        return
    taken = x > 0.5
    helpful, harmful = (gain > 0) & ~taken, (gain < 0) & taken
    cuts.append((helpful.astype(np.float64) - harmful.astype(np.float64), 1.0 - float(harmful.sum())))
