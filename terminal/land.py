"""Verbs about the land around the rivers: terrain, landuse, rainfall. They show first; ``--save`` writes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terminal.show import complain, show, show_fields
from terminal.words import DEFAULT_LANGUAGE, Format, Output, Project, Spoken, say

if TYPE_CHECKING:
    from hydro.errors import Fault

verbs = typer.Typer()

System = Annotated[str, typer.Option("--crs", help=say("栅格没有说明的坐标系，EPSG 代号，如 4547"))]
NoData = Annotated[float | None, typer.Option(help=say("栅格没有声明的无值"), show_default=False)]
Save = Annotated[bool, typer.Option("--save", help=say("写入项目；不给则只计算并显示"))]
LAND_BRIEF = ("id", "name", "drains_to", "area_km2")


@verbs.command(help=say("由 DEM 划分各河段、各断面的汇水区并生成地形底图；项目还没有河网时由 DEM 提取河网"))
def terrain(
    project: Project,
    dem: Annotated[Path, typer.Option(help=say("高程栅格（GeoTIFF 等）"), show_default=False)],
    threshold: Annotated[float | None, typer.Option(
        help=say("提取河网的集水面积阈值（km²），默认 10；只用于还没有河网的项目"), show_default=False)] = None,
    burn: Annotated[float, typer.Option(min=0, help=say("已有河网刻入 DEM 的深度（米）"))] = 10.0,
    coarsen: Annotated[int, typer.Option(min=1, help=say("把每 N×N 个像元并作一个，用于太大的 DEM"))] = 1,
    out: Annotated[Path | None, typer.Option(help=say("把汇水区与提取的河网另存为 GeoPackage"), show_default=False)] = None,
    crs: System = "",
    nodata: NoData = None,
    save: Save = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:  # fmt: skip
    """Catchments of the project's own rivers, which win over the terrain; or rivers, where there are none."""
    import layers
    from layers.intake.streams import THRESHOLD_KM2, found_project, has_rivers, rivers_of_land, write_land
    from layers.land.dem import Dem
    from layers.land.terrain import keep_land, land_of_rivers

    asked = Dem(dem, crs=crs, nodata=nodata, coarsen=coarsen)
    founding = not has_rivers(project)
    if founding:
        least = THRESHOLD_KM2 if threshold is None else threshold
        found = rivers_of_land(asked, threshold_km2=least, progress=tell)
    else:
        if threshold is not None:
            raise typer.BadParameter(say("项目已有河网，--threshold 不起作用。请去掉它，或另建项目"))
        opened = layers.open_project(project)
        reaches = opened.table("reaches", geometry=True)
        found = land_of_rivers(asked, opened.network(), reaches, burn_m=burn, progress=tell)
    warn(found.notes)
    if out:
        write_land(found, out)
    if save and founding:
        report = found_project(project, found).report
        complain(report.lines(say))
        if not report.sound:
            raise typer.Exit(1)
    elif save:
        keep_land(opened, found)
    if format is Format.json:
        show_fields(found.facts | {"reaches": len(found.reaches), "catchments": listed(found.catchments)}, format)
        return
    facts = found.facts
    complain(
        [
            say(
                "{file}：{rows}×{columns} 个像元，每个 {width_m:.4g}×{depth_m:.4g} m；{reaches} 条河段，汇水 {land_km2:.1f} km²；"
                "平地与洼地占 {level_share:.0%}；晕渲高程放大 {relief_exaggeration:.3g} 倍",
                reaches=len(found.reaches),
                **facts,
            ),
            *saved_or_not(save),
        ]
    )
    show(found.catchments.drop(columns="geometry"), format, brief=LAND_BRIEF)


@verbs.command(help=say("由土地利用栅格与输出系数推算各汇水区的面源总磷（低、中、高）"))
def landuse(
    project: Project,
    raster: Annotated[Path, typer.Option(help=say("土地利用栅格（GeoTIFF 等）"), show_default=False)],
    classes: Annotated[
        str, typer.Option(help=say("用地类代码：globeland30、worldcover、clcd、gbt21010，或自己的 csv 文件"))
    ] = "",
    coefficients: Annotated[Path | None, typer.Option(help=say("自己的输出系数表（csv）"), show_default=False)] = None,
    crs: System = "",
    nodata: NoData = None,
    save: Save = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Diffuse TP by catchment; saving writes it to ``catchments``, and to reaches as ``lateral_tp_mg_l``."""
    import layers
    from layers.land.landcover import diffuse_of_land_use, keep_diffuse
    from layers.standards import own_table

    opened = layers.open_project(project)
    found = diffuse_of_land_use(
        raster,
        opened.table("catchments", geometry=True),
        classes=classes,
        coefficients=own_table(coefficients) if coefficients else None,
        crs=crs,
        nodata=nodata,
    )
    warn(found.notes)
    if save:
        warn(keep_diffuse(opened, found, raster.name))
    complain(saved_or_not(save))
    show(found.table.round(4), format)


@verbs.command(help=say("由雨量栅格求各汇水区的面平均雨量（毫米），一个波段或文件一个时间"))
def rainfall(
    project: Project,
    raster: Annotated[list[Path], typer.Option(help=say("雨量栅格（GeoTIFF 等），可重复"), show_default=False)],
    start: Annotated[str, typer.Option(help=say("第一个波段的时间，如 2022-07；与 --step 一起给出"))] = "",
    step: Annotated[str, typer.Option(help=say("波段的时间步长：hour、day、month、year"))] = "",
    scale: Annotated[float, typer.Option(help=say("乘以此数得毫米，如 0.1"))] = 1.0,
    by_reach: Annotated[bool, typer.Option("--by-reach", help=say("按河段给出，可作 storm 的雨量表"))] = False,
    place: Annotated[str, typer.Option(help=say("存入 weather 表的地点名"))] = "流域面平均",
    crs: System = "",
    nodata: NoData = None,
    save: Save = False,
    format: Output = Format.table,
    lang: Spoken = DEFAULT_LANGUAGE,
) -> None:
    """Mean rain by catchment, or by reach; saving writes the basin's mean to ``weather``."""
    import layers
    from layers.land.rainfall import by_reaches, keep_rain, rain_of_catchments

    opened = layers.open_project(project)
    catchments = opened.table("catchments", geometry=True)
    found = rain_of_catchments(raster, catchments, start=start, step=step, scale=scale, crs=crs, nodata=nodata)
    if save:
        keep_rain(opened, found, catchments, place, why="rainfall " + "、".join(path.name for path in raster))
    complain(saved_or_not(save))
    if by_reach:
        found = by_reaches(found, catchments, opened.table("reaches", geometry=True))
    show(found, format)


def tell(stage: str, part: float) -> None:
    """What is being done and how far it is, for somebody who waits at a terminal."""
    if sys.stderr.isatty():
        complain([say("{stage}……{part:.0%}", stage=say(stage), part=part)])


def warn(notes: Iterable[Fault]) -> None:
    """What is worth knowing, on stderr."""
    complain(say("提示：") + say(note.message, **note.params) for note in notes)


def saved_or_not(save: bool) -> list[str]:
    """Whether anything was written: a look must not be mistaken for a change."""
    return [] if save else [say("没有写入项目；如需写入，请加 --save")]


def listed(catchments: Any) -> list[dict[str, Any]]:
    """Catchments without their shapes, as records."""
    from reports.terminal import rows_of

    return rows_of(catchments.drop(columns="geometry"))
