// The studio's page: what happens when, between the photographs, the panel and the server.

import { Gone, Offline, Session, about, begin } from "./api.js";
import { makeCompare } from "./compare.js";
import { $, $$, after, choose, checked, el, working } from "./dom.js";
import { Editor } from "./editor.js";
import { decode } from "./labels.js";
import { makeLook } from "./look.js";
import { makePanel } from "./panel.js";

const BEAT = 250, SLOW_BEAT = 2500; // milliseconds between two looks at the jobs, and when nobody answers

const facts = await about();
const editor = new Editor({ content: $('[data-side="content"] canvas'), style: $('[data-side="style"] canvas') }, facts.palette);
const panel = makePanel(editor);
const compare = makeCompare();
const look = makeLook(facts.recipes, () => { keep(); wantPreview(); }, () => { keep(); compare.fade(look.strength()); shownWith(); });

let session; // the server's name for it
let state; // what the server last told
const hear = (told) => { if (told.told > state.told) state = told; }; // answers may overtake each other
const over = new Set(); // jobs whose end was dealt with
let result = null; // what is shown and can be downloaded
let newer = 0; // photographs that are being loaded

// ---- what goes wrong

function trouble(error) {
  if (error instanceof Gone && /session/.test(error.message)) return anew(error.message);
  $("#banner").replaceChildren(el("span", { textContent: error.message }), el("button", { type: "button", textContent: "Close", onclick: calm }));
  $("#banner").hidden = false;
  if (!(error instanceof Offline)) console.info(error.message);
}
const calm = () => { $("#banner").hidden = true; };
window.addEventListener("trouble", (event) => trouble(event.detail));
const attempt = async (call, values) => { try { calm(); await call(...values); } catch (error) { trouble(error); } };
const tried = (call) => (...values) => working(attempt(call, values));

// ---- the session: its name is in the address, so a reload finds it again

async function open() {
  const name = new URLSearchParams(location.hash.slice(1)).get("session");
  if (name) {
    try { session = new Session(name); state = await session.read(); }
    catch (error) { if (!(error instanceof Gone)) throw error; session = null; }
  }
  if (!session) {
    state = await begin();
    session = new Session(state.id);
    history.replaceState(null, "", `#session=${state.id}`);
  }
  recall();
  for (const task of state.tasks) if (isOver(task)) over.add(task.id);
  await showPictures();
  showStyles();
  if (state.regions.length) await readRegions();
  if (state.preview) showResult(state.preview, true);
  else if (state.results.length) showResult(state.results[0], false);
  showGallery();
  follow();
}

async function anew(sentence) {
  history.replaceState(null, "", location.pathname);
  if (sentence) sessionStorage.setItem("sentence", sentence);
  location.reload();
}

function keep() {
  try { localStorage.setItem(`photostyle ${session.id}`, JSON.stringify({ ...look.kept(), mode: checked("mode"), auto: $("#auto").checked })); } catch { /* private windows */ }
}
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(`photostyle ${session.id}`) ?? "null");
    if (!kept) return;
    look.load(kept);
    choose("mode", kept.mode);
    $("#auto").checked = kept.auto;
    setMode();
  } catch { /* what cannot be recalled is as at first */ }
}

// ---- photographs

const loadImage = (url) => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve(image);
  image.onerror = () => reject(new Offline("A photograph could not be loaded from the studio."));
  image.src = url;
});

async function showPictures() {
  const mine = ++newer;
  for (const side of ["content", "style"]) {
    const picture = state.pictures[side], box = $(`[data-side="${side}"]`);
    $(".hint", box).hidden = !!picture;
    $(".name", box).textContent = picture ? (picture.blank ? "empty canvas" : `${picture.name}, ${picture.width}×${picture.height}`) : "";
    $(".name", box).title = $(".name", box).textContent;
    if (!picture) { editor.clearPhoto(side); continue; }
    if (editor.sides[side].photo?.dataset.id === picture.id) continue;
    const photo = await loadImage(session.url(`photographs/${picture.id}/edit.jpg`));
    if (mine !== newer) return;
    photo.dataset.id = picture.id;
    editor.setPhoto(side, photo);
  }
  for (const notes of Object.values(state.pictures).map((picture) => picture.notes)) if (notes.length) note(notes);
}

