"""A sheet's furniture: title, foot, neat line with its degrees, scale bar, north arrow, and the inset that shows where it lies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Polygon, Rectangle

from layers.maps.style import GREY, INK
from reports import phrases
from reports.atlas import Atlas, Extent, around, roomy
from reports.content import Content, SectionReport
from reports.frame import PAPER, Frame
from reports.pen import FAINT, Column, Pen
from reports.symbols import BORDER, LAND, RED, RIVER, outlines

STEPS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600)
"""Distances of meridians and parallels, in minutes of arc."""
BAND = 1.55
"""Width of the band for the degrees around the map, in sizes of type."""


def heading(pen: Pen, content: Content, title: str, column: Column) -> None:
    """Title, and 示例 where the figures are made up, over a rule; a long title stands smaller, then on two lines."""
    name = content.say(
        "{project} · {what}（{month}）", project=content.project, what=title, month=phrases.month_name(content)
    )
    label = content.say("示例") if content.demo else ""
    room = column.width - (pen.measure(label, 1.8, bold=True) + 8 if label else 0)
    scale = next((s for s in (2.0, 1.7, 1.4) if pen.measure(name, s, bold=True) <= room), 1.1)
    lines = pen.wrapped(name, room, scale, bold=True, most=2)
    rise = 0.28 * column.height
    for i, line in enumerate(reversed(lines)):
        pen.write(column.left, column.floor + rise + i * scale * pen.line * 0.95, line, scale, bold=True)
    if label:
        pen.write(column.left + column.width, column.floor + rise, label, 1.8, bold=True, ha="right", color=RED)
    pen.rule(column.left, column.floor, column.width, INK, 0.1 * pen.size)


def footer(pen: Pen, content: Content, number: tuple[int, int], column: Column) -> None:
    """Source and date, the field for the approval number, the page's number; on two lines where one is too short."""
    y, scale = column.top - 0.9 * pen.line, 0.85
    pages = content.say("第 {page} 页，共 {pages} 页", page=number[0], pages=number[1])
    pen.write(column.left + column.width, y, pages, scale, ha="right", color=FAINT)
    credit = phrases.credit(content)
    if not content.approval:
        credit += " · " + content.say("审图号：{number}", number="＿＿＿＿＿＿")
    room = column.width - pen.measure(pages, scale) - 6
    lines = [""]
    for part in credit.split(" · "):
        longer = " · ".join(filter(None, (lines[-1], part)))
        if lines[-1] and pen.measure(longer, scale) > room:
            lines.append(part)
        else:
            lines[-1] = longer
    for i, line in enumerate(lines):
        pen.write(column.left, y - i * scale * 0.9 * pen.line, pen.fits(line, room, scale), scale, color=FAINT)


def inset(pen: Pen, content: Content, atlas: Atlas, shown: Extent, focus: SectionReport | None, column: Column) -> None:
    """The basin at a glance, with the extent of the sheet marked; stands at the foot of the column."""
    foot = pen.write_lines(column, [content.say("本图在流域中的位置")], 0.9, color=FAINT) - 0.15 * pen.line
    x0, y0, x1, y1 = roomy(around(atlas.whole, shown), 0.02)
    height = min(foot - column.floor, column.width * (y1 - y0) / (x1 - x0))
    width = min(column.width, height * (x1 - x0) / (y1 - y0))
    axes = pen.axes(Column(column.left, foot, width, foot - height), facecolor=PAPER)
    thin = 0.05 * pen.size
    axes.add_collection(
        PatchCollection(outlines(atlas.districts.geometry), facecolor=LAND, edgecolor=BORDER, linewidth=thin)
    )
    axes.add_collection(LineCollection(list(atlas.lines.values()), colors=RIVER, linewidths=1.6 * thin))
    axes.set(xticks=[], yticks=[], xlabel="", ylabel="", xlim=(x0, x1), ylim=(y0, y1))
    for side in axes.spines.values():
        side.set(color=GREY, linewidth=0.07 * pen.size)
    west, south, east, north = shown
    for fill, strength in ((True, 0.14), (False, 1.0)):
        axes.add_patch(
            Rectangle((west, south), east - west, north - south, fill=fill, facecolor=RED, edgecolor=RED, alpha=strength,
                      linewidth=0.16 * pen.size, zorder=5)
        )  # fmt: skip
    if focus is not None and focus.section_id in atlas.sections.index:
        point = atlas.sections[focus.section_id]
        axes.plot([point.x], [point.y], marker="o", markersize=0.4 * pen.size, color=INK, zorder=6)


