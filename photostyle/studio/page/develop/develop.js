// A photograph developed: the maps of a look applied to it in the page, as often as a slider moves.

import { Maps, PLAIN } from "./adjust.js";
import { readBorders } from "./borders.js";
import * as plain from "./plain.js";
import { readTensors } from "./safetensors.js";
import * as webgl from "./webgl.js";

/** Draws on a canvas of the page. `where` is what `draw` of a renderer takes. */
export class Developer {
  constructor(canvas) {
    this.renderer = webgl.makeRenderer(canvas) ?? plain.makeRenderer(canvas);
    this.canvas = canvas;
    this.maps = null;
    this.where = null;
    this.asked = 0;
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.restore());
  }

  /** What a result's `parts` hold, for a picture of size `whole` at last; `image` is the photograph as it is shown. */
  open(buffer, whole, image) {
    const tensors = readTensors(buffer);
    this.borders = readBorders(tensors, whole);
    this.maps = Maps.of(tensors);
    this.renderer.setBorders(this.borders);
    this.show(image);
  }

  /** Another copy of the same photograph, as when pixels are looked at. */
  show(image) {
    this.image = image;
    this.renderer.setPhotograph(image);
  }

  close() { this.maps = null; }

  /** `adjustment` as in adjust.js, `parts` of the regions, and `weight` of another look's maps. */
  adjust(adjustment = PLAIN, parts = [], other = null, weight = 0) {
    this.last = [adjustment, parts, other, weight];
    if (this.mixed?.of !== this.maps || this.mixed.other !== other || this.mixed.weight !== weight) {
      this.mixed = { of: this.maps, other, weight, maps: this.maps.towards(other, weight) };
    }
    this.renderer.setMaps(this.mixed.maps.adjusted(adjustment, parts));
    this.draw();
  }

  /** Where the picture lies on the canvas, whose size in pixels comes with it. */
  place(size, where) {
    if (this.canvas.width !== size.width || this.canvas.height !== size.height) Object.assign(this.canvas, size);
    this.where = where;
    this.draw();
  }

  /** At the browser's next picture, once. */
  draw() {
    if (!this.asked) this.asked = requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    if (this.maps && this.where && this.renderer.maps) this.renderer.draw(this.where);
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