let choosing = Promise.resolve();
/** One after the other, whatever was chosen meanwhile; `ask` sends it to the server. */
function choosePictures(ask) {
  const chosen = choosing.then(() => takePictures(ask));
  choosing = chosen.catch(() => {});
  return chosen;
}

async function takePictures(ask) {
  hear(await ask());
  result = null;
  compare.show(null);
  editor.setLabels({}, []);
  for (const side of Object.keys(state.pictures)) editor.sides[side].labels?.fill(255);
  note([]);
  doubts([]);
  await showPictures();
  editor.setLabels({}, []);
  shownWith();
  if (state.pictures.content && state.pictures.style && !state.pictures.content.blank && checked("mode") !== "cutout") await findRegions();
  follow();
}

function checkSize(file) {
  if (file.size > facts.limits.bytes) throw new Error(`${file.name} has ${Math.ceil(file.size / 1e6)} MB; the studio takes up to ${Math.floor(facts.limits.bytes / 1e6)} MB. Make it smaller, or use the command line.`);
}

function upload(side, file) {
  if (!file) return undefined;
  checkSize(file);
  $("#job-text").textContent = `Reading ${file.name} …`;
  return choosePictures(() => session.upload(side, file)).finally(() => { if (!$("#cancel").dataset.job) idle(); });
}

for (const box of $$(".photo")) {
  const frame = $(".frame", box), side = box.dataset.side;
  $('input[type="file"]', box).addEventListener("change", tried(async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    await upload(side, file);
  }));
  frame.addEventListener("dragover", (event) => { event.preventDefault(); frame.classList.add("over"); });
  frame.addEventListener("dragleave", () => frame.classList.remove("over"));
  frame.addEventListener("drop", tried(async (event) => { event.preventDefault(); frame.classList.remove("over"); await upload(side, event.dataTransfer.files[0]); }));
}
window.addEventListener("dragover", (event) => event.preventDefault());
window.addEventListener("drop", (event) => event.preventDefault()); // beside the frames: the browser would leave the page

$("#examples .row").append(...facts.examples.map(({ name, title }) => el("button", { type: "button", onclick: tried(() => choosePictures(() => session.example(name))) },
  ...["content", "style"].map((side) => el("img", { src: `/api/examples/${name}/${side}.jpg`, alt: "", width: 72, height: 50, loading: "lazy" })), el("span", { textContent: title }))));

/** Beside the style, for a recipe that blends several. */
function showStyles() {
  $("#more-styles").replaceChildren(...state.more_styles.map((picture) => el("li", {},
    el("img", { src: session.url(`photographs/${picture.id}/edit.jpg`), alt: "", width: 72, height: 50 }),
    el("span", { className: "name", textContent: picture.name, title: picture.name }),
    el("button", { type: "button", textContent: "Remove", "aria-label": `Remove ${picture.name}`, onclick: tried(async () => { hear(await session.removeStyle(picture.id)); showStyles(); wantPreview(); $("#add-style").focus(); }) }))));
}
$("#add-style").addEventListener("change", tried(async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  checkSize(file);
  hear(await session.addStyle(file));
  showStyles();
  wantPreview();
}));

$("#canvas").addEventListener("click", tried(async () => {
  const style = state.pictures.style;
  const { width, height } = style ? style.edit : { width: 640, height: 480 };
  await choosePictures(() => session.canvas({ width: Math.max(64, width), height: Math.max(64, height) }));
}));

// ---- regions

async function findRegions() {
  await session.find($("#count").value);
  follow();
}
$("#find").addEventListener("click", tried(findRegions));

async function readRegions() {
  const labels = {};
  for (const side of ["content", "style"]) {
    const { width, height, photo } = editor.sides[side];
    if (photo) labels[side] = await decode(await session.labels(side), width, height, editor.colors, editor.none);
  }
  editor.setLabels(labels, state.regions);
  masks();
}

