// The rivers: lines by size on one canvas, and on another the part that drains to the chosen section.
QY.Rivers = class {
  /** archive: the pieces of a large network, or null where `pack` holds the whole drawing. */
  constructor(pack, pieces, centre, style) {
    this.style = style;
    this.centre = centre;
    this.orders = pack.head.orders;
    this.least = pack.head.least;
    this.archive = pieces ? new QY.Archive(pieces, pack, centre, (piece) => this.part(piece)) : null;
    this.parts = pieces ? [] : [this.part(pack)];
  }

  /** The drawings that a view is painted from. */
  seen(view) {
    return this.archive ? this.archive.seen(view) : this.parts;
  }

  /** Fetch what a view lacks, if anything; resolves to whether anything came. */
  async fetch(view) {
    return this.archive ? this.archive.fetch(view) : false;
  }

  /** One drawing of some of the reaches: vertices, where each reach begins, its box, reaches by size and by name. */
  part(pack) {
    const { order, canal, lineSize } = pack;
    const reach = new Int32Array(pack.reach.length);
    const line = QY.unroll(pack, "line", this.centre, pack.head.unit);
    const at = new Int32Array(reach.length + 1);
    const box = new Float32Array(reach.length * 4);
    const groups = new Map();
    const courses = new Map();
    for (let k = 0; k < reach.length; k += 1) {
      reach[k] = pack.reach[k] + (k ? reach[k - 1] : 0);
      at[k + 1] = at[k] + lineSize[k];
      let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let v = at[k]; v < at[k + 1]; v += 1) {
        west = Math.min(west, line[2 * v]);
        east = Math.max(east, line[2 * v]);
        north = Math.min(north, line[2 * v + 1]);
        south = Math.max(south, line[2 * v + 1]);
      }
      box.set([west, north, east, south], 4 * k);
      const key = order[k] * 2 + (canal[k] ? 1 : 0);
      groups.set(key, groups.get(key) || []).get(key).push(k);
      const name = pack.head.rivers[pack.river[k]];
      if (name) courses.set(name, courses.get(name) || []).get(name).push(k);
    }
    const byOrder = [...groups].sort(([a], [b]) => a - b).map(([key, ks]) => [key >> 1, key & 1, Int32Array.from(ks)]);
    const name = (k) => pack.head.rivers[pack.river[k]];
    return { reach, order, at, line, box, byOrder, courses, name };
  }

  /** Width of a size in px: from the smallest that is drawn to the largest there is. */
  width(order, zoom) {
    const least = this.smallest({ zoom });
    const rank = this.orders > least ? (order - least) / (this.orders - least) : 1;
    return (0.7 + 3.1 * rank ** 1.4) * Math.min(1.9, Math.max(0.75, 1.13 ** (zoom - 9.5)));
  }

  /** Brooks for which this scale has no room are left out: the smallest size that is drawn. */
  smallest({ zoom }) {
    return this.least[Math.max(0, Math.min(this.least.length - 1, Math.floor(zoom)))];
  }

  /** Where a reach stands in a part, whose reaches ascend; -1 where it is not in it. */
  place({ reach }, wanted) {
    let [low, high] = [0, reach.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (reach[middle] === wanted) return middle;
      if (reach[middle] < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  visible(part, k, view) {
    const { box } = part;
    return box[4 * k] < view.east && box[4 * k + 2] > view.west && box[4 * k + 1] < view.south && box[4 * k + 3] > view.north;
  }

  /** Add a reach to the path being drawn, between two shares of its length. */
  trail(ink, part, k, view, to = 1, from = 0) {
    const { line, at } = part;
    const { scale, dx, dy } = view;
    if (to >= 1 && from <= 0) {
      ink.moveTo(line[2 * at[k]] * scale + dx, line[2 * at[k] + 1] * scale + dy);
      for (let v = at[k] + 1; v < at[k + 1]; v += 1) ink.lineTo(line[2 * v] * scale + dx, line[2 * v + 1] * scale + dy);
      return;
    }
    const whole = this.length(part, k);
    let walked = 0;
    let drawing = false;
    for (let v = at[k] + 1; v < at[k + 1]; v += 1) {
      const [x0, y0, x1, y1] = line.subarray(2 * v - 2, 2 * v + 2);
      const step = Math.hypot(x1 - x0, y1 - y0);
      const a = Math.max(0, (from * whole - walked) / step);
      const b = Math.min(1, (to * whole - walked) / step);
      walked += step;
      if (a >= b) continue;
      if (!drawing) ink.moveTo(...view.at(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a));
      ink.lineTo(...view.at(x0 + (x1 - x0) * b, y0 + (y1 - y0) * b));
      drawing = true;
    }
  }

  length(part, k) {
    let sum = 0;
    for (let v = part.at[k] + 1; v < part.at[k + 1]; v += 1) {
      sum += Math.hypot(part.line[2 * v] - part.line[2 * v - 2], part.line[2 * v + 1] - part.line[2 * v - 1]);
    }
    return sum;
  }

  /**
   * Add reaches to the path being drawn. One that begins where the last ended goes on from it, and of steps shorter than
   * a pixel only the last is drawn: a nation's rivers are most of them shorter than that.
   */
  trails(ink, part, ks, view, wanted, shareOf) {
    const { line, at } = part;
    const { scale, dx, dy } = view;
    let end = -1;
    let [x, y, atX, atY] = [0, 0, 0, 0];
    const finish = () => (x !== atX || y !== atY) && ink.lineTo(x, y);
    for (const k of ks) {
      if (!this.visible(part, k, view) || !wanted(part.reach[k])) continue;
      const share = shareOf(part.reach[k]);
      const start = at[k];
      if (end < 0 || share < 1 || line[2 * end] !== line[2 * start] || line[2 * end + 1] !== line[2 * start + 1]) {
        if (end >= 0) finish();
        end = -1;
        if (share < 1) {
          this.trail(ink, part, k, view, share);
          continue;
        }
        [atX, atY] = [x, y] = view.at(line[2 * start], line[2 * start + 1]);
        ink.moveTo(x, y);
      }
      end = at[k + 1] - 1;
      for (let v = start + 1; v <= end; v += 1) {
        x = line[2 * v] * scale + dx;
        y = line[2 * v + 1] * scale + dy;
        if (Math.abs(x - atX) + Math.abs(y - atY) < 1) continue;
        ink.lineTo(x, y);
        [atX, atY] = [x, y];
      }
    }
    if (end >= 0) finish();
  }

  /** Stroke what is wanted of all that is seen, size by size. Thin lines have no round ends: nobody sees them, and they cost most. */
  strokeSizes(ink, view, { extra, colour, dash, wanted = () => true, shareOf = () => 1 }) {
    const least = this.smallest(view);
    ink.strokeStyle = colour;
    for (const part of this.seen(view)) {
      for (const [order, canal, ks] of part.byOrder) {
        if (order < least) continue;
        const width = this.width(order, view.zoom);
        ink.lineWidth = width + extra;
        ink.lineCap = width > 1.8 ? "round" : "butt";
        ink.lineJoin = width > 1.8 ? "round" : "bevel";
        ink.setLineDash(canal ? dash : []);
        ink.beginPath();
        this.trails(ink, part, ks, view, wanted, shareOf);
        ink.stroke();
      }
    }
    ink.setLineDash([]);
    ink.lineCap = ink.lineJoin = "round";
  }

  paintAll(ink, view) {
    this.strokeSizes(ink, view, { extra: 0, colour: this.style.river, dash: [6, 4] });
  }

  /** The traced set over the faded rest: a white edge, then blue. `trace` = {mask, own, part}. */
  paintTrace(ink, view, trace) {
    const wanted = (reach) => trace.mask[reach] === 1;
    const shareOf = (reach) => (reach === trace.own ? trace.part : 1);
    this.strokeSizes(ink, view, { extra: 3, colour: this.style.edge, dash: [], wanted, shareOf });
    this.strokeSizes(ink, view, { extra: 1.2, colour: this.style.traced, dash: [9, 4], wanted, shareOf });
  }

  /** The stretch in which the cause most probably entered: a broad band under whatever is drawn on it. */
  paintBracket(ink, view, suspect) {
    ink.beginPath();
    for (const part of this.seen(view)) {
      for (const reach of suspect) {
        const k = this.place(part, reach);
        if (k >= 0 && this.visible(part, k, view)) this.trail(ink, part, k, view);
      }
    }
    ink.lineWidth = 13;
    ink.lineCap = "round";
    ink.globalAlpha = 0.45;
    ink.strokeStyle = this.style.bracket;
    ink.stroke();
    ink.globalAlpha = 1;
  }

  /** A bright front that runs upstream once: reaches between two step counts. */
  paintFront(ink, view, trace, head, tail) {
    ink.beginPath();
    for (const part of this.seen(view)) {
      for (let i = 0; i < trace.reaches.length; i += 1) {
        if (trace.steps[i] > head) break;
        const k = this.place(part, trace.reaches[i]);
        if (trace.steps[i] < tail || k < 0 || !this.visible(part, k, view)) continue;
        this.trail(ink, part, k, view, trace.reaches[i] === trace.own ? trace.part : 1);
      }
    }
    ink.lineWidth = 2;
    ink.strokeStyle = this.style.front;
    ink.stroke();
  }

  /** The way of one source: dark, with marks that point downstream. `path` = {reaches, ends: reach -> [from, to]}. */
  paintPath(ink, view, path) {
    for (const [width, colour] of [[8, this.style.edge], [5, this.style.path]]) {
      ink.beginPath();
      this.eachPath(path, view, (part, k, [from, to]) => this.trail(ink, part, k, view, to, from));
      ink.lineWidth = width;
      ink.strokeStyle = colour;
      ink.stroke();
    }
    ink.fillStyle = this.style.edge;
    this.eachPath(path, view, (part, k, ends) => this.marks(ink, part, k, view, ends));
  }

  eachPath(path, view, draw) {
    for (const part of this.seen(view)) {
      for (const reach of path.reaches) {
        const k = this.place(part, reach);
        if (k >= 0 && this.visible(part, k, view)) draw(part, k, path.ends.get(reach) || [0, 1]);
      }
    }
  }

  /** Small arrow heads along a reach, one every 46 px. */
  marks(ink, part, k, view, [from, to]) {
    const { line, at } = part;
    const whole = this.length(part, k);
    let [walked, next] = [0, from * whole + 14 / view.scale];
    for (let v = at[k] + 1; v < at[k + 1]; v += 1) {
      const [x0, y0, x1, y1] = line.subarray(2 * v - 2, 2 * v + 2);
      const step = Math.hypot(x1 - x0, y1 - y0);
      while (next < walked + step && next < to * whole) {
        const share = (next - walked) / step;
        const [x, y] = view.at(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share);
        ink.save();
        ink.translate(x, y);
        ink.rotate(Math.atan2(y1 - y0, x1 - x0));
        ink.beginPath();
        ink.moveTo(3.2, 0);
        ink.lineTo(-1.8, -2.1);
        ink.lineTo(-1.8, 2.1);
        ink.fill();
        ink.restore();
        next += 46 / view.scale;
      }
      walked += step;
    }
  }

  /** Name of the drawn river under a place (relative world pixels) within `reachable`; blank where there is none. */
  nameAt(x, y, reachable, view) {
    let [best, found] = [reachable, ""];
    const least = this.smallest(view);
    for (const part of this.seen(view)) {
      for (let k = 0; k < part.reach.length; k += 1) {
        const { box, line, at } = part;
        if (x < box[4 * k] - best || x > box[4 * k + 2] + best || y < box[4 * k + 1] - best || y > box[4 * k + 3] + best) continue;
        if (part.order[k] < least) continue;
        for (let v = at[k] + 1; v < at[k + 1]; v += 1) {
          const [x0, y0, x1, y1] = line.subarray(2 * v - 2, 2 * v + 2);
          const along = Math.max(0, Math.min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2 || 1)));
          const gap = Math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0));
          if (gap < best) [best, found] = [gap, part.name(k)];
        }
      }
    }
    return found;
  }
};
