"""What can be wrong with a network, found all at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydro.columns import number, text
from hydro.errors import Fault

CHAINAGE_SLACK_M = 1.0


def check_reaches(reaches: pd.DataFrame) -> list[Fault]:
    """Every fault of the reaches table by itself: ids, ends, lengths, flows."""
    faults: list[Fault] = []
    ids = text(reaches, "reach_id")

    def add(code: str, message: str, rows: pd.Series[bool], column: str, *, warning: bool = False) -> None:
        value = reaches.get(column, ids)
        faults.extend(
            Fault(code, message, {"reach_id": i, "column": column, "value": v}, "reaches", i, column, warning)
            for i, v in zip(ids[rows], value[rows], strict=True)
        )

    add("id_blank", "有河段没有编号（reach_id）。请补上唯一编号", ids == "", "reach_id")
    add("id_twice", "河段编号 {reach_id} 重复。请给每个河段唯一编号", ids.duplicated() & (ids != ""), "reach_id")
    for end in ("from_node", "to_node"):
        add(
            "node_blank",
            "河段 {reach_id} 缺少端点节点。请先用 import 由几何推出，或补上 from_node 与 to_node",
            text(reaches, end) == "",
            end,
        )
    same = (text(reaches, "from_node") == text(reaches, "to_node")) & (text(reaches, "from_node") != "")
    add("loop", "河段 {reach_id} 首尾是同一节点。请改正端点，或断开该环", same, "from_node")
    length = number(reaches, "length_m")
    add("length_blank", "河段 {reach_id} 的长度不是数。请补上 length_m（米）", length.isna(), "length_m")
    add("length_negative", "河段 {reach_id} 的长度为 {value} m，应大于 0", length <= 0, "length_m")
    for column in ("discharge_m3_s", "velocity_m_s", "decay_per_d", "area_km2", "lateral_tp_mg_l"):
        if column in reaches:
            values = number(reaches, column)
            column_text = text(reaches, column)
            broken = values.isna() & ~column_text.str.lower().isin(("", "nan")) | values.isin([np.inf, -np.inf])
            add("not_a_number", "河段 {reach_id} 的 {column} 为 {value}，应是一个数", broken, column)
            add("negative", "河段 {reach_id} 的 {column} 为 {value}，不应小于 0", values < 0, column)
    split = number(reaches, "split")
    add(
        "split_range", "河段 {reach_id} 的分流比为 {value}，应在 0 到 1 之间", (split < 0) | (split > 1 + 1e-9), "split"
    )
    return faults


def check_places(reaches: pd.DataFrame, placed: Mapping[str, pd.DataFrame], nodes: set[str]) -> list[Fault]:
    """Every fault of what stands on the reaches: unknown reaches and nodes, places outside their reach, double ids."""
    faults: list[Fault] = []
    length = number(reaches, "length_m")
    for table, rows in placed.items():
        faults += [
            Fault(
                "id_twice", "{table} 表的编号 {row_id} 重复。请给每行唯一编号", {"table": table, "row_id": i}, table, i
            )
            for i in rows.index[rows.index.duplicated()]
        ]
        node = text(rows, "node") if table == "boundaries" else pd.Series("", index=rows.index)
        for i, (row_id, reach_id, chainage, at) in enumerate(
            zip(rows.index, rows["reach_id"], rows["chainage_m"], node, strict=True)
        ):
            params = {"table": table, "row_id": row_id, "reach_id": reach_id, "chainage_m": chainage, "node": at}
            if table == "boundaries" and at:
                if at not in nodes:
                    faults.append(
                        Fault(
                            "node_unknown",
                            "入境 {row_id} 的节点 {node} 不在河网里。请改用已有节点",
                            params,
                            table,
                            row_id,
                        )
                    )
                continue
            if table == "outlets" and not reach_id and text(rows, "plant_id").iloc[i]:
                continue  # a plant's outlet stands where its plant does
            if table == "gates" and not reach_id:
                continue  # a gate at a canal head outside the network
            if reach_id not in length.index:
                message = "{table} 表的 {row_id} 所在河段“{reach_id}”不存在。请改正 reach_id，或重新导入让程序就近挂接"
                faults.append(Fault("reach_unknown", message, params, table, row_id, "reach_id"))
            elif table in ("sections", "outlets", "plants"):
                faults += _check_chainage(float(length[reach_id]), params, table, row_id)
    return faults


def _check_chainage(length_m: float, params: dict[str, object], table: str, row_id: str) -> list[Fault]:
    chainage_m = params["chainage_m"]
    assert isinstance(chainage_m, float)
    if np.isnan(chainage_m):
        message = "{table} 表的 {row_id} 没有里程（chainage_m）。请补上，或给出坐标后重新导入"
        return [Fault("chainage_blank", message, params, table, row_id, "chainage_m")]
    if not -CHAINAGE_SLACK_M <= chainage_m <= length_m + CHAINAGE_SLACK_M:
        message = "{table} 表的 {row_id} 里程 {chainage_m:.0f} m 超出河段 {reach_id} 的长度 {length_m:.0f} m"
        return [Fault("chainage_range", message, {**params, "length_m": length_m}, table, row_id, "chainage_m")]
    return []


def find_loops(from_node: NDArray[np.int32], to_node: NDArray[np.int32], ids: list[str]) -> list[list[str]]:
    """One loop a strongly connected part, reach by reach in flow order."""
    import networkx as nx

    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for start, end, key in zip(from_node.tolist(), to_node.tolist(), ids, strict=True):
        graph.add_edge(start, end, key)
    parts = [part for part in nx.strongly_connected_components(graph) if len(part) > 1]
    return [[str(key) for _, _, key in nx.find_cycle(graph.subgraph(part))] for part in sorted(parts, key=min)]
