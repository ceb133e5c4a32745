"""The science: numpy, scipy, pandas, networkx. No files, maps, SQL, UI, clocks."""

from hydro.assessment.board import Board, board, settle
from hydro.assessment.compensation import compensation
from hydro.assessment.ledger import ledger, outlook
from hydro.assessment.months import Months, monthly_means
from hydro.assessment.permits import double_test
from hydro.assessment.registers import league
from hydro.assessment.samples import classify
from hydro.assessment.standards import Standard, build_standard
from hydro.assessment.trend import seasonal_kendall, spearman
from hydro.causes.episodes import Episodes
from hydro.causes.evidence import Attribution, attribute
from hydro.causes.findings import CONFIRMED, EXCLUDED, FieldFinding, Finding
from hydro.causes.inquiry import Inquiry, inquire
from hydro.causes.judgement import Judgement
from hydro.causes.sampling import next_sample, patrol
from hydro.delivery import Delivery, delivery_ratios
from hydro.errors import BalanceError, Fault, FaultsError, HydroError
from hydro.load import diffuse_loads, source_loads
from hydro.network import RiverNetwork, build_network, join_network
from hydro.observations import Observations, period
from hydro.planning.alternatives import cost_curve, last_bit_costs, next_best
from hydro.planning.anchor import expected_tp, from_measured, measured_tp
from hydro.planning.effect import Condition, Situation, situation
from hydro.planning.measure import Measure
from hydro.planning.model import Limits, Model, build_model
from hydro.planning.optimise import Plan, plan_measures, solve_plan
from hydro.planning.options import Prices
from hydro.planning.plan_rows import load_plan, plan_rows, task_rows
from hydro.planning.reliability import Reliability, reliability, robust_plan
from hydro.planning.scenario import (
    Scenario,
    compare,
    dose,
    dredge,
    merge,
    regulate,
    relocate,
    route_scenario,
    seal,
    upgrade,
)
from hydro.planning.storm import flood_intensity, storm
from hydro.plume import Mixing
from hydro.route import Balance, Routing, route
from hydro.solve import Solver
from hydro.spill import Plume, forward_plume
from hydro.topology import Topology
from hydro.trace import Trace, exceedances, trace_sources
from hydro.transport import Conditions, Passage, conditions, passage
from hydro.upstream import main_path, path_length_m, routed_total, upstream_set

__all__ = [
    "CONFIRMED",
    "EXCLUDED",
    "Attribution",
    "Balance",
    "BalanceError",
    "Board",
    "Condition",
    "Conditions",
    "Delivery",
    "Episodes",
    "Fault",
    "FaultsError",
    "FieldFinding",
    "Finding",
    "HydroError",
    "Inquiry",
    "Judgement",
    "Limits",
    "Measure",
    "Mixing",
    "Model",
    "Months",
    "Observations",
    "Passage",
    "Plan",
    "Plume",
    "Prices",
    "Reliability",
    "RiverNetwork",
    "Routing",
    "Scenario",
    "Situation",
    "Solver",
    "Standard",
    "Topology",
    "Trace",
    "attribute",
    "board",
    "build_model",
    "build_network",
    "build_standard",
    "classify",
    "compare",
    "compensation",
    "conditions",
    "cost_curve",
    "delivery_ratios",
    "diffuse_loads",
    "dose",
    "double_test",
    "dredge",
    "exceedances",
    "expected_tp",
    "flood_intensity",
    "forward_plume",
    "from_measured",
    "inquire",
    "join_network",
    "last_bit_costs",
    "league",
    "ledger",
    "load_plan",
    "main_path",
    "measured_tp",
    "merge",
    "monthly_means",
    "next_best",
    "next_sample",
    "outlook",
    "passage",
    "path_length_m",
    "patrol",
    "period",
    "plan_measures",
    "plan_rows",
    "regulate",
    "reliability",
    "relocate",
    "robust_plan",
    "route",
    "route_scenario",
    "routed_total",
    "seal",
    "seasonal_kendall",
    "settle",
    "situation",
    "solve_plan",
    "source_loads",
    "spearman",
    "storm",
    "task_rows",
    "trace_sources",
    "upgrade",
    "upstream_set",
]