let saving = Promise.resolve();
/** The server's regions become the page's; one after the other, so that the last word is the last. */
function saveRegions() {
  saving = saving.catch(() => {}).then(async () => {
    for (const side of ["content", "style"]) if (editor.sides[side].photo) await session.setLabels(side, await editor.png(side));
    await session.setRegions(editor.list);
    masks();
  });
  return saving;
}
const saveSoon = after(500, tried(async () => { await saveRegions(); wantPreview(); }));
editor.addEventListener("change", () => {
  if (editor.sheet === "labels") { doubts([]); saveSoon(); }
  else if (editor.isMarked()) wantPreview();
});
editor.addEventListener("work", (event) => working(event.detail));
editor.addEventListener("snap", (event) => {
  const { side, x, y, trimap } = event.detail;
  event.detail.alpha = session.snap(side, x, y, trimap).catch((error) => { trouble(error); return null; });
});

function masks() {
  for (const side of ["content", "style"]) {
    const link = $(`#${side}-mask`);
    link.href = session.url(`regions/${side}.png`);
    link.download = `${side}_regions.png`;
    link.removeAttribute("aria-disabled");
  }
}
for (const input of $$("[data-mask]")) input.addEventListener("change", tried(async () => {
  const side = input.dataset.mask, s = editor.sides[side], [file] = input.files;
  input.value = "";
  if (!file) return;
  if (!s.photo) throw new Error(`Choose the photograph of the ${side} first: a mask is painted over it.`);
  const labels = await decode(await session.mask(file), s.width, s.height, editor.colors, editor.none);
  editor.remember();
  s.labels = labels;
  const used = new Set(["content", "style"].flatMap((other) => [...new Set(editor.sides[other].labels ?? [])]));
  const list = editor.names.filter((_, k) => used.has(k)).map((color) => editor.list.find((region) => region.color === color) ?? { color, name: color[0].toUpperCase() + color.slice(1), model: color });
  editor.setLabels({}, list);
  editor.dispatchEvent(new Event("change"));
}));

const doubts = (sentences) => $("#doubts").replaceChildren(...sentences.map((sentence) => el("li", { textContent: sentence })));

// ---- jobs

const isOver = (task) => ["done", "failed", "cancelled"].includes(task.state);
const TITLES = { find: "Finding regions", doubts: "Looking at the regions", preview: "Preview", render: "Rendering full size" };

const wantsPreview = () => checked("mode") === "cutout" || ($("#auto").checked && look.isQuick());
function wantPreview() { if (wantsPreview()) previewSoon(); }
const previewSoon = after(250, tried(preview));

async function preview() {
  if (checked("mode") === "cutout") {
    if (editor.isMarked()) { await session.cutOut(await editor.trimap(), false); follow(); }
    return;
  }
  if (!state.pictures.content || !state.pictures.style) return;
  await saving;
  await session.preview(look.wish());
  follow();
}
$("#preview").addEventListener("click", tried(async () => {
  if (!state.pictures.content || !state.pictures.style) throw new Error("Choose two photographs first.");
  await preview();
}));
$("#render").addEventListener("click", tried(async () => {
  if (checked("mode") === "cutout") {
    if (!editor.isMarked()) throw new Error("Mark some of what is to be kept, and some of what is not.");
    await session.cutOut(await editor.trimap(), true);
  } else {
    await saving;
    await session.render(look.wish());
  }
  follow();
}));
$("#cancel").addEventListener("click", tried(async (event) => { await session.cancel(event.target.dataset.job); follow(); }));

let following = false, asked = false, lives = "";
/** Look at the jobs until all are over. */
async function follow() {
  asked = true; // an answer that is on its way may not know of the newest job
  if (following) return;
  following = true;
  try { await working(beat()); } finally { following = false; }
}

