"""A sheet's furniture: title, foot, graticule, scale bar, north arrow, and the inset that shows where the sheet lies."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.patches import FancyArrow, Rectangle

from layers.style import GREY, INK
from reports import phrases
from reports.atlas import Atlas, Extent
from reports.content import Content
from reports.frame import Frame
from reports.pen import FAINT, Column, Pen
from reports.symbols import RIVER


def heading(pen: Pen, content: Content, title: str, x: float, y: float, width: float, head: float) -> None:
    """Title, and 示例 where the figures are made up, over a rule."""
    name = content.say(
        "{project} · {what}（{month}）", project=content.project, what=title, month=phrases.month_name(content)
    )
    label = content.say("示例") if content.demo else ""
    room = width - (pen.measure(label, 1.8) + 8 if label else 0)
    pen.write(x, y + head * 0.42, pen.fits(name, room, 2.0), 2.0, bold=True)
    if label:
        pen.write(x + width, y + head * 0.42, label, 1.8, bold=True, ha="right", color="#b3261e")
    pen.rule(x, y + head * 0.18, width, INK, 0.9)


def footer(pen: Pen, content: Content, number: tuple[int, int], x: float, width: float, foot: float) -> None:
    """Source and date, the field for the approval number, the page's number."""
    y = x + foot * 0.15
    pages = content.say("第 {page} 页，共 {pages} 页", page=number[0], pages=number[1])
    pen.write(x + width, y, pages, 0.9, ha="right", color=FAINT)
    credit = phrases.credit(content)
    if not content.approval:
        credit += " · " + content.say("审图号：{number}", number="＿＿＿＿＿＿")
    pen.write(x, y, pen.fits(credit, width - pen.measure(pages, 0.9) - 6, 0.9), 0.9, color=FAINT)


def inset(pen: Pen, atlas: Atlas, shown: Extent, column: Column) -> None:
    """The basin at a glance, with the extent of the sheet marked."""
    width, height = column.width, min(column.top - column.floor, column.width * 0.75)
    axes = pen.page.add_axes(
        (column.left / pen.width, column.floor / pen.height, width / pen.width, height / pen.height), anchor="SW"
    )
    atlas.districts.boundary.plot(ax=axes, color="#c9d0d6", linewidth=0.05 * pen.size)
    atlas.rivers.plot(ax=axes, color=RIVER, linewidth=0.08 * pen.size)
    axes.set(aspect="equal", xticks=[], yticks=[], xlabel="", ylabel="")
    for side in axes.spines.values():
        side.set(color=GREY, linewidth=0.07 * pen.size)
    x0, y0, x1, y1 = shown
    axes.add_patch(
        Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="#b3261e", linewidth=0.13 * pen.size, zorder=5)
    )


def graticule(frame: Frame, atlas: Atlas) -> None:
    """Meridians and parallels at round steps, their degrees written inside the neat line."""
    x0, y0, x1, y1 = frame.extent
    degrees = atlas.to_degrees
    lon, lat = degrees.transform([x0, x1, x0, x1], [y0, y0, y1, y1])
    step = next(s for s in (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5) if (max(lon) - min(lon)) / s <= 7)
    lons = np.arange(np.ceil(min(lon) / step) * step, max(lon), step)
    lats = np.arange(np.ceil(min(lat) / step) * step, max(lat), step)
    walk = np.linspace(0, 1, 30)
    style = {"color": "#dfe4e8", "linewidth": 0.06 * frame.size, "zorder": 2}
    for at in lons:
        xs, ys = degrees.transform(np.full(30, at), min(lat) + walk * (max(lat) - min(lat)), direction="INVERSE")
        frame.axes.plot(xs, ys, **style)
        place = (float(np.interp(y0, ys, xs)), y0)
        _degree(frame, place, f"{abs(at):g}°{'E' if at >= 0 else 'W'}", (0.5, 0))
    for at in lats:
        xs, ys = degrees.transform(min(lon) + walk * (max(lon) - min(lon)), np.full(30, at), direction="INVERSE")
        frame.axes.plot(xs, ys, **style)
        place = (x0, float(np.interp(x0, xs, ys)))
        _degree(frame, place, f"{abs(at):g}°{'N' if at >= 0 else 'S'}", (0, 0.5))


