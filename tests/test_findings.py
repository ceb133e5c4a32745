"""Field findings: kept with the project and its book, and known to every judgement afterwards."""

import json
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString
from test_evidence import EVENT, arms, causes

import hydro
import layers
from cli import main
from hydro import CONFIRMED, EXCLUDED, FieldFinding, HydroError
from hydro.causes.judgement import Judgement, judge_sections
from hydro.causes.posterior import weigh
from hydro.causes.rulings import Ruling
from layers.store.findings import field_findings, record_finding, withdraw_finding
from layers.store.roles import User
from reports.evidence import line


def project(path: Path, user: User | None = None) -> layers.Project:
    tables = arms(extra={"O1": 100.0})
    at = {"W0": (114.0, 35.1), "E0": (114.0, 34.9), "J": (114.2, 35.0), "K": (114.4, 35.0)}
    ends = zip(tables["reaches"]["from_node"], tables["reaches"]["to_node"], strict=True)
    drawn = gpd.GeoDataFrame(tables["reaches"], geometry=[LineString([at[a], at[b]]) for a, b in ends], crs=4490)
    layers.create_project(path, name="双支", tables={**tables, "reaches": drawn}).close()
    return layers.open_project(path, user=user)


def judged(*found: FieldFinding) -> "hydro.Trace":
    return hydro.inquire(hydro.build_network(arms(extra={"O1": 100.0})), found).explain("SM", EVENT)


def test_whoever_is_excluded_falls_out_and_the_rest_is_weighed_anew() -> None:
    before = causes(arms(extra={"O1": 100.0}))["probability"]
    after = judged(FieldFinding("O1", EVENT, EXCLUDED, "闸门铅封完好")).table.set_index("source_id")
    assert after.at["O1", "probability"] == 0
    assert after.at["O2", "probability"] > before["O2"]
    assert after["probability"].sum() == pytest.approx(1)
    assert line(after.at["O1", "evidence"]).startswith("－现场核查排除：闸门铅封完好")


def test_whoever_is_confirmed_has_the_load_too() -> None:
    table = judged(FieldFinding("O2", EVENT, CONFIRMED, "夜间偷排")).table
    assert table.at[0, "source_id"] == "O2"
    assert table.at[0, "probability"] > 0.99
    # 10 kg/d as ever and the 100 of the event, of 20 + 10 + 17.28 + 100: three quarters
    assert table.at[0, "share"] == pytest.approx(110 / 147.28, abs=0.04)


@cache
def of_arms(*found: FieldFinding) -> Judgement:
    network = hydro.build_network(arms(extra={"O1": 100.0}))
    return judge_sections(network, [str(one) for one in network.sections.index], found)


def event_of(judgement: Judgement, month: int) -> float:
    return float(judgement.months[month].suspect.sum())


@pytest.mark.parametrize("out", [["O1"], ["UNREGISTERED"], ["UNREGISTERED", "O1"]])
def test_no_exclusion_makes_an_event_likelier(out: list[str]) -> None:
    plain = of_arms()
    known = of_arms(*(FieldFinding(one, EVENT, EXCLUDED) for one in out))
    at = plain.record.month_position[EVENT]
    assert event_of(known, at) <= event_of(plain, at) + 1e-9


@given(st.data())
def test_excluding_is_conditioning(data: st.DataObject) -> None:
    """By law: the odds of everybody who is left, and of no event, keep their proportions, whatever the prior."""
    judgement = of_arms()
    suspects, month = judgement.suspects, judgement.record.month_position[EVENT]
    weights = data.draw(st.lists(st.floats(0.01, 1.0), min_size=suspects.count, max_size=suspects.count))
    prior = np.array(weights) / sum(weights) * data.draw(st.floats(0.01, 0.95))
    excluded = np.array(data.draw(st.lists(st.booleans(), min_size=suspects.count, max_size=suspects.count)))
    nothing = Ruling.of_nothing(suspects.count)
    plain, known = (
        weigh(judgement.expected, suspects, month, ruling).conclude(suspects, prior)
        for ruling in (nothing, Ruling(excluded, nothing.confirmed))
    )
    left = plain.suspect[~excluded].sum() + plain.none
    assert known.none == pytest.approx(plain.none / left, rel=1e-9)
    assert known.suspect[~excluded] == pytest.approx(plain.suspect[~excluded] / left, rel=1e-9)
    assert (known.suspect[excluded] == 0).all()


