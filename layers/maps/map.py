"""The map as one folium element: drawn from a packed network, traced in the browser, dressed by what Python says.

Three things of different lifetimes are kept apart: the *network* (a file, as long as nobody redraws a river), the
*state* (what was measured by the month shown, in the reader's words), and the *message* (which section and source are
chosen, and what each source delivers).  Only the message travels on a click.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import folium
import pandas as pd
from branca.element import Element, MacroElement
from folium.template import Template

from hydro import HydroError, RiverNetwork, Trace
from hydro.assessment.standards import CLASSES, Standard
from hydro.columns import text
from layers.maps.assets import leaflet, script, sheet
from layers.maps.basemap import ground
from layers.maps.pack import WHOLE, Packed, network_pack
from layers.maps.style import map_style, status
from layers.standards import load_standard
from layers.store import kept
from layers.store.pictures import RELIEF, Picture
from layers.store.pictures import kept as kept_picture
from layers.store.project import Project, open_project

WORDS = (
    "总磷",
    "总磷类别",
    "目标",
    "超标",
    "持平（零余量）",
    "达标",
    "无监测值",
    "本月没有监测值",
    "编码",
    "（无）",
    "到断面",
    "排污口",
    "污水处理厂",
    "闸",
    "入境",
    "劣Ⅴ",
    "数据截至",
    "示例数据",
    "示例",
    "看全图",
    "地形",
    "知道了",
    "点一个断面，看上游是谁的磷",
    "国控",
    "省控",
    "市控",
    "工业排污口",
    "城镇污水处理厂排污口",
    "农业排口",
    "其他排口",
    "处置",
    "规范整治",
    "清理合并",
    "封堵",
)
"""Every word the map writes by itself; whoever shows it passes their translation."""

SPATIAL = ("reaches", "sections", "outlets", "plants", "boundaries", "gates", "districts")
SIZED = 200
"""How many sources are drawn by their load."""
READ = {"TP": "mg/L", "TP_load": "kg/d"}
"""What a source may have been measured for, in the order it is told in."""
STATIONS = {"outlets": "outlet", "plants": "plant", "boundaries": "boundary"}
MARKS = {"outlets": "outlet", "plants": "plant", "boundaries": "inbound"}


def network_file(
    network: RiverNetwork, tables: Mapping[str, pd.DataFrame], *, whole: int = WHOLE, words: bool = False
) -> Packed:
    """The packed network of a project: see :func:`layers.maps.pack.network_pack`."""
    return network_pack(network, tables, ground(tables), whole=whole, words=words)


def project_file(project: Project, network: RiverNetwork) -> Packed:
    """The packed network of a project; a large one is kept until a table that it is drawn from changes."""

    def made() -> Packed:
        return network_file(network, project.tables(SPATIAL, geometry=True))

    if len(network.reaches) < kept.KEPT_FROM:
        return made()
    key = kept.stamp(project.store, SPATIAL)
    if held := kept.load_map(key):
        return Packed(*held)
    packed = made()
    if kept.stamp(project.store, SPATIAL) == key:  # nobody wrote in between
        kept.keep_map(key, *packed)
    return packed


def source_of(packed: Packed, place: Callable[[str, bytes], Mapping[str, str]]) -> dict[str, Any]:
    """Where the browser finds a packed network: its file, and its pieces where it has any, each as ``place`` puts it."""
    found: dict[str, Any] = dict(place("network", packed.head))
    return found | {"pieces": dict(place("pieces", packed.pieces))} if packed.pieces else found


def drawn_tables(network: RiverNetwork) -> Mapping[str, pd.DataFrame]:
    """The spatial tables of a network: its own, or those of the project it came from."""
    if "geometry" in network.reaches:
        return {name: getattr(network, name).reset_index(drop=True) for name in SPATIAL if hasattr(network, name)}
    project = network.reaches.attrs.get("project")
    if not project:
        raise HydroError("no_drawing", "河网没有图形，不能画图。请用 layers.open_project 打开项目，或给出 tables")
    return open_project(project).tables(SPATIAL, geometry=True)


def is_demo(network: RiverNetwork) -> bool:
    """Whether the numbers are made up: some observation names 示例 as its source."""
    return bool(network.observations.table["source"].astype(str).str.contains("示例").any())


def month_state(
    network: RiverNetwork,
    month: str | None,
    standard: Standard,
    *,
    words: Mapping[str, str] | None = None,
    demo: bool | None = None,
) -> dict[str, Any]:
    """What the map shows for a month: value, class and status of every section, newest value of every source.

    ``sections`` {id: {status, class, text, time}}; ``points`` {"outlet:O1": [value with unit, date]}, for those that were measured
    by then; ``targets``: those that were others than the newest, which the network's file has; ``words`` from the source
    language to the reader's; ``demo``: the figures are made up (asked of the observations where not told).
    """
    seen = network.observations
    target, newest = network.targets.on(month), network.targets.on()
    waterbody = text(network.sections, "waterbody")
    sections = {}
    for section_id in map(str, network.sections.index):
        reading = seen.at("section", section_id, "TP", month) if month else None
        if reading is None:
            continue
        rank = int(standard.rank("TP", reading.value, waterbody[section_id] or "river"))
        sections[section_id] = {
            "status": status(reading.value, float(target[section_id])),
            "class": CLASSES[rank],
            "text": f"{reading.value:.3f}",
            "time": month,
        }
    points = {}
    for table, kind in STATIONS.items():
        for row_id in map(str, getattr(network, table).index):
            for parameter, unit in READ.items():
                reading = seen.newest(kind, row_id, parameter, month)
                if reading is not None:
                    points[f"{MARKS[table]}:{row_id}"] = [f"{reading.value:.3g} {unit}", reading.time]
                    break
    times = seen.times("section", "TP")
    return {
        "month": month or "",
        "until": times[-1] if times else "",
        "demo": is_demo(network) if demo is None else demo,
        "sections": sections,
        "points": points,
        "targets": target[target.notna() & (target != newest)].to_dict(),
        "words": dict(words or {}),
    }


def result_rows(trace: Trace) -> list[list[Any]]:
    """The largest sources of a trace as the map needs them: id, delivered kg/d, share. Smaller ones would not be seen."""
    table = trace.table[["source_id", "delivered_kg_d", "share"]].fillna(0.0)
    table = table.nlargest(SIZED, "delivered_kg_d")
    return [[str(i), round(float(kg), 4), round(float(share), 5)] for i, kg, share in table.itertuples(index=False)]


class RiverMap(MacroElement):
    """Draws the packed network on its map; ``network`` as :func:`source_of` gives it, ``message`` what to show first,
    ``relief`` a hillshade to lay under it (see :func:`relief_at`)."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        qingyuan.open({{ this._parent.get_name() }}, {{ this.options|tojson }});
        {% endmacro %}
        """
    )

    def __init__(
        self,
        network: Mapping[str, Any],
        *,
        project: str,
        message: Mapping[str, Any] | None = None,
        relief: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "RiverMap"
        self.options = {
            "network": dict(network),
            "project": project,
            "message": dict(message) if message else None,
            "relief": dict(relief) if relief else None,
            "style": map_style(load_standard()),
        }


class Tell(MacroElement):
    """One message to a map that is already on the screen; lives in a feature group, so that nothing is drawn again."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        window.qingyuan.app.tell({{ this.message|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, message: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Tell"
        self.message = dict(message)