def neat_line(pen: Pen, frame: Frame, atlas: Atlas) -> None:
    """Meridians and parallels at round steps, and a band around the map with their degrees."""
    wide, high = frame.placer.frame[2:]
    at = frame.axes.get_position()
    left, low, mm = at.x0 * pen.width, at.y0 * pen.height, 25.4 / 72
    band = BAND * pen.size * mm
    pen.page.add_artist(
        Rectangle(
            ((left - band) / pen.width, (low - band) / pen.height), (wide * mm + 2 * band) / pen.width,
            (high * mm + 2 * band) / pen.height, fill=False, edgecolor=INK, linewidth=0.16 * pen.size,
        )
    )  # fmt: skip
    meridians, parallels, step = _graticule(frame, atlas)
    lines = [*meridians.values(), *parallels.values()]
    frame.axes.add_collection(LineCollection(lines, colors="#dfe4e8", linewidths=0.06 * frame.size, zorder=2))
    tick = 0.25 * band
    for degrees, line in meridians.items():
        words = _degrees(degrees, "EW", step)
        for end, y, up in ((frame.extent[1], low, -1), (frame.extent[3], low + high * mm, 1)):
            x = (float(np.interp(end, line[:, 1], line[:, 0])) - frame.extent[0]) / frame.metres * mm
            half = pen.measure(words, 0.75) / 2
            if half < x < wide * mm - half:
                _tick(pen, (left + x, y), (left + x, y + up * tick))
                pen.write(left + x, y + up * 0.62 * band, words, 0.75, ha="center", va="center_baseline", color=FAINT)
    for degrees, line in parallels.items():
        words = _degrees(degrees, "NS", step)
        for end, x, side in ((frame.extent[0], left, -1), (frame.extent[2], left + wide * mm, 1)):
            y = (float(np.interp(end, line[:, 0], line[:, 1])) - frame.extent[1]) / frame.metres * mm
            half = pen.measure(words, 0.75) / 2
            if half < y < high * mm - half:
                _tick(pen, (x, low + y), (x + side * tick, low + y))
                pen.write(
                    x + side * 0.62 * band, low + y, words, 0.75, ha="center", va="center", rotation=90, color=FAINT
                )


def _tick(pen: Pen, start: tuple[float, float], end: tuple[float, float]) -> None:
    xs, ys = zip(start, end, strict=True)
    line = pen.rule(xs[0], ys[0], 0.0, INK, 0.06 * pen.size)
    line.set_data([x / pen.width for x in xs], [y / pen.height for y in ys])


def _graticule(frame: Frame, atlas: Atlas) -> tuple[dict[float, np.ndarray], dict[float, np.ndarray], float]:
    """Meridians and parallels (minutes of arc -> their line in metres) and their step in minutes."""
    x0, y0, x1, y1 = frame.extent
    degrees = atlas.to_degrees
    edges = degrees.transform([x0, x1, x0, x1], [y0, y0, y1, y1])
    west, east, south, north = (60 * value for side in edges for value in (min(side), max(side)))
    step = next((s for s in STEPS if max(east - west, north - south) / s <= 7), STEPS[-1])
    walk, full = np.linspace(0, 1, 30), np.ones(30)
    meridians = {
        at: np.column_stack(
            degrees.transform(full * at / 60, (south + walk * (north - south)) / 60, direction="INVERSE")
        )
        for at in np.arange(math.ceil(west / step), math.floor(east / step) + 1) * step
    }
    parallels = {
        at: np.column_stack(degrees.transform((west + walk * (east - west)) / 60, full * at / 60, direction="INVERSE"))
        for at in np.arange(math.ceil(south / step), math.floor(north / step) + 1) * step
    }
    return meridians, parallels, step


