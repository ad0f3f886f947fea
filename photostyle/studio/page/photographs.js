// The photographs: chosen, dropped anywhere, pasted; several on each side, of which one is worked on.

import { Offline } from "./api.js";
import { desk, tried } from "./desk.js";
import { $, $$, checked, el, icon, loadImage } from "./dom.js";
import { History } from "./history.js";
import { offer } from "./say.js";

const SIDES = ["content", "style"];
const ACCEPTED = "image/*,.heic,.heif,.avif,.tif,.tiff,.exr,.hdr,.arw,.cr2,.cr3,.dng,.nef,.orf,.pef,.raf,.rw2";
const lost = () => new Offline("A photograph could not be loaded from the studio.");
const title = (picture) => (picture.blank ? "empty canvas" : `${picture.name}, ${picture.width}×${picture.height}`);

/** `limits` are the server's; `settled` waits until everything that was painted is with the server. */
export function makePhotographs(editor, { limits, settled }) {
  const leaving = new Set(); // those that are removed in a moment, unless it is taken back
  let newer = 0; // of photographs that are being loaded only the newest are shown

  async function show() {
    const mine = ++newer;
    const { pictures } = desk.state;
    for (const side of SIDES) {
      const picture = pictures[side];
      const box = $(`[data-side="${side}"]`);
      $(".hint", box).hidden = !!picture;
      $(".name", box).textContent = $(".name", box).title = picture ? title(picture) : "";
      if (!picture) editor.clearPhoto(side);
      else if (editor.sides[side].photo?.dataset.id !== picture.id) {
        const photo = await loadImage(desk.session.url(`photographs/${picture.id}/edit.jpg`), lost);
        if (mine !== newer) return;
        Object.assign(photo.dataset, { id: picture.id, width: picture.width });
        editor.setPhoto(side, photo);
      }
    }
    const { content, style } = pictures;
    const key = `${desk.state.id} ${content?.id}`;
    const [labels, marks] = [new History(`${key} ${style?.id} labels`), new History(`${key} marks`)];
    await Promise.all([labels.load(), marks.load()]);
    if (mine !== newer) return;
    await editor.setHistories(labels, marks);
    showStrips();
    const notes = Object.values(pictures).flatMap((picture) => picture.notes);
    if (notes.length) desk.tell("notes", notes);
  }

  let choosing = Promise.resolve();
  /** One after the other, whatever was chosen meanwhile; `ask` tells the server. */
  function change(ask) {
    const changed = choosing.then(async () => {
      await settled();
      desk.hear(await ask());
      desk.tell("clear");
      await show();
      desk.tell("pictures");
    });
    choosing = changed.catch(() => {});
    return changed;
  }

  // ---- files

  function check(file) {
    if (file.size <= limits.bytes) return;
    const [has, most] = [Math.ceil(file.size / 1e6), Math.floor(limits.bytes / 1e6)];
    throw new Error(
      `${file.name} has ${has} MB; the studio takes up to ${most} MB. Make it smaller, or use the command line.`,
    );
  }

  /** Files for one side; all but the last join the strip without being shown. */
  async function upload(side, files) {
    if (!files.length) return;
    for (const file of files) check(file);
    try {
      await change(async () => {
        let told;
        for (const [k, file] of files.entries()) {
          desk.tell("reading", files.length > 1 ? `${file.name} (${k + 1} of ${files.length})` : file.name);
          told = await desk.session.upload(side, file);
        }
        const first = told.photographs[side].at(-files.length);
        return files.length > 1 ? desk.session.choose(side, first.id) : told;
      });
    } finally {
      desk.tell("reading", null);
    }
  }

  /** Files that were dropped or pasted anywhere: first what is missing, then the strip. */
  async function take(files, side) {
    const photographs = [...files];
    if (!photographs.length) return;
    if (side) {
      await upload(side, photographs);
      return;
    }
    const { pictures } = desk.state;
    const isCutout = checked("mode") === "cutout";
    const wanted = isCutout ? ["content"] : checked("mode") === "doodle" ? ["style"] : SIDES;
    const given = { content: [], style: [] };
    for (const one of wanted) if (!pictures[one] && photographs.length) given[one].push(photographs.shift());
    given[wanted[0]].push(...photographs);
    for (const one of SIDES) await upload(one, given[one]);
  }

  for (const input of $$('[data-accept="photographs"]')) input.accept = ACCEPTED;
  for (const box of $$(".photo"))
    $('input[type="file"]', box).addEventListener(
      "change",
      tried(async (event) => {
        const files = [...event.target.files];
        event.target.value = "";
        await upload(box.dataset.side, files);
      }),
    );

  const sideAt = (event) => event.target.closest?.(".photo")?.dataset.side;
  const drag = (is, event) => {
    document.body.classList.toggle("dragging", is);
    for (const box of $$(".photo")) box.classList.toggle("over", is && box.dataset.side === sideAt(event));
  };
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    if (event.dataTransfer?.types.includes("Files")) drag(true, event);
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drag(false, event);
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault(); // the browser would leave the page
    drag(false, event);
    tried(take)(event.dataTransfer.files, sideAt(event));
  });
  window.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) tried(take)(event.clipboardData.files, sideAt(event));
  });

  // ---- the strips

  function tile(side, picture) {
    const isChosen = desk.state.pictures[side]?.id === picture.id;
    const image = el("img", { src: desk.session.url(`photographs/${picture.id}/edit.jpg`), alt: "" });
    Object.assign(image, { width: 60, height: 40, loading: "lazy" });
    const choose = tried(() => change(() => desk.session.choose(side, picture.id)));
    return el(
      "li",
      { className: "tile" },
      el(
        "button",
        {
          type: "button",
          title: title(picture),
          "aria-label": `Work on ${picture.name}`,
          "aria-pressed": String(isChosen),
          onclick: choose,
        },
        image,
      ),
      el(
        "button",
        {
          type: "button",
          className: "remove",
          "aria-label": `Remove ${picture.name}`,
          onclick: tried(() => remove(side, picture)),
        },
        icon("x"),
      ),
    );
  }

  function remove(side, picture) {
    leaving.add(picture.id);
    showStrips();
    offer(`${picture.name} is removed.`, {
      undo() {
        leaving.delete(picture.id);
        showStrips();
      },
      then: tried(async () => {
        leaving.delete(picture.id);
        await change(() => desk.session.remove(side, picture.id));
      }),
    });
  }

  function showStrips() {
    for (const side of SIDES) {
      const all = desk.state.photographs[side].filter((picture) => !leaving.has(picture.id));
      const strip = $(`[data-side="${side}"] .strip`);
      strip.replaceChildren(...(all.length > 1 ? all.map((picture) => tile(side, picture)) : []));
    }
    $("#swap").disabled = !desk.isReady;
  }

  $("#swap").addEventListener(
    "click",
    tried(() => change(() => desk.session.swap())),
  );
  $("#canvas").addEventListener(
    "click",
    tried(async () => {
      const { width, height } = desk.state.pictures.style?.edit ?? { width: 640, height: 480 };
      await change(() => desk.session.canvas({ width: Math.max(64, width), height: Math.max(64, height) }));
    }),
  );

  // ---- further references, for a recipe that blends several

  function showStyles() {
    const row = (picture) =>
      el(
        "li",
        {},
        el("img", { src: desk.session.url(`photographs/${picture.id}/edit.jpg`), alt: "", width: 60, height: 40 }),
        el("span", { className: "name", textContent: picture.name, title: picture.name }),
        el("button", {
          type: "button",
          textContent: "Remove",
          "aria-label": `Remove ${picture.name}`,
          onclick: tried(async () => {
            desk.hear(await desk.session.removeStyle(picture.id));
            showStyles();
            desk.tell("changed");
            $("#add-style").focus();
          }),
        }),
      );
    $("#more-styles").replaceChildren(...desk.state.more_styles.map(row));
  }
  $("#add-style").addEventListener(
    "change",
    tried(async (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      check(file);
      desk.hear(await desk.session.addStyle(file));
      showStyles();
      desk.tell("changed");
    }),
  );

  return {
    take,
    example: (name) => change(() => desk.session.example(name, checked("mode") === "doodle")),
    async open() {
      await show();
      showStyles();
    },
  };
}
