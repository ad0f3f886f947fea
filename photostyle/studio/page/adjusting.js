// The look as it is adjusted: sliders, and the picture on the stage that follows them without asking the server.

import { PLAIN } from "./develop/adjust.js";
import { Developer, readLook } from "./develop/develop.js";
import { desk, trouble } from "./desk.js";
import { $, el, whenNew, working } from "./dom.js";
import { SHOWN } from "./labels.js";
import { nameOf } from "./tools.js";

const VIEW = "view.png"; // the photograph as it is shown as a whole, and with all its pixels
const FULL = "full.jpg";

const stops = (x) => `${x > 0 ? "+" : ""}${x.toFixed(2)}`;
const percent = (x) => `${Math.round(100 * x)} %`;
const signed = (x) => `${x > 0 ? "+" : ""}${Math.round(100 * x)}`;

const SLIDERS = [
  { name: "exposure", title: "Exposure", min: -3, max: 3, step: 0.05, say: stops, help: "stops of light" },
  { name: "warmth", title: "Warmth", min: -1, max: 1, step: 0.02, say: signed, help: "blue to red" },
  { name: "contrast", title: "Contrast", min: -1, max: 1, step: 0.02, say: signed, help: "black and white stay" },
  { name: "saturation", title: "Saturation", min: -1, max: 1, step: 0.02, say: signed, help: "−100 is grey" },
  {
    name: "keep_skin",
    title: "Keep skin colours",
    min: 0,
    max: 1,
    step: 0.02,
    say: percent,
    help: "what has the colours of skin keeps them, sand and wood too",
  },
];

