// Control sections: the loudest marks. Class by colour, status by shape, so that grey print and colour-blind eyes read it.
QY.MARKS = {
  over: "M12 3 L22 21 L2 21 Z",
  at: "M12 1.5 L22.5 12 L12 22.5 L1.5 12 Z",
  holds: "M12 3 A9 9 0 1 1 11.99 3 Z",
  none: "M12 5 A7 7 0 1 1 11.99 5 Z",
};

/** The mark of a status as an SVG element, filled with the colour of the class. */
QY.mark = function (status, colour, size) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "-2 -2 28 28");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  for (const name of ["edge", "face"]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", QY.MARKS[status]);
    path.setAttribute("class", name);
    if (name === "face") path.setAttribute("fill", colour);
    svg.append(path);
  }
  return svg;
};

QY.Sections = class {
  constructor(app, pack) {
    this.app = app;
    this.list = pack.head.sections;
    this.byId = new Map(this.list.map((section, i) => [section.id, { ...section, i }]));
    this.markers = this.list.map((section) => this.marker(section));
  }

  marker(section) {
    const { map } = this.app;
    const at = [section.y / QY.PER_DEGREE, section.x / QY.PER_DEGREE];
    const icon = L.divIcon({ className: "qy-section", iconSize: [26, 26], html: document.createElement("div") });
    const marker = L.marker(at, { icon, keyboard: true, riseOnHover: true, pane: "qy-sections" }).addTo(map);
    marker.on("click", () => this.app.choose({ section: section.id }, "click"));
    marker.on("mouseover", () => this.app.showTip(this.tip(section), L.latLng(at), 13));
    marker.on("mouseout", () => this.app.hideTip());
    const face = marker.getElement();
    face.dataset.section = section.id;
    face.setAttribute("role", "button");
    face.addEventListener("keydown", (e) => e.key === "Enter" && this.app.choose({ section: section.id }, "click"));
    return marker;
  }

  reading(id) {
    const planned = this.app.plan?.reading(id, this.markers[this.byId.get(id).i].getLatLng());
    return planned || this.app.state.sections[id] || { status: "none", class: "" };
  }

  /** Dress every mark for the month shown. */
  refresh() {
    const { style, colours, chosen } = this.app;
    this.list.forEach((section, i) => {
      const { status, class: klass, text } = this.reading(section.id);
      const face = this.markers[i].getElement();
      const on = section.id === chosen.section;
      face.className = `leaflet-marker-icon qy-section leaflet-interactive qy-${status}${on ? " qy-on" : ""}`;
      const label = document.createElement("span");
      label.className = "qy-label";
      label.append(section.name);
      if (text) {
        const value = document.createElement("b");
        value.textContent = text;
        label.append(" ", value);
      }
      face.setAttribute("aria-label", [section.name, text, this.app.word(QY.STATUS_WORDS[status])].filter(Boolean).join(" "));
      face.setAttribute("aria-pressed", on);
      face.replaceChildren(QY.mark(status, colours.get(klass) || style.unknown, on ? 34 : 26), label);
      this.markers[i].setZIndexOffset((on ? 4000 : 0) + { over: 3000, at: 2000, holds: 1000, none: 0 }[status]);
    });
  }

  tip(section) {
    const { word, state } = this.app;
    const reading = this.reading(section.id);
    const now = reading.text
      ? [`${word("总磷")} ${reading.text} mg/L · ${reading.time}`, word(QY.STATUS_WORDS[reading.status])]
      : [word("本月没有监测值")];
    return {
      title: section.name,
      lines: [
        [section.level && word(section.level), section.river, section.county].filter(Boolean).join(" · "),
        ...now,
        `${word("目标")} ${(state.targets || {})[section.id] ?? section.target} mg/L`,
      ],
      demo: state.demo,
    };
  }

  /** Place the names where nothing else stands; who is over its target is served first. `taken` grows. */
  place(taken) {
    const { map, chosen } = this.app;
    const spots = this.list.map((section, i) => ({ section, i, at: map.latLngToLayerPoint(this.markers[i].getLatLng()) }));
    for (const { at } of spots) taken.push([at.x - 12, at.y - 12, at.x + 12, at.y + 12]);
    const rank = ({ section }) =>
      (section.id === chosen.section ? 8 : 0) + { over: 4, at: 3, holds: 1, none: 0 }[this.reading(section.id).status] + (section.level === "国控" ? 0.5 : 0);
    spots.sort((a, b) => rank(b) - rank(a));
    const corner = map.containerPointToLayerPoint([0, 0]);
    const size = map.getSize();
    const within = (a) => a[0] > corner.x && a[1] > corner.y && a[2] < corner.x + size.x && a[3] < corner.y + size.y;
    for (const spot of spots) {
      const label = this.markers[spot.i].getElement().querySelector(".qy-label");
      if (!label) continue;
      const [w, h] = [label.offsetWidth, label.offsetHeight];
      const { x, y } = spot.at;
      const ways = [
        [15, -h / 2],
        [-15 - w, -h / 2],
        [-w / 2, -16 - h],
        [-w / 2, 15],
        [10, -13 - h],
        [10, 12],
        [-10 - w, -13 - h],
        [-10 - w, 12],
      ];
      const box = ([dx, dy]) => [x + dx, y + dy, x + dx + w, y + dy + h];
      const way = ways.find((d) => QY.free(box(d), taken) && within(box(d))) || ways.find((d) => QY.free(box(d), taken)) || (spot.section.id === chosen.section ? ways[0] : null);
      label.style.visibility = way ? "visible" : "hidden";
      if (!way) continue;
      label.style.transform = `translate(${13 + way[0]}px, ${13 + way[1]}px)`;
      taken.push(box(way));
    }
  }
};

QY.STATUS_WORDS = { over: "超标", at: "持平（零余量）", holds: "达标", none: "无监测值" };

QY.free = (a, taken) => !taken.some((b) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1]);
