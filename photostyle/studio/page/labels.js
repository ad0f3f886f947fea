// Label images: a byte for each pixel of a photograph, the index of its colour in the paper's palette.

export const NONE = 255;
const LEAST_DEPTH = 4; // pixels: what is thinner has no room for a number

/** Colours of regions as the eye sees them over photographs; black, white and grey would be lost there. */
export const SHOWN = {
  blue: "#4d8dff",
  green: "#35c46a",
  black: "#ff9838",
  white: "#f08cf5",
  red: "#ff5c5c",
  yellow: "#ffd83a",
  grey: "#c79a63",
  lightblue: "#38d6e8",
  purple: "#b18cff",
};

const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

export function pixelsOf(source, width, height, smooth = true) {
  const context = canvasOf(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = smooth;
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

export function png(image) {
  const canvas = canvasOf(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Labels → PNG in exact palette colours; what belongs to no region has the colour `none`. */
export function encode(labels, width, height, colors, none) {
  const image = new ImageData(width, height);
  for (let i = 0; i < labels.length; i++) {
    const [r, g, b] = labels[i] === NONE ? none : colors[labels[i]];
    image.data.set([r, g, b, 255], 4 * i);
  }
  return png(image);
}

/** PNG in the palette's colours → labels at that size. */
export async function decode(blob, width, height, colors, none) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { data } = pixelsOf(bitmap, width, height, false);
  const labels = new Uint8Array(width * height);
  const all = [...colors, none];
  for (let i = 0; i < labels.length; i++) {
    let best = 0,
      least = Infinity;
    for (let k = 0; k < all.length; k++) {
      const [r, g, b] = all[k];
      const d = Math.max(Math.abs(r - data[4 * i]), Math.abs(g - data[4 * i + 1]), Math.abs(b - data[4 * i + 2]));
      if (d < least) {
        least = d;
        best = k;
      }
    }
    labels[i] = best === colors.length ? NONE : best;
  }
  return labels;
}

/** What hangs together with a pixel and has nearly its colour. */
export function similar(image, x, y, likeness) {
  const { width, height, data } = image;
  const found = new Uint8Array(width * height);
  const start = y * width + x;
  const seed = [0, 1, 2].map((c) => data[4 * start + c]);
  const near = (i) =>
    Math.hypot(data[4 * i] - seed[0], data[4 * i + 1] - seed[1], data[4 * i + 2] - seed[2]) <= likeness;
  const todo = [start];
  found[start] = 1;
  while (todo.length) {
    const i = todo.pop(),
      column = i % width;
    for (const j of [column ? i - 1 : -1, column < width - 1 ? i + 1 : -1, i - width, i + width]) {
      if (j >= 0 && j < found.length && !found[j] && near(j)) {
        found[j] = 1;
        todo.push(j);
      }
    }
  }
  return found;
}

/** For each label the point that lies deepest in it, of several the one nearest to its middle: its number's place. */
export function middles(labels, width, height) {
  const depth = new Uint16Array(labels.length);
  const middle = new Map(); // of each label: how many pixels, and the sums of their places
  const least = (i, j) => (j >= 0 && j < labels.length && labels[j] === labels[i] ? depth[j] + 1 : 1);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      depth[i] = Math.min(y ? least(i, i - width) : 1, x ? least(i, i - 1) : 1);
      if (!middle.has(labels[i])) middle.set(labels[i], { n: 0, x: 0, y: 0 });
      const sum = middle.get(labels[i]);
      sum.n++;
      sum.x += x;
      sum.y += y;
    }
  const best = new Map();
  for (let y = height - 1; y >= 0; y--)
    for (let x = width - 1; x >= 0; x--) {
      const i = y * width + x;
      depth[i] = Math.min(depth[i], y < height - 1 ? least(i, i + width) : 1, x < width - 1 ? least(i, i + 1) : 1);
      const before = best.get(labels[i]) ?? { depth: LEAST_DEPTH, far: Infinity };
      if (labels[i] === NONE || depth[i] < before.depth) continue;
      const { n, x: sumX, y: sumY } = middle.get(labels[i]);
      const far = Math.hypot(x - sumX / n, y - sumY / n);
      if (depth[i] > before.depth || far < before.far) best.set(labels[i], { x, y, depth: depth[i], far });
    }
  return best;
}
