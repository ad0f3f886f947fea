// What is seen over a photograph that is painted on: regions, their numbers, the brush.

import { NONE, SHOWN } from "./labels.js";

const FAINT = 0.35; // of the veil, for all but the region that is pointed at
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const VEILS = Object.fromEntries(Object.entries(SHOWN).map(([name, hex]) => [name, rgb(hex)]));
const scratch = document.createElement("canvas");

/** Draw the photograph of one side, and over it what the editor knows. */
export function draw(side, editor) {
  const { canvas, width, height } = side;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.drawImage(side.photo, 0, 0, width, height);
  if (editor.isBare && editor.hovered === null) return;
  drawVeil(context, side, editor);
  if (editor.sheet === "labels" && editor.veil > 0) drawNumbers(context, side, editor);
  if (editor.tool === "click" && editor.selection?.side === side) drawPicks(context, side, editor.selection);
  if (side.at && side.pointed) drawBrush(context, side, editor);
}

function drawVeil(context, side, editor) {
  const { width, height } = side;
  const labels = side[editor.sheet];
  const isMarks = editor.sheet === "marks";
  const palette = isMarks ? [VEILS.green, VEILS.red] : editor.names.map((name) => VEILS[name]);
  const lit = isMarks ? null : editor.litOn(side.side);
  const strong = Math.round(255 * (isMarks ? Math.max(editor.veil, 0.6) : editor.veil));
  const alphas = palette.map((_, label) => (lit === null || lit === label ? strong : strong * FAINT));
  if (lit !== null) alphas[lit] = Math.max(strong, 150);
  const veil = new ImageData(width, height);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === NONE) continue;
    const [r, g, b] = palette[label];
    const at = 4 * i;
    const edge =
      (i + 1) % width && (labels[i + 1] !== label || (labels[i + width] !== label && i + width < labels.length));
    veil.data[at] = r;
    veil.data[at + 1] = g;
    veil.data[at + 2] = b;
    veil.data[at + 3] = edge && editor.veil > 0 ? 255 : alphas[label];
  }
  Object.assign(scratch, { width, height });
  scratch.getContext("2d").putImageData(veil, 0, 0);
  context.drawImage(scratch, 0, 0);
}

export const radiusOf = (side) => Math.max(11, Math.round(Math.max(side.width, side.height) / 42));

/** Where the number of a region stands, inside the photograph. */
export function placeOf(side, { x, y }) {
  const room = radiusOf(side) + 2;
  return { x: Math.min(Math.max(x, room), side.width - room), y: Math.min(Math.max(y, room), side.height - room) };
}

function drawNumbers(context, side, editor) {
  const radius = radiusOf(side);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [label, deepest] of side.numbers) {
    const index = editor.list.findIndex((region) => region.color === editor.names[label]);
    if (index < 0) continue;
    const { x, y } = placeOf(side, deepest);
    const isDoubtful = editor.doubtful.has(editor.names[label]);
    disc(context, x, y, radius, SHOWN[editor.names[label]]);
    context.font = `700 ${Math.round(1.2 * radius)}px system-ui, sans-serif`;
    context.fillStyle = "#111";
    context.fillText(index + 1, x, y + 1);
    if (!isDoubtful) continue;
    disc(context, x + radius, y - radius * 0.8, radius * 0.7, "#fff");
    context.font = `700 ${Math.round(radius)}px system-ui, sans-serif`;
    context.fillStyle = "#9f1f17";
    context.fillText("?", x + radius, y - radius * 0.8 + 1);
  }
}

function disc(context, x, y, radius, color) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = color;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = "#111";
  context.stroke();
}

/** The clicks of a selection: a plus for what is meant, a minus for what is not. */
function drawPicks(context, side, selection) {
  const radius = 0.55 * radiusOf(side);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `700 ${Math.round(1.8 * radius)}px system-ui, sans-serif`;
  for (const pick of selection.picks) {
    const { x, y } = pick.at;
    disc(context, x, y, radius, pick.isAway ? "#111" : "#fff");
    context.fillStyle = pick.isAway ? "#fff" : "#111";
    context.fillText(pick.isAway ? "−" : "+", x, y + 1);
  }
}

function drawBrush(context, side, editor) {
  const scale = side.canvas.width / Math.max(1, side.canvas.getBoundingClientRect().width);
  context.beginPath();
  context.arc(side.at.x, side.at.y, ["fill", "click"].includes(editor.tool) ? 5 : Math.max(2, editor.size / 2), 0, 7);
  for (const [width, color] of [
    [3, "rgb(0 0 0 / 0.7)"],
    [1.5, "#fff"],
  ]) {
    context.lineWidth = Math.max(1, width * scale);
    context.strokeStyle = color;
    context.stroke();
  }
}
