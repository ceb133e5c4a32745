"""The verb that draws many times: how sure the loads at the sections are, here or on a cluster."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from typing import Annotated

import typer

from terminal.show import complain, show
from terminal.words import DEFAULT_LANGUAGE, Format, Output, Project, Spoken, Time, say

verbs = typer.Typer()


@verbs.command(help=say("各断面负荷与浓度有多大把握：对降解、水量、负荷多次抽样；可用 Dask 集群"))
def ensemble(
    project: Project,
    draws: Annotated[int, typer.Option(help=say("抽样次数"))] = 1000,
    seed: Annotated[int, typer.Option(help=say("随机种子；同一种子在任何机器上结果相同"))] = 0,
    time: Time = "",
    cluster: Annotated[
        str, typer.Option(envvar="QINGYUAN_CLUSTER", help=say("Dask 集群地址，如 tcp://主机:8786；不给则用本机线程"))
    ] = "",
    cluster_fallback: Annotated[bool, typer.Option("--cluster-fallback", help=say("集群不能用时改在本机计算"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Load and TP at every section at 5, 50 and 95 %, and the share of draws above the target."""
    import hydro.ensemble
    import layers
    from layers.cluster import Cluster, foresee, runner_at

    network = layers.open_project(project).network()
    runner, wrong = runner_at(cluster, fallback=cluster_fallback)
    if wrong:
        complain([say(wrong.message, **wrong.params), say("已改在本机计算")])
    with closing(runner) if isinstance(runner, Cluster) else nullcontext():
        foresee(network, draws, runner)
        found = hydro.ensemble.ensemble(
            network, draws=draws, seed=seed, time=time or None, runner=runner, progress=told
        )
    show(found.table(), format)


def told(done: int, total: int) -> None:
    """How far it is, on a screen; a log is spared."""
    if sys.stderr.isatty():
        print(f"\r{done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
