// The photographs: files that are chosen or dropped, examples, an empty canvas, further styles.

import { Offline } from "./api.js";
import { desk, tried } from "./desk.js";
import { $, $$, el } from "./dom.js";

const SIDES = ["content", "style"];

const loadImage = (url) =>
  new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Offline("A photograph could not be loaded from the studio."));
    image.src = url;
  });

/** `limits` are the server's; `examples` what one can begin with. */
export function makePhotographs(editor, { limits, examples }) {
  let newer = 0; // of photographs that are being loaded only the newest are shown

  async function show() {
    const mine = ++newer;
    const { pictures } = desk.state;
    for (const side of SIDES) {
      const picture = pictures[side];
      const box = $(`[data-side="${side}"]`);
      const name = $(".name", box);
      $(".hint", box).hidden = !!picture;
      name.textContent = picture
        ? picture.blank
          ? "empty canvas"
          : `${picture.name}, ${picture.width}×${picture.height}`
        : "";
      name.title = name.textContent;
      if (!picture) {
        editor.clearPhoto(side);
        continue;
      }
      if (editor.sides[side].photo?.dataset.id === picture.id) continue;
      const photo = await loadImage(desk.session.url(`photographs/${picture.id}/edit.jpg`));
      if (mine !== newer) return;
      photo.dataset.id = picture.id;
      editor.setPhoto(side, photo);
    }
    const notes = Object.values(pictures).flatMap((picture) => picture.notes);
    if (notes.length) desk.tell("notes", notes);
  }

  let choosing = Promise.resolve();
  /** One after the other, whatever was chosen meanwhile; `ask` sends it to the server. */
  function choose(ask) {
    const chosen = choosing.then(() => take(ask));
    choosing = chosen.catch(() => {});
    return chosen;
  }

  async function take(ask) {
    desk.hear(await ask());
    desk.tell("clear");
    await show();
    editor.setLabels({}, []);
    desk.tell("pictures");
  }

  function check(file) {
    if (file.size <= limits.bytes) return;
    const [has, most] = [Math.ceil(file.size / 1e6), Math.floor(limits.bytes / 1e6)];
    throw new Error(
      `${file.name} has ${has} MB; the studio takes up to ${most} MB. Make it smaller, or use the command line.`,
    );
  }

  async function upload(side, file) {
    if (!file) return;
    check(file);
    desk.tell("reading", file.name);
    try {
      await choose(() => desk.session.upload(side, file));
    } finally {
      desk.tell("reading", null);
    }
  }

  for (const box of $$(".photo")) {
    const frame = $(".frame", box);
    const side = box.dataset.side;
    const over = (is) => frame.classList.toggle("over", is);
    $('input[type="file"]', box).addEventListener(
      "change",
      tried(async (event) => {
        const [file] = event.target.files;
        event.target.value = "";
        await upload(side, file);
      }),
    );
    frame.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    frame.addEventListener("dragleave", () => over(false));
    frame.addEventListener(
      "drop",
      tried(async (event) => {
        event.preventDefault();
        over(false);
        await upload(side, event.dataTransfer.files[0]);
      }),
    );
  }
  // beside the frames: the browser would leave the page
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());

  const example = ({ name, title }) =>
    el(
      "button",
      { type: "button", onclick: tried(() => choose(() => desk.session.example(name))) },
      ...SIDES.map((side) =>
        el("img", { src: `/api/examples/${name}/${side}.jpg`, alt: "", width: 72, height: 50, loading: "lazy" }),
      ),
      el("span", { textContent: title }),
    );
  $("#examples .row").append(...examples.map(example));

  // ---- further styles, for a recipe that blends several

  function showStyles() {
    const row = (picture) =>
      el(
        "li",
        {},
        el("img", { src: desk.session.url(`photographs/${picture.id}/edit.jpg`), alt: "", width: 72, height: 50 }),
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

  $("#canvas").addEventListener(
    "click",
    tried(async () => {
      const { width, height } = desk.state.pictures.style?.edit ?? { width: 640, height: 480 };
      await choose(() => desk.session.canvas({ width: Math.max(64, width), height: Math.max(64, height) }));
    }),
  );

  return {
    async open() {
      await show();
      showStyles();
    },
  };
}
