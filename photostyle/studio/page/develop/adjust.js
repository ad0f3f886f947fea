// Colour maps adjusted, node by node: strength, exposure and the rest. The same as photostyle/looks/adjust.py, so that
// what is seen here is what the server writes.

import { between, encoded, labs, linear, luma } from "./color.js";

const WARMEST = 0.5; // stops
const SKIN_HUE = 55,
  HUE_WIDTH = 38,
  SKIN_CHROMA = 28,
  CHROMA_REACH = 24;

/** What changes nothing. */
export const PLAIN = { strength: 1, exposure: 0, warmth: 0, contrast: 0, saturation: 0, keep_skin: 0 };

/**
 * The maps of K regions, to be adjusted again and again. `nodes` are K lattices of N×N×N colours, red changing fastest;
 * `tilts` are K times [A | b], 3×4. What does not depend on the sliders is worked out once.
 */
export class Maps {
  constructor(names, nodes, tilts) {
    this.names = names;
    this.size = Math.round(Math.cbrt(nodes.length / (3 * names.length)));
    this.cube = cubeOf(this.size);
    const count = this.cube.length;
    this.maps = names.map(
      (_, k) => new Lattice(nodes.subarray(k * count, (k + 1) * count), tilts.subarray(12 * k, 12 * k + 12)),
    );
    this.cubeLabs = labs(this.cube);
    this.skin = skinOf(this.cubeLabs);
  }

  static of(tensors) {
    return new Maps(tensors.about.names, tensors.nodes.data, tensors.tilts.data);
  }

  /** These maps mixed with `weight` of another look's: its map of the same name, or what it has in common, its last. */
  towards(other, weight) {
    if (!other || !weight) return this;
    const size = Math.max(this.size, other.size),
      count = 3 * size ** 3;
    const nodes = new Float32Array(count * this.names.length),
      tilts = new Float32Array(12 * this.names.length);
    this.names.forEach((name, k) => {
      const found = other.names.lastIndexOf(name),
        map = other.maps[found < 0 ? other.maps.length - 1 : found];
      const [a, b] = [this.maps[k].resampled(this.size, size), map.resampled(other.size, size)];
      nodes.set(weight === 1 ? b : between(labs(a), labs(b), weight), k * count);
      tilts.set(
        this.maps[k].tilt.map((x, i) => x + weight * (map.tilt[i] - x)),
        12 * k,
      );
    });
    return new Maps(this.names, nodes, tilts);
  }

  /** All nodes and tilts as they are adjusted; `parts` are the regions' shares of the strength. */
  adjusted(adjustment, parts = []) {
    const count = this.cube.length,
      keep = adjustment.keep_skin;
    const nodes = new Float32Array(count * this.maps.length),
      tilts = new Float32Array(12 * this.maps.length);
    const held = keep ? this.skin.map((x) => 1 - keep * x) : null;
    this.maps.forEach((map, k) => {
      const t = adjustment.strength * (parts[k] ?? 1);
      if (t === 0) {
        nodes.set(this.cube, k * count);
        return;
      }
      const found = map.developed(adjustment);
      nodes.set(t === 1 && !held ? found : between(this.cubeLabs, map.developedLabs(), t, held), k * count);
      tilts.set(map.tilted(adjustment, this.cube, t, held), 12 * k);
    });
    return { nodes, tilts, size: this.size };
  }
}

class Lattice {
  constructor(nodes, tilt) {
    this.nodes = nodes;
    this.tilt = tilt;
    this.lights = null; // the nodes in linear light
    this.last = null; // what was developed last, and how
  }

  developed(adjustment) {
    const key = [adjustment.exposure, adjustment.warmth, adjustment.contrast, adjustment.saturation].join();
    if (this.last?.key !== key) {
      this.lights ??= this.nodes.map(linear);
      this.last = {
        key,
        nodes: isPlain(adjustment) ? this.nodes : develop(this.nodes, adjustment, this.lights),
        labs: null,
      };
    }
    return this.last.nodes;
  }

  /** Of what was developed last. */
  developedLabs() {
    return (this.last.labs ??= labs(this.last.nodes));
  }

  tilted(adjustment, cube, t, held) {
    if (!this.tilt.some((x) => x)) return this.tilt;
    if (isPlain(adjustment) && !held) return this.tilt.map((x) => t * x);
    const [up, down] = [1, -1].map((height) => this.nodes.map((x, i) => x + height * slant(this.tilt, cube, i)));
    const [high, low] = [up, down].map((nodes) => (isPlain(adjustment) ? nodes : develop(nodes, adjustment)));
    return affineOf(
      high.map((x, i) => (t * (held ? held[Math.floor(i / 3)] : 1) * (x - low[i])) / 2),
      cube,
    );
  }

  resampled(from, to) {
    return from === to ? this.nodes : resample(this.nodes, from, to);
  }
}

