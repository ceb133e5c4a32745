"""Made-up basins with sub-daily stations, and the truth beside them: what the sub-daily attribution is tuned on.

Everything the tables do not tell is drawn anew for every basin: true discharge and velocity (10–20 % off the tables),
dispersion, dead zones, decay of every parameter; unlisted outlets; falsified reports; sensor drift, a wrong clock,
stuck and spiking sensors; wash-off with the rain. The tables are in the project's own schema.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import hydro
from hydro.plume import Clock, Mixing, replies

Float = NDArray[np.float64]
PARAMETERS = ("TP", "NH3N", "COD")
STEP_H = 0.25
TARGET = 0.2
MOST_SLUG_KG, MOST_KG = 60.0, 600.0
"""The most that a short release, and a long one, let out: beyond it nobody has the tank."""
TYPES = {  # NH3N / TP, COD / TP, log spread of each, how often, permitted mg/L TP
    "municipal": (7.5, 62.0, 0.28, 0.36, (0.5, 1.0, 1.5, 3.0, 5.0)),
    "livestock": (5.0, 38.0, 0.28, 0.25, (1.0, 1.5, 3.0, 5.0)),
    "chemical": (0.33, 6.0, 0.22, 0.15, (0.5, 1.5, 3.0, 5.0)),
    "food": (1.8, 100.0, 0.25, 0.1, (0.5, 1.5)),
    "aquaculture": (2.0, 32.0, 0.2, 0.08, (0.5, 1.0)),
    "storm": (3.0, 130.0, 0.25, 0.06, (1.5, 3.0)),
}
KINDS = {
    "municipal": "城镇污水处理厂排污口",
    "livestock": "农业排口",
    "chemical": "工业排污口",
    "food": "工业排污口",
    "aquaculture": "农业排口",
    "storm": "其他排口",
}


@dataclass(frozen=True)
class Basin:
    """A project's tables, and what really happened: ``events`` and one ``queries`` row a section that saw one."""

    seed: int
    tables: dict[str, pd.DataFrame]
    events: pd.DataFrame
    queries: pd.DataFrame

    def network(self) -> hydro.RiverNetwork:
        """The network that an office would have."""
        return hydro.build_network(self.tables)


def make_basin(seed: int, *, reaches: int = 42, events: int = 5) -> Basin:
    """One basin with 4–7 stations, 30–60 days, and a handful of events."""
    rng = np.random.default_rng(seed)
    river = _river(rng, reaches)
    sections = _sections(rng, river)
    sources = _sources(rng, river)
    decay = float(rng.uniform(0.05, 0.3))
    told = _told(rng, river, decay)
    days = int(rng.integers(30, 61))
    start = np.datetime64("2022-05-01T00:00") + np.timedelta64(int(rng.integers(0, 110)), "D")
    steps = int(days * 24 / STEP_H)
    truth = hydro.build_network({"reaches": river, "sections": sections})
    response = _Response.of(rng, truth, sources, decay)

    sources["base_kg_d"] *= response.scale(sources["base_kg_d"].to_numpy(), float(rng.uniform(0.07, 0.13)))
    base = _base_loads(rng, sources, steps)
    rain = _small_rain(rng, days)
    happened: list[dict[str, Any]] = []
    extra: list[Float] = []
    slots = np.linspace(5, days - 4, events) + rng.uniform(-1.2, 1.2, events)
    kinds = rng.choice(["point", "hidden", "washoff", "false"], events, p=[0.46, 0.2, 0.12, 0.22])
    for number, (slot, kind) in enumerate(zip(slots, kinds, strict=True), 1):
        event = None
        for _ in range(6):  # until some section sees it
            event = event or _event(
                rng, f"E{number:02d}", str(kind), float(slot), sources, response, rain, truth, steps
            )
        if event is not None:
            extra.append(event.pop("_wave"))
            happened.append(event)
            if rng.random() < 0.12 and kind in ("point", "hidden"):  # a second one on top of it
                twin = _event(
                    rng, f"E{number:02d}b", "hidden" if rng.random() < 0.5 else "point",
                    slot + rng.uniform(-0.3, 0.6), sources, response, rain, truth, steps,
                )  # fmt: skip
                if twin is not None:
                    extra.append(twin.pop("_wave"))
                    happened.append(twin)
    still = response.still(base, rng)
    clean = still + sum(extra, np.zeros_like(still))
    observed, gauges = _observe(rng, sections, clean, start, happened, extra)
    reports = _reports(rng, sources, base, happened, start, steps)
    samples = _samples(rng, sources, start)
    weather = _weather(rng, rain, start, days)
    listed = sources[sources["kind"] != "hidden"]
    tables = {
        "reaches": told,
        "sections": sections,
        **_registers(rng, listed),
        "observations": pd.concat([observed, reports, samples], ignore_index=True),
        "weather": weather,
    }
    frame = _events_frame(happened, start)
    return Basin(seed, tables, frame, _queries(frame, happened, extra, clean, gauges, sections, start, response))


