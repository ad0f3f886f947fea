// The regions between page and server: found, read, saved after every change, loaded from files.

import { desk, tried, trouble } from "./desk.js";
import { $, $$, after, checked, el, icon, limited, working } from "./dom.js";
import { pack } from "./history.js";
import { decode, NONE } from "./labels.js";
import { offer } from "./say.js";

const SIDES = ["content", "style"];
const SNAPS = 2; // strokes that look for their edge at a time
/** A first look: colours alone, in a moment. */
const FIRST = { recipe: "monge-kantorovich", quality: "draft", regions: false };
const BLANK = [NONE]; // with whatever length: nothing is painted there
const isBlank = (packed) => packed.length <= 2 && packed[0] === NONE;
const isSame = (a, b) => (isBlank(a) && isBlank(b)) || (a.length === b.length && a.every((run, k) => run === b[k]));
const capital = (word) => word[0].toUpperCase() + word.slice(1);

export function makeRegions(editor, jobs) {
  async function find() {
    await editor.settled();
    await desk.session.find($("#count").value);
    jobs.follow();
  }
  $("#find").addEventListener("click", tried(find));

  const read = (side, blob) => {
    const { width, height } = editor.sides[side];
    return decode(blob, width, height, editor.colors, editor.none);
  };

  async function load() {
    await editor.settled();
    const labels = {};
    for (const side of desk.state.painted) {
      if (editor.sides[side].photo) labels[side] = await read(side, await desk.session.labels(side));
    }
    editor.setLabels(labels, desk.state.regions);
    for (const side of SIDES) savedAs[side] = labels[side] ? pack(labels[side]) : BLANK;
    showMasks();
  }

  // ---- saving

  const savedAs = { content: BLANK, style: BLANK }; // the labels that the server has, packed
  const files = {}; // the last mask that was loaded on a side: its labels, packed, and the file, which may say more
  let saving = Promise.resolve();
  let unsaved = 0;
  /** The page's regions become the server's; one after the other, so that the last word is the last. */
  function save() {
    unsaved++;
    saving = saving
      .catch(() => {})
      .then(async () => {
        for (const side of SIDES) {
          const { photo, base, labels } = editor.sides[side];
          if (!photo) continue;
          const packed = pack(base ?? labels);
          if (isSame(packed, savedAs[side])) continue;
          savedAs[side] = packed;
          const file = files[side] && isSame(packed, files[side].packed) ? files[side].blob : null;
          await desk.session.setLabels(side, file ?? (await editor.png(side)));
        }
        const list = editor.list.map(({ color, name, model }) => ({ color, name, model }));
        desk.hear(await desk.session.setRegions(list));
        describe();
        showMasks();
      })
      .finally(() => {
        unsaved--;
      });
    return saving;
  }
  /** What each region lies over, as the server sees it. */
  function describe() {
    for (const region of editor.list) region.seen = desk.state.regions.find((one) => one.color === region.color)?.seen;
    editor.dispatchEvent(new Event("choose"));
  }
  let isSoon = false;
  const saveSoon = after(
    400,
    tried(async () => {
      isSoon = false;
      await save();
      desk.tell("changed");
    }),
  );
  async function settled() {
    await editor.settled();
    if (isSoon) {
      isSoon = false;
      await save();
    }
    await saving.catch(() => {});
  }
  window.addEventListener("beforeunload", (event) => {
    if (editor.strokes.length || isSoon || unsaved) event.preventDefault(); // the browser asks
  });

  editor.addEventListener("change", () => {
    if (editor.sheet === "labels") {
      showDoubts([]);
      isSoon = true;
      saveSoon();
    } else if (editor.isMarked()) desk.tell("changed");
  });
  editor.addEventListener("work", (event) => working(event.detail));
  editor.ask = limited(SNAPS, async ({ side, x, y, file }) => {
    try {
      return await desk.session.snap(side, x, y, file);
    } catch (error) {
      trouble(error);
      return null;
    }
  });

  editor.select = limited(SNAPS, async ({ side, inside, outside }) => {
    try {
      return await desk.session.select(side, { inside, outside });
    } catch (error) {
      trouble(error);
      return null;
    }
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
    if (!s.photo) throw new Error("Choose the photograph first: a mask is painted over it.");
    const blob = await desk.session.mask(file);
    const labels = await read(side, blob);
    files[side] = { packed: pack(labels), blob };
    savedAs[side] = []; // the file counts even where it shows what is there already: it may say more
    await editor.settled();
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

  // ---- doubtful matches

  async function mergeAway(index) {
    const into = editor.neighbour(index);
    if (into === null) return;
    await editor.merge(index, into);
    offer("Two regions are one now.", { undo: () => editor.undo() });
  }

  function showDoubts(doubts) {
    const row = ({ color, sentence }) => {
      const index = editor.list.findIndex((region) => region.color === color);
      const into = index < 0 ? null : editor.neighbour(index);
      const merge = () => tried(mergeAway)(editor.list.findIndex((region) => region.color === color));
      return el(
        "li",
        {},
        el("span", { textContent: sentence }),
        ...(into === null
          ? []
          : [el("button", { type: "button", onclick: merge }, icon("merge"), `Merge ${index + 1} into ${into + 1}`)]),
      );
    };
    $("#doubts").replaceChildren(...doubts.map(row));
    editor.doubt(doubts.map(({ color }) => color));
  }

  // ---- what happens elsewhere

  desk.on("clear", () => {
    editor.setLabels({}, []);
    for (const s of Object.values(editor.sides)) s.labels?.fill(255);
    showDoubts([]);
  });
  desk.on(
    "pictures",
    tried(async () => {
      const { pictures, painted, regions } = desk.state;
      const canFind = desk.isReady && !pictures.content.blank && checked("mode") === "transfer";
      if (regions.length && (painted.includes("content") || !canFind)) {
        await load();
        desk.tell("changed");
      } else if (canFind) {
        await desk.session.preview(FIRST); // which is there before regions are
        await find();
      }
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
    /** Wait until the server has everything that was painted. */
    settled,
    mergeAway,
    async open() {
      if (desk.state.regions.length) await load();
    },
  };
}
