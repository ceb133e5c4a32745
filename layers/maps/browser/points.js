// Outlets, plants, gates and inbound rivers on one canvas: quiet until zoomed or traced, crowds as one mark with a count.
QY.Points = class {
  static CROWD = 1200;
  static CELL = 60;
  static FEW = 3;

  /** archive: where the words of points are kept apart, or null where `pack` holds them. */
  constructor(pack, archive, centre, style) {
    this.style = style;
    this.archive = archive;
    this.list = { name: [], code: [], type: [], river: [], ...pack.head.points };
    this.kind = Array.from(pack.pointKind, (kind) => pack.head.kinds[kind]);
    this.reach = pack.pointReach;
    this.part = Float32Array.from(pack.pointPart, (part) => part / 65535);
    this.turn = Float32Array.from(pack.pointTurn, (turn) => (turn / 127) * Math.PI);
    this.place = QY.unroll(pack, "point", centre);
    this.index = new Map(this.list.id.map((id, i) => [`${this.kind[i]}:${id}`, i]));
    this.shown = [];
    this.crowds = [];
    this.decided = new Map();
  }

  /** Whether the words of a point are here. */
  knows(i) {
    return this.list.name[i] !== undefined;
  }

  async learn(i) {
    const [words, at] = await this.archive.wordsOf(i);
    words.name.forEach((_, k) => {
      for (const name of ["name", "code", "type", "river"]) this.list[name][i - at + k] = words[name][k];
    });
  }

  find(kind, id) {
    return this.index.get(`${kind}:${id}`) ?? -1;
  }

  /** Whether a point drains to the traced section; on the section's own reach it must stand above it. */
  lit(i, trace) {
    const reach = this.reach[i];
    return reach >= 0 && trace.mask[reach] === 1 && (reach !== trace.own || this.part[i] <= trace.part);
  }

  /** Radius in px: by zoom when at rest, by delivered load (area) when traced, less so where points crowd. */
  radius(i, view, trace) {
    const given = trace?.delivered?.get(i);
    if (given !== undefined) return this.crowds.length ? 2.6 + 3.4 * Math.sqrt(given / trace.largest) : 3.5 + 13 * Math.sqrt(given / trace.largest);
    const grown = Math.max(0, Math.min(1, (view.zoom - 9.5) / 3));
    return (this.kind[i] === "outlet" ? 2.2 : 3.6) + 2.4 * grown;
  }

  paint(ink, view, trace, chosen) {
    const quiet = [];
    const loud = [];
    for (let i = 0; i < this.kind.length; i += 1) {
      const [wx, wy] = [this.place[2 * i], this.place[2 * i + 1]];
      if (wx < view.west || wx > view.east || wy < view.north || wy > view.south) continue;
      const spot = { i, x: wx * view.scale + view.dx, y: wy * view.scale + view.dy, lit: Boolean(trace) && this.lit(i, trace) };
      const told = i === chosen || trace?.delivered?.has(i) || this.decided.has(i);
      (told || !QY.COUNTED.has(this.kind[i]) ? loud : quiet).push(spot);
    }
    this.crowds = quiet.length > QY.Points.CROWD ? this.crowd(quiet, view) : [];
    this.paintCrowds(ink, trace);
    const load = (spot) => trace?.delivered?.get(spot.i) ?? Infinity;
    loud.sort((a, b) => (a.i === chosen) - (b.i === chosen) || load(b) - load(a));
    const alone = this.crowds.length ? quiet.filter((spot) => !spot.crowded) : quiet;
    this.shown = alone.concat(loud);
    for (const spot of this.shown) this.mark(ink, spot, view, trace, chosen);
    ink.globalAlpha = 1;
  }

  /** Points that share a cell of the ground with two others or more; cells stay where they are as the map is moved. */
  crowd(spots, view) {
    const side = QY.Points.CELL / 2 ** Math.round(view.zoom);
    const cells = new Map();
    for (const spot of spots) {
      const key = `${Math.floor(this.place[2 * spot.i] / side)},${Math.floor(this.place[2 * spot.i + 1] / side)}`;
      cells.set(key, cells.get(key) || []).get(key).push(spot);
    }
    const crowds = [...cells.values()].filter((members) => members.length >= QY.Points.FEW);
    return crowds.map((members) => {
      members.forEach((spot) => (spot.crowded = true));
      const middle = (way) => members.reduce((sum, spot) => sum + spot[way], 0) / members.length;
      const lit = members.filter((spot) => spot.lit).length;
      return { members, lit, x: middle("x"), y: middle("y"), r: 4.5 + 1.1 * Math.log2(lit || members.length) };
    });
  }

  mark(ink, spot, view, trace, chosen) {
    const { i, x, y, lit } = spot;
    const told = trace?.delivered?.has(i);
    const r = (spot.r = this.radius(i, view, trace));
    ink.globalAlpha = trace && !lit && i !== chosen ? 0.22 : told && i !== chosen ? 0.86 : 1;
    ink.fillStyle = i === chosen ? this.style.path : lit && this.kind[i] !== "gate" ? this.style.traced : this.style.quiet;
    ink.strokeStyle = this.style.edge;
    ink.lineWidth = 1.2;
    ink.save();
    ink.translate(x, y);
    ink.rotate(this.turn[i]);
    ink.beginPath();
    QY.SHAPES[this.kind[i]](ink, r);
    ink.fill();
    ink.stroke();
    if (this.decided.has(i)) QY.stamp(ink, this.decided.get(i), r + 2.5, this.style.path);
    ink.restore();
    if (i !== chosen) return;
    ink.beginPath();
    ink.arc(x, y, r + 4, 0, 7);
    ink.strokeStyle = this.style.path;
    ink.lineWidth = 2;
    ink.stroke();
  }

  paintCrowds(ink, trace) {
    ink.font = `12px ${this.style.font}`;
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    for (const { members, lit, x, y, r } of this.crowds) {
      ink.globalAlpha = trace && !lit ? 0.2 : 0.85;
      ink.fillStyle = lit ? this.style.traced : this.style.quiet;
      ink.beginPath();
      ink.arc(x, y, r, 0, 7);
      ink.fill();
      ink.fillStyle = "#fff";
      ink.fillText(lit || members.length, x, y + 0.5);
    }
    ink.globalAlpha = 1;
  }

  /** The crowd under a place of the screen (layer point), or undefined. */
  crowdUnder({ x, y }) {
    return this.crowds.find((crowd) => Math.hypot(crowd.x - x, crowd.y - y) < crowd.r + 1);
  }

  /** The point under a place of the screen (layer point), or -1. */
  under({ x, y }) {
    let [best, found] = [3, -1];
    for (const spot of this.shown) {
      const gap = Math.hypot(spot.x - x, spot.y - y) - Math.max(spot.r, 5);
      if (gap < best) [best, found] = [gap, spot.i];
    }
    return found;
  }
};

