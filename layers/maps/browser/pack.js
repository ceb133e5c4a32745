// Reading what layers/maps/packing.py writes: a JSON head and typed arrays after it, gzipped.
const QY = (window.qingyuan = window.qingyuan || {});

QY.PER_DEGREE = 1e5;

const ARRAYS = { i4: Int32Array, i2: Int16Array, i1: Int8Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };

async function gunzip(stream) {
  return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function fromBase64(text) {
  const raw = atob(text);
  return Uint8Array.from({ length: raw.length }, (_, i) => raw.charCodeAt(i));
}

/** Bytes of a gzipped file: from its address, or (stand-alone page) from base64 text. */
QY.bytes = async function (source) {
  if (source.base64 !== undefined) return gunzip(new Blob([fromBase64(source.base64)]).stream());
  const answer = await fetch(source.url);
  if (!answer.ok) throw new Error(`${source.url}: ${answer.status}`);
  return gunzip(answer.body);
};

/** Gzipped bytes `from` … `to` of a file of many pieces; a server that knows no ranges sends all of it. */
QY.piece = async function (source, from, to) {
  if (source.base64 !== undefined) {
    source.whole ??= fromBase64(source.base64);
    return gunzip(new Blob([source.whole.subarray(from, to)]).stream());
  }
  const answer = await fetch(source.url, { headers: { Range: `bytes=${from}-${to - 1}` } });
  if (!answer.ok) throw new Error(`${source.url}: ${answer.status}`);
  return gunzip(answer.status === 206 ? answer.body : (await answer.blob()).slice(from, to).stream());
};

QY.readJSON = async (source) => JSON.parse(new TextDecoder().decode(await QY.bytes(source)));

/** {head, name: typed array, …}; the arrays are views, nothing is copied. */
QY.unpack = function (buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const pack = { head };
  for (const [name, [kind, offset, length]] of Object.entries(head.arrays)) {
    pack[name] = new ARRAYS[kind](buffer, 4 + size + offset, length);
  }
  return pack;
};

/** Web-Mercator pixels at zoom 0, relative to `centre` so that 32 bits are enough at street scale. */
QY.world = function (x, y, centre) {
  const lat = (y / QY.PER_DEGREE) * (Math.PI / 180);
  return [
    (x / QY.PER_DEGREE / 360 + 0.5) * 256 - centre[0],
    (0.5 - Math.log(Math.tan(Math.PI / 4 + lat / 2)) / (2 * Math.PI)) * 256 - centre[1],
  ];
};

/** Vertices of `name` in a pack (steps of `unit` × 1e-5 degree), as relative world pixels: [x0, y0, x1, y1, …]. */
QY.unroll = function (pack, name, centre, unit = 1) {
  const [dx, dy] = [pack[`${name}X`], pack[`${name}Y`]];
  const out = new Float32Array(2 * dx.length);
  let [x, y] = pack[`${name}Start`];
  for (let i = 0; i < dx.length; i += 1) {
    x += dx[i];
    y += dy[i];
    const point = QY.world(x * unit, y * unit, centre);
    out[2 * i] = point[0];
    out[2 * i + 1] = point[1];
  }
  return out;
};
