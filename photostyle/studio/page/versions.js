// The strip of versions: everything that was made at full size.

import { desk, tried } from "./desk.js";
import { $, el, icon, seconds, whenNew } from "./dom.js";
import { nameOfResult } from "./results.js";
import { titleOf } from "./recipes.js";
import { save } from "./saving.js";
import { offer } from "./say.js";

const QUALITIES = { draft: "quick", standard: "standard", best: "best" };

/** What its command line reads besides the photographs. */
const files = (made) =>
  made.cutout ? ["trimap.png"] : made.painted ? ["content_regions.png", "style_regions.png"] : [];

export function makeVersions({ results, look, jobs, exporting }) {
  const leaving = new Set(); // those that are deleted in a moment, unless it is taken back
  const dialog = el("dialog", { "aria-labelledby": "version-title" });
  $("#version").append(dialog);
  $("#version").hidden = false;

  function tile(made) {
    const name = nameOfResult(made);
    const strength = made.cutout ? "" : `, ${Math.round(100 * made.strength)} %`;
    const isShown = desk.result?.id === made.id;
    return el(
      "li",
      { className: "tile" },
      el(
        "button",
        {
          type: "button",
          "aria-label": `Show ${name}${strength}`,
          "aria-pressed": String(isShown),
          onclick: () => results.show(made, false),
        },
        el("img", { src: desk.session.url(`results/${made.id}/thumb.jpg`), alt: "", width: 124, height: 74 }),
      ),
      el("p", { textContent: `${name}${strength}`, title: made.content.name }),
      el(
        "div",
        { className: "group" },
        el(
          "button",
          { type: "button", className: "plain", "aria-label": `About ${name}`, onclick: () => open(made) },
          icon("pencil"),
          "About",
        ),
        el(
          "button",
          {
            type: "button",
            className: "plain",
            "aria-label": `Delete ${name}`,
            title: "Delete",
            onclick: () => remove(made),
          },
          icon("trash-2"),
        ),
      ),
    );
  }

  function remove(made) {
    leaving.add(made.id);
    if (desk.result?.id === made.id) results.clear();
    draw();
    offer(`${nameOfResult(made)} is deleted.`, {
      undo() {
        leaving.delete(made.id);
        results.show(made, false);
        draw();
      },
      then: tried(async () => {
        await desk.session.forget(made.id);
        leaving.delete(made.id);
        desk.hear(await desk.session.read());
        draw();
      }),
    });
  }

  function open(made) {
    const name = el("input", { type: "text", value: made.name, placeholder: nameOfResult(made), maxLength: 60 });
    name.addEventListener(
      "change",
      tried(async () => {
        await desk.session.rename(made.id, name.value.trim());
        desk.hear(await desk.session.read());
        draw();
      }),
    );
    const copy = el(
      "button",
      {
        type: "button",
        onclick: tried(async () => {
          await navigator.clipboard.writeText(made.command);
          copy.lastChild.textContent = "Copied";
        }),
      },
      icon("copy"),
      "Copy command",
    );
    const link = (file, text, download = file) =>
      el(
        "a",
        { className: "button", href: desk.session.url(`results/${made.id}/${file}`), download },
        icon("download"),
        text,
      );
    const reuse = tried(async () => {
      look.load(made);
      desk.tell("kept");
      desk.tell("changed");
      dialog.close();
    });
    const size = `${made.width}×${made.height}`;
    const facts = made.cutout
      ? `Cut out of ${made.content.name}, ${size}.`
      : `${titleOf(made.recipe)} (${made.recipe}), ${QUALITIES[made.quality]}, ${size}, rendered in ${seconds(made.seconds)}.`;
    dialog.replaceChildren(
      el("h2", { id: "version-title", textContent: nameOfResult(made) }),
      el("div", { className: "fields" }, el("label", {}, "Name", name)),
      el("p", { className: "about", textContent: facts }),
      el("p", { className: "about", textContent: "The same picture on the command line:" }),
      el("code", { textContent: made.command, tabIndex: 0 }),
      el(
        "div",
        { className: "row" },
        copy,
        ...files(made).map((file) => link(file, file)),
        ...(made.cutout
          ? []
          : [
              el("button", { type: "button", onclick: reuse }, "Use its settings"),
              link("settings.json", "Settings file", "photostyle-settings.json"),
            ]),
      ),
      el(
        "div",
        { className: "row" },
        el("button", { type: "button", className: "main", onclick: () => dialog.close() }, "Done"),
      ),
    );
    dialog.showModal();
  }

  function draw() {
    const made = desk.state.results.filter((one) => !leaving.has(one.id));
    $("#versions-none").hidden = made.length > 0;
    $("#made").replaceChildren(...made.map(tile));
    drawAll(made);
  }

  // ---- one look on all photographs

  function drawAll(made) {
    const photographs = desk.state.photographs.content;
    $("#all").hidden = photographs.length < 2;
    $("#render-all").lastChild.textContent = `Render all ${photographs.length} with this look`;
    const newest = photographs
      .map(({ id }) => made.find((one) => one.content.id === id && !one.cutout))
      .filter(Boolean);
    saveAll.disabled = !newest.length;
    saveAll.lastChild.textContent = `Save ${newest.length || "all"} as ZIP`;
    saveAll.onclick = tried(async () => {
      const id = newest.map((one) => one.id);
      await save(desk.session.archive({ ...exporting.wish(), parts: [], id }));
    });
  }
  const saveAll = $("#save-all");

  const redraw = whenNew(
    () => [desk.state.results, desk.state.photographs.content.length, desk.result?.id, [...leaving]],
    draw,
  );
  for (const news of ["told", "shown"]) desk.on(news, redraw);
  jobs.whenDone("render", (task) => {
    desk.tell("notes", [...task.notes, `Rendered in ${seconds(task.seconds)}.`]);
    const made = desk.state.results.find((one) => one.id === task.outcome.result?.id);
    const isHere = made?.content.id === desk.state.pictures.content?.id;
    if (made && isHere) results.show(made, false);
    else draw();
  });
  return { draw };
}
