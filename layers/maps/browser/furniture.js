// Legend, scale, date line, hint and tooltip. All text enters as text, never as markup.
QY.element = function (tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
};

QY.Furniture = class {
  constructor(app) {
    this.app = app;
    const { map } = app;
    this.legend = this.corner("bottomleft", "qy-legend");
    this.scale = L.control.scale({ imperial: false, maxWidth: 110, position: "bottomleft" }).addTo(map);
    this.hint = this.corner("topright", "qy-hint");
    this.fit = this.corner("topleft", "leaflet-bar qy-fit");
    const tip = QY.element("div", "");
    this.tipText = tip;
    this.tip = L.tooltip({ className: "qy-tip", direction: "auto", opacity: 1, interactive: false, offset: [10, 0] });
  }

  corner(position, className) {
    const control = L.control({ position });
    const box = QY.element("div", className);
    L.DomEvent.disableClickPropagation(box);
    control.onAdd = () => box;
    control.addTo(this.app.map);
    return box;
  }

  refresh() {
    const { state, style, word } = this.app;
    const swatches = QY.element("div", "qy-classes", QY.element("b", "", word("总磷类别")));
    for (const [name, colour] of style.classes) {
      const swatch = QY.element("i", "");
      swatch.style.background = colour;
      swatches.append(QY.element("span", "", swatch, name === ">V" ? word("劣Ⅴ") : name));
    }
    const marks = QY.element("div", "qy-marks");
    for (const status of ["over", "at", "holds"]) {
      marks.append(QY.element("span", "", QY.mark(status, "#fff", 16), word(QY.STATUS_WORDS[status])));
    }
    const kinds = QY.element("div", "qy-marks");
    for (const [kind, name] of Object.entries(QY.KIND_WORDS)) {
      if (this.app.points.kind.includes(kind)) kinds.append(QY.element("span", "", this.swatch(kind), word(name)));
    }
    const plan = this.app.points.decided.size > 0 && this.app.points.plan;
    if (plan) kinds.append(QY.element("span", "qy-plan", plan));
    for (const decision of new Set(this.app.points.decided.values())) {
      kinds.append(QY.element("span", "", this.swatch("outlet", decision), word(QY.DECISION_WORDS[decision])));
    }
    const foot = QY.element("div", "qy-foot", [state.month !== state.until && state.month, state.until && `${word("数据截至")} ${state.until}`, state.demo && word("示例数据")].filter(Boolean).join(" · "));
    this.legend.replaceChildren(swatches, marks, kinds, foot);
    const button = QY.element("a", "", "⤢");
    button.href = "#";
    button.title = word("看全图");
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", word("看全图"));
    button.onclick = (event) => {
      event.preventDefault();
      this.app.map.fitBounds(this.app.home, this.app.rims());
    };
    this.fit.replaceChildren(button);
    if (this.relief) this.refreshRelief();
    this.refreshHint();
  }

  addRelief(relief) {
    this.relief = relief;
    this.reliefButton = this.corner("topleft", "leaflet-bar qy-relief");
    this.refreshRelief();
  }

  /** A button that is pressed while the hillshade is shown. */
  refreshRelief() {
    const { relief } = this;
    const button = QY.element("a", "", QY.hill());
    const said = this.app.word("地形");
    button.href = "#";
    button.title = said;
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", said);
    button.setAttribute("aria-pressed", String(relief.shown));
    button.onclick = (event) => {
      event.preventDefault();
      relief.show(!relief.shown);
      button.setAttribute("aria-pressed", String(relief.shown));
    };
    this.reliefButton.replaceChildren(button);
  }

  swatch(kind, decision) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 32;
    canvas.className = "qy-swatch";
    const ink = canvas.getContext("2d");
    ink.translate(16, 16);
    ink.beginPath();
    QY.SHAPES[kind](ink, kind === "outlet" ? 6 : 7);
    ink.fillStyle = this.app.style.quiet;
    ink.fill();
    if (decision) QY.stamp(ink, decision, 9, this.app.style.path);
    return canvas;
  }

  /** One line instead of a manual, until it is closed or followed. */
  refreshHint() {
    if (QY.remembered("qy-hint") || this.app.chosen.section) return this.hint.replaceChildren();
    const close = QY.element("button", "", "✕");
    close.setAttribute("aria-label", this.app.word("知道了"));
    close.onclick = () => this.closeHint();
    this.hint.replaceChildren(this.app.word("点一个断面，看上游是谁的磷"), close);
  }

  closeHint() {
    QY.remember("qy-hint", "1");
    this.hint.replaceChildren();
  }

  show({ title, lines, demo }, at, away) {
    const { word } = this.app;
    this.tipText.replaceChildren(QY.element("strong", "", title, demo ? QY.element("em", "", word("示例")) : null));
    for (const line of lines.filter(Boolean)) this.tipText.append(QY.element("div", "", line));
    this.tip.options.offset = [away, 0];
    this.tip.setContent(this.tipText).setLatLng(at);
    if (!this.app.map.hasLayer(this.tip)) this.tip.addTo(this.app.map);
  }

  hide() {
    this.tip.remove();
  }
};

/** Two hills, drawn, since few fonts have them. */
QY.hill = function () {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 20 20");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", "M1.5 16 L7.5 6 L11 11.5 L13.2 8.5 L18.5 16 Z");
  picture.append(line);
  return picture;
};

/** Storage may be closed to a frame or a file: then nothing is remembered, and nothing breaks. */
QY.remembered = function (key, store = "localStorage") {
  try {
    return window[store].getItem(key);
  } catch {
    return null;
  }
};

QY.remember = function (key, value, store = "localStorage") {
  try {
    window[store].setItem(key, value);
  } catch {
    /* not remembered */
  }
};
