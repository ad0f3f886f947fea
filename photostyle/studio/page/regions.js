// The regions between page and server: found, read, saved after every change, loaded from files.

import { desk, tried, trouble } from "./desk.js";
import { $, $$, after, checked, el, working } from "./dom.js";
import { decode } from "./labels.js";

const SIDES = ["content", "style"];
const capital = (word) => word[0].toUpperCase() + word.slice(1);

export function makeRegions(editor, jobs) {
  async function find() {
    await desk.session.find($("#count").value);
    jobs.follow();
  }
  $("#find").addEventListener("click", tried(find));

  const read = async (side, blob) => {
    const { width, height } = editor.sides[side];
    return decode(blob, width, height, editor.colors, editor.none);
  };

  async function load() {
    const labels = {};
    for (const side of SIDES) {
      if (editor.sides[side].photo) labels[side] = await read(side, await desk.session.labels(side));
    }
    editor.setLabels(labels, desk.state.regions);
    showMasks();
  }

  let saving = Promise.resolve();
  /** The page's regions become the server's; one after the other, so that the last word is the last. */
  function save() {
    saving = saving
      .catch(() => {})
      .then(async () => {
        for (const side of SIDES) {
          if (editor.sides[side].photo) await desk.session.setLabels(side, await editor.png(side));
        }
        await desk.session.setRegions(editor.list);
        showMasks();
      });
    return saving;
  }
  const saveSoon = after(
    500,
    tried(async () => {
      await save();
      desk.tell("changed");
    }),
  );

  editor.addEventListener("change", () => {
    if (editor.sheet === "labels") {
      showDoubts([]);
      saveSoon();
    } else if (editor.isMarked()) desk.tell("changed");
  });
  editor.addEventListener("work", (event) => working(event.detail));
  editor.addEventListener("snap", (event) => {
    const { side, x, y, trimap } = event.detail;
    event.detail.alpha = desk.session.snap(side, x, y, trimap).catch((error) => {
      trouble(error);
      return null;
    });
  });

  // ---- masks as files

  function showMasks() {
    for (const side of SIDES) {
      const link = $(`#${side}-mask`);
      link.href = desk.session.url(`regions/${side}.png`);
      link.download = `${side}_regions.png`;
      link.removeAttribute("aria-disabled");
    }
  }

  async function loadMask(side, file) {
    const s = editor.sides[side];
    if (!s.photo) throw new Error(`Choose the photograph of the ${side} first: a mask is painted over it.`);
    const labels = await read(side, await desk.session.mask(file));
    editor.remember();
    s.labels = labels;
    const used = new Set(SIDES.flatMap((other) => [...new Set(editor.sides[other].labels ?? [])]));
    const known = (color) => editor.list.find((region) => region.color === color);
    const list = editor.names
      .filter((_, k) => used.has(k))
      .map((color) => known(color) ?? { color, name: capital(color), model: color });
    editor.setLabels({}, list);
    editor.dispatchEvent(new Event("change"));
  }
  for (const input of $$("[data-mask]"))
    input.addEventListener(
      "change",
      tried(async () => {
        const [file] = input.files;
        input.value = "";
        if (file) await loadMask(input.dataset.mask, file);
      }),
    );

  // ---- what happens elsewhere

  function showDoubts(sentences) {
    $("#doubts").replaceChildren(...sentences.map((sentence) => el("li", { textContent: sentence })));
  }

  desk.on("clear", () => {
    editor.setLabels({}, []);
    for (const side of Object.keys(desk.state.pictures)) editor.sides[side].labels?.fill(255);
    showDoubts([]);
  });
  desk.on(
    "pictures",
    tried(async () => {
      if (desk.isReady && !desk.state.pictures.content.blank && checked("mode") !== "cutout") await find();
      jobs.follow();
    }),
  );
  let unsure = false; // newly found regions are looked at after the draft, which should not wait for it
  jobs.whenDone("find", async (task) => {
    if (!desk.state.regions.length) return;
    editor.remember();
    await load();
    desk.tell("notes", task.notes);
    unsure = true;
    desk.tell("changed");
  });
  jobs.whenDone("preview", async () => {
    if (!unsure) return;
    unsure = false;
    await desk.session.doubts();
    jobs.follow();
  });
  jobs.whenDone("doubts", (task) => showDoubts(task.outcome.doubts));

  return {
    /** Wait until the server has the page's regions. */
    saved: () => saving,
    async open() {
      if (desk.state.regions.length) await load();
    },
  };
}
