// Outlets, plants, gates and inbound rivers on one canvas: quiet until zoomed or traced, crowds as one mark with a count.
QY.Points = class {
  static CROWD = 1200;
  static CELL = 46;

  constructor(pack, centre, style) {
    this.style = style;
    this.list = pack.head.points;
    this.kind = this.list.kind;
    this.reach = pack.pointReach;
    this.part = pack.pointPart;
    this.turn = pack.pointTurn;
    this.place = QY.unroll(pack.pointAt, centre);
    this.index = new Map(this.list.id.map((id, i) => [`${this.kind[i]}:${id}`, i]));
    this.shown = [];
    this.decided = new Map();
  }

  find(kind, id) {
    return this.index.get(`${kind}:${id}`) ?? -1;
  }

  /** Whether a point drains to the traced section; on the section's own reach it must stand above it. */
  lit(i, trace) {
    const reach = this.reach[i];
    return reach >= 0 && trace.mask[reach] === 1 && (reach !== trace.own || this.part[i] <= trace.part);
  }

  /** Radius in px: by zoom when at rest, by delivered load (area) when traced. */
  radius(i, view, trace) {
    const given = trace?.delivered?.get(i);
    if (given !== undefined) return 3.5 + 13 * Math.sqrt(given / trace.largest);
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
      (told || this.kind[i] !== "outlet" ? loud : quiet).push(spot);
    }
    const crowded = quiet.length > QY.Points.CROWD;
    if (crowded) this.paintCrowd(ink, quiet, trace);
    const load = (spot) => trace?.delivered?.get(spot.i) ?? Infinity;
    loud.sort((a, b) => (a.i === chosen) - (b.i === chosen) || load(b) - load(a));
    this.shown = crowded ? loud : quiet.concat(loud);
    for (const spot of this.shown) this.mark(ink, spot, view, trace, chosen);
    ink.globalAlpha = 1;
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

  paintCrowd(ink, spots, trace) {
    const cells = new Map();
    for (const spot of spots) {
      const key = `${Math.floor(spot.x / QY.Points.CELL)},${Math.floor(spot.y / QY.Points.CELL)}`;
      const cell = cells.get(key) || { n: 0, lit: 0, x: 0, y: 0 };
      cell.n += 1;
      cell.lit += spot.lit ? 1 : 0;
      cell.x += spot.x;
      cell.y += spot.y;
      cells.set(key, cell);
    }
    ink.font = `12px ${this.style.font}`;
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    for (const { n, lit, x, y } of cells.values()) {
      ink.globalAlpha = trace && !lit ? 0.2 : 0.85;
      ink.fillStyle = lit ? this.style.traced : this.style.quiet;
      ink.beginPath();
      ink.arc(x / n, y / n, n === 1 ? 3 : 5 + 1.6 * Math.log2(lit || n), 0, 7);
      ink.fill();
      ink.fillStyle = "#fff";
      if (n > 1) ink.fillText(lit || n, x / n, y / n + 0.5);
    }
    ink.globalAlpha = 1;
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
