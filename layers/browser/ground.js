// The ground the rivers lie on: district outlines, or nothing.
QY.Ground = class {
  constructor(pack, centre, style) {
    this.style = style;
    this.line = QY.unroll(pack.groundLine, centre);
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
