// Names on the map: rivers along their course, districts in the open; a name that would touch another is left out.
QY.Names = class {
  constructor(app, pack, centre) {
    this.app = app;
    this.places = pack.head.districts.map(({ name, x, y }) => ({ name, at: QY.world(x, y, centre) }));
  }

  paint(ink, view) {
    const taken = [];
    this.app.sections.place(taken);
    const { style } = this.app;
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    ink.lineJoin = "round";
    for (const [name, ks] of this.coursesBySize(view)) this.alongRiver(ink, view, name, ks, taken, style);
    ink.font = `12px ${style.font}`;
    for (const { name, at } of this.places) {
      const [x, y] = view.at(...at);
      const half = ink.measureText(name).width / 2 + 6;
      const way = [[0, 0], [0, 24], [0, -24], [half, 14], [-half, 14], [half, -14], [-half, -14]].find(([dx, dy]) =>
        QY.free([x + dx - half, y + dy - 10, x + dx + half, y + dy + 10], taken),
      );
      if (!way) continue;
      const [px, py] = [x + way[0], y + way[1]];
      taken.push([px - half, py - 9, px + half, py + 9]);
      ink.letterSpacing = "2px";
      this.write(ink, name, px, py, style.district, 3);
      ink.letterSpacing = "0px";
    }
  }

  write(ink, name, x, y, colour, halo) {
    ink.lineWidth = halo;
    ink.strokeStyle = "rgba(255,255,255,.88)";
    ink.strokeText(name, x, y);
    ink.fillStyle = colour;
    ink.fillText(name, x, y);
  }

  /** Rivers that are long enough on the screen for their name, the longest first: [name, [[part, k], …], px]. */
  coursesBySize(view) {
    const { rivers } = this.app;
    const least = rivers.smallest(view);
    const found = new Map();
    for (const part of rivers.seen(view)) {
      for (const [name, ks] of part.courses) {
        for (const k of ks) {
          if (part.order[k] < least || !rivers.visible(part, k, view)) continue;
          const course = found.get(name) || [name, [], 0];
          course[1].push([part, k]);
          course[2] += this.extent(part, k) * view.scale;
          found.set(name, course);
        }
      }
    }
    const long = [...found.values()].filter(([name, , span]) => span > 34 + 15 * name.length);
    return long.sort((a, b) => b[2] - a[2]).slice(0, 60);
  }

  extent({ box }, k) {
    return Math.max(box[4 * k + 2] - box[4 * k], box[4 * k + 3] - box[4 * k + 1]);
  }

  /** Try the reaches of a river from its middle outwards; the name lies along the line, a little off it. */
  alongRiver(ink, view, name, ks, taken, style) {
    ink.font = `italic 13px ${style.font}`;
    const width = ink.measureText(name).width;
    const middle = ks.length >> 1;
    const order = ks.map((course, i) => [Math.abs(i - middle), course]).sort((a, b) => a[0] - b[0]);
    for (const [, [{ line, at }, k]] of order.slice(0, 24)) {
      for (const share of [0.5, 0.25, 0.75]) {
        const v = Math.min(at[k + 1] - 2, at[k] + Math.floor((at[k + 1] - at[k] - 1) * share));
        const [x, y] = view.at((line[2 * v] + line[2 * v + 2]) / 2, (line[2 * v + 1] + line[2 * v + 3]) / 2);
        let turn = Math.atan2(line[2 * at[k + 1] - 1] - line[2 * at[k] + 1], line[2 * at[k + 1] - 2] - line[2 * at[k]]);
        if (Math.abs(turn) > Math.PI / 2) turn -= Math.sign(turn) * Math.PI;
        for (const side of [-11, 12]) {
          const [px, py] = [x - Math.sin(turn) * side, y + Math.cos(turn) * side];
          const [w, h] = [Math.abs(Math.cos(turn)) * width + Math.abs(Math.sin(turn)) * 15, Math.abs(Math.sin(turn)) * width + Math.abs(Math.cos(turn)) * 15];
          const box = [px - w / 2, py - h / 2, px + w / 2, py + h / 2];
          if (!view.bounds.contains([[box[0], box[1]], [box[2], box[3]]]) || !QY.free(box, taken)) continue;
          taken.push(box);
          ink.save();
          ink.translate(px, py);
          ink.rotate(turn);
          this.write(ink, name, 0, 0, style.riverName, 3);
          ink.restore();
          return;
        }
      }
    }
  }
};