async function beat() {
  let lost = false;
  for (;;) {
    try {
      asked = false;
      hear(await session.read());
      if (lost) { lost = false; calm(); }
    } catch (error) {
      trouble(error);
      if (!(error instanceof Offline)) return;
      lost = true;
      await new Promise((go) => setTimeout(go, SLOW_BEAT));
      continue;
    }
    for (const task of state.tasks) if (isOver(task) && !over.has(task.id)) {
      over.add(task.id);
      await finish(task).catch(trouble);
    }
    const open = state.tasks.filter((task) => !isOver(task));
    if (open.length) progress(open);
    else if (!asked) { idle(); return; }
    await new Promise((go) => setTimeout(go, BEAT));
  }
}

const seconds = (s) => (s < 90 ? `${Math.max(1, Math.round(s))} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`);

function progress(open) {
  const task = open.find((one) => one.state === "running") ?? open[0];
  let text = TITLES[task.kind];
  if (task.state === "waiting") text += `: waiting, ${task.before} before it`;
  else {
    if (task.stage) text += `: ${task.stage}${task.of ? `, ${task.iteration} of ${task.of}` : ""}`;
    if (task.seconds_left !== null) text += `, about ${seconds(task.seconds_left)} left${task.whole ? "" : " of this part"}`;
  }
  if (open.length > 1) text += ` (${open.length - 1} more ${open.length > 2 ? "wait" : "waits"})`;
  $("#job-text").textContent = text;
  if (task.part) $("#job-bar").value = task.part; else $("#job-bar").removeAttribute("value");
  $("#cancel").hidden = false;
  $("#cancel").dataset.job = task.id;
  const live = `${task.id}/${task.live}`;
  if (task.live && live !== lives && task.kind !== "find") {
    lives = live;
    const url = session.url(`jobs/${task.id}/live.jpg?${task.live}`);
    if (compare.shown) compare.live(url);
    else { const { content } = state.pictures; compare.show({ width: content.width, height: content.height, view: url, before: session.url(`photographs/${content.id}/edit.jpg`), fades: true }, look.strength()); }
  }
}

function idle() {
  $("#job-text").textContent = "Nothing is running.";
  $("#job-bar").value = 0;
  $("#cancel").hidden = true;
  delete $("#cancel").dataset.job;
}

const note = (sentences) => $("#notes").replaceChildren(...sentences.map((sentence) => el("li", { textContent: sentence })));

async function finish(task) {
  if (task.state === "failed") { trouble(new Error(task.error)); restore(); return; }
  if (task.state === "cancelled") { if (!state.tasks.some((one) => !isOver(one))) restore(); return; }
  if (task.kind === "find" && state.regions.length) {
    editor.remember();
    await readRegions();
    note(task.notes);
    checkDoubts = true;
    if (wantsPreview()) await preview();
  } else if (task.kind === "doubts") doubts(task.outcome.doubts);
  else if (task.kind === "preview" && task.outcome.result) {
    note(task.notes);
    if (state.preview) showResult(state.preview, true);
    if (checkDoubts) { checkDoubts = false; await session.doubts(); follow(); }
  } else if (task.kind === "render") {
    note([...task.notes, `Rendered in ${seconds(task.seconds)}.`]);
    showGallery();
    const made = state.results.find((one) => one.id === task.outcome.result?.id);
    if (made) showResult(made, false);
  }
}
let checkDoubts = false; // after the preview, which should not wait for it

/** After a job that came to nothing the stage shows again what it showed before. */
function restore() {
  if (result) showResult(result, result.isPreview);
  else compare.show(null);
}

// ---- results

function showResult(made, isPreview) {
  result = { ...made, isPreview };
  const url = (size) => session.url(`results/${made.id}/${size}.jpg`);
  const { content } = made;
  compare.show({
    width: isPreview ? content.edit.width : made.width, height: isPreview ? content.edit.height : made.height,
    view: url("view"), full: url("full"), fades: !made.cutout && !content.blank,
    before: content.blank ? null : session.url(`photographs/${content.id}/edit.jpg`), beforeFull: content.blank ? null : session.url(`photographs/${content.id}/full.jpg`),
  }, look.strength());
  shownWith();
}

