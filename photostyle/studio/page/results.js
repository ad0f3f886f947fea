// What is on the stage: a draft or a version, and what it is compared with.

import { desk } from "./desk.js";
import { $, checked, el, whenNew } from "./dom.js";
import { isOver } from "./jobs.js";
import { titleOf } from "./recipes.js";

/** What a result is called: its own name, or what was done. */
export const nameOfResult = (made) => made.name || (made.cutout ? "Cut-out" : titleOf(made.recipe));
const strengthOf = (made, strength) => (made.cutout || made.content.blank ? "" : ` · ${Math.round(100 * strength)} %`);

export function makeResults({ stage, look, jobs, histogram }) {
  const against = $("#with");
  const picture = (id, size) => desk.session.url(`photographs/${id}/${size}.jpg`);
  const result = (id, size) => desk.session.url(`results/${id}/${size}.jpg`);

  function show(made, isPreview) {
    desk.result = { ...made, isPreview };
    const { content } = made;
    const { width, height } = isPreview && !made.maps ? content.edit : made;
    stage.show(
      {
        width,
        height,
        // a look is drawn by the page itself, in a moment
        view: result(made.id, made.maps ? "thumb" : "view"),
        full: made.maps ? null : result(made.id, "full"),
        under: content.blank ? null : picture(content.id, "edit"),
        fades: !made.cutout && !content.blank,
        ...before(),
      },
      look.strength(),
    );
    desk.tell("shown");
  }

  function clear() {
    desk.result = null;
    stage.show(null);
    desk.tell("shown");
  }

  /** After a job that came to nothing the stage shows again what it showed before. */
  function restore() {
    if (desk.result) show(desk.result, desk.result.isPreview);
    else stage.show(null);
  }

  // ---- what it is compared with

  function listBefore() {
    const { pictures, results } = desk.state;
    const kept = against.value || "photograph";
    const options = [el("option", { value: "photograph", textContent: "the photograph" })];
    if (pictures.style) options.push(el("option", { value: "reference", textContent: "the reference" }));
    for (const [k, made] of results.entries())
      options.push(el("option", { value: made.id, textContent: `${results.length - k}: ${nameOfResult(made)}` }));
    against.replaceChildren(...options);
    against.value = options.some((option) => option.value === kept) ? kept : "photograph";
  }

  function before() {
    const made = desk.result;
    const id = against.value;
    if (id === "reference" && desk.state.pictures.style)
      return {
        before: picture(desk.state.pictures.style.id, "edit"),
        beforeFull: picture(desk.state.pictures.style.id, "full"),
      };
    if (desk.state.results.some((one) => one.id === id))
      return { before: result(id, "view"), beforeFull: result(id, "full") };
    if (made.content.blank) return { before: null, beforeFull: null };
    return { before: picture(made.content.id, "edit"), beforeFull: picture(made.content.id, "full") };
  }
  against.addEventListener("change", () => {
    if (desk.result) stage.setBefore(before());
    describe();
  });

  // ---- what it is

  function describe() {
    const made = desk.result;
    $("#shown").hidden = !made;
    if (!made) {
      histogram.clear();
      return;
    }
    const size = `${made.width}×${made.height}`;
    $("#shown").textContent =
      (made.isPreview ? `Draft · ${nameOfResult(made)} · ${size}` : `${nameOfResult(made)} · full size, ${size}`) +
      strengthOf(made, look.strength());
    const under = made.content.blank ? null : picture(made.content.id, "edit");
    if (!made.maps) histogram.show(result(made.id, "view"), under);
  }

  /** Each mode has its own pictures: cut-outs, doodles, and all others. */
  const modeOf = (made) => (made.cutout ? "cutout" : made.recipe === "doodle" ? "doodle" : "transfer");
  function suit(mode) {
    if (desk.result && modeOf(desk.result) === mode) return;
    const { preview, results } = desk.state;
    const made = results.find((one) => modeOf(one) === mode);
    if (made) show(made, false);
    else if (preview && modeOf(preview) === mode) show(preview, true);
    else clear();
  }
  desk.on("mode", suit);
  desk.on("clear", clear);
  desk.on("shown", describe);
  desk.on(
    "told",
    whenNew(() => [desk.state.results, desk.state.pictures], listBefore),
  );
  desk.on("faded", () => {
    stage.fade(look.strength());
    describe();
  });
  desk.on("adjusted", () => {
    const developed = $("#developed");
    if (developed.hidden || stage.zoom.isZoomed || desk.result.content.blank) return; // it shows a part alone
    histogram.showCanvas(developed, picture(desk.result.content.id, "edit"));
  });
  desk.on("live", (url) => {
    const { content } = desk.state.pictures;
    const before = content.blank ? null : picture(content.id, "edit");
    if (!stage.shown) stage.show({ width: content.width, height: content.height, view: url, before }, 1);
    stage.live(url);
    $("#welcome").replaceChildren();
    $("#shown").textContent = "On its way …";
    $("#shown").hidden = false;
  });
  desk.on("ended", (task) => {
    const isLast = !desk.state.tasks.some((one) => !isOver(one));
    if (task.state === "failed" || (task.state === "cancelled" && isLast)) restore();
  });
  /** A draft never takes the place of a finished picture of the same look. */
  const isBetter = (made, draft) =>
    made &&
    !made.isPreview &&
    made.look === draft.look &&
    made.content.id === draft.content.id &&
    made.style?.id === draft.style?.id;
  jobs.whenDone("preview", (task) => {
    if (!task.outcome.result) return;
    desk.tell("notes", task.notes);
    const draft = desk.state.preview;
    if (!draft) return;
    if (isBetter(desk.result, draft)) restore();
    else show(draft, true);
  });

  return {
    show,
    clear,
    restore,
    open() {
      listBefore();
      const mode = checked("mode");
      const [preview] = [desk.state.preview].filter((made) => made && modeOf(made) === mode);
      const newest = desk.state.results.find((made) => modeOf(made) === mode);
      if (preview && !isBetter(newest && { ...newest, isPreview: false }, preview)) show(preview, true);
      else if (newest) show(newest, false);
      else clear();
    },
  };
}
