"""The engine against published results and other people's programs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from basins import reaches, sections

import hydro


def delivered_network(data: pd.DataFrame) -> pd.DataFrame:
    """The USGS reaches with a decay that gives each its published delivery: one day a reach, k = -ln(delivery)."""
    total, frac = data["TOTAL_DELIVERY"].to_numpy(), data["FRAC"].to_numpy()
    return reaches(
        *(
            (str(key), str(start), str(end), 86_400.0, 1.0, 1.0)
            for key, start, end in zip(data["IDENTIFIER"], data["FNODE"], data["TNODE"], strict=True)
        ),
        decay_per_d=-np.log(total / frac),
        split=frac,
    )


@pytest.fixture(scope="module")
def usgs(oracles: Path) -> pd.DataFrame:
    return pd.read_csv(oracles / "usgs_delivery" / "CalcDeliveryFractionTest_data.tab", sep="\t")


def published(oracles: Path, name: str) -> pd.Series:
    table = pd.read_csv(oracles / "usgs_delivery" / f"CalcDeliveryFractionTest_stdDelFracTo{name}.tab", sep="\t")
    table.columns = [column.strip() for column in table.columns]
    return table.set_index(table["IDENTIFIER"].astype(str))["DEL_FRAC"]


def delivery_fraction(usgs: pd.DataFrame, targets: list[str]) -> pd.DataFrame:
    """USGS's fraction counts from the downstream end of a reach to the end of each target. (reaches × targets)"""
    table = delivered_network(usgs)
    # A target's fraction is 1 by definition; a shared split of 0.001 / 0.999 leaves the part outside the table alone.
    missing = 1 - table.groupby("from_node")["split"].sum()
    spill = [(f"out{i}", node, f"gone{i}", 86_400.0, 1.0, 1.0) for i, node in enumerate(missing.index[missing > 1e-12])]
    table = pd.concat(
        [table, reaches(*spill).assign(decay_per_d=0.0, split=missing[missing > 1e-12].to_numpy())], ignore_index=True
    )
    places = sections(*((target, target, 86_400.0, 0.2) for target in targets))
    network = hydro.build_network({"reaches": table, "sections": places})
    delivery = hydro.delivery_ratios(network, targets)
    below = delivery.node_ratio[network.topology.to_node]
    found = pd.DataFrame(below, index=network.reaches.index, columns=targets)
    for target in targets:
        found.loc[target, target] = 1.0
    return found.loc[usgs["IDENTIFIER"].astype(str)]


def test_usgs_delivery_fractions_to_each_target_and_to_both(oracles: Path, usgs: pd.DataFrame) -> None:
    both = delivery_fraction(usgs, ["9674", "9682"])
    worst = {}
    for target in ("9674", "9682"):
        expected = published(oracles, target)
        worst[target] = float(np.abs(both[target].reindex(expected.index) - expected).max())
    expected = published(oracles, "Both")
    worst["both"] = float(np.abs(both.sum(axis=1).clip(upper=1.0).reindex(expected.index) - expected).max())
    print("largest error of a delivery fraction:", worst)
    assert max(worst.values()) <= 1e-12


@pytest.fixture(scope="module")
def new_hope(oracles: Path) -> tuple[pd.DataFrame, hydro.RiverNetwork]:
    table = pd.read_csv(oracles / "new_hope" / "new_hope_vaa.csv")
    main = table["divergence"].to_numpy() != 2
    network = hydro.build_network(
        {
            "reaches": reaches(
                *(
                    (str(int(c)), str(int(a)), str(int(b)), 1000 * length, 1.0, 0.3048 * max(speed, 1e-9))
                    for c, a, b, length, speed in zip(
                        table["comid"],
                        table["fromnode"],
                        table["tonode"],
                        table["lengthkm"],
                        table["ve_ma"],
                        strict=True,
                    )
                ),
                split=np.where(main, 1.0, 0.0),
            )
        }
    )
    return table, network


def test_new_hope_areas_of_the_set_and_of_the_main_path(new_hope: tuple[pd.DataFrame, hydro.RiverNetwork]) -> None:
    table, network = new_hope
    area = table["areasqkm"].to_numpy()
    by_set = np.array([area[hydro.upstream.upstream_of_reach(network, i)].sum() for i in range(len(table))])
    by_main = hydro.routed_total(network, area)
    worst = np.abs(by_set - table["totdasqkm"]).max(), np.abs(by_main - table["divdasqkm"]).max()
    print("largest error of totdasqkm, divdasqkm:", worst)
    assert max(worst) <= 1e-9


def test_new_hope_path_length_and_travel_time(new_hope: tuple[pd.DataFrame, hydro.RiverNetwork]) -> None:
    table, network = new_hope
    mouth = table["pathlength"].min()  # the basin's own mouth lies above the river's
    length = hydro.path_length_m(network) / 1000 + mouth
    passed = hydro.passage(network.topology, hydro.conditions(network))
    known = ((table["totma"] > 0) & (table["ve_ma"] > 0)).to_numpy()
    worst_time = np.abs(passed.travel_time_d[known] / table["totma"].to_numpy()[known] - 1).max()
    worst_length = np.abs(length - table["pathlength"]).max()
    print("largest error of pathlength (km), totma (relative):", worst_length, worst_time)
    assert worst_length <= 1e-9
    assert worst_time <= 1e-6