def _degrees(minutes: float, sides: str, step: float) -> str:
    """Degrees and minutes, and seconds where the step is finer.

    >>> _degrees(6810.0, "EW", 15), _degrees(-2130.5, "NS", 0.5)
    ('113°30′E', '35°30′30″S')
    """
    side, seconds = sides[int(minutes < 0)], round(abs(minutes) * 60)
    words = f"{seconds // 3600}°{seconds // 60 % 60:02d}′"
    return words + (f"{seconds % 60:02d}″" if step < 1 else "") + side


def scale_bar(frame: Frame) -> None:
    """A bar in kilometres under the scale it is drawn to, where it covers least."""
    size, axes = frame.size, frame.axes
    length = bar_length_m(frame.extent[2] - frame.extent[0])
    long, told = length / frame.metres, frame.denominator > 0
    x0, y0, x1, y1 = frame.quiet_corner(long + 4 * size, (3.5 if told else 2.3) * size)
    _plate(frame, (x0, y0, x1, y1))
    left, low = x0 + 1.5 * size, y0 + 0.6 * size
    for i in range(4):
        axes.add_patch(
            Rectangle(
                frame.data(left + i * long / 4, low), length / 4, 0.35 * size * frame.metres, linewidth=0.06 * size,
                facecolor=INK if i % 2 == 0 else "white", edgecolor=INK, zorder=12, gid="scale bar",
            )
        )  # fmt: skip
    how: dict[str, Any] = {"fontproperties": frame.face.regular, "color": INK, "zorder": 12}
    for share in (0.0, 0.5, 1.0):
        words = f"{share * length / 1000:g}" + (" km" if share == 1.0 else "")
        axes.text(*frame.data(left + share * long, low + 0.6 * size), words, fontsize=0.8 * size, ha="center", **how)
    if told:
        ratio = f"1:{frame.denominator:,.0f}".replace(",", " ")
        axes.text(*frame.data(left + long / 2, low + 1.8 * size), ratio, fontsize=0.9 * size, ha="center", **how)


def north_arrow(frame: Frame, atlas: Atlas) -> None:
    """An arrow to true north, half dark as on survey maps."""
    size = frame.size
    x0, y0, x1, _ = box = frame.quiet_corner(2.6 * size, 4.6 * size, ((1, 1), (0, 1), (1, 0), (0, 0)))
    _plate(frame, box)
    foot = np.array([(x0 + x1) / 2, y0 + 0.4 * size])
    lon, lat = atlas.to_degrees.transform(*frame.data(*foot))
    north = np.array(atlas.to_degrees.transform(lon, lat + 0.01, direction="INVERSE")) - frame.data(*foot)
    up = north / np.hypot(*north)
    aside = np.array([up[1], -up[0]])
    tip, notch = foot + 2.6 * size * up, foot + 0.7 * size * up
    for side, face in ((-1, INK), (1, "white")):
        corners = (tip, foot + side * 0.85 * size * aside, notch)
        frame.axes.add_patch(
            Polygon([frame.data(*corner) for corner in corners], closed=True, facecolor=face, edgecolor=INK,
                    linewidth=0.07 * size, joinstyle="miter", zorder=12, gid="north")
        )  # fmt: skip
    frame.axes.text(
        *frame.data(*(tip + 0.25 * size * up)), "N", fontproperties=frame.face.bold, fontsize=1.1 * size, ha="center",
        va="bottom", color=INK, zorder=12,
    )  # fmt: skip


def _plate(frame: Frame, box: tuple[float, float, float, float]) -> None:
    """A sheet of paper under a piece of furniture, so that what it covers does not shine through."""
    x0, y0, x1, y1 = box
    wide, high = (x1 - x0) * frame.metres, (y1 - y0) * frame.metres
    frame.axes.add_patch(Rectangle(frame.data(x0, y0), wide, high, facecolor="white", alpha=0.85, zorder=11))


def bar_length_m(width_m: float) -> float:
    """A round length (1, 2 or 5 times a power of ten) of about a fifth of the map.

    >>> bar_length_m(130_000)
    20000.0
    """
    rough = width_m / 5
    power = 10 ** math.floor(math.log10(rough))
    return float(max(n * power for n in (1, 2, 5) if n * power <= rough))
