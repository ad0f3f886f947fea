// The stage: a picture after, and what it is compared with, one over the other or side by side.

import { desk } from "./desk.js";
import { $, $$, checked } from "./dom.js";
import { Zoom } from "./zoom.js";

const WORTH = 1600; // screen pixels of width from which on the picture at full size is worth its bytes

export function makeStage() {
  const stage = $("#stage");
  const paneBefore = $("#pane-before");
  const paneAfter = $("#pane-after");
  const panBefore = $(".pan", paneBefore);
  const pan = $("#pan");
  const before = $("#before");
  const after = $("#after");
  const split = $("#split");
  const handle = $("#handle");
  let shown = null; // {width, height, view, full, before, beforeFull}
  let isBefore = false; // the picture before is shown instead
  let dragging = false; // of the border

  const way = () => checked("way");
  const zoom = new Zoom(stage, {
    size: () => shown,
    room: () => ({ width: stage.clientWidth / (way() === "side" ? 2 : 1), height: stage.clientHeight }),
    whole: () => 1 / devicePixelRatio,
    place,
    drags: (event) => stage.classList.contains("zoomed") && !isNearBorder(event),
  });

  function place(x, y, scale) {
    const [w, h] = [shown.width * scale, shown.height * scale];
    for (const one of [pan, panBefore]) {
      one.style.width = `${w}px`;
      one.style.height = `${h}px`;
      one.style.transform = `translate(${x}px, ${y}px)`;
    }
    const has = !before.hidden;
    const half = has && way() === "side";
    paneBefore.style.right = half ? "50%" : "0";
    paneAfter.style.left = half ? "calc(50% + 1px)" : "0";
    paneBefore.hidden = way() === "after" && !isBefore;
    paneAfter.hidden = isBefore && way() === "after" && has;
    const isSplit = has && way() === "split";
    pan.style.clipPath = isSplit ? `inset(0 0 0 ${split.value}%)` : "";
    handle.hidden = !isSplit;
    handle.style.left = `${x + (w * split.value) / 100}px`;
    desk.tell("placed", { x, y, width: w, height: h, split: isSplit ? +split.value : 0 });
    $("#zoom").textContent = zoom.isZoomed ? `${Math.round(100 * scale * devicePixelRatio)} %` : "fit";
    if (!zoom.isZoomed || w * devicePixelRatio <= WORTH || shown.isFull) return;
    shown.isFull = true;
    if (shown.full) after.src = shown.full;
    if (shown.beforeFull) before.src = shown.beforeFull;
  }

  /** A picture after, with what it is compared with; null for an empty stage. */
  function show(what, strength) {
    const same = shown && what && shown.width === what.width && shown.height === what.height;
    shown = what && { ...what, isFull: false };
    after.hidden = !what;
    delete stage.dataset.live;
    setBefore(what);
    if (!what) {
      handle.hidden = true;
      return;
    }
    if (!same) zoom.scaleSet = null;
    after.src = what.view;
    fade(strength);
    zoom.refresh();
  }

  /** What it is compared with: {before, beforeFull}. */
  function setBefore(what) {
    before.hidden = !what?.before;
    if (!what?.before) return;
    if (shown) Object.assign(shown, { before: what.before, beforeFull: what.beforeFull, isFull: false });
    before.src = what.before;
    zoom.refresh();
  }

  function fade(strength) {
    after.style.opacity = shown?.fades ? strength : 1;
    // the look is faded over the photograph, which therefore lies below it
    pan.style.background = shown?.fades && strength < 1 ? `url("${shown.under}") center / 100% 100%` : "";
  }

  function setBeforeShown(is) {
    isBefore = is;
    $("#is-before").hidden = !is || !shown || way() !== "after";
    zoom.refresh();
  }

  // ---- the border between before and after

  const isNearBorder = (event) => !handle.hidden && Math.abs(event.clientX - handle.getBoundingClientRect().left) <= 24;
  function dragBorder(event) {
    const left = stage.getBoundingClientRect().left + zoom.x;
    split.value = (100 * (event.clientX - left)) / (shown.width * zoom.scale);
    zoom.refresh();
  }
  stage.addEventListener("pointerdown", (event) => {
    if (!shown || event.button || handle.hidden) return;
    stage.setPointerCapture(event.pointerId);
    dragging = true;
    dragBorder(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (dragging) dragBorder(event);
  });
  for (const name of ["pointerup", "pointercancel"])
    stage.addEventListener(name, () => {
      dragging = false;
    });
  stage.addEventListener("dragstart", (event) => event.preventDefault()); // browsers would carry the picture away
  split.addEventListener("input", () => zoom.refresh());

  function setWay() {
    document.body.dataset.way = stage.dataset.way = way();
    setBeforeShown(false);
  }
  for (const input of $$('input[name="way"]')) input.addEventListener("change", setWay);
  setWay();

  $("#zoom-in").addEventListener("click", () => zoom.in());
  $("#zoom-out").addEventListener("click", () => zoom.out());
  $("#zoom-fit").addEventListener("click", () => zoom.fit());
  $("#zoom-pixels").addEventListener("click", () => zoom.pixels());

  stage.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (!shown || !move) return;
    event.preventDefault();
    if (stage.classList.contains("zoomed")) zoom.move(...move);
    else if (move[0] && !handle.hidden) {
      split.value = +split.value - Math.sign(move[0]) * 5;
      zoom.refresh();
    }
  });

  return {
    show,
    setBefore,
    fade,
    zoom,
    /** A picture of a job that runs, in the place of the one that is shown. */
    live(url) {
      if (!shown) return;
      stage.dataset.live = "";
      after.src = url;
      after.style.opacity = 1;
    },
    toggleBefore: () => setBeforeShown(!isBefore),
    get shown() {
      return shown;
    },
  };
}
