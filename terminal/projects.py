"""Verbs about a whole project: import, check, info."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from terminal.show import complain, show_fields, show_rows
from terminal.words import DEFAULT_LANGUAGE, Format, Output, Project, Spoken, pairs, say

verbs = typer.Typer()


@verbs.command("import", help=say("读取数据文件或文件夹（csv、xlsx、shp、gpkg、geojson、kml、zip），核对后写入项目"))
def import_(
    sources: Annotated[list[Path], typer.Argument(help=say("数据文件或文件夹，可多个"), show_default=False)],
    into: Annotated[str, typer.Option(help=say("写入的项目；不存在则新建"))] = "",
    crs: Annotated[str, typer.Option(help=say("没有说明的坐标系，EPSG 代号，如 4547"))] = "",
    map_: Annotated[Path | None, typer.Option("--map", help=say("列对应文件（JSON：源列名到属性名）"))] = None,
    mouth: Annotated[list[str], typer.Option(help=say("流域出口：源坐标 X,Y 或节点编号，可重复"))] = [],  # noqa: B006
    dem: Annotated[Path | None, typer.Option(help=say("按此 DEM 把逆坡画的河段掉转（落差明显者）"))] = None,
    snap: Annotated[float, typer.Option(min=0, help=say("河段端点相接的容差（米）"))] = 25.0,
    point_snap: Annotated[float, typer.Option(min=0, help=say("断面、排污口离河段的限值（米）"))] = 200.0,
    swap_axes: Annotated[bool, typer.Option("--swap-axes", help=say("x 与 y 对调"))] = False,
    datum: Annotated[str, typer.Option(help=say("偏移坐标：gcj02、bd09；none 为不改正"))] = "",
    unit: Annotated[list[str], typer.Option(help=say("列的单位，列名=单位，可重复"))] = [],  # noqa: B006
    dates: Annotated[str, typer.Option(help=say("斜线日期的次序：dmy 或 mdy"))] = "",
    table: Annotated[list[str], typer.Option(help=say("文件属于哪张表，文件名=表名，可重复"))] = [],  # noqa: B006
    place: Annotated[list[str], typer.Option(help=say("点在哪条河段上，编号=河段，可重复"))] = [],  # noqa: B006
    save_map: Annotated[Path | None, typer.Option(help=say("把本次的列对应存为文件，下次用 --map"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("只检查，不写入"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Read files, account for every row, and write the project in one transaction, or not at all."""
    from layers.intake.imports import import_sources, preview
    from layers.intake.intake import Options

    if not into and not dry_run:
        raise typer.BadParameter(say("请用 --into 指定项目，或加 --dry-run 只检查"))
    if datum not in ("", "gcj02", "bd09", "none"):
        raise typer.BadParameter(say("--datum 只能是 gcj02、bd09 或 none"))
    if dates not in ("", "dmy", "mdy"):
        raise typer.BadParameter(say("--dates 只能是 dmy 或 mdy"))
    options = Options(
        crs=crs,
        map=map_,
        mouths=tuple(mouth),
        dem=dem,
        snap_m=snap,
        point_snap_m=point_snap,
        swap_axes=swap_axes,
        datum=datum,
        units=pairs("--unit", unit),
        dates=dates,
        tables=pairs("--table", table),
        places=pairs("--place", place),
    )
    outcome = import_sources(sources, into, options, dry_run=dry_run) if into else preview(sources, options)
    report = outcome.report
    if save_map:
        import json

        save_map.write_text(json.dumps(outcome.mapping, ensure_ascii=False, indent=2), encoding="utf-8")
    if format is Format.json:
        from reports.terminal import as_json

        sys.stdout.write(as_json(report.json(say)))
    elif format is Format.csv:
        show_rows(report.rows(say), ["kind", "table", "row", "id", "what"], format)
    else:
        print(*report.lines(say), sep="\n")
    if not report.sound:
        complain(
            [
                say(
                    "没有写入任何内容：拒收 {refused} 行，待确认 {asked} 项",
                    refused=len(report.refused),
                    asked=len(report.asked),
                )
            ]
        )
        raise typer.Exit(1)


@verbs.command(help=say("一张表的空白模板，由数据字典生成，填好即可导入"))
def template(
    table: Annotated[str, typer.Argument(help=say("表名，如 outlets"), show_default=False)],
    out: Annotated[Path, typer.Option(help=say("写到哪个文件：.xlsx 或 .csv"))],
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Write the sheet of one table to be filled in, in the language asked for."""
    from layers.intake.templates import as_csv, as_xlsx

    if out.suffix.lower() not in (".xlsx", ".csv"):
        raise typer.BadParameter(say("模板只能写成 .xlsx 或 .csv：{file}", file=out.name))
    out.write_bytes((as_xlsx if out.suffix.lower() == ".xlsx" else as_csv)(table, str(lang)))
    complain([say("已写出 {file}", file=str(out))])


@verbs.command(help=say("列出项目的全部错误与警告；只有警告时退出码为 0"))
def check(
    project: Project,
    deep: Annotated[bool, typer.Option("--deep", help=say("另查数据库、账册与各表是否相符"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Every fault of a project, each with table, row, column and what would be right."""
    import layers
    from hydro import FaultsError
    from hydro.schema import check_tables

    opened = layers.open_project(project)
    try:
        faults = list(opened.network().warnings)
    except FaultsError as error:
        faults = list(error.faults)
    told = {(fault.table, fault.row, fault.column) for fault in faults}
    faults += [fault for fault in check_tables(opened.tables()) if (fault.table, fault.row, fault.column) not in told]
    faults += opened.verify() if deep else []
    rows = [
        {
            "level": "warning" if fault.warning else "fault",
            "table": fault.table,
            "row": fault.row,
            "column": fault.column,
            "code": fault.code,
            "message": say(fault.message, **fault.params),
        }
        for fault in faults
    ]
    show_rows(rows, ["level", "table", "row", "column", "code", "message"], format)
    if any(row["level"] == "fault" for row in rows):
        raise typer.Exit(1)


@verbs.command(help=say("项目概况：数量、范围、时段、连通分量、分流、环"))
def info(project: Project, format: Output = Format.table, lang: Spoken = DEFAULT_LANGUAGE) -> None:
    """Counts, extent, period, components, splits, loops."""
    import layers

    show_fields(layers.summarise(layers.open_project(project)), format)


@verbs.command(help=say("把项目的全部表导出为 .gpkg、.geojson、.shp、.zip（shapefile）或 .xlsx"))
def export(
    project: Project,
    out: Annotated[Path, typer.Option(help=say("写到哪个文件，后缀决定格式"))],
    overwrite: Annotated[bool, typer.Option("--overwrite", help=say("覆盖已有的文件"))] = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Write every table for other programs; the files written are the result."""
    import layers
    from layers.store.export import export as write_out

    files, notes = write_out(layers.open_project(project), out, overwrite=overwrite)
    complain(say(note.message, **note.params) for note in notes)
    show_rows([{"file": str(file), "bytes": file.stat().st_size} for file in files], ["file", "bytes"], format)