def _degree(
    frame: Frame, at: tuple[float, float], words: str, anchor: tuple[float, float], scale: float = 0.72
) -> None:
    """Degrees inside the neat line; left out where they would run over the frame or another."""
    width, height = frame.measure(words, scale)
    x, y = frame.at_data(at)
    left = x - anchor[0] * width + (5 if not anchor[0] else 0)
    low = y - anchor[1] * height + (3 if not anchor[1] else 0)
    box = (left, low, left + width, low + height)
    if not frame.placer.free(box):
        return
    frame.placer.block([box])
    frame.axes.text(
        *frame.data(left, low + 0.2 * height), words, fontproperties=frame.face.regular, fontsize=scale * frame.size,
        color="#8b959d", zorder=6,
    )  # fmt: skip


def scale_and_north(frame: Frame, atlas: Atlas) -> None:
    """A scale bar in kilometres and an arrow to true north, in a corner that stays free of names."""
    x0, y0, x1, y1 = frame.extent
    unit = (y1 - y0) / frame.placer.frame[3] * frame.size
    length = bar_length_m(x1 - x0)
    right, low = x1 - 1.6 * unit, y0 + 2.4 * unit
    for i in range(4):
        frame.axes.add_patch(
            Rectangle((right - length + i * length / 4, low), length / 4, 0.35 * unit, facecolor=INK if i % 2 == 0 else "white",
                      edgecolor=INK, linewidth=0.06 * frame.size, zorder=12)
        )  # fmt: skip
    for share in (0.0, 0.5, 1.0):
        words = f"{share * length / 1000:g}" + (" km" if share == 1.0 else "")
        frame.axes.text(
            right - length + share * length, low + 0.6 * unit, words, fontproperties=frame.face.regular,
            fontsize=0.8 * frame.size, ha="center", color=INK, zorder=12,
        )  # fmt: skip
    lon, lat = atlas.to_degrees.transform(x1 - 2 * unit, y1 - 3 * unit)
    nx, ny = atlas.to_degrees.transform(lon, lat + 0.01, direction="INVERSE")
    east, north = nx - (x1 - 2 * unit), ny - (y1 - 3 * unit)
    east, north = np.array([east, north]) / np.hypot(east, north) * 2.4 * unit
    frame.axes.add_patch(
        FancyArrow(x1 - 2 * unit, y1 - 4.6 * unit, east, north, width=0.22 * unit, head_width=0.9 * unit, head_length=1.1 * unit,
                   length_includes_head=True, color=INK, zorder=12)
    )  # fmt: skip
    frame.axes.text(
        x1 - 2 * unit, y1 - 2.0 * unit, "N", fontproperties=frame.face.bold, fontsize=1.1 * frame.size, ha="center",
        va="bottom", color=INK, zorder=12,
    )  # fmt: skip
    box = frame.at_data((right - length - unit, y0)), frame.at_data((x1, low + 2 * unit))
    arrow = frame.at_data((x1 - 3.2 * unit, y1 - 5 * unit)), frame.at_data((x1, y1))
    frame.placer.block([(*box[0], *box[1]), (*arrow[0], *arrow[1])])
    frame.axes.set_gid(f"scale {length:g} m")


def bar_length_m(width_m: float) -> float:
    """A round length (1, 2 or 5 times a power of ten) of about a fifth of the map.

    >>> bar_length_m(130_000)
    20000.0
    """
    rough = width_m / 5
    power = 10 ** math.floor(math.log10(rough))
    return float(max(n * power for n in (1, 2, 5) if n * power <= rough))
