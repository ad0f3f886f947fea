// Painting on both photographs at once: tools, undo and what is seen.

import { NONE, SHOWN, encode, middles, pixelsOf, png, similar } from "./labels.js";

const MOST_UNDOS = 40;
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const VEILS = Object.fromEntries(Object.entries(SHOWN).map(([name, hex]) => [name, rgb(hex)]));

/** Events: "change" (labels or list), "choose" (another region), "snap" ({side, x, y, trimap, alpha}), "work" (a promise). */
export class Editor extends EventTarget {
  constructor(canvases, palette) {
    super();
    this.names = Object.keys(palette).slice(0, 8);
    this.colors = this.names.map((name) => palette[name]);
    this.none = palette.purple;
    this.sides = {};
    for (const [side, canvas] of Object.entries(canvases)) {
      this.sides[side] = { side, canvas, photo: null, labels: null, marks: null, numbers: new Map(), at: null };
      this.#listen(this.sides[side]);
    }
    Object.assign(this, {
      tool: "look",
      size: 28,
      likeness: 30,
      veil: 0.45,
      snaps: true,
      sheet: "labels",
      list: [],
      active: 0,
    });
    this.past = [];
    this.future = [];
    this.busy = 0; // strokes that are on their way to their edge
  }

  /** The region that is painted with, as an index into the palette. */
  get ink() {
    return this.sheet === "marks" ? this.active : this.names.indexOf(this.list[this.active]?.color);
  }
  get rows() {
    return this.sheet === "marks"
      ? [
          { color: "green", name: "Keep" },
          { color: "red", name: "Remove" },
        ]
      : this.list;
  }

  setPhoto(side, photo) {
    const s = this.sides[side];
    const { naturalWidth: width, naturalHeight: height } = photo;
    Object.assign(s, { photo, width, height, numbers: new Map(), at: { x: width / 2, y: height / 2 } });
    s.pixels = pixelsOf(photo, width, height);
    s.labels = new Uint8Array(width * height).fill(NONE);
    s.marks = new Uint8Array(width * height).fill(NONE);
    s.canvas.width = width;
    s.canvas.height = height;
    this.forget();
    this.draw(side);
  }

  clearPhoto(side) {
    const s = this.sides[side];
    Object.assign(s, { photo: null, labels: null, marks: null });
    s.canvas.getContext("2d").clearRect(0, 0, s.canvas.width, s.canvas.height);
  }

  setLabels(labels, list) {
    for (const [side, data] of Object.entries(labels)) if (this.sides[side].photo) this.sides[side].labels = data;
    this.list = list;
    this.active = Math.min(this.active, Math.max(0, list.length - 1));
    this.#renumber();
    this.dispatchEvent(new Event("choose"));
  }

  forget() {
    this.past = [];
    this.future = [];
    this.dispatchEvent(new Event("choose"));
  }

  png(side) {
    const s = this.sides[side];
    return encode(s.labels, s.width, s.height, this.colors, this.none);
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

  isMarked() {
    const has = new Set(this.sides.content.marks ?? []);
    return has.has(0) && has.has(1);
  }

  // ---- undo

  #state() {
    const kept = { sheet: this.sheet, list: structuredClone(this.list), active: this.active };
    for (const s of Object.values(this.sides)) kept[s.side] = s[this.sheet]?.slice();
    return kept;
  }