class OfflineMap(folium.Map):
    """A folium map without tiles that asks no other host: its scripts come from the addresses given, or from none."""

    def __init__(self, library: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(
            location=(0, 0),
            zoom_start=8,
            tiles=None,
            zoom_snap=0.25,
            zoom_delta=0.5,
            wheel_px_per_zoom_level=120,
            min_zoom=4,
            max_zoom=17,
            **options,
        )
        addresses = library or {}
        self.default_js = [(name, addresses[name]) for name in ("leaflet.js", "map.js") if name in addresses]
        self.default_css = [(name, addresses[name]) for name in ("leaflet.css", "map.css") if name in addresses]


def relief_at(picture: Picture, url: str) -> dict[str, Any]:
    """A hillshade as the browser lays it: where it is fetched, and its south-west and north-east corners."""
    west, south, east, north = picture.bounds
    return {"url": url, "bounds": [[south, west], [north, east]]}


def live_map(
    library: Mapping[str, str], network: Mapping[str, Any], *, project: str, relief: Mapping[str, Any] | None = None
) -> folium.Map:
    """The map of the app: everything it needs is fetched from the addresses given."""
    made = OfflineMap(library)
    made.add_child(RiverMap(network, project=project, relief=relief))
    return made


def telling(message: Mapping[str, Any]) -> folium.FeatureGroup:
    """A feature group that holds nothing but a message to the map."""
    group = folium.FeatureGroup()
    group.add_child(Tell(message))
    return group


def draw(
    network: RiverNetwork,
    result: Trace | None = None,
    *,
    tables: Mapping[str, pd.DataFrame] | None = None,
    month: str | None = None,
    title: str = "清源",
    say: Callable[[str], str] = str,
) -> folium.Map:
    """A stand-alone map of a network, and of a traced section: ``draw(network, trace).save("huangfu.html")``.

    One file with everything in it, which asks nobody for anything. ``tables`` are the spatial tables; where they are
    not given they are read from the project that the network came from. ``say`` translates the words.
    Raises HydroError where the network has no drawing.
    """
    shapes = drawn_tables(network) if tables is None else tables
    times = network.observations.times("section", "TP")
    month = month or (result.time if result else None) or (times[-1] if times else None)
    state = month_state(network, month, load_standard(), words={word: say(word) for word in WORDS})
    message: dict[str, Any] = {"state": {"value": state}}
    if result is not None:
        message |= {"section": result.section_id, "result": {"section": result.section_id, "rows": result_rows(result)}}
    inside = source_of(
        network_file(network, shapes, words=True), lambda _, data: {"base64": base64.b64encode(data).decode()}
    )
    made = OfflineMap()
    made.add_child(RiverMap(inside, project=title, message=message, relief=_inline_relief(network)))
    figure: Any = made.get_root()
    figure.title = title
    styles = (leaflet() / "leaflet.css").read_text(encoding="utf-8"), sheet()
    scripts = (leaflet() / "leaflet.js").read_text(encoding="utf-8").partition("//# sourceMappingURL")[0], script()
    for code in styles:
        figure.header.add_child(Element(f"<style>{_raw(code)}</style>"))
    for code in scripts:
        figure.header.add_child(Element(f"<script>{_raw(code)}</script>"))
    return made


def _inline_relief(network: RiverNetwork) -> dict[str, Any] | None:
    """The hillshade of the project that a network came from, inside the page itself; None where there is none."""
    project = network.reaches.attrs.get("project")
    picture = kept_picture(open_project(project), RELIEF) if project else None
    if picture is None:
        return None
    return relief_at(picture, f"data:image/png;base64,{base64.b64encode(picture.png).decode()}")


def _raw(code: str) -> str:
    """Code that passes through folium's template engine untouched."""
    return "{% raw %}" + code + "{% endraw %}"


__all__ = [
    "WORDS",
    "OfflineMap",
    "RiverMap",
    "Tell",
    "draw",
    "is_demo",
    "live_map",
    "month_state",
    "network_file",
    "project_file",
    "relief_at",
    "result_rows",
    "source_of",
    "telling",
]
