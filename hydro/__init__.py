"""The science: numpy, scipy, pandas, networkx. No files, maps, SQL, UI, clocks."""

from hydro.delivery import Delivery, delivery_ratios
from hydro.effect import Condition, Situation, situation
from hydro.episodes import Episodes
from hydro.errors import BalanceError, Fault, FaultsError, HydroError
from hydro.evidence import Attribution, attribute
from hydro.findings import Finding
from hydro.inquiry import Inquiry, inquire
from hydro.load import diffuse_loads, source_loads
from hydro.model import Limits, Model, build_model
from hydro.network import RiverNetwork, build_network
from hydro.observations import Observations, period
from hydro.optimise import Plan, plan_measures, solve_plan
from hydro.options import Prices
from hydro.plume import Mixing
from hydro.route import Balance, Routing, route
from hydro.scenario import Measure, Scenario, compare, dose, dredge, merge, regulate, relocate, seal, upgrade
from hydro.solve import Solver
from hydro.spill import Plume, forward_plume
from hydro.topology import Topology
from hydro.trace import Trace, exceedances, trace_all, trace_sources
from hydro.transport import Conditions, Passage, conditions, passage
from hydro.upstream import main_path, path_length_m, routed_total, upstream_set

__all__ = [
    "Attribution",
    "Balance",
    "BalanceError",
    "Condition",
    "Conditions",
    "Delivery",
    "Episodes",
    "Fault",
    "FaultsError",
    "Finding",
    "HydroError",
    "Inquiry",
    "Limits",
    "Measure",
    "Mixing",
    "Model",
    "Observations",
    "Passage",
    "Plan",
    "Plume",
    "Prices",
    "RiverNetwork",
    "Routing",
    "Scenario",
    "Situation",
    "Solver",
    "Topology",
    "Trace",
    "attribute",
    "build_model",
    "build_network",
    "compare",
    "conditions",
    "delivery_ratios",
    "diffuse_loads",
    "dose",
    "dredge",
    "exceedances",
    "forward_plume",
    "inquire",
    "main_path",
    "merge",
    "passage",
    "path_length_m",
    "period",
    "plan_measures",
    "regulate",
    "relocate",
    "route",
    "routed_total",
    "seal",
    "situation",
    "solve_plan",
    "source_loads",
    "trace_all",
    "trace_sources",
    "upgrade",
    "upstream_set",
]
