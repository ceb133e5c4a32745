// The pieces of a large network: fetched when they are seen, kept while there is room (layers/maps/chunks.py writes them).
QY.Archive = class {
  static ROOM = 240;

  /** source: where the pieces are; pack: the network file, which tells what each covers; made(piece): its drawing. */
  constructor(source, pack, centre, made) {
    this.source = source;
    this.made = made;
    this.at = pack.pieceAt;
    this.wordAt = pack.wordAt;
    this.perWord = pack.head.words;
    this.parts = new Map();
    this.words = new Map();
    this.asked = new Map();
    let first = 0;
    this.levels = pack.head.levels.map(({ zoom, pieces }) => {
      const level = { zoom, first, boxes: [] };
      for (let i = first; i < first + pieces; i += 1) {
        const [west, south, east, north] = pack.pieceBox.subarray(4 * i, 4 * i + 4);
        level.boxes.push([...QY.world(west, north, centre), ...QY.world(east, south, centre)]);
      }
      first += pieces;
      return level;
    });
  }

  /** The level that a zoom is drawn from: the finest that has begun. */
  level(zoom) {
    return this.levels.findLast((level) => level.zoom <= zoom) || this.levels[0];
  }

  /** Numbers of the pieces of a level that touch a view. */
  touching(level, view) {
    const found = [];
    level.boxes.forEach(([west, north, east, south], i) => {
      if (west < view.east && east > view.west && north < view.south && south > view.north) found.push(level.first + i);
    });
    return found;
  }

  /** Drawings for a view: of its level, and as long as some of those are on their way, of coarser levels under them. */
  seen(view) {
    let level = this.level(view.zoom);
    const parts = [];
    for (;;) {
      const wanted = this.touching(level, view);
      const there = wanted.filter((i) => this.parts.has(i));
      parts.unshift(...there.map((i) => this.parts.get(i)));
      const above = this.levels[this.levels.indexOf(level) - 1];
      if (there.length === wanted.length || !above) return parts;
      level = above;
    }
  }

  /** Fetch what a view lacks; resolves to whether anything came. */
  async fetch(view) {
    const wanted = this.touching(this.level(view.zoom), view);
    for (const i of wanted) {
      const part = this.parts.get(i);
      if (part) this.parts.delete(i) && this.parts.set(i, part); // the longest unused stand first
    }
    const lacking = wanted.filter((i) => !this.parts.has(i));
    await Promise.all(lacking.map((i) => this.once(`piece ${i}`, async () => {
      this.parts.set(i, this.made(QY.unpack(await QY.piece(this.source, this.at[i], this.at[i + 1]))));
    })));
    for (const i of this.parts.keys()) {
      if (this.parts.size <= QY.Archive.ROOM) break;
      if (!wanted.includes(i)) this.parts.delete(i);
    }
    return lacking.length > 0;
  }

  /** The words of a point: {name: [...], …} of its neighbours in number, and which of them it is. */
  async wordsOf(point) {
    const k = Math.floor(point / this.perWord);
    await this.once(`words ${k}`, async () => {
      if (!this.words.has(k)) this.words.set(k, QY.unpack(await QY.piece(this.source, this.wordAt[k], this.wordAt[k + 1])).head);
    });
    return [this.words.get(k), point % this.perWord];
  }

  /** One request at a time for one thing. */
  once(what, run) {
    if (!this.asked.has(what)) this.asked.set(what, run().finally(() => this.asked.delete(what)));
    return this.asked.get(what);
  }
};