def test_a_braided_network_in_epanet(tmp_path: Path) -> None:
    """Concentrations and shares on an island, against EPANET 2.2 (wntr's own solver): flow, decay and tracing."""
    import wntr

    model = wntr.network.WaterNetworkModel()
    model.options.time.duration = 100 * 3600
    model.options.time.quality_timestep = 10
    model.options.time.report_timestep = 3600
    model.options.hydraulic.inpfile_units = "CMH"
    model.options.quality.parameter = "CHEMICAL"
    model.options.reaction.bulk_coeff = -0.5 / 86_400
    model.options.quality.tolerance = 1e-6
    model.add_reservoir("A", base_head=60.0)
    for node in ("B", "C", "D", "E"):
        model.add_junction(node, base_demand=0.0, elevation=0.0)
    model.get_node("E").demand_timeseries_list[0].base_value = 0.08
    model.get_node("C").demand_timeseries_list[0].base_value = 0.02
    pipes = [
        ("R1", "A", "B", 900),
        ("R2", "B", "C", 700),
        ("R3", "B", "D", 1500),
        ("R4", "C", "D", 400),
        ("R5", "D", "E", 800),
    ]
    for name, start, end, length in pipes:
        model.add_pipe(name, start, end, length=length, diameter=0.4, roughness=100)
    model.get_node("A").initial_quality = 0.4
    model.add_source("S", "A", "CONCEN", 0.4)
    results = wntr.sim.EpanetSimulator(model).run_sim(file_prefix=str(tmp_path / "epanet"))
    flow = results.link["flowrate"].iloc[-1]
    speed = results.link["velocity"].iloc[-1]
    quality = results.node["quality"].iloc[-1]

    tables = {
        "reaches": reaches(
            *(
                (name, start, end, float(length), float(flow[name]), float(speed[name]))
                for name, start, end, length in pipes
            ),
            ("OUT", "C", "X", 1.0, 0.02, 1.0),
            decay_per_d=0.5,
            split=np.nan,
        ),
        "sections": sections(("E", "R5", 800.0, 0.2), ("D4", "R4", 400.0, 0.2), ("D3", "R3", 1500.0, 0.2)),
        "boundaries": pd.DataFrame(
            {"boundary_id": ["A"], "node": ["A"], "discharge_m3_s": [flow["R1"]], "tp_mg_l": [0.4]}
        ),
    }
    routed = hydro.route(hydro.build_network(tables)).table.set_index(["kind", "id"])["concentration_mg_l"]
    worst = max(
        abs(routed["reach", "R1"] - quality["B"]),
        abs(routed["reach", "R2"] - quality["C"]),
        abs(routed["section", "E"] - quality["E"]),
    )
    print("largest error of a concentration against EPANET (mg/L):", worst)
    assert worst <= 1e-3

    model.options.quality.parameter = "TRACE"
    model.options.quality.trace_node = "C"
    traced = wntr.sim.EpanetSimulator(model).run_sim(file_prefix=str(tmp_path / "trace")).node["quality"].iloc[-1]
    tables["reaches"]["decay_per_d"] = 0.0
    network = hydro.build_network(tables)
    through_c = hydro.route(network).table.set_index(["kind", "id"])["load_kg_d"]
    share = through_c["section", "D4"] / (through_c["section", "D4"] + through_c["section", "D3"])
    print("error of the share through C against EPANET:", abs(share - traced["E"] / 100))
    assert abs(share - traced["E"] / 100) <= 1e-4


def cases(oracles: Path) -> list[Path]:
    return sorted((oracles / "cases").iterdir())


def test_reported_shares_and_travel_times_of_the_made_up_basins(oracles: Path) -> None:
    """Ordinary tracing (inventory only) on basins whose truth is known: the errors are printed, and stay small."""
    rows = []
    for case in cases(oracles):
        network = hydro.build_network(case_tables(case))
        truth = pd.read_csv(case / "truth" / "contributions.csv")
        errors: dict[str, list[float]] = {"share": [], "delivered": [], "time": []}
        for query, group in list(truth.groupby("query_id"))[::7]:
            section, _, time = str(query).partition("@")
            found = hydro.trace_sources(network, section, time=time).table.set_index("source_id")
            known = group.set_index("source_id").join(found.add_suffix("_found"), how="inner")
            known = known[known["delivered_fraction"].notna()]
            reported = known[(known["basis_found"] == "monitored") & (known["event_load_kg_d"] == 0)]
            errors["share"] += list(reported["share_found"] - reported["share"])
            errors["delivered"] += list(known["delivery_ratio_found"] - known["delivered_fraction"])
            errors["time"] += list(known["travel_time_d_found"] / known["travel_time_d"] - 1)
        rows.append({"case": case.name, **{key: float(np.abs(value).mean()) for key, value in errors.items()}})
    table = pd.DataFrame(rows).set_index("case")
    print("\nmean absolute error: share, delivered fraction; relative error: travel time\n", table.round(4))
    assert table["share"].mean() <= 0.03
    assert table["delivered"].mean() <= 0.03
    assert table["time"].mean() <= 0.12


def case_tables(case: Path) -> dict[str, pd.DataFrame]:
    """A case's tables without their geometry: nodes, reaches and chainages are given."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"file:{case / 'network.gpkg'}?mode=ro&immutable=1", uri=True)) as file:
        tables = {
            name: pd.read_sql(f"SELECT * FROM {name}", file).drop(columns=["fid", "geom"])
            for name in ("reaches", "outlets", "plants", "sections")
        }
    for name in ("observations", "weather"):
        tables[name] = pd.read_csv(case / f"{name}.csv", dtype={"qualifier": str})
    return tables