function shownWith() {
  const save = $("#save");
  if (!result) {
    save.removeAttribute("href");
    save.setAttribute("aria-disabled", "true");
    $("#shown").textContent = "";
    return;
  }
  save.href = session.url(`results/${result.id}/download?format=${$("#format").value}&strength=${result.cutout ? 1 : look.strength()}`);
  save.removeAttribute("aria-disabled");
  const name = result.cutout ? "Cut-out" : result.recipe;
  $("#shown").textContent = result.isPreview ? `Shown: a draft, ${result.width}×${result.height}` : `Shown: ${name}, ${result.width}×${result.height}`;
}
$("#format").addEventListener("change", shownWith);
$("#save").addEventListener("click", (event) => {
  if (result?.cutout && $("#format").value === "JPEG") { event.preventDefault(); trouble(new Error("JPEG has no transparency: download the cut-out as PNG, TIFF or WebP.")); }
});

/** What its command line reads besides the photographs. */
const files = (made) => (made.cutout ? ["trimap.png"] : made.painted ? ["content_regions.png", "style_regions.png"] : []);

function showGallery() {
  $("#gallery-none").hidden = state.results.length > 0;
  $("#made").replaceChildren(...state.results.map((made) => {
    const title = made.cutout ? `Cut-out of ${made.content.name}` : `${made.recipe}, ${made.quality}, strength ${Math.round(100 * made.strength)} %`;
    const copy = el("button", { type: "button", textContent: "Copy command", onclick: tried(async () => { await navigator.clipboard.writeText(made.command); copy.textContent = "Copied"; }) });
    return el("li", {},
      el("button", { type: "button", "aria-label": `Show ${title}`, onclick: () => { showResult(made, false); $("#stage").scrollIntoView({ block: "nearest" }); } }, el("img", { src: session.url(`results/${made.id}/thumb.jpg`), alt: "", loading: "lazy" })),
      el("p", { textContent: `${title}. ${made.width}×${made.height}, ${seconds(made.seconds)}.` }),
      el("code", { textContent: made.command, tabIndex: 0 }),
      el("div", { className: "row" }, copy,
        ...files(made).map((name) => el("a", { className: "button", href: session.url(`results/${made.id}/${name}`), download: name, textContent: name })),
        ...(made.cutout ? [] : [el("button", { type: "button", textContent: "Use its settings", onclick: tried(async () => { look.load(made); keep(); wantPreview(); }) }),
          el("a", { className: "button", href: session.url(`results/${made.id}/settings.json`), download: "photostyle-settings.json", textContent: "Settings file" })]),
        el("button", { type: "button", textContent: "Delete", "aria-label": `Delete ${title}`, onclick: tried(async () => { await session.forget(made.id); if (result?.id === made.id) { result = null; compare.show(null); shownWith(); } hear(await session.read()); showGallery(); }) })));
  }));
}

// ---- what to make

function setMode() {
  const mode = checked("mode");
  document.body.dataset.mode = mode;
  editor.show(mode === "cutout" ? "marks" : "labels");
  $("#format").value = mode === "cutout" ? "PNG" : $("#format").value;
  if (mode !== "transfer") panel.setTool("brush");
}
for (const input of $$('input[name="mode"]')) input.addEventListener("change", () => {
  setMode();
  const recipe = $("#recipe");
  if (checked("mode") === "doodle" && recipe.value !== "doodle" || checked("mode") === "transfer" && recipe.value === "doodle") {
    recipe.value = checked("mode") === "doodle" ? "doodle" : "photo";
    recipe.dispatchEvent(new Event("change"));
  }
  keep();
  shownWith();
});
$("#auto").addEventListener("change", () => { keep(); wantPreview(); });
$("#anew").addEventListener("click", tried(async () => { await session.end().catch(() => {}); await anew(); }));
window.addEventListener("hashchange", () => location.reload()); // another session was pasted into the address
$(".skip").addEventListener("click", (event) => { event.preventDefault(); $("#photographs").focus(); }); // which it keeps

document.body.dataset.mode = "transfer";
await working(open().catch(trouble));
const sentence = sessionStorage.getItem("sentence");
sessionStorage.removeItem("sentence");
if (sentence) trouble(new Error(sentence.replace("open the studio anew", "here is a new one")));
document.body.dataset.ready = "yes"; // for tests
