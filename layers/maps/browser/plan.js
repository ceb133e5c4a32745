// A plan on the map: the rivers' classes before it on the left of a line that can be drawn across, after it on the right;
// the outlets it touches; and a frame that catches outlets.
QY.Plan = class {
  constructor(app) {
    this.app = app;
    this.share = 0.5;
    this.caught = new Set();
    this.catching = false;
    const { map } = app;
    this.sheets = [["plan", 415, this.paint], ["plan-marks", 435, this.paintMarks]].map(([name, z, paint]) => {
      const pane = map.createPane(`qy-${name}`);
      pane.style.zIndex = z;
      pane.style.pointerEvents = "none";
      return new QY.Sheet((ink, view) => paint.call(this, ink, view), { pane: `qy-${name}` }).addTo(map);
    });
    this.line = this.swipe();
    this.button = this.catcher();
    map.boxZoom.disable();
    map.on("move zoomend resize", () => this.sheets[0].later());
    map.getContainer().addEventListener("pointerdown", (event) => this.press(event), true);
  }

  /** What Python says: {before, after: a class digit a reach, sections: {id: [before, after]}, marks, caught, words}. */
  show(told) {
    this.told = told;
    this.caught = new Set(told.caught);
    const [before, after] = this.line.querySelectorAll("span");
    [before.textContent, after.textContent] = [told.words.before, told.words.after];
    this.line.setAttribute("aria-label", `${told.words.before} | ${told.words.after}`);
    this.button.title = told.words.catch;
    this.button.setAttribute("aria-label", told.words.catch);
    this.app.map.getContainer().classList.add("qy-planning");
    this.refresh();
  }

  refresh() {
    this.line.style.left = `${100 * this.share}%`;
    this.line.setAttribute("aria-valuenow", Math.round(100 * this.share));
    this.sheets.forEach((sheet) => sheet.redraw());
    this.app.sections.refresh();
    this.app.sheets.names.redraw();
  }

  /** Left edge of the line in layer points. */
  edge() {
    const { map } = this.app;
    return map.containerPointToLayerPoint([this.share * map.getSize().x, 0]).x;
  }

  /** The reading of a section on its side of the line; null where the plan says nothing of it. */
  reading(id, latlng) {
    const pair = this.told?.sections[id];
    return pair ? pair[this.app.map.latLngToLayerPoint(latlng).x < this.edge() ? 0 : 1] : null;
  }

  paint(ink, view) {
    if (!this.told || !this.app.pack) return;
    const { min, max } = view.bounds;
    const edge = Math.min(max.x, Math.max(min.x, this.edge()));
    for (const [codes, from, to] of [[this.told.before, min.x, edge], [this.told.after, edge, max.x]]) {
      ink.save();
      ink.beginPath();
      ink.rect(from, min.y, to - from, max.y - min.y);
      ink.clip();
      this.paintSide(ink, view, codes);
      ink.restore();
    }
  }

  paintSide(ink, view, codes) {
    const { rivers, style } = this.app;
    const least = rivers.smallest(view);
    for (const part of rivers.seen(view)) {
      for (const [order, , ks] of part.byOrder) {
        if (order < least) continue;
        const byClass = new Map();
        for (const k of ks) {
          if (!rivers.visible(part, k, view)) continue;
          const code = codes[part.reach[k]];
          if (!byClass.has(code)) byClass.set(code, []);
          byClass.get(code).push(k);
        }
        const width = rivers.width(order, view.zoom) + 1.2;
        const stroke = (some, extra, colour) => {
          ink.beginPath();
          for (const k of some) rivers.trail(ink, part, k, view);
          ink.lineWidth = width + extra;
          ink.strokeStyle = colour;
          ink.stroke();
        };
        for (const some of byClass.values()) stroke(some, 1.8, "#66727c");
        for (const [code, some] of byClass) stroke(some, 0, style.classes[code]?.[1] || "#ffffff");
      }
    }
  }

  /** A cross where an outlet is sealed, a ring where anything else is done, a halo where it is caught. */
  paintMarks(ink, view) {
    if (!this.told || !this.app.pack) return;
    const { points, style } = this.app;
    points.list.id.forEach((id, i) => {
      const done = this.told.marks[id];
      const caught = this.caught.has(id) && points.kind[i] === "outlet";
      if (!done && !caught) return;
      const [x, y] = view.at(points.place[2 * i], points.place[2 * i + 1]);
      ink.lineWidth = 2;
      if (caught) {
        ink.beginPath();
        ink.arc(x, y, 8, 0, 7);
        ink.strokeStyle = style.traced;
        ink.stroke();
      }
      if (!done) return;
      ink.beginPath();
      if (done === "seal") {
        for (const [dx, dy] of [[-5, -5], [-5, 5]]) {
          ink.moveTo(x + dx, y + dy);
          ink.lineTo(x - dx, y - dy);
        }
      } else ink.arc(x, y, 5, 0, 7);
      for (const [width, colour] of [[5, style.edge], [2.4, style.path]]) {
        ink.lineWidth = width;
        ink.strokeStyle = colour;
        ink.stroke();
      }
    });
  }

  swipe() {
    const line = QY.element("div", "qy-swipe", QY.element("span", "qy-before"), QY.element("i", "", "⇔"), QY.element("span", "qy-after"));
    Object.entries({ role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 100 }).forEach(([name, value]) => line.setAttribute(name, value));
    this.app.map.getContainer().append(line);
    L.DomEvent.disableClickPropagation(line);
    line.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      line.setPointerCapture(event.pointerId);
      line.onpointermove = (moved) => this.slide((moved.clientX - this.box().left) / this.box().width);
    });
    line.addEventListener("pointerup", () => (line.onpointermove = null));
    line.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.05, ArrowRight: 0.05 }[event.key];
      if (!step) return;
      event.stopPropagation();
      this.slide(this.share + step);
    });
    return line;
  }

  box() {
    return this.app.map.getContainer().getBoundingClientRect();
  }

  slide(share) {
    this.share = Math.min(1, Math.max(0, share));
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.refresh());
  }

  catcher() {
    const button = QY.element("a", "", "⬚");
    Object.entries({ href: "#", role: "button", "aria-pressed": false }).forEach(([name, value]) => button.setAttribute(name, value));
    button.onclick = (event) => {
      event.preventDefault();
      this.catch(!this.catching);
    };
    this.app.furniture.corner("topleft", "leaflet-bar qy-fit qy-catch").append(button);
    return button;
  }

  catch(on) {
    this.catching = on;
    this.button.setAttribute("aria-pressed", on);
    this.app.map.getContainer().classList.toggle("qy-catching", on);
  }

  /** Draw a frame: with the button down, or with Shift held. What stands in it is caught, and Python is told. */
  press(event) {
    if (!(this.catching || event.shiftKey) || event.target.closest(".leaflet-control, .qy-swipe")) return;
    event.preventDefault();
    event.stopPropagation();
    const { map } = this.app;
    map.dragging.disable();
    const frame = QY.element("div", "qy-frame");
    map.getContainer().append(frame);
    const { left, top } = this.box();
    const start = [event.clientX - left, event.clientY - top];
    let bounds = L.bounds(start, start);
    const move = (moved) => {
      bounds = L.bounds(start, [moved.clientX - left, moved.clientY - top]);
      Object.assign(frame.style, {
        left: `${bounds.min.x}px`, top: `${bounds.min.y}px`,
        width: `${bounds.max.x - bounds.min.x}px`, height: `${bounds.max.y - bounds.min.y}px`,
      });
    };
    const done = () => {
      document.removeEventListener("pointermove", move);
      frame.remove();
      map.dragging.enable();
      this.catch(false);
      this.swallowClick();
      this.take(bounds);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", done, { once: true });
  }

  /** The click that ends a drag means nothing more. */
  swallowClick() {
    const box = this.app.map.getContainer();
    const swallow = (event) => event.stopPropagation();
    box.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => box.removeEventListener("click", swallow, { capture: true }), 100);
  }

  take(bounds) {
    const { map, points } = this.app;
    const [a, b] = [map.containerPointToLayerPoint(bounds.min), map.containerPointToLayerPoint(bounds.max)];
    const view = QY.view(map, L.bounds(a, b));
    const ids = points.list.id.filter((_, i) => {
      const [x, y] = view.at(points.place[2 * i], points.place[2 * i + 1]);
      return points.kind[i] === "outlet" && x >= a.x && x <= b.x && y >= a.y && y <= b.y;
    });
    this.caught = new Set(ids);
    this.sheets[1].redraw();
    this.app.report("outlets", ids);
  }
};