  /** To be called before a change. */
  remember() {
    this.past.push(this.#state());
    if (this.past.length > MOST_UNDOS) this.past.shift();
    this.future = [];
  }

  #step(from, to) {
    let at = from.findLastIndex((state) => state.sheet === this.sheet);
    if (at < 0 || this.busy) return;
    const [state] = from.splice(at, 1);
    to.push(this.#state());
    for (const s of Object.values(this.sides))
      if (state[s.side]?.length === s[this.sheet]?.length) s[this.sheet] = state[s.side];
    if (this.sheet === "labels") this.list = state.list;
    this.active = state.active;
    this.#done();
  }
  undo() {
    this.#step(this.past, this.future);
  }
  redo() {
    this.#step(this.future, this.past);
  }
  has(stack) {
    return stack.some((state) => state.sheet === this.sheet);
  }

  // ---- regions

  add() {
    const color = this.names.find((name) => !this.list.some((region) => region.color === name));
    if (!color) return false;
    this.remember();
    this.list.push({ color, name: `Region ${this.list.length + 1}`, model: color });
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
  merge(index, into) {
    this.remember();
    const from = this.names.indexOf(this.list[index].color);
    const to = into === null ? NONE : this.names.indexOf(this.list[into].color);
    for (const s of Object.values(this.sides))
      s.labels?.forEach((label, i) => {
        if (label === from) s.labels[i] = to;
      });
    const gone = this.list[index].color;
    const [heir] = into === null ? [""] : [this.list[into].color];
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

  #done() {
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

  show(sheet) {
    this.sheet = sheet;
    this.active = 0;
    this.#renumber();
    this.dispatchEvent(new Event("choose"));
  }

  // ---- what is seen

  draw(side) {
    const s = this.sides[side];
    if (s.asked || !s.photo) return;
    s.asked = true;
    requestAnimationFrame(() => {
      s.asked = false;
      if (s.photo) this.#paint(s);
    });
  }

  drawAll() {
    Object.keys(this.sides).forEach((side) => this.draw(side));
  }

  #paint(s) {
    const { canvas, width, height } = s;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.drawImage(s.photo, 0, 0, width, height);
    const labels = s[this.sheet];
    const palette = this.sheet === "marks" ? [VEILS.green, VEILS.red] : this.names.map((name) => VEILS[name]);
    const veil = new ImageData(width, height);
    const alpha = Math.round(255 * (this.sheet === "marks" ? Math.max(this.veil, 0.6) : this.veil));
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (label === NONE) continue;
      const [r, g, b] = palette[label],
        at = 4 * i;
      const edge =
        (i + 1) % width && (labels[i + 1] !== label || (labels[i + width] !== label && i + width < labels.length));
      veil.data[at] = r;
      veil.data[at + 1] = g;
      veil.data[at + 2] = b;
      veil.data[at + 3] = edge && this.veil > 0 ? 255 : alpha;
    }
    this.#over ??= document.createElement("canvas");
    Object.assign(this.#over, { width, height });
    this.#over.getContext("2d").putImageData(veil, 0, 0);
    context.drawImage(this.#over, 0, 0);
    if (this.sheet === "labels" && this.veil > 0) this.#number(context, s);
    if (s.at && s.pointed) {
      context.beginPath();
      context.arc(s.at.x, s.at.y, this.tool === "fill" ? 4 : Math.max(2, this.size / 2), 0, 7);
      context.lineWidth = 3;
      context.strokeStyle = "rgb(0 0 0 / 0.7)";
      context.stroke();
      context.lineWidth = 1.5;
      context.strokeStyle = "#fff";
      context.stroke();
    }
  }
  #over;

  #number(context, s) {
    const radius = Math.max(11, Math.round(Math.max(s.width, s.height) / 42));
    context.font = `700 ${Math.round(1.2 * radius)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const [label, { x, y }] of s.numbers) {
      const index = this.list.findIndex((region) => region.color === this.names[label]);
      if (index < 0) continue;
      const [cx, cy] = [
        Math.min(Math.max(x, radius + 2), s.width - radius - 2),
        Math.min(Math.max(y, radius + 2), s.height - radius - 2),
      ];
      context.beginPath();
      context.arc(cx, cy, radius, 0, 7);
      context.fillStyle = SHOWN[this.names[label]];
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = "#111";
      context.stroke();
      context.fillStyle = "#111";
      context.fillText(index + 1, cx, cy + 1);
    }
  }

  // ---- tools

  #listen(s) {
    const { canvas } = s;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.tool === "look" || !s.photo || event.button) return;
      event.preventDefault();
      canvas.focus();
      canvas.setPointerCapture(event.pointerId);
      this.#start(s, this.#point(s, event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.tool === "look" || !s.photo) return;
      s.pointed = true;
      for (const e of event.getCoalescedEvents?.() ?? [event]) {
        s.at = this.#point(s, e);
        if (s.stroke) this.#stroke(s, s.at);
      }
      this.draw(s.side);
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.#end(s));
    canvas.addEventListener("pointerleave", () => {
      s.pointed = false;
      this.draw(s.side);
    });
    canvas.addEventListener("blur", () => {
      s.pointed = false;
      this.draw(s.side);
    });
    canvas.addEventListener("keydown", (event) => this.#key(s, event));
  }

  #point(s, event) {
    const box = s.canvas.getBoundingClientRect();
    const scale = Math.min(box.width / s.width, box.height / s.height); // the picture is fitted into its frame
    const [left, top] = [box.left + (box.width - scale * s.width) / 2, box.top + (box.height - scale * s.height) / 2];
    return { x: (event.clientX - left) / scale, y: (event.clientY - top) / scale };
  }

  #key(s, event) {
    if (!s.photo || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 1 : Math.max(4, this.size / 2);
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (move && this.tool !== "look") {
      s.at = {
        x: Math.min(Math.max(s.at.x + move[0], 0), s.width - 1),
        y: Math.min(Math.max(s.at.y + move[1], 0), s.height - 1),
      };
      s.pointed = true;
      if (s.stroke) this.#stroke(s, s.at);
      this.draw(s.side);
    } else if (event.key === " " && this.tool !== "look") {
      this.#start(s, s.at);
      this.#end(s);
    } else if (event.key >= "1" && event.key <= "8") this.choose(+event.key - 1);
    else return;
    event.preventDefault();
  }

  #start(s, at) {
    if (this.busy) return;
    if (this.tool !== "eraser" && this.ink < 0 && !this.add()) return;
    s.at = at;
    this.remember();
    const before = s[this.sheet].slice();
    const ink = this.tool === "eraser" ? NONE : this.ink;
    if (this.tool === "fill") {
      const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
      if (x < 0 || y < 0 || x >= s.width || y >= s.height) {
        this.past.pop();
        return;
      }
      similar(s.pixels, x, y, this.likeness).forEach((is, i) => {
        if (is) s[this.sheet][i] = ink;
      });
      this.#done();
      return;
    }
    s.stroke = { points: [at], before, ink };
    this.#stamp(s, at, at);
  }

  #stroke(s, at) {
    this.#stamp(s, s.stroke.points.at(-1), at);
    s.stroke.points.push(at);
  }

  /** Everything within half the size of the line from a to b. */
  #stamp(s, a, b) {
    const labels = s[this.sheet],
      radius = Math.max(1, this.size / 2);
    const [x0, x1] = [
      Math.max(0, Math.floor(Math.min(a.x, b.x) - radius)),
      Math.min(s.width - 1, Math.ceil(Math.max(a.x, b.x) + radius)),
    ];
    const [y0, y1] = [
      Math.max(0, Math.floor(Math.min(a.y, b.y) - radius)),
      Math.min(s.height - 1, Math.ceil(Math.max(a.y, b.y) + radius)),
    ];
    const [dx, dy] = [b.x - a.x, b.y - a.y],
      length = dx * dx + dy * dy || 1;
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++) {
        const t = Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / length));
        if (Math.hypot(x - a.x - t * dx, y - a.y - t * dy) <= radius) labels[y * s.width + x] = s.stroke.ink;
      }
    this.draw(s.side);
  }

  #end(s) {
    const stroke = s.stroke;
    if (!stroke) return;
    s.stroke = null;
    this.dispatchEvent(new CustomEvent("work", { detail: this.#finish(s, stroke) }));
  }

  async #finish(s, stroke) {
    if (this.sheet === "labels" && this.snaps && this.size >= 8) {
      this.busy++;
      try {
        await this.#snap(s, stroke);
      } finally {
        this.busy--;
      }
    }
    this.#done();
  }

  /** A rough stroke goes to the edge of the object: its core is sure, far from it nothing is, the rim is asked for. */
  async #snap(s, { points, before, ink }) {
    const rim = Math.ceil(0.8 * this.size) + 2;
    const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
    const x = Math.max(0, Math.floor(Math.min(...xs)) - rim - 2),
      y = Math.max(0, Math.floor(Math.min(...ys)) - rim - 2);
    const w = Math.min(s.width, Math.ceil(Math.max(...xs)) + rim + 3) - x,
      h = Math.min(s.height, Math.ceil(Math.max(...ys)) + rim + 3) - y;
    if (w < 3 || h < 3) return;
    const context = Object.assign(document.createElement("canvas"), { width: w, height: h }).getContext("2d");
    context.fillRect(0, 0, w, h);
    context.lineCap = context.lineJoin = "round";
    for (const [width, color] of [
      [1.6 * this.size, "#808080"],
      [0.5 * this.size, "#fff"],
    ]) {
      context.lineWidth = width;
      context.strokeStyle = color;
      context.beginPath();
      context.moveTo(points[0].x - x, points[0].y - y);
      for (const p of points) context.lineTo(p.x - x, p.y - y + 0.01); // a point alone is a line, too
      context.stroke();
    }
    const trimap = context.getImageData(0, 0, w, h);
    for (let i = 0; i < w * h; i++) {
      const value = trimap.data[4 * i] > 190 ? 255 : trimap.data[4 * i] > 60 ? 128 : 0; // without the blends of a soft rim
      trimap.data.set([value, value, value, 255], 4 * i);
    }
    const request = { side: s.side, x, y, trimap: await png(trimap), alpha: null };
    const event = new CustomEvent("snap", { detail: request });
    this.dispatchEvent(event);
    const blob = await request.alpha;
    if (!blob || s[this.sheet].length !== before.length) return;
    const { data } = pixelsOf(await createImageBitmap(blob), w, h);
    for (let j = 0; j < h; j++)
      for (let i = 0; i < w; i++) {
        const at = 4 * (j * w + i),
          to = (y + j) * s.width + x + i;
        if (trimap.data[at] === 128) s[this.sheet][to] = data[at] >= 128 ? ink : before[to];
      }
  }
}
