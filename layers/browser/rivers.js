// The rivers: lines by stream order on one canvas, and on another the part that drains to the chosen section.
QY.Rivers = class {
  constructor(pack, centre, style) {
    this.pack = pack;
    this.style = style;
    this.orders = pack.head.orders;
    this.parts = [this.part(pack, centre)];
  }

  /** One drawing of (some of) the reaches: vertices, where each reach begins, its box, and reaches by order. */
  part(pack, centre) {
    const { reach, size } = pack;
    const line = QY.unroll(pack.line, centre);
    const at = new Int32Array(reach.length + 1);
    const box = new Float32Array(reach.length * 4);
    const groups = new Map();
    let span = 0;
    for (let k = 0; k < reach.length; k += 1) {
      at[k + 1] = at[k] + size[k];
      let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let v = at[k]; v < at[k + 1]; v += 1) {
        west = Math.min(west, line[2 * v]);
        east = Math.max(east, line[2 * v]);
        north = Math.min(north, line[2 * v + 1]);
        south = Math.max(south, line[2 * v + 1]);
      }
      box.set([west, north, east, south], 4 * k);
      span += Math.max(east - west, south - north);
      const key = this.pack.order[reach[k]] * 2 + (this.pack.canal[reach[k]] ? 1 : 0);
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(k);
    }
    const byOrder = [...groups].sort(([a], [b]) => a - b).map(([key, ks]) => [key >> 1, key & 1, Int32Array.from(ks)]);
    return { reach, at, line, box, byOrder, span: span / Math.max(reach.length, 1) };
  }

  width(order, zoom) {
    const rank = this.orders > 1 ? (order - 1) / (this.orders - 1) : 1;
    return (0.7 + 3.1 * rank ** 1.4) * Math.min(1.9, Math.max(0.75, 1.13 ** (zoom - 9.5)));
  }

  /** Brooks too short to see at this scale are left out: the smallest order that is drawn. */
  smallest(part, view) {
    const pixels = part.span * view.scale;
    let order = 1;
    for (let limit = 5; order < this.orders - 2 && pixels < limit; limit /= 1.9) order += 1;
    return order;
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

  paintAll(ink, view) {
    for (const part of this.parts) {
      const least = this.smallest(part, view);
      for (const [order, canal, ks] of part.byOrder) {
        if (order < least) continue;
        ink.beginPath();
        for (const k of ks) if (this.visible(part, k, view)) this.trail(ink, part, k, view);
        ink.lineWidth = this.width(order, view.zoom);
        ink.strokeStyle = this.style.river;
        ink.setLineDash(canal ? [6, 4] : []);
        ink.stroke();
      }
    }
    ink.setLineDash([]);
  }

  /** The traced set over the faded rest: a white edge, then blue. `trace` = {mask, own, part}. */
  paintTrace(ink, view, trace) {
    for (const [extra, colour] of [[3, this.style.edge], [1.2, this.style.traced]]) {
      for (const part of this.parts) {
        const least = this.smallest(part, view);
        for (const [order, canal, ks] of part.byOrder) {
          if (order < least) continue;
          ink.beginPath();
          for (const k of ks) {
            const reach = part.reach[k];
            if (!trace.mask[reach] || !this.visible(part, k, view)) continue;
            this.trail(ink, part, k, view, reach === trace.own ? trace.part : 1);
          }
          ink.lineWidth = this.width(order, view.zoom) + extra;
          ink.strokeStyle = colour;
          ink.setLineDash(canal && extra < 2 ? [9, 4] : []);
          ink.stroke();
        }
      }
    }
    ink.setLineDash([]);
  }

  /** The stretch in which the cause most probably entered: a broad band under whatever is drawn on it. */
  paintBracket(ink, view, suspect) {
    ink.beginPath();
    for (const part of this.parts) {
      part.place = part.place || this.places(part);
      for (const reach of suspect) {
        const k = part.place[reach];
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
    for (const part of this.parts) {
      part.place = part.place || this.places(part);
      for (let i = 0; i < trace.reaches.length; i += 1) {
        if (trace.steps[i] > head) break;
        const k = part.place[trace.reaches[i]];
        if (trace.steps[i] < tail || k < 0 || !this.visible(part, k, view)) continue;
        this.trail(ink, part, k, view, trace.reaches[i] === trace.own ? trace.part : 1);
      }
    }
    ink.lineWidth = 2;
    ink.strokeStyle = this.style.front;
    ink.stroke();
  }

  places(part) {
    const place = new Int32Array(this.pack.from.length).fill(-1);
    part.reach.forEach((reach, k) => (place[reach] = k));
    return place;
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
    for (const part of this.parts) {
      part.place = part.place || this.places(part);
      for (const reach of path.reaches) {
        const k = part.place[reach];
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

  /** The reach under a place (relative world pixels) within `reachable`, or -1. */
  nearest(x, y, reachable, least = 1) {
    let [best, found] = [reachable, -1];
    for (const part of this.parts) {
      for (let k = 0; k < part.reach.length; k += 1) {
        const { box, line, at } = part;
        if (x < box[4 * k] - best || x > box[4 * k + 2] + best || y < box[4 * k + 1] - best || y > box[4 * k + 3] + best) continue;
        if (this.pack.order[part.reach[k]] < least) continue;
        for (let v = at[k] + 1; v < at[k + 1]; v += 1) {
          const [x0, y0, x1, y1] = line.subarray(2 * v - 2, 2 * v + 2);
          const along = Math.max(0, Math.min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2 || 1)));
          const gap = Math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0));
          if (gap < best) [best, found] = [gap, part.reach[k]];
        }
      }
    }
    return found;
  }
};
