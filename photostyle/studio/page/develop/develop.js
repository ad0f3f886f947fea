// A photograph developed: the maps of a look applied to it in the page, as often as a slider moves.

import { Maps, PLAIN } from "./adjust.js";
import { readBorders } from "./borders.js";
import * as plain from "./plain.js";
import { readTensors } from "./safetensors.js";
import * as webgl from "./webgl.js";

const FRAME = 33; // milliseconds that a picture may take while a slider moves
const REST = 120; // milliseconds without a move, after which all pixels are drawn
const COARSEST = 4; // times fewer pixels along each side

/** Draws on a canvas of the page. While a slider moves it draws as many pixels as there is time for, then all. */
export class Developer {
  renderer = null;
  maps = null;
  where = null;
  stride = 1;
  busy = false; // a picture is being drawn
  stale = false; // and another one is wanted already

  /** `onRest` is called when all pixels are drawn, and no other picture is wanted. */
  constructor(canvas, onRest = () => {}) {
    this.canvas = canvas;
    this.onRest = onRest;
    this.renderer = webgl.makeRenderer(canvas) ?? plain.makeRenderer(canvas);
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.restore());
  }

  /** What a result's `parts` hold, for a picture of size `whole` at last; `image` is the photograph as it is shown. */
  open(buffer, whole, image) {
    const tensors = readTensors(buffer);
    this.borders = readBorders(tensors, whole);
    this.maps = Maps.of(tensors);
    this.adjusted = null; // so that nothing is drawn before it is known how
    this.renderer.setBorders(this.borders);
    if (image !== this.image) this.show(image);
  }

  /** Another copy of the same photograph, as when pixels are looked at. */
  show(image) {
    this.image = image;
    this.renderer.setPhotograph(image);
  }

  /** `adjustment` as in adjust.js, `parts` of the regions, and `weight` of another look's maps. */
  adjust(adjustment = PLAIN, parts = [], other = null, weight = 0) {
    this.last = [adjustment, parts, other, weight];
    if (this.mixed?.of !== this.maps || this.mixed.other !== other || this.mixed.weight !== weight) {
      this.mixed = { of: this.maps, other, weight, maps: this.maps.towards(other, weight) };
    }
    this.adjusted = this.mixed.maps.adjusted(adjustment, parts);
    this.draw();
  }

  /** Where the picture lies on the canvas, whose size in pixels comes with it; see `draw` of a renderer. */
  place(size, where) {
    if (this.canvas.width !== size.width || this.canvas.height !== size.height) Object.assign(this.canvas, size);
    this.where = where;
    this.draw();
  }

  /** At once; if it is still at the last picture, after it. */
  draw() {
    this.stale = true;
    delete this.canvas.dataset.drawn;
    clearTimeout(this.resting);
    if (!this.busy) this.drawNow(this.stride);
  }

  drawNow(stride) {
    this.stale = false;
    if (!this.adjusted || !this.where) return;
    const began = performance.now();
    if (this.renderer.set !== this.adjusted) this.renderer.setMaps(this.adjusted);
    this.renderer.set = this.adjusted;
    this.renderer.draw(this.where, stride);
    this.busy = true;
    this.renderer.measure(() => this.drawn(stride, performance.now() - began));
  }

  /** Where all pixels take too long, fewer are drawn while a slider moves: as many as there will be time for. */
  drawn(stride, took) {
    this.busy = false;
    if (stride === 1) this.stride = [1, 2].find((step) => took / step ** 2 <= FRAME) ?? COARSEST;
    else if (took > 2 * FRAME) this.stride = COARSEST;
    if (this.stale) {
      this.draw();
      return;
    }
    this.canvas.dataset.drawn = stride; // for tests
    if (stride > 1) this.resting = setTimeout(() => this.drawNow(1), REST);
    else this.onRest();
  }

  restore() {
    this.renderer = webgl.makeRenderer(this.canvas);
    if (!this.maps) return;
    this.renderer.setBorders(this.borders);
    this.renderer.setPhotograph(this.image);
    this.adjust(...this.last);
  }
}

/** The maps of a look, to be mixed with others. */
export const readLook = (buffer) => Maps.of(readTensors(buffer));
