// The map of one project: draws the network, answers a click at once, tells Python, and shows what Python answers.
QY.App = class {
  constructor(map, options) {
    this.map = map;
    this.options = options;
    this.style = options.style;
    this.colours = new Map(options.style.classes);
    this.chosen = { section: "", source: "" };
    this.state = { sections: {}, points: {}, words: {} };
    this.trace = null;
    this.path = null;
    this.clicks = 0;
    this.word = (text) => this.state.words[text] || text;
    map.attributionControl.setPrefix(false);
    map.qyCentre = [0, 0];
    for (const [name, z] of [["ground", 200], ["relief", 300], ["rivers", 410], ["trace", 420], ["points", 430], ["names", 440], ["sections", 620]]) {
      map.createPane(`qy-${name}`).style.zIndex = z;
      if (name !== "sections") map.getPane(`qy-${name}`).style.pointerEvents = "none";
    }
    const sheet = (name, paint) => new QY.Sheet(paint, { pane: `qy-${name}` }).addTo(map);
    const ready = (paint) => (ink, view) => this.pack && paint(ink, view);
    this.sheets = {
      ground: sheet("ground", ready((ink, view) => this.ground.paint(ink, view))),
      rivers: sheet("rivers", ready((ink, view) => this.paintRivers(ink, view))),
      trace: sheet("trace", ready((ink, view) => this.paintTrace(ink, view))),
      points: sheet("points", ready((ink, view) => this.points.paint(ink, view, this.trace, this.chosenPoint()))),
      names: sheet("names", ready((ink, view) => this.names.paint(ink, view))),
    };
    map.on("mousemove", (event) => this.hover(event));
    map.on("mouseout", () => this.hideTip());
    map.on("click", (event) => this.click(event));
    map.on("moveend", () => this.rememberView());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.choose({ section: "" }, "click");
      if (event.key === "/" && window.parent !== window) {
        window.parent.focus(); // the search stands on the page around the map
        window.parent.document.dispatchEvent(new KeyboardEvent("keydown", { key: "/" }));
        event.preventDefault();
      }
    });
    new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(map.getContainer());
    if (options.relief) this.relief = new QY.Relief(this, options.relief);
    this.loaded = this.load(options);
  }

  async load({ network, message }) {
    const pack = QY.unpack(await QY.bytes(network));
    const [west, south, east, north] = pack.head.bounds;
    this.home = L.latLngBounds([south, west], [north, east]);
    const centre = QY.world(((west + east) / 2) * QY.PER_DEGREE, ((south + north) / 2) * QY.PER_DEGREE, [0, 0]);
    this.map.qyCentre = centre;
    this.topology = QY.Topology.of(pack);
    this.rivers = new QY.Rivers(pack, network.pieces, centre, this.style);
    this.points = new QY.Points(pack, this.rivers.archive, centre, this.style);
    this.ground = new QY.Ground(pack, centre, this.style);
    this.sections = new QY.Sections(this, pack);
    this.names = new QY.Names(this, pack, centre);
    this.furniture = new QY.Furniture(this);
    if (this.relief) this.furniture.addRelief(this.relief);
    this.pack = pack;
    this.showView();
    await this.fetching;
    if (message) await this.apply(message);
    this.map.getContainer().dataset.ready = "1";
  }

  /** Where this project was last looked at in this tab, else all of it; a wheel turned too far never loses the basin. */
  showView() {
    const last = JSON.parse(QY.remembered(`qy-view-${this.options.project}`, "sessionStorage") || "null");
    if (last) this.map.setView(last.at, last.zoom, { animate: false });
    else this.map.fitBounds(this.home, { animate: false, ...this.rims() });
    this.map.setMinZoom(Math.min(this.map.getZoom(), Math.floor(this.map.getBoundsZoom(this.home)) - 2));
    this.repaint();
  }

  /** What must stay clear of the rivers: the buttons on the left, the legend below. */
  rims() {
    const { x, y } = this.map.getSize(); // a frame may still be narrow, and its legend tall: rims never take all of it
    const legend = Math.max(58, this.furniture.legend.offsetHeight) + 14;
    return { paddingTopLeft: [Math.min(46, 0.2 * x), Math.min(14, 0.2 * y)], paddingBottomRight: [Math.min(14, 0.2 * x), Math.min(legend, 0.4 * y)] };
  }

  rememberView() {
    if (!this.map.getContainer().dataset.ready) return;
    const view = JSON.stringify({ at: this.map.getCenter(), zoom: this.map.getZoom() });
    QY.remember(`qy-view-${this.options.project}`, view, "sessionStorage");
  }

  repaint() {
    Object.values(this.sheets).forEach((sheet) => sheet.redraw());
  }

  /** What Python says: {state: {url} or {value}, section, source, result, clicks}. An answer to an older click is dropped. */
  async tell(message) {
    await this.loaded;
    await this.apply(message);
  }

  async apply(message) {
    if (message.state && JSON.stringify(message.state) !== this.stateSource) {
      this.stateSource = JSON.stringify(message.state);
      const state = message.state.value || (await QY.readJSON(message.state));
      if (JSON.stringify(message.state) === this.stateSource) this.state = state;
      this.sections.refresh();
      this.furniture.refresh();
      this.sheets.names.redraw();
    }
    if (message.plan) (this.plan ??= new QY.Plan(this)).show(message.plan);
    if ((message.clicks || 0) < this.clicks) return;
    if (message.section !== this.chosen.section) this.choose({ section: message.section || "" }, "python");
    if (message.result) this.showResult(message.result);
    const { source = "" } = message;
    if (source !== this.chosen.source) this.chooseSource(source, "python");
  }

  choose({ section }, from) {
    const known = this.sections.byId.get(section);
    this.chosen = { section: known ? section : "", source: "" };
    this.path = null;
    this.trace = known ? { ...this.topology.upstream(known.reach), own: known.reach, part: known.part } : null;
    this.map.getContainer().classList.toggle("qy-tracing", Boolean(known));
    this.sheets.trace.redraw();
    this.map.getContainer().dataset.traced = this.chosen.section;
    this.sections.refresh();
    this.sheets.points.redraw();
    this.sheets.names.redraw();
    if (known) {
      this.furniture.closeHint();
      this.runUpstream();
      const at = this.sections.markers[known.i].getLatLng();
      if (from !== "click" && !this.map.getBounds().pad(-0.05).contains(at)) this.map.panTo(at);
    }
    if (from === "click") this.report("section", this.chosen.section);
  }

  /** Sources grow with what they deliver. rows: [[source_id, delivered_kg_d, share], …] of the section traced. */
  showResult({ section, rows }) {
    if (!this.trace || section !== this.chosen.section) return;
    this.trace.delivered = new Map();
    this.trace.said = new Map();
    for (const [id, delivered, share] of rows) {
      const i = this.pointOf(id);
      if (i < 0) continue;
      this.trace.delivered.set(i, delivered);
      this.trace.said.set(i, [delivered, share]);
    }
    this.trace.largest = Math.max(...this.trace.delivered.values(), 1e-9);
    this.sheets.points.redraw();
  }

  /** Where the cause most probably entered, once that is worked out: reaches by their number, of the section traced. */
  showBracket({ section, reaches }) {
    if (!this.trace || section !== this.chosen.section || this.trace.bracket === String(reaches)) return;
    this.trace.bracket = String(reaches);
    this.trace.suspect = new Set(reaches);
    this.map.getContainer().dataset.bracket = reaches.length;
    this.sheets.trace.redraw();
  }

  /** What is decided on outlets, {outlet_id: seal | merge | regulate}, in which plan, told at a time: what is not later is not news. */
  showDecided({ told, decided, plan }) {
    if (!this.pack || told <= (this.decidedTold || 0)) return;
    this.decidedTold = told;
    this.points.plan = plan;
    this.points.decided = new Map(Object.entries(decided).map(([id, what]) => [this.points.find("outlet", id), what]));
    this.map.getContainer().dataset.decided = this.points.decided.size;
    this.furniture.refresh();
    this.sheets.points.redraw();
  }

  pointOf(source) {
    if (source.startsWith("INBOUND:")) return this.points.find("inbound", source.slice(8));
    const outlet = this.points.find("outlet", source);
    return outlet >= 0 ? outlet : this.points.find("plant", source);
  }

  sourceOf(i) {
    const { id } = this.points.list;
    return this.points.kind[i] === "inbound" ? `INBOUND:${id[i]}` : id[i];
  }

  chosenPoint() {
    return this.chosen.source ? this.pointOf(this.chosen.source) : -1;
  }

  chooseSource(source, from) {
    this.chosen.source = source;
    this.light(source);
    this.sheets.points.redraw();
    if (from === "click") this.report("source", source);
  }

  /** Light the way of a source: to the traced section, or where none is traced to the mouth. "" puts it out. */
  light(source) {
    const i = source ? this.pointOf(source) : -1;
    this.path = i < 0 ? null : this.way(i);
    this.map.getContainer().dataset.path = this.path ? source : "";
    this.sheets.trace.redraw();
  }

  way(i) {
    const start = this.points.reach[i];
    const { trace } = this;
    const within = trace?.mask;
    if (within && !within[start]) return null;
    const ends = new Map([[start, [this.points.part[i], 1]]]);
    if (trace) ends.set(trace.own, [start === trace.own ? this.points.part[i] : 0, trace.part]);
    return { reaches: this.topology.downstream(start, within).reaches, ends };
  }

  paintRivers(ink, view) {
    this.rivers.paintAll(ink, view);
    this.fetching = this.rivers.fetch(view).then((came) => {
      if (!came) return;
      cancelAnimationFrame(this.coming);
      this.coming = requestAnimationFrame(() => this.repaintRivers());
    });
  }

  /** Everything that is drawn along rivers, once more of them have come. */
  repaintRivers() {
    for (const name of ["rivers", "trace", "names"]) this.sheets[name].redraw();
    this.plan?.refresh();
  }

  paintTrace(ink, view) {
    if (this.trace) this.rivers.paintTrace(ink, view, this.trace);
    if (this.trace?.suspect) this.rivers.paintBracket(ink, view, this.trace.suspect);
    if (this.front) this.rivers.paintFront(ink, view, this.trace, ...this.front);
    if (this.path) this.rivers.paintPath(ink, view, this.path);
  }

  /** The trace is painted already; this only shows which way it runs. */
  runUpstream(time = 400) {
    cancelAnimationFrame(this.running);
    this.front = null;
    const { trace } = this;
    if (trace.reaches.length > 5000 || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const last = trace.steps[trace.steps.length - 1] + 1;
    const start = performance.now();
    const frame = (now) => {
      if (this.trace !== trace) return;
      const head = ((now - start) / time) * last;
      this.front = head < last * 1.15 ? [head, head - Math.max(2, last * 0.15)] : null;
      this.sheets.trace.redraw();
      if (this.front) this.running = requestAnimationFrame(frame);
    };
    this.running = requestAnimationFrame(frame);
  }

  click({ layerPoint }) {
    if (!this.pack) return;
    const i = this.points.under(layerPoint);
    if (i >= 0 && this.points.kind[i] !== "gate") this.chooseSource(this.sourceOf(i), "click");
    else if (this.points.crowdUnder(layerPoint)) this.enter(this.points.crowdUnder(layerPoint));
    else if (this.chosen.source) this.chooseSource("", "click");
  }

  /** Go to where the members of a crowd stand apart. */
  enter({ members }) {
    const places = members.map(({ x, y }) => this.map.layerPointToLatLng([x, y]));
    const zoom = Math.max(this.map.getZoom() + 1, this.map.getBoundsZoom(L.latLngBounds(places)));
    this.map.setView(L.latLngBounds(places).getCenter(), Math.min(zoom, this.map.getZoom() + 3));
  }

  hover({ layerPoint, latlng }) {
    if (!this.pack || this.map.dragging?.moving()) return;
    const i = this.points.under(layerPoint);
    if (i >= 0) {
      this.map.getContainer().classList.add("qy-pointing");
      return this.tellPoint(i, latlng);
    }
    this.pointed = -1;
    const crowd = this.points.crowdUnder(layerPoint);
    this.map.getContainer().classList.toggle("qy-pointing", i >= 0 || Boolean(crowd));
    if (crowd) return this.showTip(this.crowdTip(crowd), latlng, 12);
    const river = this.riverUnder(layerPoint);
    return river ? this.showTip({ title: river, lines: [] }, latlng, 12) : this.hideTip();
  }

  riverUnder({ x, y }) {
    const view = QY.view(this.map, this.sheets.rivers._bounds);
    return this.rivers.nameAt((x - view.dx) / view.scale, (y - view.dy) / view.scale, 4 / view.scale, view);
  }

  /** The tip of a point; its words may have to be fetched first. */
  async tellPoint(i, latlng) {
    this.pointed = i;
    if (!this.points.knows(i)) await this.points.learn(i);
    if (this.pointed === i) this.showTip(this.pointTip(i), latlng, 12);
  }

  /** How many of what stand together. */
  crowdTip({ members }) {
    const count = (kind) => members.filter(({ i }) => this.points.kind[i] === kind).length;
    const [title, ...lines] = [...QY.COUNTED].filter(count).map((kind) => `${this.word(QY.KIND_WORDS[kind])} ${count(kind)}`);
    return { title, lines };
  }

  pointTip(i) {
    const { list, kind } = this.points;
    const reading = this.state.points[`${kind[i]}:${list.id[i]}`];
    const said = this.trace?.said?.get(i);
    const river = list.river[i];
    return {
      title: list.name[i] || list.id[i],
      lines: [
        kind[i] === "outlet" && `${this.word("编码")} ${list.code[i] || this.word("（无）")}`,
        [this.word(list.type[i] || QY.KIND_WORDS[kind[i]]), river && `→ ${river}`].filter(Boolean).join(" "),
        reading ? `${this.word("总磷")} ${reading[0]} · ${reading[1]}` : kind[i] !== "gate" && this.word("无监测值"),
        this.points.decided.has(i) && `${this.points.plan || this.word("处置")} · ${this.word(QY.DECISION_WORDS[this.points.decided.get(i)])}`,
        said && `${this.word("到断面")} ${QY.figure(said[0])} kg/d · ${(100 * said[1]).toFixed(1)}%`,
      ],
      demo: this.state.demo && Boolean(reading || said),
    };
  }

  showTip(tip, at, away) {
    this.furniture.show(tip, at, away);
  }

  hideTip() {
    this.pointed = -1;
    this.furniture?.hide();
  }

  /**
   * To Python, as streamlit-folium's `last_active_drawing`; its own click handler would wait 250 ms first. Where the
   * component is not there as expected, its handler on this layer does it. Alone in a file there is nobody to tell.
   */
  report(kind, id) {
    this.clicks = Math.max(this.clicks + 1, Date.now());
    const feature = { type: "Feature", id, properties: { kind, id, clicks: this.clicks }, geometry: null };
    const shared = window.__GLOBAL_DATA__;
    if (shared && window.Streamlit?.setComponentValue) {
      shared.last_active_drawing = feature;
      shared.previous_data = { last_active_drawing: feature };
      window.Streamlit.setComponentValue(shared.previous_data);
    } else this.sheets.rivers.fire("click", { latlng: null, layer: { toGeoJSON: () => feature } });
  }
};

QY.DECISION_WORDS = { regulate: "规范整治", merge: "清理合并", seal: "封堵" };
QY.KIND_WORDS = { outlet: "排污口", plant: "污水处理厂", gate: "闸", inbound: "入境" };

/** Three figures that matter, without exponents. */
QY.figure = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2));

QY.open = function (map, options) {
  QY.app = new QY.App(map, options);
  return QY.app;
};
