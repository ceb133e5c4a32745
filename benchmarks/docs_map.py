"""The peer of ``benchmarks.map``: the map as the streamlit-folium documentation shows it, on the same project.

``st_folium`` on a map with a ``folium.GeoJson`` of all reaches and a marker a section; a click reruns the page and the
upstream reaches are drawn in another colour.  One change was needed to run it without the internet: Leaflet comes from
the same local files.
"""

import os
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import streamlit as st
from streamlit_folium import st_folium

import hydro
import layers
from hydro.upstream import upstream_of_reach
from layers.maps.assets import Shelf

st.set_page_config(layout="wide")


@st.cache_resource
def load() -> tuple[hydro.RiverNetwork, gpd.GeoDataFrame, gpd.GeoDataFrame, dict[str, str]]:
    project = layers.open_project(os.environ["QINGYUAN_PROJECT"])
    tables = project.tables(("reaches", "sections"), geometry=True)
    library = Shelf(Path(__file__).parent / "static", "../../app/static").library()
    return project.network(), tables["reaches"][["reach_id", "river", "geometry"]], tables["sections"], library


network, reaches, sections, library = load()
folium.Map.default_js = [("leaflet", library["leaflet.js"])]
folium.Map.default_css = [("leaflet", library["leaflet.css"])]
chosen = st.session_state.get("chosen")
upstream = np.zeros(len(reaches), bool)
if chosen:
    upstream = upstream_of_reach(network, network.position("sections", chosen)[0])
west, south, east, north = reaches.total_bounds
m = folium.Map(location=[(south + north) / 2, (west + east) / 2], tiles=None, prefer_canvas=True)
m.fit_bounds([[south, west], [north, east]])
folium.GeoJson(
    reaches.assign(upstream=upstream),
    style_function=lambda f: {"color": "#d00" if f["properties"]["upstream"] else "#48a", "weight": 2},
).add_to(m)
for row in sections.itertuples():
    folium.CircleMarker(
        [row.geometry.y, row.geometry.x], radius=7, color="#222", fill=True, tooltip=row.section_id
    ).add_to(m)
found = st_folium(m, key="map", width=900, height=600, returned_objects=["last_object_clicked_tooltip"])
clicked = found.get("last_object_clicked_tooltip")
if clicked and clicked != chosen:
    st.session_state["chosen"] = clicked
    st.rerun()
if chosen:
    st.html(f'<div id="panel">{chosen}</div>')
