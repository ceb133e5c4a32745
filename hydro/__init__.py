"""The science: numpy, scipy, pandas, networkx. No files, maps, SQL, UI, clocks."""

from hydro.delivery import Delivery, delivery_ratios
from hydro.errors import BalanceError, Fault, FaultsError, HydroError
from hydro.load import diffuse_loads, source_loads
from hydro.network import RiverNetwork, build_network
from hydro.observations import Observations, period
from hydro.route import Balance, Routing, route
from hydro.solve import Solver
from hydro.topology import Topology
from hydro.trace import Trace, exceedances, trace_all, trace_sources
from hydro.transport import Conditions, Passage, conditions, passage
from hydro.upstream import main_path, path_length_m, routed_total, upstream_set

__all__ = [
    "Balance",
    "BalanceError",
    "Conditions",
    "Delivery",
    "Fault",
    "FaultsError",
    "HydroError",
    "Observations",
    "Passage",
    "RiverNetwork",
    "Routing",
    "Solver",
    "Topology",
    "Trace",
    "build_network",
    "conditions",
    "delivery_ratios",
    "diffuse_loads",
    "exceedances",
    "main_path",
    "passage",
    "path_length_m",
    "period",
    "route",
    "routed_total",
    "source_loads",
    "trace_all",
    "trace_sources",
    "upstream_set",
]
