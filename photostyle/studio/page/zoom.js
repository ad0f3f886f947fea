// Zooming and moving a picture in its frame, the same for the result and for the photographs that are painted on:
// the wheel and two fingers zoom to the pointer, space or the middle button moves, a double click changes between
// fitted and pixel for pixel.

const MOST = 16; // screen pixels for a pixel of the picture
const STEP = 1.5;

let space = false; // the space bar is held down
window.addEventListener("keydown", (event) => {
  if (event.key === " ") space = true;
});
window.addEventListener("keyup", (event) => {
  if (event.key === " ") space = false;
});
window.addEventListener("blur", () => {
  space = false;
});

/** Whether the page lies in one window and does not scroll, so that the wheel is free to zoom. */
const inOneWindow = matchMedia("(min-width: 1024px) and (min-height: 560px)");

export class Zoom {
  /**
   * `size()` is the picture's width and height in CSS pixels at a scale of 1, null without a picture; `room()` those
   * of the place it is shown in; `whole()` the scale at which a pixel of the photograph is one of the screen;
   * `place(x, y, scale)` puts it there; `drags(event)` tells whether the main button moves it, too.
   */
  constructor(frame, { size, room, whole, place, drags = () => false, doubles = () => true, onPinch = () => {} }) {
    Object.assign(this, { frame, size, room, whole, place, drags, onPinch });
    this.scaleSet = null; // null: fitted
    this.x = this.y = 0;
    this.fingers = new Map();
    this.drag = null;
    frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.#down(event), { capture: true });
    frame.addEventListener("pointermove", (event) => this.#move(event), { capture: true });
    for (const name of ["pointerup", "pointercancel"])
      frame.addEventListener(name, (event) => this.#up(event), { capture: true });
    frame.addEventListener("dblclick", (event) => {
      if (doubles()) this.toggle(...this.#at(event));
    });
    new ResizeObserver(() => this.refresh()).observe(frame);
  }

  get fitted() {
    const { width, height } = this.size();
    const room = this.room();
    return Math.min(room.width / width, room.height / height);
  }
  get scale() {
    return this.scaleSet ?? this.fitted;
  }
  get isZoomed() {
    return this.scaleSet !== null;
  }

  refresh() {
    const size = this.size();
    if (!size || !this.frame.clientWidth) return;
    const room = this.room();
    const scale = this.scale;
    const [w, h] = [size.width * scale, size.height * scale];
    const inside = (at, long, space) => (long <= space ? (space - long) / 2 : Math.min(0, Math.max(space - long, at)));
    this.x = inside(this.x, w, room.width);
    this.y = inside(this.y, h, room.height);
    this.frame.classList.toggle("zoomed", w > room.width + 1 || h > room.height + 1);
    this.frame.classList.toggle("pixels", scale >= 2 * this.whole());
    this.place(this.x, this.y, scale);
  }

  /** To a scale, null to fit, with the point at (cx, cy) of the frame staying where it is. */
  to(scale, cx = this.room().width / 2, cy = this.room().height / 2) {
    if (!this.size()) return;
    const before = this.scale;
    this.scaleSet = scale === null || scale <= this.fitted ? null : Math.min(scale, MOST * this.whole());
    const ratio = this.scale / before;
    this.x = cx - (cx - this.x) * ratio;
    this.y = cy - (cy - this.y) * ratio;
    this.refresh();
  }
  in(...at) {
    if (this.size()) this.to(this.scale * STEP, ...at);
  }
  out(...at) {
    if (this.size()) this.to(this.scale / STEP, ...at);
  }
  fit() {
    this.to(null);
  }
  pixels(...at) {
    if (this.size()) this.to(this.whole() > this.fitted ? this.whole() : 2 * this.fitted, ...at);
  }
  toggle(...at) {
    if (this.isZoomed) this.fit();
    else this.pixels(...at);
  }
  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.refresh();
  }

  #at(event) {
    const box = this.frame.getBoundingClientRect();
    const room = this.room();
    return [(event.clientX - box.left) % room.width, event.clientY - box.top]; // side by side both halves move as one
  }

  #wheel(event) {
    if (!this.size() || !(inOneWindow.matches || event.ctrlKey || this.isZoomed)) return; // the page scrolls else
    event.preventDefault();
    this.to(this.scale * 1.0015 ** -event.deltaY, ...this.#at(event));
  }

  #down(event) {
    if (!this.size()) return;
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
      if (this.fingers.size === 2) {
        this.drag = null;
        this.onPinch();
      }
      if (this.fingers.size > 1) {
        event.stopImmediatePropagation();
        return;
      }
    }
    if (event.button === 1 || (event.button === 0 && (space || this.drags(event)))) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.frame.setPointerCapture(event.pointerId);
      this.drag = { x: event.clientX - this.x, y: event.clientY - this.y };
    }
  }

  #move(event) {
    if (this.fingers.size > 1 && this.fingers.has(event.pointerId)) {
      event.stopImmediatePropagation();
      this.#pinch(event);
    } else if (this.drag) {
      event.stopImmediatePropagation();
      this.x = event.clientX - this.drag.x;
      this.y = event.clientY - this.drag.y;
      this.refresh();
    }
  }

  #pinch(event) {
    const spread = () => {
      const [[ax, ay], [bx, by]] = [...this.fingers.values()];
      return { far: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
    };
    const before = spread();
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const now = spread();
    const box = this.frame.getBoundingClientRect();
    this.to(this.scale * (now.far / Math.max(1, before.far)), now.x - box.left, now.y - box.top);
    this.move(now.x - before.x, now.y - before.y);
  }

  #up(event) {
    this.fingers.delete(event.pointerId);
    if (!this.drag) return;
    event.stopImmediatePropagation();
    this.drag = null;
  }
}
