// Strokes: what the brush, the eraser and the fill leave behind, each in the order in which it was begun.

import { NONE, png, similar } from "./labels.js";

const RIM = 1.6; // times the brush's size: farther from the stroke nothing belongs to it
const CORE = 0.5; // times the brush's size: nearer everything does

/** One stroke: the pixels that it went over, until it is known which of them it means. */
export class Stroke {
  alpha = null; // a promise: where it snaps to
  done = false; // the pointer is up
  isVoid = false; // there is nothing of it

  constructor(side, ink, size) {
    Object.assign(this, { side, ink, size, points: [], mask: new Uint8Array(side.width * side.height) });
    this.box = { x0: side.width, y0: side.height, x1: -1, y1: -1 };
  }

  /** The first point, or a line to the next: everything within half the size of it. */
  to(at) {
    const from = this.points.at(-1) ?? at;
    this.points.push(at);
    const { width, height } = this.side;
    const radius = Math.max(1, this.size / 2);
    const x0 = Math.max(0, Math.floor(Math.min(from.x, at.x) - radius));
    const x1 = Math.min(width - 1, Math.ceil(Math.max(from.x, at.x) + radius));
    const y0 = Math.max(0, Math.floor(Math.min(from.y, at.y) - radius));
    const y1 = Math.min(height - 1, Math.ceil(Math.max(from.y, at.y) + radius));
    const [dx, dy] = [at.x - from.x, at.y - from.y];
    const length = dx * dx + dy * dy || 1;
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++) {
        const t = Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
        if (Math.hypot(x - from.x - t * dx, y - from.y - t * dy) <= radius) this.mask[y * width + x] = 1;
      }
    this.#grow(x0, y0, x1, y1);
  }

  /** Everything that hangs together with a point and has nearly its colour. */
  static fill(side, ink, { x, y }, likeness) {
    const stroke = new Stroke(side, ink, 0);
    stroke.mask = similar(side.pixels, Math.floor(x), Math.floor(y), likeness);
    stroke.#grow(0, 0, side.width - 1, side.height - 1);
    stroke.done = true;
    return stroke;
  }

  #grow(x0, y0, x1, y1) {
    const { box } = this;
    Object.assign(box, {
      x0: Math.min(box.x0, x0),
      y0: Math.min(box.y0, y0),
      x1: Math.max(box.x1, x1),
      y1: Math.max(box.y1, y1),
    });
  }

  /** Lay it on labels. */
  apply(labels) {
    const { width } = this.side;
    const { x0, y0, x1, y1 } = this.box;
    for (let y = y0; y <= y1; y++)
      for (let i = y * width + x0, end = y * width + x1; i <= end; i++) if (this.mask[i]) labels[i] = this.ink;
  }

  /** What the server is asked: its core is sure, far from it nothing is, the rim between them is to be found out. */
  async question() {
    const { side, size, points } = this;
    const margin = Math.ceil((RIM / 2) * size) + 4;
    const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
    const x = Math.max(0, Math.floor(Math.min(...xs)) - margin);
    const y = Math.max(0, Math.floor(Math.min(...ys)) - margin);
    const width = Math.min(side.width, Math.ceil(Math.max(...xs)) + margin + 1) - x;
    const height = Math.min(side.height, Math.ceil(Math.max(...ys)) + margin + 1) - y;
    if (width < 3 || height < 3) return null;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillRect(0, 0, width, height);
    context.lineCap = context.lineJoin = "round";
    for (const [wide, color] of [
      [RIM * size, "#808080"],
      [CORE * size, "#fff"],
    ]) {
      context.lineWidth = wide;
      context.strokeStyle = color;
      context.beginPath();
      context.moveTo(points[0].x - x, points[0].y - y);
      for (const p of points) context.lineTo(p.x - x, p.y - y + 0.01); // a point alone is a line, too
      context.stroke();
    }
    const trimap = context.getImageData(0, 0, width, height);
    for (let i = 0; i < width * height; i++) {
      const value = trimap.data[4 * i] > 190 ? 255 : trimap.data[4 * i] > 60 ? 128 : 0; // no blends of a soft rim
      trimap.data.set([value, value, value, 255], 4 * i);
    }
    return { side: side.side, x, y, trimap, file: await png(trimap) };
  }

  /** Go to the edge that was found: `alpha` (ImageData) says what of the rim belongs to it. */
  snap({ x, y, trimap }, alpha) {
    const { width } = this.side;
    for (let j = 0; j < trimap.height; j++)
      for (let i = 0; i < trimap.width; i++) {
        const at = 4 * (j * trimap.width + i);
        if (trimap.data[at] === 128) this.mask[(y + j) * width + x + i] = alpha.data[at] >= 128 ? 1 : 0;
      }
    this.#grow(x, y, x + trimap.width - 1, y + trimap.height - 1);
  }

  get isErasing() {
    return this.ink === NONE;
  }
}
