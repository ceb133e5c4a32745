// Who is upstream of whom, at once, in the browser. Python stays the authority: a test holds the two sets equal.
QY.Topology = class {
  /** from, to: node of each reach; closed: reaches that let nothing by. */
  constructor(from, to, closed) {
    this.from = from;
    this.to = to;
    this.closed = closed;
    const nodes = from.length ? Math.max(...[from, to].map((a) => a.reduce((m, v) => (v > m ? v : m), 0))) + 1 : 0;
    [this.enteringAt, this.entering] = this.group(to, nodes);
    [this.leavingAt, this.leaving] = this.group(from, nodes);
  }

  /** From the network file: reaches in flow order, how many leave each node, how many nodes on each of them ends. */
  static of({ leaving, near, far, closed }) {
    const from = new Int32Array(near.length);
    const to = new Int32Array(near.length);
    let [r, f] = [0, 0];
    for (let node = 0; node < leaving.length; node += 1) {
      for (let i = 0; i < leaving[node]; i += 1, r += 1) {
        from[r] = node;
        to[r] = node + (near[r] < 255 ? near[r] : far[f++]);
      }
    }
    return new QY.Topology(from, to, closed);
  }

  /** Reaches grouped by node: positions of the first one, and the reaches (a counting sort). */
  group(node, nodes) {
    const at = new Int32Array(nodes + 1);
    for (const n of node) at[n + 1] += 1;
    for (let n = 0; n < nodes; n += 1) at[n + 1] += at[n];
    const next = at.slice();
    const reaches = new Int32Array(node.length);
    for (let r = 0; r < node.length; r += 1) reaches[next[node[r]]++] = r;
    return [at, reaches];
  }

  /** Every reach that drains to the end of `reach`, itself first, in order of distance; `steps` counts from it. */
  upstream(reach) {
    return this.walk(reach, this.from, this.enteringAt, this.entering, null);
  }

  /** Every reach that water from `reach` can pass, itself first; only through `within` (a mask) where given. */
  downstream(reach, within) {
    return this.walk(reach, this.to, this.leavingAt, this.leaving, within);
  }

  walk(reach, node, at, next, within) {
    const mask = new Uint8Array(node.length);
    const reaches = new Int32Array(node.length);
    const steps = new Int32Array(node.length);
    let count = 1;
    mask[reach] = 1;
    reaches[0] = reach;
    for (let i = 0; i < count; i += 1) {
      const n = node[reaches[i]];
      for (let j = at[n]; j < at[n + 1]; j += 1) {
        const r = next[j];
        if (mask[r] || this.closed[r] || (within && !within[r])) continue;
        mask[r] = 1;
        steps[count] = steps[i] + 1;
        reaches[count++] = r;
      }
    }
    return { mask, reaches: reaches.subarray(0, count), steps: steps.subarray(0, count) };
  }
};
