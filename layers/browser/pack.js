// Reading the network file: a JSON head and typed arrays after it, gzipped (layers/pack.py writes it).
const QY = (window.qingyuan = window.qingyuan || {});

QY.PER_DEGREE = 1e5;

const ARRAYS = { i4: Int32Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array, f4: Float32Array };

async function gunzip(stream) {
  return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** Bytes of a gzipped file: from its address, or (stand-alone page) from base64 text. */
QY.bytes = async function (source) {
  if (source.base64 !== undefined) {
    const text = atob(source.base64);
    const bytes = Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
    return gunzip(new Blob([bytes]).stream());
  }
  const answer = await fetch(source.url);
  if (!answer.ok) throw new Error(`${source.url}: ${answer.status}`);
  return gunzip(answer.body);
};

QY.readJSON = async (source) => JSON.parse(new TextDecoder().decode(await QY.bytes(source)));

/** {head, name: typed array, …}; the arrays are views, nothing is copied. */
QY.readPack = async function (source) {
  const buffer = await QY.bytes(source);
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

/** Running sums of coordinate steps (1e-5 degree), as relative world pixels: [x0, y0, x1, y1, …]. */
QY.unroll = function (steps, centre) {
  const out = new Float32Array(steps.length);
  let x = 0;
  let y = 0;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    const point = QY.world(x, y, centre);
    out[i] = point[0];
    out[i + 1] = point[1];
  }
  return out;
};