const isPlain = ({ exposure, warmth, contrast, saturation }) => !exposure && !warmth && !contrast && !saturation;

/** Exposure and warmth in linear light, contrast by a curve, saturation about luma. */
function develop(colors, { exposure, warmth, contrast, saturation }, lights = null) {
  const made = Float64Array.from(colors),
    stops = WARMEST * warmth;
  if (exposure || warmth) {
    const gains = [2 ** (exposure + stops), 2 ** exposure, 2 ** (exposure - stops)];
    for (let i = 0; i < made.length; i++) made[i] = encoded(gains[i % 3] * (lights ? lights[i] : linear(colors[i])));
  }
  if (contrast)
    for (let i = 0; i < made.length; i++) {
      const x = Math.min(1, Math.max(0, made[i]));
      made[i] += contrast * (x * x * (3 - 2 * x) - x);
    }
  if (saturation)
    for (let i = 0; i < made.length; i += 3) {
      const grey = luma(made[i], made[i + 1], made[i + 2]);
      for (let c = i; c < i + 3; c++) made[c] = grey + (1 + saturation) * (made[c] - grey);
    }
  return made;
}

/** What a unit of height adds to the i-th number of a lattice. */
function slant(tilt, cube, i) {
  const row = 4 * (i % 3),
    node = i - (i % 3);
  return tilt[row] * cube[node] + tilt[row + 1] * cube[node + 1] + tilt[row + 2] * cube[node + 2] + tilt[row + 3];
}

/** [A | b], 3×4, nearest by least squares to what the nodes hold: the axes of the cube say nothing of each other. */
function affineOf(values, cube) {
  const found = new Float64Array(12),
    count = cube.length / 3;
  let spread = 0;
  for (let i = 0; i < cube.length; i += 3) {
    spread += (cube[i] - 0.5) ** 2;
    for (let c = 0; c < 3; c++) {
      for (let d = 0; d < 3; d++) found[4 * c + d] += values[i + c] * (cube[i + d] - 0.5);
      found[4 * c + 3] += values[i + c] / count;
    }
  }
  for (let c = 0; c < 3; c++)
    for (let d = 0; d < 3; d++) {
      found[4 * c + d] /= spread;
      found[4 * c + 3] -= found[4 * c + d] / 2;
    }
  return found;
}

function cubeOf(size) {
  const colors = new Float32Array(3 * size ** 3);
  for (let i = 0; i < size ** 3; i++) {
    colors[3 * i] = (i % size) / (size - 1);
    colors[3 * i + 1] = (Math.floor(i / size) % size) / (size - 1);
    colors[3 * i + 2] = Math.floor(i / size ** 2) / (size - 1);
  }
  return colors;
}

/** How much the colours of a lattice are those of skin. */
function skinOf(cubeLabs) {
  const bump = (x) => Math.max(0, 1 - x * x) ** 2;
  const found = new Float64Array(cubeLabs.length / 3);
  for (let i = 0; i < found.length; i++) {
    const a = cubeLabs[3 * i + 1],
      b = cubeLabs[3 * i + 2];
    const off = (((Math.atan2(b, a) * 180) / Math.PI - SKIN_HUE + 540) % 360) - 180;
    found[i] = bump(off / HUE_WIDTH) * bump((Math.hypot(a, b) - SKIN_CHROMA) / CHROMA_REACH);
  }
  return found;
}

/** A lattice with another number of nodes along each axis. */
function resample(nodes, from, to) {
  const made = new Float32Array(3 * to ** 3),
    color = cubeOf(to),
    one = new Float64Array(3);
  for (let i = 0; i < made.length; i += 3) {
    lookUp(nodes, from, color[i], color[i + 1], color[i + 2], one);
    made.set(one, i);
  }
  return made;
}

/** What is between the nodes of a lattice at a colour in [0, 1], into `found`. */
export function lookUp(nodes, size, r, g, b, found, first = 0) {
  const last = size - 2,
    x = r * (size - 1),
    y = g * (size - 1),
    z = b * (size - 1);
  const i = Math.min(last, x | 0),
    j = Math.min(last, y | 0),
    k = Math.min(last, z | 0);
  const s = x - i,
    t = y - j,
    u = z - k,
    up = 3 * size,
    deep = 3 * size * size;
  const at = first + 3 * i + up * j + deep * k;
  for (let c = 0; c < 3; c++) {
    const p = at + c,
      q = p + deep;
    const near =
      (nodes[p] * (1 - s) + nodes[p + 3] * s) * (1 - t) + (nodes[p + up] * (1 - s) + nodes[p + up + 3] * s) * t;
    const far =
      (nodes[q] * (1 - s) + nodes[q + 3] * s) * (1 - t) + (nodes[q + up] * (1 - s) + nodes[q + up + 3] * s) * t;
    found[c] = near * (1 - u) + far * u;
  }
}
