// The photograph before and after, one over the other: strength, a border to drag, zoom down to pixels.

import { desk } from "./desk.js";
import { $ } from "./dom.js";

export function makeCompare() {
  const stage = $("#stage"),
    pan = $("#pan"),
    before = $("#before"),
    after = $("#after"),
    split = $("#split"),
    handle = $("#handle");
  let shown = null; // {width, height, view, full, before}
  let zoom = null,
    x = 0,
    y = 0; // zoom null: fitted
  let drag = null;

  const fitted = () => Math.min(stage.clientWidth / shown.width, stage.clientHeight / shown.height);
  const scale = () => zoom ?? fitted();

  function place() {
    if (!shown) return;
    const s = scale(),
      [w, h] = [shown.width * s, shown.height * s];
    x = w <= stage.clientWidth ? (stage.clientWidth - w) / 2 : Math.min(0, Math.max(stage.clientWidth - w, x));
    y = h <= stage.clientHeight ? (stage.clientHeight - h) / 2 : Math.min(0, Math.max(stage.clientHeight - h, y));
    pan.style.width = `${w}px`;
    pan.style.height = `${h}px`;
    pan.style.transform = `translate(${x}px, ${y}px)`;
    pan.classList.toggle("pixels", s * devicePixelRatio >= 2);
    stage.classList.toggle("zoomed", w > stage.clientWidth + 1 || h > stage.clientHeight + 1);
    after.style.clipPath = `inset(0 0 0 ${split.value}%)`;
    handle.style.left = `${x + (w * split.value) / 100}px`;
    handle.hidden = split.value === "0" || split.value === "100";
    desk.tell("placed", { x, y, width: w, height: h, split: +split.value });
    $("#zoom").textContent = zoom === null ? "fit" : `${Math.round(100 * s * devicePixelRatio)} %`;
    // pixels are worth their bytes only when they can be seen
    if (zoom !== null && s * shown.width * devicePixelRatio > 1600 && !shown.isFull && shown.full) {
      shown.isFull = true;
      after.src = shown.full;
      if (shown.beforeFull) before.src = shown.beforeFull;
    }
  }

  function zoomTo(next, cx = stage.clientWidth / 2, cy = stage.clientHeight / 2) {
    if (!shown) return;
    const old = scale();
    zoom = next === null || next <= fitted() ? null : Math.min(next, 16 / devicePixelRatio);
    const ratio = scale() / old;
    x = cx - (cx - x) * ratio;
    y = cy - (cy - y) * ratio;
    place();
  }

  function show(what, strength) {
    const same = shown && what && shown.width === what.width && shown.height === what.height;
    shown = what && { ...what, isFull: false };
    before.hidden = after.hidden = !what;
    $(".hint", stage).hidden = !!what;
    if (!what) {
      handle.hidden = true;
      return;
    }
    if (!same) {
      zoom = null;
      x = y = 0;
    }
    if (what.before) before.src = what.before;
    else before.hidden = true;
    after.src = what.view;
    fade(strength);
    place();
  }
  function fade(strength) {
    after.style.opacity = shown?.fades ? strength : 1;
  }

  split.addEventListener("input", place);
  $("#zoom-in").addEventListener("click", () => zoomTo(scale() * 1.5));
  $("#zoom-out").addEventListener("click", () => zoomTo(scale() / 1.5));
  $("#zoom-fit").addEventListener("click", () => zoomTo(null));
  $("#zoom-pixels").addEventListener("click", () =>
    zoomTo(1 / devicePixelRatio > fitted() ? 1 / devicePixelRatio : 2 * fitted()),
  );
  new ResizeObserver(place).observe(stage);

  stage.addEventListener("pointerdown", (event) => {
    if (!shown || event.button) return;
    stage.setPointerCapture(event.pointerId);
    const at = handle.hidden ? -99 : handle.getBoundingClientRect().left;
    drag =
      stage.classList.contains("zoomed") && Math.abs(event.clientX - at) > 24
        ? { x: event.clientX - x, y: event.clientY - y }
        : "split";
    move(event);
  });
  function move(event) {
    if (!drag) return;
    if (drag === "split") {
      const left = stage.getBoundingClientRect().left + x;
      split.value = (100 * (event.clientX - left)) / (shown.width * scale());
    } else {
      x = event.clientX - drag.x;
      y = event.clientY - drag.y;
    }
    place();
  }
  stage.addEventListener("pointermove", move);
  stage.addEventListener("dragstart", (event) => event.preventDefault()); // browsers would carry the picture away
  for (const name of ["pointerup", "pointercancel"])
    stage.addEventListener(name, () => {
      drag = null;
    });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!shown || !(event.ctrlKey || stage.classList.contains("zoomed"))) return; // the page scrolls else
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      zoomTo(scale() * 1.0015 ** -event.deltaY, event.clientX - box.left, event.clientY - box.top);
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (move && stage.classList.contains("zoomed")) {
      x += move[0];
      y += move[1];
      place();
    } else if (move && move[0]) {
      split.value = +split.value - Math.sign(move[0]) * 5;
      place();
    } else if (event.key === "+" || event.key === "=") zoomTo(scale() * 1.5);
    else if (event.key === "-") zoomTo(scale() / 1.5);
    else if (event.key === "0") zoomTo(null);
    else return;
    event.preventDefault();
  });
  return {
    show,
    fade,
    live(url) {
      if (shown) after.src = url;
    },
    get shown() {
      return shown;
    },
  };
}
