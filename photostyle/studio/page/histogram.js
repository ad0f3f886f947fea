// The histogram of what is on the stage: after, filled; before, in outline; and how much is clipped.

import { $, loadImage } from "./dom.js";

const LONG = 320; // pixels: enough for a curve
const CLIPPED = 0.0005; // of the picture: less is no loss
const COLORS = ["#e5484d", "#30a46c", "#3e7bfa"];

/** Counts of the 256 levels of each channel of a picture, and what is clipped of it. */
export function count(source, width, height) {
  const scale = Math.min(1, LONG / Math.max(width, height));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false; // means of pixels are clipped where none of the pixels is
  context.drawImage(source, 0, 0, w, h);
  const { data } = context.getImageData(0, 0, w, h);
  const counts = COLORS.map(() => new Float64Array(256));
  let [low, high] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    for (let c = 0; c < 3; c++) counts[c][data[i + c]]++;
    if (Math.max(data[i], data[i + 1], data[i + 2]) === 0) low++;
    if (Math.max(data[i], data[i + 1], data[i + 2]) === 255) high++;
  }
  return { counts, low: low / (w * h), high: high / (w * h) };
}

export function makeHistogram() {
  const canvas = $("#curves");
  const known = new Map(); // of addresses: what was counted there

  async function look(url) {
    if (!known.has(url)) {
      if (known.size > 40) known.clear();
      known.set(
        url,
        loadImage(url, () => new Error("")).then((image) => count(image, image.naturalWidth, image.naturalHeight)),
      );
    }
    return known.get(url);
  }

  function path(context, counts, most) {
    const { width, height } = canvas;
    context.beginPath();
    context.moveTo(0, height);
    for (let level = 0; level < 256; level++)
      context.lineTo(
        ((level + 0.5) * width) / 256,
        height - (height - 2) * Math.min(1, Math.sqrt(counts[level] / most)),
      );
    context.lineTo(width, height);
  }

  function draw(after, before) {
    drawn = [after, before];
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const [name, share] of [
      ["low", after?.low ?? 0],
      ["high", after?.high ?? 0],
    ]) {
      const label = $(`#clipped-${name}`);
      label.textContent = `${name === "low" ? "black" : "white"} ${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
      if (share > CLIPPED) label.dataset.clips = "";
      else delete label.dataset.clips;
    }
    if (!after) return;
    const most = Math.max(...after.counts.flatMap((counts) => [...counts.slice(1, 255)]), 1);
    context.globalCompositeOperation = matchMedia("(prefers-color-scheme: dark)").matches ? "screen" : "multiply";
    for (const [c, color] of COLORS.entries()) {
      context.globalAlpha = 0.75;
      context.fillStyle = color;
      path(context, after.counts[c], most);
      context.fill();
    }
    context.globalCompositeOperation = "source-over";
    if (!before) return;
    const total = (counts) => counts[0].reduce((sum, n) => sum + n, 0);
    for (const [c, color] of COLORS.entries()) {
      context.globalAlpha = 0.9;
      context.strokeStyle = color;
      path(context, before.counts[c], (most * total(before.counts)) / total(after.counts));
      context.stroke();
    }
  }

  let drawn = [null, null];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(...drawn));
  let newest = 0;
  /** Of the pictures at two addresses; `before` may be null, and both. */
  async function show(after, before) {
    const mine = ++newest;
    try {
      const found = await Promise.all([after && look(after), before && look(before)]);
      if (mine === newest) draw(...found);
    } catch {
      // a draft may have made room for another one meanwhile
    }
  }
  return {
    show,
    /** Of what a canvas shows just now. */
    showCanvas(source, before) {
      newest++;
      Promise.resolve(before && look(before)).then((found) => draw(count(source, source.width, source.height), found));
    },
    clear() {
      newest++;
      draw(null, null);
    },
  };
}