def test_a_confirmation_holds_where_the_confirmed_delivers_and_nowhere_else() -> None:
    """O3 stands on the eastern arm; what raised the western one in the same month is asked as if it had not been found."""
    network = hydro.build_network(arms(extra={"O1": 100.0, "O3": 40.0}, told={"O1": 110.0}))
    known = hydro.inquire(network, [FieldFinding("O3", EVENT, CONFIRMED, "夜间偷排")])
    east, west = (known.explain(section, EVENT).table.set_index("source_id") for section in ("SE", "SW"))
    assert east.at["O3", "probability"] > 0.95
    assert west["probability"].idxmax() == "O1"
    assert west.at["NONE", "probability"] < 0.1
    # 20 + 8.64 kg/d as ever and 100 of the event, 110 of them from O1; 10 + 8.64 and 40, 50 of them from O3
    assert west.at["O1", "share"] == pytest.approx(110 / 128.64, abs=0.05)
    assert east.at["O3", "share"] == pytest.approx(50 / 58.64, abs=0.05)
    assert (west["share_low"].dropna() <= west["share"].dropna() + 1e-9).all()


def test_several_confirmed_each_stand_at_their_own_sections() -> None:
    network = hydro.build_network(arms(extra={"O1": 100.0, "O3": 40.0}))
    known = hydro.inquire(network, [FieldFinding(one, EVENT, CONFIRMED) for one in ("O1", "O3")])
    odds = {at: known.explain(at, EVENT).table.set_index("source_id")["probability"] for at in ("SE", "SW", "SM")}
    assert odds["SE"]["O3"] > 0.95
    assert odds["SW"]["O1"] > 0.95
    assert odds["SM"][["O1", "O3"]].sum() > 0.95


def test_a_finding_of_another_month_changes_nothing() -> None:
    plain, other = judged().table, judged(FieldFinding("O1", "2022-06", EXCLUDED)).table
    assert plain["probability"].to_list() == pytest.approx(other["probability"].to_list(), abs=0.05)


def test_it_is_kept_with_its_entry_in_the_book_and_can_be_taken_back(tmp_path: Path) -> None:
    with_it = project(tmp_path / "p.gpkg")
    one = FieldFinding("O1", EVENT, EXCLUDED, "铅封完好")
    record_finding(with_it, one, found_on="2022-08-03")
    assert field_findings(with_it) == (one,)
    record_finding(with_it, FieldFinding("O1", EVENT, CONFIRMED, "复查有暗管"), found_on="2022-08-05")
    assert [found.verdict for found in field_findings(with_it)] == [CONFIRMED]
    withdraw_finding(with_it, "O1", EVENT, why="记错断面")
    assert field_findings(with_it) == ()
    assert with_it.book(table="findings")["why"].to_list() == ["铅封完好", "复查有暗管", "记错断面"]
    assert with_it.verify() == []


def test_what_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.gpkg"
    with_it = project(path)
    with pytest.raises(HydroError, match="没有来源 O99"):
        record_finding(with_it, FieldFinding("O99", EVENT, EXCLUDED), found_on="2022-08-03")
    with pytest.raises(HydroError, match="maybe"):
        record_finding(with_it, FieldFinding("O1", EVENT, "maybe"), found_on="2022-08-03")
    with pytest.raises(HydroError, match="2022-07 没有关于 O1 的现场核查"):
        withdraw_finding(with_it, "O1", EVENT)
    viewer = layers.open_project(path, user=User("看客", "viewer"))
    with pytest.raises(HydroError, match="“查看”"):
        record_finding(viewer, FieldFinding("O1", EVENT, EXCLUDED), found_on="2022-08-03")


def test_the_terminal_keeps_it_and_trace_knows_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "p.gpkg")
    project(Path(path)).close()
    assert main(["finding", path, "--source", "O1", "--time", EVENT, "--verdict", "excluded", "--note", "查过"]) == 0
    capsys.readouterr()
    assert main(["trace", path, "--section", "SM", "--time", EVENT, "--format", "json"]) == 0
    rows = {row["source_id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["O1"]["probability"] == 0
    assert rows["O2"]["share_low"] <= rows["O2"]["share"] <= rows["O2"]["share_high"]
    assert main(["patrol", path, "--section", "SM", "--time", EVENT, "--format", "json"]) == 0
    stops = json.loads(capsys.readouterr().out)
    assert stops[0]["source_id"] == "O2"
    assert [stop["order"] for stop in stops] == list(range(1, len(stops) + 1))
