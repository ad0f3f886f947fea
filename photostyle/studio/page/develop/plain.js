// Regional maps without WebGL: the same as webgl.js, by the processor, on a small copy of the photograph. What does not
// depend on the maps is worked out once: of what colours each pixel is made, and of which regions.

import { lookUp } from "./adjust.js";
import { TILE } from "./borders.js";

const MOST_PIXELS = 400_000; // at rest
const FOOT = 0.05,
  TRUST = 0.01; // as in photostyle/maps/blend.py

export function makeRenderer(canvas) {
  return new Renderer(canvas);
}

class Renderer {
  levels = new Map(); // by stride: a small copy of the photograph, and what its pixels are made of

  constructor(canvas) {
    this.canvas = canvas;
  }

  get largest() {
    return 4096;
  }

  setPhotograph(image) {
    this.image = image;
    this.levels.clear();
  }

  setBorders(borders) {
    this.borders = borders;
    this.levels.clear();
  }

  setMaps(maps) {
    this.maps = maps;
  }

  measure(call) {
    setTimeout(call, 0);
  }

  draw({ left, top, width, height }, stride = 1) {
    if (!this.levels.has(stride)) this.levels.set(stride, this.level(stride));
    const { context, entries } = this.levels.get(stride);
    const small = context.canvas;
    context.putImageData(blended(entries, this.maps, small.width, small.height), 0, 0);
    const shown = this.canvas.getContext("2d");
    shown.clearRect(0, 0, this.canvas.width, this.canvas.height);
    shown.drawImage(small, left, top, width, height);
  }

  level(stride) {
    const { width, height } = this.image;
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height))) / stride;
    const side = (length) => Math.max(1, Math.round(length * scale));
    const small = Object.assign(document.createElement("canvas"), { width: side(width), height: side(height) });
    const context = small.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(this.image, 0, 0, small.width, small.height);
    return { context, entries: part(context.getImageData(0, 0, small.width, small.height), this.borders) };
  }
}

/** Each pixel's share of regions: for each entry its pixel, region, height, part and colour. */
function part({ data, width, height }, borders) {
  const { regions } = borders,
    entries = [],
    colors = new Float64Array(regions * 3),
    I = [0, 0, 0];
  const m = new Float64Array(regions),
    before = new Float64Array(regions),
    rows = borders.heights.length / regions;
  const values = regions > 1 ? { guides: halves(borders.guides), own: halves(borders.own) } : null;
  const sampled = new Float64Array(4);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x,
        u = (x + 0.5) / width,
        v = (y + 0.5) / height;
      for (let c = 0; c < 3; c++) I[c] = data[4 * pixel + c] / 255;
      const add = (k, share, r, g, b) => entries.push(pixel, k, heightAt(borders.heights, k, rows, v), share, r, g, b);
      const here = regions > 1 ? regionsAt(borders, u, v) : 1;
      if ((here & (here - 1)) === 0) {
        add(31 - Math.clz32(here), 1, ...I);
        continue;
      }
      let total = 0,
        given = 0,
        first = -1,
        second = -1;
      for (let k = 0; k < regions; k++) {
        m[k] = before[k] = 0;
        if (!((here >> k) & 1)) continue;
        sample(values.own, borders, k, u, v, sampled);
        for (let c = 0; c < 3; c++) colors[3 * k + c] = sampled[c];
        given += before[k] = Math.max(sampled[3], 1e-6);
        sample(values.guides, borders, k, u, v, sampled);
        const soft = clamp(
          (sampled[0] * I[0] + sampled[1] * I[1] + sampled[2] * I[2] + sampled[3] - FOOT) / (1 - 2 * FOOT),
        );
        total += m[k] = soft * soft * (3 - 2 * soft);
      }
      for (let k = 0; k < regions; k++) {
        if (!((here >> k) & 1)) continue;
        m[k] = total > 0.5 ? m[k] / total : before[k] / given;
        if (first < 0 || m[k] > m[first]) {
          second = first;
          first = k;
        } else if (second < 0 || m[k] > m[second]) second = k;
      }
      const both = m[first] + m[second],
        t = m[first] / both,
        doubt = 4 * t * (1 - t);
      let along = 0,
        length = 0;
      for (let c = 0; c < 3; c++) {
        const d = colors[3 * first + c] - colors[3 * second + c];
        along += d * (I[c] - colors[3 * second + c]);
        length += d * d;
      }
      const fitting = clamp((doubt * along + TRUST * t) / (doubt * length + TRUST));
      m[first] = fitting * both;
      m[second] = (1 - fitting) * both;
      const rest = [...I];
      let squares = 0;
      for (let k = 0; k < regions; k++) {
        squares += m[k] * m[k];
        for (let c = 0; c < 3; c++) rest[c] -= m[k] * colors[3 * k + c];
      }
      for (let k = 0; k < regions; k++)
        if (m[k] > 0) {
          const share = m[k] / squares;
          add(
            k,
            m[k],
            colors[3 * k] + share * rest[0],
            colors[3 * k + 1] + share * rest[1],
            colors[3 * k + 2] + share * rest[2],
          );
        }
    }
  return Float32Array.from(entries);
}