/** `look` is the panel with the strength. Returns what is wished for, as the server's `Development` has it. */
export function makeAdjusting({ look }) {
  const canvas = $("#developed");
  const developer = new Developer(canvas, () => desk.tell("adjusted"));
  const chosen = { ...PLAIN, parts: [], other: "", weight: 0.5 };
  let shown = null; // the result whose maps are applied
  let place = null; // where it lies on the stage
  let other = null; // the maps of another look, which are mixed in
  let images = {}; // the photograph of this result, and whose they are: {of, view, full}
  let sharpening = false;

  const key = () => `photostyle adjusted ${desk.session.id}`;
  const wish = () => ({ ...chosen, strength: look.strength(), weight: chosen.other ? chosen.weight : 0 });

  // ---- the controls

  function slider({ title, min, max, step, say, help = "" }, value, set) {
    const output = el("output", { textContent: say(value) });
    const input = el("input", { type: "range", min, max, step, value, title: help });
    input.addEventListener("input", () => {
      output.textContent = say(+input.value);
      set(+input.value);
      adjust();
    });
    input.addEventListener("change", keep);
    return el("label", {}, title, output, input);
  }

  function draw() {
    const isLook = Boolean(desk.result?.maps);
    $("#adjust").hidden = !isLook;
    if (!isLook) return;
    const rows = SLIDERS.map((one) => {
      const row = slider(one, chosen[one.name], (value) => {
        chosen[one.name] = value;
      });
      row.querySelector("input").id = `adjust-${one.name}`;
      return row;
    });
    const reset = el("button", { type: "button", id: "adjust-reset", textContent: "Reset", onclick: resetAll });
    $("#adjust").replaceChildren(...rows, ...regions(), mixture(), el("div", { className: "row" }, reset));
  }

  /** A strength for each region, where there are several. */
  function regions() {
    const { maps } = desk.result;
    if (maps.length < 2) return [];
    const rows = maps.map((name, index) => {
      const known = desk.state.regions.findIndex(({ color }) => color === name);
      const dot = el("i", { className: "dot", ariaHidden: "true" });
      dot.style.background = SHOWN[name] ?? "transparent";
      const title = el("span", {}, dot, known < 0 ? name : nameOf(desk.state.regions[known], known));
      return slider({ title, min: 0, max: 1, step: 0.02, say: percent }, chosen.parts[index] ?? 1, (value) => {
        chosen.parts[index] = value;
      });
    });
    const title = el("summary", { textContent: "Strength by region" });
    return [el("details", { id: "adjust-regions" }, title, el("div", { className: "fields" }, ...rows))];
  }

  /** Another look to mix in: one of the shelf, or of another result. */
  function mixture() {
    const options = [el("option", { value: "", textContent: "nothing" })];
    for (const { name, error } of desk.state.looks) if (!error) options.push(option(name, name));
    for (const made of desk.state.results) {
      if (made.maps && made.id !== desk.result.id)
        options.push(option(made.id, `${made.recipe}, ${made.content.name}`));
    }
    const select = el("select", { id: "adjust-other" }, ...options);
    select.value = chosen.other;
    if (select.selectedIndex < 0) {
      chosen.other = select.value = "";
      other = null;
    }
    const weight = slider({ title: "How much of it", min: 0, max: 1, step: 0.02, say: percent }, chosen.weight, (x) => {
      chosen.weight = x;
    });
    weight.hidden = !chosen.other;
    select.addEventListener("change", () => {
      chosen.other = select.value;
      weight.hidden = !chosen.other;
      keep();
      working(readOther().catch(trouble));
    });
    return el("div", { className: "fields" }, el("label", {}, "Mix with another look", select), weight);
  }

  const option = (value, textContent) => el("option", { value, textContent });

  function resetAll() {
    Object.assign(chosen, PLAIN, { parts: [], other: "", weight: 0.5 });
    other = null;
    draw();
    adjust();
    keep();
    $("#adjust-reset").focus();
  }

  function keep() {
    try {
      localStorage.setItem(key(), JSON.stringify(chosen));
    } catch {
      // private windows keep nothing
    }
  }

  function recall() {
    try {
      Object.assign(chosen, JSON.parse(localStorage.getItem(key()) ?? "{}"));
    } catch {
      // what cannot be recalled is as at first
    }
  }

  // ---- the picture

  /** Draws at the browser's next picture. */
  function adjust() {
    if (shown) developer.adjust(wish(), chosen.parts, other, wish().weight);
  }

  async function readOther() {
    other = null;
    const { other: name } = chosen;
    if (name) {
      const read = readLook(await desk.session.maps(name));
      if (chosen.other === name) other = read;
    }
    adjust();
  }

  /** A photograph as the canvas takes it. */
  async function read(content, file) {
    const blob = await desk.session.photograph(content.id, file);
    const options = { colorSpaceConversion: "none" };
    const largest = developer.renderer.largest;
    if (file === FULL && Math.max(content.width, content.height) > largest) {
      options[content.width > content.height ? "resizeWidth" : "resizeHeight"] = largest;
      options.resizeQuality = "high";
    }
    return createImageBitmap(blob, options);
  }

  async function open() {
    const made = desk.result;
    if (shown && made?.id === shown.id) return;
    // until a new look of the same photograph is there, the last one stays
    canvas.hidden = !made?.maps || shown?.content.id !== made.content.id;
    shown = null;
    draw();
    if (!made?.maps) return;
    const known = images.of === made.content.id ? images : { of: made.content.id };
    const [parts, view] = await Promise.all([desk.session.parts(made.id), known.view ?? read(made.content, VIEW)]);
    if (desk.result?.id !== made.id) return; // another result is shown meanwhile
    images = { ...known, view };
    developer.open(parts, made.content, images.full ?? view);
    shown = made;
    if (chosen.other && !other) await readOther();
    adjust();
    lay();
    canvas.hidden = false;
  }

  /** The part of the picture that is to be seen, on a canvas of the pixels that the screen has for it. */
  function lay() {
    if (!shown || !place) return;
    const pane = canvas.closest(".pane");
    const left = Math.max(0, -place.x);
    const top = Math.max(0, -place.y);
    const width = Math.min(place.width - left, pane.clientWidth - Math.max(0, place.x));
    const height = Math.min(place.height - top, pane.clientHeight - Math.max(0, place.y));
    if (width < 1 || height < 1) return;
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    const scale = (x) => Math.round(x * devicePixelRatio);
    developer.place(
      { width: Math.max(1, scale(width)), height: Math.max(1, scale(height)) },
      { left: -scale(left), top: -scale(top), width: scale(place.width), height: scale(place.height) },
    );
    if (scale(place.width) > images.view.width && shown.content.width > images.view.width) sharpen(shown);
  }

  /** All pixels of the photograph, once they can be seen. */
  async function sharpen(made) {
    if (images.full || sharpening) return;
    sharpening = true;
    try {
      const image = await working(read(made.content, FULL));
      if (images.of !== made.content.id) return;
      images.full = image;
      developer.show(image);
      developer.draw();
    } catch (error) {
      trouble(error);
    } finally {
      sharpening = false;
    }
  }

  desk.on("shown", () => working(open().catch(trouble)));
  desk.on("faded", adjust);
  desk.on(
    "told",
    whenNew(() => [desk.state.regions, desk.state.looks, desk.state.results], draw),
  );
  desk.on("placed", (where) => {
    place = where;
    lay();
  });

  return { wish, open: recall };
}