def _river(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """A tree grown upstream from the mouth, with one or two of its heads split between two reaches below."""
    down = [0]
    children = [0]
    for i in range(1, count - 1):
        free = [n for n in range(len(down)) if children[n] < (2 if n else 3)]
        weight = np.array([1.0 + 0.06 * n for n in free])
        parent = int(rng.choice(free, p=weight / weight.sum()))
        down.append(parent)
        children[parent] += 1
        children.append(0)
        del i
    # node i+1 drains through reach i to node down[i]
    rows = []
    for i, parent in enumerate(down):
        rows.append((f"R{i + 1:04d}", i + 1, parent if i else 0))
    length = rng.lognormal(8.85, 0.4, len(rows)).clip(2500, 20000)
    area = length * rng.lognormal(-5.0, 0.35, len(rows))
    runoff = rng.uniform(3, 8) / 1000
    lateral = area * runoff
    extra = []
    heads = [i for i in range(len(rows) // 2, len(rows)) if rows[i][1] > 3]
    for head in rng.choice(heads, int(rng.integers(1, 3)), replace=False):
        node = rows[head][1]
        below = [n for n in range(2, node - 1) if n != rows[head][2]]
        extra.append((node, int(rng.choice(below)), float(rng.uniform(0.15, 0.45)), int(head)))
    names = [*(r[0] for r in rows), *(f"R{len(rows) + 1 + j:04d}" for j in range(len(extra)))]
    start = [*(r[1] for r in rows), *(e[0] for e in extra)]
    end = [*(r[2] for r in rows), *(e[1] for e in extra)]
    split = np.ones(len(names))
    for j, (_, _, part, head) in enumerate(extra):
        split[head], split[len(rows) + j] = 1 - part, part
    size = np.concatenate([length, rng.lognormal(8.85, 0.4, len(extra)).clip(2500, 20000)])
    own = np.concatenate([lateral, 0.02 * np.ones(len(extra))])
    flow = np.zeros(len(names))
    arrived = np.zeros(max(start) + 1)
    for i in np.argsort([-s for s in start], kind="stable"):
        flow[i] = arrived[start[i]] * split[i] + own[i]
        arrived[end[i]] += flow[i]
    velocity = np.exp(rng.normal(-1.4, 0.2)) * flow ** rng.uniform(0.25, 0.35) * rng.lognormal(0, 0.1, len(flow))
    return pd.DataFrame(
        {
            "reach_id": names,
            "from_node": [f"N{n:04d}" for n in start],
            "to_node": [f"N{n:04d}" for n in end],
            "length_m": size.round(1),
            "discharge_m3_s": flow,
            "velocity_m_s": velocity,
            "split": split,
            "decay_per_d": 0.0,
            "area_km2": np.concatenate([area, np.full(len(extra), 5.0)]),
            "lateral_tp_mg_l": rng.uniform(0.03, 0.06),
        }
    )


def _told(rng: np.random.Generator, river: pd.DataFrame, decay_per_d: float) -> pd.DataFrame:
    told = river.copy()
    count = len(told)
    told["discharge_m3_s"] *= np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.12, count))
    told["velocity_m_s"] *= np.exp(rng.normal(0, 0.06) + rng.normal(0, 0.1, count))
    forked = told["split"] < 1
    noisy = told["split"] * np.where(forked, rng.lognormal(0, 0.05, count), 1.0)
    told["split"] = noisy / noisy.groupby(told["from_node"]).transform("sum")
    told["decay_per_d"] = round(decay_per_d * float(rng.lognormal(0.0, 0.25)), 3)
    return told


def _sections(rng: np.random.Generator, river: pd.DataFrame) -> pd.DataFrame:
    count = int(rng.integers(4, 8))
    weight = river["discharge_m3_s"].to_numpy() ** 0.7
    chosen = np.sort(rng.choice(len(river) - 2, count, replace=False, p=weight[:-2] / weight[:-2].sum()))
    return pd.DataFrame(
        {
            "section_id": [f"S{i + 1:02d}" for i in range(count)],
            "name": [f"S{i + 1:02d}" for i in range(count)],
            "reach_id": river["reach_id"].to_numpy()[chosen],
            "chainage_m": (river["length_m"].to_numpy()[chosen] * rng.uniform(0.3, 0.95, count)).round(1),
            "waterbody": "river",
            "tp_target_mg_l": TARGET,
        }
    )


def _sources(rng: np.random.Generator, river: pd.DataFrame) -> pd.DataFrame:
    names, chance = list(TYPES), np.array([TYPES[t][3] for t in TYPES])
    outlets, plants, hidden = int(rng.integers(21, 26)), int(rng.integers(3, 5)), int(rng.integers(3, 5))
    rows = []
    lateral = np.maximum(river["discharge_m3_s"].to_numpy(), 0.05)
    for i in range(outlets + plants + hidden):
        kind = "outlet" if i < outlets else "plant" if i < outlets + plants else "hidden"
        sort = (
            "wwtp"
            if kind == "plant"
            else str(rng.choice(names[:4] if kind == "hidden" else names, p=_fair(chance, kind)))
        )
        n, c, spread = (5.6, 68.0, 0.22) if sort == "wwtp" else TYPES[sort][:3]
        reach = int(rng.choice(len(river), p=lateral**0.3 / (lateral**0.3).sum()))
        rows.append(
            {
                "kind": kind,
                "type": sort,
                "reach_id": river["reach_id"].iloc[reach],
                "chainage_m": round(float(rng.uniform(0.02, 0.98) * river["length_m"].iloc[reach]), 1),
                "base_kg_d": float(rng.lognormal(-5.0 if kind == "outlet" else -4.3, 1.1) * lateral[reach] * 86.4),
                "NH3N": float(n * rng.lognormal(0, spread)),
                "COD": float(c * rng.lognormal(0, spread)),
                "reports": int(kind == "plant" or (kind == "outlet" and rng.random() < 0.5)),
            }
        )
    frame = pd.DataFrame(rows)
    count = frame.groupby("kind").cumcount() + 1
    frame["source_id"] = frame["kind"].map({"outlet": "O", "plant": "W", "hidden": "H"}) + count.map("{:03d}".format)
    return frame


def _fair(chance: Float, kind: str) -> Float:
    part = chance[:4] if kind == "hidden" else chance
    return part / part.sum()


class _Response:
    """The truth's own responses: section concentration (mg/L) for 1 kg from each source and from the whole land."""

    def __init__(
        self,
        point: dict[str, Float],
        land: dict[str, Float],
        discharge: Float,
        level: dict[str, Float],
        upstream: Float,
    ):
        self.point, self.land, self.discharge, self.level, self.upstream = point, land, discharge, level, upstream

    @classmethod
    def of(
        cls, rng: np.random.Generator, network: hydro.RiverNetwork, sources: pd.DataFrame, decay: float
    ) -> _Response:
        stored = rng.random() < 0.6
        mixing = Mixing(
            dispersivity_m=rng.lognormal(4.1, 0.45, network.topology.reach_count),
            storage_ratio=float(rng.uniform(0.05, 0.45)) if stored else 0.0,
            return_per_h=float(rng.uniform(0.3, 0.8)),
        )
        clock = Clock(STEP_H, 1024)
        reach = np.array([network.reach_position[r] for r in sources["reach_id"]], np.int_)
        metres = sources["chainage_m"].to_numpy(np.float64)
        names = [str(s) for s in network.sections.index]
        own = np.array([network.position("sections", s)[0] for s in names], np.int_)
        water = network.topology.discharge_m3_s[own]
        k = {"TP": decay, "NH3N": rng.uniform(0.28, 0.46), "COD": rng.uniform(0.08, 0.2)}
        every = np.arange(network.topology.reach_count)
        area = network.reaches["area_km2"].to_numpy(np.float64) * rng.lognormal(0, 0.4, len(every))
        point, land, level = {}, {}, {}
        for name in PARAMETERS:
            reply = replies(network, names, mixing=mixing, clock=clock, decay_per_d=k[name])
            to_mg_l = 1000 / (water * STEP_H * 3600)
            point[name] = reply.fraction(reach, metres) * to_mg_l[None, :, None]
            spread = reply.fraction(every, network.topology.length_m / 2)
            land[name] = np.einsum("r,rst->st", area / area.sum(), spread) * to_mg_l[:, None]
            load = float(network.reaches["lateral_tp_mg_l"].iloc[0]) * {"TP": 1.0, "NH3N": 3.0, "COD": 150.0}[name]
            level[name] = np.full(len(names), load) + {"TP": 0.0, "NH3N": 0.05, "COD": 3.0}[name]
        upstream = area / area.sum() @ hydro.delivery_ratios(network, names).ratio  # the truth's reaches have no decay
        return cls(point, land, water, level, np.asarray(upstream, np.float64))

    def wave(self, parameter: str, source: int | None, kg_per_step: Float) -> Float:
        """Concentration over time at every section for a release (kg a step). (sections, steps)"""
        unit = self.land[parameter] if source is None else self.point[parameter][source]
        size = len(kg_per_step) + unit.shape[-1]
        both = np.fft.irfft(np.fft.rfft(unit, size) * np.fft.rfft(kg_per_step, size)[None, :], size)
        return np.asarray(np.clip(both[:, : len(kg_per_step)], 0, None), np.float64)

    def scale(self, base_kg_d: Float, highest: float) -> float:
        """What brings the ordinary level at the worst section to ``highest`` mg/L."""
        level = np.einsum("i,ist->s", base_kg_d * STEP_H / 24, self.point["TP"])
        return max(highest - 0.04, 0.02) / float(level.max())

    def still(self, base: dict[str, Float], rng: np.random.Generator) -> Float:
        """Without any event. (parameters, sections, steps)"""
        waves = []
        for name in PARAMETERS:
            loads = base[name]
            ramp = np.concatenate([np.repeat(loads[:, :1], 1024, axis=1), loads], axis=1)
            total = sum(self.wave(name, i, ramp[i])[:, 1024:] for i in range(len(loads)))
            drift = np.cumsum(rng.normal(0, 0.0015, (len(self.discharge), loads.shape[1])), axis=1)
            waves.append((np.asarray(total) + self.level[name][:, None]) * np.exp(drift - drift.mean(axis=1)[:, None]))
        return np.stack(waves)


def _base_loads(rng: np.random.Generator, sources: pd.DataFrame, steps: int) -> dict[str, Float]:
    hour = np.arange(steps) * STEP_H % 24
    loads = []
    for sort, mean in zip(sources["type"], sources["base_kg_d"], strict=True):
        swing = 0.35 if sort in ("municipal", "wwtp") else 0.15
        wave = (
            1
            + swing * np.sin(2 * np.pi * (hour - rng.uniform(5, 9)) / 24)
            + 0.3 * swing * np.sin(4 * np.pi * hour / 24)
        )
        noise = np.zeros(steps)
        shock = rng.normal(0, 0.02, steps)
        for i in range(1, steps):
            noise[i] = 0.985 * noise[i - 1] + shock[i]
        loads.append(mean * wave * np.exp(noise) * STEP_H / 24)
    tp = np.stack(loads)
    return {"TP": tp, **{p: tp * sources[p].to_numpy()[:, None] for p in ("NH3N", "COD")}}


def _small_rain(rng: np.random.Generator, days: int) -> Float:
    rain = np.zeros(days * 24)
    for _ in range(rng.poisson(days / 7)):
        at, hours = int(rng.integers(0, days * 24 - 12)), int(rng.integers(1, 7))
        rain[at : at + hours] += rng.exponential(6.0 / hours, hours)
    return rain


def _event(
    rng: np.random.Generator,
    name: str,
    kind: str,
    day: float,
    sources: pd.DataFrame,
    response: _Response,
    rain: Float,
    network: hydro.RiverNetwork,
    steps: int,
) -> dict[str, Any] | None:
    """One event that a section sees, with the wave it makes; ``None`` where no section would see it."""
    sections = len(response.discharge)
    wave = np.zeros((len(PARAMETERS), sections, steps))
    first = int(day * 24 / STEP_H)
    blank = {"event_id": name, "kind": kind, "source": None, "from": first, "to": first, "kg": np.nan, "_wave": wave}
    if kind == "false":
        form = str(rng.choice(["spike", "stuck", "pulse"], p=[0.4, 0.3, 0.3]))
        return {**blank, "kind": "false_alarm", "culprit": "NONE", "form": form, "at": int(rng.integers(sections))}
    if kind == "washoff":
        hours = int(rng.integers(5, 14))
        storm = rng.gamma(1.0, 1.0, hours)
        storm *= rng.uniform(30, 90) / storm.sum()
        rain[first // 4 : first // 4 + hours] += storm[: len(rain) - first // 4]
        release = np.zeros(steps)
        depth = np.repeat(storm, 4) / 4
        lag = np.exp(-np.arange(int(24 / STEP_H)) * STEP_H / rng.uniform(2, 7))
        wash = np.convolve(depth, lag / lag.sum())
        wash = wash[: steps - first]
        release[first : first + len(wash)] = wash / wash.sum()
        ratio = {"TP": 1.0, "NH3N": float(rng.uniform(2.2, 4.2)), "COD": float(rng.uniform(110, 190))}
        for i, parameter in enumerate(PARAMETERS):
            wave[i] = response.wave(parameter, None, release) * ratio[parameter]
        want = float(rng.uniform(0.12, 0.5)) / max(float(np.quantile(wave[0].max(axis=1), 0.8)), 1e-12)
        wave *= want * rng.lognormal(0, 0.25, (1, sections, 1))
        done = np.flatnonzero(np.cumsum(release) > 0.98)[0]
        return {**blank, "culprit": "DIFFUSE", "to": int(done), "kg": want}
    wanted = sources["kind"] == "hidden" if kind == "hidden" else sources["kind"] != "hidden"
    slug = rng.random() < 0.5
    length = int(rng.integers(3, 8)) if slug else int(np.exp(rng.uniform(np.log(24), np.log(192))))
    source = int(rng.choice(np.flatnonzero(wanted)))
    release = np.zeros(steps)
    release[first : first + length] = 1.0 / len(release[first : first + length])
    row = sources.iloc[source]
    for i, parameter in enumerate(PARAMETERS):
        wave[i] = response.wave(parameter, source, release) * (1.0 if i == 0 else row[parameter])
    peak = wave[0].max(axis=1)
    if peak.max() < 1e-4:
        return None
    seen = rng.choice(np.flatnonzero(peak > 0.15 * peak.max()))
    want = float(0.1 + rng.exponential(0.2)) / peak[seen]
    if want > (MOST_SLUG_KG if slug else MOST_KG) or want * peak.max() > 1.5:
        return None
    wave *= want
    told = bool(row["reports"]) and rng.random() < 0.5
    culprit = "UNREGISTERED" if kind == "hidden" else str(row["source_id"])
    shown = "hidden" if kind == "hidden" else str(row["kind"])
    return {
        **blank, "kind": shown, "culprit": culprit, "source": source, "to": first + length, "kg": want,
        "slug": slug, "reported": told,
    }  # fmt: skip


def _observe(
    rng: np.random.Generator,
    sections: pd.DataFrame,
    clean: Float,
    start: np.datetime64,
    happened: list[dict[str, Any]],
    extra: list[Float],
) -> tuple[pd.DataFrame, list[tuple[NDArray[np.int_], Float]]]:
    steps = clean.shape[-1]
    frames, gauges = [], []
    odd = int(rng.integers(len(sections)))
    drifting = int(rng.integers(len(sections)))
    for j, section in enumerate(sections["section_id"]):
        every = int(rng.choice([1, 4], p=[0.3, 0.7]) / STEP_H)
        at = np.arange(0, steps, every)
        late = int(rng.normal(0, 1)) if j == odd and rng.random() < 0.7 else 0
        noise = rng.lognormal(0, 0.05, (3, len(at))) * np.array([1, 1, 1.3])[:, None] ** rng.normal(0, 0.2)
        values = clean[:, j, np.clip(at + late, 0, steps - 1)] * noise
        if j == drifting and rng.random() < 0.8:
            values[0] *= 1 + rng.uniform(0.05, 0.15) * at / steps
        for event in happened:
            if event["kind"] == "false_alarm" and event["at"] == j:
                _disturb(rng, event, values[0], at)
        lod = (float(rng.choice([0.01, 0.02, 0.05])), 0.03, 4.0)
        gone = rng.random((len(at),)) < rng.uniform(0.01, 0.04)
        gauges.append((at[~gone], values[0][~gone]))
        time = [str(start.astype("M8[m]") + np.timedelta64(int(i * STEP_H * 60), "m")) for i in at]
        for i, parameter in enumerate(PARAMETERS):
            below = values[i] < lod[i]
            frames.append(
                pd.DataFrame(
                    {
                        "station_id": section,
                        "station_kind": "section",
                        "time": time,
                        "parameter": parameter,
                        "value": np.where(gone, np.nan, np.where(below, lod[i], values[i].round(4 if i < 2 else 2))),
                        "qualifier": np.where(gone, "gap", np.where(below, "<", "")),
                    }
                )
            )
    del extra
    return pd.concat(frames, ignore_index=True), gauges


def _disturb(rng: np.random.Generator, event: dict[str, Any], tp: Float, at: NDArray[np.int_]) -> None:
    here = int(np.searchsorted(at, event["from"]))
    here = min(here, len(tp) - 12)
    high = float(rng.uniform(0.25, 0.8))
    if event["form"] == "spike":
        for i in range(int(rng.integers(1, 3))):
            tp[here + i] = high * rng.uniform(0.8, 1.2)
    elif event["form"] == "stuck":
        hours = rng.integers(8, 22)
        many = max(3, int(hours * 4 / (at[1] - at[0]) / 4))
        tp[here : here + many] = high
    else:
        width = max(2, int(rng.uniform(4, 14) / STEP_H / (at[1] - at[0])))
        shape = np.sin(np.linspace(0.15, np.pi - 0.15, width)) ** 1.2
        tp[here : here + width] += high * shape[: len(tp[here : here + width])]


def _reports(
    rng: np.random.Generator,
    sources: pd.DataFrame,
    base: dict[str, Float],
    happened: list[dict[str, Any]],
    start: np.datetime64,
    steps: int,
) -> pd.DataFrame:
    frames = []
    for i, row in sources[sources["reports"] == 1].iterrows():
        load = base["TP"][int(i)] * 24 / STEP_H  # type: ignore[call-overload]
        for event in happened:
            if event["source"] == i and event.get("reported"):
                load = load.copy()
                load[event["from"] : event["to"]] += event["kg"] / ((event["to"] - event["from"]) * STEP_H / 24)
        every = int((1 if row["kind"] == "plant" else 4) / STEP_H)
        mean = load[: steps // every * every].reshape(-1, every).mean(axis=1) * rng.lognormal(0, 0.06, steps // every)
        keep = rng.random(len(mean)) > 0.03
        time = [
            str(start.astype("M8[m]") + np.timedelta64(int(k * every * STEP_H * 60), "m")) for k in range(len(mean))
        ]
        frames.append(
            pd.DataFrame(
                {
                    "station_id": row["source_id"],
                    "station_kind": row["kind"],
                    "time": np.array(time)[keep],
                    "parameter": "TP_load",
                    "value": mean[keep].round(5),
                    "qualifier": "",
                    "unit": "kg/d",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _samples(rng: np.random.Generator, sources: pd.DataFrame, start: np.datetime64) -> pd.DataFrame:
    rows = []
    for _, row in sources[sources["kind"] != "hidden"].iterrows():
        if rng.random() < 0.13 and row["kind"] == "outlet":
            continue
        tp = float(rng.lognormal(-0.2, 0.5))
        for parameter, ratio in (("TP", 1.0), ("NH3N", row["NH3N"]), ("COD", row["COD"])):
            day = str(start.astype("M8[D]") - np.timedelta64(int(rng.integers(4, 40)), "D"))
            value = tp * ratio * rng.lognormal(0, 0.2)
            rows.append(
                {
                    "station_id": row["source_id"],
                    "station_kind": row["kind"],
                    "time": f"{day}T00:00",
                    "parameter": parameter,
                    "value": round(value, 3),
                    "qualifier": "",
                    "unit": "mg/L",
                }
            )
    return pd.DataFrame(rows)


def _weather(rng: np.random.Generator, rain: Float, start: np.datetime64, days: int) -> pd.DataFrame:
    hour = np.arange(days * 24)
    warm = 24 + 2 * np.sin(hour / 24 / 12) + 0.8 * np.sin(2 * np.pi * (hour - 9) / 24) + rng.normal(0, 0.2, len(hour))
    time = [str(start.astype("M8[m]") + np.timedelta64(int(h), "h")) for h in hour]
    return pd.DataFrame({"time": time, "place": "", "rain_mm": rain.round(2), "water_temp_c": warm.round(1)})


def _registers(rng: np.random.Generator, listed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    permit = listed["base_kg_d"] * rng.lognormal(0.25, 0.4, len(listed))
    strength = [float(rng.choice(TYPES[t][4])) if t in TYPES else 0.5 for t in listed["type"]]
    frame = listed.assign(permit_load_kg_d=permit.round(4), permit_tp_mg_l=strength)
    frame["permit_discharge_m3_d"] = (frame["permit_load_kg_d"] / frame["permit_tp_mg_l"] * 1000).round(1)
    outlets = frame[frame["kind"] == "outlet"].rename(columns={"source_id": "outlet_id", "type": "subtype"})
    plants = frame[frame["kind"] == "plant"].rename(columns={"source_id": "plant_id"})
    common = ["reach_id", "chainage_m", "permit_tp_mg_l", "permit_load_kg_d", "reports"]
    return {
        "outlets": outlets.assign(type=outlets["subtype"].map(KINDS), name=outlets["outlet_id"])[
            ["outlet_id", "name", "type", "subtype", "permit_discharge_m3_d", *common]
        ].reset_index(drop=True),
        "plants": plants.assign(
            name=plants["plant_id"],
            design_discharge_m3_d=plants["permit_discharge_m3_d"],
            actual_discharge_m3_d=(plants["permit_discharge_m3_d"] * 0.9).round(1),
        )[["plant_id", "name", "design_discharge_m3_d", "actual_discharge_m3_d", *common]].reset_index(drop=True),
    }


def _stamp(start: np.datetime64, step: int) -> str:
    return str(start.astype("M8[m]") + np.timedelta64(int(step * STEP_H * 60), "m"))


def _events_frame(happened: list[dict[str, Any]], start: np.datetime64) -> pd.DataFrame:
    rows = []
    for event in happened:
        real = event["kind"] != "false_alarm"
        rows.append(
            {
                "event_id": event["event_id"],
                "kind": event["kind"],
                "culprit": event["culprit"],
                "form": event.get("form", ""),
                "release_from": _stamp(start, event["from"]) if real else "",
                "release_to": _stamp(start, event["to"]) if real else "",
                "released_kg": event["kg"],
                "reported": int(event.get("reported", False)),
            }
        )
    return pd.DataFrame(rows)


def _queries(
    events: pd.DataFrame,
    happened: list[dict[str, Any]],
    extra: list[Float],
    clean: Float,
    gauges: list[tuple[NDArray[np.int_], Float]],
    sections: pd.DataFrame,
    start: np.datetime64,
    response: _Response,
) -> pd.DataFrame:
    """A row an event and section that reads above its target while most of the excess is the event's.

    The mass of a wash-off is what the land above the section sent.
    """
    rows = []
    total = clean[0]
    for (_, event), raw, wave in zip(events.iterrows(), happened, extra, strict=True):
        for j, section in enumerate(sections["section_id"]):
            at, read = gauges[j]
            if event["kind"] == "false_alarm":
                near = (j == raw["at"]) & (np.abs(at - raw["from"]) < 24 / STEP_H) & (read > TARGET)
                near &= read > 1.6 * total[j][at]
            else:
                own = wave[0, j][at]
                near = (read > TARGET) & (own / np.maximum(total[j][at], 1e-9) > 0.38)
            if not np.any(near):
                continue
            peak = int(np.flatnonzero(near)[np.argmax(read[near])])
            rows.append(
                {
                    "event_id": event["event_id"],
                    "section_id": section,
                    "time": _stamp(start, int(at[peak])),
                    "first_exceedance": int(at[np.flatnonzero(near)[0]]),
                    **event[["kind", "culprit", "form", "release_from", "release_to", "released_kg", "reported"]],
                    **({"released_kg": event["released_kg"] * response.upstream[j]} if raw["source"] is None else {}),
                    "query_id": f"{section}@{_stamp(start, int(at[peak]))}",
                }
            )
    frame = pd.DataFrame(rows)
    if len(frame):
        rank = frame.groupby("event_id")["first_exceedance"].rank(method="first")
        frame["first"] = (rank == 1).astype(int)
    return frame


def quieter(basin: Basin) -> Basin:
    """The same basin without its section readings: what an office without stations has."""
    seen = basin.tables["observations"]
    return replace(basin, tables={**basin.tables, "observations": seen[seen["station_kind"] != "section"]})