function blended(entries, { nodes, tilts, size }, width, height) {
  const sums = new Float32Array(3 * width * height),
    count = 3 * size ** 3,
    mapped = new Float64Array(3);
  for (let i = 0; i < entries.length; i += 7) {
    const at = 3 * entries[i],
      k = entries[i + 1],
      high = entries[i + 2],
      share = entries[i + 3];
    const r = entries[i + 4],
      g = entries[i + 5],
      b = entries[i + 6],
      tilt = 12 * k;
    lookUp(nodes, size, clamp(r), clamp(g), clamp(b), mapped, k * count);
    for (let c = 0; c < 3; c++) {
      const own = entries[i + 4 + c],
        row = tilt + 4 * c;
      const slant = tilts[row] * r + tilts[row + 1] * g + tilts[row + 2] * b + tilts[row + 3];
      sums[at + c] += share * (mapped[c] + own - clamp(own) + high * slant);
    }
  }
  const image = new ImageData(width, height);
  for (let i = 0, j = 0; i < sums.length; i += 3, j += 4) {
    for (let c = 0; c < 3; c++) image.data[j + c] = Math.round(255 * sums[i + c]); // clamped by itself
    image.data[j + 3] = 255;
  }
  return image;
}

const clamp = (x) => Math.min(1, Math.max(0, x));

function regionsAt({ tiles, whole }, u, v) {
  const column = Math.min(tiles.columns - 1, Math.floor((u * whole.width) / TILE));
  const row = Math.min(tiles.rows - 1, Math.floor((v * whole.height) / TILE));
  return tiles.sets[row * tiles.columns + column];
}

function heightAt(heights, k, rows, v) {
  const y = Math.min(rows - 1, Math.max(0, v * rows - 0.5)),
    low = Math.floor(y),
    high = Math.min(rows - 1, low + 1);
  return heights[k * rows + low] + (y - low) * (heights[k * rows + high] - heights[k * rows + low]);
}

/** Four numbers of region k between the centres of cells. */
function sample(values, { width, height }, k, u, v, found) {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5)),
    y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const left = Math.floor(x),
    top = Math.floor(y),
    s = x - left,
    t = y - top;
  const right = Math.min(width - 1, left + 1),
    bottom = Math.min(height - 1, top + 1);
  const at = (row, column) => 4 * ((k * height + row) * width + column);
  const [a, b, c, d] = [at(top, left), at(top, right), at(bottom, left), at(bottom, right)];
  for (let i = 0; i < 4; i++)
    found[i] =
      (values[a + i] * (1 - s) + values[b + i] * s) * (1 - t) + (values[c + i] * (1 - s) + values[d + i] * s) * t;
}

/** Numbers of 16 bits (IEEE 754 binary16). */
function halves(bits) {
  const found = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const exponent = (bits[i] >> 10) & 31,
      part = bits[i] & 1023;
    const value = exponent ? 2 ** (exponent - 15) * (1 + part / 1024) : part * 2 ** -24;
    found[i] = bits[i] >> 15 ? -value : value;
  }
  return found;
}