/** Kinds that are counted where they crowd. */
QY.COUNTED = new Set(["outlet", "plant"]);

/** What is decided on an outlet, told by shape: sealed is crossed out, regulated ringed, merged framed as plants are. */
QY.stamp = function (ink, decision, r, colour) {
  ink.beginPath();
  if (decision === "seal") {
    ink.moveTo(-r, -r);
    ink.lineTo(r, r);
    ink.moveTo(r, -r);
    ink.lineTo(-r, r);
  } else if (decision === "merge") ink.rect(-r, -r, 2 * r, 2 * r);
  else ink.arc(0, 0, r, 0, 7);
  ink.strokeStyle = colour;
  ink.lineWidth = 1.8;
  ink.stroke();
};

/** Drawn around 0,0 with the river running along +x: a gate lies across it, an inbound arrow points down it. */
QY.SHAPES = {
  outlet: (ink, r) => ink.arc(0, 0, r, 0, 7),
  plant: (ink, r) => ink.rect(-r * 0.9, -r * 0.9, r * 1.8, r * 1.8),
  gate: (ink, r) => ink.rect(-r * 0.4, -r * 1.6, r * 0.8, r * 3.2),
  inbound(ink, r) {
    ink.moveTo(r * 2, 0);
    ink.lineTo(-r * 1.2, -r * 1.3);
    ink.lineTo(-r * 0.4, 0);
    ink.lineTo(-r * 1.2, r * 1.3);
    ink.closePath();
  },
};
