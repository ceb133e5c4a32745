"""Verbs about keeping a project: backup, restore, book, adopt, health."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from terminal.show import show, show_fields
from terminal.words import DEFAULT_LANGUAGE, Format, Output, Project, Spoken, say

verbs = typer.Typer()


@verbs.command(help=say("把项目备份成一个新的项目文件，并核对备份"))
def backup(project: Project, to: Annotated[Path, typer.Option(help=say("备份文件，须尚不存在"))]) -> None:
    """Copy a project, as it is at this moment, to a new project file, and verify the copy."""
    import layers
    from layers.store.backup import backup as keep

    keep(layers.open_project(project), str(to))


@verbs.command(help=say("由备份恢复到一个还没有项目的位置（文件或 postgresql:// 地址）"))
def restore(
    file: Annotated[Path, typer.Argument(help=say("备份文件"))],
    into: Annotated[str, typer.Option(help=say("恢复到何处，须尚无项目"))],
) -> None:
    """Make a project again from a backup, in a place where there is none."""
    from layers.store.backup import restore as bring_back
    from layers.store.project import store_at

    bring_back(str(file), store_at(into))


@verbs.command(help=say("账册：谁在何时改了什么、为什么"))
def book(
    project: Project,
    table: Annotated[str, typer.Option(help=say("只看一张表"))] = "",
    row: Annotated[str, typer.Option(help=say("只看涉及该编号的记录"))] = "",
    who: Annotated[str, typer.Option(help=say("只看一个人"))] = "",
    since: Annotated[str, typer.Option(help=say("从何时起，如 2022-07"))] = "",
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """The audit, oldest first; csv and json hold every column."""
    import layers

    found = layers.open_project(project).book(table=table, row=row, who=who, since=since)
    brief = ["revision", "when", "who", "what", "table_name", "row_id", "why"]
    show(found[brief] if format is Format.table else found, format)


@verbs.command(help=say("把在别的程序（如 QGIS）里做的改动记入账册"))
def adopt(project: Project, why: Annotated[str, typer.Option(help=say("改动的原因"))]) -> None:
    """Enter in the book what another program has changed, and list the tables concerned."""
    import layers

    print("\n".join(layers.open_project(project).adopt(why=why)))


@verbs.command(help=say("项目能否读写，供监控用；不健康时退出码为 1。给出 --port 则一直在 /health 应答"))
def health(
    project: Project,
    port: Annotated[int, typer.Option(help=say("在此端口应答，0 为只查一次"))] = 0,
    format: Output = Format.json,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """State of a project's store, once or as an endpoint."""
    from layers.store.health import health as examine
    from layers.store.health import serve

    if port:
        serve(project, port=port).serve_forever()
    told = examine(project)
    show_fields(told, format)
    if not told["ok"]:
        raise typer.Exit(1)
