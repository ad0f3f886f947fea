// What was made: on the stage, and in the gallery.

import { desk, tried } from "./desk.js";
import { $, el, seconds } from "./dom.js";
import { isOver } from "./jobs.js";

/** What its command line reads besides the photographs. */
const files = (made) =>
  made.cutout ? ["trimap.png"] : made.painted ? ["content_regions.png", "style_regions.png"] : [];

export function makeResults({ compare, look, jobs }) {
  function show(made, isPreview) {
    desk.result = { ...made, isPreview };
    const { content } = made;
    const of = (size) => desk.session.url(`results/${made.id}/${size}.jpg`);
    const before = (size) => (content.blank ? null : desk.session.url(`photographs/${content.id}/${size}.jpg`));
    const { width, height } = isPreview && !made.maps ? content.edit : made;
    compare.show(
      {
        width,
        height,
        view: of("view"),
        full: of("full"),
        before: before("edit"),
        beforeFull: before("full"),
        fades: !made.cutout && !content.blank,
      },
      look.strength(),
    );
    desk.tell("shown");
  }

  function clear() {
    desk.result = null;
    compare.show(null);
    desk.tell("shown");
  }

  /** After a job that came to nothing the stage shows again what it showed before. */
  function restore() {
    if (desk.result) show(desk.result, desk.result.isPreview);
    else compare.show(null);
  }

  function title() {
    const made = desk.result;
    if (!made) return "";
    const name = made.isPreview ? "a draft" : made.cutout ? "Cut-out" : made.recipe;
    return `Shown: ${name}, ${made.width}×${made.height}`;
  }

  desk.on("clear", clear);
  desk.on("shown", () => {
    $("#shown").textContent = title();
  });
  desk.on("faded", () => compare.fade(look.strength()));
  desk.on("live", (url) => {
    if (compare.shown) {
      compare.live(url);
      return;
    }
    const { content } = desk.state.pictures;
    const before = desk.session.url(`photographs/${content.id}/edit.jpg`);
    compare.show({ width: content.width, height: content.height, view: url, before, fades: true }, look.strength());
  });
  desk.on("ended", (task) => {
    const isLast = !desk.state.tasks.some((one) => !isOver(one));
    if (task.state === "failed" || (task.state === "cancelled" && isLast)) restore();
  });
  jobs.whenDone("preview", (task) => {
    if (!task.outcome.result) return;
    desk.tell("notes", task.notes);
    if (desk.state.preview) show(desk.state.preview, true);
  });
  jobs.whenDone("render", (task) => {
    desk.tell("notes", [...task.notes, `Rendered in ${seconds(task.seconds)}.`]);
    showGallery();
    const made = desk.state.results.find((one) => one.id === task.outcome.result?.id);
    if (made) show(made, false);
  });

  // ---- the gallery

  async function forget(made) {
    await desk.session.forget(made.id);
    if (desk.result?.id === made.id) clear();
    desk.hear(await desk.session.read());
    showGallery();
  }

  function card(made) {
    const title = made.cutout
      ? `Cut-out of ${made.content.name}`
      : `${made.recipe}, ${made.quality}, strength ${Math.round(100 * made.strength)} %`;
    const button = (textContent, onclick, more = {}) => el("button", { type: "button", textContent, onclick, ...more });
    const link = (name, shown = name, download = name) =>
      el("a", {
        className: "button",
        href: desk.session.url(`results/${made.id}/${name}`),
        download,
        textContent: shown,
      });
    const copy = button(
      "Copy command",
      tried(async () => {
        await navigator.clipboard.writeText(made.command);
        copy.textContent = "Copied";
      }),
    );
    const open = () => {
      show(made, false);
      $("#stage").scrollIntoView({ block: "nearest" });
    };
    const reuse = () => {
      look.load(made);
      desk.tell("kept");
      desk.tell("changed");
    };
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", "aria-label": `Show ${title}`, onclick: open },
        el("img", { src: desk.session.url(`results/${made.id}/thumb.jpg`), alt: "", loading: "lazy" }),
      ),
      el("p", { textContent: `${title}. ${made.width}×${made.height}, ${seconds(made.seconds)}.` }),
      el("code", { textContent: made.command, tabIndex: 0 }),
      el(
        "div",
        { className: "row" },
        copy,
        ...files(made).map((name) => link(name)),
        ...(made.cutout
          ? []
          : [
              button("Use its settings", tried(reuse)),
              link("settings.json", "Settings file", "photostyle-settings.json"),
            ]),
        button(
          "Delete",
          tried(() => forget(made)),
          { "aria-label": `Delete ${title}` },
        ),
      ),
    );
  }

  function showGallery() {
    const { results } = desk.state;
    $("#gallery-none").hidden = results.length > 0;
    $("#made").replaceChildren(...results.map(card));
  }

  return {
    open() {
      const { preview, results } = desk.state;
      if (preview) show(preview, true);
      else if (results.length) show(results[0], false);
      showGallery();
    },
  };
}
