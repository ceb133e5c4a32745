// A canvas over the map that follows it: Leaflet's own renderer moves and zooms it, `paint` draws on it.
QY.Sheet = L.Renderer.extend({
  options: { padding: 0.25 },

  initialize(paint, options) {
    L.Renderer.prototype.initialize.call(this, options);
    this.paint = paint;
  },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._ink = this._container.getContext("2d");
  },

  _destroyContainer() {
    cancelAnimationFrame(this._frame);
    L.DomUtil.remove(this._container);
    delete this._container;
    delete this._ink;
  },

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this.redraw();
  },

  /** Draw again now (in layer points): what a click changes must not wait for a frame. */
  redraw() {
    if (!this._map || !this._ink || !this._bounds) return;
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    const { min } = this._bounds;
    const size = this._bounds.getSize();
    L.DomUtil.setPosition(this._container, min);
    this._container.width = sharp * size.x;
    this._container.height = sharp * size.y;
    this._container.style.width = `${size.x}px`;
    this._container.style.height = `${size.y}px`;
    this._ink.setTransform(sharp, 0, 0, sharp, -sharp * min.x, -sharp * min.y);
    this._ink.lineCap = "round";
    this._ink.lineJoin = "round";
    this.paint(this._ink, QY.view(this._map, this._bounds));
  },

  later() {
    cancelAnimationFrame(this._frame);
    this._frame = requestAnimationFrame(() => this.redraw());
  },
});

/** How relative world pixels become layer points at this zoom, and which of them are on the sheet. */
QY.view = function (map, bounds) {
  const scale = 2 ** map.getZoom();
  const origin = map.getPixelOrigin();
  const [cx, cy] = map.qyCentre;
  const dx = cx * scale - origin.x;
  const dy = cy * scale - origin.y;
  return {
    scale,
    dx,
    dy,
    zoom: map.getZoom(),
    bounds,
    west: (bounds.min.x - dx) / scale,
    east: (bounds.max.x - dx) / scale,
    north: (bounds.min.y - dy) / scale,
    south: (bounds.max.y - dy) / scale,
    at: (x, y) => [x * scale + dx, y * scale + dy],
  };
};
