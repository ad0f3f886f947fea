// Painting on both photographs at once: the regions and their list, the strokes on their way, undo.

import { History, pack, unpack } from "./history.js";
import { encode, middles, NONE, pixelsOf, png } from "./labels.js";
import { draw } from "./overlay.js";
import { Selection } from "./picks.js";
import { Stroke } from "./strokes.js";

const LEAST_SNAP = 8; // pixels: a finer brush is meant as it is

/**
 * Events: "change" (labels or list), "choose" (another region), "hover", "work" (detail: a promise).
 *
 * A stroke (or a click on a thing) is seen at once, and becomes part of the labels when it has found its edge, one after the other; until
 * then `base` holds the labels without it.
 */
export class Editor extends EventTarget {
  constructor(canvases, palette) {
    super();
    this.names = Object.keys(palette).slice(0, 8);
    this.colors = this.names.map((name) => palette[name]);
    this.none = palette.purple;
    this.sides = {};
    for (const [side, canvas] of Object.entries(canvases))
      this.sides[side] = { side, canvas, photo: null, labels: null, marks: null, base: null, numbers: new Map() };
    Object.assign(this, { tool: "look", size: 28, likeness: 30, veil: 0.45, snaps: true, sheet: "labels" });
    Object.assign(this, { takesAway: false, list: [], active: 0, hovered: null, doubtful: new Set(), isBare: false });
    this.histories = { labels: new History("none"), marks: new History("none") };
    this.strokes = []; // that are not part of the labels yet, the oldest first
    this.ask = async () => null; // where a stroke snaps to: a question → alpha as a PNG, or null
    this.select = async () => null; // what is clicked: a question → alpha as a PNG, or null
    this.selection = null; // the clicks that another one would refine
  }

