// The ground the rivers lie on: district outlines, or nothing.
QY.Ground = class {
  constructor(pack, centre, style) {
    this.style = style;
    this.line = QY.unroll(pack, "ground", centre);
    this.size = pack.groundSize;
  }

  paint(ink, { scale, dx, dy }) {
    ink.beginPath();
    let v = 0;
    for (const size of this.size) {
      for (let i = 0; i < size; i += 1, v += 1) {
        const [x, y] = [this.line[2 * v] * scale + dx, this.line[2 * v + 1] * scale + dy];
        if (i) ink.lineTo(x, y);
        else ink.moveTo(x, y);
      }
      ink.closePath();
    }
    ink.fillStyle = this.style.district_fill;
    ink.fill("evenodd");
    ink.lineWidth = 1;
    ink.strokeStyle = this.style.district_line;
    ink.stroke();
  }
};

// The hillshade under the rivers: shown or hidden as this browser last had it; multiplied, so that outlines stay.
QY.Relief = class {
  constructor(app, { url, bounds }) {
    this.map = app.map;
    this.layer = L.imageOverlay(url, bounds, { pane: "qy-relief", interactive: false, alt: "" });
    this.show(QY.remembered("qy-relief") !== "0");
  }

  get shown() {
    return this.map.hasLayer(this.layer);
  }

  show(shown) {
    if (shown) this.layer.addTo(this.map);
    else this.layer.remove();
    QY.remember("qy-relief", shown ? "1" : "0");
    this.map.getContainer().dataset.relief = shown ? "1" : "0";
  }
};