  /** The region that is painted with, as an index into the palette. */
  get ink() {
    return this.sheet === "marks" ? this.active : this.names.indexOf(this.list[this.active]?.color);
  }
  get rows() {
    if (this.sheet === "labels") return this.list;
    return [
      { color: "green", name: "Keep" },
      { color: "red", name: "Remove" },
    ];
  }
  get #history() {
    return this.histories[this.sheet];
  }

  // ---- photographs and what is known of them

  setPhoto(side, photo) {
    const s = this.sides[side];
    const { naturalWidth: width, naturalHeight: height } = photo;
    Object.assign(s, { photo, width, height, base: null, numbers: new Map(), at: { x: width / 2, y: height / 2 } });
    s.pixels = pixelsOf(photo, width, height);
    s.labels = new Uint8Array(width * height).fill(NONE);
    s.marks = new Uint8Array(width * height).fill(NONE);
    Object.assign(s.canvas, { width, height });
    this.draw(side);
  }

  clearPhoto(side) {
    const s = this.sides[side];
    Object.assign(s, { photo: null, labels: null, marks: null, base: null });
    s.canvas.getContext("2d").clearRect(0, 0, s.canvas.width, s.canvas.height);
  }

  /** Other regions: labels of one or both sides, and the list of them. */
  setLabels(labels, list) {
    for (const [side, data] of Object.entries(labels)) if (this.sides[side].photo) this.sides[side].labels = data;
    this.list = list.map((region) => ({ ...region }));
    this.active = Math.min(this.active, Math.max(0, list.length - 1));
    this.doubtful = new Set();
    this.#renumber();
    this.dispatchEvent(new Event("choose"));
  }

  /** The undo steps of other photographs; marks, which only the browser knows, are there again. */
  async setHistories(labels, marks) {
    this.histories = { labels, marks };
    const kept = marks.now?.content;
    const s = this.sides.content;
    if (kept && s.photo) s.marks = unpack(kept, s.marks.length) ?? s.marks;
    this.#renumber();
    this.dispatchEvent(new Event("choose"));
  }

  show(sheet) {
    this.sheet = sheet;
    this.active = 0;
    this.#renumber();
    this.dispatchEvent(new Event("choose"));
  }

  // ---- as files

  png(side) {
    const s = this.sides[side];
    return encode(s.base ?? s.labels, s.width, s.height, this.colors, this.none);
  }

  /** What is kept (white), what is not (black), and what is to be found out. */
  trimap() {
    const { marks, width, height } = this.sides.content;
    const image = new ImageData(width, height);
    marks.forEach((mark, i) =>
      image.data.set([...Array(3).fill(mark === NONE ? 128 : mark === 0 ? 255 : 0), 255], 4 * i),
    );
    return png(image);
  }

  /** Which of the two marks there are. */
  get marked() {
    const has = new Set(this.sides.content.marks ?? []);
    return { keep: has.has(0), remove: has.has(1) };
  }
  isMarked() {
    return this.marked.keep && this.marked.remove;
  }

  /** On which sides there is something of a region, by its place in the list. */
  sidesOf(index) {
    const label = this.names.indexOf(this.list[index]?.color);
    return Object.values(this.sides)
      .filter((s) => s.labels?.includes(label))
      .map((s) => s.side);
  }

  /** The region with which one shares the longest border in the photograph, null without any. */
  neighbour(index) {
    const { labels, width } = this.sides.content;
    const own = this.names.indexOf(this.list[index].color);
    const borders = new Map();
    for (let i = 0; i < labels.length; i++)
      for (const j of [i + 1, i + width]) {
        const pair = [labels[i], labels[j]];
        if (j >= labels.length || pair[0] === pair[1] || !pair.includes(own)) continue;
        const other = pair[0] === own ? pair[1] : pair[0];
        borders.set(other, (borders.get(other) ?? 0) + 1);
      }
    borders.delete(NONE);
    const [best] = [...borders].sort((a, b) => b[1] - a[1])[0] ?? [null];
    const found = this.list.findIndex((region) => region.color === this.names[best]);
    return best === null || found < 0 ? null : found;
  }

  // ---- undo

  #state() {
    const kept = { list: structuredClone(this.list), active: this.active };
    for (const s of Object.values(this.sides)) {
      const labels = s.base ?? s[this.sheet];
      if (labels) kept[s.side] = pack(labels);
    }
    return kept;
  }

  /** To be called before a change. */
  remember() {
    this.selection = null;
    this.#history.remember(this.#state());
  }

  undo() {
    const last = this.strokes.findLastIndex((stroke) => stroke.done);
    if (last >= 0) {
      const [stroke] = this.strokes.splice(last, 1); // it has not become part of the labels yet
      stroke.selection?.forget(stroke);
      this.#relay();
    } else this.#go(this.#history.undo(this.#state()));
  }
  redo() {
    if (!this.strokes.length) this.#go(this.#history.redo(this.#state()));
  }
  #go(state) {
    if (!state) return;
    this.selection = null;
    for (const s of Object.values(this.sides)) {
      const labels = s.photo && state[s.side] && unpack(state[s.side], s.width * s.height);
      if (labels) s[this.sheet] = labels;
    }
    if (this.sheet === "labels") this.list = structuredClone(state.list);
    this.active = state.active;
    this.#done();
  }
  get canUndo() {
    return this.strokes.length > 0 || this.#history.past.length > 0;
  }
  get canRedo() {
    return this.#history.future.length > 0;
  }

  // ---- regions

  add() {
    const color = this.names.find((name) => !this.list.some((region) => region.color === name));
    if (!color) return false;
    this.remember();
    this.list.push({ color, name: "", model: color });
    this.active = this.list.length - 1;
    this.#done();
    return true;
  }

  edit(index, change) {
    this.remember();
    Object.assign(this.list[index], change);
    this.#done();
  }

  /** Give all that one region has to another, or to nobody. */
  async merge(index, into) {
    await this.settled();
    this.remember();
    const from = this.names.indexOf(this.list[index].color);
    const to = into === null ? NONE : this.names.indexOf(this.list[into].color);
    for (const s of Object.values(this.sides))
      s.labels?.forEach((label, i) => {
        if (label === from) s.labels[i] = to;
      });
    const gone = this.list[index].color;
    const heir = into === null ? "" : this.list[into].color;
    this.list.splice(index, 1);
    for (const region of this.list) if (region.model === gone) region.model = heir || region.color;
    this.active = Math.max(0, Math.min(this.active, this.list.length - 1));
    this.#done();
  }

  choose(index) {
    if (index < 0 || index >= this.rows.length) return;
    this.active = index;
    this.dispatchEvent(new Event("choose"));
  }

  /** Point at a region by its place in the list, null at none: it and its partner are lit. */
  hover(index) {
    if (index === this.hovered) return;
    this.hovered = index;
    this.drawAll();
    this.dispatchEvent(new Event("hover"));
  }

  /** The label that is lit on a side: in the reference that of the region whose look is taken. */
  litOn(side) {
    const region = this.list[this.hovered];
    if (!region) return null;
    const color = side === "content" ? region.color : region.model;
    return color ? this.names.indexOf(color) : -1;
  }

  /** Regions that look as if they were no match, by their colours. */
  doubt(colors) {
    this.doubtful = new Set(colors);
    this.drawAll();
  }

  #done() {
    this.#history.keep(this.#state());
    this.#renumber();
    this.dispatchEvent(new Event("choose"));
    this.dispatchEvent(new Event("change"));
  }

  #renumber() {
    for (const s of Object.values(this.sides)) {
      if (!s.photo) continue;
      s.numbers = middles(s[this.sheet], s.width, s.height);
      this.draw(s.side);
    }
  }

  // ---- what is seen

  draw(side) {
    const s = this.sides[side];
    if (s.asked || !s.photo) return;
    s.asked = true;
    requestAnimationFrame(() => {
      s.asked = false;
      if (s.photo) draw(s, this);
    });
  }

  drawAll() {
    for (const side of Object.keys(this.sides)) this.draw(side);
  }

  // ---- strokes

  /** Begin a stroke or a click on a side, or fill there; null if nothing can be painted. A click may take away. */
  begin(side, at, isAway = false) {
    const s = this.sides[side];
    const isInside = at.x >= 0 && at.y >= 0 && at.x < s.width && at.y < s.height;
    if (!isInside && ["fill", "click"].includes(this.tool)) return null;
    if (this.tool !== "eraser" && this.ink < 0 && !this.add()) return null;
    const ink = this.tool === "eraser" ? NONE : this.ink;
    if (this.tool === "fill") {
      this.#take(Stroke.fill(s, ink, at, this.likeness));
      this.#settle();
      return null;
    }
    const stroke = this.tool === "click" ? this.#pick(s, ink, isAway) : new Stroke(s, ink, this.size);
    this.#take(stroke);
    this.extend(stroke, at);
    return stroke;
  }

  #pick(s, ink, isAway) {
    const away = isAway !== this.takesAway;
    const goesOn = this.selection?.fits(s, ink, this.sheet);
    return (goesOn ? this.selection : new Selection(s, ink, this.sheet, away)).add(away);
  }

  #take(stroke) {
    const s = stroke.side;
    this.selection = stroke.selection ?? null;
    s.base ??= s[this.sheet].slice();
    this.strokes.push(stroke);
    stroke.apply(s[this.sheet]);
  }

  extend(stroke, at) {
    stroke.to(at);
    stroke.apply(stroke.side[this.sheet]);
    this.draw(stroke.side.side);
  }

  /** The pointer is up: it goes to its edge, and then it is part of the labels. */
  end(stroke) {
    if (stroke.selection) stroke.alpha = this.#find(stroke);
    else if (this.sheet === "labels" && this.snaps && this.size >= LEAST_SNAP) stroke.alpha = this.#snap(stroke);
    stroke.done = true;
    this.#settle();
  }

  /** It was no stroke after all. */
  drop(stroke) {
    this.strokes = this.strokes.filter((other) => other !== stroke);
    stroke.selection?.forget(stroke);
    this.#relay();
  }

  async #find(pick) {
    const file = await this.select(pick.question());
    const { width, height } = pick.side;
    if (file) pick.answer(pixelsOf(await createImageBitmap(file), width, height));
    else pick.selection.forget(pick);
  }

  async #snap(stroke) {
    const question = await stroke.question();
    const file = question && (await this.ask(question));
    if (!file) return;
    const { width, height } = question.trimap;
    stroke.snap(question, pixelsOf(await createImageBitmap(file), width, height));
  }

  #settling = null;
  /** Strokes become part of the labels, in their order. */
  #settle() {
    if (this.#settling) return;
    const next = this.strokes[0];
    if (next?.done && !next.alpha) {
      this.#commit(next); // at once, where nothing is to be waited for
      this.#settle();
      return;
    }
    if (!next?.done) return;
    this.#settling = next.alpha.then(() => {
      this.#settling = null;
      if (this.strokes[0] === next) this.#commit(next); // else it was undone
      this.#settle();
    });
    this.dispatchEvent(new CustomEvent("work", { detail: this.#settling }));
  }

  #commit(stroke) {
    if (!stroke.isVoid) this.#history.remember(this.#state());
    this.strokes.shift();
    stroke.apply(stroke.side.base);
    this.#relay();
    if (!stroke.isVoid) this.#done();
  }

  /** The labels as they are with the strokes that are still on their way. */
  #relay() {
    for (const s of Object.values(this.sides)) {
      if (!s.base) continue;
      const open = this.strokes.filter((stroke) => stroke.side === s);
      s[this.sheet] = s.base.slice();
      for (const stroke of open) stroke.apply(s[this.sheet]);
      if (!open.length) s.base = null;
      this.draw(s.side);
    }
    this.dispatchEvent(new Event("choose"));
  }

  /** Wait until every stroke is part of the labels. */
  async settled() {
    while (this.#settling) await this.#settling;
  }
}
